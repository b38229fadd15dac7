//! What carries builds out that have no containers: a program for the Python that has cibuildwheel.
//!
//! The steps of a build could be commands of this program's. But a package's `environment` is shell code
//! that cibuildwheel evaluates, its commands have placeholders, and options have overrides: all of that
//! is cibuildwheel's to know. So the driver is written in its language and asks it.

use std::fs;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::plan::Plan;
use crate::plan::host::{DRIVER, FOLDER, TOLD};
use crate::text::hex;

/// The driver.
const SCRIPT: &str = include_str!("host/driver.py");

/// Puts the driver, and what it is told, into the run's folder; nothing where there are containers.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn place(plan: &Plan) -> Result<()> {
    let Some(told) = plan.for_driver() else { return Ok(()) };
    let folder = plan.report_dir.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
    let told = serde_json::to_string_pretty(&told)?;
    for (name, text) in [(DRIVER, SCRIPT), (TOLD, told.as_str())] {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}

/// Tells this driver from any other.
pub(crate) fn key() -> String {
    hex(&Sha256::digest(SCRIPT))[..16].to_owned()
}
