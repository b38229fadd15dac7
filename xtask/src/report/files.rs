//! The run's records: `events.ndjson` as it happens, `report.json` as its fold.

use std::fs::File;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::event::{Event, Kind, Report, Reporter};

/// The file that every run's folder has from the start.
pub(crate) const EVENTS: &str = "events.ndjson";

/// Writes one JSON object per event and line.
pub(crate) struct Stream {
    file: File,
}

impl Stream {
    /// Starts `events.ndjson` in `folder`.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn start(folder: &Utf8Path) -> Result<Self> {
        let path = folder.join(EVENTS);
        let file = File::create(&path).with_context(|| format!("cannot write {path}"))?;
        Ok(Self { file })
    }
}

impl Reporter for Stream {
    fn name(&self) -> &'static str {
        EVENTS
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        Ok(self.file.write_all(&line)?)
    }
}

/// Writes `report.json` whenever a build has ended, so that a run that is killed leaves one too.
pub(crate) struct Json {
    path: Utf8PathBuf,
    report: Report,
}

impl Json {
    /// Starts with an empty report in `folder`.
    pub(crate) fn new(folder: &Utf8Path) -> Self {
        Self { path: folder.join("report.json"), report: Report::default() }
    }
}

impl Reporter for Json {
    fn name(&self) -> &'static str {
        "report.json"
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        self.report.apply(event);
        if let Kind::PhaseStarted { .. } | Kind::BuildStarted { .. } | Kind::Compiled { .. } =
            event.kind
        {
            return Ok(());
        }
        let mut text = serde_json::to_vec_pretty(&self.report)?;
        text.push(b'\n');
        let beside = self.path.with_extension("json.part");
        std::fs::write(&beside, &text).with_context(|| format!("cannot write {beside}"))?;
        std::fs::rename(&beside, &self.path).with_context(|| format!("cannot place {}", self.path))
    }
}
