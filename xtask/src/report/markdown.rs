//! A run in Markdown, as job summaries show it.
//!
//! Names and messages may come from the package: they are escaped, so that none of them can make
//! markup, a link or a table cell.

use ccache_validator::text::escape;

use super::terminal::{closing, duration, percent, role, size};
use crate::event::{BuildOutcome, BuildReport, Phase, Report, RunOutcome};

/// How many blocks a full bar has.
const BAR: usize = 10;
/// How many of the phases that took longest are listed.
const SLOWEST: usize = 5;

/// The whole run. `children` are summaries that builds' own processes have written, by identifier;
/// those that do not fit into `max_bytes` any more are left out, and it is said.
pub(crate) fn summary(report: &Report, children: &[(String, String)], max_bytes: usize) -> String {
    let mark = if report.outcome == Some(RunOutcome::Done) { "✅" } else { "❌" };
    let mut lines = vec![format!("## {mark} {}: {}", text(&report.package), closing(report))];
    lines.push(String::new());
    if let Some(containerless) = &report.containerless {
        lines.extend([text(&containerless.words()), String::new()]);
    }
    lines.extend(verdicts(report));
    lines.extend(failures(report));
    lines.extend(slowest(report));
    lines.extend(wheels(report));
    let mut summary = lines.join("\n");
    summary.push('\n');
    for (identifier, written) in children {
        let child = child(identifier, written);
        if summary.len() + child.len() > max_bytes {
            summary.push_str("\nFurther summaries of cibuildwheel's are left out.\n");
            break;
        }
        summary.push_str(&child);
    }
    summary
}

fn verdicts(report: &Report) -> Vec<String> {
    let mut lines = vec![
        "| build | role | verdict | hits | | direct | preprocessed | missed | time |".to_owned(),
        "|---|---|---|---:|---|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(report.builds.iter().map(verdict));
    lines
}

fn verdict(build: &BuildReport) -> String {
    let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let cache = build.cache.as_ref();
    let mark = match (build.outcome, cache) {
        (BuildOutcome::Failed, _) => "❌",
        (BuildOutcome::NotRun, _) => "⏹",
        (_, Some(cache)) if cache.verdict == "miss" || cache.suspicious.is_some() => "⚠️",
        _ => "✅",
    };
    let word = match (cache, build.outcome) {
        (Some(cache), _) => text(&cache.verdict),
        (None, BuildOutcome::NotRun) => "not run".to_owned(),
        (None, _) => "none".to_owned(),
    };
    let rate = cache.and_then(|cache| cache.hit_rate);
    let part = match build.outcome {
        BuildOutcome::Reused | BuildOutcome::Resumed => build.outcome.word(),
        _ => role(build.role),
    };
    let time = match build.outcome {
        BuildOutcome::NotRun | BuildOutcome::Resumed => "-".to_owned(),
        _ => duration(build.elapsed_seconds),
    };
    format!(
        "| {} | {part} | {mark} {word} | {} | {} | {} | {} | {} | {time} |",
        code(&build.identifier),
        rate.map_or_else(|| "-".to_owned(), percent),
        rate.map(bar).unwrap_or_default(),
        number(cache.and_then(|cache| cache.direct_hits)),
        number(cache.and_then(|cache| cache.preprocessed_hits)),
        number(cache.and_then(|cache| cache.misses)),
    )
}

/// A bar of blocks; full for all of them only.
fn bar(fraction: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a fraction of ten blocks"
    )]
    let filled = ((fraction.clamp(0.0, 1.0) * BAR as f64) as usize).min(BAR);
    format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled))
}

fn failures(report: &Report) -> Vec<String> {
    let failed = |build: &BuildReport| {
        let failure = build.failure.as_ref()?;
        let mut line = format!("- {}: {}", code(&build.identifier), text(&failure.what));
        if !failure.remedy.is_empty() {
            line.extend(["<br>help: ", &text(&failure.remedy)]);
        }
        Some(line)
    };
    titled("What failed", None, report.builds.iter().filter_map(failed).collect())
}

fn slowest(report: &Report) -> Vec<String> {
    let mut phases: Vec<(&BuildReport, &Phase)> = Vec::new();
    for build in &report.builds {
        phases.extend(build.phases.iter().map(|phase| (build, phase)));
    }
    phases.sort_by(|one, other| other.1.elapsed_seconds.total_cmp(&one.1.elapsed_seconds));
    let row = |(build, phase): &(&BuildReport, &Phase)| {
        let time = duration(phase.elapsed_seconds);
        format!("| {} | {} | {time} |", code(&build.identifier), text(&phase.name))
    };
    let rows = phases.iter().take(SLOWEST).map(row).collect();
    titled("Slowest phases", Some("| build | phase | time |\n|---|---|---:|"), rows)
}

fn wheels(report: &Report) -> Vec<String> {
    let row = |build: &BuildReport| {
        let name = build.wheel.as_ref()?.file_name()?;
        let size = build.size_bytes.map_or_else(|| "-".to_owned(), size);
        let hash = build.sha256.as_deref().unwrap_or("-");
        Some(format!("| {} | {size} | {} |", code(name), code(hash)))
    };
    // One wheel may serve several builds.
    let mut rows: Vec<_> = report.builds.iter().filter_map(row).collect();
    rows.dedup();
    titled("Wheels", Some("| wheel | size | SHA-256 |\n|---|---:|---|"), rows)
}

/// A section, unless there is nothing in it.
fn titled(title: &str, head: Option<&str>, rows: Vec<String>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let head = head.map(ToOwned::to_owned);
    [String::new(), format!("### {title}"), String::new()]
        .into_iter()
        .chain(head)
        .chain(rows)
        .collect()
}

/// A build's own summary, folded away, as text: it quotes file names and settings as they are.
fn child(identifier: &str, written: &str) -> String {
    let ticks = written.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(ticks.max(2) + 1);
    let written: Vec<_> = written.lines().map(|line| escape(line.as_bytes())).collect();
    format!(
        "\n<details><summary>cibuildwheel's own summary of {}</summary>\n\n{fence}text\n{}\n{fence}\n\n\
         </details>\n",
        text(identifier),
        written.join("\n").trim(),
    )
}

/// A name in code type, if it is nothing but a name.
fn code(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-!/".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) { format!("`{name}`") } else { text(name) }
}

/// Any text as text, in one line.
pub(crate) fn text(any: &str) -> String {
    let words: Vec<_> = any.split_whitespace().collect();
    let escaped = escape(words.join(" ").as_bytes());
    let mut text = String::new();
    let mut rest = escaped.chars().peekable();
    while let Some(character) = rest.next() {
        // A colon before a word can begin a link or an emoji.
        let joins = character == ':' && rest.peek().is_some_and(|next| *next != ' ');
        if joins || "&<>|`*_[]\\~#@$".contains(character) {
            text.extend(["&#", &u32::from(character).to_string(), ";"]);
        } else {
            text.push(character);
        }
    }
    // So does this, of itself.
    text.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile =
            "<img src=x> | [a](b) `c` **d** @me #1 &amp; \u{202e} https://x www.x\n# title";
        let safe = text(hostile);
        for markup in
            ["<", ">", "|", "[", "]", "`", "*", "@me", "#1 ", "\n", "\u{202e}", "://", "www."]
        {
            assert!(!safe.contains(markup), "{markup:?} in {safe}");
        }
        assert_eq!(text("plain, 100 % words."), "plain, 100 % words.");
    }

    #[test]
    fn only_names_are_code() {
        assert_eq!(code("cp312-manylinux_x86_64"), "`cp312-manylinux_x86_64`");
        assert_eq!(code("a`b"), "a&#96;b");
        assert_eq!(code(""), "");
    }

    #[test]
    fn a_bar_is_full_for_all_hits_only() {
        assert_eq!(bar(0.999), "█████████░");
        assert_eq!(bar(1.0), "██████████");
        assert_eq!(bar(0.0), "░░░░░░░░░░");
    }

    #[test]
    fn a_builds_own_summary_cannot_leave_its_fence() {
        let child = child("cp312", "a\n````\n</details>\n<b>x");
        assert!(child.contains("\n`````text\na\n````\n</details>\n<b>x\n`````\n"), "{child}");
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_it_is_said() {
        let children = [("a".to_owned(), "x".repeat(500)), ("b".to_owned(), "y".repeat(500))];
        let summary = summary(&Report::default(), &children, 900);
        assert!(summary.contains("xxx") && !summary.contains("yyy"), "{summary}");
        assert!(summary.ends_with("are left out.\n"));
    }
}
