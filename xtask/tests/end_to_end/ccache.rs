//! Every way of getting a ccache into an image that has none: the test image after its ccache was
//! removed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::OnceLock;

use camino::Utf8PathBuf;

use crate::lab::{Run, engine, lab};
use crate::settings::{VERSIONS, small_package};
use crate::support::Ran;

const IMAGE: &str = "localhost/warmwheel-lab-without-ccache:latest";

/// Makes the image, once for all tests of this file. It takes next to no space beside the test image.
fn image() -> &'static str {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let lab = lab();
        let name = format!("warmwheel-without-ccache-{}", std::process::id());
        let create = create_args();
        let create: Vec<_> = create.iter().map(String::as_str).collect();
        // By its package manager, so that it can be installed again.
        let script = "dpkg --purge --force-depends ccache && ! command -v ccache";
        let image = lab["image"].as_str().unwrap();
        let run = [&["run", "--name", &name][..], &create, &[image, "sh", "-c", script]].concat();
        Ran::from(engine(&run).output().unwrap()).expect(0);
        Ran::from(engine(&["commit", "--quiet", &name, IMAGE]).output().unwrap()).expect(0);
        Ran::from(engine(&["rm", &name]).output().unwrap()).expect(0);
    });
    IMAGE
}

fn create_args() -> Vec<String> {
    let lab = lab();
    let list = lab["create_args"].as_array().unwrap();
    list.iter().map(|argument| argument.as_str().unwrap().to_owned()).collect()
}

/// A run of a small package in that image, with what the engine needs on this machine.
fn run(settings: &str) -> (Run, Utf8PathBuf) {
    let mut run = Run::new();
    let lab = lab();
    let project = small_package(&run.sandbox, settings);
    let name = lab["engine"].as_str().unwrap();
    let engine = format!("{name}; create_args: {}", create_args().join(" "));
    run.sandbox.set("CIBW_CONTAINER_ENGINE", engine.trim_end_matches("; create_args: "));
    for (name, value) in lab["environment"].as_object().unwrap() {
        run.sandbox.set(name, value.as_str().unwrap());
    }
    (run, project)
}

fn release_wheels(run: &Run, project: &Utf8PathBuf, flags: &[&str]) -> Ran {
    let (wheels, cache, records) = (run.wheelhouse(), run.cache(), run.records());
    let mut line = vec!["release-wheels", "--image", image(), "--python", VERSIONS];
    line.extend(["--project", project.as_str(), "--output-dir", wheels.as_str()]);
    line.extend(["--ccache-dir", cache.as_str(), "--report-dir", records.as_str()]);
    line.extend(flags);
    // The test image has manylinux for one architecture only, and no musllinux.
    let mut command: Command = run.sandbox.command(&line);
    command.env("CIBW_BUILD", "cp312-manylinux_x86_64 cp313-manylinux_x86_64");
    command.output().unwrap().into()
}

fn is_proven(run: &Run, version: &str) {
    let report = run.report();
    assert_eq!([report.verdict("cp312"), report.verdict("cp313")], ["cold", "hit"]);
    for python in ["cp312", "cp313"] {
        assert_eq!(report.build(python)["cache"]["ccache_version"], version, "{python}");
    }
}

#[test]
fn an_image_without_ccache_is_said_to_have_none() {
    let (run, project) = run("");
    let refused = release_wheels(&run, &project, &["--ccache", "image"]).expect(4);
    refused.says(&format!("{IMAGE} has no ccache")).says("--ccache auto");
    // What the package does before it builds could bring one: then it takes a container to tell.
    let (run, project) = self::run("[tool.cibuildwheel]\nbefore-all = 'true'\n");
    release_wheels(&run, &project, &["--ccache", "image"]).expect(4).says("no ccache on PATH");
}

/// The newest ccache, which `cargo xtask test` has, as an archive such as the ccache project makes.
#[test]
fn a_static_program_is_mounted_and_does_the_work() {
    let folder = std::env::var("WARMWHEEL_NEWEST_CCACHE")
        .unwrap_or_else(|_| panic!("WARMWHEEL_NEWEST_CCACHE is not set: run `cargo xtask test`"));
    let program = Utf8PathBuf::from(folder).join("ccache");
    let said = Command::new(&program).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let version = said.lines().next().unwrap().strip_prefix("ccache version ").unwrap().to_owned();
    let name = format!("ccache-{version}-linux-x86_64-musl-static");

    let (mut run, project) = run("");
    run.sandbox.unset("WARMWHEEL_CCACHE");
    let releases = run.sandbox.root.join("releases");
    fs::create_dir_all(releases.join(&name)).unwrap();
    fs::copy(&program, releases.join(&name).join("ccache")).unwrap();
    let archive = releases.join(format!("{name}.tar.gz"));
    let tar = Command::new("tar")
        .args(["-czf", archive.as_str(), "-C", releases.as_str(), &name])
        .status()
        .unwrap();
    assert!(tar.success());
    let sum = Command::new("sha256sum").arg(&archive).output().unwrap();
    let hash = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
    let pin = format!(
        "[tool.warmwheel.ccache-release]\nversion = '{version}'\naddress = 'file://{releases}'\n\
         sha256 = {{ linux-x86_64-musl-static = '{hash}' }}\n"
    );
    let text = fs::read_to_string(project.join("pyproject.toml")).unwrap();
    fs::write(project.join("pyproject.toml"), text + &pin).unwrap();

    // `auto` prefers it, though it says nothing about it.
    let ran = release_wheels(&run, &project, &[]).expect(0);
    assert!(!ran.stderr.contains("ccache of "), "{}", ran.stderr);
    is_proven(&run, &version);
    assert!(run.log("cp312").contains("(/warmwheel-ccache/ccache)"), "{}", run.log("cp312"));
    // It could not be written to from inside.
    let kept = run.sandbox.root.join("user-cache/warmwheel/pinned");
    let bin = kept.join(&crate::support::Sandbox::names(&kept)[0]).join("bin/ccache");
    assert_eq!(fs::read(&bin).unwrap(), fs::read(&program).unwrap());
    assert_eq!(bin.metadata().unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn the_package_manager_installs_one_in_front_of_before_all() {
    let settings = "[tool.cibuildwheel]\nbefore-all = 'ccache --version # of the project'\n";
    let (run, project) = run(settings);
    release_wheels(&run, &project, &["--ccache", "package"]).expect(0);
    let log = run.log("cp312");
    let installed = log.find("warmwheel: installing ccache with apt-get");
    let own = log.find("ccache version ");
    assert!(installed.is_some() && installed < own, "{log}");
    let version = log.split("ccache version ").nth(1).unwrap().lines().next().unwrap().to_owned();
    is_proven(&run, &version);
}
