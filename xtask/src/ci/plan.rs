//! A workflow's jobs: which machine builds what, and which cache it starts from.
//!
//! Pure: made from the plans of one machine of each kind.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::context::{Context, Policy};
use super::key::Key;
use crate::fault::Fault;
use crate::plan::{BuildPlan, Plan};

/// Version of the layout.
const SCHEMA: u32 = 1;

/// A kind of machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name in `[tool.warmwheel.ci.runners]`.
    pub(crate) name: &'static str,
    /// cibuildwheel's platform.
    pub(crate) platform: &'static str,
    /// The processor, as Linux calls it.
    pub(crate) machine: &'static str,
    /// GitHub's label for such a machine.
    label: &'static str,
}

/// The machines that GitHub has for everybody.
pub(crate) const KINDS: [Kind; 5] = [
    kind("linux-x86_64", "linux", "x86_64", "ubuntu-24.04"),
    kind("linux-aarch64", "linux", "aarch64", "ubuntu-24.04-arm"),
    kind("macos-arm64", "macos", "aarch64", "macos-14"),
    kind("macos-x86_64", "macos", "x86_64", "macos-15-intel"),
    kind("windows-amd64", "windows", "x86_64", "windows-2025"),
];

const fn kind(
    name: &'static str,
    platform: &'static str,
    machine: &'static str,
    label: &'static str,
) -> Kind {
    Kind { name, platform, machine, label }
}

/// The name of the kind of machine that builds and tests an identifier without emulation.
pub(crate) fn home_of(identifier: &str) -> String {
    let tag = tag_of(identifier);
    match tag {
        "win32" => return "windows-amd64".to_owned(),
        "macosx_universal2" => return "macos-arm64".to_owned(),
        _ => {}
    }
    let (system, architecture) = tag.split_once('_').unwrap_or((tag, ""));
    let platform = match system {
        "manylinux" | "musllinux" => "linux",
        "macosx" => "macos",
        "win" => "windows",
        other => other,
    };
    let architecture = if architecture == "i686" { "x86_64" } else { architecture };
    format!("{platform}-{architecture}")
}

fn tag_of(identifier: &str) -> &str {
    identifier.split_once('-').map_or(identifier, |(_, tag)| tag)
}

/// The label of the machine for an identifier; `None` where the settings leave it out.
///
/// # Errors
/// There is no such machine, and the settings name none.
pub(crate) fn label_of(
    identifier: &str,
    runners: &BTreeMap<String, String>,
) -> Result<Option<String>> {
    let home = home_of(identifier);
    if let Some(label) = runners.get(&home) {
        return Ok((!label.is_empty()).then(|| label.clone()));
    }
    let usual = KINDS.iter().find(|kind| kind.name == home);
    usual.map(|kind| Some(kind.label.to_owned())).ok_or_else(|| {
        Fault::usage(
            format!("{identifier} is selected, and no usual runner builds it without emulation"),
            format!(
                "name one under [tool.warmwheel.ci.runners], as in `{home} = \"LABEL\"`, or leave \
                 it out with an empty label"
            ),
        )
    })
}

/// What a workflow does.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CiPlan {
    schema: u32,
    package: String,
    /// Whether what is built is, or would be, published.
    release: bool,
    /// Whether jobs start from what other runs have left, and leave something themselves.
    restores: bool,
    saves: bool,
    why: &'static str,
    /// All identifiers that will have a wheel.
    pub(crate) identifiers: Vec<String>,
    /// The jobs that wait for nothing.
    pub(crate) jobs: Vec<Job>,
    /// Those that wait for a pioneer's job.
    pub(crate) followers: Vec<Job>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Job {
    /// Fit for an artifact's name.
    pub(crate) name: String,
    /// The machine's label.
    pub(crate) runs_on: String,
    /// cibuildwheel's platform.
    pub(crate) platform: String,
    /// The machine's architecture.
    pub(crate) architecture: String,
    /// The identifiers, separated by commas.
    pub(crate) only: String,
    /// The name under which the cache would be saved.
    pub(crate) cache_key: String,
    /// The beginnings of the names of caches that would do, one per line.
    pub(crate) restore_keys: String,
    /// Whether the shared cache may be restored.
    pub(crate) restore: bool,
    /// The artifact that carries a pioneer's cache to its followers' jobs; empty for none.
    pub(crate) hand_over: String,
}

/// What the jobs of one kind of machine are made from.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    /// The machine's label.
    pub(crate) label: String,
    /// The platform.
    pub(crate) platform: String,
    /// The builds.
    pub(crate) plan: Plan,
}

/// Works out the jobs. `digests` holds what is known of images by their references; A domain's later versions are built
/// on so many `machines` at most.
pub(crate) fn plan(
    shares: &[Share],
    digests: &BTreeMap<String, String>,
    machines: usize,
    context: &Context,
) -> CiPlan {
    let Policy { restores, saves, why } = context.policy();
    let mut plan = CiPlan {
        schema: SCHEMA,
        package: shares.first().map(|share| share.plan.package.clone()).unwrap_or_default(),
        release: context.is_release(),
        restores,
        saves,
        why,
        identifiers: Vec::new(),
        jobs: Vec::new(),
        followers: Vec::new(),
    };
    let mut names = Names::default();
    for share in shares {
        for builds in domains(&share.plan) {
            let identifiers = builds.iter().map(|build| build.identifier.clone());
            plan.identifiers.extend(identifiers);
            let whole = job(share, &builds, digests, context, &mut names);
            let (pioneer, followers) = shard(whole, &builds, machines);
            plan.jobs.push(pioneer);
            plan.followers.extend(followers);
        }
    }
    plan
}

/// The builds of each cache domain, in the plan's order.
fn domains(plan: &Plan) -> Vec<Vec<&BuildPlan>> {
    let mut domains: Vec<Vec<&BuildPlan>> = Vec::new();
    for build in &plan.builds {
        match domains.iter_mut().find(|builds| builds[0].domain == build.domain) {
            Some(builds) => builds.push(build),
            None => domains.push(vec![build]),
        }
    }
    domains
}

/// The job for a whole domain.
fn job(
    share: &Share,
    builds: &[&BuildPlan],
    digests: &BTreeMap<String, String>,
    context: &Context,
    names: &mut Names,
) -> Job {
    let first = builds[0];
    let tag = tag_of(&first.identifier);
    let home = home_of(&first.identifier);
    let architecture = home.split_once('-').map_or("", |(_, architecture)| architecture);
    let key = Key {
        platform: share.platform.clone(),
        architecture: architecture.to_owned(),
        tags: vec![tag.to_owned()],
        images: first.image.iter().map(|image| known(image, digests)).collect(),
        ccache: first.ccache.promised().map(ToOwned::to_owned),
    };
    Job {
        name: names.unique(tag),
        runs_on: share.label.clone(),
        platform: share.platform.clone(),
        architecture: architecture.to_owned(),
        only: only(builds),
        cache_key: key.name(context),
        restore_keys: key.restore(context).join("\n"),
        restore: context.policy().restores,
        hand_over: String::new(),
    }
}

/// An image by its digest, or by its reference where the digest is not known.
pub(crate) fn known(image: &str, digests: &BTreeMap<String, String>) -> String {
    digests.get(image).cloned().unwrap_or_else(|| image.to_owned())
}

fn only(builds: &[&BuildPlan]) -> String {
    builds.iter().map(|build| build.identifier.as_str()).collect::<Vec<_>>().join(",")
}

/// Splits a domain's job: one for its first build, and so many for the others. Followers start from
/// what the pioneer's job hands over, and from nothing else.
fn shard(whole: Job, builds: &[&BuildPlan], machines: usize) -> (Job, Vec<Job>) {
    let (pioneer, others) = builds.split_at(1);
    if machines < 2 || others.is_empty() {
        return (whole, Vec::new());
    }
    let hand_over = format!("ccache-{}", whole.name);
    let count = machines.min(others.len());
    let follower = |number: usize| {
        // Shares differ by one at most.
        let (from, until) = (others.len() * number / count, others.len() * (number + 1) / count);
        Job {
            name: format!("{}.{}", whole.name, number + 2),
            only: only(&others[from..until]),
            restore: false,
            hand_over: hand_over.clone(),
            ..whole.clone()
        }
    };
    let followers = (0..count).map(follower).collect();
    let first = Job { only: only(pioneer), hand_over: hand_over.clone(), ..whole.clone() };
    (first, followers)
}

/// Names that are given once only.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn unique(&mut self, tag: &str) -> String {
        let count = self.0.entry(tag.to_owned()).or_default();
        *count += 1;
        // Two images of one platform tag.
        if *count == 1 { tag.to_owned() } else { format!("{tag}_{count}") }
    }
}

impl CiPlan {
    /// Jobs as a matrix of GitHub's.
    pub(crate) fn matrix(jobs: &[Job]) -> String {
        serde_json::json!({ "include": jobs }).to_string()
    }
}

#[cfg(test)]
mod tests;
