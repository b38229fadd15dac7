//! `cargo xtask bench`: Warmwheel and its rivals, measured in one run.

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use crate::bench::{self, Bench, table};
use crate::cli::{self, Suite};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::Folders;
use crate::interrupt::Interrupt;
use crate::lab;
use crate::pins::Pins;
use crate::setup::{self, Purpose};

/// Runs the suites and prints what each has found as soon as it has.
pub(crate) fn run(flags: &cli::Bench, environment: &Environment, console: Console) -> Result<()> {
    let folders = Folders::of(environment);
    let pins = Pins::built_in()?;
    let lab = if flags.setup {
        setup::ensure(Purpose::Lab, environment, console)?;
        lab::make(&folders.target, None, environment, &pins, console)?
    } else {
        lab::ready(&folders.target, environment, &pins)?.ok_or_else(|| {
            Fault::machine(
                "the test image has not been made",
                "run `cargo xtask lab --setup`, or this command with --setup",
            )
        })?
    };
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let bench = Bench {
        lab: &lab,
        folders: &folders,
        environment,
        interrupt: &interrupt,
        console,
        rounds: flags.rounds,
    };
    let suites = if flags.suites.is_empty() { Suite::value_variants() } else { &flags.suites };
    for suite in suites {
        let report = match suite {
            Suite::Validator => bench::validator::run(&bench)?,
            Suite::Launcher => bench::launcher::run(&bench)?,
        };
        if flags.json {
            console.data(serde_json::to_string(&report)?);
        } else {
            console.data(table::markdown(&report));
        }
        for row in report.rows.iter().filter(|row| !row.is_kept()) {
            console.say(format!("not kept: {}, {}", row.scene, row.command));
        }
    }
    Ok(())
}
