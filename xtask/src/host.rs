//! What this machine has. Facts only: nothing is decided here.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::cli::Engine;
use crate::environment::Environment;
use crate::plan::facts::{Compiler, Machine};
use crate::process::{self, Reply};

/// An engine that is there answers at once; one that is starting gets a moment.
const ENGINE_LIMIT: Duration = Duration::from_secs(20);

/// A compiler tells its version at once.
const COMPILER_LIMIT: Duration = Duration::from_secs(20);

/// The engines that answer, docker first, as cibuildwheel has it.
pub(crate) fn engines(environment: &Environment) -> Vec<Engine> {
    let both = [Engine::Docker, Engine::Podman];
    thread::scope(|scope| {
        let asked = both.map(|engine| (engine, scope.spawn(move || answers(engine, environment))));
        let answered = asked.into_iter().filter_map(|(engine, answer)| {
            let answers = answer.join().unwrap_or(false);
            answers.then_some(engine)
        });
        answered.collect()
    })
}

/// Whether containers can be asked for: a client alone is not enough.
pub(crate) fn answers(engine: Engine, environment: &Environment) -> bool {
    let reply = engine_reply(engine, environment, ENGINE_LIMIT);
    reply.is_some_and(|reply| reply.said().is_some())
}

/// What an engine replies to a small question; `None` where there is no such program.
pub(crate) fn engine_reply(
    engine: Engine,
    environment: &Environment,
    limit: Duration,
) -> Option<Reply> {
    let question: &[&str] = match engine {
        Engine::Docker => &["version", "--format", "{{.Server.Version}}"],
        // `info` also asks the system's package manager where its programs come from: 0.3 s.
        Engine::Podman => &["ps", "--quiet"],
    };
    let mut command = process::command(environment.find_program(engine.name())?);
    command.args(question);
    Some(process::reply(command, limit))
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

/// The processor's kind, as Python's `platform.machine()` has it: `x86_64`.
#[cfg(unix)]
pub(crate) fn architecture() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// The processor's kind.
#[cfg(not(unix))]
pub(crate) fn architecture() -> String {
    std::env::consts::ARCH.to_owned()
}

/// The C and the C++ compiler that builds on this machine get, by name.
pub(crate) fn compiler_names(environment: &Environment) -> [&str; 2] {
    [("CC", "cc"), ("CXX", "c++")].map(|(variable, usual)| {
        let command = environment.get(variable).unwrap_or(usual);
        command.split_whitespace().next().unwrap_or(usual)
    })
}

/// The same compilers, each in its own words; those without any are not there, or do not run.
pub(crate) fn compilers(environment: &Environment) -> [Compiler; 2] {
    compiler_names(environment).map(|name| {
        let mut command = process::command(name);
        command.arg("--version");
        let said = process::probe(command, COMPILER_LIMIT).unwrap_or_default();
        let words = said.lines().next().map(str::trim).filter(|line| !line.is_empty());
        Compiler { name: name.to_owned(), words: words.map(ToOwned::to_owned) }
    })
}

/// Cores and memory, as far as this process may use them.
pub(crate) fn machine() -> Machine {
    Machine {
        cores: thread::available_parallelism().map_or(1, std::num::NonZero::get),
        memory_bytes: fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text)),
    }
}

/// The memory that Linux says can be used without swapping, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_in_kibibytes() {
        let text = "MemTotal:       25344908 kB\nMemFree: 1 kB\nMemAvailable:   20000 kB\n";
        assert_eq!(available(text), Some(20_480_000));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(available("MemAvailable: much kB\n"), None);
    }
}
