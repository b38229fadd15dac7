use super::*;

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().to_path_buf();
    (folder, path)
}

fn write(root: &Utf8Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
}

#[test]
fn build_products_are_told_from_sources() {
    for product in [
        "target/debug/x",
        "pkg/_core.cpython-312-x86_64-linux-gnu.so",
        "wheelhouse/a-1-py3-none-any.whl",
        "dist/a-1-cp312-cp312-linux_x86_64.whl",
        ".venv/bin/python",
        "src/__pycache__/a.pyc",
    ] {
        assert!(is_build_product(Utf8Path::new(product)), "{product}");
    }
    for source in ["src/target/a.py", "setup.py", "data/soap.txt", "lib/target.c"] {
        assert!(!is_build_product(Utf8Path::new(source)), "{source}");
    }
}

#[test]
fn gits_lines_are_told_apart() {
    let found = |path, is_new, is_repository| Some(Found { path, is_new, is_repository });
    for (line, expected) in [
        ("H 100644 e69de29 0\tsrc/a b.c", found("src/a b.c", false, false)),
        ("H 160000 e69de29 0\tvendor/lib", found("vendor/lib", false, true)),
        ("M 100755 e69de29 2\tconflict.c", found("conflict.c", false, false)),
        ("? new.c", found("new.c", true, false)),
        ("? inner/", found("inner/", true, true)),
        ("? tab\tin its name", found("tab\tin its name", true, false)),
        ("", None),
    ] {
        assert_eq!(Found::parse(line), expected, "{line}");
    }
}

#[test]
fn what_took_the_place_of_a_tracked_file_or_folder_wins() {
    let (_keep, root) = folder();
    write(&root, &["was_file/new.c", "plain.c", "was_folder"]);
    let paths = ["was_folder/old.c", "was_folder", "was_file", "was_file/new.c", "plain.c"];
    let entries = paths.iter().chain(&["plain.c"]);
    let mut listing = Listing {
        entries: entries.map(|path| Entry { path: path.into(), kind: Kind::Source }).collect(),
        folders: Vec::new(),
    };
    listing.settle(&root);
    let settled: Vec<_> = listing.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(settled, ["plain.c", "was_file/new.c", "was_folder"]);
}

#[test]
fn only_objects_of_a_repository_get_a_second_name() {
    // Neither a folder of that name around the project nor a branch in one makes other files so.
    let (_keep, root) = folder();
    let root = root.join("objects");
    let linked = [
        ".git/objects/ab/cd",
        ".git/objects/pack/p.pack",
        ".git/modules/lib/objects/ab/cd",
        ".git/lfs/objects/ab/cd/abcd",
    ];
    let copied = [
        ".git/HEAD",
        ".git/config",
        ".git/index",
        ".git/logs/HEAD",
        ".git/logs/refs/heads/objects/a",
        ".git/modules/lib/HEAD",
        ".git/modules/lib/config",
        ".git/objects/info/alternates",
        ".git/refs/heads/objects/a",
    ];
    let left = [".git/index.lock", ".git/objects/ab/tmp_obj_x"];
    for files in [&linked[..], &copied, &left] {
        write(&root, files);
    }
    let mut listing = Listing::default();
    listing.add_git(&root, Utf8Path::new(".git"), Kind::History).unwrap();
    for (expected, kind) in [(&linked[..], Kind::Object), (&copied, Kind::History)] {
        let found = listing.entries.iter().filter(|entry| entry.kind == kind);
        let mut found: Vec<_> = found.map(|entry| entry.path.as_str()).collect();
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

/// A project with more files than one thread takes, small ones and a large one.
#[cfg(unix)]
fn project(root: &Utf8Path) -> Vec<(String, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::UNIX_EPOCH;
    let mut files: Vec<_> = (0..300)
        .map(|n| (format!("d{}/e/f{n}.c", n % 7), format!("int f{n};").into_bytes()))
        .collect();
    files.push(("empty.c".to_owned(), Vec::new()));
    files.push(("large.bin".to_owned(), (0..=255).cycle().take(1_000_000).collect()));
    for (n, (name, content)) in files.iter().enumerate() {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(1_000_000_000_123 + n as u64))
            .unwrap();
        let mode = [0o644, 0o755, 0o600, 0o444, 0o777][n % 5];
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    files
}

#[test]
#[cfg(unix)]
fn content_mode_time_and_links_are_kept() {
    use std::os::unix::fs::MetadataExt as _;
    let (_keep, root) = folder();
    let (from, to) = (root.join("project"), root.join("run/stage"));
    let files = project(&from);
    for (link, target) in [("inner", "d0/e"), ("file.c", "empty.c"), ("dangling", "../gone")] {
        std::os::unix::fs::symlink(target, from.join(link)).unwrap();
    }
    copy_project(&from, &to, &[from.join("d1")]).unwrap();
    for (name, content) in &files {
        let copy = to.join(name);
        if name.starts_with("d1/") {
            assert!(!copy.exists(), "{name}");
            continue;
        }
        assert_eq!(&fs::read(&copy).unwrap(), content, "{name}");
        let (old, new) = (from.join(name).metadata().unwrap(), copy.metadata().unwrap());
        assert_eq!(old.mode(), new.mode(), "{name}");
        assert_eq!(old.modified().unwrap(), new.modified().unwrap(), "{name}");
        assert_ne!(old.ino(), new.ino(), "{name}");
    }
    assert_eq!(to.join("inner").read_link_utf8().unwrap(), "d0/e");
    assert_eq!(to.join("dangling").read_link_utf8().unwrap(), "../gone");
}

#[test]
#[cfg(unix)]
fn editing_a_file_in_place_changes_nothing_that_was_staged() {
    use std::io::Write as _;
    let (_keep, root) = folder();
    let (from, to) = (root.join("project"), root.join("stage"));
    let files = project(&from);
    copy_project(&from, &to, &[]).unwrap();
    for (name, content) in &files {
        // Whoever runs the tests may not be allowed to write to a file that can only be read.
        let path = from.join(name);
        let mut permissions = path.metadata().unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        fs::set_permissions(&path, permissions).unwrap();
        fs::File::options().write(true).open(&path).unwrap().write_all(b"edited").unwrap();
        assert_eq!(&fs::read(to.join(name)).unwrap(), content, "{name}");
    }
}

#[test]
fn what_was_deleted_since_it_was_listed_is_left_out_but_never_a_part_of_git() {
    let (_keep, root) = folder();
    let (from, to) = (root.join("project"), root.join("stage"));
    write(&from, &["a.c", "file"]);
    let entry = |path: &str, kind| Entry { path: path.into(), kind };
    let sources = [
        entry("gone.c", Kind::Source),
        entry("file/gone.c", Kind::Source),
        entry("a.c", Kind::Source),
    ];
    copy::copy_all(&from, &to, &sources).unwrap();
    assert!(to.join("a.c").is_file() && !to.join("gone.c").exists());
    for kind in [Kind::History, Kind::Object] {
        let error = copy::copy_all(&from, &to, &[entry(".git/gone", kind)]).unwrap_err();
        assert!(error.to_string().contains(".git/gone"), "{error:#}");
    }
    // As git's list is read, a name that is not UTF-8 has this in it, and there is no such file.
    let lossy = [entry("\u{fffd}.c", Kind::Source)];
    let error = copy::copy_all(&from, &to, &lossy).unwrap_err();
    assert!(format!("{error:#}").contains("not UTF-8"), "{error:#}");
}
