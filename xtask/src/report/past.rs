//! The runs of a package, one after another.

use ccache_validator::text::{escape, fold};

use super::terminal::{duration, percent};
use crate::event::RunOutcome;
use crate::history::{Entry, fall, sparkline};

/// How many runs are listed, the newest last.
const LISTED: usize = 20;

/// A line for each run, what they come to, and where hits fell.
pub(crate) fn lines(package: &str, entries: &[Entry]) -> Vec<String> {
    let package = escape(package.as_bytes());
    if entries.is_empty() {
        return vec![format!("no run of {package} is known on this machine")];
    }
    let listed = &entries[entries.len().saturating_sub(LISTED)..];
    let mut lines = vec![format!("{package}: {} runs, the last {}", entries.len(), listed.len())];
    lines.push(format!("  time {}", sparkline(listed.iter().map(|it| Some(it.elapsed_seconds)))));
    lines.push(format!("  hits {}", sparkline(listed.iter().map(|it| it.hit_rate))));
    lines.push(String::new());
    lines
        .push(format!("{:22} {:11} {:>8} {:>6} {:>6}", "run", "outcome", "time", "hits", "wheels"));
    lines.extend(listed.iter().map(row));
    if let Some((good, bad)) = fall(entries) {
        let rate = |entry: &Entry| entry.hit_rate.map_or_else(|| "-".to_owned(), percent);
        lines.push(String::new());
        let told = format!(
            "hits fell in run {}: {} after {} in {}, and have not come back",
            escape(bad.run_id.as_bytes()),
            rate(bad),
            rate(good),
            escape(good.run_id.as_bytes())
        );
        lines.extend(fold("", &told).lines().map(ToOwned::to_owned));
    }
    lines
}

fn row(entry: &Entry) -> String {
    let outcome = match entry.outcome {
        RunOutcome::Done => "done",
        RunOutcome::Failed => "failed",
        RunOutcome::Interrupted => "interrupted",
    };
    let wheels = entry.builds.iter().filter(|build| build.size_bytes.is_some()).count();
    format!(
        "{:22} {outcome:11} {:>8} {:>6} {:>6}",
        escape(entry.run_id.as_bytes()),
        duration(entry.elapsed_seconds),
        entry.hit_rate.map_or_else(|| "-".to_owned(), percent),
        format!("{wheels}/{}", entry.builds.len()),
    )
}
