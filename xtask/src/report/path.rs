//! The critical path of a run: the chain of builds that decides when it ends, and what they spend
//! their time on.

use serde::{Deserialize, Serialize};

use crate::event;

/// What a build spends before its first phase, and the whole of one that has none.
const START_UP: &str = "start-up";
/// What a build spends between its phases.
const OTHER: &str = "other";
/// Phases that begin when a build's compilation is over; its followers start at the first of them.
const AFTER_COMPILATION: [&str; 3] = ["repair", "test", "copy-out"];
/// Times that are closer than this are the same, in seconds: in a report, ends are sums.
const SAME: f64 = 0.001;

/// The part of a report that the path is worked out from; `report.json` can be read as one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Run {
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// Its builds.
    pub(crate) builds: Vec<Build>,
}

/// A build.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Build {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// Seconds from the run's start to its own.
    pub(crate) started_seconds: f64,
    /// How long it took, in seconds; 0 if it never ran.
    pub(crate) elapsed_seconds: f64,
    /// The build whose compilation it had to wait for.
    #[serde(default)]
    pub(crate) waited_for: Option<String>,
    /// Its phases, in order.
    pub(crate) phases: Vec<Phase>,
}

/// A phase of a build, of any name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Phase {
    /// Its name.
    pub(crate) name: String,
    /// Seconds from the run's start to its own.
    pub(crate) started_seconds: f64,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
}

impl From<&event::Report> for Run {
    fn from(report: &event::Report) -> Self {
        let phase = |phase: &event::Phase| Phase {
            name: phase.name.clone(),
            started_seconds: phase.started_seconds,
            elapsed_seconds: phase.elapsed_seconds,
        };
        let build = |build: &event::BuildReport| Build {
            identifier: build.identifier.clone(),
            started_seconds: build.started_seconds,
            elapsed_seconds: build.elapsed_seconds,
            waited_for: build.waited_for.clone(),
            phases: build.phases.iter().map(phase).collect(),
        };
        Self {
            elapsed_seconds: report.elapsed_seconds,
            builds: report.builds.iter().map(build).collect(),
        }
    }
}

/// Time that went into something.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Spent {
    /// Into what: a phase's name, mostly.
    pub(crate) name: String,
    /// How much, in seconds.
    pub(crate) seconds: f64,
}

/// The chain. All its times together are the run's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CriticalPath {
    /// Seconds before the first build of the chain started.
    pub(crate) before_seconds: f64,
    /// The builds, in the order of their starts.
    pub(crate) steps: Vec<Step>,
    /// Seconds that passed between what a build waited for and its start.
    pub(crate) between_seconds: f64,
    /// Seconds after the last build had ended.
    pub(crate) after_seconds: f64,
}

/// A build of the chain, as far as the next one had to wait for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// What it spent its time on until then, in order.
    pub(crate) spent: Vec<Spent>,
}

impl CriticalPath {
    /// The chain that ends with the build that ended last.
    ///
    /// What let a build start is the latest of what had to come before it: the end of the
    /// compilation that it waited for, or the end of a build that gave it its place.
    pub(crate) fn of(run: &Run) -> Self {
        let ran: Vec<_> = run.builds.iter().filter(|build| build.elapsed_seconds > 0.0).collect();
        let mut path = Self {
            before_seconds: run.elapsed_seconds,
            steps: Vec::new(),
            between_seconds: 0.0,
            after_seconds: 0.0,
        };
        let last = ran.iter().max_by(|a, b| a.ended().total_cmp(&b.ended()));
        let mut next = last.map(|last| (*last, last.ended()));
        if let Some((_, ended)) = next {
            path.after_seconds = run.elapsed_seconds - ended;
        }
        while let Some((build, until)) = next {
            let identifier = build.identifier.clone();
            path.steps.push(Step { identifier, spent: build.spent_until(until) });
            path.before_seconds = build.started_seconds;
            next = build.let_start_by(&ran);
            if let Some((_, at)) = next {
                path.between_seconds += build.started_seconds - at;
            }
        }
        path.steps.reverse();
        path
    }

    /// What the builds of the chain spent together, in the order in which they came to it.
    pub(crate) fn spent(&self) -> Vec<Spent> {
        together(self.steps.iter().flat_map(|step| &step.spent))
    }
}

impl Build {
    fn ended(&self) -> f64 {
        self.started_seconds + self.elapsed_seconds
    }

    /// When its compilation was over.
    fn compiled(&self) -> f64 {
        let is_after = |phase: &&Phase| AFTER_COMPILATION.contains(&phase.name.as_str());
        self.phases.iter().find(is_after).map_or(self.ended(), |phase| phase.started_seconds)
    }

    /// The build that this one's start depended on, and when that let it go.
    fn let_start_by<'a>(&self, ran: &[&'a Self]) -> Option<(&'a Self, f64)> {
        let started = self.started_seconds;
        let lets_go = |other: &&'a Self| {
            let awaited = self.waited_for.as_ref() == Some(&other.identifier);
            // Whatever a report says, the chain leads back in time, and so to an end.
            let at = if awaited { other.compiled().min(started) } else { other.ended() };
            let counts = other.started_seconds < started && at <= started + SAME;
            counts.then_some((*other, at.min(started), awaited))
        };
        let all = ran.iter().filter_map(lets_go);
        let last = all.max_by(|a, b| a.1.total_cmp(&b.1).then(a.2.cmp(&b.2)));
        last.map(|(build, at, _)| (build, at))
    }

    /// What it spent its time on from its start until then, all of it, in order.
    pub(crate) fn spent_until(&self, until: f64) -> Vec<Spent> {
        let mut spent = Vec::new();
        let mut add = |name: &str, from: f64, to: f64| {
            if to > from {
                spent.push(Spent { name: name.to_owned(), seconds: to - from });
            }
        };
        let mut told = self.started_seconds;
        for (number, phase) in self.phases.iter().enumerate() {
            let from = phase.started_seconds.clamp(told, until.max(told));
            let to = (phase.started_seconds + phase.elapsed_seconds).clamp(from, until.max(from));
            add(if number == 0 { START_UP } else { OTHER }, told, from);
            add(&phase.name, from, to);
            told = to;
        }
        add(if self.phases.is_empty() { START_UP } else { OTHER }, told, until);
        together(spent.iter())
    }
}

/// The sums of what goes by the same name, in the order of first appearance.
fn together<'a>(all: impl Iterator<Item = &'a Spent>) -> Vec<Spent> {
    let mut sums: Vec<Spent> = Vec::new();
    for spent in all {
        match sums.iter_mut().find(|sum| sum.name == spent.name) {
            Some(sum) => sum.seconds += spent.seconds,
            None => sums.push(spent.clone()),
        }
    }
    sums
}

#[cfg(test)]
mod tests;
