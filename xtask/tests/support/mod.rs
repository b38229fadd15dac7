//! A sandbox for tests of the whole program: a project, a cache and a `PATH` of its own.

pub(crate) mod runner;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

/// A temporary folder with a project, a user's cache and a folder of fake programs.
pub(crate) struct Sandbox {
    _folder: TempDir,
    pub(crate) root: Utf8PathBuf,
    variables: BTreeMap<String, String>,
}

/// What a command left.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Panics with everything the command said unless it ended with `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Panics unless stderr has `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Sandbox {
    /// With a plain setuptools package as the project, and the machine's own `PATH`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let cache = root.join("user-cache");
        fs::create_dir_all(cache.join("warmwheel")).unwrap();
        let mut sandbox = Self { _folder: folder, root, variables: BTreeMap::new() };
        sandbox.set("XDG_CACHE_HOME", cache.as_str());
        // No test reaches out for a release that it has not made itself.
        sandbox.set("WARMWHEEL_CCACHE", "image");
        sandbox.write("project/pyproject.toml", "[project]\nname = 'pkg'\nversion = '1'\n");
        sandbox.write("project/pkg.c", "int answer(void) { return 42; }\n");
        sandbox
    }

    pub(crate) fn project(&self) -> Utf8PathBuf {
        self.root.join("project")
    }

    /// Writes a file below the sandbox's root.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a program that comes first in `PATH`.
    pub(crate) fn program(&mut self, name: &str, script: &str) {
        let path = format!("bin/{name}");
        self.write(&path, script);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.root.join(&path), mode).unwrap();
        let machine = std::env::var("PATH").unwrap();
        let folder = self.root.join("bin");
        self.set("PATH", &format!("{folder}:{machine}"));
    }

    /// Sets a variable for every command.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Leaves a variable unset for every command.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// The program under test, in the project, with none of the test runner's own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(XTASK);
        command.args(arguments).current_dir(self.project());
        for (name, _) in std::env::vars() {
            if ["CIBW_", "CCACHE_", "WARMWHEEL_", "GITHUB_"].iter().any(|p| name.starts_with(p)) {
                command.env_remove(name);
            }
        }
        command.envs(&self.variables);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// `release-wheels` on the sandbox's project.
    pub(crate) fn release_wheels(&self, arguments: &[&str]) -> Ran {
        let project = self.project();
        self.run(&[&["release-wheels", "--project", project.as_str()], arguments].concat())
    }

    /// Shares the installed cibuildwheel of this machine's user: installing it anew for each test
    /// would take longer than the tests.
    pub(crate) fn with_tools(self) -> Self {
        let tools = tools();
        std::os::unix::fs::symlink(tools, self.root.join("user-cache/warmwheel/tools")).unwrap();
        self
    }

    /// With an engine that says that it is there and has every image, each with the same `build` and
    /// the same ccache.
    pub(crate) fn with_pretended_engine(self) -> Self {
        self.with_images_that_say("ccache version 4.7.5")
    }

    /// The same with something else in the place of the ccache.
    pub(crate) fn with_images_that_say(mut self, words: &str) -> Self {
        let script = r#"#!/bin/sh
case $1 in
ps) ;;
image) echo "sha256:0af linux/amd64";;
run)
    for python in cp311-cp311 cp312-cp312; do
        echo "/opt/python/$python/lib/python3/site-packages/build-1.6.1.dist-info"
    done
    echo "@WORDS@";;
*) exit 1;;
esac
"#;
        self.program("podman", &script.replace("@WORDS@", words));
        self.program("docker", "#!/bin/sh\nexit 1\n");
        self
    }

    /// File names in a folder of the sandbox, sorted; none for a folder that is not there.
    pub(crate) fn names(folder: &Utf8Path) -> Vec<String> {
        let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }
}

/// The folder that holds the installed cibuildwheel; installs it if need be.
fn tools() -> &'static Utf8Path {
    real_python().ancestors().nth(3).unwrap()
}

/// The Python of this machine's user that has cibuildwheel.
pub(crate) fn real_python() -> &'static Utf8Path {
    static PYTHON: OnceLock<Utf8PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        // Nothing that is only pretended may be remembered in the user's own cache.
        let mut sandbox = Sandbox::new().with_pretended_engine();
        sandbox.program("podman", "#!/bin/sh\n[ $1 = ps ]\n");
        sandbox.unset("XDG_CACHE_HOME");
        sandbox.python()
    })
}

impl Sandbox {
    /// The Python that a run in this sandbox would use.
    pub(crate) fn python(&self) -> Utf8PathBuf {
        let plan = self.release_wheels(&["--plan=json"]).expect(0).stdout;
        let plan: Value = serde_json::from_str(&plan).unwrap();
        plan["builds"][0]["argv"][0].as_str().unwrap().into()
    }
}
