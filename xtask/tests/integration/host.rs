//! Builds without containers, with the real driver, ccache, gcc and validator. Interpreters, uv, the
//! frontend and auditwheel are pretended.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::doctor::only;
use crate::pipeline::{build, sha256, unproven, verdicts, wheels};
use crate::support::{Ran, Sandbox, real_python};

/// Compiles the project's file and leaves a wheel.
pub(crate) const GOOD: &str = "compile && wheel";

const UV: &str = r#"#!/bin/sh
[ "$*" = --version ] && { echo "uv @UV@"; exit; }
while case $1 in --*) true;; *) false;; esac; do shift; done
case $1 in
python) cat @ROOT@/interpreters.json;;
venv)
    for folder; do :; done
    mkdir -p "$folder/bin" && cp @ROOT@/python "$folder/bin/python";;
pip) echo "$*" >> @ROOT@/installed;;
*) exit 1;;
esac
"#;

/// The Python of an environment. What a build does is in the file `behaviour`.
const PYTHON: &str = r#"#!/bin/sh
case "$*" in
"-m build "*) ;;
*) exit 0;;
esac
for word; do case $word in --outdir=*) out=${word#--outdir=};; esac; done
python=${CIBUILDWHEEL_BUILD_IDENTIFIER%%-*}
compile() { gcc -c pkg.c -o "$out/../object.o"; }
wheel() { echo "wheel for $python" > "$out/pkg-1-$python-$python-linux_x86_64.whl"; }
env > @ROOT@/environment-$python
. @ROOT@/behaviour
"#;

const AUDITWHEEL: &str = r#"#!/bin/sh
[ "$1 $2 $AUDITWHEEL_PLAT" = "repair -w auto" ] || exit 1
cp "$4" "$3/$(basename "$4" | sed s/linux_x86_64/manylinux_2_36_x86_64/)"
"#;

/// An interpreter that answers what it is asked.
pub(crate) const INTERPRETER: &str = r#"#!/bin/sh
echo '{"libc": "glibc 2.36", "headers": "/x/Python.h", "has_headers": true}'
"#;

/// A machine without engines that has Python 3.11 and 3.12.
pub(crate) fn machine(behaviour: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    for engine in ["podman", "docker"] {
        sandbox.program(engine, "#!/bin/sh\nexit 1\n");
    }
    let tools = sandbox.root.join("user-cache/warmwheel/tools");
    fs::create_dir_all(&tools).unwrap();
    let real = real_python().ancestors().nth(2).unwrap();
    symlink(real, tools.join(real.file_name().unwrap())).unwrap();
    let (host, frontend) = (lock("host"), [lock("frontend"), lock("frontend-3.9")].concat());
    let key = |lock: &str| sha256(lock.as_bytes())[..16].to_owned();
    let host_folder = format!("user-cache/warmwheel/tools/host-{}", key(&host));
    let frontend_folder = format!("user-cache/warmwheel/tools/frontend-{}", key(&frontend));
    for folder in [&host_folder, &frontend_folder] {
        sandbox.write(&format!("{folder}/warmwheel-ready"), "");
    }
    for version in ["1.6.1", "1.4.4"] {
        sandbox.write(&format!("{frontend_folder}/build-{version}-py3-none-any.whl"), "");
    }
    let version = host.lines().find_map(|line| line.strip_prefix("uv==")).unwrap();
    let version = version.trim_end_matches([' ', '\\']).to_owned();
    for (path, script) in [
        (format!("{host_folder}/bin/uv"), UV),
        (format!("{host_folder}/bin/auditwheel"), AUDITWHEEL),
        ("python".to_owned(), PYTHON),
        ("py/3.11.7".to_owned(), INTERPRETER),
        ("py/3.12.1".to_owned(), INTERPRETER),
    ] {
        let script = script.replace("@ROOT@", sandbox.root.as_str()).replace("@UV@", &version);
        executable(&sandbox, &path, &script);
    }
    list(&sandbox, &["3.11.7", "3.12.1"]);
    sandbox.write("behaviour", behaviour);
    sandbox.set("CIBW_BUILD", "cp311-manylinux* cp312-manylinux*");
    sandbox.set("CCACHE_DIR", sandbox.root.join("cache").as_str());
    sandbox
}

fn lock(name: &str) -> String {
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools");
    fs::read_to_string(format!("{tools}/{name}.txt")).unwrap()
}

pub(crate) fn executable(sandbox: &Sandbox, path: &str, script: &str) {
    sandbox.write(path, script);
    fs::set_permissions(sandbox.root.join(path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Has uv tell of interpreters of these versions.
fn list(sandbox: &Sandbox, versions: &[&str]) {
    let entry = |version: &&str| {
        let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
        let path = sandbox.root.join("py").join(version);
        json!({
            "key": "x", "version": version, "path": path, "symlink": null, "url": null,
            "version_parts": {"major": numbers[0], "minor": numbers[1], "patch": numbers[2]},
            "os": "linux", "variant": "default", "implementation": "cpython",
            "arch": "x86_64", "libc": "gnu",
        })
    };
    let list: Vec<Value> = versions.iter().map(entry).collect();
    sandbox.write("interpreters.json", &Value::from(list).to_string());
}

fn phases(report: &Value, python: &str) -> Vec<String> {
    let phases = build(report, python)["phases"].as_array().unwrap();
    phases.iter().map(|phase| phase["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn without_an_engine_wheels_come_from_this_machines_interpreters() {
    let sandbox = machine(GOOD);
    sandbox
        .release_wheels(&[])
        .expect(0)
        .says("no container engine answers, neither docker nor podman: building on this machine")
        .says("this machine's glibc 2.36 and newer")
        .says("done: 2 of 2 wheels");
    let report = sandbox.report();
    assert_eq!(verdicts(&report), ["cold", "hit"]);
    assert_eq!(report["containerless"]["libc"], "glibc 2.36");
    assert_eq!(build(&report, "cp312")["domain"], "manylinux_x86_64-host");
    assert_eq!(build(&report, "cp312")["cache"]["audited_on_host"], false);
    assert_eq!(
        wheels(&sandbox),
        ["cp311", "cp312"].map(|tag| format!("pkg-1-{tag}-{tag}-manylinux_2_36_x86_64.whl"))
    );
    let names = phases(&report, "cp311");
    for name in ["copy-in", "before-all", "environment", "before-build", "repair", "test"] {
        assert!(names.iter().any(|it| it == name), "{name} is not in {names:?}");
    }
    // Nothing is left of the builds but what the next run finds again.
    let hosts = sandbox.root.join("user-cache/warmwheel/hosts");
    let packages = Sandbox::names(&hosts);
    let left = Sandbox::names(&hosts.join(&packages[0]));
    assert!(left.iter().all(|name| Utf8Path::new(name).extension() == Some("lock")), "{left:?}");
    let page = fs::read_to_string(sandbox.latest().join("report.html")).unwrap();
    assert!(page.contains("glibc 2.36 and newer"));
}

#[test]
fn the_next_run_finds_everything_at_the_same_places() {
    let sandbox = machine(GOOD);
    sandbox.release_wheels(&[]).expect(0);
    sandbox.release_wheels(&[]).expect(0);
    let report = sandbox.report();
    assert_eq!(verdicts(&report), ["hit", "hit"]);
    assert_eq!(build(&report, "cp311")["role"], "follower", "the cache is known to be warm");
    // And if nothing has changed, nothing is built, until there is another interpreter.
    sandbox.release_wheels(&["--resume"]).expect(0);
    assert_eq!(build(&sandbox.report(), "cp311")["outcome"], "resumed");
    executable(&sandbox, "py/3.11.9", INTERPRETER);
    list(&sandbox, &["3.11.7", "3.12.1", "3.11.9"]);
    sandbox.release_wheels(&["--resume"]).expect(0).says("cp311-manylinux_x86_64 is built again");
    let report = sandbox.report();
    let outcomes = ["cp311", "cp312"].map(|python| build(&report, python)["outcome"].clone());
    assert_eq!(outcomes, ["built", "resumed"]);
}

#[test]
fn an_engine_or_an_image_that_is_asked_for_is_not_done_without() {
    let sandbox = machine(GOOD);
    for flags in [["--builder", "cibuildwheel"], ["--engine", "podman"]] {
        sandbox.release_wheels(&flags).expect(4).says("answer");
    }
    assert!(wheels(&sandbox).is_empty());
}

#[test]
fn an_image_that_cannot_be_pulled_is_done_without() {
    let mut sandbox = machine(GOOD);
    sandbox.program("podman", "#!/bin/sh\n[ $1 = ps ] || { echo 'no route' >&2; exit 125; }\n");
    sandbox
        .release_wheels(&[])
        .expect(0)
        .says("cannot be had: ")
        .says("building on this machine, without containers");
    // A plan pulls nothing, so it cannot know.
    let plan = sandbox.release_wheels(&["--plan=json"]).expect(0).stdout;
    assert!(serde_json::from_str::<Value>(&plan).unwrap()["host"].is_null());
}

#[test]
fn before_all_runs_once_in_a_run() {
    let mut sandbox = machine(GOOD);
    let ran = sandbox.root.join("ran");
    sandbox.write(
        "project/pyproject.toml",
        &format!(
            "[project]\nname = 'pkg'\nversion = '1'\n[tool.cibuildwheel]\n\
             before-all = \"test -f {{package}}/pkg.c && echo once >> '{ran}'\"\n"
        ),
    );
    for times in 1..=2 {
        sandbox.release_wheels(&[]).expect(0);
        assert_eq!(fs::read_to_string(&ran).unwrap().lines().count(), times);
    }
    sandbox.set("CIBW_BEFORE_ALL", "echo 'error: not here'; exit 3");
    sandbox.release_wheels(&[]).expect(1).says("error: not here");
    assert_eq!(build(&sandbox.report(), "cp312")["outcome"], "not-run");
}

#[test]
fn a_packages_own_settings_are_in_effect() {
    let sandbox = machine(
        "case \"$OWN, $MORE: $*\" in '1, from a command: '*-Cone=two*--own*) ;; *) exit 9;; esac
         compile && wheel",
    );
    let told = sandbox.root.join("told");
    sandbox.write(
        "project/pyproject.toml",
        &format!(
            "[project]\nname = 'pkg'\nversion = '1'\n[tool.cibuildwheel]\n\
             environment = {{ OWN = '1', MORE = '$(echo from a command)' }}\n\
             config-settings = {{ one = 'two' }}\n\
             build-frontend = {{ name = 'build', args = ['--own'] }}\n\
             before-build = 'echo before-build >> {told}'\n\
             before-test = 'echo before-test >> {told}'\n\
             test-requires = ['pytest']\n\
             test-command = 'echo test $CIBUILDWHEEL_BUILD_IDENTIFIER >> {told}'\n\
             [[tool.cibuildwheel.overrides]]\n\
             select = 'cp312-*'\n\
             test-command = 'echo override >> {told}'\n"
        ),
    );
    sandbox.release_wheels(&["--jobs", "1"]).expect(0);
    let lines = fs::read_to_string(told).unwrap();
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(
        lines,
        [
            "before-build",
            "before-test",
            "test cp311-manylinux_x86_64",
            "before-build",
            "before-test",
            "override"
        ]
    );
    let environment = fs::read_to_string(sandbox.root.join("environment-cp311")).unwrap();
    assert!(environment.contains("MORE=from a command\n"), "{environment}");
}

#[test]
fn nothing_of_the_users_python_reaches_a_build() {
    let mut sandbox = machine(GOOD);
    for name in ["PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "PIP_TARGET", "TWINE_PASSWORD"] {
        sandbox.set(name, "/the/users");
    }
    sandbox.set("CC", "gcc");
    sandbox.release_wheels(&["--python", "3.11"]).expect(0);
    let environment = fs::read_to_string(sandbox.root.join("environment-cp311")).unwrap();
    assert!(!environment.contains("/the/users"), "{environment}");
    assert!(!environment.contains("CIBW_"), "{environment}");
    assert!(environment.lines().any(|line| line == "CC=gcc"), "{environment}");
}

#[test]
fn a_failed_compilation_ends_the_run_and_shows_its_first_error() {
    let sandbox = machine("echo 'int broken(' > pkg.c; compile || exit 7; wheel");
    sandbox.release_wheels(&[]).expect(1).says("the build ended with").says("error: expected");
    assert_eq!(build(&sandbox.report(), "cp311")["outcome"], "failed");
    assert_eq!(build(&sandbox.report(), "cp312")["outcome"], "not-run");
    // What it did to its copy of the project is no other build's affair.
    let text = fs::read_to_string(sandbox.project().join("pkg.c")).unwrap();
    assert!(text.contains("answer"), "{text}");
}

#[test]
fn a_later_version_without_hits_fails_and_its_wheel_is_kept_aside() {
    let sandbox = machine("[ $python = cp311 ] || echo 'int other;' > pkg.c; compile && wheel");
    sandbox.release_wheels(&[]).expect(3).says("verdict miss");
    assert_eq!(verdicts(&sandbox.report()), ["cold", "miss"]);
    assert_eq!(unproven(&sandbox), ["pkg-1-cp312-cp312-manylinux_2_36_x86_64.whl"]);
}

#[test]
fn a_frontend_that_leaves_nothing_or_a_pure_wheel_is_a_failure() {
    for behaviour in ["compile", "compile && touch \"$out/pkg-1-py3-none-any.whl\""] {
        let sandbox = machine(behaviour);
        sandbox.release_wheels(&["--python", "3.11"]).expect(1);
        assert!(wheels(&sandbox).is_empty(), "{behaviour}");
    }
}

#[test]
fn an_uv_that_fails_is_named() {
    let sandbox = machine(GOOD);
    sandbox.write("interpreters.json", "no list");
    sandbox.release_wheels(&[]).expect(1).says("uv's list of interpreters");
    fs::remove_file(sandbox.root.join("interpreters.json")).unwrap();
    sandbox.release_wheels(&[]).expect(1).says("uv cannot list the interpreters");
}

#[test]
fn an_interpreter_without_its_headers_is_said_to_have_none() {
    let sandbox = machine(GOOD);
    let without = INTERPRETER.replace("true", "false");
    executable(&sandbox, "py/3.11.7", &without);
    sandbox.release_wheels(&[]).expect(0).says("has no headers");
    assert_eq!(wheels(&sandbox).len(), 1);
    executable(&sandbox, "py/3.12.1", &without);
    sandbox.release_wheels(&[]).expect(4).says("has no headers").says("python3-dev");
}

#[test]
fn a_machine_without_ccache_is_told_so_before_anything_is_built() {
    let mut sandbox = machine(GOOD);
    let programs = only(&sandbox, &["git", "sh"]);
    executable(&sandbox, "programs/python3", "#!/bin/sh\necho 3.12\n");
    sandbox.set("PATH", programs.as_str());
    sandbox.release_wheels(&[]).expect(4).says("there is no ccache in PATH").says("install");
    assert!(!sandbox.root.join("environment-cp311").exists());
}

#[test]
fn an_interrupt_ends_what_the_build_has_started() {
    let sandbox = machine("");
    let waiting = sandbox.root.join("waiting");
    sandbox.write("behaviour", &format!("touch {waiting}; while :; do sleep 0.1; done"));
    let project = sandbox.project();
    let mut child = sandbox
        .command(&["release-wheels", "--project", project.as_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sandbox.wait_for("waiting");
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let signalled = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(signalled.elapsed() < Duration::from_secs(6), "{:?}", signalled.elapsed());
    assert_eq!(sandbox.report()["outcome"], "interrupted");
    // It has cleaned up, and the next run does not wait for it.
    sandbox.write("behaviour", GOOD);
    sandbox.release_wheels(&[]).expect(0);
}

#[test]
fn two_runs_at_once_take_turns() {
    let sandbox = machine("sleep 0.5; compile && wheel");
    let project = sandbox.project();
    let runs: Vec<_> = ["one", "other"]
        .map(|name| {
            let line = ["release-wheels", "--project", project.as_str(), "--python", "3.11"];
            let mut command = sandbox.command(&line);
            // All of it outside of the project, which the other one is copying.
            for folder in ["ccache", "output", "report"] {
                let path = sandbox.root.join(name).join(folder);
                command.args([format!("--{folder}-dir"), path.into_string()]);
            }
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .into();
    for run in runs {
        Ran::from(run.wait_with_output().unwrap()).expect(0);
    }
}

#[test]
fn a_workflow_never_builds_without_containers() {
    let mut sandbox = machine(GOOD);
    sandbox.in_github("push", "main", "branch");
    sandbox.ci(&["--builder", "host"]).expect(2).says("--builder host");
    sandbox.write(
        "project/pyproject.toml",
        "[project]\nname = 'pkg'\nversion = '1'\n[tool.warmwheel]\nbuilder = 'host'\n",
    );
    sandbox.ci(&[]).expect(4).says("no container engine answers");
}
