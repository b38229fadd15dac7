use super::*;
use crate::ci::context::tests::context;
use crate::event::{BuildOutcome, BuildResult, Cache, Event, Kind, Planned};
use crate::plan::planned_for;

/// A report of two builds with these hits and misses.
fn report(counts: [(u64, u64); 2]) -> Report {
    let mut report = Report::default();
    let names = ["cp311-manylinux_x86_64", "cp312-manylinux_x86_64"];
    let planned = |name: &&str| Planned {
        identifier: (*name).to_owned(),
        domain: "d".to_owned(),
        role: Role::Pioneer,
        note: None,
    };
    let kind = Kind::RunStarted {
        schema: 1,
        run_id: "RUN".to_owned(),
        package: "pkg".to_owned(),
        command: String::new(),
        started: String::new(),
        jobs: 1,
        containerless: None,
        builds: names.iter().map(planned).collect(),
        settings: Vec::new(),
    };
    report.apply(&Event { at_seconds: 0.0, kind });
    for (name, (hits, misses)) in names.into_iter().zip(counts) {
        let cache = Cache {
            verdict: if hits == 0 { "cold" } else { "hit" }.to_owned(),
            passed: true,
            source: "statslog".to_owned(),
            ccache_version: Some("4.7.5".to_owned()),
            audited_on_host: false,
            suspicious: None,
            direct_hits: Some(hits),
            preprocessed_hits: Some(0),
            misses: Some(misses),
            uncacheable: Some(0),
            errors: Some(0),
            hit_rate: None,
        };
        let result = BuildResult {
            outcome: BuildOutcome::Built,
            cache: Some(cache),
            ..BuildResult::default()
        };
        let kind = Kind::BuildFinished { identifier: name.to_owned(), result: Box::new(result) };
        report.apply(&Event { at_seconds: 1.0, kind });
    }
    report
}

fn output(name: &str, report: &Report, key: Option<&str>) -> String {
    let plan = planned_for("linux", &["cp311-manylinux_x86_64", "cp312-manylinux_x86_64"]);
    let outputs = outputs(&plan, report, &context("push", "main", &[]), key, true);
    outputs.into_iter().find(|(it, _)| *it == name).unwrap().1
}

#[test]
fn the_hit_rate_is_that_of_all_builds_and_never_rounded_up() {
    assert_eq!(output("hit-rate", &report([(0, 3), (3, 0)]), None), "50.0");
    assert_eq!(output("hit-rate", &report([(1000, 0), (1000, 1)]), None), "99.9");
    assert_eq!(output("hit-rate", &report([(0, 0), (0, 0)]), None), "");
    assert_eq!(output("hit-rate", &Report::default(), None), "");
}

#[test]
fn cold_tells_whether_a_first_version_found_nothing() {
    assert_eq!(output("cold", &report([(0, 3), (3, 0)]), None), "true");
    assert_eq!(output("cold", &report([(3, 0), (3, 0)]), None), "false");
}

#[test]
fn the_key_to_save_under_has_the_version_that_was_used() {
    let report = report([(0, 3), (3, 0)]);
    let planned = "warmwheel1-linux-x86_64-manylinux_x86_64-0af-ccache.any-main-0123abc";
    assert_eq!(
        output("cache-key", &report, Some(planned)),
        "warmwheel1-linux-x86_64-manylinux_x86_64-0af-ccache.4.7.5-main-0123abc"
    );
    let own = output("cache-key", &report, None);
    assert!(own.starts_with("warmwheel1-linux-") && own.contains("-ccache.4.7.5-main-"), "{own}");
}
