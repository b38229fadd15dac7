//! `[tool.warmwheel.ci]` and `[tool.warmwheel.pull-request]`: what workflows are made from.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8Path;
use serde::Deserialize;

use crate::fault::Fault;

/// How the package is built and published in GitHub Actions.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Ci {
    /// On how many machines each domain's later versions are built; 1 for all on one machine.
    pub(crate) shards: u16,
    /// Labels of runners by platform and architecture (`linux-aarch64`), in place of the usual ones;
    /// an empty label leaves the platform out.
    pub(crate) runners: BTreeMap<String, String>,
    /// Whether tags are published.
    pub(crate) publish: bool,
    /// The environment that publishing runs in.
    pub(crate) environment: String,
    /// The tags that are releases, as a pattern.
    pub(crate) tags: String,
}

impl Default for Ci {
    fn default() -> Self {
        Self {
            shards: 1,
            runners: BTreeMap::new(),
            publish: true,
            environment: "pypi".to_owned(),
            tags: "v*".to_owned(),
        }
    }
}

/// What is built for a pull request; everything where both are empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PullRequest {
    /// Identifiers.
    pub(crate) only: Vec<String>,
    /// Python versions.
    pub(crate) python: Vec<String>,
}

impl Ci {
    /// Refuses what would mean something else in a workflow file.
    ///
    /// # Errors
    /// A name with other characters than such names have, or a number out of range.
    pub(super) fn check(&self, file: &Utf8Path) -> Result<()> {
        if !(1..=64).contains(&self.shards) {
            return Err(Fault::usage(
                format!("{file}: [tool.warmwheel.ci] shards is {}", self.shards),
                "give a number from 1 to 64",
            ));
        }
        let runners = self.runners.iter().flat_map(|(name, label)| [name, label]);
        for name in runners.chain([&self.environment, &self.tags]) {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-*/+".contains(c);
            if !name.chars().all(is_plain) {
                return Err(Fault::usage(
                    format!("{file}: [tool.warmwheel.ci] has the name {name:?}"),
                    "use letters, digits and ._-*/+ only: it stands in a workflow file",
                ));
            }
        }
        if self.environment.is_empty() || self.tags.is_empty() {
            return Err(Fault::usage(
                format!("{file}: [tool.warmwheel.ci] has an empty `environment` or `tags`"),
                "name one, or leave the setting out; `publish = false` makes no job for publishing",
            ));
        }
        Ok(())
    }
}
