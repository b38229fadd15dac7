//! Follows a recipe: a Debian tree, what goes into it, and the image that is made of it.
//!
//! Whatever is mounted meanwhile is mounted in a namespace of the command's own, so that nothing
//! stays mounted however the work ends.

use std::fs::{self, File, TryLockError};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use super::interpreters;
use super::recipe::Recipe;
use super::steps::{Steps, limited};
use crate::cli::Engine;

const DEBIAN_LIMIT: Duration = Duration::from_secs(1800);
const COMMAND_LIMIT: Duration = Duration::from_secs(600);
const ARCHIVE_LIMIT: Duration = Duration::from_secs(600);

/// How often a run looks whether another has finished.
const WAIT: Duration = Duration::from_millis(200);

/// Where unfinished trees stand begins with this.
const UNFINISHED: &str = "unfinished-";

/// Holds other runs off while one makes an image, until it is dropped.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other run makes an image.
    ///
    /// # Errors
    /// The lock file cannot be made, or this process is asked to stop.
    pub(crate) fn take(folder: &Utf8Path, steps: &mut Steps) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
        let path = folder.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot write {path}"))?;
        let mut said = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => steps.stop_if_asked()?,
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {path}"));
                }
            }
            if !said {
                steps.say("  waiting for another run that is making a test image");
                said = true;
            }
            thread::sleep(WAIT);
        }
    }
}

/// Makes an image in a new folder below `folder`, which is gone afterwards.
///
/// # Errors
/// A step fails. Nothing of it stays.
pub(crate) fn make(
    recipe: &Recipe,
    engine: Engine,
    image: &str,
    folder: &Utf8Path,
    _lock: &Lock,
    steps: &mut Steps,
) -> Result<()> {
    // With the lock held, a folder that is still there belongs to a run that was killed.
    for entry in folder.read_dir_utf8()?.flatten() {
        if entry.file_name().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path())
                .with_context(|| format!("cannot remove {}", entry.path()))?;
        }
    }
    let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(folder)?;
    let path = Utf8Path::from_path(unfinished.path()).context("a folder's name is not UTF-8")?;
    let tree = Tree { root: path.join("root"), recipe };
    let archive = path.join("image.tar");

    let count = recipe.interpreters.len();
    steps.step(&format!("Debian {} from its packages", recipe.suite), |steps| {
        steps.run(tree.debootstrap())
    })?;
    steps.step(&format!("{count} interpreters and the settings of this machine"), |steps| {
        tree.fill(steps)
    })?;
    steps.step("what cibuildwheel needs in them", |steps| {
        recipe.commands.iter().try_for_each(|words| steps.run(tree.inside(words)))
    })?;
    steps.step(&format!("{} image", engine.name()), |steps| {
        steps.run(tree.archive(&archive))?;
        engine.import(&archive, image, recipe, steps)
    })?;
    unfinished.close().context("cannot remove the tree of the test image")
}

/// The tree that an image is made of.
struct Tree<'a> {
    root: Utf8PathBuf,
    recipe: &'a Recipe,
}

impl Tree<'_> {
    fn debootstrap(&self) -> Command {
        let mut command = limited("unshare", DEBIAN_LIMIT);
        command.args(["--mount", "debootstrap", "--variant=minbase"]);
        command.arg(format!("--include={}", self.recipe.packages.join(",")));
        // No mirror is named: debootstrap knows its own.
        command.args([self.recipe.suite.as_str(), self.root.as_str()]);
        command
    }

    fn fill(&self, steps: &mut Steps) -> Result<()> {
        for interpreter in &self.recipe.interpreters {
            steps.stop_if_asked()?;
            steps
                .note(&format!("CPython {} from {}", interpreter.full_version, interpreter.prefix));
            interpreters::copy(interpreter, &self.root)?;
        }
        for (path, text) in &self.recipe.files {
            let path = interpreters::below(&self.root, path);
            fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
            fs::write(&path, text).with_context(|| format!("cannot write {path}"))?;
        }
        Ok(())
    }

    /// A command in the tree, with the image's environment and what it takes to reach an index.
    fn inside(&self, words: &[String]) -> Command {
        let script = r#"mount -t proc proc "$1/proc" && exec chroot "$@""#;
        let mut command = limited("unshare", COMMAND_LIMIT);
        command.args(["--mount", "sh", "-c", script, "sh", self.root.as_str()]).args(words);
        command.env_clear().env("HOME", "/root");
        command.envs(&self.recipe.environment).envs(&self.recipe.proxies);
        command
    }

    fn archive(&self, archive: &Utf8Path) -> Command {
        let mut command = limited("tar", ARCHIVE_LIMIT);
        command.args(["--create", "--numeric-owner", "--one-file-system", "--file"]);
        command.arg(archive);
        command.args(self.recipe.leftovers.iter().map(|pattern| format!("--exclude={pattern}")));
        command.args(["--directory", self.root.as_str(), "."]);
        command
    }
}
