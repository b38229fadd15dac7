//! Bad input is refused before anything is built or deleted.

use std::fs;

use crate::support::Sandbox;

/// Every refusal leaves the project as it was.
#[track_caller]
fn refused(sandbox: &Sandbox, arguments: &[&str], says: &str, helps: &str) {
    let before = Sandbox::names(&sandbox.project());
    sandbox.release_wheels(arguments).expect(2).says(says).says("help: ").says(helps);
    assert_eq!(Sandbox::names(&sandbox.project()), before);
}

#[test]
fn packages_that_are_none() {
    let sandbox = Sandbox::new();
    sandbox.write("other/pyproject.toml", "[project]\nname = 'other'\n");
    sandbox.write("project/empty/readme.txt", "");
    sandbox.write("project/broken-1.tar.gz", "no gzip");
    sandbox.write("project/toml/pyproject.toml", "[project\n");
    refused(&sandbox, &["../other"], "is outside the project", "--project");
    refused(&sandbox, &["nowhere"], "nowhere", "pyproject.toml");
    refused(&sandbox, &["empty"], "has no pyproject.toml", "name the folder");
    refused(&sandbox, &["pkg.c"], "no source distribution", ".tar.gz");
    refused(&sandbox, &["broken-1.tar.gz"], "gzip", "make or fetch it again");
    refused(&sandbox, &["toml"], "is no TOML", "mend the file");
    fs::remove_file(sandbox.project().join("pyproject.toml")).unwrap();
    refused(&sandbox, &[], "is no Python package", "name one");
}

#[test]
fn settings_that_do_not_exist() {
    let sandbox = Sandbox::new();
    sandbox.write("project/pyproject.toml", "[tool.warmwheel]\noutput-dri = 'x'\n");
    refused(&sandbox, &[], "no setting `output-dri`", "did you mean `output-dir`?");
}

#[test]
fn an_archive_that_leaves_its_folder() {
    let sandbox = Sandbox::new();
    let script = "import io, tarfile\n\
        with tarfile.open('evil-1.tar.gz', 'w:gz') as tar:\n\
        \x20   for name in ['evil-1/setup.py', 'evil-1/../../escaped']:\n\
        \x20       tar.addfile(tarfile.TarInfo(name), io.BytesIO())\n";
    let made = std::process::Command::new("python3")
        .args(["-c", script])
        .current_dir(sandbox.project())
        .status()
        .unwrap();
    assert!(made.success());
    refused(&sandbox, &["evil-1.tar.gz"], "leaves the folder", "nothing was unpacked");
    assert!(!sandbox.root.join("escaped").exists());
}

#[test]
fn identifiers_and_settings_that_cibuildwheel_does_not_have() {
    let sandbox = Sandbox::new().with_tools().with_pretended_engine();
    let only = ["--only", "cp312-manylinux_x86_46"];
    refused(&sandbox, &only, "no build identifier", "did you mean cp312-manylinux_x86_64?");
    refused(&sandbox, &["--python", "2.7"], "no build is left", "the package has");
    sandbox.write("project/pyproject.toml", "[tool.cibuildwheel]\nbiuld = 'x'\n");
    refused(&sandbox, &[], "cibuildwheel refuses", "mend [tool.cibuildwheel]");
    sandbox.write("project/pyproject.toml", "[tool.cibuildwheel]\noverrides = 3\n");
    refused(&sandbox, &[], "cibuildwheel refuses", "mend [tool.cibuildwheel]");
}

#[test]
fn a_machine_without_an_engine_is_told_how_to_get_one() {
    let mut sandbox = Sandbox::new().with_tools();
    sandbox.program("podman", "#!/bin/sh\nexit 125\n");
    sandbox.program("docker", "#!/bin/sh\nexit 1\n");
    sandbox
        .release_wheels(&["--plan", "--builder", "cibuildwheel"])
        .expect(4)
        .says("no container engine")
        .says("--setup")
        .says("--builder host");
}

#[test]
fn a_machine_without_a_new_enough_python_is_told_how_to_get_one() {
    let mut sandbox = Sandbox::new().with_pretended_engine();
    sandbox.program("python3", "#!/bin/sh\necho 3.9\n");
    sandbox.program("python", "#!/bin/sh\necho no such version >&2; exit 127\n");
    let programs = sandbox.root.join("bin");
    sandbox.set("PATH", programs.as_str());
    sandbox.release_wheels(&["--plan"]).expect(4).says("no Python 3.11").says("uv python install");
}
