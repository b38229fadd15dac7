//! What `release-wheels` adds to one build: the same build without it, in the same warm cache.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::figures::{self, Baseline, Limit, Report, Row, Unit};
use super::rig::Rig;
use super::warmwheel::{self, Places};
use super::{Bench, machine};
use crate::cli::Sample;
use crate::{process, staging};

/// Working out a plan takes a second or two.
const PLAN_LIMIT: Duration = Duration::from_secs(120);
const RAW: &str = "cibuildwheel --only";
const OURS: &str = "release-wheels --only";
/// What a build may take longer: a hundredth, and this many seconds.
const LIMIT: (f64, f64) = (1.01, 0.3);

/// The part of a plan that is needed to do it by hand.
#[derive(Debug, Deserialize)]
struct Plan {
    builds: Vec<Build>,
}

#[derive(Debug, Deserialize)]
struct Build {
    argv: Vec<String>,
    folder: Utf8PathBuf,
    environment: BTreeMap<String, String>,
    mounts: Vec<Mount>,
}

#[derive(Debug, Deserialize)]
struct Mount {
    host: Utf8PathBuf,
}

/// Measures with the demo, in turns.
///
/// # Errors
/// Something is missing, or a build fails.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Report> {
    let rig = Rig::new(bench, Sample::Demo)?;
    let tree = Sample::Demo.copy(bench, &rig.python, &rig.folder)?;
    let identifier = format!("cp312-manylinux_{}", bench.lab.architecture);
    let cache = rig.folder.join("cache");
    let single = Single { rig: &rig, tree: &tree, cache: &cache, identifier: &identifier };
    let machine = machine::told();
    single.ours()?;
    let (mut raw, mut ours) = (Vec::new(), Vec::new());
    for round in 0..bench.rounds {
        // Whoever comes second finds more in the system's own caches.
        if round % 2 == 0 {
            raw.push(single.raw()?);
            ours.push(single.ours()?);
        } else {
            ours.push(single.ours()?);
            raw.push(single.raw()?);
        }
        let (raw, ours) = (raw[raw.len() - 1], ours[ours.len() - 1]);
        let number = round + 1;
        bench.console.say(format!(
            "round {number} of {}: {RAW} {raw:.2} s, {OURS} {ours:.2} s",
            bench.rounds
        ));
    }
    Ok(report(&identifier, &machine, raw, ours))
}

/// One build, in both ways.
struct Single<'a> {
    rig: &'a Rig<'a>,
    tree: &'a Utf8Path,
    cache: &'a Utf8Path,
    identifier: &'a str,
}

impl Single<'_> {
    /// Seconds of a run of `release-wheels`.
    fn ours(&self) -> Result<f64> {
        self.in_folders(|places| {
            let flags = ["--only", self.identifier, "--jobs", "1"];
            let done = warmwheel::run(self.rig, places, &flags, OURS)?;
            check_wheel(places.wheels)?;
            Ok(done.seconds)
        })
    }

    /// Seconds of the command that `release-wheels` would run. What it needs is there before the
    /// clock starts.
    fn raw(&self) -> Result<f64> {
        self.in_folders(|places| {
            let flags = ["--only", self.identifier, "--jobs", "1", "--plan=json"];
            let plan = warmwheel::command(self.rig, places, &flags)?;
            let plan: Plan = serde_json::from_str(&process::read(plan, PLAN_LIMIT)?)
                .context("the plan of release-wheels")?;
            let [build] = plan.builds.as_slice() else {
                anyhow::bail!("{} builds are planned for {}", plan.builds.len(), self.identifier);
            };
            let (program, arguments) = build.argv.split_first().context("an empty command")?;
            staging::copy_project(self.tree, &build.folder, &[])?;
            let wheels = build.wheels()?;
            for folder in build.mounts.iter().map(|mount| &mount.host).chain([&wheels]) {
                fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
            }
            let mut command = self.rig.command(Utf8Path::new(program));
            command.args(arguments).current_dir(&build.folder).envs(&build.environment);
            let seconds = self.rig.time(RAW, command, |_, _| {})?;
            check_wheel(&wheels)?;
            Ok(seconds)
        })
    }

    /// Gives folders that are not there before and afterwards.
    fn in_folders(&self, what: impl FnOnce(&Places<'_>) -> Result<f64>) -> Result<f64> {
        let folder = self.rig.folder.join("run");
        let (wheels, records) = (folder.join("wheels"), folder.join("records"));
        let (package, cache) = (self.tree, self.cache);
        let seconds = what(&Places { package, cache, wheels: &wheels, records: &records })?;
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {folder}"))?;
        Ok(seconds)
    }
}

impl Build {
    /// Where the command puts the wheel.
    fn wheels(&self) -> Result<Utf8PathBuf> {
        let mut words = self.argv.iter().skip_while(|word| *word != "--output-dir");
        words.nth(1).map(Utf8PathBuf::from).context("the planned command has no --output-dir")
    }
}

fn check_wheel(folder: &Utf8Path) -> Result<()> {
    let mut wheels = 0;
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        wheels += u32::from(entry?.path().extension() == Some("whl"));
    }
    anyhow::ensure!(wheels == 1, "{wheels} wheels were built, not one");
    Ok(())
}

fn report(identifier: &str, machine: &str, raw: Vec<f64>, ours: Vec<f64>) -> Report {
    let plural = if raw.len() == 1 { "round" } else { "rounds" };
    let rounds = format!("{} {plural}, in each of which both were run.", raw.len());
    let difference = raw.iter().zip(&ours).map(|(raw, ours)| ours - raw).collect();
    let (times, plus) = LIMIT;
    let limit = Limit::against("raw", times, plus);
    let (scene, unit) = ("one warm build", Unit::Seconds);
    let mut rows = Vec::new();
    rows.extend(Row::new(scene, RAW, unit, raw, []));
    rows.extend(Row::new(scene, OURS, unit, ours, [limit]));
    rows.extend(Row::new("difference of a round", OURS, unit, difference, []));
    let baselines = [Baseline::new(RAW, "raw")];
    figures::compare(&mut rows, &baselines);
    Report {
        suite: "overhead".to_owned(),
        circumstances: vec![
            rounds,
            format!("The demo, {identifier}, in a warm cache; `release-wheels` with --jobs 1."),
            "The bare command has the variables, mounts and checks of the build's plan; its clean \
             copy of the project was made before the clock started."
                .to_owned(),
            machine.to_owned(),
        ],
        baselines: baselines.into(),
        rows,
        spendings: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_and_a_little_is_allowed() {
        for (ours, kept) in [(30.6, true), (30.61, false)] {
            let report = report("cp312", "2 processors.", vec![29.0, 30.0, 31.0], vec![ours; 3]);
            assert_eq!(report.rows[1].is_kept(), kept, "{:?}", report.rows[1]);
            let difference = &report.rows[2];
            assert!((difference.median - (ours - 30.0)).abs() < 1e-9, "{difference:?}");
            assert!(difference.is_kept());
        }
    }

    #[test]
    fn the_planned_command_tells_where_its_wheel_goes() {
        let build = |argv: &[&str]| {
            let value = serde_json::json!({
                "argv": argv, "folder": "/s", "environment": {}, "mounts": [{"host": "/h"}],
            });
            serde_json::from_value::<Build>(value).unwrap().wheels()
        };
        assert_eq!(build(&["p", "--output-dir", "/o", "."]).unwrap(), "/o");
        assert!(build(&["p", "--output-dir"]).is_err());
        assert!(build(&["p", "."]).is_err());
    }
}
