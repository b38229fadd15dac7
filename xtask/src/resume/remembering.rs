//! A builder that writes down what it has built, for `--resume`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::inputs::{Asked, Inputs};
use super::{Accepted, Decision, Kept, Reason, Resume};
use crate::cache::warmth::Place;
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{BuildOutcome, BuildResult, WheelFile};
use crate::interrupt::Interrupt;
use crate::plan::{BuildPlan, Foreseen, Plan, Role};
use crate::scheduler::{Builder, Job, Tell};

/// Has another builder do the builds.
pub(crate) struct Remembering<'a> {
    plan: &'a Plan,
    builder: &'a dyn Builder,
    resume: &'a Resume,
    /// What each build of the plan is made with.
    inputs: &'a [Inputs],
    /// Held while it is written down what the cache has become warm for.
    warmth: Mutex<()>,
    console: Console,
}

impl<'a> Remembering<'a> {
    /// `inputs` are those of the plan's builds, in order.
    pub(crate) fn new(
        plan: &'a Plan,
        inputs: &'a [Inputs],
        builder: &'a dyn Builder,
        resume: &'a Resume,
        console: Console,
    ) -> Self {
        Self { plan, builder, resume, inputs, warmth: Mutex::default(), console }
    }

    /// The builds that need not be done again, by their place in the plan. Why others must be, though
    /// they once were, is told.
    pub(crate) fn done(&self) -> BTreeMap<usize, BuildResult> {
        let mut done = BTreeMap::new();
        for (place, (build, inputs)) in self.plan.builds.iter().zip(self.inputs).enumerate() {
            match self.resume.decide(&build.identifier, inputs) {
                Decision::Done(kept) => {
                    done.insert(place, resumed(*kept));
                }
                Decision::Build(Reason::NotBuilt) => {}
                Decision::Build(Reason::Changed(what)) => {
                    self.console.say(format!("{} is built again: {what}", build.identifier));
                }
            }
        }
        done
    }

    fn note(&self, build: &BuildPlan, result: &BuildResult, elapsed_seconds: f64) {
        let place = self.plan.builds.iter().position(|it| it.identifier == build.identifier);
        let (Some(inputs), Some(wheel)) = (place.map(|it| &self.inputs[it]), &result.wheel) else {
            return;
        };
        let accepted = Accepted {
            wheel: &wheel.path,
            sha256: &wheel.sha256,
            size_bytes: wheel.size_bytes,
            cache: serde_json::to_value(&result.cache).unwrap_or_default(),
            elapsed_seconds,
            tested: build.tested,
        };
        if let Err(error) = self.resume.note(&build.identifier, inputs, &accepted) {
            let identifier = &build.identifier;
            self.console.warn(format!("--resume will not know of {identifier}: {error:#}"));
        }
        let Some(source) = self.resume.source() else { return };
        let place = place_of(self.plan, &build.domain);
        let _one_at_a_time = self.warmth.lock().unwrap_or_else(PoisonError::into_inner);
        // Without it the next run has a pioneer, and is none the worse for it otherwise.
        let _ = place.note(&build.identifier, inputs.fingerprint(), &source);
    }
}

impl Builder for Remembering<'_> {
    fn build(&self, job: &Job<'_>, interrupt: &Interrupt, tell: &Tell<'_>) -> Vec<BuildResult> {
        let began = Instant::now();
        let results = self.builder.build(job, interrupt, tell);
        for (build, result) in job.builds.iter().zip(&results) {
            if result.outcome.has_wheel() {
                self.note(build, result, began.elapsed().as_secs_f64());
            }
        }
        results
    }
}

/// Leaves the domains without a pioneer that need none.
pub(crate) fn without_needless_pioneers(plan: &mut Plan, inputs: &[Inputs], resume: &Resume) {
    let domains: BTreeSet<_> = plan.builds.iter().map(|build| build.domain.clone()).collect();
    for domain in domains {
        let of_domain = plan.builds.iter().zip(inputs).filter(|(build, _)| build.domain == domain);
        let wanted: BTreeMap<_, _> = of_domain
            .map(|(build, inputs)| (build.identifier.clone(), inputs.fingerprint()))
            .collect();
        if place_of(plan, &domain).is_warm(&wanted, || resume.source()) {
            let builds = plan.builds.iter_mut().filter(|build| build.domain == domain);
            builds.for_each(|build| build.role = Role::Follower);
        }
    }
}

/// What will become of the builds that earlier runs have done.
pub(crate) fn foreseen(
    plan: &Plan,
    inputs: &[Inputs],
    resume: &Resume,
) -> BTreeMap<String, Foreseen> {
    let foresee = |(build, inputs): (&BuildPlan, &Inputs)| {
        let foreseen = match resume.decide(&build.identifier, inputs) {
            Decision::Done(kept) => Foreseen::Skipped { run_id: kept.run_id },
            Decision::Build(Reason::Changed(why)) => Foreseen::BuiltAgain { why },
            Decision::Build(Reason::NotBuilt) => return None,
        };
        Some((build.identifier.clone(), foreseen))
    };
    plan.builds.iter().zip(inputs).filter_map(foresee).collect()
}

fn place_of<'a>(plan: &'a Plan, domain: &'a str) -> Place<'a> {
    Place { ccache_dir: &plan.ccache_dir, domain, package: &plan.package }
}

/// What each build of a plan is made with. `user` holds the user's own variables, `common` what is
/// the same for all builds.
pub(crate) fn inputs_of(plan: &Plan, user: &Environment, common: &Asked) -> Vec<Inputs> {
    plan.builds.iter().map(|build| inputs_of_build(build, user, common)).collect()
}

fn inputs_of_build(build: &BuildPlan, user: &Environment, common: &Asked) -> Inputs {
    let planned = &build.environment;
    let environment = match &build.host {
        Some(host) => super::inputs::inherited(user, planned, &host.inherits),
        None => super::inputs::variables(user, planned, build.image.is_some(), &build.passed),
    };
    let image = build.image_id.clone().or_else(|| build.image.clone()).unwrap_or_default();
    let mut tools = common.tools.clone();
    // Any other is the image's, or comes from what the settings install in it.
    let pinned = build.ccache.pinned.as_ref();
    tools.extend(pinned.map(|pinned| ("ccache".to_owned(), pinned.sha256.clone())));
    if let Some(host) = &build.host {
        tools.insert("Python".to_owned(), format!("{} {}", host.python, host.version));
    }
    Inputs::of(&Asked { environment, argv: build.argv.clone(), image, tools, ..common.clone() })
}

fn resumed(kept: Kept) -> BuildResult {
    BuildResult {
        outcome: BuildOutcome::Resumed,
        wheel: Some(WheelFile {
            path: kept.wheel,
            sha256: kept.sha256,
            size_bytes: kept.size_bytes,
        }),
        cache: serde_json::from_value(kept.cache).ok(),
        ..BuildResult::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::facts::Pinned;
    use crate::plan::planned_for;

    #[test]
    fn another_pinned_ccache_makes_other_wheels_wherever_it_lies() {
        let mut plan = planned_for("linux", &["cp312-manylinux_x86_64"]);
        let mut inputs = |pinned: Option<&str>| {
            let pinned = pinned.map(|sha256| Pinned {
                version: "4.14.1".to_owned(),
                sha256: sha256.to_owned(),
                folder: "/somewhere".into(),
            });
            plan.builds[0].ccache.pinned = pinned;
            inputs_of(&plan, &Environment::default(), &Asked::default()).remove(0)
        };
        let (none, one, other) = (inputs(None), inputs(Some("0a")), inputs(Some("0b")));
        assert_eq!(inputs(Some("0a")), one);
        assert_eq!(one.changes_since(&other), ["another ccache"]);
        assert_eq!(one.changes_since(&none), ["another ccache"]);
    }
}
