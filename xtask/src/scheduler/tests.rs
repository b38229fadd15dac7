//! Order and outcome of runs, with builders that only pretend.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Result, bail};

use super::*;
use crate::event::{BuildOutcome, Failure, Report};

/// Fails the builds it is told to; raises an interrupt in those it is told to.
struct Pretend {
    fails: &'static [&'static str],
    interrupts: Option<(&'static str, Interrupt)>,
}

impl Builder for Pretend {
    fn build(&self, build: &BuildPlan, on_phase: &mut dyn FnMut(&str)) -> BuildResult {
        on_phase("build");
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
    let plan = crate::plan::pretended(&["a-x", "b-x", "c-x"]);
    let report = Rc::new(RefCell::new(Report::default()));
    let reporters: Vec<Box<dyn Reporter>> =
        vec![Box::new(Broken), Box::new(Shared(Rc::clone(&report)))];
    let mut events = Events::new(Console { verbose: false }, reporters);
    let beginning = Beginning { command: "again".into(), started: "now".into() };
    let ending = run(&plan, beginning, builder, interrupt, &mut events);
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
