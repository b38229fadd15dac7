//! `cargo xtask ci`.

mod verify;
mod workflow;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::ci::{Ci, CiCommand};
use crate::console::Console;
use crate::environment::Environment;

/// Runs the subcommand; building is the default.
pub(crate) fn run(flags: &Ci, environment: &Environment, console: Console) -> Result<ExitCode> {
    match &flags.command {
        None | Some(CiCommand::Build(_) | CiCommand::Plan(_)) => anyhow::bail!("to be built"),
        Some(CiCommand::Verify(flags)) => verify::run(flags, environment, console),
        Some(CiCommand::Workflow(flags)) => workflow::run(flags, environment, console),
    }
}
