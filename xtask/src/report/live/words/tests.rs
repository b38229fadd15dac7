use super::*;
use crate::event::{BuildResult, Cache, Compiling, Counts, Event, Kind, Planned, RunOutcome};

fn planned(identifier: &str, role: Role) -> Planned {
    Planned { identifier: identifier.to_owned(), domain: "d".to_owned(), role, note: None }
}

/// A run of a pioneer and two followers, and what happens in it.
fn run(kinds: Vec<(f64, Kind)>) -> Report {
    let mut report = Report::default();
    let started = Kind::RunStarted {
        schema: 1,
        run_id: "R".to_owned(),
        package: "p".to_owned(),
        command: String::new(),
        started: String::new(),
        jobs: 2,
        containerless: None,
        builds: vec![
            planned("cp310-manylinux_x86_64", Role::Pioneer),
            planned("cp311-manylinux_x86_64", Role::Follower),
            planned("cp312-manylinux_x86_64", Role::Follower),
        ],
        settings: Vec::new(),
    };
    for (at_seconds, kind) in std::iter::once((0.0, started)).chain(kinds) {
        report.apply(&Event { at_seconds, kind });
    }
    report
}

fn started(python: &str) -> Kind {
    let identifier = format!("{python}-manylinux_x86_64");
    Kind::BuildStarted { identifier, waited_for: None }
}

fn phase(python: &str, name: &str) -> Kind {
    Kind::PhaseStarted { identifier: format!("{python}-manylinux_x86_64"), name: name.to_owned() }
}

fn compiled(python: &str, hits: u64, misses: u64) -> Kind {
    let identifier = format!("{python}-manylinux_x86_64");
    Kind::Compiled { identifier, counts: Counts { hits, misses } }
}

fn finished(python: &str, hits: u64, misses: u64) -> Kind {
    let cache = Cache {
        verdict: "cold".to_owned(),
        passed: true,
        source: "statslog".to_owned(),
        ccache_version: None,
        audited_on_host: false,
        suspicious: None,
        direct_hits: Some(hits),
        preprocessed_hits: Some(0),
        misses: Some(misses),
        uncacheable: Some(0),
        errors: Some(0),
        hit_rate: None,
    };
    let result =
        BuildResult { outcome: BuildOutcome::Built, cache: Some(cache), ..BuildResult::default() };
    let identifier = format!("{python}-manylinux_x86_64");
    Kind::BuildFinished { identifier, result: Box::new(result) }
}

#[test]
fn a_pioneer_counts_up_and_followers_count_towards_what_it_had() {
    let report = run(vec![(1.0, started("cp310")), (2.0, phase("cp310", "container"))]);
    assert_eq!(
        line(&report.builds[0], &report, 4.0),
        "cp310-manylinux_x86_64  container           3.0s"
    );
    let report = run(vec![
        (1.0, started("cp310")),
        (2.0, phase("cp310", "build")),
        (3.0, compiled("cp310", 0, 7)),
    ]);
    assert_eq!(
        line(&report.builds[0], &report, 4.0),
        "cp310-manylinux_x86_64  compile 7           3.0s  0 hits, 7 misses"
    );
    let report = run(vec![
        (1.0, started("cp310")),
        (9.0, finished("cp310", 0, 15)),
        (9.0, started("cp311")),
        (10.0, phase("cp311", "build")),
        (11.0, compiled("cp311", 12, 1)),
    ]);
    assert_eq!(
        line(&report.builds[1], &report, 12.0),
        "cp311-manylinux_x86_64  compile 13/15       3.0s  12 hits, 1 miss"
    );
    assert_eq!(overall(&report, None, 12.0), "━━━━━━────────────── 1 of 3 builds, 12.0s");
}

#[test]
fn followers_count_towards_a_pioneer_that_is_still_tested() {
    let mut kinds = vec![
        (1.0, started("cp310")),
        (2.0, phase("cp310", "build")),
        (8.0, compiled("cp310", 0, 15)),
    ];
    let follower =
        [(9.0, started("cp311")), (10.0, phase("cp311", "build")), (11.0, compiled("cp311", 4, 0))];
    let line_of_follower = |kinds: &[(f64, Kind)]| {
        let report = run(kinds.to_vec());
        line(&report.builds[1], &report, 12.0)
    };
    let early: Vec<_> = kinds.iter().chain(&follower).cloned().collect();
    assert!(line_of_follower(&early).contains("  compile 4 "), "it may compile more yet");
    kinds.push((9.0, phase("cp310", "test")));
    let late: Vec<_> = kinds.iter().chain(&follower).cloned().collect();
    assert!(line_of_follower(&late).contains("  compile 4/15 "));
}

#[test]
fn the_time_left_comes_from_what_is_likest() {
    let pioneer = |compiling: Option<f64>| {
        let compiling = compiling.map(|elapsed_seconds| Compiling {
            elapsed_seconds,
            files: 15,
            ..Compiling::default()
        });
        let result =
            BuildResult { outcome: BuildOutcome::Built, compiling, ..BuildResult::default() };
        let identifier = "cp310-manylinux_x86_64".to_owned();
        Kind::BuildFinished { identifier, result: Box::new(result) }
    };
    let begun = |compiling| vec![(1.0, started("cp310")), (101.0, pioneer(compiling))];
    // Nothing tells how much of the pioneer's time was compilation.
    assert_eq!(remaining(&run(begun(None)), None, 101.0), None);
    // Two followers like the pioneer without its compilation, side by side.
    let first = begun(Some(80.0));
    assert_eq!(remaining(&run(first.clone()), None, 101.0), Some(20.0));
    // A follower that is done tells more.
    let second = [(101.0, started("cp311")), (111.0, finished("cp311", 15, 0))];
    let kinds: Vec<_> = first.iter().chain(&second).cloned().collect();
    assert_eq!(remaining(&run(kinds), None, 111.0), Some(10.0));
}

#[test]
fn an_earlier_run_tells_of_a_pioneer() {
    let ended = run(vec![
        (1.0, started("cp310")),
        (61.0, finished("cp310", 0, 15)),
        (61.0, started("cp311")),
        (71.0, finished("cp311", 15, 0)),
        (61.0, started("cp312")),
        (71.0, finished("cp312", 15, 0)),
        (71.0, Kind::RunFinished { outcome: RunOutcome::Done }),
    ]);
    let earlier = Entry::of(&ended);
    let report = run(vec![(1.0, started("cp310"))]);
    let left = remaining(&report, earlier.as_ref(), 31.0);
    assert_eq!(left, Some(30.0), "two jobs: the followers fit beside the rest of the pioneer");
    assert!(overall(&report, earlier.as_ref(), 31.0).ends_with("31.0s, about 30s left"));
}

#[test]
fn nothing_is_guessed_before_anything_is_known() {
    let report = run(vec![(1.0, started("cp310"))]);
    assert_eq!(remaining(&report, None, 5.0), None);
    assert_eq!(overall(&report, None, 5.0), "──────────────────── 0 of 3 builds, 5.0s");
}

#[test]
fn what_is_over_needs_no_time() {
    let done = ["cp310", "cp311", "cp312"].map(|python| (9.0, finished(python, 1, 1)));
    assert_eq!(remaining(&run(done.into()), None, 9.0), None);
}
