//! Pieces of real records, put together and damaged.

use crate::names;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;

/// A record's bytes, shown as text when a property fails.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Any bytes at all.
pub(crate) fn anything() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..1000).prop_map(Bytes)
}

/// A record made of `pieces` and then damaged a few times, or not at all.
pub(crate) fn damaged(pieces: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Bytes> {
    let ending = select(vec![&b"\n"[..], b"\n", b"\n", b"\n", b"\r\n", b"", b"\n\n"]);
    let line = (pieces, ending).prop_map(|(piece, ending)| [&piece[..], ending].concat());
    (vec(line, 0..40), vec(damage(), 0..4)).prop_map(|(lines, damages)| {
        let mut record = lines.concat();
        for one in damages {
            one.apply(&mut record);
        }
        Bytes(record)
    })
}

/// One thing that happens to a file. Places are taken modulo its length.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
}

impl Damage {
    fn apply(self, record: &mut Vec<u8>) {
        let place = |at: usize| at % (record.len() + 1);
        match self {
            Self::Cut(at) => record.truncate(place(at)),
            Self::Remove(at, length) => {
                let start = place(at);
                record.drain(start..(start + length).min(record.len()));
            }
            Self::Repeat(at, length) => {
                let start = place(at);
                let copy = record[start..(start + length).min(record.len())].to_vec();
                record.splice(start..start, copy);
            }
            Self::Insert(at, bytes) => {
                let start = place(at);
                record.splice(start..start, bytes);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..10_000_usize;
    // Longer than any line that is read whole, and not harmless when its end is taken for a line.
    let words = select(vec!["x", "#", "# a.c ", "cache_miss ", "[t 1] === CCACHE STARTED ", "é"]);
    let filler = (words, 1..20_000_usize)
        .prop_map(|(words, length)| words.bytes().cycle().take(length).collect());
    prop_oneof![
        2 => at.clone().prop_map(Damage::Cut),
        2 => (at.clone(), 1..200_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        2 => (at.clone(), 1..200_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        4 => (at.clone(), nasty()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (at, filler).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ]
}

/// What a terminal, a decoder or a parser may stumble over.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let known = select(vec![
        &b"\0\0\0\0"[..],
        b"\xff\xfe\xc3",
        b"\x1b[2J\x1b]0;title\x07",
        "\u{202e}\u{feff}".as_bytes(),
        b"\r",
        b"\n",
        b"\t",
        b"#",
        b"] ",
        b") ",
        b"-1",
        b"18446744073709551615",
    ]);
    prop_oneof![known.prop_map(<[u8]>::to_vec), vec(any::<u8>(), 1..20)]
}

/// Text of one line that no terminal should be shown as it is.
fn ugly() -> impl Strategy<Value = String> {
    "[a-z/.\u{1}-\u{9}\u{b}-\u{1f}\u{80}-\u{9f}é\u{202e}]{0,300}"
}

/// A counter that some version prints, seldom one that none does.
fn counter() -> impl Strategy<Value = String> {
    let known: Vec<&str> = names::all().map(|(name, _)| name).collect();
    prop_oneof![
        12 => select(known).prop_map(str::to_owned),
        1 => (select(vec!["unsupported_", "could_not_use_"]), ugly())
            .prop_map(|(start, rest)| start.to_owned() + &rest),
    ]
}

/// More names than a tally keeps, all different for most purposes.
pub(crate) fn many_names() -> impl Strategy<Value = Vec<String>> {
    vec("(unsupported|could_not_use)_([a-z]{1,8}|[a-z]{45,60})", 0..100)
}

/// A line that says nothing, mostly longer than any that is read whole. Wherever it is torn, the
/// rest of it looks like the start of something.
pub(crate) fn idle_line() -> impl Strategy<Value = Vec<u8>> {
    (select(vec!["#", "\0", "\u{7f}"]), 0..40_000_usize).prop_map(|(word, length)| {
        let rest = word.bytes().cycle().take(length);
        b"x".iter().copied().chain(rest).chain(*b"\n").collect()
    })
}

/// ccache's answer to `--version`, with an end that may be anything.
pub(crate) fn version() -> impl Strategy<Value = Bytes> {
    let rest = prop_oneof!["[0-9.a-z]{0,100}".boxed(), ugly().boxed()];
    (0..5_u32, rest)
        .prop_map(|(minor, rest)| Bytes(format!("ccache version 4.{minor}{rest}").into()))
}

/// A line of an answer to `--print-stats`, `-p` or `--version`.
pub(crate) fn answer_line() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        4 => (0..1000_u64).prop_map(|number| number.to_string()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => "[-+ ]?[0-9]{0,25}[x ]?",
    ];
    let key = select(vec!["disable", "read_only", "stats", "base_dir", "max_size"]);
    let origin = " ?[(]?[a-z/() ]{0,12}[)]?";
    prop_oneof![
        6 => (counter(), number).prop_map(|(name, number)| format!("{name}\t{number}")),
        2 => (origin, key).prop_map(|(origin, key)| format!("{origin} {key} = true")),
        1 => "ccache version ?[0-9]{0,11}[.]?[0-9]{0,11}",
    ]
    .prop_map(String::into_bytes)
}

/// A call in a statslog, or a line of one.
pub(crate) fn statslog_call() -> impl Strategy<Value = Vec<u8>> {
    let names = vec!["conftest.c", "", "a.o", "/x/CMakeFiles/CMakeScratch/T/a.c"];
    let source = prop_oneof![
        4 => "src/[a-e][.]c",
        1 => select(names).prop_map(str::to_owned),
        2 => ugly(),
    ];
    let outcome = prop_oneof![Just("cache_miss".to_owned()), counter()];
    prop_oneof![
        4 => (source, vec(outcome, 0..3))
            .prop_map(|(source, outcomes)| format!("# {source}\n{}", outcomes.join("\n"))),
        1 => counter(),
    ]
    .prop_map(String::into_bytes)
}

/// A line of a log.
pub(crate) fn log_line() -> impl Strategy<Value = Vec<u8>> {
    let paths =
        vec!["/project", "/project/a.c", "../a.c", "/tmp", "a.o", "conftest.c", "/projects"];
    let label = select(vec!["Working directory", "Source file", "Object file", "Command line"]);
    let others = vec![
        "Result: cache hit (direct)",
        "Succeeded getting cached result",
        "Config: (default) x",
    ];
    let message = prop_oneof![
        3 => Just("=== CCACHE 4.7.5 STARTED =========".to_owned()),
        4 => (label, select(paths)).prop_map(|(label, path)| format!("{label}: {path}")),
        3 => counter().prop_map(|name| format!("Result: {name}")),
        1 => select(others).prop_map(str::to_owned),
        1 => ugly(),
    ];
    let process = prop_oneof![8 => 1..4_u64, 1 => any::<u64>()];
    prop_oneof![
        8 => (process, message).prop_map(|(process, message)| {
            format!("[2026-11-22T13:41:54.513083 {process:<5}] {message}")
        }),
        1 => ugly(),
    ]
    .prop_map(String::into_bytes)
}

/// A log of misses that is too much for all of them to be printed, or just not.
pub(crate) fn long_log() -> impl Strategy<Value = Bytes> {
    (10..40_usize, 1..12_usize, 10..150_usize).prop_map(|(calls, lines, words)| {
        let filler = "filler ".repeat(words);
        let call = |number: usize| {
            let mut messages = vec!["=== CCACHE 4.7.5 STARTED ===", "Working directory: /project"];
            messages.extend((0..lines).map(|_| filler.as_str()));
            let lines = messages.iter().map(|message| format!("[t {number}] {message}\n"));
            lines.collect::<String>()
        };
        Bytes((1..=calls).flat_map(|number| call(number).into_bytes()).collect())
    })
}
