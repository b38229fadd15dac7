//! `cargo xtask prepare-cache`.

use anyhow::Result;

use crate::cache;
use crate::cli;
use crate::console::Console;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::host;
use crate::package::Project;
use crate::provision;
use crate::settings;

/// Makes a cache folder ready, puts the validator for containers in its place, and prints the cache
/// folder's path.
pub(crate) fn run(
    flags: &cli::PrepareCache,
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let project = Project::find(flags.project.as_deref(), environment)?;
    let folder = settings::ccache_dir(flags.ccache_dir.as_ref(), &project.root, environment)?;
    let cleared = cache::prepare(&folder)?;
    console.say(format!(
        "cache ready: {} markers and {} statslogs of earlier runs removed",
        cleared.markers, cleared.statslogs
    ));
    // Elsewhere builds run on the host, and `validate-ccache` is the hook.
    if host::platform(environment) == "linux" {
        let folders = Folders::of(environment);
        let files = provision::container_files(&folders.workspace, &folders.target, environment)?;
        console.say(format!("for containers, to be mounted read-only: {files}"));
    }
    console.data(folder);
    Ok(())
}
