//! Caches that cannot be written, or not everywhere: what a container left as root.

use crate::sandbox::{Sandbox, set_mode};
use std::fs;
use std::path::Path;

/// Makes a folder and all folders below it read-only for everyone but root.
fn make_read_only(path: &Path) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            make_read_only(&entry.unwrap().path());
        }
        set_mode(path, 0o555);
    }
}

/// A sandbox whose cache holds the project and cannot be written any more.
pub(crate) fn read_only() -> Sandbox {
    let mut sandbox = Sandbox::without_rights();
    // Outside the cache, or nothing would compile at all.
    sandbox.set("CCACHE_TEMPDIR", sandbox.path("home/tmp"));
    sandbox.build("");
    fs::remove_file(sandbox.path("statslog")).unwrap();
    fs::remove_dir_all(sandbox.path("home/tmp")).unwrap();
    sandbox.run("ccache --zero-stats");
    make_read_only(&sandbox.path("cache"));
    sandbox
}

#[test]
fn hits_in_a_cache_that_cannot_be_written_prove_no_cache_for_the_next_build() {
    let sandbox = read_only();
    sandbox.build("");
    let words = ["2 direct", "cannot ", "Permission denied", "CCACHE_DIR a folder that the build"];
    sandbox.validate(&[]).expect(3, "unusable (2 of 2", &words);
}

#[test]
fn counters_that_could_not_be_written_are_no_missing_launcher() {
    let mut sandbox = read_only();
    sandbox.unset("CCACHE_STATSLOG");
    // The cache folder itself is the user's; what is in it is not.
    set_mode(&sandbox.path("cache"), 0o777);
    sandbox.build("");
    let words = ["nothing compiled", "what it counts and stores is lost", "Permission denied"];
    sandbox.validate(&[]).expect(3, "unusable", &words);
}

#[test]
fn a_compilation_that_cannot_be_stored_is_told_from_one_that_cannot_be_cached() {
    let sandbox = read_only();
    set_mode(&sandbox.path("cache"), 0o777);
    for name in ["a", "b"] {
        let line = format!("ccache gcc -O1 -c {name}.c -o {name}.o");
        let script = sandbox.write("project/run.sh", &format!("{line} || gcc -c {name}.c\n"));
        sandbox.run(&format!("sh {}", script.display()));
    }
    // ccache 4.7 breaks off, 4.14 compiles and says nothing of what it could not store.
    let words = ["what it counts and stores is lost", "Permission denied"];
    sandbox.validate(&[]).expect(3, "unusable", &words);
}
