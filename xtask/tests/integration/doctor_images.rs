//! The doctor's lines about images, failing, and passing when the remedy was applied: with an engine whose
//! containers are this machine.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::doctor::{BUILDS, Engine, HAS, RUNS, find, healthy, text};
use crate::pinned::{NAME, PROGRAM, archive, pin};

#[test]
fn an_engine_that_runs_no_container() {
    let mut sandbox = healthy();
    let run = "echo 'OCI runtime error' >&2; exit 126".to_owned();
    sandbox.engine(&Engine { run, ..Engine::default() });
    sandbox.lacks("container", "OCI runtime error", "podman run --rm quay.io/");
    sandbox
        .release_wheels(&[])
        .expect(4)
        .says("OCI runtime error")
        .says("podman run --rm quay.io/");
    sandbox.engine(&Engine::default());
    sandbox.has("container");
}

#[test]
fn a_mount_that_cannot_be_written_or_is_written_by_another_user() {
    let mut sandbox = healthy();
    let run = "sed 's|/host_ccache|/proc/none|g' | sh -s 2>/dev/null".to_owned();
    sandbox.engine(&Engine { run, ..Engine::default() });
    sandbox.lacks("bind mount", "cannot be written from inside", "chcon");
    // Only root can give a file away, and take it back.
    if fs::metadata(&sandbox.root).unwrap().uid() == 0 {
        let run = format!("{BUILDS}; {RUNS}; chown 12345 $host/written");
        sandbox.engine(&Engine { run, ..Engine::default() });
        let check = sandbox.check(0, "bind mount");
        assert!(text(&check, "found").contains("given back"), "{check}");
    }
    sandbox.engine(&Engine::default());
    sandbox.has("bind mount");
}

#[test]
fn an_image_that_is_not_here() {
    let mut sandbox = healthy();
    let here = sandbox.root.join("here");
    let image = format!("[ -e {here} ] && {HAS}");
    let nowhere = "echo no such host >&2; exit 125";
    sandbox.engine(&Engine { image: image.clone(), manifest: nowhere, ..Engine::default() });
    sandbox.lacks("image", "cannot be pulled: no such host", "podman pull quay.io/");
    sandbox.release_wheels(&[]).expect(4).says("cannot be pulled").says("podman pull quay.io/");
    sandbox.engine(&Engine { image, manifest: "echo {}", ..Engine::default() });
    let check = sandbox.check(0, "image");
    assert!(text(&check, "found").contains("can be pulled"), "{check}");
    sandbox.write("here", "");
    sandbox.has("image");
}

#[test]
fn an_image_without_ccache() {
    let mut sandbox = healthy();
    let run = format!("{BUILDS}; sed 's|command -v ccache|command -v no-ccache|' | {RUNS}");
    sandbox.engine(&Engine { run, ..Engine::default() });
    sandbox.lacks("ccache inside", "has no ccache", "before-all = \"apk add ccache\"");
    // A run finds out as early, and by what it remembers as well.
    for _ in 0..2 {
        sandbox.release_wheels(&[]).expect(4).says("has no ccache").says("before-all = ");
    }
    let settings = "[project]\nname = 'pkg'\nversion = '1'\n\
        [tool.cibuildwheel.linux]\nbefore-all = 'apk add ccache'\n";
    sandbox.write("project/pyproject.toml", settings);
    let check = sandbox.check(0, "ccache inside");
    assert!(text(&check, "found").contains("before-all may install it"), "{check}");
}

#[test]
fn a_build_that_is_too_old() {
    let mut sandbox = healthy();
    let run = format!("{}; {RUNS}", BUILDS.replace("1.6.1", "1.5.0"));
    sandbox.engine(&Engine { run, ..Engine::default() });
    sandbox.lacks("build inside", "cp312 1.5.0", "/opt/python/cp312-cp312/bin/python -m pip");
    sandbox.engine(&Engine::default());
    sandbox.has("build inside");
}

#[test]
fn a_container_with_a_clock_of_its_own() {
    let mut sandbox = healthy();
    let run = format!("{BUILDS}; sed 's|date +%s|echo 5|' | {RUNS}");
    sandbox.engine(&Engine { run, ..Engine::default() });
    sandbox.lacks("clock inside", "s behind of this machine's", "podman machine start");
    sandbox.engine(&Engine::default());
    sandbox.has("clock inside");
}

#[test]
fn a_container_without_room() {
    let mut sandbox = healthy();
    let run = format!("{BUILDS}; sed 's|df -P -k /|echo overlay 9 5 4 50% /|' | {RUNS}");
    sandbox.engine(&Engine { run, ..Engine::default() });
    sandbox.lacks("disk inside", "4 kB is free", "podman system prune");
    sandbox.engine(&Engine::default());
    sandbox.has("disk inside");
}

#[test]
fn a_test_image_that_has_not_been_made() {
    let mut sandbox = healthy();
    sandbox.set("CARGO_TARGET_DIR", sandbox.root.join("target").as_str());
    let check = find(sandbox.checks(4, &["--image", "lab"]), "image");
    assert!(text(&check, "remedy").contains("cargo xtask lab --setup"), "{check}");
}

#[test]
fn a_pinned_ccache_that_is_not_to_be_had() {
    let mut sandbox = healthy();
    let old = format!("echo ccache version 3.7.7; {BUILDS}; sed 's|^if command.*||' | {RUNS}");
    sandbox.engine(&Engine { run: old, ..Engine::default() });
    let folder = sandbox.root.join("release");
    fs::create_dir(&folder).unwrap();
    pin(&mut sandbox, &archive(PROGRAM), &format!("file://{folder}"));
    let pinned = ["--ccache", "pinned"];
    let check = find(sandbox.checks(4, &pinned), "ccache inside");
    assert!(text(&check, "found").contains("is to be built with the pinned ccache"), "{check}");
    assert!(text(&check, "remedy").contains("--ccache-mirror"), "{check}");
    sandbox
        .release_wheels(&pinned)
        .expect(4)
        .says(text(&check, "found").split(':').next().unwrap());
    // Nobody insists, so the image's would be used, which is too old.
    sandbox.lacks("ccache inside", "3.7.7 has no statslog", "--ccache auto");

    let mirror = sandbox.root.join("mirror");
    fs::create_dir(&mirror).unwrap();
    fs::write(mirror.join(format!("{NAME}.tar.gz")), archive(PROGRAM)).unwrap();
    let address = format!("file://{mirror}");
    for which in ["pinned", "auto"] {
        let flags = ["--ccache", which, "--ccache-mirror", &address];
        let checks = sandbox.doctor_checks(&flags);
        let check = find(checks, "ccache inside");
        assert_eq!(check["state"], "ok", "{check}");
        assert!(text(&check, "found").starts_with("9.8.7, the pinned one"), "{check}");
    }
}
