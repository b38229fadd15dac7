//! The report: what the events of a run come to.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{
    BuildOutcome, BuildResult, Cache, Compiling, Containerless, Counts, Event, Failure,
    FileOutcome, Kind, Planned, Role, RunOutcome, SCHEMA, Setting,
};

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
    /// When it compiled, where that was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compiling: Option<Compiling>,
    /// Why the next run cannot hit all that this one leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// What it has compiled until now; nothing once it has ended, when `cache` tells it.
    #[serde(skip)]
    pub(crate) counts: Option<Counts>,
    /// What became of each of its own sources. In the events, and too much for `report.json`.
    #[serde(skip)]
    pub(crate) files: Vec<FileOutcome>,
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
    /// That there were no containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) containerless: Option<Containerless>,
    /// The builds, in the plan's order.
    pub(crate) builds: Vec<BuildReport>,
    /// What was added to the package's own settings, as the first build had it.
    #[serde(skip)]
    pub(crate) settings: Vec<Setting>,
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
            containerless: None,
            builds: Vec::new(),
            settings: Vec::new(),
        }
    }
}

impl Report {
    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.elapsed_seconds = event.at_seconds;
        match &event.kind {
            Kind::RunStarted {
                schema,
                run_id,
                package,
                command,
                started,
                jobs,
                containerless,
                builds,
                settings,
            } => {
                self.schema = *schema;
                self.run_id.clone_from(run_id);
                self.package.clone_from(package);
                self.command.clone_from(command);
                self.started.clone_from(started);
                self.jobs = *jobs;
                self.containerless.clone_from(containerless);
                self.builds = builds.iter().map(BuildReport::planned).collect();
                self.settings.clone_from(settings);
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
            Kind::Compiled { identifier, counts } => {
                if let Some(build) = self.build(identifier) {
                    build.counts = Some(*counts);
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

    /// Hits of all compilations that could have hit, as a fraction; `None` where that is not known.
    pub(crate) fn hit_rate(&self) -> Option<f64> {
        let (mut hits, mut all) = (0, 0);
        for cache in self.builds.iter().filter_map(|build| build.cache.as_ref()) {
            let hit = cache.direct_hits? + cache.preprocessed_hits?;
            hits += hit;
            all += hit + cache.misses?;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of files")]
        (all > 0).then(|| hits as f64 / all as f64)
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
            compiling: None,
            note: planned.note.clone(),
            failure: None,
            counts: None,
            files: Vec::new(),
            log: Utf8PathBuf::new(),
            started_seconds: 0.0,
            waited_for: None,
        }
    }

    /// Takes the phase "build" apart into what comes before, during and after the compilation.
    fn split_build_phase(&mut self, compiling: &Compiling) {
        let Some(place) = self.phases.iter().position(|phase| phase.name == "build") else {
            return;
        };
        let whole = self.phases[place].clone();
        let (from, until) = (whole.started_seconds, whole.started_seconds + whole.elapsed_seconds);
        let first = (self.started_seconds + compiling.started_seconds).clamp(from, until);
        let last = (first + compiling.elapsed_seconds).clamp(first, until);
        let parts = [("configure", from, first), ("compile", first, last), ("link", last, until)];
        let parts = parts.map(|(name, started_seconds, end)| Phase {
            name: name.to_owned(),
            started_seconds,
            elapsed_seconds: end - started_seconds,
        });
        self.phases.splice(place..=place, parts);
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
        self.counts = None;
        self.files.clone_from(&result.files);
        self.compiling.clone_from(&result.compiling);
        if let Some(compiling) = &result.compiling {
            self.split_build_phase(compiling);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_phase_is_taken_apart_where_compilations_are_on_record() {
        let identifier = "a-x".to_owned();
        let planned = Planned {
            identifier: identifier.clone(),
            domain: "x".into(),
            role: Role::Pioneer,
            note: None,
        };
        let mut build = BuildReport { started_seconds: 10.0, ..BuildReport::planned(&planned) };
        for (name, started_seconds, elapsed_seconds) in [("build", 12.0, 8.0), ("test", 20.0, 3.0)]
        {
            build.phases.push(Phase { name: name.into(), started_seconds, elapsed_seconds });
        }
        let compiling =
            Compiling { started_seconds: 4.0, elapsed_seconds: 5.0, ..Compiling::default() };
        build.split_build_phase(&compiling);
        let phases: Vec<_> = build
            .phases
            .iter()
            .map(|it| (it.name.as_str(), it.started_seconds, it.elapsed_seconds))
            .collect();
        assert_eq!(
            phases,
            [
                ("configure", 12.0, 2.0),
                ("compile", 14.0, 5.0),
                ("link", 19.0, 1.0),
                ("test", 20.0, 3.0)
            ]
        );
    }

    #[test]
    fn a_clock_that_was_set_leaves_the_phases_in_order() {
        let planned = Planned {
            identifier: "a-x".into(),
            domain: "x".into(),
            role: Role::Pioneer,
            note: None,
        };
        let mut build = BuildReport::planned(&planned);
        build.phases.push(Phase {
            name: "build".into(),
            started_seconds: 1.0,
            elapsed_seconds: 2.0,
        });
        let compiling =
            Compiling { started_seconds: -3600.0, elapsed_seconds: 7200.0, ..Compiling::default() };
        build.split_build_phase(&compiling);
        let seconds: Vec<_> = build.phases.iter().map(|it| it.elapsed_seconds).collect();
        assert_eq!(seconds, [0.0, 2.0, 0.0]);
    }
}
