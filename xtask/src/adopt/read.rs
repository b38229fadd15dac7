//! What this workspace has to bring, and what there is in the repository that it is to go to.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::plan::facts::{Facts, Found, Git, places, record_file};
use super::record::{Record, Release};
use super::{rust, sources};
use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::HOME;
use crate::package::is_package;
use crate::pins::Pins;
use crate::process;

/// git answers in milliseconds; this is for file systems that hang.
const GIT_LIMIT: Duration = Duration::from_secs(60);
/// Where workflows are, relative to a repository.
const WORKFLOWS: &str = ".github/workflows";

/// Reads everything that the decision is made from. Changes nothing.
///
/// # Errors
/// The repository is not there or is this checkout, its record is damaged, or something cannot be
/// read.
pub(crate) fn facts(
    path: &Utf8Path,
    package: Option<&Utf8Path>,
    workspace: &Utf8Path,
    environment: &Environment,
) -> Result<Facts> {
    let root = root(path, workspace, environment)?;
    let record = match found(&root, &record_file())? {
        Some(Found::Text(text)) => Some(Record::parse(&text, &root.join(record_file()))?),
        Some(Found::Obstacle(_)) | None => None,
    };
    let package = match (package, &record) {
        (Some(named), _) => within(named)?,
        (None, Some(record)) => record.package.clone(),
        (None, None) => Utf8PathBuf::new(),
    };
    let sources = workspace_files(workspace)?;
    let mut there = BTreeMap::new();
    let places = places(sources.keys().cloned(), record.as_ref(), &package);
    for place in &places {
        if let Some(found) = found(&root, place)? {
            there.insert(place.clone(), found);
        }
    }
    let git = git(&root, &places);
    let own_rust = [sources::MANIFEST, rust::OLD_CONFIG].into_iter().chain(rust::TOOLCHAINS);
    let own_rust = own_rust.filter_map(|file| Some((file.into(), text_of(&root.join(file))?)));
    Ok(Facts {
        is_package: is_package(&root.join(&package)),
        rust: own_rust.collect(),
        workflows: workflows(&root)?,
        actions: Pins::built_in()?.actions,
        release: release(workspace),
        root,
        sources,
        there,
        record,
        package,
        git,
    })
}

/// The repository, absolute and without links.
fn root(path: &Utf8Path, workspace: &Utf8Path, environment: &Environment) -> Result<Utf8PathBuf> {
    let root = environment.current_folder()?.join(path);
    let root = root.canonicalize_utf8().map_err(|error| {
        Fault::usage(format!("the repository {path}: {error}"), "name a folder that is there")
    })?;
    if !root.is_dir() {
        return Err(Fault::usage(format!("{root} is no folder"), "name the repository's root"));
    }
    let workspace = workspace.canonicalize_utf8().context("this workspace is gone")?;
    if root.starts_with(&workspace) || workspace.starts_with(root.join(HOME)) {
        return Err(Fault::usage(
            format!("{root} and this Warmwheel, {workspace}, are in each other's place"),
            "name a repository outside of this checkout; a checkout that stands where its copy would \
             go has to move first",
        ));
    }
    Ok(root)
}

/// The folder of a package, relative to the repository.
fn within(named: &Utf8Path) -> Result<Utf8PathBuf> {
    let mut folder = Utf8PathBuf::new();
    for part in named.components() {
        match part {
            Utf8Component::Normal(name) => folder.push(name),
            Utf8Component::CurDir => {}
            _ => {
                return Err(Fault::usage(
                    format!("the package {named} is named from outside of the repository"),
                    "name its folder as seen from the repository's root, such as `--package python`",
                ));
            }
        }
    }
    Ok(folder)
}

/// What this workspace has to bring, relative to it.
fn workspace_files(workspace: &Utf8Path) -> Result<BTreeMap<Utf8PathBuf, String>> {
    let mut paths: Vec<_> = sources::files().collect();
    for (folder, _, deep) in sources::FOLDERS {
        list(workspace, Utf8Path::new(folder), deep, &mut paths)?;
    }
    let mut files = BTreeMap::new();
    for path in paths.into_iter().filter(|path| sources::goes_along(path)) {
        let file = workspace.join(&path);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        files.insert(path, text);
    }
    Ok(files)
}

/// Adds the files in a folder of the workspace, and below it if that is asked.
fn list(
    workspace: &Utf8Path,
    within: &Utf8Path,
    deep: bool,
    paths: &mut Vec<Utf8PathBuf>,
) -> Result<()> {
    let folder = workspace.join(within);
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        let entry = entry?;
        let path = within.join(entry.file_name());
        if entry.file_type()?.is_file() {
            paths.push(path);
        } else if deep && entry.file_type()?.is_dir() {
            list(workspace, &path, deep, paths)?;
        }
    }
    Ok(())
}

/// What stands in a place of a repository. Links are not followed, wherever on the way they are: what
/// they lead to may belong to somebody else.
///
/// # Errors
/// It cannot be found out.
pub(super) fn found(root: &Utf8Path, path: &Utf8Path) -> Result<Option<Found>> {
    let mut place = Utf8PathBuf::new();
    for part in path.components() {
        place.push(part);
        let full = root.join(&place);
        let about = match full.symlink_metadata() {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot look at {full}")),
        };
        let is_whole = place == path;
        let obstacle = if about.is_symlink() {
            Some(format!("{place} is a link"))
        } else if is_whole && !about.is_file() {
            Some("it is no file".to_owned())
        } else if !is_whole && !about.is_dir() {
            Some(format!("{place} is no folder"))
        } else {
            None
        };
        if obstacle.is_some() {
            return Ok(obstacle.map(Found::Obstacle));
        }
    }
    let full = root.join(path);
    let bytes = fs::read(&full).with_context(|| format!("cannot read {full}"))?;
    Ok(Some(
        String::from_utf8(bytes)
            .map_or_else(|_| Found::Obstacle("it is no text in UTF-8".to_owned()), Found::Text),
    ))
}

/// The text of a file, if it has one.
fn text_of(file: &Utf8Path) -> Option<String> {
    fs::read_to_string(file).ok()
}

/// The repository's workflows. One that cannot be read is none.
fn workflows(root: &Utf8Path) -> Result<BTreeMap<Utf8PathBuf, String>> {
    let folder = root.join(WORKFLOWS);
    if !folder.is_dir() {
        return Ok(BTreeMap::new());
    }
    let mut workflows = BTreeMap::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        let path = Utf8Path::new(WORKFLOWS).join(entry?.file_name());
        if !matches!(path.extension(), Some("yml" | "yaml")) {
            continue;
        }
        if let Some(text) = text_of(&root.join(&path)) {
            workflows.insert(path, text);
        }
    }
    Ok(workflows)
}

/// What git says. A git that cannot answer leaves out a remark or two, and stops nothing.
fn git(root: &Utf8Path, places: &[Utf8PathBuf]) -> Git {
    let top = root.ancestors().find(|folder| folder.join(".git").exists());
    let Some(top) = top.map(Utf8Path::to_path_buf) else { return Git::default() };
    let asked = |arguments: &[&str]| {
        let mut command = process::command("git");
        command.current_dir(root).args(arguments);
        command
    };
    let ask = |arguments: &[&str]| process::probe(asked(arguments), GIT_LIMIT);
    let changes = ask(&["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"]);
    let branch = || {
        let remote = ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]);
        let remote = remote.and_then(|name| Some(name.trim().strip_prefix("origin/")?.to_owned()));
        remote.or_else(|| {
            let local = ask(&["branch", "--list", "main", "master", "--format=%(refname:short)"]);
            Some(local?.lines().next()?.to_owned())
        })
    };
    // A new repository may have no branch yet; its HEAD has a name all the same.
    let branch = branch().or_else(|| ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]));
    let input = places.iter().map(|path| format!("{path}\0")).collect::<Vec<_>>().concat();
    // It fails when nothing is ignored.
    let ignored = asked(&["check-ignore", "--stdin", "-z"]);
    let ignored = process::read_with_input(ignored, input.as_bytes(), GIT_LIMIT);
    Git {
        top: Some(top),
        changes: changes.map_or(0, |changes| changes.lines().count()),
        branch: branch.map(|name| name.trim().to_owned()).filter(|name| is_plain(name)),
        ignored: ignored.unwrap_or_default().split_terminator('\0').map(Into::into).collect(),
    }
}

/// Whether a branch has a name that a workflow can hold.
fn is_plain(branch: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    !branch.is_empty() && branch.chars().all(is_plain)
}

/// Which Warmwheel this is.
fn release(workspace: &Utf8Path) -> Release {
    let mut command = process::command("git");
    command.current_dir(workspace).args(["rev-parse", "HEAD"]);
    let is_checkout = workspace.join(".git").exists();
    let commit = is_checkout.then(|| process::probe(command, GIT_LIMIT)).flatten();
    Release {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: commit.map(|commit| commit.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        (folder, path)
    }

    #[test]
    fn a_packages_folder_is_named_from_the_repository() {
        assert_eq!(within(Utf8Path::new(".")).unwrap(), "");
        assert_eq!(within(Utf8Path::new("./python/")).unwrap(), "python");
        for outside in ["..", "a/../../b", "/etc"] {
            assert!(within(Utf8Path::new(outside)).is_err(), "{outside}");
        }
    }

    #[test]
    fn a_place_is_a_text_or_an_obstacle_or_free() {
        let (_guard, root) = folder();
        fs::create_dir_all(root.join("tools/sub")).unwrap();
        fs::write(root.join("tools/a.txt"), "text").unwrap();
        fs::write(root.join("latin"), b"\xe4").unwrap();
        let at = |path: &str| found(&root, Utf8Path::new(path)).unwrap();
        assert_eq!(at("tools/a.txt"), Some(Found::Text("text".to_owned())));
        assert_eq!(at("nowhere/x"), None);
        let obstacle = |path: &str| match at(path) {
            Some(Found::Obstacle(what)) => what,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(obstacle("tools/sub"), "it is no file");
        assert_eq!(obstacle("tools/a.txt/x"), "tools/a.txt is no folder");
        assert_eq!(obstacle("latin"), "it is no text in UTF-8");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_even_if_they_lead_nowhere() {
        let (_guard, root) = folder();
        fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink("real", root.join("tools")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("real/link")).unwrap();
        for (path, link) in [("tools/x", "tools"), ("real/link", "real/link")] {
            let found = found(&root, Utf8Path::new(path)).unwrap();
            assert_eq!(found, Some(Found::Obstacle(format!("{link} is a link"))));
        }
    }

    #[test]
    fn branches_with_odd_names_are_not_named() {
        assert!(is_plain("release/2.x") && is_plain("main"));
        assert!(!is_plain("") && !is_plain("a b") && !is_plain("${{x}}") && !is_plain("a*"));
    }
}
