//! Carries out a plan: which build runs when, and what becomes of the rest when one fails.

mod queue;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use self::queue::{Queue, Start};

use crate::console::Console;
use crate::event::{BuildResult, Event, FailureKind, Kind, Planned, Reporter, RunOutcome, SCHEMA};
use crate::interrupt::Interrupt;
use crate::plan::{BuildPlan, Plan};

/// Stands in the place of a signal's number where a build is stopped to be run again.
const STOPPED_TO_RUN_AGAIN: i32 = -1;

/// Something that can do one build, in any thread.
pub(crate) trait Builder: Sync {
    /// Does a build to its end, telling meanwhile how far it is, or until `interrupt` is raised.
    fn build(&self, build: &BuildPlan, interrupt: &Interrupt, tell: &dyn Fn(News)) -> BuildResult;
}

/// What a build tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It has entered a phase of this name.
    Phase(String),
    /// It has compiled all that it will.
    Compiled,
    /// Its ccache keeps no record of each build: there are only the folder's counters. Told before
    /// anything is compiled.
    CountsAlone,
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

/// Runs the builds of a plan, each in a thread of its own, as many at once as it allows. After a
/// failure no other of its domain is started unless the plan keeps going, after an interrupt none at
/// all.
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
        jobs: plan.jobs,
        builds: plan.builds.iter().map(planned).collect(),
    });
    let mut crew = Crew {
        plan,
        queue: Queue::new(plan),
        events,
        running: BTreeMap::new(),
        first_failure: None,
    };
    let (sender, messages) = mpsc::channel();
    thread::scope(|scope| {
        loop {
            while interrupt.signal().is_none()
                && let Some((index, stop)) = crew.start_next(interrupt)
            {
                let sender = sender.clone();
                scope.spawn(move || {
                    // Nobody listens any more only when the run itself is being torn down.
                    let send = |message| drop(sender.send((index, message)));
                    let tell = |news| send(Message::News(news));
                    let result = builder.build(&plan.builds[index], &stop, &tell);
                    send(Message::Ended(Box::new(result)));
                });
            }
            if crew.running.is_empty() {
                break;
            }
            // This function holds a sender itself, so the channel cannot be closed.
            let Ok((index, message)) = messages.recv() else { break };
            crew.take_in(index, message);
        }
    });
    let outcome = match (interrupt.signal(), crew.queue.is_complete()) {
        (Some(_), _) => RunOutcome::Interrupted,
        (None, true) => RunOutcome::Done,
        (None, false) => RunOutcome::Failed,
    };
    let first_failure = crew.first_failure;
    events.emit(Kind::RunFinished { outcome });
    Ending { outcome, first_failure }
}

/// What a build's thread sends.
enum Message {
    News(News),
    Ended(Box<BuildResult>),
}

/// The run's state, changed in one thread only.
struct Crew<'a> {
    plan: &'a Plan,
    queue: Queue<'a>,
    events: &'a mut Events,
    /// The builds that run, with what stops them.
    running: BTreeMap<usize, Interrupt>,
    first_failure: Option<FailureKind>,
}

impl Crew<'_> {
    /// Notes down the start of the next build that may start; returns its place and what stops it.
    fn start_next(&mut self, interrupt: &Interrupt) -> Option<(usize, Interrupt)> {
        let Start { index, waited_for } = self.queue.next()?;
        let stop = interrupt.narrowed();
        self.running.insert(index, stop.clone());
        let name = |index: usize| self.plan.builds[index].identifier.clone();
        let waited_for = waited_for.map(name);
        self.events.emit(Kind::BuildStarted { identifier: name(index), waited_for });
        Some((index, stop))
    }

    fn take_in(&mut self, index: usize, message: Message) {
        let identifier = self.plan.builds[index].identifier.clone();
        match message {
            Message::News(News::Phase(name)) => {
                self.events.emit(Kind::PhaseStarted { identifier, name });
            }
            Message::News(News::Compiled) => self.queue.compiled(index),
            Message::News(News::CountsAlone) => {
                if self.queue.counts_alone(index)
                    && let Some(stop) = self.running.get(&index)
                {
                    stop.raise(STOPPED_TO_RUN_AGAIN);
                }
            }
            Message::Ended(result) => {
                let stop = self.running.remove(&index).and_then(|stop| stop.signal());
                if stop == Some(STOPPED_TO_RUN_AGAIN) {
                    self.queue.stopped(index);
                    let name = "waits until it can run alone".to_owned();
                    self.events.emit(Kind::PhaseStarted { identifier, name });
                    return;
                }
                self.queue.ended(index, result.outcome.has_wheel());
                let kind = result.failure.as_ref().map(|failure| failure.kind);
                self.first_failure = self.first_failure.or(kind);
                self.events.emit(Kind::BuildFinished { identifier, result });
            }
        }
    }
}

fn planned(build: &BuildPlan) -> Planned {
    Planned { identifier: build.identifier.clone(), domain: build.domain.clone(), role: build.role }
}

#[cfg(test)]
mod tests;
