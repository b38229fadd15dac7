//! `ccache --print-stats` as six versions print it. Each counter has a bit of its own, in every
//! fixture the same: a sum tells which counters went into it.

#![expect(clippy::disallowed_methods, reason = "the installed ccache is asked as well")]

use crate::names::{ELSEWHERE, GROUPS, VERSIONS, known_kind};
use ccache_validator::answers;
use ccache_validator::counts::{Counts, Kind, kind_of};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const FIXTURES: [&str; 6] = [
    include_str!("../fixtures/print-stats/3.7.txt"),
    include_str!("../fixtures/print-stats/4.0.txt"),
    include_str!("../fixtures/print-stats/4.4.txt"),
    include_str!("../fixtures/print-stats/4.7.txt"),
    include_str!("../fixtures/print-stats/4.10.txt"),
    include_str!("../fixtures/print-stats/4.13.txt"),
];

/// Hits, misses, uncacheable and errors of each fixture, added up by hand.
const TOTALS: [[u64; 4]; 6] = [
    [0x3, 0x4, 0x003d_9be0, 0x0142_6400],
    [0x3, 0x4, 0x103d_9be0, 0x0142_6400],
    [0x3, 0x4, 0x0010_103d_9be0, 0x0142_6400],
    [0x3, 0x4, 0x0020_0010_103d_9be0, 0x0142_6400],
    [0x3, 0x4, 0x00a0_0010_103d_9be0, 0x0140_0000_0142_6400],
    [0x3, 0x4, 0x08a0_0010_103d_9be0, 0x0140_0000_0142_6400],
];

/// The kinds that [`Counts`] has a number for.
const COUNTED: [Kind; 5] =
    [Kind::DirectHit, Kind::PreprocessedHit, Kind::Miss, Kind::Uncacheable, Kind::Error];

fn fixtures() -> impl Iterator<Item = (&'static str, &'static str)> {
    VERSIONS.into_iter().zip(FIXTURES)
}

/// The lines of a fixture, in order.
fn pairs(fixture: &str) -> Vec<(&str, u64)> {
    fixture
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(name, number)| (name, number.parse().unwrap()))
        .collect()
}

/// The counters of `kind` that `version` prints, by [`GROUPS`].
fn names(version: &str, kind: Kind) -> BTreeSet<&'static str> {
    let groups = GROUPS.iter().filter(|group| group.kind == kind && group.is_in(version));
    groups.flat_map(|group| group.names.iter().copied()).collect()
}

fn sum(version: &str, fixture: &str, kinds: &[Kind]) -> u64 {
    let numbers: BTreeMap<&str, u64> = pairs(fixture).into_iter().collect();
    kinds.iter().flat_map(|kind| names(version, *kind)).map(|name| numbers[name]).sum()
}

fn count(counts: &Counts, kind: Kind) -> Option<u64> {
    match kind {
        Kind::DirectHit => counts.direct_hits,
        Kind::PreprocessedHit => counts.preprocessed_hits,
        Kind::Miss => counts.misses,
        Kind::Uncacheable => counts.uncacheable,
        Kind::Error => counts.errors,
        Kind::NotCompilation | Kind::Other => None,
    }
}

#[test]
fn each_counter_has_a_bit_of_its_own() {
    let mut names: BTreeMap<u64, &str> = BTreeMap::new();
    let mut bits: BTreeMap<&str, u64> = BTreeMap::new();
    for (version, fixture) in fixtures() {
        for (name, number) in pairs(fixture) {
            assert!(number.is_power_of_two(), "{version}: {name} {number}");
            assert_eq!(*names.entry(number).or_insert(name), name, "{version}: {number}");
            assert_eq!(*bits.entry(name).or_insert(number), number, "{version}: {name}");
        }
    }
}

#[test]
fn every_counter_of_every_version_is_classified() {
    for (version, fixture) in fixtures() {
        for (name, _) in pairs(fixture) {
            assert_eq!(known_kind(name), Some(kind_of(name)), "{version}: {name}");
        }
        let printed: BTreeSet<&str> = pairs(fixture).into_iter().map(|(name, _)| name).collect();
        let expected = GROUPS.iter().filter(|group| group.is_in(version));
        let expected: BTreeSet<&str> =
            expected.flat_map(|group| group.names.iter().copied()).collect();
        assert_eq!(printed, expected, "{version}");
    }
    for (name, kind) in ELSEWHERE {
        assert_eq!((kind_of(name), known_kind(name)), (kind, None), "{name}");
    }
}

#[test]
fn the_order_is_the_versions_own() {
    for (version, fixture) in fixtures() {
        let printed: Vec<&str> = pairs(fixture).into_iter().map(|(name, _)| name).collect();
        let is_old = ["3.7", "4.0"].contains(&version);
        assert_eq!(printed.is_sorted(), !is_old, "{version}");
        assert_eq!(printed.first() == Some(&"stats_updated_timestamp"), is_old, "{version}");
    }
}

#[test]
fn every_version_is_counted_exactly() {
    for ((version, fixture), totals) in fixtures().zip(TOTALS) {
        let counts = answers::stats(fixture).counts;
        let read = [counts.hits(), counts.misses, counts.uncacheable, counts.errors];
        assert_eq!(read, totals.map(Some), "{version}");
        let by_name = [
            sum(version, fixture, &[Kind::DirectHit, Kind::PreprocessedHit]),
            sum(version, fixture, &[Kind::Miss]),
            sum(version, fixture, &[Kind::Uncacheable]),
            sum(version, fixture, &[Kind::Error]),
        ];
        assert_eq!(by_name, totals, "{version}");
        assert_eq!(counts.cacheable(), Some(7), "{version}");
    }
}

#[test]
fn what_a_version_does_not_have_is_unknown_and_not_zero() {
    for (version, fixture) in fixtures() {
        let whole = answers::stats(fixture);
        let details: BTreeSet<&str> = whole.details.keys().map(String::as_str).collect();
        let mut expected = names(version, Kind::Uncacheable);
        expected.append(&mut names(version, Kind::Error));
        assert_eq!(details, expected, "{version}");
        for missing in COUNTED {
            let left_out = names(version, missing);
            let is_kept = |line: &&str| !left_out.contains(line.split('\t').next().unwrap());
            let rest: String =
                fixture.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect();
            let counts = answers::stats(&rest).counts;
            for kind in COUNTED {
                let expected = count(&whole.counts, kind).filter(|_| kind != missing);
                assert_eq!(count(&counts, kind), expected, "{version}: {kind:?} of {missing:?}");
            }
        }
    }
}

#[test]
fn a_counter_at_zero_is_known() {
    for (version, fixture) in fixtures() {
        let zeroed: String =
            pairs(fixture).into_iter().flat_map(|(name, _)| [name, "\t0\n"]).collect();
        let tally = answers::stats(&zeroed);
        assert_eq!(tally.counts, Counts::ZERO, "{version}");
        assert!(tally.details.is_empty(), "{version}");
    }
}

/// A ccache newer than all fixtures fails here as soon as it prints what nobody has classified.
#[test]
fn the_installed_ccache_prints_what_is_known() {
    let cache = tempfile::tempdir().unwrap();
    let ask = |argument: &str| {
        let mut command = Command::new("ccache");
        let answer = command.arg(argument).env("CCACHE_DIR", cache.path()).output().unwrap();
        String::from_utf8(answer.stdout).unwrap()
    };
    let printed = ask("--print-stats");
    let printed: Vec<&str> = printed.lines().filter_map(|line| line.split('\t').next()).collect();
    assert!(printed.len() > 29, "{printed:?}");
    for name in &printed {
        assert_eq!(known_kind(name), Some(kind_of(name)), "{name}");
    }
    let version = answers::version(&ask("--version")).unwrap();
    let version = format!("{}.{}", version.major, version.minor);
    if let Some((_, fixture)) = fixtures().find(|(known, _)| *known == version) {
        let expected: Vec<&str> = pairs(fixture).into_iter().map(|(name, _)| name).collect();
        assert_eq!(printed, expected, "{version}");
    }
}
