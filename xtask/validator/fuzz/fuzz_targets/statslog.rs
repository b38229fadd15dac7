//! The file that `CCACHE_STATSLOG` names.

#![no_main]

#[expect(dead_code, reason = "each target needs its own part")]
#[path = "../../tests/readers/invariants.rs"]
mod invariants;
mod memory;

use ccache_validator::statslog;

/// What a reader may take. A line of 8 KiB takes six times as much when it is written out.
const MEMORY: usize = 1024 * 1024;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    memory::within(MEMORY, || invariants::statslog(input, &[1 + input.len() % 13]));
    // Now and then more than fits into the memory that there is, to see that it is not kept.
    if memory::is_chosen(input) {
        let reader = memory::repeated(input, MEMORY + MEMORY / 4);
        memory::within(MEMORY, || drop(statslog::read_from(reader).expect("no error")));
    }
});
