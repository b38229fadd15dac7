//! What Warmwheel keeps inside the cache folder, below `warmwheel/`: `markers`, `statslogs` and
//! `ledger`. The cache may come from elsewhere, so nothing in it is followed or believed.

mod marker;

pub use self::marker::{Marker, claim, marker_path, reserve};

use crate::error::Error;
use crate::files;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder inside the cache folder that is Warmwheel's own. ccache leaves it alone.
pub const STATE_DIR: &str = "warmwheel";

const MARKERS: &str = "markers";
const STATSLOGS: &str = "statslogs";
const LEDGER: &str = "ledger";

/// Longest readable part of a file name made from a domain or an identifier, in bytes.
const MAX_PART_BYTES: usize = 80;

/// Where the statslog of `identifier` stands below `cache_dir` when no other place was chosen.
#[must_use]
pub fn statslog_path(cache_dir: &Path, identifier: &str) -> PathBuf {
    cache_dir.join(STATE_DIR).join(STATSLOGS).join(safe_name(identifier))
}

/// Where the ledger keeps what the build of `identifier` left; the folder holds all entries of the
/// domain and package.
#[must_use]
pub fn ledger_path(cache_dir: &Path, domain: &str, package: &str, identifier: &str) -> PathBuf {
    let folder = format!("{}@{}", safe_name(domain), safe_name(package));
    let name = format!("{}.json", safe_name(identifier));
    cache_dir.join(STATE_DIR).join(LEDGER).join(folder).join(name)
}

/// Makes the cache folder and the folders of this module, where missing, and proves with a file of
/// its own that the cache folder can be written. A host does this before any container, so that the
/// folders belong to its user.
///
/// # Errors
/// A folder cannot be made or written, or something else stands in its place.
pub fn prepare(cache_dir: &Path) -> Result<(), Error> {
    let next = "make the cache folder writable for the user that builds";
    fs::create_dir_all(cache_dir)
        .map_err(|error| Error::io("cannot make the cache folder", cache_dir, &error, next))?;
    let own = cache_dir.join(STATE_DIR);
    for folder in [own.clone(), own.join(MARKERS), own.join(STATSLOGS), own.join(LEDGER)] {
        make_real_folder(&folder)?;
    }
    files::prove_writable(cache_dir)
        .map(drop)
        .map_err(|error| Error::io("cannot write to the cache folder", cache_dir, &error, next))
}

/// Removes every marker, of every run and domain; returns how many. Links are removed as links,
/// folders with what they hold.
///
/// # Errors
/// Something cannot be removed; what was removed before stays so.
pub fn clear_markers(cache_dir: &Path) -> Result<usize, Error> {
    clear(cache_dir, MARKERS)
}

/// Removes every standalone statslog; returns how many. As careful as [`clear_markers`].
///
/// # Errors
/// Something cannot be removed; what was removed before stays so.
pub fn clear_statslogs(cache_dir: &Path) -> Result<usize, Error> {
    clear(cache_dir, STATSLOGS)
}

fn clear(cache_dir: &Path, name: &str) -> Result<usize, Error> {
    let Some(folder) = own_folder(cache_dir, name)? else { return Ok(0) };
    let entries = fs::read_dir(&folder).map_err(|error| cannot_remove(&folder, &error))?;
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(|error| cannot_remove(&folder, &error))?;
        remove(&entry.path())?;
        removed += 1;
    }
    Ok(removed)
}

/// Clears away what stands in the place of the ledger and is no folder.
///
/// # Errors
/// It cannot be removed.
pub fn mend_ledger(cache_dir: &Path) -> Result<(), Error> {
    own_folder(cache_dir, LEDGER).map(drop)
}

/// The folder `name` of this module, if it is there. A link or a file in its place would make every
/// build fail: it goes.
fn own_folder(cache_dir: &Path, name: &str) -> Result<Option<PathBuf>, Error> {
    let own = cache_dir.join(STATE_DIR);
    let folder = own.join(name);
    for expected in [&own, &folder] {
        match fs::symlink_metadata(expected) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return remove(expected).map(|()| None),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot_remove(expected, &error)),
        }
    }
    Ok(Some(folder))
}

/// A folder of ccache's own that cannot be written, with the cause. A writable cache folder may hold
/// such: what a container made as root.
#[must_use]
pub fn unwritable_folder(cache_dir: &Path) -> Option<(PathBuf, std::io::Error)> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        // A folder that cannot be read shows when it is written to.
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let is_cell = |name: &str| name.len() == 1 && name.bytes().all(|it| it.is_ascii_hexdigit());
        let mut cells: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_str().is_some_and(is_cell))
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        cells.sort();
        cells
    };
    // One that is not there is made when it is needed.
    let refusal = |folder: PathBuf, error: std::io::Error| {
        (error.kind() != ErrorKind::NotFound).then_some((folder, error))
    };
    let mine = match files::prove_writable(cache_dir) {
        Ok(mine) => mine,
        Err(error) => return refusal(cache_dir.to_path_buf(), error),
    };
    let cells = below(cache_dir);
    let inner: Vec<PathBuf> = cells.iter().flat_map(|cell| below(cell)).collect();
    let doubtful = cells.into_iter().chain(inner).filter(|folder| !is_mine(folder, &mine));
    doubtful
        .filter_map(|folder| files::prove_writable(&folder).err().map(|error| (folder, error)))
        .find_map(|(folder, error)| refusal(folder, error))
}

/// Whether `folder` belongs to whom the file `mine` does, who may write to it: a question that costs
/// a hundredth of writing.
#[cfg(unix)]
fn is_mine(folder: &Path, mine: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    const OWNER_WRITES: u32 = 0o200;
    fs::metadata(folder)
        .is_ok_and(|found| found.uid() == mine.uid() && found.mode() & OWNER_WRITES != 0)
}

#[cfg(not(unix))]
fn is_mine(_folder: &Path, _mine: &fs::Metadata) -> bool {
    false
}

fn remove(path: &Path) -> Result<(), Error> {
    let found = fs::symlink_metadata(path).map_err(|error| cannot_remove(path, &error))?;
    let removed = if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(cannot_remove(path, &error)),
        _ => Ok(()),
    }
}

fn cannot_remove(path: &Path, error: &std::io::Error) -> Error {
    Error::io(
        "cannot remove",
        path,
        error,
        "remove it by hand; a container may have made it as root",
    )
}

/// Makes `folder` unless it stands; anything but a real folder there, a link included, is refused.
fn make_real_folder(folder: &Path) -> Result<(), Error> {
    let next = "make the cache folder writable for the user that builds";
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::io("cannot make the folder", folder, &error, next));
        }
        _ => {}
    }
    let found = fs::symlink_metadata(folder)
        .map_err(|error| Error::io("cannot read the folder", folder, &error, next))?;
    if found.is_dir() {
        return Ok(());
    }
    Err(Error::new(format!("{} is not a folder; remove it", folder.display())))
}

/// `text` as one file name: letters, digits and `._+-` stay, the rest becomes `_`. When that loses
/// something a hash of the original keeps two names apart.
#[must_use]
pub fn safe_name(text: &str) -> String {
    let mut safe: String = text
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() || "._+-".contains(one) { one } else { '_' })
        .take(MAX_PART_BYTES)
        .collect();
    if safe.starts_with('.') {
        safe.replace_range(..1, "_");
    }
    if safe.is_empty() || safe != text {
        safe = format!("{safe}-{:016x}", fnv1a(text.as_bytes()));
    }
    safe
}

/// FNV-1a, 64 bits: stable between versions and machines, which the standard hasher is not.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_distinct() {
        assert_eq!(safe_name("manylinux_x86_64"), "manylinux_x86_64");
        for text in ["", ".", "..", "../../etc", "a/b", "a\0b", "é", "a@b", &"x".repeat(500)] {
            let name = safe_name(text);
            assert!(name.len() <= 100 && !name.starts_with('.'), "{name}");
            assert!(name.bytes().all(|one| one.is_ascii_alphanumeric() || b"._+-".contains(&one)));
        }
        assert_ne!(safe_name("a/b"), safe_name("a_b"));
        assert_ne!(safe_name("a/b"), safe_name("a:b"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_folders_is_refused_and_cleared_as_a_link() {
        use std::os::unix::fs::symlink;
        for name in [PathBuf::from(STATE_DIR), Path::new(STATE_DIR).join(MARKERS)] {
            let cache = tempfile::tempdir().unwrap();
            let outside = tempfile::tempdir().unwrap();
            fs::write(outside.path().join("kept"), "").unwrap();
            let place = cache.path().join(&name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            symlink(outside.path(), &place).unwrap();
            let claimed = claim(Some(cache.path()), "d", None, None);
            assert!(matches!(claimed, Marker::Unwritable(_)), "{claimed:?}");
            assert_eq!(clear_markers(cache.path()).unwrap(), 0);
            assert!(outside.path().join("kept").exists());
            assert_eq!(claim(Some(cache.path()), "d", None, None), Marker::Made);
        }
    }

    #[test]
    fn a_file_in_place_of_the_cache_is_unwritable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let claimed = claim(Some(&file), "d", None, None);
        assert!(matches!(claimed, Marker::Unwritable(_)), "{claimed:?}");
    }
}
