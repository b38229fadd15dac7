//! `--setup`: what it installs, and when it asks, with package managers that are only pretended.

use std::fs;
use std::process::Command;

use crate::support::{Ran, Sandbox, XTASK, real_python};

/// A machine on which nothing but git is missing, which `manager` would install.
fn without_git(manager: &str) -> Sandbox {
    let mut sandbox = Sandbox::new().with_tools();
    sandbox.set("CIBW_BUILD", "cp312-manylinux_x86_64");
    let bin = sandbox.root.join("bin");
    for (name, script) in [
        ("podman", "[ \"$1\" = ps ] || exit 1".to_owned()),
        ("runc", String::new()),
        ("slirp4netns", String::new()),
        ("newuidmap", String::new()),
        ("ccache", "exit 1".to_owned()),
        ("sudo", "[ \"$1\" = --non-interactive ] && shift\nexec \"$@\"".to_owned()),
        ("env", "exec /usr/bin/env \"$@\"".to_owned()),
        ("python3", format!("exec {} \"$@\"", real_python())),
        (
            manager,
            format!(
                "echo \"$*\" >>{bin}/told\ncase $* in *git*) ;; *) exit 0;; esac\n\
                 echo '#!/bin/sh' >{bin}/git\n/bin/chmod +x {bin}/git"
            ),
        ),
    ] {
        sandbox.program(name, &format!("#!/bin/sh\n{script}\n"));
    }
    sandbox.set("PATH", bin.as_str());
    sandbox
}

/// What the package manager was told.
fn told(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.root.join("bin/told")).unwrap_or_default()
}

/// The doctor with `--setup`, in a terminal where `typed` is typed.
fn in_a_terminal(sandbox: &Sandbox, typed: &str, arguments: &[&str]) -> Ran {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/terminal.py");
    let plain = sandbox.command(&[]);
    let mut command = Command::new(real_python());
    command.args([script, "80", XTASK, "doctor", "--setup", "--project", "."]).args(arguments);
    command.current_dir(sandbox.project());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("TYPED", typed).output().unwrap().into()
}

#[test]
fn in_a_terminal_it_says_what_it_installs_and_asks() {
    let sandbox = without_git("apt-get");
    let ran = in_a_terminal(&sandbox, "n", &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.stdout);
    for words in ["missing on this machine: git", "install it now? [Y/n]", "nothing was installed"]
    {
        assert!(ran.stdout.contains(words), "no {words:?} in {}", ran.stdout);
    }
    assert!(ran.stdout.contains("--no-install-recommends git"), "{}", ran.stdout);
    assert_eq!(told(&sandbox), "");

    let ran = in_a_terminal(&sandbox, "y", &[]);
    assert!(ran.stdout.contains("container engine"), "it goes on: {}", ran.stdout);
    assert!(told(&sandbox).contains("install --yes --no-install-recommends git\n"));
}

#[test]
fn it_does_not_ask_where_it_was_told_yes() {
    let sandbox = without_git("apt-get");
    let ran = in_a_terminal(&sandbox, "n", &["--yes"]);
    assert!(!ran.stdout.contains("[Y/n]"), "{}", ran.stdout);
    assert!(told(&sandbox).contains("no-install-recommends git\n"), "{}", ran.stdout);
}

#[test]
fn without_a_terminal_it_goes_ahead_with_any_package_manager() {
    for (manager, words) in [
        ("apt-get", "install --yes --no-install-recommends git"),
        ("dnf", "--quiet install --assumeyes git"),
        ("apk", "--no-progress add git"),
        ("pacman", "--noconfirm --noprogressbar --sync --refresh --needed git"),
    ] {
        let sandbox = without_git(manager);
        sandbox.run(&["doctor", "--setup", "--project", "."]).says("missing on this machine: git");
        assert!(told(&sandbox).trim_end().ends_with(words), "{manager}: {}", told(&sandbox));
    }
}

#[test]
fn nothing_is_installed_without_the_flag_or_where_nothing_is_missing() {
    let sandbox = without_git("apt-get");
    sandbox.run(&["doctor", "--project", "."]);
    sandbox.run(&["doctor", "--yes"]).expect(2);
    assert_eq!(told(&sandbox), "");
    sandbox.run(&["doctor", "--setup", "--project", "."]).says("git");
    let once = told(&sandbox);
    sandbox.run(&["doctor", "--setup", "--project", "."]);
    assert_eq!(told(&sandbox), once);
}

#[test]
fn a_system_without_a_known_package_manager_is_told_what_to_get() {
    let sandbox = without_git("emerge");
    let ran = sandbox.run(&["doctor", "--setup", "--project", "."]).expect(4);
    ran.says("--setup cannot help").says("install git with this system's own means");
}
