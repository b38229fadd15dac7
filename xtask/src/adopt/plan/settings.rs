//! What the repository's own files are to say: settings for Warmwheel, and what git ignores. Proposed
//! once, when Warmwheel is brought; after that they are the repository's alone.

use anyhow::Result;
use camino::Utf8Path;
use toml::Table;

use super::Adoption;
use super::facts::{Facts, IGNORE};
use crate::adopt::additions::{self, Addition, Setting};
use crate::adopt::carry::{self, Carried};
use crate::adopt::workflows;
use crate::ci::workflow;
use crate::fault::Fault;
use crate::folders::HOME;
use crate::settings;
use crate::settings::ci::Ci;

/// The comment above `publish`. Bringing Warmwheel in must not make a repository publish anything.
const UNPUBLISHED: &str = "true: wheels of tags are attested and published, by trusted publishing.";

/// Adds what the repository's own files are to have, and returns the settings that its workflow is
/// made from.
///
/// # Errors
/// Its pyproject.toml is no TOML, has settings that Warmwheel does not know, or no place for one that
/// is needed.
pub(super) fn settle(facts: &Facts, adoption: &mut Adoption) -> Result<Ci> {
    let file = facts.package.join("pyproject.toml");
    let before = facts.text(&file);
    let table = additions::parse(before.unwrap_or_default(), &file)?;
    let ci = settings::Table::read(&table, &file)?.ci;
    if facts.is_settled() {
        return Ok(ci);
    }
    let Carried { mut additions, report, ccache_dir } = carry_over(facts, &table);
    adoption.report = report;
    if !carry::has_settings(&table, "ci") {
        let publish = Addition::new("tool.warmwheel.ci", "publish", Setting::Switch(false));
        additions.insert(0, Addition { comment: UNPUBLISHED, ..publish });
        let branch = facts.git.branch.as_ref().filter(|branch| **branch != ci.branch);
        additions.extend(branch.map(|branch| {
            Addition::new("tool.warmwheel.ci", "branch", Setting::Text(branch.clone()))
        }));
    }
    additions.sort_by(|one, other| one.table.cmp(&other.table));
    let (after, left) = additions::extend(before.unwrap_or_default(), &additions);
    if let Some(needed) = left.iter().find(|it| it.key == "publish") {
        return Err(Fault::usage(
            format!("{file} leaves no place for a setting of Warmwheel's"),
            format!("add it by hand, then run this again: {}", needed.by_hand()),
        ));
    }
    let by_hand = left.iter().map(|it| format!("{file} leaves no place, add it: {}", it.by_hand()));
    adoption.notes.extend(by_hand);
    if before.is_none() && !additions.is_empty() {
        adoption.notes.push(format!(
            "{file} is new; with it, pip always builds the package in an environment of its own"
        ));
    }
    let ci = settings::Table::read(&additions::parse(&after, &file)?, &file)?.ci;
    if !after.is_empty() {
        adoption.extend(facts, &file, after);
    }
    adoption.notes.extend(hint_for_sdists(&table));
    let ignored = ignore(facts.text(Utf8Path::new(IGNORE)), ccache_dir.as_deref());
    adoption.extend(facts, Utf8Path::new(IGNORE), ignored);
    Ok(ci)
}

fn carry_over(facts: &Facts, pyproject: &Table) -> Carried {
    let own = facts.workflows.iter().filter(|(_, text)| !text.starts_with(workflow::FIRST_WORDS));
    let readings = own.filter_map(|(path, text)| Some((path.clone(), workflows::read(text)?)));
    carry::carry(&readings.collect(), pyproject)
}

/// git's list of what to ignore, with what builds leave in the project.
fn ignore(before: Option<&str>, ccache_dir: Option<&str>) -> String {
    let before = before.unwrap_or_default();
    let line_end = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = before.to_owned();
    for folder in ["target", "wheelhouse"].into_iter().chain(ccache_dir) {
        let is_there =
            |line: &str| line.trim().trim_start_matches('/').trim_end_matches('/') == folder;
        if before.lines().any(is_there) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text += line_end;
        }
        text.extend(["/", folder, "/", line_end]);
    }
    text
}

/// How to keep what is brought out of source distributions, where the backend would put it in.
fn hint_for_sdists(pyproject: &Table) -> Option<String> {
    let build = ["build-system".to_owned()];
    let backend = additions::look_up(pyproject, &build, "build-backend")?.as_str()?;
    let how = if backend.starts_with("scikit_build_core") {
        format!("`sdist.exclude = [\"{HOME}/**\"]` under [tool.scikit-build]")
    } else if backend.starts_with("hatchling") {
        format!("`exclude = [\"/{HOME}\"]` under [tool.hatch.build.targets.sdist]")
    } else if backend.starts_with("mesonpy") {
        format!("`{HOME} export-ignore` in .gitattributes")
    } else if backend.starts_with("setuptools") {
        let requires = additions::look_up(pyproject, &build, "requires")?.as_array()?;
        let takes_all = requires.iter().filter_map(toml::Value::as_str).any(|requirement| {
            requirement.starts_with("setuptools-scm") || requirement.starts_with("setuptools_scm")
        });
        takes_all.then(|| format!("`prune {HOME}` in MANIFEST.in"))?
    } else {
        return None;
    };
    Some(format!("source distributions would take {HOME} along; {how} keeps it out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_ignores_already_is_not_said_again() {
        assert_eq!(ignore(None, None), "/target/\n/wheelhouse/\n");
        assert_eq!(ignore(Some("*.so\ntarget/\n/wheelhouse"), None), "*.so\ntarget/\n/wheelhouse");
        assert_eq!(
            ignore(Some("*.so"), Some(".ccache")),
            "*.so\n/target/\n/wheelhouse/\n/.ccache/\n"
        );
        assert_eq!(ignore(Some("a\r\n"), None), "a\r\n/target/\r\n/wheelhouse/\r\n");
        assert_eq!(ignore(Some("# target/\nx/target/\n!target\n"), None).lines().count(), 5);
    }

    #[test]
    fn a_backend_that_takes_all_of_git_gets_a_hint() {
        let hint = |text: &str| hint_for_sdists(&text.parse().unwrap());
        let build = "[build-system]\nbuild-backend = ";
        assert!(hint(&format!("{build}'scikit_build_core.build'")).unwrap().contains("exclude"));
        assert!(hint(&format!("{build}'hatchling.build'")).unwrap().contains("hatch"));
        assert!(hint(&format!("{build}'mesonpy'")).unwrap().contains("export-ignore"));
        let scm = "'setuptools.build_meta'\nrequires = ['setuptools', 'setuptools-scm>=8']";
        assert!(hint(&format!("{build}{scm}")).unwrap().contains("prune"));
        assert_eq!(hint(&format!("{build}'setuptools.build_meta'\nrequires = []")), None);
        assert_eq!(hint(""), None);
    }
}
