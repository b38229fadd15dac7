//! The record of one validation: what `verdict-IDENTIFIER.json` and `--json` hold.

use crate::counts::Counts;
use crate::error::Error;
use crate::verdict::{Source, Verdict};
use crate::{files, state, text};
use serde_json::{Map, Value, json};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// The shape's version.
pub const SCHEMA: u64 = 1;

/// The record's file name inside the record folder, which may be that of several builds.
#[must_use]
pub fn file_name(identifier: Option<&str>) -> String {
    identifier.map_or_else(
        || "verdict.json".to_owned(),
        |identifier| format!("verdict-{}.json", state::safe_name(identifier)),
    )
}

/// The records of builds other than `identifier`'s in a record folder; what is none is passed over.
#[must_use]
pub fn of_others(folder: &Path, identifier: Option<&str>) -> Vec<Record> {
    let own = file_name(identifier);
    let is_other = |name: &OsStr| {
        let name = name.to_str().unwrap_or_default();
        name.starts_with("verdict-") && name != own
    };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter(|entry| is_other(&entry.file_name()))
        .take(MAX_RECORDS)
        .filter_map(|entry| files::read_bounded(&entry.path(), MAX_BYTES).ok())
        .filter_map(|text| Record::from_json(&text).ok())
        .collect()
}

/// No record that is written here is larger, in bytes.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// How many builds may have a record in one folder.
const MAX_RECORDS: usize = 256;

/// How many source files that missed a record names.
pub const MAX_FILES: usize = 50;

/// Longest text taken from a record, in characters.
const MAX_TEXT: usize = 4096;

/// One validation, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The build identifier, when it was known.
    pub identifier: Option<String>,
    /// The cache domain.
    pub domain: String,
    /// The run.
    pub run_id: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the build may go on. A `miss` allowed by `--on-miss=warn` passes.
    pub passed: bool,
    /// Whether this build made its domain's marker: the one that may be cold.
    pub exempt: bool,
    /// Why, unless it is a plain hit.
    pub cause: Option<String>,
    /// Why a cold start is not what the ledger led to expect.
    pub suspicious: Option<String>,
    /// What to change, or what a later build needs.
    pub remedy: Option<String>,
    /// Where the counts come from.
    pub source: Source,
    /// ccache's version, when it was known without asking, or had to be asked.
    pub ccache_version: Option<String>,
    /// The package's own sources. Unknown numbers are `null`.
    pub counts: Counts,
    /// Configure-time probes.
    pub probes: Counts,
    /// Own sources that missed, at most [`MAX_FILES`].
    pub missed_files: Vec<String>,
    /// The wheel's file name.
    pub wheel: Option<String>,
}

impl Record {
    /// The record as one line of JSON, `hit_rate` included: hits per cacheable compilation, from 0
    /// to 1, `null` when there were none.
    #[must_use]
    pub fn to_json(&self) -> String {
        let files: Vec<&String> = self.missed_files.iter().take(MAX_FILES).collect();
        json!({
            "schema": SCHEMA,
            "identifier": self.identifier,
            "domain": self.domain,
            "run_id": self.run_id,
            "verdict": self.verdict.as_str(),
            "passed": self.passed,
            "exempt": self.exempt,
            "cause": self.cause,
            "suspicious": self.suspicious,
            "remedy": self.remedy,
            "source": self.source.as_str(),
            "ccache_version": self.ccache_version,
            "counts": counts_to_json(&self.counts),
            "probes": counts_to_json(&self.probes),
            "hit_rate": self.counts.hit_rate(),
            "missed_files": files,
            "wheel": self.wheel,
        })
        .to_string()
    }

    /// Reads a record that someone else may have written. Unknown fields are passed over, texts are
    /// cut to a few thousand characters, `hit_rate` is computed anew.
    ///
    /// # Errors
    /// It is no JSON, another schema, or a field is missing or of another kind.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| refuse(&format!("it is no JSON ({error})")))?;
        let fields = Fields(value.as_object().ok_or_else(|| refuse("it is no object"))?);
        if fields.get("schema")?.as_u64() != Some(SCHEMA) {
            return Err(refuse("its schema is not 1; use a validator of this project's version"));
        }
        let verdict = Verdict::from_word(&fields.text("verdict")?);
        let source = match fields.text("source")?.as_str() {
            "statslog" => Source::Statslog,
            "counters" => Source::Counters,
            _ => return Err(wrong("source")),
        };
        Ok(Self {
            identifier: fields.optional_text("identifier")?,
            domain: fields.text("domain")?,
            run_id: fields.optional_text("run_id")?,
            verdict: verdict.ok_or_else(|| wrong("verdict"))?,
            passed: fields.truth("passed")?,
            exempt: fields.truth("exempt")?,
            cause: fields.optional_text("cause")?,
            suspicious: fields.optional_text("suspicious")?,
            remedy: fields.optional_text("remedy")?,
            source,
            ccache_version: fields.optional_text("ccache_version")?,
            counts: fields.counts("counts")?,
            probes: fields.counts("probes")?,
            missed_files: fields.texts("missed_files")?,
            wheel: fields.optional_text("wheel")?,
        })
    }
}

fn counts_to_json(counts: &Counts) -> Value {
    json!({
        "direct_hits": counts.direct_hits,
        "preprocessed_hits": counts.preprocessed_hits,
        "misses": counts.misses,
        "uncacheable": counts.uncacheable,
        "errors": counts.errors,
    })
}

fn refuse(why: &str) -> Error {
    Error::new(format!("cannot read the record: {why}"))
}

fn wrong(name: &str) -> Error {
    refuse(&format!("its field \"{name}\" is missing or of another kind"))
}

/// The record's fields, none of which is taken on trust.
struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn get(&self, name: &str) -> Result<&Value, Error> {
        self.0.get(name).ok_or_else(|| wrong(name))
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        let text = self.get(name)?.as_str().ok_or_else(|| wrong(name))?;
        Ok(text::keep_start(text, MAX_TEXT))
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>, Error> {
        if self.get(name)?.is_null() { Ok(None) } else { self.text(name).map(Some) }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let list = self.get(name)?.as_array().ok_or_else(|| wrong(name))?;
        list.iter()
            .take(MAX_FILES)
            .map(|one| one.as_str().map(|text| text::keep_start(text, MAX_TEXT)))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(name))
    }

    fn truth(&self, name: &str) -> Result<bool, Error> {
        self.get(name)?.as_bool().ok_or_else(|| wrong(name))
    }

    fn counts(&self, name: &str) -> Result<Counts, Error> {
        let fields = Fields(self.get(name)?.as_object().ok_or_else(|| wrong(name))?);
        let number = |key: &str| match fields.get(key)? {
            Value::Null => Ok(None),
            value => value.as_u64().map(Some).ok_or_else(|| wrong(key)),
        };
        Ok(Counts {
            direct_hits: number("direct_hits")?,
            preprocessed_hits: number("preprocessed_hits")?,
            misses: number("misses")?,
            uncacheable: number("uncacheable")?,
            errors: number("errors")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Record {
        Record {
            identifier: Some("cp312-manylinux_x86_64".to_owned()),
            domain: "manylinux_x86_64".to_owned(),
            run_id: None,
            verdict: Verdict::Miss,
            passed: false,
            exempt: false,
            cause: Some("a \"quoted\"\ncause".to_owned()),
            suspicious: None,
            remedy: None,
            source: Source::Statslog,
            ccache_version: Some("4.7.5".to_owned()),
            counts: Counts { direct_hits: Some(3), misses: Some(1), ..Counts::ZERO },
            probes: Counts::default(),
            missed_files: vec!["src/é.c".to_owned()],
            wheel: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let record = sample();
        let text = record.to_json();
        assert!(!text.contains('\n'));
        assert!(text.contains("\"hit_rate\":0.75"), "{text}");
        assert_eq!(Record::from_json(&text).unwrap(), record);
    }

    #[test]
    fn damaged_records_are_refused() {
        let text = sample().to_json();
        for (end, _) in text.char_indices() {
            assert!(Record::from_json(&text[..end]).is_err());
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        for name in value.as_object().unwrap().keys().filter(|name| *name != "hit_rate") {
            for other in [None, Some(json!([[]])), Some(json!(-1)), Some(json!({"a": 1}))] {
                let mut fields = value.as_object().unwrap().clone();
                match other {
                    None => fields.remove(name),
                    Some(other) => fields.insert(name.clone(), other),
                };
                assert!(Record::from_json(&Value::Object(fields).to_string()).is_err(), "{name}");
            }
        }
        assert!(Record::from_json(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn long_lists_and_texts_are_cut() {
        let mut record = sample();
        record.missed_files = vec!["x".repeat(10_000); 200];
        let read = Record::from_json(&record.to_json()).unwrap();
        assert_eq!(read.missed_files.len(), MAX_FILES);
        assert_eq!(read.missed_files[0].chars().count(), MAX_TEXT + 1);
    }
}
