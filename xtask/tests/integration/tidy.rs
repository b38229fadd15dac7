//! The invariants of `xtask/ARCHITECTURE.md` that can be read off the sources.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

fn source() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The Rust files at `path` and below, with their text.
fn files(path: &Utf8Path) -> Vec<(Utf8PathBuf, String)> {
    if path.is_file() {
        return vec![(path.to_path_buf(), fs::read_to_string(path).unwrap())];
    }
    let entries = path.read_dir_utf8().unwrap();
    let found = entries.flat_map(|entry| files(entry.unwrap().path()));
    found.filter(|(path, _)| path.extension() == Some("rs")).collect()
}

#[track_caller]
fn never_in(places: &[&str], words: &[&str]) {
    for place in places {
        for (path, text) in files(&source().join(place)) {
            for word in words {
                assert!(!text.contains(word), "{path} has {word}");
            }
        }
    }
}

#[test]
fn a_plan_touches_nothing() {
    let effects = ["crate::process", "crate::console", "std::fs", "std::process", "std::env"];
    never_in(&["plan.rs", "plan"], &effects);
}

#[test]
fn what_adoption_decides_touches_nothing() {
    let pure = ["additions", "carry", "diff", "plan", "record", "rust", "show", "workflows"];
    let effects = ["crate::process", "crate::console", "std::fs", "std::process", "std::env"];
    for name in pure {
        let (file, folder) = (format!("adopt/{name}.rs"), format!("adopt/{name}"));
        let places = [file.as_str(), folder.as_str()];
        let there = places.iter().filter(|place| source().join(place).exists());
        never_in(&there.copied().collect::<Vec<_>>(), &effects);
    }
}

#[test]
fn a_judgement_touches_nothing() {
    let effects = ["crate::process", "crate::console", "crate::environment", "std::fs", "std::env"];
    never_in(&["doctor/judge.rs", "doctor/judge", "setup/packages.rs"], &effects);
}

#[test]
fn reporters_know_events_only() {
    let others = ["crate::plan", "crate::builder", "crate::settings", "crate::process"];
    never_in(&["report.rs", "report"], &others);
}

#[test]
fn every_effect_has_one_door() {
    for (door, word) in [
        ("process.rs", "Command::new("),
        ("environment.rs", "std::env::vars"),
        ("console.rs", "io::stdout()"),
    ] {
        for (path, text) in files(&source()) {
            assert!(path.file_name() == Some(door) || !text.contains(word), "{path} has {word}");
        }
    }
}

#[test]
fn files_fit_on_a_few_screens() {
    for (path, text) in files(&source()) {
        assert!(text.lines().count() <= 420, "{path} is two ideas");
    }
}
