//! The file that `CCACHE_LOGFILE` names.

#![no_main]

#[expect(dead_code, reason = "each target needs its own part")]
#[path = "../../tests/readers/invariants.rs"]
mod invariants;
mod memory;

use ccache_validator::logfile;
use std::io;

/// What a reader may take: 128 calls at once of 16 KiB each, in buffers that have grown to twice as
/// much, and what is printed.
const MEMORY: usize = 8 * 1024 * 1024;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    memory::within(MEMORY, || invariants::log(input, &[1 + input.len() % 13]));
    // Now and then more than fits into the memory that there is, to see that it is not kept.
    if memory::is_chosen(input) {
        let reader = memory::repeated(input, MEMORY + MEMORY / 4);
        memory::within(MEMORY, || {
            logfile::print_sections(reader, &[], &mut io::sink()).expect("no error");
        });
    }
});
