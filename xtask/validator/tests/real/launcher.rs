//! The launcher in front of the real ccache: what is compiled is what is compiled without it, and
//! what is written down is what happened.

use crate::sandbox::Sandbox;
use ccache_validator::compilations::{self, Compilation, Compilations};
use ccache_validator::statslog;
use std::fs;
use std::path::Path;
use std::process::Output;

const LAUNCHER: &str = env!("CARGO_BIN_EXE_ccache-launcher");

/// A sandbox with a record folder, sources of many kinds, and a folder for each way of compiling.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("record")).unwrap();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    sandbox.set("CCACHE_TEMPDIR", sandbox.path("temporary"));
    sandbox.set("CCACHE_NOHASHDIR", "1");
    fs::create_dir(sandbox.path("temporary")).unwrap();
    sandbox.write("project/inc/own.h", "#define OWN 1\n");
    sandbox.write("project/sys/system.h", "#define SYSTEM 1\n");
    sandbox
        .write("project/use.c", "#include \"own.h\"\n#include <system.h>\nint u = OWN + SYSTEM;\n");
    sandbox.write("project/x.cpp", "#include <string>\nstd::string x() { return \"x\"; }\n");
    sandbox.write("project/warns.c", "int w(void) { int unused; return 1; }\n");
    sandbox.write("project/fails.c", "int f(void) { return nothing; }\n");
    sandbox.write("project/a folder/s.c", "int s(void) { return 1; }\n");
    sandbox
}

fn recorded(sandbox: &Sandbox) -> Compilations {
    compilations::read(&sandbox.path("record/compilations.ndjson")).unwrap()
}

/// The last compilation on record.
#[track_caller]
fn last(sandbox: &Sandbox) -> Compilation {
    let mut found = recorded(sandbox);
    assert_eq!(found.skipped, 0);
    found.records.pop().unwrap()
}

#[track_caller]
fn has(record: &Compilation, counter: &str) -> bool {
    record.result.as_ref().unwrap().iter().any(|name| name == counter)
}

/// What a compilation is to leave: exit code, stdout, stderr, object file, dependency file.
type Left = (Option<i32>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

fn left(sandbox: &Sandbox, output: Output) -> Left {
    let take = |name: &str| {
        let path = sandbox.path(name);
        let content = fs::read(&path).ok();
        drop(fs::remove_file(path));
        content
    };
    let files = (take("project/out.o"), take("project/out.d"));
    (output.status.code(), output.stdout, output.stderr, files.0, files.1)
}

#[test]
fn nothing_that_is_compiled_is_changed() {
    let table: [&[&str]; 9] = [
        &["gcc", "-MD", "-MT", "out.o", "-MF", "out.d", "-Iinc", "-isystem", "sys", "-c", "use.c"],
        &["gcc", "-MMD", "-MF", "out.d", "-Iinc", "-isystem", "sys", "-c", "use.c"],
        &["gcc", "-Wp,-MD,out.d", "-Iinc", "-isystem", "sys", "-c", "use.c"],
        &["gcc", "-O2", "-c", "a.c"],
        &["g++", "-g", "-O2", "-MD", "-c", "x.cpp"],
        &["gcc", "-Wall", "-MD", "-c", "warns.c"],
        &["gcc", "-Wall", "-MD", "-c", "fails.c"],
        &["gcc", "-MD", "-c", "a folder/s.c"],
        &["gcc", "-MD", "-c", "absent.c"],
    ];
    for line in table {
        let sandbox = sandbox();
        let run = |front: &[&str]| {
            let words = [front, line, &["-o", "out.o"]].concat();
            left(&sandbox, sandbox.output(&words))
        };
        let plain = run(&[]);
        assert_eq!(plain.0, Some(i32::from(plain.3.is_none())), "{line:?}");
        for front in [&[LAUNCHER][..], &[LAUNCHER], &["ccache"], &[LAUNCHER]] {
            assert_eq!(run(front), plain, "{front:?} {line:?}");
        }
        // The same with what ccache has stored without the launcher.
        fs::remove_dir_all(sandbox.path("cache")).unwrap();
        for front in [&["ccache"][..], &[LAUNCHER], &[LAUNCHER]] {
            assert_eq!(run(front), plain, "{front:?} {line:?}");
        }
        let found = recorded(&sandbox);
        assert_eq!((found.records.len(), found.skipped), (5, 0), "{line:?}");
        for record in &found.records {
            assert_eq!(Some(i32::from(record.exit)), plain.0, "{line:?}");
            assert_eq!(record.folder, sandbox.path("project").to_str().unwrap());
            assert_eq!(record.output.as_deref(), Some("out.o"));
            assert!(record.start < record.end && record.end - record.start < 60.0, "{record:?}");
        }
        let hits: Vec<_> = found.records.iter().map(Compilation::is_hit).collect();
        let is_good = plain.0 == Some(0);
        assert_eq!(
            hits,
            [false, true, true, true, true].map(|hit| Some(hit && is_good)),
            "{line:?}"
        );
        assert_eq!(fs::read_dir(sandbox.path("temporary")).unwrap().count(), 0, "{line:?}");
    }
}

#[test]
fn what_depend_mode_stored_is_a_direct_hit_in_either_mode() {
    let sandbox = sandbox();
    let compile = "gcc -Iinc -isystem sys -MD -MF out.d -c use.c -o out.o";
    sandbox.run(&format!("{LAUNCHER} {compile}"));
    let first = last(&sandbox);
    assert!(first.is_depend && has(&first, "cache_miss"), "{first:?}");
    assert!(!has(&first, "preprocessed_cache_miss"), "the preprocessor was run: {first:?}");
    fs::remove_file(sandbox.path("statslog")).unwrap();
    sandbox.run(&format!("{LAUNCHER} {compile}"));
    assert!(has(&last(&sandbox), "direct_cache_hit"));
    // Another dependency file and another object file are the same to ccache's direct mode.
    for line in [
        compile.to_owned(),
        compile.replace("out.d", "other.d"),
        compile.replace("out.o", "other.o"),
    ] {
        sandbox.run(&format!("ccache {line}"));
    }
    let counted = statslog::read(&sandbox.path("statslog")).unwrap();
    assert_eq!(counted.own.counts.direct_hits, Some(4), "{counted:?}");
    let other = fs::read_to_string(sandbox.path("project/out.d")).unwrap();
    assert!(other.starts_with("other.o:"), "{other}");
    // Another target in the dependency file is not. It costs a miss, and the file is right.
    sandbox.run(&format!("{LAUNCHER} {compile} -MT target"));
    assert!(has(&last(&sandbox), "cache_miss"));
    let targeted = fs::read_to_string(sandbox.path("project/out.d")).unwrap();
    assert!(targeted.starts_with("target:"), "{targeted}");
}

#[test]
fn the_mode_is_chosen_per_file_and_the_users_choice_wins() {
    let mut sandbox = sandbox();
    sandbox.write("project/py/Python.h", "");
    sandbox.write("project/bound.c", "#include <Python.h>\nint bound;\n");
    let mut check = |variable: Option<&str>, line: &str, is_depend: bool| {
        if let Some(name) = variable {
            sandbox.set(name, "1");
        }
        sandbox.run(&format!("{LAUNCHER} gcc {line}"));
        let record = last(&sandbox);
        assert_eq!(record.is_depend, is_depend, "{variable:?} {line}");
        let ways = ["preprocessed_cache_hit", "preprocessed_cache_miss"];
        let is_preprocessed = ways.iter().any(|counter| has(&record, counter));
        assert_eq!(is_preprocessed, !is_depend, "{record:?}");
        if let Some(name) = variable {
            sandbox.unset(name);
        }
    };
    check(None, "-MD -DN=1 -c a.c", true);
    check(None, "-DN=2 -c a.c", false);
    check(None, "-MD -DN=3 -I/opt/python/cp312-cp312/include -c a.c", false);
    check(None, "-MD -DN=3 -Ipy -I/opt/python/cp312-cp312/include -c bound.c", true);
    check(Some("CCACHE_NODEPEND"), "-MD -DN=4 -c a.c", false);
    check(Some("CCACHE_NODIRECT"), "-MD -DN=5 -c a.c", false);
    check(Some("CCACHE_DIRECT"), "-MD -DN=6 -c a.c", false);
    check(Some("CCACHE_DEPEND"), "-MMD -DN=7 -c a.c", true);
}

#[test]
fn what_depend_mode_does_not_see_is_never_a_false_hit() {
    let sandbox = sandbox();
    // A header of the system, which -MMD leaves out.
    let compile = format!("{LAUNCHER} gcc -MMD -Iinc -isystem sys -c use.c -o out.o");
    sandbox.run(&compile);
    sandbox.write("project/sys/system.h", "#define SYSTEM 2\n");
    sandbox.run(&compile);
    assert_eq!(last(&sandbox).is_hit(), Some(false));
    // A file that the assembler takes in.
    sandbox.write("project/data", "one");
    sandbox.write("project/in.c", "__asm__(\".incbin \\\"data\\\"\");\n");
    let compile = format!("{LAUNCHER} gcc -MD -c in.c -o in.o");
    sandbox.run(&compile);
    let before = fs::read(sandbox.path("project/in.o")).unwrap();
    sandbox.write("project/data", "two");
    sandbox.run(&compile);
    assert_eq!(last(&sandbox).is_hit(), Some(false));
    assert_ne!(fs::read(sandbox.path("project/in.o")).unwrap(), before);
}

#[test]
fn a_file_of_another_version_hits_by_its_preprocessed_text() {
    let sandbox = sandbox();
    for (version, counter) in [("312", "cache_miss"), ("313", "preprocessed_cache_hit")] {
        let include = format!("/opt/python/cp{version}-cp{version}/include");
        sandbox.run(&format!("{LAUNCHER} gcc -MD -I{include} -c a.c -o a.o"));
        assert!(has(&last(&sandbox), counter), "{:?}", last(&sandbox));
    }
}

#[test]
fn other_calls_go_straight_through() {
    let sandbox = sandbox();
    sandbox.run(&format!("{LAUNCHER} gcc -c a.c -o a.o"));
    for line in ["gcc --version", "gcc -E a.c", "gcc -shared a.o -o a.so", "gcc -S a.c -o a.s"] {
        sandbox.run(&format!("{LAUNCHER} {line}"));
    }
    assert_eq!(recorded(&sandbox).records.len(), 1);
    let counted = statslog::read(&sandbox.path("statslog")).unwrap();
    // The link is none of ccache's business when it comes by the launcher's own name, as CMake's.
    assert_eq!((counted.own.counts.misses, counted.other_calls), (Some(2), 2), "{counted:?}");
    let code = |words: &[&str]| sandbox.output(&[&[LAUNCHER], words].concat()).status.code();
    assert_eq!(code(&["gcc", "--no-such-option", "a.c"]), Some(1));
    assert_eq!((code(&[]), code(&["--version"]), code(&["--help"])), (Some(2), Some(0), Some(0)));
    assert_eq!(
        code(&["no-such-compiler", "-c", "a.c"]),
        sandbox.output(&["ccache", "no-such-compiler", "-c", "a.c"]).status.code()
    );
}

#[test]
fn many_at_once_lose_nothing() {
    const FILES: usize = 16;
    const ROUNDS: usize = 3;
    let sandbox = sandbox();
    for number in 0..FILES {
        sandbox.write(&format!("project/many/{number}.c"), &format!("int f{number};\n"));
    }
    for _ in 0..ROUNDS {
        let children: Vec<_> = (0..FILES)
            .map(|number| {
                let source = format!("many/{number}.c");
                let object = format!("many/{number}.o");
                sandbox.spawn(&[LAUNCHER, "gcc", "-MD", "-c", &source, "-o", &object])
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
    let text = fs::read_to_string(sandbox.path("statslog")).unwrap();
    for number in 0..FILES {
        let blocks = text.matches(&format!("# many/{number}.c\n")).count();
        assert_eq!(blocks, ROUNDS, "{text}");
    }
    let counts = statslog::read(&sandbox.path("statslog")).unwrap().own.counts;
    assert_eq!((counts.misses, counts.hits()), (Some(16), Some(32)));
    let found = recorded(&sandbox);
    assert_eq!((found.records.len(), found.skipped), (FILES * ROUNDS, 0));
    let hits = found.records.iter().filter(|record| record.is_hit() == Some(true)).count();
    assert_eq!(hits, FILES * (ROUNDS - 1));
    assert_eq!(fs::read_dir(sandbox.path("temporary")).unwrap().count(), 0);
}

#[test]
fn no_more_compilers_run_at_once_than_there_are_slots() {
    let mut sandbox = sandbox();
    sandbox.set("WARMWHEEL_COMPILERS", "2");
    sandbox.set("RUNNING", sandbox.path("running"));
    fs::create_dir(sandbox.path("running")).unwrap();
    // In place of ccache: each says how many there are besides it.
    sandbox.fake(
        "ccache",
        "#!/bin/sh\ntouch \"$RUNNING/$$\"; sleep 0.05; set -- \"$RUNNING\"/*\n\
         echo $# >>\"$RUNNING.log\"; rm \"$RUNNING/$$\"\n",
    );
    let line = [LAUNCHER, "gcc", "-c", "a.c"];
    let children: Vec<_> = (0..8).map(|_| sandbox.spawn(&line)).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let log = fs::read_to_string(sandbox.path("running.log")).unwrap();
    let counts: Vec<u32> = log.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(counts.len(), 8);
    assert_eq!(counts.iter().max(), Some(&2), "{counts:?}");
}

#[test]
fn the_verdict_is_the_same_with_and_without() {
    let verdicts = |front: &str| {
        let sandbox = sandbox();
        let mut said = Vec::new();
        for python in ["cp312", "cp313"] {
            for name in ["a", "b"] {
                sandbox.run(&format!("{front} gcc -c {name}.c -o {name}.o"));
            }
            said.push(sandbox.validate_for(python, &[]).stderr);
            fs::remove_file(sandbox.path("statslog")).unwrap();
        }
        said
    };
    let through = verdicts(LAUNCHER);
    assert_eq!(through, verdicts("ccache"));
    assert!(
        through[0].contains("cold (0 of 2") && through[1].contains("hit (2 of 2"),
        "{through:?}"
    );
}

#[test]
fn the_compiler_behind_a_link_is_found() {
    let mut sandbox = sandbox();
    let links = sandbox.path("links");
    let made = ["preflight", "--links", links.to_str().unwrap(), "--launcher", LAUNCHER];
    let ran = sandbox.call(&made);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains(LAUNCHER), "{ran:?}");
    assert_eq!(fs::read_link(links.join("gcc")).unwrap(), Path::new(LAUNCHER));
    sandbox.put_first("links");
    for (line, counter) in [
        ("gcc -MD -c a.c -o a.o".to_owned(), "cache_miss"),
        ("gcc -MD -c a.c -o a.o".to_owned(), "direct_cache_hit"),
        // By the link's whole name, as CMake calls what it has found in PATH.
        (format!("{} -MD -c a.c -o a.o", links.join("gcc").display()), "direct_cache_hit"),
        (
            format!("{LAUNCHER} {} -MD -c a.c -o a.o", links.join("gcc").display()),
            "direct_cache_hit",
        ),
        (format!("{LAUNCHER} gcc -MD -c a.c -o a.o"), "direct_cache_hit"),
    ] {
        sandbox.run(&line);
        assert!(has(&last(&sandbox), counter), "{line}: {:?}", last(&sandbox));
    }
    sandbox.run("gcc -shared a.o -o a.so");
    assert_eq!(recorded(&sandbox).records.len(), 5);
    sandbox.validate(&[]).expect(0, "hit (4 of 5", &[]);
    // With the links in front the same ones are made again, by either kind of preflight.
    let count = fs::read_dir(&links).unwrap().count();
    for (arguments, target) in [(&made[..], "ccache-launcher"), (&made[..3], "ccache")] {
        let ran = sandbox.call(arguments);
        assert_eq!((ran.code, fs::read_dir(&links).unwrap().count()), (0, count), "{ran:?}");
        assert!(fs::read_link(links.join("gcc")).unwrap().ends_with(target));
    }
}

#[test]
fn without_ccache_the_compiler_is_run() {
    let mut sandbox = sandbox();
    let gcc = sandbox.installed("gcc");
    for name in ["as", "ld"] {
        let program = sandbox.installed(name);
        sandbox.place(&program, &format!("lonely/{name}"));
    }
    sandbox.set("PATH", sandbox.path("lonely"));
    let output = sandbox.output(&[LAUNCHER, gcc.to_str().unwrap(), "-c", "a.c", "-o", "a.o"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("no ccache on PATH"), "{said}");
    assert!(sandbox.path("project/a.o").exists());
    sandbox.validate(&[]).expect(3, "unusable", &["no ccache on PATH"]);
    let link = sandbox.path("lonely/g++");
    std::os::unix::fs::symlink(LAUNCHER, &link).unwrap();
    let output = sandbox.output(&[link.to_str().unwrap(), "-c", "a.c"]);
    assert_eq!(output.status.code(), Some(127), "{output:?}");
}

#[test]
fn a_compiler_that_calls_itself_by_name_comes_to_an_end() {
    let mut sandbox = sandbox();
    // A wrapper that takes the folder in front of PATH for its own.
    sandbox.fake("gcc", "#!/bin/sh\nexec gcc -DWRAPPED \"$@\"\n");
    let links = sandbox.path("links");
    fs::create_dir(&links).unwrap();
    std::os::unix::fs::symlink(LAUNCHER, links.join("gcc")).unwrap();
    sandbox.put_first("links");
    sandbox.run("gcc -c a.c -o a.o");
    assert!(sandbox.path("project/a.o").exists());
    assert_eq!(recorded(&sandbox).records.len(), 1);
    // One that calls the launcher with its own name has no end.
    let loops = sandbox.write("loop.sh", &format!("#!/bin/sh\nexec {LAUNCHER} \"$0\" \"$@\"\n"));
    sandbox.place(&loops, "loop/cc");
    let output =
        sandbox.output(&[LAUNCHER, sandbox.path("loop/cc").to_str().unwrap(), "-c", "a.c"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("calls itself"), "{said}");
}

#[test]
fn a_record_that_cannot_be_written_is_told_and_fails_nothing() {
    let mut sandbox = sandbox();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("absent"));
    let output = sandbox.output(&[LAUNCHER, "gcc", "-c", "a.c", "-o", "a.o"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("cannot append to") && said.contains("absent"), "{said}");
    let counted = statslog::read(&sandbox.path("statslog")).unwrap();
    assert_eq!(counted.own.counts.misses, Some(1));
}

#[test]
fn the_signal_that_ends_ccache_is_in_the_code() {
    let mut sandbox = sandbox();
    sandbox.fake("ccache", "#!/bin/sh\nkill -TERM $$\n");
    let output = sandbox.output(&[LAUNCHER, "gcc", "-c", "a.c"]);
    assert_eq!(output.status.code(), Some(128 + 15), "{output:?}");
    assert_eq!(last(&sandbox).exit, 128 + 15);
}

#[test]
fn a_launcher_that_cannot_be_used_is_refused() {
    let sandbox = sandbox();
    sandbox.write("ccache-launcher", "no program");
    sandbox.place(Path::new(LAUNCHER), "other-name");
    let script = sandbox.write("script", "#!/bin/sh\necho ccache version 4.7.5\n");
    sandbox.place(&script, "pretended/ccache-launcher");
    for (name, cause) in [
        ("absent/ccache-launcher", "no such program"),
        ("ccache-launcher", "no such program"),
        ("other-name", "is not called"),
        ("pretended/ccache-launcher", "does not answer"),
    ] {
        let path = sandbox.path(name);
        let ran = sandbox.call(&["preflight", "--launcher", path.to_str().unwrap()]);
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(said.contains(cause) && said.contains("remedy: "), "{name}: {said}");
    }
    let ran = sandbox.call(&["preflight", "--launcher", LAUNCHER]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!sandbox.path("links").exists());
}
