//! GitHub's dialect: groups, annotations, the job summary and outputs. No other file knows it.
//!
//! What a build has printed is not trusted. Its log is shown between `::stop-commands::` and the
//! token that ends it, which is made when the build is over; and nowhere else is a line printed that
//! the runner would take for a command.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::text::escape;

use super::{markdown, terminal};
use crate::console::Console;
use crate::event::{BuildResult, Event, FailureKind, Kind, Report, Reporter};
use crate::text::hex;

/// A longer line of a log is shown in pieces of this size, in bytes.
const LONGEST_PIECE_BYTES: u64 = 16 * 1024;
/// Of the log of a build that was interrupted the end is shown, in bytes: there is little time.
const INTERRUPTED_LOG_BYTES: u64 = 256 * 1024;
/// GitHub takes a summary of 1 MiB for a step, in bytes; a larger one is refused whole.
const MAX_SUMMARY_BYTES: usize = 1000 * 1024;
/// Of each build's own summary so much is taken over, in bytes.
const MAX_CHILD_BYTES: u64 = 16 * 1024;

/// How grave an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Something failed.
    Error,
    /// Something should be looked at.
    Warning,
}

/// The command that puts a message on the run's page.
pub(crate) fn annotation(level: Level, title: &str, message: &str) -> String {
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let shown: Vec<_> = message.lines().map(|line| escape(line.as_bytes())).collect();
    format!("::{word} title={}::{}", property(title), data(&shown.join("\n")))
}

/// A message, escaped as the runner reads it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value, escaped as the runner reads it.
fn property(text: &str) -> String {
    data(&escape(text.as_bytes())).replace(':', "%3A").replace(',', "%2C")
}

/// Lines of our own, none of which is a command, whatever names and paths stand in them.
pub(crate) fn inert(text: &str) -> String {
    let inert = |line: &str| {
        let line = escape(line.as_bytes()).replace("##[", "##\\[");
        if line.trim_start().starts_with("::") { format!("\\{line}") } else { line }
    };
    text.split('\n').map(inert).collect::<Vec<_>>().join("\n")
}

/// A line of a log, with its colours and without anything else that moves or hides. Commands of the
/// older form, `##[…]`, are text in it: the page shows them even where the runner ignores them.
fn shown(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let (mut hashes, mut is_coloured) = (0, false);
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if let Some((sequence, behind)) = control_sequence(rest) {
            rest = behind;
            if is_colour(sequence) {
                shown.push_str(sequence);
                is_coloured = true;
            }
            continue;
        }
        rest = &rest[character.len_utf8()..];
        if character.is_control() && character != '\t' {
            continue;
        }
        if character == '[' && hashes >= 2 {
            shown.push('\\');
        }
        hashes = if character == '#' { hashes + 1 } else { 0 };
        shown.push(character);
    }
    if is_coloured {
        shown.push_str("\x1b[0m");
    }
    shown
}

/// The control sequence that `text` begins with (ECMA-48, `ESC [`), and what is behind it.
fn control_sequence(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("\x1b[")?;
    let end = inside.find(|c: char| !(' '..='?').contains(&c))?;
    let last = inside[end..].chars().next().filter(|last| ('@'..='~').contains(last))?;
    Some(text.split_at(text.len() - inside.len() + end + last.len_utf8()))
}

/// Whether a control sequence only chooses colours and weight.
fn is_colour(sequence: &str) -> bool {
    let inside = sequence.strip_prefix("\x1b[").and_then(|text| text.strip_suffix('m'));
    inside.is_some_and(|text| text.chars().all(|c| c.is_ascii_digit() || ";:".contains(c)))
}

/// Writes a group that holds a whole log. Memory does not grow with it.
fn group(out: &mut dyn Write, title: &str, log: impl Read, token: &str) -> io::Result<()> {
    writeln!(out, "::group::{}", data(&escape(title.as_bytes())))?;
    writeln!(out, "::stop-commands::{token}")?;
    let mut log = BufReader::new(log);
    let mut piece = Vec::new();
    loop {
        piece.clear();
        if log.by_ref().take(LONGEST_PIECE_BYTES).read_until(b'\n', &mut piece)? == 0 {
            break;
        }
        // The runner ends a line at a lone carriage return, too.
        for line in String::from_utf8_lossy(&piece).trim_end_matches(['\r', '\n']).split('\r') {
            writeln!(out, "{}", shown(line))?;
        }
    }
    writeln!(out, "::{token}::")?;
    writeln!(out, "::endgroup::")
}

/// Something that nobody can guess.
///
/// # Errors
/// The system has no random numbers.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(hex(&bytes))
}

/// Appends outputs of the step to the file that GitHub names for them.
///
/// # Errors
/// It cannot be written.
pub(crate) fn append_outputs(file: &Utf8Path, outputs: &[(&str, String)]) -> Result<()> {
    let mut text = String::new();
    for (name, value) in outputs {
        // A value cannot end its own text: nobody knows the word in advance.
        let end = token()?;
        text.extend([name, "<<", &end, "\n", value, "\n", &end, "\n"]);
    }
    append(file, &text)
}

/// Appends to the job's summary.
///
/// # Errors
/// It cannot be written.
pub(crate) fn append_summary(file: &Utf8Path, text: &str) -> Result<()> {
    append(file, text)
}

/// The summary of a job that has failed without a run to tell of.
pub(crate) fn failure_section(message: &str) -> String {
    let paragraphs = message.split("\n\n").map(markdown::text).collect::<Vec<_>>();
    format!("## ❌ Warmwheel\n\n{}\n", paragraphs.join("\n\n"))
}

fn append(file: &Utf8Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new().append(true).create(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {file}"))
}

/// Tells of a run in a job's log, and at its end in the job's summary.
pub(crate) struct GitHub {
    console: Console,
    summary: Option<Utf8PathBuf>,
    report: Report,
    /// The logs that were shown: builds of one process share one.
    logs: BTreeSet<Utf8PathBuf>,
    /// What the builds have written as their own summaries, by identifier.
    children: Vec<(String, String)>,
}

impl GitHub {
    /// Starts with nothing told. `summary` is the file that GitHub names for it.
    pub(crate) fn new(console: Console, summary: Option<Utf8PathBuf>) -> Self {
        let report = Report::default();
        Self { console, summary, report, logs: BTreeSet::new(), children: Vec::new() }
    }

    /// Shows the log of a build that has ended, whole and in one piece.
    fn show(&mut self, identifier: &str, result: &BuildResult) -> Result<()> {
        if result.log.as_str().is_empty() || !self.logs.insert(result.log.clone()) {
            return Ok(());
        }
        let Ok(mut log) = File::open(&result.log) else { return Ok(()) };
        let mut title = format!("{identifier}: {}", result.outcome.word());
        if let Some(cache) = &result.cache {
            title = format!("{title}, {}", cache.verdict);
        }
        let failure = result.failure.as_ref().map(|failure| failure.kind);
        let length = log.metadata()?.len();
        if failure == Some(FailureKind::Interrupted) && length > INTERRUPTED_LOG_BYTES {
            log.seek(SeekFrom::Start(length - INTERRUPTED_LOG_BYTES))?;
            title.push_str(" (the end of its log)");
        }
        let token = token()?;
        self.console.write(|out| group(out, &title, log, &token));
        Ok(())
    }

    fn annotate(&self, identifier: &str, result: &BuildResult) {
        for (level, title, message) in annotations(identifier, result) {
            let line = annotation(level, &title, &message);
            self.console.write(|out| writeln!(out, "{line}"));
        }
    }

    /// Takes over what a build's own process has written for the summary.
    fn adopt(&mut self, identifier: &str, result: &BuildResult) {
        let file = result.log.with_file_name("summary.md");
        // A build on the host could have put a link there.
        if !fs::symlink_metadata(&file).is_ok_and(|found| found.is_file()) {
            return;
        }
        let mut bytes = Vec::new();
        let opened = File::open(&file);
        if opened.and_then(|file| file.take(MAX_CHILD_BYTES).read_to_end(&mut bytes)).is_ok() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.children.push((identifier.to_owned(), text));
        }
    }

    fn summarise(&self) -> Result<()> {
        let Some(file) = &self.summary else { return Ok(()) };
        let text = markdown::summary(&self.report, &self.children, MAX_SUMMARY_BYTES);
        append_summary(file, &text)
    }
}

impl Reporter for GitHub {
    fn name(&self) -> &'static str {
        "GitHub's log"
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        let without = without_tails(event);
        self.report.apply(&without);
        terminal::tell(self.console, &terminal::lines(&without, &self.report));
        match &event.kind {
            Kind::BuildFinished { identifier, result } => {
                let is_first = !self.logs.contains(&result.log);
                self.show(identifier, result)?;
                self.annotate(identifier, result);
                if is_first {
                    self.adopt(identifier, result);
                }
            }
            Kind::RunFinished { .. } => {
                for wheel in terminal::wheels(&self.report) {
                    self.console.data(inert(wheel.as_str()));
                }
                self.summarise()?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The event without the ends of logs, which are shown whole.
fn without_tails(event: &Event) -> Event {
    let mut event = event.clone();
    if let Kind::BuildFinished { result, .. } = &mut event.kind
        && let Some(failure) = &mut result.failure
    {
        failure.tail.clear();
    }
    event
}

/// What a finished build puts on the run's page: level, title, message.
fn annotations(identifier: &str, result: &BuildResult) -> Vec<(Level, String, String)> {
    let mut annotations = Vec::new();
    if let Some(failure) = &result.failure {
        let title = match failure.kind {
            FailureKind::Build => "the build failed",
            FailureKind::Cache => "the cache did not prove itself",
            FailureKind::Machine => "something is missing",
            FailureKind::Wheel => "the wheel failed its checks",
            FailureKind::Interrupted => "interrupted",
        };
        let mut message = failure.what.clone();
        // The first complaint says more than the last one, which is about the first.
        let complains = |line: &&String| line.to_lowercase().contains("error");
        if let Some(line) = failure.tail.iter().find(complains) {
            message.extend(["\n", line]);
        }
        if !failure.remedy.is_empty() {
            message.extend(["\nhelp: ", &failure.remedy]);
        }
        annotations.push((Level::Error, format!("{identifier}: {title}"), message));
        return annotations;
    }
    let Some(cache) = &result.cache else { return annotations };
    if cache.verdict == "miss" {
        let message = "too few compilations came from the cache; --on-miss warn lets it pass";
        let title = format!("{identifier}: miss");
        annotations.push((Level::Warning, title, message.to_owned()));
    }
    if let Some(suspicious) = &cache.suspicious {
        let title = format!("{identifier}: an unexpected cold start");
        annotations.push((Level::Warning, title, suspicious.clone()));
    }
    annotations
}

#[cfg(test)]
mod tests;
