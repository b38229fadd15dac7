//! Builds that are judged on the host, or by less than a record of their own.

use crate::pipeline::{GOOD, build, pretending, unproven, verdicts};
use crate::support::Sandbox;

/// The same sandbox with a ccache that keeps no record of each build.
fn aged(mut sandbox: Sandbox) -> Sandbox {
    let path = std::env::var("PATH").unwrap();
    let mut folders = std::env::split_paths(&path);
    let real = folders.find_map(|folder| Some(folder.join("ccache")).filter(|it| it.is_file()));
    sandbox.set("REAL_CCACHE", real.unwrap().to_str().unwrap());
    sandbox.program("ccache", include_str!("../../validator/tests/fixtures/ccache-3.7.sh"));
    sandbox
}

#[test]
fn a_build_whose_hook_never_ran_is_audited_on_the_host() {
    let sandbox = pretending("compile pkg.c && wheel");
    sandbox.release_wheels(&[]).expect(0).says("audited on the host");
    let report = sandbox.report();
    assert_eq!(verdicts(&report), ["cold", "hit"]);
    assert_eq!(build(&report, "cp312")["cache"]["audited_on_host"], true);
    assert_eq!(build(&report, "cp312")["cache"]["direct_hits"], 1);
}

#[test]
fn a_build_that_left_neither_verdict_nor_statslog_is_no_success() {
    let sandbox = pretending("gcc -c pkg.c -o \"$record/o\" && wheel");
    sandbox.release_wheels(&[]).expect(3).says("not-invoked");
    assert_eq!(build(&sandbox.report(), "cp311")["cache"]["audited_on_host"], true);
    assert_eq!(unproven(&sandbox).len(), 1);
}

#[test]
fn an_audit_misses_as_the_hook_does() {
    let behaviour = "case $id in cp312*) echo 'int other;' > pkg.c;; esac; compile pkg.c && wheel";
    let sandbox = pretending(behaviour);
    sandbox.release_wheels(&[]).expect(3).says("verdict miss");
    assert_eq!(verdicts(&sandbox.report()), ["cold", "miss"]);
    assert_eq!(unproven(&sandbox), ["pkg-1-cp312-cp312-manylinux_2_28_x86_64.whl"]);
}

#[test]
fn an_old_ccache_is_counted_by_its_counters_and_the_report_says_so() {
    let sandbox = aged(pretending(&format!("\"$validator\" preflight && {GOOD}")));
    sandbox.release_wheels(&[]).expect(0).says("ccache 3.7.7 has no").says("one at a time");
    let report = sandbox.report();
    assert_eq!(verdicts(&report), ["cold", "hit"]);
    for python in ["cp311", "cp312"] {
        let cache = &build(&report, python)["cache"];
        assert_eq!(
            (&cache["source"], &cache["ccache_version"]),
            (&"counters".into(), &"3.7.7".into())
        );
    }
    let seconds = |python: &str, key: &str| build(&report, python)[key].as_f64().unwrap();
    let first_end = seconds("cp311", "started_seconds") + seconds("cp311", "elapsed_seconds");
    assert!(seconds("cp312", "started_seconds") >= first_end, "{report:#}");
}

#[test]
fn an_old_ccache_whose_counters_nobody_read_proves_nothing() {
    let sandbox = aged(pretending("\"$validator\" preflight && compile pkg.c && wheel"));
    sandbox
        .release_wheels(&[])
        .expect(3)
        .says("verdict unusable: ccache 3.7.7 keeps no record")
        .says("test step run");
    assert_eq!(unproven(&sandbox).len(), 1);
}

/// Builds twice; before the second run every source changes, so that nothing can hit.
fn changed_between_runs(behaviour: &str) -> Sandbox {
    let sandbox = pretending(behaviour);
    sandbox.release_wheels(&[]).expect(0);
    sandbox.write("project/pkg.c", "int answer(void) { return 43; }\n");
    sandbox
}

#[test]
fn a_first_version_that_finds_nothing_in_a_warm_cache_is_remarked_on() {
    for behaviour in [GOOD, "\"$validator\" preflight && compile pkg.c && wheel"] {
        let sandbox = changed_between_runs(behaviour);
        sandbox.release_wheels(&[]).expect(0).says("suspicious: cp312-manylinux_x86_64 left 1");
        let report = sandbox.report();
        assert_eq!(verdicts(&report), ["cold", "hit"]);
        let suspicious = |python| build(&report, python)["cache"]["suspicious"].is_string();
        assert_eq!([suspicious("cp311"), suspicious("cp312")], [true, false]);
    }
}

#[test]
fn a_strict_restore_fails_it_and_keeps_the_wheel_aside() {
    let sandbox = changed_between_runs(GOOD);
    sandbox
        .release_wheels(&["--strict-restore", "--jobs", "1"])
        .expect(3)
        .says("verdict cold: ")
        .says("cp312-manylinux_x86_64 left 1 result")
        .says("--jobs 1 --strict-restore --only cp311-manylinux_x86_64");
    assert_eq!(verdicts(&sandbox.report()), ["cold", "none"]);
    assert_eq!(unproven(&sandbox), ["pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl"]);
    sandbox.write(
        "project/pyproject.toml",
        "[project]\nname = 'pkg'\nversion = '1'\n[tool.warmwheel]\nstrict-restore = true\n",
    );
    // What the refused build has stored is there all the same.
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(verdicts(&sandbox.report()), ["hit", "hit"]);
}
