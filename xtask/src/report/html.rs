//! `report.html`: one file that shows a run in a browser, without a network.
//!
//! The run goes into the page as JSON in a script element that is never executed, and from there into
//! text nodes: no name or message of a package is ever markup. Results of files are one letter each,
//! so that 500 files in 32 builds are 16 kB.

use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::path::{CriticalPath, Run};
use crate::event::{
    BuildReport, Containerless, Event, FileResult, Kind, Report, Reporter, Setting,
};
use crate::history::Entry;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The page's name in a run's folder.
pub(crate) const FILE: &str = "report.html";

/// What the page's script reads.
#[derive(Serialize)]
struct Data<'a> {
    report: &'a Report,
    hit_rate: Option<f64>,
    /// For whom the wheels are, where there were no containers.
    containerless: Option<String>,
    /// The builds that decided when the run ended.
    critical: Vec<String>,
    domains: Vec<Domain<'a>>,
    settings: &'a [Setting],
    previous: Option<&'a Entry>,
}

/// What was compiled in a cache domain.
#[derive(Serialize)]
struct Domain<'a> {
    name: &'a str,
    files: Vec<&'a str>,
    builds: Vec<Column<'a>>,
}

/// A build's results, a letter for each file of its domain.
#[derive(Serialize)]
struct Column<'a> {
    identifier: &'a str,
    results: String,
}

/// The page of a run.
///
/// # Errors
/// The run cannot be written as JSON.
pub(crate) fn page(report: &Report, previous: Option<&Entry>) -> Result<String> {
    let path = CriticalPath::of(&Run::from(report));
    let data = Data {
        report,
        hit_rate: report.hit_rate(),
        containerless: report.containerless.as_ref().map(Containerless::words),
        critical: path.steps.into_iter().map(|step| step.identifier).collect(),
        domains: domains(report),
        settings: &report.settings,
        previous,
    };
    // Neither the end of the element nor a comment can stand in it.
    let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
    // The data last: it may hold what looks like a place for something.
    let page = PAGE.replace("@STYLE@", STYLE.trim_end()).replace("@SCRIPT@", SCRIPT.trim_end());
    let (before, after) = page.split_once("@DATA@").unwrap_or((&page, ""));
    Ok([before, &data, after].concat())
}

/// Writes the page of a run into its folder, in one step.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(folder: &Utf8Path, report: &Report, previous: Option<&Entry>) -> Result<()> {
    let path = folder.join(FILE);
    let beside = path.with_extension("html.part");
    fs::write(&beside, page(report, previous)?)
        .with_context(|| format!("cannot write {beside}"))?;
    fs::rename(&beside, &path).with_context(|| format!("cannot place {path}"))
}

/// Writes the page when the run is over.
pub(crate) struct Page {
    folder: Utf8PathBuf,
    previous: Option<Entry>,
    report: Report,
}

impl Page {
    /// For a run whose records go to `folder`.
    pub(crate) fn new(folder: &Utf8Path, previous: Option<Entry>) -> Self {
        Self { folder: folder.to_path_buf(), previous, report: Report::default() }
    }
}

impl Reporter for Page {
    fn name(&self) -> &'static str {
        FILE
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        self.report.apply(event);
        if !matches!(event.kind, Kind::RunFinished { .. }) {
            return Ok(());
        }
        write(&self.folder, &self.report, self.previous.as_ref())
    }
}

fn domains(report: &Report) -> Vec<Domain<'_>> {
    let mut names: Vec<&str> = Vec::new();
    for build in &report.builds {
        if !names.contains(&build.domain.as_str()) {
            names.push(&build.domain);
        }
    }
    names.into_iter().map(|name| domain(report, name)).collect()
}

fn domain<'a>(report: &'a Report, name: &'a str) -> Domain<'a> {
    let builds: Vec<_> = report.builds.iter().filter(|build| build.domain == name).collect();
    let files = builds.iter().flat_map(|build| &build.files);
    let mut files: Vec<_> = files.map(|file| file.source.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let column = |build: &&'a BuildReport| {
        let mut results = vec!['-'; files.len()];
        for file in &build.files {
            if let Ok(place) = files.binary_search(&file.source.as_str()) {
                results[place] = letter(file.result);
            }
        }
        Column { identifier: &build.identifier, results: results.into_iter().collect() }
    };
    let builds = builds.iter().filter(|build| !build.files.is_empty()).map(column).collect();
    Domain { name, files, builds }
}

fn letter(result: FileResult) -> char {
    match result {
        FileResult::DirectHit => 'd',
        FileResult::PreprocessedHit => 'p',
        FileResult::Miss => 'm',
        FileResult::Uncacheable => 'u',
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn report(events: &[Value]) -> Report {
        let mut report = Report::default();
        for event in events {
            report.apply(&serde_json::from_value(event.clone()).unwrap());
        }
        report
    }

    fn started(package: &str, identifiers: &[&str]) -> Value {
        let builds = identifiers
            .iter()
            .map(|identifier| json!({"identifier": identifier, "domain": "x", "role": "follower"}));
        json!({
            "at_seconds": 0.0, "event": "run-started", "schema": 1, "run_id": "R", "package": package,
            "command": "c", "started": "s", "jobs": 1, "builds": builds.collect::<Vec<_>>(),
        })
    }

    fn finished(identifier: &str, files: &[(&str, &str)]) -> Value {
        let files =
            files.iter().map(|(source, result)| json!({"source": source, "result": result}));
        let result = json!({"outcome": "built", "files": files.collect::<Vec<_>>()});
        json!({
            "at_seconds": 1.0, "event": "build-finished", "identifier": identifier, "result": result,
        })
    }

    /// What the page's script reads.
    fn data(page: &str) -> Value {
        let (_, rest) = page.split_once(r#"id="run">"#).unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn no_text_of_a_run_ends_the_element_that_holds_it() {
        let package = "</script><!--<script>@DATA@ @STYLE@ @SCRIPT@\u{2028}\0&amp;";
        let page = page(&report(&[started(package, &[])]), None).unwrap();
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<!--"));
        assert_eq!(data(&page)["report"]["package"], package);
    }

    #[test]
    fn results_of_files_are_a_letter_each() {
        let events = [
            started("p", &["a-x", "b-x", "c-x"]),
            finished("a-x", &[("z.c", "miss"), ("a.c", "uncacheable")]),
            finished("b-x", &[("m.c", "preprocessed-hit"), ("z.c", "direct-hit")]),
        ];
        let page = page(&report(&events), None).unwrap();
        let columns = json!([
            {"identifier": "a-x", "results": "u-m"},
            {"identifier": "b-x", "results": "-pd"},
        ]);
        let domains = json!([{"name": "x", "files": ["a.c", "m.c", "z.c"], "builds": columns}]);
        assert_eq!(data(&page)["domains"], domains);
    }

    #[test]
    fn nothing_on_the_page_comes_from_elsewhere() {
        for part in [PAGE, STYLE, SCRIPT] {
            for word in ["http:", "https:", "src=", "url(", "@import", "innerHTML", "eval("] {
                assert!(!part.contains(word), "{word}");
            }
        }
    }
}
