use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

use super::*;
use crate::report::sample;

fn view(terminal: impl TermLike + 'static, earlier: Option<Entry>) -> View {
    let target = ProgressDrawTarget::term_like(Box::new(terminal));
    View::new(MultiProgress::with_draw_target(target), earlier, false)
}

/// What a terminal of that width shows after each event of a run.
fn watched(width: u16, earlier: Option<Entry>) -> String {
    let terminal = InMemoryTerm::new(60, width);
    let mut view = view(terminal.clone(), earlier);
    let mut seen = String::new();
    let mut before = String::new();
    for event in sample::events() {
        if matches!(event.kind, Kind::RunFinished { .. }) {
            view.clear();
        }
        view.take_in(&event).unwrap();
        let now = terminal.contents();
        // What is there already is not shown again in the snapshot.
        let new: Vec<_> = now.lines().skip(unchanged(&before, &now)).collect();
        seen.extend([&format!("---- {}\n", event.at_seconds), &new.join("\n"), "\n"]);
        before = now;
    }
    seen
}

fn unchanged(before: &str, now: &str) -> usize {
    before.lines().zip(now.lines()).take_while(|(before, now)| before == now).count()
}

#[test]
fn a_whole_run_at_80_columns() {
    insta::assert_snapshot!(watched(80, None));
}

#[test]
fn a_whole_run_at_120_columns_after_an_earlier_one() {
    let earlier = sample::report_of(&sample::events());
    insta::assert_snapshot!(watched(120, Entry::of(&earlier)));
}

#[test]
fn at_the_end_nothing_is_left_of_the_lines() {
    let terminal = InMemoryTerm::new(60, 80);
    let mut view = view(terminal.clone(), None);
    for event in sample::events() {
        if matches!(event.kind, Kind::RunFinished { .. }) {
            view.clear();
        }
        view.take_in(&event).unwrap();
    }
    let last = terminal.contents();
    assert!(!last.contains('━') && !last.contains('─'), "{last}");
    assert!(last.trim_end().ends_with("failed: 3 of 4 wheels in 56.3s"), "{last}");
}

/// A terminal whose window somebody pulls at.
#[derive(Clone, Debug)]
struct Window {
    terminal: InMemoryTerm,
    width: Arc<AtomicU16>,
}

impl TermLike for Window {
    fn width(&self) -> u16 {
        self.width.load(Ordering::Relaxed)
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.terminal.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.terminal.move_cursor_left(columns)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.terminal.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.terminal.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.terminal.flush()
    }
}

#[test]
fn lines_are_cut_to_what_the_window_is_now() {
    let width = Arc::new(AtomicU16::new(120));
    let window = Window { terminal: InMemoryTerm::new(60, 120), width: Arc::clone(&width) };
    let mut view = view(window.clone(), None);
    let events = sample::events();
    let until = events.iter().position(|event| matches!(event.kind, Kind::Compiled { .. }));
    for event in &events[..=until.unwrap()] {
        view.take_in(event).unwrap();
    }
    let contents = || window.terminal.contents();
    assert!(contents().contains("11.8s  0 hits, 2 misses\n"), "{}", contents());
    width.store(60, Ordering::Relaxed);
    view.draw(20.0);
    // A line that fills the window needs no line feed, and the memory's own width stays.
    assert!(contents().contains("19.8s  0 hits, 2 ───"), "{}", contents());
}
