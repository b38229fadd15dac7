//! What earlier runs have built, so that `--resume` need not build it again.
//!
//! For each accepted wheel a record is written: what it was made from ([`inputs`], and the source's
//! [`Digest`]) and its SHA-256. A build is taken as done only if everything it would be made from is
//! the same, and the wheel in the output folder is the very file that was accepted. A record is
//! trusted no further: it names a file in the output folder and nothing else.
//!
//! How a build is judged (`--on-miss`, `--min-hit-rate`, `--strict-restore`) does not change the
//! wheel, but a wheel accepted by one rule has not passed another. These settings reach the build
//! as variables and so count like any other; with a warm cache building again is cheap.

pub(crate) mod inputs;
mod record;
pub(crate) mod remembering;

use std::fmt;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::wheel as name;
use serde_json::Value;

use self::inputs::Inputs;
use self::record::{Record, SCHEMA, Wheel};
use crate::staging::digest::{self, Digest};

/// The records of one package, as one run sees them.
#[derive(Debug)]
pub(crate) struct Resume {
    folder: Utf8PathBuf,
    output: Utf8PathBuf,
    run_id: String,
    source: Digest,
}

/// What is to be done about a build.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// Nothing: an earlier run has done it.
    Done(Box<Kept>),
    /// It has to be done, for this reason.
    Build(Reason),
}

/// Why a build has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// No earlier run has done it; nobody needs to be told.
    NotBuilt,
    /// What is not as it was.
    Changed(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => formatter.write_str("not built before"),
            Self::Changed(what) => formatter.write_str(what),
        }
    }
}

/// A build that an earlier run has done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// The run that did it.
    pub(crate) run_id: String,
    /// The wheel in the output folder.
    pub(crate) wheel: Utf8PathBuf,
    /// Its SHA-256, hexadecimal, as the file is now.
    pub(crate) sha256: String,
    /// Its size in bytes.
    pub(crate) size_bytes: u64,
    /// What validation found then, as the report has it; null for nothing.
    pub(crate) cache: Value,
    /// How long it took then, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// Whether its test step ran.
    pub(crate) tested: bool,
}

/// A wheel that has just been accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted<'a> {
    /// The wheel in the output folder.
    pub(crate) wheel: &'a Utf8Path,
    /// Its SHA-256, hexadecimal.
    pub(crate) sha256: &'a str,
    /// Its size in bytes.
    pub(crate) size_bytes: u64,
    /// What validation found, as the report has it; null for nothing.
    pub(crate) cache: Value,
    /// How long the build took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// Whether its test step ran.
    pub(crate) tested: bool,
}

impl Resume {
    /// The records below `runs` (`PROJECT/target/warmwheel`) of a package that is built from
    /// `source` into `output` by the run `run_id`.
    pub(crate) fn new(
        runs: &Utf8Path,
        package: &str,
        output: &Utf8Path,
        run_id: &str,
        source: Digest,
    ) -> Self {
        let folder = runs.join("done").join(record::file_name(package));
        Self { folder, output: output.to_path_buf(), run_id: run_id.to_owned(), source }
    }

    /// The digest of the files that are built from; `None` if they cannot be read.
    pub(crate) fn source(&self) -> Option<String> {
        self.source.wait().ok().map(|source| source.files.clone())
    }

    /// Whether the build of `identifier` from `inputs` has been done. Waits for the source's digest
    /// only if nothing else has changed.
    pub(crate) fn decide(&self, identifier: &str, inputs: &Inputs) -> Decision {
        match self.find(identifier, inputs) {
            Ok(Some(kept)) => Decision::Done(Box::new(kept)),
            Ok(None) => Decision::Build(Reason::NotBuilt),
            Err(changed) => Decision::Build(Reason::Changed(changed)),
        }
    }

    fn find(&self, identifier: &str, inputs: &Inputs) -> Result<Option<Kept>, String> {
        let path = self.path(identifier);
        let Some(record) = record::read(&path).map_err(|why| format!("{path} {why}"))? else {
            return Ok(None);
        };
        if record.identifier != identifier {
            return Err(format!("{path} is about {}", record.identifier.escape_default()));
        }
        let mut changes = inputs.changes_since(&record.inputs);
        if changes.is_empty() {
            let source = self.source.wait().map_err(unreadable)?;
            if source.files != record.source.files {
                changes.push("the source changed".to_owned());
            } else if source.history != record.source.history {
                changes.push("git's commit, branch, tags or index changed".to_owned());
            }
        }
        if !changes.is_empty() {
            return Err(changes.join("; "));
        }
        let wheel = self.verify(identifier, &record.wheel)?;
        Ok(Some(Kept {
            run_id: record.run_id,
            wheel,
            sha256: record.wheel.sha256,
            size_bytes: record.wheel.size_bytes,
            cache: record.cache,
            elapsed_seconds: record.elapsed_seconds,
            tested: record.tested,
        }))
    }

    /// The wheel's path, if the file there is the one that was accepted.
    fn verify(&self, identifier: &str, wheel: &Wheel) -> Result<Utf8PathBuf, String> {
        if !is_wheel_of(&wheel.name, identifier) {
            let shown = wheel.name.escape_default();
            return Err(format!("its record names {shown}, which is no wheel of {identifier}"));
        }
        let path = self.output.join(&wheel.name);
        let Ok(about) = path.symlink_metadata() else {
            return Err(format!("its wheel {} is not in {}", wheel.name, self.output));
        };
        if !about.is_file() {
            return Err(format!("its wheel {path} is no plain file"));
        }
        let (sha256, size_bytes) = digest::file(&path).map_err(|error| format!("{error:#}"))?;
        if (&sha256, size_bytes) != (&wheel.sha256, wheel.size_bytes) {
            return Err(format!("its wheel {path} is another file now"));
        }
        Ok(path)
    }

    /// Remembers that `identifier` has been built from `inputs`.
    ///
    /// # Errors
    /// The source could not be read whole, or the record cannot be written. The build is as good
    /// as ever; only `--resume` will do it again.
    pub(crate) fn note(
        &self,
        identifier: &str,
        inputs: &Inputs,
        accepted: &Accepted<'_>,
    ) -> Result<()> {
        let name = accepted.wheel.file_name().unwrap_or_default();
        if !is_wheel_of(name, identifier) {
            bail!("{} is no wheel of {identifier}", accepted.wheel);
        }
        let source = self.source.wait().map_err(|error| anyhow::anyhow!(unreadable(error)))?;
        let record = Record {
            schema: SCHEMA,
            identifier: identifier.to_owned(),
            run_id: self.run_id.clone(),
            inputs: inputs.clone(),
            source: source.clone(),
            wheel: Wheel {
                name: name.to_owned(),
                sha256: accepted.sha256.to_owned(),
                size_bytes: accepted.size_bytes,
            },
            cache: accepted.cache.clone(),
            elapsed_seconds: accepted.elapsed_seconds,
            tested: accepted.tested,
        };
        let path = self.path(identifier);
        record::write(&path, &record).with_context(|| format!("cannot write {path}"))
    }

    fn path(&self, identifier: &str) -> Utf8PathBuf {
        self.folder.join(format!("{}.json", record::file_name(identifier)))
    }
}

fn unreadable(error: &str) -> String {
    format!("the source could not be read whole: {error}")
}

/// Whether a name is that of a wheel that serves the identifier, and of a file in one folder.
fn is_wheel_of(file: &str, identifier: &str) -> bool {
    let is_plain = !file.contains(['/', '\\', ':', '\0']) && !file.starts_with('.');
    is_plain && name::parse(file).is_ok_and(|wheel| wheel.serves(identifier).is_some())
}

#[cfg(test)]
mod tests;
