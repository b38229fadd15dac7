//! What validation said of a build, as the host reads it.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::counts::Kind;
use ccache_validator::files;
use ccache_validator::floor::MinHitRate;
use ccache_validator::ledger::{Entry, Key};
use ccache_validator::obstacle::Obstacle;
use ccache_validator::past::Past;
use ccache_validator::preflight::Recorded;
use ccache_validator::record::{self, Record};
use ccache_validator::state::{self, Marker};
use ccache_validator::statslog::{self, Statslog};
use ccache_validator::suspicion::Found;
use ccache_validator::verdict::{Evidence, OnMiss, Source, judge};
use serde_json::Value;

use crate::event::{Cache, Failure, FailureKind, FileOutcome, FileResult};
use crate::plan::{BuildPlan, Plan};

/// The folder that a build's container shares with the host.
pub(super) fn shared_folder(build: &BuildPlan) -> Utf8PathBuf {
    build.record.join("record")
}

/// The record that the hook left, if it ran.
///
/// # Errors
/// There is one, but it cannot be read.
pub(super) fn left_by_hook(process: &BuildPlan, identifier: &str) -> Result<Option<Record>> {
    let path = shared_folder(process).join(record::file_name(Some(identifier)));
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let text = files::read_bounded(path.as_std_path(), record::MAX_BYTES)
        .with_context(|| format!("cannot read {path}"))?;
    Record::from_json(&text).map(Some).with_context(|| format!("cannot understand {path}"))
}

/// Judges a build whose hook never ran by the statslog it left. The host's ccache is another one
/// than the build's and is not asked about anything.
///
/// # Errors
/// The statslog is there but cannot be read.
pub(super) fn audit(
    plan: &Plan,
    process: &BuildPlan,
    build: &BuildPlan,
    wheel: &Utf8Path,
) -> Result<Record> {
    let folder = shared_folder(process);
    let path = folder.join("statslog");
    let log = match statslog::read(&statslog::of_build(path.as_std_path())) {
        Err(error) if error.kind() == ErrorKind::NotFound => statslog::read_from(std::io::empty()),
        // The statslog of a process is its first build's; the others reuse the wheel.
        Ok(_) if process.identifier != build.identifier => Ok(Statslog::default()),
        read => read,
    };
    let log = log.with_context(|| format!("cannot read {path}"))?;
    let recorded = Recorded::read(Some(folder.as_std_path()));
    let version = recorded.version.as_ref().map(|version| version.text.clone());
    let marker = state::claim(
        Some(plan.ccache_dir.as_std_path()),
        &build.domain,
        Some(&plan.run_id),
        Some(&build.identifier),
    );
    let name = wheel.file_name().unwrap_or_default();
    let wheel = ccache_validator::wheel::parse(name).ok();
    let past = past(plan, build, wheel.as_ref().map(|wheel| wheel.name.as_str()), &log, &recorded);
    let counts_itself = recorded.counts_each_build();
    let exempt = marker == Marker::Made;
    let judgement = judge(&Evidence {
        source: Source::Statslog,
        own: log.own.clone(),
        probes: log.probes.clone(),
        other_calls: log.other_calls,
        min_hit_rate: MinHitRate::parse(&plan.min_hit_rate)?,
        on_miss: if plan.miss_fails { OnMiss::Fail } else { OnMiss::Warn },
        domain: build.domain.clone(),
        suspicion: past.suspicion(&marker),
        marker,
        obstacle: version.clone().filter(|_| !counts_itself).map(Obstacle::NoRecord),
        strict_restore: plan.strict_restore,
        fit: wheel.as_ref().and_then(|wheel| wheel.serves(&build.identifier)),
    });
    // Without the ledger the next run loses a hint; that is no reason to fail this build.
    drop(past.note(judgement.verdict));
    Ok(Record {
        identifier: Some(build.identifier.clone()),
        domain: build.domain.clone(),
        run_id: Some(plan.run_id.clone()),
        verdict: judgement.verdict,
        passed: judgement.passed,
        exempt,
        cause: judgement.cause,
        suspicious: judgement.suspicious,
        remedy: judgement.remedy,
        source: Source::Statslog,
        ccache_version: version,
        counts: log.own.counts,
        probes: log.probes.counts,
        missed_files: log.missed_files,
        wheel: Some(name.to_owned()),
    })
}

/// Whether the build's ccache keeps a record of each build; `None` until the check before the build
/// has told its version.
pub(super) fn keeps_records(build: &BuildPlan) -> Option<bool> {
    let recorded = Recorded::read(Some(shared_folder(build).as_std_path()));
    recorded.version.as_ref()?;
    Some(recorded.counts_each_build())
}

/// The build before the ledger, as far as the host can tell.
fn past<'a>(
    plan: &'a Plan,
    build: &'a BuildPlan,
    package: Option<&'a str>,
    log: &Statslog,
    recorded: &Recorded,
) -> Past<'a> {
    let key = Key { cache_dir: plan.ccache_dir.as_std_path(), domain: &build.domain, package };
    let version = recorded.version.as_ref().map(|version| version.text.clone());
    Past::new(
        version.is_some().then_some(key),
        Found {
            entry: Entry {
                run_id: Some(plan.run_id.clone()),
                identifier: build.identifier.clone(),
                ccache_version: version,
                base_dir: recorded.base_dir.clone(),
                compilers: recorded.compilers.clone(),
                ..Entry::of(&log.own.counts)
            },
            ..Found::default()
        },
    )
}

/// What became of each of a process's own sources, by name. Where one was compiled several times the
/// worst counts. Without a statslog there is nothing to tell.
pub(super) fn files_of(process: &BuildPlan) -> Vec<FileOutcome> {
    let path = shared_folder(process).join("statslog");
    let read = statslog::read_sources(&statslog::of_build(path.as_std_path()));
    let mut files: BTreeMap<String, FileResult> = BTreeMap::new();
    for (source, kind) in read.unwrap_or_default() {
        let result = match kind {
            Kind::DirectHit => FileResult::DirectHit,
            Kind::PreprocessedHit => FileResult::PreprocessedHit,
            Kind::Miss => FileResult::Miss,
            Kind::Uncacheable | Kind::Error => FileResult::Uncacheable,
            Kind::NotCompilation | Kind::Other => continue,
        };
        let known = files.entry(source).or_insert(result);
        *known = (*known).max(result);
    }
    let outcome = |(source, result)| FileOutcome { source, result };
    files.into_iter().map(outcome).collect()
}

/// What the check before the build found amiss, if it failed.
pub(super) fn preflight_failure(build: &BuildPlan) -> Option<(FailureKind, String, String)> {
    let path = shared_folder(build).join("preflight.json");
    let text = files::read_bounded(path.as_std_path(), record::MAX_BYTES).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let kind = match value.get("lack").and_then(Value::as_str) {
        Some("ccache") => FailureKind::Machine,
        Some("cache") => FailureKind::Cache,
        _ => FailureKind::Build,
    };
    Some((kind, text("cause")?, text("remedy").unwrap_or_default()))
}

/// The record as the report has it.
pub(super) fn cache(record: &Record, audited_on_host: bool) -> Cache {
    let counts = &record.counts;
    Cache {
        verdict: record.verdict.as_str().to_owned(),
        passed: record.passed,
        source: record.source.as_str().to_owned(),
        ccache_version: record.ccache_version.clone(),
        audited_on_host,
        suspicious: record.suspicious.clone(),
        direct_hits: counts.direct_hits,
        preprocessed_hits: counts.preprocessed_hits,
        misses: counts.misses,
        uncacheable: counts.uncacheable,
        errors: counts.errors,
        hit_rate: counts.hit_rate(),
    }
}

/// The failure that a record stands for, unless the build passes with it.
pub(super) fn failure(record: &Record) -> Option<Failure> {
    let verdict = record.verdict.as_str();
    let reasons: Vec<_> = [&record.cause, &record.suspicious].into_iter().flatten().collect();
    (!record.passed).then(|| Failure {
        kind: FailureKind::Cache,
        what: reasons.iter().fold(format!("verdict {verdict}"), |what, reason| {
            let joint = if what.contains(':') { "; " } else { ": " };
            format!("{what}{joint}{reason}")
        }),
        remedy: record.remedy.clone().unwrap_or_default(),
        tail: Vec::new(),
        unproven: None,
    })
}
