//! Wheel file names (PEP 427): `NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl`.

use crate::error::Error;

/// Longest file name that is looked at, in bytes: what file systems take.
const MAX_NAME_BYTES: usize = 255;

/// A wheel's file name, taken apart. Compressed tag sets (`py2.py3`) are split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// The project's name as the file spells it.
    pub name: String,
    /// The version.
    pub version: String,
    /// The build tag, when there is one; it starts with a digit.
    pub build: Option<String>,
    /// Python tags: `cp312`, `py3`.
    pub pythons: Vec<String>,
    /// ABI tags: `cp312`, `abi3`, `none`.
    pub abis: Vec<String>,
    /// Platform tags: `manylinux_2_28_x86_64`.
    pub platforms: Vec<String>,
}

/// How a wheel serves a build identifier's Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Made for exactly this Python version.
    Exact,
    /// Stable ABI of an older Python: one build serves this version and later ones.
    OlderStableAbi,
    /// Bound to no Python version (`py3-none`).
    AnyPython,
}

impl Fit {
    /// Whether the wheel may have been built for an earlier identifier and used again here.
    #[must_use]
    pub fn is_shared(self) -> bool {
        !matches!(self, Self::Exact)
    }
}

/// Takes the file name `name` apart.
///
/// # Errors
/// It is no wheel's file name: another ending, a missing or surplus part, a path separator, a
/// control character.
pub fn parse(name: &str) -> Result<Wheel, Error> {
    let refuse = |why: &str| {
        let shown = crate::text::escape(crate::text::keep_start(name, 120).as_bytes());
        Error::new(format!(
            "{shown} is no wheel file name: {why}; expected NAME-VERSION-PYTHON-ABI-PLATFORM.whl"
        ))
    };
    if name.len() > MAX_NAME_BYTES {
        return Err(refuse("it is longer than 255 bytes"));
    }
    if name.chars().any(|one| one.is_control() || one.is_whitespace() || "/\\:".contains(one)) {
        return Err(refuse("it holds a separator, a blank or a control character"));
    }
    let stem = name.strip_suffix(".whl").ok_or_else(|| refuse("it does not end in .whl"))?;
    let parts: Vec<&str> = stem.split('-').collect();
    let (project, version, build, tags) = match parts.as_slice() {
        [project, version, tags @ ..] if tags.len() == 3 => (project, version, None, tags),
        [project, version, build, tags @ ..] if tags.len() == 3 => {
            (project, version, Some(*build), tags)
        }
        _ => return Err(refuse("it has neither five nor six parts")),
    };
    if project.is_empty() || project.starts_with('.') || version.is_empty() {
        return Err(refuse("its name or version is missing"));
    }
    if build.is_some_and(|tag| !tag.starts_with(|first: char| first.is_ascii_digit())) {
        return Err(refuse("its build tag does not start with a digit"));
    }
    let mut sets = tags.iter().map(|set| split_tags(set));
    let mut next = || sets.next().flatten().ok_or_else(|| refuse("one of its tags is empty"));
    Ok(Wheel {
        name: (*project).to_owned(),
        version: (*version).to_owned(),
        build: build.map(str::to_owned),
        pythons: next()?,
        abis: next()?,
        platforms: next()?,
    })
}

fn split_tags(set: &str) -> Option<Vec<String>> {
    let tags: Vec<String> = set.split('.').map(str::to_owned).collect();
    tags.iter().all(|tag| !tag.is_empty()).then_some(tags)
}

impl Wheel {
    /// How this wheel serves the Python of a build identifier (`cp313t-manylinux_x86_64`); `None`
    /// when it does not. The platform is not looked at.
    #[must_use]
    pub fn serves(&self, identifier: &str) -> Option<Fit> {
        let wanted = Interpreter::parse(identifier)?;
        let abi = |name: &str| self.abis.iter().any(|tag| tag == name);
        let mut shared = None;
        for tag in &self.pythons {
            let Some(python) = Interpreter::parse(tag) else { continue };
            let same = python.implementation == wanted.implementation;
            if same && python.version == wanted.version && self.abi_is_exact(&wanted) {
                return Some(Fit::Exact);
            }
            let stable = if wanted.free_threaded { "abi3t" } else { "abi3" };
            if same && abi(stable) && wanted.is_at_least(&python) {
                shared = Some(Fit::OlderStableAbi);
            } else if python.implementation == "py" && abi("none") && wanted.is_at_least(&python) {
                shared = shared.or(Some(Fit::AnyPython));
            }
        }
        shared
    }

    /// Whether one of the ABI tags is possible for the Python version that the wheel names.
    fn abi_is_exact(&self, wanted: &Interpreter) -> bool {
        self.abis.iter().any(|tag| {
            let free_threaded = Interpreter::parse(tag).is_some_and(|one| {
                ["cp", "abi"].contains(&one.implementation.as_str()) && one.free_threaded
            });
            tag == "none" || free_threaded == wanted.free_threaded
        })
    }
}

/// `cp313t` taken apart: implementation, version digits, free-threaded.
#[derive(Debug, PartialEq, Eq)]
struct Interpreter {
    implementation: String,
    version: (u32, Option<u32>),
    free_threaded: bool,
}

impl Interpreter {
    /// From a Python tag, or from a build identifier, which starts with one.
    fn parse(text: &str) -> Option<Self> {
        let tag = text.split(['-', '_']).next()?;
        let digits_at = tag.find(|one: char| one.is_ascii_digit())?;
        let (implementation, rest) = tag.split_at(digits_at);
        let implementation = match implementation {
            "graalpy" => "gp",
            other => other,
        };
        let free_threaded = rest.ends_with('t');
        let digits = rest.trim_end_matches(|one: char| one.is_ascii_lowercase());
        let (major, minor) = digits.split_at_checked(1)?;
        let minor = if minor.is_empty() { None } else { Some(minor.parse().ok()?) };
        Some(Self {
            implementation: implementation.to_owned(),
            version: (major.parse().ok()?, minor),
            free_threaded,
        })
    }

    /// Same major version, and a minor version that is not older. `py3` asks for no minor version.
    fn is_at_least(&self, other: &Self) -> bool {
        self.version.0 == other.version.0
            && match (self.version.1, other.version.1) {
                (_, None) => true,
                (Some(mine), Some(theirs)) => mine >= theirs,
                (None, Some(_)) => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let wheel = parse(
            "kiwi_solver-1.5.1-2b-py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        )
        .unwrap();
        assert_eq!((wheel.name.as_str(), wheel.version.as_str()), ("kiwi_solver", "1.5.1"));
        assert_eq!(wheel.build.as_deref(), Some("2b"));
        assert_eq!(wheel.pythons, ["py2", "py3"]);
        assert_eq!(wheel.abis, ["none"]);
        assert_eq!(wheel.platforms.len(), 2);
    }

    #[test]
    fn everything_else_is_refused() {
        for name in [
            "",
            "x.whl",
            "x-1-cp312-cp312-any.zip",
            "x-1-cp312-cp312.whl",
            "x-1-b-cp312-cp312-any.whl",
            "x-1-1-2-cp312-cp312-any.whl",
            "-1-cp312-cp312-any.whl",
            "x--cp312-cp312-any.whl",
            "x-1-cp312..cp313-cp312-any.whl",
            "x-1--cp312-any.whl",
            "../x-1-cp312-cp312-any.whl",
            "..\\x-1-cp312-cp312-any.whl",
            "x-1-cp312-cp312-a\nny.whl",
            "x-1-cp312-cp312-a\0ny.whl",
            "x 1-1-cp312-cp312-any.whl",
            ".x-1-cp312-cp312-any.whl",
        ] {
            assert!(parse(name).is_err(), "{name:?}");
        }
        assert!(parse(&format!("x-{}-cp312-cp312-any.whl", "1".repeat(300))).is_err());
    }

    #[test]
    fn which_python_a_wheel_serves() {
        let table = [
            ("cp312-cp312", "cp312-manylinux_x86_64", Some(Fit::Exact)),
            ("cp312-cp312", "cp313-manylinux_x86_64", None),
            ("cp37-cp37m", "cp37-manylinux_i686", Some(Fit::Exact)),
            ("cp313-cp313t", "cp313t-manylinux_x86_64", Some(Fit::Exact)),
            ("cp313-cp313t", "cp313-manylinux_x86_64", None),
            ("cp313-cp313", "cp313t-manylinux_x86_64", None),
            ("cp39-abi3", "cp39-macosx_arm64", Some(Fit::Exact)),
            ("cp39-abi3", "cp313-macosx_arm64", Some(Fit::OlderStableAbi)),
            ("cp39-abi3", "cp38-macosx_arm64", None),
            ("cp39-abi3", "cp313t-macosx_arm64", None),
            ("cp315-abi3.abi3t", "cp316t-macosx_arm64", Some(Fit::OlderStableAbi)),
            ("cp315-abi3t", "cp315t-macosx_arm64", Some(Fit::Exact)),
            ("cp39-abi3", "pp310-manylinux_x86_64", None),
            ("py3-none", "cp313t-win_amd64", Some(Fit::AnyPython)),
            ("py2.py3-none", "cp39-win_amd64", Some(Fit::AnyPython)),
            ("py310-none", "cp39-win_amd64", None),
            ("py2-none", "cp39-win_amd64", None),
            ("cp312-none", "cp312-win_amd64", Some(Fit::Exact)),
            ("pp310-pypy310_pp73", "pp310-manylinux_x86_64", Some(Fit::Exact)),
            ("graalpy311-graalpy242_311_native", "gp311_242-manylinux_x86_64", Some(Fit::Exact)),
            ("cp312-cp312", "", None),
            ("cp312-cp312", "nonsense", None),
        ];
        for (tags, identifier, expected) in table {
            let wheel = parse(&format!("x-1-{tags}-any.whl")).unwrap();
            assert_eq!(wheel.serves(identifier), expected, "{tags} for {identifier}");
        }
    }
}
