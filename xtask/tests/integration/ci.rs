//! `ci` in an imitated job of GitHub Actions, with a pretended cibuildwheel.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::pipeline::{GOOD, MISSES, pretending, wheels};
use crate::support::runner::{Page, snapshot};
use crate::support::{Ran, Sandbox};

/// The push of a branch, with a pretended cibuildwheel that does this.
pub(crate) fn job(behaviour: &str) -> Sandbox {
    let mut sandbox = pretending(behaviour);
    sandbox.in_github("push", "main", "branch");
    sandbox
}

impl Sandbox {
    pub(crate) fn ci(&self, arguments: &[&str]) -> Ran {
        let project = self.project();
        self.run(&[&["ci", "build", "--project", project.as_str()], arguments].concat())
    }
}

#[test]
fn a_run_that_goes_well() {
    let sandbox = job(GOOD);
    let ran = sandbox.ci(&["--jobs", "1"]).expect(0);
    assert_eq!(ran.stdout.lines().count(), 2, "stdout is the list of wheels");
    snapshot("ci_success", &sandbox, &ran);
}

#[test]
fn a_build_that_fails() {
    let sandbox = job("echo 'int broken(' > pkg.c; compile pkg.c || exit 7; wheel");
    let ran = sandbox.ci(&["--jobs", "1"]).expect(1);
    assert!(Page::read(&ran.stderr).groups[0].1.join("\n").contains("error: expected"));
    snapshot("ci_failure", &sandbox, &ran);
}

#[test]
fn a_later_version_without_hits() {
    let sandbox = job(MISSES);
    let ran = sandbox.ci(&["--jobs", "1"]).expect(3);
    snapshot("ci_miss", &sandbox, &ran);
}

#[test]
fn a_miss_that_is_let_pass_is_a_warning() {
    let sandbox = job(MISSES);
    let ran = sandbox.ci(&["--jobs", "1", "--on-miss", "warn"]).expect(0);
    let page = Page::read(&ran.stderr);
    assert_eq!(page.annotations.len(), 1);
    assert_eq!(page.annotations[0][..2], ["warning", "cp312-manylinux_x86_64: miss"]);
}

/// Waits in the second build until it is interrupted, deaf to everything else that is asked nicely.
const DEAF: &str = "case $id in cp312*)
        trap '' INT TERM
        touch \"$cache/waiting\"
        while :; do sleep 0.1; done;;
    esac
    compile pkg.c && wheel && hook && copy_out";

/// Starts `ci`, waits until its second build runs, and sends it these signals, the later ones after
/// a while.
fn cancelled(sandbox: &Sandbox, signals: &[(&str, Duration)]) -> (Ran, Duration) {
    let project = sandbox.project();
    let child = sandbox
        .command(&["ci", "build", "--project", project.as_str(), "--jobs", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sandbox.wait_for("cache/waiting");
    let id = child.id().to_string();
    let began = Instant::now();
    for (signal, after) in signals {
        std::thread::sleep(after.saturating_sub(began.elapsed()));
        assert!(
            std::process::Command::new("kill").args([signal, &id[..]]).status().unwrap().success()
        );
    }
    let ran = Ran::from(child.wait_with_output().unwrap());
    (ran, began.elapsed())
}

#[test]
fn a_cancelled_run_ends_in_time_and_keeps_what_is_finished() {
    let sandbox = job(DEAF);
    let (ran, took) = cancelled(&sandbox, &[("-INT", Duration::ZERO)]);
    let ran = ran.expect(130);
    assert!(took < Duration::from_secs(7), "{took:?}");
    assert_eq!(wheels(&sandbox), ["pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl"]);
    assert_eq!(sandbox.report()["outcome"], "interrupted");
    snapshot("ci_cancelled", &sandbox, &ran);
}

#[test]
fn sigterm_has_its_own_exit_code() {
    let sandbox = job(DEAF);
    let (ran, took) = cancelled(&sandbox, &[("-TERM", Duration::ZERO)]);
    ran.expect(143);
    assert!(took < Duration::from_secs(7), "{took:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let sandbox = job(DEAF);
    let second = Duration::from_secs(1);
    let (ran, took) = cancelled(&sandbox, &[("-INT", Duration::ZERO), ("-TERM", second)]);
    ran.expect(130);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// Everything that a build could print to be obeyed.
const HOSTILE: &str = r"
    printf '::error::mine\n::warning file=a::mine\n::set-output name=cold::false\n'
    printf '::add-mask::pkg\n::stop-commands::mine\n::mine::\n::endgroup::\n::group::mine\n'
    printf '##[error]mine\n##[endgroup]\n##[group]mine\n  ::error::mine\n\r::error::mine\r\n'
    printf '\033[2J\033[H\033]0;mine\007\033[31mred, and never back\n'
    head -c 1048576 /dev/zero | tr '\0' x
    printf '\n::00000000000000000000000000000000::\n::error::mine\n'
";

#[test]
fn what_a_build_prints_changes_nothing_outside_its_group() {
    let plain = job(GOOD);
    let quiet = Page::read(&plain.ci(&["--jobs", "1"]).expect(0).stderr);
    let sandbox = job(&format!("{HOSTILE}\n{GOOD}"));
    let page = Page::read(&sandbox.ci(&["--jobs", "1"]).expect(0).stderr);

    let without_times = |lines: &[String], root: &str| -> Vec<String> {
        let words = |line: &String| {
            let words = line
                .split_whitespace()
                .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
            words.collect::<Vec<_>>().join(" ").replace(root, "ROOT")
        };
        let lines = lines.iter().map(words);
        lines
            .map(|line| line.split(", run ").next().unwrap().to_owned())
            .map(|line| line.split("target/warmwheel/").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        without_times(&page.lines, sandbox.root.as_str()),
        without_times(&quiet.lines, plain.root.as_str())
    );
    let titles =
        |page: &Page| page.groups.iter().map(|(title, _)| title.clone()).collect::<Vec<_>>();
    assert_eq!(titles(&page), titles(&quiet));
    assert_eq!(page.annotations, quiet.annotations);
    assert_eq!((page.obeyed, page.formatted), (Vec::new(), Vec::new()));

    let log = &page.groups[0].1;
    assert!(log.iter().any(|line| line == "::error::mine"), "the log is shown whole");
    assert_eq!(log.iter().map(|line| line.matches('x').count()).sum::<usize>() >> 20, 1);
    assert!(log.iter().all(|line| !line.contains('\x1b') || line.ends_with("\x1b[0m")));
    assert_eq!(sandbox.outputs()["cold"], "true");
    assert_eq!(sandbox.outputs().len(), plain.outputs().len());
}

#[test]
fn a_build_on_the_host_is_not_told_where_outputs_go() {
    let sandbox = job(&format!("env | grep -c '^GITHUB_OUTPUT=\\|^GITHUB_ENV='; {GOOD}"));
    let page = Page::read(&sandbox.ci(&["--jobs", "1"]).expect(0).stderr);
    assert!(page.groups[0].1.iter().any(|line| line == "0"), "{:?}", page.groups[0].1);
}

#[test]
fn names_and_errors_cannot_be_commands_either() {
    let mut sandbox = job("echo; exit 1");
    sandbox.set("CIBW_BUILD", "\n::error::mine");
    let ran = sandbox.ci(&[]).expect(2);
    let page = Page::read(&ran.stderr);
    assert_eq!(page.annotations.len(), 1, "{page:?}");
    assert_eq!(page.annotations[0][1], "Warmwheel");
    assert!(sandbox.summary().starts_with("earlier step\n\n## ❌ Warmwheel\n"));
}

#[test]
fn a_missing_engine_is_no_reason_to_do_anything_else() {
    let mut sandbox = job(GOOD);
    sandbox.program("podman", "#!/bin/sh\nexit 1\n");
    let ran = sandbox.ci(&[]).expect(4);
    let page = Page::read(&ran.stderr);
    assert_eq!(page.annotations.len(), 1);
    assert!(page.annotations[0][2].contains("no container engine answers"));
    assert!(sandbox.summary().contains("no container engine answers"));
    assert_eq!(wheels(&sandbox), Vec::<String>::new());
}

#[test]
fn outside_of_github_it_is_refused() {
    let sandbox = pretending(GOOD);
    sandbox.ci(&[]).expect(2).says("release-wheels");
}

#[test]
fn a_release_starts_from_nothing_that_another_run_has_left() {
    let mut sandbox = job(GOOD);
    sandbox.ci(&[]).expect(0);
    assert_eq!(sandbox.outputs()["cache-save"], "true");
    sandbox.in_github("push", "v1", "tag");
    sandbox.set("GITHUB_RUN_ID", "78");
    sandbox.ci(&[]).expect(2).says("a release trusts no earlier run");
    fs::remove_dir_all(sandbox.root.join("cache")).unwrap();
    fs::remove_dir_all(sandbox.project().join("wheelhouse")).unwrap();
    sandbox.ci(&[]).expect(0);
    assert_eq!(sandbox.outputs()["cache-save"], "false");
    assert_eq!(sandbox.report()["builds"][1]["cache"]["verdict"], "hit");
    // A later job of the same workflow run goes on from there.
    sandbox.ci(&["--no-pioneer"]).expect(0);
}

#[test]
fn only_the_default_branch_leaves_a_cache() {
    for (event, name, saves) in [
        ("push", "main", "true"),
        ("push", "feature", "false"),
        ("pull_request", "3/merge", "false"),
        ("pull_request_target", "main", "false"),
    ] {
        let mut sandbox = job(GOOD);
        sandbox.in_github(event, name, "branch");
        sandbox.ci(&["--python", "3.11"]).expect(0);
        assert_eq!(sandbox.outputs()["cache-save"], saves, "{event} {name}");
    }
}

#[test]
fn a_followers_job_is_exempt_in_nothing() {
    let sandbox = job(MISSES);
    sandbox.ci(&["--no-pioneer", "--python", "3.12"]).expect(2).says("is empty");
    sandbox.ci(&["--python", "3.11"]).expect(0);
    sandbox.ci(&["--no-pioneer", "--python", "3.12"]).expect(3).says("verdict miss");
}

/// What a run leaves for others is theirs: nothing of its own, and nobody else's files.
#[test]
fn a_cache_is_left_fit_to_be_saved() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let sandbox = job(&format!(
        "{GOOD}; echo '#!/bin/sh' > \"$cache/old\"; touch -d '90 days ago' \"$cache/old\""
    ));
    sandbox.ci(&["--python", "3.11"]).expect(0);
    let cache = sandbox.root.join("cache");
    let names = |folder: &str| Sandbox::names(&cache.join("warmwheel").join(folder));
    assert_eq!((names("markers"), names("statslogs")), (vec![], vec![]));

    let object = objects(&cache).pop().unwrap();
    let old =
        std::process::Command::new("touch").args(["-d", "90 days ago", object.as_str()]).status();
    assert!(old.unwrap().success());
    let is_root = fs::metadata(&cache).unwrap().uid() == 0;
    if is_root {
        chown(cache.join("warmwheel"), Some(12345), Some(12345)).unwrap();
    }
    fs::write(sandbox.project().join("pkg.c"), "int other(void) { return 1; }\n").unwrap();
    sandbox.ci(&["--python", "3.11"]).expect(0);
    assert!(!object.exists(), "what nothing has hit for long is gone");
    assert!(!objects(&cache).is_empty(), "the rest is there");
    assert!(!is_root || fs::metadata(cache.join("warmwheel")).unwrap().uid() == 0);
}

/// ccache's own files with results.
fn objects(cache: &Utf8PathBuf) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![cache.clone()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            let name = path.file_name().unwrap_or_default().to_owned();
            if path.is_dir() {
                if name != "warmwheel" {
                    folders.push(path);
                }
            } else if name.ends_with('R') {
                found.push(path);
            }
        }
    }
    found
}

/// The jobs of the sandbox's package.
fn planned(sandbox: &Sandbox, arguments: &[&str]) -> serde_json::Value {
    let project = sandbox.project();
    let ran = sandbox.run(&[&["ci", "plan", "--project", project.as_str()], arguments].concat());
    serde_json::from_str(&ran.expect(0).stdout).unwrap()
}

fn only(plan: &serde_json::Value, list: &str) -> Vec<String> {
    let jobs = plan[list].as_array().unwrap().iter();
    jobs.map(|job| job["only"].as_str().unwrap().to_owned()).collect()
}

/// A package for few versions on all platforms, and the real cibuildwheel to ask.
fn planner() -> Sandbox {
    let mut sandbox = Sandbox::new().with_tools().with_pretended_engine();
    sandbox.in_github("push", "main", "branch");
    let versions = "[project]\nname = 'pkg'\nversion = '1'\n[tool.cibuildwheel]\n\
                    build = ['cp312-*', 'cp313-*']\nskip = ['*musllinux*', '*win32', '*_i686']\n";
    sandbox.write("project/pyproject.toml", versions);
    sandbox
}

#[test]
fn each_machine_gets_what_it_can_run() {
    let sandbox = planner();
    let plan = planned(&sandbox, &[]);
    let tags =
        ["manylinux_x86_64", "manylinux_aarch64", "macosx_arm64", "macosx_x86_64", "win_amd64"];
    let expected = tags.map(|tag| format!("cp312-{tag},cp313-{tag}"));
    assert_eq!(only(&plan, "jobs"), expected);
    let outputs = sandbox.outputs();
    assert_eq!(outputs["has-followers"], "false");
    assert_eq!(outputs["identifiers"], expected.join(","));
    let matrix: serde_json::Value = serde_json::from_str(&outputs["matrix"]).unwrap();
    assert_eq!(matrix["include"][0]["runs-on"], "ubuntu-24.04");
    assert_eq!(matrix["include"][0]["restore"], true);
    let key = matrix["include"][0]["cache-key"].as_str().unwrap();
    assert!(key.starts_with("warmwheel1-linux-x86_64-manylinux_x86_64-"), "{key}");
}

#[test]
fn an_architecture_that_is_asked_for_everywhere_is_built_once() {
    let mut sandbox = planner();
    sandbox.set("CIBW_ARCHS_LINUX", "x86_64 aarch64");
    sandbox.set("CIBW_ARCHS_MACOS", "universal2");
    let plan = planned(&sandbox, &[]);
    let tags = ["manylinux_x86_64", "manylinux_aarch64", "macosx_universal2", "win_amd64"];
    assert_eq!(only(&plan, "jobs"), tags.map(|tag| format!("cp312-{tag},cp313-{tag}")));
    assert_eq!(plan["jobs"][2]["runs-on"], "macos-14");
}

#[test]
fn what_no_runner_builds_is_refused_until_the_settings_say_what_to_do() {
    let mut sandbox = planner();
    sandbox.set("CIBW_ARCHS_LINUX", "x86_64 ppc64le");
    let project = sandbox.project();
    let line = ["ci", "plan", "--project", project.as_str()];
    sandbox.run(&line).expect(2).says("linux-ppc64le = \"LABEL\"");
    let file = project.join("pyproject.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let runners = "[tool.warmwheel.ci.runners]\nlinux-ppc64le = ''\nmacos-x86_64 = ''\n";
    fs::write(&file, format!("{settings}{runners}")).unwrap();
    let plan = planned(&sandbox, &[]);
    assert!(!plan["identifiers"].to_string().contains("ppc64le"));
    assert!(!plan["identifiers"].to_string().contains("macosx_x86_64"));
}

#[test]
fn a_pull_request_builds_what_its_settings_select() {
    let sandbox = planner();
    let file = sandbox.project().join("pyproject.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let few = "[tool.warmwheel.pull-request]\nonly = ['cp313-manylinux_x86_64']\n";
    fs::write(&file, format!("{settings}{few}")).unwrap();
    assert_eq!(only(&planned(&sandbox, &["--pull-request"]), "jobs"), ["cp313-manylinux_x86_64"]);
    assert_eq!(only(&planned(&sandbox, &[]), "jobs").len(), 5);
    fs::write(&file, settings.replace("cp312", "cp311") + few).unwrap();
    assert_eq!(only(&planned(&sandbox, &["--pull-request"]), "jobs").len(), 1);
    let odd = few.replace("cp313", "cp309");
    fs::write(&file, format!("{settings}{odd}")).unwrap();
    let project = sandbox.project();
    let line = ["ci", "plan", "--project", project.as_str(), "--pull-request"];
    sandbox.run(&line).expect(2).says("cp309-manylinux_x86_64 is not among");
}

#[test]
fn the_image_is_known_by_its_digest_where_a_registry_tells_it() {
    let mut sandbox = planner();
    sandbox.set("CIBW_MANYLINUX_X86_64_IMAGE", "registry.test/own:1");
    let key = |sandbox: &Sandbox| {
        planned(sandbox, &[])["jobs"][0]["cache-key"].as_str().unwrap().to_owned()
    };
    let unknown = key(&sandbox);
    let mut answered = |hash: &str| {
        let digest = hash.repeat(32);
        sandbox.program(
            "docker",
            &format!("#!/bin/sh\n[ \"$1\" = buildx ] || exit 1\necho sha256:{digest}\n"),
        );
        key(&sandbox)
    };
    let (one, other) = (answered("0a"), answered("1b"));
    assert!(one != unknown && other != unknown && one != other, "{unknown} {one} {other}");
    assert_eq!(answered("0a"), one);
}

#[test]
fn with_shards_a_pioneers_job_comes_first() {
    let sandbox = planner();
    let plan = planned(&sandbox, &["--shards", "2"]);
    assert_eq!(only(&plan, "jobs")[0], "cp312-manylinux_x86_64");
    assert_eq!(only(&plan, "followers")[0], "cp313-manylinux_x86_64");
    assert_eq!(plan["followers"][0]["hand-over"], plan["jobs"][0]["hand-over"]);
    assert_eq!(sandbox.outputs()["has-followers"], "true");
}
