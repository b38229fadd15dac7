//! What earlier runs left in the cache, per domain, package and build identifier: with it a first
//! build without hits can be told from one that should have had them.
//!
//! Each build has a file of its own, written whole, so builds that run side by side need no lock.
//! The folder travels with the cache and may come from anywhere: what cannot be read is passed over.

use crate::compilers::Compilers;
use crate::counts::Counts;
use crate::error::Error;
use crate::{files, state};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The shape's version.
const SCHEMA: u64 = 1;

/// How many entries of a domain and package are read.
const MAX_ENTRIES: usize = 256;

/// Larger files are not entries, in bytes.
const MAX_ENTRY_BYTES: u64 = 64 * 1024;

/// What stands for the package of a wheel that nobody named.
const NO_PACKAGE: &str = "-";

/// Whose entries are meant.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The cache folder.
    pub cache_dir: &'a Path,
    /// The cache domain.
    pub domain: &'a str,
    /// The package's name as in its wheel: packages that share a folder share no objects.
    pub package: Option<&'a str>,
}

impl Key<'_> {
    fn package(&self) -> String {
        self.package.unwrap_or(NO_PACKAGE).to_ascii_lowercase()
    }
}

/// What one build left, and what its objects depend on. `None` is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The run.
    pub run_id: Option<String>,
    /// The build identifier.
    pub identifier: String,
    /// When, in milliseconds since 1970.
    pub written: u64,
    /// Results of the package's own sources that the cache held afterwards.
    pub results: u64,
    /// How many of them the build had found there.
    pub hits: u64,
    /// ccache's version.
    pub ccache_version: Option<String>,
    /// `CCACHE_BASEDIR`.
    pub base_dir: Option<String>,
    /// The compilers.
    pub compilers: Compilers,
}

impl Entry {
    /// What a build of now leaves that has counted `counts`; the rest is unknown.
    #[must_use]
    pub fn of(counts: &Counts) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            written: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            results: counts.cacheable().unwrap_or(0),
            hits: counts.hits().unwrap_or(0),
            ..Self::default()
        }
    }
}

/// Writes down what a build left, in place of what an earlier one of its identifier did.
///
/// # Errors
/// The cache folder cannot be written.
pub fn note(key: &Key<'_>, entry: &Entry) -> Result<(), Error> {
    let path = state::ledger_path(key.cache_dir, key.domain, &key.package(), &entry.identifier);
    let text = format!("{}\n", entry.to_json());
    let written = match path.parent() {
        Some(folder) => {
            fs::create_dir_all(folder).and_then(|()| files::write_whole(&path, text.as_bytes()))
        }
        None => Ok(()),
    };
    written.map_err(|error| {
        Error::io("cannot write the ledger", &path, &error, "make the cache folder writable")
    })
}

/// What earlier builds of this domain and package left, the newest first.
#[must_use]
pub fn read(key: &Key<'_>) -> Vec<Entry> {
    let any = state::ledger_path(key.cache_dir, key.domain, &key.package(), "any");
    // No ledger is an empty one.
    let Some(folder) = any.parent().and_then(|folder| fs::read_dir(folder).ok()) else {
        return Vec::new();
    };
    let mut entries: Vec<Entry> = folder
        .flatten()
        .take(MAX_ENTRIES)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| files::read_bounded(&entry.path(), MAX_ENTRY_BYTES).ok())
        .filter_map(|text| Entry::from_json(&text))
        .collect();
    entries.sort_by(|left, right| {
        right.written.cmp(&left.written).then_with(|| left.identifier.cmp(&right.identifier))
    });
    entries
}

impl Entry {
    fn to_json(&self) -> Value {
        json!({
            "schema": SCHEMA,
            "run_id": self.run_id,
            "identifier": self.identifier,
            "written": self.written,
            "results": self.results,
            "hits": self.hits,
            "ccache_version": self.ccache_version,
            "base_dir": self.base_dir,
            "compilers": self.compilers,
        })
    }

    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let fields = value.as_object()?;
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        if number("schema")? != SCHEMA {
            return None;
        }
        Some(Self {
            run_id: text_of(fields, "run_id"),
            identifier: text_of(fields, "identifier")?,
            written: number("written")?,
            results: number("results")?,
            hits: number("hits")?,
            ccache_version: text_of(fields, "ccache_version"),
            base_dir: text_of(fields, "base_dir"),
            compilers: compilers_of(fields.get("compilers")?)?,
        })
    }
}

fn text_of(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name)?.as_str().map(str::to_owned)
}

/// Reads what [`Compilers`] are written as.
pub(crate) fn compilers_of(value: &Value) -> Option<Compilers> {
    value
        .as_object()?
        .iter()
        .map(|(language, identity)| Some((language.clone(), identity.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(identifier: &str, written: u64) -> Entry {
        Entry {
            run_id: Some("r".to_owned()),
            identifier: identifier.to_owned(),
            written,
            results: 15,
            hits: 14,
            ccache_version: Some("4.7.5".to_owned()),
            base_dir: None,
            compilers: Compilers::from([("C".to_owned(), "/usr/bin/gcc (1)".to_owned())]),
        }
    }

    fn key<'a>(cache_dir: &'a Path, domain: &'a str, package: Option<&'a str>) -> Key<'a> {
        Key { cache_dir, domain, package }
    }

    #[test]
    fn entries_are_read_back_newest_first_and_packages_are_apart() {
        let cache = tempfile::tempdir().unwrap();
        let mine = key(cache.path(), "d", Some("Pkg"));
        assert_eq!(read(&mine), []);
        for (identifier, written) in [("cp312-x", 5), ("cp313-x", 9), ("cp312-x", 7)] {
            note(&mine, &entry(identifier, written)).unwrap();
        }
        assert_eq!(read(&mine), [entry("cp313-x", 9), entry("cp312-x", 7)]);
        assert_eq!(read(&key(cache.path(), "d", Some("pkg"))).len(), 2);
        for (domain, package) in [("d", Some("other")), ("d", None), ("e", Some("Pkg"))] {
            assert_eq!(read(&key(cache.path(), domain, package)), [], "{domain} {package:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_entry_is_passed_over_and_never_followed() {
        let cache = tempfile::tempdir().unwrap();
        let mine = key(cache.path(), "d", None);
        note(&mine, &entry("good", 1)).unwrap();
        let place = |name: &str| state::ledger_path(cache.path(), "d", NO_PACKAGE, name);
        let good = fs::read_to_string(place("good")).unwrap();
        fs::write(place("cut"), &good[..good.len() / 2]).unwrap();
        fs::write(place("kinds"), good.replace(":15", ":\"15\"")).unwrap();
        fs::write(place("schema"), good.replace("\"schema\":1", "\"schema\":2")).unwrap();
        fs::write(place("deep"), "[".repeat(100_000)).unwrap();
        fs::write(place("bytes"), [0xff, 0, 7]).unwrap();
        fs::create_dir(place("folder")).unwrap();
        std::os::unix::fs::symlink(place("good"), place("link")).unwrap();
        assert_eq!(read(&mine), [entry("good", 1)]);
    }
}
