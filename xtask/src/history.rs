//! The runs of a package, one line each, in the user's cache: enough to compare a run with the one
//! before, and to name the run where hits fell.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::event::{Report, RunOutcome};

/// Version of the layout of a line.
const SCHEMA: u32 = 1;
/// How many runs are kept of a package.
const MAX_KEPT: usize = 500;
/// More is not read, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// A hit rate has fallen when it is lower by more than this, as a fraction: one file of a small package
/// that was edited is no news.
const FALL: f64 = 0.1;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    schema: u32,
    /// Its id.
    pub(crate) run_id: String,
    /// When it began, RFC 3339.
    pub(crate) started: String,
    /// How it ended.
    pub(crate) outcome: RunOutcome,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// Hits of all compilations that could have hit, as a fraction.
    pub(crate) hit_rate: Option<f64>,
    /// Its builds.
    pub(crate) builds: Vec<Build>,
}

/// A build of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Build {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// Hits of what could be cached, as a fraction.
    pub(crate) hit_rate: Option<f64>,
    /// The wheel's size in bytes.
    pub(crate) size_bytes: Option<u64>,
}

impl Entry {
    /// What is kept of a run; `None` while it goes on.
    pub(crate) fn of(report: &Report) -> Option<Self> {
        let build = |build: &crate::event::BuildReport| Build {
            identifier: build.identifier.clone(),
            elapsed_seconds: build.elapsed_seconds,
            hit_rate: build.cache.as_ref().and_then(|cache| cache.hit_rate),
            size_bytes: build.size_bytes,
        };
        Some(Self {
            schema: SCHEMA,
            run_id: report.run_id.clone(),
            started: report.started.clone(),
            outcome: report.outcome?,
            elapsed_seconds: report.elapsed_seconds,
            hit_rate: report.hit_rate(),
            builds: report.builds.iter().map(build).collect(),
        })
    }
}

/// The runs of one package.
#[derive(Clone, Debug)]
pub(crate) struct History {
    file: Utf8PathBuf,
}

impl History {
    /// Those of `package` in the user's `cache` folder.
    pub(crate) fn of(cache: &Utf8Path, package: &str) -> Self {
        let name = ccache_validator::state::safe_name(package);
        Self { file: cache.join("history").join(format!("{name}.ndjson")) }
    }

    /// All runs, the oldest first. A damaged line is left out.
    pub(crate) fn read(&self) -> Vec<Entry> {
        let Ok(file) = File::open(&self.file) else { return Vec::new() };
        let lines = BufReader::new(file.take(MAX_BYTES)).split(b'\n');
        let entries = lines.map_while(Result::ok);
        let entries = entries.filter_map(|line| serde_json::from_slice::<Entry>(&line).ok());
        entries.filter(|entry| entry.schema == SCHEMA).collect()
    }

    /// Adds a run. Runs that end at once do not lose each other's lines: a line is written in one
    /// piece, and the file is only made shorter under a lock.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn add(&self, entry: &Entry) -> Result<()> {
        let folder = self.file.parent().unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
        let guard = File::create(self.file.with_extension("lock"))?;
        guard.lock().with_context(|| format!("cannot lock {}", self.file))?;
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file)?;
        file.write_all(&line).with_context(|| format!("cannot write {}", self.file))?;
        let entries = self.read();
        if entries.len() > MAX_KEPT + MAX_KEPT / 10 {
            self.keep(&entries[entries.len() - MAX_KEPT..])?;
        }
        Ok(())
    }

    fn keep(&self, entries: &[Entry]) -> Result<()> {
        let beside = self.file.with_extension("part");
        let mut text = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        fs::write(&beside, text)?;
        Ok(fs::rename(&beside, &self.file)?)
    }
}

/// The run before `run_id` that has built something.
pub(crate) fn before<'a>(entries: &'a [Entry], run_id: &str) -> Option<&'a Entry> {
    let end = entries.iter().position(|entry| entry.run_id == run_id).unwrap_or(entries.len());
    entries[..end].iter().rev().find(|entry| entry.outcome == RunOutcome::Done)
}

/// The last run whose hit rate fell below what the one before it had, and has not come back since.
pub(crate) fn fall(entries: &[Entry]) -> Option<(&Entry, &Entry)> {
    let rated: Vec<_> = entries.iter().filter(|entry| entry.hit_rate.is_some()).collect();
    let rate = |entry: &Entry| entry.hit_rate.unwrap_or_default();
    let mut fallen: Option<(&Entry, &Entry)> = None;
    for pair in rated.windows(2) {
        let (earlier, later) = (pair[0], pair[1]);
        if rate(earlier) - rate(later) > FALL {
            fallen = fallen.or(Some((earlier, later)));
        }
        if fallen.is_some_and(|(good, _)| rate(good) - rate(later) <= FALL) {
            fallen = None;
        }
    }
    fallen
}

/// A value of each run as a bar of one character, between nothing and the largest.
pub(crate) fn sparkline(values: impl IntoIterator<Item = Option<f64>>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values: Vec<_> = values.into_iter().collect();
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let bar = |value: Option<f64>| {
        let Some(value) = value else { return ' ' };
        if most <= 0.0 {
            return BARS[0];
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "one of eight bars"
        )]
        let place = (value / most * 7.0).round() as usize;
        BARS[place.min(7)]
    };
    values.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run_id: &str, hit_rate: Option<f64>) -> Entry {
        Entry {
            schema: SCHEMA,
            run_id: run_id.to_owned(),
            started: String::new(),
            outcome: RunOutcome::Done,
            elapsed_seconds: 1.0,
            hit_rate,
            builds: Vec::new(),
        }
    }

    #[test]
    fn the_fall_that_counts_is_the_one_that_lasts() {
        let named = |rates: &[f64]| {
            let entries: Vec<_> = rates
                .iter()
                .enumerate()
                .map(|(number, rate)| entry(&number.to_string(), Some(*rate)))
                .collect();
            fall(&entries).map(|(good, bad)| (good.run_id.clone(), bad.run_id.clone()))
        };
        let fell = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(named(&[0.9, 0.95, 0.93]), None);
        assert_eq!(named(&[0.9, 0.9, 0.2, 0.2]), fell("1", "2"));
        assert_eq!(named(&[0.9, 0.2, 0.9]), None);
        assert_eq!(named(&[0.9, 0.5, 0.2]), fell("0", "1"));
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn runs_are_kept_in_order_and_damage_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(folder.path()).unwrap();
        let history = History::of(cache, "a/../b");
        assert_eq!(history.read(), []);
        history.add(&entry("1", Some(0.5))).unwrap();
        let mut file = OpenOptions::new().append(true).open(&history.file).unwrap();
        file.write_all(b"{\"schema\":1,\"run\n").unwrap();
        history.add(&entry("2", None)).unwrap();
        let ids: Vec<_> = history.read().into_iter().map(|entry| entry.run_id).collect();
        assert_eq!(ids, ["1", "2"]);
        let entries = history.read();
        assert_eq!(before(&entries, "2").unwrap().run_id, "1");
        assert_eq!(before(&entries, "new").unwrap().run_id, "2");
        assert_eq!(before(&entries, "1"), None);
    }

    #[test]
    fn no_more_runs_are_kept_than_there_is_use_for() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(Utf8Path::from_path(folder.path()).unwrap(), "p");
        for number in 0..=MAX_KEPT + MAX_KEPT / 10 {
            history.add(&entry(&number.to_string(), None)).unwrap();
        }
        let entries = history.read();
        assert_eq!(entries.len(), MAX_KEPT);
        assert_eq!(entries[MAX_KEPT - 1].run_id, "550");
    }

    #[test]
    fn a_sparkline_has_a_character_for_each_run() {
        assert_eq!(sparkline([Some(0.0), Some(0.5), None, Some(1.0)]), "▁▅ █");
        assert_eq!(sparkline([Some(0.0)]), "▁");
    }
}
