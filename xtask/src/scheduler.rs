//! Carries out a plan: which build runs when, and what becomes of the rest when one fails.

use std::time::Instant;

use crate::console::Console;
use crate::event::{BuildResult, Event, FailureKind, Kind, Planned, Reporter, RunOutcome, SCHEMA};
use crate::interrupt::Interrupt;
use crate::plan::{BuildPlan, Plan};

/// Something that can do one build.
pub(crate) trait Builder {
    /// Does a build to its end, telling of its phases by name.
    fn build(&self, build: &BuildPlan, on_phase: &mut dyn FnMut(&str)) -> BuildResult;
}

/// The events' way to the reporters.
pub(crate) struct Events {
    began: Instant,
    console: Console,
    reporters: Vec<Box<dyn Reporter>>,
}

impl Events {
    /// Starts the run's clock.
    pub(crate) fn new(console: Console, reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self { began: Instant::now(), console, reporters }
    }

    /// Gives an event to every reporter. One that breaks is left out from then on; it must not
    /// keep the others from telling what happens.
    pub(crate) fn emit(&mut self, kind: Kind) {
        let event = Event { at_seconds: self.began.elapsed().as_secs_f64(), kind };
        let console = self.console;
        self.reporters.retain_mut(|reporter| match reporter.handle(&event) {
            Ok(()) => true,
            Err(error) => {
                console.say(format!("warning: {} stopped: {error:#}", reporter.name()));
                false
            }
        });
    }
}

/// What is known of a run apart from its plan.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// The command that does the same again.
    pub(crate) command: String,
    /// Wall-clock time, RFC 3339.
    pub(crate) started: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// In a word.
    pub(crate) outcome: RunOutcome,
    /// Why the first build that failed did so.
    pub(crate) first_failure: Option<FailureKind>,
}

/// Runs the builds of a plan in order. After a failure, or when interrupted, no other is started.
pub(crate) fn run(
    plan: &Plan,
    beginning: Beginning,
    builder: &dyn Builder,
    interrupt: &Interrupt,
    events: &mut Events,
) -> Ending {
    events.emit(Kind::RunStarted {
        schema: SCHEMA,
        run_id: plan.run_id.clone(),
        package: plan.package.clone(),
        command: beginning.command,
        started: beginning.started,
        jobs: 1,
        builds: plan.builds.iter().map(planned).collect(),
    });
    let mut outcome = RunOutcome::Done;
    let mut first_failure = None;
    for build in &plan.builds {
        if interrupt.signal().is_some() {
            outcome = RunOutcome::Interrupted;
        }
        if outcome != RunOutcome::Done {
            break;
        }
        let identifier = build.identifier.clone();
        events.emit(Kind::BuildStarted { identifier: identifier.clone(), waited_for: None });
        let result = builder.build(build, &mut |name| {
            events
                .emit(Kind::PhaseStarted { identifier: identifier.clone(), name: name.to_owned() });
        });
        if !result.outcome.has_wheel() {
            outcome = RunOutcome::Failed;
            first_failure = first_failure.or(result.failure.as_ref().map(|failure| failure.kind));
        }
        events.emit(Kind::BuildFinished { identifier, result: Box::new(result) });
    }
    if interrupt.signal().is_some() {
        outcome = RunOutcome::Interrupted;
    }
    events.emit(Kind::RunFinished { outcome });
    Ending { outcome, first_failure }
}

fn planned(build: &BuildPlan) -> Planned {
    Planned { identifier: build.identifier.clone(), domain: build.domain.clone(), role: build.role }
}

#[cfg(test)]
mod tests;
