//! A saved stream of events, read again: of a run that has ended, that was killed, or that goes on.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::{Event, Kind, Report, SCHEMA};
use crate::fault::Fault;

/// A longer line is no event, in bytes: what became of thousands of files is in one.
const MAX_LINE_BYTES: u64 = 64 * 1024 * 1024;

/// The report that a stream comes to. Whatever was cut off or damaged ends it: what stands before is
/// the truth, and nothing is known of the rest.
///
/// # Errors
/// The stream cannot be read, does not begin as one, or is of a newer version.
pub(crate) fn report(path: &Utf8Path) -> Result<Report> {
    let file = File::open(path).with_context(|| format!("cannot read {path}"))?;
    let mut lines = BufReader::new(file);
    let mut report = Report::default();
    let mut is_begun = false;
    loop {
        let mut line = Vec::new();
        lines
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            .with_context(|| format!("cannot read {path}"))?;
        let Ok(event) = serde_json::from_slice::<Event>(&line) else { break };
        if let Kind::RunStarted { schema, .. } = event.kind {
            if schema > SCHEMA {
                return Err(Fault::usage(
                    format!("{path} was written by a later version of Warmwheel"),
                    "show it with that version",
                ));
            }
            is_begun = true;
        }
        if !is_begun {
            break;
        }
        report.apply(&event);
    }
    if is_begun {
        return Ok(report);
    }
    Err(Fault::usage(
        format!("{path} does not begin with the start of a run"),
        "name the folder of a run, as in target/warmwheel/latest",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunOutcome;

    const STREAM: &str = concat!(
        r#"{"at_seconds":0.0,"event":"run-started","schema":1,"run_id":"R","package":"p","command":"c","started":"s","jobs":1,"builds":[{"identifier":"a-x","domain":"x","role":"pioneer"}]}"#,
        "\n",
        r#"{"at_seconds":1.0,"event":"build-started","identifier":"a-x"}"#,
        "\n",
        r#"{"at_seconds":2.0,"event":"phase-started","identifier":"a-x","name":"build"}"#,
        "\n",
        r#"{"at_seconds":9.0,"event":"run-finished","outcome":"done"}"#,
        "\n",
    );

    #[test]
    fn a_stream_that_is_cut_off_anywhere_is_as_much_as_there_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = Utf8Path::from_path(file.path()).unwrap();
        let first = STREAM.find('\n').unwrap();
        for end in 0..=STREAM.len() {
            std::fs::write(path, &STREAM[..end]).unwrap();
            let Ok(report) = report(path) else {
                assert!(end < first, "{end} of {}", STREAM.len());
                continue;
            };
            assert_eq!(report.run_id, "R");
            let is_whole = end + 1 >= STREAM.len();
            assert_eq!(report.outcome, is_whole.then_some(RunOutcome::Done), "{end}");
        }
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = Utf8Path::from_path(file.path()).unwrap();
        for text in ["", "\n", "{}", "[1]\n", &STREAM.replace("\"schema\":1", "\"schema\":2")] {
            std::fs::write(path, text).unwrap();
            assert!(report(path).is_err(), "{text}");
        }
    }
}
