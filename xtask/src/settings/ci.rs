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
    /// Whether the wheels of tags are attested and published.
    pub(crate) publish: bool,
    /// The environment that publishing runs in.
    pub(crate) environment: String,
    /// The tags that are releases, as a pattern.
    pub(crate) tags: String,
    /// The repository's default branch, which alone writes the cache that runs share.
    pub(crate) branch: String,
}

impl Default for Ci {
    fn default() -> Self {
        Self {
            shards: 1,
            runners: BTreeMap::new(),
            publish: true,
            environment: "pypi".to_owned(),
            tags: "v*".to_owned(),
            branch: "main".to_owned(),
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
        for name in runners.chain([&self.environment, &self.tags, &self.branch]) {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-*/+".contains(c);
            if !name.chars().all(is_plain) {
                return Err(Fault::usage(
                    format!("{file}: [tool.warmwheel.ci] has the name {name:?}"),
                    "use letters, digits and ._-*/+ only: it stands in a workflow file",
                ));
            }
        }
        let named =
            [("environment", &self.environment), ("tags", &self.tags), ("branch", &self.branch)];
        if let Some((key, _)) = named.iter().find(|(_, name)| name.is_empty()) {
            return Err(Fault::usage(
                format!("{file}: [tool.warmwheel.ci] has an empty `{key}`"),
                "name one, or leave the setting out; `publish = false` makes no job for publishing",
            ));
        }
        // The workflow triggers on a pattern, and compares a name: only what is both will do.
        if self.branch.contains(['*', '+']) {
            return Err(Fault::usage(
                format!("{file}: [tool.warmwheel.ci] has the branch {:?}", self.branch),
                "name the default branch; only one branch writes the shared cache",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::class_of;

    fn check(ci: &Ci) -> Result<()> {
        ci.check(Utf8Path::new("pyproject.toml"))
    }

    #[test]
    fn a_name_that_could_become_a_part_of_the_workflow_is_refused() {
        for value in [
            "x\"]\n  schedule:",
            "x\\",
            "${{ secrets.TOKEN }}",
            "x' || true || '",
            "x # y",
            "x: y",
            "a\nb",
            "a\u{2028}b",
            "@tags@",
            "\u{e4}",
        ] {
            let value = || value.to_owned();
            for ci in [
                Ci { environment: value(), ..Ci::default() },
                Ci { tags: value(), ..Ci::default() },
                Ci { branch: value(), ..Ci::default() },
                Ci { runners: [("linux-x86_64".to_owned(), value())].into(), ..Ci::default() },
                Ci { runners: [(value(), "ubuntu-24.04".to_owned())].into(), ..Ci::default() },
            ] {
                assert_eq!(class_of(&check(&ci).unwrap_err()).exit_code(), 2, "{ci:?}");
            }
        }
    }

    #[test]
    fn names_as_they_are_in_use_are_taken() {
        for line in [
            "tags = 'release/*-v*'",
            "branch = 'main-2.x'",
            "environment = 'pypi_release.1'",
            "runners.linux-aarch64 = ''",
            "runners.linux-aarch64 = 'ubuntu-24.04-arm'",
        ] {
            check(&toml::from_str(line).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_branch_is_one_branch() {
        for line in ["branch = 'release/*'", "branch = 'a+'", "branch = ''"] {
            let error = check(&toml::from_str(line).unwrap()).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{line}");
        }
    }
}
