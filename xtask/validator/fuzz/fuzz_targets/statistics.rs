//! ccache's answers to `--print-stats`, `--version` and `-p`.

#![no_main]

#[expect(dead_code, reason = "each target needs its own part")]
#[path = "../../tests/readers/invariants.rs"]
mod invariants;
#[expect(dead_code, reason = "an answer is in memory as a whole")]
mod memory;

// The answer is held as text, which is three times as long when nothing of it is valid, and two
// parts of a line are copied.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    memory::within(6 * input.len() + 256 * 1024, || invariants::statistics(input));
});
