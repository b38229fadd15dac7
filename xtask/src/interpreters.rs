//! The interpreters of this machine that wheels can be built with.
//!
//! uv finds them: its own, those of the system, and those in the folders that are put in front of its
//! `PATH`, which are pyenv's and a manylinux image's. Each one that is taken is then asked whether it
//! has its headers, which Debian packages apart.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::environment::Environment;
use crate::lab::interpreters::version_folders;
use crate::pins::Pins;
use crate::plan::facts::Interpreter;
use crate::process;

/// uv asks each interpreter once and remembers what it said.
const LIST_LIMIT: Duration = Duration::from_secs(120);
/// An interpreter that is there answers at once.
const ASK_LIMIT: Duration = Duration::from_secs(20);
/// Where the images of manylinux and musllinux have theirs.
const OF_IMAGES: &str = "/opt/python";
/// What an interpreter is asked.
const ASK: &str = "import json, os, sysconfig
try:
    libc = os.confstr('CS_GNU_LIBC_VERSION')
except (AttributeError, OSError, ValueError):
    libc = None
headers = os.path.join(sysconfig.get_path('include'), 'Python.h')
print(json.dumps({'libc': libc, 'headers': headers, 'has_headers': os.path.isfile(headers)}))";

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Those that can build, by identifier.
    pub(crate) interpreters: BTreeMap<String, Interpreter>,
    /// Why the others cannot, by identifier.
    pub(crate) unfit: BTreeMap<String, String>,
    /// Identifiers that others would build, of which nobody wants a wheel.
    pub(crate) others: Vec<String>,
    /// The C library, as one of them has told.
    pub(crate) libc: Option<String>,
}

/// One of uv's list, as far as it matters.
#[derive(Clone, Debug, Deserialize)]
struct Listed {
    version: String,
    version_parts: Parts,
    path: Option<Utf8PathBuf>,
    os: String,
    variant: String,
    implementation: String,
    arch: String,
    libc: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Parts {
    major: u32,
    minor: u32,
    patch: u32,
}

/// What an interpreter says of itself.
#[derive(Clone, Debug, Deserialize)]
struct Said {
    libc: Option<String>,
    headers: String,
    has_headers: bool,
}

/// Finds the interpreters of this machine with `uv`, and asks those that `wanted` wants.
///
/// # Errors
/// uv cannot be run, or its answer is none.
pub(crate) fn find(
    uv: &Utf8Path,
    wanted: impl Fn(&str) -> bool,
    pins: &Pins,
    environment: &Environment,
) -> Result<Found> {
    let folder = tempfile::tempdir()?;
    let mut command = process::command(uv);
    command
        // It tells paths as seen from here; in an empty folder nothing is seen.
        .current_dir(folder.path())
        .args(["--no-config", "--offline"])
        .args(["python", "list", "--only-installed", "--output-format", "json"])
        .env("PATH", search_path(environment)?);
    for name in environment.starting_with("UV_").into_keys().filter(|name| restricts(name)) {
        command.env_remove(name);
    }
    let said = process::read(command, LIST_LIMIT).context("uv cannot list the interpreters")?;
    let mut found = Found::default();
    for (identifier, candidates) in candidates(&said)? {
        if wanted(&identifier) {
            take(&identifier, &candidates, pins, &mut found);
        } else {
            found.others.push(identifier);
        }
    }
    Ok(found)
}

/// Takes the first of the candidates that can build.
fn take(identifier: &str, candidates: &[Listed], pins: &Pins, found: &mut Found) {
    for candidate in candidates {
        let Some(python) = &candidate.path else { continue };
        let mut command = process::command(python);
        command.args(["-I", "-c", ASK]);
        let said = process::probe(command, ASK_LIMIT)
            .and_then(|said| serde_json::from_str::<Said>(&said).ok());
        let Some(said) = said else {
            found.unfit.insert(identifier.to_owned(), format!("{python} does not run"));
            continue;
        };
        if !said.has_headers {
            let why = format!("{python} has no headers, there is no {}", said.headers);
            found.unfit.insert(identifier.to_owned(), why);
            continue;
        }
        let musl = || (candidate.libc == "musl").then(|| "musl".to_owned());
        found.libc = found.libc.take().or(said.libc).or_else(musl);
        found.unfit.remove(identifier);
        let interpreter = Interpreter {
            python: python.clone(),
            version: candidate.version.clone(),
            build: build_for(candidate.version_parts, pins).to_owned(),
        };
        found.interpreters.insert(identifier.to_owned(), interpreter);
        return;
    }
}

/// The `PATH` in which uv looks: what it would not find by itself comes first.
fn search_path(environment: &Environment) -> Result<std::ffi::OsString> {
    let mut folders = version_folders(environment);
    folders.push(OF_IMAGES.into());
    let mut programs: Vec<Utf8PathBuf> = Vec::new();
    for folder in folders {
        let Ok(entries) = folder.read_dir_utf8() else { continue };
        let entries = entries.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
        programs.extend(entries.filter(|folder| folder.is_dir()));
    }
    programs.sort();
    // A shim asks pyenv which version is meant, and runs none if none is.
    let others = environment.path_folders();
    let others = others.into_iter().filter(|folder| folder.file_name() != Some("shims"));
    std::env::join_paths(programs.into_iter().chain(others)).context("the folders of PATH")
}

/// Whether a setting of uv's may hide interpreters.
fn restricts(name: &str) -> bool {
    ["UV_PYTHON", "UV_MANAGED_PYTHON", "UV_NO_MANAGED_PYTHON"].contains(&name)
        || name == "UV_PYTHON_PREFERENCE"
}

/// The interpreters of uv's list, by the identifier that each one builds; the newest first, finished
/// releases before others.
///
/// # Errors
/// It is no such list.
fn candidates(list: &str) -> Result<BTreeMap<String, Vec<Listed>>> {
    let list: Vec<Listed> = serde_json::from_str(list).context("uv's list of interpreters")?;
    let mut by_identifier: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for listed in list {
        if let Some(identifier) = identifier(&listed) {
            by_identifier.entry(identifier).or_default().push(listed);
        }
    }
    for candidates in by_identifier.values_mut() {
        // Of the same release the one that uv has put first.
        candidates
            .sort_by_key(|it| (!is_finished(&it.version), std::cmp::Reverse(it.version_parts)));
    }
    Ok(by_identifier)
}

/// cibuildwheel's identifier of what an interpreter builds; `None` where it has none.
fn identifier(listed: &Listed) -> Option<String> {
    let implementation = match listed.implementation.as_str() {
        "cpython" => "cp",
        "pypy" => "pp",
        // GraalPy's identifiers have its own version, which uv does not tell.
        _ => return None,
    };
    let threads = match listed.variant.as_str() {
        "default" => "",
        "freethreaded" => "t",
        _ => return None,
    };
    let platform = match (listed.os.as_str(), listed.libc.as_str()) {
        ("linux", "musl") => format!("musllinux_{}", linux(&listed.arch)?),
        ("linux", libc) if libc.starts_with("gnu") => format!("manylinux_{}", linux(&listed.arch)?),
        ("macos", _) if listed.arch == "aarch64" => "macosx_arm64".to_owned(),
        ("macos", _) if listed.arch == "x86_64" => "macosx_x86_64".to_owned(),
        ("windows", _) => match listed.arch.as_str() {
            "x86_64" => "win_amd64".to_owned(),
            "x86" => "win32".to_owned(),
            "aarch64" => "win_arm64".to_owned(),
            _ => return None,
        },
        _ => return None,
    };
    let Parts { major, minor, .. } = listed.version_parts;
    Some(format!("{implementation}{major}{minor}{threads}-{platform}"))
}

/// An architecture of uv's as identifiers for Linux have it.
fn linux(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "x86_64" => "x86_64",
        "x86" => "i686",
        "aarch64" => "aarch64",
        "armv7" => "armv7l",
        "powerpc64le" => "ppc64le",
        "s390x" => "s390x",
        "riscv64" => "riscv64",
        _ => return None,
    })
}

/// Whether a version is that of a release, and not of what comes before one.
fn is_finished(version: &str) -> bool {
    version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The version of `build` for a version of Python.
fn build_for(version: Parts, pins: &Pins) -> &str {
    let is_old = (version.major, version.minor) < (3, 10);
    if is_old { &pins.host.build_3_9 } else { &pins.host.build }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, version: &str, variant: &str, arch: &str, libc: &str) -> String {
        let (implementation, os) = key.split_once(' ').unwrap();
        let mut numbers = version.split(['.', 'r', 'a', 'b']).map(str::trim);
        let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
        let (major, minor, patch) = (next(), next(), next());
        format!(
            r#"{{"key": "{implementation}-{version}-{os}-{arch}-{libc}", "version": "{version}",
            "version_parts": {{"major": {major}, "minor": {minor}, "patch": {patch}}},
            "path": "/py/{version}/bin/python", "symlink": null, "url": null, "os": "{os}",
            "variant": "{variant}", "implementation": "{implementation}", "arch": "{arch}",
            "libc": "{libc}"}}"#
        )
    }

    fn of(entries: &[String]) -> BTreeMap<String, Vec<Listed>> {
        candidates(&format!("[{}]", entries.join(","))).unwrap()
    }

    #[test]
    fn identifiers_are_cibuildwheels() {
        for (key, version, variant, arch, libc, expected) in [
            ("cpython linux", "3.12.1", "default", "x86_64", "gnu", Some("cp312-manylinux_x86_64")),
            (
                "cpython linux",
                "3.14.0",
                "freethreaded",
                "x86_64",
                "gnu",
                Some("cp314t-manylinux_x86_64"),
            ),
            (
                "cpython linux",
                "3.9.18",
                "default",
                "aarch64",
                "musl",
                Some("cp39-musllinux_aarch64"),
            ),
            (
                "cpython linux",
                "3.12.1",
                "default",
                "armv7",
                "gnueabihf",
                Some("cp312-manylinux_armv7l"),
            ),
            ("pypy linux", "3.11.9", "default", "x86", "gnu", Some("pp311-manylinux_i686")),
            ("cpython macos", "3.13.0", "default", "aarch64", "none", Some("cp313-macosx_arm64")),
            ("cpython windows", "3.13.0", "default", "x86", "none", Some("cp313-win32")),
            ("cpython linux", "3.12.1", "debug", "x86_64", "gnu", None),
            ("graalpy linux", "3.11.7", "default", "x86_64", "gnu", None),
            ("cpython linux", "3.12.1", "default", "mips", "gnu", None),
            ("cpython emscripten", "3.12.1", "default", "wasm32", "musl", None),
        ] {
            let found = of(&[entry(key, version, variant, arch, libc)]);
            let found: Vec<_> = found.keys().map(String::as_str).collect();
            assert_eq!(
                found,
                expected.into_iter().collect::<Vec<_>>(),
                "{key} {version} {variant}"
            );
        }
    }

    #[test]
    fn the_newest_release_comes_first() {
        let listed = |version: &str| entry("cpython linux", version, "default", "x86_64", "gnu");
        let found = of(&["3.12.1", "3.12.10", "3.12.9"].map(listed));
        let versions: Vec<_> =
            found["cp312-manylinux_x86_64"].iter().map(|it| it.version.as_str()).collect();
        assert_eq!(versions, ["3.12.10", "3.12.9", "3.12.1"]);
        let found = of(&["3.15.0rc1", "3.15.0a2"].map(listed));
        assert_eq!(found["cp315-manylinux_x86_64"].len(), 2);
        assert!(is_finished("3.15.0") && !is_finished("3.15.0rc1") && !is_finished("3.13.0+dev"));
    }

    #[test]
    fn of_the_same_release_the_first_one_is_taken() {
        let one = entry("cpython linux", "3.12.1", "default", "x86_64", "gnu");
        let other = one.replace("/py/3.12.1", "/usr");
        let found = of(&[other, one]);
        let path = found["cp312-manylinux_x86_64"][0].path.as_deref().unwrap();
        assert_eq!(path, "/usr/bin/python");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "{}", "[1]", r#"[{"version": "3.12.1"}]"#] {
            assert!(candidates(text).is_err(), "{text}");
        }
        assert!(candidates("[]").unwrap().is_empty());
    }

    #[test]
    fn python_3_9_gets_the_last_frontend_that_it_takes() {
        let pins = Pins::built_in().unwrap();
        let parts = |minor| Parts { major: 3, minor, patch: 0 };
        assert_eq!(build_for(parts(9), &pins), pins.host.build_3_9);
        assert_eq!(build_for(parts(10), &pins), pins.host.build);
    }
}
