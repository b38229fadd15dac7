//! `release-wheels`, as suites run it: this very program, and what its report says afterwards.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::figures::Spending;
use super::rig::Rig;
use crate::event::{BuildOutcome, Cache, RunOutcome};
use crate::report::path::{CriticalPath, Run, Spent};

/// The folders of one run.
pub(super) struct Places<'a> {
    /// The package's own folder, which is the project.
    pub(super) package: &'a Utf8Path,
    /// Where the compiler cache is.
    pub(super) cache: &'a Utf8Path,
    /// Where its wheels go.
    pub(super) wheels: &'a Utf8Path,
    /// Where its records go.
    pub(super) records: &'a Utf8Path,
}

/// What a run did, as far as it matters here.
pub(super) struct Done {
    /// How long it took, in seconds, as seen from outside.
    pub(super) seconds: f64,
    /// What its report says.
    pub(super) report: Report,
    /// Where its time went.
    pub(super) spending: Spending,
}

/// A part of `report.json`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Report {
    outcome: Option<RunOutcome>,
    /// Its builds.
    pub(super) builds: Vec<Build>,
}

/// A build in the report.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Build {
    identifier: String,
    outcome: BuildOutcome,
    /// What validation found.
    pub(super) cache: Option<Cache>,
}

/// The command, with more flags.
///
/// # Errors
/// Nobody knows where this program is.
pub(super) fn command(rig: &Rig<'_>, places: &Places<'_>, flags: &[&str]) -> Result<Command> {
    let program = std::env::current_exe().context("this program has no path")?;
    let program = Utf8PathBuf::from_path_buf(program)
        .map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))?;
    let mut command = rig.command(&program);
    command
        .args(["release-wheels", "--image", "lab", "--project", places.package.as_str()])
        .args(["--ccache-dir", places.cache.as_str(), "--output-dir", places.wheels.as_str()])
        .args(["--report-dir", places.records.as_str()])
        // The one that its rivals have as well.
        .args(["--ccache", "image"])
        .args(flags)
        .env("CIBW_CONTAINER_ENGINE", rig.container_engine(&[]));
    Ok(command)
}

/// Runs it; `word` is what its times are told under.
///
/// # Errors
/// It fails, leaves no report, or not every build was done.
pub(super) fn run(rig: &Rig<'_>, places: &Places<'_>, flags: &[&str], word: &str) -> Result<Done> {
    let command = command(rig, places, flags)?;
    let began = SystemTime::now();
    let seconds = rig.time("release-wheels", command, |_, _| {})?;
    let path = places.records.join("report.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let report: Report = serde_json::from_str(&text).with_context(|| path.to_string())?;
    report.check()?;
    let run: Run = serde_json::from_str(&text).with_context(|| path.to_string())?;
    // The report is written when its run ends; the run's own clock starts later than the program.
    let ended = path.metadata()?.modified()?.duration_since(began).unwrap_or_default();
    let outside = Outside {
        before: (ended.as_secs_f64() - run.elapsed_seconds).max(0.0),
        after: (seconds - ended.as_secs_f64()).max(0.0),
    };
    Ok(Done { seconds, report, spending: spending(word, &run, &outside) })
}

/// What the program spends outside of its run, in seconds.
struct Outside {
    before: f64,
    after: f64,
}

fn spending(word: &str, run: &Run, outside: &Outside) -> Spending {
    let path = CriticalPath::of(run);
    let own = |name: &str, seconds| Spent { name: format!("own, {name}"), seconds };
    let mut spent = vec![own("before", outside.before + path.before_seconds)];
    spent.extend(path.spent());
    spent.push(own("between", path.between_seconds));
    spent.push(own("after", path.after_seconds + outside.after));
    let chain = path.steps.into_iter().map(|step| step.identifier).collect();
    Spending { run: word.to_owned(), spent, chain, work: None }
}

impl Report {
    /// Whether every build was really done.
    fn check(&self) -> Result<()> {
        let odd = self.builds.iter().find(|build| build.outcome != BuildOutcome::Built);
        if let Some(build) = odd {
            anyhow::bail!("{} is {}, not built", build.identifier, build.outcome.word());
        }
        anyhow::ensure!(
            self.outcome == Some(RunOutcome::Done) && !self.builds.is_empty(),
            "release-wheels has not done what it was asked to"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_that_built_everything_counts() {
        let report = |outcome: &str, builds: &[&str]| {
            let builds: Vec<_> = builds
                .iter()
                .map(|outcome| serde_json::json!({"identifier": "i", "outcome": outcome}))
                .collect();
            let value = serde_json::json!({"outcome": outcome, "builds": builds});
            serde_json::from_value::<Report>(value).unwrap().check()
        };
        assert!(report("done", &["built", "built"]).is_ok());
        for (outcome, builds) in [
            ("done", &["built", "resumed"][..]),
            ("done", &[]),
            ("failed", &["built"]),
            ("failed", &["built", "not-run"]),
        ] {
            assert!(report(outcome, builds).is_err(), "{outcome} {builds:?}");
        }
    }

    #[test]
    fn all_of_the_programs_time_is_told_of() {
        let run: Run = serde_json::from_value(serde_json::json!({
            "elapsed_seconds": 10.0,
            "builds": [{
                "identifier": "cp312", "started_seconds": 1.0, "elapsed_seconds": 8.0,
                "phases": [{"name": "build", "started_seconds": 2.0, "elapsed_seconds": 7.0}],
            }],
        }))
        .unwrap();
        let spending = spending("c", &run, &Outside { before: 3.0, after: 0.5 });
        let spent: Vec<_> =
            spending.spent.iter().map(|it| (it.name.as_str(), it.seconds)).collect();
        let own = [("own, before", 4.0), ("start-up", 1.0), ("build", 7.0)];
        assert_eq!(spent[..3], own);
        assert_eq!(spent[3..], [("own, between", 0.0), ("own, after", 1.5)]);
        assert_eq!(spending.chain, ["cp312"]);
    }
}
