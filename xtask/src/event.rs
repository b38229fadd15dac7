//! What happens in a run, as owned data, and the report as its fold.
//!
//! Events carry no display settings: a saved stream of them renders the same report again.

use anyhow::Result;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

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
        /// What will be built, in order.
        builds: Vec<Planned>,
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
    /// The whole log.
    #[serde(default)]
    pub(crate) log: Utf8PathBuf,
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

/// A phase of a build.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    /// Its name.
    pub(crate) name: String,
    /// Seconds from the run's start to its own.
    pub(crate) started_seconds: f64,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
}

/// A build in the report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BuildReport {
    /// cibuildwheel's build identifier.
    pub(crate) identifier: String,
    /// Its cache domain.
    pub(crate) domain: String,
    /// Its place in the domain.
    pub(crate) role: Role,
    /// How it ended.
    pub(crate) outcome: BuildOutcome,
    /// The wheel's path.
    pub(crate) wheel: Option<Utf8PathBuf>,
    /// The wheel's SHA-256, hexadecimal.
    pub(crate) sha256: Option<String>,
    /// The wheel's size in bytes.
    pub(crate) size_bytes: Option<u64>,
    /// Seconds from the run's start to its own.
    pub(crate) started_seconds: f64,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// The pioneer whose compilation it had to wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waited_for: Option<String>,
    /// Its phases, in order.
    pub(crate) phases: Vec<Phase>,
    /// What validation found.
    pub(crate) cache: Option<Cache>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// The whole log.
    pub(crate) log: Utf8PathBuf,
}

/// A run: the fold of its events. Serialised, it is `report.json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// [`SCHEMA`].
    pub(crate) schema: u32,
    /// The run's id.
    pub(crate) run_id: String,
    /// How it ended; `None` while it goes on.
    pub(crate) outcome: Option<RunOutcome>,
    /// The package's name.
    pub(crate) package: String,
    /// The command that does the same again.
    pub(crate) command: String,
    /// Wall-clock time of its start, RFC 3339.
    pub(crate) started: String,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// How many builds ran at once.
    pub(crate) jobs: usize,
    /// The builds, in the plan's order.
    pub(crate) builds: Vec<BuildReport>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            run_id: String::new(),
            outcome: None,
            package: String::new(),
            command: String::new(),
            started: String::new(),
            elapsed_seconds: 0.0,
            jobs: 1,
            builds: Vec::new(),
        }
    }
}

impl Report {
    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.elapsed_seconds = event.at_seconds;
        match &event.kind {
            Kind::RunStarted { schema, run_id, package, command, started, jobs, builds } => {
                self.schema = *schema;
                self.run_id.clone_from(run_id);
                self.package.clone_from(package);
                self.command.clone_from(command);
                self.started.clone_from(started);
                self.jobs = *jobs;
                self.builds = builds.iter().map(BuildReport::planned).collect();
            }
            Kind::BuildStarted { identifier, waited_for } => {
                if let Some(build) = self.build(identifier) {
                    build.started_seconds = event.at_seconds;
                    build.waited_for.clone_from(waited_for);
                    // It may have been stopped to be run again.
                    build.phases.clear();
                }
            }
            Kind::PhaseStarted { identifier, name } => {
                if let Some(build) = self.build(identifier) {
                    build.end_phase(event.at_seconds);
                    build.phases.push(Phase {
                        name: name.clone(),
                        started_seconds: event.at_seconds,
                        elapsed_seconds: 0.0,
                    });
                }
            }
            Kind::BuildFinished { identifier, result } => {
                if let Some(build) = self.build(identifier) {
                    build.end_phase(event.at_seconds);
                    build.finish(result, event.at_seconds);
                }
            }
            Kind::RunFinished { outcome } => self.outcome = Some(*outcome),
        }
    }

    /// The build of that identifier.
    fn build(&mut self, identifier: &str) -> Option<&mut BuildReport> {
        self.builds.iter_mut().find(|build| build.identifier == identifier)
    }
}

impl BuildReport {
    fn planned(planned: &Planned) -> Self {
        Self {
            identifier: planned.identifier.clone(),
            domain: planned.domain.clone(),
            role: planned.role,
            outcome: BuildOutcome::NotRun,
            wheel: None,
            sha256: None,
            size_bytes: None,
            elapsed_seconds: 0.0,
            phases: Vec::new(),
            cache: None,
            failure: None,
            log: Utf8PathBuf::new(),
            started_seconds: 0.0,
            waited_for: None,
        }
    }

    fn end_phase(&mut self, at_seconds: f64) {
        if let Some(phase) = self.phases.last_mut() {
            phase.elapsed_seconds = at_seconds - phase.started_seconds;
        }
    }

    fn finish(&mut self, result: &BuildResult, at_seconds: f64) {
        self.outcome = result.outcome;
        self.elapsed_seconds = at_seconds - self.started_seconds;
        self.wheel = result.wheel.as_ref().map(|wheel| wheel.path.clone());
        self.sha256 = result.wheel.as_ref().map(|wheel| wheel.sha256.clone());
        self.size_bytes = result.wheel.as_ref().map(|wheel| wheel.size_bytes);
        self.cache.clone_from(&result.cache);
        self.failure.clone_from(&result.failure);
        self.log.clone_from(&result.log);
    }
}
