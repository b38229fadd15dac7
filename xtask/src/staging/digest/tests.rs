use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;

use super::*;

const INDEX: &str = "100644 e69de29 0\ta.c";

struct Tree {
    _keep: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Tree {
    /// A small project in git with one submodule.
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap().to_path_buf();
        let tree = Self { _keep: keep, root };
        for (path, text) in [
            ("a.c", "int a;"),
            ("pkg/b.c", "int b;"),
            ("run.sh", "true"),
            (".git/HEAD", "ref: refs/heads/main"),
            (".git/refs/heads/main", "aa"),
            (".git/refs/tags/v1", "aa"),
            (".git/index", "binary"),
            (".git/modules/lib/HEAD", "bb"),
            ("vendor/lib/.git", "gitdir: ../../.git/modules/lib\n"),
            ("vendor/lib/lib.c", "int lib;"),
        ] {
            tree.write(path, text);
        }
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn digest(&self) -> Source {
        self.with_index(INDEX)
    }

    fn with_index(&self, index: &str) -> Source {
        tree(&self.root, &AtomicBool::new(false), &|_| Some(index.to_owned())).unwrap()
    }
}

#[test]
fn two_equal_trees_have_one_digest() {
    let (first, second) = (Tree::new(), Tree::new());
    assert_eq!(first.digest(), second.digest());
    assert_eq!(first.digest().files.len(), 64);
    let file = File::options().write(true).open(first.root.join("a.c")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    first.write(".git/logs/HEAD", "what was done");
    first.write(".git/index", "the same in other bytes");
    assert_eq!(first.digest(), second.digest(), "neither times nor git's own business count");
}

type Change = (&'static str, fn(&Tree));

#[cfg(unix)]
#[test]
fn every_change_that_a_build_can_see_changes_the_digest() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let changes: [Change; 10] = [
        ("content", |tree| tree.write("a.c", "int A;")),
        ("a new file", |tree| tree.write("pkg/c.c", "")),
        ("a new folder", |tree| fs::create_dir(tree.root.join("empty")).unwrap()),
        ("a file gone", |tree| fs::remove_file(tree.root.join("pkg/b.c")).unwrap()),
        ("a file renamed", |tree| {
            fs::rename(tree.root.join("a.c"), tree.root.join("A.c")).unwrap();
        }),
        ("a file moved", |tree| {
            fs::rename(tree.root.join("pkg/b.c"), tree.root.join("b.c")).unwrap();
        }),
        ("the right to execute", |tree| {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(tree.root.join("run.sh"), mode).unwrap();
        }),
        ("a link for a file", |tree| {
            fs::remove_file(tree.root.join("a.c")).unwrap();
            symlink("int a;", tree.root.join("a.c")).unwrap();
        }),
        ("a folder's name", |tree| {
            fs::rename(tree.root.join("pkg"), tree.root.join("pkh")).unwrap();
        }),
        ("a submodule's file", |tree| tree.write("vendor/lib/lib.c", "int bil;")),
    ];
    let mut seen = vec![Tree::new().digest()];
    for (what, change) in changes {
        let tree = Tree::new();
        change(&tree);
        let digest = tree.digest();
        assert!(!seen.iter().any(|other| other.files == digest.files), "{what}");
        assert_eq!(digest.history, seen[0].history, "{what}");
        seen.push(digest);
    }
}

#[test]
fn what_gives_a_version_changes_the_history_only() {
    let first = Tree::new().digest();
    let changes: [Change; 4] = [
        ("a commit", |tree| tree.write(".git/refs/heads/main", "cc")),
        ("a tag", |tree| tree.write(".git/refs/tags/v2", "aa")),
        ("a branch", |tree| tree.write(".git/HEAD", "ref: refs/heads/other")),
        ("a submodule's commit", |tree| tree.write(".git/modules/lib/HEAD", "cc")),
    ];
    for (what, change) in changes {
        let tree = Tree::new();
        change(&tree);
        let digest = tree.digest();
        assert_ne!(digest.history, first.history, "{what}");
        assert_eq!(digest.files, first.files, "{what}");
    }
    assert_ne!(Tree::new().with_index("100644 0\tnew.c").history, first.history, "the index");
}

#[test]
fn where_git_does_not_run_the_indexs_bytes_stand_for_it() {
    let tree = Tree::new();
    let digest = || super::tree(&tree.root, &AtomicBool::new(false), &|_| None).unwrap().history;
    let first = digest();
    tree.write(".git/index", "other bytes");
    assert_ne!(digest(), first);
}

#[test]
fn a_tree_without_git_has_no_history_and_git_is_not_asked() {
    let tree = Tree::new();
    for path in [".git", "vendor"] {
        fs::remove_dir_all(tree.root.join(path)).unwrap();
    }
    let stop = AtomicBool::new(false);
    let source = super::tree(&tree.root, &stop, &|_| panic!("git was asked")).unwrap();
    assert_eq!(source.history, "");
    let started = Digest::start(&tree.root);
    assert_eq!(started.wait().unwrap(), &source);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(started.wait().unwrap(), &source));
        }
    });
}

#[test]
fn a_tree_that_cannot_be_read_has_no_digest() {
    let digest = Digest::start(Utf8Path::new("/nowhere/stage"));
    assert!(digest.wait().unwrap_err().contains("/nowhere/stage"));
}

#[test]
fn a_run_that_ends_ends_the_digest() {
    let tree = Tree::new();
    let outcome = super::tree(&tree.root, &AtomicBool::new(true), &|_| None);
    assert!(outcome.unwrap_err().to_string().contains("ended"));
}

#[test]
fn an_archive_is_its_files_hash() {
    let tree = Tree::new();
    tree.write("p-1.tar.gz", "abc");
    let digest = Digest::start_archive(&tree.root.join("p-1.tar.gz"));
    let files = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
    assert_eq!(digest.wait(), Ok(&Source { files, history: String::new() }));
    assert!(Digest::start_archive(&tree.root.join("gone.tar.gz")).wait().is_err());
}
