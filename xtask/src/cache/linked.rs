//! The bound on the links that the launcher keeps; ccache's own does not count them.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use ccache_validator::launcher::linking;

/// How much is kept from one run to the next, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// Removes what was used longest ago until the rest is no more than `max`. What cannot be looked at
/// or removed stays: the worst that can come of it is a full disk, which is not said here.
pub(super) fn trim(cache: &Path, max: u64) {
    let folder = cache.join(linking::FOLDER);
    // A link could lead anywhere.
    if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
        return;
    }
    let Ok(entries) = fs::read_dir(&folder) else { return };
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((found.modified().unwrap_or(SystemTime::UNIX_EPOCH), found.len(), entry.path()))
        })
        .collect();
    files.sort_unstable_by(|one, other| other.cmp(one));
    let mut total = 0_u64;
    for (_, length, path) in files {
        total = total.saturating_add(length);
        if total > max {
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let cache = tempfile::tempdir().unwrap();
        trim(cache.path(), 0);
        let folder = cache.path().join(linking::FOLDER);
        fs::create_dir_all(folder.join("a folder")).unwrap();
        let now = SystemTime::now();
        for (name, age) in [("old", 30), ("new", 10), ("middle", 20)] {
            fs::write(folder.join(name), [0; 100]).unwrap();
            let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        let left = |max| {
            trim(cache.path(), max);
            ["old", "middle", "new"].map(|name| folder.join(name).exists())
        };
        assert_eq!(left(300), [true, true, true]);
        assert_eq!(left(250), [false, true, true]);
        assert_eq!(left(100), [false, false, true]);
        assert_eq!(left(0), [false, false, false]);
        assert!(folder.join("a folder").is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folders_place_is_not_followed() {
        let (cache, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("precious"), "x").unwrap();
        fs::create_dir(cache.path().join("warmwheel")).unwrap();
        std::os::unix::fs::symlink(other.path(), cache.path().join(linking::FOLDER)).unwrap();
        trim(cache.path(), 0);
        assert!(other.path().join("precious").exists());
    }
}
