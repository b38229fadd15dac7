//! A run's folder.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::fault::Fault;
use crate::plan::Plan;
use crate::plan::host::FOLDER;
use crate::report::files;

/// The staged project, which goes when the run does, however it ends.
pub(super) struct Stage(pub(super) Utf8PathBuf);

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed is cleared by the next run in the same folder, or by `cargo clean`.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn stage_folder(run: &Utf8Path) -> Utf8PathBuf {
    run.join("stage")
}

/// Keeps what stands in `runs` out of the project's git, whether or not it ignores `target/`.
pub(super) fn keep_out_of_git(runs: &Utf8Path) -> Result<()> {
    fs::create_dir_all(runs).with_context(|| format!("cannot make {runs}"))?;
    let list = runs.join(".gitignore");
    if !list.exists() {
        fs::write(&list, "*\n").with_context(|| format!("cannot write {list}"))?;
    }
    Ok(())
}

/// Makes the run's folder, and `latest` beside it lead to it.
pub(super) fn make_run_folder(plan: &Plan) -> Result<()> {
    let run = &plan.report_dir;
    let is_empty = run.read_dir_utf8().map_or(true, |mut entries| entries.next().is_none());
    if !is_empty && !run.join(files::EVENTS).is_file() {
        return Err(Fault::usage(
            format!("{run} holds other things than a run's records"),
            "name an empty folder, one that is not there yet, or an earlier run's",
        ));
    }
    // An earlier run's records must not be taken for this one's. Its unproven wheels stay.
    let names = ["builds", "sdist", FOLDER];
    for stale in names.map(|name| run.join(name)).into_iter().chain([stage_folder(run)]) {
        if stale.symlink_metadata().is_ok() {
            fs::remove_dir_all(&stale).with_context(|| format!("cannot remove {stale}"))?;
        }
    }
    fs::create_dir_all(run).with_context(|| format!("cannot make {run}"))?;
    #[cfg(unix)]
    if let (Some(runs), Some(name)) = (run.parent(), run.file_name())
        && name == plan.run_id
    {
        let beside = runs.join(format!(".latest-{name}"));
        std::os::unix::fs::symlink(name, &beside)
            .and_then(|()| fs::rename(&beside, runs.join("latest")))
            .with_context(|| format!("cannot make {runs}/latest"))?;
    }
    Ok(())
}

/// A name that sorts by time and that no two runs share.
pub(super) fn run_id(started: Timestamp) -> String {
    let salt = RandomState::new().build_hasher().finish();
    format!("{}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), salt & 0xffff)
}
