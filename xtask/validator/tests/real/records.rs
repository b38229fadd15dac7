//! What a validation leaves behind: records, the wheel, statslog and markers.

use crate::sandbox::Sandbox;
use ccache_validator::record::Record;
use ccache_validator::state;
use std::fs;

const WHEEL: &str = "x-1.0-cp312-cp312-manylinux_2_17_x86_64.whl";

#[test]
fn the_wheel_and_the_verdict_reach_the_record_folder() {
    let mut sandbox = Sandbox::new();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    let wheel = sandbox.write(&format!("out/{WHEEL}"), "wheel");
    sandbox.run("gcc -c a.c");
    let ran = sandbox.validate(&["--wheel", wheel.to_str().unwrap()]);
    ran.expect(3, "not-invoked", &[]);
    let kept = sandbox.path(&format!("record/wheel/{WHEEL}"));
    assert_eq!(fs::read_to_string(kept).unwrap(), "wheel");
    let text =
        fs::read_to_string(sandbox.path("record/verdict-cp312-manylinux_x86_64.json")).unwrap();
    let record = Record::from_json(&text).unwrap();
    assert_eq!(record, ran.record());
    assert_eq!(record.wheel.as_deref(), Some(WHEEL));
    assert_eq!(record.run_id.as_deref(), Some("run-1"));
    assert_eq!(fs::read_dir(sandbox.path("record")).unwrap().count(), 2);
}

#[test]
fn a_wheel_that_another_version_of_the_process_has_left_is_reused_and_nothing_counts() {
    let mut sandbox = Sandbox::new();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    let wheel = sandbox.write("out/x-1.0-cp39-abi3-manylinux_2_17_x86_64.whl", "wheel");
    let arguments = ["--wheel", wheel.to_str().unwrap()];
    sandbox.build("");
    sandbox.validate_for("cp311", &arguments).expect(0, "cold", &[]);
    // For the tests of the first one: hits that are not the second one's.
    sandbox.build("");
    sandbox.validate_for("cp312", &arguments).expect(0, "not-applicable", &["abi3"]);
    let other = sandbox.write("out/x-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", "wheel");
    sandbox.validate_for("cp313", &["--wheel", other.to_str().unwrap()]).expect(0, "hit", &[]);
}

#[test]
fn the_statslog_stays_for_the_host_and_goes_without_one() {
    let mut sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    assert!(!sandbox.path("statslog").exists());
    sandbox.build("");
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    sandbox.validate(&[]).expect(0, "hit", &[]);
    assert!(sandbox.path("statslog").exists());
}

#[test]
fn the_whole_log_goes_to_the_host_or_stays_beside_its_place() {
    let mut sandbox = Sandbox::new();
    let log = sandbox.path("log");
    sandbox.set("CCACHE_LOGFILE", &log);
    sandbox.build("");
    // All that concerns the project was printed; without a host nobody would ever look at the rest.
    sandbox.validate(&[]).expect(0, "cold", &["2 of 2 calls concern"]);
    let kept = sandbox.path("log.cp312-manylinux_x86_64");
    assert!(!log.exists() && !kept.exists());

    // More misses than are printed.
    sandbox.build("-O1");
    let one = fs::read_to_string(&log).unwrap();
    fs::write(&log, one.repeat(60)).unwrap();
    let words = ["more calls that missed or failed are not shown", "the whole log is kept:"];
    sandbox.validate(&["--on-miss", "warn"]).expect(0, "miss", &words);
    assert!(!log.exists() && fs::metadata(&kept).unwrap().len() == 60 * one.len() as u64);

    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    fs::rename(kept, &log).unwrap();
    let words = ["the whole log is kept:", "record/ccache.log"];
    sandbox.validate(&["--on-miss", "warn"]).expect(3, "not-invoked", &words);
    assert!(!log.exists() && sandbox.path("record/ccache.log").exists());
}

#[test]
fn the_version_that_preflight_found_is_recorded() {
    let mut sandbox = Sandbox::new();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    assert_eq!(sandbox.call(&["preflight"]).code, 0);
    sandbox.build("");
    let version = sandbox.validate(&[]).record().ccache_version.unwrap();
    assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
}

#[test]
fn an_unwritable_record_folder_is_unexpected_but_the_verdict_is_told() {
    let mut sandbox = Sandbox::new();
    let file = sandbox.write("file", "");
    sandbox.set("WARMWHEEL_RECORD_DIR", &file);
    sandbox.build("");
    let words = ["problem: cannot write", "problem: cannot keep the wheel"];
    let wheel = sandbox.write(WHEEL, "");
    sandbox.validate(&["--wheel", wheel.to_str().unwrap()]).expect(1, "cold", &words);
    sandbox.run("gcc -c a.c");
    fs::remove_file(sandbox.path("statslog")).unwrap();
    sandbox.validate(&[]).expect(3, "not-invoked", &["problem: cannot write"]);
}

#[test]
fn a_wheel_that_is_not_there_is_told() {
    let mut sandbox = Sandbox::new();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    sandbox.build("");
    let absent = sandbox.path(WHEEL);
    let ran = sandbox.validate(&["--wheel", absent.to_str().unwrap()]);
    ran.expect(1, "cold", &["problem: cannot keep the wheel"]);
    let kept: Vec<_> = fs::read_dir(sandbox.path("record/wheel")).unwrap().collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn markers_name_run_and_identifier_and_are_cleared_by_the_host() {
    let sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    let cache = sandbox.path("cache");
    let marker = state::marker_path(&cache, "manylinux_x86_64", Some("run-1"));
    assert_eq!(fs::read_to_string(marker).unwrap(), "run-1\ncp312-manylinux_x86_64\n");
    assert_eq!(state::clear_markers(&cache).unwrap(), 1);
    sandbox.build("-O1");
    sandbox.validate(&[]).expect(0, "cold", &[]);
}

#[test]
fn mistakes_in_the_call_are_usage_errors() {
    let mut sandbox = Sandbox::new();
    for arguments in [
        &["validate", "--min-hit-rate", "200"][..],
        &["validate", "--on-miss", "ignore"],
        &["validate", "--wheel", "a.txt"],
        &["check"],
    ] {
        let ran = sandbox.call(arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.starts_with("ccache-validator: "), "{ran:?}");
    }
    sandbox.set("WARMWHEEL_ON_MISS", "perhaps");
    assert!(sandbox.call(&["validate"]).stderr.contains("WARMWHEEL_ON_MISS"));
    let help = sandbox.call(&["validate", "--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Examples:"));
}
