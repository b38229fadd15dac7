//! `cargo xtask test`: everything that has to be green.

mod workflows;

use anyhow::{Context as _, Result};

use crate::cli;
use crate::console::Console;
use crate::downloads;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::lab;
use crate::pins::Pins;
use crate::process;
use crate::provision;
use crate::setup::{self, Purpose};

/// Runs the checks in order of their cost; the first that fails ends it.
pub(crate) fn run(flags: &cli::Test, environment: &Environment, console: Console) -> Result<()> {
    let folders = Folders::of(environment);
    folders.require_checkout("cargo xtask test")?;
    let pins = Pins::built_in()?;
    if flags.setup {
        setup::ensure(Purpose::Tests, flags.yes, environment, console)?;
    }
    let cargo = |step: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        console.say(format!("== {step}"));
        let mut command = process::command(environment.get("CARGO").unwrap_or("cargo"));
        command.current_dir(&folders.workspace).args(arguments);
        command.envs(variables.iter().copied());
        process::hand_over(command)
    };
    cargo("formatting", &["fmt", "--all", "--check"], &[])?;
    let clippy = ["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--"];
    cargo("lints", &[&clippy[..], &["--deny", "warnings"]].concat(), &[])?;
    let test = ["test", "--quiet", "--locked", "--workspace"];
    let fast = ["--lib", "--bins", "--test", "integration", "--test", "real", "--test", "readers"];
    cargo("unit and integration tests", &[&test[..], &fast[..]].concat(), &[])?;
    if flags.fast {
        return Ok(());
    }

    console.say("== what the remaining tests need");
    let python = provision::cibuildwheel(&pins, environment, console)?;
    let newest = provision::newest_ccache(&pins, &python, environment, console)?;
    let linters = provision::linters(&pins, &python, environment, console)?;
    let browser = provision::browser(&pins, environment, console)?;
    provision::host_tools(&pins, &python, environment, console)?;
    console.say("== workflows");
    workflows::check(&folders.workspace, &linters, &pins)?;
    let behind = environment.path_folders();
    let path = std::env::join_paths(std::iter::once(&newest).chain(&behind))?;
    let path = path.to_str().context("PATH is not UTF-8")?;
    let real = ["test", "--quiet", "--locked", "--package", "ccache-validator", "--test", "real"];
    let step = format!("every verdict with ccache {}", pins.ccache.newest);
    cargo(&step, &real, &[("PATH", path)])?;
    let sdists = downloads::fetch(&pins.sdist, &python, environment, console)?;
    lab::make(&folders.target, None, environment, &pins, console)?;
    // While one waits for a network or an engine, another compiles. More would be too slow for those
    // that look at times.
    let end_to_end = ["--package", "xtask", "--test", "end_to_end", "--", "--test-threads=2"];
    cargo(
        "end-to-end tests",
        &[&["test", "--locked"][..], &end_to_end[..]].concat(),
        &[
            ("WARMWHEEL_SDISTS", sdists.as_str()),
            ("WARMWHEEL_BROWSER", browser.as_str()),
            ("WARMWHEEL_NEWEST_CCACHE", newest.as_str()),
        ],
    )
}
