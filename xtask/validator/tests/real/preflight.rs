//! The check before the build, with the real ccache.

use crate::sandbox::{Ran, Sandbox};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

fn recorded(sandbox: &Sandbox) -> Value {
    let text = fs::read_to_string(sandbox.path("record/preflight.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn with_record() -> Sandbox {
    let mut sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("record")).unwrap();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    sandbox
}

fn check_refusal(sandbox: &Sandbox, ran: &Ran, code: i32, cause: &str) {
    assert_eq!(ran.code, code, "{ran:?}");
    let record = recorded(sandbox);
    assert!(record["cause"].as_str().unwrap().contains(cause), "{record}");
    assert!(!record["remedy"].as_str().unwrap().is_empty());
    assert!(ran.stderr.contains("  remedy: "), "{ran:?}");
}

#[test]
fn a_compilation_through_the_links_hits() {
    let mut sandbox = with_record();
    let links = sandbox.path("links");
    for _ in 0..2 {
        let ran = sandbox.call(&["preflight", "--links", links.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
        assert!(ran.stderr.contains("compiler links in"), "{ran:?}");
    }
    let made = fs::read_dir(&links).unwrap().count();
    let record = recorded(&sandbox);
    assert_eq!((record["schema"].as_u64(), record["links"].as_u64()), (Some(1), Some(made as u64)));
    assert!(fs::read_link(links.join("gcc")).unwrap().ends_with("ccache"));
    assert!(!links.join("gcc-ar").exists() && !links.join("ccache").exists());

    let mut folders = vec![links];
    folders.extend(std::env::split_paths(sandbox.variable("PATH")));
    sandbox.set("PATH", std::env::join_paths(folders).unwrap());
    for verdict in ["cold (0 of 1", "hit (1 of 1"] {
        sandbox.run("gcc -c a.c");
        sandbox.validate(&[]).expect(0, verdict, &[]);
        fs::remove_file(sandbox.path("statslog")).unwrap();
    }
    // With the links in front of PATH the same links are found again, not links to links.
    let again = sandbox.call(&["preflight", "--links", sandbox.path("links").to_str().unwrap()]);
    assert_eq!((again.code, fs::read_dir(sandbox.path("links")).unwrap().count()), (0, made));
}

#[test]
fn a_missing_ccache_is_exit_4() {
    let mut sandbox = with_record();
    sandbox.set("PATH", sandbox.path("home"));
    check_refusal(&sandbox, &sandbox.call(&["preflight"]), 4, "no ccache on PATH");
}

#[test]
fn a_ccache_that_does_not_start_is_exit_4() {
    let mut sandbox = with_record();
    sandbox.fake("ccache", "#!/no/such/interpreter\n");
    check_refusal(&sandbox, &sandbox.call(&["preflight"]), 4, "does not start");
}

#[test]
fn what_keeps_ccache_from_storing_is_exit_3() {
    let table: [(&str, PathBuf, &str); 5] = [
        ("CCACHE_DISABLE", "1".into(), "disabled (environment)"),
        ("CCACHE_READONLY", "1".into(), "read_only is set"),
        ("CCACHE_NOHASHDIR", "0".into(), "refuses to work"),
        ("CCACHE_DIR", "/dev/null".into(), "cannot make the cache folder"),
        ("CCACHE_DIR", "relative".into(), "CCACHE_DIR is relative"),
    ];
    for (variable, value, cause) in table {
        let mut sandbox = with_record();
        sandbox.set(variable, value);
        check_refusal(&sandbox, &sandbox.call(&["preflight"]), 3, cause);
    }
    let sandbox = with_record();
    sandbox.write("cache/ccache.conf", "disable = true\n");
    check_refusal(&sandbox, &sandbox.call(&["preflight"]), 3, "ccache.conf");
}

#[test]
fn an_unwritable_record_folder_is_exit_1() {
    let mut sandbox = Sandbox::new();
    let file = sandbox.write("file", "");
    sandbox.set("WARMWHEEL_RECORD_DIR", &file);
    let ran = sandbox.call(&["preflight"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("WARMWHEEL_RECORD_DIR"), "{ran:?}");
}
