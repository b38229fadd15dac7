//! Where the contents of a cache folder come from: this very workflow run, or somewhere else.

use std::fs;
use std::io::Read as _;

use anyhow::{Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::state::{self, Marker};

use crate::plan::Plan;

/// The longest name of a run, in bytes.
const MAX_BYTES: u64 = 1024;

/// Where what a folder holds comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It holds nothing that could be hit.
    Empty,
    /// From an earlier job of the same workflow run.
    ThisRun,
    /// From anywhere else, or nobody knows.
    Elsewhere,
}

impl Origin {
    /// Looks into a cache folder, which may be missing.
    pub(crate) fn of(folder: &Utf8Path, run: &str) -> Self {
        let Ok(mut entries) = folder.read_dir_utf8() else { return Self::Empty };
        // Besides ccache's own there are its configuration, and links that are kept.
        let holds = |path: &Utf8Path| path.is_dir() && path.file_name() != Some(state::STATE_DIR);
        let links = folder.join(ccache_validator::launcher::linking::FOLDER);
        let has_links = links.read_dir_utf8().is_ok_and(|mut links| links.next().is_some());
        if !has_links && !entries.any(|entry| entry.is_ok_and(|entry| holds(entry.path()))) {
            return Self::Empty;
        }
        let mut signed = String::new();
        let opened = fs::File::open(signature(folder));
        let read = opened.and_then(|file| file.take(MAX_BYTES).read_to_string(&mut signed));
        if read.is_ok() && signed.trim_end() == run { Self::ThisRun } else { Self::Elsewhere }
    }
}

/// Writes down whose the folder is from now on.
///
/// # Errors
/// It cannot be written.
pub(crate) fn sign(folder: &Utf8Path, run: &str) -> Result<()> {
    Ok(fs::write(signature(folder), format!("{run}\n"))?)
}

fn signature(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(state::STATE_DIR).join("workflow-run")
}

/// Makes the markers that the first builds of all domains would make, so that none of them is exempt
/// from the need for hits.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn claim_markers(plan: &Plan) -> Result<()> {
    let folder = plan.ccache_dir.as_std_path();
    for build in &plan.builds {
        let marker = state::claim(Some(folder), &build.domain, Some(&plan.run_id), None);
        if let Marker::Unwritable(why) = marker {
            bail!(why);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_run_has_signed_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let cache = folder.join("cache");
        assert_eq!(Origin::of(&cache, "me/pkg/7"), Origin::Empty);
        state::prepare(cache.as_std_path()).unwrap();
        fs::write(cache.join("ccache.conf"), "").unwrap();
        assert_eq!(Origin::of(&cache, "me/pkg/7"), Origin::Empty);
        fs::create_dir(cache.join("a")).unwrap();
        assert_eq!(Origin::of(&cache, "me/pkg/7"), Origin::Elsewhere);
        sign(&cache, "me/pkg/7").unwrap();
        assert_eq!(Origin::of(&cache, "me/pkg/7"), Origin::ThisRun);
        assert_eq!(Origin::of(&cache, "me/pkg/8"), Origin::Elsewhere);
    }

    #[test]
    fn kept_links_are_something_to_start_from() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(folder.path()).unwrap();
        let links = cache.join(ccache_validator::launcher::linking::FOLDER);
        fs::create_dir_all(&links).unwrap();
        assert_eq!(Origin::of(cache, "x"), Origin::Empty);
        fs::write(links.join("entry"), "").unwrap();
        assert_eq!(Origin::of(cache, "x"), Origin::Elsewhere);
    }
}
