//! What a person watches in a terminal: a line for each build that runs, one for the whole run, and
//! finished builds above them.

mod words;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::line::Line;
use super::terminal;
use crate::console::Console;
use crate::event::{Event, Kind, Report, Reporter};
use crate::history::Entry;

/// How often the times on the screen go on.
const TICK: Duration = Duration::from_millis(200);

/// Draws a run while it goes on.
pub(crate) struct Live {
    console: Console,
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

/// What the ticker sees as well.
struct Shared {
    view: Mutex<View>,
    over: AtomicBool,
}

impl Shared {
    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Starts with nothing drawn. `earlier` is the run that times are guessed from.
    pub(crate) fn new(console: Console, screen: MultiProgress, earlier: Option<Entry>) -> Self {
        let view = View::new(screen, earlier, console.has_colours());
        let shared = Arc::new(Shared { view: Mutex::new(view), over: AtomicBool::new(false) });
        let seen = Arc::clone(&shared);
        let ticker = thread::spawn(move || {
            while !seen.over.load(Ordering::SeqCst) {
                seen.view().tick();
                thread::park_timeout(TICK);
            }
        });
        Self { console, shared, ticker: Some(ticker) }
    }

    fn finish(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(ticker) = self.ticker.take() {
            ticker.thread().unpark();
            // A ticker that broke off has nothing to say.
            let _ = ticker.join();
        }
        self.shared.view().clear();
    }
}

impl Reporter for Live {
    fn name(&self) -> &'static str {
        "the terminal"
    }

    fn handle(&mut self, event: &Event) -> Result<()> {
        let is_over = matches!(event.kind, Kind::RunFinished { .. });
        if is_over {
            self.finish();
        }
        let mut view = self.shared.view();
        view.take_in(event)?;
        if is_over {
            for wheel in terminal::wheels(&view.report) {
                self.console.data(wheel);
            }
        }
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.finish();
    }
}

/// What is on the screen, and what it comes from.
struct View {
    report: Report,
    earlier: Option<Entry>,
    /// When the run began, once it has.
    began: Option<Instant>,
    screen: MultiProgress,
    /// The lines of the builds that run.
    lines: BTreeMap<String, ProgressBar>,
    overall: ProgressBar,
    has_colours: bool,
}

impl View {
    fn new(screen: MultiProgress, earlier: Option<Entry>, has_colours: bool) -> Self {
        let overall = screen.add(bar());
        Self {
            report: Report::default(),
            earlier,
            began: None,
            screen,
            lines: BTreeMap::new(),
            overall,
            has_colours,
        }
    }

    /// Draws what the time has changed.
    fn tick(&self) {
        if let Some(began) = self.began {
            self.draw(began.elapsed().as_secs_f64());
        }
    }

    /// Draws all, so many seconds after the run began.
    fn draw(&self, now: f64) {
        for (identifier, line) in &self.lines {
            let build = self.report.builds.iter().find(|build| build.identifier == *identifier);
            if let Some(build) = build {
                line.set_message(words::line(build, &self.report, now));
            }
        }
        self.overall.set_message(words::overall(&self.report, self.earlier.as_ref(), now));
    }

    /// Takes in an event, and prints above the lines what stays.
    fn take_in(&mut self, event: &Event) -> Result<()> {
        self.report.apply(event);
        if matches!(event.kind, Kind::RunStarted { .. }) {
            self.began = Some(Instant::now());
        }
        let stays = match &event.kind {
            Kind::BuildStarted { identifier, .. } => {
                let line = self.screen.insert_before(&self.overall, bar());
                self.lines.insert(identifier.clone(), line);
                false
            }
            Kind::BuildFinished { identifier, .. } => {
                if let Some(line) = self.lines.remove(identifier) {
                    line.finish_and_clear();
                    self.screen.remove(&line);
                }
                true
            }
            Kind::RunStarted { .. } | Kind::RunFinished { .. } => true,
            Kind::PhaseStarted { .. } | Kind::Compiled { .. } => false,
        };
        if stays {
            self.print(&terminal::lines(event, &self.report))?;
        }
        if !matches!(event.kind, Kind::RunFinished { .. }) {
            self.draw(event.at_seconds);
        }
        Ok(())
    }

    fn print(&self, lines: &[Line]) -> Result<()> {
        let shown: Vec<_> = lines.iter().map(|line| line.shown(self.has_colours)).collect();
        Ok(self.screen.println(shown.join("\n"))?)
    }

    fn clear(&self) {
        self.lines.values().for_each(ProgressBar::finish_and_clear);
        self.overall.finish_and_clear();
    }
}

/// A line that is nothing but its text, cut to the terminal's width.
fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    // The template is a constant, which the tests draw.
    let style = ProgressStyle::with_template("{wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests;
