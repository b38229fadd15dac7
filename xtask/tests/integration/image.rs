//! What is asked about container images, and when: with an engine that writes down what it is told.

use std::fs;

use serde_json::Value;

use crate::support::Sandbox;

/// An engine that has an image if the file `here` says so, and pulls it if `registry` is there.
fn sandbox(run: &str) -> Sandbox {
    let mut sandbox = Sandbox::new().with_tools().with_pretended_engine();
    let root = sandbox.root.clone();
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> {root}/told
case $1 in
ps) ;;
image) [ -f {root}/here ] && echo "0af1 linux/amd64";;
pull) [ -f {root}/registry ] && touch {root}/here;;
run) {run};;
*) exit 1;;
esac
"#
    );
    sandbox.program("podman", &script);
    sandbox
}

const LISTS: &str =
    "echo /opt/python/cp312-cp312/lib/python3.12/site-packages/build-1.6.1.dist-info";

/// The plan of one build.
fn plan(sandbox: &Sandbox) -> Value {
    let only = ["--plan=json", "--only", "cp312-manylinux_x86_64"];
    let plan = sandbox.release_wheels(&only).expect(0).stdout;
    serde_json::from_str::<Value>(&plan).unwrap()["builds"][0].clone()
}

/// How often the engine was told to do something since last asked.
fn told(sandbox: &Sandbox, what: &str) -> usize {
    let file = sandbox.root.join("told");
    let told = fs::read_to_string(&file).unwrap_or_default();
    told.lines().filter(|line| line.split(' ').next() == Some(what)).count()
}

fn note(build: &Value) -> &str {
    build["env_note"].as_str().unwrap_or_default()
}

#[test]
fn an_image_is_asked_once_and_its_answer_remembered() {
    let sandbox = sandbox(LISTS);
    sandbox.write("here", "");
    for _ in 0..2 {
        let build = plan(&sandbox);
        assert_eq!(build["image_id"], "0af1");
        assert_eq!(build["env_note"], Value::Null);
        let frontend = &build["environment"]["CIBW_BUILD_FRONTEND"];
        assert_eq!(frontend, "build; args: --env-dir=/tmp/warmwheel-env");
    }
    assert_eq!((told(&sandbox, "run"), told(&sandbox, "image")), (1, 2));
    fs::write(sandbox.root.join("user-cache/warmwheel/images/0af1.json"), "{").unwrap();
    assert_eq!(plan(&sandbox)["env_note"], Value::Null, "a damaged answer is asked for again");
    assert_eq!(told(&sandbox, "run"), 2);
}

#[test]
fn an_images_ccache_stands_in_the_plan_with_its_version() {
    let sandbox = sandbox(&format!("{LISTS}; echo ccache version 3.7.7"));
    sandbox.write("here", "");
    let ccache = plan(&sandbox)["ccache"].clone();
    assert_eq!((&ccache["way"], &ccache["version"]), (&"image".into(), &"3.7.7".into()));
    // An answer of a Warmwheel that had not asked for it is no answer.
    let file = sandbox.root.join("user-cache/warmwheel/images/0af1.json");
    fs::write(file, r#"{"build": {"cp312-cp312": "1.6.1"}}"#).unwrap();
    assert_eq!(plan(&sandbox)["ccache"]["version"], "3.7.7");
    assert_eq!(told(&sandbox, "run"), 2);
}

#[test]
fn a_plan_pulls_no_image() {
    let sandbox = sandbox(LISTS);
    sandbox.write("registry", "");
    let build = plan(&sandbox);
    assert!(note(&build).contains("not on this machine, and a plan pulls none"), "{build}");
    assert_eq!(build["image_id"], Value::Null);
    assert_eq!((told(&sandbox, "pull"), told(&sandbox, "run")), (0, 0));
}

#[test]
fn a_run_pulls_each_image_once_before_it_builds() {
    let sandbox = sandbox(&format!("{LISTS}; echo ccache version 4.7.5"));
    sandbox.write("registry", "");
    // The builds fail, for want of containers; what counts is what came before.
    sandbox.release_wheels(&["--python", "3.11,3.12"]).expect(1).says("pulling quay.io/");
    let told = fs::read_to_string(sandbox.root.join("told")).unwrap();
    let pulled: Vec<_> = told.lines().filter(|line| line.starts_with("pull ")).collect();
    let manylinux = pulled.iter().filter(|line| line.contains("/manylinux_2_28_x86_64")).count();
    assert_eq!(manylinux, 1, "{told}");
}

#[test]
fn an_image_that_cannot_be_asked_fails_no_plan_and_is_asked_again() {
    let sandbox = sandbox("echo no such thing >&2; exit 125");
    sandbox.write("here", "");
    for times in 1..=2 {
        let build = plan(&sandbox);
        assert!(note(&build).contains("no such thing"), "{build}");
        assert_eq!(build["image_id"], "0af1");
        assert!(!build["environment"].as_object().unwrap().contains_key("CIBW_BUILD_FRONTEND"));
        assert_eq!(told(&sandbox, "run"), times);
    }
}
