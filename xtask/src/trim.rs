//! Folders that are only good for speed, kept from growing for ever.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// What may stay in a folder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AtMost {
    /// So many files.
    Files(usize),
    /// Files of so many bytes together.
    Bytes(u64),
}

/// Removes the files in `folder` that were used longest ago until the rest is no more than `most`.
/// What cannot be looked at or removed stays: the next run tries again.
pub(crate) fn trim(folder: &Path, most: AtMost) {
    // A link could lead anywhere.
    if !fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
        return;
    }
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((found.modified().unwrap_or(SystemTime::UNIX_EPOCH), found.len(), entry.path()))
        })
        .collect();
    files.sort_unstable_by(|one, other| other.cmp(one));
    let (mut count, mut bytes) = (0_usize, 0_u64);
    for (_, length, path) in files {
        count += 1;
        bytes = bytes.saturating_add(length);
        let is_too_much = match most {
            AtMost::Files(most) => count > most,
            AtMost::Bytes(most) => bytes > most,
        };
        if is_too_much {
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
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        trim(&folder.join("absent"), AtMost::Files(0));
        fs::create_dir(folder.join("a folder")).unwrap();
        let now = SystemTime::now();
        for (name, age) in [("old", 30), ("new", 10), ("middle", 20)] {
            fs::write(folder.join(name), [0; 100]).unwrap();
            let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        let left = |most| {
            trim(folder, most);
            ["old", "middle", "new"].map(|name| folder.join(name).exists())
        };
        assert_eq!(left(AtMost::Bytes(300)), [true, true, true]);
        assert_eq!(left(AtMost::Files(3)), [true, true, true]);
        assert_eq!(left(AtMost::Bytes(250)), [false, true, true]);
        assert_eq!(left(AtMost::Files(1)), [false, false, true]);
        assert_eq!(left(AtMost::Bytes(0)), [false, false, false]);
        assert!(folder.join("a folder").is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folders_place_is_not_followed() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("precious"), "x").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(other.path(), &link).unwrap();
        trim(&link, AtMost::Files(0));
        assert!(other.path().join("precious").exists());
    }
}
