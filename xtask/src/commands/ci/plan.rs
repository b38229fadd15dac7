//! `cargo xtask ci plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::thread;

use anyhow::{Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser as _;

use super::{context_of, outputs_file};
use crate::builder::answer::{self, Question};
use crate::ci::context::Context;
use crate::ci::plan::{self as jobs, CiPlan, KINDS, Share};
use crate::cli::{Ccache, Cli, Command, Engine, ci as flags};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::Folders;
use crate::host;
use crate::image;
use crate::package::{self, Project, Source, Traits};
use crate::pinned;
use crate::pins::Pins;
use crate::plan;
use crate::plan::facts::{Answer, Facts, Paths};
use crate::plan::selection::Wanted;
use crate::provision;
use crate::report::github;
use crate::settings::Settings;

/// Prints the jobs of a workflow, and hands them to GitHub where it asks for them.
pub(super) fn run(
    flags: &flags::CiPlan,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    let context = context_of(environment)?.unwrap_or_else(Context::elsewhere);
    let made = make(flags, &context, environment, console)?;
    console.data(serde_json::to_string_pretty(&made)?);
    if let Some(file) = outputs_file(environment) {
        let outputs = [
            ("matrix", CiPlan::matrix(&made.jobs)),
            ("followers", CiPlan::matrix(&made.followers)),
            ("has-followers", (!made.followers.is_empty()).to_string()),
            ("identifiers", made.identifiers.join(",")),
        ];
        github::append_outputs(&file, &outputs)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Works out the jobs.
///
/// # Errors
/// Anything that `release-wheels` would refuse, an identifier that no machine builds, or nothing to
/// build.
pub(super) fn make(
    flags: &flags::CiPlan,
    context: &Context,
    environment: &Environment,
    console: Console,
) -> Result<CiPlan> {
    let project = Project::find(flags.project.as_deref(), environment)?;
    let Source::Folder(package) = package::locate(flags.package.as_deref(), &project, environment)?
    else {
        return Err(Fault::usage(
            "a workflow builds what is in its repository, not a source distribution",
            "name the package's folder",
        ));
    };
    let traits = Traits::read(&project.root.join(&package))?;
    // The flags of `release-wheels` as the environment sets them, which is all that jobs have, too.
    let Command::ReleaseWheels(wheels) = Cli::try_parse_from(["xtask", "release-wheels"])?.command
    else {
        return Err(anyhow!("release-wheels is not release-wheels"));
    };
    let mut settings = Settings::resolve(&wheels, &traits.table, &project.root, environment)?;
    let narrower = &traits.table.pull_request;
    if flags.pull_request && !(narrower.only.is_empty() && narrower.python.is_empty()) {
        settings.only.clone_from(&narrower.only);
        settings.python.clone_from(&narrower.python);
    }
    let pins = Pins::built_in()?;
    let python = provision::cibuildwheel(&pins, environment, console)?;
    let answers = ask(&python, &project.root, &package, environment)?;
    let answers = at_home(answers, &settings)?;
    // What is left of the selection stands in the answers.
    settings.only.clear();
    settings.python.clear();

    let paths = paths(&project, package, python, environment);
    let facts =
        Frame { settings: &settings, traits: &traits, environment, paths: &paths, pins: &pins };
    let mut shares = Vec::new();
    for (home, answer) in answers {
        let label = jobs::label_of(&answer.builds[0].identifier, &traits.table.ci.runners)?;
        let Some(label) = label else {
            console.say(format!("{home} is left out: [tool.warmwheel.ci.runners] says so"));
            continue;
        };
        let platform = answer.platform.clone();
        shares.push(Share { label, platform, plan: facts.plan(&answer)? });
    }
    if shares.is_empty() {
        return Err(Fault::usage(
            "no build is left for any machine",
            "look at `build`, `skip` and `archs` in [tool.cibuildwheel], and at [tool.warmwheel]",
        ));
    }
    let digests = digests(&shares, environment);
    let machines = usize::from(flags.shards.unwrap_or(traits.table.ci.shards));
    Ok(jobs::plan(&shares, &digests, machines, context))
}

/// What cibuildwheel would build on each kind of machine.
fn ask(
    python: &Utf8Path,
    project: &Utf8Path,
    package: &Utf8Path,
    environment: &Environment,
) -> Result<Vec<Answer>> {
    thread::scope(|scope| {
        let asked = KINDS.map(|kind| {
            let (platform, machine) = (kind.platform, Some(kind.machine));
            let question = Question { python, project, package, platform, machine };
            scope.spawn(move || answer::ask(&question, environment))
        });
        let broke_off = |_| anyhow!("a question to cibuildwheel broke off");
        asked.into_iter().map(|answer| answer.join().map_err(broke_off)?).collect()
    })
}

/// Each wanted identifier once, with those that are built on the same kind of machine: a package may
/// well ask for an architecture on all of them.
fn at_home(answers: Vec<Answer>, settings: &Settings) -> Result<Vec<(String, Answer)>> {
    let wanted = Wanted::of(&settings.only, &settings.python)?;
    let selected = answers.iter().flat_map(|answer| &answer.builds);
    let selected: BTreeSet<_> = selected.map(|build| build.identifier.clone()).collect();
    if let Some(unknown) = settings.only.iter().find(|only| !selected.contains(*only)) {
        return Err(Fault::usage(
            format!("{unknown} is not among what the package selects on any machine"),
            format!("it has {}", selected.into_iter().collect::<Vec<_>>().join(", ")),
        ));
    }
    let mut homes: Vec<(String, Answer)> = Vec::new();
    let mut seen = BTreeSet::new();
    for answer in answers {
        for build in &answer.builds {
            if !wanted.has(&build.identifier) || !seen.insert(build.identifier.clone()) {
                continue;
            }
            let home = jobs::home_of(&build.identifier);
            let place = homes.iter().position(|(name, _)| *name == home);
            let place = place.unwrap_or_else(|| {
                homes.push((home, Answer { builds: Vec::new(), ..answer.clone() }));
                homes.len() - 1
            });
            homes[place].1.builds.push(build.clone());
        }
    }
    Ok(homes)
}

/// What the plans for all kinds of machines have in common.
struct Frame<'a> {
    settings: &'a Settings,
    traits: &'a Traits,
    environment: &'a Environment,
    paths: &'a Paths,
    pins: &'a Pins,
}

impl Frame<'_> {
    fn plan(&self, answer: &Answer) -> Result<plan::Plan> {
        let mut facts = Facts {
            run_id: "RUN",
            settings: self.settings,
            traits: self.traits,
            answer,
            environment: self.environment,
            machine: host::machine(),
            // Which one answers there is that machine's affair.
            engines: &[Engine::Docker, Engine::Podman],
            images: &BTreeMap::new(),
            ccaches: &BTreeMap::new(),
            lab: None,
            host: None,
            paths: self.paths,
        };
        let mut ccaches = BTreeMap::new();
        // A job that cannot have it fails. With `auto` it takes another, which nobody knows yet.
        if self.settings.ccache.which == Ccache::Pinned {
            let wanted = plan::ccaches(&facts)?;
            ccaches = pinned::promised(&wanted, &self.settings.ccache, self.pins);
        }
        facts.ccaches = &ccaches;
        plan::plan(&facts)
    }
}

/// Folders that stand in plans and in no job.
fn paths(
    project: &Project,
    package: Utf8PathBuf,
    python: Utf8PathBuf,
    environment: &Environment,
) -> Paths {
    let run = project.root.join("target/warmwheel/RUN");
    Paths {
        project: project.root.clone(),
        package,
        stage: run.join("stage"),
        run,
        python,
        files: provision::container_folder(&Folders::of(environment).target),
    }
}

/// What registries say that the images are now.
fn digests(shares: &[Share], environment: &Environment) -> BTreeMap<String, String> {
    let images = shares.iter().flat_map(|share| &share.plan.builds);
    let images: BTreeSet<&String> = images.filter_map(|build| build.image.as_ref()).collect();
    thread::scope(|scope| {
        let asked: Vec<_> = images
            .into_iter()
            .map(|image| (image, scope.spawn(move || image::digest(image, environment))))
            .collect();
        let known = asked
            .into_iter()
            .filter_map(|(image, digest)| Some((image.clone(), digest.join().ok().flatten()?)));
        known.collect()
    })
}
