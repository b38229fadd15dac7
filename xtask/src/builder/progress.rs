//! What a build has compiled until now, read from its statslog while it goes on.

use std::fs;
use std::time::Duration;

use ccache_validator::statslog;

use super::verdict::shared_folder;
use crate::event::Counts;
use crate::meanwhile::meanwhile;
use crate::plan::BuildPlan;
use crate::scheduler::{News, Tell};

/// How often it is looked. Nobody sees more, and compilations of a millisecond are none.
const LOOK: Duration = Duration::from_millis(500);

/// Does something, telling meanwhile what a process has compiled.
pub(super) fn told<T>(process: &BuildPlan, tell: &Tell<'_>, work: impl FnOnce() -> T) -> T {
    let path = shared_folder(process).join("statslog");
    let mut length = 0;
    let mut last = Counts::default();
    let step = || {
        // Before the first compilation there is none, and it is moved away when the tests begin.
        let now = fs::metadata(&path).map_or(length, |found| found.len());
        if now != length {
            length = now;
            if let Ok(log) = statslog::read(path.as_std_path()) {
                let counts = log.own.counts;
                let counts = Counts {
                    hits: counts.hits().unwrap_or_default(),
                    misses: counts.misses.unwrap_or_default(),
                };
                if counts != last {
                    last = counts;
                    tell(News::Counted(counts));
                }
            }
        }
        true
    };
    meanwhile(LOOK, step, work)
}
