//! `cargo xtask release-wheels`: the whole pipeline.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::builder::cibuildwheel::{self, Cibuildwheel};
use crate::cache;
use crate::cli::{PlanFormat, ReleaseWheels};
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{FailureKind, Reporter, RunOutcome};
use crate::fault::{Class, Fault};
use crate::folders::Folders;
use crate::host;
use crate::image;
use crate::interrupt::Interrupt;
use crate::lab::{self, Lab};
use crate::package::{self, Project, Source, Traits};
use crate::pins::Pins;
use crate::plan::{self, Plan, facts};
use crate::provision;
use crate::report::{files, terminal};
use crate::scheduler::{self, Beginning, Events};
use crate::sdist;
use crate::settings::Settings;
use crate::setup::{self, Purpose};
use crate::staging;

/// The value of `--image` that means the test image.
const LAB: &str = "lab";

/// Builds a package's wheels, or shows how it would.
pub(crate) fn run(flags: &ReleaseWheels, environment: &Environment) -> Result<ExitCode> {
    let console = Console::new(flags.verbose);
    let started = Timestamp::now();
    let input = Input::read(flags, environment)?;
    let settings = Settings::resolve(flags, &input.traits.table, &input.project.root, environment)?;
    let prepared = prepare(flags, &input, &settings, environment, console)?;
    let run_id = run_id(started);
    let missing = match flags.plan {
        Some(_) => image::Missing::Left,
        None => image::Missing::Pulled(console),
    };
    let plan = prepared.plan(&run_id, &input, &settings, environment, missing)?;
    match flags.plan {
        Some(PlanFormat::Text) => console.data(plan.to_text()),
        Some(PlanFormat::Json) => console.data(serde_json::to_string_pretty(&plan)?),
        None => {
            let beginning = Beginning { command: flags.command(), started: started.to_string() };
            return execute(&plan, &input, &prepared, beginning, environment, console);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is to be built, read and found to be in order.
struct Input {
    project: Project,
    source: Source,
    traits: Traits,
    /// The folder that cibuildwheel is asked in, and the package within it.
    root: Utf8PathBuf,
    package: Utf8PathBuf,
    /// Holds an unpacked sdist while it is asked about.
    _unpacked: Option<TempDir>,
}

impl Input {
    fn read(flags: &ReleaseWheels, environment: &Environment) -> Result<Self> {
        let project = Project::find(flags.project.as_deref(), environment)?;
        let source = package::locate(flags.package.as_deref(), &project, environment)?;
        let (root, package, unpacked) = match &source {
            Source::Folder(within) => (project.root.clone(), within.clone(), None),
            Source::Sdist(archive) => {
                let folder = tempfile::tempdir()?;
                let destination = Utf8Path::from_path(folder.path())
                    .context("the folder for temporary files has a name that is not UTF-8")?;
                (sdist::unpack(archive, destination)?, Utf8PathBuf::new(), Some(folder))
            }
        };
        let traits = Traits::read(&root.join(&package))?;
        Ok(Self { project, source, traits, root, package, _unpacked: unpacked })
    }

    /// Puts the clean copy that containers get into the run's folder.
    fn stage(&self, plan: &Plan) -> Result<()> {
        let stage = stage_folder(&plan.report_dir);
        match &self.source {
            Source::Folder(_) => {
                let without = [&plan.output_dir, &plan.ccache_dir, &plan.report_dir];
                staging::copy_project(&self.project.root, &stage, &without.map(Clone::clone))
            }
            Source::Sdist(archive) => {
                let beside = plan.report_dir.join("sdist");
                fs::create_dir_all(&beside).with_context(|| format!("cannot make {beside}"))?;
                fs::rename(sdist::unpack(archive, &beside)?, &stage)?;
                Ok(fs::remove_dir(&beside)?)
            }
        }
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
    environment: &Environment,
    console: Console,
) -> Result<Prepared> {
    let pins = Pins::built_in()?;
    let folders = Folders::of(environment);
    let platform = host::platform(environment);
    let wants_lab = settings.image.as_deref() == Some(LAB);
    if flags.setup {
        let purpose = if wants_lab { Purpose::Lab } else { Purpose::Build };
        setup::ensure(purpose, environment, console)?;
    }
    let python = provision::cibuildwheel(&pins, environment, console)?;
    let answer = cibuildwheel::ask(&python, &input.root, &input.package, &platform)?;
    let lab = match (wants_lab, flags.setup) {
        (false, _) => None,
        (true, true) => {
            Some(lab::make(&folders.target, settings.engine, environment, &pins, console)?)
        }
        (true, false) => {
            let lab = lab::ready(&folders.target, environment, &pins)?;
            Some(lab.ok_or_else(|| {
                Fault::machine("the test image has not been made", "run `cargo xtask lab --setup`")
            })?)
        }
    };
    let engines = if platform == "linux" { host::engines(environment) } else { Vec::new() };
    Ok(Prepared { folders, python, answer, engines, lab })
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
        let runs = input.project.root.join("target/warmwheel");
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
}

fn execute(
    plan: &Plan,
    input: &Input,
    prepared: &Prepared,
    beginning: Beginning,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    for left_out in &plan.left_out {
        console.say(format!("{left_out} is left out: the test image has no such interpreter"));
    }
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    make_run_folder(plan)?;
    let reporters: Vec<Box<dyn Reporter>> = vec![
        Box::new(files::Stream::start(&plan.report_dir)?),
        Box::new(files::Json::new(&plan.report_dir)),
        Box::new(terminal::Terminal::new(console)),
    ];
    let folders = &prepared.folders;
    provision::container_files(&folders.workspace, &folders.target, environment)?;
    let cleared = cache::prepare(&plan.ccache_dir)?;
    console.say(format!("cache {}: {} stale markers removed", plan.ccache_dir, cleared.markers));
    let stage = Stage(stage_folder(&plan.report_dir));
    input.stage(plan)?;

    let mut events = Events::new(console, reporters);
    let builder = Cibuildwheel { plan, console };
    let ending = scheduler::run(plan, beginning, &builder, &interrupt, &mut events);
    cibuildwheel::sweep(plan, console);
    drop(stage);
    console.say(format!("report: {}", plan.report_dir.join("report.json")));
    Ok(ExitCode::from(match ending.outcome {
        RunOutcome::Done => 0,
        RunOutcome::Interrupted => {
            Class::Interrupted(interrupt.signal().unwrap_or_default()).exit_code()
        }
        RunOutcome::Failed => ending.first_failure.map_or(Class::Build, class).exit_code(),
    }))
}

fn class(kind: FailureKind) -> Class {
    match kind {
        FailureKind::Build | FailureKind::Interrupted => Class::Build,
        FailureKind::Cache => Class::Cache,
        FailureKind::Machine => Class::Machine,
        FailureKind::Wheel => Class::Wheel,
    }
}

/// The staged project, which goes when the run does, however it ends.
struct Stage(Utf8PathBuf);

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed is cleared by the next run in the same folder, or by `cargo clean`.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stage_folder(run: &Utf8Path) -> Utf8PathBuf {
    run.join("stage")
}

/// Makes the run's folder, and `latest` beside it lead to it.
fn make_run_folder(plan: &Plan) -> Result<()> {
    let run = &plan.report_dir;
    let is_empty = run.read_dir_utf8().map_or(true, |mut entries| entries.next().is_none());
    if !is_empty && !run.join(files::EVENTS).is_file() {
        return Err(Fault::usage(
            format!("{run} holds other things than a run's records"),
            "name an empty folder, one that is not there yet, or an earlier run's",
        ));
    }
    // An earlier run's records must not be taken for this one's. Its unproven wheels stay.
    for stale in [run.join("builds"), stage_folder(run), run.join("sdist")] {
        if stale.symlink_metadata().is_ok() {
            fs::remove_dir_all(&stale).with_context(|| format!("cannot remove {stale}"))?;
        }
    }
    fs::create_dir_all(run).with_context(|| format!("cannot make {run}"))?;
    #[cfg(unix)]
    if let (Some(runs), Some(name)) = (run.parent(), run.file_name())
        && name == plan.run_id
    {
        let beside = runs.join(format!(".latest-{name}"));
        std::os::unix::fs::symlink(name, &beside)
            .and_then(|()| fs::rename(&beside, runs.join("latest")))
            .with_context(|| format!("cannot make {runs}/latest"))?;
    }
    Ok(())
}

/// A name that sorts by time and that no two runs share.
fn run_id(started: Timestamp) -> String {
    let salt = RandomState::new().build_hasher().finish();
    format!("{}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), salt & 0xffff)
}
