//! The calls of ccache that may still be going on; each line of the log continues one of them.

use crate::section::Section;
use std::hash::{BuildHasher, RandomState};
use std::iter;

/// How many processes are followed at once. A log does not tell when a process ended, so the one
/// that has been silent for longest is taken to have.
const MAX_OPEN: u8 = 128;

/// Slots are numbered by a byte, so a table of this length has a place for each.
const TABLE: usize = 256;

/// No slot. In the order of the slots, what stands before the first and after the last.
const NONE: u8 = u8::MAX;

/// What is looked at to find a section.
#[derive(Debug, Clone, Copy)]
struct Slot {
    process: u64,
    /// The next slot of the same chain.
    next: u8,
    /// The slots that were heard next after this one, and last before it.
    newer: u8,
    older: u8,
}

/// The open sections, each in a slot of its own. A log can change from one process to another with
/// every line, so nothing is searched through or moved: processes are found in a table of chains,
/// and the order in which they were heard is a ring of links.
#[derive(Debug)]
pub(crate) struct Calls {
    sections: Vec<Option<Section>>,
    slots: [Slot; TABLE],
    /// The first slot of each chain.
    chains: [u8; TABLE],
    /// An odd number that spreads the processes over the chains. Nobody knows it beforehand, so
    /// chains are short in a forged log, too.
    seed: u64,
    /// The process whose lines are read, and the slot of its section.
    speaker: u64,
    current: u8,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let mut calls = Self {
            sections: iter::repeat_with(|| None).take(MAX_OPEN.into()).collect(),
            slots: [Slot { process: 0, next: NONE, newer: NONE, older: NONE }; TABLE],
            chains: [NONE; TABLE],
            seed: RandomState::new().hash_one(0) | 1,
            speaker: 0,
            current: NONE,
        };
        (0..MAX_OPEN).for_each(|slot| calls.join_order(slot));
        calls
    }

    /// The section of the process whose lines are read, if its start was seen.
    pub(crate) fn current(&mut self) -> Option<&mut Section> {
        self.sections.get_mut(usize::from(self.current))?.as_mut()
    }

    /// From now on the lines of `process` are read.
    pub(crate) fn turn_to(&mut self, process: u64) {
        let mut slot = self.chains[self.chain(process)];
        while slot != NONE && self.slot(slot).process != process {
            slot = self.slot(slot).next;
        }
        self.speaker = process;
        self.current = slot;
        if slot != NONE {
            self.leave_order(slot);
            self.join_order(slot);
        }
    }

    /// The process whose lines are read has started a call. `finish` is given the section that is
    /// over by that: its own last one, or when there is no room the one silent for longest.
    pub(crate) fn start<E>(
        &mut self,
        finish: impl FnOnce(&Section) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.current == NONE {
            self.current = self.slot(NONE).newer;
            self.leave_order(self.current);
            self.join_order(self.current);
            self.leave_chain(self.current);
            self.join_chain(self.current);
        }
        if let Some(place) = self.sections.get_mut(usize::from(self.current)) {
            place.as_ref().map_or(Ok(()), finish)?;
            place.get_or_insert_default().restart(self.speaker);
        }
        Ok(())
    }

    /// All open sections, the one silent for longest first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Section> {
        iter::successors(Some(NONE), |slot| Some(self.slot(*slot).newer))
            .skip(1)
            .take_while(|slot| *slot != NONE)
            .filter_map(|slot| self.sections.get(usize::from(slot))?.as_ref())
    }

    fn slot(&self, slot: u8) -> Slot {
        self.slots[usize::from(slot)]
    }

    fn slot_mut(&mut self, slot: u8) -> &mut Slot {
        &mut self.slots[usize::from(slot)]
    }

    fn leave_order(&mut self, slot: u8) {
        let Slot { newer, older, .. } = self.slot(slot);
        self.slot_mut(newer).older = older;
        self.slot_mut(older).newer = newer;
    }

    /// Makes `slot` the one that was heard last.
    fn join_order(&mut self, slot: u8) {
        let last = self.slot(NONE).older;
        self.slot_mut(last).newer = slot;
        self.slot_mut(NONE).older = slot;
        self.slot_mut(slot).older = last;
        self.slot_mut(slot).newer = NONE;
    }

    fn chain(&self, process: u64) -> usize {
        let [.., highest] = process.wrapping_mul(self.seed).to_le_bytes();
        usize::from(highest)
    }

    /// Takes `slot` out of the chain of its process, if it was ever in one.
    fn leave_chain(&mut self, slot: u8) {
        let Slot { process, next, .. } = self.slot(slot);
        let chain = self.chain(process);
        let mut at = self.chains[chain];
        if at == slot {
            self.chains[chain] = next;
            return;
        }
        while at != NONE {
            let after = self.slot(at).next;
            if after == slot {
                self.slot_mut(at).next = next;
                return;
            }
            at = after;
        }
    }

    /// Puts `slot` in the chain of the process whose lines are read.
    fn join_chain(&mut self, slot: u8) {
        let chain = self.chain(self.speaker);
        let next = self.chains[chain];
        self.chains[chain] = slot;
        self.slot_mut(slot).next = next;
        self.slot_mut(slot).process = self.speaker;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// The same, the slow way.
    #[derive(Default)]
    struct Model {
        open: Vec<u64>,
        current: Option<u64>,
    }

    impl Model {
        fn turn_to(&mut self, process: u64) {
            let known = self.open.iter().position(|open| *open == process);
            self.current = known.map(|index| self.open.remove(index));
            self.open.extend(self.current);
        }

        fn start(&mut self, process: u64) -> Option<u64> {
            let is_full = self.open.len() == usize::from(MAX_OPEN);
            let over = self.current.or_else(|| is_full.then(|| self.open[0]));
            self.open.retain(|open| Some(*open) != over);
            self.open.push(process);
            self.current = Some(process);
            over
        }
    }

    fn compare(numbers: impl Iterator<Item = (u64, bool)>) {
        let (mut calls, mut model) = (Calls::new(), Model::default());
        for (process, starts) in numbers {
            calls.turn_to(process);
            model.turn_to(process);
            assert_eq!(calls.current().map(|section| section.process), model.current);
            if starts {
                let mut over = None;
                let finish = |section: &Section| {
                    over = Some(section.process);
                    Ok::<(), Infallible>(())
                };
                calls.start(finish).unwrap();
                assert_eq!(over, model.start(process));
                assert_eq!(calls.current().map(|section| section.process), Some(process));
            }
        }
        let left: Vec<u64> = calls.in_order().map(|section| section.process).collect();
        assert_eq!(left, model.open);
    }

    #[test]
    fn processes_are_followed_and_the_most_silent_one_is_let_go() {
        compare([].into_iter());
        compare([(0, false), (0, true), (0, true), (u64::MAX, true), (0, false)].into_iter());
        compare((0..1000).map(|process| (process, true)));
        compare((0..1000).flat_map(|process| [(process, true), (7, false)]));
        for (range, step, one_in) in [(100, 1, 3), (200, 1, 2), (300, 256, 5), (5000, 1, 2)] {
            let mut random: u64 = range;
            compare((0..20_000).map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((random >> 33) % range * step, (random >> 20).is_multiple_of(one_in))
            }));
        }
    }
}
