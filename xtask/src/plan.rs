//! The plan: every build's exact command, environment and mounts, worked out before anything runs.
//!
//! Pure: nothing here starts a process, reads a file or looks at the environment. The executor,
//! `--plan` and CI's matrix are views of one [`Plan`].

pub(crate) mod ccache;
pub(crate) mod facts;
mod frontend;
mod group;
mod inside;
mod jobs;
mod merge;
mod render;
pub(crate) mod selection;
mod tree;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::ccache::Ccache;
use self::facts::{Facts, ImageQuestion, Selected};
use self::inside::Inside;
pub(crate) use self::merge::Merged;
use self::merge::Merger;
use self::wiring::Wiring;
use crate::cli::{self, Engine, OnMiss};
use crate::fault::Fault;
use crate::text::hex;

/// The label that every container of a run carries, with the run's id.
pub(crate) const RUN_LABEL: &str = "warmwheel.run";

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Plan {
    /// The run's id.
    pub(crate) run_id: String,
    /// The package's name.
    pub(crate) package: String,
    /// The host's cache folder.
    pub(crate) ccache_dir: Utf8PathBuf,
    /// Where finished wheels go.
    pub(crate) output_dir: Utf8PathBuf,
    /// Where the run's records go.
    pub(crate) report_dir: Utf8PathBuf,
    /// Whether a miss fails a build.
    pub(crate) miss_fails: bool,
    /// Whether a first build fails that finds nothing in a cache that was left warm.
    pub(crate) strict_restore: bool,
    /// The floor in percent, as the validator reads it; 0 asks for one hit.
    pub(crate) min_hit_rate: String,
    /// How many builds run at once.
    pub(crate) jobs: usize,
    /// How many compilers run at once in all of them together; 0 for as many as they start.
    pub(crate) compilers: usize,
    /// Whether a failure leaves the other builds alone.
    pub(crate) keep_going: bool,
    /// The builds, in order.
    pub(crate) builds: Vec<BuildPlan>,
    /// Selected identifiers that the test image has no interpreter for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out: Vec<String>,
    /// What `--resume` makes of builds that earlier runs have done, by identifier; nothing where that
    /// was not asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) foreseen: BTreeMap<String, Foreseen>,
}

/// What will become of a build that an earlier run has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub(crate) enum Foreseen {
    /// Nothing has changed.
    Skipped {
        /// The run that did it.
        run_id: String,
    },
    /// Something has.
    BuiltAgain {
        /// What has changed.
        why: String,
    },
}

/// A build's place in its cache domain.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// The first of its domain: it fills the cache.
    Pioneer,
    /// One that must hit what the pioneer left.
    Follower,
}

/// One cibuildwheel process.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BuildPlan {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// The builds that can share its objects.
    pub(crate) domain: String,
    /// Its place among them.
    pub(crate) role: Role,
    /// The container image, where there is one.
    pub(crate) image: Option<String>,
    /// The image's id, a hash of what it holds, if it is on this machine.
    pub(crate) image_id: Option<String>,
    /// The container engine, where there is one.
    pub(crate) engine: Option<Engine>,
    /// Which ccache it uses.
    pub(crate) ccache: Ccache,
    /// How the compiler is put behind ccache.
    pub(crate) wiring: Wiring,
    /// Why the isolated build environment has another path in every run, if it has.
    pub(crate) env_note: Option<String>,
    /// Whether the test step, which holds the hook, runs.
    pub(crate) tested: bool,
    /// The command.
    pub(crate) argv: Vec<String>,
    /// The folder it runs in.
    pub(crate) folder: Utf8PathBuf,
    /// The variables it gets on top of the user's.
    pub(crate) environment: BTreeMap<String, String>,
    /// The host's variables that go along into a container.
    #[serde(skip)]
    pub(crate) passed: Vec<String>,
    /// The identifiers that are not tested, as patterns.
    #[serde(skip)]
    pub(crate) test_skip: String,
    /// Host folders that the container sees.
    pub(crate) mounts: Vec<Mount>,
    /// The options that carry something of Warmwheel's.
    pub(crate) merged: Vec<Merged>,
    /// The host's folder for what the build leaves: log, statslog, record, wheels.
    pub(crate) record: Utf8PathBuf,
}

/// A bind mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mount {
    /// On the host.
    pub(crate) host: Utf8PathBuf,
    /// In the container.
    pub(crate) container: String,
    /// Whether the container may not write to it.
    pub(crate) read_only: bool,
}

impl BuildPlan {
    /// Where cibuildwheel puts the wheel.
    pub(crate) fn wheels(&self) -> Utf8PathBuf {
        self.record.join("out")
    }

    /// The whole log of the build.
    pub(crate) fn log(&self) -> Utf8PathBuf {
        self.record.join("log.txt")
    }
}

/// The images that a run's builds need, to be asked about before it is worked out.
///
/// # Errors
/// Nothing to build, or an identifier or engine that is not to be had.
pub(crate) fn images(facts: &Facts<'_>) -> Result<BTreeSet<ImageQuestion>> {
    let selection = selection::select(facts.answer, facts.settings, facts.lab)?;
    let questions = selection.builds.into_iter().map(|selected| question_of(facts, selected));
    questions.filter_map(Result::transpose).collect()
}

/// The architectures that a pinned ccache is to be had for before a run is worked out, if it can be.
///
/// # Errors
/// Nothing to build, or an identifier that is not to be had.
pub(crate) fn ccaches(facts: &Facts<'_>) -> Result<BTreeSet<String>> {
    if !matches!(facts.settings.ccache.which, cli::Ccache::Auto | cli::Ccache::Pinned) {
        return Ok(BTreeSet::new());
    }
    let selection = selection::select(facts.answer, facts.settings, facts.lab)?;
    let in_containers = selection.builds.iter().filter(|selected| selected.image.is_some());
    let architectures =
        in_containers.map(|selected| ccache::architecture_of(&selected.identifier).to_owned());
    Ok(architectures.collect())
}

/// Works out a run.
///
/// # Errors
/// Nothing to build, an identifier or engine that is not to be had, or a path that cannot be
/// mounted.
pub(crate) fn plan(facts: &Facts<'_>) -> Result<Plan> {
    let selection = selection::select(facts.answer, facts.settings, facts.lab)?;
    let has_launcher = inside::has_launcher(facts);
    let wiring = Wiring::of(facts.settings.wiring, facts.traits, has_launcher)?;
    let is_bounded = wiring != Wiring::None && has_launcher;
    let count = selection.builds.len();
    let jobs = jobs::resolve(facts.settings.jobs, &facts.machine, count, is_bounded);
    let compilers = jobs::compilers(jobs, &facts.machine);
    let mut builds: Vec<BuildPlan> = Vec::new();
    for selected in selection.builds {
        let build = plan_build(facts, selected, &builds, wiring, compilers)?;
        builds.push(build);
    }
    Ok(Plan {
        run_id: facts.run_id.to_owned(),
        package: facts.traits.name.clone(),
        ccache_dir: facts.settings.ccache_dir.clone(),
        output_dir: facts.settings.output_dir.clone(),
        report_dir: facts.paths.run.clone(),
        miss_fails: facts.settings.on_miss == OnMiss::Fail,
        strict_restore: facts.settings.strict_restore,
        min_hit_rate: percentage(facts.settings.min_hit_rate),
        jobs,
        compilers,
        keep_going: facts.settings.keep_going,
        builds,
        left_out: selection.not_in_lab.into_iter().map(ToOwned::to_owned).collect(),
        foreseen: BTreeMap::new(),
    })
}

fn plan_build(
    facts: &Facts<'_>,
    selected: &Selected,
    earlier: &[BuildPlan],
    wiring: Wiring,
    compilers: usize,
) -> Result<BuildPlan> {
    let identifier = &selected.identifier;
    let platform = facts.answer.platform.as_str();
    let asked = question_of(facts, selected)?;
    let answer = asked.as_ref().and_then(|question| facts.images.get(question));
    let image = asked.as_ref().map(|question| question.image.clone());
    let engine = asked.as_ref().map(|question| question.engine);
    let domain = domain_of(identifier, image.as_deref());
    let pioneered = earlier.iter().any(|build| build.domain == domain);
    let record = facts.paths.run.join("builds").join(identifier);
    let ccache = Ccache::of(facts, selected, answer)?;
    let inside = Inside::of(facts, image.is_some(), &record, &ccache);

    let mut options = Merger::new(platform, selected, facts.environment);
    options.prepend("environment", inside.environment(facts, wiring, &domain, compilers), " ");
    options.prepend("test-command", inside.hook(platform), " && ");
    options.around("before-all", inside.installer(), &inside.preflight(wiring));
    options.prepend("before-test", inside.seal(), " && ");
    let env_dir = frontend::Environment::of(facts, selected, answer);
    put_folders(&mut options, facts, selected, &env_dir);
    // Its own log groups would be nested in ours, and its summary would overwrite the others'.
    options.set("CIBW_LOG_FOLD_MODE", "disabled");
    options.set("PYTHONUNBUFFERED", "1");
    if facts.environment.get("GITHUB_STEP_SUMMARY").is_some() {
        options.set("GITHUB_STEP_SUMMARY", record.join("summary.md"));
    }

    let mut mounts = Vec::new();
    if let (Some(image), Some(engine)) = (&image, engine) {
        mounts = inside.mounts(facts, &record);
        let host_mount = if selected.engine.host_mount_is_chosen {
            !selected.engine.disable_host_mount
        } else {
            selected.mentions_host
        };
        let arguments = create_args(facts, &mounts)?;
        options.container_engine(engine, &arguments, host_mount);
        if facts.settings.image.is_some() {
            options.set(&image_variable(identifier), image);
        }
        if let Some(lab) = facts.lab {
            for (name, value) in &lab.environment {
                options.set(name, value);
            }
        }
    }
    let (environment, merged) = options.finish();
    Ok(BuildPlan {
        identifier: identifier.clone(),
        domain,
        role: if pioneered { Role::Follower } else { Role::Pioneer },
        image,
        image_id: answer.and_then(|answer| answer.id.clone()),
        engine,
        ccache,
        wiring,
        env_note: env_dir.note(),
        tested: selected.tested,
        argv: argv(facts, identifier, &record),
        folder: facts.paths.stage.clone(),
        environment,
        passed: selected.passed.clone(),
        test_skip: facts.answer.test_skip.clone(),
        mounts,
        merged,
        record,
    })
}

/// Puts what would have a random name in folders that are the same in every run.
fn put_folders(
    options: &mut Merger<'_>,
    facts: &Facts<'_>,
    selected: &Selected,
    env_dir: &frontend::Environment,
) {
    if let frontend::Environment::At(folder) = env_dir {
        options.build_frontend(&format!("--env-dir={folder}"));
    }
    let build_dir = frontend::build_dir(facts, selected);
    let platform = facts.answer.platform.as_str();
    if let Some(command) = frontend::clearing(platform, env_dir, build_dir.as_ref()) {
        options.prepend("before-build", command, " && ");
    }
    if let Some(build_dir) = build_dir {
        options.prepend("config-settings", build_dir.setting, " ");
    }
}

fn argv(facts: &Facts<'_>, identifier: &str, record: &Utf8Path) -> Vec<String> {
    let package =
        if facts.paths.package.as_str().is_empty() { "." } else { facts.paths.package.as_str() };
    let out = record.join("out");
    [facts.paths.python.as_str(), "-m", "cibuildwheel", "--only", identifier]
        .into_iter()
        .chain(["--output-dir", out.as_str(), package])
        .map(ToOwned::to_owned)
        .collect()
}

/// A percentage with the three decimals that count.
fn percentage(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What an engine has to be asked about a build's image, if it is built in one.
fn question_of(facts: &Facts<'_>, selected: &Selected) -> Result<Option<ImageQuestion>> {
    let Some(image) = image_of(facts, selected) else { return Ok(None) };
    let tag = selected.identifier.split_once('-').map_or("", |(_, tag)| tag);
    let platform = match tag.split_once('_').map_or("", |(_, architecture)| architecture) {
        "x86_64" => "linux/amd64".to_owned(),
        "i686" => "linux/386".to_owned(),
        "aarch64" => "linux/arm64".to_owned(),
        "armv7l" => "linux/arm/v7".to_owned(),
        other => format!("linux/{other}"),
    };
    Ok(Some(ImageQuestion { engine: engine_of(facts, selected)?, image, platform }))
}

/// The image: the run's choice before the package's own.
fn image_of(facts: &Facts<'_>, selected: &Selected) -> Option<String> {
    let own = selected.image.as_ref()?;
    let chosen = facts.lab.map(|lab| &lab.image).or(facts.settings.image.as_ref());
    Some(chosen.unwrap_or(own).clone())
}

/// The variable that sets the image of an identifier's platform tag.
fn image_variable(identifier: &str) -> String {
    let tag = identifier.split_once('-').map_or(identifier, |(_, tag)| tag);
    format!("CIBW_{tag}_IMAGE_LINUX").to_uppercase()
}

/// A name for the builds that can share objects, fit for a file name: the platform tag, and on
/// Linux the image, which fixes the compiler and the ccache.
fn domain_of(identifier: &str, image: Option<&str>) -> String {
    let tag = identifier.split_once('-').map_or(identifier, |(_, tag)| tag);
    match image {
        Some(image) => format!("{tag}-{}", &hex(&Sha256::digest(image))[..8]),
        None => tag.to_owned(),
    }
}

/// The engine: the run's choice, the package's, or whichever answers.
fn engine_of(facts: &Facts<'_>, selected: &Selected) -> Result<Engine> {
    let asked = facts.settings.engine.map(|engine| (engine, "--engine".to_owned()));
    let lab = facts.lab.map(|lab| (lab.engine, "the test image".to_owned()));
    let own = selected.origins.get("container-engine").cloned().flatten();
    let own = own.map(|origin| (selected.engine.name, origin));
    match asked.or(lab).or(own) {
        Some((engine, _)) if facts.engines.contains(&engine) => Ok(engine),
        Some((engine, origin)) => Err(Fault::machine(
            format!("{} does not answer; {origin} asks for it", engine.name()),
            format!("start it, or add `--engine {}`", other(engine).name()),
        )),
        None => facts.engines.first().copied().ok_or_else(|| {
            Fault::machine(
                "no container engine answers, neither docker nor podman",
                "start one, or install podman with `cargo xtask release-wheels --setup`",
            )
        }),
    }
}

fn other(engine: Engine) -> Engine {
    match engine {
        Engine::Docker => Engine::Podman,
        Engine::Podman => Engine::Docker,
    }
}

/// What Warmwheel adds to the engine's `create`.
fn create_args(facts: &Facts<'_>, mounts: &[Mount]) -> Result<Vec<String>> {
    let mut arguments = vec![format!("--label={RUN_LABEL}={}", facts.run_id)];
    for mount in mounts {
        if mount.host.as_str().contains(':') {
            return Err(Fault::usage(
                format!("{} cannot be mounted into a container: it has a colon", mount.host),
                "engines separate the parts of a mount by colons; use another folder",
            ));
        }
        let mode = if mount.read_only { ":ro" } else { "" };
        arguments.push(format!("--volume={}:{}{mode}", mount.host, mount.container));
    }
    if let Some(lab) = facts.lab {
        arguments.extend(lab.create_args.iter().cloned());
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{planned_for, pretended};
