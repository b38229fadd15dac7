//! What is printed of a real log, and what becomes of it.

use crate::sandbox::Sandbox;
use std::fs;

#[test]
fn only_the_projects_misses_are_printed_and_the_log_goes() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_LOGFILE", sandbox.path("log"));
    let elsewhere = sandbox.write("elsewhere/foreign.c", "int f(void) { return 9; }\n");
    sandbox.build("");
    sandbox.run("ccache gcc -c a.c -o a.o");
    sandbox.run("ccache gcc -c b.c -o b.o -save-temps");
    sandbox.write("project/conftest.c", "int main(void) { return 0; }\n");
    sandbox.run("ccache gcc -c conftest.c -o conftest.o");
    sandbox.run("ccache gcc -shared a.o -o a.so");
    let line = format!("ccache gcc -c {0} -o {0}.o", elsewhere.display());
    let script = sandbox
        .write("run.sh", &format!("cd {}/elsewhere && {line}\n", sandbox.path("").display()));
    sandbox.run(&format!("sh {}", script.display()));

    let ran = sandbox.validate(&["--min-hit-rate", "20"]);
    ran.expect(0, "hit (1 of 4", &[
        "ccache log: a.c: cache_miss (process",
        "ccache log: b.c: cache_miss (process",
        "ccache log: ccache gcc -c b.c -o b.o -save-temps: unsupported_compiler_option",
        "| Compiler option -save-temps is unsupported",
        "5 of 7 calls concern the project: 1 hits, 3 missed or failed, 1 compiled nothing; 1 conf",
    ]);
    for absent in ["foreign.c", "direct_cache_hit (", "conftest.c:", "(default)"] {
        assert!(!ran.stderr.contains(absent), "{absent} in {}", ran.stderr);
    }
    assert!(!sandbox.path("log").exists());
}

#[test]
fn two_processes_at_once_are_told_apart() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_LOGFILE", sandbox.path("log"));
    for number in 0..16 {
        sandbox.write(&format!("project/s{number}.c"), &format!("int s{number};\n"));
    }
    let text = "for name in s*.c; do ccache gcc -c $name & done; wait\n";
    let script = sandbox.write("all.sh", text);
    sandbox.run(&format!("sh {}", script.display()));
    let ran = sandbox.validate(&[]);
    ran.expect(0, "cold", &["16 of 16 calls concern the project: 0 hits, 16 missed"]);
    for number in 0..16 {
        let head = format!("ccache log: s{number}.c: cache_miss");
        let section = ran.stderr.split(&head).nth(1).unwrap_or_else(|| panic!("{}", ran.stderr));
        let section = section.split("ccache log: ").next().unwrap();
        assert_eq!(section.matches("| Source file: ").count(), 1, "{section}");
        assert!(section.contains(&format!("| Source file: s{number}.c\n")));
    }
}

#[test]
fn what_is_no_file_is_left_alone() {
    let mut sandbox = Sandbox::new();
    for value in ["syslog", "/dev/null", "/no/such/log"] {
        sandbox.build("");
        sandbox.set("CCACHE_LOGFILE", value);
        let ran = sandbox.validate(&["--on-miss", "warn"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        sandbox.unset("CCACHE_LOGFILE");
    }
    assert!(fs::metadata("/dev/null").is_ok());
}

#[test]
fn a_project_given_by_flag_wins_and_without_any_all_is_shown() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_LOGFILE", sandbox.path("log"));
    sandbox.build("");
    let ran = sandbox.validate(&["--project", "/elsewhere"]);
    ran.expect(0, "cold", &["0 of 2 calls concern"]);
    sandbox.unset("CCACHE_BASEDIR");
    sandbox.build("-O1");
    sandbox.validate(&["--on-miss", "warn"]).expect(0, "miss", &["2 of 2 calls concern"]);
}

#[test]
fn what_is_generated_in_a_build_folder_is_the_projects_and_cmakes_checks_are_not() {
    let mut sandbox = Sandbox::new();
    sandbox.set("CCACHE_LOGFILE", sandbox.path("log"));
    let text = "compile() { (cd \"$1\" && ccache gcc -c \"$2\" -o out.o) || exit; }\n\
                compile \"$1/tmpab12/build\" early.c\n\
                compile \"$1/tmpab12/build\" \"$1/project/a.c\"\n\
                compile \"$1/tmpab12/build/sub\" gen.c\n\
                compile \"$1/tmpab12/build/CMakeFiles/CMakeScratch/TryCompile-x\" src.c\n\
                compile \"$1/tmpcd34/build\" foreign.c\n\
                compile \"$1/project/CMakeFiles/CMakeScratch/TryCompile-y\" src.c\n";
    for (number, name) in [
        "tmpab12/build/early.c",
        "tmpab12/build/sub/gen.c",
        "tmpab12/build/CMakeFiles/CMakeScratch/TryCompile-x/src.c",
        "tmpcd34/build/foreign.c",
        "project/CMakeFiles/CMakeScratch/TryCompile-y/src.c",
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.write(name, &format!("int own{number};\n"));
    }
    let script = sandbox.write("all.sh", text);
    sandbox.run(&format!("sh {} {}", script.display(), sandbox.path("").display()));

    let ran = sandbox.validate(&[]);
    ran.expect(
        0,
        "cold",
        &[
            "3 of 6 calls concern the project: 0 hits, 3 missed or failed",
            "2 configure probes",
            "ccache log: early.c: cache_miss",
            "a.c: cache_miss",
            "ccache log: gen.c: cache_miss",
        ],
    );
    for absent in ["foreign.c", "ccache log: src.c"] {
        assert!(!ran.stderr.contains(absent), "{absent} in {}", ran.stderr);
    }

    // A later build of the same sources, of which only one was generated anew.
    sandbox.write("tmpab12/build/sub/gen.c", "int anew;\n");
    sandbox.set("WARMWHEEL_RUN_ID", "run-2");
    sandbox.run(&format!("sh {} {}", script.display(), sandbox.path("").display()));
    let ran = sandbox.validate(&["--on-miss", "warn"]);
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("3 of 6 calls concern the project: 2 hits, 1 missed"), "{said}");
    assert!(said.contains("ccache log: gen.c: cache_miss"), "{said}");
}
