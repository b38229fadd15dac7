use super::*;
use crate::ci::context::tests::context;
use crate::cli::Ccache;
use crate::plan::planned_for;

fn share(label: &str, platform: &'static str, identifiers: &[&str]) -> Share {
    let plan = planned_for(platform, identifiers);
    Share { label: label.to_owned(), platform: platform.to_owned(), plan }
}

fn five() -> Vec<Share> {
    let of = |tags: &[&str]| -> Vec<String> {
        let versions = ["cp311", "cp312", "cp313"];
        tags.iter().flat_map(|tag| versions.map(|python| format!("{python}-{tag}"))).collect()
    };
    let share = |label, platform, tags: &[&str]| {
        let identifiers = of(tags);
        let identifiers: Vec<_> = identifiers.iter().map(String::as_str).collect();
        share(label, platform, &identifiers)
    };
    vec![
        share("ubuntu-24.04", "linux", &["manylinux_x86_64", "musllinux_x86_64", "manylinux_i686"]),
        share("ubuntu-24.04-arm", "linux", &["manylinux_aarch64"]),
        share("macos-14", "macos", &["macosx_arm64"]),
        share("macos-15-intel", "macos", &["macosx_x86_64"]),
        share("windows-2025", "windows", &["win_amd64"]),
    ]
}

fn shown(plan: &CiPlan) -> String {
    serde_json::to_string_pretty(plan).unwrap()
}

fn snapshot(name: &str, plan: &CiPlan) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, shown(plan));
    });
}

#[test]
fn a_package_for_all_five_runners() {
    let main = context("push", "main", &[]);
    let digest = format!("sha256:{}", "0a".repeat(32));
    let digests = BTreeMap::from([("quay.io/manylinux_x86_64".to_owned(), digest)]);
    snapshot("five_runners", &plan(&five(), &digests, 1, &main));
}

#[test]
fn a_release_on_three_machines_for_each_domain() {
    let tag = context("push", "v1.2", &[("GITHUB_REF_TYPE", "tag")]);
    let made = plan(&five()[..2], &BTreeMap::new(), 3, &tag);
    snapshot("release_shards", &made);
    assert!(made.jobs.iter().chain(&made.followers).all(|job| !job.restore));
}

#[test]
fn shards_cover_every_identifier_exactly_once() {
    let main = context("push", "main", &[]);
    for count in 1..=9 {
        let identifiers: Vec<_> =
            (0..count).map(|minor| format!("cp3{minor}-manylinux_x86_64")).collect();
        let names: Vec<_> = identifiers.iter().map(String::as_str).collect();
        for shards in 1..=12 {
            let share = share("x", "linux", &names);
            let made = plan(&[share], &BTreeMap::new(), shards, &main);
            let jobs = made.jobs.iter().chain(&made.followers);
            let covered: Vec<_> = jobs.flat_map(|job| job.only.split(',')).collect();
            assert_eq!(covered, names, "{count} identifiers on {shards} machines");
            assert!(made.followers.len() <= shards);
            let sizes: Vec<_> =
                made.followers.iter().map(|job| job.only.split(',').count()).collect();
            let (most, least) = (sizes.iter().max(), sizes.iter().min());
            assert!(most.unwrap_or(&0) - least.unwrap_or(&0) <= 1, "{sizes:?}");
            let names = made.jobs.iter().chain(&made.followers).map(|job| &job.name);
            let distinct: std::collections::BTreeSet<_> = names.clone().collect();
            assert_eq!(distinct.len(), names.count());
        }
    }
}

#[test]
fn each_identifier_is_built_where_it_runs() {
    for (identifier, home) in [
        ("cp312-manylinux_x86_64", "linux-x86_64"),
        ("cp312-manylinux_i686", "linux-x86_64"),
        ("pp311-musllinux_aarch64", "linux-aarch64"),
        ("cp312-macosx_universal2", "macos-arm64"),
        ("cp312-macosx_x86_64", "macos-x86_64"),
        ("cp313t-win_amd64", "windows-amd64"),
        ("cp312-win32", "windows-amd64"),
        ("cp312-win_arm64", "windows-arm64"),
        ("cp312-manylinux_ppc64le", "linux-ppc64le"),
        ("odd", "odd-"),
    ] {
        assert_eq!(home_of(identifier), home);
    }
}

#[test]
fn settings_name_other_runners_and_leave_out_what_has_none() {
    let runners = BTreeMap::from([
        ("linux-ppc64le".to_owned(), "power".to_owned()),
        ("macos-x86_64".to_owned(), String::new()),
    ]);
    let label = |identifier| label_of(identifier, &runners);
    assert_eq!(label("cp312-manylinux_x86_64").unwrap().as_deref(), Some("ubuntu-24.04"));
    assert_eq!(label("cp312-manylinux_ppc64le").unwrap().as_deref(), Some("power"));
    assert_eq!(label("cp312-macosx_x86_64").unwrap(), None);
    let error = label("cp312-manylinux_s390x").unwrap_err();
    assert!(crate::fault::explain(&error).contains("`linux-s390x = \"LABEL\"`"));
}

#[test]
fn two_images_of_one_platform_tag_are_two_jobs() {
    let mut share = share("x", "linux", &["cp311-manylinux_x86_64", "cp312-manylinux_x86_64"]);
    share.plan.builds[1].domain = "another".to_owned();
    let made = plan(&[share], &BTreeMap::new(), 1, &context("push", "main", &[]));
    let names: Vec<_> = made.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["manylinux_x86_64", "manylinux_x86_64_2"]);
}

/// Only where a job would fail rather than use another one.
#[test]
fn the_version_of_a_pinned_ccache_stands_in_the_caches_name_from_the_start() {
    let main = context("push", "main", &[]);
    let mut share = share("x", "linux", &["cp312-manylinux_x86_64"]);
    let name = |share: &Share| {
        let made = plan(std::slice::from_ref(share), &BTreeMap::new(), 1, &main);
        (made.jobs[0].cache_key.clone(), made.jobs[0].restore_keys.clone())
    };
    let (key, restore) = name(&share);
    assert!(key.contains("-ccache.any-main-") && restore.ends_with("-ccache."), "{key} {restore}");
    let ccache = &mut share.plan.builds[0].ccache;
    ccache.setting = Ccache::Pinned;
    ccache.version = Some("4.14.1".to_owned());
    let (key, restore) = name(&share);
    assert!(key.contains("-ccache.4.14.1-main-"), "{key}");
    assert!(restore.ends_with("-ccache.4.14.1-main-"), "{restore}");
}
