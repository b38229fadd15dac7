//! The plan, for people.

use super::tree::Node;
use super::{BuildPlan, Foreseen, Merged, Plan, Role};
use crate::text::quote;

impl Plan {
    /// A tree of domains and builds, with what is added to the package's own settings.
    pub(crate) fn to_text(&self) -> String {
        let plural = if self.builds.len() == 1 { "build" } else { "builds" };
        let mut domains: Vec<&str> = Vec::new();
        for build in &self.builds {
            if !domains.contains(&build.domain.as_str()) {
                domains.push(&build.domain);
            }
        }
        Node::new(format!("{}: {} {plural}", self.package, self.builds.len()))
            .with([
                Node::new(format!("cache: {}", self.ccache_dir)),
                Node::new(format!("wheels: {}", self.output_dir)),
                Node::new(format!("records: {}", self.report_dir)),
                Node::new(format!("a later version needs {}", self.floor())),
                Node::new(format!("at once: {}", self.pace())),
            ])
            .with(self.without_containers())
            .with(self.about_left_out().into_iter().map(Node::new))
            .with(domains.into_iter().map(|domain| self.domain(domain)))
            .with(self.builds.first().map(additions))
            .drawn()
    }

    /// That there are no containers, and what follows from it.
    fn without_containers(&self) -> Option<Node> {
        let host = self.host.as_ref()?;
        let compilers = format!("compilers: {}", host.compilers);
        let details = std::iter::once(compilers).chain(self.about_before_all()).map(Node::new);
        Some(Node::new(self.containerless()?.words()).with(details))
    }

    /// That a command of the package's, which is mostly written for a container, runs on this machine.
    pub(crate) fn about_before_all(&self) -> Option<String> {
        let command = self.builds.first()?.before_all.as_ref()?;
        Some(format!("before-all runs on this machine, once: {command}"))
    }

    /// Which selected identifiers are not built, and why, in a line for each reason.
    pub(crate) fn about_left_out(&self) -> Vec<String> {
        let Some(host) = &self.host else {
            let line = |id: &String| format!("left out, not in the image: {id}");
            return self.left_out.iter().map(line).collect();
        };
        let (unfit, absent): (Vec<&String>, Vec<_>) =
            self.left_out.iter().partition(|id| host.unfit.contains_key(*id));
        let why = |id: &String| format!("left out, {}: {id}", host.unfit[id]);
        let mut lines: Vec<_> = unfit.into_iter().map(why).collect();
        if !absent.is_empty() {
            let absent = absent.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            lines.push(format!("left out, no such interpreter here: {absent}"));
        }
        lines
    }

    fn domain(&self, domain: &str) -> Node {
        let builds: Vec<_> = self.builds.iter().filter(|build| build.domain == domain).collect();
        Node::new(format!("cache domain {domain}"))
            .with(builds.first().into_iter().flat_map(|first| surroundings(first)))
            .with(builds.iter().map(|build| self.build(build)))
    }

    fn build(&self, build: &BuildPlan) -> Node {
        let role = match (build.role, self.foreseen.get(&build.identifier)) {
            (_, Some(Foreseen::Skipped { run_id })) => {
                format!("skipped, run {run_id} has built it")
            }
            (Role::Pioneer, _) => "pioneer, may be cold".to_owned(),
            (Role::Follower, _) => "follower, must hit".to_owned(),
        };
        let hook = if build.tested { "" } else { "; no test step: audited on the host" };
        let again = match self.foreseen.get(&build.identifier) {
            Some(Foreseen::BuiltAgain { why }) => Some(format!("built again: {why}")),
            _ => None,
        };
        let note = build.env_note.as_ref().map(|note| format!("note: {note}"));
        let host = build.host.as_ref();
        let python = host
            .map(|host| format!("Python {}, {}, in {}", host.version, host.python, host.folder));
        Node::new(format!("{} ({role}{hook})", build.identifier))
            .with(again.into_iter().chain(note).chain(python).map(Node::new))
            .with([Node::new(command(build))])
    }

    /// The domains that use another ccache than they would if all could be had, in words.
    pub(crate) fn second_choices(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for build in self.builds.iter().filter(|build| build.ccache.why.is_some()) {
            let line = format!("ccache of {}: {}", build.domain, build.ccache.text());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn pace(&self) -> String {
        let further = if self.keep_going { "; a failure stops no other" } else { "" };
        match self.jobs {
            1 => format!("one build{further}"),
            jobs => {
                format!("{jobs} builds, and {} compilers in all of them{further}", self.compilers)
            }
        }
    }

    fn floor(&self) -> String {
        let what_else = if self.miss_fails { "or the run fails" } else { "or a warning is given" };
        match self.min_hit_rate.as_str() {
            "0" => format!("at least one hit, {what_else}"),
            percentage => format!("{percentage} % hits, {what_else}"),
        }
    }
}

/// What the builds of a domain run in and see.
fn surroundings(build: &BuildPlan) -> Vec<Node> {
    let image = build.image.iter().zip(build.engine);
    let image = image.map(|(image, engine)| format!("image {image}, {}", engine.name()));
    let mounts = build.mounts.iter().map(|mount| {
        let mode = if mount.read_only { "read-only" } else { "read-write" };
        format!("mount {} at {} ({mode})", mount.host, mount.container)
    });
    let ccache = format!("ccache: {}", build.ccache.text());
    image.chain([ccache]).chain(mounts).map(Node::new).collect()
}

fn additions(build: &BuildPlan) -> Node {
    let option = |merged: &Merged| {
        let origin = merged.origin.as_deref().unwrap_or("cibuildwheel's default");
        let theirs = if merged.theirs.is_empty() { "nothing" } else { &merged.theirs };
        Node::new(format!("{} ({})", merged.option, merged.variable)).with([
            Node::new(format!("ours: {}", merged.ours)),
            Node::new(format!("theirs: {theirs} ({origin})")),
        ])
    };
    Node::new(format!("added to the package's settings, for {}", build.identifier))
        .with(build.merged.iter().map(option))
}

fn command(build: &BuildPlan) -> String {
    build.argv.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}
