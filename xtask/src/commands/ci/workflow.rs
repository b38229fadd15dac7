//! `cargo xtask ci workflow`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::ci::CiWorkflow;
use crate::console::Console;
use crate::environment::Environment;

pub(super) fn run(
    _flags: &CiWorkflow,
    _environment: &Environment,
    _console: Console,
) -> Result<ExitCode> {
    anyhow::bail!("to be built")
}
