//! Builds without containers: on this machine, with its own interpreters and compilers.
//!
//! The identifiers are cibuildwheel's own for this machine's platform (`cp312-manylinux_x86_64` where
//! there is glibc, `musllinux` where there is musl), so that a package's `build`, `skip`, overrides and
//! `test-skip` select what they always do, and a wheel's tags are checked as ever. Only the cache domain
//! has a name of its own: its objects come from this machine's compilers.
//!
//! A program for the Python that has cibuildwheel carries them out (`builder/host/driver.py`). It takes
//! every setting from cibuildwheel, the variables of the plan included.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::facts::{Facts, ImageAnswer, ImageQuestion, Selected};
use super::inside::Inside;
use super::wiring::Wiring;
use super::{BuildPlan, Plan};
use crate::cli::Builder;
use crate::environment::Environment;
use crate::event::Containerless;
use crate::fault::Fault;
use crate::settings::Settings;

/// The folder of what carries the builds out, inside the run's.
pub(crate) const FOLDER: &str = "host";
/// What carries them out.
pub(crate) const DRIVER: &str = "driver.py";
/// What it is told.
pub(crate) const TOLD: &str = "host.json";

/// The user's variables that reach a build: of the machine and the session, of the network, of the
/// compilers. None that names a Python, or the packages of one.
const KEPT: [&str; 52] = [
    "ALL_PROXY",
    "APPDATA",
    "AR",
    "CC",
    "CFLAGS",
    "CMAKE_PREFIX_PATH",
    "COMSPEC",
    "CPPFLAGS",
    "CURL_CA_BUNDLE",
    "CXX",
    "CXXFLAGS",
    "DEVELOPER_DIR",
    "FC",
    "FFLAGS",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LDFLAGS",
    "LOCALAPPDATA",
    "LOGNAME",
    "MACOSX_DEPLOYMENT_TARGET",
    "NETRC",
    "NM",
    "NO_PROXY",
    "NUMBER_OF_PROCESSORS",
    "PATH",
    "PATHEXT",
    "PKG_CONFIG_PATH",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "RANLIB",
    "REQUESTS_CA_BUNDLE",
    "SDKROOT",
    "SHELL",
    "SOURCE_DATE_EPOCH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "USERPROFILE",
    "WINDIR",
    "XDG_CACHE_HOME",
];

/// The beginnings of more of them: cibuildwheel's settings, and how packages are fetched.
const KEPT_FAMILIES: [&str; 4] = ["CIBW_", "LC_", "PIP_", "UV_"];

/// Of those, the ones that would have packages installed somewhere else.
const ASTRAY: [&str; 11] = [
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_TARGET",
    "UV_WORKING_DIRECTORY",
];

/// The variables that name an environment whose programs stand in front of `PATH`.
const ENVIRONMENTS: [&str; 2] = ["CONDA_PREFIX", "VIRTUAL_ENV"];

/// What all builds of a run have in common that has no containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HostPlan {
    /// Why there are none; `None` where nobody wanted any.
    pub(crate) why: Option<String>,
    /// The C library that wheels are built against, such as `glibc 2.36`; `None` where they do not
    /// depend on one.
    pub(crate) libc: Option<String>,
    /// The compilers, in their own words.
    pub(crate) compilers: String,
    /// Why selected identifiers cannot be built though there is an interpreter.
    pub(crate) unfit: BTreeMap<String, String>,
    /// uv, which makes the environments.
    pub(crate) uv: Utf8PathBuf,
    /// The folder of the programs that builds find in `PATH`.
    pub(crate) programs: Utf8PathBuf,
    /// The folder of the wheels that each environment is made from.
    pub(crate) wheels: Utf8PathBuf,
}

/// What one such build has of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HostBuild {
    /// The interpreter.
    pub(crate) python: Utf8PathBuf,
    /// Its version.
    pub(crate) version: String,
    /// Where it is built: a folder that no other build has, and that no run changes the name of.
    pub(crate) folder: Utf8PathBuf,
    /// The check before anything is compiled, for a shell.
    pub(crate) preflight: String,
    /// The user's variables that reach it, by name.
    pub(crate) inherits: Vec<String>,
}

/// Why a run has to do without containers that would rather have them; `None` while it has them, or
/// where one was asked for by name. Of the images only those are looked at that were to be pulled.
pub(crate) fn fallback(
    facts: &Facts<'_>,
    images: &BTreeMap<ImageQuestion, ImageAnswer>,
) -> Option<String> {
    if !may_fall_back(facts.settings, &facts.answer.platform) {
        return None;
    }
    if facts.engines.is_empty() {
        return Some("no container engine answers, neither docker nor podman".to_owned());
    }
    let unreachable = |(question, answer): (&ImageQuestion, &ImageAnswer)| {
        let why = answer.contents.as_ref().err().filter(|_| answer.id.is_none())?;
        Some(format!("the image {} cannot be had: {why}", question.image))
    };
    images.iter().find_map(unreachable)
}

/// Whether a run with these settings may do without containers if it has to. Who names an image or an
/// engine wants them; elsewhere than on Linux there are none.
pub(crate) fn may_fall_back(settings: &Settings, platform: &str) -> bool {
    let is_asked = settings.image.is_some() || settings.engine.is_some();
    settings.builder == Builder::Auto && !is_asked && platform == "linux"
}

/// What all builds have in common, if there are no containers.
pub(super) fn plan(facts: &Facts<'_>) -> Option<HostPlan> {
    let host = facts.host?;
    Some(HostPlan {
        why: host.why.clone(),
        libc: host.libc.clone(),
        compilers: host.compilers.clone(),
        unfit: host.unfit.clone(),
        uv: host.tools.uv.clone(),
        programs: host.tools.programs.clone(),
        wheels: host.tools.wheels.clone(),
    })
}

/// What one build has of its own, if there are no containers.
///
/// # Errors
/// This machine has no interpreter for it, or no folder to build in.
pub(super) fn plan_build(
    facts: &Facts<'_>,
    selected: &Selected,
    inside: &Inside,
    wiring: Wiring,
) -> Result<Option<HostBuild>> {
    let Some(host) = facts.host else { return Ok(None) };
    let identifier = &selected.identifier;
    let interpreter = host.interpreters.get(identifier).ok_or_else(|| {
        Fault::machine(
            format!("this machine has no interpreter for {identifier}"),
            "leave it out with --only or --python, or install one",
        )
    })?;
    Ok(Some(HostBuild {
        python: interpreter.python.clone(),
        version: interpreter.version.clone(),
        folder: folder(facts, identifier)?,
        preflight: inside.preflight(wiring),
        inherits: inherited(facts.environment, &selected.passed),
    }))
}

/// The folder that a build has to itself.
///
/// Its name is made of letters only: it stands in every command of a compiler, and what names a Python
/// version there is taken for something that no other version shares (see the launcher).
///
/// # Errors
/// The environment names no home folder.
pub(super) fn folder(facts: &Facts<'_>, identifier: &str) -> Result<Utf8PathBuf> {
    let package = facts.paths.project.join(&facts.paths.package);
    let hosts = facts.environment.cache_folder()?.join("hosts");
    Ok(hosts.join(letters(package.as_str())).join(letters(identifier)))
}

/// Eight letters that stand for a text.
fn letters(text: &str) -> String {
    let bytes = Sha256::digest(text);
    bytes.iter().take(8).map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// The command of one build.
pub(super) fn argv(facts: &Facts<'_>, identifier: &str, record: &Utf8Path) -> Vec<String> {
    let driver = facts.paths.run.join(FOLDER).join(DRIVER);
    let out = record.join("out");
    // Isolated: no module of the user's, nor of the folder that it runs in, takes another's place.
    [facts.paths.python.as_str(), "-I", "-u", driver.as_str(), "--only", identifier]
        .into_iter()
        .chain(["--output-dir", out.as_str(), super::package_word(facts)])
        .map(ToOwned::to_owned)
        .collect()
}

/// The user's variables that reach a build, and those that `environment-pass` names.
fn inherited(user: &Environment, passed: &[String]) -> Vec<String> {
    let is_kept = |name: &String| {
        // Names of the network's are also written small, and Windows does not mind.
        let upper = name.to_uppercase();
        let is_kept = KEPT.contains(&upper.as_str())
            || KEPT_FAMILIES.iter().any(|family| upper.starts_with(family));
        (is_kept && !ASTRAY.contains(&upper.as_str())) || passed.contains(name)
    };
    user.starting_with("").into_keys().filter(is_kept).collect()
}

/// `PATH` without the programs of an environment that the user is in; `None` where there are none.
pub(super) fn search_path(user: &Environment, platform: &str) -> Option<String> {
    let path = user.get("PATH")?;
    let separator = if platform == "windows" { ';' } else { ':' };
    let homes: Vec<_> = ENVIRONMENTS.iter().filter_map(|name| user.get(name)).collect();
    let is_users = |folder: &&str| {
        homes.iter().any(|home| Utf8Path::new(folder).starts_with(Utf8Path::new(home)))
    };
    let (left_out, kept): (Vec<_>, Vec<_>) = path.split(separator).partition(is_users);
    let separator = separator.to_string();
    (!left_out.is_empty()).then(|| kept.join(&separator))
}

impl Plan {
    /// That the run has no containers, for who reads its events; `None` where it has.
    pub(crate) fn containerless(&self) -> Option<Containerless> {
        let host = self.host.as_ref()?;
        Some(Containerless { why: host.why.clone(), libc: host.libc.clone() })
    }

    /// What the driver of builds without containers reads; `None` where there are containers.
    pub(crate) fn for_driver(&self) -> Option<Value> {
        let host = self.host.as_ref()?;
        let build = |build: &BuildPlan| {
            let own = build.host.as_ref()?;
            let told =
                json!({"python": own.python, "folder": own.folder, "preflight": own.preflight});
            Some((build.identifier.clone(), told))
        };
        let builds: BTreeMap<String, Value> = self.builds.iter().filter_map(build).collect();
        Some(json!({
            "platform": super::group::platform_of(&self.builds.first()?.identifier),
            "uv": host.uv,
            "programs": host.programs,
            "wheels": host.wheels,
            "builds": builds,
        }))
    }
}
