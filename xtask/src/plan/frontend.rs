//! Folders that are the same in every run: of the isolated build environment, which headers of
//! build requirements are included from, and of the build itself, which has what a configure step
//! writes. By default both have random names. A file that includes a header from such a folder
//! misses in every run, and one that is only pointed at it loses its direct hit.

use camino::Utf8Path;
use sha2::{Digest as _, Sha256};

use super::facts::{Facts, Frontend, ImageAnswer, Selected};
use super::inside::has_launcher;
use crate::text::{hex, quote};

/// The isolated environment in containers, of which each build has its own.
const CONTAINER_ENVIRONMENT: &str = "/tmp/warmwheel-env";
/// The folder to build in, in containers.
const CONTAINER_BUILD: &str = "/tmp/warmwheel-build";
/// The folder to build in without containers, as seen from the package. Each such build has a copy of
/// the project to itself, and what is in the project has the same relative path in all of them.
const HOST_BUILD: &str = ".warmwheel-build";
/// Where meson-python builds, as seen from the package: beside the folder with a random name that it
/// would take, so that its relative paths, which end up in messages, stay as they are.
const MESON_BUILD: &str = ".mesonpy-warmwheel";
/// The first `build` with `--env-dir`: major and minor version.
const FIRST_WITH_ENV_DIR: (u32, u32) = (1, 6);

/// What becomes of the isolated environment's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Environment {
    /// It is put here.
    At(String),
    /// The package itself says where it is, or has no isolated environment.
    Theirs,
    /// Its name is random, for this reason.
    Random(String),
}

impl Environment {
    /// Decides for one build; `image` is what is known of its image, where there is one.
    pub(super) fn of(facts: &Facts<'_>, selected: &Selected, image: Option<&ImageAnswer>) -> Self {
        let frontend = &selected.frontend;
        if !matches!(frontend.name.as_str(), "build" | "build[uv]") {
            let name = &frontend.name;
            return Self::Random(format!("the frontend `{name}` has no --env-dir, `build` has"));
        }
        if frontend.args.iter().any(|argument| settles_it(argument)) {
            return Self::Theirs;
        }
        let host = facts.host.and_then(|host| host.interpreters.get(&selected.identifier));
        let version = match (host, &selected.interpreter, image) {
            (Some(host), ..) => Ok(host.build.as_str()),
            (None, Some(interpreter), Some(image)) => version_in(image, interpreter),
            (None, Some(_), None) => Err("its image was not asked".to_owned()),
            (None, None, _) => frontend
                .constrained
                .as_deref()
                .ok_or_else(|| "cibuildwheel's constraints do not fix it".to_owned()),
        };
        let version = match version {
            Ok(version) => version,
            Err(why) => {
                return Self::Random(format!("the version of `build` is not known: {why}"));
            }
        };
        if !has_env_dir(version) {
            let (major, minor) = FIRST_WITH_ENV_DIR;
            return Self::Random(format!(
                "`build` {version} has no --env-dir, {major}.{minor} and newer have"
            ));
        }
        if image.is_some() {
            return Self::At(CONTAINER_ENVIRONMENT.to_owned());
        }
        match host_folder(facts, &selected.identifier) {
            Ok(folder) => Self::At(folder),
            Err(error) => Self::Random(format!("there is no place for it: {error}")),
        }
    }

    /// What a person should know.
    pub(super) fn note(&self) -> Option<String> {
        let Self::Random(reason) = self else { return None };
        Some(format!(
            "binding files will miss on every run, as far as they include headers of build \
             requirements: {reason}"
        ))
    }
}

/// A host's builds share their folders, so each identifier of each package has one of its own.
fn host_folder(facts: &Facts<'_>, identifier: &str) -> anyhow::Result<String> {
    let package = facts.paths.project.join(&facts.paths.package);
    let package = &hex(&Sha256::digest(package.as_str()))[..8];
    let environments = facts.environment.cache_folder()?.join("environments");
    Ok(environments.join(package).join(identifier).into_string())
}

fn version_in<'a>(image: &'a ImageAnswer, interpreter: &str) -> Result<&'a str, String> {
    let contents = image.contents.as_ref().map_err(Clone::clone)?;
    let folder = Utf8Path::new(interpreter).file_name().unwrap_or(interpreter);
    let version = contents.build.get(folder).map(String::as_str);
    version.ok_or_else(|| format!("the image has none for {folder}"))
}

/// Whether an argument of `build` puts the environment somewhere, or does without one. Its parser
/// takes options cut short, and short ones run together.
fn settles_it(argument: &str) -> bool {
    let name = argument.split('=').next().unwrap_or_default();
    if let Some(letters) = name.strip_prefix('-').filter(|rest| !rest.starts_with('-')) {
        return letters.chars().take_while(|letter| "nqsvwx".contains(*letter)).any(|c| c == 'n');
    }
    name.len() > 2 && ["--env-dir", "--no-isolation"].iter().any(|full| full.starts_with(name))
}

/// Whether this version of `build` has `--env-dir`.
pub(crate) fn has_env_dir(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= FIRST_WITH_ENV_DIR
}

/// A folder to build in that is the same in every run.
pub(super) struct BuildDir {
    /// The `config-settings` that say so.
    pub(super) setting: String,
    /// Its name for a shell, as cibuildwheel reads commands.
    word: String,
}

/// The folder to build in, where the package leaves it open. As a setting and not as a variable:
/// that would hold for every requirement that is built from source, too, several at a time. A
/// `SKBUILD_BUILD_DIR` of the package's own still wins.
///
/// Only where the project is a copy of the build's own: where cibuildwheel builds on a host, a folder
/// that stays would make builds incremental. meson-python names its random folder in no command line,
/// so that compilations hit directly without this; but a link that is kept is kept for the folder that
/// it ran in.
pub(super) fn build_dir(facts: &Facts<'_>, selected: &Selected) -> Option<BuildDir> {
    const NAMES: [&str; 3] = ["build-dir", "builddir", "skbuild.build-dir"];
    let set = selected.config_settings.iter().any(|name| NAMES.contains(&name.as_str()));
    // Also as an argument, `-Cbuild-dir=x`: backends refuse a setting that is given twice.
    let given = NAMES.iter().any(|name| selected.frontend.args.iter().any(|a| a.contains(name)));
    let is_host = facts.host.is_some();
    let has_own_copy = if is_host {
        // What clears it is written for a Unix shell.
        facts.answer.platform != "windows"
    } else {
        selected.interpreter.is_some()
    };
    if !has_own_copy || set || given {
        return None;
    }
    match facts.traits.backend.as_str() {
        "scikit_build_core.build" if facts.traits.names_build_dir => None,
        "scikit_build_core.build" if is_host => Some(BuildDir {
            setting: format!("build-dir={HOST_BUILD}"),
            word: format!("'{{package}}/{HOST_BUILD}'"),
        }),
        "scikit_build_core.build" => Some(BuildDir {
            setting: format!("build-dir={CONTAINER_BUILD}"),
            word: CONTAINER_BUILD.to_owned(),
        }),
        // By the name that old versions know as well.
        "mesonpy" if has_launcher(facts) => Some(BuildDir {
            setting: format!("builddir={MESON_BUILD}"),
            word: format!("'{{package}}/{MESON_BUILD}'"),
        }),
        _ => None,
    }
}

/// A command that removes what earlier builds left, to be run before each build.
///
/// `build` refuses an environment folder that is not empty, and keeps its own after a failure: on
/// a host the next run finds it. In a container it never does, since cibuildwheel stops at the
/// first failure and the container goes with it. But the folder to build in stays after a success,
/// and where cibuildwheel compiles several identifiers in one container the second must not find
/// what the first one has configured.
pub(super) fn clearing(
    facts: &Facts<'_>,
    environment: &Environment,
    build_dir: Option<&BuildDir>,
) -> Option<String> {
    let platform = facts.answer.platform.as_str();
    if let Some(BuildDir { word, .. }) = build_dir {
        return Some(match environment {
            Environment::At(folder) => format!("rm -rf {} {word}", quote(folder)),
            _ if facts.host.is_some() => format!("rm -rf {word}"),
            _ => format!("rm -rf {CONTAINER_ENVIRONMENT} {word}"),
        });
    }
    match environment {
        Environment::At(folder) if folder == CONTAINER_ENVIRONMENT => None,
        Environment::At(folder) if platform == "windows" => Some(format!(
            "python -c \"import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)\" \
             \"{folder}\""
        )),
        Environment::At(folder) => Some(format!("rm -rf {}", quote(folder))),
        Environment::Theirs | Environment::Random(_) => None,
    }
}

/// `build-frontend` with one more argument, as cibuildwheel reads it.
pub(super) fn text(frontend: &Frontend, more: Option<&str>) -> String {
    let arguments: Vec<_> =
        frontend.args.iter().map(String::as_str).chain(more).map(quote).collect();
    if arguments.is_empty() {
        frontend.name.clone()
    } else {
        format!("{}; args: {}", frontend.name, arguments.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_settles_the_environments_place() {
        let settling = [
            "--env-dir",
            "--env-dir=/x",
            "--env",
            "--no-isolation",
            "--no-iso",
            "-n",
            "-xn",
            "-nx",
        ];
        for argument in settling {
            assert!(settles_it(argument), "{argument}");
        }
        let others = [
            "--",
            "-x",
            "-Cname=n",
            "-on",
            "--sdist",
            "--installer=uv",
            "/env-dir",
            "",
            "--skip-dependency-check",
        ];
        for argument in others {
            assert!(!settles_it(argument), "{argument}");
        }
    }

    #[test]
    fn versions_of_build() {
        for (version, has) in [
            ("1.6", true),
            ("1.6.1", true),
            ("1.10.0", true),
            ("2", true),
            ("1.5.9", false),
            ("1.4.4", false),
            ("1", false),
            ("", false),
            ("unknown", false),
        ] {
            assert_eq!(has_env_dir(version), has, "{version}");
        }
    }

    #[test]
    fn the_frontend_keeps_its_name_and_arguments() {
        let frontend = |args: &[&str]| Frontend {
            name: "build[uv]".to_owned(),
            args: args.iter().map(|&argument| argument.to_owned()).collect(),
            constrained: None,
        };
        assert_eq!(text(&frontend(&[]), None), "build[uv]");
        assert_eq!(text(&frontend(&[]), Some("--a=/b c")), "build[uv]; args: '--a=/b c'");
        assert_eq!(
            text(&frontend(&["--x", "a;b"]), Some("--env-dir=/e")),
            "build[uv]; args: --x 'a;b' --env-dir=/e"
        );
    }
}
