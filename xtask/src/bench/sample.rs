//! The packages that are measured with: unpacked, and with a header that can be changed.

use std::fs;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::{Bench, container};
use crate::cli::Sample;
use crate::downloads;
use crate::{sdist, staging};

/// A function that is new to every file that includes the header: a comment would be no change to
/// a cache that hashes what the preprocessor leaves.
const CHANGE: &str = "inline int warmwheel_bench_change() { return 1; }\n";

/// What is known of a package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// How it is told of.
    pub(super) name: &'static str,
    /// How many files its core has, which are the same for every Python version.
    pub(super) core: u64,
    /// The header of the core that most files include.
    pub(super) header: Header,
    /// One that fewer files include, where there is such a one to compare with.
    pub(super) rarer: Option<Header>,
    /// Settings of its tests that take the place of its own, for every rival.
    pub(super) tests: &'static [(&'static str, &'static str)],
    /// What that is for, in a sentence.
    pub(super) about_tests: Option<&'static str>,
}

/// A header that is changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Where it is in the package.
    pub(super) path: &'static str,
    /// How many files of the core include it, directly or not.
    pub(super) includers: u64,
    /// The line that the change goes in front of.
    anchor: &'static str,
}

/// Its own tests need files that its source distribution lacks, and require the package itself, which
/// is then compiled a second time.
const IMPORT_ONLY: [(&str, &str); 2] = [
    ("CIBW_TEST_REQUIRES", ""),
    ("CIBW_TEST_COMMAND", "python -c 'import awkward_cpp.cpu_kernels'"),
];

impl Sample {
    /// What is known of it.
    pub(super) fn facts(self) -> Facts {
        match self {
            // No header of its core is in more than two files of it.
            Self::Demo => Facts {
                name: "demo",
                core: 14,
                header: Header {
                    path: "core/include/warmdemo/tokenizer.hpp",
                    includers: 2,
                    anchor: "}  // namespace warmdemo\n",
                },
                rarer: None,
                tests: &[],
                about_tests: None,
            },
            Self::AwkwardCpp => Facts {
                name: "awkward-cpp",
                core: 165,
                header: Header {
                    path: "include/awkward/common.h",
                    includers: 164,
                    anchor: "#endif // AWKWARD_COMMON_H_\n",
                },
                // 25 of its 28 headers are included by so many files or fewer.
                rarer: Some(Header {
                    path: "include/awkward/builder/OptionBuilder.h",
                    includers: 12,
                    anchor: "#endif // AWKWARD_OPTIONBUILDER_H_\n",
                }),
                tests: &IMPORT_ONLY,
                about_tests: Some(
                    "In place of its own tests, which compile the package a second time and need \
                     files that its source distribution lacks, all of them import the wheel.",
                ),
            },
        }
    }

    /// A copy of the package below `folder`. `python` must have pip.
    ///
    /// # Errors
    /// The package cannot be fetched or copied.
    pub(super) fn copy(
        self,
        bench: &Bench<'_>,
        python: &Utf8Path,
        folder: &Utf8Path,
    ) -> Result<Utf8PathBuf> {
        let name = self.facts().name;
        match self {
            Self::Demo => {
                let (demo, copy) = (bench.folders.workspace.join("tools/demo"), folder.join(name));
                container::require(&demo)?;
                staging::copy_project(&demo, &copy, &[])?;
                Ok(copy)
            }
            Self::AwkwardCpp => {
                let pinned = bench.pins.sdist.iter().find(|sdist| sdist.name == name);
                let pinned = pinned.with_context(|| format!("tools/pins.toml has no {name}"))?;
                let wanted = std::slice::from_ref(pinned);
                let sdists = downloads::fetch(wanted, python, bench.environment, bench.console)?;
                sdist::unpack(&sdists.join(&pinned.file), folder)
            }
        }
    }
}

/// A header that is other than it was.
pub(super) struct Changed {
    path: Utf8PathBuf,
    before: String,
}

impl Changed {
    /// Changes the header of the package at `root`.
    ///
    /// # Errors
    /// It cannot be written, or is not as expected.
    pub(super) fn new(root: &Utf8Path, header: &Header) -> Result<Self> {
        let path = root.join(header.path);
        let before = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let Some(after) = changed(&before, header.anchor) else {
            bail!("{path} has not one line {:?}: xtask/src/bench/sample.rs is old", header.anchor);
        };
        let changed = Self { path, before };
        fs::write(&changed.path, after)
            .with_context(|| format!("cannot write {}", changed.path))?;
        Ok(changed)
    }

    /// Makes it what it was.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn restore(self) -> Result<()> {
        fs::write(&self.path, &self.before).with_context(|| format!("cannot write {}", self.path))
    }
}

/// The text with the change in front of the only line that is the anchor.
fn changed(text: &str, anchor: &str) -> Option<String> {
    let (head, tail) = text.split_once(anchor)?;
    let whole_line = head.is_empty() || head.ends_with('\n');
    (whole_line && !tail.contains(anchor)).then(|| format!("{head}{CHANGE}{anchor}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_goes_in_front_of_its_line_or_nowhere() {
        let expected = format!("a\n{CHANGE}#endif\n");
        assert_eq!(changed("a\n#endif\n", "#endif\n"), Some(expected));
        for text in ["a\n", "a #endif\n", "#endif\na\n#endif\n"] {
            assert_eq!(changed(text, "#endif\n"), None, "{text}");
        }
    }

    #[test]
    fn the_demo_is_as_it_is_told_of() {
        let facts = Sample::Demo.facts();
        let demo = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/demo");
        let header = fs::read_to_string(demo.join(facts.header.path)).unwrap();
        assert!(changed(&header, facts.header.anchor).is_some());
        let name = Utf8Path::new(facts.header.path).file_name().unwrap();
        let (mut core, mut includers) = (0, 0);
        for entry in demo.join("core/src").read_dir_utf8().unwrap() {
            core += 1;
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            includers += u64::from(text.contains(&format!("\"warmdemo/{name}\"")));
        }
        assert_eq!((core, includers), (facts.core, facts.header.includers));
    }
}
