//! One validation from beginning to end: keep the wheel, count, claim the marker, judge, tell,
//! record, clean up for the next build.

use crate::count::{self, Counted};
use crate::error::Error;
use crate::logfile::{self, Summary};
use crate::process::Ccache;
use crate::record::{self, Record};
use crate::request::Request;
use crate::verdict::{Evidence, Judgement, Source, judge};
use crate::{files, render, state, statslog, text, wheel};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Write};
use std::path::Path;

/// The folder inside the record folder that keeps the wheel.
pub const WHEEL_DIR: &str = "wheel";

/// What a validation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The record, as it was written.
    pub record: Record,
    /// What else went wrong: an unwritable record folder, a log that stays. Each has been told.
    pub problems: Vec<String>,
}

/// Validates the build that `request` describes, asking `ccache` where needed. Words for people go
/// to `out`. Nothing that goes wrong on the way stops the rest; it ends up in
/// [`Outcome::problems`].
pub fn validate(request: &Request, ccache: &dyn Ccache, out: &mut dyn Write) -> Outcome {
    let mut problems = Problems::default();
    problems.note(keep_wheel(request));
    let counted = count::count(request, ccache);
    let marker = state::claim(
        request.ccache_dir.as_deref(),
        &request.domain,
        request.run_id.as_deref(),
        request.identifier.as_deref(),
    );
    let evidence = Evidence {
        source: counted.source,
        own: counted.own.clone(),
        probes: counted.probes.clone(),
        other_calls: counted.other_calls,
        min_hit_rate: request.min_hit_rate,
        on_miss: request.on_miss,
        domain: request.domain.clone(),
        marker,
        obstacle: counted.obstacle.clone(),
        fit: fit(request),
    };
    let judgement = judge(&evidence);
    let is_exempt = evidence.marker == state::Marker::Made;
    let source = counted.source;
    let record = make_record(request, counted, judgement, is_exempt);
    problems.note(write_record(request, &record));
    tell(out, &render::render(&record));
    problems.note(reset(request, source, ccache));
    problems.note(print_log(request, out));
    for problem in &problems.0 {
        tell(out, &text::fold("ccache: problem: ", problem));
    }
    Outcome { record, problems: problems.0 }
}

/// Failures that do not change the verdict.
#[derive(Debug, Default)]
struct Problems(Vec<String>);

impl Problems {
    fn note(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.0.push(text::escape(error.to_string().as_bytes()));
        }
    }
}

/// Words that nobody can read any more (a closed stream) change no verdict.
fn tell(out: &mut dyn Write, words: &str) {
    drop(out.write_all(words.as_bytes()).and_then(|()| out.flush()));
}

fn keep_wheel(request: &Request) -> Result<(), Error> {
    let (Some(wheel), Some(folder)) = (&request.wheel, &request.record_dir) else { return Ok(()) };
    let Some(name) = wheel.file_name() else { return Ok(()) };
    files::copy_whole(wheel, &folder.join(WHEEL_DIR).join(name)).map_err(|error| {
        let next = "check that the wheel exists and WARMWHEEL_RECORD_DIR can be written";
        Error::io("cannot keep the wheel", wheel, &error, next)
    })
}

fn fit(request: &Request) -> Option<wheel::Fit> {
    wheel::parse(request.wheel_name()?).ok()?.serves(request.identifier.as_deref()?)
}

fn make_record(
    request: &Request,
    counted: Counted,
    judgement: Judgement,
    is_exempt: bool,
) -> Record {
    Record {
        identifier: request.identifier.clone(),
        domain: request.domain.clone(),
        run_id: request.run_id.clone(),
        verdict: judgement.verdict,
        passed: judgement.passed,
        exempt: is_exempt,
        cause: judgement.cause,
        remedy: judgement.remedy,
        source: counted.source,
        ccache_version: counted.ccache_version,
        counts: counted.own.counts,
        probes: counted.probes.counts,
        missed_files: counted.missed_files,
        wheel: request.wheel_name().map(str::to_owned),
    }
}

fn write_record(request: &Request, record: &Record) -> Result<(), Error> {
    let Some(folder) = &request.record_dir else { return Ok(()) };
    let path = folder.join(record::FILE_NAME);
    let written = fs::create_dir_all(folder)
        .and_then(|()| files::write_whole(&path, format!("{}\n", record.to_json()).as_bytes()));
    written.map_err(|error| {
        Error::io("cannot write", &path, &error, "make WARMWHEEL_RECORD_DIR writable")
    })
}

/// Starts the next build's count at zero. A statslog stays for the host when there is one.
fn reset(request: &Request, source: Source, ccache: &dyn Ccache) -> Result<(), Error> {
    if source == Source::Counters {
        return match ccache.ask(&["--zero-stats"]) {
            // Without a ccache nothing counts on, and the verdict has said so.
            Ok(_) | Err(crate::process::Failure::Missing) => Ok(()),
            Err(failure) => {
                let cause = crate::obstacle::Obstacle::from(failure).cause();
                Err(Error::new(format!(
                    "cannot zero ccache's counters: {cause}; run ccache --zero-stats before the \
                     next build"
                )))
            }
        };
    }
    match &request.statslog {
        Some(path) if request.record_dir.is_none() => remove(path, "the statslog")
            .and_then(|()| remove(&statslog::sealed_path(path), "the sealed statslog")),
        _ => Ok(()),
    }
}

fn remove(path: &Path, what: &str) -> Result<(), Error> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|found| !found.is_dir());
    match fs::remove_file(path) {
        Err(error) if is_file && error.kind() != ErrorKind::NotFound => {
            Err(Error::io(&format!("cannot remove {what}"), path, &error, "remove it by hand"))
        }
        _ => Ok(()),
    }
}

/// Prints what ccache's log has to say of the project, and removes the log.
fn print_log(request: &Request, out: &mut dyn Write) -> Result<(), Error> {
    // The value may be `syslog`, or a device.
    let Some(path) = request.logfile.as_deref().filter(|path| path.is_file()) else {
        return Ok(());
    };
    let read = File::open(path).and_then(|file| {
        logfile::print_sections(BufReader::with_capacity(64 * 1024, file), &request.projects, out)
    });
    let told = match read {
        Ok(summary) => summarise(&summary, out),
        Err(error) => Err(error),
    };
    let removed = remove(path, "ccache's log");
    told.map_err(|error| {
        Error::io("cannot print ccache's log", path, &error, "build again to get a new one")
    })
    .and(removed)
}

fn summarise(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.left_out > 0 {
        let words = format!(
            "ccache log: {} more calls that missed or failed are not shown",
            summary.left_out
        );
        writeln!(out, "{words}")?;
    }
    let words = format!(
        "{} of {} calls concern the project: {} hits, {} missed or failed, {} compiled nothing; \
         {} configure probes",
        summary.concerning,
        summary.sections,
        summary.hits,
        summary.missed,
        summary.other,
        summary.probes
    );
    out.write_all(text::fold("ccache log: ", &words).as_bytes())
}
