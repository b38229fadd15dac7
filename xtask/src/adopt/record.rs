//! What `adopt` has written into a repository, so that the next time it can tell what was changed
//! there since: `tools/warmwheel/adopted.json`.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ci::workflow;
use crate::fault::Fault;
use crate::folders::HOME;
use crate::text::{hex, shown};

/// Version of the layout.
const SCHEMA: u32 = 1;

/// The contents of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    schema: u32,
    /// The Warmwheel that has written.
    pub(super) warmwheel: Release,
    /// The folder of the package, relative to the repository; empty for its root.
    pub(super) package: Utf8PathBuf,
    /// The hash of each file as it was written, by its path in the repository.
    pub(super) files: BTreeMap<Utf8PathBuf, String>,
}

/// Which Warmwheel it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    /// Its version.
    pub(crate) version: String,
    /// The commit that it was checked out at; `None` if it is not known.
    pub(crate) commit: Option<String>,
}

impl Record {
    /// What this program writes.
    pub(super) fn new(
        warmwheel: Release,
        package: Utf8PathBuf,
        files: BTreeMap<Utf8PathBuf, String>,
    ) -> Self {
        Self { schema: SCHEMA, warmwheel, package, files }
    }

    /// Reads it. It comes out of somebody's repository, and files that it names may be removed: none
    /// but those that `adopt` writes are accepted.
    ///
    /// # Errors
    /// It is damaged, from a later Warmwheel, or names other files.
    pub(super) fn parse(text: &str, file: &Utf8Path) -> Result<Self> {
        let record: Self = serde_json::from_str(text).map_err(|error| {
            Fault::usage(
                format!("{file} is no record of what was adopted: {error}"),
                "bring it back as it was committed; without it, `--force` writes everything anew",
            )
        })?;
        if record.schema != SCHEMA {
            return Err(Fault::usage(
                format!(
                    "{file} has the layout {}, and this Warmwheel knows {SCHEMA}",
                    record.schema
                ),
                "use a checkout of the Warmwheel that has written it, or a later one",
            ));
        }
        let strange = record.files.keys().find(|path| !is_own(path));
        let package = Some(&record.package).filter(|package| !is_within(package));
        if let Some(strange) = strange.or(package) {
            return Err(Fault::usage(
                format!("{file} names {}, which adopt never writes", shown(strange.as_str())),
                "bring it back as it was committed",
            ));
        }
        Ok(record)
    }

    /// The file's text.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub(super) fn to_text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// Whether a path, taken from a folder, stays below it and says so plainly.
pub(super) fn is_within(path: &Utf8Path) -> bool {
    path.components().all(|part| matches!(part, Utf8Component::Normal(_)))
}

fn is_own(path: &Utf8Path) -> bool {
    is_within(path) && (path.starts_with(HOME) || path.as_str() == workflow::FILE)
}

/// Tells one text from another. Line ends do not count: git may have changed them.
pub(super) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.replace("\r\n", "\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::class_of;

    fn record(path: &str, package: &str) -> Record {
        let release = Release { version: "0.1.0".to_owned(), commit: None };
        Record::new(release, package.into(), BTreeMap::from([(path.into(), hash("x"))]))
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let record = record("tools/warmwheel/Cargo.toml", "python");
        let text = record.to_text().unwrap();
        assert_eq!(Record::parse(&text, Utf8Path::new("r")).unwrap(), record);
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn a_record_that_names_other_files_is_refused() {
        for (path, package) in [
            ("tools/warmwheel/../../../etc/passwd", ""),
            ("/etc/passwd", ""),
            ("pyproject.toml", ""),
            ("tools/warmwheelish/x", ""),
            ("tools/warmwheel/x", "../elsewhere"),
            ("tools/warmwheel/x", "/elsewhere"),
        ] {
            let text = record(path, package).to_text().unwrap();
            let error = Record::parse(&text, Utf8Path::new("r")).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{path} {package}");
        }
    }

    #[test]
    fn a_damaged_record_and_a_later_one_are_refused() {
        let text = record("tools/warmwheel/x", "").to_text().unwrap();
        for text in [&text[..40], "", "[]", &text.replace("\"schema\": 1", "\"schema\": 2")] {
            let error = Record::parse(text, Utf8Path::new("r")).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn line_ends_do_not_count() {
        assert_eq!(hash("a\r\nb\r\n"), hash("a\nb\n"));
        assert_ne!(hash("a\n"), hash("a"));
    }
}
