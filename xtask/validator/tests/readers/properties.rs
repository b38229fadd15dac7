//! Properties of the readers: no input harms them, and what is whole is read exactly.

use crate::invariants::{self, CAPACITIES};
use crate::{grammar, models, names};
use ccache_validator::counts::{Counts, Kind};
use ccache_validator::{answers, logfile, statslog};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// No file of past failures: what fails here becomes a test of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Numbers of different counters, each once, in any order.
fn counters() -> impl Strategy<Value = Vec<(&'static str, Kind, u64)>> {
    let known: Vec<(&str, Kind)> = names::all().collect();
    let some = subsequence(known.clone(), 0..=known.len()).prop_shuffle();
    let number = prop_oneof![Just(0_u64), 0..1_000_000_u64];
    (some, vec(number, known.len())).prop_map(|(names, numbers)| {
        names.into_iter().zip(numbers).map(|((name, kind), number)| (name, kind, number)).collect()
    })
}

/// An origin that ccache may give for a setting: a path is anything but the start of a setting.
fn origin() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["default", "environment", "/etc/ccache.conf"]).prop_map(str::to_owned),
        "/[a-z() ]{0,20}/ccache[.]conf",
    ]
}

/// A value of a setting, which ccache prints without blanks around it.
fn value() -> impl Strategy<Value = String> {
    "([!-~]([ -~]{0,20}[!-~])?)?"
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn any_bytes_at_all(input in grammar::anything()) {
        invariants::statistics(&input.0);
        invariants::statslog(&input.0, &CAPACITIES);
        invariants::log(&input.0, &CAPACITIES);
    }

    #[test]
    fn damaged_answers(input in grammar::damaged(grammar::answer_line())) {
        invariants::statistics(&input.0);
    }

    #[test]
    fn damaged_statslogs(input in grammar::damaged(grammar::statslog_call())) {
        invariants::statslog(&input.0, &CAPACITIES);
    }

    #[test]
    fn damaged_logs(input in grammar::damaged(grammar::log_line())) {
        invariants::log(&input.0, &CAPACITIES);
    }

    #[test]
    fn answers_about_the_version(input in grammar::version()) {
        invariants::statistics(&input.0);
    }

    #[test]
    fn counters_are_read_back(
        counters in counters(),
        ending in select(vec!["\n", "\r\n"]),
        noise in select(vec!["", "(default) stats = true", "ccache version 4.7.5"]),
    ) {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        let mut details: BTreeMap<String, u64> = BTreeMap::new();
        let mut text = String::new();
        for (name, kind, number) in &counters {
            text.extend([name, "\t", &number.to_string(), ending, noise, ending]);
            let field = match kind {
                Kind::DirectHit => "direct",
                Kind::PreprocessedHit => "preprocessed",
                Kind::Miss => "missed",
                Kind::Uncacheable => "uncacheable",
                Kind::Error => "errors",
                Kind::NotCompilation | Kind::Other => continue,
            };
            *sums.entry(field).or_default() += number;
            if *number > 0 && matches!(kind, Kind::Uncacheable | Kind::Error) {
                details.insert((*name).to_owned(), *number);
            }
        }
        let expected = Counts {
            direct_hits: sums.get("direct").copied(),
            preprocessed_hits: sums.get("preprocessed").copied(),
            misses: sums.get("missed").copied(),
            uncacheable: sums.get("uncacheable").copied(),
            errors: sums.get("errors").copied(),
        };
        let tally = answers::stats(&text);
        prop_assert_eq!(tally.counts, expected);
        prop_assert_eq!(tally.details, details);
    }

    #[test]
    fn versions_are_read_back(
        (major, minor) in prop_oneof![(3..6_u32, 0..7_u32), any::<(u32, u32)>()],
        rest in "([.][0-9]{1,3})?([+_-][a-z0-9.]{1,20})?",
        after in "(\r?\n[ -~]{0,40})?",
    ) {
        let text = format!("{major}.{minor}{rest}");
        let version = answers::version(&format!("ccache version {text}{after}")).unwrap();
        prop_assert_eq!((version.major, version.minor), (major, minor));
        prop_assert_eq!(version.has_statslog(), major > 4 || (major == 4 && minor >= 4));
        prop_assert_eq!(version.text, text);
    }

    #[test]
    fn settings_are_read_back(
        settings in btree_map("[a-z][a-z_]{0,15}", (origin(), value()), 0..12),
    ) {
        let mut text = String::new();
        for (key, (origin, value)) in &settings {
            text.extend(["(", origin, ") ", key, " = ", value, "\n"]);
        }
        for (key, (origin, value)) in &settings {
            let read = answers::setting(&text, key).unwrap();
            prop_assert_eq!((&read.origin, &read.value), (origin, value));
            prop_assert_eq!(read.is_true(), value == "true");
        }
        prop_assert_eq!(answers::setting(&text, "no-such-key"), None);
    }

    #[test]
    fn statslogs_are_read_back(calls in models::calls()) {
        let read = statslog::read_from(&models::write_statslog(&calls)[..]).unwrap();
        prop_assert_eq!(read, models::expect_statslog(&calls));
    }

    #[test]
    fn logs_are_read_back(build in models::logged()) {
        let mut printed = Vec::new();
        let projects = [PathBuf::from("/project")];
        let read = logfile::print_sections(&build.write()[..], &projects, &mut printed).unwrap();
        prop_assert_eq!(read, build.expect());
        let printed = String::from_utf8(printed).unwrap();
        for index in 0..build.count() {
            let head = format!("ccache log: {}: ", build.source(index));
            let heads = printed.lines().filter(|line| line.starts_with(&head)).count();
            prop_assert_eq!(heads, usize::from(build.is_shown(index)), "{}", head);
            let line = format!("| Source file: {}", build.source(index));
            let lines = printed.lines().filter(|shown| *shown == line).count();
            prop_assert_eq!(lines, heads, "{}", line);
        }
    }
}

// The input of these is long, so it is seldom made.
proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn logs_of_more_than_is_printed(input in grammar::long_log()) {
        invariants::log(&input.0, &[64 * 1024]);
    }

    #[test]
    fn more_names_than_are_kept(names in grammar::many_names()) {
        let answer: String = names.iter().flat_map(|name| [name, "\t3\n"]).collect();
        invariants::statistics(answer.as_bytes());
        let log: String = names.iter().flat_map(|name| ["# a.c\n", name, "\n"]).collect();
        invariants::statslog(log.as_bytes(), &[]);
    }

    #[test]
    fn a_line_that_says_nothing_changes_nothing(
        (before, after) in (models::calls(), models::calls()),
        idle in grammar::idle_line(),
    ) {
        let [before, after] = [before, after].map(|calls| models::write_statslog(&calls));
        let read = |parts: &[&[u8]], capacity: usize| {
            let input = parts.concat();
            let meter = invariants::Meter { rest: &input, at_once: capacity, handed_out: 0 };
            statslog::read_from(meter).unwrap()
        };
        let expected = read(&[&before, &after], 64 * 1024);
        for capacity in [4096, 64 * 1024] {
            prop_assert_eq!(&read(&[&before, &idle, &after], capacity), &expected);
        }
    }
}

/// A statslog's lines are read up to 8192 bytes and a log's up to 4096. Where a line is cut must
/// not depend on the buffer, nor on how the line ends.
#[test]
fn lines_as_long_as_the_limits() {
    for limit in [4096, 8192] {
        for length in limit - 8..limit + 8 {
            for ending in ["\n", "\r\n"] {
                let line = |start: &str| -> String {
                    start.chars().chain(('a'..='z').cycle()).take(length).collect()
                };
                let log = ["# a.c\n", &line("# "), ending, "cache_miss\n"].concat();
                invariants::statslog(log.as_bytes(), &[7]);
                let log = ["[t 1] === CCACHE 4 STARTED ===\n", &line("[t 1] "), ending].concat();
                invariants::log(log.as_bytes(), &[7]);
            }
        }
    }
}
