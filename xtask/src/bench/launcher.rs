//! The launcher in front of ccache: what it costs where ccache hits and saves where it misses.
//! `tools/bench/launcher.py` measures.

use std::fs;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::Deserialize;

use super::Bench;
use super::container::{self, Mount};
use super::figures::{self, Baseline, Limit, Report, Row, Unit};
use crate::folders::LAUNCHER;
use crate::provision;

/// The interpreter that measures, in the test image.
const PYTHON: &str = "/opt/python/cp312-cp312/bin/python";
/// The most that the launcher may add to a compilation, in milliseconds.
const COST_LIMIT: f64 = 1.0;

/// What ccache finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scene {
    /// Nothing.
    Cold,
    /// Everything.
    Hit,
}

/// How a file is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Command {
    Plain,
    Ccache,
    Launcher,
    LauncherDifference,
    /// The launcher again, by a link with the compiler's name.
    Link,
    LinkDifference,
}

impl Command {
    fn title(self) -> &'static str {
        match self {
            Self::Plain => "no ccache",
            Self::Ccache => "ccache",
            Self::Launcher => "launcher",
            Self::LauncherDifference => "launcher, more than ccache",
            Self::Link => "launcher by a link",
            Self::LinkDifference => "by a link, more than ccache",
        }
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
    files: u64,
    ccache: String,
    processors: u64,
    load_before: f64,
}

#[derive(Debug, Deserialize)]
struct Subject {
    scene: Scene,
    command: Command,
    /// In milliseconds: of wall time for one file that hits, of CPU time for all files cold.
    figures: Vec<f64>,
}

/// Measures, in one container.
///
/// # Errors
/// The launcher does not compile, or a command fails.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Report> {
    let folders = bench.folders;
    let (tools, core) =
        (folders.workspace.join("tools/bench"), folders.workspace.join("tools/demo/core"));
    for needed in [&tools, &core] {
        container::require(needed)?;
    }
    let files = provision::container_files(&folders.workspace, &folders.target, bench.environment)?;
    let program = files.join(LAUNCHER);
    let size = fs::metadata(&program).with_context(|| format!("there is no {program}"))?.len();
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&folders.target)?;
    let record = Utf8Path::from_path(folder.path()).context("the target folder is not UTF-8")?;
    let mounts = [
        Mount { host: &files, container: "/warmwheel", read_only: true },
        Mount { host: &tools, container: "/bench", read_only: true },
        Mount { host: &core, container: "/project", read_only: true },
        Mount { host: record, container: "/warmwheel-build", read_only: false },
    ];
    let rounds = bench.rounds.to_string();
    // -B: what is mounted read-only has no room for compiled modules.
    let command = [PYTHON, "-B", "/bench/launcher.py", &rounds];
    container::run(bench, &mounts, "/tmp/bench", &command)?;
    let left = fs::read_to_string(record.join("bench.json")).context("the container's figures")?;
    let measured = serde_json::from_str(&left).context("the container's figures")?;
    Ok(report(&measured, bench.rounds, size))
}

fn report(measured: &Measured, rounds: u16, size: u64) -> Report {
    let baselines = [(Command::Plain, "none"), (Command::Ccache, "ccache")]
        .map(|(command, word)| Baseline::new(command.title(), word));
    let mut rows: Vec<Row> = measured.rows.iter().filter_map(row).collect();
    figures::compare(&mut rows, &baselines);
    // No file is that large.
    let size = u32::try_from(size).map_or(f64::INFINITY, f64::from);
    rows.extend(Row::new("size of the file", LAUNCHER, Unit::Bytes, vec![size], None));
    for row in rows.iter_mut().filter(|row| row.ratios.is_empty()) {
        row.ratios = vec![None; baselines.len()];
    }
    let Facts { files, ccache, processors, load_before } = &measured.facts;
    let circumstances = vec![
        format!(
            "{rounds} rounds with hits, in each of which every file was compiled in every way."
        ),
        "A hit: wall time of one file, the median over all files. The difference is that of the \
         same file in the same round."
            .to_owned(),
        "Cold, one round to fifteen others: CPU time of all files, one after the other, into an empty \
         cache. The launcher puts ccache into depend mode for all of them."
            .to_owned(),
        "The launcher records each compilation, as in a build; both keep a statslog.".to_owned(),
        format!(
            "{files} C++ files of the demo's core at -O3, with -MD. ccache {ccache}, {processors} \
             processors, load {load_before:.2} before."
        ),
    ];
    Report {
        suite: "launcher".to_owned(),
        circumstances,
        baselines: baselines.into(),
        rows,
        spendings: Vec::new(),
    }
}

fn row(subject: &Subject) -> Option<Row> {
    let Subject { scene, command, figures } = subject;
    let is_cost = matches!(command, Command::LauncherDifference | Command::LinkDifference);
    let title = match scene {
        Scene::Cold => "cold, CPU time of all files",
        Scene::Hit => "a hit",
    };
    let limit = is_cost.then(|| Limit::at_most(COST_LIMIT));
    Row::new(title, command.title(), Unit::Milliseconds, figures.clone(), limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(difference: f64) -> Measured {
        let subject = |scene: &str, command: &str, figures: [f64; 3]| serde_json::json!({"scene": scene, "command": command, "figures": figures});
        serde_json::from_value(serde_json::json!({
            "facts": {"files": 14, "ccache": "4.7.5", "processors": 2, "load_before": 0.5},
            "rows": [
                subject("cold", "plain", [1000.0, 1010.0, 990.0]),
                subject("cold", "ccache", [1300.0, 1310.0, 1290.0]),
                subject("cold", "launcher", [1040.0, 1050.0, 1030.0]),
                subject("hit", "ccache", [4.0, 4.0, 5.0]),
                subject("hit", "launcher", [5.0, 5.0, 6.0]),
                subject("hit", "launcher-difference", [difference, 0.0, 9.0]),
                subject("hit", "link-difference", [0.5, 0.5, 0.5]),
            ],
        }))
        .unwrap()
    }

    #[test]
    fn the_cost_has_a_limit_and_cold_builds_are_compared() {
        for (difference, is_kept) in [(0.9, true), (1.1, false)] {
            let report = report(&measured(difference), 15, 1_000_000);
            let limited: Vec<_> = report.rows.iter().filter(|row| !row.limits.is_empty()).collect();
            let kept: Vec<_> = limited.iter().map(|row| row.is_kept()).collect();
            assert_eq!(kept, [is_kept, true]);
            assert_eq!(report.rows[2].ratios, [Some(1.04), Some(0.8)]);
            assert_eq!(report.rows[4].ratios, [None, Some(1.25)]);
            assert!(report.rows.iter().all(|row| row.ratios.len() == report.baselines.len()));
        }
    }
}
