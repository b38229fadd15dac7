//! Which ccache a build uses, and what that adds to it.

use crate::fault::{class_of, explain};
use crate::plan::ccache::Way;
use crate::plan::facts::Offer;
use crate::plan::{BuildPlan, planned_for};

use super::scenario::Scenario;

/// Identifiers of every kind, with the platform that they are built on.
const KINDS: [(&str, &str); 8] = [
    ("linux", "cp312-manylinux_x86_64"),
    ("linux", "cp312-manylinux_i686"),
    ("linux", "cp312-manylinux_aarch64"),
    ("linux", "cp312-musllinux_x86_64"),
    ("linux", "cp312-musllinux_aarch64"),
    ("linux", "cp312-manylinux_armv7l"),
    ("macos", "cp312-macosx_arm64"),
    ("windows", "cp312-win_amd64"),
];

fn of(platform: &'static str, identifier: &str, flags: &[&'static str]) -> Scenario {
    let scenario = Scenario::of(platform, &[identifier]).pinned();
    let unpinned = scenario.without("armv7l", Offer::Unpinned);
    Scenario { flags: flags.to_vec(), ..unpinned }
}

fn before_all(build: &BuildPlan) -> &str {
    let found = build.environment.iter().find(|(name, _)| name.starts_with("CIBW_BEFORE_ALL"));
    found.unwrap().1
}

/// What a build's PATH begins with, if anything is put there.
fn path(build: &BuildPlan) -> Option<&str> {
    let found = build.environment.iter().find(|(name, _)| name.starts_with("CIBW_ENVIRONMENT"));
    let (_, path) = found.unwrap().1.split_once(" PATH=\"")?;
    Some(path.split_once(":$PATH\"").unwrap().0)
}

/// Every value on every platform: what is used, and what that takes.
#[test]
fn all_four_values_on_all_platforms() {
    let mut lines = Vec::new();
    for value in ["auto", "pinned", "image", "package"] {
        lines.push(format!("--ccache {value}"));
        for (platform, identifier) in KINDS {
            let said = match of(platform, identifier, &["--ccache", value]).try_plan() {
                Err(error) => format!("refused: {error}"),
                Ok(plan) => {
                    let build = &plan.builds[0];
                    let mounts = build.mounts.iter().skip(3);
                    let mounts: Vec<_> = mounts
                        .map(|mount| {
                            assert!(mount.read_only);
                            format!("\n    mount {} at {}", mount.host, mount.container)
                        })
                        .collect();
                    let command = before_all(build).split(" preflight").next().unwrap();
                    format!(
                        "{}\n    before-all {command}\n    PATH {}{}",
                        build.ccache.text(),
                        path(build).unwrap_or("as it is"),
                        mounts.concat()
                    )
                }
            };
            lines.push(format!("  {identifier}: {said}"));
        }
    }
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("ccache", lines.join("\n"));
    });
}

#[test]
fn the_pinned_ccache_is_behind_the_compiler_links_in_path() {
    let mut scenario = of("linux", "cp312-manylinux_x86_64", &[]);
    scenario.backend = "setuptools.build_meta";
    let build = scenario.first();
    assert_eq!(path(&build), Some("/tmp/warmwheel-links:/warmwheel-ccache"));
    let engine = &build.environment["CIBW_CONTAINER_ENGINE_LINUX"];
    assert!(engine.contains("/pinned/x86_64/bin:/warmwheel-ccache:ro;"), "{engine}");
}

#[test]
fn without_a_pinned_ccache_auto_takes_the_images_and_then_a_package() {
    let missing = |scenario: Scenario| scenario.without("x86_64", Offer::Missing);
    let none = Scenario { in_images: None, ..Scenario::linux() };
    let unknown = Scenario { build: Err("no answer"), ..Scenario::linux() };
    let brought = Scenario { in_images: None, ..Scenario::linux() }
        .option("before-all", "dnf install -y ccache");
    for (scenario, way, version, words) in [
        (missing(Scenario::linux()), Way::Image, Some("4.7.5"), "is not to be had for x86_64"),
        (missing(none), Way::Package, None, "for x86_64; the image has none"),
        (missing(unknown), Way::Package, None, "whether the image has one is not known"),
        (missing(brought), Way::Image, None, "the package's before-all speaks of ccache"),
        (Scenario::linux(), Way::Image, Some("4.7.5"), "the pinned one was not looked for"),
    ] {
        let plan = scenario.plan();
        let ccache = &plan.builds[0].ccache;
        assert_eq!((ccache.way, ccache.version.as_deref()), (way, version), "{words}");
        assert!(ccache.why.as_ref().unwrap().contains(words), "{ccache:?}");
        let text = ccache.text();
        let first = text.split(',').next().unwrap();
        assert!(plan.to_text().contains(&format!("─ ccache: {first}")), "{}", plan.to_text());
        let line = format!("ccache of {}: {}", plan.builds[0].domain, ccache.text());
        assert!(plan.second_choices().contains(&line), "{line}");
        assert_eq!(ccache.promised(), None);
    }
}

#[test]
fn what_is_asked_for_and_cannot_be_had_is_refused() {
    for (offer, code, help) in [
        (Offer::Unpinned as fn(String) -> Offer, 2, "[tool.warmwheel.ccache-release]"),
        (Offer::Missing as fn(String) -> Offer, 4, "--ccache-mirror"),
    ] {
        let mut scenario = Scenario::linux().without("x86_64", offer);
        scenario.flags = vec!["--ccache", "pinned"];
        let error = scenario.try_plan().unwrap_err();
        assert_eq!(class_of(&error).exit_code(), code);
        let text = explain(&error);
        assert!(text.contains("pinned ccache (--ccache), but ccache 4.14.1 is not"), "{text}");
        assert!(text.contains(help), "{text}");
    }
}

#[test]
fn the_package_manager_comes_before_a_packages_own_before_all() {
    let scenario = of("linux", "cp312-manylinux_x86_64", &["--ccache", "package"])
        .option("before-all", "make deps # now");
    let build = scenario.first();
    let check = "/warmwheel/ccache-validator preflight --launcher /warmwheel/ccache-launcher";
    assert_eq!(
        before_all(&build),
        format!("sh /warmwheel/install-ccache && {{ make deps # now\n}} && {check}")
    );
    let merged = build.merged.iter().find(|merged| merged.option == "before-all").unwrap();
    assert_eq!(merged.ours, format!("sh /warmwheel/install-ccache && … && {check}"));
    assert_eq!(merged.theirs, "make deps # now");
}

#[test]
fn only_what_was_asked_for_is_promised() {
    let ccache = |flags| of("linux", "cp312-manylinux_x86_64", flags).first().ccache;
    assert_eq!(ccache(&["--ccache", "pinned"]).promised(), Some("4.14.1"));
    let auto = ccache(&[]);
    assert_eq!((auto.version.as_deref(), auto.promised()), (Some("4.14.1"), None));
    assert_eq!(ccache(&["--ccache", "image"]).promised(), None);
}

#[test]
fn a_host_keeps_its_own_whatever_was_asked_for() {
    for (platform, identifier) in [("macos", "cp312-macosx_arm64"), ("windows", "cp312-win_amd64")]
    {
        let plain = planned_for(platform, &[identifier]).builds.remove(0);
        for value in ["pinned", "package"] {
            let build = of(platform, identifier, &["--ccache", value]).first();
            assert_eq!(build.ccache.way, Way::Host);
            assert_eq!(build.environment, plain.environment);
            assert_eq!((build.mounts, build.argv), (plain.mounts.clone(), plain.argv.clone()));
        }
    }
}
