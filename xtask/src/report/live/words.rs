//! What the live view says at a moment, as text. Pure: the time comes as a number.

use ccache_validator::text::escape;

use super::super::terminal::duration;
use crate::event::{BuildOutcome, BuildReport, Cache, Report, Role};
use crate::history::Entry;

/// A bar's parts.
const FULL: char = '━';
const EMPTY: char = '─';
/// Its length, in characters.
const BAR: usize = 20;

/// The line of a build that runs: who, what it is doing, how long, and what the cache gave it.
pub(super) fn line(build: &BuildReport, report: &Report, now: f64) -> String {
    let phase = build.phases.last().map_or("start-up", |phase| phase.name.as_str());
    let compiled = build.counts.map(|counts| counts.hits + counts.misses);
    let doing = match (phase, compiled, files_of_another(build, report)) {
        ("build", Some(compiled), Some(all)) => format!("compile {}/{all}", compiled.min(all)),
        ("build", Some(compiled), None) => format!("compile {compiled}"),
        (phase, _, _) => phase.to_owned(),
    };
    let counts = build.counts.map_or_else(String::new, |counts| {
        let hits = if counts.hits == 1 { "hit" } else { "hits" };
        let misses = if counts.misses == 1 { "miss" } else { "misses" };
        format!("{} {hits}, {} {misses}", counts.hits, counts.misses)
    });
    let names = report.builds.iter().map(|build| build.identifier.len()).max().unwrap_or(0);
    let time = duration(now - build.started_seconds);
    let text = format!("{:names$}  {doing:16} {time:>7}  {counts}", build.identifier);
    escape(text.trim_end().as_bytes())
}

/// How many files another build of the domain has compiled that is through with it: the pioneer,
/// most often. `None` while there is none.
fn files_of_another(build: &BuildReport, report: &Report) -> Option<u64> {
    let others = report.builds.iter().filter(|it| it.domain == build.domain);
    let others = others.filter(|it| it.identifier != build.identifier);
    others.filter_map(all_files).max().filter(|all| *all > 0)
}

fn all_files(build: &BuildReport) -> Option<u64> {
    let judged =
        |cache: &Cache| Some(cache.direct_hits? + cache.preprocessed_hits? + cache.misses?);
    let is_through = build.phases.iter().rev().skip(1).any(|phase| phase.name == "build");
    let counted = build.counts.filter(|_| is_through);
    let counted = counted.map(|counts| counts.hits + counts.misses);
    build.cache.as_ref().map_or(counted, judged)
}

/// The line of the whole run.
pub(super) fn overall(report: &Report, earlier: Option<&Entry>, now: f64) -> String {
    let all = report.builds.len();
    let done = report.builds.iter().filter(|build| has_ended(build)).count();
    let left = remaining(report, earlier, now);
    #[expect(clippy::cast_precision_loss, reason = "a handful of builds")]
    let share = match left {
        Some(left) => now / (now + left),
        None => done as f64 / all.max(1) as f64,
    };
    let left = left.map_or_else(String::new, |left| format!(", about {} left", roughly(left)));
    format!("{} {done} of {all} builds, {}{left}", drawn(share), duration(now))
}

/// A guess has no tenths.
fn roughly(seconds: f64) -> String {
    if seconds < 59.5 { format!("{seconds:.0}s") } else { duration(seconds) }
}

fn drawn(share: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "one of twenty places"
    )]
    let filled = (share.clamp(0.0, 1.0) * BAR as f64) as usize;
    (0..BAR).map(|place| if place < filled { FULL } else { EMPTY }).collect()
}

fn has_ended(build: &BuildReport) -> bool {
    build.outcome != BuildOutcome::NotRun
}

/// How long the rest will take, in seconds; `None` while nothing tells.
pub(super) fn remaining(report: &Report, earlier: Option<&Entry>, now: f64) -> Option<f64> {
    let (mut together, mut longest) = (0.0_f64, 0.0_f64);
    for build in report.builds.iter().filter(|build| !has_ended(build)) {
        let whole = of_this_run(build, report).or_else(|| of_earlier(build, earlier))?;
        let spent = if has_started(build) { now - build.started_seconds } else { 0.0 };
        let rest = (whole - spent).max(0.0);
        together += rest;
        longest = longest.max(rest);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of jobs")]
    let at_once = report.jobs.max(1) as f64;
    (together > 0.0).then(|| (together / at_once).max(longest))
}

fn has_started(build: &BuildReport) -> bool {
    build.started_seconds > 0.0
}

/// What a build of its domain took in this run that has ended: a follower as it was, or the pioneer
/// without its compilation, if that was recorded. A pioneer is like none of the others.
fn of_this_run(build: &BuildReport, report: &Report) -> Option<f64> {
    let of_domain = report.builds.iter().filter(|it| {
        it.domain == build.domain && it.outcome.has_wheel() && it.elapsed_seconds > 0.0
    });
    let (followers, pioneers): (Vec<_>, Vec<_>) =
        of_domain.partition(|it| it.role == Role::Follower);
    let without =
        |it: &&BuildReport| Some(it.elapsed_seconds - it.compiling.as_ref()?.elapsed_seconds);
    let followers = followers.into_iter().map(|it| it.elapsed_seconds).reduce(f64::max);
    match build.role {
        Role::Pioneer => None,
        Role::Follower => followers.or_else(|| pioneers.iter().find_map(without)),
    }
}

/// What the same build took in an earlier run.
fn of_earlier(build: &BuildReport, earlier: Option<&Entry>) -> Option<f64> {
    let known = earlier?.builds.iter().find(|it| it.identifier == build.identifier)?;
    (known.elapsed_seconds > 0.0).then_some(known.elapsed_seconds)
}

#[cfg(test)]
mod tests;
