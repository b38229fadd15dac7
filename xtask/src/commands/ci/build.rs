//! `cargo xtask ci build`: `release-wheels` in GitHub's dialect, under the rules of the shared cache.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;

use super::{context_of, outputs_file, summary_file};
use crate::cache::origin::{self, Origin};
use crate::cache::saving;
use crate::ci::context::{Context, Policy};
use crate::ci::key::{self, Key};
use crate::ci::plan as jobs;
use crate::cli::Builder;
use crate::cli::ci::CiBuild;
use crate::commands::release_wheels::Run;
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{Report, Reporter, RunOutcome};
use crate::fault::Fault;
use crate::host;
use crate::plan::{Plan, Role};
use crate::report::github::{self, GitHub};

/// Where a workflow hands the name down that `ci plan` has made for a job's cache.
const CACHE_KEY: &str = "WARMWHEEL_CACHE_KEY";

/// Builds, and leaves outputs, summary and a cache that can be saved.
pub(super) fn run(
    flags: &CiBuild,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    let Some(context) = context_of(environment)? else {
        return Err(Fault::usage(
            "GITHUB_ACTIONS is not `true`: this is no job of GitHub Actions",
            "on a laptop use `cargo xtask release-wheels`",
        ));
    };
    let console = console.quietened(flags.wheels.quiet);
    let policy = context.policy();
    if flags.wheels.builder == Some(Builder::Host) {
        return Err(Fault::usage(
            "--builder host makes wheels for one machine's C library; a workflow makes them for \
             everybody",
            "leave it out here, or use `cargo xtask release-wheels --builder host`",
        ));
    }
    // Whatever the package says for laptops: what is released never comes from somewhere else.
    let builder = Some(Builder::Cibuildwheel);
    let mut run = Run::plan(&flags.wheels, builder, environment, console)?;
    if let Some(format) = flags.wheels.plan {
        return run.show(format);
    }
    admit(&run.plan, &policy, &context, flags.no_pioneer)?;
    console.say(format!(
        "shared cache: {}, {} ({})",
        if policy.restores { "restored" } else { "not restored" },
        if policy.saves { "saved afterwards" } else { "not saved" },
        policy.why
    ));
    if flags.no_pioneer {
        run.plan.builds.iter_mut().for_each(|build| build.role = Role::Follower);
    }
    let summary = summary_file(environment);
    let shown = |_| -> Box<dyn Reporter> { Box::new(GitHub::new(console, summary)) };
    let (code, report) = run.execute(shown, &|plan| {
        origin::sign(&plan.ccache_dir, &context.run)?;
        if flags.no_pioneer { origin::claim_markers(plan) } else { Ok(()) }
    })?;
    let saves = leave(&run.plan, &policy, &report, environment, console);
    if let Some(file) = outputs_file(environment) {
        let key = environment.get(CACHE_KEY);
        github::append_outputs(&file, &outputs(&run.plan, &report, &context, key, saves))?;
    }
    Ok(ExitCode::from(code))
}

/// Refuses a cache folder that this run must not start from.
fn admit(plan: &Plan, policy: &Policy, context: &Context, no_pioneer: bool) -> Result<()> {
    let folder = &plan.ccache_dir;
    let origin = Origin::of(folder, &context.run);
    if no_pioneer && origin == Origin::Empty {
        return Err(Fault::usage(
            format!("--no-pioneer, but the cache folder {folder} is empty"),
            "restore what the pioneer's job has handed over before this step",
        ));
    }
    if !policy.restores && origin == Origin::Elsewhere {
        return Err(Fault::usage(
            format!("{}, but the cache folder {folder} holds what one has left", policy.why),
            "restore no cache for a release (`ci plan` says so for each job), or name an empty \
             folder with --ccache-dir",
        ));
    }
    Ok(())
}

/// Gets the cache folder ready to be saved; returns whether it is to be.
fn leave(
    plan: &Plan,
    policy: &Policy,
    report: &Report,
    environment: &Environment,
    console: Console,
) -> bool {
    if report.outcome == Some(RunOutcome::Interrupted) {
        // There are seconds left, and what was interrupted may lie about half made.
        return false;
    }
    for warning in saving::make_ready(plan, &ccache_versions(report), environment) {
        let line = github::annotation(github::Level::Warning, "the cache folder", &warning);
        console.write(|out| writeln!(out, "{line}"));
    }
    policy.saves
}

/// The versions of ccache that builds have used.
fn ccache_versions(report: &Report) -> BTreeSet<&str> {
    let caches = report.builds.iter().filter_map(|build| build.cache.as_ref());
    caches.filter_map(|cache| cache.ccache_version.as_deref()).collect()
}

/// The step's outputs.
fn outputs(
    plan: &Plan,
    report: &Report,
    context: &Context,
    planned_key: Option<&str>,
    saves: bool,
) -> Vec<(&'static str, String)> {
    let versions = ccache_versions(report).into_iter().collect::<Vec<_>>().join("+");
    let name = planned_key.map_or_else(|| key_of(plan).name(context), ToOwned::to_owned);
    let name = if versions.is_empty() { name } else { key::with_ccache(&name, &versions) };
    let is_cold = report
        .builds
        .iter()
        .any(|build| build.cache.as_ref().is_some_and(|cache| cache.verdict == "cold"));
    vec![
        ("wheels-dir", plan.output_dir.to_string()),
        ("hit-rate", report.hit_rate().map(percentage).unwrap_or_default()),
        ("cold", is_cold.to_string()),
        ("cache-key", name),
        ("cache-save", saves.to_string()),
        ("report", plan.report_dir.join("report.json").to_string()),
    ]
}

/// What a job's cache is for, where no plan has said it.
fn key_of(plan: &Plan) -> Key {
    let mut tags = BTreeSet::new();
    let mut images = BTreeSet::new();
    for build in &plan.builds {
        let tag = build.identifier.split_once('-').map_or("", |(_, tag)| tag);
        tags.insert(tag.to_owned());
        let digest = build.image_id.as_ref().map(|id| format!("sha256:{id}"));
        images.extend(digest.or_else(|| build.image.clone()));
    }
    let home = plan.builds.first().map(|build| jobs::home_of(&build.identifier));
    let home = home.unwrap_or_default();
    let platform = home.split_once('-').map_or("", |(platform, _)| platform);
    Key {
        platform: platform.to_owned(),
        architecture: host::architecture(),
        tags: tags.into_iter().collect(),
        images: images.into_iter().collect(),
        ccache: None,
    }
}

/// In percent with one decimal, never rounded up.
fn percentage(fraction: f64) -> String {
    format!("{:.1}", (fraction * 1000.0).floor() / 10.0)
}

#[cfg(test)]
mod tests;
