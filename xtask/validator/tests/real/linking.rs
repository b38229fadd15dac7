//! Links that compile, with the real gcc and linker: what is put back is what the link makes, and
//! whatever could change it does.

use crate::sandbox::{Sandbox, set_mode};
use ccache_validator::linked::{self, Link};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

const LAUNCHER: &str = env!("CARGO_BIN_EXE_ccache-launcher");

/// A project with a module, and a linker that takes long enough for a link to be worth keeping.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("record")).unwrap();
    sandbox.set("WARMWHEEL_RECORD_DIR", sandbox.path("record"));
    sandbox.set("REAL_LD", sandbox.installed("ld"));
    sandbox.fake("ld", "#!/bin/sh\nsleep 0.2\nexec \"$REAL_LD\" \"$@\"\n");
    sandbox.write("project/module.c", MODULE);
    sandbox.write("project/part.c", "int part(int x) { return x + 1; }\n");
    sandbox.write("project/other.c", "int part(int x) { return x + 2; }\n");
    sandbox.write("project/v.map", "{ global: module; local: *; };\n");
    sandbox.run("gcc -O2 -flto -fno-fat-lto-objects -fPIC -c module.c");
    for name in ["part", "other"] {
        sandbox.run(&format!("gcc -O2 -fPIC -c {name}.c"));
    }
    for folder in ["first", "second"] {
        fs::create_dir(sandbox.path(&format!("project/{folder}"))).unwrap();
    }
    sandbox.run("ar rc second/libpart.a part.o");
    sandbox
}

const MODULE: &str = "int part(int x);\nint module(int x) { return part(x) * 3; }\n";

const LINK: &str = "gcc -O2 -flto -fPIC -shared -Wl,--version-script=v.map -Lfirst -Lsecond \
                    -o module.so module.o -lpart -lpthread";

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn through(sandbox: &Sandbox, line: &str) -> Output {
    sandbox.output(&[&[LAUNCHER], &words(line)[..]].concat())
}

fn recorded(sandbox: &Sandbox) -> Vec<Link> {
    linked::read(&sandbox.path("record/linked.ndjson")).unwrap()
}

/// Links through the launcher, and checks that it is what the link makes without it. Returns whether
/// it was taken from an earlier one.
#[track_caller]
fn link(sandbox: &Sandbox, line: &str) -> bool {
    let module = sandbox.path("project/module.so");
    drop(fs::remove_file(&module));
    let done = through(sandbox, line);
    let (made, rights) = (fs::read(&module).unwrap(), fs::metadata(&module).unwrap().permissions());
    fs::remove_file(&module).unwrap();
    let plain = sandbox.output(&words(line));
    let said = |output: Output| (output.status.code(), output.stdout, output.stderr);
    assert_eq!(said(done), said(plain));
    assert_eq!(rights, fs::metadata(&module).unwrap().permissions());
    assert!(made == fs::read(&module).unwrap(), "{line}: another file");
    let last = recorded(sandbox).pop().unwrap();
    assert!(last.start < last.end && last.end - last.start < 120.0, "{last:?}");
    last.is_reused
}

#[test]
fn a_link_is_done_once() {
    let mut sandbox = sandbox();
    // Regular expressions take a compiler's time like nothing else in the standard library.
    sandbox.set("PATH", env!("PATH"));
    let module = "#include <regex>\nextern \"C\" int part(int);\nextern \"C\" int module(const char *it) {\n\
                  return part(std::regex_match(it, std::regex(\"[a-z]+\")));\n}\n";
    sandbox.write("project/module.cpp", module);
    sandbox.run("g++ -O1 -flto -fno-fat-lto-objects -fPIC -c module.cpp");
    let line = LINK.replace("gcc", "g++");
    let reused: Vec<_> = (0..3).map(|_| link(&sandbox, &line)).collect();
    assert_eq!(reused, [false, true, true]);
    // As the compiler's name in front of PATH leads to the launcher.
    let links = sandbox.path("links");
    fs::create_dir(&links).unwrap();
    symlink(LAUNCHER, links.join("g++")).unwrap();
    sandbox.put_first("links");
    sandbox.run(&line);
    let all = recorded(&sandbox);
    assert!(all.len() == 4 && all[3].is_reused, "{all:?}");
    let names = fs::read_dir(sandbox.path("project")).unwrap();
    let names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
    let is_left = |name: &&OsString| Path::new(name).extension().is_some_and(|it| it == "new");
    assert_eq!(names.iter().find(is_left), None, "no file of the launcher's own stays");
}

#[test]
fn whatever_the_result_depends_on_makes_it_another_link() {
    type Change = fn(&mut Sandbox);
    let changes: [(&str, Change); 9] = [
        ("an object", |it| {
            it.write("project/module.c", &MODULE.replace("* 3", "* 4"));
            it.run("gcc -O2 -flto -fno-fat-lto-objects -fPIC -c module.c");
        }),
        ("a library", |it| it.run("ar rc second/libpart.a other.o")),
        ("a library that is found first", |it| it.run("ar rc first/libpart.a other.o")),
        ("a shared library that is found first", |it| {
            it.run("gcc -shared -o second/libpart.so other.o");
        }),
        ("the version script", |it| drop(it.write("project/v.map", "{ global: *; };\n"))),
        ("the folder of libraries at run time", |it| it.set("LD_RUN_PATH", "/opt/x")),
        ("the linker", |it| {
            it.fake("ld", "#!/bin/sh\nsleep 0.21\nexec \"$REAL_LD\" \"$@\"\n");
        }),
        ("the assembler", |it| {
            let assembler = it.installed("as");
            it.fake("as", &format!("#!/bin/sh\nexec {} \"$@\"\n", assembler.display()));
        }),
        ("where libraries are looked for", |it| it.set("LIBRARY_PATH", it.path("project/first"))),
    ];
    let mut sandbox = sandbox();
    assert!(!link(&sandbox, LINK));
    for (what, change) in changes {
        assert!(link(&sandbox, LINK), "{what}");
        change(&mut sandbox);
        assert!(!link(&sandbox, LINK), "{what}");
    }
    for other in [LINK.replace("-O2", "-O1"), LINK.replace("-shared", "-shared -Wl,-soname,m.so")] {
        assert!(!link(&sandbox, &other), "{other}");
    }
}

/// The archive itself stays the same when a member of the same length changes.
#[test]
fn what_a_thin_archive_names_counts() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.path("project/second/libpart.a")).unwrap();
    sandbox.run("ar rcsDT second/libpart.a part.o");
    assert_eq!([link(&sandbox, LINK), link(&sandbox, LINK)], [false, true]);
    fs::copy(sandbox.path("project/other.o"), sandbox.path("project/part.o")).unwrap();
    assert_eq!([link(&sandbox, LINK), link(&sandbox, LINK)], [false, true]);
}

#[test]
fn what_is_said_is_said_again() {
    let sandbox = sandbox();
    sandbox.write("project/odd.c", "extern int odd[2]; int first(void) { return odd[0]; }\n");
    sandbox.write("project/even.c", "int odd[3];\n");
    for name in ["odd", "even"] {
        sandbox.run(&format!("gcc -O2 -flto -fno-fat-lto-objects -fPIC -c {name}.c"));
    }
    // gcc warns in the link: the array has another type in the other file.
    let line = format!("{LINK} odd.o even.o");
    assert_eq!([link(&sandbox, &line), link(&sandbox, &line)], [false, true]);
    let said = String::from_utf8(through(&sandbox, &line).stderr).unwrap();
    assert!(said.contains("odd") && said.contains("warning"), "{said}");
    // A failure is never kept.
    let broken = "gcc -O2 -flto -shared -Wl,--no-undefined -o module.so module.o";
    for _ in 0..2 {
        let ran = through(&sandbox, broken);
        assert_eq!(ran.status.code(), Some(1));
        assert_eq!(ran.stderr.windows(11).filter(|it| it == b"collect2: e").count(), 1, "{ran:?}");
        assert!(!recorded(&sandbox).pop().unwrap().is_reused);
    }
}

#[test]
fn what_is_kept_is_not_believed_when_damaged_and_not_needed() {
    let mut sandbox = sandbox();
    let kept = sandbox.path("cache/warmwheel/linked");
    assert!(!link(&sandbox, LINK));
    for entry in fs::read_dir(&kept).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    }
    assert!(!link(&sandbox, LINK), "damaged");
    assert!(link(&sandbox, LINK));
    for switch in ["CCACHE_READONLY", "CCACHE_READONLY_DIRECT"] {
        sandbox.set(switch, "1");
        assert!(link(&sandbox, LINK), "{switch}: it may be read");
        let other = LINK.replace("-O2", "-O1");
        assert!(!link(&sandbox, &other) && !link(&sandbox, &other), "{switch}");
        sandbox.unset(switch);
    }
    for switch in ["CCACHE_RECACHE", "CCACHE_DISABLE"] {
        sandbox.set(switch, "1");
        let before = recorded(&sandbox).len();
        assert!(through(&sandbox, LINK).status.success());
        assert_eq!(recorded(&sandbox).len(), before, "{switch}: it is left alone");
        sandbox.unset(switch);
    }
    // A cache that cannot be written to: the link is done, and that is said.
    let mut other = self::sandbox();
    fs::write(other.path("cache"), "no folder").unwrap();
    other.unset("WARMWHEEL_RECORD_DIR");
    let ran = through(&other, LINK);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && said.contains("cannot keep a link"), "{said}");
    assert!(other.path("project/module.so").exists());
}

#[test]
fn a_linker_that_cannot_tell_its_files_is_asked_once_and_nothing_is_kept() {
    let mut sandbox = sandbox();
    sandbox.fake(
        "ld",
        "#!/bin/sh\nsleep 0.2\nfor word do case $word in --dependency-file*)\n\
         echo \"ld: unrecognized option '$word'\" >&2; exit 1;; esac; done\n\
         exec \"$REAL_LD\" \"$@\"\n",
    );
    for _ in 0..2 {
        assert!(!link(&sandbox, LINK));
    }
    assert!(!sandbox.path("cache/warmwheel/linked").exists());
}

#[test]
fn a_file_that_is_changed_meanwhile_is_not_kept() {
    let mut sandbox = sandbox();
    sandbox.fake("ld", "#!/bin/sh\nsleep 0.2\n\"$REAL_LD\" \"$@\" && touch v.map\n");
    for _ in 0..2 {
        assert!(!link(&sandbox, LINK));
    }
}

#[test]
fn an_output_that_is_no_plain_file_stays_the_linkers() {
    let sandbox = sandbox();
    symlink("elsewhere.so", sandbox.path("project/module.so")).unwrap();
    assert!(through(&sandbox, LINK).status.success());
    assert!(!sandbox.path("record/linked.ndjson").exists());
    fs::remove_file(sandbox.path("project/module.so")).unwrap();
    // The rights of what is put back are those that the linker gave.
    assert!(!link(&sandbox, LINK) && link(&sandbox, LINK));
    set_mode(&sandbox.path("project/module.so"), 0o600);
    assert!(through(&sandbox, LINK).status.success());
    let mode = fs::metadata(sandbox.path("project/module.so")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}
