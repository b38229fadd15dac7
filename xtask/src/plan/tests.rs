//! Plans for every platform, made on any machine.

mod ccache;
mod folders;
mod host;
mod scenario;

use serde_json::json;

use self::scenario::{Scenario, lab};
use super::{BuildPlan, Foreseen, Plan, Role};
use crate::cli::Engine;
use crate::fault::{class_of, explain};

/// The whole plan as data: every argument, variable and mount.
fn snapshot(name: &str, scenario: Scenario) {
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&scenario.plan()).unwrap());
    });
}

#[test]
fn linux_x86_64() {
    snapshot("linux_x86_64", Scenario::linux());
}

#[test]
fn linux_aarch64() {
    snapshot("linux_aarch64", Scenario::of("linux", &["cp312-manylinux_aarch64"]));
}

#[test]
fn musllinux_with_compiler_links() {
    let mut scenario = Scenario::of("linux", &["cp312-musllinux_x86_64"]);
    scenario.backend = "setuptools.build_meta";
    snapshot("musllinux_links", scenario);
}

#[test]
fn meson_with_the_launcher_in_its_compilers() {
    let mut scenario = Scenario::of("linux", &["cp312-manylinux_x86_64"]);
    scenario.backend = "mesonpy";
    snapshot("meson_compilers", scenario);
}

/// cibuildwheel takes assignments in order, so that the package's come out on top.
#[test]
fn a_packages_own_compiler_comes_after_ours() {
    let mut scenario = Scenario::linux()
        .option("environment", "CC=clang")
        .variable("CIBW_ENVIRONMENT_LINUX", "CC=clang");
    scenario.backend = "mesonpy";
    let environment = scenario.first().environment;
    let text = &environment["CIBW_ENVIRONMENT_LINUX"];
    let ours = "CC=\"$(/warmwheel/ccache-launcher --value CC)\" \
                CXX=\"$(/warmwheel/ccache-launcher --value CXX)\"";
    assert!(text.ends_with(&format!("{ours} CC=clang")), "{text}");
}

#[test]
fn without_the_launcher_meson_gets_no_compilers() {
    for (platform, identifier, flags) in [
        ("linux", "cp312-manylinux_x86_64", vec!["--plain-ccache"]),
        ("windows", "cp312-win_amd64", vec![]),
    ] {
        let of = |backend, more: &[&'static str]| {
            let mut scenario = Scenario::of(platform, &[identifier]);
            scenario.backend = backend;
            scenario.flags = [&flags[..], more].concat();
            scenario
        };
        let build = of("mesonpy", &[]).first();
        assert_eq!(build.wiring, super::Wiring::None);
        let name = format!("CIBW_ENVIRONMENT_{}", platform.to_uppercase());
        assert!(!build.environment[&name].contains(" CC="), "{platform}");
        // Asked for, it is refused rather than left out.
        let error = of("mesonpy", &["--wiring", "compilers"]).try_plan().unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 2, "{platform}");
    }
}

/// The launcher bounds meson's compilers, too, so that more builds run side by side.
#[test]
fn mesons_builds_side_by_side_are_bounded() {
    let identifiers = [10, 11, 12, 13].map(|minor| format!("cp3{minor}-manylinux_x86_64"));
    let identifiers = identifiers.each_ref().map(String::as_str);
    let jobs = |flags: Vec<&'static str>| {
        let mut scenario = Scenario::of("linux", &identifiers);
        scenario.backend = "mesonpy";
        scenario.flags = flags;
        scenario.plan().jobs
    };
    assert_eq!((jobs(vec![]), jobs(vec!["--plain-ccache"])), (4, 2));
}

#[test]
fn macos_arm64_builds_on_the_host() {
    let mut scenario = Scenario::of("macos", &["cp312-macosx_arm64"]);
    scenario.engines.clear();
    snapshot("macos_arm64", scenario);
}

#[test]
fn windows_builds_on_the_host() {
    let mut scenario = Scenario::of("windows", &["cp312-win_amd64"]);
    scenario.engines.clear();
    snapshot("windows_amd64", scenario);
}

#[test]
fn the_text_of_a_plan() {
    let mut scenario = Scenario::of(
        "linux",
        &["cp311-manylinux_x86_64", "cp312-manylinux_x86_64", "cp312-musllinux_x86_64"],
    )
    .option("test-command", "pytest {package}");
    scenario.builds[1]["tested"] = json!(false);
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
        let mut plan = scenario.plan();
        plan.foreseen = [
            ("cp311-manylinux_x86_64", Foreseen::Skipped { run_id: "EARLIER".into() }),
            ("cp312-manylinux_x86_64", Foreseen::BuiltAgain { why: "the source changed".into() }),
        ]
        .map(|(identifier, foreseen)| (identifier.to_owned(), foreseen))
        .into();
        insta::assert_snapshot!("text", plan.to_text());
    });
}

#[test]
fn the_first_build_of_each_platform_tag_is_its_pioneer() {
    let identifiers = [
        "cp311-manylinux_x86_64",
        "cp312-manylinux_x86_64",
        "cp311-musllinux_x86_64",
        "cp311-manylinux_i686",
        "cp312-manylinux_i686",
    ];
    let plan = Scenario::of("linux", &identifiers).plan();
    let roles: Vec<_> = plan.builds.iter().map(|build| build.role).collect();
    let expected = [Role::Pioneer, Role::Follower, Role::Pioneer, Role::Pioneer, Role::Follower];
    assert_eq!(roles, expected);
}

#[test]
fn builds_in_different_images_are_different_domains() {
    let plan = Scenario::linux().with("image", json!("other")).plan();
    assert_ne!(plan.builds[0].domain, plan.builds[1].domain);
    assert_eq!(plan.builds[1].role, Role::Pioneer);
}

#[test]
fn a_package_without_settings_gets_ours_by_inheritance() {
    let environment = Scenario::linux().first().environment;
    assert_eq!(
        environment["CIBW_INHERIT"],
        "before-all-linux: none; before-build-linux: prepend; before-test-linux: prepend; \
         config-settings-linux: prepend; environment-linux: prepend; test-command-linux: prepend"
    );
    assert_eq!(
        environment["CIBW_TEST_COMMAND_LINUX"],
        "/warmwheel/ccache-validator validate --wheel '{wheel}'"
    );
}

#[test]
fn a_users_suffixed_variable_is_set_whole_behind_ours() {
    let build = Scenario::linux()
        .option("test-command", "pytest # quick")
        .variable("CIBW_TEST_COMMAND_LINUX", "pytest # quick")
        .first();
    assert!(build.environment["CIBW_INHERIT"].contains("test-command-linux: none"));
    assert_eq!(
        build.environment["CIBW_TEST_COMMAND_LINUX"],
        "/warmwheel/ccache-validator validate --wheel '{wheel}' && pytest # quick"
    );
}

#[test]
fn the_check_for_ccache_comes_after_what_may_install_it() {
    let before_all = |scenario: Scenario, variable: &str| {
        scenario.option("before-all", "install ccache # now").first().environment[variable].clone()
    };
    assert_eq!(
        before_all(Scenario::linux(), "CIBW_BEFORE_ALL_LINUX"),
        "{ install ccache # now\n} && /warmwheel/ccache-validator preflight --launcher \
         /warmwheel/ccache-launcher"
    );
    let windows =
        before_all(Scenario::of("windows", &["cp312-win_amd64"]), "CIBW_BEFORE_ALL_WINDOWS");
    assert!(windows.starts_with("install ccache # now && "), "{windows}");
}

#[test]
fn a_users_own_rules_stay_beside_ours() {
    let build = Scenario::linux()
        .variable("CIBW_INHERIT", "environment: append; before-build: prepend")
        .first();
    let rules = &build.environment["CIBW_INHERIT"];
    assert!(rules.starts_with("environment: append; before-build: prepend; "), "{rules}");
}

#[test]
fn a_users_rule_for_a_suffixed_name_gives_way_once() {
    let build = Scenario::linux().variable("CIBW_INHERIT", "environment-linux: append").first();
    assert_eq!(build.environment["CIBW_INHERIT"].matches("environment-linux").count(), 1);
}

#[test]
fn the_packages_create_args_come_after_ours() {
    let engine = json!({
        "name": "docker",
        "create_args": ["--env", "A=b c"],
        "disable_host_mount": true,
        "host_mount_is_chosen": true,
    });
    let build = Scenario::linux().with("engine", engine).first();
    let text = &build.environment["CIBW_CONTAINER_ENGINE_LINUX"];
    assert!(text.contains("/warmwheel-build --env 'A=b c'; disable_host_mount: true"), "{text}");
}

#[test]
fn the_hosts_root_is_mounted_only_when_it_is_asked_for_or_used() {
    let engine = |build: BuildPlan| build.environment["CIBW_CONTAINER_ENGINE_LINUX"].clone();
    assert!(engine(Scenario::linux().first()).ends_with("disable_host_mount: true"));
    let used = Scenario::linux().with("mentions_host", json!(true));
    assert!(engine(used.first()).ends_with("disable_host_mount: false"));
    let asked = Scenario::linux().with(
        "engine",
        json!({
            "name": "docker", "create_args": [],
            "disable_host_mount": false, "host_mount_is_chosen": true,
        }),
    );
    assert!(engine(asked.first()).ends_with("disable_host_mount: false"));
}

#[test]
fn a_users_ccache_values_win_and_project_folders_are_renamed() {
    let build = Scenario::linux()
        .variable("CCACHE_MAXSIZE", "2G")
        .variable("CCACHE_BASEDIR", "/src")
        .variable("CCACHE_CONFIGPATH", "/src/ci/ccache.conf")
        .variable("CCACHE_NAMESPACE", "a b")
        .first();
    let text = &build.environment["CIBW_ENVIRONMENT_LINUX"];
    assert!(text.contains("CCACHE_MAXSIZE=2G "), "{text}");
    assert!(text.contains("CCACHE_BASEDIR=/project "), "{text}");
    assert!(text.contains("CCACHE_CONFIGPATH=/project/ci/ccache.conf "), "{text}");
    assert!(text.contains("CCACHE_NAMESPACE=\"a b\" "), "{text}");
}

#[test]
fn the_cache_folder_is_the_containers_whatever_the_host_calls_it() {
    let mut scenario = Scenario::linux();
    scenario.flags = vec!["--ccache-dir", ".ccache"];
    let build = scenario.first();
    assert!(build.environment["CIBW_ENVIRONMENT_LINUX"].contains("CCACHE_DIR=/host_ccache "));
    assert_eq!(build.mounts[0].host, "/src/.ccache");
}

#[test]
fn an_image_of_ones_own_reaches_the_identifiers_platform_tag() {
    let mut scenario = Scenario::linux();
    scenario.flags = vec!["--image", "ghcr.io/me/image"];
    let build = scenario.first();
    assert_eq!(build.environment["CIBW_MANYLINUX_X86_64_IMAGE_LINUX"], "ghcr.io/me/image");
    assert_eq!(build.image.as_deref(), Some("ghcr.io/me/image"));
}

#[test]
fn the_test_image_brings_its_engine_and_leaves_out_what_it_lacks() {
    let mut scenario = Scenario::linux();
    scenario.lab = Some(lab());
    scenario.flags = vec!["--image", "lab"];
    let plan = scenario.plan();
    assert_eq!(plan.left_out, ["cp312-manylinux_x86_64"]);
    let build = &plan.builds[0];
    assert_eq!(build.engine, Some(Engine::Podman));
    assert_eq!(build.environment["CONTAINERS_CONF"], "/lab/conf");
    assert!(build.environment["CIBW_CONTAINER_ENGINE_LINUX"].contains(" --network=host;"));
}

#[test]
fn the_engine_is_the_runs_choice_then_the_packages_then_whichever_answers() {
    assert_eq!(Scenario::linux().first().engine, Some(Engine::Docker));
    let mut podman_only = Scenario::linux();
    podman_only.engines = vec![Engine::Podman];
    assert_eq!(podman_only.first().engine, Some(Engine::Podman));

    let origins = json!({"container-engine": "tool.cibuildwheel.container-engine"});
    let mut absent = Scenario::linux().with("origins", origins);
    absent.engines = vec![Engine::Podman];
    let error = absent.try_plan().unwrap_err();
    assert_eq!(class_of(&error).exit_code(), 4);
    assert!(explain(&error).contains("`--engine podman`"), "{}", explain(&error));

    let mut none = Scenario::linux();
    none.engines.clear();
    assert_eq!(class_of(&none.try_plan().unwrap_err()).exit_code(), 4);
}

#[test]
fn bad_selections_are_refused_with_a_way_out() {
    for (flags, help) in [
        (vec!["--only", "cp312-manylinux_x86_46"], "did you mean cp312-manylinux_x86_64?"),
        (vec!["--only", "cp313-manylinux_x86_64"], "leaves it out"),
        (vec!["--python", "3.9"], "the package has cp311-manylinux_x86_64"),
        (vec!["--python", "312"], "write it as 3.12"),
    ] {
        let mut scenario = Scenario::linux();
        scenario.flags.clone_from(&flags);
        let error = scenario.try_plan().unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 2, "{flags:?}");
        assert!(explain(&error).contains(help), "{}", explain(&error));
    }
}

#[test]
fn a_folder_that_engines_cannot_mount_is_refused() {
    let mut scenario = Scenario::linux();
    scenario.flags = vec!["--ccache-dir", "/a:b"];
    assert_eq!(class_of(&scenario.try_plan().unwrap_err()).exit_code(), 2);
}

#[test]
fn githubs_summary_file_is_the_builds_own() {
    let build = Scenario::linux().variable("GITHUB_STEP_SUMMARY", "/gh/summary").first();
    let path = &build.environment["GITHUB_STEP_SUMMARY"];
    assert!(path.ends_with("/builds/cp311-manylinux_x86_64/summary.md"), "{path}");
}

/// A plan for tests of what carries plans out.
pub(crate) fn pretended(identifiers: &[&str]) -> Plan {
    Plan { jobs: 1, ..Scenario::of("windows", identifiers).plan() }
}

/// A plan for any platform, as it would be on a machine of that kind.
pub(crate) fn planned_for(platform: &'static str, identifiers: &[&str]) -> Plan {
    Scenario::of(platform, identifiers).plan()
}
