//! `cargo xtask bench`: Warmwheel and its rivals, measured in one run.

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use crate::bench::figures::Report;
use crate::bench::{Bench, launcher, matrix, overhead, pipeline, table, validator};
use crate::cli::{self, Sample, Suite};
use crate::console::Console;
use crate::doctor::judge;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::interrupt::Interrupt;
use crate::lab;
use crate::pins::Pins;
use crate::setup::{self, Purpose};

/// Runs the suites and prints what each has found as soon as it has.
pub(crate) fn run(flags: &cli::Bench, environment: &Environment, console: Console) -> Result<()> {
    let folders = Folders::of(environment);
    folders.require_checkout("cargo xtask bench")?;
    let pins = Pins::built_in()?;
    let lab = if flags.setup {
        setup::ensure(Purpose::Lab, flags.yes, environment, console)?;
        lab::make(&folders.target, None, environment, &pins, console)?
    } else {
        lab::ready(&folders.target, environment, &pins)?
            .ok_or_else(|| judge::lab_missing().into_fault())?
    };
    let interrupt = Interrupt::listen().context("cannot listen for signals")?;
    let suites = if flags.suites.is_empty() { Suite::value_variants() } else { &flags.suites };
    for &suite in suites {
        let bench = Bench {
            lab: &lab,
            folders: &folders,
            pins: &pins,
            environment,
            interrupt: &interrupt,
            console,
            rounds: flags.rounds.unwrap_or(rounds(suite)),
        };
        match suite {
            Suite::Validator => show(&validator::run(&bench)?, flags.json, console)?,
            Suite::Matrix => show(&matrix::run(&bench)?, flags.json, console)?,
            Suite::Launcher => show(&launcher::run(&bench)?, flags.json, console)?,
            Suite::Pipeline => {
                let both = Sample::value_variants();
                let packages = flags.package.as_ref().map_or(both, std::slice::from_ref);
                for &package in packages {
                    show(&pipeline::run(&bench, package)?, flags.json, console)?;
                }
            }
            Suite::Overhead => show(&overhead::run(&bench)?, flags.json, console)?,
        }
    }
    Ok(())
}

/// How often a suite measures unless told otherwise: as often as its medians need and patience has.
fn rounds(suite: Suite) -> u16 {
    match suite {
        Suite::Validator | Suite::Launcher => 15,
        Suite::Pipeline => 3,
        Suite::Overhead | Suite::Matrix => 5,
    }
}

fn show(report: &Report, json: bool, console: Console) -> Result<()> {
    if json {
        console.data(serde_json::to_string(report)?);
    } else {
        console.data(table::markdown(report));
    }
    for row in report.rows.iter().filter(|row| !row.is_kept()) {
        console.say(format!("not kept: {}, {}", row.scene, row.command));
    }
    Ok(())
}
