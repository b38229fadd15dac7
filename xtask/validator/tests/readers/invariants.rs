//! What holds for any input whatever. The fuzz targets check the same, out of this file.

use ccache_validator::counts::{Counts, Tally};
use ccache_validator::{answers, logfile, statslog};
use std::fmt::Debug;
use std::io::{self, Read};
use std::path::PathBuf;

/// Pieces so small that every line is torn, that most are, and that few are.
pub(crate) const CAPACITIES: [usize; 3] = [1, 7, 64 * 1024];

/// The settings that the validator asks for.
const KEYS: [&str; 4] = ["disable", "read_only", "stats", "base_dir"];

/// How many names a tally keeps, and how long they may be.
const MAX_DETAILS: usize = 64;

/// Hands out bytes, so many at a time, and counts them.
pub(crate) struct Meter<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) at_once: usize,
    pub(crate) handed_out: usize,
}

impl Read for Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.at_once.min(buffer.len());
        let count = self.rest.read(&mut buffer[..room])?;
        self.handed_out += count;
        Ok(count)
    }
}

/// Reads `input` whole and in pieces of each size. All agree, and each gets every byte once.
fn each_way<T: PartialEq + Debug>(
    input: &[u8],
    capacities: &[usize],
    read: impl Fn(&mut dyn Read) -> io::Result<T>,
) -> T {
    let whole = read(&mut &*input).unwrap();
    for capacity in capacities {
        let mut meter = Meter { rest: input, at_once: *capacity, handed_out: 0 };
        assert_eq!(read(&mut meter).unwrap(), whole, "in pieces of {capacity} bytes");
        assert_eq!(meter.handed_out, input.len(), "bytes handed out");
    }
    whole
}

/// ccache's answers to `--print-stats`, `--version` and `-p`.
pub(crate) fn statistics(input: &[u8]) {
    let answer = String::from_utf8_lossy(input);
    let tally = answers::stats(&answer);
    let numbers = answer.lines().filter_map(|line| line.split_once('\t'));
    let most: u128 =
        numbers.filter_map(|(_, it)| it.trim().parse::<u64>().ok()).map(u128::from).sum();
    assert!(total(&tally.counts) <= most, "{tally:?} out of {most}");
    check_details(&tally);
    assert!(tally.details.keys().all(|name| answer.contains(name.as_str())), "{tally:?}");

    if let Some(version) = answers::version(&answer) {
        let rest = answer.strip_prefix("ccache version ").unwrap().trim_start();
        assert!(rest.starts_with(&version.text), "{version:?}");
        assert!((1..=64).contains(&version.text.len()), "{version:?}");
        check_clean(&version.text);
        assert!(!version.text.contains(['\n', '\t']), "{version:?}");
    }
    for setting in KEYS.iter().filter_map(|key| answers::setting(&answer, key)) {
        let holds = |line: &str| line.contains(&setting.origin) && line.contains(&setting.value);
        assert!(answer.lines().any(holds), "{setting:?}");
    }
}

/// A statslog, read in pieces of all `capacities`.
pub(crate) fn statslog(input: &[u8], capacities: &[usize]) {
    let read = each_way(input, capacities, |reader| statslog::read_from(reader));
    let blocks = lines(input).filter(|line| line.starts_with(b"#")).count();
    let counted = total(&read.own.counts) + total(&read.probes.counts);
    assert_eq!(counted + u128::from(read.other_calls), blocks as u128, "{read:?}");
    let hits = most(input, &["direct_cache_hit", "preprocessed_cache_hit"])
        + most(input, &["cache_hit_direct", "cache_hit_preprocessed"]);
    assert!(sum(&read.own, &read.probes, Counts::hits) <= hits, "{read:?}");
    let misses = most(input, &["cache_miss"]);
    assert!(sum(&read.own, &read.probes, |counts| counts.misses) <= misses, "{read:?}");
    check_details(&read.own);
    check_details(&read.probes);

    assert!(read.missed_files.len() <= statslog::MAX_MISSED_FILES);
    assert!(read.missed_files.len() as u64 <= read.own.counts.misses.unwrap());
    for (index, file) in read.missed_files.iter().enumerate() {
        assert!(file.chars().count() <= statslog::MAX_SOURCE_CHARACTERS + 1, "{file}");
        check_clean(file);
        assert!(!file.contains('\n') && !read.missed_files[..index].contains(file), "{file}");
    }
}

/// A log, read in pieces of all `capacities`, for one project and for none.
pub(crate) fn log(input: &[u8], capacities: &[usize]) {
    for projects in [vec![], vec![PathBuf::from("/project")]] {
        let (summary, printed) = each_way(input, capacities, |reader| {
            let mut printed = Vec::new();
            let summary = logfile::print_sections(reader, &projects, &mut printed)?;
            Ok((summary, String::from_utf8(printed).unwrap()))
        });
        let starts = lines(input).filter(|line| contains(line, b"=== CCACHE ")).count();
        assert!(summary.sections <= starts as u64, "{summary:?} out of {starts}");
        assert!(summary.concerning + summary.probes <= summary.sections, "{summary:?}");
        let outcomes = summary.hits + summary.missed + summary.other;
        assert_eq!(outcomes, summary.concerning, "{summary:?}");

        check_clean(&printed);
        assert!(printed.len() <= logfile::MAX_PRINTED_BYTES, "{} bytes", printed.len());
        assert!(printed.is_empty() || printed.ends_with('\n'));
        let heads = printed.lines().filter(|line| line.starts_with("ccache log: ")).count();
        let bodies = printed.lines().filter(|line| line.starts_with("| ")).count();
        assert_eq!(heads + bodies, printed.lines().count(), "{printed}");
        assert_eq!(heads as u64 + summary.left_out, summary.missed, "{summary:?}");
    }
}

fn total(counts: &Counts) -> u128 {
    let hits = [counts.direct_hits, counts.preprocessed_hits];
    let rest = [counts.misses, counts.uncacheable, counts.errors];
    hits.into_iter().chain(rest).flatten().map(u128::from).sum()
}

fn sum(own: &Tally, probes: &Tally, count: impl Fn(&Counts) -> Option<u64>) -> u64 {
    count(&own.counts).unwrap() + count(&probes.counts).unwrap()
}

/// The names behind the numbers: few, short, plain, and together no more than the numbers.
fn check_details(tally: &Tally) {
    assert!(tally.details.len() <= MAX_DETAILS, "{} names", tally.details.len());
    let plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
    for name in tally.details.keys() {
        assert!(name.len() <= 64 && name.chars().all(plain), "{name:?}");
    }
    let known = [tally.counts.uncacheable, tally.counts.errors];
    let known: u128 = known.into_iter().flatten().map(u128::from).sum();
    let named: u128 = tally.details.values().copied().map(u128::from).sum();
    let is_whole = tally.details.len() < MAX_DETAILS && known < u128::from(u64::MAX);
    assert!(named == known || !is_whole, "{tally:?}");
}

/// Nothing that moves the cursor.
fn check_clean(text: &str) {
    let is_harmless = |one: char| one == '\n' || one == '\t' || !one.is_control();
    assert!(text.chars().all(is_harmless), "{text:?}");
}

fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// How many lines are one of `names` and nothing else.
fn most(input: &[u8], names: &[&str]) -> u64 {
    lines(input).filter(|line| names.iter().any(|name| *line == name.as_bytes())).count() as u64
}

fn contains(line: &[u8], words: &[u8]) -> bool {
    line.windows(words.len()).any(|window| window == words)
}
