//! cibuildwheel is asked about a package's settings once, until something has changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::support::{Sandbox, real_python};

/// A Python that has cibuildwheel and writes down each time it is asked.
fn counting() -> Sandbox {
    let sandbox = Sandbox::new().with_pretended_engine();
    let real = real_python();
    let tools = real.ancestors().nth(2).unwrap();
    let own = sandbox.root.join("user-cache/warmwheel/tools").join(tools.file_name().unwrap());
    fs::create_dir_all(own.join("bin")).unwrap();
    for entry in tools.read_dir_utf8().unwrap().map(Result::unwrap) {
        if entry.file_name() != "bin" {
            symlink(entry.path(), own.join(entry.file_name())).unwrap();
        }
    }
    let python = own.join("bin/python");
    let script = format!("#!/bin/sh\necho asked >>'{}/asked'\nexec {real} \"$@\"\n", sandbox.root);
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, Permissions::from_mode(0o755)).unwrap();
    sandbox
}

#[test]
fn an_answer_is_good_for_as_long_as_nothing_has_changed_that_it_comes_from() {
    const HEAD: &str = "[project]\nname = 'pkg'\nversion = '1'\n[tool.cibuildwheel]\n";
    let mut sandbox = counting();
    let times = |sandbox: &Sandbox| {
        let text = fs::read_to_string(sandbox.root.join("asked")).unwrap_or_default();
        text.lines().count()
    };
    let mut expected = 0;
    let mut check = |sandbox: &Sandbox, is_asked: bool, what: &str| {
        let plan = sandbox.release_wheels(&["--plan=json", "--python", "3.12"]).expect(0).stdout;
        expected += usize::from(is_asked);
        assert_eq!(times(sandbox), expected, "{what}");
        let run = plan.split('"').nth(3).unwrap().to_owned();
        plan.replace(&run, "RUN")
    };
    let constraints = sandbox.root.join("constraints.txt");
    let settings = format!("{HEAD}dependency-versions = '{constraints}'\n");
    sandbox.write("constraints.txt", "build==1.3.0\n");
    sandbox.write("project/pyproject.toml", &settings);
    let first = check(&sandbox, true, "nothing is known");
    assert_eq!(check(&sandbox, false, "the same again"), first);
    sandbox.write("constraints.txt", "build==1.2.0\n");
    check(&sandbox, true, "a file that the settings name");
    check(&sandbox, false, "the same again");
    sandbox.write("project/pyproject.toml", &format!("{settings}skip = 'pp*'\n"));
    check(&sandbox, true, "the settings");
    sandbox.write(
        "project/setup.py",
        "from setuptools import setup\nsetup(python_requires='>=3.8')\n",
    );
    check(&sandbox, true, "a file that was not there");
    sandbox.set("CIBW_SKIP", "*musllinux*");
    check(&sandbox, true, "a variable");
    check(&sandbox, false, "the same again");
    sandbox.write("project/setup.cfg", "[bdist_wheel]\n");
    check(&sandbox, true, "another file that was not there");
    // What cibuildwheel refuses is asked again.
    sandbox.set("CIBW_SKIP", "");
    sandbox.set("CIBW_BUILD_FRONTEND", "nothing");
    for _ in 0..2 {
        sandbox.release_wheels(&["--plan=json"]).expect(2).says("refuses");
    }
    assert_eq!(times(&sandbox), expected + 2);
    // What is damaged is asked again, and mended.
    sandbox.set("CIBW_BUILD_FRONTEND", "build");
    expected += 2;
    let plan = |sandbox: &Sandbox| drop(sandbox.release_wheels(&["--plan=json"]).expect(0));
    plan(&sandbox);
    let answers = sandbox.root.join("user-cache/warmwheel/answers");
    for name in Sandbox::names(&answers) {
        fs::write(answers.join(name), "{\"files\": {}, \"answer\": 1}").unwrap();
    }
    plan(&sandbox);
    plan(&sandbox);
    assert_eq!(times(&sandbox), expected + 2);
}
