//! What stands against it, and what a person should know.

use anyhow::Result;
use camino::Utf8Path;

use super::facts::{Facts, Found};
use super::{Held, Why};
use crate::adopt::{rust, sources};
use crate::fault::Fault;
use crate::folders::HOME;
use crate::text::{quote, shown};

/// Refuses what cannot be right, whatever is forced.
///
/// # Errors
/// The first thing that has to be changed.
pub(super) fn refuse(facts: &Facts) -> Result<()> {
    if let Some(top) = facts.git.top.as_ref().filter(|top| **top != facts.root) {
        let within = facts.root.strip_prefix(top).unwrap_or(&facts.root);
        return Err(Fault::usage(
            format!("{} is a folder of the repository {top}", facts.root),
            format!(
                "workflows and .cargo belong to its root: `cargo xtask adopt {} --package {}`; if this \
                 is to be a repository of its own, `git init` there first",
                quote(top.as_str()),
                quote(within.as_str())
            ),
        ));
    }
    if !facts.is_package {
        let folder = facts.root.join(&facts.package);
        return Err(Fault::usage(
            format!("{folder} has no pyproject.toml, setup.py or setup.cfg"),
            "name the folder that has, relative to the repository: `--package DIR`",
        ));
    }
    let obstacles = facts.there.iter().find_map(|(path, found)| match found {
        Found::Obstacle(what) => Some((path, what)),
        Found::Text(_) => None,
    });
    if let Some((path, what)) = obstacles {
        return Err(Fault::usage(
            format!("{} in {}: {what}", shown(path.as_str()), facts.root),
            "adopt writes plain files in plain folders only; put such a one in its place, or move it \
             away",
        ));
    }
    if facts.rust.contains_key(Utf8Path::new(rust::OLD_CONFIG)) {
        return Err(Fault::usage(
            format!("cargo reads {}, and then not {}", rust::OLD_CONFIG, rust::CONFIG),
            format!("rename it: `git mv {} {}`", rust::OLD_CONFIG, rust::CONFIG),
        ));
    }
    rust::refuse_claims(facts.rust.get(Utf8Path::new(sources::MANIFEST)).map(String::as_str))
}

/// Refuses to mix Warmwheel's folder with what somebody else has there.
///
/// # Errors
/// There is such a file.
pub(super) fn refuse_foreign(held: &[Held]) -> Result<()> {
    let is_foreign = |it: &&Held| it.why == Why::Foreign && it.path.starts_with(HOME);
    let foreign: Vec<_> = held.iter().filter(is_foreign).collect();
    match foreign.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => Err(Fault::usage(
            format!(
                "{} is there already, {} more files of {HOME} are, and no record says that they are \
                 Warmwheel's",
                first.path,
                rest.len()
            ),
            "if it was another Warmwheel, whose record is lost, `--force` replaces them; otherwise move \
             the folder away",
        )),
    }
}

/// What a person should know of the repository itself.
pub(super) fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    match (&facts.git.top, facts.git.changes) {
        (None, _) => notes.push(
            "it is no git repository: there is nothing to see the change with, or to undo it by"
                .to_owned(),
        ),
        (Some(_), 0) => {}
        (Some(_), changes) => notes.push(format!(
            "it has changes that are not committed, which will stand beside Warmwheel's; files with \
             such changes: {changes}"
        )),
    }
    let workspace = facts.sources.get(Utf8Path::new(sources::MANIFEST));
    notes.extend(rust::TOOLCHAINS.iter().find_map(|file| {
        let toolchain = facts.rust.get(Utf8Path::new(file))?;
        let old = rust::too_old(toolchain, workspace?)?;
        Some(format!("{file}: {old}; `cargo xtask` will not compile there until it is raised"))
    }));
    if let Some(first) = facts.git.ignored.first() {
        notes.push(format!(
            "git ignores {} of Warmwheel's files, {first} among them: they have to be added with \
             `git add --force`",
            facts.git.ignored.len()
        ));
    }
    notes
}
