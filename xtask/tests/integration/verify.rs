//! `ci verify` on real wheels, with the real twine.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox};

/// Writes wheels and source distributions that are in order, but for what it is told otherwise.
const MAKE: &str = include_str!("../support/wheels.py");

const LINUX: &str = "pkg-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const STABLE: &str = "pkg-1.0-cp39-abi3-musllinux_1_2_x86_64.whl";
const EXPECT: &str =
    "cp312-manylinux_x86_64,cp39-musllinux_x86_64,cp312-musllinux_x86_64,cp313-musllinux_x86_64";

/// A project's sandbox with these in its `wheelhouse`, and whatever is expected of them.
fn release(files: &Value) -> Sandbox {
    let mut sandbox = Sandbox::new().with_tools();
    sandbox.set("WARMWHEEL_EXPECT", EXPECT);
    fill(&sandbox, files);
    sandbox
}

fn fill(sandbox: &Sandbox, files: &Value) {
    let folder = sandbox.project().join("wheelhouse");
    fs::create_dir_all(&folder).unwrap();
    let made = Command::new("python3")
        .args(["-c", MAKE, &files.to_string()])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn good() -> Value {
    json!([{"file": LINUX}, {"file": STABLE}, {"file": "pkg-1.0.tar.gz"}])
}

fn verify(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let project = sandbox.project();
    sandbox.run(&[&["ci", "verify", "--project", project.as_str()], arguments].concat())
}

/// The lines that name a problem.
fn problems(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter_map(|line| line.strip_prefix("problem: ")).collect()
}

/// Panics if there is anything that moves a cursor, forges a line or commands a runner.
#[track_caller]
fn is_harmless(text: &str) {
    let dangerous = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}".contains(c);
    assert!(!text.contains(dangerous), "{text:?}");
    assert!(!text.contains("##["), "{text}");
}

#[test]
fn a_complete_release_gets_its_list_of_hashes() {
    let sandbox = release(&good());
    let sums = sandbox.project().join("wheelhouse/SHA256SUMS");
    fs::write(&sums, "of an earlier run").unwrap();
    let ran = verify(&sandbox, &[]).expect(0);
    let ran = ran.says("2 wheels, 1 sdist: pkg 1.0, all in order");
    assert_eq!(fs::read_to_string(&sums).unwrap(), ran.stdout);
    assert_eq!(sums.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    let names: Vec<_> = ran.stdout.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(names, [LINUX, STABLE, "pkg-1.0.tar.gz"]);
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(sandbox.project().join("wheelhouse"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    // And once more, now that the list is there.
    assert_eq!(verify(&sandbox, &["wheelhouse"]).expect(0).stdout, ran.stdout);
    assert_eq!(Sandbox::names(&sandbox.project().join("wheelhouse")).len(), 4);
}

#[test]
fn every_problem_is_named_and_an_old_list_of_hashes_is_gone() {
    let undescribed = "Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n";
    let sandbox = release(&json!([
        {"file": LINUX, "metadata": undescribed},
        {"file": "pkg-1.1-cp39-abi3-musllinux_1_2_x86_64.whl"},
        {"file": "pkg-1.0.tar.gz"},
        {"file": "pkg-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", "without": "RECORD"},
        {"file": "pkg-1.0-cp311-cp311-linux_x86_64.whl", "without": "METADATA"},
        {"file": "pkg-1.0-cp310-cp310-win32.whl", "bytes": 500},
        {"file": "pkg-1.0-cp39-cp39-win32.whl", "bytes": 0},
        {"file": "pkg-1.0-cp38-cp38-win32.whl", "version": "1.0.post1"},
    ]));
    let folder = sandbox.project().join("wheelhouse");
    fs::write(folder.join("SHA256SUMS"), "of an earlier run").unwrap();
    fs::copy(folder.join(LINUX), folder.join("pkg-1.0-cp313-cp313-win32.whl")).unwrap();
    fs::write(folder.join("twine.py"), "open('../executed', 'w')").unwrap();
    let ran = verify(&sandbox, &["--expect", &format!("{EXPECT},cp314-win32")]).expect(5);
    let named = problems(&ran).join("\n");
    for expected in [
        "cp314-win32: has no wheel",
        "pkg-1.1-cp39-abi3-musllinux_1_2_x86_64.whl: is of version 1.1, and 8 of 9 files are of 1.0",
        "pkg-1.0-cp311-cp311-manylinux_2_28_x86_64.whl: serves none of the expected identifiers",
        "pkg-1.0-cp311-cp311-linux_x86_64.whl: has the platform tag linux_x86_64, which no index",
        "pkg-1.0-cp311-cp311-linux_x86_64.whl: has no METADATA",
        "pkg-1.0-cp310-cp310-win32.whl: is no zip file, or not a whole one",
        "pkg-1.0-cp39-cp39-win32.whl: is empty",
        "pkg-1.0-cp38-cp38-win32.whl: has the Version 1.0.post1 in METADATA",
        "pkg-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl: has the same content as \
         pkg-1.0-cp313-cp313-win32.whl",
        "pkg-1.0-cp313-cp313-win32.whl: has the tag cp312-cp312-manylinux2014_x86_64 (and 1 more) in \
         WHEEL, not in its name",
        "pkg-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl: does not pass `twine \
         check --strict`: WARNING `long_description_content_type` missing",
        "twine.py: is neither a wheel nor a source distribution",
    ] {
        assert!(named.contains(expected), "no {expected:?} in:\n{named}");
    }
    // What is in order is not blamed for what stands beside it.
    assert!(!named.contains("pkg-1.0.tar.gz"), "{named}");
    assert!(!named.contains("manylinux_2_28_x86_64.whl: does not pass"), "{named}");
    let count = problems(&ran).len();
    let ran = ran.says(&format!("error: {count} problems with the wheels in {folder}"));
    assert_eq!(ran.stderr.matches("\n  help: ").count(), count, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains("::error"), "{}", ran.stderr);
    assert!(!folder.join("SHA256SUMS").exists());
    assert!(!sandbox.project().join("executed").exists(), "a module of that folder was run");
}

#[test]
fn nothing_to_check_is_no_success() {
    let sandbox = release(&json!([{"file": "pkg-1.0.tar.gz"}]));
    verify(&sandbox, &[]).expect(2).says("wheelhouse has no wheel").says("help: name the folder");
    verify(&sandbox, &["nowhere"]).expect(2).says("project/nowhere").says("help: name the folder");
    fill(&sandbox, &good());
    let wrong = ["--expect", "cp312"];
    verify(&sandbox, &wrong).expect(2).says("\"cp312\" is no build identifier");
    let missing = ["--expect", "cp314-musllinux_x86_64,cp38-musllinux_x86_64"];
    let ran = verify(&sandbox, &missing).expect(5).says("cp38-musllinux_x86_64: has no wheel");
    assert!(!ran.stderr.contains("cp314-musllinux_x86_64"), "{}", ran.stderr);
}

#[test]
fn the_plan_of_the_package_is_what_is_expected_where_nothing_is_named() {
    let mut sandbox = release(&json!([{"file": LINUX}])).with_pretended_engine();
    sandbox.set("WARMWHEEL_EXPECT", "");
    let selects = |selection: &str| {
        let project =
            "[project]\nname = 'pkg'\nversion = '1'\n[tool.cibuildwheel]\narchs = 'x86_64'\n";
        sandbox.write("project/pyproject.toml", &format!("{project}build = '{selection}'\n"));
        verify(&sandbox, &[])
    };
    selects("cp312-manylinux_x86_64").expect(0);
    let ran = selects("cp31[12]-manylinux_x86_64").expect(5);
    assert_eq!(problems(&ran), ["cp311-manylinux_x86_64: has no wheel"]);
}

#[test]
fn a_machine_without_twine_and_python_is_told_how_to_get_them() {
    let mut sandbox = Sandbox::new();
    fill(&sandbox, &good());
    sandbox.program("python3", "#!/bin/sh\necho 3.9\n");
    let programs = sandbox.root.join("bin");
    sandbox.set("PATH", programs.as_str());
    let ran = verify(&sandbox, &["--expect", EXPECT]).expect(4);
    ran.says("no Python 3.11").says("help: install a Python").says("uv python install");
    assert!(!sandbox.project().join("wheelhouse/SHA256SUMS").exists());
}

#[test]
fn a_machine_without_a_network_is_told_that_twine_is_missing() {
    let mut sandbox = Sandbox::new();
    fill(&sandbox, &good());
    sandbox
        .program("uv", "#!/bin/sh\n[ $1 = venv ] && exit 0\necho 'no route to host' >&2; exit 2\n");
    let ran = verify(&sandbox, &["--expect", EXPECT]).expect(4);
    ran.says("cannot install twine").says("no route to host").says("check the network");
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let sandbox = release(&good());
    let folder = sandbox.project().join("wheelhouse");
    let names: [&[u8]; 5] = [
        b"pkg-1.0\n::error::forged-cp312-cp312-win32.whl",
        "pkg-1.0-cp312-cp312-\u{202e}23niw.whl".as_bytes(),
        b"pkg-\x1b[2J1.0.tar.gz",
        b"##[add-mask]pkg.txt",
        b"pkg-1.0-cp312-cp312-\xff.whl",
    ];
    for name in names {
        fs::write(folder.as_std_path().join(OsStr::from_bytes(name)), "x").unwrap();
    }
    symlink("/etc/hostname", folder.join("pkg-1.0-cp313-cp313-win32.whl")).unwrap();
    symlink("/etc/hostname", folder.join("SHA256SUMS")).unwrap();
    fs::create_dir(folder.join("pkg-1.0-cp314-cp314-win32.whl")).unwrap();
    let ran = verify(&sandbox, &[]).expect(5);
    is_harmless(&ran.stderr);
    assert!(ran.stderr.lines().all(|line| !line.trim_start().starts_with("::")), "{}", ran.stderr);
    let said = problems(&ran).join("\n");
    for expected in [
        "pkg-1.0\\n::error::forged",
        "\\u{202e}23niw.whl: has characters in its name that no index takes",
        "pkg-\\u{1b}[2J1.0.tar.gz: ",
        "# #[add-mask]pkg.txt: is neither",
        "is something with a name that is not UTF-8",
        "pkg-1.0-cp313-cp313-win32.whl: is a link, not a file",
        "pkg-1.0-cp314-cp314-win32.whl: is a folder, not a file",
    ] {
        assert!(said.contains(expected), "no {expected:?} in:\n{said}");
    }
    assert!(std::path::Path::new("/etc/hostname").exists(), "a link was followed");
    assert!(!folder.join("SHA256SUMS").exists());
}

#[test]
fn in_github_each_problem_is_an_annotation_and_the_summary_has_them_too() {
    let mut sandbox = release(&json!([
        {"file": STABLE},
        {"file": LINUX, "metadata": "Metadata-Version: 2.1\nName: 100%\nVersion: 1.0\n\nx"},
    ]));
    let summary = sandbox.root.join("summary.md");
    fs::write(&summary, "what an earlier step has said\n").unwrap();
    sandbox.set("GITHUB_ACTIONS", "true");
    sandbox.set("GITHUB_STEP_SUMMARY", summary.as_str());
    let ran = verify(&sandbox, &[]).expect(5);
    let annotations: Vec<_> =
        ran.stderr.lines().filter(|line| line.starts_with("::error title=")).collect();
    assert_eq!(annotations.len(), problems(&ran).len(), "{}", ran.stderr);
    let invalid =
        "`twine check --strict`: ERROR InvalidDistribution: Invalid distribution metadata: ";
    assert!(ran.stderr.contains(invalid), "{}", ran.stderr);
    let name = annotations.iter().find(|line| line.contains("has the Name 100%25")).unwrap();
    assert!(name.contains("::pkg-1.0-cp312") && name.contains("in METADATA%0A"), "{name}");
    is_harmless(&ran.stderr);
    let text = fs::read_to_string(&summary).unwrap();
    let (before, section) = text.split_once("## ❌ 2 problems with the wheels\n").unwrap();
    assert_eq!(before, "what an earlier step has said\n");
    assert!(
        section.contains("100%") && section.contains("| file | bytes | SHA-256 |"),
        "{section}"
    );

    fill(&sandbox, &good());
    verify(&sandbox, &[]).expect(0);
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.contains("## ✅ 2 wheels, 1 sdist: pkg 1.0, all in order\n"), "{text}");
}
