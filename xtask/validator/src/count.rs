//! Counts a build's compilations, and asks ccache why when they do not prove a hit.

use crate::answers::{self, Version};
use crate::counts::Tally;
use crate::obstacle::Obstacle;
use crate::process::Ccache;
use crate::request::Request;
use crate::statslog::{self, Statslog};
use crate::verdict::Source;
use crate::{files, preflight};
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
}

/// Counts from the statslog, or from the counters when there is none or ccache is too old for it.
/// Starts no process when the statslog proves a hit, at most two otherwise.
pub(crate) fn count(request: &Request, ccache: &dyn Ccache) -> Counted {
    let known_version = recorded_version(request.record_dir.as_deref());
    let Some(path) = &request.statslog else {
        return from_counters(request, ccache, known_version);
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
        source: Source::Statslog,
        own: statslog.own,
        probes: statslog.probes,
        other_calls: statslog.other_calls,
        missed_files: statslog.missed_files,
        obstacle: damage,
        ccache_version: known_version.as_ref().map(|version| version.text.clone()),
    };
    if proves_hit(request, &counted.own) {
        return counted;
    }
    if let Some(version) = known_version.or_else(|| ask_version(ccache)) {
        if is_silent && !version.has_statslog() {
            return from_counters(request, ccache, Some(version));
        }
        counted.ccache_version = Some(version.text);
    }
    counted.obstacle = counted
        .obstacle
        .or_else(|| obstacle(request, &counted.own, ccache, false))
        .or_else(|| if is_missing { missing_folder(path) } else { None });
    counted
}

/// What cannot be learnt here is said by the question that follows.
fn ask_version(ccache: &dyn Ccache) -> Option<Version> {
    answers::version(&ccache.ask(&["--version"]).ok()?)
}

/// ccache does not make the folder of its statslog, and says nothing when it is not there.
fn missing_folder(statslog: &Path) -> Option<Obstacle> {
    let folder = statslog.parent().filter(|folder| !folder.is_dir())?;
    let words = format!("{} is no folder", folder.display());
    Some(Obstacle::Statslog(statslog.to_path_buf(), words))
}

fn from_counters(request: &Request, ccache: &dyn Ccache, version: Option<Version>) -> Counted {
    let (own, failure) = match ccache.ask(&["--print-stats"]) {
        Ok(answer) => (answers::stats(&answer), None),
        Err(failure) => (Tally::default(), Some(failure)),
    };
    let obstacle = match failure {
        Some(failure) => Some(failure.into()),
        None if proves_hit(request, &own) => None,
        None => obstacle(request, &own, ccache, true),
    };
    Counted {
        source: Source::Counters,
        own,
        probes: Tally::default(),
        other_calls: 0,
        missed_files: Vec::new(),
        obstacle,
        ccache_version: version.map(|version| version.text),
    }
}

fn proves_hit(request: &Request, own: &Tally) -> bool {
    match (own.counts.hits(), own.counts.cacheable()) {
        (Some(hits), Some(cacheable)) => request.min_hit_rate.is_met(hits, cacheable),
        _ => false,
    }
}

/// What is in ccache's way, by the environment or in its own words.
fn obstacle(
    request: &Request,
    own: &Tally,
    ccache: &dyn Ccache,
    counters: bool,
) -> Option<Obstacle> {
    let is_idle = own.counts.compilations() == 0;
    if request.is_disabled && is_idle {
        return Some(Obstacle::Disabled("environment".to_owned()));
    }
    if let Some(folder) = request.ccache_dir.as_ref().filter(|folder| folder.is_relative()) {
        return Some(Obstacle::RelativeFolder(folder.clone()));
    }
    Obstacle::find(ccache, counters)
}

/// The version that `preflight` left in the record folder.
fn recorded_version(record_dir: Option<&Path>) -> Option<Version> {
    let text = files::read_bounded(&record_dir?.join(preflight::FILE_NAME), 64 * 1024).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let words = value.get("ccache_version")?.as_str()?;
    answers::version(&format!("ccache version {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Scripted;
    use std::fs;
    use std::path::PathBuf;

    fn with_statslog(path: PathBuf) -> Request {
        Request { statslog: Some(path), ..Request::default() }
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
        let ccache = Scripted::new([
            ("--version", Ok("ccache version 3.7.7\n".to_owned())),
            (
                "--print-stats",
                Ok("cache_hit_direct\t2\ncache_hit_preprocessed\t0\ncache_miss\t1\n".to_owned()),
            ),
        ]);
        let counted = count(&with_statslog(folder.path().join("log")), &ccache);
        assert_eq!(counted.source, Source::Counters);
        assert_eq!(counted.own.counts.hits(), Some(2));
        assert_eq!(counted.ccache_version.as_deref(), Some("3.7.7"));
        assert_eq!(ccache.asked(), ["--version", "--print-stats"]);
    }

    #[test]
    fn an_old_ccache_on_record_is_not_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join(preflight::FILE_NAME);
        fs::write(&record, r#"{"schema":1,"ccache_version":"4.3","links":0}"#).unwrap();
        let statslog = folder.path().join("log");
        fs::write(&statslog, "").unwrap();
        let mut request = with_statslog(statslog);
        request.record_dir = Some(folder.path().to_path_buf());
        let stats = "direct_cache_hit\t2\npreprocessed_cache_hit\t0\ncache_miss\t1\n";
        let ccache = Scripted::new([("--print-stats", Ok(stats.to_owned()))]);
        assert_eq!(count(&request, &ccache).source, Source::Counters);
        assert_eq!(ccache.asked(), ["--print-stats"]);
    }

    #[test]
    fn no_compilation_is_explained_with_two_questions() {
        let folder = tempfile::tempdir().unwrap();
        let ccache = Scripted::new([
            ("--version", Ok("ccache version 4.7.5\n".to_owned())),
            ("-p", Ok("(/c/ccache.conf) disable = true\n".to_owned())),
        ]);
        let counted = count(&with_statslog(folder.path().join("log")), &ccache);
        assert_eq!(counted.obstacle, Some(Obstacle::Disabled("/c/ccache.conf".to_owned())));
        assert_eq!(ccache.asked().len(), 2);
    }

    #[test]
    fn a_statslog_that_cannot_be_written_or_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let ccache = || {
            Scripted::new([
                ("--version", Ok("ccache version 4.7.5".to_owned())),
                ("-p", Ok(String::new())),
            ])
        };
        let absent = with_statslog(folder.path().join("absent").join("log"));
        let found = count(&absent, &ccache()).obstacle;
        assert!(matches!(found, Some(Obstacle::Statslog(..))), "{found:?}");
        let is_folder = with_statslog(folder.path().to_path_buf());
        let found = count(&is_folder, &ccache()).obstacle;
        assert!(matches!(found, Some(Obstacle::Statslog(..))), "{found:?}");
    }

    #[test]
    fn counters_that_prove_a_hit_cost_one_question() {
        let ccache = Scripted::new([(
            "--print-stats",
            Ok("direct_cache_hit\t1\npreprocessed_cache_hit\t0\ncache_miss\t0\n".to_owned()),
        )]);
        let counted = count(&Request::default(), &ccache);
        assert_eq!((counted.source, counted.obstacle), (Source::Counters, None));
        assert_eq!(ccache.asked(), ["--print-stats"]);
        let missing = count(&Request::default(), &Scripted::new([]));
        assert_eq!(missing.obstacle, Some(Obstacle::Missing));
        assert_eq!(missing.own.counts.hits(), None);
    }

    #[test]
    fn the_version_is_taken_from_preflight() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join(preflight::FILE_NAME);
        fs::write(&record, r#"{"schema":1,"ccache_version":"4.7.5","links":0}"#).unwrap();
        let version = recorded_version(Some(folder.path())).unwrap();
        assert_eq!(version.text, "4.7.5");
        for damaged in ["", "{", "[1]", r#"{"ccache_version":"x\ny"}"#, r#"{"ccache_version":1}"#] {
            fs::write(&record, damaged).unwrap();
            assert_eq!(recorded_version(Some(folder.path())), None, "{damaged}");
        }
    }
}
