//! What ccache's own books say of the cache folder, without starting one: the host may have none,
//! or another one than the containers.

use std::fs;
use std::io::Read as _;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// ccache counts in files called `stats`, in the folders of the first and second level. Each line is
/// a number, and which one it is goes by its place, which never changes (`core/Statistic.hpp`).
const FILE: &str = "stats";
const FILES_IN_CACHE: usize = 11;
const CACHE_SIZE_KIBIBYTE: usize = 12;
const CLEANUPS_PERFORMED: usize = 29;
/// Longer ones are none, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// How full the cache is, and how often room was made in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Entries.
    pub(crate) files: u64,
    /// How often ccache has removed entries: to keep its size, or because it was told to.
    pub(crate) cleanups: u64,
}

impl Standing {
    /// Adds up what stands in the folder.
    pub(crate) fn read(ccache_dir: &Utf8Path) -> Self {
        let mut sum = Self::default();
        for_each_file(ccache_dir, |number| {
            sum.files = sum.files.saturating_add(number(FILES_IN_CACHE));
            sum.cleanups = sum.cleanups.saturating_add(number(CLEANUPS_PERFORMED));
        });
        sum
    }

    /// Whether nothing has been removed since `earlier`.
    pub(crate) fn holds_all_of(&self, earlier: &Self) -> bool {
        self.files >= earlier.files && self.cleanups == earlier.cleanups
    }
}

/// How much the cache holds, in bytes.
pub(crate) fn size_bytes(ccache_dir: &Utf8Path) -> u64 {
    let mut kibibytes = 0_u64;
    for_each_file(ccache_dir, |number| {
        kibibytes = kibibytes.saturating_add(number(CACHE_SIZE_KIBIBYTE));
    });
    kibibytes.saturating_mul(1024)
}

/// Hands over each `stats` file as the numbers at its places; what is none counts as 0.
fn for_each_file(ccache_dir: &Utf8Path, mut add: impl FnMut(&dyn Fn(usize) -> u64)) {
    let mut look = |folder: &Utf8Path| {
        let mut text = String::new();
        let opened = fs::File::open(folder.join(FILE));
        if opened.and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)).is_ok() {
            let lines: Vec<_> = text.lines().collect();
            add(&|place| lines.get(place).and_then(|line| line.parse().ok()).unwrap_or(0));
        }
    };
    for first in folders_of_a_level(ccache_dir) {
        look(&first);
        for second in folders_of_a_level(&first) {
            look(&second);
        }
    }
}

/// The folders called `0` to `f`.
fn folders_of_a_level(folder: &Utf8Path) -> impl Iterator<Item = camino::Utf8PathBuf> + use<> {
    let folder = folder.to_path_buf();
    "0123456789abcdef".chars().map(move |digit| folder.join(digit.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_both_levels_are_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(Standing::read(root), Standing::default());
        for (place, files, cleanups) in [("0", "3", "1"), ("f/a", "4", "0"), ("z", "9", "9")] {
            let mut lines = vec!["0"; 40];
            (lines[FILES_IN_CACHE], lines[CLEANUPS_PERFORMED]) = (files, cleanups);
            lines[CACHE_SIZE_KIBIBYTE] = "2";
            fs::create_dir_all(root.join(place)).unwrap();
            fs::write(root.join(place).join(FILE), lines.join("\n")).unwrap();
        }
        fs::create_dir_all(root.join("1")).unwrap();
        fs::write(root.join("1").join(FILE), "not numbers").unwrap();
        assert_eq!(Standing::read(root), Standing { files: 7, cleanups: 1 });
        assert_eq!(size_bytes(root), 2 * 2 * 1024);
    }

    #[test]
    fn what_was_cleaned_or_shrank_does_not_hold_all() {
        let earlier = Standing { files: 5, cleanups: 1 };
        for (files, cleanups, holds) in [(5, 1, true), (9, 1, true), (4, 1, false), (9, 2, false)] {
            assert_eq!(Standing { files, cleanups }.holds_all_of(&earlier), holds);
        }
    }
}
