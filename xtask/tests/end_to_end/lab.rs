//! The test image, as the tests use it.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::support::{Ran, Sandbox};

/// The cargo workspace around this test.
pub(crate) fn workspace() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// What `cargo xtask lab` left: engine, image and the variables the engine needs.
pub(crate) fn lab() -> Value {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let path = workspace().join(target).join("lab/lab.json");
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask lab --setup`"));
    serde_json::from_str(&text).unwrap()
}

/// A command of the image's engine.
pub(crate) fn engine(arguments: &[&str]) -> Command {
    let lab = lab();
    let mut command = Command::new(lab["engine"].as_str().unwrap());
    let environment = lab["environment"].as_object().unwrap();
    command.envs(environment.iter().map(|(name, value)| (name, value.as_str().unwrap())));
    command.args(arguments);
    command
}

/// A source distribution of `tools/pins.toml` by its file name.
pub(crate) fn sdist(file: &str) -> String {
    let folder = std::env::var("WARMWHEEL_SDISTS")
        .unwrap_or_else(|_| panic!("WARMWHEEL_SDISTS is not set: run `cargo xtask test`"));
    let path = Utf8PathBuf::from(folder).join(file);
    assert!(path.is_file(), "{path} is missing: run `cargo xtask test`");
    path.into_string()
}

/// A run in the test image, with folders of its own.
pub(crate) struct Run {
    pub(crate) sandbox: Sandbox,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self { sandbox: Sandbox::new().with_tools() }
    }

    pub(crate) fn wheelhouse(&self) -> Utf8PathBuf {
        self.sandbox.root.join("wheelhouse")
    }

    pub(crate) fn cache(&self) -> Utf8PathBuf {
        self.sandbox.root.join("cache")
    }

    pub(crate) fn records(&self) -> Utf8PathBuf {
        self.sandbox.root.join("records")
    }

    /// `release-wheels` with `arguments`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let (wheels, cache, records) = (self.wheelhouse(), self.cache(), self.records());
        let mut line = vec!["release-wheels", "--image", "lab", "--output-dir", wheels.as_str()];
        line.extend(["--ccache-dir", cache.as_str(), "--report-dir", records.as_str()]);
        line.extend(arguments);
        self.sandbox.command(&line)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) fn report(&self) -> Report {
        let path = self.records().join("report.json");
        Report(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    }

    /// Hits of CMake's own compilations, which the validator counts apart.
    pub(crate) fn probe_hits(&self, python: &str) -> u64 {
        let identifier = format!("{python}-manylinux_x86_64");
        let folder = self.records().join(format!("builds/{identifier}/record"));
        let text = fs::read_to_string(folder.join(format!("verdict-{identifier}.json"))).unwrap();
        let verdict: Value = serde_json::from_str(&text).unwrap();
        verdict["probes"]["direct_hits"].as_u64().unwrap()
    }

    /// The log of the build for `python`.
    pub(crate) fn log(&self, python: &str) -> String {
        let path = self.records().join(format!("builds/{python}-manylinux_x86_64/log.txt"));
        fs::read_to_string(path).unwrap()
    }
}

/// A run's `report.json`.
pub(crate) struct Report(Value);

impl Report {
    /// The build for a Python tag such as `cp312`.
    pub(crate) fn build(&self, python: &str) -> &Value {
        let mut builds = self.0["builds"].as_array().unwrap().iter();
        builds.find(|build| build["identifier"] == format!("{python}-manylinux_x86_64")).unwrap()
    }

    pub(crate) fn verdict(&self, python: &str) -> &str {
        self.build(python)["cache"]["verdict"].as_str().unwrap_or("none")
    }

    pub(crate) fn hits(&self, python: &str) -> u64 {
        let cache = &self.build(python)["cache"];
        cache["direct_hits"].as_u64().unwrap() + cache["preprocessed_hits"].as_u64().unwrap()
    }

    pub(crate) fn misses(&self, python: &str) -> u64 {
        self.build(python)["cache"]["misses"].as_u64().unwrap()
    }
}

/// One container of the real image does everything that takes one.
#[test]
fn a_machine_that_has_made_the_test_image_lacks_nothing() {
    let run = Run::new();
    let ran: Ran =
        run.sandbox.run(&["doctor", "--json", "--image", "lab", "--project", "."]).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let inside = checks.iter().filter(|check| check["image"] == lab()["image"]);
    let states: Vec<_> =
        inside.map(|check| (check["name"].clone(), check["state"].clone())).collect();
    assert_eq!(states.len(), 8, "{report:#}");
    assert!(states.iter().all(|(_, state)| state == "ok"), "{report:#}");
}
