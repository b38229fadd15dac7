//! What a person sees: a line when something changes, a table at the end.

use anyhow::Result;
use camino::Utf8PathBuf;
use ccache_validator::text::fold;

use crate::console::Console;
use crate::event::{
    BuildOutcome, BuildReport, BuildResult, Cache, Event, Failure, Kind, Report, Reporter, Role,
    RunOutcome,
};

/// Tells of a run on stderr.
pub(crate) struct Terminal {
    console: Console,
    report: Report,
}

impl Terminal {
    /// Starts with nothing told.
    pub(crate) fn new(console: Console) -> Self {
        Self { console, report: Report::default() }
    }
}

impl Reporter for Terminal {
    fn name(&self) -> &'static str {
        "the terminal"
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        self.report.apply(event);
        for line in lines(event, &self.report) {
            self.console.say(line);
        }
        if matches!(event.kind, Kind::RunFinished { .. }) {
            for wheel in wheels(&self.report) {
                self.console.data(wheel);
            }
        }
        Ok(())
    }
}

/// The finished wheels, each once, though it may serve several versions.
pub(super) fn wheels(report: &Report) -> Vec<&Utf8PathBuf> {
    let mut wheels: Vec<_> =
        report.builds.iter().filter_map(|build| build.wheel.as_ref()).collect();
    wheels.dedup();
    wheels
}

/// What an event gives to tell, given the report so far.
pub(super) fn lines(event: &Event, report: &Report) -> Vec<String> {
    match &event.kind {
        Kind::RunStarted { run_id, package, builds, .. } => {
            let plural = if builds.len() == 1 { "build" } else { "builds" };
            let mut lines = vec![format!("{package}: {} {plural}, run {run_id}", builds.len())];
            let mut notes: Vec<_> = builds.iter().filter_map(|build| build.note.as_ref()).collect();
            notes.dedup();
            lines.extend(notes.iter().map(|note| fold("  note: ", note).trim_end().to_owned()));
            lines
        }
        Kind::BuildStarted { identifier, .. } => {
            let place = report.builds.iter().position(|build| build.identifier == *identifier);
            let role = place.map_or("", |place| role(report.builds[place].role));
            let place = place.unwrap_or_default() + 1;
            vec![format!("[{place}/{}] {identifier} ({role})", report.builds.len())]
        }
        Kind::PhaseStarted { identifier, name } => {
            let whose = side_by_side(report, identifier);
            vec![format!("      {:>7}  {whose}{name}", duration(event.at_seconds))]
        }
        Kind::BuildFinished { identifier, result } => finished(identifier, result, report),
        Kind::RunFinished { outcome } => {
            let mut lines = vec![String::new()];
            lines.extend(table(report));
            lines.extend(failures(report));
            lines.push(closing(*outcome, report));
            lines
        }
    }
}

fn finished(identifier: &str, result: &BuildResult, report: &Report) -> Vec<String> {
    let build = report.builds.iter().find(|build| build.identifier == identifier);
    let elapsed = build.map_or(0.0, |build| build.elapsed_seconds);
    let verdict = result.cache.as_ref().map_or("no verdict", |cache| cache.verdict.as_str());
    let word = result.outcome.word();
    let whose = side_by_side(report, identifier);
    let mut lines = vec![format!("      {:>7}  {whose}{word}: {verdict}", duration(elapsed))];
    let remarks = result.cache.iter().flat_map(remarks).chain(about_links(result));
    lines.extend(remarks.map(|remark| fold("               ", &remark).trim_end().to_owned()));
    lines
}

/// What became of links that compile; nothing where there were none.
fn about_links(result: &BuildResult) -> Option<String> {
    let compiling = result.compiling.as_ref().filter(|it| it.links > 0)?;
    let (links, reused) = (compiling.links, compiling.links_reused);
    Some(format!("{reused} of {links} links with -flto were taken from earlier ones"))
}

/// Whose line it is, where builds run side by side.
fn side_by_side(report: &Report, identifier: &str) -> String {
    if report.jobs > 1 { format!("{identifier}  ") } else { String::new() }
}

/// What is to be said of a verdict beyond its word.
fn remarks(cache: &Cache) -> Vec<String> {
    let mut remarks = Vec::new();
    if cache.audited_on_host {
        remarks.push("audited on the host: the test step did not run".to_owned());
    }
    if cache.source == "counters" {
        let version = cache.ccache_version.as_deref().unwrap_or("of unknown version");
        remarks.push(format!(
            "from the cache's counters: ccache {version} has no others, so builds run one at a time"
        ));
    }
    if let Some(suspicious) = &cache.suspicious {
        remarks.push(format!("suspicious: {suspicious}"));
    }
    remarks
}

/// The table: one row per build, at most 80 columns for the identifiers that exist.
pub(crate) fn table(report: &Report) -> Vec<String> {
    let width = report.builds.iter().map(|build| build.identifier.len()).max().unwrap_or(0).max(5);
    let mut lines = vec![format!(
        "{:width$} {:8} {:7} {:>6} {:>4} {:>4} {:>6} {:>6} {:>7}",
        "build", "role", "verdict", "direct", "prep", "miss", "hits", "time", "wheel"
    )];
    lines.extend(report.builds.iter().map(|build| row(build, width)));
    lines
}

fn row(build: &BuildReport, width: usize) -> String {
    let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let cache = build.cache.as_ref();
    let verdict = match (cache, build.outcome) {
        (Some(cache), _) => short(&cache.verdict),
        (None, BuildOutcome::NotRun) => "not run",
        (None, _) => "none",
    };
    let rate = cache.and_then(|cache| cache.hit_rate).map_or_else(|| "-".to_owned(), percent);
    let time = match build.outcome {
        BuildOutcome::NotRun | BuildOutcome::Resumed => "-".to_owned(),
        _ => duration(build.elapsed_seconds),
    };
    let wheel = match (build.size_bytes, build.outcome) {
        (Some(bytes), _) => size(bytes),
        (None, BuildOutcome::NotRun) => "-".to_owned(),
        (None, _) => "failed".to_owned(),
    };
    format!(
        "{:width$} {:8} {verdict:7} {:>6} {:>4} {:>4} {rate:>6} {time:>6} {wheel:>7}",
        build.identifier,
        part(build),
        number(cache.and_then(|cache| cache.direct_hits)),
        number(cache.and_then(|cache| cache.preprocessed_hits)),
        number(cache.and_then(|cache| cache.misses)),
    )
}

/// What a build was in the run.
fn part(build: &BuildReport) -> &'static str {
    match build.outcome {
        BuildOutcome::Reused | BuildOutcome::Resumed => build.outcome.word(),
        _ => role(build.role),
    }
}

/// A verdict in the table's seven columns.
fn short(verdict: &str) -> &str {
    match verdict {
        "not-invoked" => "no-call",
        "not-applicable" => "n/a",
        "unusable" => "unusbl",
        other => other,
    }
}

fn failures(report: &Report) -> Vec<String> {
    let failed = |build: &BuildReport| {
        build.failure.as_ref().map(|failure| explain(&report.command, failure, build))
    };
    report.builds.iter().filter_map(failed).flatten().collect()
}

fn explain(command: &str, failure: &Failure, build: &BuildReport) -> Vec<String> {
    let identifier = &build.identifier;
    let folded = |label: &str, text: &str| fold(label, text).trim_end().to_owned();
    let mut lines = vec![String::new(), format!("{identifier}:"), folded("  ", &failure.what)];
    if !failure.tail.is_empty() {
        lines.push("  the end of its log:".to_owned());
        lines.extend(failure.tail.iter().map(|line| format!("  | {line}")));
    }
    if let Some(wheel) = &failure.unproven {
        lines.push(format!("  its wheel is kept:  {wheel}"));
    }
    lines.push(format!("  the whole log:      {}", build.log));
    lines.push(format!("  this build again:   {command} --only {identifier}"));
    if !failure.remedy.is_empty() {
        lines.push(folded("  help: ", &failure.remedy));
    }
    lines
}

pub(super) fn closing(outcome: RunOutcome, report: &Report) -> String {
    let built = report.builds.iter().filter(|build| build.outcome.has_wheel()).count();
    let word = match outcome {
        RunOutcome::Done => "done",
        RunOutcome::Failed => "failed",
        RunOutcome::Interrupted => "interrupted",
    };
    let files = wheels(report).len();
    let shared = if files < built {
        format!(" ({files} file{})", if files == 1 { "" } else { "s" })
    } else {
        String::new()
    };
    format!(
        "\n{word}: {built} of {} wheels{shared} in {}",
        report.builds.len(),
        duration(report.elapsed_seconds)
    )
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Pioneer => "pioneer",
        Role::Follower => "follower",
    }
}

/// Seconds as a person reads them: `8.4s`, `2m05s`, `1h02m`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1}s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a run's seconds are few and positive"
    )]
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h{:02}m", whole / 3600, whole % 3600 / 60)
    }
}

pub(super) fn percent(fraction: f64) -> String {
    // Not rounded up: 166 of 167 must not read as 100 %.
    format!("{:.1}%", (fraction * 1000.0).floor() / 10.0)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        1e6..1e8 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.0} MB", bytes / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (seconds, text) in [(8.44, "8.4s"), (125.4, "2m05s"), (3725.0, "1h02m")] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_rate_short_of_all_never_reads_as_all() {
        assert_eq!(percent(0.9999), "99.9%");
        assert_eq!(percent(1.0), "100.0%");
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(size(86_400), "86 kB");
        assert_eq!(size(1_234_567), "1.2 MB");
    }
}
