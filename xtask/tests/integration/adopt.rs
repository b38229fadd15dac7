//! `adopt` with this very workspace as the source.

use std::fs;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use crate::support::{Ran, Sandbox, XTASK};

const HOME: &str = "tools/warmwheel";
/// The SHA-256 of a file that says `older`.
const OLDER_HASH: &str = "f5851620a22110d6ebb73809df89c6321e79b4483dd2eb84ea77948505561463";
const WORKFLOW: &str = ".github/workflows/release-wheels.yml";

fn git(folder: &Utf8Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with a small package, committed.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    commit(&sandbox);
    sandbox
}

fn commit(sandbox: &Sandbox) {
    let project = sandbox.project();
    if !project.join(".git").exists() {
        git(&project, &["init", "--quiet", "--initial-branch=main"]);
    }
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message=x"]);
}

fn adopt(sandbox: &Sandbox, flags: &[&str]) -> Ran {
    let project = sandbox.project();
    sandbox.run(&[&["adopt", project.as_str()], flags].concat())
}

/// The program as the adopted workspace would run it.
fn adopted(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let xtask = sandbox.project().join(HOME).join("xtask");
    let mut command = sandbox.command(arguments);
    command.env("CARGO_MANIFEST_DIR", xtask).env_remove("CARGO_TARGET_DIR");
    command.output().unwrap().into()
}

/// Every file of the project by its path and content, but git's own.
fn tree(sandbox: &Sandbox) -> Vec<(Utf8PathBuf, Vec<u8>)> {
    fn walk(folder: &Utf8Path, files: &mut Vec<(Utf8PathBuf, Vec<u8>)>) {
        for entry in folder.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            let (path, about) = (entry.path(), entry.file_type().unwrap());
            if about.is_symlink() {
                let target = path.read_link_utf8().unwrap().into_string().into_bytes();
                files.push((path.to_path_buf(), target));
            } else if about.is_file() {
                files.push((path.to_path_buf(), fs::read(path).unwrap()));
            } else if entry.file_name() != ".git" {
                walk(path, files);
            }
        }
    }
    let mut files = Vec::new();
    walk(&sandbox.project(), &mut files);
    files.sort();
    files
}

#[test]
fn without_a_terminal_nothing_is_written_unless_it_is_said() {
    let sandbox = repository();
    let before = tree(&sandbox);
    let ran = adopt(&sandbox, &[]).expect(2).says("no terminal to ask in").says("--yes");
    assert!(ran.stdout.contains("+publish = false"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("+++ b/tools/warmwheel"), "only what concerns them");
    let ran = adopt(&sandbox, &["--diff"]).expect(0).says("nothing was written");
    assert!(ran.stdout.contains("+++ b/tools/warmwheel/xtask/src/main.rs"), "all of it");
    assert_eq!(tree(&sandbox), before);
}

#[test]
fn what_is_brought_is_whole_and_a_second_time_changes_nothing() {
    let sandbox = repository();
    let ran = adopt(&sandbox, &["--yes"]).expect(0);
    let ran = ran.says("cargo xtask release-wheels --setup").says("git add .cargo/config.toml");
    assert!(!ran.stderr.contains("note: "), "{}", ran.stderr);
    let project = sandbox.project();
    for file in [".cargo/config.toml", ".gitignore", WORKFLOW, "tools/warmwheel/adopted.json"] {
        assert!(project.join(file).is_file(), "{file}");
    }
    for left in ["Cargo.toml", "xtask", "tools/warmwheel/tools/demo", "tools/warmwheel/xtask/tests"]
    {
        assert!(!project.join(left).exists(), "{left}");
    }
    let parts = tree(&sandbox).into_iter().filter(|(path, _)| path.as_str().contains("-part"));
    assert_eq!(parts.count(), 0);

    let before = tree(&sandbox);
    adopt(&sandbox, &["--yes"]).expect(0).says("nothing to write");
    adopt(&sandbox, &["--check"]).expect(0).says("has what this Warmwheel brings");
    commit(&sandbox);
    adopt(&sandbox, &["--yes", "--force"]).expect(0).says("nothing to write");
    assert_eq!(tree(&sandbox), before);
    assert_eq!(git(&project, &["status", "--porcelain"]), "");
}

/// Compiles nothing: cargo reads the manifests and the lock, and finds that they agree.
#[test]
fn cargo_finds_a_workspace_of_its_own_whose_lock_agrees() {
    let sandbox = Sandbox::new();
    sandbox.write("project/Cargo.toml", "[package]\nname = 'theirs'\nedition = '2021'\n");
    sandbox.write("project/src/lib.rs", "");
    commit(&sandbox);
    adopt(&sandbox, &["--yes"]).expect(0);
    let project = sandbox.project();
    let metadata = |manifest: &str| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
        command.args(["--manifest-path", manifest]).current_dir(&project);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{manifest}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let names = |metadata: &serde_json::Value| {
        let packages = metadata["packages"].as_array().unwrap().iter();
        packages.map(|package| package["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&metadata("Cargo.toml")), ["theirs"]);
    let own = metadata("tools/warmwheel/Cargo.toml");
    let mut members = names(&own);
    members.sort();
    assert_eq!(members, ["ccache-validator", "xtask"]);
    assert_eq!(own["workspace_root"].as_str().unwrap(), project.join(HOME));

    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--quiet", "--locked", "--offline", "--depth=0", "--manifest-path"]);
    command.arg("tools/warmwheel/Cargo.toml").current_dir(&project);
    let locked: Ran = command.output().unwrap().into();
    locked.expect(0);
}

#[test]
fn the_adopted_program_works_on_the_repository_around_it() {
    let sandbox = repository();
    adopt(&sandbox, &["--yes"]).expect(0);
    adopted(&sandbox, &["ci", "workflow", "--check"]).expect(0).says(WORKFLOW);
    for own in [&["test"][..], &["bench"], &["adopt", "."]] {
        adopted(&sandbox, own).expect(2).says("a copy of what builds wheels");
    }
}

#[test]
fn the_adopted_program_plans_the_package_of_the_repository() {
    let sandbox = Sandbox::new().with_tools().with_pretended_engine();
    fs::create_dir(sandbox.project().join("python")).unwrap();
    for file in ["pyproject.toml", "pkg.c"] {
        let from = sandbox.project().join(file);
        fs::rename(&from, sandbox.project().join("python").join(file)).unwrap();
    }
    commit(&sandbox);
    adopt(&sandbox, &["--yes"]).expect(2).says("name the folder that has");
    adopt(&sandbox, &["--yes", "--package", "python"]).expect(0);
    adopt(&sandbox, &["--yes"]).expect(0).says("nothing to write");
    let plan = adopted(&sandbox, &["release-wheels", "--plan=json"]).expect(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let output = plan["output_dir"].as_str().unwrap();
    assert_eq!(output, sandbox.project().join("wheelhouse"));
    assert!(plan["builds"].as_array().unwrap().len() > 1);
}

#[test]
fn an_upgrade_keeps_what_was_changed_until_it_is_forced() {
    let sandbox = repository();
    adopt(&sandbox, &["--yes"]).expect(0);
    let project = sandbox.project();
    let (edited, gone) = ("tools/warmwheel/tools/pins.toml", "tools/warmwheel/rustfmt.toml");
    fs::write(project.join(edited), "theirs\n").unwrap();
    fs::remove_file(project.join(gone)).unwrap();
    // As if an earlier version had left it.
    let older = "tools/warmwheel/clippy.toml";
    fs::write(project.join(older), "older\n").unwrap();
    let record = project.join("tools/warmwheel/adopted.json");
    let text = fs::read_to_string(&record).unwrap();
    let mut told: serde_json::Value = serde_json::from_str(&text).unwrap();
    told["files"][older] = OLDER_HASH.into();
    fs::write(&record, told.to_string()).unwrap();

    adopt(&sandbox, &["--check"])
        .expect(2)
        .says("tools/pins.toml: changed here")
        .says("rustfmt.toml: removed here")
        .says("clippy.toml: older than this Warmwheel's")
        .says("in 3 files");
    let ran = adopt(&sandbox, &["--yes"]).expect(0);
    let ran = ran.says("brought up to date: 2 files").says("--force").says("wrote 2 files");
    assert_eq!(ran.stdout, "", "nobody there has written that");
    assert!(fs::read_to_string(project.join(older)).unwrap().contains("disallowed-methods"));
    adopt(&sandbox, &["--yes"]).expect(0).says("nothing to write").says("rustfmt.toml is left");
    assert_eq!(fs::read_to_string(project.join(edited)).unwrap(), "theirs\n");
    assert!(!project.join(gone).exists());

    let ran = adopt(&sandbox, &["--yes", "--force"]).expect(0);
    assert!(ran.stdout.contains("\n-theirs\n"), "what is lost is shown: {}", ran.stdout);
    adopt(&sandbox, &["--check"]).expect(0);
}

#[test]
fn hostile_repositories_are_refused_and_nothing_is_written() {
    let sandbox = repository();
    let project = sandbox.project();
    let outside = sandbox.root.join("outside");
    fs::create_dir(&outside).unwrap();
    let refused = |says: &str| {
        let before = tree(&sandbox);
        for flags in [&["--yes"][..], &["--yes", "--force"]] {
            adopt(&sandbox, flags).expect(2).says(says).says("help: ");
        }
        assert_eq!(tree(&sandbox), before);
        assert_eq!(Sandbox::names(&outside), Vec::<String>::new());
    };
    for link in ["tools", ".github", ".cargo", ".gitignore"] {
        std::os::unix::fs::symlink(&outside, project.join(link)).unwrap();
        refused(&format!("{link} is a link"));
        fs::remove_file(project.join(link)).unwrap();
    }
    sandbox.write("project/tools/warmwheel/adopted.json", "{}");
    refused("no record of what was adopted");
    let record = "{\"schema\": 1, \"warmwheel\": {\"version\": \"1\", \"commit\": null}, \
                  \"package\": \"\", \"files\": {\"tools/warmwheel/../../../outside/x\": \"0\"}}";
    sandbox.write("project/tools/warmwheel/adopted.json", record);
    refused("which adopt never writes");
    fs::remove_dir_all(project.join("tools")).unwrap();
    sandbox.write("project/pyproject.toml", "[project\n");
    refused("is no TOML");
}

#[test]
fn places_that_are_no_repository_of_somebody_else() {
    let sandbox = repository();
    let workspace = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let refused = |path: &str, says: &str| {
        sandbox.run(&["adopt", path, "--yes"]).expect(2).says(says).says("help: ");
    };
    refused(workspace.as_str(), "in each other's place");
    refused(workspace.join("tools/demo").as_str(), "in each other's place");
    refused("nowhere", "the repository nowhere");
    refused("pkg.c", "is no folder");
    sandbox.write("project/sub/setup.py", "");
    refused("sub", "is a folder of the repository");
    let project = sandbox.project();
    sandbox.run(&["adopt", project.as_str(), "--package", "../x"]).expect(2).says("from outside");
}

#[test]
fn a_repository_named_through_a_link_and_one_without_git() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink(sandbox.project(), sandbox.root.join("link")).unwrap();
    let ran = sandbox.run(&["adopt", "../link", "--yes"]).expect(0).says("no git repository");
    assert!(!ran.stderr.contains("git add"), "{}", ran.stderr);
    adopt(&sandbox, &["--check"]).expect(0);
}

#[test]
fn what_git_would_leave_out_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("project/.gitignore", "bin/\n*.lock\n");
    sandbox.write("project/notes.txt", "");
    commit(&sandbox);
    sandbox.write("project/notes.txt", "changed");
    let ran = adopt(&sandbox, &["--yes"]).expect(0);
    let ran = ran.says("git ignores 2 of Warmwheel's files").says("such changes: 1");
    ran.says("  git add --force ");
}

#[test]
fn settings_by_hand_come_along_and_the_rest_is_said() {
    let sandbox = Sandbox::new();
    let workflow = "on: push\njobs:\n  wheels:\n    runs-on: ubuntu-latest\n    env:\n      \
                    CCACHE_DIR: ${{ github.workspace }}/.cache/cc\n    steps:\n      \
                    - uses: pypa/cibuildwheel@v2\n        env:\n          \
                    CIBW_SKIP: '*-musllinux_*'\n          \
                    CIBW_BUILD: cp${{ matrix.python }}-*\n";
    sandbox.write("project/.github/workflows/wheels.yml", workflow);
    commit(&sandbox);
    let ran = adopt(&sandbox, &["--yes"]).expect(0);
    ran.says("line 10: CIBW_SKIP = *-musllinux_*: is now [tool.cibuildwheel] skip")
        .says("worked out when the workflow runs")
        .says("line 8: - uses: pypa/cibuildwheel@v2: delete it when the new workflow has built")
        .says("macos-arm64");
    let text = fs::read_to_string(sandbox.project().join("pyproject.toml")).unwrap();
    assert!(text.starts_with("[project]\nname = 'pkg'\nversion = '1'\n"), "{text}");
    assert!(text.contains("\n[tool.warmwheel]\nccache-dir = \".cache/cc\"\n"), "{text}");
    let ignored = fs::read_to_string(sandbox.project().join(".gitignore")).unwrap();
    assert!(ignored.ends_with("/.cache/cc/\n"), "{ignored}");
    // The settings are ones that the program takes.
    adopted(&sandbox, &["ci", "workflow", "--check"]).expect(0);
}

#[test]
fn breaking_off_leaves_nothing_that_the_next_time_trusts() {
    let sandbox = repository();
    let project = sandbox.project();
    // In the middle of it there is a folder that nothing can be written to, for anyone.
    let blocked = project.join("tools/warmwheel/xtask/.Cargo.toml.warmwheel-part");
    fs::create_dir_all(blocked.join("full")).unwrap();
    adopt(&sandbox, &["--yes"]).expect(1).says("cannot write ");
    assert!(!project.join("tools/warmwheel/adopted.json").exists());
    adopt(&sandbox, &["--check"]).expect(2).says("has not adopted");
    fs::remove_dir_all(&blocked).unwrap();
    adopt(&sandbox, &["--yes"]).expect(0);
    adopt(&sandbox, &["--check"]).expect(0);
}

/// The program under test is named here, so that a rename is noticed where it is run by hand.
#[test]
fn the_help_has_examples() {
    let output = Command::new(XTASK).args(["adopt", "--help"]).output().unwrap();
    let ran: Ran = output.into();
    assert!(ran.expect(0).stdout.contains("cargo xtask adopt ../mypkg --check"));
}
