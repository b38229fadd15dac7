//! The cache folder, made ready for a run.

pub(crate) mod origin;
pub(crate) mod ownership;
pub(crate) mod saving;
pub(crate) mod standing;
pub(crate) mod warmth;

use anyhow::Result;
use camino::Utf8Path;
use ccache_validator::launcher::linking;
use ccache_validator::state;

use crate::fault::{Class, Fault};
use crate::trim::{AtMost, trim};

/// How much of finished links is kept from one run to the next, in bytes; ccache's own bound does not
/// count them.
const MAX_LINKED_BYTES: u64 = 1 << 30;

/// What was cleared away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cleared {
    /// Markers of builds that were the first of their domain.
    pub(crate) markers: usize,
    /// Statslogs of standalone builds.
    pub(crate) statslogs: usize,
}

/// Makes the folder where it is missing, proves that it can be written, and removes the markers
/// and statslogs that earlier runs left: a marker carried over inside a restored cache would make
/// the first build of this run fail for want of hits that nothing could have left. Of the links that
/// are kept the oldest go, when there are too many.
///
/// # Errors
/// The folder cannot be made, written or cleared.
pub(crate) fn prepare(folder: &Utf8Path) -> Result<Cleared> {
    let folder = folder.as_std_path();
    let unusable = |error: ccache_validator::error::Error| {
        Fault::new(
            Class::Cache,
            error.to_string(),
            "make the cache folder writable, or choose another with --ccache-dir",
        )
    };
    let markers = state::clear_markers(folder).map_err(unusable)?;
    let statslogs = state::clear_statslogs(folder).map_err(unusable)?;
    state::mend_ledger(folder).map_err(unusable)?;
    state::prepare(folder).map_err(unusable)?;
    trim(&folder.join(linking::FOLDER), AtMost::Bytes(MAX_LINKED_BYTES));
    Ok(Cleared { markers, statslogs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::class_of;

    #[test]
    fn a_restored_marker_is_gone_and_objects_stay() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("cache");
        assert_eq!(prepare(&root).unwrap(), Cleared { markers: 0, statslogs: 0 });
        std::fs::write(root.join("warmwheel/markers/manylinux_x86_64-1"), "old").unwrap();
        std::fs::create_dir(root.join("a")).unwrap();
        std::fs::write(root.join("a/object"), "o").unwrap();
        assert_eq!(prepare(&root).unwrap().markers, 1);
        assert!(root.join("a/object").is_file());
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_a_fault_of_the_cache() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = prepare(Utf8Path::from_path(file.path()).unwrap()).unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 3);
    }
}
