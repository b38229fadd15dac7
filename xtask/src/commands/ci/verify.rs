//! `cargo xtask ci verify`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::ci::CiVerify;
use crate::console::Console;
use crate::environment::Environment;

pub(super) fn run(
    _flags: &CiVerify,
    _environment: &Environment,
    _console: Console,
) -> Result<ExitCode> {
    anyhow::bail!("to be built")
}
