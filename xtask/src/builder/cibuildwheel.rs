//! Builds through cibuildwheel, and through what stands in for it where there are no containers
//! ([`super::host`]): its processes take the same arguments and write the same log.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::process::ExitStatus;

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;
use ccache_validator::record::Record;
use ccache_validator::state;
use ccache_validator::validate::WHEEL_DIR;

use super::compiling::Times;
use super::excerpt::Excerpt;
use super::watch::Watch;
use super::{compiling, progress, verdict, wheel};
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{BuildOutcome, BuildResult, Failure, FailureKind};
use crate::interrupt::Interrupt;
use crate::plan::{BuildPlan, Plan};
use crate::process::{self, Ended};
use crate::scheduler::{Builder, Job, News, Tell};

/// Files by which a step of GitHub's tells its runner something. A build on the host could write to
/// them; its summary has a file of its own.
const RUNNERS_FILES: [&str; 4] = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE"];

/// Runs builds through cibuildwheel.
pub(crate) struct Cibuildwheel<'a> {
    /// The run.
    pub(crate) plan: &'a Plan,
    /// The user's variables.
    pub(crate) environment: &'a Environment,
    /// Where logs are shown, if they are.
    pub(crate) console: Console,
}

impl Builder for Cibuildwheel<'_> {
    fn build(&self, job: &Job<'_>, interrupt: &Interrupt, tell: &Tell<'_>) -> Vec<BuildResult> {
        let builds = job.builds.as_slice();
        let process = match (job.shares, builds) {
            (None, [build]) => Some((*build).clone()),
            (Some(pioneer), _) => BuildPlan::grouped(pioneer, builds),
            (None, _) => None,
        };
        let Some(process) = process else {
            // They differ in their options, so each has a process of its own after all.
            let alone = |(place, &build): (usize, &&'_ BuildPlan)| {
                let job = Job { builds: vec![build], shares: None, fills: job.fills };
                self.build(&job, interrupt, &|news| tell(news.at(place)))
            };
            return builds.iter().enumerate().flat_map(alone).collect();
        };
        let ran = self.run(&process, job, interrupt, tell);
        self.console.show_whole(&process.log(), self.plan.jobs);
        let judged = |(place, &build): (usize, &&BuildPlan)| {
            let result = match &ran {
                Ok(ran) => self.judge(&process, build, place, ran),
                Err(error) => Err(anyhow!("{error:#}")),
            };
            let mut result = result.unwrap_or_else(|error| {
                BuildResult::failed(failure(FailureKind::Build, format!("{error:#}"), ""))
            });
            result.log = process.log();
            if let (0, Ok(ran)) = (place, &ran) {
                result.compiling = compiling::of_process(&process, &ran.times);
                result.files = verdict::files_of(&process);
            }
            if let Some(failure) = &mut result.failure {
                failure.unproven = self.keep_unproven(&process);
            }
            result
        };
        builds.iter().enumerate().map(judged).collect()
    }
}

/// How a process went.
struct Ran {
    ended: Ended,
    /// Whether it made a finished wheel again for others to use.
    is_shared: bool,
    /// The wheels that it left.
    wheels: Vec<Utf8PathBuf>,
    /// What of its log says why it failed, if it did.
    tail: Vec<String>,
    /// How many of its builds were behind it at its end.
    passed: usize,
    times: Times,
}

impl Ran {
    fn succeeded(&self) -> bool {
        matches!(&self.ended, Ended::Exited(status) if status.success())
    }
}

impl Cibuildwheel<'_> {
    /// Says what became of one build of a process.
    fn judge(
        &self,
        process: &BuildPlan,
        build: &BuildPlan,
        place: usize,
        ran: &Ran,
    ) -> Result<BuildResult> {
        if !ran.succeeded() && place > ran.passed {
            // Its turn never came.
            return Ok(BuildResult::default());
        }
        let record = verdict::left_by_hook(process, &build.identifier)?;
        let cache = record.as_ref().map(|record| verdict::cache(record, false));
        let mut result = BuildResult { cache, ..BuildResult::default() };
        match &ran.ended {
            Ended::Interrupted if place == ran.passed => {
                result.fail(failure(FailureKind::Interrupted, "interrupted".to_owned(), ""));
            }
            Ended::Exited(status) if !status.success() && place == ran.passed => {
                result.fail(cause(process, record.as_ref(), *status, &ran.tail));
            }
            _ => self.accept(process, build, ran, record.is_some(), &mut result)?,
        }
        Ok(result)
    }

    /// Takes the wheel of a build that ended well, and judges it if nobody has yet.
    fn accept(
        &self,
        process: &BuildPlan,
        build: &BuildPlan,
        ran: &Ran,
        judged: bool,
        result: &mut BuildResult,
    ) -> Result<()> {
        let path = match wheel::choose(&ran.wheels, &build.identifier) {
            Ok(path) => path,
            Err(objection) => {
                let remedy = "look at the package's repair-wheel-command and at the log";
                result.fail(failure(FailureKind::Wheel, objection, remedy));
                return Ok(());
            }
        };
        if !judged {
            let audit = verdict::audit(self.plan, process, build, path)?;
            result.cache = Some(verdict::cache(&audit, true));
            if let Some(refused) = verdict::failure(&audit) {
                result.fail(refused);
                return Ok(());
            }
        }
        // What it made again is there already, and reported.
        let present = self.plan.output_dir.join(path.file_name().unwrap_or_default());
        let keeps = ran.is_shared && present.is_file();
        result.wheel = Some(if keeps {
            wheel::describe(present)?
        } else {
            wheel::place(path, &self.plan.output_dir)?
        });
        result.outcome = if ran.is_shared { BuildOutcome::Reused } else { BuildOutcome::Built };
        Ok(())
    }

    /// Runs the process, its output going to its log.
    fn run(
        &self,
        process: &BuildPlan,
        job: &Job<'_>,
        interrupt: &Interrupt,
        tell: &Tell<'_>,
    ) -> Result<Ran> {
        for folder in [verdict::shared_folder(process), process.wheels()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
        }
        if job.fills {
            let (folder, run) = (self.plan.ccache_dir.as_std_path(), &self.plan.run_id);
            state::reserve(folder, &process.domain, run, &process.identifier)?;
        }
        let (program, arguments) = process.argv.split_first().context("the plan has no command")?;
        let mut command = process::command(program);
        command.args(arguments).current_dir(&process.folder);
        if let Some(host) = &process.host {
            let value = |name: &String| Some((name.clone(), self.environment.get(name)?));
            command.env_clear().envs(host.inherits.iter().filter_map(value));
        }
        command.envs(&process.environment);
        for name in RUNNERS_FILES {
            command.env_remove(name);
        }
        let path = process.log();
        let log = File::create(&path).with_context(|| format!("cannot write {path}"))?;
        let mut log = BufWriter::new(log);
        let identifiers: Vec<_> =
            job.builds.iter().map(|build| build.identifier.as_str()).collect();
        let mut watch = Watch::new(&identifiers);
        let mut excerpt = Excerpt::default();
        let live = self.console.shows_logs_live(self.plan.jobs);
        let mut told = false;
        let mut times = Times::start();
        let on_line = |line: &[u8]| {
            log.write_all(line).with_context(|| format!("cannot write {path}"))?;
            let news = watch.take_in(line);
            if !news.is_empty() {
                log.flush()?;
                if !told && verdict::keeps_records(process) == Some(false) {
                    told = true;
                    tell(News::CountsAlone);
                }
            }
            for news in news {
                if let News::Phase { name, .. } = &news {
                    times.phase_begins(name);
                    excerpt.phase_begins();
                }
                tell(news);
            }
            if live {
                self.console.pass_on(line);
            }
            excerpt.take_in(line);
            Ok(())
        };
        let ended = progress::told(process, tell, || process::stream(command, interrupt, on_line))?;
        log.flush().with_context(|| format!("cannot write {path}"))?;
        let is_shared = job.shares.is_some();
        let mut wheels = wheel::list(&process.wheels())?;
        if wheels.is_empty() && is_shared {
            // cibuildwheel copies wheels out at its end, which a later version's failure forestalls.
            wheels = wheel::list(&verdict::shared_folder(process).join(WHEEL_DIR))?;
        }
        Ok(Ran { ended, is_shared, wheels, tail: excerpt.lines(), passed: watch.passed(), times })
    }

    /// Saves a wheel that was compiled but not accepted: what cibuildwheel left, or the copy that
    /// the hook made before it judged.
    fn keep_unproven(&self, build: &BuildPlan) -> Option<Utf8PathBuf> {
        let copies = verdict::shared_folder(build).join(WHEEL_DIR);
        let wheels = [build.wheels(), copies];
        let wheel =
            wheels.iter().flat_map(|folder| wheel::list(folder).unwrap_or_default()).next()?;
        // If it cannot be moved it stays where it is, and that is still the place to name.
        wheel::place(&wheel, &self.plan.report_dir.join("unproven"))
            .map_or(Some(wheel), |placed| Some(placed.path))
    }
}

/// Why a process failed. The most telling cause comes first: a refused cache makes cibuildwheel fail,
/// too.
fn cause(
    process: &BuildPlan,
    record: Option<&Record>,
    status: ExitStatus,
    tail: &[String],
) -> Failure {
    if let Some(refused) = record.and_then(verdict::failure) {
        return refused;
    }
    if let Some((kind, what, remedy)) = verdict::preflight_failure(process) {
        return failure(kind, what, &remedy);
    }
    let who = if process.host.is_some() { "the build" } else { "cibuildwheel" };
    let what = format!("{who} ended with {status}");
    Failure { tail: tail.to_vec(), ..failure(FailureKind::Build, what, "") }
}

impl BuildResult {
    fn failed(failure: Failure) -> Self {
        Self { outcome: BuildOutcome::Failed, failure: Some(failure), ..Self::default() }
    }

    fn fail(&mut self, failure: Failure) {
        self.outcome = BuildOutcome::Failed;
        self.failure = Some(failure);
    }
}

fn failure(kind: FailureKind, what: String, remedy: &str) -> Failure {
    Failure { kind, what, remedy: remedy.to_owned(), tail: Vec::new(), unproven: None }
}
