//! Containers that are left behind: found by their run's label, and removed.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::cli::Engine;
use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::meanwhile::meanwhile;
use crate::plan::{Plan, RUN_LABEL};
use crate::process;

/// Removing a container that does not want to go.
const LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked whether the run was told to stop.
const LOOK: Duration = Duration::from_millis(50);
/// What cibuildwheel gets to begin its own cleaning up. It would wait for what runs in the container,
/// which may be a compilation of minutes, and whoever has cancelled a job gives seconds.
const HEAD_START: Duration = Duration::from_millis(500);

/// Does something, and meanwhile removes the run's containers as soon as it is told to stop.
pub(crate) fn with_sweeping<T>(
    plan: &Plan,
    interrupt: &Interrupt,
    console: Console,
    work: impl FnOnce() -> T,
) -> T {
    let step = || {
        if interrupt.signal().is_none() {
            return true;
        }
        thread::sleep(HEAD_START);
        sweep(plan, console);
        false
    };
    meanwhile(LOOK, step, work)
}

/// Removes the containers of a run that are still there.
pub(crate) fn sweep(plan: &Plan, console: Console) {
    let mut engines: Vec<_> = plan.builds.iter().filter_map(|build| build.engine).collect();
    engines.sort_unstable();
    engines.dedup();
    for engine in engines {
        let containers = left_behind(engine, plan);
        if containers.is_empty() {
            continue;
        }
        let mut command = command(engine, plan);
        command.args(["rm", "--force", "--volumes"]);
        if engine == Engine::Podman {
            // It would wait ten seconds for a shell that does not listen.
            command.arg("--time=0");
        }
        command.args(&containers);
        let Err(error) = process::read(command, LIMIT) else { continue };
        // cibuildwheel may have removed one first, which is an error here and none to anybody.
        let left = left_behind(engine, plan);
        if !left.is_empty() {
            let left = left.join(" ");
            console.warn(format!("containers are left: {left}: {error:#}"));
        }
    }
}

/// The containers of a run that the engine still has; none if it does not answer.
fn left_behind(engine: Engine, plan: &Plan) -> Vec<String> {
    let mut command = command(engine, plan);
    command.args(["ps", "--all", "--quiet", "--filter"]);
    command.arg(format!("label={RUN_LABEL}={}", plan.run_id));
    let listed = process::probe(command, LIMIT).unwrap_or_default();
    listed.split_whitespace().map(ToOwned::to_owned).collect()
}

/// A command of the engine, with the variables that the builds' own have.
fn command(engine: Engine, plan: &Plan) -> Command {
    let mut command = process::command(engine.name());
    command.envs(plan.builds.first().into_iter().flat_map(|build| &build.environment));
    command
}
