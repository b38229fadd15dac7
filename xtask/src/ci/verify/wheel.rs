//! What is wrong with one wheel alone: whether its name, METADATA, WHEEL and RECORD agree.

use std::collections::BTreeSet;

use ccache_validator::wheel::{Wheel, parse};

use super::spelling;
use crate::ci::archive::Objection;
use crate::ci::inside::{Inside, Metadata, Record, Tags};
use crate::text::shown;

/// What to do about a wheel that contradicts itself.
const REBUILD: &str = "build it again; if that does not help, whatever has changed it after it was \
                       built (a repair, a rename) is at fault";
/// The most combinations of tags that a name may stand for: each is a line in WHEEL.
const MOST_TAGS: usize = 4096;

/// Says everything that is wrong with the wheel `name`, each with what to do about it.
pub(super) fn check(
    name: &str,
    inside: &Result<Inside, Objection>,
    say: &mut impl FnMut(String, &str),
) {
    let wheel = match parse(name) {
        Ok(wheel) => Some(wheel),
        Err(error) => {
            let said = error.to_string();
            let why = said.split_once(" is no wheel file name: ").map_or(&*said, |(_, why)| why);
            say(format!("is no wheel's name: {}", shown(why)), REBUILD);
            None
        }
    };
    if let Some(wheel) = &wheel {
        for tag in unrepaired(wheel) {
            say(
                format!("has the platform tag {}, which no index takes", shown(tag)),
                "let cibuildwheel repair it (`repair-wheel-command`, auditwheel), then build it again",
            );
        }
    }
    let inside = match inside {
        Ok(inside) => inside,
        Err(objection) => return say(objection.clone(), "build it again, or bring it here again"),
    };
    if let Some(wheel) = &wheel {
        folder(wheel, &inside.dist_info, say);
    }
    match &inside.metadata {
        None => say("has no METADATA".to_owned(), REBUILD),
        Some(metadata) => {
            let named = wheel.as_ref().map(|wheel| (wheel.name.as_str(), wheel.version.as_str()));
            identity(named, metadata, "METADATA", say);
        }
    }
    match &inside.tags {
        None => say("has no WHEEL".to_owned(), REBUILD),
        Some(tags) => compatibility(wheel.as_ref(), tags, say),
    }
    match &inside.record {
        None => say("has no RECORD".to_owned(), REBUILD),
        Some(record) => listing(record, say),
    }
}

/// Platform tags that say nothing of the systems that a wheel runs on. Only for two old machines,
/// which had no other, do indexes take them.
fn unrepaired(wheel: &Wheel) -> impl Iterator<Item = &String> {
    const TAKEN: [&str; 2] = ["linux_armv6l", "linux_armv7l"];
    let is_bare = |tag: &&String| tag.starts_with("linux_") && !TAKEN.contains(&tag.as_str());
    wheel.platforms.iter().filter(is_bare)
}

/// The `.dist-info` folder has to be called like the file.
fn folder(wheel: &Wheel, dist_info: &str, say: &mut impl FnMut(String, &str)) {
    let agrees = dist_info.rsplit_once('-').is_some_and(|(name, version)| {
        spelling::project(name) == spelling::project(&wheel.name)
            && spelling::version(version) == spelling::version(&wheel.version)
    });
    if !agrees {
        say(format!("has the folder {}.dist-info, of another name", shown(dist_info)), REBUILD);
    }
}

/// The metadata in `file` have to name the project and the version that the file's own name has, if
/// those are known.
pub(super) fn identity(
    named: Option<(&str, &str)>,
    metadata: &Metadata,
    file: &str,
    say: &mut impl FnMut(String, &str),
) {
    let mut compare = |header: &str, values: &[String], in_name: Option<&str>, agree: Same| match (
        values, in_name,
    ) {
        ([], _) => say(format!("has a {file} without {header}"), REBUILD),
        ([_, _, ..], _) => say(format!("has a {file} with several of {header}"), REBUILD),
        ([value], Some(in_name)) if !agree(value, in_name) => {
            say(format!("has the {header} {} in {file}", shown(value)), REBUILD);
        }
        _ => {}
    };
    let same_name = |a: &str, b: &str| spelling::project(a) == spelling::project(b);
    let same_version = |a: &str, b: &str| spelling::version(a) == spelling::version(b);
    compare("Name", &metadata.names, named.map(|(name, _)| name), same_name);
    compare("Version", &metadata.versions, named.map(|(_, version)| version), same_version);
}

type Same = fn(&str, &str) -> bool;

/// WHEEL has to have the tags of the file's name, and to say where the files belong.
fn compatibility(wheel: Option<&Wheel>, inside: &Tags, say: &mut impl FnMut(String, &str)) {
    if let Some(wheel) = wheel {
        let listed: BTreeSet<&str> = inside.tags.iter().map(String::as_str).collect();
        match expand(wheel) {
            None => say("has more tags in its name than any wheel needs".to_owned(), REBUILD),
            Some(named) => {
                let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
                let only_listed: Vec<_> = listed.difference(&named).collect();
                let only_named: Vec<_> = named.difference(&listed).collect();
                some(&only_listed, "has the tag ", " in WHEEL, not in its name", say);
                some(&only_named, "has the tag ", " in its name, not in WHEEL", say);
            }
        }
    }
    let pure = match inside.root_is_purelib.as_slice() {
        [value] => match value.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    };
    let is_bound = wheel.is_some_and(|wheel| !wheel.abis.iter().any(|abi| abi == "none"));
    match pure {
        None => {
            say("has a WHEEL that does not say Root-Is-Purelib: true or false".to_owned(), REBUILD);
        }
        Some(true) if is_bound => {
            say("is bound to an ABI, and its WHEEL says Root-Is-Purelib: true".to_owned(), REBUILD);
        }
        Some(_) => {}
    }
}

/// All tags that a compressed name stands for; `None` if they are too many.
fn expand(wheel: &Wheel) -> Option<BTreeSet<String>> {
    let count = wheel.pythons.len() * wheel.abis.len() * wheel.platforms.len();
    if count > MOST_TAGS {
        return None;
    }
    let mut tags = BTreeSet::new();
    for python in &wheel.pythons {
        for abi in &wheel.abis {
            tags.extend(wheel.platforms.iter().map(|one| format!("{python}-{abi}-{one}")));
        }
    }
    Some(tags)
}

/// RECORD has to list what is there, and nothing else: indexes refuse a wheel of which it does not.
fn listing(record: &Record, say: &mut impl FnMut(String, &str)) {
    some(&record.unlisted, "has ", ", which is not in its RECORD", say);
    some(&record.absent, "has ", " in its RECORD only", say);
}

/// Says it of the first of `things`, with how many more there are; nothing if there are none.
fn some(
    things: &[impl AsRef<str>],
    before: &str,
    behind: &str,
    say: &mut impl FnMut(String, &str),
) {
    let Some(first) = things.first() else { return };
    let more = match things.len() - 1 {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    say(format!("{before}{}{more}{behind}", shown(first.as_ref())), REBUILD);
}
