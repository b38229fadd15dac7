//! Fetching a file from an address, by the Python that has cibuildwheel: it is there wherever
//! anything is built, and knows TLS and proxies. An HTTP client of our own would add more than half
//! to the time that a first `cargo xtask` takes to compile. What was fetched is judged by whoever
//! asked for it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

use super::MAX_ARCHIVE_BYTES;
use crate::process;
use crate::text::shown;

/// The script that does it.
const FETCH: &str = include_str!("fetch.py");
/// How long the interpreter may take on top, to start and to end.
const MARGIN: Duration = Duration::from_secs(10);

/// Fetches what `address` has into `file`, within `limit` in all and without a pause of more than a
/// quarter of that.
///
/// # Errors
/// Nothing whole came, or too much.
pub(super) fn fetch(python: &Utf8Path, address: &str, file: &Path, limit: Duration) -> Result<()> {
    let seconds = limit.as_secs_f64();
    let mut command = process::command(python);
    command.args(["-I", "-c", FETCH, address]).arg(file);
    command.args([MAX_ARCHIVE_BYTES.to_string(), seconds.to_string(), (seconds / 4.0).to_string()]);
    let answer = process::ask(command, limit + MARGIN)
        .with_context(|| format!("{address} could not be fetched"))?;
    if answer.code == Some(0) {
        return Ok(());
    }
    let said = answer.stderr.lines().rev().find(|line| !line.trim().is_empty());
    bail!("{address}: {}", shown(said.unwrap_or("the script ended without a word")))
}
