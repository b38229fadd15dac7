//! `adopt`, as data.

use camino::Utf8PathBuf;
use clap::Args;

pub(super) const EXAMPLES: &str = "Examples:
  cargo xtask adopt ../mypkg              show what would be written there, and ask
  cargo xtask adopt ../mypkg --yes        write without asking; needed where there is no terminal
  cargo xtask adopt ../mypkg --diff       print the whole diff and stop
  cargo xtask adopt ../mypkg --check      name what is not this Warmwheel's; end with 2 if anything
  cargo xtask adopt ../mono --package py  the package is in a folder of the repository

Run it in a checkout of Warmwheel. All of it that builds wheels goes to tools/warmwheel there, a cargo
workspace of its own; outside of that only the alias `cargo xtask`, the workflow, and what is added to
pyproject.toml and .gitignore. After that `cargo xtask` works in the repository's root.

Run again, it brings a repository up to date. What was changed or removed there since stays so without
--force, which is for Warmwheel's own files: pyproject.toml and .gitignore are only added to, and only
the first time.

stdout carries the diff: of what is the repository's own or would be replaced, or with --diff of all.";

/// `adopt`.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Adopt {
    /// The root of the repository
    pub(crate) path: Utf8PathBuf,
    /// The folder of its package, as seen from its root [default: the root, or what it was last
    /// time]
    #[arg(long, value_name = "DIR")]
    pub(crate) package: Option<Utf8PathBuf>,
    /// Write without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Replace also files that were changed there, or were there before
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the whole diff and stop
    #[arg(long, conflicts_with = "yes")]
    pub(crate) diff: bool,
    /// Name what differs from this Warmwheel; write nothing
    #[arg(long, conflicts_with_all = ["yes", "force", "diff"])]
    pub(crate) check: bool,
}
