//! Values that flags and `[tool.warmwheel]` can have.

use std::fmt::{self, Display, Formatter};
use std::num::NonZeroUsize;
use std::str::FromStr;

use clap::ValueEnum;

/// Container engines that cibuildwheel can use.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    ValueEnum,
    serde::Deserialize,
    serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl Engine {
    /// The program's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// What builds the wheels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Builder {
    /// cibuildwheel where its containers can be had, else this machine.
    #[default]
    Auto,
    /// cibuildwheel: in containers on Linux.
    Cibuildwheel,
    /// This machine's own interpreters and compilers, without containers.
    Host,
}

/// Packages to measure with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sample {
    /// The small package of this workspace.
    Demo,
    /// A package of 169 C++ files, from its source distribution.
    AwkwardCpp,
}

/// How many builds run at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "JobsValue")]
pub(crate) enum Jobs {
    /// What cores and memory allow.
    #[default]
    Auto,
    /// This many.
    Number(NonZeroUsize),
}

impl FromStr for Jobs {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Number).map_err(|_| "give a number from 1 on, or `auto`")
    }
}

impl Display for Jobs {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// [`Jobs`] as TOML has it.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum JobsValue {
    Number(usize),
    Word(String),
}

impl TryFrom<JobsValue> for Jobs {
    type Error = &'static str;

    fn try_from(value: JobsValue) -> Result<Self, Self::Error> {
        match value {
            JobsValue::Number(number) => number.to_string().parse(),
            JobsValue::Word(word) => word.parse(),
        }
    }
}

/// How the compiler is put behind ccache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wiring {
    /// By the package's build backend.
    #[default]
    Auto,
    /// `CMAKE_<LANG>_COMPILER_LAUNCHER` leads to ccache.
    Launcher,
    /// Compiler names that lead to ccache, in a folder in front of `PATH`.
    Links,
    /// `CC` and `CXX` that begin with the launcher, as meson takes them.
    Compilers,
    /// Nothing: the build finds ccache by itself.
    None,
}

/// Which ccache builds in containers use.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ccache {
    /// The pinned one where it can be had, else the image's, else a package.
    #[default]
    Auto,
    /// The ccache project's own static program: the same version in every image.
    Pinned,
    /// The one that the image has, or that the package's before-all brings.
    Image,
    /// One that the image's package manager installs, unless the image has one.
    Package,
}

impl Ccache {
    /// The value as it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pinned => "pinned",
            Self::Image => "image",
            Self::Package => "package",
        }
    }
}

/// What a version without hits means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnMiss {
    /// The build fails.
    #[default]
    Fail,
    /// The build passes with a warning.
    Warn,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
