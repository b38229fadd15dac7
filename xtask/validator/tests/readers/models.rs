//! Builds that ccache kept well-formed records of, and what a reader must make of them.

use ccache_validator::counts::{self, Kind, Tally};
use ccache_validator::logfile::Summary;
use ccache_validator::statslog::{MAX_MISSED_FILES, Statslog};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What ccache writes for each outcome of a call: the counter that decides, and the rest.
const OUTCOMES: [(Kind, &str, &[&str]); 10] = [
    (Kind::DirectHit, "direct_cache_hit", &["local_storage_hit", "local_storage_read_hit"]),
    (Kind::PreprocessedHit, "preprocessed_cache_hit", &["direct_cache_miss", "local_storage_hit"]),
    (Kind::Miss, "cache_miss", &["direct_cache_miss", "preprocessed_cache_miss"]),
    (Kind::Miss, "cache_miss", &["primary_storage_miss", "secondary_storage_error"]),
    (Kind::Uncacheable, "unsupported_compiler_option", &[]),
    (Kind::Uncacheable, "recache", &["cache_miss", "local_storage_write"]),
    (Kind::Uncacheable, counts::UNFINISHED, &["direct_cache_miss"]),
    (Kind::Error, "internal_error", &[]),
    (Kind::Error, "could_not_find_compiler", &[]),
    (Kind::NotCompilation, "called_for_link", &[]),
];

/// Sources that configure steps compile.
const PROBES: [&str; 2] = ["conftest.c", "b/CMakeFiles/CMakeScratch/TryCompile-x/a.c"];

/// One call of ccache as a statslog tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    source: String,
    outcome: usize,
    ending: &'static str,
}

pub(crate) fn calls() -> impl Strategy<Value = Vec<Call>> {
    let source = prop_oneof![
        8 => (0..120_u8).prop_map(|number| format!("src/{number}.c")),
        1 => select(PROBES.to_vec()).prop_map(str::to_owned),
        1 => Just(String::new()),
    ];
    let outcome = prop_oneof![Just(2_usize), 0..OUTCOMES.len()];
    let call = (source, outcome, select(vec!["\n", "\n", "\r\n"]))
        .prop_map(|(source, outcome, ending)| Call { source, outcome, ending });
    vec(call, 0..200)
}

/// The calls' statslog. Counters stand in the order of their names, as ccache writes them.
pub(crate) fn write_statslog(calls: &[Call]) -> Vec<u8> {
    let mut text = String::new();
    for call in calls {
        let (_, decisive, rest) = OUTCOMES[call.outcome];
        let mut names: Vec<&str> = rest.to_vec();
        names.extend((decisive != counts::UNFINISHED).then_some(decisive));
        names.sort_unstable();
        let lines = names.iter().flat_map(|name| [name, call.ending]);
        text.extend(["# ", &call.source, call.ending].into_iter().chain(lines));
    }
    text.into_bytes()
}

/// What the calls' statslog says.
pub(crate) fn expect_statslog(calls: &[Call]) -> Statslog {
    let mut expected = Statslog::default();
    for call in calls {
        let (kind, name, _) = OUTCOMES[call.outcome];
        let is_own = match call.source.as_str() {
            "" => name == "internal_error",
            source => source.starts_with("src/"),
        };
        match (kind, is_own) {
            (Kind::NotCompilation, _) => expected.other_calls += 1,
            (_, true) => count(&mut expected.own, kind, name),
            (_, false) => count(&mut expected.probes, kind, name),
        }
        let is_new = !expected.missed_files.contains(&call.source);
        let has_room = expected.missed_files.len() < MAX_MISSED_FILES;
        if kind == Kind::Miss && is_own && is_new && has_room {
            expected.missed_files.push(call.source.clone());
        }
    }
    expected
}

/// Counts one call, without the help of the code that is tested.
fn count(tally: &mut Tally, kind: Kind, name: &str) {
    let counts = &mut tally.counts;
    let field = match kind {
        Kind::DirectHit => &mut counts.direct_hits,
        Kind::PreprocessedHit => &mut counts.preprocessed_hits,
        Kind::Miss => &mut counts.misses,
        Kind::Uncacheable => &mut counts.uncacheable,
        Kind::Error => &mut counts.errors,
        Kind::NotCompilation | Kind::Other => unreachable!("{name}"),
    };
    *field = Some(field.unwrap() + 1);
    if matches!(kind, Kind::Uncacheable | Kind::Error) {
        *tally.details.entry(name.to_owned()).or_default() += 1;
    }
}

/// How a call in a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Hit,
    Missed,
    Other,
}

/// What versions from 3.7 on write at the end of a call. The last of them never came to an end.
const RESULTS: [(End, &[&str]); 11] = [
    (End::Hit, &["Result: direct_cache_hit", "Result: local_storage_hit"]),
    (End::Hit, &["Result: direct_cache_miss", "Result: preprocessed_cache_hit"]),
    (End::Hit, &["Succeeded getting cached result"]),
    (End::Hit, &["Result: cache hit (direct)"]),
    (End::Hit, &["Result: cache hit (preprocessed)"]),
    (End::Missed, &["Result: cache_miss", "Result: direct_cache_miss"]),
    (End::Missed, &["Result: cache miss"]),
    (End::Missed, &["Result: unsupported_compiler_option"]),
    (End::Other, &["Result: called_for_link"]),
    (End::Other, &["Result: called for preprocessing"]),
    (End::Missed, &[]),
];

/// The calls of a build as a log tells of them.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    calls: Vec<LoggedCall>,
    /// Whose turn it is to write next, modulo the number of calls that are not done. Without any,
    /// one call follows the other, and all have the same process number.
    turns: Vec<usize>,
}

#[derive(Debug, Clone)]
struct LoggedCall {
    is_in_project: bool,
    is_probe: bool,
    result: usize,
}

pub(crate) fn logged() -> impl Strategy<Value = Logged> {
    let call = (any::<bool>(), proptest::bool::weighted(0.1), 0..RESULTS.len()).prop_map(
        |(is_in_project, is_probe, result)| LoggedCall { is_in_project, is_probe, result },
    );
    let turns = prop_oneof![Just(Vec::new()), vec(0..1000_usize, 400)];
    (vec(call, 0..40), turns).prop_map(|(calls, turns)| Logged { calls, turns })
}

impl Logged {
    /// The name by which call `index` can be found in what is printed.
    pub(crate) fn source(&self, index: usize) -> String {
        let name = if self.calls[index].is_probe { "conftest" } else { "unit" };
        format!("s{index}/{name}.c")
    }

    /// Whether call `index` must be printed.
    pub(crate) fn is_shown(&self, index: usize) -> bool {
        let call = &self.calls[index];
        call.is_in_project && !call.is_probe && RESULTS[call.result].0 == End::Missed
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut waiting: Vec<(usize, Vec<String>)> =
            (0..self.calls.len()).map(|index| (index, self.messages(index))).collect();
        let mut text = String::new();
        let mut turns = self.turns.iter();
        while !waiting.is_empty() {
            let turn = turns.next().map_or(0, |turn| turn % waiting.len());
            let (index, messages) = &mut waiting[turn];
            let process = if self.turns.is_empty() { 77 } else { 1000 + *index };
            let message = messages.remove(0);
            let line = format!("[2026-11-22T13:41:54.513083 {process:<5}] {message}\n");
            text.push_str(&line);
            waiting.retain(|(_, messages)| !messages.is_empty());
        }
        text.into_bytes()
    }

    fn messages(&self, index: usize) -> Vec<String> {
        let call = &self.calls[index];
        let folder = if call.is_in_project { "/project/build" } else { "/elsewhere" };
        let source = self.source(index);
        let mut messages = vec![
            "=== CCACHE 4.7.5 STARTED =========================================".to_owned(),
            "Config: (default) stats = true".to_owned(),
            format!("Command line: ccache gcc -c {source}"),
            format!("Working directory: {folder}"),
            format!("Source file: {source}"),
        ];
        messages.extend(RESULTS[call.result].1.iter().map(|line| (*line).to_owned()));
        messages
    }

    pub(crate) fn expect(&self) -> Summary {
        let mut expected = Summary::default();
        for call in &self.calls {
            expected.sections += 1;
            match (call.is_in_project, call.is_probe) {
                (false, _) => {}
                (true, true) => expected.probes += 1,
                (true, false) => {
                    expected.concerning += 1;
                    match RESULTS[call.result].0 {
                        End::Hit => expected.hits += 1,
                        End::Missed => expected.missed += 1,
                        End::Other => expected.other += 1,
                    }
                }
            }
        }
        expected
    }
}
