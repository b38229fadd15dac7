//! Counts a build's compilations, and asks ccache why when they do not prove a hit.

use crate::answers::Version;
use crate::counts::Tally;
use crate::inquiry::Inquiry;
use crate::obstacle::Obstacle;
use crate::preflight::Recorded;
use crate::process::{Ccache, Failure};
use crate::request::Request;
use crate::statslog::{self, Statslog};
use crate::verdict::Source;
use crate::{answers, seal, state};
use std::io::ErrorKind;
use std::path::Path;

/// A build's numbers and what was learnt on the way to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) source: Source,
    pub(crate) own: Tally,
    pub(crate) probes: Tally,
    pub(crate) other_calls: u64,
    pub(crate) missed_files: Vec<String>,
    pub(crate) obstacle: Option<Obstacle>,
    pub(crate) ccache_version: Option<String>,
    /// The cache's size in files and how often ccache has made room in it, when ccache was asked.
    pub(crate) files_in_cache: Option<u64>,
    pub(crate) cleanups: Option<u64>,
}

/// Counts from the statslog, or from the counters when there is none or ccache is too old for it.
/// Starts no process when the statslog proves a hit, one otherwise.
pub(crate) fn count(request: &Request, recorded: &Recorded, ccache: &dyn Ccache) -> Counted {
    let Some(path) = &request.statslog else {
        return from_counters(request, recorded, Inquiry::ask(ccache));
    };
    let (statslog, damage, is_missing) = match statslog::read(&statslog::of_build(path)) {
        Ok(statslog) => (statslog, None, false),
        Err(error) if error.kind() == ErrorKind::NotFound => (Statslog::default(), None, true),
        Err(error) => {
            let obstacle = Obstacle::Statslog(path.clone(), error.to_string());
            (Statslog::default(), Some(obstacle), false)
        }
    };
    let is_silent = statslog == Statslog::default();
    let mut counted = Counted {
        own: statslog.own,
        probes: statslog.probes,
        other_calls: statslog.other_calls,
        missed_files: statslog.missed_files,
        obstacle: damage,
        ..Counted::nothing(recorded)
    };
    if proves_hit(request, &counted.own) {
        return counted;
    }
    let inquiry = Inquiry::ask(ccache);
    let version = recorded.version.clone().or_else(|| inquiry.as_ref().ok()?.version());
    if is_silent && version.as_ref().is_some_and(|version| !version.has_statslog()) {
        return from_counters(request, recorded, inquiry);
    }
    counted.learn(version, &inquiry);
    counted.obstacle = counted
        .obstacle
        .or_else(|| obstacle(request, Source::Statslog, &counted.own, inquiry))
        .or_else(|| if is_missing { missing_folder(path) } else { None });
    counted
}

impl Counted {
    /// Nothing was compiled.
    pub(crate) fn nothing(recorded: &Recorded) -> Self {
        let Statslog { own, probes, other_calls, missed_files, .. } = Statslog::default();
        Self {
            source: Source::Statslog,
            own,
            probes,
            other_calls,
            missed_files,
            obstacle: None,
            ccache_version: recorded.version.as_ref().map(|version| version.text.clone()),
            files_in_cache: None,
            cleanups: None,
        }
    }

    fn learn(&mut self, version: Option<Version>, inquiry: &Result<Inquiry, Failure>) {
        let number = |name| inquiry.as_ref().ok()?.number(name);
        self.ccache_version = version.map(|version| version.text);
        self.files_in_cache = number("files_in_cache");
        self.cleanups = number("cleanups_performed");
    }
}

/// ccache does not make the folder of its statslog, and says nothing when it is not there.
fn missing_folder(statslog: &Path) -> Option<Obstacle> {
    let folder = statslog.parent().filter(|folder| !folder.is_dir())?;
    let words = format!("{} is no folder", folder.display());
    Some(Obstacle::Statslog(statslog.to_path_buf(), words))
}

fn from_counters(
    request: &Request,
    recorded: &Recorded,
    inquiry: Result<Inquiry, Failure>,
) -> Counted {
    let sealed = request.record_dir.as_deref().and_then(seal::counters);
    let own = match (sealed, &inquiry) {
        (Some(text), _) => answers::stats(&text),
        (None, Ok(inquiry)) => inquiry.stats(),
        (None, Err(_)) => Tally::default(),
    };
    let mut counted = Counted {
        source: Source::Counters,
        own,
        probes: Tally::default(),
        other_calls: 0,
        missed_files: Vec::new(),
        obstacle: None,
        ccache_version: None,
        files_in_cache: None,
        cleanups: None,
    };
    let version = recorded.version.clone().or_else(|| inquiry.as_ref().ok()?.version());
    counted.learn(version, &inquiry);
    if !proves_hit(request, &counted.own) {
        counted.obstacle = obstacle(request, Source::Counters, &counted.own, inquiry);
    }
    counted
}

fn proves_hit(request: &Request, own: &Tally) -> bool {
    match (own.counts.hits(), own.counts.cacheable()) {
        (Some(hits), Some(cacheable)) => request.min_hit_rate.is_met(hits, cacheable),
        _ => false,
    }
}

/// What is in ccache's way, by the environment, in its own words, or in its folder.
fn obstacle(
    request: &Request,
    source: Source,
    own: &Tally,
    inquiry: Result<Inquiry, Failure>,
) -> Option<Obstacle> {
    let is_idle = own.counts.compilations() == 0;
    if request.is_disabled && is_idle {
        return Some(Obstacle::Disabled("environment".to_owned()));
    }
    if let Some(folder) = request.ccache_dir.as_ref().filter(|folder| folder.is_relative()) {
        return Some(Obstacle::RelativeFolder(folder.clone()));
    }
    let inquiry = match inquiry {
        Ok(inquiry) => inquiry,
        Err(failure) => return Some(failure.into()),
    };
    Obstacle::in_settings(&inquiry, source == Source::Counters).or_else(|| {
        // A build that stored nothing looks like one that could not hit; counters that could not
        // be written look like nothing compiled.
        let is_silent = source == Source::Statslog && is_idle;
        if is_silent || own.counts.hits() != Some(0) {
            return None;
        }
        let (folder, error) = state::unwritable_folder(request.ccache_dir.as_deref()?)?;
        Some(Obstacle::Unwritable(folder, error.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Scripted;
    use std::fs;
    use std::path::PathBuf;

    const OLD: &str = "ccache version 3.7.7\n";
    const NEW: &str = "ccache version 4.7.5\n";

    fn with_statslog(path: PathBuf) -> Request {
        Request { statslog: Some(path), ..Request::default() }
    }

    fn answering(words: &str) -> Scripted {
        Scripted::everything(Ok(words.to_owned()))
    }

    fn count(request: &Request, ccache: &dyn Ccache) -> Counted {
        super::count(request, &Recorded::read(request.record_dir.as_deref()), ccache)
    }

    #[test]
    fn a_statslog_with_hits_starts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "# a.c\ndirect_cache_hit\n").unwrap();
        let ccache = Scripted::new([]);
        let counted = count(&with_statslog(path), &ccache);
        assert_eq!(counted.own.counts.hits(), Some(1));
        assert!(ccache.asked().is_empty());
    }

    #[test]
    fn a_missing_statslog_of_an_old_ccache_means_the_counters() {
        let folder = tempfile::tempdir().unwrap();
        let stats = "cache_hit_direct\t2\ncache_hit_preprocessed\t0\ncache_miss\t1\n";
        let ccache = answering(&format!("{stats}{OLD}"));
        let counted = count(&with_statslog(folder.path().join("log")), &ccache);
        assert_eq!(counted.source, Source::Counters);
        assert_eq!(counted.own.counts.hits(), Some(2));
        assert_eq!(counted.ccache_version.as_deref(), Some("3.7.7"));
        assert_eq!(ccache.asked().len(), 1);
    }

    #[test]
    fn counters_that_were_sealed_with_the_build_are_the_builds() {
        let folder = tempfile::tempdir().unwrap();
        let stats = |hits: u32| {
            format!("direct_cache_hit\t{hits}\npreprocessed_cache_hit\t0\ncache_miss\t2\n")
        };
        fs::write(seal::counters_path(folder.path()), stats(0)).unwrap();
        let request =
            Request { record_dir: Some(folder.path().to_path_buf()), ..Request::default() };
        let counted = count(&request, &answering(&stats(2)));
        assert_eq!(counted.own.counts.hits(), Some(0));
    }

    #[test]
    fn no_compilation_is_explained_with_one_question() {
        let folder = tempfile::tempdir().unwrap();
        let ccache = answering(&format!("(/c/ccache.conf) disable = true\n{NEW}"));
        let counted = count(&with_statslog(folder.path().join("log")), &ccache);
        assert_eq!(counted.obstacle, Some(Obstacle::Disabled("/c/ccache.conf".to_owned())));
        assert_eq!(ccache.asked().len(), 1);
    }

    #[test]
    fn a_statslog_that_cannot_be_written_or_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let absent = with_statslog(folder.path().join("absent").join("log"));
        let found = count(&absent, &answering(NEW)).obstacle;
        assert!(matches!(found, Some(Obstacle::Statslog(..))), "{found:?}");
        let is_folder = with_statslog(folder.path().to_path_buf());
        let found = count(&is_folder, &answering(NEW)).obstacle;
        assert!(matches!(found, Some(Obstacle::Statslog(..))), "{found:?}");
    }

    #[test]
    fn counters_cost_one_question() {
        let ccache = answering("direct_cache_hit\t1\npreprocessed_cache_hit\t0\ncache_miss\t0\n");
        let counted = count(&Request::default(), &ccache);
        assert_eq!((counted.source, counted.obstacle), (Source::Counters, None));
        assert_eq!(ccache.asked().len(), 1);
        let missing = count(&Request::default(), &Scripted::new([]));
        assert_eq!(missing.obstacle, Some(Obstacle::Missing));
        assert_eq!(missing.own.counts.hits(), None);
    }

    #[test]
    fn a_build_that_hit_nothing_learns_how_full_the_cache_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "# a.c\ncache_miss\n").unwrap();
        let words = format!("files_in_cache\t8\ncleanups_performed\t2\n{NEW}");
        let counted = count(&with_statslog(path), &answering(&words));
        assert_eq!((counted.files_in_cache, counted.cleanups), (Some(8), Some(2)));
        assert_eq!(counted.ccache_version.as_deref(), Some("4.7.5"));
    }
}
