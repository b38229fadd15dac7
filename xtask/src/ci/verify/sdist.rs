//! What is wrong with one source distribution alone.

use super::{Sdist, wheel};
use crate::ci::archive::Objection;
use crate::text::shown;

const REBUILD: &str = "build it again with `python -m build --sdist`, or bring it here again";

/// Says everything that is wrong with the source distribution `name`, each with what to do about it.
pub(super) fn check(
    name: &str,
    inside: &Result<Sdist, Objection>,
    say: &mut impl FnMut(String, &str),
) {
    let named = parts(name);
    if named.is_none() {
        say("is no source distribution's name: expected NAME-VERSION.tar.gz".to_owned(), REBUILD);
    }
    let inside = match inside {
        Ok(inside) => inside,
        Err(objection) => return say(objection.clone(), REBUILD),
    };
    if name.strip_suffix(".tar.gz") != Some(&inside.folder) {
        let folder = shown(&inside.folder);
        say(format!("has its files in {folder}, not in a folder of its own name"), REBUILD);
    }
    match &inside.metadata {
        None => say("has no PKG-INFO".to_owned(), REBUILD),
        Some(metadata) => wheel::identity(named, metadata, "PKG-INFO", say),
    }
}

/// Name and version out of `NAME-VERSION.tar.gz`.
pub(super) fn parts(file: &str) -> Option<(&str, &str)> {
    let (name, version) = file.strip_suffix(".tar.gz")?.rsplit_once('-')?;
    let is_version = version.starts_with(|first: char| first.is_ascii_digit());
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    (is_name && is_version).then_some((name, version))
}
