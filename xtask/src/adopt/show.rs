//! What a person is told: what would be done, and what to do afterwards.

use std::fmt::Write as _;

use super::diff;
use super::plan::facts::Facts;
use super::plan::{Adoption, Change, Step, Why};
use crate::folders::HOME;
use crate::text::quote;

/// What would be done, line by line.
pub(crate) fn summary(facts: &Facts, adoption: &Adoption) -> String {
    let Adoption { steps, held, report, notes } = adoption;
    let mut text = format!("in {}:\n", facts.root);
    // Writing to a String cannot fail.
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    let all = [Change::Create, Change::Update, Change::Extend, Change::Replace, Change::Remove];
    for change in all {
        let of_change: Vec<_> = steps.iter().filter(|step| step.change == change).collect();
        let (own, beside): (Vec<_>, Vec<_>) =
            of_change.into_iter().partition(|step| step.path.starts_with(HOME));
        if !own.is_empty() {
            let counts = own.iter().map(|step| diff::counts(step.before(), step.after()));
            let (added, removed) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            let (name, files) = (name(change), own.len());
            line(format!("  {name}: {files} files in {HOME}, +{added} -{removed} lines"));
        }
        for step in beside {
            let (added, removed) = diff::counts(step.before(), step.after());
            line(format!("  {}: {}, +{added} -{removed} lines", name(change), step.path));
        }
    }
    for held in held {
        let how = match held.why {
            Why::Obsolete => "is left: delete it, or keep it as your own",
            Why::Edited | Why::Removed | Why::Foreign => "is left as it is",
        };
        line(format!("  {} {how}: {}", held.path, held.why.text()));
    }
    if held.iter().any(|held| held.why != Why::Obsolete) {
        line("  (`--force` puts this Warmwheel's in their place)".to_owned());
    }
    for found in report {
        line(found.clone());
    }
    for note in notes {
        line(format!("note: {note}"));
    }
    text.trim_end().to_owned()
}

impl Step {
    fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether its diff is shown unasked: what is Warmwheel's alone is long, and nobody there has
    /// written any of it.
    fn concerns_them(&self) -> bool {
        !self.path.starts_with(HOME) || self.change == Change::Replace
    }
}

fn name(change: Change) -> &'static str {
    match change {
        Change::Create => "new",
        Change::Update => "brought up to date",
        Change::Extend => "added to",
        Change::Replace => "replaced, what was changed there is lost",
        Change::Remove => "removed",
    }
}

/// The changes as a diff: all of them, or those that concern the repository's own.
pub(crate) fn diffs(adoption: &Adoption, whole: bool) -> String {
    let shown = adoption.steps.iter().filter(|step| whole || step.concerns_them());
    shown.map(|step| diff::unified(&step.path, step.before(), step.after())).collect()
}

/// The two commands to run next.
pub(crate) fn next(facts: &Facts, adoption: &Adoption) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for Step { path, .. } in &adoption.steps {
        let path = if path.starts_with(HOME) { HOME } else { path.as_str() };
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let second = if facts.is_in_git() {
        let force = if facts.git.ignored.is_empty() { "" } else { " --force" };
        let paths: Vec<_> = paths.into_iter().map(quote).collect();
        format!("git add{force} {} && git commit", paths.join(" "))
    } else {
        "cargo xtask ci workflow --check".to_owned()
    };
    format!(
        "next, in {}:\n  cargo xtask release-wheels --setup\n  {second}",
        quote(facts.root.as_str())
    )
}
