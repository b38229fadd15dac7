//! Where commands are timed: a temporary folder, an environment without what the user has set for
//! builds, and containers that go when it does.

use std::collections::VecDeque;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::Bench;
use crate::cli::Sample;
use crate::fault::{Class, Fault};
use crate::process::{self, Ended};
use crate::provision;
use crate::text::quote;

/// Asking for containers, and removing one that does not want to go.
const SWEEP_LIMIT: Duration = Duration::from_secs(60);
/// How much of the log of a command that failed is shown, in lines.
const TAIL_LINES: usize = 30;
/// Settings of builds. Those of the person who measures must not reach one rival and not another.
const SETTINGS: [&str; 3] = ["CIBW_", "CCACHE_", "WARMWHEEL_"];

/// See the module.
pub(super) struct Rig<'a> {
    /// What is to be measured, with what.
    pub(super) bench: &'a Bench<'a>,
    /// The Python that has cibuildwheel.
    pub(super) python: Utf8PathBuf,
    /// A folder that goes with this.
    pub(super) folder: Utf8PathBuf,
    label: String,
    /// Settings of builds that hold for every rival.
    settings: &'static [(&'static str, &'static str)],
    _folder: TempDir,
}

impl<'a> Rig<'a> {
    /// Gets ready what would otherwise be made while the clock runs.
    ///
    /// # Errors
    /// cibuildwheel cannot be installed or the validator not compiled, or the target folder cannot
    /// be written.
    pub(super) fn new(bench: &'a Bench<'a>, package: Sample) -> Result<Self> {
        let folders = bench.folders;
        let python = provision::cibuildwheel(bench.pins, bench.environment, bench.console)?;
        provision::container_files(&folders.workspace, &folders.target, bench.environment)?;
        let guard = tempfile::Builder::new().prefix("bench-").tempdir_in(&folders.target)?;
        let folder = Utf8Path::from_path(guard.path()).context("the target folder is not UTF-8")?;
        let folder = folder.canonicalize_utf8()?;
        let label = format!("warmwheel.bench={}", folder.file_name().unwrap_or_default());
        let settings = package.facts().tests;
        Ok(Self { bench, python, folder, label, settings, _folder: guard })
    }

    /// A command with the test image's variables, and with none of the user's for builds.
    pub(super) fn command(&self, program: &Utf8Path) -> Command {
        let mut command = process::command(program);
        for name in SETTINGS.iter().flat_map(|it| self.bench.environment.starting_with(it)) {
            command.env_remove(name.0);
        }
        command.envs(&self.bench.lab.environment).envs(self.settings.iter().copied());
        command
    }

    /// cibuildwheel's `container-engine`: the test image's, with a label by which containers that
    /// were left behind are found.
    pub(super) fn container_engine(&self, more: &[String]) -> String {
        let lab = self.bench.lab;
        let own = [format!("--label={}", self.label)];
        let all = own.iter().chain(more).chain(&lab.create_args).map(|word| quote(word));
        format!("{}; create_args: {}", lab.engine.name(), all.collect::<Vec<_>>().join(" "))
    }

    /// Runs a command and returns the seconds that it took. `on_line` gets each line of its output
    /// with the seconds since its start.
    ///
    /// # Errors
    /// It fails, or this process is asked to stop.
    pub(super) fn time(
        &self,
        what: &str,
        command: Command,
        mut on_line: impl FnMut(f64, &[u8]),
    ) -> Result<f64> {
        let mut tail = VecDeque::new();
        let began = Instant::now();
        let ended = process::stream(command, self.bench.interrupt, |line| {
            on_line(began.elapsed().as_secs_f64(), line);
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
            Ok(())
        })?;
        let seconds = began.elapsed().as_secs_f64();
        let fault = match ended {
            Ended::Exited(status) if status.success() => return Ok(seconds),
            Ended::Exited(status) => {
                let tail = Vec::from(tail).join("\n  | ");
                let what = format!("{what} ended with {status}; the end of its log:\n  | {tail}");
                Fault::new(Class::Build, what, "")
            }
            Ended::Interrupted => {
                let signal = self.bench.interrupt.signal().unwrap_or_default();
                Fault::new(Class::Interrupted(signal), "interrupted", "")
            }
        };
        Err(fault.into())
    }

    fn engine(&self) -> Command {
        let mut command = process::command(self.bench.lab.engine.name());
        command.envs(&self.bench.lab.environment);
        command
    }
}

impl Drop for Rig<'_> {
    /// Removes the containers that are still there.
    fn drop(&mut self) {
        let mut list = self.engine();
        list.args(["ps", "--all", "--quiet", "--filter", &format!("label={}", self.label)]);
        for left in process::probe(list, SWEEP_LIMIT).unwrap_or_default().split_whitespace() {
            let mut remove = self.engine();
            remove.args(["rm", "--force", "--volumes", left]);
            if let Err(error) = process::read(remove, SWEEP_LIMIT) {
                self.bench.console.say(format!("warning: container {left} is left: {error:#}"));
            }
        }
    }
}
