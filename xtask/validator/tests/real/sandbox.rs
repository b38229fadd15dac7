//! A project, a cache and an environment of their own for each test.

#![expect(clippy::disallowed_methods, reason = "these tests start ccache, gcc and the validator")]

use ccache_validator::environment::Environment;
use ccache_validator::record::Record;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// What a program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The sandbox's folder, which may be gone by now.
    pub(crate) root: PathBuf,
}

impl Ran {
    pub(crate) fn from_output(output: Output, root: PathBuf) -> Self {
        Self {
            root,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The record that `--json` printed.
    pub(crate) fn record(&self) -> Record {
        Record::from_json(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks exit code and verdict, and that the words hold each of `words`.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, verdict: &str, words: &[&str]) -> &Self {
        let said = self.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(self.code, code, "{self:#?}");
        assert!(said.contains(&format!(": {verdict}")), "no {verdict} in {said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in {said}");
        }
        self
    }
}

#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, OsString>,
    /// Another user than root, for programs to run as; root may write everywhere.
    user: Option<u32>,
}

impl Sandbox {
    /// A project of two files; ccache set up as in a build container.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Environment::read().get("PATH").map(ToOwned::to_owned).unwrap_or_default();
        let mut sandbox = Self { folder, variables: BTreeMap::new(), user: None };
        sandbox.set("PATH", path);
        for program in ["ccache", "gcc"] {
            assert!(
                Command::new(program)
                    .arg("--version")
                    .output()
                    .is_ok_and(|ran| ran.status.success()),
                "{program} is missing; install it: apt-get install ccache gcc"
            );
        }
        for (name, place) in [
            ("HOME", "home"),
            ("CCACHE_DIR", "cache"),
            ("CCACHE_STATSLOG", "statslog"),
            ("CCACHE_BASEDIR", "project"),
        ] {
            sandbox.set(name, sandbox.path(place));
        }
        sandbox.set("CIBUILDWHEEL_BUILD_IDENTIFIER", "cp312-manylinux_x86_64");
        sandbox.set("WARMWHEEL_RUN_ID", "run-1");
        for made in ["home", "project"] {
            fs::create_dir(sandbox.path(made)).unwrap();
        }
        sandbox.write("project/a.c", "int a(void) { return 1; }\n");
        sandbox.write("project/b.c", "int b(void) { return 2; }\n");
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.hand_over(&path);
        path
    }

    /// An executable script in a folder that then comes first on PATH.
    pub(crate) fn fake(&mut self, name: &str, text: &str) {
        let script = self.write(&format!("{name}.sh"), text);
        self.place(&script, &format!("fake/{name}"));
        self.put_first("fake");
    }

    /// Puts a folder in front on PATH.
    pub(crate) fn put_first(&mut self, name: &str) {
        let mut folders = vec![self.path(name)];
        folders.extend(std::env::split_paths(&self.variables["PATH"]));
        self.set("PATH", std::env::join_paths(folders).unwrap());
    }

    /// Copies a program to `name`. Another process does it: a file that this one has open for writing
    /// is inherited by what other tests start meanwhile, and cannot be run until they let go of it.
    pub(crate) fn place(&self, program: &Path, name: &str) {
        let target = self.path(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        let mut install = Command::new("install");
        let status = install.args(["-m", "755"]).arg(program).arg(target).status().unwrap();
        assert!(status.success(), "{install:?}");
    }

    /// Where PATH has a program.
    pub(crate) fn installed(&self, name: &str) -> PathBuf {
        let mut folders = std::env::split_paths(&self.variables["PATH"]);
        folders.find_map(|folder| Some(folder.join(name)).filter(|it| it.is_file())).unwrap()
    }

    /// Puts a ccache in front that is the installed one but for what 3.7 lacked.
    pub(crate) fn age_ccache(&mut self) {
        self.set("REAL_CCACHE", self.installed("ccache"));
        self.fake("ccache", include_str!("../fixtures/ccache-3.7.sh"));
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    pub(crate) fn variable(&self, name: &str) -> &OsString {
        &self.variables[name]
    }

    fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.env_clear().envs(&self.variables).current_dir(self.path("project"));
        command.stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Runs a program, given with its arguments, in the project's folder.
    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.command(words[0]).args(&words[1..]).output().unwrap()
    }

    /// Starts a program as [`Sandbox::output`] does, its output kept for later.
    pub(crate) fn spawn(&self, words: &[&str]) -> Child {
        let mut command = self.command(words[0]);
        command.args(&words[1..]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a program in the project's folder; it has to succeed.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = self.command(words[0]).args(&words[1..]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }

    /// Compiles the project's two files through ccache, with `options`.
    #[track_caller]
    pub(crate) fn build(&self, options: &str) {
        for name in ["a", "b"] {
            self.run(&format!("ccache gcc {options} -c {name}.c -o {name}.o"));
        }
    }

    /// Runs all programs as a user who has no right to write what is read-only, which root has.
    pub(crate) fn without_rights() -> Self {
        const NOBODY: u32 = 65534;
        let mut sandbox = Self::new();
        // The programs that are tested may lie in a folder that only its owner may enter.
        sandbox.place(Path::new(env!("CARGO_BIN_EXE_ccache-validator")), "validator");
        sandbox.place(&sandbox.installed("ccache"), "bin/ccache");
        sandbox.put_first("bin");
        if fs::metadata(sandbox.path("")).unwrap().uid() == 0 {
            sandbox.user = Some(NOBODY);
            for place in ["", "home", "project", "project/a.c", "project/b.c", "bin", "validator"] {
                sandbox.hand_over(&sandbox.path(place));
            }
        }
        sandbox
    }

    /// Gives a file to the user whom programs run as.
    fn hand_over(&self, path: &Path) {
        if self.user.is_some() {
            chown(path, self.user, self.user).unwrap();
        }
    }

    fn validator(&self, arguments: &[&str]) -> Command {
        let copy = self.path("validator");
        let built = Path::new(env!("CARGO_BIN_EXE_ccache-validator"));
        let mut command = self.command(if copy.exists() { &copy } else { built });
        command.args(arguments);
        command
    }

    /// Runs the validator with `arguments`.
    pub(crate) fn call(&self, arguments: &[&str]) -> Ran {
        self.ran(self.validator(arguments).output().unwrap())
    }

    pub(crate) fn ran(&self, output: Output) -> Ran {
        Ran::from_output(output, self.path(""))
    }

    /// Starts the validator with `arguments`, its output kept for later.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.validator(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs `validate` alone for a Python tag such as `cp312`.
    pub(crate) fn validate_for(&self, python: &str, arguments: &[&str]) -> Ran {
        let identifier = format!("{python}-manylinux_x86_64");
        self.call(&[&["validate", "--identifier", &identifier], arguments].concat())
    }

    /// Runs `validate --json` with `arguments`.
    pub(crate) fn validate(&self, arguments: &[&str]) -> Ran {
        self.call(&[&["validate", "--json"], arguments].concat())
    }
}

/// Whether the documents are to be written anew.
pub(crate) fn wants_update() -> bool {
    std::env::var_os("VERDICTS_UPDATE").is_some()
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
