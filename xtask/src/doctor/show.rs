//! Checks, shown: as a table of 80 columns, or as data.

use std::fmt::Write as _;

use anyhow::Result;
use ccache_validator::text::{WIDTH, escape, fold, keep_end, keep_start};
use serde_json::json;

use super::{Check, State, judge};

/// Version of the layout of the data.
const SCHEMA: u32 = 1;
/// What stands in front of a remedy, and as much room for its other lines.
const HELP: &str = "    help: ";
/// The longest text of a line, in characters: a complaint of others' may be a page.
const MAX_SHOWN: usize = 400;

impl State {
    /// A mark, and the same as a word.
    fn shown(self) -> &'static str {
        match self {
            Self::Ok => "✓ ok",
            Self::Bad => "✗ bad",
            Self::Unknown => "? unknown",
        }
    }
}

/// Whether no need is known not to be met.
pub(crate) fn is_well(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.state != State::Bad)
}

/// The table, and a line about all of it.
pub(crate) fn table(checks: &[Check]) -> String {
    let mut text = String::new();
    let mut about = None;
    for check in checks {
        if check.image.as_deref() != about {
            about = check.image.as_deref();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\n{}:", clean(&judge::shown(about.unwrap_or("this machine"))));
        }
        text.push_str(&line(check));
    }
    text.push('\n');
    text.push_str(&closing(checks));
    text
}

/// One need.
fn line(check: &Check) -> String {
    let label = format!("{:<10}{:<17}", check.state.shown(), check.name);
    let room = WIDTH - label.chars().count();
    // A path says most at its end; the data has all of it.
    let found = clean(&check.found);
    let words: Vec<_> = found.split_whitespace().map(|word| keep_end(word, room - 1)).collect();
    let mut text = fold(&label, &words.join(" "));
    let mut label = HELP.to_owned();
    for line in check.remedy.lines() {
        match line.strip_prefix("    ") {
            Some(command) => text.push_str(&typed(&clean(command))),
            None => text.push_str(&fold(&label, &clean(line))),
        }
        label = " ".repeat(HELP.len());
    }
    text
}

/// A command that can be copied: broken only where a shell puts it together again.
fn typed(command: &str) -> String {
    let indent = HELP.len() + 4;
    let most = WIDTH - indent - 2;
    let mut lines = vec![String::new()];
    for word in command.split(' ') {
        let Some(last) = lines.last_mut() else { continue };
        let is_open = |quote: char| last.matches(quote).count() % 2 == 1;
        let is_inside = is_open('\'') || is_open('"');
        let is_long = last.chars().count() + 1 + word.chars().count() > most;
        if last.is_empty() {
            last.push_str(word);
        } else if is_long && !is_inside {
            lines.push(format!("  {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    let blanks = " ".repeat(indent);
    let lines: Vec<_> = lines.iter().map(|line| format!("{blanks}{line}")).collect();
    lines.join(" \\\n") + "\n"
}

/// Text of others on one line, with nothing in it that a terminal would act on.
fn clean(text: &str) -> String {
    let short = keep_start(text.trim_end(), MAX_SHOWN);
    escape(short.replace(['\n', '\t'], " ").as_bytes())
}

fn closing(checks: &[Check]) -> String {
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let unknown = match count(State::Unknown) {
        0 => String::new(),
        number => format!("; {number} could not be found out"),
    };
    match count(State::Bad) {
        0 => format!("nothing is known to be missing{unknown}"),
        bad => format!("{bad} of {} needs are not met{unknown}", checks.len()),
    }
}

/// The checks as data.
///
/// # Errors
/// They cannot be written as JSON.
pub(crate) fn json(checks: &[Check]) -> Result<String> {
    let all = json!({"schema": SCHEMA, "ok": is_well(checks), "checks": checks});
    Ok(serde_json::to_string_pretty(&all)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Weight;

    fn checks() -> Vec<Check> {
        let long = "words of a program that fails, ".repeat(4) + "\u{1b}[2J\nand a second line";
        let install = "install it with\n    sudo apt-get install --yes --no-install-recommends podman \
            runc uidmap slirp4netns\nor do without";
        let image = format!("quay.io/x@sha256:{}", "0a".repeat(32));
        vec![
            Check::ok("Python", "3.12.4, /usr/bin/python3"),
            Check::ok("cibuildwheel", format!("4.3.3, {}/bin/python", "/long".repeat(20))),
            Check::bad("container engine", Weight::Warns, long, install),
            Check::unknown("clock inside", "it takes a container", "").of_image(&image),
        ]
    }

    #[test]
    fn the_table_fits_on_a_narrow_terminal_and_commands_can_be_copied() {
        insta::assert_snapshot!(table(&checks()), @r#"
        ✓ ok      Python           3.12.4, /usr/bin/python3
        ✓ ok      cibuildwheel     4.3.3,
                                   …g/long/long/long/long/long/long/long/long/bin/python
        ✗ bad     container engine words of a program that fails, words of a program
                                   that fails, words of a program that fails, words of a
                                   program that fails, \u{1b}[2J and a second line
            help: install it with
                      sudo apt-get install --yes --no-install-recommends podman runc \
                        uidmap slirp4netns
                  or do without

        quay.io/x@sha256:0a0a0a0a0a0a…:
        ? unknown clock inside     it takes a container

        1 of 4 needs are not met; 1 could not be found out
        "#);
        assert!(table(&checks()).lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_command_is_not_broken_inside_of_quotes() {
        let command = format!("before-all = \"{}\" end of it", "x ".repeat(60).trim_end());
        let text = typed(&command);
        assert_eq!(
            text.replace("\\\n", "").split_whitespace().collect::<Vec<_>>().join(" "),
            command
        );
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn the_data_has_every_line_and_whether_all_is_well() {
        let value: serde_json::Value = serde_json::from_str(&json(&checks()).unwrap()).unwrap();
        assert_eq!((&value["schema"], &value["ok"]), (&json!(1), &json!(false)));
        let states: Vec<_> =
            value["checks"].as_array().unwrap().iter().map(|it| it["state"].clone()).collect();
        assert_eq!(states, ["ok", "ok", "bad", "unknown"]);
        assert!(value["checks"][3]["image"].as_str().unwrap().ends_with("0a0a"), "in full");
        assert!(value["checks"][2]["remedy"].as_str().unwrap().contains("\n    sudo apt-get"));
        assert!(is_well(&checks()[..2]) && is_well(&checks()[3..]));
    }
}
