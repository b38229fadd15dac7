//! What earlier runs left, and first builds that should have found it.

use crate::sandbox::Sandbox;
use std::fs;

const WHEEL: &str = "pkg-1.0-cp312-cp312-manylinux_2_17_x86_64.whl";

/// A warm cache: a first build and one that hit it, in a run that is over.
fn warm() -> Sandbox {
    let mut sandbox = Sandbox::new();
    for (identifier, verdict) in [("cp312", "cold"), ("cp313", "hit")] {
        build(&sandbox, identifier, "").expect(0, verdict, &[]);
    }
    sandbox.set("WARMWHEEL_RUN_ID", "run-2");
    sandbox
}

fn build(sandbox: &Sandbox, python: &str, options: &str) -> crate::sandbox::Ran {
    sandbox.build(options);
    validate(sandbox, python, &[])
}

fn validate(sandbox: &Sandbox, python: &str, flags: &[&str]) -> crate::sandbox::Ran {
    let identifier = format!("{python}-manylinux_x86_64");
    let wheel = sandbox.write(&format!("wheels/{WHEEL}"), "");
    let line = ["--identifier", &identifier, "--wheel", wheel.to_str().unwrap()];
    sandbox.validate(&[&line[..], flags].concat())
}

/// The reason that is given for a first build without hits.
#[track_caller]
fn expect_suspicion(sandbox: &Sandbox, reason: &str) {
    let ran = build(sandbox, "cp312", "");
    ran.expect(0, "cold (0 of 2", &["suspicious: cp313-manylinux_x86_64 left 2 results", reason]);
    assert!(ran.record().suspicious.is_some() && ran.record().passed);
    assert!(!ran.stderr.contains("next:"), "{}", ran.stderr);
}

fn drop_objects(sandbox: &Sandbox) {
    for entry in fs::read_dir(sandbox.path("cache")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "warmwheel" && entry.path().is_dir() {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

#[test]
fn a_warm_cache_hits_at_once_and_nothing_is_suspected() {
    let sandbox = warm();
    let ran = build(&sandbox, "cp312", "");
    ran.expect(0, "hit (2 of 2", &[]);
    assert_eq!(ran.record().suspicious, None);
}

#[test]
fn objects_that_are_gone_were_evicted_or_not_restored() {
    let sandbox = warm();
    drop_objects(&sandbox);
    expect_suspicion(&sandbox, "evicted or not restored; the cache held");
}

#[test]
fn another_compiler_is_named() {
    let mut sandbox = warm();
    sandbox.fake("cc", "#!/bin/sh\nexec gcc \"$@\"\n");
    sandbox.write("project/a.c", "int a(void) { return 3; }\n");
    sandbox.write("project/b.c", "int b(void) { return 4; }\n");
    expect_suspicion(&sandbox, "another C compiler, ");
}

#[test]
fn another_ccache_is_named() {
    let mut sandbox = warm();
    // The run before was the work of a ccache whose version preflight had found.
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    for version in ["4.7.4", "4.7.5"] {
        let record = format!("{{\"schema\":1,\"ccache_version\":\"{version}\",\"links\":0}}\n");
        sandbox.write("record/preflight.json", &record);
        if version == "4.7.4" {
            fs::remove_file(sandbox.path("statslog")).unwrap_or_default();
            build(&sandbox, "cp313", "").expect(0, "hit", &[]);
        }
    }
    fs::remove_file(sandbox.path("statslog")).unwrap();
    sandbox.set("WARMWHEEL_RUN_ID", "run-3");
    sandbox.set("CCACHE_NAMESPACE", "other");
    expect_suspicion(&sandbox, "another ccache, 4.7.5; it was 4.7.4");
}

#[test]
fn another_base_directory_is_named() {
    let mut sandbox = warm();
    sandbox.set("CCACHE_BASEDIR", sandbox.path("home"));
    sandbox.write("project/a.c", "int a(void) { return 3; }\n");
    sandbox.write("project/b.c", "int b(void) { return 4; }\n");
    expect_suspicion(&sandbox, "another base directory, ");
}

#[test]
fn where_all_is_the_same_the_sources_or_options_have_changed() {
    let sandbox = warm();
    let ran = build(&sandbox, "cp312", "-O1");
    ran.expect(
        0,
        "cold (0 of 2",
        &["suspicious: cp313", "every source or what it is compiled with"],
    );
}

#[test]
fn a_strict_restore_fails_such_a_build_and_no_other() {
    let mut sandbox = warm();
    sandbox.build("-O1");
    let strict = validate(&sandbox, "cp312", &["--strict-restore"]);
    strict.expect(3, "cold (0 of 2", &["suspicious:", "refused: --strict-restore", "remedy:"]);
    assert!(!strict.record().passed);
    // Another package in the same folder never left anything.
    sandbox.set("WARMWHEEL_RUN_ID", "run-3");
    sandbox.set("WARMWHEEL_STRICT_RESTORE", "true");
    sandbox.build("-O2");
    let wheel = sandbox.write(&format!("wheels/{}", WHEEL.replace("pkg", "other")), "");
    let ran = sandbox.validate(&["--wheel", wheel.to_str().unwrap()]);
    ran.expect(0, "cold (0 of 2", &["next:"]);
    sandbox.set("WARMWHEEL_RUN_ID", "run-4");
    sandbox.build("-O2");
    validate(&sandbox, "cp312", &[]).expect(0, "hit", &[]);
}

#[test]
fn a_ledger_that_cannot_be_read_or_written_changes_no_verdict() {
    let sandbox = warm();
    let ledger = sandbox.path("cache/warmwheel/ledger/manylinux_x86_64@pkg");
    for entry in fs::read_dir(&ledger).unwrap() {
        fs::write(entry.unwrap().path(), "{\"schema\":1,\0").unwrap();
    }
    let ran = build(&sandbox, "cp312", "-O1");
    ran.expect(0, "cold (0 of 2", &["next:"]);
    assert_eq!(ran.record().suspicious, None);
    fs::remove_dir_all(&ledger).unwrap();
    fs::write(&ledger, "").unwrap();
    build(&sandbox, "cp313", "-O1").expect(0, "hit", &["warning: cannot write the ledger"]);
}
