//! A folder of links, one per compiler, that all end at ccache or its launcher: put in front of PATH it makes every
//! call of a compiler by its bare name go through ccache, which finds the real one behind it.

use crate::error::Error;
use crate::programs;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Fills `folder` with a link to `target`, which is ccache or its launcher, for each compiler in the
/// other folders of `search_path` and returns how many there are. A link that is right stays, one
/// that has lost its compiler goes.
///
/// # Errors
/// The folder cannot be made or written, holds something else under a compiler's name, or there is
/// no compiler at all.
pub fn make(folder: &Path, search_path: &OsStr, target: &Path) -> Result<usize, Error> {
    let failed = |path: &Path, error: &io::Error| {
        Error::io("cannot make the compiler link", path, error, "choose another folder for --links")
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    // One to the launcher may be left of a build that had it.
    let is_ours = |old: &Path| old == target || programs::is_named_ccache(old);
    let names = programs::compilers(search_path, folder, target);
    if names.is_empty() {
        return Err(Error::new(
            "no C or C++ compiler in the folders of PATH; install one (gcc, g++ or clang) first",
        ));
    }
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        let is_known =
            path.file_name().and_then(OsStr::to_str).is_some_and(|it| names.contains(it));
        if !is_known && fs::read_link(&path).is_ok_and(|old| is_ours(&old)) {
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
    }
    for name in &names {
        let path = folder.join(name);
        place(&path, target).map_err(|error| failed(&path, &error))?;
    }
    Ok(names.len())
}

/// Puts a link to `target` at `path`. Another link there is replaced, a file is not.
fn place(path: &Path, target: &Path) -> io::Result<()> {
    match fs::read_link(path) {
        Ok(present) if present == target => return Ok(()),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "it is a file of its own")),
    }
    match symlink(target, path) {
        // Another preflight was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let present = fs::read_link(path)?;
            if present == target { Ok(()) } else { Err(error) }
        }
        result => result,
    }
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, _path: &Path) -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, "this system has no links that ccache understands"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::env;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    struct Tree {
        _folder: tempfile::TempDir,
        first: PathBuf,
        second: PathBuf,
        links: PathBuf,
        ccache: PathBuf,
    }

    impl Tree {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let [first, second, links] =
                ["first", "second", "links"].map(|name| folder.path().join(name));
            for made in [&first, &second] {
                fs::create_dir(made).unwrap();
            }
            let ccache = second.join("ccache");
            let tree = Self { _folder: folder, first, second, links, ccache };
            tree.program("ccache", 0o755);
            tree
        }

        fn program(&self, name: &str, mode: u32) {
            let path = self.second.join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn make(&self) -> Result<usize, Error> {
            let folders = [&self.links, &self.first, &self.second, &PathBuf::from("/no/such")];
            make(&self.links, &env::join_paths(folders).unwrap(), &self.ccache)
        }

        fn made(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(&self.links)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn links_are_made_once_and_follow_the_compilers() {
        let tree = Tree::new();
        for name in ["gcc", "x86_64-linux-gnu-g++-12", "gcc-ar", "gfortran"] {
            tree.program(name, 0o755);
        }
        tree.program("clang", 0o644);
        symlink(&tree.ccache, tree.first.join("gcc")).unwrap();
        symlink(&tree.ccache, tree.first.join("c++")).unwrap();
        for _ in 0..2 {
            assert_eq!(tree.make().unwrap(), 2);
            assert_eq!(tree.made(), ["gcc", "x86_64-linux-gnu-g++-12"]);
        }
        assert_eq!(fs::read_link(tree.links.join("gcc")).unwrap(), tree.ccache);
        fs::remove_file(tree.second.join("x86_64-linux-gnu-g++-12")).unwrap();
        fs::remove_file(tree.links.join("gcc")).unwrap();
        symlink("/elsewhere", tree.links.join("gcc")).unwrap();
        assert_eq!(tree.make().unwrap(), 1);
        assert_eq!(tree.made(), ["gcc"]);
        assert_eq!(fs::read_link(tree.links.join("gcc")).unwrap(), tree.ccache);
    }

    #[test]
    fn links_to_the_launcher_and_to_ccache_take_each_others_place() {
        let mut tree = Tree::new();
        for name in ["gcc", "clang", "ccache-launcher"] {
            tree.program(name, 0o755);
        }
        let targets = ["ccache-launcher", "ccache", "ccache-launcher"];
        for (target, names) in targets.iter().zip([2, 2, 1]) {
            tree.ccache = tree.second.join(target);
            assert_eq!(tree.make().unwrap(), names, "{target}");
            assert_eq!(tree.made().len(), names, "{target}");
            assert_eq!(fs::read_link(tree.links.join("gcc")).unwrap(), tree.ccache);
            if *target == "ccache" {
                fs::remove_file(tree.second.join("clang")).unwrap();
            }
        }
        // One that somebody else has put in PATH is no compiler either.
        symlink(tree.second.join("ccache-launcher"), tree.first.join("g++")).unwrap();
        tree.ccache = tree.second.join("ccache");
        assert_eq!(tree.make().unwrap(), 1);
    }

    #[test]
    fn foreign_files_and_missing_compilers_are_refused() {
        let tree = Tree::new();
        assert!(tree.make().unwrap_err().to_string().starts_with("no C or C++ compiler"));
        tree.program("cc", 0o755);
        fs::write(tree.links.join("cc"), "mine").unwrap();
        assert!(tree.make().unwrap_err().to_string().contains("a file of its own"));
        assert_eq!(fs::read_to_string(tree.links.join("cc")).unwrap(), "mine");
    }
}
