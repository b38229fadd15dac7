use super::*;
use crate::event::{BuildResult, Event, Kind, Planned, Role, RunOutcome};

/// A build with the phases that begin at these seconds of the run and end with the build.
fn build(
    identifier: &str,
    (started, ended): (f64, f64),
    waited_for: Option<&str>,
    phases: &[(&str, f64)],
) -> Build {
    let ends = phases.iter().skip(1).map(|&(_, start)| start).chain([ended]);
    let phase = |(&(name, started_seconds), end): (&(&str, f64), f64)| Phase {
        name: name.to_owned(),
        started_seconds,
        elapsed_seconds: end - started_seconds,
    };
    Build {
        identifier: identifier.to_owned(),
        started_seconds: started,
        elapsed_seconds: ended - started,
        waited_for: waited_for.map(ToOwned::to_owned),
        phases: phases.iter().zip(ends).map(phase).collect(),
    }
}

fn chain(path: &CriticalPath) -> Vec<&str> {
    path.steps.iter().map(|step| step.identifier.as_str()).collect()
}

/// Holds that every second of the run is told of exactly once.
#[track_caller]
fn adds_up(run: &Run, path: &CriticalPath) {
    let spent: f64 = path.spent().iter().map(|spent| spent.seconds).sum();
    let sum = path.before_seconds + spent + path.between_seconds + path.after_seconds;
    assert!((sum - run.elapsed_seconds).abs() < 1e-9, "{sum} of {}: {path:?}", run.elapsed_seconds);
}

#[test]
fn the_chain_is_what_decides_the_end() {
    const PIONEER: &[(&str, f64)] = &[("build", 2.0), ("repair", 40.0), ("test", 42.0)];
    const BUILD: &[(&str, f64)] = &[("build", 50.0)];
    let pioneer = |ended| build("p", (1.0, ended), None, PIONEER);
    let cases: [(&str, Vec<Build>, &[&str]); 8] = [
        ("nothing ran", vec![build("p", (0.0, 0.0), None, &[])], &[]),
        ("one build", vec![pioneer(50.0)], &["p"]),
        (
            "a follower waits for the compilation only",
            vec![pioneer(60.0), build("f", (40.1, 70.0), Some("p"), &[("build", 41.0)])],
            &["p", "f"],
        ),
        (
            "a pioneer whose tests outlast its followers decides alone",
            vec![pioneer(90.0), build("f", (40.1, 70.0), Some("p"), &[("build", 41.0)])],
            &["p"],
        ),
        (
            "a follower that could have started waits for a place",
            vec![
                pioneer(45.0),
                build("f", (40.1, 49.0), Some("p"), &[]),
                build("g", (45.1, 47.0), Some("p"), &[]),
                build("h", (49.1, 70.0), Some("p"), BUILD),
            ],
            &["p", "f", "h"],
        ),
        (
            "builds one after another",
            vec![
                build("a", (0.1, 10.0), None, &[]),
                build("b", (10.0, 20.0), None, &[]),
                build("c", (20.0, 30.0), None, &[]),
            ],
            &["a", "b", "c"],
        ),
        (
            "all at once: the slowest alone",
            vec![
                build("a", (0.1, 10.0), None, &[]),
                build("b", (0.1, 30.0), None, &[]),
                build("c", (0.2, 20.0), None, &[]),
            ],
            &["b"],
        ),
        (
            "the pioneer failed while it compiled",
            vec![
                build("p", (0.1, 10.0), None, &[("build", 1.0)]),
                build("f", (10.0, 20.0), Some("p"), &[]),
            ],
            &["p", "f"],
        ),
    ];
    for (name, builds, expected) in cases {
        let run = Run { elapsed_seconds: 100.0, builds };
        let path = CriticalPath::of(&run);
        assert_eq!(chain(&path), expected, "{name}");
        adds_up(&run, &path);
    }
}

#[test]
fn a_build_counts_as_far_as_it_was_waited_for() {
    let pioneer = [("container", 2.0), ("build", 5.0), ("repair", 40.0), ("test", 42.0)];
    let follower = [("container", 42.0), ("build", 44.0), ("repair", 60.0)];
    let run = Run {
        elapsed_seconds: 64.0,
        builds: vec![
            build("p", (1.0, 50.0), None, &pioneer),
            build("f", (40.5, 62.0), Some("p"), &follower),
        ],
    };
    let path = CriticalPath::of(&run);
    let spent: Vec<_> = path.spent().into_iter().map(|it| (it.name, it.seconds)).collect();
    let expected = [("start-up", 2.5), ("container", 5.0), ("build", 51.0), ("repair", 2.0)];
    assert_eq!(spent, expected.map(|(name, seconds)| (name.to_owned(), seconds)));
    assert_eq!(
        (path.before_seconds, path.between_seconds, path.after_seconds),
        (1.0, 0.5, 2.0),
        "{path:?}"
    );
}

/// Names and seconds.
type Expected = &'static [(&'static str, f64)];

#[test]
fn phases_of_any_name_and_shape_add_up() {
    let phase = |name: &str, started_seconds, elapsed_seconds| Phase {
        name: name.to_owned(),
        started_seconds,
        elapsed_seconds,
    };
    let cases: [(&str, Vec<Phase>, Expected); 4] = [
        ("none", Vec::new(), &[("start-up", 10.0)]),
        (
            "compilation told apart",
            vec![phase("configure", 2.0, 1.0), phase("compile", 3.0, 6.0), phase("link", 9.0, 1.0)],
            &[("start-up", 2.0), ("configure", 1.0), ("compile", 6.0), ("link", 1.0)],
        ),
        (
            "gaps, and a name that comes twice",
            vec![phase("a", 0.0, 2.0), phase("b", 3.0, 1.0), phase("a", 4.0, 5.0)],
            &[("a", 7.0), ("other", 2.0), ("b", 1.0)],
        ),
        (
            "phases that overlap, begin too early and end too late",
            vec![phase("a", -1.0, 6.0), phase("b", 3.0, 4.0), phase("c", 8.0, 9.0)],
            &[("a", 5.0), ("b", 2.0), ("other", 1.0), ("c", 2.0)],
        ),
    ];
    for (name, phases, expected) in cases {
        let build = Build { phases, elapsed_seconds: 10.0, ..Build::default() };
        let spent = build.spent_until(10.0);
        let spent: Vec<_> = spent.iter().map(|it| (it.name.as_str(), it.seconds)).collect();
        assert_eq!(spent, expected, "{name}");
    }
}

#[test]
fn builds_that_wait_for_each_other_still_end() {
    let run = Run {
        elapsed_seconds: 20.0,
        builds: vec![
            build("a", (1.0, 10.0), Some("b"), &[]),
            build("b", (1.0, 11.0), Some("a"), &[]),
            build("c", (11.0, 20.0), Some("c"), &[]),
        ],
    };
    assert_eq!(chain(&CriticalPath::of(&run)), ["b", "c"]);
}

#[test]
fn a_report_and_its_file_give_the_same_path() {
    let planned = |identifier: &str| Planned {
        identifier: identifier.to_owned(),
        domain: "d".to_owned(),
        role: Role::Follower,
        note: None,
    };
    let phase =
        |name: &str| Kind::PhaseStarted { identifier: "p".to_owned(), name: name.to_owned() };
    let start = |identifier: &str, waited_for: Option<&str>| Kind::BuildStarted {
        identifier: identifier.to_owned(),
        waited_for: waited_for.map(ToOwned::to_owned),
    };
    let finish = |identifier: &str| Kind::BuildFinished {
        identifier: identifier.to_owned(),
        result: Box::new(BuildResult::default()),
    };
    let begun = Kind::RunStarted {
        schema: 1,
        run_id: "r".to_owned(),
        package: "x".to_owned(),
        command: String::new(),
        started: String::new(),
        jobs: 2,
        containerless: None,
        builds: vec![planned("p"), planned("f")],
        settings: Vec::new(),
    };
    let mut report = event::Report::default();
    for (at_seconds, kind) in [
        (0.0, begun),
        (1.0, start("p", None)),
        (2.0, phase("build")),
        (5.0, phase("repair")),
        (5.0, start("f", Some("p"))),
        (6.0, finish("p")),
        (9.0, finish("f")),
        (10.0, Kind::RunFinished { outcome: RunOutcome::Done }),
    ] {
        report.apply(&Event { at_seconds, kind });
    }
    let run = Run::from(&report);
    let path = CriticalPath::of(&run);
    assert_eq!(chain(&path), ["p", "f"]);
    assert_eq!(path.steps[0].spent.iter().map(|it| it.seconds).collect::<Vec<_>>(), [1.0, 3.0]);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
}
