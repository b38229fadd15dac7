//! What the decision is made from.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::adopt::record::{Record, Release};
use crate::adopt::rust;
use crate::ci::workflow;
use crate::folders::{HOME, RECORD};
use crate::pins::Action;

/// git's list of what to leave alone.
pub(in crate::adopt) const IGNORE: &str = ".gitignore";

/// Everything that is decided from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The repository, absolute and without links.
    pub(crate) root: Utf8PathBuf,
    /// What this workspace has to bring, relative to it.
    pub(in crate::adopt) sources: BTreeMap<Utf8PathBuf, String>,
    /// What stands in the repository where something may be written.
    pub(in crate::adopt) there: BTreeMap<Utf8PathBuf, Found>,
    /// Files that say something about its own Rust.
    pub(in crate::adopt) rust: BTreeMap<Utf8PathBuf, String>,
    /// Its workflows.
    pub(in crate::adopt) workflows: BTreeMap<Utf8PathBuf, String>,
    /// What an earlier `adopt` has written.
    pub(in crate::adopt) record: Option<Record>,
    /// The folder of its package, relative to it, and whether that is one.
    pub(in crate::adopt) package: Utf8PathBuf,
    pub(in crate::adopt) is_package: bool,
    /// What git says.
    pub(in crate::adopt) git: Git,
    /// The pinned actions.
    pub(in crate::adopt) actions: BTreeMap<String, Action>,
    /// This Warmwheel.
    pub(in crate::adopt) release: Release,
}

/// What stands in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adopt) enum Found {
    /// A file with this text.
    Text(String),
    /// Something that is not written through or over: what it is.
    Obstacle(String),
}

/// What git says of the repository.
#[derive(Clone, Debug, Default)]
pub(in crate::adopt) struct Git {
    /// The root of the repository that the folder lies in; `None` for no repository.
    pub(in crate::adopt) top: Option<Utf8PathBuf>,
    /// How many files have changes that are not committed.
    pub(in crate::adopt) changes: usize,
    /// The default branch.
    pub(in crate::adopt) branch: Option<String>,
    /// What of the files to write is ignored.
    pub(in crate::adopt) ignored: Vec<Utf8PathBuf>,
}

impl Facts {
    /// The text of a file of the repository, if it is there.
    pub(in crate::adopt) fn text(&self, path: &Utf8Path) -> Option<&str> {
        match self.there.get(path)? {
            Found::Text(text) => Some(text),
            Found::Obstacle(_) => None,
        }
    }

    /// Whether it is a git repository.
    pub(in crate::adopt) fn is_in_git(&self) -> bool {
        self.git.top.is_some()
    }

    /// Whether settings were proposed for this package before.
    pub(in crate::adopt) fn is_settled(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.package == self.package)
    }

    /// Whether the repository has adopted Warmwheel.
    pub(crate) fn has_adopted(&self) -> bool {
        self.record.is_some()
    }
}

/// Every path at which something may be written, for this workspace's files.
pub(in crate::adopt) fn places(
    workspace_files: impl Iterator<Item = Utf8PathBuf>,
    record: Option<&Record>,
    package: &Utf8Path,
) -> Vec<Utf8PathBuf> {
    let own = workspace_files.map(|path| Utf8Path::new(HOME).join(path));
    let recorded = record.into_iter().flat_map(|record| record.files.keys().cloned());
    let single = [rust::CONFIG, IGNORE, workflow::FILE].map(Utf8PathBuf::from);
    let mut places: Vec<_> = own.chain(recorded).chain(single).collect();
    places.extend([package.join("pyproject.toml"), record_file()]);
    places.sort();
    places.dedup();
    places
}

/// Where the record is.
pub(in crate::adopt) fn record_file() -> Utf8PathBuf {
    Utf8Path::new(HOME).join(RECORD)
}
