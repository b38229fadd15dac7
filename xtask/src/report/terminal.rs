//! What a person sees: a line when something changes, a table at the end.

use anyhow::Result;
use camino::Utf8PathBuf;

use super::line::{Line, Tone};
use crate::console::Console;
use crate::event::{
    BuildOutcome, BuildReport, BuildResult, Cache, Containerless, Event, Failure, Kind, Report,
    Reporter, Role, RunOutcome,
};

/// Where lines about a build begin that has ended.
const INDENT: &str = "               ";

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
        tell(self.console, &lines(event, &self.report));
        if matches!(event.kind, Kind::RunFinished { .. }) {
            for wheel in wheels(&self.report) {
                self.console.data(wheel);
            }
        }
        Ok(())
    }
}

/// Prints lines, those that matter however quiet it is to be.
pub(super) fn tell(console: Console, lines: &[Line]) {
    for line in lines {
        let shown = line.shown(console.has_colours());
        if line.matters() { console.alert(shown) } else { console.say(shown) }
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
pub(super) fn lines(event: &Event, report: &Report) -> Vec<Line> {
    match &event.kind {
        Kind::RunStarted { run_id, package, builds, containerless, .. } => {
            let plural = if builds.len() == 1 { "build" } else { "builds" };
            let first = format!("{package}: {} {plural}, run {run_id}", builds.len());
            let mut lines = vec![Line::plain(first)];
            let words = containerless.as_ref().map(Containerless::words);
            lines.extend(words.iter().flat_map(|words| Line::folded(Tone::Odd, "  ", words)));
            let mut notes: Vec<_> = builds.iter().filter_map(|build| build.note.as_ref()).collect();
            notes.dedup();
            let note = |note: &&String| Line::folded(Tone::Plain, "  note: ", note);
            lines.extend(notes.iter().flat_map(note));
            lines
        }
        Kind::BuildStarted { identifier, .. } => {
            let place = report.builds.iter().position(|build| build.identifier == *identifier);
            let role = place.map_or("", |place| role(report.builds[place].role));
            let (place, all) = (place.unwrap_or_default() + 1, report.builds.len());
            vec![Line::plain(format!("[{place}/{all}] {identifier} ({role})"))]
        }
        Kind::PhaseStarted { identifier, name } => {
            let whose = side_by_side(report, identifier);
            vec![Line::plain(format!("      {:>7}  {whose}{name}", duration(event.at_seconds)))]
        }
        Kind::Compiled { .. } => Vec::new(),
        Kind::BuildFinished { identifier, result } => finished(identifier, result, report),
        Kind::RunFinished { .. } => {
            let mut lines = vec![Line::plain("")];
            lines.extend(table(report));
            // Their excerpts were shown when they failed.
            lines.extend(failures(report, false));
            lines.extend(ending(report));
            lines
        }
    }
}

/// What a run comes to: the table, what failed, and how it ended.
pub(crate) fn whole(report: &Report) -> Vec<Line> {
    let mut lines = table(report);
    lines.extend(failures(report, true));
    lines.extend(ending(report));
    lines
}

fn finished(identifier: &str, result: &BuildResult, report: &Report) -> Vec<Line> {
    let build = report.builds.iter().find(|build| build.identifier == identifier);
    let elapsed = build.map_or(0.0, |build| build.elapsed_seconds);
    let taken = match result.outcome {
        BuildOutcome::Built | BuildOutcome::Failed => format!(", in {}", duration(elapsed)),
        _ => String::new(),
    };
    let verdict = result.cache.as_ref().map_or("no verdict", |cache| cache.verdict.as_str());
    let word = result.outcome.word();
    let whose = side_by_side(report, identifier);
    let now = duration(report.elapsed_seconds);
    let text = format!("      {now:>7}  {whose}{word}: {verdict}{taken}");
    let mut lines = vec![Line::new(tone(result), text)];
    let remarks = result.cache.iter().flat_map(remarks).chain(about_links(result));
    lines.extend(remarks.flat_map(|remark| Line::folded(Tone::Plain, INDENT, &remark)));
    if let Some(failure) = &result.failure {
        lines.extend(Line::folded(Tone::Detail, INDENT, &failure.what));
        lines.extend(excerpt(failure));
    }
    lines
}

fn tone(result: &BuildResult) -> Tone {
    let is_odd = |cache: &Cache| cache.verdict == "miss" || cache.suspicious.is_some();
    match (result.outcome, &result.cache) {
        (BuildOutcome::Failed, _) => Tone::Bad,
        (_, Some(cache)) if is_odd(cache) => Tone::Odd,
        (_, Some(cache)) if cache.verdict == "hit" => Tone::Good,
        _ => Tone::Plain,
    }
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

/// The table: one row per build, at most 80 columns for the identifiers that exist; below it for whom
/// the wheels are, where that is not what their identifiers lead to expect.
fn table(report: &Report) -> Vec<Line> {
    let width = report.builds.iter().map(|build| build.identifier.len()).max().unwrap_or(0).max(5);
    let head = format!(
        "{:width$} {:8} {:7} {:>6} {:>4} {:>4} {:>6} {:>6} {:>7}",
        "build", "role", "verdict", "direct", "prep", "miss", "hits", "time", "wheel"
    );
    let rows = report.builds.iter().map(|build| Line::plain(row(build, width)));
    let words = report.containerless.as_ref().map(Containerless::words);
    let note = words.iter().flat_map(|words| Line::folded(Tone::Odd, "  ", words));
    [Line::plain(head)].into_iter().chain(rows).chain(note).collect()
}

fn row(build: &BuildReport, width: usize) -> String {
    let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let cache = build.cache.as_ref();
    let verdict = match (cache, build.outcome) {
        (Some(cache), _) => short(&cache.verdict),
        // It had begun when the events end.
        (None, BuildOutcome::NotRun) if !build.phases.is_empty() => "cut off",
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

fn failures(report: &Report, with_excerpts: bool) -> Vec<Line> {
    let failed = report.builds.iter().filter_map(|build| Some((build, build.failure.as_ref()?)));
    let explain = |(build, failure)| explain(&report.command, failure, build, with_excerpts);
    failed.flat_map(explain).collect()
}

fn explain(command: &str, failure: &Failure, build: &BuildReport, with_excerpt: bool) -> Vec<Line> {
    let identifier = &build.identifier;
    let detail = |text: String| Line::new(Tone::Detail, text);
    let mut lines = vec![detail(String::new()), Line::new(Tone::Bad, format!("{identifier}:"))];
    lines.extend(Line::folded(Tone::Detail, "  ", &failure.what));
    if with_excerpt {
        lines.extend(excerpt(failure));
    }
    lines.extend(failure.unproven.iter().map(|it| detail(format!("  its wheel is kept:  {it}"))));
    lines.push(detail(format!("  the whole log:      {}", build.log)));
    lines.push(detail(format!("  this build again:   {command} --only {identifier}")));
    if !failure.remedy.is_empty() {
        lines.extend(Line::folded(Tone::Detail, "  help: ", &failure.remedy));
    }
    lines
}

/// What its log says about it.
fn excerpt(failure: &Failure) -> impl Iterator<Item = Line> {
    failure.tail.iter().map(|line| Line::new(Tone::Detail, format!("  | {line}")))
}

fn ending(report: &Report) -> [Line; 2] {
    let tone = match report.outcome {
        Some(RunOutcome::Done) => Tone::Good,
        Some(RunOutcome::Failed) => Tone::Bad,
        Some(RunOutcome::Interrupted) | None => Tone::Odd,
    };
    [Line::plain(""), Line::new(tone, closing(report))]
}

pub(super) fn closing(report: &Report) -> String {
    let built = report.builds.iter().filter(|build| build.outcome.has_wheel()).count();
    let word = match report.outcome {
        Some(RunOutcome::Done) => "done",
        Some(RunOutcome::Failed) => "failed",
        Some(RunOutcome::Interrupted) => "interrupted",
        None => "the run did not finish",
    };
    let files = wheels(report).len();
    let shared = if files < built {
        format!(" ({files} file{})", if files == 1 { "" } else { "s" })
    } else {
        String::new()
    };
    format!(
        "{word}: {built} of {} wheels{shared} in {}",
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
    fn for_whom_the_wheels_are_is_told_at_the_start_and_below_the_table() {
        let containerless = Containerless {
            why: Some("no engine".to_owned()),
            libc: Some("glibc 2.36".to_owned()),
        };
        let kind = Kind::RunStarted {
            schema: 1,
            run_id: "R".to_owned(),
            package: "p".to_owned(),
            command: String::new(),
            started: String::new(),
            jobs: 1,
            containerless: Some(containerless),
            builds: Vec::new(),
            settings: Vec::new(),
        };
        let event = Event { at_seconds: 0.0, kind };
        let mut report = Report::default();
        report.apply(&event);
        for lines in [lines(&event, &report), table(&report)] {
            let text: Vec<_> = lines.iter().map(|line| line.shown(false).into_owned()).collect();
            let text = text.join(" ");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("without containers (no engine)"), "{text}");
            assert!(text.contains("glibc 2.36"), "{text}");
        }
    }

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
