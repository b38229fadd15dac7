//! Order and outcome of runs, with builders that only pretend.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};

use super::*;
use crate::event::{BuildOutcome, Failure, Report};

/// A builder of single builds.
trait OneByOne: Sync {
    fn build_one(&self, build: &BuildPlan, stop: &Interrupt, tell: &Tell<'_>) -> BuildResult;
}

impl<T: OneByOne> Builder for T {
    fn build(&self, job: &Job<'_>, stop: &Interrupt, tell: &Tell<'_>) -> Vec<BuildResult> {
        job.builds.iter().map(|build| self.build_one(build, stop, tell)).collect()
    }
}

/// Fails the builds it is told to; raises an interrupt in those it is told to.
struct Pretend {
    fails: &'static [&'static str],
    interrupts: Option<(&'static str, Interrupt)>,
}

impl OneByOne for Pretend {
    fn build_one(&self, build: &BuildPlan, _: &Interrupt, tell: &Tell<'_>) -> BuildResult {
        tell(News::Phase { place: 0, name: "build".to_owned() });
        if let Some((identifier, interrupt)) = &self.interrupts
            && *identifier == build.identifier
        {
            interrupt.raise(2);
        }
        if self.fails.contains(&build.identifier.as_str()) {
            return BuildResult {
                outcome: BuildOutcome::Failed,
                failure: Some(Failure {
                    kind: FailureKind::Cache,
                    what: "no hits".into(),
                    remedy: String::new(),
                    tail: Vec::new(),
                    unproven: None,
                }),
                ..BuildResult::default()
            };
        }
        BuildResult { outcome: BuildOutcome::Built, ..BuildResult::default() }
    }
}

/// Shares its report with the test.
struct Shared(Rc<RefCell<Report>>);

impl Reporter for Shared {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        self.0.borrow_mut().apply(event);
        Ok(())
    }
}

struct Broken;

impl Reporter for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn handle(&mut self, _: &Event) -> Result<()> {
        bail!("out of paper")
    }
}

fn run_pretended(builder: &Pretend, interrupt: &Interrupt) -> (Ending, Report) {
    run_plan(&crate::plan::pretended(&["a-x", "b-x", "c-x"]), builder, interrupt)
}

fn run_plan(plan: &Plan, builder: &dyn Builder, interrupt: &Interrupt) -> (Ending, Report) {
    run_after(BTreeMap::new(), plan, builder, interrupt)
}

fn run_after(
    done: BTreeMap<usize, BuildResult>,
    plan: &Plan,
    builder: &dyn Builder,
    interrupt: &Interrupt,
) -> (Ending, Report) {
    let report = Rc::new(RefCell::new(Report::default()));
    let reporters: Vec<Box<dyn Reporter>> =
        vec![Box::new(Broken), Box::new(Shared(Rc::clone(&report)))];
    let mut events = Events::new(Console::silent(), reporters);
    let beginning = Beginning { command: "again".into(), started: "now".into(), done };
    let ending = run(plan, beginning, builder, interrupt, &mut events);
    let report = report.borrow().clone();
    (ending, report)
}

fn outcomes(report: &Report) -> Vec<&'static str> {
    report.builds.iter().map(|build| build.outcome.word()).collect()
}

#[test]
fn all_builds_run_and_a_broken_reporter_stops_nobody() {
    let builder = Pretend { fails: &[], interrupts: None };
    let (ending, report) = run_pretended(&builder, &Interrupt::default());
    assert_eq!(ending, Ending { outcome: RunOutcome::Done, first_failure: None });
    assert_eq!(outcomes(&report), ["built", "built", "built"]);
    assert_eq!(report.outcome, Some(RunOutcome::Done));
}

#[test]
fn nothing_starts_after_a_failure() {
    let builder = Pretend { fails: &["b-x"], interrupts: None };
    let (ending, report) = run_pretended(&builder, &Interrupt::default());
    assert_eq!(ending.outcome, RunOutcome::Failed);
    assert_eq!(ending.first_failure, Some(FailureKind::Cache));
    assert_eq!(outcomes(&report), ["built", "failed", "not-run"]);
}

#[test]
fn an_interrupt_ends_the_run_and_what_is_built_stays_built() {
    let interrupt = Interrupt::default();
    let builder = Pretend { fails: &[], interrupts: Some(("a-x", interrupt.clone())) };
    let (ending, report) = run_pretended(&builder, &interrupt);
    assert_eq!(ending.outcome, RunOutcome::Interrupted);
    assert_eq!(outcomes(&report), ["built", "not-run", "not-run"]);
}

/// A pioneer that ends only once a follower has been started.
struct Overlapping {
    started: Mutex<Vec<String>>,
    changed: Condvar,
}

impl OneByOne for Overlapping {
    fn build_one(&self, build: &BuildPlan, _: &Interrupt, tell: &Tell<'_>) -> BuildResult {
        self.started.lock().unwrap().push(build.identifier.clone());
        self.changed.notify_all();
        if build.identifier == "a-x" {
            tell(News::Compiled { is_shared: false });
            let started = self.started.lock().unwrap();
            let limit = Duration::from_secs(20);
            let waited =
                self.changed.wait_timeout_while(started, limit, |started| started.len() < 3);
            assert!(!waited.unwrap().1.timed_out(), "nobody started meanwhile");
        }
        BuildResult { outcome: BuildOutcome::Built, ..BuildResult::default() }
    }
}

#[test]
fn followers_run_while_the_pioneer_is_still_tested() {
    let plan = Plan { jobs: 3, ..crate::plan::pretended(&["a-x", "b-x", "c-x"]) };
    let builder = Overlapping { started: Mutex::default(), changed: Condvar::new() };
    let (ending, report) = run_plan(&plan, &builder, &Interrupt::default());
    assert_eq!(ending.outcome, RunOutcome::Done);
    let waited_for: Vec<_> =
        report.builds.iter().map(|build| build.waited_for.as_deref()).collect();
    assert_eq!(waited_for, [None, Some("a-x"), Some("a-x")]);
    let pioneer = &report.builds[0];
    let end = pioneer.started_seconds + pioneer.elapsed_seconds;
    assert!(report.builds[1..].iter().all(|follower| follower.started_seconds <= end));
}

#[test]
fn other_domains_go_on_after_a_failure() {
    let plan = Plan { jobs: 2, ..crate::plan::pretended(&["a-x", "b-x", "a-y", "b-y"]) };
    let builder = Pretend { fails: &["a-x"], interrupts: None };
    let (ending, report) = run_plan(&plan, &builder, &Interrupt::default());
    assert_eq!(ending.outcome, RunOutcome::Failed);
    assert_eq!(outcomes(&report), ["failed", "not-run", "built", "built"]);
}

#[test]
fn keeping_going_builds_all_the_others() {
    let plan = crate::plan::pretended(&["a-x", "b-x", "c-x"]);
    let plan = Plan { keep_going: true, ..plan };
    let builder = Pretend { fails: &["a-x"], interrupts: None };
    let (ending, report) = run_plan(&plan, &builder, &Interrupt::default());
    assert_eq!(ending.outcome, RunOutcome::Failed);
    assert_eq!(outcomes(&report), ["failed", "built", "built"]);
}

/// Two pioneers, of which the first has an old ccache.
struct OldCcache {
    calls: Mutex<Vec<(&'static str, String)>>,
    changed: Condvar,
}

impl OldCcache {
    fn note(&self, what: &'static str, build: &BuildPlan) {
        self.calls.lock().unwrap().push((what, build.identifier.clone()));
        self.changed.notify_all();
    }

    fn await_calls(&self, count: usize) {
        let calls = self.calls.lock().unwrap();
        let limit = Duration::from_secs(20);
        let waited = self.changed.wait_timeout_while(calls, limit, |calls| calls.len() < count);
        assert!(!waited.unwrap().1.timed_out(), "{count} calls were expected");
    }
}

impl OneByOne for OldCcache {
    fn build_one(&self, build: &BuildPlan, stop: &Interrupt, tell: &Tell<'_>) -> BuildResult {
        self.note("start", build);
        if build.identifier == "a-x" {
            let again = self.calls.lock().unwrap().len() > 3;
            if !again {
                self.await_calls(2);
                tell(News::CountsAlone);
                while stop.signal().is_none() {
                    std::thread::yield_now();
                }
                self.note("stopped", build);
                return BuildResult { outcome: BuildOutcome::Failed, ..BuildResult::default() };
            }
        } else {
            self.await_calls(3);
        }
        self.note("end", build);
        BuildResult { outcome: BuildOutcome::Built, ..BuildResult::default() }
    }
}

#[test]
fn a_build_that_must_count_alone_is_stopped_and_run_again_when_it_is() {
    let plan = Plan { jobs: 2, ..crate::plan::pretended(&["a-x", "a-y"]) };
    let builder = OldCcache { calls: Mutex::default(), changed: Condvar::new() };
    let (ending, report) = run_plan(&plan, &builder, &Interrupt::default());
    assert_eq!(ending.outcome, RunOutcome::Done);
    assert_eq!(outcomes(&report), ["built", "built"]);
    let calls = builder.calls.into_inner().unwrap();
    let calls: Vec<_> = calls.iter().map(|(what, whose)| (*what, whose.as_str())).collect();
    assert_eq!(calls[2..], [("stopped", "a-x"), ("end", "a-y"), ("start", "a-x"), ("end", "a-x")]);
}

#[test]
fn what_an_earlier_run_has_done_is_not_done_again() {
    let plan = crate::plan::pretended(&["a-x", "b-x", "c-x"]);
    let resumed = BuildResult { outcome: BuildOutcome::Resumed, ..BuildResult::default() };
    // It would fail if it were started.
    let builder = Pretend { fails: &["a-x"], interrupts: None };
    let done = [(0, resumed)].into();
    let (ending, report) = run_after(done, &plan, &builder, &Interrupt::default());
    assert_eq!(ending.outcome, RunOutcome::Done);
    assert_eq!(outcomes(&report), ["resumed", "built", "built"]);
}
