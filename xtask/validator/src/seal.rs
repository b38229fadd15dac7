//! The end of the build proper: what is compiled from then on, for its tests, does not count.

use crate::environment::Environment;
use crate::error::Error;
use crate::inquiry::Inquiry;
use crate::obstacle::Obstacle;
use crate::preflight::Recorded;
use crate::process::Ccache;
use crate::{files, statslog};
use std::path::{Path, PathBuf};

/// Counters as they stood at the end of the build, inside the record folder.
const COUNTERS: &str = "counters";

/// Larger ones are none, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Seals the statslog, or where counters are all there is, writes down how they stand.
///
/// # Errors
/// A file cannot be written, or ccache gives no answer.
pub fn seal(environment: &Environment, ccache: &dyn Ccache) -> Result<(), Error> {
    let record_dir = environment.get("WARMWHEEL_RECORD_DIR").map(PathBuf::from);
    let statslog = environment.get("CCACHE_STATSLOG").map(PathBuf::from);
    if let Some(path) = &statslog {
        statslog::seal(path).map_err(|error| {
            let next = "check CCACHE_STATSLOG, and that its folder can be written";
            Error::io("cannot seal", path, &error, next)
        })?;
    }
    let Some(folder) = record_dir else { return Ok(()) };
    let counts_itself = Recorded::read(Some(&folder)).counts_each_build();
    if statslog.is_some() && counts_itself {
        return Ok(());
    }
    let inquiry = Inquiry::ask(ccache).map_err(|failure| {
        let cause = Obstacle::from(failure).cause();
        Error::new(format!("cannot read ccache's counters: {cause}"))
    })?;
    let path = folder.join(COUNTERS);
    files::write_whole(&path, inquiry.counters().as_bytes()).map_err(|error| {
        Error::io("cannot write", &path, &error, "make WARMWHEEL_RECORD_DIR writable")
    })
}

/// The counters that [`seal`] wrote down, if it did.
pub(crate) fn counters(record_dir: &Path) -> Option<String> {
    files::read_bounded(&record_dir.join(COUNTERS), MAX_BYTES).ok()
}

/// Where [`seal`] writes the counters.
pub(crate) fn counters_path(record_dir: &Path) -> PathBuf {
    record_dir.join(COUNTERS)
}
