//! The doctor's lines of builds without containers, failing, and passing when the remedy was applied.

use std::fs;

use crate::doctor::{Engine, find, only, text};
use crate::host::{GOOD, INTERPRETER, executable, machine};
use crate::support::Sandbox;

/// A machine without engines that can build all the same.
fn without_engines() -> Sandbox {
    let sandbox = machine(GOOD);
    sandbox.has("interpreters");
    sandbox
}

#[test]
fn a_missing_engine_is_no_fault_where_builds_go_without_containers() {
    let mut sandbox = without_engines();
    let checks = sandbox.checks(0, &[]);
    let engine = find(checks.clone(), "container engine");
    assert!(text(&engine, "found").contains("builds go without containers"), "{engine}");
    assert_eq!(find(checks.clone(), "interpreters")["found"], "3.11.7, 3.12.1");
    assert!(checks.iter().all(|check| check["image"].is_null()), "{checks:#?}");
    let wanted = find(sandbox.checks(0, &["--builder", "host"]), "container engine");
    assert!(text(&wanted, "found").contains("none is needed"), "{wanted}");
    // Who asks for one has none.
    let asked = find(sandbox.checks(4, &["--builder", "cibuildwheel"]), "container engine");
    assert_eq!(asked["state"], "bad");

    // An image that cannot be had is none either.
    let manifest = "echo no such host >&2; exit 125";
    sandbox.engine(&Engine { image: "exit 1".to_owned(), manifest, ..Engine::default() });
    let image = find(sandbox.checks(0, &[]), "image");
    assert!(text(&image, "found").contains("no such host: builds go without"), "{image}");
    let asked = find(sandbox.checks(4, &["--engine", "podman"]), "image");
    assert_eq!(asked["state"], "bad");
}

#[test]
fn a_machine_without_compilers() {
    let mut sandbox = without_engines();
    sandbox.set("CC", "/no/such/gcc -m64");
    sandbox.lacks("compilers", "there is no /no/such/gcc", "install");
    sandbox.release_wheels(&[]).expect(4).says("no /no/such/gcc").says("nothing can be built");
    sandbox.unset("CC");
    sandbox.has("compilers");
    sandbox.set("CXX", "/no/such/g++");
    sandbox.lacks("compilers", "only C can be built", "install");
    sandbox.release_wheels(&[]).expect(0).says("warning: compilers: there is no /no/such/g++");
}

#[test]
fn a_machine_without_ccache() {
    let mut sandbox = without_engines();
    let programs = only(&sandbox, &["sh", "cc", "c++", "git", "python3"]);
    sandbox.set("PATH", programs.as_str());
    sandbox.lacks("ccache", "there is no ccache in PATH", "install");
    sandbox.release_wheels(&[]).expect(4).says("there is no ccache in PATH");
    only(&sandbox, &["ccache"]);
    assert_eq!(find(sandbox.doctor_checks(&[]), "ccache")["state"], "ok");
}

#[test]
fn tools_that_are_not_installed_yet() {
    let sandbox = without_engines();
    let tools = sandbox.root.join("user-cache/warmwheel/tools");
    let names = Sandbox::names(&tools);
    let host = tools.join(names.iter().find(|name| name.starts_with("host-")).unwrap());
    fs::rename(host.join("warmwheel-ready"), host.join("aside")).unwrap();
    sandbox.lacks("host tools", "not installed yet", "cargo xtask doctor --setup --builder host");
    assert_eq!(sandbox.check(4, "interpreters")["state"], "unknown");
    fs::rename(host.join("aside"), host.join("warmwheel-ready")).unwrap();
    sandbox.has("host tools");
}

#[test]
fn interpreters_without_headers() {
    let sandbox = without_engines();
    let bare = INTERPRETER.replace("true", "false");
    executable(&sandbox, "py/3.11.7", &bare);
    let check = sandbox.check(0, "interpreters");
    assert!(text(&check, "remedy").contains("has no headers"), "{check}");
    executable(&sandbox, "py/3.12.1", &bare);
    sandbox.lacks("interpreters", "no interpreter for cp311", "python3-dev");
    sandbox.release_wheels(&[]).expect(4).says("no interpreter for cp311").says("python3-dev");
    executable(&sandbox, "py/3.12.1", INTERPRETER);
    sandbox.has("interpreters");
}

#[test]
fn builds_without_containers_have_a_cache_folder_of_their_own() {
    let mut sandbox = without_engines();
    sandbox.unset("CCACHE_DIR");
    sandbox.write("user-cache/warmwheel/ccache", "no folder");
    sandbox.has("cache folder");
    sandbox.release_wheels(&["--python", "3.11"]).expect(0);
    fs::remove_dir_all(sandbox.root.join("user-cache/warmwheel/ccache-host")).unwrap();
    sandbox.write("user-cache/warmwheel/ccache-host", "no folder");
    sandbox.lacks("cache folder", "it is no folder", "move it away");
    sandbox.release_wheels(&[]).expect(3).says("it is no folder");
}
