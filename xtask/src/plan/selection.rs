//! Which identifiers are built: the package's own selection, narrowed.

use anyhow::Result;

use super::facts::{Answer, Facts, Host, Selected};
use crate::fault::Fault;
use crate::settings::{Settings, nearest};

/// The selected builds, and the identifiers that were left out because the test image, or this
/// machine where it builds without containers, has no interpreter for them.
pub(super) struct Selection<'a> {
    pub(super) builds: Vec<&'a Selected>,
    pub(super) left_out: Vec<&'a str>,
}

/// Narrows the package's selection by `--only` and `--python`, and by the interpreters that there
/// are.
///
/// # Errors
/// An identifier that does not exist or that the package leaves out, a version that is none, or
/// nothing left to build.
pub(super) fn select<'a>(facts: &Facts<'a>) -> Result<Selection<'a>> {
    let (answer, settings) = (facts.answer, facts.settings);
    for wanted in &settings.only {
        require(wanted, answer)?;
    }
    let wanted = Wanted::of(&settings.only, &settings.python)?;
    let narrowed = answer.builds.iter().filter(|build| wanted.has(&build.identifier));
    let is_there = |build: &&Selected| {
        let identifier = &build.identifier;
        facts.lab.is_none_or(|lab| lab.identifiers.contains(identifier))
            && facts.host.is_none_or(|host| host.interpreters.contains_key(identifier))
    };
    let (builds, left_out): (Vec<_>, Vec<_>) = narrowed.partition(is_there);
    if builds.is_empty() {
        return Err(match facts.host {
            Some(host) if !left_out.is_empty() => no_interpreter(host, &left_out),
            _ => nothing_left(answer, settings, &left_out),
        });
    }
    let left_out = left_out.iter().map(|build| build.identifier.as_str()).collect();
    Ok(Selection { builds, left_out })
}

/// What is selected, and none of it can be built on this machine.
fn no_interpreter(host: &Host, left_out: &[&Selected]) -> anyhow::Error {
    let wanted = list(&mut left_out.iter().copied());
    let unfit = left_out.iter().filter_map(|build| host.unfit.get(&build.identifier));
    let unfit: Vec<_> = unfit.map(String::as_str).collect();
    let what = format!("this machine has no interpreter for {wanted}");
    let what = if unfit.is_empty() { what } else { format!("{what}: {}", unfit.join("; ")) };
    let others: Vec<_> = host.interpreters.keys().chain(&host.others).map(String::as_str).collect();
    let others = match others.as_slice() {
        [] => String::new(),
        others => format!("; there are others here, for {}", others.join(", ")),
    };
    Fault::machine(
        what,
        format!(
            "install one with its headers (`uv python install 3.12`, pyenv, or the system's \
             python3-dev){others}"
        ),
    )
}

fn list(builds: &mut dyn Iterator<Item = &Selected>) -> String {
    builds.map(|build| build.identifier.as_str()).collect::<Vec<_>>().join(", ")
}

/// What `--only` and `--python` leave of a package's identifiers.
pub(crate) struct Wanted<'a> {
    only: &'a [String],
    versions: Vec<Python>,
}

impl<'a> Wanted<'a> {
    /// Nothing is left out by an empty list.
    ///
    /// # Errors
    /// A version that is none.
    pub(crate) fn of(only: &'a [String], python: &[String]) -> Result<Self> {
        let versions = python.iter().map(|version| parse_version(version));
        Ok(Self { only, versions: versions.collect::<Result<_>>()? })
    }

    /// Whether an identifier is among them.
    pub(crate) fn has(&self, identifier: &str) -> bool {
        let only = self.only.is_empty() || self.only.iter().any(|it| it == identifier);
        let python = self.versions.is_empty()
            || python_of(identifier).is_some_and(|python| self.versions.contains(&python));
        only && python
    }
}

fn require(wanted: &str, answer: &Answer) -> Result<()> {
    if answer.builds.iter().any(|build| build.identifier == wanted) {
        return Ok(());
    }
    if answer.known.iter().any(|known| known == wanted) {
        return Err(Fault::usage(
            format!("{wanted} exists, but the package's own configuration leaves it out"),
            "change `build`, `skip` or `enable` in [tool.cibuildwheel], `requires-python`, or set \
             CIBW_BUILD",
        ));
    }
    let known: Vec<_> = answer.known.iter().map(String::as_str).collect();
    Err(Fault::usage(
        format!("there is no build identifier {wanted:?} on {}", answer.platform),
        match nearest(wanted, &known) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "`--plan` lists the package's identifiers".to_owned(),
        },
    ))
}

fn nothing_left(answer: &Answer, settings: &Settings, left_out: &[&Selected]) -> anyhow::Error {
    if !left_out.is_empty() {
        return Fault::usage(
            format!(
                "the test image has no interpreter for {}",
                list(&mut left_out.iter().copied())
            ),
            "build other versions, or in another image",
        );
    }
    if answer.builds.is_empty() {
        return Fault::usage(
            "the package's own configuration selects no build here",
            "look at `build`, `skip` and `archs` in [tool.cibuildwheel], and at `requires-python`",
        );
    }
    Fault::usage(
        format!(
            "no build is left after --only {} --python {}",
            settings.only.join(","),
            settings.python.join(",")
        ),
        format!("the package has {}", list(&mut answer.builds.iter())),
    )
}

/// Major and minor version, and whether it is free-threaded.
type Python = (u32, u32, bool);

fn parse_version(text: &str) -> Result<Python> {
    let (number, free_threaded) = match text.strip_suffix('t') {
        Some(number) => (number, true),
        None => (text, false),
    };
    number
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?, free_threaded)))
        .ok_or_else(|| {
            Fault::usage(
                format!("{text:?} is no Python version"),
                "write it as 3.12, or 3.13t for free-threaded",
            )
        })
}

/// The Python of an identifier: `cp313t-manylinux_x86_64` is (3, 13, true).
fn python_of(identifier: &str) -> Option<Python> {
    let tag = identifier.split(['-', '_']).next()?;
    let tag = tag.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let (digits, free_threaded) = match tag.strip_suffix('t') {
        Some(digits) => (digits, true),
        None => (tag, false),
    };
    let (major, minor) = digits.split_at_checked(1)?;
    Some((major.parse().ok()?, minor.parse().ok()?, free_threaded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_name_their_python() {
        assert_eq!(python_of("cp312-manylinux_x86_64"), Some((3, 12, false)));
        assert_eq!(python_of("cp313t-musllinux_aarch64"), Some((3, 13, true)));
        assert_eq!(python_of("pp311-macosx_arm64"), Some((3, 11, false)));
        assert_eq!(python_of("gp311_242-manylinux_x86_64"), Some((3, 11, false)));
        assert_eq!(python_of(""), None);
        assert_eq!(python_of("é"), None);
    }

    #[test]
    fn versions_are_written_with_a_point() {
        assert_eq!(parse_version("3.13t").unwrap(), (3, 13, true));
        for wrong in ["312", "three", "3.", ""] {
            assert!(parse_version(wrong).is_err(), "{wrong}");
        }
    }
}
