//! Builds without containers.

use std::collections::BTreeMap;

use serde_json::json;

use super::scenario::{Scenario, host};
use super::snapshot;
use crate::fault::{class_of, explain};
use crate::plan::facts::{Facts, ImageAnswer, ImageQuestion};
use crate::plan::host::fallback;
use crate::plan::{BuildPlan, images};

const LINUX: [&str; 2] = ["cp311-manylinux_x86_64", "cp312-manylinux_x86_64"];

#[test]
fn linux_without_containers() {
    snapshot("host_linux_x86_64", Scenario::without_containers("linux", &LINUX));
}

/// delocate repairs there, by cibuildwheel's own default.
#[test]
fn macos_without_cibuildwheels_interpreters() {
    snapshot("host_macos_arm64", Scenario::without_containers("macos", &["cp312-macosx_arm64"]));
}

#[test]
fn windows_without_cibuildwheels_interpreters() {
    let plan = Scenario::without_containers("windows", &["cp312-win_amd64"]).plan();
    assert_eq!(plan.builds[0].domain, "win_amd64-host");
    assert!(!plan.builds[0].environment.contains_key("CIBW_CONFIG_SETTINGS_WINDOWS"));
}

#[test]
fn the_text_of_a_plan_without_containers() {
    let mut scenario = Scenario::without_containers("linux", &LINUX)
        .option("before-all", "command -v ccache")
        .option("test-command", "pytest");
    let mut here = host(&LINUX[1..]);
    here.why = Some("no container engine answers".into());
    here.unfit = BTreeMap::from([(LINUX[0].to_owned(), "/usr/bin/python3 has no headers".into())]);
    scenario.host = Some(here);
    scenario.builds[1]["options"]["before-all"] = json!({"value": "make ready", "origin": "x"});
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("host_text", scenario.plan().to_text());
    });
}

#[test]
fn each_build_has_folders_of_its_own_that_no_run_changes() {
    let plan = Scenario::without_containers("linux", &LINUX).plan();
    let folder = |build: &BuildPlan| build.host.as_ref().unwrap().folder.clone();
    assert_ne!(folder(&plan.builds[0]), folder(&plan.builds[1]));
    for build in &plan.builds {
        let environment = &build.environment["CIBW_ENVIRONMENT_LINUX"];
        let folder = folder(build);
        assert!(!folder.as_str().contains(&plan.run_id), "{folder}");
        // The launcher would take it for a Python's.
        assert!(!folder.as_str().contains("cp31"), "{folder}");
        let project = folder.join("project");
        assert!(environment.contains(&format!("CCACHE_BASEDIR={project} ")), "{environment}");
        assert!(!environment.contains("CCACHE_TEMPDIR"), "{environment}");
        let record = build.record.join("record");
        assert!(environment.contains(&format!("CCACHE_STATSLOG={record}/statslog")));
        let frontend = &build.environment["CIBW_BUILD_FRONTEND"];
        assert!(frontend.ends_with(&build.identifier), "{frontend}");
    }
    assert_eq!(plan.builds[0].domain, "manylinux_x86_64-host");
}

#[test]
fn before_all_stays_as_it_is_and_the_check_is_the_drivers() {
    let scenario = Scenario::without_containers("linux", &LINUX).option("before-all", "make ready");
    let plan = scenario.plan();
    let build = &plan.builds[0];
    assert!(!build.environment.contains_key("CIBW_BEFORE_ALL_LINUX"));
    let told = plan.for_driver().unwrap();
    let preflight = told["builds"][LINUX[0]]["preflight"].as_str().unwrap();
    assert!(preflight.contains("ccache-validator preflight"), "{preflight}");
    assert_eq!(told["builds"][LINUX[0]]["python"], "/py/cp311/bin/python");
    assert_eq!(told["platform"], "linux");
}

#[test]
fn compiler_links_are_in_the_builds_own_folder() {
    let mut scenario = Scenario::without_containers("linux", &LINUX);
    scenario.backend = "setuptools.build_meta";
    let plan = scenario.plan();
    let build = &plan.builds[0];
    let links = build.host.as_ref().unwrap().folder.join("links");
    assert!(build.host.as_ref().unwrap().preflight.contains(&format!("--links {links} ")));
    let environment = &build.environment["CIBW_ENVIRONMENT_LINUX"];
    assert!(environment.ends_with(&format!("PATH=\"{links}:$PATH\"")), "{environment}");
}

#[test]
fn nothing_of_the_users_python_reaches_a_build() {
    let build = Scenario::without_containers("linux", &LINUX)
        .with("passed", json!(["FOO_ROOT"]))
        .variable("PYTHONPATH", "/mine")
        .variable("PYTHONHOME", "/mine")
        .variable("VIRTUAL_ENV", "/venv")
        .variable("CONDA_PREFIX", "/conda")
        .variable("PYENV_VERSION", "3.8")
        .variable("PIP_TARGET", "/mine")
        .variable("PIP_CERT", "/bundle")
        .variable("UV_PYTHON", "3.8")
        .variable("CC", "clang")
        .variable("https_proxy", "proxy")
        .variable("FOO_ROOT", "/foo")
        .variable("BAR_ROOT", "/bar")
        .variable("TWINE_PASSWORD", "secret")
        .variable("PATH", "/venv/bin:/conda/bin:/usr/bin:/venv2/bin")
        .first();
    let inherits = &build.host.unwrap().inherits;
    assert_eq!(inherits, &["CC", "FOO_ROOT", "HOME", "PATH", "PIP_CERT", "https_proxy"]);
    assert_eq!(build.environment["PATH"], "/usr/bin:/venv2/bin");
}

#[test]
fn one_wheel_of_the_stable_abi_is_tested_with_all_versions() {
    let plan = Scenario::without_containers("linux", &LINUX).plan();
    let [pioneer, follower] = plan.builds.as_slice() else { panic!() };
    let grouped = BuildPlan::grouped(pioneer, &[follower]).unwrap();
    assert!(grouped.argv.join(" ").contains("driver.py --platform linux --output-dir"));
    // It is compiled where the pioneer's was, and its records are the follower's.
    let environment = &grouped.environment["CIBW_ENVIRONMENT_LINUX"];
    let folder = &pioneer.host.as_ref().unwrap().folder;
    assert!(environment.contains(&format!("{folder}/project ")), "{environment}");
    assert!(environment.contains("/builds/cp312-manylinux_x86_64/record"), "{environment}");
}

#[test]
fn an_interpreter_that_is_not_there_is_left_out_or_said_to_be_missing() {
    let mut scenario = Scenario::without_containers("linux", &LINUX);
    scenario.host = Some(host(&LINUX[..1]));
    let plan = scenario.plan();
    assert_eq!((plan.builds.len(), plan.left_out.as_slice()), (1, &[LINUX[1].to_owned()][..]));

    let mut scenario = Scenario::without_containers("linux", &LINUX);
    let mut none = host(&[]);
    none.unfit = BTreeMap::from([(LINUX[0].to_owned(), "/usr/bin/python3 has no headers".into())]);
    none.others = vec!["cp313-manylinux_x86_64".into()];
    scenario.host = Some(none);
    let error = scenario.try_plan().unwrap_err();
    assert_eq!(class_of(&error).exit_code(), 4);
    for words in ["has no headers", "python3-dev", "cp313-manylinux_x86_64"] {
        assert!(explain(&error).contains(words), "{}", explain(&error));
    }
}

/// The answer of an engine that has no such image and cannot get it.
fn unreachable(facts: &Facts<'_>) -> BTreeMap<ImageQuestion, ImageAnswer> {
    let answer = ImageAnswer { id: None, contents: Err("no route to host".into()) };
    let questions = images(facts).unwrap_or_default();
    questions.into_keys().map(|question| (question, answer.clone())).collect()
}

#[test]
fn who_leaves_the_choice_open_gets_by_without_an_engine_or_an_image() {
    let why = |scenario: &Scenario, asked: bool| {
        scenario.with_facts(|facts| {
            let images = if asked { unreachable(facts) } else { BTreeMap::new() };
            Ok(fallback(facts, &images))
        })
    };
    let mut no_engine = Scenario::linux();
    no_engine.engines.clear();
    let words = why(&no_engine, false).unwrap().unwrap();
    assert!(words.starts_with("no container engine answers"), "{words}");
    let words = why(&Scenario::linux(), true).unwrap().unwrap();
    assert!(words.contains("quay.io/manylinux_x86_64 cannot be had: no route"), "{words}");
    assert_eq!(why(&Scenario::linux(), false).unwrap(), None);

    for flags in [["--builder", "cibuildwheel"], ["--engine", "podman"], ["--image", "mine"]] {
        no_engine.flags = flags.to_vec();
        assert_eq!(why(&no_engine, false).unwrap(), None, "{flags:?}");
    }
    let mut elsewhere = Scenario::of("macos", &["cp312-macosx_arm64"]);
    elsewhere.engines.clear();
    assert_eq!(why(&elsewhere, false).unwrap(), None);
}
