//! What travels into containers.

use std::fs;
use std::process::Command;

use crate::pipeline::{GOOD, pretending};
use crate::support::Sandbox;

fn git(folder: &camino::Utf8Path, line: &str) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always"])
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A project in git with one of everything, whose builds list what they were given.
fn project_in_git() -> Sandbox {
    let sandbox = pretending(
        "find . -path ./.git -prune -o -type f -print -o -type l -print \
         | sort > \"$cache/files\"; git describe --tags --dirty > \"$cache/version\"; exit 1",
    );
    let project = sandbox.project();
    sandbox.write("library/lib.c", "int lib;\n");
    git(&sandbox.root.join("library"), "init --quiet");
    git(&sandbox.root.join("library"), "add .");
    git(&sandbox.root.join("library"), "commit --quiet -m one");
    git(&project, "init --quiet");
    sandbox.write("project/.gitignore", "ignored.txt\n");
    git(
        &project,
        &format!("submodule --quiet add {} vendor/library", sandbox.root.join("library")),
    );
    sandbox.write("project/deleted.c", "");
    git(&project, "add .");
    git(&project, "commit --quiet -m one");
    git(&project, "tag v1.2");
    fs::remove_file(project.join("deleted.c")).unwrap();
    std::os::unix::fs::symlink("pkg.c", project.join("link.c")).unwrap();
    for file in [
        "ignored.txt",
        "new.c",
        "target/debug/junk.o",
        ".venv/bin/python",
        "dist/pkg-0-cp311-cp311-linux_x86_64.whl",
        "pkg.cpython-311-x86_64-linux-gnu.so",
        "wheelhouse/notes.txt",
    ] {
        sandbox.write(&format!("project/{file}"), "");
    }
    sandbox
}

const TRAVELS: [&str; 7] = [
    "./.gitignore",
    "./.gitmodules",
    "./link.c",
    "./new.c",
    "./pkg.c",
    "./pyproject.toml",
    "./vendor/library/lib.c",
];

fn travelled(sandbox: &Sandbox) -> Vec<String> {
    let files = fs::read_to_string(sandbox.root.join("cache/files")).unwrap();
    // A submodule's `.git` is a file.
    files.lines().filter(|file| !file.ends_with("/.git")).map(ToOwned::to_owned).collect()
}

fn version(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.root.join("cache/version")).unwrap().trim().to_owned()
}

#[test]
fn sources_submodules_and_history_travel_and_build_products_do_not() {
    let sandbox = project_in_git();
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    assert_eq!(travelled(&sandbox), TRAVELS);
    assert_eq!(
        version(&sandbox),
        "v1.2-dirty",
        "a deleted file makes the tree dirty here as there"
    );
}

#[test]
fn times_travel_and_sockets_do_not() {
    let sandbox =
        pretending("stat -c %Y pkg.c > \"$cache/time\"; ls .git > \"$cache/git\"; exit 1");
    let project = sandbox.project();
    git(&project, "init --quiet");
    let file = fs::File::options().write(true).open(project.join("pkg.c")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000))
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(project.join(".git/monitor.ipc")).unwrap();
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    let read = |name: &str| fs::read_to_string(sandbox.root.join("cache").join(name)).unwrap();
    assert_eq!(read("time").trim(), "1000000000");
    assert!(read("git").contains("HEAD") && !read("git").contains("monitor"));
}

#[test]
fn a_linked_work_tree_keeps_its_version() {
    let sandbox = project_in_git();
    let tree = sandbox.root.join("tree");
    git(&sandbox.project(), &format!("worktree add --quiet {tree} v1.2"));
    let line = ["release-wheels", "--project", tree.as_str(), "--python", "3.11"];
    sandbox.run(&line).expect(1);
    assert_eq!(version(&sandbox), "v1.2");
}

#[test]
fn the_project_is_left_as_it_was() {
    let sandbox = project_in_git();
    let state = || {
        let status = Command::new("git")
            .args(["status", "--porcelain", "--ignored"])
            .current_dir(sandbox.project())
            .output()
            .unwrap();
        String::from_utf8(status.stdout).unwrap()
    };
    let before = state();
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    // The records are there, and git is told not to see them.
    assert_eq!(state(), format!("{before}!! target/warmwheel/\n"));
}

#[test]
fn a_cache_inside_the_project_does_not_travel() {
    let mut sandbox = project_in_git();
    sandbox.set("CCACHE_DIR", ".ccache");
    sandbox.write("project/.ccache/3/f/object", "");
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    let files = fs::read_to_string(sandbox.project().join(".ccache/files")).unwrap();
    assert!(!files.contains(".ccache"), "{files}");
}

#[test]
fn a_project_that_is_not_in_git_travels_without_its_build_products() {
    let sandbox = pretending("find . -type f | sort > \"$cache/files\"; exit 1");
    sandbox.write("project/.venv/bin/python", "");
    sandbox.write("project/_core.cpython-311-x86_64-linux-gnu.so", "");
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    assert_eq!(travelled(&sandbox), ["./pkg.c", "./pyproject.toml"]);
}

#[test]
fn a_file_that_is_edited_while_a_run_goes_on_is_the_same_for_every_version() {
    let mut sandbox = pretending("");
    let edited = sandbox.project().join("pkg.c");
    let before = fs::read_to_string(&edited).unwrap();
    // Written in place, as some editors do, and not replaced.
    sandbox.set(
        "PRETEND",
        &format!("cat pkg.c >> \"$cache/seen\"; echo 'int edited;' > {edited}; {GOOD}"),
    );
    sandbox.release_wheels(&[]).expect(0);
    assert_eq!(fs::read_to_string(&edited).unwrap(), "int edited;\n");
    let seen = fs::read_to_string(sandbox.root.join("cache/seen")).unwrap();
    assert_eq!(seen, [before.as_str(), &before].concat());
}

#[test]
fn what_stands_in_the_place_of_tracked_files_travels() {
    let sandbox = project_in_git();
    let project = sandbox.project();
    for file in ["was_file", "was_folder/old.c"] {
        sandbox.write(&format!("project/{file}"), "");
    }
    git(&project, "add was_file was_folder");
    git(&project, "commit --quiet -m two");
    fs::remove_file(project.join("was_file")).unwrap();
    sandbox.write("project/was_file/new.c", "");
    fs::remove_dir_all(project.join("was_folder")).unwrap();
    std::os::unix::fs::symlink("vendor", project.join("was_folder")).unwrap();
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    let mut expected = TRAVELS.to_vec();
    expected.extend(["./was_file/new.c", "./was_folder"]);
    assert_eq!(travelled(&sandbox), expected);
}

#[test]
fn repositories_within_travel_with_their_history_or_as_an_empty_folder() {
    let sandbox = pretending(
        "ls -d inner/.git/HEAD inner/kept.c unfetched > \"$cache/files\"; \
         git -C inner log --format=%s > \"$cache/log\"; exit 1",
    );
    let project = sandbox.project();
    git(&project, "init --quiet");
    sandbox.write("project/inner/kept.c", "");
    let inner = project.join("inner");
    for line in ["init --quiet", "add .", "commit --quiet -m inner-one"] {
        git(&inner, line);
    }
    fs::create_dir(project.join("unfetched")).unwrap();
    let commit = "0123456789012345678901234567890123456789";
    git(&project, &format!("update-index --add --cacheinfo 160000,{commit},unfetched"));
    sandbox.release_wheels(&["--python", "3.11"]).expect(1);
    let read = |name: &str| fs::read_to_string(sandbox.root.join("cache").join(name)).unwrap();
    assert_eq!(read("files"), "inner/.git/HEAD\ninner/kept.c\nunfetched\n");
    assert_eq!(read("log"), "inner-one\n");
}

#[test]
fn a_name_that_is_not_utf_8_is_refused_and_not_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = pretending(GOOD);
    let project = sandbox.project();
    git(&project, "init --quiet");
    let name = std::ffi::OsStr::from_bytes(b"odd-\xff.c");
    fs::write(project.as_std_path().join(name), "").unwrap();
    sandbox.release_wheels(&["--python", "3.11"]).expect(1).says("its name is not UTF-8");
}
