//! Finds ccache, and the compiler behind a link.

use crate::programs;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// The first ccache in the folders of `search_path` that is not this program.
pub(super) fn ccache(search_path: &OsStr) -> Option<PathBuf> {
    programs::found("ccache", search_path).find(|path| {
        // Mostly it is a file of that name, and then nothing has to be looked up.
        let is_link = fs::read_link(path).is_ok();
        !is_link || fs::canonicalize(path).is_ok_and(|target| !is_this(&target))
    })
}

/// The compiler behind `link`: the first program of that name in `search_path` that is neither in
/// the link's folder nor leads to ccache or this program nor is one of `above`.
pub(super) fn behind(link: &Path, search_path: &OsStr, above: Option<&OsStr>) -> Option<PathBuf> {
    let name = link.file_name()?.to_str()?;
    // Without a folder the first program of that name was the link.
    let folder = link.parent().filter(|folder| !folder.as_os_str().is_empty());
    programs::found(name, search_path).find(|path| {
        path.parent() != folder
            && !above.is_some_and(|above| names(above, path))
            && fs::canonicalize(path)
                .is_ok_and(|target| !programs::is_named_ccache(&target) && !is_this(&target))
    })
}

/// Whether `compiler`, given with a folder, is a link to ccache or this program. Of a bare name
/// ccache finds out itself.
pub(super) fn leads_back(compiler: &Path) -> bool {
    compiler.is_absolute()
        && fs::read_link(compiler).is_ok()
        && fs::canonicalize(compiler).is_ok_and(|target| programs::is_named_ccache(&target))
}

/// Whether `program` is one of `list`.
pub(super) fn names(list: &OsStr, program: &Path) -> bool {
    env::split_paths(list).any(|one| one == program)
}

/// `list` and one more.
pub(super) fn join(list: Option<&OsStr>, program: &OsStr) -> OsString {
    let Some(list) = list else { return program.to_os_string() };
    let separator = if cfg!(windows) { ";" } else { ":" };
    let mut joined = list.to_os_string();
    joined.push(separator);
    joined.push(program);
    joined
}

fn is_this(target: &Path) -> bool {
    env::current_exe().is_ok_and(|own| own == target)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    struct Tree {
        folder: tempfile::TempDir,
    }

    impl Tree {
        fn new() -> Self {
            let tree = Self { folder: tempfile::tempdir().unwrap() };
            for made in ["links", "old", "wrap", "bin"] {
                fs::create_dir(tree.path(made)).unwrap();
            }
            for name in ["bin/ccache", "bin/ccache-launcher", "bin/gcc-12"] {
                tree.program(name);
            }
            symlink(tree.path("bin/ccache-launcher"), tree.path("links/gcc")).unwrap();
            symlink(tree.path("bin/ccache"), tree.path("old/gcc")).unwrap();
            symlink(tree.path("bin/gcc-12"), tree.path("bin/gcc")).unwrap();
            tree
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn program(&self, name: &str) {
            fs::write(self.path(name), "").unwrap();
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn search_path(&self, folders: &[&str]) -> OsString {
            env::join_paths(folders.iter().map(|folder| self.path(folder))).unwrap()
        }
    }

    #[test]
    fn the_compiler_is_behind_every_link() {
        let tree = Tree::new();
        let all = tree.search_path(&["links", "old", "bin"]);
        for link in [tree.path("links/gcc"), PathBuf::from("gcc")] {
            assert_eq!(behind(&link, &all, None), Some(tree.path("bin/gcc")));
        }
        // A file of its own in the links' folder is no more the compiler than a link is.
        tree.program("links/cc");
        assert_eq!(behind(&tree.path("links/cc"), &all, None), None);
        assert_eq!(behind(Path::new("gcc"), &tree.search_path(&["links", "old"]), None), None);
        assert_eq!(behind(Path::new("clang"), &all, None), None);
        // A folder that is named in another way is no way round.
        let around = tree.search_path(&["links/../links", "bin"]);
        assert_eq!(behind(&tree.path("links/gcc"), &around, None), Some(tree.path("bin/gcc")));
    }

    #[test]
    fn compilers_that_are_at_work_are_passed_over() {
        let tree = Tree::new();
        tree.program("wrap/gcc");
        let all = tree.search_path(&["links", "wrap", "bin"]);
        let link = tree.path("links/gcc");
        let mut above: Option<OsString> = None;
        for expected in [Some(tree.path("wrap/gcc")), Some(tree.path("bin/gcc")), None] {
            let found = behind(&link, &all, above.as_deref());
            assert_eq!(found, expected);
            above = found.map(|found| join(above.as_deref(), found.as_os_str()));
        }
    }

    #[test]
    fn ccache_is_not_this_program() {
        let tree = Tree::new();
        symlink(env::current_exe().unwrap(), tree.path("links/ccache")).unwrap();
        let found = ccache(&tree.search_path(&["links", "bin"]));
        assert_eq!(found, Some(tree.path("bin/ccache")));
        assert_eq!(ccache(&tree.search_path(&["links", "old"])), None);
        symlink(tree.path("bin/ccache"), tree.path("old/ccache")).unwrap();
        assert_eq!(ccache(&tree.search_path(&["old"])), Some(tree.path("old/ccache")));
    }

    #[test]
    fn compilers_that_lead_back_are_known() {
        let tree = Tree::new();
        for (name, expected) in
            [("links/gcc", true), ("old/gcc", true), ("bin/gcc", false), ("bin/gcc-12", false)]
        {
            assert_eq!(leads_back(&tree.path(name)), expected, "{name}");
        }
        assert!(!leads_back(Path::new("gcc")));
    }
}
