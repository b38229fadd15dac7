//! The pinned tools: cibuildwheel, twine and what drives a browser in environments of their own, and
//! the static validator.

mod host;
mod linters;
mod pythons;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

pub(crate) use self::host::{host_key, host_tools, made_host_tools};
pub(crate) use self::linters::{Linters, linters};
pub(crate) use self::pythons::{find_python, pythons};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::{INSTALLER, LAUNCHER, VALIDATOR};
use crate::pins::{BROWSER, CCACHE, Pins, REQUIREMENTS, TWINE};
use crate::process::{self, Reply};
use crate::text::hex;

/// Asking an interpreter for its version.
pub(crate) const ASK_LIMIT: Duration = Duration::from_secs(20);
/// Installing a dozen small packages, on a slow line.
const INSTALL_LIMIT: Duration = Duration::from_secs(900);
/// Compiling the validator, on a slow machine.
const COMPILE_LIMIT: Duration = Duration::from_secs(900);
/// Has a Python tell the version of its cibuildwheel, which takes that all of it is there.
const ASKS_CIBUILDWHEEL: [&str; 2] =
    ["-c", "import cibuildwheel.options, sys; print(cibuildwheel.__version__)"];
/// What installs a ccache in an image that has none.
const INSTALL_CCACHE: &str = include_str!("provision/install-ccache.sh");
/// Written last, so that a half-made environment is never taken for a whole one.
const READY: &str = "warmwheel-ready";

/// The Python of an environment that holds exactly the locked requirements.
///
/// # Errors
/// No suitable Python, or an installation that fails.
pub(crate) fn cibuildwheel(
    pins: &Pins,
    environment: &Environment,
    console: Console,
) -> Result<Utf8PathBuf> {
    let locked = Locked {
        name: "cibuildwheel",
        version: &pins.cibuildwheel.version,
        lock: REQUIREMENTS,
        asks: &ASKS_CIBUILDWHEEL,
    };
    locked.python(pins, environment, console)
}

/// The Python of an environment that holds exactly the locked twine.
///
/// # Errors
/// No suitable Python, or an installation that fails.
pub(crate) fn twine(
    pins: &Pins,
    environment: &Environment,
    console: Console,
) -> Result<Utf8PathBuf> {
    let locked = Locked {
        name: "twine",
        version: &pins.twine.version,
        lock: TWINE,
        asks: &["-I", "-c", "import twine.commands.check; print(twine.__version__)"],
    };
    locked.python(pins, environment, console)
}

/// The Python of an environment that can drive a browser and has what checks a page in it.
///
/// # Errors
/// No suitable Python, or an installation that fails.
pub(crate) fn browser(
    pins: &Pins,
    environment: &Environment,
    console: Console,
) -> Result<Utf8PathBuf> {
    const ASK: &str = "import sys, selenium.webdriver; from importlib.metadata import version; \
                       print(', '.join(name + ' ' + version(name) for name in sys.argv[1:]))";
    let mut asks = vec!["-I", "-c", ASK];
    asks.extend(pins.browser.keys().map(String::as_str));
    let version = versions(&pins.browser);
    let locked = Locked { name: "browser", version: &version, lock: BROWSER, asks: &asks };
    locked.python(pins, environment, console)
}

/// The Python of that environment if one was made, whether or not it still works: who asks it
/// something will find out, and a remembered answer is only for one that has lost no file.
///
/// # Errors
/// There is no folder for such things.
pub(crate) fn made_cibuildwheel(environment: &Environment) -> Result<Option<Utf8PathBuf>> {
    Ok(made("cibuildwheel", REQUIREMENTS, environment)?.map(|folder| python_of(&folder)))
}

/// The folder of a tool that was installed, whether or not it still works.
fn made(name: &str, lock: &str, environment: &Environment) -> Result<Option<Utf8PathBuf>> {
    let folder = folder_of(name, lock, environment)?;
    Ok(Some(folder).filter(|folder| folder.join(READY).is_file()))
}

/// The folder of a tool, which has its name from its lock.
fn folder_of(name: &str, lock: &str, environment: &Environment) -> Result<Utf8PathBuf> {
    Ok(environment.cache_folder()?.join("tools").join(format!("{name}-{}", key(lock))))
}

/// The folder of the newest ccache, to be put in front of `PATH`. `python` must have pip.
///
/// # Errors
/// It cannot be fetched, or does not run here.
pub(crate) fn newest_ccache(
    pins: &Pins,
    python: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<Utf8PathBuf> {
    let program = |folder: &Utf8Path| {
        folder.join("bin").join(format!("ccache{}", std::env::consts::EXE_SUFFIX))
    };
    let tool = Tool {
        name: "ccache",
        version: &pins.ccache.newest,
        lock: CCACHE,
        works: &|folder| {
            let mut command = process::command(program(folder));
            command.arg("--version");
            let version = format!("ccache version {}", pins.ccache.newest);
            process::probe(command, ASK_LIMIT).is_some_and(|said| said.starts_with(&version))
        },
        install: &|folder| {
            let lock = requirements_file(CCACHE)?;
            let mut fill = process::command(python);
            fill.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
                .args(["--prefix", folder.as_str(), "--requirement"])
                .arg(lock.path());
            process::read(fill, INSTALL_LIMIT).map(drop)
        },
    };
    Ok(provide(&tool, environment, console)?.join("bin"))
}

/// Packages in an environment of their own.
struct Locked<'a> {
    name: &'a str,
    version: &'a str,
    lock: &'a str,
    /// With these arguments its Python says the version, unless an upgrade of the system's Python, or
    /// a cleaner, has taken something away.
    asks: &'a [&'a str],
}

impl Locked<'_> {
    /// The environment's Python; the environment is made if need be.
    fn python(
        &self,
        pins: &Pins,
        environment: &Environment,
        console: Console,
    ) -> Result<Utf8PathBuf> {
        let tool = Tool {
            name: self.name,
            version: self.version,
            lock: self.lock,
            works: &|folder| {
                let mut command = process::command(python_of(folder));
                command.args(self.asks);
                process::probe(command, ASK_LIMIT).is_some_and(|said| said.trim() == self.version)
            },
            install: &|folder| install(self.name, self.lock, folder, pins, environment),
        };
        Ok(python_of(&provide(&tool, environment, console)?))
    }
}

/// Something that is installed from a lock.
struct Tool<'a> {
    name: &'a str,
    version: &'a str,
    lock: &'a str,
    /// Whether a folder still has it.
    works: &'a dyn Fn(&Utf8Path) -> bool,
    /// Puts it into a folder that is not there yet.
    install: &'a dyn Fn(&Utf8Path) -> Result<()>,
}

/// The folder in the user's cache that holds the tool, installed if need be.
///
/// Its name is made from the lock, so a changed lock makes a new one and checkouts share it. Runs
/// that start at once wait for each other.
fn provide(tool: &Tool<'_>, environment: &Environment, console: Console) -> Result<Utf8PathBuf> {
    let tools = environment.cache_folder()?.join("tools");
    fs::create_dir_all(&tools).with_context(|| format!("cannot make {tools}"))?;
    let key = &key(tool.lock);
    let folder = folder_of(tool.name, tool.lock, environment)?;
    let guard = File::create(tools.join(format!("{}-{key}.lock", tool.name)))?;
    guard.lock().with_context(|| format!("cannot lock {tools}"))?;
    if folder.join(READY).is_file() && (tool.works)(&folder) {
        return Ok(folder);
    }
    if folder.exists() {
        console.say(format!("rebuilding {folder}, which does not work any more"));
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {folder}"))?;
    }
    console.say(format!("installing {} {}", tool.name, tool.version));
    (tool.install)(&folder)?;
    if !(tool.works)(&folder) {
        return Err(Fault::machine(
            format!("{} {} was installed into {folder} and does not run", tool.name, tool.version),
            "look whether there is one for this machine",
        ));
    }
    fs::write(folder.join(READY), key)?;
    Ok(folder)
}

/// Distributions with their versions, for a person.
fn versions(pins: &BTreeMap<String, String>) -> String {
    let versions: Vec<_> = pins.iter().map(|(name, version)| format!("{name} {version}")).collect();
    versions.join(", ")
}

/// A name for what a lock installs.
fn key(lock: &str) -> String {
    hex(&Sha256::digest(lock))[..16].to_owned()
}

/// Tells the pinned cibuildwheel, with all that it needs, from any other.
pub(crate) fn cibuildwheel_key() -> String {
    key(REQUIREMENTS)
}

fn requirements_file(lock: &str) -> Result<tempfile::NamedTempFile> {
    let file = tempfile::Builder::new().suffix(".txt").tempfile()?;
    fs::write(file.path(), lock)?;
    Ok(file)
}

fn python_of(folder: &Utf8Path) -> Utf8PathBuf {
    if cfg!(windows) { folder.join("Scripts/python.exe") } else { folder.join("bin/python") }
}

/// Makes an environment with what `lock` names, and nothing else: a lock is complete, and twine's
/// leaves out on purpose what twine asks for.
fn install(
    name: &str,
    lock: &str,
    folder: &Utf8Path,
    pins: &Pins,
    environment: &Environment,
) -> Result<()> {
    let base = find_python(pins, environment)?;
    let requirements = requirements_file(lock)?;
    let mut steps = Vec::new();
    if let Some(uv) = environment.find_program("uv") {
        let mut make = process::command(&uv);
        make.args(["venv", "--quiet", "--seed", "--python"]).args([&base, folder]);
        let mut fill = process::command(&uv);
        fill.args(["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python"])
            .arg(python_of(folder))
            .arg("--requirement")
            .arg(requirements.path());
        steps.extend([make, fill]);
    } else {
        let mut make = process::command(&base);
        make.args(["-m", "venv"]).arg(folder);
        let mut fill = process::command(python_of(folder));
        fill.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
            .arg("--requirement")
            .arg(requirements.path());
        steps.extend([make, fill]);
    }
    for step in steps {
        let shown = process::display(&step);
        process::read(step, INSTALL_LIMIT).map_err(|error| {
            Fault::machine(
                format!("cannot install {name}: {error:#}"),
                format!(
                    "check the network and that {base} has the venv module (Debian: `apt-get \
                     install python3-venv`), then run again; the step was `{shown}`"
                ),
            )
        })?;
    }
    Ok(())
}

/// How the installed cibuildwheel stands; `None` if there is none yet. Installs nothing.
///
/// # Errors
/// There is no folder for such things.
pub(crate) fn cibuildwheel_reply(
    environment: &Environment,
    limit: Duration,
) -> Result<Option<(Utf8PathBuf, Reply)>> {
    Ok(made_cibuildwheel(environment)?.map(|python| {
        let mut command = process::command(&python);
        command.args(ASKS_CIBUILDWHEEL);
        let reply = process::reply(command, limit);
        (python, reply)
    }))
}

/// The static validator and launcher for containers of this machine, built by cargo, which also
/// knows when they are still fresh, and what installs a ccache where there is none. Returns the folder
/// that is mounted read-only into containers.
///
/// # Errors
/// It does not compile.
pub(crate) fn container_files(
    workspace: &Utf8Path,
    target: &Utf8Path,
    environment: &Environment,
) -> Result<Utf8PathBuf> {
    let triple = static_triple()?;
    // A target folder of its own: other flags in the same one would make cargo build each of the
    // two programs again whenever the other had been built.
    let own_target = target.join("validator");
    let cargo = environment.get("CARGO").unwrap_or("cargo");
    let mut command = process::command(cargo);
    command
        .current_dir(workspace)
        .args(["build", "--quiet", "--release", "--locked", "--package", "ccache-validator"])
        .args(["--target", triple, "--target-dir", own_target.as_str()])
        // At a fixed address it needs no table of relocations, which is a good part of its size.
        .env("RUSTFLAGS", "-C target-feature=+crt-static -C relocation-model=static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::read(command, COMPILE_LIMIT).map_err(|error| {
        Fault::machine(
            format!("the validator does not compile: {error:#}"),
            "it is linked statically: install the C library's static archive (Debian: libc6-dev, \
             Fedora: glibc-static)",
        )
    })?;
    let folder = container_folder(target);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
    let built = own_target.join(triple).join("release");
    for program in [VALIDATOR, LAUNCHER] {
        place(&built.join(program), &folder.join(program))?;
    }
    let installer = folder.join(INSTALLER);
    if !fs::read(&installer).is_ok_and(|found| found == INSTALL_CCACHE.as_bytes()) {
        // In a folder of its own, so that it gets the rights that files have here.
        let beside = tempfile::tempdir_in(&folder)?;
        let written = beside.path().join(INSTALLER);
        fs::write(&written, INSTALL_CCACHE)
            .and_then(|()| fs::rename(&written, &installer))
            .with_context(|| format!("cannot place {installer}"))?;
    }
    Ok(folder)
}

/// The folder that is mounted read-only into containers.
pub(crate) fn container_folder(target: &Utf8Path) -> Utf8PathBuf {
    target.join("warmwheel/container")
}

/// Puts a file in its place in one step, since another run's containers may be using it.
fn place(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let same = |a: &Utf8Path, b: &Utf8Path| -> std::io::Result<bool> {
        let (a, b) = (a.metadata()?, b.metadata()?);
        Ok(a.len() == b.len() && a.modified()? <= b.modified()?)
    };
    if same(from, to).unwrap_or(false) {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(Utf8Path::new("."));
    let beside = tempfile::Builder::new().tempfile_in(folder)?.into_temp_path();
    fs::copy(from, &beside).with_context(|| format!("cannot copy {from} to {folder}"))?;
    beside.persist(to).with_context(|| format!("cannot place {to}"))
}

/// The target whose static programs run in Linux containers of this machine.
fn static_triple() -> Result<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("x86_64-unknown-linux-gnu"),
        ("linux", "aarch64") => Ok("aarch64-unknown-linux-gnu"),
        (os, arch) => Err(Fault::machine(
            format!("the validator cannot be built for containers on {os} {arch} yet"),
            "run this on Linux (x86_64 or aarch64)",
        )),
    }
}

#[cfg(test)]
mod tests;
