//! One validation from beginning to end: keep the wheel, count, claim the marker, judge, tell,
//! record, clean up for the next build.

use crate::compilers;
use crate::count::{self, Counted};
use crate::counts::Tally;
use crate::error::Error;
use crate::ledger::{Entry, Key};
use crate::log;
use crate::past::Past;
use crate::preflight::Recorded;
use crate::process::Ccache;
use crate::record::{self, Record};
use crate::request::Request;
use crate::state::Marker;
use crate::suspicion::Found;
use crate::verdict::{Evidence, Judgement, Source, judge};
use crate::{files, render, seal, state, statslog, text, wheel};
use std::fs;
use std::io::Write;

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
    let recorded = Recorded::read(request.record_dir.as_deref());
    let counted = if reuses_wheel(request) {
        Counted::nothing(&recorded)
    } else {
        count::count(request, &recorded, ccache)
    };
    let marker = state::claim(
        request.ccache_dir.as_deref(),
        &request.domain,
        request.run_id.as_deref(),
        request.identifier.as_deref(),
    );
    let wheel = request.wheel_name().and_then(|name| wheel::parse(name).ok());
    let has_folder = matches!(marker, Marker::Made | Marker::Present);
    let key = request.ccache_dir.as_deref().filter(|_| has_folder).map(|cache_dir| Key {
        cache_dir,
        domain: &request.domain,
        package: wheel.as_ref().map(|wheel| wheel.name.as_str()),
    });
    let past = Past::new(key, found(request, &counted, recorded));
    let is_exempt = marker == Marker::Made;
    let evidence = Evidence {
        source: counted.source,
        own: counted.own.clone(),
        probes: counted.probes.clone(),
        other_calls: counted.other_calls,
        min_hit_rate: request.min_hit_rate,
        on_miss: request.on_miss,
        domain: request.domain.clone(),
        obstacle: counted.obstacle.clone(),
        suspicion: past.suspicion(&marker),
        marker,
        strict_restore: request.strict_restore,
        fit: wheel.as_ref().and_then(|wheel| wheel.serves(request.identifier.as_deref()?)),
    };
    let judgement = judge(&evidence);
    let noted = past.note(judgement.verdict);
    let source = counted.source;
    let record = make_record(request, counted, judgement, is_exempt);
    problems.note(write_record(request, &record));
    tell(out, &render::render(&record));
    if let Err(error) = noted {
        // The next run loses a hint; that is no reason to fail this build.
        tell(out, &text::fold("ccache: warning: ", &text::escape(error.to_string().as_bytes())));
    }
    problems.note(reset(request, source, ccache));
    problems.note(log::show(request, out));
    for problem in &problems.0 {
        tell(out, &text::fold("ccache: problem: ", problem));
    }
    Outcome { record, problems: problems.0 }
}

/// Whether an earlier build of the same process has left this very wheel (abi3, py3-none). Then what
/// stands in the statslog is that build's, and what was compiled for its tests.
fn reuses_wheel(request: &Request) -> bool {
    let (Some(folder), Some(wheel)) = (&request.record_dir, request.wheel_name()) else {
        return false;
    };
    let earlier = record::of_others(folder, request.identifier.as_deref());
    earlier.iter().any(|it| it.run_id == request.run_id && it.wheel.as_deref() == Some(wheel))
}

/// What this build has found and leaves, as far as the ledger cares.
fn found(request: &Request, counted: &Counted, recorded: Recorded) -> Found {
    let compilers = match recorded.compilers {
        none if none.is_empty() => compilers::find(&request.environment),
        recorded => recorded,
    };
    let misses = |tally: &Tally| tally.counts.misses.unwrap_or(0);
    Found {
        entry: Entry {
            run_id: request.run_id.clone(),
            identifier: request.identifier.clone().unwrap_or_else(|| "-".to_owned()),
            ccache_version: counted.ccache_version.clone(),
            base_dir: request.base_dir.clone(),
            compilers,
            ..Entry::of(&counted.own.counts)
        },
        files_in_cache: counted.files_in_cache,
        stored: misses(&counted.own).saturating_add(misses(&counted.probes)),
        cleanups: counted.cleanups,
    }
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
        suspicious: judgement.suspicious,
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
    let path = folder.join(record::file_name(record.identifier.as_deref()));
    let written = fs::create_dir_all(folder)
        .and_then(|()| files::write_whole(&path, format!("{}\n", record.to_json()).as_bytes()));
    written.map_err(|error| {
        Error::io("cannot write", &path, &error, "make WARMWHEEL_RECORD_DIR writable")
    })
}

/// Starts the next build's count at zero. A statslog stays for the host when there is one.
fn reset(request: &Request, source: Source, ccache: &dyn Ccache) -> Result<(), Error> {
    if source == Source::Counters {
        if let Some(folder) = &request.record_dir {
            files::remove(&seal::counters_path(folder), "the sealed counters")?;
        }
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
        Some(path) if request.record_dir.is_none() => files::remove(path, "the statslog")
            .and_then(|()| files::remove(&statslog::sealed_path(path), "the sealed statslog")),
        _ => Ok(()),
    }
}
