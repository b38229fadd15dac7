//! What is to be written into a repository, worked out from what was found there. Pure.
//!
//! A file of Warmwheel's is written if it is not there, or is as Warmwheel has left it; what was
//! changed or removed there stays as it is unless everything is forced. Files that belong to the
//! repository are only added to.

pub(crate) mod facts;
mod objections;
mod settings;

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use self::facts::{Facts, record_file};
use super::record::{Record, hash};
use super::rust::{self, Alias};
use super::sources;
use crate::ci::workflow;
use crate::fault::Fault;
use crate::text::{quote, shown};

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new.
    Create,
    /// It is Warmwheel's, and was left as an earlier one wrote it.
    Update,
    /// It is the repository's, and is added to.
    Extend,
    /// What was changed there is lost.
    Replace,
    /// It is Warmwheel's, and this one has no use for it.
    Remove,
}

/// A file to write or remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Relative to the repository.
    pub(crate) path: Utf8PathBuf,
    /// What happens to it.
    pub(crate) change: Change,
    /// Its text now; `None` if it is not there.
    pub(crate) before: Option<String>,
    /// Its text then; `None` if it goes.
    pub(crate) after: Option<String>,
}

/// Why a file is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was changed since Warmwheel wrote it.
    Edited,
    /// It was removed since Warmwheel wrote it.
    Removed,
    /// Something else was there before.
    Foreign,
    /// It was changed, and this Warmwheel has no use for it any more.
    Obsolete,
}

/// A file that is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Relative to the repository.
    pub(crate) path: Utf8PathBuf,
    /// Why.
    pub(crate) why: Why,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Adoption {
    /// Files to write, in order. The record comes last.
    pub(crate) steps: Vec<Step>,
    /// Files that are left alone and are not what they would be.
    pub(crate) held: Vec<Held>,
    /// What was made of the repository's own settings, line by line.
    pub(crate) report: Vec<String>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

/// Decides. With `force`, what was changed there is replaced.
///
/// # Errors
/// The repository cannot take Warmwheel in as it is; the message says what to change.
pub(crate) fn make(facts: &Facts, force: bool) -> Result<Adoption> {
    objections::refuse(facts)?;
    let mut adoption = Adoption::default();
    let ci = settings::settle(facts, &mut adoption)?;
    let mut wanted = sources::laid_out(&facts.sources, &facts.package)?;
    wanted.insert(workflow::FILE.into(), workflow::generate(&ci, &facts.actions)?);
    let files = adoption.files(facts, wanted, force);
    objections::refuse_foreign(&adoption.held)?;
    adoption.alias(facts)?;
    adoption.steps.sort_by(|one, other| one.path.cmp(&other.path));
    adoption.held.sort_by(|one, other| one.path.cmp(&other.path));
    adoption.record(facts, files)?;
    adoption.notes.extend(objections::notes(facts));
    Ok(adoption)
}

impl Adoption {
    /// Decides about Warmwheel's own files, and returns what the record is to say of them.
    fn files(
        &mut self,
        facts: &Facts,
        wanted: BTreeMap<Utf8PathBuf, String>,
        force: bool,
    ) -> BTreeMap<Utf8PathBuf, String> {
        let no_files = BTreeMap::new();
        let recorded = facts.record.as_ref().map_or(&no_files, |record| &record.files);
        let mut files = BTreeMap::new();
        for (path, old) in recorded.iter().filter(|(path, _)| !wanted.contains_key(*path)) {
            let Some(found) = facts.text(path) else { continue };
            if force || hash(found) == *old {
                self.step(path, Change::Remove, Some(found), None);
            } else {
                self.held.push(Held { path: path.clone(), why: Why::Obsolete });
            }
        }
        for (path, text) in wanted {
            let (found, old) = (facts.text(&path), recorded.get(&path));
            match decide(found, old.map(String::as_str), &text, force) {
                Decision::Current => {}
                Decision::Write(change) => self.step(&path, change, found, Some(text.clone())),
                Decision::Hold(why) => {
                    self.held.push(Held { path: path.clone(), why });
                    // It stays changed until it is what some Warmwheel has written.
                    files.extend(old.map(|old| (path, old.clone())));
                    continue;
                }
            }
            files.insert(path, hash(&text));
        }
        files
    }

    fn step(
        &mut self,
        path: &Utf8Path,
        change: Change,
        before: Option<&str>,
        after: Option<String>,
    ) {
        let before = before.map(ToOwned::to_owned);
        self.steps.push(Step { path: path.to_path_buf(), change, before, after });
    }

    /// Adds a file that is the repository's own, with what it is to say.
    fn extend(&mut self, facts: &Facts, path: &Utf8Path, after: String) {
        let before = facts.text(path);
        if before == Some(after.as_str()) {
            return;
        }
        let change = if before.is_some() { Change::Extend } else { Change::Create };
        self.step(path, change, before, Some(after));
    }

    fn alias(&mut self, facts: &Facts) -> Result<()> {
        let path = Utf8Path::new(rust::CONFIG);
        match rust::find_alias(facts.text(path))? {
            Alias::There => {}
            Alias::Added(text) => self.extend(facts, path, text),
            Alias::Differs(line) => {
                self.held.push(Held { path: path.to_path_buf(), why: Why::Edited });
                self.notes.push(format!(
                    "the alias xtask is `{}`; this Warmwheel's is `{}`",
                    shown(&line),
                    rust::alias()
                ));
            }
        }
        Ok(())
    }

    /// The record, if it is to say anything else than it does.
    fn record(&mut self, facts: &Facts, files: BTreeMap<Utf8PathBuf, String>) -> Result<()> {
        let says_it = |record: &Record| record.files == files && record.package == facts.package;
        if facts.record.as_ref().is_some_and(says_it) {
            return Ok(());
        }
        let record = Record::new(facts.release.clone(), facts.package.clone(), files);
        let path = record_file();
        let before = facts.text(&path);
        let change = if before.is_some() { Change::Update } else { Change::Create };
        self.step(&path, change, before, Some(record.to_text()?));
        Ok(())
    }
}

/// What to do with one of Warmwheel's files.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Current,
    Write(Change),
    Hold(Why),
}

/// Decides about a file by what is there, the hash of what was written last, and what is wanted.
fn decide(found: Option<&str>, recorded: Option<&str>, wanted: &str, force: bool) -> Decision {
    match (found.map(hash), recorded) {
        (None, None) => Decision::Write(Change::Create),
        (None, Some(_)) if force => Decision::Write(Change::Create),
        (None, Some(_)) => Decision::Hold(Why::Removed),
        (Some(found), _) if found == hash(wanted) => Decision::Current,
        (Some(found), Some(recorded)) if found == recorded => Decision::Write(Change::Update),
        (Some(_), _) if force => Decision::Write(Change::Replace),
        (Some(_), Some(_)) => Decision::Hold(Why::Edited),
        (Some(_), None) => Decision::Hold(Why::Foreign),
    }
}

/// What `--check` has to say: each file that is not what this Warmwheel would write.
pub(crate) fn drift(facts: &Facts, adoption: &Adoption) -> Result<Vec<String>> {
    if !facts.has_adopted() {
        return Err(Fault::usage(
            format!("{} has not adopted Warmwheel", facts.root),
            format!("`cargo xtask adopt {}`", quote(facts.root.as_str())),
        ));
    }
    let mut lines = Vec::new();
    for Step { path, change, .. } in &adoption.steps {
        if *path == record_file() {
            continue;
        }
        let is = match change {
            Change::Create => "missing: this Warmwheel has it",
            Change::Update => "older than this Warmwheel's",
            Change::Extend => "lacks what Warmwheel needs",
            Change::Remove => "left over: this Warmwheel has it no more",
            Change::Replace => Why::Edited.text(),
        };
        lines.push(format!("{path}: {is}"));
    }
    lines.extend(adoption.held.iter().map(|held| format!("{}: {}", held.path, held.why.text())));
    Ok(lines)
}

impl Why {
    /// In a person's words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Edited => "changed here",
            Self::Removed => "removed here",
            Self::Foreign => "not Warmwheel's",
            Self::Obsolete => "changed here, and this Warmwheel has it no more",
        }
    }
}

#[cfg(test)]
mod tests;
