//! `cargo xtask release-wheels`: the whole pipeline.

mod folder;
mod input;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use self::folder::{Stage, keep_out_of_git, make_run_folder, run_id, stage_folder};
use self::input::Input;

use crate::builder::answer::{self, Question};
use crate::builder::cibuildwheel::Cibuildwheel;
use crate::builder::sweep;
use crate::cache;
use crate::cli::{PlanFormat, ReleaseWheels};
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{FailureKind, Report, Reporter, RunOutcome};
use crate::fault::{Class, Fault};
use crate::folders::{Folders, LAUNCHER, VALIDATOR};
use crate::history::{self, Entry, History};
use crate::host;
use crate::image;
use crate::interrupt::Interrupt;
use crate::lab::{self, Lab};
use crate::pinned;
use crate::pins::Pins;
use crate::plan::{self, Plan, facts};
use crate::provision;
use crate::report::live::Live;
use crate::report::terminal::Terminal;
use crate::report::{files, html};
use crate::resume::Resume;
use crate::resume::inputs::{Asked, Inputs};
use crate::resume::remembering::{self, Remembering};
use crate::scheduler::{self, Beginning, Ending, Events};
use crate::settings::Settings;
use crate::setup::{self, Purpose};
use crate::staging::digest::{self, Digest};

/// The value of `--image` that means the test image.
const LAB: &str = "lab";

/// Where the records of a project's runs are.
const RUNS: &str = "target/warmwheel";

/// Builds a package's wheels, or shows how it would.
pub(crate) fn run(flags: &ReleaseWheels, environment: &Environment) -> Result<ExitCode> {
    let console = Console::of_run(flags.verbose, flags.quiet, environment);
    let mut run = Run::plan(flags, environment, console)?;
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
    /// Reads what is wanted, gets what is needed for it, and plans.
    ///
    /// # Errors
    /// Anything that keeps builds from being started; nothing was changed then.
    pub(crate) fn plan(
        flags: &'a ReleaseWheels,
        environment: &'a Environment,
        console: Console,
    ) -> Result<Self> {
        let started = Timestamp::now();
        let input = Input::read(flags, environment)?;
        let settings =
            Settings::resolve(flags, &input.traits.table, &input.project.root, environment)?;
        let folders = Folders::of(environment);
        // Seldom more than a look whether it is fresh, which others need not wait for.
        let builds = flags.plan.is_none() || flags.resume;
        let files = builds.then(|| {
            let (folders, environment) = (folders.clone(), environment.clone());
            thread::spawn(move || {
                provision::container_files(&folders.workspace, &folders.target, &environment)
            })
        });
        let prepared = prepare(flags, &input, &settings, folders, environment, console)?;
        let missing = match flags.plan {
            Some(_) => image::Missing::Left,
            None => image::Missing::Pulled(console),
        };
        let plan = prepared.plan(&run_id(started), &input, &settings, environment, missing)?;
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
        for left_out in &self.plan.left_out {
            console.say(format!("{left_out} is left out: the test image has no such interpreter"));
        }
        for second_choice in self.plan.second_choices() {
            console.say(second_choice);
        }
        let interrupt = Interrupt::listen().context("cannot listen for signals")?;
        make_run_folder(&self.plan)?;
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
        let builder = Cibuildwheel { plan, console };
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

/// The tools and facts that a plan needs.
struct Prepared {
    pins: Pins,
    folders: Folders,
    console: Console,
    python: Utf8PathBuf,
    answer: facts::Answer,
    engines: Vec<crate::cli::Engine>,
    lab: Option<Lab>,
}

fn prepare(
    flags: &ReleaseWheels,
    input: &Input,
    settings: &Settings,
    folders: Folders,
    environment: &Environment,
    console: Console,
) -> Result<Prepared> {
    let pins = Pins::built_in()?;
    let platform = host::platform(environment);
    let wants_lab = settings.image.as_deref() == Some(LAB);
    if flags.setup {
        let purpose = if wants_lab { Purpose::Lab } else { Purpose::Build };
        setup::ensure(purpose, environment, console)?;
    }
    // None takes long, and none needs the others.
    let (engines, lab, asked) = thread::scope(|scope| {
        let engines = scope.spawn(|| match platform.as_str() {
            "linux" => host::engines(environment),
            _ => Vec::new(),
        });
        let lab = scope.spawn(|| match (wants_lab, flags.setup) {
            (true, false) => lab::ready(&folders.target, environment, &pins),
            _ => Ok(None),
        });
        let asked = ask(&pins, input, &platform, environment, console);
        (engines.join().unwrap_or_default(), lab.join(), asked)
    });
    let (python, answer) = asked?;
    let made = lab.map_err(|_| anyhow!("the look for the test image broke off"))??;
    let lab = match (wants_lab, flags.setup) {
        (false, _) => None,
        (true, true) => {
            Some(lab::make(&folders.target, settings.engine, environment, &pins, console)?)
        }
        (true, false) => Some(made.ok_or_else(|| {
            Fault::machine("the test image has not been made", "run `cargo xtask lab --setup`")
        })?),
    };
    Ok(Prepared { pins, folders, console, python, answer, engines, lab })
}

/// Has cibuildwheel tell what it makes of the package, and returns the Python that has it. It is
/// installed, or installed anew, where the one that is there cannot tell.
fn ask(
    pins: &Pins,
    input: &Input,
    platform: &str,
    environment: &Environment,
    console: Console,
) -> Result<(Utf8PathBuf, facts::Answer)> {
    let ask = |python: Utf8PathBuf| -> Result<_> {
        let (project, package) = (&input.root, &input.package);
        let question = Question { python: &python, project, package, platform, machine: None };
        let answer = answer::ask(&question, environment)?;
        Ok((python, answer))
    };
    if let Some(python) = provision::made_cibuildwheel(environment)? {
        match ask(python) {
            // What it objects to is the package's; anything else may be its own failing.
            Err(error) if error.downcast_ref::<Fault>().is_none() => {}
            asked => return asked,
        }
    }
    ask(provision::cibuildwheel(pins, environment, console)?)
}

impl Prepared {
    fn plan(
        &self,
        run_id: &str,
        input: &Input,
        settings: &Settings,
        environment: &Environment,
        missing: image::Missing,
    ) -> Result<Plan> {
        let runs = input.project.root.join(RUNS);
        let run = settings.report_dir.clone().unwrap_or_else(|| runs.join(run_id));
        let paths = facts::Paths {
            project: input.project.root.clone(),
            package: input.package.clone(),
            stage: stage_folder(&run),
            run,
            python: self.python.clone(),
            files: provision::container_folder(&self.folders.target),
        };
        let mut facts = facts::Facts {
            run_id,
            settings,
            traits: &input.traits,
            answer: &self.answer,
            environment,
            machine: host::machine(),
            engines: &self.engines,
            images: &BTreeMap::new(),
            ccaches: &BTreeMap::new(),
            lab: self.lab.as_ref(),
            paths: &paths,
        };
        let (asked, wanted) = (plan::images(&facts)?, plan::ccaches(&facts)?);
        let (pins, python, console) = (&self.pins, &self.python, self.console);
        // Both may have to fetch something.
        let (images, ccaches) = thread::scope(|scope| {
            let ccaches = scope.spawn(|| {
                pinned::offers(&wanted, &settings.ccache, pins, python, environment, console)
            });
            let images = image::ask(asked, missing, self.lab.as_ref(), environment);
            (images, ccaches.join().unwrap_or_default())
        });
        (facts.images, facts.ccaches) = (&images, &ccaches);
        plan::plan(&facts)
    }

    /// What all builds are made with, for who wants to know whether it is the same again.
    fn common(&self, plan: &Plan, input: &Input) -> Result<Asked> {
        let files = provision::container_folder(&self.folders.target);
        let mut volatile = vec![
            (plan.run_id.clone(), "run"),
            (plan.report_dir.to_string(), "records"),
            (plan.ccache_dir.to_string(), "cache"),
            (input.project.root.to_string(), "project"),
            (files.to_string(), "files"),
            (self.python.to_string(), "python"),
            (format!("WARMWHEEL_COMPILERS={}", plan.compilers), "compilers"),
        ];
        // Which one it is stands with each build's tools.
        let pinned = plan.builds.iter().filter_map(|build| build.ccache.pinned.as_ref());
        volatile.extend(pinned.map(|pinned| (pinned.folder.to_string(), "pinned")));
        let (validator, _) = digest::file(&files.join(VALIDATOR))?;
        let (launcher, _) = digest::file(&files.join(LAUNCHER))?;
        let tools = [
            ("Warmwheel", env!("CARGO_PKG_VERSION").to_owned()),
            ("cibuildwheel", provision::cibuildwheel_key()),
            ("validator", validator),
            ("launcher", launcher),
        ];
        Ok(Asked {
            volatile,
            tools: tools.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Asked::default()
        })
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
