//! What people see of a run: while it goes on, when it fails, and afterwards.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::pipeline::{GOOD, pretending};
use crate::support::{Ran, Sandbox, XTASK};

/// Takes long enough to be drawn.
const SLOW: &str = "compile pkg.c && sleep 1 && wheel && hook && copy_out";

/// `release-wheels` in a terminal of that many columns; all that it wrote is in `stdout`.
fn in_a_terminal(sandbox: &Sandbox, columns: u16, arguments: &[&str]) -> Ran {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/terminal.py");
    let project = sandbox.project();
    let plain = sandbox.command(&[]);
    let mut command = Command::new("python3");
    command.args([script, &columns.to_string(), XTASK, "release-wheels", "--project"]);
    command.arg(project.as_str()).args(arguments).current_dir(project);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if !plain.get_envs().any(|(name, _)| name == "TERM") {
        command.env("TERM", "xterm-256color");
    }
    command.output().unwrap().into()
}

/// The text without what moves the cursor or sets colours.
fn without_codes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |end| end + 1);
        rest = &after[end..];
    }
    plain + rest
}

#[test]
fn in_a_terminal_each_build_that_runs_has_a_line() {
    let sandbox = pretending(SLOW);
    let ran = in_a_terminal(&sandbox, 80, &[]).expect(0);
    let text = without_codes(&ran.stdout);
    for seen in [
        "cp311-manylinux_x86_64  compile 1",
        "0 of 2 builds",
        "1 of 2 builds",
        "done: 2 of 2 wheels",
        "wheelhouse/pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl",
    ] {
        assert!(text.contains(seen), "no {seen:?} in:\n{text}");
    }
    // The follower counts towards what the pioneer had.
    assert!(text.contains("compile 1/1"), "{text}");
    assert!(ran.stdout.contains("\u{1b}[32m"), "no colours: {:?}", ran.stdout);
    let after = text.rsplit("done: 2 of 2 wheels").next().unwrap();
    assert!(!after.contains("builds,"), "a line of the view stayed: {after}");
}

#[test]
fn who_wants_no_colours_gets_none() {
    let mut sandbox = pretending(SLOW);
    sandbox.set("NO_COLOR", "1");
    let ran = in_a_terminal(&sandbox, 80, &[]).expect(0);
    assert!(without_codes(&ran.stdout).contains("1 of 2 builds"), "{}", ran.stdout);
    for code in ["\u{1b}[3", "\u{1b}[1m"] {
        assert!(!ran.stdout.contains(code), "{:?}", ran.stdout);
    }
}

#[test]
fn a_terminal_that_cannot_be_drawn_in_gets_plain_lines() {
    let mut sandbox = pretending(GOOD);
    sandbox.set("TERM", "dumb");
    let ran = in_a_terminal(&sandbox, 80, &[]).expect(0);
    assert!(!ran.stdout.contains('\u{1b}'), "{:?}", ran.stdout);
    assert!(ran.stdout.contains("cp311-manylinux_x86_64  build\r\n"), "{}", ran.stdout);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let sandbox = pretending(SLOW);
    let ran = in_a_terminal(&sandbox, 60, &[]).expect(0);
    let text = without_codes(&ran.stdout);
    // A line that fills the window is not followed by a line feed, but by the next line.
    let drawn: Vec<_> = text.match_indices("cp311-manylinux_x86_64  compile 1").collect();
    assert!(!drawn.is_empty(), "{text}");
    for (at, _) in drawn {
        assert!(matches!(text[at..].chars().nth(60), Some('─' | '━')), "{text}");
    }
}

#[test]
fn who_wants_it_quiet_hears_of_failures_only() {
    let mut sandbox = pretending(GOOD);
    let ran = sandbox.release_wheels(&["--quiet"]).expect(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.stdout.lines().count(), 2, "the wheels");

    sandbox.write("project/pkg.c", "int answer(void) { return forty_two; }\n");
    sandbox.set("PRETEND", &format!("{GOOD} || exit 1"));
    let ran = sandbox.release_wheels(&["--quiet", "--jobs", "1"]).expect(1);
    for seen in ["failed", "| pkg.c:1:", "error:", "the whole log:", "this build again:"] {
        assert!(ran.stderr.contains(seen), "no {seen:?} in:\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("verdict direct"), "the table:\n{}", ran.stderr);
}

#[test]
fn a_failed_build_shows_the_first_error_and_not_the_last_lines() {
    let noise = "for n in $(seq 200); do echo \"line $n\"; done";
    let sandbox = pretending(&format!("{noise}; compile pkg.c || {{ {noise}; exit 1; }}"));
    sandbox.write("project/pkg.c", "int answer(void) { return forty_two; }\n");
    let ran = sandbox.release_wheels(&["--jobs", "1"]).expect(1);
    let shown: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("  | ")).collect();
    assert!(shown.len() <= 25, "{}", ran.stderr);
    let error = shown.iter().position(|line| line.contains("error:"));
    assert!(error.is_some_and(|place| place < 5), "{}", ran.stderr);
    assert!(shown[error.unwrap()].contains("forty_two"), "{}", ran.stderr);
    assert_eq!(shown.iter().filter(|line| line.contains("error:")).count(), 1, "told once");
}

#[test]
fn a_run_can_be_shown_again_in_every_way() {
    let sandbox = pretending(GOOD);
    let built = sandbox.release_wheels(&[]).expect(0);
    let project = sandbox.project();
    let report = |arguments: &[&str]| {
        sandbox.run(&[&["report", "--project", project.as_str()], arguments].concat()).expect(0)
    };
    let page = sandbox.latest().join("report.html");
    let made = fs::read_to_string(&page).unwrap();
    fs::remove_file(&page).unwrap();

    let table = report(&[]).stdout;
    let row = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains(" follower ")).map(ToOwned::to_owned).collect()
    };
    assert_eq!(row(&table), row(&built.stderr), "the same table");
    assert!(table.ends_with("latest/report.html\n"), "{table}");
    assert_eq!(fs::read_to_string(&page).unwrap(), made, "the page is made again");

    assert_eq!(report(&["--format", "html"]).stdout.trim_end(), made.trim_end());
    assert!(!report(&["--format", "table"]).stdout.contains("report.html"));
    let markdown = report(&["--format", "markdown"]).stdout;
    assert!(markdown.starts_with("## ✅ pkg: done: 2 of 2 wheels"), "{markdown}");
    let id = sandbox.report()["run_id"].as_str().unwrap().to_owned();
    let json: Value = serde_json::from_str(&report(&[&id, "--format", "json"]).stdout).unwrap();
    assert_eq!(json, sandbox.report(), "what report.json has");
    let folder = sandbox.latest();
    assert_eq!(report(&[folder.as_str(), "--format", "table"]).stdout, {
        report(&["--format", "table"]).stdout
    });
}

#[test]
fn a_run_that_was_cut_off_is_shown_as_far_as_it_got() {
    let sandbox = pretending(GOOD);
    sandbox.release_wheels(&[]).expect(0);
    let events = sandbox.latest().join("events.ndjson");
    let whole = fs::read(&events).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    let project = sandbox.project();
    for end in [first + 1, whole.len() / 2, whole.len() - 30] {
        fs::write(&events, &whole[..end]).unwrap();
        for format in ["table", "markdown"] {
            let line = ["report", "--project", project.as_str(), "--format", format];
            let shown = sandbox.run(&line).expect(0).stdout;
            assert!(shown.contains("the run did not finish"), "{end}: {shown}");
        }
        let line = ["report", "--project", project.as_str(), "--format", "html"];
        assert!(sandbox.run(&line).expect(0).stdout.contains("\"outcome\":null"));
    }
    fs::write(&events, &whole[..first / 2]).unwrap();
    let line = ["report", "--project", project.as_str()];
    sandbox.run(&line).expect(2).says("does not begin with the start of a run");
    sandbox.run(&[&line[..], &["../../etc"]].concat()).expect(2).says("there is no run in");
}

#[test]
fn the_history_names_the_run_in_which_hits_fell() {
    let sandbox = pretending(GOOD);
    let project = sandbox.project();
    let line = ["report", "--project", project.as_str(), "--history"];
    let none = sandbox.run(&line).expect(0).stdout;
    assert!(none.contains("no run of pkg is known"), "{none}");
    sandbox.release_wheels(&[]).expect(0);
    sandbox.release_wheels(&[]).expect(0);
    let fine = sandbox.run(&line).expect(0).stdout;
    assert!(fine.contains("pkg: 2 runs") && !fine.contains("fell"), "{fine}");

    fs::remove_dir_all(sandbox.root.join("cache")).unwrap();
    sandbox.release_wheels(&["--on-miss", "warn"]).expect(0);
    let id = sandbox.report()["run_id"].as_str().unwrap().to_owned();
    let fell = sandbox.run(&line).expect(0).stdout;
    assert!(fell.contains(&format!("hits fell in run {id}: 50.0% after 100.0%")), "{fell}");
    assert!(fell.lines().all(|line| line.chars().count() <= 80), "{fell}");
}

#[test]
fn a_page_compares_with_the_run_before() {
    let sandbox = pretending(GOOD);
    sandbox.release_wheels(&[]).expect(0);
    let first = sandbox.report()["run_id"].as_str().unwrap().to_owned();
    sandbox.release_wheels(&[]).expect(0);
    let page = fs::read_to_string(sandbox.latest().join("report.html")).unwrap();
    assert!(page.contains(&format!("\"previous\":{{\"schema\":1,\"run_id\":\"{first}\"")));
}

/// A tree's text in one line, without its branches.
fn unfolded(tree: &str) -> String {
    let words = tree.split_whitespace().filter(|word| !["│", "├─", "└─"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_says_what_resume_would_skip() {
    let sandbox = pretending(GOOD);
    let plan = |arguments: &[&str]| {
        let line = [&["--plan"], arguments].concat();
        unfolded(&sandbox.release_wheels(&line).expect(0).stdout)
    };
    assert!(!plan(&["--resume"]).contains("has built it"));
    sandbox.release_wheels(&[]).expect(0);
    let id = sandbox.report()["run_id"].as_str().unwrap().to_owned();
    let skipped = format!("cp311-manylinux_x86_64 (skipped, run {id} has built it");
    let before = Sandbox::names(&sandbox.project().join("target/warmwheel"));
    assert!(plan(&["--resume"]).contains(&skipped), "{}", plan(&["--resume"]));
    assert!(!plan(&[]).contains("skipped"), "only if it is asked for");
    assert_eq!(Sandbox::names(&sandbox.project().join("target/warmwheel")), before);

    sandbox.write("project/pkg.c", "int answer(void) { return 43; }\n");
    let changed = plan(&["--resume"]);
    assert!(changed.contains("built again: the source changed"), "{changed}");
    let line = ["--plan=json", "--resume"];
    let json = sandbox.release_wheels(&line).expect(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["foreseen"]["cp312-manylinux_x86_64"]["decision"], "built-again");
}

#[test]
fn a_secret_in_a_setting_is_not_in_the_records() {
    let mut sandbox = pretending(GOOD);
    sandbox.set("CIBW_ENVIRONMENT", "UPLOAD_TOKEN=s3cr3t PLAIN=visible");
    sandbox.release_wheels(&[]).expect(0);
    for file in ["events.ndjson", "report.html", "report.json"] {
        let text = fs::read_to_string(sandbox.latest().join(file)).unwrap();
        assert!(!text.contains("s3cr3t"), "{file}");
    }
    let events = fs::read_to_string(sandbox.latest().join("events.ndjson")).unwrap();
    assert!(events.contains("PLAIN=") && events.contains("visible"), "{events}");
}
