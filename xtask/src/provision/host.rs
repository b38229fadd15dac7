//! What builds without containers need of their own: uv, what repairs wheels, and the wheels that
//! environments are made from.

use std::fs;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::{ASK_LIMIT, INSTALL_LIMIT, Tool, install, key, made, provide, requirements_file};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::{FRONTEND, FRONTEND_3_9, HOST, Pins};
use crate::plan::facts::HostTools;
use crate::process;

/// The folder of an environment that has its programs.
const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// The locked tools, installed if need be. `python` must have pip.
///
/// # Errors
/// One of them cannot be fetched, or does not run here.
pub(crate) fn host_tools(
    pins: &Pins,
    python: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<HostTools> {
    let repairs = match std::env::consts::OS {
        "linux" => format!(", auditwheel {}", pins.host.auditwheel),
        "macos" => format!(", delocate {}", pins.host.delocate),
        _ => String::new(),
    };
    let programs = Tool {
        name: "host",
        version: &format!("tools: uv {}{repairs}", pins.host.uv),
        lock: HOST,
        works: &|folder| {
            let mut command = process::command(uv_in(folder));
            command.arg("--version");
            let version = format!("uv {}", pins.host.uv);
            process::probe(command, ASK_LIMIT).is_some_and(|said| said.trim().starts_with(&version))
        },
        install: &|folder| install("the tools of the host", HOST, folder, pins, environment),
    };
    let both = frontend_lock();
    let wheels = Tool {
        name: "frontend",
        version: &format!("(build {}) for environments", pins.host.build),
        lock: &both,
        works: &|folder| {
            let has =
                |version: &str| folder.join(format!("build-{version}-py3-none-any.whl")).is_file();
            has(&pins.host.build) && has(&pins.host.build_3_9)
        },
        install: &|folder| {
            fs::create_dir_all(folder)?;
            fetch(python, FRONTEND, "3.10", folder)?;
            fetch(python, FRONTEND_3_9, "3.9", folder)
        },
    };
    let programs = provide(&programs, environment, console)?;
    Ok(tools_in(&programs, provide(&wheels, environment, console)?))
}

/// Those tools if they were installed, whether or not they still work.
///
/// # Errors
/// There is no folder for such things.
pub(crate) fn made_host_tools(environment: &Environment) -> Result<Option<HostTools>> {
    let programs = made("host", HOST, environment)?;
    let wheels = made("frontend", &frontend_lock(), environment)?;
    Ok(programs.zip(wheels).map(|(programs, wheels)| tools_in(&programs, wheels)))
}

fn frontend_lock() -> String {
    [FRONTEND, FRONTEND_3_9].concat()
}

fn uv_in(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(PROGRAMS).join(format!("uv{}", std::env::consts::EXE_SUFFIX))
}

fn tools_in(programs: &Utf8Path, wheels: Utf8PathBuf) -> HostTools {
    HostTools { uv: uv_in(programs), programs: programs.join(PROGRAMS), wheels }
}

/// Tells these tools, with all that they need, from any others.
pub(crate) fn host_key() -> String {
    key(&[HOST, FRONTEND, FRONTEND_3_9].concat())
}

/// Fetches what a lock names as wheels for any machine with that Python or a newer one.
fn fetch(python: &Utf8Path, lock: &str, version: &str, folder: &Utf8Path) -> Result<()> {
    let requirements = requirements_file(lock)?;
    let mut command = process::command(python);
    command
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"])
        .args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"])
        .args(["--python-version", version, "--dest", folder.as_str(), "--requirement"])
        .arg(requirements.path());
    process::read(command, INSTALL_LIMIT).map(drop).map_err(|error| {
        Fault::machine(
            format!("cannot fetch what build environments are made from: {error:#}"),
            "check the network, then run again",
        )
    })
}
