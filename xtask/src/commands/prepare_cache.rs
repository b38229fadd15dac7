//! `cargo xtask prepare-cache`.

use anyhow::Result;

use crate::cache;
use crate::cli;
use crate::console::Console;
use crate::environment::Environment;
use crate::package::Project;
use crate::settings;

/// Makes a cache folder ready and prints its path.
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
    console.data(folder);
    Ok(())
}
