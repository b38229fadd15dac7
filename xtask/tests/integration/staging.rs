//! What travels into containers.

use std::fs;
use std::process::Command;

use crate::pipeline::pretending;
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
    assert_eq!(state(), before);
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
