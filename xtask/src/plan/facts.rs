//! What a plan is made from, apart from the settings: all of it data.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::cli::Engine;
use crate::environment::Environment;
use crate::lab::Lab;
use crate::package::Traits;
use crate::settings::Settings;

/// What cibuildwheel itself makes of a package's settings (`builder/answer/options.py`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Answer {
    /// `linux`, `macos` or `windows`.
    pub(crate) platform: String,
    /// Every identifier that exists on the platform.
    pub(crate) known: Vec<String>,
    /// The identifiers that are not tested, as patterns.
    #[serde(default)]
    pub(crate) test_skip: String,
    /// Those that the package selects, in cibuildwheel's order.
    pub(crate) builds: Vec<Selected>,
}

/// A selected identifier, with the options that matter here.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Selected {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// The container image, where there are containers.
    pub(crate) image: Option<String>,
    /// The container engine's settings.
    pub(crate) engine: EngineSettings,
    /// What builds the wheel.
    pub(crate) frontend: Frontend,
    /// In containers: the interpreter's folder, such as `/opt/python/cp312-cp312`.
    pub(crate) interpreter: Option<String>,
    /// The names of the package's `config-settings`.
    pub(crate) config_settings: Vec<String>,
    /// The values of the options that Warmwheel adds to.
    pub(crate) options: BTreeMap<String, OptionValue>,
    /// Who set the options that have to be set whole; `None` for cibuildwheel's default.
    pub(crate) origins: BTreeMap<String, Option<String>>,
    /// The host's variables that go along into a container.
    #[serde(default)]
    pub(crate) passed: Vec<String>,
    /// Whether the test step runs (`test-skip` has its say here).
    pub(crate) tested: bool,
    /// Whether any command of the package mentions `/host`.
    pub(crate) mentions_host: bool,
}

impl Selected {
    /// Whether the package has a command of its own run in the container before anything is built.
    pub(crate) fn has_before_all(&self) -> bool {
        self.options.get("before-all").is_some_and(|option| !option.value.trim().is_empty())
    }
}

/// `container-engine`, parsed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EngineSettings {
    /// Which.
    pub(crate) name: Engine,
    /// Arguments of `create`, in order.
    pub(crate) create_args: Vec<String>,
    /// Whether the host's root stays out of the container.
    pub(crate) disable_host_mount: bool,
    /// Whether the package says so itself, either way.
    pub(crate) host_mount_is_chosen: bool,
}

/// `build-frontend`, parsed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Frontend {
    /// cibuildwheel's name of it, such as `build[uv]`.
    pub(crate) name: String,
    /// Its arguments, in order.
    pub(crate) args: Vec<String>,
    /// The version of `build` that builds on the host get, where cibuildwheel's constraints fix it.
    pub(crate) constrained: Option<String>,
}

/// A container image as an engine has to be asked about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ImageQuestion {
    /// The engine that will run it.
    pub(crate) engine: Engine,
    /// The image, as the engine is told.
    pub(crate) image: String,
    /// Its platform in the engine's words, such as `linux/amd64`.
    pub(crate) platform: String,
}

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageAnswer {
    /// Its id, which is a hash of what it holds; `None` if the engine has no such image here.
    pub(crate) id: Option<String>,
    /// What was found in it, or why that is not known.
    pub(crate) contents: Result<Contents, String>,
}

/// What was found in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    /// The version of `build` by the name of the interpreter's folder (`cp312-cp312`).
    pub(crate) build: BTreeMap<String, String>,
    /// The version of its ccache; `None` where it has none. An answer without it is from before it
    /// was asked for, and no answer.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) ccache: Option<String>,
}

/// A pinned ccache, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It is on this machine, and whole.
    Ready(Pinned),
    /// None is pinned for the architecture.
    Unpinned(String),
    /// It cannot be had, for this reason.
    Missing(String),
}

/// A pinned ccache on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Pinned {
    /// Its version.
    pub(crate) version: String,
    /// The SHA-256 of the archive that it is from, hexadecimal.
    pub(crate) sha256: String,
    /// The folder that holds it and nothing else.
    pub(crate) folder: Utf8PathBuf,
}

/// An option's effective value.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OptionValue {
    /// As cibuildwheel joins it from all its levels.
    pub(crate) value: String,
    /// The most specific level that set it; `None` for the default.
    pub(crate) origin: Option<String>,
}

/// A compiler of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// The program's name, or where it is.
    pub(crate) name: String,
    /// The first line of what it says of itself; `None` where it does not run.
    pub(crate) words: Option<String>,
}

impl Compiler {
    /// Compilers in their own words, so that another one is noticed.
    pub(crate) fn text(compilers: &[Self]) -> String {
        let one = |it: &Self| it.words.clone().unwrap_or_else(|| format!("no {}", it.name));
        compilers.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// This machine, where builds run on it without containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Why there are no containers; `None` where nobody wanted any.
    pub(crate) why: Option<String>,
    /// Its C library, such as `glibc 2.36`; `None` where wheels do not depend on one.
    pub(crate) libc: Option<String>,
    /// Its compilers, in their own words.
    pub(crate) compilers: String,
    /// Its interpreters, by the identifier that each one builds.
    pub(crate) interpreters: BTreeMap<String, Interpreter>,
    /// The identifiers whose interpreters cannot build, with the reason.
    pub(crate) unfit: BTreeMap<String, String>,
    /// The identifiers that others of its interpreters would build, which are not selected.
    pub(crate) others: Vec<String>,
    /// What builds need besides.
    pub(crate) tools: HostTools,
}

/// An interpreter of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    /// The program.
    pub(crate) python: Utf8PathBuf,
    /// Its version, such as `3.12.1`.
    pub(crate) version: String,
    /// The version of `build` that it gets.
    pub(crate) build: String,
}

/// The pinned tools of builds without containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostTools {
    /// uv, which finds interpreters and makes environments.
    pub(crate) uv: Utf8PathBuf,
    /// The folder of the programs that builds find in `PATH`: uv, and what repairs wheels.
    pub(crate) programs: Utf8PathBuf,
    /// The folder of the wheels that each environment is made from.
    pub(crate) wheels: Utf8PathBuf,
}

/// What this machine can carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// Memory that is free to be used, in bytes; `None` where that is not known.
    pub(crate) memory_bytes: Option<u64>,
}

/// Folders and programs that a plan names.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The project's root.
    pub(crate) project: Utf8PathBuf,
    /// The package, relative to the staged project; empty for its root.
    pub(crate) package: Utf8PathBuf,
    /// The staged project: cibuildwheel's current folder.
    pub(crate) stage: Utf8PathBuf,
    /// The run's own folder.
    pub(crate) run: Utf8PathBuf,
    /// The Python that has cibuildwheel.
    pub(crate) python: Utf8PathBuf,
    /// Warmwheel's files for containers; on macOS and Windows, where builds run on the host, the
    /// folder of the native validator.
    pub(crate) files: Utf8PathBuf,
}

/// Everything that a plan is made from.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// The run's id.
    pub(crate) run_id: &'a str,
    /// What is wanted.
    pub(crate) settings: &'a Settings,
    /// What it is wanted for.
    pub(crate) traits: &'a Traits,
    /// What cibuildwheel says of it.
    pub(crate) answer: &'a Answer,
    /// The user's environment.
    pub(crate) environment: &'a Environment,
    /// What this machine can carry.
    pub(crate) machine: Machine,
    /// The engines that answer on this machine, in order of preference.
    pub(crate) engines: &'a [Engine],
    /// What is known of the images of [`super::images`]; one that is not among them was not asked
    /// about.
    pub(crate) images: &'a BTreeMap<ImageQuestion, ImageAnswer>,
    /// The pinned ccaches by architecture, of those of [`super::ccaches`]; one that is not among them
    /// was not looked for.
    pub(crate) ccaches: &'a BTreeMap<String, Offer>,
    /// The test image, when it was asked for.
    pub(crate) lab: Option<&'a Lab>,
    /// This machine, when builds run on it without containers.
    pub(crate) host: Option<&'a Host>,
    /// Folders and programs.
    pub(crate) paths: &'a Paths,
}
