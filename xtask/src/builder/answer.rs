//! What cibuildwheel makes of a package's settings: asked of cibuildwheel itself, and remembered for
//! as long as everything is the same that it has looked at.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::environment::Environment;
use crate::fault::Fault;
use crate::host;
use crate::memory;
use crate::plan::facts::Answer;
use crate::process;
use crate::text::hex;
use crate::trim::{AtMost, trim};

/// What is run to ask.
const SCRIPT: &str = include_str!("answer/options.py");
/// Reading a package's settings takes a second; this is for machines under load.
const LIMIT: Duration = Duration::from_secs(60);
/// The files of a package that cibuildwheel looks for, be they there or not.
const FILES: [&str; 3] = ["pyproject.toml", "setup.cfg", "setup.py"];
/// How many answers are kept.
const MAX_KEPT: usize = 200;

/// What is asked about.
pub(crate) struct Question<'a> {
    /// The Python that has cibuildwheel.
    pub(crate) python: &'a Utf8Path,
    /// The project's root, where cibuildwheel is run.
    pub(crate) project: &'a Utf8Path,
    /// The package, relative to it.
    pub(crate) package: &'a Utf8Path,
    /// The platform to build for, as cibuildwheel calls it.
    pub(crate) platform: &'a str,
    /// The processor of the machine that will build, as Linux calls it; `None` for this one's.
    pub(crate) machine: Option<&'a str>,
}

/// An answer, and what it depends on beyond the question itself.
#[derive(Serialize, Deserialize)]
struct Memory {
    /// Hashes of the files that cibuildwheel read, by their paths from the project's root.
    files: BTreeMap<String, String>,
    answer: Value,
}

/// What cibuildwheel would build of the package, and how.
///
/// # Errors
/// cibuildwheel refuses the package's settings, or cannot be run.
pub(crate) fn ask(question: &Question<'_>, environment: &Environment) -> Result<Answer> {
    let file = environment
        .cache_folder()
        .ok()
        .zip(question.key(environment))
        .map(|(cache, key)| cache.join("answers").join(format!("{key}.json")));
    let known = file.as_deref().and_then(memory::recall::<Memory>);
    if let Some(known) = known.filter(|known| question.holds(&known.files))
        && let Ok(answer) = serde_json::from_value(known.answer)
    {
        return Ok(answer);
    }
    let mut value = question.put()?;
    let read = value.as_object_mut().and_then(|answer| answer.remove("read"));
    let answer = serde_json::from_value(value.clone()).context("cibuildwheel's answer")?;
    let files = read.and_then(|read| question.hashes(&read));
    if let Some((file, files)) = file.zip(files) {
        // What is not kept only costs the next run the same question.
        let _ = memory::remember(&file, &Memory { files, answer: value });
        file.parent().inspect(|folder| trim(folder.as_std_path(), AtMost::Files(MAX_KEPT)));
    }
    Ok(answer)
}

impl Question<'_> {
    fn put(&self) -> Result<Value> {
        let package = if self.package.as_str().is_empty() { "." } else { self.package.as_str() };
        let mut command = process::command(self.python);
        command.current_dir(self.project).args(["-c", SCRIPT, self.platform, package]);
        command.arg(self.machine.unwrap_or_default());
        let said = process::read(command, LIMIT)
            .with_context(|| format!("cibuildwheel cannot read the settings of {package}"))?;
        let answer: Value = serde_json::from_str(&said).context("cibuildwheel's answer")?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            return Err(Fault::usage(
                format!("cibuildwheel refuses the settings of the package in {package}: {error}"),
                "mend [tool.cibuildwheel] or the CIBW_* variables",
            ));
        }
        Ok(answer)
    }

    /// A hash of all that is known to matter before cibuildwheel is asked. It does not name the
    /// project's folder: an sdist is unpacked somewhere else each time.
    fn key(&self, environment: &Environment) -> Option<String> {
        let mut hash = Sha256::new();
        let mut add = |field: &str| {
            hash.update(field.len().to_le_bytes());
            hash.update(field);
        };
        // The environment's name holds the hash of its lock. One that has lost something, or whose
        // Python was replaced, has to show that it still works.
        add(SCRIPT);
        add(self.python.canonicalize_utf8().ok()?.as_str());
        for (path, length) in listing(self.python.ancestors().nth(2)?).ok()? {
            add(path.as_str());
            add(&length.to_string());
        }
        let machine = self.machine.map_or_else(host::architecture, ToOwned::to_owned);
        for field in [self.platform, &machine, self.package.as_str()] {
            add(field);
        }
        for name in FILES {
            add(name);
            add(&digest(&self.project.join(self.package).join(name)).unwrap_or_default());
        }
        for (name, value) in environment.starting_with("CIBW_") {
            add(&name);
            add(&value);
        }
        Some(hex(&hash.finalize()))
    }

    /// Whether all of `files` are as they were.
    fn holds(&self, files: &BTreeMap<String, String>) -> bool {
        files.iter().all(|(path, known)| digest(&self.project.join(path)).as_ref() == Some(known))
    }

    /// The hashes of the files that cibuildwheel has told; `None` if one of them cannot be read.
    fn hashes(&self, read: &Value) -> Option<BTreeMap<String, String>> {
        let paths: Vec<Utf8PathBuf> = serde_json::from_value(read.clone()).ok()?;
        let root = self.project.canonicalize_utf8().ok()?;
        let entry = |path: Utf8PathBuf| {
            let hash = digest(&path)?;
            let path = path.strip_prefix(&root).map_or(path.as_str(), Utf8Path::as_str);
            Some((path.to_owned(), hash))
        };
        paths.into_iter().map(entry).collect()
    }
}

/// All files in an environment with their lengths in bytes, but for what Python compiles for itself.
fn listing(environment: &Utf8Path) -> io::Result<BTreeMap<Utf8PathBuf, u64>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![environment.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            let found = entry.metadata()?;
            if !found.is_dir() {
                files.insert(entry.into_path(), found.len());
            } else if entry.file_name() != "__pycache__" {
                folders.push(entry.into_path());
            }
        }
    }
    Ok(files)
}

fn digest(file: &Utf8Path) -> Option<String> {
    Some(hex(&Sha256::digest(fs::read(file).ok()?)))
}
