//! What was built from, as hashes: of a staged tree, or of an sdist's archive.
//!
//! Everything counts that a build can see of a source tree but the times of the last change.
//! Of `.git` counts what tools take a version from: commit, branch, tags and index.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::history;
use crate::text::hex;

/// How much of a file is read at once, in bytes.
const BUFFER_BYTES: usize = 128 * 1024;

/// What a source comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// SHA-256 over all files, or of the archive; hexadecimal.
    pub(crate) files: String,
    /// SHA-256 over what version tools see of git; empty without a `.git`.
    pub(crate) history: String,
}

/// A source's digest that is being worked out in a thread of its own, while builds go on.
#[derive(Debug)]
pub(crate) struct Digest {
    outcome: OnceLock<Outcome>,
    worker: Mutex<Option<JoinHandle<Outcome>>>,
    stop: Arc<AtomicBool>,
}

/// The source's digest, or why there is none, in a sentence.
pub(crate) type Outcome = Result<Source, String>;

impl Digest {
    /// Begins with the staged tree in `stage`, which nothing may change meanwhile.
    pub(crate) fn start(stage: &Utf8Path) -> Self {
        let stage = stage.to_path_buf();
        Self::work_out(move |stop| tree(&stage, stop, &super::index_of))
    }

    /// Begins with an sdist's archive.
    pub(crate) fn start_archive(archive: &Utf8Path) -> Self {
        let archive = archive.to_path_buf();
        Self::work_out(move |_| {
            let (files, _) = file(&archive)?;
            Ok(Source { files, history: String::new() })
        })
    }

    /// One that is known already.
    pub(crate) fn known(outcome: Outcome) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        Self { outcome: OnceLock::from(outcome), worker: Mutex::default(), stop }
    }

    fn work_out(work: impl FnOnce(&AtomicBool) -> Result<Source> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let work = move || work(&seen).map_err(|error| format!("{error:#}"));
        match thread::Builder::new().name("digest".to_owned()).spawn(work) {
            Ok(worker) => Self { outcome: OnceLock::new(), worker: Mutex::new(Some(worker)), stop },
            Err(error) => Self::known(Err(format!("cannot start a thread: {error}"))),
        }
    }

    /// The digest, once it is there. Any number of threads may ask, and each may ask again.
    pub(crate) fn wait(&self) -> Result<&Source, &str> {
        let outcome = self.outcome.get_or_init(|| {
            let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
            let outcome = worker.map(JoinHandle::join);
            outcome.and_then(Result::ok).unwrap_or_else(|| Err("its thread ended early".to_owned()))
        });
        outcome.as_ref().map_err(String::as_str)
    }
}

impl Drop for Digest {
    /// Ends the work, since the stage is about to be removed.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.wait();
    }
}

/// SHA-256 of a file in hexadecimal, and its size in bytes.
///
/// # Errors
/// It cannot be read.
pub(crate) fn file(path: &Utf8Path) -> Result<(String, u64)> {
    let mut file = File::open(path).with_context(|| format!("cannot open {path}"))?;
    let (hash, size) = contents(&mut file, &mut vec![0; BUFFER_BYTES])
        .with_context(|| format!("cannot read {path}"))?;
    Ok((hex(&hash), size))
}

fn contents(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<([u8; 32], u64)> {
    let mut hash = Sha256::new();
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok((hash.finalize().into(), size)),
            Ok(count) => {
                hash.update(buffer.get(..count).unwrap_or_default());
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of a tree. `index_of` tells what git's index in a folder lists, if git can say it.
fn tree(
    stage: &Utf8Path,
    stop: &AtomicBool,
    index_of: &dyn Fn(&Utf8Path) -> Option<String>,
) -> Result<Source> {
    let mut hasher = Hasher {
        files: Sha256::new(),
        history: Sha256::new(),
        has_history: false,
        buffer: vec![0; BUFFER_BYTES],
        stop,
    };
    hasher.folder(stage, "")?;
    let git = stage.join(".git");
    if hasher.has_history && git.is_dir() {
        match index_of(stage) {
            Some(index) => hasher.history.update(Sha256::digest(index)),
            // Its bytes change more often than what they say, and then a build is done once more.
            None if git.join("index").is_file() => {
                hasher.history.update(file(&git.join("index"))?.0);
            }
            None => {}
        }
    }
    let history = if hasher.has_history { hex(&hasher.history.finalize()) } else { String::new() };
    Ok(Source { files: hex(&hasher.files.finalize()), history })
}

struct Hasher<'a> {
    files: Sha256,
    history: Sha256,
    has_history: bool,
    buffer: Vec<u8>,
    stop: &'a AtomicBool,
}

impl Hasher<'_> {
    /// Takes in what is in a folder, by name. `within` is the folder, relative to the tree and with
    /// `/` in between and at its end.
    fn folder(&mut self, folder: &Utf8Path, within: &str) -> Result<()> {
        let mut names = Vec::new();
        for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
            let entry = entry.with_context(|| format!("cannot list {folder}"))?;
            names.push((entry.file_name().to_owned(), entry.file_type()?));
        }
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, kind) in names {
            if self.stop.load(Ordering::Relaxed) {
                bail!("the run ended before");
            }
            let (path, within) = (folder.join(&name), format!("{within}{name}"));
            if name == ".git" {
                self.git(folder, &path, &within)?;
            } else if kind.is_dir() {
                self.entry(b'd', &within, &[]);
                self.folder(&path, &format!("{within}/"))?;
            } else if kind.is_symlink() {
                let target =
                    path.read_link_utf8().with_context(|| format!("cannot read {path}"))?;
                self.entry(b'l', &within, target.as_str().as_bytes());
            } else if kind.is_file() {
                self.file(&path, &within).with_context(|| format!("cannot read {path}"))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Utf8Path, within: &str) -> io::Result<()> {
        let mut file = File::open(path)?;
        let kind = if is_executable(&file.metadata()?) { b'x' } else { b'f' };
        let (hash, _) = contents(&mut file, &mut self.buffer)?;
        self.entry(kind, within, &hash);
        Ok(())
    }

    /// Takes in one thing. Lengths in front keep it apart from the next.
    fn entry(&mut self, kind: u8, within: &str, what: &[u8]) {
        add(&mut self.files, &[&[kind], within.as_bytes(), what]);
    }

    /// Takes in a repository's history. A submodule's `.git` is a file with the way to its folder.
    fn git(&mut self, beside: &Utf8Path, path: &Utf8Path, within: &str) -> Result<()> {
        let mut git = path.to_path_buf();
        if path.is_file() {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
            let way = text.strip_prefix("gitdir:").unwrap_or_default().trim();
            // An absolute one leads out of the stage, to where a build cannot go.
            if way.is_empty() || Utf8Path::new(way).is_absolute() {
                return Ok(());
            }
            git = beside.join(way);
        }
        self.has_history = true;
        add(&mut self.history, &[within.as_bytes()]);
        let seen = history::read(&git).with_context(|| format!("cannot read {git}"))?;
        for (name, value) in seen {
            add(&mut self.history, &[name.as_bytes(), value.as_bytes()]);
        }
        Ok(())
    }
}

fn add(hash: &mut Sha256, parts: &[&[u8]]) {
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}

#[cfg(unix)]
fn is_executable(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_about: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests;
