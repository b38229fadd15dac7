//! The demo without containers: real uv, `build`, auditwheel and interpreters of this machine.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Sandbox};

/// Versions that the machines of these tests have.
const PYTHONS: [&str; 2] = ["cp311", "cp312"];

/// A run without containers, with folders of its own.
struct Run {
    sandbox: Sandbox,
}

impl Run {
    fn new() -> Self {
        Self { sandbox: Sandbox::new().with_tools() }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let folder = |name: &str| self.sandbox.root.join(name).into_string();
        let (wheels, cache, records) = (folder("wheelhouse"), folder("cache"), folder("records"));
        let mut line = vec!["release-wheels", "--builder", "host", "--python", "3.11,3.12"];
        line.extend(["--output-dir", &wheels, "--ccache-dir", &cache, "--report-dir", &records]);
        line.extend(arguments);
        self.sandbox.run(&line)
    }

    fn build(&self, python: &str) -> Value {
        let text = fs::read_to_string(self.sandbox.root.join("records/report.json")).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let builds = report["builds"].as_array().unwrap();
        let identifier = format!("{python}-manylinux_x86_64");
        builds.iter().find(|build| build["identifier"] == identifier).unwrap().clone()
    }

    fn counts(&self, python: &str) -> [u64; 3] {
        let cache = &self.build(python)["cache"];
        ["direct_hits", "preprocessed_hits", "misses"].map(|name| cache[name].as_u64().unwrap())
    }
}

/// A command that has to succeed.
fn succeed(program: &str, arguments: &[&str]) {
    Ran::from(Command::new(program).args(arguments).output().unwrap()).expect(0);
}

#[test]
fn the_demo_is_compiled_once_for_two_interpreters_of_this_machine() {
    let run = Run::new();
    run.run(&[]).expect(0).says("without containers").says("done: 2 of 2 wheels");
    assert_eq!(run.build("cp311")["cache"]["verdict"], "cold");
    assert_eq!(run.counts("cp311"), [0, 0, 15]);
    // Fourteen files are the core, whose folder has another name for each version.
    assert_eq!(run.build("cp312")["cache"]["verdict"], "hit");
    let [direct, preprocessed, misses] = run.counts("cp312");
    assert_eq!((direct + preprocessed, misses), (14, 1));

    // Its own tests ran, and its wheels say what they need.
    for python in PYTHONS {
        let build = run.build(python);
        let log = fs::read_to_string(build["log"].as_str().unwrap()).unwrap();
        assert!(log.contains(" passed"), "its tests did not run");
        let wheel = build["wheel"].as_str().unwrap();
        assert!(wheel.contains("manylinux_2_"), "{wheel}");
    }
    let build = run.build("cp312");
    let plan = run.run(&["--plan=json"]).expect(0).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let mut planned = plan["builds"].as_array().unwrap().iter();
    let planned = planned.find(|it| it["identifier"] == build["identifier"]).unwrap();
    let fresh = run.sandbox.root.join("fresh").into_string();
    succeed(planned["host"]["python"].as_str().unwrap(), &["-m", "venv", &fresh]);
    let python = format!("{fresh}/bin/python");
    succeed(&python, &["-m", "pip", "install", "--quiet", build["wheel"].as_str().unwrap()]);
    let code = "import warmdemo; assert abs(warmdemo.levenshtein('kitten', 'sitting') - 3) < 1e-9";
    succeed(&python, &["-I", "-c", code]);

    // The next run finds everything, the bindings included.
    run.run(&[]).expect(0);
    for python in PYTHONS {
        assert_eq!(run.counts(python), [15, 0, 0], "{python}");
        assert_eq!(run.build(python)["role"], "follower", "{python}");
    }
    run.run(&["--resume"]).expect(0);
    assert_eq!(run.build("cp312")["outcome"], "resumed");
}
