//! Builds side by side, and several in one process.

use std::fs;

use serde_json::Value;

use crate::pipeline::{GOOD, build, pretending, unproven, wheels};
use crate::support::Sandbox;

const THREE: &str = "cp311-manylinux* cp312-manylinux* cp313-manylinux*";

fn pretending_three(behaviour: &str) -> Sandbox {
    let mut sandbox = pretending(behaviour);
    sandbox.set("CIBW_BUILD", THREE);
    sandbox.write("project/tests.c", "int tests;\n");
    sandbox
}

fn outcomes(report: &Value) -> [&str; 3] {
    ["cp311", "cp312", "cp313"].map(|python| build(report, python)["outcome"].as_str().unwrap())
}

fn verdict<'a>(report: &'a Value, python: &str) -> &'a str {
    build(report, python)["cache"]["verdict"].as_str().unwrap()
}

#[test]
fn a_follower_starts_while_the_pioneer_is_still_tested() {
    // The pioneer's tests wait for the follower, which never comes if it waits for them.
    let sandbox = pretending(
        "case $id in cp312*) touch \"$record/../../../came\" ;; esac
         compile pkg.c && wheel && hook
         case $id in cp311*)
             for _ in $(seq 300); do
                 [ -e \"$record/../../../came\" ] && break
                 sleep 0.1
             done
             [ -e \"$record/../../../came\" ] || { echo nobody came; exit 1; } ;;
         esac
         copy_out",
    );
    sandbox.release_wheels(&["--jobs", "2"]).expect(0);
    let report = sandbox.report();
    assert_eq!(report["jobs"], 2);
    assert_eq!(build(&report, "cp312")["waited_for"], "cp311-manylinux_x86_64");
    assert_eq!(verdict(&report, "cp312"), "hit");
}

#[test]
fn a_follower_that_is_done_before_its_pioneer_is_not_taken_for_the_first() {
    let sandbox = pretending(
        "compile pkg.c && wheel
         case $id in cp311*)
             step 'Repairing wheel'
             for _ in $(seq 300); do
                 [ -e \"$record/../../../done\" ] && break
                 sleep 0.1
             done ;;
         esac
         hook && touch \"$record/../../../done\" && copy_out",
    );
    sandbox.release_wheels(&["--jobs", "2"]).expect(0);
    let report = sandbox.report();
    assert_eq!(verdict(&report, "cp312"), "hit");
    assert_eq!(verdict(&report, "cp311"), "cold");
}

#[test]
fn a_wheel_of_the_stable_abi_is_compiled_once_more_at_most_and_tested_with_every_version() {
    let sandbox = pretending_three("stable");
    let ran = sandbox.release_wheels(&["--jobs", "3"]).expect(0).says("3 of 3 wheels (1 file)");
    assert_eq!(ran.stdout.lines().count(), 1);
    let report = sandbox.report();
    assert_eq!(outcomes(&report), ["built", "reused", "reused"]);
    assert_eq!(verdict(&report, "cp311"), "cold");
    // The pioneer's wheel is made again in front of its tests, out of the cache.
    assert_eq!(verdict(&report, "cp312"), "hit");
    assert_eq!(verdict(&report, "cp313"), "not-applicable");
    assert_eq!(build(&report, "cp312")["log"], build(&report, "cp313")["log"]);
    let digests =
        ["cp311", "cp312", "cp313"].map(|python| build(&report, python)["sha256"].clone());
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    let wheel = sandbox.project().join("wheelhouse").join(&wheels(&sandbox)[0]);
    assert_eq!(fs::read_to_string(wheel).unwrap(), "wheel of cp311-manylinux_x86_64\n");
}

#[test]
fn a_version_that_fails_its_tests_leaves_the_others_of_its_process_alone() {
    let mut sandbox = pretending_three("failing=cp312 stable");
    sandbox
        .set("CIBW_BUILD", "cp310-manylinux* cp311-manylinux* cp312-manylinux* cp313-manylinux*");
    sandbox.release_wheels(&[]).expect(1).says("tests of cp312-manylinux_x86_64 failed");
    let report = sandbox.report();
    assert_eq!(build(&report, "cp310")["outcome"], "built");
    assert_eq!(outcomes(&report), ["reused", "failed", "not-run"]);
    assert_eq!(wheels(&sandbox).len(), 1);
    sandbox.release_wheels(&["--keep-going"]).expect(1);
    assert_eq!(outcomes(&sandbox.report()), ["reused", "failed", "reused"]);
}

#[test]
fn who_keeps_going_builds_what_can_still_be_built() {
    let sandbox =
        pretending_three(&format!("case $id in cp311*) echo 'no luck'; exit 9 ;; esac; {GOOD}"));
    sandbox.release_wheels(&[]).expect(1).says("exit status: 9");
    assert_eq!(outcomes(&sandbox.report()), ["failed", "not-run", "not-run"]);
    sandbox.release_wheels(&["--keep-going"]).expect(1).says("2 of 3 wheels");
    let report = sandbox.report();
    assert_eq!(outcomes(&report), ["failed", "built", "built"]);
    assert_eq!(["cp312", "cp313"].map(|python| verdict(&report, python)), ["cold", "hit"]);
    assert_eq!(unproven(&sandbox), Vec::<String>::new());
}

/// The roles of a run's builds.
fn roles(sandbox: &Sandbox) -> Vec<String> {
    let report = sandbox.report();
    let builds = report["builds"].as_array().unwrap();
    builds.iter().map(|build| build["role"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn only_a_cache_that_holds_everything_spares_the_pioneer() {
    let mut sandbox = pretending(GOOD);
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(roles(&sandbox), ["pioneer", "follower"]);
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(roles(&sandbox), ["follower", "follower"], "all builds have gone through it");
    let report = sandbox.report();
    assert!(build(&report, "cp312")["waited_for"].is_null());
    assert_eq!(["cp311", "cp312"].map(|python| verdict(&report, python)), ["hit", "hit"]);

    sandbox.write("project/pkg.c", "int answer(void) { return 43; }\n");
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(roles(&sandbox), ["pioneer", "follower"], "another source");

    sandbox.set("CIBW_ENVIRONMENT", "CFLAGS=-O1");
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(roles(&sandbox), ["pioneer", "follower"], "other settings");

    let cleaned = std::process::Command::new("ccache")
        .arg("--clear")
        .env("CCACHE_DIR", sandbox.root.join("cache"))
        .output();
    assert!(cleaned.unwrap().status.success());
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(roles(&sandbox), ["pioneer", "follower"], "ccache was told to forget");
    let report = sandbox.report();
    assert_eq!(["cp311", "cp312"].map(|python| verdict(&report, python)), ["cold", "hit"]);
}
