//! The record in words, for people.

use crate::answers::Version;
use crate::counts::Counts;
use crate::record::Record;
use crate::text::{escape, fold};
use crate::verdict::{Source, Verdict};

/// How many source files that missed are printed.
const MAX_FILES: usize = 10;

/// The lines to print: one that says it all, and for anything but a plain hit the cause, the files
/// that missed and what to do. Ends with a line feed.
#[must_use]
pub fn render(record: &Record) -> String {
    let identifier = record.identifier.as_deref().unwrap_or("this build");
    let mut lines = format!("ccache: {}: {}\n", escape(identifier.as_bytes()), headline(record));
    if record.source == Source::Counters {
        lines.push_str(&fold("  source: ", &escape(why_counters(record).as_bytes())));
    }
    if let Some(cause) = &record.cause {
        lines.push_str(&fold("  cause: ", &escape(cause.as_bytes())));
    }
    if let Some(suspicious) = &record.suspicious {
        lines.push_str(&fold("  suspicious: ", &escape(suspicious.as_bytes())));
    }
    if !matches!(record.verdict, Verdict::Hit | Verdict::Cold) {
        list_files(&mut lines, record);
    }
    if let Some(remedy) = &record.remedy {
        let label = match record.verdict {
            Verdict::Cold if record.suspicious.is_none() => "  next: ",
            Verdict::NotApplicable => "  note: ",
            _ => "  remedy: ",
        };
        lines.push_str(&fold(label, &escape(remedy.as_bytes())));
    }
    match (record.verdict, record.passed) {
        (Verdict::Miss, true) => lines.push_str("  allowed: --on-miss=warn\n"),
        (Verdict::Cold, false) => lines.push_str("  refused: --strict-restore\n"),
        _ => {}
    }
    lines
}

fn headline(record: &Record) -> String {
    let verdict = record.verdict.as_str();
    let counts = &record.counts;
    let mut line = match (counts.hits(), counts.cacheable()) {
        (Some(hits), Some(cacheable)) if cacheable > 0 => {
            format!(
                "{verdict} ({hits} of {cacheable}, {} %): {}",
                percent(hits, cacheable),
                numbers(counts)
            )
        }
        _ if counts.compilations() == 0 => format!("{verdict}: nothing compiled"),
        _ => format!("{verdict}: {}", numbers(counts)),
    };
    let probes = record.probes.compilations();
    if probes > 0 {
        let plural = if probes == 1 { "" } else { "s" };
        write_to(&mut line, format_args!("; {probes} configure probe{plural}"));
    }
    line
}

/// Why there are only counters, which mix what is compiled side by side and cannot tell a probe from
/// a source.
fn why_counters(record: &Record) -> String {
    let version = record.ccache_version.as_deref().and_then(Version::parse);
    let reason = match version.filter(|version| !version.has_statslog()) {
        Some(Version { text, .. }) => {
            format!("ccache {text} keeps no record of each build; build one at a time")
        }
        None => "CCACHE_STATSLOG is not set".to_owned(),
    };
    format!("the cache's counters, configure probes included: {reason}")
}

/// The counts in words; the rarer ones only when they are above zero.
fn numbers(counts: &Counts) -> String {
    let mut line = String::new();
    let listed = [
        (counts.direct_hits, "direct", true),
        (counts.preprocessed_hits, "preprocessed", true),
        (counts.misses, "missed", true),
        (counts.uncacheable, "uncacheable", false),
        (counts.errors, if counts.errors == Some(1) { "error" } else { "errors" }, false),
    ];
    for (number, word, always) in listed {
        let comma = if line.is_empty() { "" } else { ", " };
        match number {
            Some(number) if always || number > 0 => {
                write_to(&mut line, format_args!("{comma}{number} {word}"));
            }
            None if always => write_to(&mut line, format_args!("{comma}{word} unknown")),
            _ => {}
        }
    }
    line
}

/// A percentage with one decimal, rounded, but 100.0 only for all and 0.0 only for none.
fn percent(hits: u64, cacheable: u64) -> String {
    let (hits, cacheable) = (u128::from(hits), u128::from(cacheable.max(1)));
    let mut tenths = (hits * 1000 + cacheable / 2) / cacheable;
    if hits < cacheable {
        tenths = tenths.min(999);
    }
    if hits > 0 {
        tenths = tenths.max(1);
    }
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn list_files(lines: &mut String, record: &Record) {
    let mut label = "  missed: ";
    for file in record.missed_files.iter().take(MAX_FILES) {
        write_to(lines, format_args!("{label}{}\n", escape(file.as_bytes())));
        label = "          ";
    }
    let shown = u64::try_from(record.missed_files.len().min(MAX_FILES)).unwrap_or(u64::MAX);
    let missed = record.counts.misses.unwrap_or(0);
    if shown > 0 && missed > shown {
        write_to(lines, format_args!("{label}and {} more\n", missed - shown));
    }
}

fn write_to(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.push_str(&arguments.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(verdict: Verdict, counts: Counts) -> Record {
        Record {
            identifier: Some("cp312-manylinux_x86_64".to_owned()),
            domain: "manylinux_x86_64".to_owned(),
            run_id: None,
            verdict,
            passed: true,
            exempt: false,
            cause: None,
            suspicious: None,
            remedy: None,
            source: Source::Statslog,
            ccache_version: None,
            counts,
            probes: Counts { direct_hits: Some(12), ..Counts::ZERO },
            missed_files: Vec::new(),
            wheel: None,
        }
    }

    #[test]
    fn a_hit_is_one_line() {
        let counts = Counts {
            direct_hits: Some(160),
            preprocessed_hits: Some(7),
            misses: Some(4),
            ..Counts::ZERO
        };
        assert_eq!(
            render(&record(Verdict::Hit, counts)),
            "ccache: cp312-manylinux_x86_64: hit (167 of 171, 97.7 %): 160 direct, 7 preprocessed, \
             4 missed; 12 configure probes\n"
        );
    }

    #[test]
    fn a_failure_shows_cause_files_and_remedy_within_the_width() {
        let counts = Counts { misses: Some(30), uncacheable: Some(2), ..Counts::ZERO };
        let mut failing = record(Verdict::Miss, counts);
        failing.cause = Some(format!("cause\x1b[2J {}", "word ".repeat(30)));
        failing.remedy = Some("do this".to_owned());
        failing.missed_files = (0..20).map(|number| format!("src/{number}.c")).collect();
        let text = render(&failing);
        assert!(
            text.contains(
                "miss (0 of 30, 0.0 %): 0 direct, 0 preprocessed, 30 missed, 2 uncacheable"
            )
        );
        assert!(text.contains("  missed: src/0.c\n          src/1.c\n"));
        assert!(text.contains("src/9.c\n          and 20 more\n"), "{text}");
        assert!(text.contains("  remedy: do this\n  allowed: --on-miss=warn\n"));
        assert!(!text.contains('\x1b'));
        assert!(text.lines().skip(1).all(|line| line.chars().count() <= crate::text::WIDTH));
    }

    #[test]
    fn unknown_and_empty_counts_are_said() {
        let mut unknown = record(Verdict::Unusable, Counts::default());
        unknown.source = Source::Counters;
        unknown.counts.misses = Some(2);
        assert!(
            render(&unknown).contains("unusable: direct unknown, preprocessed unknown, 2 missed")
        );
        assert!(render(&unknown).contains("probes included: CCACHE_STATSLOG"));
        unknown.ccache_version = Some("3.7.7".to_owned());
        assert!(render(&unknown).contains("ccache 3.7.7"));
        let nothing = record(Verdict::NotInvoked, Counts::ZERO);
        assert!(render(&nothing).contains("not-invoked: nothing compiled; 12 configure probes"));
    }

    #[test]
    fn percentages_never_round_to_all_or_none() {
        assert_eq!(percent(9999, 10000), "99.9");
        assert_eq!(percent(1, 100_000), "0.1");
        assert_eq!(percent(3, 3), "100.0");
        assert_eq!(percent(0, 3), "0.0");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0");
    }
}
