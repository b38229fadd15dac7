//! What happens in a run, as owned data, and the report as its fold.
//!
//! Events carry no display settings: a saved stream of them renders the same report again.

mod report;
pub(crate) mod stream;

use anyhow::Result;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

pub(crate) use self::report::{BuildReport, Phase, Report};
pub(crate) use crate::plan::Role;

/// Version of the layout of events and report.
pub(crate) const SCHEMA: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Seconds since the run began.
    pub(crate) at_seconds: f64,
    /// What it was.
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

/// The kinds of events, in the order in which a run has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The plan is made and the cache prepared.
    RunStarted {
        /// [`SCHEMA`].
        schema: u32,
        /// The run's id.
        run_id: String,
        /// The package's name.
        package: String,
        /// The command that does the same again.
        command: String,
        /// Wall-clock time, RFC 3339.
        started: String,
        /// How many builds run at once.
        jobs: usize,
        /// That there are no containers; `None` where cibuildwheel builds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        containerless: Option<Containerless>,
        /// What will be built, in order.
        builds: Vec<Planned>,
        /// What is added to the package's own settings, as the first build has it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        settings: Vec<Setting>,
    },
    /// A build's process has been started.
    BuildStarted {
        /// Which.
        identifier: String,
        /// The pioneer whose compilation it had to wait for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited_for: Option<String>,
    },
    /// A build has entered a phase; the one before it has ended.
    PhaseStarted {
        /// Which build.
        identifier: String,
        /// The phase's name.
        name: String,
    },
    /// More has been compiled.
    Compiled {
        /// In which build.
        identifier: String,
        /// How much until now.
        counts: Counts,
    },
    /// A build has ended and its wheel, if any, is in its place.
    BuildFinished {
        /// Which.
        identifier: String,
        /// How.
        result: Box<BuildResult>,
    },
    /// The run is over.
    RunFinished {
        /// How it ended.
        outcome: RunOutcome,
    },
}

/// A build that a run intends to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Planned {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// Its cache domain.
    pub(crate) domain: String,
    /// Its place in the domain.
    pub(crate) role: Role,
    /// Why the next run cannot hit all that this one leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// A run without containers: on the machine itself, with its own interpreters and compilers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Containerless {
    /// Why, if somebody would rather have had some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// The C library that its wheels are built against, such as `glibc 2.36`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) libc: Option<String>,
}

impl Containerless {
    /// What a person should know of it, in a sentence.
    pub(crate) fn words(&self) -> String {
        let why = self.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        let libc = self.libc.as_deref().unwrap_or("system");
        format!(
            "built without containers{why}: the wheels are for this machine's {libc} and newer, \
             and for older systems only as far as their tags name them"
        )
    }
}

/// An option of cibuildwheel's that carries something of Warmwheel's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// Its name.
    pub(crate) option: String,
    /// What was added.
    pub(crate) ours: String,
    /// What it was.
    pub(crate) theirs: String,
    /// Who had set that; `None` for cibuildwheel's default.
    pub(crate) origin: Option<String>,
}

/// Compilations of the package's own sources until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// From the cache.
    pub(crate) hits: u64,
    /// Compiled.
    pub(crate) misses: u64,
}

/// What became of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileOutcome {
    /// Its name, as the compiler was given it.
    pub(crate) source: String,
    /// What ccache made of it.
    pub(crate) result: FileResult,
}

/// What ccache made of a compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileResult {
    /// A hit by a hash of the source and the headers.
    DirectHit,
    /// A hit by a hash of the preprocessed source.
    PreprocessedHit,
    /// It was compiled and stored.
    Miss,
    /// It cannot be cached, or ccache failed.
    Uncacheable,
}

/// How a build ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BuildResult {
    /// Built, failed, or never started.
    pub(crate) outcome: BuildOutcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// The finished wheel in the output folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wheel: Option<WheelFile>,
    /// What validation found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache: Option<Cache>,
    /// When it compiled, where the launcher has recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compiling: Option<Compiling>,
    /// What became of each of its own sources, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<FileOutcome>,
    /// The whole log.
    #[serde(default)]
    pub(crate) log: Utf8PathBuf,
}

/// When a build compiled the package's own sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compiling {
    /// From the build's start to the first compilation's, in seconds.
    pub(crate) started_seconds: f64,
    /// From there to the last one's end, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// How many files there were.
    pub(crate) files: usize,
    /// How many of them ccache was put into depend mode for.
    pub(crate) in_depend_mode: usize,
    /// How many links compiled, as they do with `-flto`.
    #[serde(default)]
    pub(crate) links: usize,
    /// How many of them were taken from an earlier one.
    #[serde(default)]
    pub(crate) links_reused: usize,
}

/// Why a build failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// Its place in the exit code table.
    pub(crate) kind: FailureKind,
    /// What failed.
    pub(crate) what: String,
    /// The next action; may be empty.
    pub(crate) remedy: String,
    /// The end of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tail: Vec<String>,
    /// A wheel that was compiled but not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unproven: Option<Utf8PathBuf>,
}

/// The classes of failed builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailureKind {
    /// cibuildwheel failed.
    Build,
    /// The cache did not prove itself.
    Cache,
    /// The image or the machine lacks something.
    Machine,
    /// The wheel failed its checks.
    Wheel,
    /// A signal ended it.
    Interrupted,
}

/// How a build ended, in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BuildOutcome {
    /// Its wheel is in the output folder.
    Built,
    /// It was tested with the wheel of another build, which serves it as well (abi3, py3-none).
    Reused,
    /// An earlier run has built it from the very same inputs.
    Resumed,
    /// It failed.
    Failed,
    /// The run ended before it.
    #[default]
    NotRun,
}

impl BuildOutcome {
    /// Whether there is a wheel for it.
    pub(crate) fn has_wheel(self) -> bool {
        matches!(self, Self::Built | Self::Reused | Self::Resumed)
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Reused => "reused",
            Self::Resumed => "resumed",
            Self::Failed => "failed",
            Self::NotRun => "not-run",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunOutcome {
    /// Every build has its wheel.
    Done,
    /// At least one has not.
    Failed,
    /// A signal ended it.
    Interrupted,
}

/// A wheel in the output folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WheelFile {
    /// Its path.
    pub(crate) path: Utf8PathBuf,
    /// SHA-256, hexadecimal.
    pub(crate) sha256: String,
    /// Size in bytes.
    pub(crate) size_bytes: u64,
}

/// What validation found. Counts are of the package's own sources; `None` is unknown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cache {
    /// The verdict's word.
    pub(crate) verdict: String,
    /// Whether the build passes with it.
    pub(crate) passed: bool,
    /// `statslog` or `counters`.
    pub(crate) source: String,
    /// The version of the build's ccache.
    pub(crate) ccache_version: Option<String>,
    /// Whether the host judged it, because the hook never ran.
    pub(crate) audited_on_host: bool,
    /// Why a cold start is not what an earlier run led to expect.
    pub(crate) suspicious: Option<String>,
    /// Hits by a hash of the source and the headers.
    pub(crate) direct_hits: Option<u64>,
    /// Hits by a hash of the preprocessed source.
    pub(crate) preprocessed_hits: Option<u64>,
    /// Compilations that were stored.
    pub(crate) misses: Option<u64>,
    /// Compilations that ccache cannot cache.
    pub(crate) uncacheable: Option<u64>,
    /// ccache's own errors.
    pub(crate) errors: Option<u64>,
    /// Hits of what can be cached, as a fraction.
    pub(crate) hit_rate: Option<f64>,
}

/// A consumer of events: a pure fold with an effect at its end.
pub(crate) trait Reporter {
    /// Its name, for the message when it breaks.
    fn name(&self) -> &'static str;
    /// Takes in an event.
    ///
    /// # Errors
    /// Whatever keeps it from reporting; it is then left out for the rest of the run.
    fn handle(&mut self, event: &Event) -> Result<()>;
}
