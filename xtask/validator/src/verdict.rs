//! What a build's evidence amounts to: a pure function and its vocabulary.

use crate::counts::{AUTOCONF_TEST, ENVIRONMENT_VARIABLE, Kind, Tally};
use crate::floor::MinHitRate;
use crate::obstacle::Obstacle;
use crate::remedy;
use crate::state::Marker;
use crate::suspicion::Suspicion;
use crate::wheel::Fit;

/// What validation says of one build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Enough compilations were served from the cache.
    Hit,
    /// Too few, in the first build of its domain in this run.
    Cold,
    /// Too few, in any other build.
    Miss,
    /// No compilation of the package's own sources went through ccache.
    NotInvoked,
    /// Nothing was compiled: the wheel of an earlier build was used again.
    NotApplicable,
    /// ccache could not do its work, or its records cannot be trusted.
    Unusable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] =
        [Self::Hit, Self::Cold, Self::Miss, Self::NotInvoked, Self::NotApplicable, Self::Unusable];

    /// The word used in records and in print.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Cold => "cold",
            Self::Miss => "miss",
            Self::NotInvoked => "not-invoked",
            Self::NotApplicable => "not-applicable",
            Self::Unusable => "unusable",
        }
    }

    /// The verdict that `word` stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

/// What happens to a build that should have hit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnMiss {
    /// It fails.
    #[default]
    Fail,
    /// It passes, with the verdict `miss`.
    Warn,
}

/// Where the counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The build's own statslog.
    Statslog,
    /// The counters of the whole cache folder.
    Counters,
}

impl Source {
    /// The word used in records and in print.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Statslog => "statslog",
            Self::Counters => "counters",
        }
    }
}

/// All that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Where the counts come from.
    pub source: Source,
    /// The package's own sources; with [`Source::Counters`], everything.
    pub own: Tally,
    /// Configure-time probes; unknown with [`Source::Counters`].
    pub probes: Tally,
    /// Calls of ccache that compiled nothing.
    pub other_calls: u64,
    /// The share of own sources that must hit.
    pub min_hit_rate: MinHitRate,
    /// What happens to a `miss`.
    pub on_miss: OnMiss,
    /// The domain, for the words.
    pub domain: String,
    /// What claiming the domain's marker came to.
    pub marker: Marker,
    /// What ccache or its environment said when asked why there were no hits.
    pub obstacle: Option<Obstacle>,
    /// Why a first build without hits should have had some.
    pub suspicion: Option<Suspicion>,
    /// Whether such a build fails.
    pub strict_restore: bool,
    /// How the wheel's tags serve the identifier's Python; `None` without a wheel or when they do
    /// not.
    pub fit: Option<Fit>,
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What it amounts to.
    pub verdict: Verdict,
    /// Whether the build may go on.
    pub passed: bool,
    /// Why, unless it is a plain hit.
    pub cause: Option<String>,
    /// Why a cold start is not what the ledger led to expect.
    pub suspicious: Option<String>,
    /// What to change, or what a later build needs.
    pub remedy: Option<String>,
}

impl Judgement {
    fn new(verdict: Verdict, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        let passed = matches!(verdict, Verdict::Hit | Verdict::Cold | Verdict::NotApplicable);
        Self {
            verdict,
            passed,
            cause: Some(cause.into()),
            suspicious: None,
            remedy: Some(remedy.into()),
        }
    }
}

/// Judges a build. Only its own sources count; probes are mentioned, never believed.
#[must_use]
pub fn judge(evidence: &Evidence) -> Judgement {
    if let Some(judgement) = untrustworthy(evidence) {
        return judgement;
    }
    let counts = evidence.own.counts;
    let (Some(hits), Some(cacheable)) = (counts.hits(), counts.cacheable()) else {
        return unknown(evidence);
    };
    if evidence.min_hit_rate.is_met(hits, cacheable) {
        return Judgement {
            verdict: Verdict::Hit,
            passed: true,
            cause: None,
            suspicious: None,
            remedy: None,
        };
    }
    let probes = evidence.own.detail(AUTOCONF_TEST);
    let compilations = counts.compilations().saturating_sub(probes);
    if let Some(obstacle) = &evidence.obstacle
        && obstacle.explains(compilations, cacheable)
    {
        return Judgement::new(Verdict::Unusable, obstacle.cause(), obstacle.remedy());
    }
    if compilations == 0 {
        return nothing_compiled(evidence);
    }
    if cacheable == 0 {
        return uncacheable(evidence);
    }
    too_few(evidence, hits, cacheable)
}

/// Causes that make even a hit worthless.
fn untrustworthy(evidence: &Evidence) -> Option<Judgement> {
    if let Marker::Unwritable(why) = &evidence.marker {
        return Some(Judgement::new(Verdict::Unusable, why.clone(), remedy::UNWRITABLE));
    }
    let variable = evidence
        .own
        .detail(ENVIRONMENT_VARIABLE)
        .saturating_add(evidence.probes.detail(ENVIRONMENT_VARIABLE));
    if variable > 0 {
        let cause = format!(
            "{ENVIRONMENT_VARIABLE} {variable}: ccache exited 0 without writing an object file"
        );
        return Some(Judgement::new(Verdict::Unusable, cause, remedy::ENVIRONMENT_VARIABLE));
    }
    if evidence.own.counts.errors.unwrap_or(0) > 0 {
        let cause = format!("ccache itself failed: {}", evidence.own.list(Kind::Error));
        return Some(Judgement::new(Verdict::Unusable, cause, remedy::ERRORS));
    }
    None
}

/// The source did not say how many hits and misses there were.
fn unknown(evidence: &Evidence) -> Judgement {
    if let Some(obstacle) = &evidence.obstacle {
        return Judgement::new(Verdict::Unusable, obstacle.cause(), obstacle.remedy());
    }
    let cause = "ccache's counters do not say how many compilations hit and how many missed";
    Judgement::new(Verdict::Unusable, cause, remedy::UNKNOWN_COUNTERS)
}

fn nothing_compiled(evidence: &Evidence) -> Judgement {
    // The first build of a domain has nothing that it could use again: whatever its tags say, it
    // was to compile.
    let reused = match evidence.fit {
        _ if evidence.marker == Marker::Made => None,
        Some(Fit::OlderStableAbi) => Some("abi3 wheel, which an older Python's build made"),
        Some(Fit::AnyPython) => Some("wheel for any Python (py3-none)"),
        Some(Fit::Exact) | None => None,
    };
    if let Some(wheel) = reused {
        let cause = format!("nothing was compiled: this is a compatible {wheel}, used again");
        return Judgement {
            verdict: Verdict::NotApplicable,
            passed: true,
            cause: Some(cause),
            suspicious: None,
            remedy: None,
        };
    }
    let probes = evidence.probes.counts.compilations();
    let seen = match (probes, evidence.other_calls) {
        (0, 0) => "; ccache was never called".to_owned(),
        (0, calls) => {
            format!("; its only calls ({calls}) were links and questions to the compiler")
        }
        (probes, _) => format!("; only configure probes ({probes}) did"),
    };
    let seen = if evidence.source == Source::Counters { String::new() } else { seen };
    let cause = format!("no compilation of the package's own sources went through ccache{seen}");
    Judgement::new(Verdict::NotInvoked, cause, remedy::WIRING)
}

fn uncacheable(evidence: &Evidence) -> Judgement {
    let cause = format!("no compilation could be cached: {}", evidence.own.list(Kind::Uncacheable));
    Judgement::new(Verdict::Unusable, cause, remedy::uncacheable(&evidence.own))
}

fn too_few(evidence: &Evidence, hits: u64, cacheable: u64) -> Judgement {
    let found = format!(
        "{hits} of {cacheable} cacheable compilations hit; asked for: {}",
        evidence.min_hit_rate.describe()
    );
    let domain = crate::text::escape(evidence.domain.as_bytes());
    let (why, remedy) = match evidence.marker {
        Marker::Made => {
            let cause =
                format!("{found}; allowed for the first build of domain {domain} in this run");
            return cold(evidence, hits, cause);
        }
        Marker::NoFolder => {
            ("no shared cache folder is set, so no build may miss".to_owned(), remedy::NO_FOLDER)
        }
        Marker::Present | Marker::Unwritable(_) => {
            (format!("an earlier build of domain {domain} was to fill the cache"), remedy::MISS)
        }
    };
    let mut judgement = Judgement::new(Verdict::Miss, format!("{found}; {why}"), remedy);
    judgement.passed = evidence.on_miss == OnMiss::Warn;
    judgement
}

fn cold(evidence: &Evidence, hits: u64, cause: String) -> Judgement {
    let judgement = Judgement::new(Verdict::Cold, cause, remedy::COLD);
    match &evidence.suspicion {
        Some(suspicion) if hits == 0 => Judgement {
            passed: !evidence.strict_restore,
            suspicious: Some(suspicion.words.clone()),
            remedy: Some(suspicion.remedy.to_owned()),
            ..judgement
        },
        _ => judgement,
    }
}

#[cfg(test)]
mod tests;
