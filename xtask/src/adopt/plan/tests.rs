//! Repositories in many states.

use super::facts::{Found, Git};
use super::*;
use crate::adopt::record::Release;
use crate::fault::{class_of, explain};
use crate::folders::HOME;
use crate::pins::Pins;

const MANIFEST: &str = "[workspace]
members = [\"xtask\"]
exclude = [\"fuzz\"]

[workspace.package]
rust-version = \"1.95\"

# The demo.
[workspace.metadata.warmwheel]
package = \"tools/demo\"

[profile.dev]
";
const PYPROJECT: &str = "# ours\n[project]\nname = 'pkg'\n";
const WORKFLOW: &str = ".github/workflows/release-wheels.yml";

/// A git repository with a package in its root, and nothing else.
fn repository() -> Facts {
    let mut sources: BTreeMap<Utf8PathBuf, String> =
        sources::files().map(|path| (path, "text\n".to_owned())).collect();
    sources.insert(sources::MANIFEST.into(), MANIFEST.to_owned());
    sources.insert("xtask/src/main.rs".into(), "fn main() {}\n".to_owned());
    let git =
        Git { top: Some("/repository".into()), branch: Some("main".to_owned()), ..Git::default() };
    let mut facts = Facts {
        root: "/repository".into(),
        sources,
        is_package: true,
        git,
        actions: Pins::built_in().unwrap().actions,
        release: Release { version: "1".to_owned(), commit: None },
        ..Facts::default()
    };
    put(&mut facts, "pyproject.toml", PYPROJECT);
    facts
}

fn put(facts: &mut Facts, path: &str, text: &str) {
    facts.there.insert(path.into(), Found::Text(text.to_owned()));
}

fn text<'a>(facts: &'a Facts, path: &str) -> &'a str {
    facts.text(Utf8Path::new(path)).unwrap()
}

fn planned(facts: &Facts) -> Adoption {
    make(facts, false).unwrap()
}

/// The repository after that was written.
fn after(mut facts: Facts, adoption: &Adoption) -> Facts {
    for Step { path, after, .. } in &adoption.steps {
        match after {
            Some(text) => facts.there.insert(path.clone(), Found::Text(text.clone())),
            None => facts.there.remove(path),
        };
    }
    let record = record_file();
    facts.record = facts.text(&record).map(|text| Record::parse(text, &record).unwrap());
    facts
}

/// One that has adopted Warmwheel.
fn adopted() -> Facts {
    let facts = repository();
    let adoption = planned(&facts);
    after(facts, &adoption)
}

fn changes(adoption: &Adoption) -> Vec<(Change, &str)> {
    adoption.steps.iter().map(|step| (step.change, step.path.as_str())).collect()
}

fn held(adoption: &Adoption) -> Vec<(Why, &str)> {
    adoption.held.iter().map(|held| (held.why, held.path.as_str())).collect()
}

#[track_caller]
fn refused(facts: &Facts, what: &str, remedy: &str) {
    for force in [false, true] {
        let error = make(facts, force).unwrap_err();
        let said = explain(&error);
        assert_eq!(class_of(&error).exit_code(), 2, "{said}");
        assert!(said.contains(what) && said.contains(remedy), "{said}");
    }
}

#[test]
fn a_repository_without_any_rust_gets_everything_and_its_own_text_stays() {
    let facts = repository();
    let adoption = planned(&facts);
    let changes = changes(&adoption);
    let extended: Vec<_> = changes.iter().filter(|(change, _)| *change == Change::Extend).collect();
    assert_eq!(extended, [&(Change::Extend, "pyproject.toml")]);
    for path in [".cargo/config.toml", ".gitignore", WORKFLOW, "tools/warmwheel/Cargo.toml"] {
        assert!(changes.contains(&(Change::Create, path)), "{path}");
    }
    assert_eq!(changes.last(), Some(&(Change::Create, "tools/warmwheel/adopted.json")));
    assert!(!changes.iter().any(|(_, path)| *path == "Cargo.toml" || *path == "Cargo.lock"));
    assert_eq!((adoption.held.len(), adoption.notes.len()), (0, 0));

    let facts = after(facts, &adoption);
    let pyproject = text(&facts, "pyproject.toml");
    assert!(pyproject.starts_with(PYPROJECT), "{pyproject}");
    assert!(pyproject.ends_with("\npublish = false\n"), "{pyproject}");
    assert!(!text(&facts, WORKFLOW).contains("id-token"), "it would publish");
}

#[test]
fn a_second_time_changes_nothing() {
    let facts = adopted();
    assert_eq!(planned(&facts), Adoption::default());
    assert_eq!(make(&facts, true).unwrap(), Adoption::default());
    assert_eq!(drift(&facts, &planned(&facts)).unwrap(), Vec::<String>::new());
    // Another commit with the same files is no other Warmwheel.
    let mut facts = facts;
    facts.release.commit = Some("0af".to_owned());
    assert_eq!(planned(&facts), Adoption::default());
}

#[test]
fn what_broke_off_is_finished() {
    let facts = repository();
    let adoption = planned(&facts);
    for written in 0..adoption.steps.len() {
        let part = Adoption { steps: adoption.steps[..written].to_vec(), ..Adoption::default() };
        let facts = after(facts.clone(), &part);
        let rest = planned(&facts);
        assert_eq!(rest.held, []);
        let whole = after(facts, &rest);
        assert_eq!(whole.there, adopted().there, "after {written} files");
    }
}

#[test]
fn a_later_version_replaces_what_was_left_alone_only() {
    let mut facts = adopted();
    for path in ["xtask/Cargo.toml", "tools/pins.toml", "xtask/src/main.rs", "clippy.toml"] {
        facts.sources.insert(path.into(), "newer\n".to_owned());
    }
    facts.sources.insert("xtask/src/new.rs".into(), "new\n".to_owned());
    let edited = "tools/warmwheel/tools/pins.toml";
    put(&mut facts, edited, "theirs\n");
    facts.there.remove(Utf8Path::new("tools/warmwheel/clippy.toml"));

    let adoption = planned(&facts);
    assert_eq!(
        changes(&adoption),
        [
            (Change::Update, "tools/warmwheel/xtask/Cargo.toml"),
            (Change::Update, "tools/warmwheel/xtask/src/main.rs"),
            (Change::Create, "tools/warmwheel/xtask/src/new.rs"),
            (Change::Update, "tools/warmwheel/adopted.json"),
        ]
    );
    let left = [
        (Why::Removed, "tools/warmwheel/clippy.toml"),
        (Why::Edited, "tools/warmwheel/tools/pins.toml"),
    ];
    assert_eq!(held(&adoption), left);
    let lines = drift(&facts, &adoption).unwrap();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(lines.contains(&format!("{edited}: changed here")), "{lines:?}");
    assert!(lines[0].ends_with("older than this Warmwheel's"), "{lines:?}");

    // It stays so the next time.
    let facts = after(facts, &adoption);
    let again = planned(&facts);
    assert_eq!((changes(&again), held(&again)), (vec![], left.to_vec()));

    // And by force it does not.
    let forced = make(&facts, true).unwrap();
    assert_eq!(
        changes(&forced),
        [
            (Change::Create, "tools/warmwheel/clippy.toml"),
            (Change::Replace, edited),
            (Change::Update, "tools/warmwheel/adopted.json"),
        ]
    );
    assert_eq!(planned(&after(facts, &forced)), Adoption::default());
}

#[test]
fn what_a_later_version_has_no_use_for_goes_unless_it_was_changed() {
    let mut facts = repository();
    for path in ["xtask/src/old.rs", "xtask/src/edited.rs", "xtask/src/gone.rs"] {
        facts.sources.insert(path.into(), "old\n".to_owned());
    }
    let adoption = planned(&facts);
    let mut facts = after(facts, &adoption);
    for path in ["xtask/src/old.rs", "xtask/src/edited.rs", "xtask/src/gone.rs"] {
        facts.sources.remove(Utf8Path::new(path));
    }
    put(&mut facts, "tools/warmwheel/xtask/src/edited.rs", "theirs\n");
    facts.there.remove(Utf8Path::new("tools/warmwheel/xtask/src/gone.rs"));
    let adoption = planned(&facts);
    assert_eq!(
        changes(&adoption),
        [
            (Change::Remove, "tools/warmwheel/xtask/src/old.rs"),
            (Change::Update, "tools/warmwheel/adopted.json"),
        ]
    );
    assert_eq!(held(&adoption), [(Why::Obsolete, "tools/warmwheel/xtask/src/edited.rs")]);
    // From now on it is theirs.
    assert_eq!(planned(&after(facts, &adoption)), Adoption::default());
}

#[test]
fn a_workflow_of_that_name_stays_until_it_is_forced_and_warmwheels_folder_is_never_mixed() {
    let mut facts = repository();
    put(&mut facts, WORKFLOW, "name: theirs\n");
    let adoption = planned(&facts);
    assert_eq!(held(&adoption), [(Why::Foreign, WORKFLOW)]);
    assert_eq!(held(&planned(&after(facts.clone(), &adoption))), [(Why::Foreign, WORKFLOW)]);
    let forced = make(&facts, true).unwrap();
    assert!(changes(&forced).contains(&(Change::Replace, WORKFLOW)));

    let mut facts = repository();
    put(&mut facts, "tools/warmwheel/Cargo.toml", "[package]\n");
    let error = make(&facts, false).unwrap_err();
    assert!(explain(&error).contains("no record says"), "{}", explain(&error));
    assert!(make(&facts, true).is_ok());
}

#[test]
fn the_workflow_follows_the_repositorys_settings() {
    let mut facts = adopted();
    put(&mut facts, "pyproject.toml", "[tool.warmwheel.ci]\npublish = true\nbranch = 'dev'\n");
    let adoption = planned(&facts);
    assert_eq!(
        changes(&adoption),
        [(Change::Update, WORKFLOW), (Change::Update, "tools/warmwheel/adopted.json")]
    );
    let facts = after(facts, &adoption);
    assert!(text(&facts, WORKFLOW).contains("branches: [\"dev\"]"));
}

#[test]
fn what_was_proposed_once_is_not_proposed_again() {
    let mut facts = adopted();
    put(&mut facts, ".gitignore", "");
    let settings = text(&facts, "pyproject.toml").to_owned();
    let settings = settings.replace("publish = false", "publish = false\nshards = 1");
    put(&mut facts, "pyproject.toml", &settings);
    assert_eq!(planned(&facts), Adoption::default());
    // The alias is needed, so it is another matter.
    put(&mut facts, rust::CONFIG, "[build]\n");
    let adoption = planned(&facts);
    assert_eq!(changes(&adoption), [(Change::Extend, rust::CONFIG)]);
    let lines = drift(&facts, &adoption).unwrap();
    assert_eq!(lines, [".cargo/config.toml: lacks what Warmwheel needs"]);
}

#[test]
fn settings_that_are_there_decide() {
    let mut facts = repository();
    let settings = "[tool.warmwheel.ci]\nbranch = 'dev'\n";
    put(&mut facts, "pyproject.toml", settings);
    let adoption = planned(&facts);
    assert!(!changes(&adoption).iter().any(|(_, path)| *path == "pyproject.toml"));
    let facts = after(facts, &adoption);
    assert!(text(&facts, WORKFLOW).contains("id-token"), "they publish, by their own choice");

    let mut facts = repository();
    facts.git.branch = Some("trunk".to_owned());
    let adoption = planned(&facts);
    assert!(text(&after(facts, &adoption), WORKFLOW).contains("branches: [\"trunk\"]"));
}

#[test]
fn their_own_workflow_is_read_and_warmwheels_is_not() {
    let mut facts = repository();
    let theirs = "env:\n  CIBW_SKIP: pp*\nrun: cibuildwheel\n";
    facts.workflows.insert(".github/workflows/w.yml".into(), theirs.to_owned());
    let own = format!("{}\n{theirs}  CIBW_BUILD: x\n", workflow::FIRST_WORDS);
    facts.workflows.insert(WORKFLOW.into(), own);
    let adoption = planned(&facts);
    let report = adoption.report.join("\n");
    assert!(
        report.contains("line 2: CIBW_SKIP = pp*: is now [tool.cibuildwheel] skip"),
        "{report}"
    );
    assert!(!report.contains("CIBW_BUILD"), "{report}");
    let facts = after(facts, &adoption);
    assert!(text(&facts, "pyproject.toml").contains("[tool.cibuildwheel]\nskip = \"pp*\"\n"));
    assert_eq!(planned(&facts).report, Vec::<String>::new());
}

#[test]
fn a_package_without_a_pyproject_file_gets_one() {
    let mut facts = repository();
    facts.there.clear();
    let adoption = planned(&facts);
    assert!(changes(&adoption).contains(&(Change::Create, "pyproject.toml")));
    assert!(adoption.notes[0].starts_with("pyproject.toml is new"), "{:?}", adoption.notes);
}

#[test]
fn a_package_in_a_folder_is_found_by_what_is_brought() {
    let mut facts = repository();
    facts.package = "python".into();
    let adoption = planned(&facts);
    let facts = after(facts, &adoption);
    let manifest: toml::Table = text(&facts, "tools/warmwheel/Cargo.toml").parse().unwrap();
    let own = &manifest["workspace"]["metadata"]["warmwheel"];
    assert_eq!(own["package"].as_str(), Some("python"));
    assert!(text(&facts, "python/pyproject.toml").contains("publish = false"));
    assert_eq!(text(&facts, "pyproject.toml"), PYPROJECT);
    // Named otherwise the next time, it is found otherwise.
    let mut facts = facts;
    facts.package = Utf8PathBuf::new();
    let adoption = planned(&facts);
    assert!(changes(&adoption).contains(&(Change::Update, "tools/warmwheel/Cargo.toml")));
    // And that package is not published unasked, either.
    assert!(!text(&after(facts, &adoption), WORKFLOW).contains("id-token"));
}

#[test]
fn what_cannot_be_right_is_refused_whatever_is_forced() {
    let mut facts = repository();
    facts.git.top = Some("/".into());
    refused(&facts, "is a folder of the repository /", "adopt / --package repository");
    let mut facts = repository();
    facts.is_package = false;
    refused(&facts, "has no pyproject.toml", "--package DIR");
    let mut facts = repository();
    facts.there.insert("tools/warmwheel/x".into(), Found::Obstacle("tools is a link".to_owned()));
    refused(&facts, "tools is a link", "plain files in plain folders");
    let mut facts = repository();
    facts.rust.insert(rust::OLD_CONFIG.into(), String::new());
    refused(&facts, "cargo reads .cargo/config", "git mv .cargo/config .cargo/config.toml");
    let mut facts = repository();
    facts.rust.insert("Cargo.toml".into(), "[workspace]\nmembers = ['tools/*']\n".to_owned());
    refused(&facts, "takes in tools/warmwheel", "exclude");
    let mut facts = repository();
    put(&mut facts, rust::CONFIG, "[alias]\nxtask = 'run -p theirs'\n");
    refused(&facts, "has an alias xtask already", "--project PATH");
    for (pyproject, what) in [
        ("[project", "is no TOML"),
        ("[tool.warmwheel]\nmin-hitrate = 1\n", "no setting `min-hitrate`"),
        ("tool = { warmwheel = {} }\n", "leaves no place"),
    ] {
        let mut facts = repository();
        put(&mut facts, "pyproject.toml", pyproject);
        refused(&facts, what, "help: ");
    }
}

#[test]
fn a_rust_package_of_their_own_is_left_alone() {
    let mut facts = repository();
    let own = "[package]\nname = 'theirs'\n[workspace]\nmembers = ['crates/*']\n";
    facts.rust.insert("Cargo.toml".into(), own.to_owned());
    facts.rust.insert("rust-toolchain".into(), "1.70\n".to_owned());
    let adoption = planned(&facts);
    assert_eq!(adoption.notes.len(), 1);
    assert!(adoption.notes[0].contains("asks for Rust 1.70, and Warmwheel needs 1.95"));
}

#[test]
fn the_state_of_git_is_said() {
    let mut facts = repository();
    facts.git.changes = 3;
    facts.git.ignored = vec!["tools/warmwheel/Cargo.lock".into()];
    let notes = planned(&facts).notes.join("\n");
    assert!(notes.contains("such changes: 3") && notes.contains("git add --force"), "{notes}");
    facts.git = Git::default();
    assert!(planned(&facts).notes.join("\n").contains("no git repository"));
}

#[test]
fn line_ends_that_git_has_changed_are_no_change() {
    let mut facts = adopted();
    for found in facts.there.values_mut() {
        if let Found::Text(text) = found {
            *text = text.replace('\n', "\r\n");
        }
    }
    assert_eq!(planned(&facts).steps, []);
    facts.sources.insert("clippy.toml".into(), "newer\n".to_owned());
    let path = "tools/warmwheel/clippy.toml";
    assert_eq!(changes(&planned(&facts))[0], (Change::Update, path));
}

#[test]
fn who_has_not_adopted_has_nothing_to_check() {
    let facts = repository();
    let error = drift(&facts, &planned(&facts)).unwrap_err();
    assert!(explain(&error).contains("cargo xtask adopt /repository"), "{}", explain(&error));
}

#[test]
fn every_place_that_is_written_to_is_one_that_is_looked_at() {
    let mut facts = repository();
    facts.package = "python".into();
    let places = facts::places(facts.sources.keys().cloned(), None, &facts.package);
    for step in planned(&facts).steps {
        assert!(places.contains(&step.path), "{}", step.path);
        assert!(step.path.starts_with(HOME) || !step.path.as_str().contains("warmwheel"));
    }
}
