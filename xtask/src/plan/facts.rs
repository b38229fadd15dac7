//! What a plan is made from, apart from the settings: all of it data.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Deserialize;

use crate::cli::Engine;
use crate::environment::Environment;
use crate::lab::Lab;
use crate::package::Traits;
use crate::settings::Settings;

/// What cibuildwheel itself makes of a package's settings (`builder/options.py`).
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
    /// The values of the options that Warmwheel adds to.
    pub(crate) options: BTreeMap<String, OptionValue>,
    /// Who set the options that have to be set whole; `None` for cibuildwheel's default.
    pub(crate) origins: BTreeMap<String, Option<String>>,
    /// Whether the test step runs (`test-skip` has its say here).
    pub(crate) tested: bool,
    /// Whether any command of the package mentions `/host`.
    pub(crate) mentions_host: bool,
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

/// An option's effective value.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OptionValue {
    /// As cibuildwheel joins it from all its levels.
    pub(crate) value: String,
    /// The most specific level that set it; `None` for the default.
    pub(crate) origin: Option<String>,
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
    /// The test image, when it was asked for.
    pub(crate) lab: Option<&'a Lab>,
    /// Folders and programs.
    pub(crate) paths: &'a Paths,
}
