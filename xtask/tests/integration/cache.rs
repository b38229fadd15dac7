//! The cache folder.

use std::fs;

use camino::Utf8Path;

use crate::support::Sandbox;

#[test]
fn a_relative_folder_is_the_projects_wherever_the_command_is_typed() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_DIR", ".ccache");
    let project = sandbox.project();
    let elsewhere = sandbox.root.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut command = sandbox.command(&["prepare-cache", "--project", project.as_str()]);
    let ran = support_run(command.current_dir(&elsewhere));
    assert_eq!(ran.trim(), project.join(".ccache").as_str());
    assert!(project.join(".ccache").is_dir());
    assert_eq!(Sandbox::names(&elsewhere), Vec::<String>::new());
}

fn support_run(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn markers_and_statslogs_of_earlier_runs_go_and_objects_stay() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_DIR", ".ccache");
    let project = sandbox.project();
    sandbox.write("project/.ccache/warmwheel/markers/manylinux_x86_64@OLD", "OLD\n");
    sandbox.write("project/.ccache/warmwheel/statslogs/cp312", "# a.c\ncache_miss\n");
    sandbox.write("project/.ccache/3/f/object", "o");
    sandbox
        .run(&["prepare-cache", "--project", project.as_str()])
        .expect(0)
        .says("1 markers and 1 statslogs");
    let state = project.join(".ccache/warmwheel");
    assert_eq!(Sandbox::names(&state.join("markers")), Vec::<String>::new());
    assert_eq!(Sandbox::names(&state.join("statslogs")), Vec::<String>::new());
    assert!(project.join(".ccache/3/f/object").is_file());
}

#[test]
fn a_file_in_place_of_the_folder_is_named() {
    let sandbox = Sandbox::new();
    let project = sandbox.project();
    let flags = ["prepare-cache", "--project", project.as_str(), "--ccache-dir", "pkg.c"];
    sandbox.run(&flags).expect(3).says("pkg.c");
}

#[test]
fn validation_alone_is_exempt_once_after_the_cache_was_prepared() {
    let mut sandbox = Sandbox::new();
    let cache = sandbox.root.join("cache");
    sandbox.set("CCACHE_DIR", cache.as_str());
    sandbox.set("CCACHE_STATSLOG", cache.join("log").as_str());
    let missed = || fs::write(cache.join("log"), "# /p/a.c\ncache_miss\ndirect_cache_miss\n");
    let validate = ["validate-ccache", "--identifier", "cp312-manylinux_x86_64"];
    for _ in 0..2 {
        sandbox.run(&["prepare-cache"]).expect(0);
        missed().unwrap();
        sandbox.run(&validate).expect(0).says("cold");
        missed().unwrap();
        sandbox.run(&validate).expect(3).says("miss");
    }
}

#[test]
fn the_validator_for_containers_is_static_and_small() {
    const PT_LOAD: usize = 1;
    const PT_INTERP: usize = 3;
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_DIR", sandbox.root.join("cache").as_str());
    let ran = sandbox.run(&["prepare-cache"]).expect(0);
    let folder = ran.stderr.lines().find_map(|line| line.split_once("read-only: ")).unwrap().1;
    let program = Utf8Path::new(folder.trim()).join("ccache-validator");
    assert!(program.metadata().unwrap().len() <= 3 * 1024 * 1024 / 2, "more than 1.5 MiB");
    // It names no program interpreter, so it runs in an image with another C library or none.
    let elf = fs::read(&program).unwrap();
    let number = |at: usize, bytes: usize| {
        elf[at..at + bytes].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let kinds: Vec<_> = (0..count).map(|row| number(table + row * size, 4)).collect();
    assert!(kinds.contains(&PT_LOAD) && !kinds.contains(&PT_INTERP), "{kinds:?}");
}
