//! cibuildwheel: what it makes of a package's settings, and one build through it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{phase, verdict, wheel};
use crate::console::Console;
use crate::event::{BuildOutcome, BuildResult, Failure, FailureKind};
use crate::fault::Fault;
use crate::interrupt::Interrupt;
use crate::plan::facts::Answer;
use crate::plan::{BuildPlan, Plan, RUN_LABEL};
use crate::process::{self, Ended};
use crate::scheduler::{Builder, News};

/// Reading a package's settings takes a second; this is for machines under load.
const ASK_LIMIT: Duration = Duration::from_secs(60);
/// Removing a container that does not want to go.
const SWEEP_LIMIT: Duration = Duration::from_secs(60);
/// How much of a failed build's log is shown, in lines.
const TAIL_LINES: usize = 25;
/// A line of that is cut here, in characters.
const TAIL_WIDTH: usize = 300;

/// Asks cibuildwheel what it would build of `package` (relative to `project`), and how.
///
/// # Errors
/// cibuildwheel refuses the package's settings.
pub(crate) fn ask(
    python: &Utf8Path,
    project: &Utf8Path,
    package: &Utf8Path,
    platform: &str,
) -> Result<Answer> {
    const SCRIPT: &str = include_str!("options.py");
    let package = if package.as_str().is_empty() { "." } else { package.as_str() };
    let mut command = process::command(python);
    command.current_dir(project).args(["-c", SCRIPT, platform, package]);
    let answer = process::read(command, ASK_LIMIT)
        .with_context(|| format!("cibuildwheel cannot read the settings of {package}"))?;
    let answer: Value = serde_json::from_str(&answer).context("cibuildwheel's answer")?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        return Err(Fault::usage(
            format!("cibuildwheel refuses the settings of the package in {package}: {error}"),
            "mend [tool.cibuildwheel] or the CIBW_* variables",
        ));
    }
    serde_json::from_value(answer).context("cibuildwheel's answer")
}

/// Runs builds through cibuildwheel.
pub(crate) struct Cibuildwheel<'a> {
    /// The run.
    pub(crate) plan: &'a Plan,
    /// Where logs are shown, if they are.
    pub(crate) console: Console,
}

impl Builder for Cibuildwheel<'_> {
    fn build(&self, build: &BuildPlan, interrupt: &Interrupt, tell: &dyn Fn(News)) -> BuildResult {
        let mut result = self.run(build, interrupt, tell).unwrap_or_else(|error| BuildResult {
            outcome: BuildOutcome::Failed,
            failure: Some(failure(FailureKind::Build, format!("{error:#}"), "")),
            ..BuildResult::default()
        });
        result.log = build.log();
        self.console.show_whole(&result.log, self.plan.jobs);
        if let Some(failure) = &mut result.failure {
            failure.unproven = self.keep_unproven(build);
        }
        result
    }
}

impl Cibuildwheel<'_> {
    fn run(
        &self,
        build: &BuildPlan,
        interrupt: &Interrupt,
        tell: &dyn Fn(News),
    ) -> Result<BuildResult> {
        for folder in [verdict::shared_folder(build), build.wheels()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
        }
        let (ended, tail) = self.stream(build, interrupt, tell)?;
        let record = verdict::left_by_hook(build)?;
        let cache = record.as_ref().map(|record| verdict::cache(record, false));
        let mut result = BuildResult { cache, ..BuildResult::default() };
        let status = match ended {
            Ended::Interrupted => {
                result.fail(failure(FailureKind::Interrupted, "interrupted".to_owned(), ""));
                return Ok(result);
            }
            Ended::Exited(status) => status,
        };
        // The most telling cause comes first: a refused cache makes cibuildwheel fail, too.
        if let Some(refused) = record.as_ref().and_then(verdict::failure) {
            result.fail(refused);
        } else if let Some((kind, what, remedy)) = verdict::preflight_failure(build) {
            result.fail(failure(kind, what, &remedy));
        } else if !status.success() {
            let what = format!("cibuildwheel ended with {status}");
            result.fail(Failure { tail, ..failure(FailureKind::Build, what, "") });
        } else {
            self.accept(build, record.is_some(), &mut result)?;
        }
        Ok(result)
    }

    /// Takes the wheel of a build that ended well, and judges it if nobody has yet.
    fn accept(&self, build: &BuildPlan, judged: bool, result: &mut BuildResult) -> Result<()> {
        let path = match wheel::find(&build.wheels(), &build.identifier)? {
            Ok(path) => path,
            Err(objection) => {
                let remedy = "look at the package's repair-wheel-command and at the log";
                result.fail(failure(FailureKind::Wheel, objection, remedy));
                return Ok(());
            }
        };
        if !judged {
            let audit = verdict::audit(self.plan, build, &path)?;
            result.cache = Some(verdict::cache(&audit, true));
            if let Some(refused) = verdict::failure(&audit) {
                result.fail(refused);
                return Ok(());
            }
        }
        result.wheel = Some(wheel::place(&path, &self.plan.output_dir)?);
        result.outcome = BuildOutcome::Built;
        Ok(())
    }

    /// Runs the process, its output going to the build's log; returns its last lines, too.
    fn stream(
        &self,
        build: &BuildPlan,
        interrupt: &Interrupt,
        tell: &dyn Fn(News),
    ) -> Result<(Ended, Vec<String>)> {
        let (program, arguments) = build.argv.split_first().context("the plan has no command")?;
        let mut command = process::command(program);
        command.args(arguments).current_dir(&build.folder).envs(&build.environment);
        let path = build.log();
        let log = File::create(&path).with_context(|| format!("cannot write {path}"))?;
        let mut log = BufWriter::new(log);
        let mut tail = VecDeque::new();
        let live = self.console.shows_logs_live(self.plan.jobs);
        let mut told = false;
        let ended = process::stream(command, interrupt, |line| {
            log.write_all(line).with_context(|| format!("cannot write {path}"))?;
            if let Some(name) = phase::begun_by(line) {
                log.flush()?;
                if !told && verdict::keeps_records(build) == Some(false) {
                    told = true;
                    tell(News::CountsAlone);
                }
                tell(News::Phase(name.to_owned()));
                if phase::follows_compilation(name) {
                    tell(News::Compiled);
                }
            }
            if live {
                self.console.pass_on(line);
            }
            remember(&mut tail, line);
            Ok(())
        })?;
        log.flush().with_context(|| format!("cannot write {path}"))?;
        Ok((ended, tail.into()))
    }

    /// Saves a wheel that was compiled but not accepted: what cibuildwheel left, or the copy that
    /// the hook made before it judged.
    fn keep_unproven(&self, build: &BuildPlan) -> Option<Utf8PathBuf> {
        let copies = verdict::shared_folder(build).join("wheel");
        let wheels = [build.wheels(), copies];
        let wheel =
            wheels.iter().flat_map(|folder| wheel::list(folder).unwrap_or_default()).next()?;
        // If it cannot be moved it stays where it is, and that is still the place to name.
        wheel::place(&wheel, &self.plan.report_dir.join("unproven"))
            .map_or(Some(wheel), |placed| Some(placed.path))
    }
}

impl BuildResult {
    fn fail(&mut self, failure: Failure) {
        self.outcome = BuildOutcome::Failed;
        self.failure = Some(failure);
    }
}

fn failure(kind: FailureKind, what: String, remedy: &str) -> Failure {
    Failure { kind, what, remedy: remedy.to_owned(), tail: Vec::new(), unproven: None }
}

/// Keeps the last lines of a log as printable text.
fn remember(tail: &mut VecDeque<String>, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    if text.is_empty() {
        return;
    }
    if tail.len() == TAIL_LINES {
        tail.pop_front();
    }
    tail.push_back(text.chars().filter(|c| !c.is_control()).take(TAIL_WIDTH).collect());
}

/// Removes the containers of a run that are still there.
pub(crate) fn sweep(plan: &Plan, console: Console) {
    let mut engines: Vec<_> = plan.builds.iter().filter_map(|build| build.engine).collect();
    engines.sort_unstable();
    engines.dedup();
    let environment = plan.builds.first().map(|build| &build.environment);
    for engine in engines {
        let mut command = process::command(engine.name());
        command.args(["ps", "--all", "--quiet", "--filter"]);
        command.arg(format!("label={RUN_LABEL}={}", plan.run_id));
        command.envs(environment.into_iter().flatten());
        let Some(left) = process::probe(command, SWEEP_LIMIT) else { continue };
        for container in left.split_whitespace() {
            let mut command = process::command(engine.name());
            command.args(["rm", "--force", "--volumes", container]);
            command.envs(environment.into_iter().flatten());
            if let Err(error) = process::read(command, SWEEP_LIMIT) {
                console.say(format!("warning: container {container} is left: {error:#}"));
            }
        }
    }
}
