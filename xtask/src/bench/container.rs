//! One container of the test image that does one thing and goes.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use camino::Utf8Path;

use super::Bench;
use crate::fault::{Class, Fault};
use crate::process::{self, Ended};

/// Removing a container that does not want to go.
const REMOVE_LIMIT: Duration = Duration::from_secs(60);

/// A folder of the host in the container.
pub(super) struct Mount<'a> {
    pub(super) host: &'a Utf8Path,
    pub(super) container: &'a str,
    pub(super) read_only: bool,
}

impl Mount<'_> {
    fn argument(&self) -> Result<String> {
        // An engine takes a relative path for the name of a volume.
        let host = camino::absolute_utf8(self.host)?;
        if host.as_str().contains(':') {
            return Err(Fault::usage(
                format!("{host} cannot be mounted into a container: it has a colon"),
                "engines separate the parts of a mount by colons; use another folder",
            ));
        }
        let mode = if self.read_only { ":ro" } else { "" };
        Ok(format!("--volume={host}:{}{mode}", self.container))
    }
}

/// Asks for a folder that only a checkout of this project has.
///
/// # Errors
/// It is not there.
pub(super) fn require(folder: &Utf8Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(Fault::machine(
        format!("there is no {folder}"),
        "run this in a checkout of Warmwheel itself, which has what is measured",
    ))
}

/// Runs a command in a container of its own, with an empty folder in memory; what it says is shown.
///
/// # Errors
/// It fails, or this process is asked to stop.
pub(super) fn run(
    bench: &Bench<'_>,
    mounts: &[Mount<'_>],
    in_memory: &str,
    command: &[&str],
) -> Result<()> {
    let name = format!("warmwheel-bench-{}", std::process::id());
    let mut start = engine(bench);
    start.args(["run", "--rm", "--pull=never", &format!("--name={name}")]);
    start.args(&bench.lab.create_args).arg(format!("--tmpfs={in_memory}:size=1g"));
    for mount in mounts {
        start.arg(mount.argument()?);
    }
    start.arg(&bench.lab.image).args(command);
    let ended = process::stream(start, bench.interrupt, |line| {
        bench.console.pass_on(line);
        Ok(())
    });
    if !matches!(ended, Ok(Ended::Exited(_))) {
        let mut remove = engine(bench);
        remove.args(["rm", "--force", "--volumes", &name]);
        // Mostly it has gone by itself.
        let _ = process::probe(remove, REMOVE_LIMIT);
    }
    match ended? {
        Ended::Exited(status) if status.success() => Ok(()),
        Ended::Exited(status) => bail!("the benchmark ended with {status}, see above"),
        Ended::Interrupted => {
            let signal = bench.interrupt.signal().unwrap_or_default();
            Err(Fault::new(Class::Interrupted(signal), "interrupted", "").into())
        }
    }
}

fn engine(bench: &Bench<'_>) -> Command {
    let mut command = process::command(bench.lab.engine.name());
    command.envs(&bench.lab.environment);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_mounted_by_its_whole_path() {
        let mount = |host, read_only| Mount { host, container: "/in", read_only }.argument();
        assert_eq!(mount(Utf8Path::new("/a b"), true).unwrap(), "--volume=/a b:/in:ro");
        let relative = mount(Utf8Path::new("a"), false).unwrap();
        assert!(relative.starts_with("--volume=/") && relative.ends_with("/a:/in"), "{relative}");
        assert!(mount(Utf8Path::new("/a:b"), true).is_err());
    }
}
