//! The plan, for people.

use super::{BuildPlan, Plan, Role};
use crate::text::quote;

impl Plan {
    /// A tree of domains and builds, with what is added to the package's own settings.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![
            format!("{}: {} builds", self.package, self.builds.len()),
            format!("  cache:   {}", self.ccache_dir),
            format!("  wheels:  {}", self.output_dir),
            format!("  records: {}", self.report_dir),
            format!("  a later version needs: {}", self.floor()),
            format!("  at once: {}", self.pace()),
        ];
        lines.extend(self.left_out.iter().map(|id| format!("  left out, not in the image: {id}")));
        let mut domains: Vec<&str> = Vec::new();
        for build in &self.builds {
            if !domains.contains(&build.domain.as_str()) {
                domains.push(&build.domain);
            }
        }
        for domain in domains {
            let builds: Vec<_> =
                self.builds.iter().filter(|build| build.domain == domain).collect();
            lines.push(String::new());
            lines.push(format!("domain {domain}"));
            if let Some(first) = builds.first() {
                lines.extend(describe_domain(first));
            }
            for build in builds {
                let role = match build.role {
                    Role::Pioneer => "pioneer, may be cold",
                    Role::Follower => "follower, must hit",
                };
                let hook = if build.tested { "" } else { "; no test step: audited on the host" };
                lines.push(format!("  {} ({role}{hook})", build.identifier));
                lines.extend(build.env_note.as_ref().map(|note| format!("    note: {note}")));
                lines.push(format!("    {}", command(build)));
            }
        }
        if let Some(first) = self.builds.first() {
            lines.push(String::new());
            lines.push(format!("added to the package's settings, for {}:", first.identifier));
            lines.extend(describe_merged(first));
        }
        lines.join("\n")
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

fn describe_domain(build: &BuildPlan) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(image), Some(engine)) = (&build.image, build.engine) {
        lines.push(format!("  image {image}, {}", engine.name()));
    }
    for mount in &build.mounts {
        let mode = if mount.read_only { "read-only" } else { "read-write" };
        lines.push(format!("  mount {} at {} ({mode})", mount.host, mount.container));
    }
    lines
}

fn describe_merged(build: &BuildPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for merged in &build.merged {
        lines.push(format!("  {} ({})", merged.option, merged.variable));
        lines.push(format!("    ours:   {}", merged.ours));
        let origin = merged.origin.as_deref().unwrap_or("cibuildwheel's default");
        let theirs = if merged.theirs.is_empty() { "nothing" } else { &merged.theirs };
        lines.push(format!("    theirs: {theirs} ({origin})"));
    }
    lines
}

fn command(build: &BuildPlan) -> String {
    build.argv.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}
