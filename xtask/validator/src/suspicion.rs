//! Why a first build found nothing although an earlier run had left something: pure.

use crate::ledger::Entry;

/// What is known of a first build without hits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The build, as it goes into the ledger.
    pub entry: Entry,
    /// How many files ccache says the cache holds by now, this build's own included.
    pub files_in_cache: Option<u64>,
    /// How many compilations this build has stored: of each, a result and what leads to it.
    pub stored: u64,
    /// How often ccache has thrown out files to make room.
    pub cleanups: Option<u64>,
}

/// A warm cache that was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// What the ledger says, and the likely reason, in words.
    pub words: String,
    /// What to do about it.
    pub remedy: &'static str,
}

const OTHER_COMPILER: &str = "\
    expected after a change of the image or compiler; otherwise pin the image, and put its digest \
    in the key that the cache is saved under";
const OTHER_CCACHE: &str = "\
    keep one ccache version per cache folder: pin it, or put the version in the key that the cache \
    is saved under";
const OTHER_BASE_DIR: &str = "\
    let CCACHE_BASEDIR name the project, and build it at the same place each time";
const EVICTED: &str = "\
    raise CCACHE_MAXSIZE, and look whether the cache was saved after all builds and restored whole";
const UNKNOWN: &str = "\
    look at what changed since: compiler options, a header that all sources include, headers of \
    build requirements at a path that changes, CCACHE_* variables; CCACHE_LOGFILE shows what was \
    looked up";

/// Whether the entries, newest first, say that `found` should have had hits; then why it had none.
#[must_use]
pub fn suspect(entries: &[Entry], found: &Found) -> Option<Suspicion> {
    let this = &found.entry;
    let earlier = |entry: &&Entry| this.run_id.is_none() || entry.run_id != this.run_id;
    let last = entries.iter().find(earlier).filter(|entry| entry.results > 0)?;
    // Where every source depends on the Python version nothing is ever shared between two; the same
    // version compiled again should still hit.
    let can_hit = |entry: &Entry| entry.hits > 0 || entry.identifier == this.identifier;
    if !entries.iter().filter(earlier).any(can_hit) {
        return None;
    }
    let (reason, remedy) = reason(last, found);
    let plural = if last.results == 1 { "" } else { "s" };
    let words = format!(
        "{} left {} result{plural} for this cache domain, and none was found: {reason}",
        last.identifier, last.results
    );
    Some(Suspicion { words, remedy })
}

fn reason(last: &Entry, found: &Found) -> (String, &'static str) {
    let this = &found.entry;
    for (language, was) in &last.compilers {
        if let Some(is) = this.compilers.get(language).filter(|is| *is != was) {
            return (format!("another {language} compiler, {is}; it was {was}"), OTHER_COMPILER);
        }
    }
    if let (Some(was), Some(is)) = (&last.ccache_version, &this.ccache_version)
        && was != is
    {
        return (format!("another ccache, {is}; it was {was}"), OTHER_CCACHE);
    }
    if let Some(files) = found.files_in_cache {
        let before = files.saturating_sub(found.stored.saturating_mul(2));
        if before < last.results {
            return (format!("evicted or not restored; the cache held {before} files"), EVICTED);
        }
    }
    if last.base_dir != this.base_dir {
        let shown = |folder: &Option<String>| folder.clone().unwrap_or_else(|| "none".to_owned());
        let words = format!(
            "another base directory, {}; it was {}",
            shown(&this.base_dir),
            shown(&last.base_dir)
        );
        return (words, OTHER_BASE_DIR);
    }
    match found.cleanups {
        Some(cleanups) if cleanups > 0 => {
            (format!("likely evicted; ccache has made room {cleanups} times"), EVICTED)
        }
        _ => {
            let words = "compiler, ccache and base directory are the same, so every source or what \
                         it is compiled with has changed";
            (words.to_owned(), UNKNOWN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compilers::Compilers;

    fn entry(run: &str, identifier: &str, hits: u64) -> Entry {
        Entry {
            run_id: Some(run.to_owned()),
            identifier: identifier.to_owned(),
            written: 1,
            results: 15,
            hits,
            ccache_version: Some("4.7.5".to_owned()),
            base_dir: Some("/project".to_owned()),
            compilers: Compilers::from([("C".to_owned(), "/usr/bin/gcc (1)".to_owned())]),
        }
    }

    fn found(change: impl FnOnce(&mut Found)) -> Found {
        let mut found = Found {
            entry: entry("now", "cp312-x", 0),
            files_in_cache: Some(1000),
            stored: 15,
            cleanups: Some(0),
        };
        change(&mut found);
        found
    }

    type Change = fn(&mut Found);

    fn words(entries: &[Entry], found: &Found) -> Option<String> {
        suspect(entries, found).map(|suspicion| suspicion.words)
    }

    #[test]
    fn a_cold_start_is_only_suspicious_where_something_could_have_hit() {
        let this = found(|_| ());
        assert_eq!(words(&[], &this), None);
        assert_eq!(words(&[entry("old", "cp313-x", 0)], &this), None);
        assert!(words(&[entry("old", "cp312-x", 0)], &this).is_some());
        assert!(words(&[entry("old", "cp313-x", 14)], &this).is_some());
        let before = [entry("old", "cp313-x", 0), entry("older", "cp311-x", 14)];
        assert!(words(&before, &this).is_some());
        // What this run has left itself is no earlier run's.
        assert_eq!(words(&[entry("now", "cp311-x", 14)], &this), None);
        let nothing = Entry { results: 0, ..entry("old", "cp312-x", 0) };
        assert_eq!(words(&[nothing], &this), None);
    }

    #[test]
    fn each_reason_is_named_with_what_was_and_is() {
        let last = [entry("old", "cp313-x", 14)];
        let table: [(Change, &str, &str); 7] = [
            (
                |it| {
                    it.entry.compilers.insert("C".to_owned(), "/opt/gcc (2)".to_owned());
                },
                "another C compiler, /opt/gcc (2); it was /usr/bin/gcc (1)",
                OTHER_COMPILER,
            ),
            (
                |it| it.entry.ccache_version = Some("4.13".to_owned()),
                "another ccache, 4.13; it was 4.7.5",
                OTHER_CCACHE,
            ),
            (
                |it| it.entry.base_dir = None,
                "another base directory, none; it was /project",
                OTHER_BASE_DIR,
            ),
            (|it| it.files_in_cache = Some(44), "the cache held 14 files", EVICTED),
            (|it| it.cleanups = Some(3), "ccache has made room 3 times", EVICTED),
            (|_| (), "has changed", UNKNOWN),
            (|it| it.entry.ccache_version = None, "has changed", UNKNOWN),
        ];
        for (change, expected, remedy) in table {
            let suspicion = suspect(&last, &found(change)).unwrap();
            assert!(suspicion.words.ends_with(expected), "{}", suspicion.words);
            assert!(suspicion.words.starts_with("cp313-x left 15 results"), "{}", suspicion.words);
            assert_eq!(suspicion.remedy, remedy);
        }
    }
}
