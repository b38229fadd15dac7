//! Carries out a plan: which build runs when, and what becomes of the rest when one fails.

mod queue;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use self::queue::{Queue, Start};

use ccache_validator::wheel::{self, Fit};

use crate::console::Console;
use crate::event::{
    BuildOutcome, BuildResult, Counts, Event, FailureKind, Kind, Planned, Report, Reporter,
    RunOutcome, SCHEMA, Setting,
};
use crate::interrupt::Interrupt;
use crate::plan::{BuildPlan, Merged, Plan};
use crate::secrets;

/// Stands in the place of a signal's number where a build is stopped to be run again.
const STOPPED_TO_RUN_AGAIN: i32 = -1;

/// Something that can do one build, in any thread.
pub(crate) trait Builder: Sync {
    /// Does a job to its end, telling meanwhile how far it is, or until `interrupt` is raised.
    /// Returns a result for each of its builds.
    fn build(&self, job: &Job<'_>, interrupt: &Interrupt, tell: &Tell<'_>) -> Vec<BuildResult>;
}

/// Told what happens in a job, from any thread.
pub(crate) type Tell<'a> = dyn Fn(News) + Sync + 'a;

/// What one process is to do.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    /// One build, or those that a finished wheel serves as well.
    pub(crate) builds: Vec<&'a BuildPlan>,
    /// The build that has made that wheel.
    pub(crate) shares: Option<&'a BuildPlan>,
    /// It is the first of its domain to compile anything.
    pub(crate) fills: bool,
}

/// What a build tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// One of the builds has entered a phase.
    Phase {
        /// Its place among them.
        place: usize,
        /// The phase's name.
        name: String,
    },
    /// The first of the builds has compiled more.
    Counted(Counts),
    /// All is compiled that will be.
    Compiled {
        /// The wheel looks as if it served other Python versions, too.
        is_shared: bool,
    },
    /// Its ccache keeps no record of each build: there are only the folder's counters. Told before
    /// anything is compiled.
    CountsAlone,
}

impl News {
    /// The same of the build at another place.
    pub(crate) fn at(self, place: usize) -> Self {
        match self {
            Self::Phase { name, .. } => Self::Phase { place, name },
            other => other,
        }
    }
}

/// The events' way to the reporters.
pub(crate) struct Events {
    began: Instant,
    console: Console,
    reporters: Vec<Box<dyn Reporter>>,
    report: Report,
}

impl Events {
    /// Starts the run's clock.
    pub(crate) fn new(console: Console, reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self { began: Instant::now(), console, reporters, report: Report::default() }
    }

    /// Gives an event to every reporter. One that breaks is left out from then on; it must not
    /// keep the others from telling what happens.
    pub(crate) fn emit(&mut self, kind: Kind) {
        let event = Event { at_seconds: self.began.elapsed().as_secs_f64(), kind };
        let console = self.console;
        self.report.apply(&event);
        self.reporters.retain_mut(|reporter| match reporter.handle(&event) {
            Ok(()) => true,
            Err(error) => {
                console.warn(format!("{} stopped: {error:#}", reporter.name()));
                false
            }
        });
    }

    /// What all events together come to.
    pub(crate) fn into_report(self) -> Report {
        self.report
    }
}

/// What is known of a run apart from its plan.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// The command that does the same again.
    pub(crate) command: String,
    /// Wall-clock time, RFC 3339.
    pub(crate) started: String,
    /// Builds that an earlier run has done, by their place in the plan.
    pub(crate) done: BTreeMap<usize, BuildResult>,
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
        containerless: plan.containerless(),
        builds: plan.builds.iter().map(planned).collect(),
        settings: plan.builds.first().map(settings).unwrap_or_default(),
    });
    let mut crew = Crew {
        plan,
        queue: Queue::new(plan),
        events,
        running: BTreeMap::new(),
        first_failure: None,
    };
    for (index, result) in beginning.done {
        crew.skip(index, result);
    }
    let (sender, messages) = mpsc::channel();
    thread::scope(|scope| {
        loop {
            while interrupt.signal().is_none()
                && let Some((start, stop)) = crew.start_next(interrupt)
            {
                let sender = sender.clone();
                scope.spawn(move || {
                    let build = |&index: &usize| &plan.builds[index];
                    let builds = start.places.iter().map(build).collect();
                    let shares = start.shares.as_ref().map(build);
                    let job = Job { builds, shares, fills: start.fills };
                    // Nobody listens any more only when the run itself is being torn down.
                    let send = |message| drop(sender.send((start.places[0], message)));
                    let tell = |news| send(Message::News(news));
                    send(Message::Ended(builder.build(&job, &stop, &tell)));
                });
            }
            if crew.running.is_empty() {
                break;
            }
            // This function holds a sender itself, so the channel cannot be closed.
            let Ok((first, message)) = messages.recv() else { break };
            crew.take_in(first, message);
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

/// What a builder's thread sends, with the place of its first build in the plan.
enum Message {
    News(News),
    Ended(Vec<BuildResult>),
}

/// The run's state, changed in one thread only.
struct Crew<'a> {
    plan: &'a Plan,
    queue: Queue<'a>,
    events: &'a mut Events,
    /// The processes that run, by their first build.
    running: BTreeMap<usize, Running>,
    first_failure: Option<FailureKind>,
}

/// One process.
struct Running {
    /// What it builds: places in the plan.
    places: Vec<usize>,
    /// What stops it.
    stop: Interrupt,
}

impl Crew<'_> {
    /// Notes down a build that need not be done.
    fn skip(&mut self, index: usize, result: BuildResult) {
        self.queue.skipped(index);
        let identifier = self.name(index);
        self.events.emit(Kind::BuildFinished { identifier, result: Box::new(result) });
    }

    /// Notes down the start of what may start next; returns it and what stops it.
    fn start_next(&mut self, interrupt: &Interrupt) -> Option<(Start, Interrupt)> {
        let start = self.queue.next()?;
        let stop = interrupt.narrowed();
        let waited_for = start.waited_for.map(|index| self.name(index));
        for &index in &start.places {
            let (identifier, waited_for) = (self.name(index), waited_for.clone());
            self.events.emit(Kind::BuildStarted { identifier, waited_for });
        }
        let running = Running { places: start.places.clone(), stop: stop.clone() };
        self.running.insert(*start.places.first()?, running);
        Some((start, stop))
    }

    fn take_in(&mut self, first: usize, message: Message) {
        match message {
            Message::News(News::Phase { place, name }) => {
                let places = self.running.get(&first).map(|running| running.places.as_slice());
                if let Some(&index) = places.and_then(|places| places.get(place)) {
                    let identifier = self.name(index);
                    self.events.emit(Kind::PhaseStarted { identifier, name });
                }
            }
            Message::News(News::Counted(counts)) => {
                let identifier = self.name(first);
                self.events.emit(Kind::Compiled { identifier, counts });
            }
            // Whether the others can do with its wheel is known when it is done.
            Message::News(News::Compiled { is_shared: true }) => {}
            Message::News(News::Compiled { is_shared: false }) => self.queue.compiled(first),
            Message::News(News::CountsAlone) => {
                if self.queue.counts_alone(first)
                    && let Some(running) = self.running.get(&first)
                {
                    running.stop.raise(STOPPED_TO_RUN_AGAIN);
                }
            }
            Message::Ended(results) => {
                if let Some(running) = self.running.remove(&first) {
                    self.end(&running, results);
                }
            }
        }
    }

    fn end(&mut self, running: &Running, results: Vec<BuildResult>) {
        let again = running.stop.signal() == Some(STOPPED_TO_RUN_AGAIN);
        for (&index, result) in running.places.iter().zip(results) {
            let identifier = self.name(index);
            if again {
                self.queue.waits_again(index);
                let name = "waits until it can run alone".to_owned();
                self.events.emit(Kind::PhaseStarted { identifier, name });
                continue;
            }
            if result.outcome == BuildOutcome::NotRun {
                // Its process ended before its turn came.
                self.queue.waits_again(index);
                continue;
            }
            self.queue.ended(index, result.outcome.has_wheel());
            self.share(index, &result);
            let kind = result.failure.as_ref().map(|failure| failure.kind);
            self.first_failure = self.first_failure.or(kind);
            self.events.emit(Kind::BuildFinished { identifier, result: Box::new(result) });
        }
    }

    /// Has the builds that a wheel serves as well, and that have not started, go through one
    /// process.
    fn share(&mut self, index: usize, result: &BuildResult) {
        let name = result.wheel.as_ref().and_then(|wheel| wheel.path.file_name());
        let Some(wheel) = name.and_then(|name| wheel::parse(name).ok()) else { return };
        let serves =
            |build: &BuildPlan| wheel.serves(&build.identifier).is_some_and(Fit::is_shared);
        self.queue.share(index, serves);
    }

    fn name(&self, index: usize) -> String {
        self.plan.builds[index].identifier.clone()
    }
}

/// What is added to the package's settings, for who reads the events.
fn settings(build: &BuildPlan) -> Vec<Setting> {
    let setting = |merged: &Merged| Setting {
        option: merged.option.clone(),
        ours: secrets::masked(&merged.ours),
        theirs: secrets::masked(&merged.theirs),
        origin: merged.origin.clone(),
    };
    build.merged.iter().map(setting).collect()
}

fn planned(build: &BuildPlan) -> Planned {
    Planned {
        identifier: build.identifier.clone(),
        domain: build.domain.clone(),
        role: build.role,
        note: build.env_note.clone(),
    }
}

#[cfg(test)]
mod tests;
