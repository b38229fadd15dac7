//! The memory that a reader may take: a fixed amount, however much there is to read.

use cap::Cap;
use std::alloc::System;
use std::io::{self, Read};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Runs `check` with `bytes` of memory more than what is taken now. Any more is refused, which ends
/// the program: that is the finding.
pub(crate) fn within(bytes: usize, check: impl FnOnce()) {
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + bytes).expect("a limit above what is taken");
    check();
    ALLOCATOR.set_limit(usize::MAX).expect("no limit");
}

/// Whether `input` is one of the few that are read at length: by its content, because libFuzzer
/// stays with a length for long.
pub(crate) fn is_chosen(input: &[u8]) -> bool {
    input.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into())) % 1021
        == 1
}

/// `input` over and over, `bytes` in all, none of which take memory.
pub(crate) fn repeated(input: &[u8], bytes: usize) -> impl Read {
    Repeated { input, place: 0 }.take(bytes as u64)
}

struct Repeated<'a> {
    input: &'a [u8],
    place: usize,
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&self.input[self.place..]).read(buffer)?;
        self.place = (self.place + count) % self.input.len().max(1);
        Ok(count)
    }
}
