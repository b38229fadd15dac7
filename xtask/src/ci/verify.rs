//! The wheels of all jobs, checked together: from what was found to what is wrong with it.
//!
//! Names are compared as [`spelling::project`] spells them, versions as [`spelling::version`] does.

mod pairing;
mod sdist;
mod spelling;
mod text;
mod wheel;

use std::collections::BTreeMap;

use ccache_validator::wheel::Wheel;

use self::pairing::Named;
pub(crate) use self::pairing::is_identifier;
pub(crate) use self::text::{headline, summary, sums};
use crate::ci::archive::Objection;
use crate::ci::inside::{Inside, Metadata};
use crate::text::shown;

/// The file that lists the hashes of a release.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// What has to be there.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The build identifiers that must have a wheel, each once.
    pub(crate) identifiers: Vec<String>,
    /// The project's name as its pyproject.toml spells it, if that is known.
    pub(crate) project: Option<String>,
}

/// One thing in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its name.
    pub(crate) name: String,
    /// Size in bytes; 0 for what is no file.
    pub(crate) size_bytes: u64,
    /// SHA-256, hexadecimal; empty for what is no file.
    pub(crate) sha256: String,
    /// What it is.
    pub(crate) content: Content,
    /// What twine says of it.
    pub(crate) twine: Twine,
}

/// What a thing in the folder is.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// By its ending a wheel, and what it says of itself.
    Wheel(Result<Inside, Objection>),
    /// By its ending a source distribution, and what it says of itself.
    Sdist(Result<Sdist, Objection>),
    /// The list of hashes.
    Sums,
    /// Another file.
    Other,
    /// No file of its own: what it is instead, in words.
    NoFile(&'static str),
}

/// What a source distribution says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sdist {
    /// The one folder in it.
    pub(crate) folder: String,
    /// PKG-INFO, if it is there.
    pub(crate) metadata: Option<Metadata>,
}

/// The verdict of `twine check --strict`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Twine {
    /// It was not asked.
    NotAsked,
    /// It has nothing to say.
    Passed,
    /// What it says.
    Refused(String),
}

/// What a file is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `.whl`.
    Wheel,
    /// `.tar.gz`.
    Sdist,
    /// The list of hashes.
    Sums,
    /// Anything else.
    Other,
}

impl Kind {
    /// What the file `name` is.
    pub(crate) fn of(name: &str) -> Self {
        if name == SUMS {
            Self::Sums
        } else if name.strip_suffix(".whl").is_some() {
            Self::Wheel
        } else if name.strip_suffix(".tar.gz").is_some() {
            Self::Sdist
        } else {
            Self::Other
        }
    }
}

/// Something that is wrong. Nothing in it is dangerous to print; see [`shown`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file, or the build identifier.
    pub(crate) subject: String,
    /// What is wrong with it: a sentence that begins with the subject.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl Problem {
    fn new(subject: &str, what: impl AsRef<str>, remedy: impl Into<String>) -> Self {
        let (subject, what) = (shown(subject), what.as_ref().to_owned());
        Self { subject, what, remedy: remedy.into() }
    }
}

/// A file whose name says what it is a release of.
struct Release<'a> {
    file: &'a str,
    project: String,
    version: String,
    wheel: Option<Wheel>,
}

impl<'a> Release<'a> {
    fn of(found: &'a Found) -> Option<Self> {
        let file = found.name.as_str();
        match &found.content {
            Content::Wheel(_) => {
                let wheel = ccache_validator::wheel::parse(file).ok()?;
                let (project, version) = (wheel.name.clone(), wheel.version.clone());
                Some(Self { file, project, version, wheel: Some(wheel) })
            }
            Content::Sdist(_) => {
                let (project, version) = sdist::parts(file)?;
                let (project, version) = (project.to_owned(), version.to_owned());
                Some(Self { file, project, version, wheel: None })
            }
            _ => None,
        }
    }
}

/// Whether it makes sense to ask twine about something: only about what can be read.
pub(crate) fn is_for_twine(found: &Found) -> bool {
    has_usual_characters(&found.name)
        && match &found.content {
            Content::Wheel(Ok(inside)) => inside.metadata.is_some(),
            Content::Sdist(Ok(inside)) => inside.metadata.is_some(),
            _ => false,
        }
}

/// Everything that is wrong with what was `found`; nothing where it is a complete release.
pub(crate) fn problems(expected: &Expected, found: &[Found]) -> Vec<Problem> {
    let releases: Vec<_> = found.iter().filter_map(Release::of).collect();
    let mut problems = unpaired(expected, &releases);
    problems.extend(projects(expected, &releases));
    problems.extend(versions(&releases));
    problems.extend(sdists(&releases));
    problems.extend(twins(found));
    for one in found {
        alone(one, &mut problems);
    }
    problems
}

/// What is missing, too much, or there twice.
fn unpaired(expected: &Expected, releases: &[Release<'_>]) -> Vec<Problem> {
    let wheels = releases
        .iter()
        .filter_map(|release| Some(Named { file: release.file, wheel: release.wheel.as_ref()? }));
    let wheels: Vec<_> = wheels.collect();
    let pairing = pairing::pair(&expected.identifiers, &wheels);
    let missing = pairing.missing.iter().map(|identifier| {
        Problem::new(
            identifier,
            "has no wheel",
            "look at the job that was to build it, and whether what it has built was brought here",
        )
    });
    let rivals = pairing.rivals.iter().map(|(files, identifiers)| {
        let files: Vec<_> = files.iter().map(|file| shown(file)).collect();
        Problem::new(
            &identifiers.join(", "),
            format!("has {} wheels: {}", files.len(), files.join(", ")),
            "keep one of them: an earlier run, or a second job, has left the others",
        )
    });
    let stray = pairing.stray.iter().map(|file| {
        Problem::new(
            file,
            "serves none of the expected identifiers",
            "remove it, or expect the identifier that it was built for as well",
        )
    });
    let spare = pairing.spare.iter().map(|(file, better)| {
        Problem::new(
            file,
            format!("is needed for no expected identifier: {} serves them better", shown(better)),
            "remove it, or expect the identifier that it was built for as well",
        )
    });
    missing.chain(rivals).chain(stray).chain(spare).collect()
}

/// Files of other projects than the package's, or than most are of if its name is not known.
fn projects(expected: &Expected, releases: &[Release<'_>]) -> Vec<Problem> {
    const REMEDY: &str = "remove it, or say which project is released with --project";
    let Some(package) = &expected.project else {
        let project = |release: &Release<'_>| release.project.clone();
        return odd_ones(releases, "the project", project, spelling::project, REMEDY);
    };
    let right = spelling::project(package);
    let odd = releases.iter().filter(|release| spelling::project(&release.project) != right);
    odd.map(|release| {
        let (project, package) = (shown(&release.project), shown(package));
        let what = format!("is of the project {project}, and the package is {package}");
        Problem::new(release.file, what, REMEDY)
    })
    .collect()
}

/// Files of another version than the others.
fn versions(releases: &[Release<'_>]) -> Vec<Problem> {
    const REMEDY: &str = "build everything from one commit, and begin with an empty folder";
    let version = |release: &Release<'_>| release.version.clone();
    odd_ones(releases, "version", version, spelling::version, REMEDY)
}

/// Files that differ from most in what `part` takes from their names and `spelling` makes
/// comparable; all of them where no kind is more frequent than any other.
fn odd_ones(
    releases: &[Release<'_>],
    noun: &str,
    part: fn(&Release<'_>) -> String,
    spelling: fn(&str) -> String,
    remedy: &str,
) -> Vec<Problem> {
    let parts: Vec<_> = releases.iter().map(part).collect();
    let keys: Vec<_> = parts.iter().map(|part| spelling(part)).collect();
    let kinds: BTreeMap<&str, String> =
        keys.iter().zip(&parts).map(|(key, part)| (key.as_str(), shown(part))).collect();
    let usual = usual(&keys);
    let most = usual.and_then(|(key, count)| Some((kinds.get(key)?, count)));
    let others = if let Some((kind, count)) = most {
        format!("{count} of {} files are of {kind}", keys.len())
    } else {
        let all: Vec<_> = kinds.values().map(String::as_str).collect();
        format!("there are files of {}", all.join(" and "))
    };
    let odd = releases.iter().zip(keys.iter().zip(&parts));
    odd.filter(|(_, (key, _))| usual.is_none_or(|(most, _)| most != key.as_str()))
        .map(|(release, (_, part))| {
            let what = format!("is of {noun} {}, and {others}", shown(part));
            Problem::new(release.file, what, remedy)
        })
        .collect()
}

/// The most frequent of `keys` and how often it is there, if no other is there as often.
fn usual(keys: &[String]) -> Option<(&str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    let mut usual = counts.into_iter().filter(|&(_, count)| count == most);
    let first = usual.next();
    if usual.next().is_some() { None } else { first }
}

/// More than one source distribution.
fn sdists(releases: &[Release<'_>]) -> Option<Problem> {
    let sdists = releases.iter().filter(|release| release.wheel.is_none());
    let names: Vec<_> = sdists.map(|release| shown(release.file)).collect();
    (names.len() > 1).then(|| {
        Problem::new(
            "source distributions",
            format!("are there {} times: {}", names.len(), names.join(", ")),
            "keep the one that the wheels were built from",
        )
    })
}

/// Files of one content under several names.
fn twins(found: &[Found]) -> Vec<Problem> {
    let mut same: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in found.iter().filter(|one| one.size_bytes > 0 && !one.sha256.is_empty()) {
        same.entry(&one.sha256).or_default().push(&one.name);
    }
    let twins = same.values().filter_map(|names| match names.as_slice() {
        [first, others @ ..] if !others.is_empty() => Some((first, others)),
        _ => None,
    });
    twins
        .map(|(first, others)| {
            let others: Vec<_> = others.iter().map(|name| shown(name)).collect();
            Problem::new(
                first,
                format!("has the same content as {}", others.join(", ")),
                "keep the one whose name is true: a wheel is not renamed, it is built or retagged",
            )
        })
        .collect()
}

/// What is wrong with one thing alone.
fn alone(found: &Found, problems: &mut Vec<Problem>) {
    let name = found.name.as_str();
    let mut say = |what: String, remedy: &str| problems.push(Problem::new(name, what, remedy));
    let is_release = matches!(found.content, Content::Wheel(_) | Content::Sdist(_));
    if is_release && !has_usual_characters(name) {
        say(
            "has characters in its name that no index takes".to_owned(),
            "build it again: names of releases have letters, digits and ._-+! only",
        );
    }
    if is_release && found.size_bytes == 0 {
        say("is empty".to_owned(), "build it again, or bring it here again");
        return;
    }
    match &found.content {
        Content::Wheel(inside) => wheel::check(name, inside, &mut say),
        Content::Sdist(inside) => sdist::check(name, inside, &mut say),
        Content::Sums => {}
        Content::Other => say(
            "is neither a wheel nor a source distribution".to_owned(),
            "remove it: everything in this folder is taken for a part of the release",
        ),
        Content::NoFile(what) => say(
            format!("is {what}, not a file"),
            "remove it: everything in this folder is taken for a part of the release",
        ),
    }
    match &found.twine {
        Twine::Refused(said) => say(
            format!("does not pass `twine check --strict`: {}", shown(said)),
            "mend the description or the metadata of the package, and build it again",
        ),
        Twine::NotAsked if is_for_twine(found) => say(
            "was not checked by twine".to_owned(),
            "this should not happen: report it with what stands above",
        ),
        Twine::NotAsked | Twine::Passed => {}
    }
}

/// Whether a file name has only what names of releases are made of.
fn has_usual_characters(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || "._-+!".contains(one))
}

#[cfg(test)]
mod tests;
