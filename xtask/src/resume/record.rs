//! The file that says how a wheel came to be: one per package and identifier, written whole.

use std::fs;
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::inputs::Inputs;
use crate::staging::digest::Source;
use crate::text::hex;

/// Version of the layout. One of another is as good as none.
pub(super) const SCHEMA: u32 = 1;
/// No record comes near this size, in bytes.
const LONGEST_BYTES: u64 = 1024 * 1024;

/// How a wheel came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// [`SCHEMA`].
    pub(super) schema: u32,
    /// cibuildwheel's build identifier.
    pub(super) identifier: String,
    /// The run that built it.
    pub(super) run_id: String,
    /// What it was built with.
    pub(super) inputs: Inputs,
    /// What it was built from.
    pub(super) source: Source,
    /// The wheel.
    pub(super) wheel: Wheel,
    /// What validation found.
    pub(super) cache: Value,
    /// How long the build took, in seconds.
    pub(super) elapsed_seconds: f64,
    /// Whether its test step ran.
    pub(super) tested: bool,
}

/// A file in the output folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wheel {
    /// Its name.
    pub(super) name: String,
    /// SHA-256, hexadecimal.
    pub(super) sha256: String,
    /// Size in bytes.
    pub(super) size_bytes: u64,
}

/// The record at `path`; `None` if there is none.
///
/// # Errors
/// What is wrong with what is there, to be said after its path.
pub(super) fn read(path: &Utf8Path) -> Result<Option<Record>, String> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
        Ok(about) if !about.is_file() => return Err("is no plain file".to_owned()),
        Ok(about) if about.len() > LONGEST_BYTES => return Err("is too long".to_owned()),
        Ok(_) => {}
    }
    let text = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let damaged = |error: serde_json::Error| format!("is damaged: {error}");
    let value: Value = serde_json::from_slice(&text).map_err(damaged)?;
    match value.get("schema").and_then(Value::as_u64) {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        Some(schema) => return Err(format!("has layout {schema}, where {SCHEMA} is known")),
        None => return Err("is damaged: it does not say its layout".to_owned()),
    }
    serde_json::from_value(value).map(Some).map_err(damaged)
}

/// Writes a record; it is there whole or not at all, and takes the place of whatever is there.
///
/// # Errors
/// The folder cannot be made or written.
pub(super) fn write(path: &Utf8Path, record: &Record) -> Result<()> {
    let folder = path.parent().context("it has no folder")?;
    fs::create_dir_all(folder)?;
    let mut beside = tempfile::Builder::new().prefix(".done-").tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut beside, record)?;
    beside.write_all(b"\n")?;
    beside.persist(path)?;
    Ok(())
}

/// A name made fit for a file, or a folder: two different ones stay different, also where case
/// does not count.
pub(super) fn file_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let kept: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).take(80).collect();
    if kept == name && !name.is_empty() && !name.starts_with('.') {
        return kept;
    }
    format!("{}-{}", kept.trim_start_matches('.'), &hex(&Sha256::digest(name))[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_files_and_stay_apart() {
        assert_eq!(file_name("awkward-cpp"), "awkward-cpp");
        assert_eq!(file_name("cp312-manylinux_x86_64"), "cp312-manylinux_x86_64");
        let long = "x".repeat(300);
        let odd = ["", ".", "..", "../a", "a/b", "a\\b", "a_b", "A_b", "ä", "c:", ".hidden", &long];
        let names: Vec<_> = odd.iter().map(|name| file_name(name)).collect();
        for (n, name) in names.iter().enumerate() {
            assert!(!name.contains(['/', '\\', ':']) && !name.starts_with('.'), "{name}");
            assert!(!name.is_empty() && name.len() < 200, "{name}");
            let others = names.iter().take(n);
            assert!(others.clone().all(|other| !other.eq_ignore_ascii_case(name)), "{name}");
        }
    }
}
