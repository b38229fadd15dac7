//! What all ways of showing a run have in common.

use super::{html, markdown, sample, terminal};
use crate::event::{Event, Kind, Report};

/// What nobody wants in a name: markup, quotes, control characters, a change of direction.
const HOSTILE: &str =
    "<img src=x onerror=alert(1)>\"'&amp;`|\u{1b}[2J\r\n\u{202e}evil\u{2066}</script>";

fn table(report: &Report) -> String {
    let lines = terminal::whole(report);
    lines.iter().map(|line| line.shown(false).into_owned() + "\n").collect()
}

fn plain_output(events: &[Event]) -> String {
    let mut report = Report::default();
    let mut told = String::new();
    for event in events {
        report.apply(event);
        for line in terminal::lines(event, &report) {
            told.push_str(&line.shown(false));
            told.push('\n');
        }
    }
    told
}

#[test]
fn without_a_terminal_there_is_a_line_for_each_phase() {
    insta::assert_snapshot!("plain", plain_output(&sample::events()));
}

#[test]
fn the_table_of_a_run() {
    insta::assert_snapshot!("table", table(&sample::report_of(&sample::events())));
}

#[test]
fn no_line_of_the_output_is_wider_than_80_columns_but_for_paths_and_logs() {
    for line in plain_output(&sample::events())
        .lines()
        .chain(table(&sample::report_of(&sample::events())).lines())
    {
        let is_long = line.contains('/') || line.starts_with("  |");
        assert!(is_long || line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_stream_that_ends_anywhere_can_be_shown_in_every_way() {
    let events = sample::events();
    for end in 1..events.len() {
        let report = sample::report_of(&events[..end]);
        assert!(table(&report).contains("the run did not finish"), "{end}");
        let summary = markdown::summary(&report, &[], usize::MAX);
        assert!(summary.contains("the run did not finish"), "{end}");
        assert!(html::page(&report, None).unwrap().contains("\"outcome\":null"), "{end}");
        assert_eq!(serde_json::to_value(&report).unwrap()["outcome"], serde_json::Value::Null);
    }
}

/// The sample run with hostile names in every place that has one.
fn hostile() -> Vec<Event> {
    let mut events = sample::events();
    for event in &mut events {
        match &mut event.kind {
            Kind::RunStarted { run_id, package, command, builds, settings, .. } => {
                for text in [run_id, package, command] {
                    *text = HOSTILE.to_owned();
                }
                for build in builds {
                    build.note = Some(HOSTILE.to_owned());
                    build.domain = HOSTILE.to_owned();
                    build.identifier.push_str(HOSTILE);
                }
                for setting in settings {
                    for text in [&mut setting.option, &mut setting.ours, &mut setting.theirs] {
                        *text = HOSTILE.to_owned();
                    }
                    setting.origin = Some(HOSTILE.to_owned());
                }
            }
            Kind::BuildStarted { identifier, waited_for } => {
                identifier.push_str(HOSTILE);
                if let Some(waited_for) = waited_for {
                    waited_for.push_str(HOSTILE);
                }
            }
            Kind::PhaseStarted { identifier, name } => {
                identifier.push_str(HOSTILE);
                name.push_str(HOSTILE);
            }
            Kind::Compiled { identifier, .. } => identifier.push_str(HOSTILE),
            Kind::BuildFinished { identifier, result } => {
                identifier.push_str(HOSTILE);
                result.log = HOSTILE.into();
                result.files.iter_mut().for_each(|file| file.source.push_str(HOSTILE));
                result.wheel.iter_mut().for_each(|wheel| wheel.path = HOSTILE.into());
                if let Some(cache) = &mut result.cache {
                    cache.verdict = HOSTILE.to_owned();
                    cache.suspicious = Some(HOSTILE.to_owned());
                    cache.ccache_version = Some(HOSTILE.to_owned());
                }
                if let Some(failure) = &mut result.failure {
                    failure.what = HOSTILE.to_owned();
                    failure.remedy = HOSTILE.to_owned();
                    failure.tail = vec![HOSTILE.to_owned()];
                    failure.unproven = Some(HOSTILE.into());
                }
            }
            Kind::RunFinished { .. } => {}
        }
    }
    events
}

fn is_harmless_in_a_terminal(text: &str) -> bool {
    let harmful = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{2069}').contains(&c);
    !text.contains(harmful)
}

#[test]
fn names_are_text_in_a_terminal() {
    let events = hostile();
    let report = sample::report_of(&events);
    for shown in [plain_output(&events), table(&report)] {
        assert!(shown.contains("evil") && is_harmless_in_a_terminal(&shown), "{shown:?}");
    }
}

#[test]
fn names_are_text_in_markdown() {
    let report = sample::report_of(&hostile());
    let summary = markdown::summary(&report, &[], usize::MAX);
    assert!(summary.contains("evil") && is_harmless_in_a_terminal(&summary), "{summary:?}");
    assert!(!summary.contains("<img") && !summary.contains("</script"), "{summary}");
}

/// The page's script makes text of them, which the end-to-end tests look at in a browser.
#[test]
fn no_name_ends_the_pages_data() {
    let report = sample::report_of(&hostile());
    let page = html::page(&report, None).unwrap();
    let (_, data) = page.split_once("id=\"run\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["report"]["package"], HOSTILE);
    assert!(!page.contains("<img"));
}

/// The largest run that anybody has: 4 domains of 8 versions of 500 files.
#[test]
fn the_page_of_a_large_run_is_small() {
    let mut report = sample::report_of(&sample::events());
    let mut build = report.builds[0].clone();
    let file = build.files[0].clone();
    build.files = (0..500)
        .map(|number| {
            let mut file = file.clone();
            file.source = format!("core/src/subsystem/component_{number:03}/source_{number}.cpp");
            file
        })
        .collect();
    report.builds = (0..32)
        .map(|number| {
            let mut build = build.clone();
            build.identifier = format!("cp3{}-platform{}_x86_64", number % 8, number / 8);
            build.domain = format!("platform{}", number / 8);
            build
        })
        .collect();
    let page = html::page(&report, None).unwrap();
    assert!(page.len() < 500_000, "{} bytes", page.len());
}
