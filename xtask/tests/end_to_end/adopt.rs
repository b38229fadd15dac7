//! Warmwheel adopted by a real C++ package, from its source distribution unpacked into a repository.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::lab::{sdist, workspace};
use crate::support::{Ran, Sandbox};

const HOME: &str = "tools/warmwheel";

/// A repository of awkward-cpp, with a workflow such as it might have.
struct Repository {
    sandbox: Sandbox,
    root: Utf8PathBuf,
}

impl Repository {
    fn new() -> Self {
        let sandbox = Sandbox::new().with_tools();
        let unpacked = Command::new("tar")
            .args(["-xzf", &sdist("awkward_cpp-57.tar.gz"), "-C", sandbox.root.as_str()])
            .status();
        assert!(unpacked.unwrap().success());
        let root = sandbox.root.join("awkward_cpp-57");
        let workflow = "on: push\njobs:\n  wheels:\n    runs-on: ubuntu-22.04\n    env:\n      \
                        CCACHE_DIR: ${{ github.workspace }}/.ccache\n    steps:\n      \
                        - uses: pypa/cibuildwheel@v2\n        env:\n          \
                        CIBW_ENVIRONMENT_LINUX: CCACHE_DIR=/host/x\n";
        let folder = root.join(".github/workflows");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("wheels.yml"), workflow).unwrap();
        let repository = Self { sandbox, root };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        repository
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.current_dir(&self.root).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
        ]);
        assert!(command.args(arguments).status().unwrap().success(), "{arguments:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--message=x"]);
    }

    /// What its people type, compiled from what was brought.
    fn cargo_xtask(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO"));
        command.arg("xtask").args(arguments).current_dir(&self.root);
        let cache = self.sandbox.root.join("user-cache");
        command.env("XDG_CACHE_HOME", cache).env_remove("CARGO_TARGET_DIR");
        for (name, _) in std::env::vars() {
            if ["CIBW_", "CCACHE_", "WARMWHEEL_", "GITHUB_"].iter().any(|p| name.starts_with(p)) {
                command.env_remove(name);
            }
        }
        // Its own tests need another package of its repository, and take long.
        command.env("CIBW_TEST_REQUIRES", "");
        command.env("CIBW_TEST_COMMAND", "python -c 'import awkward_cpp.cpu_kernels'");
        // The one that cargo has set for this test is this workspace's.
        command.env_remove("CARGO_MANIFEST_DIR").output().unwrap().into()
    }

    /// Uses the test image that is there: making it takes minutes and is not what is tested.
    fn share_lab(&self) {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let (from, to) = (workspace().join(target).join("lab"), self.root.join("target/lab"));
        fs::create_dir_all(&to).unwrap();
        for entry in from.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }

    fn report(&self) -> Value {
        let path = self.root.join("target/warmwheel/latest/report.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }
}

/// Lets awkward-cpp adopt Warmwheel, and builds two versions by that; `cache` holds what they need.
pub(crate) fn check_adopted(cache: &Utf8Path) {
    let repository = Repository::new();
    let (sandbox, root) = (&repository.sandbox, &repository.root);
    sandbox
        .run(&["adopt", root.as_str(), "--yes"])
        .expect(0)
        .says("CIBW_ENVIRONMENT_LINUX = CCACHE_DIR=/host/x: not taken over, without CCACHE_DIR")
        .says("cargo xtask release-wheels --setup");
    sandbox.run(&["adopt", root.as_str(), "--yes"]).expect(0).says("nothing to write");
    sandbox.run(&["adopt", root.as_str(), "--check"]).expect(0);
    repository.commit();

    repository.cargo_xtask(&["ci", "workflow", "--check"]).expect(0);
    let workflow = fs::read_to_string(root.join(".github/workflows/release-wheels.yml")).unwrap();
    for absent in ["id-token", "gh-action-pypi-publish", "actions/attest"] {
        assert!(!workflow.contains(absent), "{absent}");
    }
    repository.share_lab();
    let flags = ["release-wheels", "--image", "lab", "--python", "3.12,3.13"];
    let flags = [&flags[..], &["--ccache-dir", cache.as_str()]].concat();
    repository.cargo_xtask(&flags).expect(0).says("done: 2 of 2 wheels");
    let report = repository.report();
    let builds = report["builds"].as_array().unwrap().iter();
    let verdicts: Vec<_> = builds.map(|build| build["cache"]["verdict"].as_str()).collect();
    assert_eq!(verdicts, [Some("hit"), Some("hit")]);
    assert_eq!(Sandbox::names(&root.join("wheelhouse")).len(), 2);

    // Nothing of the builds is left where git would see it.
    let status = Command::new("git")
        .args(["status", "--porcelain", "--untracked-files=all"])
        .current_dir(root)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stdout), "");
    assert!(!root.join(HOME).join("target").exists());
}
