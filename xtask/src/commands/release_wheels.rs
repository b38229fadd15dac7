//! `cargo xtask release-wheels`: the whole pipeline.

mod folder;
mod input;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;
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
use crate::host;
use crate::image;
use crate::interrupt::Interrupt;
use crate::lab::{self, Lab};
use crate::pins::Pins;
use crate::plan::{self, Plan, facts};
use crate::provision;
use crate::report::{files, terminal};
use crate::resume::Resume;
use crate::resume::inputs::Asked;
use crate::resume::remembering::{self, Remembering};
use crate::scheduler::{self, Beginning, Ending, Events};
use crate::settings::Settings;
use crate::setup::{self, Purpose};
use crate::staging::digest;

/// The value of `--image` that means the test image.
const LAB: &str = "lab";

/// Where the records of a project's runs are.
const RUNS: &str = "target/warmwheel";

/// Builds a package's wheels, or shows how it would.
pub(crate) fn run(flags: &ReleaseWheels, environment: &Environment) -> Result<ExitCode> {
    let console = Console::new(flags.verbose);
    let mut run = Run::plan(flags, environment, console)?;
    if let Some(format) = flags.plan {
        return run.show(format);
    }
    let terminal = Box::new(terminal::Terminal::new(console));
    let (code, _) = run.execute(terminal, &|_| Ok(()))?;
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
    /// The compilation of what containers run, unless nothing will be built.
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
        let files = flags.plan.is_none().then(|| {
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

    /// Shows the plan.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub(crate) fn show(&self, format: PlanFormat) -> Result<ExitCode> {
        self.console.data(match format {
            PlanFormat::Text => self.plan.to_text(),
            PlanFormat::Json => serde_json::to_string_pretty(&self.plan)?,
        });
        Ok(ExitCode::SUCCESS)
    }

    /// Carries the plan out, telling `shown` of it; `before` is called when the cache folder is
    /// ready. Returns the exit code and the report.
    ///
    /// # Errors
    /// Something failed that is no build's affair.
    pub(crate) fn execute(
        &mut self,
        shown: Box<dyn Reporter>,
        before: &dyn Fn(&Plan) -> Result<()>,
    ) -> Result<(u8, Report)> {
        if let Some(files) = self.files.take() {
            files.join().map_err(|_| anyhow!("the validator's compilation broke off"))??;
        }
        let (console, input) = (self.console, &self.input);
        for left_out in &self.plan.left_out {
            console.say(format!("{left_out} is left out: the test image has no such interpreter"));
        }
        let interrupt = Interrupt::listen().context("cannot listen for signals")?;
        let runs = input.project.root.join(RUNS);
        make_run_folder(&self.plan)?;
        keep_out_of_git(&runs)?;
        let plan = &mut self.plan;
        let reporters: Vec<Box<dyn Reporter>> = vec![
            Box::new(files::Stream::start(&plan.report_dir)?),
            Box::new(files::Json::new(&plan.report_dir)),
            shown,
        ];
        let cleared = cache::prepare(&plan.ccache_dir)?;
        console
            .say(format!("cache {}: {} stale markers removed", plan.ccache_dir, cleared.markers));
        before(plan)?;
        let stage = Stage(stage_folder(&plan.report_dir));
        input.stage(plan, &stage.0)?;

        let digest = input.digest(&stage.0);
        let resume = Resume::new(&runs, &plan.package, &plan.output_dir, &plan.run_id, digest);
        let common = self.prepared.common(plan, input)?;
        let inputs = remembering::inputs_of(plan, self.environment, &common);
        remembering::without_needless_pioneers(plan, &inputs, &resume);
        let builder = Cibuildwheel { plan, console };
        let builder = Remembering::new(plan, &inputs, &builder, &resume, console);
        let done = if self.flags.resume { builder.done() } else { BTreeMap::new() };
        let (command, started) = (self.flags.command(), self.started.to_string());
        let beginning = Beginning { command, started, done };
        let mut events = Events::new(console, reporters);
        let ending = sweep::with_sweeping(plan, &interrupt, console, || {
            scheduler::run(plan, beginning, &builder, &interrupt, &mut events)
        });
        if ending.outcome != RunOutcome::Done {
            sweep::sweep(plan, console);
        }
        // Its digest may still be reading the stage.
        drop(resume);
        drop(stage);
        console.say(format!("report: {}", plan.report_dir.join("report.json")));
        Ok((exit_code(ending, &interrupt), events.into_report()))
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
    folders: Folders,
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
    Ok(Prepared { folders, python, answer, engines, lab })
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
            lab: self.lab.as_ref(),
            paths: &paths,
        };
        let images = image::ask(plan::images(&facts)?, missing, facts.lab, environment);
        facts.images = &images;
        plan::plan(&facts)
    }

    /// What all builds are made with, for who wants to know whether it is the same again.
    fn common(&self, plan: &Plan, input: &Input) -> Result<Asked> {
        let files = provision::container_folder(&self.folders.target);
        let volatile = [
            (plan.run_id.clone(), "run"),
            (plan.report_dir.to_string(), "records"),
            (plan.ccache_dir.to_string(), "cache"),
            (input.project.root.to_string(), "project"),
            (files.to_string(), "files"),
            (self.python.to_string(), "python"),
            (format!("WARMWHEEL_COMPILERS={}", plan.compilers), "compilers"),
        ];
        let (validator, _) = digest::file(&files.join(VALIDATOR))?;
        let (launcher, _) = digest::file(&files.join(LAUNCHER))?;
        let tools = [
            ("Warmwheel", env!("CARGO_PKG_VERSION").to_owned()),
            ("cibuildwheel", provision::cibuildwheel_key()),
            ("validator", validator),
            ("launcher", launcher),
        ];
        Ok(Asked {
            volatile: volatile.to_vec(),
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
