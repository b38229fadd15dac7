//! The clean copy of a project that travels into containers, made once per run.
//!
//! It holds what git tracks, what is new and not ignored, submodules, and `.git` itself for tools
//! that take the version from it. Build products never travel: an extension module compiled here
//! would end up in a wheel for somewhere else.
//!
//! The files are copies and never second names (hard links) for the project's own: whoever edits a
//! file in place while a run goes on would give the later versions another source than the first
//! one had, and where builds run on the host a build could write to the project. [`copy`] says how
//! they are copied, and what is linked all the same.

mod copy;
pub(crate) mod digest;
mod history;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use self::copy::{Entry, Kind};
use crate::fault::Fault;
use crate::process;

/// Listing the files of a repository takes milliseconds; this is for file systems that hang.
const GIT_LIMIT: Duration = Duration::from_secs(120);

/// Copies the project at `root` to `stage`, which must not exist yet. Nothing below the folders
/// `without` is copied.
///
/// # Errors
/// git refuses to list the files, or one cannot be copied.
pub(crate) fn copy_project(
    root: &Utf8Path,
    stage: &Utf8Path,
    without: &[Utf8PathBuf],
) -> Result<()> {
    let mut listing = Listing::default();
    let git = root.join(".git");
    if git.exists() {
        listing.add_repository(root, Utf8Path::new(""))?;
    } else {
        listing.add_folder(root, Utf8Path::new(""))?;
    }
    listing.leave_out(root, without);
    listing.settle(root);
    if git.is_dir() {
        listing.add_git(root, Utf8Path::new(".git"), Kind::History)?;
    }
    fs::create_dir_all(stage).with_context(|| format!("cannot make {stage}"))?;
    for folder in &listing.folders {
        let folder = stage.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
    }
    copy::copy_all(root, stage, &listing.entries)?;
    if git.is_file() { clone_history(root, stage) } else { Ok(()) }
}

/// What is to be copied, all of it relative to the project.
#[derive(Default)]
struct Listing {
    entries: Vec<Entry>,
    /// Folders that have to be there even if nothing is in them.
    folders: Vec<Utf8PathBuf>,
}

impl Listing {
    /// Adds what the repository in the folder `within` tracks and what is new there, submodules
    /// included.
    fn add_repository(&mut self, root: &Utf8Path, within: &Utf8Path) -> Result<()> {
        let listed = git_list(&root.join(within))?;
        for line in listed.split_terminator('\0') {
            let Some(found) = Found::parse(line) else { continue };
            if found.is_new && is_build_product(Utf8Path::new(found.path)) {
                continue;
            }
            let path = within.join(found.path.trim_end_matches('/'));
            if !found.is_repository {
                self.entries.push(Entry { path, kind: Kind::Source });
                continue;
            }
            let git = path.join(".git");
            match root.join(&git).symlink_metadata() {
                Ok(about) => {
                    self.add_repository(root, &path)?;
                    if about.is_dir() {
                        self.add_git(root, &git, Kind::History)?;
                    } else {
                        self.entries.push(Entry { path: git, kind: Kind::Source });
                    }
                }
                // A submodule that was never fetched: git would miss its empty folder.
                Err(_) if root.join(&path).is_dir() => {
                    self.folders.push(path.clone());
                    self.add_folder(root, &path)?;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Adds the files below a folder that is not in git.
    fn add_folder(&mut self, root: &Utf8Path, within: &Utf8Path) -> Result<()> {
        let folder = root.join(within);
        for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
            let entry = entry?;
            let path = within.join(entry.file_name());
            if is_build_product(&path) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.add_folder(root, &path)?;
            } else if kind.is_file() || kind.is_symlink() {
                self.entries.push(Entry { path, kind: Kind::Source });
            }
        }
        Ok(())
    }

    /// Adds a `.git` folder, or one within it.
    fn add_git(&mut self, root: &Utf8Path, within: &Utf8Path, kind: Kind) -> Result<()> {
        let folder = root.join(within);
        self.folders.push(within.to_path_buf());
        let mut names = Vec::new();
        for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
            let entry = entry?;
            names.push((entry.file_name().to_owned(), entry.file_type()?));
        }
        // Where objects are, of this repository, of a submodule, or of git-lfs.
        let has = |wanted: &str| names.iter().any(|(name, _)| name == wanted);
        let holds_objects = within.file_name() == Some("lfs") || has("HEAD") && has("config");
        for (name, about) in names {
            let path = within.join(&name);
            if about.is_dir() {
                let kind = match name.as_str() {
                    "objects" if holds_objects => Kind::Object,
                    "info" => Kind::History,
                    _ => kind,
                };
                self.add_git(root, &path, kind)?;
                continue;
            }
            // A lock would only stop git in the copy, and what git has not finished may be gone
            // before it is copied. Its file system monitor keeps a socket here.
            let is_content = about.is_file() || about.is_symlink();
            let is_unfinished = kind == Kind::Object && name.starts_with("tmp_");
            if is_content && !is_unfinished && path.extension() != Some("lock") {
                self.entries.push(Entry { path, kind });
            }
        }
        Ok(())
    }

    /// Takes out what is below one of the folders `without`.
    fn leave_out(&mut self, root: &Utf8Path, without: &[Utf8PathBuf]) {
        let without: Vec<_> =
            without.iter().filter_map(|folder| folder.strip_prefix(root).ok()).collect();
        self.entries.retain(|entry| !without.iter().any(|folder| entry.path.starts_with(folder)));
        self.folders.retain(|path| !without.iter().any(|folder| path.starts_with(folder)));
    }

    /// Sorts, so that the files of a folder come together, and takes out what contradicts itself:
    /// git lists a conflict's file several times, and both the file that it tracks and the files
    /// of the folder that stands in its place by now, or the other way round.
    fn settle(&mut self, root: &Utf8Path) {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        self.entries.dedup_by(|a, b| a.path == b.path);
        let mut settled: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in self.entries.drain(..) {
            let above = settled.last().filter(|last| entry.path.starts_with(&last.path));
            if let Some(above) = above {
                let is_folder = root.join(&above.path).symlink_metadata();
                if !is_folder.is_ok_and(|about| about.is_dir()) {
                    continue;
                }
                settled.pop();
            }
            settled.push(entry);
        }
        self.entries = settled;
    }
}

/// A line of `git ls-files -t --stage --others`.
#[derive(Debug, PartialEq, Eq)]
struct Found<'a> {
    path: &'a str,
    /// git does not track it.
    is_new: bool,
    /// A submodule, or a repository of its own within this one.
    is_repository: bool,
}

impl<'a> Found<'a> {
    /// `? PATH` for what is new, otherwise `TAG MODE OBJECT STAGE<TAB>PATH`.
    fn parse(line: &'a str) -> Option<Self> {
        if let Some(path) = line.strip_prefix("? ") {
            return Some(Self { path, is_new: true, is_repository: path.ends_with('/') });
        }
        let (about, path) = line.split_once('\t')?;
        let is_repository = about.split(' ').nth(1) == Some("160000");
        Some(Self { path, is_new: false, is_repository })
    }
}

/// Everything git knows to be in a folder, in one go.
fn git_list(folder: &Utf8Path) -> Result<String> {
    let mut command = process::command("git");
    command.current_dir(folder).args(["ls-files", "-z", "-t"]);
    command.args(["--stage", "--others", "--exclude-standard"]);
    process::read(command, GIT_LIMIT).map_err(|error| {
        Fault::machine(
            format!("git cannot list the files of {folder}: {error:#}"),
            "install git, or follow its advice (a repository that belongs to another user must be \
             named in safe.directory)",
        )
    })
}

/// What git's index lists: with the commit and the files it decides whether git calls the tree
/// dirty. `None` if git cannot say.
fn index_of(stage: &Utf8Path) -> Option<String> {
    let mut command = process::command("git");
    command.current_dir(stage).args(["ls-files", "-z", "--stage"]);
    process::probe(command, GIT_LIMIT)
}

/// Whether a path that git does not track is something that a build or a tool made.
fn is_build_product(path: &Utf8Path) -> bool {
    const FOLDERS: [&str; 8] = [
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "__pycache__",
        "node_modules",
        ".mypy_cache",
        "wheelhouse",
    ];
    const ENDINGS: [&str; 8] = ["whl", "so", "pyd", "dylib", "dll", "o", "obj", "pyc"];
    path.components().any(|part| FOLDERS.contains(&part.as_str()))
        || path.components().next() == Some(Utf8Component::Normal("target"))
        || path.extension().is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Gives the stage of a linked work tree its history: the tree's `.git` file points at a folder
/// that will not be there. A clone has the same commit and tags; the index comes along, so that the
/// state of the tree is the same.
fn clone_history(root: &Utf8Path, stage: &Utf8Path) -> Result<()> {
    let clone = stage.with_extension("clone");
    let mut command = process::command("git");
    command.args(["clone", "--quiet", "--local", "--no-checkout"]).args([root, &clone]);
    process::read(command, GIT_LIMIT).with_context(|| format!("cannot clone {root}"))?;
    fs::rename(clone.join(".git"), stage.join(".git"))?;
    fs::remove_dir_all(&clone)?;
    let mut command = process::command("git");
    command.current_dir(root).args(["rev-parse", "--git-path", "index"]);
    let index = root.join(process::read(command, GIT_LIMIT)?.trim());
    if index.is_file() {
        fs::copy(&index, stage.join(".git/index"))
            .with_context(|| format!("cannot copy {index}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
