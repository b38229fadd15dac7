//! `cargo xtask release-wheels`: the whole pipeline.

mod folder;
pub(crate) mod input;
mod prepared;
pub(crate) mod ready;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use self::folder::{Stage, keep_out_of_git, make_run_folder, run_id, stage_folder};
use self::input::Input;
use self::prepared::Prepared;
use crate::builder::cibuildwheel::Cibuildwheel;
use crate::builder::{host, sweep};
use crate::cache;
use crate::cli::{Builder, PlanFormat, ReleaseWheels};
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{FailureKind, Report, Reporter, RunOutcome};
use crate::fault::Class;
use crate::folders::Folders;
use crate::history::{self, Entry, History};
use crate::image;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::provision;
use crate::report::live::Live;
use crate::report::terminal::Terminal;
use crate::report::{files, html};
use crate::resume::Resume;
use crate::resume::inputs::Inputs;
use crate::resume::remembering::{self, Remembering};
use crate::scheduler::{self, Beginning, Ending, Events};
use crate::settings::Settings;
use crate::staging::digest::Digest;

/// Where the records of a project's runs are.
const RUNS: &str = "target/warmwheel";

/// Builds a package's wheels, or shows how it would.
pub(crate) fn run(flags: &ReleaseWheels, environment: &Environment) -> Result<ExitCode> {
    let console = Console::of_run(flags.verbose, flags.quiet, environment);
    let mut run = Run::plan(flags, None, environment, console)?;
    if let Some(format) = flags.plan {
        return run.show(format);
    }
    let shown = |earlier: Option<Entry>| -> Box<dyn Reporter> {
        match console.screen() {
            Some(screen) => Box::new(Live::new(console, screen, earlier)),
            None => Box::new(Terminal::new(console)),
        }
    };
    let (code, _) = run.execute(shown, &|_| Ok(()))?;
    Ok(ExitCode::from(code))
}

/// A run that is planned and not begun.
pub(crate) struct Run<'a> {
    flags: &'a ReleaseWheels,
    environment: &'a Environment,
    console: Console,
    started: Timestamp,
    input: Input,
    prepared: Prepared,
    /// The compilation of what containers run, unless nobody asks for it.
    files: Option<JoinHandle<Result<Utf8PathBuf>>>,
    /// What is going to be done.
    pub(crate) plan: Plan,
}

impl<'a> Run<'a> {
    /// Reads what is wanted, gets what is needed for it, and plans. `builder` is what builds, whatever
    /// the settings say; `None` leaves it to them.
    ///
    /// # Errors
    /// Anything that keeps builds from being started; nothing was changed then.
    pub(crate) fn plan(
        flags: &'a ReleaseWheels,
        builder: Option<Builder>,
        environment: &'a Environment,
        console: Console,
    ) -> Result<Self> {
        let started = Timestamp::now();
        let input = Input::read(flags, environment)?;
        let settings =
            Settings::resolve(flags, &input.traits.table, &input.project.root, environment)?
                .built_by(builder, flags)?;
        ready::ensure(flags, &settings, &input.project.root, environment, console)?;
        let folders = Folders::of(environment);
        // Seldom more than a look whether it is fresh, which others need not wait for.
        let builds = flags.plan.is_none() || flags.resume;
        let files = builds.then(|| {
            let (folders, environment) = (folders.clone(), environment.clone());
            thread::spawn(move || {
                provision::container_files(&folders.workspace, &folders.target, &environment)
            })
        });
        let prepared = Prepared::gather(flags, &input, &settings, folders, environment, console)?;
        let missing = match flags.plan {
            Some(_) => image::Missing::Left,
            None => image::Missing::Pulled(console),
        };
        let run_id = run_id(started);
        let plan = prepared.plan(&run_id, &input, &settings, environment, missing, console)?;
        Ok(Self { flags, environment, console, started, input, prepared, files, plan })
    }

    /// Shows the plan, with what `--resume` would make of it if that is asked for.
    ///
    /// # Errors
    /// It cannot be written as JSON, or the source cannot be read.
    pub(crate) fn show(&mut self, format: PlanFormat) -> Result<ExitCode> {
        if self.flags.resume {
            self.wait_for_files()?;
            let folder = tempfile::tempdir()?;
            let stage = Utf8Path::from_path(folder.path())
                .context("the folder for temporary files has a name that is not UTF-8")?
                .join("stage");
            let digest = self.input.digest_apart(&self.plan, &stage)?;
            let resume = self.resume(digest);
            let inputs = self.inputs()?;
            remembering::without_needless_pioneers(&mut self.plan, &inputs, &resume);
            self.plan.foreseen = remembering::foreseen(&self.plan, &inputs, &resume);
        }
        self.console.data(match format {
            PlanFormat::Text => self.plan.to_text(),
            PlanFormat::Json => serde_json::to_string_pretty(&self.plan)?,
        });
        Ok(ExitCode::SUCCESS)
    }

    /// Carries the plan out, telling the reporter of it that `shown` makes of the run before this one;
    /// `before` is called when the cache folder is ready. Returns the exit code and the report.
    ///
    /// # Errors
    /// Something failed that is no build's affair.
    pub(crate) fn execute(
        &mut self,
        shown: impl FnOnce(Option<Entry>) -> Box<dyn Reporter>,
        before: &dyn Fn(&Plan) -> Result<()>,
    ) -> Result<(u8, Report)> {
        self.wait_for_files()?;
        let console = self.console;
        for line in self.plan.about_left_out().into_iter().chain(self.plan.about_before_all()) {
            console.say(line);
        }
        for second_choice in self.plan.second_choices() {
            console.say(second_choice);
        }
        let interrupt = Interrupt::listen().context("cannot listen for signals")?;
        make_run_folder(&self.plan)?;
        host::place(&self.plan)?;
        keep_out_of_git(&self.runs())?;
        let cleared = cache::prepare(&self.plan.ccache_dir)?;
        console.say(format!(
            "cache {}: {} stale markers removed",
            self.plan.ccache_dir, cleared.markers
        ));
        before(&self.plan)?;
        let stage = Stage(stage_folder(&self.plan.report_dir));
        self.input.stage(&self.plan, &stage.0)?;

        let resume = self.resume(self.input.digest(&stage.0));
        let inputs = self.inputs()?;
        remembering::without_needless_pioneers(&mut self.plan, &inputs, &resume);
        let plan = &self.plan;
        let builder = Cibuildwheel { plan, environment: self.environment, console };
        let builder = Remembering::new(plan, &inputs, &builder, &resume, console);
        let done = if self.flags.resume { builder.done() } else { BTreeMap::new() };
        let (command, started) = (self.flags.command(), self.started.to_string());
        let beginning = Beginning { command, started, done };
        let history = self.history();
        let mut events = Events::new(console, self.reporters(history.as_ref(), shown)?);
        let ending = sweep::with_sweeping(plan, &interrupt, console, || {
            scheduler::run(plan, beginning, &builder, &interrupt, &mut events)
        });
        if ending.outcome != RunOutcome::Done {
            sweep::sweep(plan, console);
        }
        // Its digest may still be reading the stage.
        drop(resume);
        drop(stage);
        let report = events.into_report();
        if let (Some(history), Some(entry)) = (history, Entry::of(&report))
            && let Err(error) = history.add(&entry)
        {
            console.warn(format!("`report --history` will not know of this run: {error:#}"));
        }
        console.say(format!("report: {}", plan.report_dir.join(html::FILE)));
        Ok((exit_code(ending, &interrupt), report))
    }

    fn wait_for_files(&mut self) -> Result<()> {
        if let Some(files) = self.files.take() {
            files.join().map_err(|_| anyhow!("the validator's compilation broke off"))??;
        }
        Ok(())
    }

    /// Where the project's runs leave their records.
    fn runs(&self) -> Utf8PathBuf {
        self.input.project.root.join(RUNS)
    }

    fn resume(&self, source: Digest) -> Resume {
        let plan = &self.plan;
        Resume::new(&self.runs(), &plan.package, &plan.output_dir, &plan.run_id, source)
    }

    /// What each build is made with.
    fn inputs(&self) -> Result<Vec<Inputs>> {
        let common = self.prepared.common(&self.plan, &self.input)?;
        Ok(remembering::inputs_of(&self.plan, self.environment, &common))
    }

    /// The package's earlier runs. One without a place for them is a run all the same.
    fn history(&self) -> Option<History> {
        let cache = self.environment.cache_folder().ok()?;
        Some(History::of(&cache, &self.plan.package))
    }

    fn reporters(
        &self,
        history: Option<&History>,
        shown: impl FnOnce(Option<Entry>) -> Box<dyn Reporter>,
    ) -> Result<Vec<Box<dyn Reporter>>> {
        let folder = &self.plan.report_dir;
        let earlier = history.map(History::read).unwrap_or_default();
        let previous = history::before(&earlier, &self.plan.run_id).cloned();
        Ok(vec![
            Box::new(files::Stream::start(folder)?),
            Box::new(files::Json::new(folder)),
            Box::new(html::Page::new(folder, previous.clone())),
            shown(previous),
        ])
    }
}

fn exit_code(ending: Ending, interrupt: &Interrupt) -> u8 {
    match ending.outcome {
        RunOutcome::Done => 0,
        RunOutcome::Interrupted => {
            Class::Interrupted(interrupt.signal().unwrap_or_default()).exit_code()
        }
        RunOutcome::Failed => ending.first_failure.map_or(Class::Build, class).exit_code(),
    }
}

fn class(kind: FailureKind) -> Class {
    match kind {
        FailureKind::Build | FailureKind::Interrupted => Class::Build,
        FailureKind::Cache => Class::Cache,
        FailureKind::Machine => Class::Machine,
        FailureKind::Wheel => Class::Wheel,
    }
}
