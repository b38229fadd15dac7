//! What can be told about this machine before a run has asked anybody anything: a few system calls, and a
//! process only where the run is going to start it anyway.

use anyhow::Result;
use camino::Utf8Path;

use super::{Check, State, Weight, gather, judge};
use crate::cache::standing;
use crate::cli::Builder;
use crate::console::Console;
use crate::environment::Environment;
use crate::host;
use crate::pins::Pins;
use crate::plan;
use crate::provision;
use crate::settings::Settings;
use crate::setup::Installer;

/// The places and the platform of a run.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// What is wanted.
    pub(crate) settings: &'a Settings,
    /// Where records go.
    pub(crate) records: &'a Utf8Path,
    /// The platform that is built for.
    pub(crate) platform: &'a str,
}

/// Ends a run that could not build anything here, and warns of what may keep its builds from success.
/// Where builds may have to go without containers, which have a cache folder of their own, the places
/// are for [`ensure_places`].
///
/// # Errors
/// The first need that is not met and that every build has.
pub(crate) fn ensure(
    wanted: &Wanted<'_>,
    project: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let settings = wanted.settings;
    heed(judge::cache::settings(&environment.starting_with("CCACHE_")), console)?;
    let is_host = settings.builder == Builder::Host;
    if is_host {
        ensure_places(wanted, &settings.without_containers(), environment, console)?;
    } else if !plan::host::may_fall_back(settings, wanted.platform) {
        ensure_places(wanted, settings, environment, console)?;
    }
    for check in programs(project, environment)? {
        heed(check, console)?;
    }
    if is_host || wanted.platform != "linux" {
        ensure_here(environment, console)?;
    }
    Ok(())
}

/// The same about folders, disks, memory and clock, for builds as `settings` have them.
///
/// # Errors
/// The first need that is not met and that every build has.
pub(crate) fn ensure_places(
    wanted: &Wanted<'_>,
    settings: &Settings,
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let checks = places(&Wanted { settings, ..*wanted }, environment, false);
    checks.into_iter().try_for_each(|check| heed(check, console))
}

/// The same about what builds without containers take of this machine.
///
/// # Errors
/// The first need that is not met and that every such build has.
pub(crate) fn ensure_here(environment: &Environment, console: Console) -> Result<()> {
    let reply = gather::ccache(environment);
    let compilers = host::compilers(environment);
    let installer = Installer::find(environment);
    let checks = judge::without_containers(reply.as_ref(), &compilers, installer);
    checks.into_iter().try_for_each(|check| heed(check, console))
}

/// Ends a run for a check that stops it, and passes others on.
///
/// # Errors
/// Nothing can be built.
pub(crate) fn heed(check: Check, console: Console) -> Result<()> {
    match (check.state, check.weight) {
        (State::Bad, Weight::Stops(_)) => return Err(check.into_fault()),
        (State::Bad, Weight::Warns) => console.warn(format!(
            "{}: {}; {}",
            check.name,
            check.found,
            check.remedy.split_whitespace().collect::<Vec<_>>().join(" ")
        )),
        _ => {}
    }
    Ok(())
}

/// The checks of folders, disks, memory and clock. With `closely` the cache is gone through.
pub(super) fn places(wanted: &Wanted<'_>, environment: &Environment, closely: bool) -> Vec<Check> {
    let settings = wanted.settings;
    let maxsize = gather::maxsize(environment);
    let folder = gather::cache_folder(&settings.ccache_dir);
    let held_bytes = closely.then(|| standing::size_bytes(&settings.ccache_dir));
    let rooms = gather::rooms(settings, wanted.records, held_bytes.unwrap_or_default(), maxsize);
    let file_seconds = folder.written.as_ref().ok().and_then(|written| written.at_seconds);
    vec![
        judge::cache::folder(&folder),
        judge::cache::size(maxsize, held_bytes),
        judge::cache::file_system(&folder),
        judge::disk(&rooms),
        judge::memory(host::machine().memory_bytes, settings.jobs),
        judge::clock(gather::now(), file_seconds),
    ]
}

/// Whether it takes git to tell what belongs to the project.
pub(super) fn takes_git(project: &Utf8Path) -> bool {
    project.join(".git").exists()
}

/// The programs that every run needs and that nobody asks for later on.
fn programs(project: &Utf8Path, environment: &Environment) -> Result<Vec<Check>> {
    let installer = Installer::find(environment);
    let git = environment.find_program("git");
    let mut checks = vec![judge::git(git.as_deref(), takes_git(project), installer)];
    // The one that is there has a Python of its own.
    if provision::made_cibuildwheel(environment)?.is_none() {
        let found = provision::pythons(&Pins::built_in()?, environment, provision::ASK_LIMIT);
        checks.push(judge::python(&found, installer));
    }
    Ok(checks)
}
