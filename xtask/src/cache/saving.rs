//! The cache folder, made ready to be saved for other runs: owned by its user, without what only this
//! run had use for, and no larger than it is worth.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use camino::Utf8PathBuf;
use ccache_validator::launcher::linking;
use ccache_validator::state;

use super::MAX_LINKED_BYTES;
use super::ownership;
use crate::environment::Environment;
use crate::plan::{BuildPlan, Plan, RUN_LABEL};
use crate::process;
use crate::text::quote;
use crate::trim::{AtMost, trim};

/// What nothing has hit for so long goes.
const MAX_AGE: &str = "30d";
/// How large a saved cache may be unless `CCACHE_MAXSIZE` says so: GitHub keeps 10 GB for all caches
/// of a repository, and each platform tag has one.
const MAX_SIZE: &str = "2G";
/// Going through a large cache on a slow disk.
const LIMIT: Duration = Duration::from_secs(300);
/// Starting a program only to hear its version.
const ASK_LIMIT: Duration = Duration::from_secs(20);
/// Where a container sees the cache folder.
const INSIDE: &str = "/host_ccache";
/// Has a shell look whether there is a ccache at all.
const LOOK: &str = "command -v ccache >/dev/null";

/// A ccache that may work on a cache folder: one of the very version that the builds have used, since
/// another would change what it finds there.
#[derive(Debug)]
enum Ccache<'a> {
    /// This machine's, or the pinned one, which runs on it as well.
    OfHost(Utf8PathBuf),
    /// The one in a build's image.
    OfImage(&'a BuildPlan),
}

impl<'a> Ccache<'a> {
    /// Finds one. `versions` are those that the builds have used.
    fn at_hand(
        plan: &'a Plan,
        versions: &BTreeSet<&str>,
        environment: &Environment,
    ) -> Option<Self> {
        let [version] = versions.iter().copied().collect::<Vec<_>>()[..] else { return None };
        let pinned = plan.builds.iter().find_map(|build| build.ccache.pinned.as_ref());
        let pinned = pinned.map(|pinned| pinned.folder.join("ccache"));
        for program in environment.find_program("ccache").into_iter().chain(pinned) {
            let mut command = process::command(&program);
            command.arg("--version");
            let said = process::probe(command, ASK_LIMIT).unwrap_or_default();
            if is_version(&said, version) {
                return Some(Self::OfHost(program));
            }
        }
        let build = plan.builds.iter().find(|build| build.image.is_some())?;
        let probe = in_image(build, plan, &format!("{LOOK} && ccache --version"))?;
        let said = process::probe(probe, ASK_LIMIT).unwrap_or_default();
        is_version(&said, version).then_some(Self::OfImage(build))
    }

    /// Removes what is too old or too much.
    fn shrink(&self, plan: &Plan, max_size: &str) -> Result<()> {
        for arguments in [["--evict-older-than", MAX_AGE].as_slice(), &["--cleanup"]] {
            let command = match self {
                Self::OfHost(program) => {
                    let mut command = process::command(program);
                    command.args(arguments);
                    command.envs([("CCACHE_DIR", plan.ccache_dir.as_str())]);
                    command.envs([("CCACHE_MAXSIZE", max_size)]);
                    Some(command)
                }
                Self::OfImage(build) => {
                    let script = format!(
                        "{LOOK} && CCACHE_DIR={INSIDE} CCACHE_MAXSIZE={} ccache {}",
                        quote(max_size),
                        arguments.join(" ")
                    );
                    in_image(build, plan, &script)
                }
            };
            if let Some(command) = command {
                process::read(command, LIMIT)?;
            }
        }
        Ok(())
    }
}

/// Makes the cache folder ready; returns what could not be done, each with what that means. `versions`
/// are the ccaches that the builds have used.
pub(crate) fn make_ready(
    plan: &Plan,
    versions: &BTreeSet<&str>,
    environment: &Environment,
) -> Vec<String> {
    let ccache = Ccache::at_hand(plan, versions, environment);
    let folder = plan.ccache_dir.as_std_path();
    let mut warnings = Vec::new();
    let build = plan.builds.iter().find(|build| build.image.is_some());
    let as_root = |script: &str| in_image(build?, plan, script);
    if let Err(error) = ownership::repair(&plan.ccache_dir, INSIDE, as_root) {
        warnings.push(format!("it has files of another user's, and may not be saved: {error:#}"));
    }
    for cleared in [state::clear_markers(folder), state::clear_statslogs(folder)] {
        if let Err(error) = cleared {
            warnings.push(format!("what only this run had use for is saved as well: {error}"));
        }
    }
    trim(&folder.join(linking::FOLDER), AtMost::Bytes(MAX_LINKED_BYTES));
    let max_size = environment.get("CCACHE_MAXSIZE").unwrap_or(MAX_SIZE);
    match ccache.map(|ccache| ccache.shrink(plan, max_size)) {
        Some(Ok(())) => {}
        Some(Err(error)) => warnings.push(format!("it is not trimmed: {error:#}")),
        // Where no build has come so far, there is next to nothing to trim.
        None if versions.is_empty() => {}
        None => warnings.push(
            "it is not trimmed: neither this machine nor the image has the ccache that the builds \
             have used"
                .to_owned(),
        ),
    }
    warnings
}

/// Runs a script in a build's image, as root and with the cache folder at [`INSIDE`].
fn in_image(build: &BuildPlan, plan: &Plan, script: &str) -> Option<Command> {
    let (image, engine) = (build.image.as_ref()?, build.engine?);
    let mut command = process::command(engine.name());
    command.args(["run", "--rm", "--pull=never", "--user=0"]);
    command.arg(format!("--label={RUN_LABEL}={}", plan.run_id));
    command.arg(format!("--volume={}:{INSIDE}", plan.ccache_dir));
    command.args(["--entrypoint=/bin/sh", image, "-c", script]);
    command.envs(&build.environment);
    Some(command)
}

/// Whether `ccache --version` said this version.
fn is_version(said: &str, version: &str) -> bool {
    said.lines().next().and_then(|line| line.strip_prefix("ccache version ")) == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_version_will_do() {
        let said = "ccache version 4.7.5\nFeatures: file-storage\n";
        assert!(is_version(said, "4.7.5"));
        assert!(!is_version(said, "4.7"));
        assert!(!is_version("", "4.7.5"));
    }
}
