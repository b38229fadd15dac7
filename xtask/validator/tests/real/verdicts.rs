//! Every verdict, from real compilations.

use crate::sandbox::{Ran, Sandbox};
use ccache_validator::counts::Counts;
use std::fs;

#[test]
fn the_first_build_is_cold_and_the_next_hits_directly() {
    let sandbox = Sandbox::new();
    sandbox.build("");
    let first = sandbox.validate(&[]);
    first.expect(0, "cold (0 of 2, 0.0 %)", &["2 missed", "next: later builds hit when"]);
    assert!(first.record().exempt);
    sandbox.build("");
    let second = sandbox.validate(&["--min-hit-rate", "100"]);
    second.expect(0, "hit (2 of 2, 100.0 %): 2 direct, 0 preprocessed, 0 missed", &[]);
    assert_eq!(second.stderr.lines().count(), 1);
    assert_eq!(second.record().counts, Counts { direct_hits: Some(2), ..Counts::ZERO });
    assert!(!second.record().exempt);
}

#[test]
fn what_is_compiled_for_the_tests_does_not_make_a_cold_build_warm() {
    let sandbox = Sandbox::new();
    sandbox.build("");
    assert_eq!(sandbox.call(&["seal"]).code, 0);
    sandbox.build("");
    sandbox.validate(&[]).expect(0, "cold (0 of 2, 0.0 %)", &["2 missed"]);
    // Nor does it make up for a build that ccache never saw.
    assert_eq!(sandbox.call(&["seal"]).code, 0);
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "not-invoked", &["never called"]);
}

#[test]
fn preprocessed_hits_count_as_well() {
    let mut sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    sandbox.set("CCACHE_NODIRECT", "1");
    sandbox.run("ccache gcc -c a.c");
    sandbox.unset("CCACHE_NODIRECT");
    sandbox.run("ccache gcc -c b.c -DNEW");
    let ran = sandbox.validate(&["--min-hit-rate", "50"]);
    ran.expect(0, "hit (2 of 2, 100.0 %): 0 direct, 2 preprocessed, 0 missed", &[]);
    // Both kinds in one build.
    sandbox.run("ccache gcc -c a.c");
    sandbox.run("ccache gcc -c b.c -DNEWER");
    let ran = sandbox.validate(&["--min-hit-rate", "100"]);
    ran.expect(0, "hit (2 of 2, 100.0 %): 1 direct, 1 preprocessed, 0 missed", &[]);
}

#[test]
fn misses_fail_once_the_marker_stands() {
    let sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    sandbox.build("-O1");
    let ran = sandbox.validate(&[]);
    let words = ["earlier build of domain manylinux_x86_64", "missed: a.c b.c", "remedy:"];
    ran.expect(3, "miss (0 of 2, 0.0 %)", &words);
    assert_eq!(ran.record().missed_files, ["a.c", "b.c"]);
    sandbox.build("-O2");
    let ran = sandbox.validate(&["--on-miss", "warn"]);
    ran.expect(0, "miss", &["allowed: --on-miss=warn"]);
}

#[test]
fn the_floor_is_met_exactly_or_not() {
    let sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    for (floor, code, verdict) in [("50", 0, "hit (1 of 2"), ("50.1", 3, "miss (1 of 2")] {
        let option = format!("-DFLOOR={code}");
        sandbox.run("ccache gcc -c a.c");
        sandbox.write("project/b.c", &format!("int b(void) {{ return {code} + 5; }}\n"));
        sandbox.run(&format!("ccache gcc {option} -c b.c"));
        sandbox.validate(&["--min-hit-rate", floor]).expect(code, verdict, &["1 missed"]);
    }
}

#[test]
fn another_domain_and_another_run_have_markers_of_their_own() {
    let mut sandbox = Sandbox::new();
    for (number, (identifier, run, verdict)) in [
        ("cp312-manylinux_x86_64", "run-1", "cold"),
        ("cp313-manylinux_x86_64", "run-1", "miss"),
        ("cp312-musllinux_x86_64", "run-1", "cold"),
        ("cp313-musllinux_x86_64", "run-1", "miss"),
        ("cp312-manylinux_i686", "run-1", "cold"),
        ("cp313-manylinux_i686", "run-1", "miss"),
        ("cp312-manylinux_x86_64", "run-2", "cold"),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.set("WARMWHEEL_RUN_ID", run);
        sandbox.write("project/a.c", &format!("int a(void) {{ return {number}; }}\n"));
        sandbox.run("ccache gcc -c a.c");
        let code = if verdict == "cold" { 0 } else { 3 };
        sandbox.validate(&["--identifier", identifier]).expect(code, verdict, &[]);
    }
}

#[test]
fn without_a_cache_folder_nobody_is_exempt() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("CCACHE_DIR");
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "miss", &["no shared cache folder", "set CCACHE_DIR"]);
    sandbox.build("");
    sandbox.validate(&[]).expect(0, "hit", &[]);
}

#[test]
fn a_build_that_never_called_ccache_fails_even_as_the_first() {
    let sandbox = Sandbox::new();
    sandbox.run("gcc -c a.c");
    for _ in 0..2 {
        let words = ["ccache was never called", "CMAKE_CXX_COMPILER_LAUNCHER", "preflight --links"];
        sandbox.validate(&["--on-miss", "warn"]).expect(3, "not-invoked", &words);
    }
}

#[test]
fn probes_and_links_do_not_make_a_build() {
    let sandbox = Sandbox::new();
    sandbox.write("project/conftest.c", "int main(void) { return 0; }\n");
    for _ in 0..2 {
        sandbox.run("ccache gcc -c conftest.c -o conftest.o");
    }
    sandbox.run("ccache gcc conftest.o -o conftest");
    let ran = sandbox.validate(&[]);
    ran.expect(
        3,
        "not-invoked: nothing compiled; 3 configure probes",
        &["only configure probes (3)"],
    );
    assert_eq!(ran.record().probes.hits(), Some(1));
    sandbox.run("gcc -c a.c");
    sandbox.run("ccache gcc -shared a.o -o program");
    sandbox.validate(&[]).expect(3, "not-invoked", &["its only calls (1) were links"]);
}

#[test]
fn a_reused_wheel_needs_no_compilation() {
    let sandbox = Sandbox::new();
    let reused = |wheel: &str| {
        let path = sandbox.write(&format!("wheels/{wheel}"), "");
        let path = path.to_str().unwrap().to_owned();
        sandbox.validate(&["--identifier", "cp312-manylinux_x86_64", "--wheel", &path])
    };
    let abi3 = "x-1-cp39-abi3-manylinux_2_17_x86_64.whl";
    reused(abi3).expect(3, "not-invoked", &[]);
    reused(abi3).expect(0, "not-applicable", &["abi3"]);
    reused("x-1-py3-none-manylinux_2_17_x86_64.whl").expect(0, "not-applicable", &["py3-none"]);
    reused("x-1-cp312-abi3-manylinux_2_17_x86_64.whl").expect(3, "not-invoked", &[]);
    reused("x-1-cp312-cp312-manylinux_2_17_x86_64.whl").expect(3, "not-invoked", &[]);
}

#[test]
fn a_disabled_ccache_is_named_with_its_origin() {
    let mut sandbox = Sandbox::new();
    for value in ["1", ""] {
        sandbox.set("CCACHE_DISABLE", value);
        sandbox.build("");
        let words = ["disabled (environment)", "unset CCACHE_DISABLE"];
        sandbox.validate(&[]).expect(3, "unusable", &words);
    }
    sandbox.unset("CCACHE_DISABLE");
    let file = sandbox.write("cache/ccache.conf", "disable = true\n");
    sandbox.build("");
    let words = ["remove disable = true from", "cache/ccache.conf"];
    let ran = sandbox.validate(&[]);
    ran.expect(3, "unusable", &words);
    assert!(ran.record().ccache_version.is_some());
    fs::remove_file(file).unwrap();
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "miss", &[]);
}

#[test]
fn a_read_only_cache_is_no_cold_start() {
    let mut sandbox = Sandbox::new();
    for (variable, key) in
        [("CCACHE_READONLY", "read_only is"), ("CCACHE_READONLY_DIRECT", "read_only_direct is")]
    {
        sandbox.set(variable, "1");
        sandbox.build("");
        sandbox.validate(&[]).expect(3, "unusable", &[key, &format!("unset {variable}")]);
        sandbox.unset(variable);
    }
}

#[test]
fn objects_that_were_never_written_are_found_behind_the_hits() {
    let mut sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    sandbox.build("");
    sandbox.set("DEPENDENCIES_OUTPUT", sandbox.path("dependencies"));
    sandbox.run("ccache gcc -c a.c");
    sandbox.unset("DEPENDENCIES_OUTPUT");
    let words = ["unsupported_environment_variable 1", "unset DEPENDENCIES_OUTPUT"];
    sandbox.validate(&[]).expect(3, "unusable", &words);
}

#[test]
fn options_that_ccache_cannot_serve_are_named() {
    let mut sandbox = Sandbox::new();
    sandbox.build("-save-temps");
    let words = ["unsupported_compiler_option 2", "-save-temps"];
    let ran = sandbox.validate(&[]);
    ran.expect(3, "unusable", &words);
    assert_eq!(ran.record().counts, Counts { uncacheable: Some(2), ..Counts::ZERO });
    sandbox.run("ccache gcc -c a.c b.c");
    sandbox.validate(&[]).expect(3, "unusable", &["multiple_source_files 1"]);
    sandbox.set("CCACHE_RECACHE", "1");
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "unusable", &["recache 2", "unset CCACHE_RECACHE"]);
}

#[test]
fn errors_of_ccache_itself_outweigh_hits() {
    let mut sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate(&[]);
    sandbox.build("");
    sandbox.set("CCACHE_EXTRAFILES", "/no/such/file");
    sandbox.run("ccache gcc -c a.c");
    sandbox.unset("CCACHE_EXTRAFILES");
    sandbox.validate(&[]).expect(3, "unusable", &["error_hashing_extra_file 1", "2 direct"]);
}

#[test]
fn a_cache_folder_that_cannot_be_written_is_unusable() {
    let mut sandbox = Sandbox::new();
    let file = sandbox.write("file", "");
    sandbox.set("CCACHE_DIR", &file);
    sandbox.run("gcc -c a.c");
    sandbox.validate(&[]).expect(3, "unusable", &["cannot make the cache folder", "remedy: make"]);
    sandbox.set("CCACHE_DIR", "relative");
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "unusable", &["CCACHE_DIR is relative"]);
}

#[test]
fn a_statslog_without_a_folder_is_not_taken_for_a_missing_launcher() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_STATSLOG", sandbox.path("absent/statslog"));
    sandbox.build("");
    sandbox.validate(&[]).expect(3, "unusable", &["absent is no folder", "CCACHE_STATSLOG"]);
}

#[test]
fn a_missing_or_broken_ccache_is_told_apart() {
    let mut sandbox = Sandbox::new();
    let path = sandbox.variable("PATH").clone();
    sandbox.set("PATH", sandbox.path("home"));
    sandbox.validate(&[]).expect(3, "unusable", &["no ccache on PATH", "install ccache"]);
    sandbox.set("PATH", &path);
    sandbox.set("CCACHE_NOHASHDIR", "0");
    let words = ["ccache refuses to work", "CCACHE_NOHASHDIR"];
    sandbox.validate(&[]).expect(3, "unusable", &words);
    sandbox.unset("CCACHE_NOHASHDIR");
    sandbox.fake("ccache", "#!/no/such/interpreter\n");
    sandbox.validate(&[]).expect(3, "unusable", &["ccache does not start"]);
}

#[test]
fn of_sixty_four_validators_at_once_one_is_exempt() {
    let mut sandbox = Sandbox::new();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    sandbox.build("");
    let started: Vec<_> = (0..64).map(|_| sandbox.start(&["validate", "--json"])).collect();
    let ended: Vec<Ran> =
        started.into_iter().map(|child| sandbox.ran(child.wait_with_output().unwrap())).collect();
    let cold = ended.iter().filter(|ran| ran.code == 0 && ran.record().exempt).count();
    let missed = ended.iter().filter(|ran| ran.code == 3 && !ran.record().exempt).count();
    assert_eq!((cold, missed), (1, 63));
}
