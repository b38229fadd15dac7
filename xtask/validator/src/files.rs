//! Files that others read: written beside their place and renamed, so that they are whole or
//! absent.

use crate::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many names are tried before a folder counts as unwritable.
const ATTEMPTS: u32 = 8;

/// Writes `bytes` to `path`.
///
/// # Errors
/// The folder cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        discard(&beside);
    }
    written
}

/// Copies the file `from` to `path`, making the folder above it where it is missing.
///
/// # Errors
/// `from` cannot be read or the folder cannot be written.
pub fn copy_whole(from: &Path, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = beside(path);
    let copied = fs::copy(from, &beside).and_then(|_| fs::rename(&beside, path));
    if copied.is_err() {
        discard(&beside);
    }
    copied
}

/// Moves the file `from` to `path`, to another file system if need be.
///
/// # Errors
/// `from` cannot be read or removed, or the folder above `path` cannot be written.
pub fn move_whole(from: &Path, path: &Path) -> io::Result<()> {
    match fs::rename(from, path) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            copy_whole(from, path).and_then(|()| fs::remove_file(from))
        }
        renamed => renamed,
    }
}

/// Removes the file at `path`, if one is there; `what` names it in the error.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove(path: &Path, what: &str) -> Result<(), Error> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|found| !found.is_dir());
    match fs::remove_file(path) {
        Err(error) if is_file && error.kind() != ErrorKind::NotFound => {
            Err(Error::io(&format!("cannot remove {what}"), path, &error, "remove it by hand"))
        }
        _ => Ok(()),
    }
}

/// Makes and removes a file in `folder`; returns what the file was like.
///
/// # Errors
/// What the system said against it.
pub fn prove_writable(folder: &Path) -> io::Result<fs::Metadata> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let path = folder.join(unique_name("write-check"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(b"x").and_then(|()| file.metadata());
                drop(file);
                return fs::remove_file(&path).and(written);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// The text of `path` when it is a small file: at most `max_bytes` are read, bad UTF-8 is replaced.
///
/// # Errors
/// It cannot be opened or read.
pub fn read_bounded(path: &Path, max_bytes: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(max_bytes).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name(unique_name("partial"))
}

/// A name that no other process takes, not even one of another container that shares the folder and
/// has the same process number.
fn unique_name(purpose: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let nanoseconds =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!(".warmwheel-{purpose}-{}-{nanoseconds:x}-{counter}", std::process::id())
}

/// The failure that led here is the one that is reported; what stays behind is harmless.
fn discard(path: &Path) {
    drop(fs::remove_file(path));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_appear_whole_and_nothing_stays_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new").join("file");
        let source = folder.path().join("source");
        fs::write(&source, "one").unwrap();
        copy_whole(&source, &target).unwrap();
        write_whole(&target, b"two").unwrap();
        assert_eq!(read_bounded(&target, 2).unwrap(), "tw");
        prove_writable(folder.path()).unwrap();
        assert!(copy_whole(&folder.path().join("absent"), &target).is_err());
        assert!(write_whole(&source.join("below"), b"x").is_err());
        assert!(prove_writable(&source).is_err());
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
