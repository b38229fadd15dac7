//! Where this program's own things are.

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::environment::Environment;
use crate::fault::Fault;
use crate::package::{own_project, workspace_root};

/// The validator's file in the folder that containers see.
pub(crate) const VALIDATOR: &str = "ccache-validator";

/// The compiler launcher's.
pub(crate) const LAUNCHER: &str = "ccache-launcher";

/// What installs a ccache in an image that has none.
pub(crate) const INSTALLER: &str = "install-ccache";

/// Where `adopt` puts this workspace, below the root of another repository.
pub(crate) const HOME: &str = "tools/warmwheel";

/// What tells such a copy from Warmwheel's own checkout: the record of what was written.
pub(crate) const RECORD: &str = "adopted.json";

/// The cargo workspace around this xtask.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// Its root.
    pub(crate) workspace: Utf8PathBuf,
    /// The target folder of the project that it builds: cargo's own, unless this is a copy.
    pub(crate) target: Utf8PathBuf,
}

impl Folders {
    /// As cargo would have it in this environment.
    pub(crate) fn of(environment: &Environment) -> Self {
        let workspace = workspace_root(environment);
        let target = environment.get("CARGO_TARGET_DIR").unwrap_or("target");
        let target = own_project(&workspace).join(target);
        Self { workspace, target }
    }

    /// Refuses a command that only makes sense in Warmwheel's own checkout.
    ///
    /// # Errors
    /// This is a copy that some repository has adopted.
    pub(crate) fn require_checkout(&self, command: &str) -> Result<()> {
        if !self.workspace.join(RECORD).is_file() {
            return Ok(());
        }
        Err(Fault::usage(
            format!(
                "`{command}` works on Warmwheel itself, and {} is a copy of what builds wheels",
                self.workspace
            ),
            "run it in a checkout of Warmwheel",
        ))
    }
}
