//! What tools that take a version from git can see in a `.git` folder: read from its files, so that
//! packing the references, or a git that does not run, changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::text::hex;

/// The branch, the commit, and every tag, each by its name; also where a shallow clone ends, which
/// decides over how many commits a tool counts.
///
/// # Errors
/// A file that is there cannot be read.
pub(super) fn read(git: &Utf8Path) -> io::Result<BTreeMap<String, String>> {
    let mut seen = BTreeMap::new();
    let packed = text(&git.join("packed-refs"))?.unwrap_or_default();
    let packed: BTreeMap<&str, &str> = packed
        .lines()
        // The others are a heading, and what annotated tags lead to, which their own hash fixes.
        .filter(|line| !line.starts_with(['#', '^']))
        .filter_map(|line| line.split_once(' '))
        .map(|(id, name)| (name, id))
        .collect();
    for (name, id) in &packed {
        if name.starts_with("refs/tags/") {
            seen.insert((*name).to_owned(), (*id).to_owned());
        }
    }
    // A reference in a file of its own is newer than the packed one.
    let tags = files_below(git, Utf8Path::new("refs/tags"))?;
    for name in tags {
        if let Some(id) = text(&git.join(&name))? {
            seen.insert(name.into_string(), id);
        }
    }
    if let Some(head) = text(&git.join("HEAD"))? {
        if let Some(branch) = head.strip_prefix("ref: ").filter(|name| name.starts_with("refs/")) {
            let packed = packed.get(branch).map(|id| (*id).to_owned());
            let commit = text(&git.join(branch))?.or(packed).unwrap_or_default();
            seen.insert("commit".to_owned(), commit);
        }
        seen.insert("HEAD".to_owned(), head);
    }
    if let Some(ends) = text(&git.join("shallow"))? {
        seen.insert("shallow".to_owned(), ends);
    }
    // The newer way of keeping references, which only git reads. Its files change more often than
    // what they say, and then a build is done once more.
    for name in files_below(git, Utf8Path::new("reftable"))? {
        let hash = hex(&Sha256::digest(fs::read(git.join(&name))?));
        seen.insert(name.into_string(), hash);
    }
    Ok(seen)
}

/// A file's text without the space around it; `None` if there is no such file.
fn text(path: &Utf8Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// No such file, or a folder of that name: `refs/heads/a` may be either.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

/// The files below a folder, which may be missing, relative to `git` and with `/` in between.
fn files_below(git: &Utf8Path, within: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let entries = match git.join(within).read_dir_utf8() {
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = Utf8PathBuf::from(format!("{within}/{}", entry.file_name()));
        if entry.file_type()?.is_dir() {
            found.extend(files_below(git, &path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().to_path_buf();
        for (name, text) in files {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        (folder, path)
    }

    #[test]
    fn packing_the_references_changes_nothing() {
        let (_loose, loose) = git(&[
            ("HEAD", "ref: refs/heads/main\n"),
            ("refs/heads/main", "aa\n"),
            ("refs/tags/v1", "bb\n"),
            ("refs/tags/old/v0", "cc\n"),
        ]);
        let (_packed, packed) = git(&[
            ("HEAD", "ref: refs/heads/main\n"),
            (
                "packed-refs",
                "# pack-refs with: peeled\naa refs/heads/main\nbb refs/tags/v1\n^aa\n\
                 cc refs/tags/old/v0\n",
            ),
        ]);
        let seen = read(&loose).unwrap();
        assert_eq!(seen["commit"], "aa");
        assert_eq!(seen["refs/tags/old/v0"], "cc");
        assert_eq!(seen, read(&packed).unwrap());
    }

    #[test]
    fn a_reference_in_a_file_of_its_own_wins() {
        let packed = ("packed-refs", "aa refs/heads/main\naa refs/tags/v1\n");
        let (_keep, path) = git(&[
            ("HEAD", "ref: refs/heads/main\n"),
            packed,
            ("refs/heads/main", "bb\n"),
            ("refs/tags/v1", "bb\n"),
        ]);
        let seen = read(&path).unwrap();
        assert_eq!((seen["commit"].as_str(), seen["refs/tags/v1"].as_str()), ("bb", "bb"));
    }

    #[test]
    fn whatever_a_version_can_come_from_is_seen() {
        let before: [(&str, &str); 3] =
            [("HEAD", "ref: refs/heads/a\n"), ("refs/heads/a", "aa\n"), ("refs/tags/v1", "aa\n")];
        let (_keep, path) = git(&before);
        let first = read(&path).unwrap();
        for (file, text, matters) in [
            ("HEAD", "bb\n", true),
            ("refs/heads/a", "bb\n", true),
            ("refs/tags/v1", "bb\n", true),
            ("refs/tags/v2", "aa\n", true),
            ("shallow", "aa\n", true),
            ("reftable/0x01.ref", "x", true),
            ("refs/heads/b", "bb\n", false),
            ("refs/remotes/origin/a", "bb\n", false),
            ("logs/HEAD", "x", false),
        ] {
            let (_keep, path) = git(&before);
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            assert_eq!(read(&path).unwrap() != first, matters, "{file}");
        }
    }

    #[test]
    fn a_folder_that_is_no_repository_shows_nothing() {
        let (_keep, path) = git(&[]);
        assert!(read(&path).unwrap().is_empty());
    }
}
