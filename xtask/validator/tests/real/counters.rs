//! The cache's counters as the source, where there is no statslog.

use crate::sandbox::Sandbox;
use ccache_validator::verdict::Source;

#[test]
fn counters_are_read_and_zeroed() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("CCACHE_STATSLOG");
    sandbox.build("");
    let first = sandbox.validate(&[]);
    let words = ["source: the cache's counters, configure probes included: CCACHE_STATSLOG is not"];
    first.expect(0, "cold (0 of 2, 0.0 %)", &words);
    assert_eq!(first.record().source, Source::Counters);
    assert_eq!(first.record().probes.hits(), None);
    sandbox.build("");
    sandbox.validate(&["--min-hit-rate", "100"]).expect(0, "hit (2 of 2", &[]);
    sandbox.validate(&[]).expect(3, "not-invoked", &["CMAKE_C_COMPILER_LAUNCHER"]);
}

#[test]
fn a_ccache_without_statslog_is_asked_for_its_counters() {
    let mut sandbox = Sandbox::new();
    sandbox.age_ccache();
    sandbox.build("");
    let first = sandbox.validate(&[]);
    first.expect(0, "cold (0 of 2", &["probes included: ccache 3.7.7 keeps no"]);
    assert_eq!(first.record().ccache_version.as_deref(), Some("3.7.7"));
    assert_eq!(first.record().source, Source::Counters);
    sandbox.build("");
    sandbox.validate(&["--min-hit-rate", "100"]).expect(0, "hit (2 of 2, 100.0 %): 2 direct", &[]);
    sandbox.build("-O1");
    sandbox.validate(&[]).expect(3, "miss (0 of 2", &[]);
}

#[test]
fn what_an_old_ccache_counted_before_and_after_the_build_is_left_out() {
    let mut sandbox = Sandbox::new();
    sandbox.age_ccache();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    // A restored cache brings counters along; a package may be compiled again for its tests.
    sandbox.build("");
    sandbox.build("");
    assert_eq!(sandbox.call(&["preflight"]).code, 0);
    sandbox.build("-O1");
    assert_eq!(sandbox.call(&["seal"]).code, 0);
    sandbox.build("-O1");
    sandbox.validate(&[]).expect(0, "cold (0 of 2, 0.0 %)", &["2 missed"]);
    assert!(!sandbox.path("record/counters").exists());
    assert_eq!(sandbox.call(&["preflight"]).code, 0);
    sandbox.build("-O1");
    sandbox.validate(&[]).expect(0, "hit (2 of 2", &[]);
}

#[test]
fn counters_that_leave_out_the_misses_prove_nothing() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("CCACHE_STATSLOG");
    sandbox.fake("ccache", "#!/bin/sh\nprintf 'direct_cache_hit\\t9\\n'\n");
    let ran = sandbox.validate(&[]);
    ran.expect(3, "unusable: 9 direct, preprocessed unknown, missed unknown", &["do not say"]);
    assert_eq!(ran.record().counts.misses, None);
}

#[test]
fn an_uncounting_ccache_is_named() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("CCACHE_STATSLOG");
    sandbox.set("CCACHE_NOSTATS", "1");
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "unusable", &["stats is off", "unset CCACHE_NOSTATS"]);
}

#[test]
fn a_ccache_that_cannot_zero_is_a_problem_not_a_verdict() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("CCACHE_STATSLOG");
    let script = "#!/bin/sh\n\
        [ $1 = --zero-stats ] && { echo 'no zero here' >&2; exit 1; }\n\
        printf 'direct_cache_hit\\t9\\npreprocessed_cache_hit\\t0\\ncache_miss\\t0\\n'\n";
    sandbox.fake("ccache", script);
    sandbox.validate(&[]).expect(1, "hit (9 of 9", &["problem: cannot zero", "no zero here"]);
}
