use super::*;

/// Evidence of a build with these counters on record; the marker stands already.
fn evidence(own: &[(&str, u64)], probes: &[(&str, u64)]) -> Evidence {
    let tally = |counters: &[(&str, u64)]| {
        let mut tally = Tally::zero();
        for (name, number) in counters {
            tally.add(name, *number);
        }
        tally
    };
    Evidence {
        source: Source::Statslog,
        own: tally(own),
        probes: tally(probes),
        other_calls: 0,
        min_hit_rate: MinHitRate::default(),
        on_miss: OnMiss::Fail,
        domain: "manylinux_x86_64".to_owned(),
        marker: Marker::Present,
        obstacle: None,
        suspicion: None,
        strict_restore: false,
        fit: Some(Fit::Exact),
    }
}

fn with(change: impl FnOnce(&mut Evidence), mut evidence: Evidence) -> Evidence {
    change(&mut evidence);
    evidence
}

fn first(evidence: Evidence) -> Evidence {
    with(|it| it.marker = Marker::Made, evidence)
}

fn floor(percent: &str, evidence: Evidence) -> Evidence {
    with(|it| it.min_hit_rate = MinHitRate::parse(percent).unwrap(), evidence)
}

fn blocked(obstacle: Obstacle, evidence: Evidence) -> Evidence {
    with(|it| it.obstacle = Some(obstacle), evidence)
}

const DIRECT: &str = "direct_cache_hit";
const MISS: &str = "cache_miss";
const PREPROCESSED: &str = "preprocessed_cache_hit";

/// Every case: the evidence, the verdict, whether it passes, a word of its cause or remedy.
fn table() -> Vec<(Evidence, Verdict, bool, &'static str)> {
    use Verdict::{Cold, Hit, Miss, NotApplicable, NotInvoked, Unusable};
    let nothing = || evidence(&[], &[]);
    let misses = || evidence(&[(MISS, 3)], &[]);
    let hits = || evidence(&[(DIRECT, 1), (MISS, 2)], &[]);
    let disabled = || Obstacle::Disabled("environment".to_owned());
    let read_only = || Obstacle::ReadOnly("read_only", "/c/ccache.conf".to_owned());
    let fit = |fit, evidence| with(|it| it.fit = Some(fit), evidence);
    let no_folder = |evidence| with(|it| it.marker = Marker::NoFolder, evidence);
    vec![
        (hits(), Hit, true, ""),
        (evidence(&[(PREPROCESSED, 1), (MISS, 9)], &[]), Hit, true, ""),
        (first(hits()), Hit, true, ""),
        (no_folder(hits()), Hit, true, ""),
        (evidence(&[(DIRECT, 1), ("unsupported_compiler_option", 9)], &[]), Hit, true, ""),
        (floor("50", evidence(&[(DIRECT, 1), (PREPROCESSED, 1), (MISS, 2)], &[])), Hit, true, ""),
        (
            floor("50.001", evidence(&[(DIRECT, 2), (MISS, 2)], &[])),
            Miss,
            false,
            "at least 50.001 %",
        ),
        (misses(), Miss, false, "an earlier build of domain manylinux_x86_64"),
        (with(|it| it.on_miss = OnMiss::Warn, misses()), Miss, true, "0 of 3"),
        (no_folder(misses()), Miss, false, "set CCACHE_DIR"),
        (evidence(&[(MISS, 1)], &[(DIRECT, 50)]), Miss, false, "0 of 1"),
        (first(misses()), Cold, true, "CCACHE_BASEDIR"),
        (floor("90", first(hits())), Cold, true, "1 of 3"),
        (nothing(), NotInvoked, false, "never called"),
        (first(nothing()), NotInvoked, false, "CMAKE_CXX_COMPILER_LAUNCHER"),
        (with(|it| it.on_miss = OnMiss::Warn, nothing()), NotInvoked, false, "PATH"),
        (evidence(&[], &[(DIRECT, 4), (MISS, 1)]), NotInvoked, false, "only configure probes (5)"),
        (with(|it| it.other_calls = 2, nothing()), NotInvoked, false, "its only calls (2)"),
        (with(|it| it.fit = None, nothing()), NotInvoked, false, "meson"),
        (fit(Fit::OlderStableAbi, nothing()), NotApplicable, true, "abi3"),
        (fit(Fit::AnyPython, nothing()), NotApplicable, true, "py3-none"),
        (fit(Fit::AnyPython, first(nothing())), NotInvoked, false, "went through ccache"),
        (fit(Fit::OlderStableAbi, misses()), Miss, false, "0 of 3"),
        (blocked(disabled(), fit(Fit::AnyPython, nothing())), Unusable, false, "disabled"),
        (blocked(disabled(), nothing()), Unusable, false, "unset CCACHE_DISABLE"),
        (blocked(disabled(), hits()), Hit, true, ""),
        (blocked(disabled(), misses()), Miss, false, "0 of 3"),
        (blocked(Obstacle::Missing, nothing()), Unusable, false, "no ccache on PATH"),
        (blocked(Obstacle::Missing, misses()), Miss, false, "0 of 3"),
        (blocked(read_only(), first(misses())), Unusable, false, "from /c/ccache.conf"),
        (blocked(read_only(), hits()), Hit, true, ""),
        (blocked(read_only(), nothing()), NotInvoked, false, "never called"),
        (evidence(&[("unsupported_compiler_option", 3)], &[]), Unusable, false, "-save-temps"),
        (first(evidence(&[("recache", 3)], &[])), Unusable, false, "CCACHE_RECACHE"),
        (evidence(&[(AUTOCONF_TEST, 3)], &[]), NotInvoked, false, "CMAKE_C_COMPILER"),
        (evidence(&[("compile_failed", 3)], &[]), Unusable, false, "compile_failed 3"),
        (evidence(&[(DIRECT, 9), ("internal_error", 1)], &[]), Unusable, false, "internal_error 1"),
        (
            evidence(&[(DIRECT, 9), (ENVIRONMENT_VARIABLE, 1)], &[]),
            Unusable,
            false,
            "DEPENDENCIES_OUTPUT",
        ),
        (evidence(&[(DIRECT, 9)], &[(ENVIRONMENT_VARIABLE, 1)]), Unusable, false, "object file"),
        (evidence(&[(DIRECT, 9)], &[("internal_error", 1)]), Hit, true, ""),
        (
            with(|it| it.marker = Marker::Unwritable("cannot write".to_owned()), hits()),
            Unusable,
            false,
            "cannot write",
        ),
    ]
}

#[test]
fn every_row_of_the_verdict_table() {
    for (evidence, verdict, passed, word) in table() {
        let judgement = judge(&evidence);
        assert_eq!((judgement.verdict, judgement.passed), (verdict, passed), "{evidence:#?}");
        let words = [judgement.cause, judgement.remedy].map(Option::unwrap_or_default).join("\n");
        assert!(words.contains(word), "{word:?} is not in {words}");
        assert_eq!(words == "\n", verdict == Verdict::Hit, "{words}");
        if !passed {
            assert!(words.lines().all(|line| !line.is_empty()), "{words}");
        }
    }
}

#[test]
fn unknown_counters_are_never_a_pass() {
    let mut unknown = evidence(&[], &[]);
    unknown.source = Source::Counters;
    unknown.own = Tally::default();
    unknown.fit = Some(Fit::AnyPython);
    assert_eq!(judge(&first(unknown.clone())).verdict, Verdict::Unusable);
    unknown.own.add(DIRECT, 5);
    assert_eq!(judge(&unknown).verdict, Verdict::Unusable);
    let missing = blocked(Obstacle::Missing, unknown);
    assert!(judge(&missing).cause.unwrap().contains("no ccache"));
}

#[test]
fn words_and_verdicts_go_both_ways() {
    for verdict in Verdict::ALL {
        assert_eq!(Verdict::from_word(verdict.as_str()), Some(verdict));
    }
    assert_eq!(Verdict::from_word("HIT"), None);
}

#[test]
fn a_cold_start_in_a_warm_cache_is_suspicious_and_may_be_refused() {
    let suspicion = || Suspicion { words: "was warm".to_owned(), remedy: "look there" };
    let suspected = |strict, evidence| {
        let change = |it: &mut Evidence| {
            it.suspicion = Some(suspicion());
            it.strict_restore = strict;
        };
        judge(&with(change, evidence))
    };
    let misses = || first(evidence(&[(MISS, 3)], &[]));
    for strict in [false, true] {
        let judgement = suspected(strict, misses());
        assert_eq!((judgement.verdict, judgement.passed), (Verdict::Cold, !strict));
        assert_eq!(judgement.suspicious.as_deref(), Some("was warm"));
        assert_eq!(judgement.remedy.as_deref(), Some("look there"));
    }
    // Some hits under the floor are no cache that was lost, and a later build is a miss anyway.
    let some = floor("90", first(evidence(&[(DIRECT, 1), (MISS, 2)], &[])));
    let judgement = suspected(true, some);
    assert_eq!((judgement.passed, judgement.suspicious), (true, None));
    let later = suspected(true, evidence(&[(MISS, 3)], &[]));
    assert_eq!((later.verdict, later.suspicious), (Verdict::Miss, None));
    assert!(judge(&with(|it| it.strict_restore = true, misses())).passed);
}
