//! The clean copy of a project that travels into containers.
//!
//! It holds what git tracks, what is new and not ignored, submodules, and `.git` itself for tools
//! that take the version from it. Build products never travel: an extension module compiled here
//! would end up in a wheel for somewhere else.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

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
    let mut files = Vec::new();
    if root.join(".git").exists() {
        list_repository(root, &mut files)?;
    } else {
        list_folder(root, Utf8Path::new(""), &mut files)?;
    }
    fs::create_dir_all(stage).with_context(|| format!("cannot make {stage}"))?;
    for file in files {
        let from = root.join(&file);
        if !without.iter().any(|folder| from.starts_with(folder)) {
            copy_entry(&from, &stage.join(&file))?;
        }
    }
    if root.join(".git").exists() {
        copy_git(root, stage)?;
    }
    Ok(())
}

/// Adds the files of the repository at `root`, relative to it, those of submodules included.
fn list_repository(root: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> Result<()> {
    let tracked = git_list(root, &["--cached"])?;
    let new = git_list(root, &["--others", "--exclude-standard"])?;
    let new = new.into_iter().filter(|path| !is_build_product(path));
    for path in tracked.into_iter().chain(new) {
        let entry = root.join(&path);
        // A folder in the list is a repository within this one.
        if entry.join(".git").exists() {
            let mut inner = Vec::new();
            list_repository(&entry, &mut inner)?;
            files.extend(inner.into_iter().map(|file| path.join(file)));
            files.push(path.join(".git"));
        } else if entry.symlink_metadata().is_ok() {
            files.push(path);
        }
    }
    Ok(())
}

fn git_list(root: &Utf8Path, options: &[&str]) -> Result<Vec<Utf8PathBuf>> {
    let mut command = process::command("git");
    command.current_dir(root).args(["ls-files", "-z"]).args(options);
    let listed = process::read(command, GIT_LIMIT).map_err(|error| {
        Fault::machine(
            format!("git cannot list the files of {root}: {error:#}"),
            "install git, or follow its advice (a repository that belongs to another user must be \
             named in safe.directory)",
        )
    })?;
    Ok(listed.split_terminator('\0').map(|path| path.trim_end_matches('/').into()).collect())
}

/// Adds the files of a folder that is not in git.
fn list_folder(root: &Utf8Path, within: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> Result<()> {
    let folder = root.join(within);
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        let entry = entry?;
        let path = within.join(entry.file_name());
        if is_build_product(&path) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list_folder(root, &path, files)?;
        } else if kind.is_file() || kind.is_symlink() {
            files.push(path);
        }
    }
    Ok(())
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

/// Copies a file, a symbolic link as such, or a folder: a repository's `.git`, or a submodule that
/// was never fetched, whose empty folder git would miss.
fn copy_entry(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    if from.is_dir() && !from.is_symlink() {
        return copy_tree(from, to);
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
    }
    let copied = if from.is_symlink() { copy_link(from, to) } else { copy_file(from, to) };
    copied.with_context(|| format!("cannot copy {from} to {to}"))
}

/// Copies contents, permissions and the time of the last change, which some backends write into
/// the wheel.
fn copy_file(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    fs::File::open(to)?.set_modified(from.metadata()?.modified()?)
}

#[cfg(unix)]
fn copy_link(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(from)?, to)
}

#[cfg(not(unix))]
fn copy_link(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    fs::copy(from, to).map(drop)
}

fn copy_git(root: &Utf8Path, stage: &Utf8Path) -> Result<()> {
    let git = root.join(".git");
    if git.is_dir() {
        return copy_tree(&git, &stage.join(".git"));
    }
    // A linked work tree: its `.git` file points at a folder that will not be there. A clone has
    // the same commit and tags; the index comes along, so that the state of the tree is the same.
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

/// Copies a `.git` folder. Objects are never changed once written, so a second name for the same
/// file will do; a lock file would only stop git in the copy.
fn copy_tree(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {to}"))?;
    for entry in from.read_dir_utf8().with_context(|| format!("cannot list {from}"))? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        // git's file system monitor keeps a socket there.
        let is_content = kind.is_file() || kind.is_symlink();
        if kind.is_dir() {
            copy_tree(path, &copy)?;
        } else if is_content && path.extension() != Some("lock") {
            let immutable = path.components().any(|part| part.as_str() == "objects");
            if !(immutable && fs::hard_link(path, &copy).is_ok()) {
                copy_entry(path, &copy)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_products_are_told_from_sources() {
        for product in [
            "target/debug/x",
            "pkg/_core.cpython-312-x86_64-linux-gnu.so",
            "wheelhouse/a-1-py3-none-any.whl",
            "dist/a-1-cp312-cp312-linux_x86_64.whl",
            ".venv/bin/python",
            "src/__pycache__/a.pyc",
        ] {
            assert!(is_build_product(Utf8Path::new(product)), "{product}");
        }
        for source in ["src/target/a.py", "setup.py", "data/soap.txt", "lib/target.c"] {
            assert!(!is_build_product(Utf8Path::new(source)), "{source}");
        }
    }
}
