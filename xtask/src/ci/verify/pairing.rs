//! Which wheel is for which build identifier.
//!
//! As an installer would, each identifier takes the wheel that fits it best: one of its own Python
//! before one of the stable ABI, a later stable ABI before an earlier one, and one that is bound to
//! no Python last. So a wheel may serve several identifiers, and wheels of both kinds may stand side
//! by side; two that fit equally well may not.

use std::collections::{BTreeMap, BTreeSet};

use ccache_validator::wheel::{Fit, Wheel};

/// A wheel whose name could be taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) file: &'a str,
    pub(super) wheel: &'a Wheel,
}

/// What came of pairing wheels and identifiers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pairing<'a> {
    /// Identifiers that no wheel serves.
    pub(super) missing: Vec<&'a str>,
    /// Wheels that serve the same identifiers equally well, and those identifiers.
    pub(super) rivals: BTreeMap<Vec<&'a str>, Vec<&'a str>>,
    /// Wheels that serve no identifier at all.
    pub(super) stray: Vec<&'a str>,
    /// Wheels that serve only identifiers which another serves better, each with such a one.
    pub(super) spare: Vec<(&'a str, &'a str)>,
}

/// Whether a text has the form of a build identifier, `cp312-manylinux_x86_64`.
pub(crate) fn is_identifier(text: &str) -> bool {
    let is_plain = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.split_once('-').is_some_and(|(python, platform)| {
        is_plain(python) && is_plain(platform) && python.contains(|c: char| c.is_ascii_digit())
    })
}

/// Pairs all of `identifiers` with `wheels`.
pub(super) fn pair<'a>(identifiers: &'a [String], wheels: &[Named<'a>]) -> Pairing<'a> {
    let mut pairing = Pairing::default();
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    let mut outdone: BTreeMap<&str, &str> = BTreeMap::new();
    for identifier in identifiers {
        let fits = wheels.iter().filter_map(|named| Some((rank(named.wheel, identifier)?, named)));
        let fits: Vec<_> = fits.collect();
        let Some(best) = fits.iter().map(|(rank, _)| *rank).max() else {
            pairing.missing.push(identifier);
            continue;
        };
        let (chosen, others): (Vec<_>, Vec<_>) = fits.iter().partition(|(rank, _)| *rank == best);
        let mut chosen: Vec<_> = chosen.iter().map(|(_, named)| named.file).collect();
        chosen.sort_unstable();
        needed.extend(&chosen);
        for (_, other) in others {
            outdone.extend(chosen.first().map(|&better| (other.file, better)));
        }
        if chosen.len() > 1 {
            pairing.rivals.entry(chosen).or_default().push(identifier);
        }
    }
    for named in wheels.iter().filter(|named| !needed.contains(named.file)) {
        match outdone.get(named.file) {
            Some(better) => pairing.spare.push((named.file, better)),
            None => pairing.stray.push(named.file),
        }
    }
    pairing
}

/// How well a wheel serves an identifier: by Python, by the version of Python that it was made for,
/// by platform. `None` if it does not.
type Rank = (u8, u32, u8);

fn rank(wheel: &Wheel, identifier: &str) -> Option<Rank> {
    let fit = match wheel.serves(identifier)? {
        Fit::Exact => 3,
        Fit::OlderStableAbi => 2,
        Fit::AnyPython => 1,
    };
    let (_, wanted) = identifier.split_once('-')?;
    let platform = wheel.platforms.iter().filter_map(|tag| platform_rank(tag, wanted)).max()?;
    let made_for = wheel.pythons.iter().filter_map(|tag| minor_version(tag)).max();
    Some((fit, made_for.unwrap_or(0), platform))
}

/// `cp39` is 9, `cp313` is 13, `py3` has none.
fn minor_version(tag: &str) -> Option<u32> {
    let digits = tag.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    digits.get(1..)?.parse().ok()
}

/// How well a platform tag (`manylinux_2_28_x86_64`) serves an identifier's platform
/// (`manylinux_x86_64`).
fn platform_rank(tag: &str, wanted: &str) -> Option<u8> {
    const FAMILIES: [(&str, &[&str]); 6] = [
        ("manylinux", &["manylinux"]),
        ("musllinux", &["musllinux"]),
        ("macosx", &["macosx"]),
        ("android", &["android"]),
        ("ios", &["ios"]),
        ("pyodide", &["pyodide", "emscripten", "pyemscripten"]),
    ];
    if tag == wanted {
        return Some(4);
    }
    if tag == "any" {
        return Some(1);
    }
    let (family, machine) = wanted.split_once('_')?;
    let (_, prefixes) = FAMILIES.iter().find(|(name, _)| *name == family)?;
    let is_of = |machine: &str| {
        prefixes.iter().any(|prefix| {
            let version = tag.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(machine));
            version.is_some_and(|version| {
                // `_2_28_`, `2014_`: always with a number, and ended by what parts it from the machine.
                version.ends_with('_')
                    && version.contains(|c: char| c.is_ascii_digit())
                    && version.chars().all(|c| c.is_ascii_digit() || c == '_')
            })
        })
    };
    if is_of(machine) {
        Some(4)
    } else if family == "macosx" && is_of("universal2") {
        Some(3)
    } else if family.ends_with("linux") && tag.strip_prefix("linux_") == Some(machine) {
        // Not repaired: which of the two it was built for does not show.
        Some(2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs identifiers with wheels that are called `p-1-TAGS.whl`, and shows what is wrong.
    fn wrong(identifiers: &[&str], tags: &[&str]) -> Vec<String> {
        let identifiers: Vec<_> = identifiers.iter().map(|&one| one.to_owned()).collect();
        let files: Vec<_> = tags.iter().map(|tags| format!("p-1-{tags}.whl")).collect();
        let wheels: Vec<_> =
            files.iter().map(|file| ccache_validator::wheel::parse(file).unwrap()).collect();
        let named = files.iter().zip(&wheels).map(|(file, wheel)| Named { file, wheel });
        let named: Vec<_> = named.collect();
        let pairing = pair(&identifiers, &named);
        let short =
            |file: &str| file.trim_start_matches("p-1-").trim_end_matches(".whl").to_owned();
        let mut wrong: Vec<_> =
            pairing.missing.iter().map(|one| format!("missing {one}")).collect();
        for (files, identifiers) in &pairing.rivals {
            let files: Vec<_> = files.iter().map(|file| short(file)).collect();
            wrong.push(format!("rivals {} for {}", files.join(" "), identifiers.join(" ")));
        }
        wrong.extend(pairing.stray.iter().map(|file| format!("stray {}", short(file))));
        let spare = pairing.spare.iter();
        wrong
            .extend(spare.map(|(file, better)| format!("spare {} {}", short(file), short(better))));
        wrong
    }

    #[test]
    fn sets_that_are_complete() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["cp312-manylinux_x86_64"], &["cp312-cp312-manylinux_2_28_x86_64"]),
            (
                &["cp312-manylinux_x86_64", "cp312-musllinux_x86_64", "cp313t-manylinux_aarch64"],
                &[
                    "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
                    "cp312-cp312-musllinux_1_2_x86_64",
                    "cp313-cp313t-manylinux2014_aarch64",
                ],
            ),
            (
                &["cp312-macosx_arm64", "cp312-macosx_x86_64", "cp312-win_amd64", "cp312-win32"],
                &[
                    "cp312-cp312-macosx_11_0_arm64",
                    "cp312-cp312-macosx_10_13_x86_64",
                    "cp312-cp312-win_amd64",
                    "cp312-cp312-win32",
                ],
            ),
            (
                &["cp312-macosx_arm64", "cp312-macosx_universal2", "cp312-macosx_x86_64"],
                &[
                    "cp312-cp312-macosx_10_13_universal2",
                    "cp312-cp312-macosx_10_13_x86_64",
                    "cp312-cp312-macosx_11_0_arm64",
                ],
            ),
            (
                &["cp313-ios_arm64_iphoneos", "cp313-android_arm64_v8a", "cp312-pyodide_wasm32"],
                &[
                    "cp313-cp313-ios_13_0_arm64_iphoneos",
                    "cp313-cp313-android_21_arm64_v8a",
                    "cp312-cp312-pyodide_2024_0_wasm32",
                ],
            ),
            // One of the stable ABI for all; for the later ones; two of them; beside others.
            (&["cp39-win_amd64", "cp310-win_amd64", "cp313-win_amd64"], &["cp39-abi3-win_amd64"]),
            (
                &["cp310-win_amd64", "cp311-win_amd64", "cp312-win_amd64", "cp313t-win_amd64"],
                &["cp310-cp310-win_amd64", "cp311-abi3-win_amd64", "cp313-cp313t-win_amd64"],
            ),
            (
                &["cp38-win_amd64", "cp310-win_amd64", "cp311-win_amd64", "cp313-win_amd64"],
                &["cp38-abi3-win_amd64", "cp311-abi3-win_amd64"],
            ),
            // Bound to no Python, and to nothing at all.
            (
                &["cp311-manylinux_x86_64", "pp310-manylinux_x86_64", "cp311-macosx_arm64"],
                &["py3-none-manylinux_2_17_x86_64", "py3-none-macosx_11_0_arm64"],
            ),
            (&["cp311-manylinux_x86_64", "cp312-win_amd64"], &["py2.py3-none-any"]),
            (
                &["cp312-macosx_arm64", "cp312-macosx_x86_64"],
                &["cp312-cp312-macosx_11_0_universal2"],
            ),
            (
                &["gp311_242-manylinux_x86_64"],
                &["graalpy311-graalpy242_311_native-manylinux_2_28_x86_64"],
            ),
        ];
        for (identifiers, tags) in cases {
            assert_eq!(wrong(identifiers, tags), [""; 0], "{identifiers:?}");
        }
    }

    #[test]
    fn what_is_missing_too_much_or_there_twice() {
        let x86 = ["cp312-manylinux_x86_64"];
        let right = "cp312-cp312-manylinux_2_28_x86_64";
        let cases: &[(&[&str], &[&str], &[&str])] = &[
            (&x86, &[], &["missing cp312-manylinux_x86_64"]),
            (
                &x86,
                &["cp312-cp312-manylinux_2_28_aarch64"],
                &["missing cp312-manylinux_x86_64", "stray cp312-cp312-manylinux_2_28_aarch64"],
            ),
            (
                &x86,
                &["cp312-cp312-manylinux_x86_64x"],
                &["missing cp312-manylinux_x86_64", "stray cp312-cp312-manylinux_x86_64x"],
            ),
            (
                &["cp312-win32"],
                &["cp312-cp312-win_amd64"],
                &["missing cp312-win32", "stray cp312-cp312-win_amd64"],
            ),
            (
                &["cp313t-win32"],
                &["cp313-cp313-win32"],
                &["missing cp313t-win32", "stray cp313-cp313-win32"],
            ),
            (
                &x86,
                &[right, "cp313-cp313-manylinux_2_28_x86_64"],
                &["stray cp313-cp313-manylinux_2_28_x86_64"],
            ),
            (
                &x86,
                &[right, "1-cp312-cp312-manylinux_2_28_x86_64"],
                &["rivals 1-cp312-cp312-manylinux_2_28_x86_64 cp312-cp312-manylinux_2_28_x86_64 \
                 for cp312-manylinux_x86_64"],
            ),
            (
                &x86,
                &[right, "cp312-cp312-manylinux_2_17_x86_64"],
                &["rivals cp312-cp312-manylinux_2_17_x86_64 cp312-cp312-manylinux_2_28_x86_64 \
                 for cp312-manylinux_x86_64"],
            ),
            (
                &x86,
                &[right, "cp39-abi3-manylinux_2_28_x86_64"],
                &["spare cp39-abi3-manylinux_2_28_x86_64 cp312-cp312-manylinux_2_28_x86_64"],
            ),
            (
                &["cp311-win32", "cp312-win32"],
                &["cp39-abi3-win32", "1-cp39-abi3-win32"],
                &["rivals 1-cp39-abi3-win32 cp39-abi3-win32 for cp311-win32 cp312-win32"],
            ),
            // Not repaired: told elsewhere, and paired as far as it can be.
            (
                &["cp312-manylinux_x86_64", "cp312-musllinux_x86_64"],
                &[right, "cp312-cp312-linux_x86_64"],
                &[],
            ),
        ];
        for (identifiers, tags, expected) in cases {
            assert_eq!(&wrong(identifiers, tags), expected, "{identifiers:?} {tags:?}");
        }
    }

    #[test]
    fn identifiers_have_a_form() {
        for one in ["cp312-manylinux_x86_64", "gp311_242-macosx_arm64", "cp313t-win32"] {
            assert!(is_identifier(one), "{one}");
        }
        for none in
            ["", "cp312", "cp-win32", "cp312-", "-win32", "cp312-*", "CP312-win32", "cp3 -w"]
        {
            assert!(!is_identifier(none), "{none}");
        }
    }
}
