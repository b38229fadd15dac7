//! What this machine has. Facts only: nothing is decided here.

use std::time::Duration;

use crate::cli::Engine;
use crate::environment::Environment;
use crate::process;

/// An engine that is there answers at once; one that is starting gets a moment.
const ENGINE_LIMIT: Duration = Duration::from_secs(20);

/// The engines that answer, docker first, as cibuildwheel has it.
pub(crate) fn engines(environment: &Environment) -> Vec<Engine> {
    let both = [Engine::Docker, Engine::Podman];
    both.into_iter().filter(|&engine| answers(engine, environment)).collect()
}

/// Whether containers can be asked for: a client alone is not enough.
pub(crate) fn answers(engine: Engine, environment: &Environment) -> bool {
    let question = match engine {
        Engine::Docker => ["version", "--format", "{{.Server.Version}}"],
        Engine::Podman => ["info", "--format", "{{.Version.Version}}"],
    };
    environment.find_program(engine.name()).is_some_and(|program| {
        let mut command = process::command(program);
        command.args(question);
        process::probe(command, ENGINE_LIMIT).is_some()
    })
}

/// The platform that cibuildwheel builds for: the one asked for, or this machine's.
pub(crate) fn platform(environment: &Environment) -> String {
    let native = match std::env::consts::OS {
        "macos" => "macos",
        "windows" => "windows",
        _ => "linux",
    };
    let asked = environment.get("CIBW_PLATFORM").filter(|platform| *platform != "auto");
    asked.unwrap_or(native).to_owned()
}
