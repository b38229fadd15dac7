//! What of this workspace goes along, and what becomes of it.
//!
//! Another repository builds wheels with Warmwheel and does not develop it. What is compiled into
//! the program goes along, with the lock that it is compiled by, and what explains it. The tests of
//! the whole program, the benchmarks' scripts, the demo, the fuzz targets and what the locks of
//! requirements are made from do not. The recipe of the test image does: the program is made of it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use super::additions::quoted;
use crate::folders::HOME;

/// The manifest of the workspace.
pub(super) const MANIFEST: &str = "Cargo.toml";
/// Single files, relative to the workspace. The last two keep editors from changing or marking
/// what was brought.
const FILES: [&str; 9] = [
    MANIFEST,
    "Cargo.lock",
    "tools/pins.toml",
    "xtask/Cargo.toml",
    "xtask/ARCHITECTURE.md",
    "xtask/validator/Cargo.toml",
    "xtask/validator/VERDICTS.md",
    "clippy.toml",
    "rustfmt.toml",
];
/// Folders, with the endings of what goes along out of them, and whether folders within do.
pub(super) const FOLDERS: [(&str, &[&str], bool); 4] = [
    ("tools", &["txt"], false),
    ("tools/lab", &["txt", "py"], false),
    ("xtask/src", &["rs", "py", "sh", "yml", "html", "css", "js", "ndjson", "txt", "snap"], true),
    ("xtask/validator/src", &["rs"], true),
];
/// The section of the manifest that says which package is built.
const SECTION: &str = "[workspace.metadata.warmwheel]";

/// Every single file that goes along, there or not.
pub(super) fn files() -> impl Iterator<Item = Utf8PathBuf> {
    FILES.iter().map(Utf8PathBuf::from)
}

/// Whether a file of the workspace goes along.
pub(super) fn goes_along(path: &Utf8Path) -> bool {
    let of_a_folder = FOLDERS.iter().any(|(folder, endings, deep)| {
        let is_below = path.starts_with(folder);
        let is_in = path.parent() == Some(Utf8Path::new(folder));
        (is_in || *deep && is_below) && path.extension().is_some_and(|it| endings.contains(&it))
    });
    of_a_folder || FILES.contains(&path.as_str())
}

/// The files as they are to be in the other repository, relative to its root.
///
/// # Errors
/// A file without which nothing compiles is missing, or the workspace's manifest is not the one that
/// is known.
pub(super) fn laid_out(
    sources: &BTreeMap<Utf8PathBuf, String>,
    package: &Utf8Path,
) -> Result<BTreeMap<Utf8PathBuf, String>> {
    for file in FILES {
        let is_there = sources.contains_key(Utf8Path::new(file));
        ensure!(is_there, "this workspace has no {file} to bring");
    }
    let placed = |(path, text): (&Utf8PathBuf, &String)| -> Result<(Utf8PathBuf, String)> {
        let text = if path.as_str() == MANIFEST { manifest(text, package)? } else { text.clone() };
        Ok((Utf8Path::new(HOME).join(path), text))
    };
    sources.iter().filter(|(path, _)| goes_along(path)).map(placed).collect()
}

/// The workspace's manifest for a place in which other things are built.
fn manifest(text: &str, package: &Utf8Path) -> Result<String> {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("exclude = ")).collect();
    let section = lines.iter().position(|line| *line == SECTION);
    let section = section.with_context(|| format!("{MANIFEST} has no {SECTION}"))?;
    let above = lines[..section].iter().rev().take_while(|line| line.starts_with('#')).count();
    let end = lines[section..].iter().position(|line| line.is_empty());
    let end = end.map_or(lines.len(), |length| section + length);

    let up = Utf8Path::new(HOME).components().map(|_| "..").collect::<Vec<_>>().join("/");
    let mut own = vec![
        "# Brought by `cargo xtask adopt`. What is built are the wheels of the repository around it."
            .to_owned(),
        SECTION.to_owned(),
        format!("project = {}", quoted(&up)),
    ];
    if !package.as_str().is_empty() {
        own.push(format!("package = {}", quoted(package.as_str())));
    }
    let own: Vec<_> = own.iter().map(String::as_str).collect();
    Ok([&lines[..section - above], &own[..], &lines[end..]].concat().join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn workspace() -> Utf8PathBuf {
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
    }

    fn rust_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let entries = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
        entries
            .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
            .filter(|path| path.extension() == Some("rs"))
            .collect()
    }

    #[test]
    fn what_the_program_is_made_of_goes_along_and_the_rest_does_not() {
        for path in [
            "Cargo.lock",
            "tools/requirements.txt",
            "tools/lab/check.py",
            "xtask/src/plan/tests/scenario.rs",
            "xtask/src/ci/workflow/build-job.yml",
            "xtask/validator/src/bin/ccache-launcher.rs",
        ] {
            assert!(goes_along(Utf8Path::new(path)), "{path}");
        }
        for path in [
            "README.md",
            ".cargo/config.toml",
            "tools/requirements.in",
            "tools/demo/pyproject.toml",
            "tools/bench/launcher.py",
            "xtask/tests/integration/main.rs",
            "xtask/validator/fuzz/Cargo.toml",
            "xtask/validator/tests/real/main.rs",
            "xtask/src/main.rs.orig",
            "xtask/src/snapshots/x.snap.new",
            "xtask/srcs/x.rs",
        ] {
            assert!(!goes_along(Utf8Path::new(path)), "{path}");
        }
    }

    /// What a source includes has to be beside it when it is compiled elsewhere.
    #[test]
    fn every_file_that_is_compiled_in_goes_along() {
        let workspace = workspace().canonicalize_utf8().unwrap();
        let mut included = 0;
        for folder in ["xtask/src", "xtask/validator/src"] {
            for source in rust_files(&workspace.join(folder)) {
                assert!(goes_along(source.strip_prefix(&workspace).unwrap()), "{source}");
                let text = fs::read_to_string(&source).unwrap();
                // In two parts, so that this line is not found itself.
                for part in text.split(concat!("include_", "str!(\"")).skip(1) {
                    let (file, _) = part.split_once('"').unwrap();
                    let file = source.parent().unwrap().join(file).canonicalize_utf8().unwrap();
                    assert!(goes_along(file.strip_prefix(&workspace).unwrap()), "{source}: {file}");
                    included += 1;
                }
            }
        }
        assert!(included > 10, "only {included} were found");
    }

    #[test]
    fn the_workspaces_manifest_leads_to_the_repository_around_it() {
        let text = fs::read_to_string(workspace().join(MANIFEST)).unwrap();
        let before: toml::Table = text.parse().unwrap();
        for (package, named) in [("", None), ("python", Some("python"))] {
            let text = manifest(&text, Utf8Path::new(package)).unwrap();
            let mut after: toml::Table = text.parse().unwrap();
            assert!(!text.contains("demo"), "{text}");
            let workspace = after.get_mut("workspace").unwrap().as_table_mut().unwrap();
            let own = workspace.remove("metadata").unwrap();
            assert_eq!(own["warmwheel"]["project"].as_str(), Some("../.."));
            let package = own["warmwheel"].get("package").and_then(toml::Value::as_str);
            assert_eq!(package, named);

            // Everything else is as it was: what the lock was made from.
            let mut before = before.clone();
            let workspace = before.get_mut("workspace").unwrap().as_table_mut().unwrap();
            workspace.remove("metadata");
            workspace.remove("exclude");
            assert_eq!(after, before);
        }
    }

    #[test]
    fn a_manifest_that_is_not_known_is_an_error() {
        assert!(manifest("[workspace]\n", Utf8Path::new("")).is_err());
        assert!(laid_out(&BTreeMap::new(), Utf8Path::new("")).is_err());
    }
}
