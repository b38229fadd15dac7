//! A run for the tests of what shows one: a pioneer, two followers that hit, and one that fails.

use crate::event::{Event, Report};

/// All that happens in it, as `events.ndjson` has it.
pub(super) const STREAM: &str = include_str!("sample.ndjson");

/// The same, read.
pub(super) fn events() -> Vec<Event> {
    STREAM.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What events come to.
pub(super) fn report_of(events: &[Event]) -> Report {
    let mut report = Report::default();
    for event in events {
        report.apply(event);
    }
    report
}
