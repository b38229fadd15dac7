//! The folders that tell whose a call of ccache is: the project's own, and those it is built in.

use memchr::memchr_iter;
use std::path::{PathBuf, is_separator};

/// How many build folders are remembered.
const MAX_BUILDS: usize = 16;

/// Folders where everybody builds, for all that they are two deep; some are other systems' `/tmp`.
const SHARED: [&[u8]; 3] = [b"/var/tmp", b"/private/tmp", b"/private/var/tmp"];

/// The project's folders, and the build folders that the log has given away so far. Paths are kept
/// as [`resolve`] returns them.
#[derive(Debug)]
pub(crate) struct Folders {
    /// The project's folders as they were given: so they stand in command lines.
    named: Vec<Vec<u8>>,
    projects: Vec<Vec<u8>>,
    builds: Vec<Vec<u8>>,
}

impl Folders {
    pub(crate) fn new(projects: &[PathBuf]) -> Self {
        let given = || projects.iter().map(|folder| folder.as_os_str().as_encoded_bytes());
        let trim = |folder: &[u8]| folder.strip_suffix(b"/").unwrap_or(folder).to_vec();
        Self {
            named: given().map(trim).collect(),
            projects: given().map(|folder| resolve(b"", folder)).collect(),
            builds: Vec::new(),
        }
    }

    /// Whether there is no project to tell from others.
    pub(crate) fn hold_all(&self) -> bool {
        self.projects.is_empty()
    }

    /// Whether `path` lies in the project.
    pub(crate) fn hold(&self, path: &[u8]) -> bool {
        self.projects.iter().any(|project| lies_in(path, project))
    }

    /// Whether the project is built in `folder`.
    pub(crate) fn is_build(&self, folder: &[u8]) -> bool {
        self.builds.iter().any(|build| lies_in(folder, build))
    }

    /// Remembers the working directory of a call that is the project's own. Build backends use
    /// temporary folders, and a source that was generated there names no folder of the project. A
    /// folder that the project itself lies in is not its build folder: others lie there as well.
    pub(crate) fn remember_build(&mut self, folder: &[u8]) {
        let is_deep = folder.split(|byte| *byte == b'/').nth(2).is_some();
        if is_deep
            && !SHARED.contains(&folder)
            && !self.hold(folder)
            && self.builds.len() < MAX_BUILDS
            && !self.is_build(folder)
            && !self.projects.iter().any(|project| lies_in(project, folder))
        {
            self.builds.push(folder.to_vec());
        }
    }

    /// Whether `line` names a folder of the project or something below it.
    pub(crate) fn are_named_in(&self, line: &[u8]) -> bool {
        self.named.iter().any(|folder| is_named_in(folder, line))
    }
}

fn lies_in(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
}

/// Whether `line` names `folder` or something below it. Whether a path can begin at a place is
/// asked before what stands there, so that hardly a byte of the line is compared twice.
fn is_named_in(folder: &[u8], line: &[u8]) -> bool {
    let Some(first) = folder.first() else { return false };
    memchr_iter(*first, line).filter(|begin| can_begin(line, *begin)).any(|begin| {
        let after = line.get(begin..).and_then(|rest| rest.strip_prefix(folder));
        after.is_some_and(|after| !after.first().copied().is_some_and(is_of_name))
    })
}

/// Whether a path can begin at `begin`: not inside a name, unless that is an option's letter, as
/// in `-I/project`.
fn can_begin(line: &[u8], begin: usize) -> bool {
    let before = line.get(..begin).unwrap_or_default();
    !before.last().copied().is_some_and(is_of_name) || before.iter().nth_back(1) == Some(&b'-')
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// `path` below `folder`, by the letter, for the files may be gone by now: each name with one slash
/// in front of it, and no `.` or `..`.
pub(crate) fn resolve(folder: &[u8], path: &[u8]) -> Vec<u8> {
    let is_separator = |byte: &u8| is_separator(char::from(*byte));
    let is_whole =
        path.first().is_some_and(is_separator) || (cfg!(windows) && path.get(1) == Some(&b':'));
    let mut resolved = if is_whole { Vec::new() } else { folder.to_vec() };
    for name in path.split(is_separator) {
        match name {
            b"" | b"." => {}
            b".." => {
                let parent = resolved.iter().rposition(|byte| *byte == b'/');
                resolved.truncate(parent.unwrap_or(0));
            }
            name => {
                resolved.push(b'/');
                resolved.extend_from_slice(name);
            }
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Folders {
        Folders::new(&[PathBuf::from("/home/me/project/"), PathBuf::from("/project")])
    }

    #[test]
    fn a_line_names_the_project_by_whole_names() {
        for line in [
            "gcc -c /project/a.c",
            "gcc -c /project",
            "gcc -I/project/inc -c a.c",
            "gcc -DX=/project/a",
            "gcc '/project'",
            "/home/me/project/a.c",
            "/projects /project-a /project",
            "/project/project",
        ] {
            assert!(folders().are_named_in(line.as_bytes()), "{line}");
        }
        for line in ["", "/", "/projects", "/my/project/a.c", "x/project", "/project.old", "/home"]
        {
            assert!(!folders().are_named_in(line.as_bytes()), "{line}");
        }
        assert!(folders().are_named_in(b"\xff/project\xff"));
        assert!(!Folders::new(&[PathBuf::from("/")]).are_named_in(b"/a.c"));
    }

    #[test]
    fn build_folders_are_foreign_deep_and_few() {
        let mut folders = folders();
        for folder in ["", "/tmp", "/root", "/var/tmp", "/home/me", "/project/build", "/project"] {
            folders.remember_build(folder.as_bytes());
        }
        assert!(folders.builds.is_empty(), "{folders:?}");
        for number in 0..100 {
            folders.remember_build(format!("/tmp/tmp{number}/build").as_bytes());
            folders.remember_build(b"/tmp/tmp0/build/below");
        }
        assert_eq!(folders.builds.len(), MAX_BUILDS);
        for (folder, expected) in
            [("", true), ("/sub", true), ("s", false), ("/..", true), ("-sub", false)]
        {
            let folder = format!("/tmp/tmp1/build{folder}");
            assert_eq!(folders.is_build(folder.as_bytes()), expected, "{folder}");
        }
        assert!(!folders.is_build(b"/tmp/tmp1") && !folders.is_build(b""));
    }

    #[test]
    fn paths_are_resolved_by_the_letter() {
        for (folder, path, expected) in [
            ("/a/b", "c.c", "/a/b/c.c"),
            ("/a/b", "../c.c", "/a/c.c"),
            ("/a/b", "./../.././../c.c", "/c.c"),
            ("/a/b", "/x//../c.c", "/c.c"),
            ("/a", "", "/a"),
            ("", "/", ""),
            ("", "/a/./b/", "/a/b"),
            ("", "a.c", "/a.c"),
        ] {
            assert_eq!(resolve(folder.as_bytes(), path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }
}
