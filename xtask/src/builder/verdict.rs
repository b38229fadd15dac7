//! What validation said of a build, as the host reads it.

use std::io::ErrorKind;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::counts::Counts;
use ccache_validator::floor::MinHitRate;
use ccache_validator::record::{self, Record};
use ccache_validator::verdict::{Evidence, OnMiss, Source, Verdict, judge};
use ccache_validator::{files, state, statslog};
use serde_json::Value;

use crate::event::{Cache, Failure, FailureKind};
use crate::plan::{BuildPlan, Plan};

/// No record that the validator writes is larger, in bytes.
const LARGEST_RECORD_BYTES: u64 = 1024 * 1024;

/// The folder that a build's container shares with the host.
pub(super) fn shared_folder(build: &BuildPlan) -> Utf8PathBuf {
    build.record.join("record")
}

/// The record that the hook left, if it ran.
///
/// # Errors
/// There is one, but it cannot be read.
pub(super) fn left_by_hook(build: &BuildPlan) -> Result<Option<Record>> {
    let path = shared_folder(build).join(record::FILE_NAME);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let text = files::read_bounded(path.as_std_path(), LARGEST_RECORD_BYTES)
        .with_context(|| format!("cannot read {path}"))?;
    Record::from_json(&text).map(Some).with_context(|| format!("cannot understand {path}"))
}

/// What can be said of a build, and why it fails, if it does.
pub(super) struct Audit {
    pub(super) cache: Cache,
    pub(super) failure: Option<Failure>,
}

/// Judges a build whose hook never ran by the statslog it left. The host's ccache is another one
/// than the build's and is not asked about anything.
///
/// # Errors
/// The statslog is there but cannot be read.
pub(super) fn audit(plan: &Plan, build: &BuildPlan, wheel: &Utf8Path) -> Result<Audit> {
    let path = shared_folder(build).join("statslog");
    let log = match statslog::read(&statslog::of_build(path.as_std_path())) {
        Err(error) if error.kind() == ErrorKind::NotFound => statslog::read_from(std::io::empty()),
        read => read,
    };
    let log = log.with_context(|| format!("cannot read {path}"))?;
    let name = wheel.file_name().unwrap_or_default();
    let fit =
        ccache_validator::wheel::parse(name).ok().and_then(|wheel| wheel.serves(&build.identifier));
    let counts = log.own.counts;
    let judgement = judge(&Evidence {
        source: Source::Statslog,
        own: log.own,
        probes: log.probes,
        other_calls: log.other_calls,
        min_hit_rate: MinHitRate::parse(&plan.min_hit_rate)?,
        on_miss: if plan.miss_fails { OnMiss::Fail } else { OnMiss::Warn },
        domain: build.domain.clone(),
        marker: state::claim(
            Some(plan.ccache_dir.as_std_path()),
            &build.domain,
            Some(&plan.run_id),
            Some(&build.identifier),
        ),
        obstacle: None,
        fit,
    });
    Ok(Audit {
        cache: Cache {
            verdict: judgement.verdict.as_str().to_owned(),
            passed: judgement.passed,
            source: Source::Statslog.as_str().to_owned(),
            audited_on_host: true,
            ..of_counts(&counts)
        },
        failure: refusal(judgement.passed, judgement.verdict, judgement.cause, judgement.remedy),
    })
}

/// What the check before the build found amiss, if it failed.
pub(super) fn preflight_failure(build: &BuildPlan) -> Option<(FailureKind, String, String)> {
    let path = shared_folder(build).join("preflight.json");
    let text = files::read_bounded(path.as_std_path(), LARGEST_RECORD_BYTES).ok()?;
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
pub(super) fn cache(record: &Record) -> Cache {
    Cache {
        verdict: record.verdict.as_str().to_owned(),
        passed: record.passed,
        source: record.source.as_str().to_owned(),
        audited_on_host: false,
        ..of_counts(&record.counts)
    }
}

/// The failure that a record stands for, unless the build passes with it.
pub(super) fn failure(record: &Record) -> Option<Failure> {
    refusal(record.passed, record.verdict, record.cause.clone(), record.remedy.clone())
}

fn of_counts(counts: &Counts) -> Cache {
    Cache {
        verdict: String::new(),
        passed: false,
        source: String::new(),
        audited_on_host: false,
        direct_hits: counts.direct_hits,
        preprocessed_hits: counts.preprocessed_hits,
        misses: counts.misses,
        uncacheable: counts.uncacheable,
        errors: counts.errors,
        hit_rate: counts.hit_rate(),
    }
}

fn refusal(
    passed: bool,
    verdict: Verdict,
    cause: Option<String>,
    remedy: Option<String>,
) -> Option<Failure> {
    (!passed).then(|| Failure {
        kind: FailureKind::Cache,
        what: match cause {
            Some(cause) => format!("verdict {}: {cause}", verdict.as_str()),
            None => format!("verdict {}", verdict.as_str()),
        },
        remedy: remedy.unwrap_or_default(),
        tail: Vec::new(),
        unproven: None,
    })
}
