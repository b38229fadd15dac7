//! The validator against a Python script that does the same. `tools/bench/validator.py` measures.

use std::fs;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::Deserialize;

use super::Bench;
use super::container::{self, Mount};
use super::figures::{self, Baseline, Limit, Report, Row, Unit};
use crate::folders::VALIDATOR;
use crate::provision;

/// The interpreter that runs the rivals and measures them, in the test image.
const PYTHON: &str = "/opt/python/cp312-cp312/bin/python";
const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// The longest that the validator may take to start and decide, in milliseconds.
const START_LIMIT: f64 = 5.0;
/// The most memory that it may need, in bytes.
const MEMORY_LIMIT: f64 = 16.0 * MEBIBYTE;
/// The largest that its file may be, in bytes.
const SIZE_LIMIT: f64 = 1.5 * MEBIBYTE;
/// How many times the shortest time a median typically is when something else is running.
const BUSY: f64 = 1.5;

/// What a command finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scene {
    /// No log at all.
    Start,
    EmptyLog,
    LargeLog,
}

impl Scene {
    fn title(self) -> &'static str {
        match self {
            Self::Start => "start and decide",
            Self::EmptyLog => "empty log",
            Self::LargeLog => "200 MB log",
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Command {
    Floor,
    /// With a folder for the record, as a build has it.
    Build,
    /// The others have no such folder.
    Statslog,
    Counters,
    /// The rival, tuned.
    Python,
    /// The rival as one would write it first.
    PythonPlain,
    PythonLines,
}

impl Command {
    fn title(self) -> &'static str {
        match self {
            Self::Floor => "/bin/true: the floor",
            Self::Build => "validator in a build",
            Self::Statslog => "validator, statslog",
            Self::Counters => "validator, counters",
            Self::Python => "Python, tuned: in blocks",
            Self::PythonPlain => "Python, plain: line by line",
            Self::PythonLines => "Python, lines only: does less",
        }
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::Build | Self::Statslog | Self::Counters)
    }
}

/// What the container leaves.
#[derive(Debug, Deserialize)]
struct Measured {
    facts: Facts,
    rows: Vec<Subject>,
}

#[derive(Debug, Deserialize)]
struct Facts {
    compilations: u64,
    log_bytes: u64,
    ccache: String,
    python: String,
    processors: u64,
    load_before: f64,
}

#[derive(Debug, Deserialize)]
struct Subject {
    scene: Scene,
    command: Command,
    /// How many calls of the log it has printed.
    shown: u64,
    runs: Vec<Figures>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Figures {
    wall_ns: f64,
    max_rss_kib: f64,
}

/// Measures, in one container.
///
/// # Errors
/// The validator does not compile, or a command fails.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Report> {
    let folders = bench.folders;
    let tools = folders.workspace.join("tools/bench");
    container::require(&tools)?;
    let files = provision::container_files(&folders.workspace, &folders.target, bench.environment)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&folders.target)?;
    let folder = Utf8Path::from_path(folder.path()).context("the target folder is not UTF-8")?;
    let measured = measure(bench, &tools, &files, folder)?;
    let size = fs::metadata(files.join(VALIDATOR))?.len();
    Ok(report(&measured, bench.rounds, size))
}

/// Has the container measure, with a cache and a record folder in `folder`.
fn measure(
    bench: &Bench<'_>,
    tools: &Utf8Path,
    files: &Utf8Path,
    folder: &Utf8Path,
) -> Result<Measured> {
    let (cache, record) = (folder.join("cache"), folder.join("record"));
    for made in [&cache, &record] {
        fs::create_dir(made).with_context(|| format!("cannot make {made}"))?;
    }
    let mounts = [
        Mount { host: files, container: "/warmwheel", read_only: true },
        Mount { host: tools, container: "/bench", read_only: true },
        Mount { host: &cache, container: "/host_ccache", read_only: false },
        Mount { host: &record, container: "/warmwheel-build", read_only: false },
    ];
    let rounds = bench.rounds.to_string();
    // -B: what is mounted read-only has no room for compiled modules.
    let command = [PYTHON, "-B", "/bench/validator.py", &rounds];
    container::run(bench, &mounts, "/tmp/bench", &command)?;
    let left = fs::read_to_string(record.join("bench.json")).context("the container's figures")?;
    serde_json::from_str(&left).context("the container's figures")
}

fn report(measured: &Measured, rounds: u16, size: u64) -> Report {
    let baselines = [(Command::Statslog, "statslog"), (Command::Counters, "counters")]
        .map(|(command, word)| Baseline::new(command.title(), word));
    let mut rows: Vec<Row> = measured.rows.iter().filter_map(time).collect();
    rows.extend(measured.rows.iter().filter_map(memory));
    // No file is that large.
    let size = u32::try_from(size).map_or(f64::INFINITY, f64::from);
    let (scene, command) = ("size of the file", "validator");
    rows.extend(Row::new(scene, command, Unit::Bytes, vec![size], [Limit::at_most(SIZE_LIMIT)]));
    figures::compare(&mut rows, &baselines);
    Report {
        suite: "validator".to_owned(),
        circumstances: circumstances(measured, rounds),
        baselines: baselines.into(),
        rows,
        spendings: Vec::new(),
    }
}

fn time(subject: &Subject) -> Option<Row> {
    let limit = (subject.scene == Scene::Start && subject.command.is_ours()).then_some(START_LIMIT);
    let figures = subject.runs.iter().map(|run| run.wall_ns / 1e6).collect();
    let command = subject.command.title();
    Row::new(subject.scene.title(), command, Unit::Milliseconds, figures, limit.map(Limit::at_most))
}

/// How much a command needs only shows with a large log.
fn memory(subject: &Subject) -> Option<Row> {
    if subject.scene != Scene::LargeLog {
        return None;
    }
    let limit = subject.command.is_ours().then_some(MEMORY_LIMIT);
    let figures = subject.runs.iter().map(|run| run.max_rss_kib * 1024.0).collect();
    let scene = format!("peak memory, {}", subject.scene.title());
    Row::new(&scene, subject.command.title(), Unit::Bytes, figures, limit.map(Limit::at_most))
}

fn circumstances(measured: &Measured, rounds: u16) -> Vec<String> {
    let Facts { compilations, log_bytes, ccache, python, processors, load_before } =
        &measured.facts;
    let shown = |command| {
        let mut subjects = measured.rows.iter();
        let subject = subjects.find(|it| it.scene == Scene::LargeLog && it.command == command);
        subject.map_or(0, |it| it.shown)
    };
    let (ours, theirs) = (shown(Command::Counters), shown(Command::Python));
    let agreement = if ours == theirs {
        format!("Of the large log the validator and the Python script both print {ours} calls.")
    } else {
        format!(
            "**Of the large log the validator prints {ours} calls, the Python script {theirs}: one \
             of them does more.**"
        )
    };
    let ways = "In a build the validator has a statslog and leaves a record and the whole log to the \
                host. The other rows do without, as the Python script does. Like the script, the \
                validator with counters asks ccache for them and has it zero them.";
    let ratios = "Ratios are of medians, to the validator with a statslog and with counters. Peak \
                  memory is the command's own or that of the ccache it starts, whichever is more.";
    let mut told = vec![
        format!("{rounds} rounds, in each of which every command ran once, in another order."),
        ways.to_owned(),
        ratios.to_owned(),
        format!("{compilations} compilations, all hits; a log of {log_bytes} bytes."),
        agreement,
        format!(
            "ccache {ccache}, Python {python}, {processors} processors, load {load_before:.2} before."
        ),
    ];
    told.extend(disturbance(&measured.rows));
    told
}

/// A warning when something else was running: the same work then takes very different times.
fn disturbance(subjects: &[Subject]) -> Option<String> {
    let times = subjects.iter().filter_map(time);
    let spreads: Vec<f64> = times.map(|row| row.median / row.min).collect();
    let spread = figures::median(&spreads)?;
    (spread > BUSY).then(|| {
        format!(
            "**Something else was running**: a command's median is {spread:.1} times its shortest \
             time. Measure again when the machine is idle."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let subject = |scene: &str, command: &str, wall_ns: u64, kib: u64| {
            serde_json::json!({
                "scene": scene, "command": command, "shown": 49,
                "runs": [{"wall_ns": wall_ns, "max_rss_kib": kib}],
            })
        };
        serde_json::from_value(serde_json::json!({
            "facts": {
                "compilations": 170, "log_bytes": 200_000_000, "ccache": "4.7.5",
                "python": "3.12.1", "processors": 2, "load_before": 0.25,
            },
            "rows": [
                subject("start", "floor", 500_000, 1024),
                subject("start", "statslog", 6_000_000, 1024),
                subject("large-log", "counters", 200_000_000, 4096),
                subject("large-log", "python", 900_000_000, 14_336),
            ],
        }))
        .unwrap()
    }

    #[test]
    fn times_come_first_then_memory_and_size_each_with_its_limit() {
        let report = report(&measured(), 15, 1_572_865);
        let kept: Vec<_> = report
            .rows
            .iter()
            .map(|row| (row.scene.as_str(), !row.limits.is_empty(), row.is_kept()))
            .collect();
        assert_eq!(
            kept,
            [
                ("start and decide", false, true),
                ("start and decide", true, false),
                ("200 MB log", false, true),
                ("200 MB log", false, true),
                ("peak memory, 200 MB log", true, true),
                ("peak memory, 200 MB log", false, true),
                ("size of the file", true, false),
            ]
        );
        assert_eq!(report.rows[3].ratios, [None, Some(4.5)]);
        assert_eq!(report.rows[5].ratios, [None, Some(3.5)]);
    }

    #[test]
    fn a_busy_machine_is_told_by_times_that_differ() {
        let mut measured = measured();
        for number in 0..2 {
            // One odd command is no busy machine.
            assert_eq!(disturbance(&measured.rows), None, "{number}");
            let fast = measured.rows[number].runs[0];
            let slow = Figures { wall_ns: fast.wall_ns * 4.0, ..fast };
            measured.rows[number].runs.extend([slow, slow]);
        }
        let told = circumstances(&measured, 3).concat();
        assert!(told.contains("a command's median is 2.5 times"), "{told}");
    }

    #[test]
    fn it_is_said_whether_the_same_work_was_done() {
        let mut measured = measured();
        assert!(circumstances(&measured, 15).concat().contains("both print 49 calls"));
        measured.rows[3].shown = 12;
        assert!(circumstances(&measured, 15).concat().contains("one of them does more"));
    }
}
