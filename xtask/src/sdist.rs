//! Source distributions: checked whole before a single file is written.

use std::fs::File;
use std::io::{BufReader, Read as _};

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::fault::Fault;

type Tar = Archive<GzDecoder<BufReader<File>>>;

/// Checks that every entry of a source distribution stays within the one folder that it must
/// consist of, and returns that folder's name.
///
/// # Errors
/// The file cannot be read, is no gzip-compressed tar, or has an entry that would leave its
/// folder or is neither file, folder nor link.
pub(crate) fn check(archive: &Utf8Path) -> Result<String> {
    let mut top: Option<String> = None;
    let mut tar = open(archive)?;
    for entry in tar.entries().with_context(|| format!("cannot read {archive}"))? {
        let entry = entry.map_err(|error| damaged(archive, &error))?;
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        let folder = check_entry(archive, &entry)?;
        if *top.get_or_insert_with(|| folder.clone()) != folder {
            return Err(unsafe_sdist(archive, &folder, "stands beside the sdist's own folder"));
        }
    }
    top.ok_or_else(|| unsafe_sdist(archive, archive.as_str(), "is empty"))
}

/// Unpacks a source distribution that [`check`] has passed and returns the folder it made below
/// `destination`.
///
/// # Errors
/// As for [`check`], or a file cannot be written.
pub(crate) fn unpack(archive: &Utf8Path, destination: &Utf8Path) -> Result<Utf8PathBuf> {
    let top = check(archive)?;
    let mut tar = open(archive)?;
    for entry in tar.entries()? {
        let mut entry = entry.map_err(|error| damaged(archive, &error))?;
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        entry
            .unpack_in(destination)
            .with_context(|| format!("cannot unpack {archive} into {destination}"))?;
    }
    Ok(destination.join(top))
}

/// The metadata of a source distribution that [`check`] has passed, in the folder that it named;
/// `None` if there are none.
///
/// # Errors
/// They have more than `most_bytes`, or are not UTF-8.
pub(crate) fn metadata(
    archive: &Utf8Path,
    folder: &str,
    most_bytes: u64,
) -> Result<Option<String>> {
    let wanted = Utf8Path::new(folder).join("PKG-INFO");
    let mut tar = open(archive)?;
    for entry in tar.entries()? {
        let entry = entry.map_err(|error| damaged(archive, &error))?;
        if entry.path().is_ok_and(|path| path == wanted.as_std_path()) {
            let mut text = String::new();
            let read = entry.take(most_bytes + 1).read_to_string(&mut text);
            let read = read.map_err(|error| damaged(archive, &error))?;
            return if read as u64 > most_bytes {
                Err(unsafe_sdist(archive, wanted.as_str(), "is too large"))
            } else {
                Ok(Some(text))
            };
        }
    }
    Ok(None)
}

fn open(archive: &Utf8Path) -> Result<Tar> {
    let file = File::open(archive).with_context(|| format!("cannot open {archive}"))?;
    Ok(Archive::new(GzDecoder::new(BufReader::new(file))))
}

/// Checks one entry and returns the name of the folder at its root.
fn check_entry(
    archive: &Utf8Path,
    entry: &Entry<'_, GzDecoder<BufReader<File>>>,
) -> Result<String> {
    let path = entry.path().map_err(|error| damaged(archive, &error))?;
    let shown = path.display().to_string();
    let Some(path) = Utf8Path::from_path(&path) else {
        return Err(unsafe_sdist(archive, &shown, "has a name that is not UTF-8"));
    };
    let Some((folder, depth)) = plain(path) else {
        return Err(unsafe_sdist(archive, &shown, "leaves the folder it is unpacked into"));
    };
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
        kind @ (EntryType::Symlink | EntryType::Link) => {
            let target = entry.link_name().map_err(|error| damaged(archive, &error))?;
            let target = target.as_deref().and_then(Utf8Path::from_path);
            // A symbolic link is read from its own folder, a hard link from the archive's root.
            let start = if kind == EntryType::Symlink { depth.saturating_sub(1) } else { 0 };
            if !target.is_some_and(|target| stays_within(target, start)) {
                return Err(unsafe_sdist(archive, &shown, "is a link out of the sdist"));
            }
        }
        _ => return Err(unsafe_sdist(archive, &shown, "is neither file, folder nor link")),
    }
    Ok(folder)
}

/// The first component and the number of components of a path without `..` or a root.
fn plain(path: &Utf8Path) -> Option<(String, usize)> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Utf8Component::Normal(name) => names.push(name),
            Utf8Component::CurDir => {}
            _ => return None,
        }
    }
    Some(((*names.first()?).to_owned(), names.len()))
}

/// Whether a link target, followed from `depth` folders below the archive's root, stays below the
/// sdist's own folder.
fn stays_within(target: &Utf8Path, mut depth: usize) -> bool {
    for component in target.components() {
        match component {
            Utf8Component::Normal(_) => depth += 1,
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if depth > 1 => depth -= 1,
            _ => return false,
        }
    }
    depth > 0
}

fn damaged(archive: &Utf8Path, error: &std::io::Error) -> anyhow::Error {
    Fault::usage(
        format!("{archive} is no whole gzip-compressed tar: {error}"),
        "make or fetch it again",
    )
}

fn unsafe_sdist(archive: &Utf8Path, entry: &str, how: &str) -> anyhow::Error {
    Fault::usage(
        format!("{archive}: {entry:?} {how}"),
        "nothing was unpacked; a source distribution made by `python -m build --sdist` has one \
         folder with files in it",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;
    use crate::fault::class_of;

    /// Writes an sdist of `(path, kind, link target)` entries. Paths are written raw, since the
    /// builder itself refuses bad ones.
    fn sdist(folder: &Utf8Path, entries: &[(&str, EntryType, &str)]) -> Utf8PathBuf {
        let path = folder.join("p-1.tar.gz");
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for &(name, kind, target) in entries {
            let mut header = Header::new_gnu();
            let raw = header.as_mut_bytes();
            raw[..name.len()].copy_from_slice(name.as_bytes());
            raw[157..157 + target.len()].copy_from_slice(target.as_bytes());
            header.set_entry_type(kind);
            header.set_mode(0o644);
            header.set_size(0);
            header.set_cksum();
            builder.append(&header, std::io::empty()).unwrap();
        }
        let bytes = builder.into_inner().unwrap().finish().unwrap();
        File::create(&path).unwrap().write_all(&bytes).unwrap();
        path
    }

    fn outcome(entries: &[(&str, EntryType, &str)]) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let archive = sdist(root, entries);
        let destination = root.join("out");
        std::fs::create_dir(&destination).unwrap();
        let unpacked = unpack(&archive, &destination);
        if unpacked.is_err() {
            assert_eq!(destination.read_dir_utf8().unwrap().count(), 0, "something was written");
        }
        unpacked.map(|path| path.file_name().unwrap().to_owned())
    }

    #[test]
    fn a_plain_sdist_is_unpacked() {
        let entries = [
            ("p-1/", EntryType::Directory, ""),
            ("p-1/setup.py", EntryType::Regular, ""),
            ("p-1/src/link", EntryType::Symlink, "../setup.py"),
        ];
        assert_eq!(outcome(&entries).unwrap(), "p-1");
    }

    #[test]
    fn whatever_would_leave_the_sdist_is_refused_and_nothing_is_written() {
        let file = ("p-1/setup.py", EntryType::Regular, "");
        for bad in [
            ("p-1/../../evil", EntryType::Regular, ""),
            ("/etc/evil", EntryType::Regular, ""),
            ("other/file", EntryType::Regular, ""),
            ("p-1/link", EntryType::Symlink, "/etc/passwd"),
            ("p-1/link", EntryType::Symlink, "../../x"),
            ("p-1/link", EntryType::Symlink, ".."),
            ("p-1/link", EntryType::Link, "../x"),
            ("p-1/device", EntryType::Char, ""),
            ("p-1/fifo", EntryType::Fifo, ""),
        ] {
            let error = outcome(&[file, bad]).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("p-1.tar.gz");
        std::fs::write(&path, b"not gzip").unwrap();
        assert_eq!(class_of(&check(&path).unwrap_err()).exit_code(), 2);
    }
}
