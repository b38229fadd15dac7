//! Which domains are warm for a package: the very same builds have gone through this cache, and
//! nothing has been removed from it since. Such a domain needs no pioneer.
//!
//! It is written down in the cache folder, since a restored cache is as warm as the one that was
//! saved. Being wrong here has a price: several builds would compile the same at once, and all but
//! the first would be reported as misses. So everything has to agree: source, settings, image and
//! ccache's own books.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::{files, state};
use serde::{Deserialize, Serialize};

use super::standing::Standing;

/// The shape's version.
const SCHEMA: u32 = 1;
/// Larger files are none of these, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// What the builds of one domain and package were made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Warmth {
    schema: u32,
    /// The source's digest.
    source: String,
    /// A fingerprint of settings, image and tools for each identifier.
    inputs: BTreeMap<String, String>,
    standing: Standing,
}

/// A domain and package in a cache folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The cache folder.
    pub(crate) ccache_dir: &'a Utf8Path,
    /// The cache domain.
    pub(crate) domain: &'a str,
    /// The package's name.
    pub(crate) package: &'a str,
}

impl Place<'_> {
    /// Whether earlier runs have left all that builds will look for which are made from these
    /// inputs, by identifier, and from `source`, which is only asked for if all else agrees.
    pub(crate) fn is_warm(
        self,
        inputs: &BTreeMap<String, String>,
        source: impl FnOnce() -> Option<String>,
    ) -> bool {
        let Some(earlier) = read(&self.path()) else { return false };
        earlier.schema == SCHEMA
            && inputs.iter().all(|(name, inputs)| earlier.inputs.get(name) == Some(inputs))
            && Standing::read(self.ccache_dir).holds_all_of(&earlier.standing)
            && source().is_some_and(|source| source == earlier.source)
    }

    /// Writes down that a build is done. Versions that other builds of the same source have left are
    /// as warm as before. Two runs at once may forget each other's, which costs a pioneer.
    ///
    /// # Errors
    /// The cache folder cannot be written.
    pub(crate) fn note(self, identifier: &str, inputs: String, source: &str) -> Result<()> {
        let path = self.path();
        let earlier = read(&path).filter(|it| it.source == source && it.schema == SCHEMA);
        let mut known = earlier.map(|earlier| earlier.inputs).unwrap_or_default();
        known.insert(identifier.to_owned(), inputs);
        let warmth = Warmth {
            schema: SCHEMA,
            source: source.to_owned(),
            inputs: known,
            standing: Standing::read(self.ccache_dir),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
        }
        files::write_whole(path.as_std_path(), &serde_json::to_vec(&warmth)?)
            .with_context(|| format!("cannot write {path}"))
    }

    fn path(self) -> Utf8PathBuf {
        let name = state::safe_name(&format!("{}@{}", self.domain, self.package));
        self.ccache_dir.join("warmwheel/warm").join(format!("{name}.json"))
    }
}

fn read(path: &Utf8Path) -> Option<Warmth> {
    let text = files::read_bounded(path.as_std_path(), MAX_BYTES).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn from(source: &str) -> impl FnOnce() -> Option<String> {
        let source = source.to_owned();
        || Some(source)
    }

    #[test]
    fn a_domain_is_warm_for_what_was_built_and_for_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let ccache_dir = Utf8Path::from_path(folder.path()).unwrap();
        let place = Place { ccache_dir, domain: "d", package: "p" };
        let both = inputs(&[("cp311-x", "a"), ("cp312-x", "b")]);
        assert!(!place.is_warm(&both, from("s")));
        place.note("cp311-x", "a".to_owned(), "s").unwrap();
        assert!(place.is_warm(&inputs(&[("cp311-x", "a")]), from("s")));
        assert!(!place.is_warm(&both, from("s")), "a version that was never built");
        place.note("cp312-x", "b".to_owned(), "s").unwrap();
        assert!(place.is_warm(&both, from("s")));
        assert!(!place.is_warm(&both, from("other")));
        assert!(!place.is_warm(&both, || None), "nobody knows the source");
        assert!(!place.is_warm(&inputs(&[("cp311-x", "other")]), from("s")));
        assert!(!Place { domain: "other", ..place }.is_warm(&both, from("s")));
        assert!(!Place { package: "other", ..place }.is_warm(&both, from("s")));
        place.note("cp312-x", "b".to_owned(), "other").unwrap();
        assert!(!place.is_warm(&both, from("other")), "cp311 was built from another source");
    }

    #[test]
    fn a_cache_that_was_cleaned_is_not_warm() {
        let folder = tempfile::tempdir().unwrap();
        let ccache_dir = Utf8Path::from_path(folder.path()).unwrap();
        let stats = |files: u64, cleanups: u64| {
            let line = |place| match place {
                11 => files.to_string(),
                29 => cleanups.to_string(),
                _ => "0".to_owned(),
            };
            let lines: Vec<_> = (0..40).map(line).collect();
            std::fs::create_dir_all(ccache_dir.join("a")).unwrap();
            std::fs::write(ccache_dir.join("a/stats"), lines.join("\n")).unwrap();
        };
        let place = Place { ccache_dir, domain: "d", package: "p" };
        let is_warm = || place.is_warm(&inputs(&[("cp311-x", "a")]), from("s"));
        stats(10, 0);
        place.note("cp311-x", "a".to_owned(), "s").unwrap();
        assert!(is_warm());
        stats(9, 0);
        assert!(!is_warm());
        stats(12, 1);
        assert!(!is_warm());
    }
}
