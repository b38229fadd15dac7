//! Each line of the doctor's, failing, and passing when its remedy was applied: with real compilers and
//! ccache, and an engine whose containers are this machine.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::support::{Ran, Sandbox, XTASK, real_python};

/// An engine that has an image, in whose containers the mounted folder has the name that it has outside.
pub(crate) const RUNS: &str =
    r#"sed "s|/host_ccache|$host|g" | sh -s | sed "s|${host:-/nowhere}|/host_ccache|g""#;
pub(crate) const BUILDS: &str =
    "echo /opt/python/cp312-cp312/lib/python3.12/site-packages/build-1.6.1.dist-info";
pub(crate) const HAS: &str = "echo sha256:0af1 linux/amd64";

/// An engine that does this when it is asked for its containers, an image, a registry's answer and a
/// container.
pub(crate) struct Engine {
    pub(crate) ps: &'static str,
    pub(crate) image: String,
    pub(crate) manifest: &'static str,
    pub(crate) run: String,
}

impl Default for Engine {
    fn default() -> Self {
        let run = format!("{BUILDS}; {RUNS}");
        Self { ps: ":", image: HAS.to_owned(), manifest: "exit 1", run }
    }
}

impl Sandbox {
    pub(crate) fn engine(&mut self, engine: &Engine) {
        let Engine { ps, image, manifest, run } = engine;
        let script = format!(
            "#!/bin/sh\n\
             case $1 in\n\
             ps) {ps};;\n\
             image) {image};;\n\
             manifest) {manifest};;\n\
             run)\n\
             for word in \"$@\"; do case $word in\n\
             --volume=*) host=${{word#--volume=}}; host=${{host%%:/*}};;\n\
             esac; done\n\
             {run};;\n\
             *) exit 1;;\n\
             esac\n"
        );
        self.program("podman", &script);
        self.program("docker", "#!/bin/sh\nexit 1\n");
    }

    fn doctor(&self, arguments: &[&str]) -> Ran {
        let project = self.project();
        self.run(&[&["doctor", "--json", "--project", project.as_str()], arguments].concat())
    }

    /// The checks of a run of the doctor's that ends with that code.
    #[track_caller]
    pub(crate) fn checks(&self, code: i32, arguments: &[&str]) -> Vec<Value> {
        checks(&self.doctor(arguments).expect(code))
    }

    /// What is said of one need.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, name: &str) -> Value {
        find(self.checks(code, &[]), name)
    }

    /// A need is not met, with that finding and remedy, and everything else is.
    #[track_caller]
    pub(crate) fn lacks(&self, name: &str, found: &str, remedy: &str) -> Value {
        let check = self.check(4, name);
        assert_eq!(check["state"], "bad", "{check}");
        assert!(text(&check, "found").contains(found), "no {found:?} in {check}");
        assert!(text(&check, "remedy").contains(remedy), "no {remedy:?} in {check}");
        check
    }

    /// The checks, however they end.
    pub(crate) fn doctor_checks(&self, arguments: &[&str]) -> Vec<Value> {
        checks(&self.doctor(arguments))
    }

    #[track_caller]
    pub(crate) fn has(&self, name: &str) {
        let check = self.check(0, name);
        assert_eq!(check["state"], "ok", "{check}");
    }
}

#[track_caller]
fn checks(ran: &Ran) -> Vec<Value> {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["ok"], ran.code == Some(0));
    report["checks"].as_array().unwrap().clone()
}

#[track_caller]
pub(crate) fn find(checks: Vec<Value>, name: &str) -> Value {
    let names: Vec<_> = checks.iter().map(|check| check["name"].clone()).collect();
    let found = checks.into_iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name:?} in {names:?}"))
}

pub(crate) fn text<'a>(check: &'a Value, key: &str) -> &'a str {
    check[key].as_str().unwrap()
}

/// The first command of a remedy.
fn command(check: &Value) -> &str {
    text(check, "remedy").lines().find_map(|line| line.strip_prefix("    ")).unwrap()
}

/// A sandbox in which nothing is missing, for builds in containers.
pub(crate) fn healthy() -> Sandbox {
    let mut sandbox = Sandbox::new().with_tools();
    sandbox.set("WARMWHEEL_BUILDER", "cibuildwheel");
    sandbox.set("CIBW_BUILD", "cp312-manylinux_x86_64");
    sandbox.set("CCACHE_DIR", sandbox.root.join("cache").as_str());
    sandbox.engine(&Engine::default());
    sandbox
}

#[test]
fn a_machine_that_lacks_nothing_has_a_line_for_each_need() {
    let sandbox = healthy();
    let checks = sandbox.checks(0, &[]);
    let names: Vec<_> = checks.iter().map(|check| text(check, "name")).collect();
    let machine = [
        "Python",
        "cibuildwheel",
        "git",
        "container engine",
        "ccache",
        "self-test",
        "ccache settings",
        "cache folder",
        "cache size",
        "file system",
        "disk space",
        "memory",
        "clock",
    ];
    let image = [
        "image",
        "container",
        "bind mount",
        "ccache inside",
        "build inside",
        "self-test inside",
        "disk inside",
        "clock inside",
    ];
    assert_eq!(names, [&machine[..], &image].concat());
    assert!(checks.iter().all(|check| check["state"] == "ok"), "{checks:#?}");
    assert!(text(&checks[13], "image").contains("/manylinux_2_28_x86_64@sha256:"), "{checks:#?}");

    let project = sandbox.project();
    let ran = sandbox.run(&["doctor", "--project", project.as_str()]).expect(0);
    assert!(ran.stdout.ends_with("\nnothing is known to be missing\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n✓ ok      self-test inside "), "{}", ran.stdout);
    assert!(!sandbox.root.join("cache").exists(), "nothing is made");
    assert_eq!(Sandbox::names(&project), ["pkg.c", "pyproject.toml"]);
}

#[test]
fn a_python_that_is_too_old() {
    let mut sandbox = Sandbox::new();
    for name in ["python3", "python"] {
        sandbox.program(name, "#!/bin/sh\necho 3.9.2\n");
    }
    let programs = sandbox.root.join("bin");
    sandbox.set("PATH", programs.as_str());
    let check = sandbox.lacks("Python", "python3 is 3.9.2", "uv python install");
    assert!(text(&check, "found").starts_with("no Python 3.11 or newer"), "{check}");
    let newer = format!("#!/bin/sh\nexec {} \"$@\"\n", real_python());
    sandbox.program("python3", &newer);
    sandbox.set("PATH", programs.as_str());
    assert_eq!(sandbox.check(4, "Python")["state"], "ok");
}

#[test]
fn a_cibuildwheel_that_is_not_installed() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CIBW_BUILD", "cp312-manylinux_x86_64");
    sandbox.engine(&Engine::default());
    sandbox.lacks("cibuildwheel", "not installed yet", "cargo xtask doctor --setup");
    let check = sandbox.check(4, "image");
    assert_eq!(check["state"], "unknown", "{check}");
    // An image that is named is looked at all the same.
    let named = sandbox.checks(4, &["--image", "registry.test/own:1"]);
    assert!(text(&find(named, "image"), "found").starts_with("here (0af1)"));
    sandbox.with_tools().has("cibuildwheel");
}

#[test]
fn an_engine_that_does_not_answer() {
    let mut sandbox = healthy();
    sandbox.engine(&Engine { ps: "echo cannot connect >&2; exit 125", ..Engine::default() });
    sandbox.lacks("container engine", "podman says: cannot connect", "start one");
    let check = sandbox.check(4, "image");
    assert!(text(&check, "found").contains("no container engine answers"), "{check}");
    sandbox.engine(&Engine::default());
    sandbox.has("container engine");
    let other = sandbox.checks(4, &["--engine", "docker"]);
    assert!(text(&find(other, "container engine"), "remedy").contains("--engine podman"));
}

/// The programs of these names alone, in a folder that can be the whole `PATH`.
pub(crate) fn only(sandbox: &Sandbox, names: &[&str]) -> Utf8PathBuf {
    let folder = sandbox.root.join("programs");
    fs::create_dir_all(&folder).unwrap();
    for name in names {
        let path = std::env::var("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|it| it.join(name)).find(|it| it.is_file());
        symlink(found.unwrap(), folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn a_repository_without_git() {
    let mut sandbox = healthy();
    fs::create_dir(sandbox.project().join(".git")).unwrap();
    let programs = only(&sandbox, &["sh", "cc", "ccache", "sed", "mkdir", "date", "df", "tail"]);
    let path = format!("{}:{programs}", sandbox.root.join("bin"));
    sandbox.set("PATH", &path);
    sandbox.lacks("git", "no git in PATH", "git");
    sandbox.release_wheels(&[]).expect(4).says("there is no git in PATH");
    only(&sandbox, &["git"]);
    assert_eq!(find(sandbox.doctor_checks(&[]), "git")["state"], "ok");
}

#[test]
fn what_hangs_is_unknown_and_keeps_nobody() {
    let mut sandbox = healthy();
    sandbox.engine(&Engine { ps: "exec sleep 60", ..Engine::default() });
    let began = std::time::Instant::now();
    let check = sandbox.check(0, "container engine");
    assert_eq!(check["state"], "unknown", "{check}");
    assert!(text(&check, "found").contains("podman: no answer within 10 s"), "{check}");
    assert!(began.elapsed().as_secs() < 50);
}

#[test]
fn a_ccache_of_this_machine_that_is_too_old() {
    let mut sandbox = healthy();
    sandbox.program("ccache", "#!/bin/sh\necho ccache version 4.3\n");
    sandbox.lacks("ccache", "4.3 has no statslog", "ccache");
    fs::remove_file(sandbox.root.join("bin/ccache")).unwrap();
    sandbox.has("ccache");
}

#[test]
fn a_ccache_that_does_not_find_what_it_has_stored() {
    for (name, found) in
        [("CCACHE_DISABLE", "disabled (environment)"), ("CCACHE_RECACHE", "hit nothing")]
    {
        let mut sandbox = healthy();
        sandbox.set(name, "1");
        for line in ["self-test", "self-test inside"] {
            sandbox.lacks(line, found, &format!("unset {name}"));
        }
        let check = sandbox.lacks("ccache settings", name, "unset");
        sandbox.release_wheels(&[]).expect(3).says(name).says(command(&check));
        sandbox.unset(name);
        sandbox.has("self-test");
        sandbox.has("self-test inside");
    }
    let sandbox = healthy();
    sandbox.write("cache/ccache.conf", "read_only = true\n");
    let file = sandbox.root.join("cache/ccache.conf");
    let remedy = format!("remove read_only = true from {file}");
    sandbox.lacks("self-test", "may not store anything", &remedy);
    sandbox.lacks("self-test inside", "may not store anything", &remedy);
    fs::remove_file(file).unwrap();
    sandbox.has("self-test");
}

#[test]
fn a_file_in_place_of_the_cache_folder() {
    let sandbox = healthy();
    sandbox.write("cache", "");
    let check = sandbox.lacks("cache folder", "it is no folder", "move it away");
    // A run ends for the same reason, before it does anything.
    sandbox.release_wheels(&[]).expect(3).says("it is no folder").says("    mv ");
    assert_eq!(Sandbox::names(&sandbox.project()), ["pkg.c", "pyproject.toml"]);
    assert!(Command::new("sh").args(["-c", command(&check)]).status().unwrap().success());
    sandbox.has("cache folder");
}

/// Runs a command as nobody in a sandbox that is nobody's, if this is root, whom no folder refuses.
fn without_rights(sandbox: &Sandbox, places: &[&str]) -> impl Fn(&mut Command) -> Ran {
    const NOBODY: u32 = 65534;
    let is_root = fs::metadata(&sandbox.root).unwrap().uid() == 0;
    if is_root {
        for place in places {
            chown(sandbox.root.join(place), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    move |command| {
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().unwrap().into()
    }
}

#[test]
fn a_cache_folder_without_rights() {
    let mut sandbox = healthy();
    // The program may lie in a folder that only its owner may enter.
    let program = sandbox.root.join("xtask");
    fs::copy(XTASK, &program).unwrap();
    // So may the user's tools.
    fs::remove_file(sandbox.root.join("user-cache/warmwheel/tools")).unwrap();
    let home = sandbox.root.clone();
    sandbox.set("HOME", home.as_str());
    let cache = sandbox.root.join("cache");
    fs::create_dir_all(cache.join("a")).unwrap();
    let places = ["", "bin", "project", "user-cache", "user-cache/warmwheel", "cache", "cache/a"];
    let run = without_rights(&sandbox, &places);
    let check = || {
        let plain = sandbox.command(&[]);
        let mut command = Command::new(&program);
        command.args(["doctor", "--json", "--project", "."]).current_dir(sandbox.project());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        find(checks(&run(&mut command)), "cache folder")
    };
    assert_eq!(check()["state"], "ok");
    for (place, mode) in [("cache/a", 0o555), ("cache", 0o555)] {
        let folder: Utf8PathBuf = sandbox.root.join(place);
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let refused = check();
        assert_eq!(refused["state"], "bad", "{refused}");
        assert!(text(&refused, "found").contains("Permission denied"), "{refused}");
        assert_eq!(command(&refused), format!("chmod -R u+rwX {cache}"));
        let mended = run(Command::new("sh").args(["-c", command(&refused)]));
        assert_eq!(mended.code, Some(0), "{}", mended.stderr);
        assert_eq!(check()["state"], "ok");
    }
}

#[test]
fn a_cache_that_is_too_small() {
    let mut sandbox = healthy();
    sandbox.set("CCACHE_MAXSIZE", "5M");
    let check = sandbox.lacks("cache size", "at most 5 MB", "CCACHE_MAXSIZE=10G");
    let (name, value) = command(&check).strip_prefix("export ").unwrap().split_once('=').unwrap();
    sandbox.set(name, value);
    sandbox.has("cache size");
}

/// A file system of 20 MB at a folder, for as long as this lives; `None` where none may be mounted.
struct Small(Utf8PathBuf);

impl Small {
    fn at(folder: Utf8PathBuf) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=20m", "tmpfs", folder.as_str()]);
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_disk_that_is_full() {
    let sandbox = healthy();
    // Without the right to mount there is no small disk to be had.
    let Some(small) = Small::at(sandbox.root.join("small")) else { return };
    let out = small.0.join("out");
    let full = sandbox.checks(4, &["--output-dir", out.as_str()]);
    let check = find(full, "disk space");
    assert!(text(&check, "found").contains("MB is free for wheels"), "{check}");
    assert!(text(&check, "remedy").contains("--output-dir"), "{check}");
    sandbox.has("disk space");
    let in_memory = sandbox.checks(4, &["--ccache-dir", small.0.as_str()]);
    assert_eq!(find(in_memory, "file system")["found"], "tmpfs");
}

#[test]
fn more_builds_at_once_than_fit_into_memory() {
    let sandbox = healthy();
    let check = find(sandbox.checks(4, &["--jobs", "1000"]), "memory");
    assert!(text(&check, "found").contains("for 1000 builds at once"), "{check}");
    assert!(text(&check, "remedy").starts_with("build fewer at once: --jobs "), "{check}");
    assert_eq!(find(sandbox.checks(0, &["--jobs", "1"]), "memory")["state"], "ok");
}
