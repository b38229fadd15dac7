//! The demo, and packages from PyPI.

use camino::Utf8PathBuf;

use crate::adopt::check_adopted;
use crate::lab::{Run, engine, lab, sdist, workspace};
use crate::page::check_page;
use crate::support::Ran;

/// Installs a wheel in a fresh environment of its own Python and runs `code` there.
fn try_wheel(run: &Run, python: &str, code: &str) {
    let report = run.report();
    let wheel = Utf8PathBuf::from(report.build(python)["wheel"].as_str().unwrap());
    let volume = format!("--volume={}:/wheels:ro", wheel.parent().unwrap());
    let script = format!(
        "/opt/python/{python}-{python}/bin/python -m venv /tmp/fresh \
         && /tmp/fresh/bin/pip install --quiet '/wheels/{}' && /tmp/fresh/bin/python -c \"$1\"",
        wheel.file_name().unwrap()
    );
    let lab = lab();
    let image = lab["image"].as_str().unwrap();
    let create: Vec<_> =
        lab["create_args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    let line = [
        &["run", "--rm", volume.as_str()][..],
        &create,
        &[image, "sh", "-ec", script.as_str(), "sh", code],
    ]
    .concat();
    Ran::from(engine(&line).output().unwrap()).expect(0);
}

#[test]
fn the_demo_is_compiled_once_for_four_versions() {
    let run = Run::new();
    let pythons = ["cp310", "cp311", "cp312", "cp313"];
    let ran = run.run(&[]).expect(0).says("done: 4 of 4 wheels");
    assert_eq!(ran.stdout.lines().count(), 4);
    let report = run.report();
    assert_eq!(report.verdict("cp310"), "cold");
    assert_eq!((report.hits("cp310"), report.misses("cp310")), (0, 15));
    for python in &pythons[1..] {
        assert_eq!(report.verdict(python), "hit");
        // Fourteen files are the core; the bindings include Python.h.
        assert_eq!((report.hits(python), report.misses(python)), (14, 1), "{python}");
    }
    for python in pythons {
        try_wheel(
            &run,
            python,
            "import warmdemo; assert abs(warmdemo.levenshtein('kitten', 'sitting') - 3) < 1e-9",
        );
    }
    let mut run_ids = vec![ran_id(&run)];
    // The launcher was there, and chose depend mode for the core and for the bindings, of which no
    // other version could have anything.
    let compiling = &report.build("cp310")["compiling"];
    assert_eq!((&compiling["files"], &compiling["in_depend_mode"]), (&15.into(), &15.into()));

    // The next run needs no pioneer and finds everything, the bindings included.
    run.run(&[]).expect(0);
    run_ids.push(ran_id(&run));
    let report = run.report();
    for python in pythons {
        assert_eq!(report.build(python)["role"], "follower", "{python}");
        assert_eq!((report.hits(python), report.misses(python)), (15, 0), "{python}");
        assert_eq!(report.build(python)["cache"]["direct_hits"], 15, "{python}");
    }
    // And if nothing has changed, nothing is built.
    run.run(&["--resume"]).expect(0).says("done: 4 of 4 wheels");
    for python in pythons {
        assert_eq!(run.report().build(python)["outcome"], "resumed", "{python}");
    }

    // Nothing of the runs is left in the engine, and the project itself was not written to.
    for run_id in run_ids {
        let filter = format!("label=warmwheel.run={run_id}");
        let left = engine(&["ps", "--all", "--quiet", "--filter", &filter]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&left.stdout), "");
    }
    assert!(!workspace().join("tools/demo/build").exists());
}

fn ran_id(run: &Run) -> String {
    let text = std::fs::read_to_string(run.records().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    report["run_id"].as_str().unwrap().to_owned()
}

#[test]
fn awkward_cpp_keeps_its_own_settings_hits_all_of_its_core_and_adopts_what_builds_it() {
    let mut run = Run::new();
    // Its test command names a folder that only its repository has. Most of its 22,000 tests are
    // left out: what matters here is that its command runs.
    let fewer = "mkdir {project}/tests && \
        find {package}/tests-* -name 'test_*' ! -name '*sort*' -delete";
    run.sandbox.set("CIBW_BEFORE_TEST", fewer);
    let archive = sdist("awkward_cpp-57.tar.gz");
    run.run(&[&archive, "--python", "3.12,3.13"]).expect(0);
    let report = run.report();
    assert_eq!(report.verdict("cp312"), "cold");
    // It requires itself for its tests; that second compilation is not counted.
    assert_eq!((report.hits("cp312"), report.misses("cp312")), (0, 169));
    assert_eq!(report.verdict("cp313"), "hit");
    // Of 169 sources the four of the bindings include Python.h; with CMake's two checks, which are
    // counted apart, that is 167 of 171.
    assert_eq!((report.hits("cp313"), report.misses("cp313")), (165, 4));
    assert_eq!(run.probe_hits("cp313"), 2);
    for python in ["cp312", "cp313"] {
        let log = run.log(python);
        // Its own frontend, environment and tests.
        assert!(log.contains("--installer=uv"), "no build[uv]");
        assert!(log.contains("UV_ONLY_BINARY=\"cmake,numpy\""), "no environment of its own");
        assert!(log.contains("&& echo /project:"), "no test command of its own");
        assert!(log.contains(" passed"), "its tests did not run");
    }
    try_wheel(&run, "cp313", "import awkward_cpp.cpu_kernels");
    assert_eq!(report.build("cp313")["compiling"]["links_reused"], 0);
    let builds = ["cp312", "cp313"].map(|python| format!("{python}-manylinux_x86_64"));
    let page = check_page(&run, &builds.each_ref().map(String::as_str));
    assert_eq!(page["verdict"], "All 2 wheels are built, and the cache proved itself.");
    assert_eq!(page["table"]["rows"].as_array().unwrap().len(), 169);
    let rows = |option: &str| {
        let mut choices = page["results"].as_array().unwrap().iter();
        choices.find(|choice| choice["option"] == option).unwrap()["rows"].as_u64().unwrap()
    };
    assert_eq!((rows("direct hit"), rows("miss")), (165, 169));

    // Once more, out of what this has left: the bindings, and the link that compiles half of them.
    run.sandbox.set("CIBW_TEST_REQUIRES", "");
    run.sandbox.set("CIBW_TEST_COMMAND", "python -c 'import awkward_cpp.cpu_kernels'");
    run.run(&[&archive, "--python", "3.13"]).expect(0);
    let again = run.report();
    assert_eq!(again.build("cp313")["cache"]["direct_hits"], 169);
    let compiling = &again.build("cp313")["compiling"];
    assert_eq!((&compiling["links"], &compiling["links_reused"]), (&1.into(), &1.into()));
    check_adopted(&run.cache());
}

/// Every source of kiwisolver includes Python.h, so no version can hit what another one left: the
/// honest verdict is a miss, and ccache was called for all seven files of each version.
#[test]
fn kiwisolver_goes_through_compiler_links_and_has_nothing_to_share() {
    let run = Run::new();
    let archive = sdist("kiwisolver-1.5.1.tar.gz");
    run.run(&[&archive, "--python", "3.10,3.12,3.13", "--on-miss", "warn"])
        .expect(0)
        .says("done: 3 of 3 wheels");
    let report = run.report();
    for (python, verdict) in [("cp310", "cold"), ("cp312", "miss"), ("cp313", "miss")] {
        assert_eq!(report.verdict(python), verdict, "{python}");
        assert_eq!((report.hits(python), report.misses(python)), (0, 7), "{python}");
        assert!(run.log(python).contains(" passed"), "its tests did not run");
        try_wheel(&run, python, "import kiwisolver; kiwisolver.Solver()");
    }
}
