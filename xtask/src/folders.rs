//! Where this program's own things are.

use camino::Utf8PathBuf;

use crate::environment::Environment;
use crate::package::workspace_root;

/// The validator's file in the folder that containers see.
pub(crate) const VALIDATOR: &str = "ccache-validator";

/// The compiler launcher's.
pub(crate) const LAUNCHER: &str = "ccache-launcher";

/// The cargo workspace around this xtask.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// Its root.
    pub(crate) workspace: Utf8PathBuf,
    /// Cargo's target folder.
    pub(crate) target: Utf8PathBuf,
}

impl Folders {
    /// As cargo would have it in this environment.
    pub(crate) fn of(environment: &Environment) -> Self {
        let workspace = workspace_root(environment);
        let target = workspace.join(environment.get("CARGO_TARGET_DIR").unwrap_or("target"));
        Self { workspace, target }
    }
}
