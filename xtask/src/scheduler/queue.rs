//! Which build may start when. Pure: told what has happened, it says what comes next.

use std::collections::BTreeMap;

use crate::plan::{BuildPlan, Plan, Role};

/// The builds of a run and how far they have come.
pub(super) struct Queue<'a> {
    builds: &'a [BuildPlan],
    states: Vec<State>,
    /// For each build the first one of its process.
    led_by: Vec<usize>,
    /// For each build the one whose wheel serves it, too.
    shares: Vec<Option<usize>>,
    domains: BTreeMap<&'a str, Domain>,
    jobs: usize,
    keep_going: bool,
}

/// How far a build has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// It may still leave something in the cache.
    Compiling,
    /// It goes on, but all that it compiles is compiled.
    Compiled,
    /// It has ended, with a wheel or without.
    Ended {
        well: bool,
    },
}

/// What is known of a domain.
#[derive(Clone, Copy, Debug, Default)]
struct Domain {
    /// The cache holds what its builds share: it did from the start, or one of them has compiled.
    is_filled: bool,
    /// One of its builds has failed.
    has_failed: bool,
    /// Its ccache keeps no record of each build, so that no other may count into the same folder
    /// meanwhile.
    counts_alone: bool,
}

/// What may start as one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The builds' places in the plan: one, or several that can do with the same wheel.
    pub(super) places: Vec<usize>,
    /// The place of the build whose compilation they had to wait for.
    pub(super) waited_for: Option<usize>,
    /// The place of the build whose wheel serves them.
    pub(super) shares: Option<usize>,
    /// It has to fill its domain's cache: nothing has been compiled yet.
    pub(super) fills: bool,
}

impl<'a> Queue<'a> {
    /// Everything still waits.
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut domains: BTreeMap<&str, Domain> = BTreeMap::new();
        for build in &plan.builds {
            // A domain without a pioneer is warm.
            domains.entry(&build.domain).or_insert(Domain { is_filled: true, ..Domain::default() });
        }
        for build in plan.builds.iter().filter(|build| build.role == Role::Pioneer) {
            domains.entry(&build.domain).or_default().is_filled = false;
        }
        Self {
            builds: &plan.builds,
            states: vec![State::Waiting; plan.builds.len()],
            led_by: (0..plan.builds.len()).collect(),
            shares: vec![None; plan.builds.len()],
            domains,
            jobs: plan.jobs,
            keep_going: plan.keep_going,
        }
    }

    /// What may start now next; it counts as started from then on. Builds that others wait for come
    /// first.
    pub(super) fn next(&mut self) -> Option<Start> {
        let running = self.processes();
        if running >= self.jobs || self.running().any(|index| self.domain(index).counts_alone) {
            return None;
        }
        let places = 0..self.builds.len();
        let fits = |&index: &usize| {
            self.may_start(index) && (running == 0 || !self.domain(index).counts_alone)
        };
        let candidates: Vec<_> = places.filter(fits).collect();
        let leads = |&&index: &&usize| !self.domain(index).is_filled;
        let index = *candidates.iter().find(leads).or_else(|| candidates.first())?;
        let pioneer = (0..index).find(|&other| {
            self.builds[other].domain == self.builds[index].domain
                && self.builds[other].role == Role::Pioneer
        });
        let (shares, fills) = (self.shares[index], !self.domain(index).is_filled);
        let places = shares.map_or_else(|| vec![index], |maker| self.served_by(maker));
        for &place in &places {
            self.states[place] = State::Compiling;
            self.led_by[place] = index;
        }
        Some(Start { places, waited_for: pioneer, shares, fills })
    }

    /// The waiting builds that can do with the wheel of `maker`: they go through one process.
    fn served_by(&self, maker: usize) -> Vec<usize> {
        let waits = |&other: &usize| self.states[other] == State::Waiting;
        let served = |other: &usize| self.shares[*other] == Some(maker);
        (0..self.builds.len()).filter(served).filter(waits).collect()
    }

    /// The wheel of a build has been found to serve others of its domain.
    pub(super) fn share(&mut self, index: usize, serves: impl Fn(&BuildPlan) -> bool) {
        for other in 0..self.builds.len() {
            let build = &self.builds[other];
            let is_other = other != index && build.domain == self.builds[index].domain;
            if is_other && self.shares[other].is_none() && serves(build) {
                self.shares[other] = Some(index);
            }
        }
    }

    /// A build has compiled all that it will; its followers need not wait for its tests.
    pub(super) fn compiled(&mut self, index: usize) {
        if self.states[index] == State::Compiling {
            self.states[index] = State::Compiled;
            self.update(index, |domain| domain.is_filled = true);
        }
    }

    /// A build has told that its ccache keeps no record of each build. Returns whether it has to be
    /// stopped and run again, since another one is running.
    pub(super) fn counts_alone(&mut self, index: usize) -> bool {
        self.update(index, |domain| domain.counts_alone = true);
        self.running().any(|other| self.led_by[other] != index)
    }

    /// A build has not been done after all: it was stopped, or its process ended before its turn.
    pub(super) fn waits_again(&mut self, index: usize) {
        self.states[index] = State::Waiting;
    }

    /// A build need not be done. Whether the cache still holds what it once left is another matter.
    pub(super) fn skipped(&mut self, index: usize) {
        self.states[index] = State::Ended { well: true };
    }

    /// A build has ended.
    pub(super) fn ended(&mut self, index: usize, well: bool) {
        self.states[index] = State::Ended { well };
        self.update(index, |domain| {
            domain.is_filled |= well;
            domain.has_failed |= !well;
        });
    }

    /// Whether every build has its wheel.
    pub(super) fn is_complete(&self) -> bool {
        self.states.iter().all(|state| *state == State::Ended { well: true })
    }

    /// How many processes run.
    fn processes(&self) -> usize {
        self.running().filter(|&index| self.led_by[index] == index).count()
    }

    fn running(&self) -> impl Iterator<Item = usize> + '_ {
        let runs =
            |index: &usize| matches!(self.states[*index], State::Compiling | State::Compiled);
        (0..self.states.len()).filter(runs)
    }

    /// Whether a build still waits and may start, as far as its own domain goes.
    fn may_start(&self, index: usize) -> bool {
        if self.states[index] != State::Waiting {
            return false;
        }
        let domain = self.domain(index);
        if domain.has_failed && !self.keep_going {
            return false;
        }
        // Two builds that fill the same cache at the same time would both compile everything.
        domain.is_filled
            || !self.running().any(|other| self.builds[other].domain == self.builds[index].domain)
    }

    fn domain(&self, index: usize) -> Domain {
        self.domains.get(self.builds[index].domain.as_str()).copied().unwrap_or_default()
    }

    fn update(&mut self, index: usize, change: impl FnOnce(&mut Domain)) {
        if let Some(domain) = self.domains.get_mut(self.builds[index].domain.as_str()) {
            change(domain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::pretended;

    const ONE: [&str; 3] = ["a-x", "b-x", "c-x"];
    const TWO: [&str; 4] = ["a-x", "b-x", "a-y", "b-y"];

    fn plan(identifiers: &[&str], jobs: usize) -> Plan {
        Plan { jobs, ..pretended(identifiers) }
    }

    /// Starts all that may start now, as places in the plan.
    fn start(queue: &mut Queue<'_>) -> Vec<usize> {
        std::iter::from_fn(|| queue.next()).flat_map(|start| start.places).collect()
    }

    #[test]
    fn followers_start_when_their_pioneer_has_compiled() {
        let plan = plan(&ONE, 8);
        let mut queue = Queue::new(&plan);
        let follower =
            |place| Start { places: vec![place], waited_for: Some(0), shares: None, fills: false };
        let pioneer = Start { waited_for: None, fills: true, ..follower(0) };
        assert_eq!(queue.next(), Some(pioneer));
        assert_eq!(queue.next(), None);
        queue.compiled(0);
        assert_eq!(queue.next(), Some(follower(1)));
        assert_eq!(queue.next(), Some(follower(2)));
        for index in [1, 2, 0] {
            assert!(!queue.is_complete());
            queue.ended(index, true);
        }
        assert!(queue.is_complete());
    }

    #[test]
    fn a_pioneer_that_never_says_so_has_compiled_when_it_ends() {
        let plan = plan(&ONE, 8);
        let mut queue = Queue::new(&plan);
        assert_eq!(start(&mut queue), [0]);
        queue.ended(0, true);
        assert_eq!(start(&mut queue), [1, 2]);
    }

    #[test]
    fn domains_run_side_by_side_and_pioneers_come_first() {
        let plan = plan(&TWO, 2);
        let mut queue = Queue::new(&plan);
        assert_eq!(start(&mut queue), [0, 2]);
        queue.compiled(2);
        assert_eq!(start(&mut queue), [0; 0], "both slots are taken");
        queue.ended(2, true);
        assert_eq!(start(&mut queue), [3], "the other domain's pioneer still compiles");
    }

    #[test]
    fn a_warm_domain_has_no_pioneer() {
        let mut plan = plan(&ONE, 2);
        for build in &mut plan.builds {
            build.role = Role::Follower;
        }
        let mut queue = Queue::new(&plan);
        let first = queue.next().unwrap();
        let alone = Start { places: vec![0], waited_for: None, shares: None, fills: false };
        assert_eq!(first, alone);
        assert_eq!(start(&mut queue), [1]);
    }

    #[test]
    fn a_failure_stops_its_own_domain_only() {
        let plan = plan(&TWO, 4);
        let mut queue = Queue::new(&plan);
        assert_eq!(start(&mut queue), [0, 2]);
        queue.ended(0, false);
        queue.compiled(2);
        assert_eq!(start(&mut queue), [3]);
        queue.ended(2, true);
        queue.ended(3, true);
        assert_eq!(start(&mut queue), [0; 0]);
        assert!(!queue.is_complete());
    }

    #[test]
    fn who_keeps_going_builds_the_rest_with_another_pioneer() {
        let plan = Plan { keep_going: true, ..plan(&ONE, 4) };
        let mut queue = Queue::new(&plan);
        assert_eq!(start(&mut queue), [0]);
        queue.ended(0, false);
        let next = queue.next().unwrap();
        assert_eq!(next.places, [1], "it compiled nothing, so the next one fills the cache");
        assert!(next.fills);
        assert_eq!(start(&mut queue), [0; 0]);
        queue.compiled(1);
        assert_eq!(start(&mut queue), [2]);
        queue.ended(1, true);
        queue.ended(2, true);
        assert!(!queue.is_complete());
    }

    #[test]
    fn what_failed_after_it_compiled_has_filled_the_cache() {
        let plan = Plan { keep_going: true, ..plan(&ONE, 4) };
        let mut queue = Queue::new(&plan);
        start(&mut queue);
        queue.compiled(0);
        queue.ended(0, false);
        assert_eq!(start(&mut queue), [1, 2]);
    }

    #[test]
    fn never_more_than_the_jobs_allow() {
        let plan = plan(&ONE, 1);
        let mut queue = Queue::new(&plan);
        for index in 0..3 {
            assert_eq!(start(&mut queue), [index]);
            queue.compiled(index);
            assert_eq!(start(&mut queue), [0; 0]);
            queue.ended(index, true);
        }
    }

    #[test]
    fn builds_that_share_counters_run_alone() {
        let plan = plan(&TWO, 4);
        let mut queue = Queue::new(&plan);
        assert_eq!(start(&mut queue), [0, 2]);
        assert!(queue.counts_alone(0), "the other pioneer is running");
        queue.waits_again(0);
        queue.compiled(2);
        assert_eq!(start(&mut queue), [3], "who keeps records need not wait");
        queue.ended(2, true);
        assert_eq!(start(&mut queue), [0; 0]);
        queue.ended(3, true);
        assert_eq!(start(&mut queue), [0]);
        assert!(!queue.counts_alone(0), "now it is alone");
        queue.compiled(0);
        assert_eq!(start(&mut queue), [0; 0]);
        queue.ended(0, true);
        assert_eq!(start(&mut queue), [1]);
    }

    #[test]
    fn builds_that_one_wheel_serves_go_through_one_process() {
        let plan = plan(&["a-x", "b-x", "c-x", "d-x", "a-y"], 2);
        let mut queue = Queue::new(&plan);
        assert_eq!(start(&mut queue), [0, 4]);
        queue.share(0, |build| build.identifier != "b-x");
        queue.ended(0, true);
        assert_eq!(queue.next().unwrap().places, [1], "the wheel does not serve this one");
        queue.ended(4, true);
        let group = queue.next().unwrap();
        let both = Start { places: vec![2, 3], waited_for: Some(0), shares: Some(0), fills: false };
        assert_eq!(group, both);
        assert_eq!(queue.next(), None);
        queue.ended(2, true);
        queue.waits_again(3);
        queue.ended(1, true);
        assert_eq!(queue.next().unwrap().places, [3], "its process ended before its turn");
    }

    #[test]
    fn a_process_of_several_builds_takes_one_job() {
        let plan = plan(&["a-x", "b-x", "c-x", "a-y", "b-y"], 2);
        let mut queue = Queue::new(&plan);
        start(&mut queue);
        queue.share(0, |_| true);
        queue.ended(0, true);
        queue.compiled(3);
        assert_eq!(queue.next().unwrap().places, [1, 2]);
        queue.ended(3, true);
        assert_eq!(queue.next().unwrap().places, [4]);
    }
}
