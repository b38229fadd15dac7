//! Runs from beginning to end, with a pretended cibuildwheel that compiles with the real ccache and
//! runs the real validator.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{Ran, Sandbox, real_python};

pub(crate) const GOOD: &str = "compile pkg.c && wheel && hook && copy_out";

/// A sandbox whose cibuildwheel is pretended, for cp311 and cp312 on manylinux.
pub(crate) fn pretending(behaviour: &str) -> Sandbox {
    let mut sandbox = Sandbox::new().with_pretended_engine();
    let lock = include_bytes!("../../../tools/requirements.txt");
    let key = &sha256(lock)[..16];
    let tools = format!("user-cache/warmwheel/tools/cibuildwheel-{key}");
    sandbox.write(&format!("{tools}/warmwheel-ready"), key);
    sandbox.write(&format!("{tools}/bin/python"), include_str!("../support/pretended.sh"));
    let program = sandbox.root.join(format!("{tools}/bin/python"));
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.set("REAL_PYTHON", real_python().as_str());
    sandbox.set("PRETEND", behaviour);
    sandbox.set("CIBW_BUILD", "cp311-manylinux* cp312-manylinux*");
    sandbox.set("CCACHE_DIR", sandbox.root.join("cache").as_str());
    sandbox
}

impl Sandbox {
    /// The newest run's report.
    pub(crate) fn report(&self) -> Value {
        let path = self.latest().join("report.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Waits until a file below the sandbox's root is there, or for a minute.
    pub(crate) fn wait_for(&self, path: &str) {
        let path = self.root.join(path);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !path.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The newest run's folder.
    pub(crate) fn latest(&self) -> Utf8PathBuf {
        self.project().join("target/warmwheel/latest")
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn build<'a>(report: &'a Value, python: &str) -> &'a Value {
    let builds = report["builds"].as_array().unwrap();
    builds.iter().find(|build| build["identifier"].as_str().unwrap().starts_with(python)).unwrap()
}

pub(crate) fn verdicts(report: &Value) -> [&str; 2] {
    ["cp311", "cp312"]
        .map(|python| build(report, python)["cache"]["verdict"].as_str().unwrap_or("none"))
}

pub(crate) fn wheels(sandbox: &Sandbox) -> Vec<String> {
    Sandbox::names(&sandbox.project().join("wheelhouse"))
}

pub(crate) fn unproven(sandbox: &Sandbox) -> Vec<String> {
    Sandbox::names(&sandbox.latest().join("unproven"))
}

#[test]
fn a_run_fills_the_cache_and_proves_that_later_versions_used_it() {
    let sandbox = pretending(GOOD);
    let ran = sandbox.release_wheels(&[]).expect(0).says("done: 2 of 2 wheels");
    let report = sandbox.report();
    assert_eq!(verdicts(&report), ["cold", "hit"]);
    assert_eq!(report["outcome"], "done");
    assert_eq!(build(&report, "cp311")["role"], "pioneer");
    assert_eq!(build(&report, "cp312")["role"], "follower");
    assert_eq!(build(&report, "cp312")["cache"]["direct_hits"], 1);
    assert_eq!(build(&report, "cp312")["cache"]["hit_rate"], 1.0);
    let phases: Vec<_> = build(&report, "cp311")["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phase| phase["name"].as_str().unwrap())
        .collect();
    assert_eq!(phases, ["build", "test"]);

    let wheels: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(wheels.len(), 2, "stdout is the list of wheels");
    for wheel in wheels {
        let hash = sha256(&fs::read(wheel).unwrap());
        let listed = report["builds"].as_array().unwrap().iter();
        assert!(listed.clone().any(|build| build["wheel"] == wheel && build["sha256"] == hash));
    }
    assert_eq!(
        Sandbox::names(&sandbox.latest()),
        ["builds", "events.ndjson", "report.html", "report.json"]
    );
    let ignored = sandbox.project().join("target/warmwheel/.gitignore");
    assert_eq!(fs::read_to_string(ignored).unwrap(), "*\n");
}

#[test]
fn events_are_json_lines_with_times_that_never_go_back() {
    let sandbox = pretending(GOOD);
    sandbox.release_wheels(&[]).expect(0);
    let text = fs::read_to_string(sandbox.latest().join("events.ndjson")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "run-started");
    assert_eq!(events.last().unwrap()["event"], "run-finished");
    let times: Vec<_> = events.iter().map(|event| event["at_seconds"].as_f64().unwrap()).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_table_fits_80_columns() {
    let sandbox = pretending(GOOD);
    let ran = sandbox.release_wheels(&[]).expect(0);
    let from = ran.stderr.lines().position(|line| line.starts_with("build ")).unwrap();
    let table: Vec<_> = ran.stderr.lines().skip(from).take(3).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 80), "{table:#?}");
    assert!(table[2].starts_with("cp312-manylinux_x86_64 follower hit "), "{table:#?}");
}

#[test]
fn a_restored_marker_does_not_make_the_first_build_fail() {
    let sandbox = pretending(GOOD);
    sandbox.release_wheels(&["--python", "3.11"]).expect(0);
    fs::remove_dir_all(sandbox.root.join("cache")).unwrap();
    let domain = build(&sandbox.report(), "cp311")["domain"].as_str().unwrap().to_owned();
    sandbox.write(&format!("cache/warmwheel/markers/{domain}"), "old\n");
    sandbox.release_wheels(&["--python", "3.11"]).expect(0).says("1 stale markers removed");
    assert_eq!(build(&sandbox.report(), "cp311")["cache"]["verdict"], "cold");
}

#[test]
fn a_folder_for_records_that_holds_anything_else_is_left_alone() {
    let sandbox = pretending(GOOD);
    sandbox.write("project/mine/stage/notes.txt", "");
    sandbox.release_wheels(&["--report-dir", "mine"]).expect(2).says("holds other things");
    assert!(sandbox.project().join("mine/stage/notes.txt").is_file());
    for _ in 0..2 {
        sandbox.release_wheels(&["--report-dir", "records"]).expect(0);
    }
}

/// The second build compiles something that the first has not left.
pub(crate) const MISSES: &str = "case $id in cp312*) echo 'int other;' > pkg.c;; esac
    compile pkg.c && wheel && hook && copy_out";

#[test]
fn a_later_version_without_hits_fails_and_its_wheel_is_kept_aside() {
    let sandbox = pretending(MISSES);
    sandbox.release_wheels(&[]).expect(3).says("verdict miss").says("its wheel is kept");
    assert_eq!(verdicts(&sandbox.report()), ["cold", "miss"]);
    assert_eq!(sandbox.report()["outcome"], "failed");
    assert_eq!(wheels(&sandbox), ["pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl"]);
    assert_eq!(unproven(&sandbox), ["pkg-1-cp312-cp312-manylinux_2_28_x86_64.whl"]);
}

#[test]
fn a_miss_can_be_made_a_warning() {
    let sandbox = pretending(MISSES);
    sandbox.release_wheels(&["--on-miss", "warn"]).expect(0);
    assert_eq!(verdicts(&sandbox.report()), ["cold", "miss"]);
    assert_eq!(wheels(&sandbox).len(), 2);
}

#[test]
fn a_floor_above_the_hit_rate_is_a_miss() {
    let sandbox = pretending(
        "echo 'int more;' > more.c; echo \"int $id;\" | tr -- '-' _ > own.c
         compile pkg.c && compile more.c && compile own.c && wheel && hook && copy_out",
    );
    sandbox.release_wheels(&["--min-hit-rate", "66"]).expect(0);
    fs::remove_dir_all(sandbox.root.join("cache")).unwrap();
    sandbox.release_wheels(&["--min-hit-rate", "67"]).expect(3).says("verdict miss");
}

#[test]
fn a_compiler_that_never_went_through_ccache_fails_the_first_version_too() {
    let sandbox = pretending("gcc -c pkg.c -o \"$record/o\" && wheel && hook && copy_out");
    sandbox.release_wheels(&["--jobs", "1"]).expect(3).says("not-invoked").says("help: ");
    assert_eq!(verdicts(&sandbox.report()), ["not-invoked", "none"]);
    assert_eq!(build(&sandbox.report(), "cp312")["outcome"], "not-run");
}

#[test]
fn a_failed_compilation_ends_the_run_and_shows_the_end_of_its_log() {
    let sandbox = pretending("echo 'int broken(' > pkg.c; compile pkg.c || exit 7; wheel");
    let ran = sandbox.release_wheels(&[]).expect(1).says("exit status: 7").says("error: expected");
    let again = format!(
        "cargo xtask release-wheels --project {} --ccache image --ccache-dir {} \
         --only cp311-manylinux_x86_64",
        sandbox.project(),
        sandbox.root.join("cache")
    );
    let ran = ran.says(&again);
    assert_eq!(ran.stdout, "");
    assert_eq!(build(&sandbox.report(), "cp311")["outcome"], "failed");
    assert_eq!(build(&sandbox.report(), "cp312")["outcome"], "not-run");
}

#[test]
fn a_wheel_whose_own_tests_fail_is_kept_aside() {
    let sandbox = pretending("compile pkg.c && wheel && hook; echo 'tests failed'; exit 1");
    sandbox.release_wheels(&["--jobs", "1"]).expect(1).says("tests failed");
    assert_eq!(unproven(&sandbox), ["pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl"]);
    assert_eq!(wheels(&sandbox), Vec::<String>::new());
}

#[test]
fn a_package_that_its_tests_compile_again_is_still_cold() {
    let again = "\"$validator\" seal; compile pkg.c";
    let sandbox = pretending(&format!(
        "compile pkg.c && wheel && {again} && mv $wheel $record && \
        wheel=$record/${{wheel##*/}} && \"$validator\" validate && mv $wheel $out"
    ));
    sandbox.release_wheels(&["--python", "3.11"]).expect(0);
    assert_eq!(build(&sandbox.report(), "cp311")["cache"]["verdict"], "cold");
}

#[test]
fn a_build_without_its_wheel_is_no_success() {
    let sandbox = pretending("compile pkg.c");
    sandbox.release_wheels(&[]).expect(5).says("left no wheel");
    let sandbox = pretending("compile pkg.c && id=cp39-x && wheel");
    sandbox.release_wheels(&[]).expect(5).says("has not the tags");
    assert_eq!(unproven(&sandbox).len(), 1);
}

#[test]
fn an_image_without_ccache_is_found_before_anything_is_compiled() {
    let sandbox =
        pretending("PATH=/nowhere \"$validator\" preflight || exit 1; touch $cache/compiled");
    sandbox.release_wheels(&[]).expect(4).says("ccache").says("help: ");
    assert!(!sandbox.root.join("cache/compiled").exists());
    let sandbox = pretending("\"$validator\" preflight || exit 1; touch $cache/compiled");
    sandbox.release_wheels(&[]).expect(5);
    assert!(sandbox.root.join("cache/compiled").exists(), "the same goes on where ccache is there");
}

#[test]
fn the_whole_log_is_kept_and_shown_when_asked_for() {
    let sandbox = pretending(&format!("echo unmistakable; {GOOD}"));
    assert!(!sandbox.release_wheels(&[]).expect(0).stderr.contains("unmistakable"));
    let log = sandbox.latest().join("builds/cp311-manylinux_x86_64/log.txt");
    assert!(fs::read_to_string(log).unwrap().contains("unmistakable"));
    sandbox.release_wheels(&["--verbose"]).expect(0).says("unmistakable");
}

#[test]
fn an_interrupt_lets_the_build_clean_up_and_still_writes_the_report() {
    let sandbox = pretending(&format!(
        "case $id in cp312*)
             trap 'touch {0}/cleaned; exit 130' INT
             touch {0}/waiting
             while :; do sleep 0.1; done;;
         esac
         {GOOD}",
        "\"$cache\""
    ));
    let project = sandbox.project();
    let mut child = sandbox
        .command(&["release-wheels", "--project", project.as_str(), "--jobs", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sandbox.wait_for("cache/waiting");
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let signalled = Instant::now();
    let status = child.wait().unwrap();
    assert!(signalled.elapsed() < Duration::from_secs(5), "{:?}", signalled.elapsed());
    assert_eq!(status.code(), Some(130));
    assert!(sandbox.root.join("cache/cleaned").exists());
    assert_eq!(sandbox.report()["outcome"], "interrupted");
    assert_eq!(wheels(&sandbox).len(), 1, "the finished wheel is in its place");
    assert!(!sandbox.latest().join("stage").exists());
}

#[test]
fn two_first_runs_install_the_tools_once() {
    let sandbox = Sandbox::new().with_pretended_engine();
    let project = sandbox.project();
    let line = ["release-wheels", "--project", project.as_str(), "--plan=json"];
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let mut command = sandbox.command(&line);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut installed = 0;
    for run in runs {
        let ran = Ran::from(run.wait_with_output().unwrap()).expect(0);
        installed += ran.stderr.matches("installing cibuildwheel").count();
    }
    assert_eq!(installed, 1);

    // A part that has gone missing is noticed and mended.
    let python = sandbox.python();
    let packages = python.parent().unwrap().parent().unwrap().join("lib");
    fs::remove_dir_all(packages).unwrap();
    sandbox.run(&line).expect(0).says("does not work any more").says("installing cibuildwheel");
}

/// Two are there, and only one of them goes.
#[test]
fn a_container_that_cannot_be_removed_is_named() {
    let mut sandbox = pretending("exit 1");
    let removed = sandbox.root.join("removed");
    sandbox.program(
        "podman",
        &format!(
            r#"#!/bin/sh
case "$1 $*" in
"ps "*--filter*) [ -e {removed} ] || echo gone; echo stays;;
"ps "*) ;;
"image "*) echo "sha256:0af linux/amd64";;
"run "*) echo ccache version 4.7.5;;
"rm "*) touch {removed}; exit 1;;
*) exit 1;;
esac
"#
        ),
    );
    sandbox.release_wheels(&[]).expect(1).says("containers are left: stays: ");
}
