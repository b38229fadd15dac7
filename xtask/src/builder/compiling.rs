//! When a build compiled, from the launcher's records.

use std::time::{SystemTime, UNIX_EPOCH};

use ccache_validator::{compilations, linked, probe};

use super::verdict;
use crate::event::Compiling;
use crate::plan::BuildPlan;

/// The times of a process, in seconds since the Unix epoch, which is what the launcher writes down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When the process was started.
    pub(super) started: f64,
    /// When its build phase began, and when the next one did.
    build: Option<(f64, Option<f64>)>,
}

impl Times {
    pub(super) fn start() -> Self {
        Self { started: now(), build: None }
    }

    /// Notes down that a phase begins.
    pub(super) fn phase_begins(&mut self, name: &str) {
        match &mut self.build {
            None if name == "build" => self.build = Some((now(), None)),
            Some((_, end @ None)) => *end = Some(now()),
            _ => {}
        }
    }
}

/// When the package's own sources were compiled; `None` if nobody has recorded it. What is compiled
/// for its tests, afterwards, is left out.
pub(super) fn of_process(process: &BuildPlan, times: &Times) -> Option<Compiling> {
    let (from, until) = times.build?;
    let folder = verdict::shared_folder(process);
    let path = folder.join(compilations::FILE_NAME);
    let records = compilations::read(path.as_std_path()).ok()?.records;
    let until = until.unwrap_or(f64::INFINITY);
    let is_own = |it: &&compilations::Compilation| {
        // The source is written as its folder sees it, and a check's folder tells what it is.
        let path = format!("{}/{}", it.folder, it.source);
        it.start >= from && it.end <= until && !probe::is_probe(&path)
    };
    let own: Vec<_> = records.iter().filter(is_own).collect();
    let first = own.iter().map(|it| it.start).reduce(f64::min)?;
    let last = own.iter().map(|it| it.end).reduce(f64::max)?;
    // Where nothing was linked like that there is no such file.
    let links = linked::read(folder.join(linked::FILE_NAME).as_std_path()).unwrap_or_default();
    let own_links = || links.iter().filter(|it| it.start >= from && it.end <= until);
    Some(Compiling {
        started_seconds: first - times.started,
        elapsed_seconds: last - first,
        files: own.len(),
        in_depend_mode: own.iter().filter(|it| it.is_depend).count(),
        links: own_links().count(),
        links_reused: own_links().filter(|it| it.is_reused).count(),
    })
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
