//! The whole examination: every question side by side, each with a time limit of its own.

mod here;
mod images;

use std::collections::BTreeMap;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};

use self::images::Looking;
use super::early::{self, Wanted};
use super::facts::{EngineReply, Pythons, Reply};
use super::trial::{self, Theirs};
use super::{Check, gather, judge};
use crate::builder::answer::{self, Question};
use crate::cli::{Builder, Engine};
use crate::console::Console;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::host;
use crate::lab::{self, Lab};
use crate::package::Traits;
use crate::pins::Pins;
use crate::plan;
use crate::plan::facts::{Answer, Facts, ImageAnswer, ImageQuestion, Offer, Paths};
use crate::provision;
use crate::settings::Settings;
use crate::setup::Installer;

/// The value of `--image` that means the test image.
pub(crate) const LAB: &str = "lab";

/// How long an interpreter may take to tell its version.
const PYTHON_LIMIT: Duration = Duration::from_secs(5);
/// Loading all of cibuildwheel from a cold disk.
const TOOL_LIMIT: Duration = Duration::from_secs(15);
/// A few hundred small files, which on a file server that is gone takes for ever.
const PLACES_LIMIT: Duration = Duration::from_secs(10);

/// What is examined: a run that may be begun.
pub(crate) struct Subject<'a> {
    /// What is wanted.
    pub(crate) settings: &'a Settings,
    /// What it is wanted for.
    pub(crate) traits: &'a Traits,
    /// The project's root.
    pub(crate) project: &'a Utf8Path,
    /// The folder that cibuildwheel is asked in.
    pub(crate) root: &'a Utf8Path,
    /// The package in it.
    pub(crate) package: &'a Utf8Path,
    /// Where records go.
    pub(crate) records: &'a Utf8Path,
    /// Cargo's folders.
    pub(crate) folders: &'a Folders,
    /// The platform that is built for.
    pub(crate) platform: &'a str,
    /// The pinned versions.
    pub(crate) pins: &'a Pins,
    /// The user's environment.
    pub(crate) environment: &'a Environment,
    /// Where a person reads what takes a moment.
    pub(crate) console: Console,
}

/// What was found out before any image is looked at.
struct Known {
    pythons: Pythons,
    /// The Python that has cibuildwheel, and what that replied; `None` if there is none.
    tool: Option<(Utf8PathBuf, Reply)>,
    answer: Result<Answer, String>,
    lab: Option<Lab>,
    replies: Vec<EngineReply>,
    /// The engines that answer.
    engines: Vec<Engine>,
    ccache: Option<Reply>,
}

/// Judges every need of the run, in the order in which they are shown.
///
/// # Errors
/// There is no folder for what is kept between runs, or a question broke off.
pub(crate) fn all(subject: &Subject<'_>) -> Result<Vec<Check>> {
    let known = ask_everybody(subject)?;
    let looking = images::look_at_all(subject, &known)?;
    let builds_here = !matches!(looking, Looking::In(_));
    // Elsewhere than on Linux it is cibuildwheel that builds on the machine itself.
    let are_ours =
        builds_here && (subject.platform == "linux" || subject.settings.builder == Builder::Host);
    let settings =
        if are_ours { subject.settings.without_containers() } else { subject.settings.clone() };
    let theirs = theirs(subject, &settings);
    let (selftest, places, own) = thread::scope(|scope| -> Result<_> {
        let selftest = scope.spawn(|| trial::here(&theirs));
        let places = scope.spawn(|| places(subject, &settings));
        let own = if builds_here { here::checks(subject, &known, are_ours)? } else { Vec::new() };
        Ok((joined(selftest)?, joined(places)?, own))
    })?;

    let installer = Installer::find(subject.environment);
    let tool = known.tool.as_ref().map(|(python, reply)| (python.as_str(), reply));
    let mut checks = vec![
        judge::python(&known.pythons, installer),
        judge::cibuildwheel(tool, &subject.pins.cibuildwheel.version),
        git(subject, installer),
    ];
    if subject.platform == "linux" {
        checks.push(engine(subject, &known, &looking, installer));
    }
    checks.push(judge::ccache(known.ccache.as_ref(), builds_here, installer));
    checks.push(judge::selftest(&selftest, &theirs.variables()));
    checks.extend(own);
    checks.push(judge::cache::settings(&subject.environment.starting_with("CCACHE_")));
    checks.extend(places);
    match looking {
        Looking::In(of_images) => checks.extend(of_images),
        Looking::NoImage(of_image) => checks.push(of_image.done_without()),
        Looking::NoEngine | Looking::NotWanted => {}
    }
    Ok(checks)
}

/// Asks all that can be asked at once.
fn ask_everybody(subject: &Subject<'_>) -> Result<Known> {
    let Subject { settings, environment, pins, .. } = *subject;
    let in_containers = subject.platform == "linux" && settings.builder != Builder::Host;
    thread::scope(|scope| {
        let pythons = scope.spawn(|| provision::pythons(pins, environment, PYTHON_LIMIT));
        let replies =
            scope.spawn(|| if in_containers { gather::engines(environment) } else { Vec::new() });
        let lab = scope.spawn(|| {
            let target = &subject.folders.target;
            if wants_lab(subject) { lab::ready(target, environment, pins) } else { Ok(None) }
        });
        let ccache = scope.spawn(|| gather::ccache(environment));
        let tool = provision::cibuildwheel_reply(environment, TOOL_LIMIT)?;
        let answer = ask(subject, tool.as_ref());
        let replies = joined(replies)?;
        let said = |it: &&EngineReply| it.reply.as_ref().is_some_and(|it| it.said().is_some());
        Ok(Known {
            pythons: joined(pythons)?,
            answer,
            // A test image that cannot even be asked for has not been made.
            lab: joined(lab)?.unwrap_or_default(),
            engines: replies.iter().filter(said).map(|it| it.engine).collect(),
            replies,
            ccache: joined(ccache)?,
            tool,
        })
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("a question about this machine broke off"))
}

fn theirs<'a>(subject: &Subject<'a>, settings: &'a Settings) -> Theirs<'a> {
    let (environment, project) = (subject.environment, subject.project);
    Theirs { environment, project, ccache_dir: &settings.ccache_dir }
}

fn wants_lab(subject: &Subject<'_>) -> bool {
    subject.settings.image.as_deref() == Some(LAB)
}

/// Whether a run would do without containers if it has to.
fn may_fall_back(subject: &Subject<'_>) -> bool {
    plan::host::may_fall_back(subject.settings, subject.platform)
}

/// The checks of folders and disks, unless a file system keeps them waiting.
fn places(subject: &Subject<'_>, settings: &Settings) -> Vec<Check> {
    let (owned, records) = (settings.clone(), subject.records.to_path_buf());
    let (platform, environment) = (subject.platform.to_owned(), subject.environment.clone());
    let looked = gather::within(PLACES_LIMIT, move || {
        let wanted = Wanted { settings: &owned, records: &records, platform: &platform };
        early::places(&wanted, &environment, true)
    });
    looked.unwrap_or_else(|why| vec![judge::cache::unanswered(&settings.ccache_dir, &why)])
}

/// Has cibuildwheel tell what it makes of the package, if it is there and works.
fn ask(subject: &Subject<'_>, tool: Option<&(Utf8PathBuf, Reply)>) -> Result<Answer, String> {
    let Some((python, Reply::Said(_))) = tool else {
        return Err("it takes cibuildwheel, which knows the package's builds".to_owned());
    };
    let Subject { root: project, package, platform, .. } = *subject;
    let question = Question { python, project, package, platform, machine: None };
    answer::ask(&question, subject.environment).map_err(|error| format!("{error:#}"))
}

/// The check of what takes the project's files out of a repository.
fn git(subject: &Subject<'_>, installer: Installer) -> Check {
    let found = subject.environment.find_program("git");
    judge::git(found.as_deref(), early::takes_git(subject.project), installer)
}

/// The check of the engine, which a run may have to do without, or may not want.
fn engine(subject: &Subject<'_>, known: &Known, looking: &Looking, installer: Installer) -> Check {
    if let Looking::NotWanted = looking {
        return judge::no_containers();
    }
    let wanted = engine_wanted(subject, known);
    let wanted = wanted.as_ref().map(|(engine, who)| (*engine, who.as_str()));
    let check = judge::engine(&known.replies, wanted, installer);
    if let Looking::NoEngine = looking { check.done_without() } else { check }
}

/// What a plan would be made from, before anybody has looked at images.
fn facts<'a>(
    subject: &'a Subject<'_>,
    known: &'a Known,
    answer: &'a Answer,
    paths: &'a Paths,
) -> Facts<'a> {
    static NO_IMAGES: BTreeMap<ImageQuestion, ImageAnswer> = BTreeMap::new();
    static NO_CCACHES: BTreeMap<String, Offer> = BTreeMap::new();
    Facts {
        run_id: "doctor",
        settings: subject.settings,
        traits: subject.traits,
        answer,
        environment: subject.environment,
        machine: host::machine(),
        engines: &known.engines,
        images: &NO_IMAGES,
        ccaches: &NO_CCACHES,
        lab: known.lab.as_ref(),
        host: None,
        paths,
    }
}

/// Where that plan's run would have its files.
fn paths(subject: &Subject<'_>) -> Paths {
    Paths {
        project: subject.project.to_path_buf(),
        package: subject.package.to_path_buf(),
        stage: subject.records.join("stage"),
        run: subject.records.to_path_buf(),
        python: "python".into(),
        files: provision::container_folder(&subject.folders.target),
    }
}

/// The engine that somebody asks for, and who does.
fn engine_wanted(subject: &Subject<'_>, known: &Known) -> Option<(Engine, String)> {
    let asked = subject.settings.engine.map(|engine| (engine, "--engine".to_owned()));
    let lab = known.lab.as_ref().map(|lab| (lab.engine, "the test image".to_owned()));
    let first = known.answer.as_ref().ok().and_then(|answer| answer.builds.first());
    let own = first.and_then(|selected| {
        let origin = selected.origins.get("container-engine").cloned().flatten()?;
        Some((selected.engine.name, origin))
    });
    asked.or(lab).or(own)
}
