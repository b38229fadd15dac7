//! The folders that are the same in every run.

use serde_json::json;

use super::scenario::Scenario;

const ENV_DIR: &str = "--env-dir=/tmp/warmwheel-env";

fn frontend(name: &str, args: &[&str]) -> serde_json::Value {
    json!({"name": name, "args": args, "constrained": null})
}

#[test]
fn a_frontend_that_can_puts_its_environment_in_one_place() {
    for (name, args, expected) in [
        ("build", vec![], format!("build; args: {ENV_DIR}")),
        ("build[uv]", vec![], format!("build[uv]; args: {ENV_DIR}")),
        ("build", vec!["--x", "a b"], format!("build; args: --x 'a b' {ENV_DIR}")),
    ] {
        let build = Scenario::linux().with("frontend", frontend(name, &args)).first();
        assert_eq!(build.environment["CIBW_BUILD_FRONTEND"], expected);
        assert_eq!(build.env_note, None);
    }
}

#[test]
fn a_frontend_that_cannot_is_left_alone_and_noted() {
    let pip = Scenario::linux().with("frontend", frontend("pip", &[]));
    let uv = Scenario::linux().with("frontend", frontend("uv", &[]));
    let mut old = Scenario::linux();
    old.build = Ok("1.5.1");
    let mut unknown = Scenario::linux();
    unknown.build = Err("no answer");
    let other = Scenario::linux().with("interpreter", json!("/opt/python/cp39-cp39"));
    for (scenario, reason) in [
        (pip, "the frontend `pip` has no --env-dir"),
        (uv, "the frontend `uv` has no --env-dir"),
        (old, "`build` 1.5.1 has no --env-dir"),
        (unknown, "the version of `build` is not known: no answer"),
        (other, "the image has none for cp39-cp39"),
    ] {
        let plan = scenario.plan();
        let build = &plan.builds[0];
        let note = build.env_note.as_deref().unwrap();
        assert!(note.starts_with("binding files will miss on every run"), "{note}");
        assert!(note.contains(reason), "{note}");
        assert!(!build.environment.contains_key("CIBW_BUILD_FRONTEND"), "{reason}");
        assert!(plan.to_text().contains("note: binding files will miss on every run"), "{reason}");
    }
}

#[test]
fn a_packages_own_place_for_the_environment_stays() {
    for argument in ["--env-dir=/own", "--no-isolation", "-n"] {
        let build = Scenario::linux().with("frontend", frontend("build", &[argument])).first();
        assert!(!build.environment.contains_key("CIBW_BUILD_FRONTEND"), "{argument}");
        assert_eq!(build.env_note, None, "{argument}");
    }
}

#[test]
fn on_a_host_each_identifier_has_a_folder_of_its_own_that_no_run_changes() {
    let identifiers = ["cp311-macosx_arm64", "cp312-macosx_arm64"];
    let plan = Scenario::of("macos", &identifiers).plan();
    let folders: Vec<_> =
        plan.builds.iter().map(|build| build.environment["CIBW_BUILD_FRONTEND"].clone()).collect();
    assert_ne!(folders[0], folders[1]);
    for (build, frontend) in plan.builds.iter().zip(folders) {
        let (_, folder) = frontend.split_once("--env-dir=").unwrap();
        assert!(folder.ends_with(&build.identifier), "{folder}");
        assert!(!folder.contains(&plan.run_id), "{folder}");
        assert_eq!(build.environment["CIBW_BEFORE_BUILD_MACOS"], format!("rm -rf {folder}"));
        assert!(!build.environment.contains_key("CIBW_CONFIG_SETTINGS_MACOS"));
    }
}

#[test]
fn on_a_host_the_constraints_tell_the_version_of_build() {
    let unfixed = Scenario::of("macos", &["cp311-macosx_arm64"])
        .with("frontend", frontend("build", &[]))
        .first();
    let note = unfixed.env_note.unwrap();
    assert!(note.contains("constraints do not fix it"), "{note}");
}

#[test]
fn a_build_in_a_container_that_leaves_its_folder_open_gets_one() {
    let build = Scenario::linux().option("before-build", "make headers").first();
    assert_eq!(build.environment["CIBW_CONFIG_SETTINGS_LINUX"], "build-dir=/tmp/warmwheel-build");
    assert_eq!(
        build.environment["CIBW_BEFORE_BUILD_LINUX"],
        "rm -rf /tmp/warmwheel-env /tmp/warmwheel-build"
    );
    let rules = &build.environment["CIBW_INHERIT"];
    for option in ["before-build", "config-settings"] {
        assert!(rules.contains(&format!("{option}-linux: prepend")), "{rules}");
    }
}

#[test]
fn meson_builds_in_one_folder_of_the_package_where_links_are_kept() {
    let meson = |scenario: Scenario| Scenario { backend: "mesonpy", ..scenario };
    let environment = meson(Scenario::linux()).first().environment;
    assert_eq!(environment["CIBW_CONFIG_SETTINGS_LINUX"], "builddir=.mesonpy-warmwheel");
    assert_eq!(
        environment["CIBW_BEFORE_BUILD_LINUX"],
        "rm -rf /tmp/warmwheel-env '{package}/.mesonpy-warmwheel'"
    );
    let own = meson(Scenario::linux().with("config_settings", json!(["builddir"])));
    let plain = Scenario { flags: vec!["--plain-ccache"], ..meson(Scenario::linux()) };
    let on_host = meson(Scenario::of("macos", &["cp311-macosx_arm64"]));
    for scenario in [own, plain] {
        let environment = scenario.first().environment;
        assert!(!environment.contains_key("CIBW_CONFIG_SETTINGS_LINUX"), "{environment:?}");
    }
    assert!(!on_host.first().environment.contains_key("CIBW_CONFIG_SETTINGS_MACOS"));
}

#[test]
fn a_build_that_names_its_folder_keeps_it() {
    let mut in_table = Scenario::linux();
    in_table.names_build_dir = true;
    let mut other_backend = Scenario::linux();
    other_backend.backend = "setuptools.build_meta";
    let setting = Scenario::linux().with("config_settings", json!(["skbuild.build-dir"]));
    let argument = Scenario::linux().with("frontend", frontend("build", &["-Cbuild-dir=own"]));
    for scenario in [in_table, other_backend, setting, argument] {
        let environment = scenario.first().environment;
        assert!(!environment.contains_key("CIBW_CONFIG_SETTINGS_LINUX"), "{environment:?}");
        // In a container that goes with its first failure nothing stale is ever found.
        assert!(!environment.contains_key("CIBW_BEFORE_BUILD_LINUX"), "{environment:?}");
    }
}

#[test]
fn the_images_id_is_a_part_of_the_plan() {
    assert_eq!(Scenario::linux().first().image_id.as_deref(), Some("0af"));
    assert_eq!(Scenario::of("windows", &["cp312-win_amd64"]).first().image_id, None);
}
