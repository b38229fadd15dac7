//! What GitHub says of a workflow run, and what such a run may do with the shared cache.

use anyhow::Result;
use serde_json::Value;

use crate::environment::Environment;
use crate::fault::Fault;

/// A workflow run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// What has set it off, such as `pull_request`.
    pub(crate) event: String,
    /// The branch or tag, without `refs/heads/`; of a pull request `N/merge`.
    pub(crate) name: String,
    /// Whether that is a tag.
    is_tag: bool,
    /// The repository's default branch.
    default_branch: Option<String>,
    /// The commit.
    pub(crate) commit: String,
    /// Tells this workflow run, with all its jobs, from every other.
    pub(crate) run: String,
    /// Whether this is a release although there is no tag: its rehearsal.
    is_rehearsal: bool,
}

/// What a run may do with the cache that runs share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether it may start from what other runs have left.
    pub(crate) restores: bool,
    /// Whether it may leave something for others.
    pub(crate) saves: bool,
    /// Why, for a person.
    pub(crate) why: &'static str,
}

/// The events whose code is the default branch's own. Others can run on that branch's behalf with
/// somebody else's code (`pull_request_target`, `workflow_run`): what those leave is not trusted.
const TRUSTED: [&str; 3] = ["push", "schedule", "workflow_dispatch"];

impl Context {
    /// What the environment says; `event` is the text of the file that `GITHUB_EVENT_PATH` names.
    ///
    /// # Errors
    /// A variable that GitHub always sets is missing.
    pub(crate) fn of(environment: &Environment, event: Option<&str>) -> Result<Self> {
        let required = |name: &str| {
            environment.get(name).map(ToOwned::to_owned).ok_or_else(|| {
                Fault::usage(
                    format!("{name} is not set: this is no job of GitHub Actions"),
                    "on a laptop use `cargo xtask release-wheels`",
                )
            })
        };
        let event = event.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let default_branch = event.as_ref().and_then(|event| {
            Some(event.get("repository")?.get("default_branch")?.as_str()?.to_owned())
        });
        Ok(Self {
            event: required("GITHUB_EVENT_NAME")?,
            name: required("GITHUB_REF_NAME")?,
            is_tag: environment.get("GITHUB_REF_TYPE") == Some("tag"),
            default_branch,
            commit: required("GITHUB_SHA")?,
            run: format!("{}/{}", required("GITHUB_REPOSITORY")?, required("GITHUB_RUN_ID")?),
            is_rehearsal: environment.get("WARMWHEEL_RELEASE") == Some("true"),
        })
    }

    /// Whether what is built here is, or would be, published.
    pub(crate) fn is_release(&self) -> bool {
        self.is_tag || self.is_rehearsal || self.event == "release"
    }

    /// What this run may do with the shared cache.
    pub(crate) fn policy(&self) -> Policy {
        if self.is_release() {
            let why = "a release trusts no earlier run";
            return Policy { restores: false, saves: false, why };
        }
        let is_default = self.default_branch.as_deref() == Some(self.name.as_str());
        let (saves, why) = match (is_default, TRUSTED.contains(&self.event.as_str())) {
            (true, true) => (true, "the default branch fills the shared cache"),
            (true, false) => (false, "this event may run code that is not the default branch's"),
            (false, _) => (false, "only the default branch fills the shared cache"),
        };
        Policy { restores: true, saves, why }
    }

    /// The branch whose caches are of use here: the only one that leaves any.
    pub(crate) fn source(&self) -> Option<&str> {
        self.default_branch.as_deref()
    }

    /// Somewhere that is not GitHub, to look at a plan.
    pub(crate) fn elsewhere() -> Self {
        Self { name: "here".to_owned(), commit: "now".to_owned(), ..Self::default() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run as GitHub would describe it.
    pub(crate) fn context(event: &str, name: &str, more: &[(&str, &str)]) -> Context {
        let variables = [
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_REF_NAME", name),
            ("GITHUB_SHA", "0123abc"),
            ("GITHUB_REPOSITORY", "me/pkg"),
            ("GITHUB_RUN_ID", "77"),
        ];
        let all = variables.iter().chain(more).map(|&(n, v)| (n.to_owned(), v.to_owned()));
        let event = r#"{"repository": {"default_branch": "main"}}"#;
        Context::of(&all.collect(), Some(event)).unwrap()
    }

    fn policy(event: &str, name: &str, more: &[(&str, &str)]) -> (bool, bool) {
        let policy = context(event, name, more).policy();
        (policy.restores, policy.saves)
    }

    #[test]
    fn only_the_default_branch_writes_and_a_release_reads_nothing() {
        let tag = [("GITHUB_REF_TYPE", "tag")];
        let rehearsal = [("WARMWHEEL_RELEASE", "true")];
        assert_eq!(policy("push", "main", &[]), (true, true));
        assert_eq!(policy("schedule", "main", &[]), (true, true));
        assert_eq!(policy("push", "feature", &[]), (true, false));
        assert_eq!(policy("pull_request", "3/merge", &[]), (true, false));
        assert_eq!(policy("pull_request_target", "main", &[]), (true, false));
        assert_eq!(policy("workflow_run", "main", &[]), (true, false));
        assert_eq!(policy("push", "v1.0", &tag), (false, false));
        // A tag that has the default branch's name is a tag.
        assert_eq!(policy("push", "main", &tag), (false, false));
        assert_eq!(policy("workflow_dispatch", "main", &rehearsal), (false, false));
        assert_eq!(policy("release", "v1.0", &[]), (false, false));
    }

    #[test]
    fn an_unknown_default_branch_writes_nothing() {
        let known = context("push", "main", &[]);
        let unknown = Context { default_branch: None, ..known };
        assert_eq!((unknown.policy().restores, unknown.policy().saves), (true, false));
    }

    #[test]
    fn without_githubs_variables_it_is_refused() {
        let error = Context::of(&Environment::default(), None).unwrap_err();
        assert!(error.to_string().contains("GITHUB_EVENT_NAME"));
    }
}
