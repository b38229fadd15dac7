//! Runs that go on where another has ended.

use std::fs;

use serde_json::Value;

use crate::pipeline::{GOOD, build, pretending, wheels};
use crate::support::Sandbox;

/// A sandbox whose cp312 fails its tests as long as the file `broken` is there.
fn broken() -> Sandbox {
    let mut sandbox = pretending(&format!(
        "case $id in cp312*) [ -e \"$ROOT/broken\" ] && exit 7 ;; esac; {GOOD}"
    ));
    let root = sandbox.root.clone();
    sandbox.set("ROOT", root.as_str());
    sandbox.write("broken", "");
    sandbox
}

fn outcomes(report: &Value) -> [&str; 2] {
    ["cp311", "cp312"].map(|python| build(report, python)["outcome"].as_str().unwrap())
}

#[test]
fn a_run_that_failed_goes_on_with_what_is_missing() {
    let sandbox = broken();
    sandbox.release_wheels(&["--jobs", "1"]).expect(1);
    assert_eq!(outcomes(&sandbox.report()), ["built", "failed"]);
    let first = build(&sandbox.report(), "cp311").clone();
    fs::remove_file(sandbox.root.join("broken")).unwrap();

    let ran = sandbox.release_wheels(&["--resume"]).expect(0).says("resumed: cold");
    assert_eq!(ran.stdout.lines().count(), 2, "both wheels are told");
    let report = sandbox.report();
    assert_eq!(outcomes(&report), ["resumed", "built"]);
    let again = build(&report, "cp311");
    assert_eq!((&again["wheel"], &again["sha256"]), (&first["wheel"], &first["sha256"]));

    sandbox.release_wheels(&["--resume"]).expect(0);
    assert_eq!(outcomes(&sandbox.report()), ["resumed", "resumed"]);
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(outcomes(&sandbox.report()), ["built", "built"], "only if it is asked for");
}

#[test]
fn a_run_that_was_interrupted_goes_on_with_what_is_missing() {
    let mut sandbox = pretending(&format!(
        "case $id in cp312*) \
             [ -e \"$ROOT/once\" ] || {{ touch \"$ROOT/once\"; \
             kill -INT $(cat \"$ROOT/pid\"); sleep 60; }} ;; esac; {GOOD}"
    ));
    let root = sandbox.root.clone();
    sandbox.set("ROOT", root.as_str());
    let project = sandbox.project();
    let line = ["release-wheels", "--project", project.as_str(), "--jobs", "1"];
    let child = sandbox.command(&line).spawn().unwrap();
    sandbox.write("pid", &child.id().to_string());
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.code(), Some(130));
    assert_eq!(outcomes(&sandbox.report()), ["built", "failed"]);
    sandbox.release_wheels(&["--resume"]).expect(0);
    assert_eq!(outcomes(&sandbox.report()), ["resumed", "built"]);
}

#[test]
fn whatever_has_changed_is_built_again_and_named() {
    let mut sandbox = pretending(GOOD);
    sandbox.release_wheels(&[]).expect(0);

    sandbox.write("project/pkg.c", "int answer(void) { return 43; }\n");
    let why = "cp311-manylinux_x86_64 is built again: the source changed";
    sandbox.release_wheels(&["--resume"]).expect(0).says(why);

    sandbox.set("CIBW_ENVIRONMENT", "CFLAGS=-O1");
    sandbox.release_wheels(&["--resume"]).expect(0).says("again: the settings changed: CFLAGS in");

    let wheel = sandbox.project().join("wheelhouse").join(&wheels(&sandbox)[0]);
    fs::write(&wheel, "another").unwrap();
    sandbox.release_wheels(&["--resume"]).expect(0).says("is another file now");
    assert_eq!(outcomes(&sandbox.report()), ["built", "resumed"]);

    fs::remove_file(&wheel).unwrap();
    sandbox.release_wheels(&["--resume"]).expect(0).says("is not in ");
    assert_eq!(outcomes(&sandbox.report()), ["built", "resumed"]);

    let done = sandbox.project().join("target/warmwheel/done/pkg");
    for name in Sandbox::names(&done) {
        fs::write(done.join(name), "{").unwrap();
    }
    sandbox.release_wheels(&["--resume"]).expect(0).says("is built again: ");
    assert_eq!(outcomes(&sandbox.report()), ["built", "built"]);
    sandbox.release_wheels(&["--resume"]).expect(0);
    assert_eq!(outcomes(&sandbox.report()), ["resumed", "resumed"]);
}
