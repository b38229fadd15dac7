//! The plan: every build's exact command, environment and mounts, worked out before anything runs.
//!
//! Pure: nothing here starts a process, reads a file or looks at the environment. The executor,
//! `--plan` and CI's matrix are views of one [`Plan`].

pub(crate) mod ccache;
mod container;
pub(crate) mod facts;
pub(crate) mod frontend;
mod group;
pub(crate) mod host;
pub(crate) mod inside;
pub(crate) mod jobs;
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
pub(crate) use self::container::platform_of;
use self::container::{create_args, image_variable, question_of};
use self::facts::{Facts, ImageQuestion, Selected};
use self::host::{HostBuild, HostPlan};
use self::inside::Inside;
pub(crate) use self::merge::Merged;
use self::merge::Merger;
use self::wiring::Wiring;
use crate::cli::{self, Engine, OnMiss};
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
    /// What all builds have in common where there are no containers; `None` where cibuildwheel builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<HostPlan>,
    /// The builds, in order.
    pub(crate) builds: Vec<BuildPlan>,
    /// Selected identifiers that the test image, or this machine, has no interpreter for.
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

/// One process, of cibuildwheel or of what stands in for it where there are no containers.
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
    /// What it has of its own where there are no containers; `None` where cibuildwheel builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<HostBuild>,
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
    /// The package's `before-all`, where it runs on this machine and not in a container.
    #[serde(skip)]
    pub(crate) before_all: Option<String>,
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

/// The images that a run's builds need, to be asked about before it is worked out, and the builds that
/// need each.
///
/// # Errors
/// Nothing to build, or an identifier or engine that is not to be had.
pub(crate) fn images<'a>(facts: &Facts<'a>) -> Result<BTreeMap<ImageQuestion, Vec<&'a Selected>>> {
    let selection = selection::select(facts)?;
    let mut images: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for selected in selection.builds {
        if let Some(question) = question_of(facts, selected)? {
            images.entry(question).or_default().push(selected);
        }
    }
    Ok(images)
}

/// The architectures that a pinned ccache is to be had for before a run is worked out, if it can be.
///
/// # Errors
/// Nothing to build, or an identifier that is not to be had.
pub(crate) fn ccaches(facts: &Facts<'_>) -> Result<BTreeSet<String>> {
    if !matches!(facts.settings.ccache.which, cli::Ccache::Auto | cli::Ccache::Pinned) {
        return Ok(BTreeSet::new());
    }
    let selection = selection::select(facts)?;
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
    let selection = selection::select(facts)?;
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
        host: host::plan(facts),
        builds,
        left_out: selection.left_out.into_iter().map(ToOwned::to_owned).collect(),
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
    let domain = domain_of(identifier, image.as_deref(), facts.host.is_some());
    let pioneered = earlier.iter().any(|build| build.domain == domain);
    let record = facts.paths.run.join("builds").join(identifier);
    let before_all = selected.options.get("before-all").map(|theirs| theirs.value.clone());
    let ccache = Ccache::of(facts, selected, answer)?;
    let inside = Inside::of(facts, identifier, image.is_some(), &record, &ccache)?;
    let host = host::plan_build(facts, selected, &inside, wiring)?;

    let mut options = Merger::new(platform, selected, facts.environment);
    options.prepend("environment", inside.environment(facts, wiring, &domain, compilers), " ");
    options.prepend("test-command", inside.hook(platform), " && ");
    if host.is_none() {
        // Without containers what is the package's runs once in a run, and ours in each build.
        options.around("before-all", inside.installer(), &inside.preflight(wiring));
    }
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
    if host.is_some()
        && let Some(path) = host::search_path(facts.environment, platform)
    {
        options.set("PATH", path);
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
        host,
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
        before_all: before_all.filter(|command| facts.host.is_some() && !command.is_empty()),
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
    if let Some(command) = frontend::clearing(facts, env_dir, build_dir.as_ref()) {
        options.prepend("before-build", command, " && ");
    }
    if let Some(build_dir) = build_dir {
        options.prepend("config-settings", build_dir.setting, " ");
    }
}

fn argv(facts: &Facts<'_>, identifier: &str, record: &Utf8Path) -> Vec<String> {
    if facts.host.is_some() {
        return host::argv(facts, identifier, record);
    }
    let out = record.join("out");
    [facts.paths.python.as_str(), "-m", "cibuildwheel", "--only", identifier]
        .into_iter()
        .chain(["--output-dir", out.as_str(), package_word(facts)])
        .map(ToOwned::to_owned)
        .collect()
}

/// The package as a command names it.
fn package_word<'a>(facts: &Facts<'a>) -> &'a str {
    let package = facts.paths.package.as_str();
    if package.is_empty() { "." } else { package }
}

/// A percentage with the three decimals that count.
fn percentage(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A name for the builds that can share objects, fit for a file name: the platform tag, and on
/// Linux the image, which fixes the compiler and the ccache, or that there is none.
fn domain_of(identifier: &str, image: Option<&str>, is_host: bool) -> String {
    let tag = identifier.split_once('-').map_or(identifier, |(_, tag)| tag);
    match image {
        Some(image) => format!("{tag}-{}", &hex(&Sha256::digest(image))[..8]),
        None if is_host => format!("{tag}-host"),
        None => tag.to_owned(),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{planned_for, pretended};
