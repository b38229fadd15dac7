//! The only module that prints, and asks. stdout is for data, stderr for people.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use camino::Utf8Path;
use indicatif::MultiProgress;

use crate::environment::Environment;

/// What is drawn at the bottom of the terminal, if anything is: whatever else is printed goes above it.
static SCREEN: OnceLock<MultiProgress> = OnceLock::new();

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Volume {
    /// Nothing at all.
    Silent,
    /// What matters.
    Quiet,
    /// How it is going.
    #[default]
    Normal,
    /// The logs of builds as well.
    Verbose,
}

/// Where a person reads, and how much they want to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Console {
    volume: Volume,
    /// Whether somebody is watching, in a terminal that can be drawn in.
    watched: bool,
    /// Whether colours are wanted.
    colours: bool,
    /// What makes lines harmless for a program that reads along, where one does.
    guard: Option<fn(&str) -> String>,
}

impl Console {
    /// The console of this process.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One that shows a run, as much of it as is wanted.
    pub(crate) fn of_run(verbose: bool, quiet: bool, environment: &Environment) -> Self {
        let can_draw = environment.get("TERM").is_some_and(|term| term != "dumb") || cfg!(windows);
        let watched = io::stderr().is_terminal() && can_draw;
        let colours = watched && environment.get("NO_COLOR").is_none();
        let volume = if verbose { Volume::Verbose } else { Volume::Normal };
        Self { volume, watched, colours, guard: None }.quietened(quiet)
    }

    /// One that nobody hears, for benchmarks and tests.
    pub(crate) fn silent() -> Self {
        Self { volume: Volume::Silent, ..Self::default() }
    }

    /// One whose stderr a program reads as well: every line goes through `guard`, and a build's log is
    /// only shown by who knows how.
    pub(crate) fn guarded(guard: fn(&str) -> String) -> Self {
        Self { guard: Some(guard), ..Self::default() }
    }

    /// The same for who wants it quiet.
    pub(crate) fn quietened(self, quiet: bool) -> Self {
        Self { volume: if quiet { Volume::Quiet } else { self.volume }, ..self }
    }

    /// Whether lines may have colours.
    pub(crate) fn has_colours(self) -> bool {
        self.colours
    }

    /// A place to draw in, if somebody is watching who wants no more and no less. From then on all
    /// other lines are printed above it.
    pub(crate) fn screen(self) -> Option<MultiProgress> {
        let draws = self.watched && self.volume == Volume::Normal;
        draws.then(|| SCREEN.get_or_init(MultiProgress::new).clone())
    }

    /// Whether the log of a build is shown as it comes. Side by side they would interleave.
    pub(crate) fn shows_logs_live(self, jobs: usize) -> bool {
        self.volume == Volume::Verbose && jobs == 1
    }

    /// Shows a finished build's log in one piece, if logs are to be shown and have not been.
    pub(crate) fn show_whole(self, log: &Utf8Path, jobs: usize) {
        if self.volume == Volume::Verbose && jobs > 1 {
            let mut stderr = io::stderr().lock();
            let _ = File::open(log).and_then(|mut log| io::copy(&mut log, &mut stderr));
        }
    }

    /// A line for a person who watches.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if self.volume > Volume::Quiet {
            self.alert(line);
        }
    }

    /// A line for a person, however quiet they want it.
    ///
    /// A reader that has gone away is no reason to stop a build, so errors are dropped.
    pub(crate) fn alert(self, line: impl AsRef<str>) {
        if self.volume == Volume::Silent {
            return;
        }
        let line = line.as_ref();
        let line = self.guard.map_or(Cow::Borrowed(line), |guard| Cow::Owned(guard(line)));
        above_the_screen(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Whether a person agrees, who does as `by_default` with nothing but Enter; `None` where nobody is
    /// there to be asked, in a terminal that is read and written.
    pub(crate) fn ask(self, question: &str, by_default: bool) -> Option<bool> {
        let is_heard = self.volume > Volume::Silent;
        if !is_heard || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let choice = if by_default { "[Y/n]" } else { "[y/N]" };
        above_the_screen(|| {
            let _ = write!(io::stderr(), "{question} {choice} ");
        });
        let line = io::stdin().lines().next().and_then(Result::ok);
        Some(line.is_some_and(|line| is_yes(&line, by_default)))
    }

    /// Something that is odd and stops nothing.
    pub(crate) fn warn(self, what: impl AsRef<str>) {
        self.alert(format!("warning: {}", what.as_ref()));
    }

    /// Has something written to stderr as it is and in one piece.
    pub(crate) fn write(self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) {
        if self.volume > Volume::Silent {
            let mut out = BufWriter::new(io::stderr().lock());
            let _ = write(&mut out).and_then(|()| out.flush());
        }
    }

    /// Bytes of a child's output, for a person, as they are.
    #[expect(clippy::unused_self, reason = "only who was given a console may print")]
    pub(crate) fn pass_on(self, bytes: &[u8]) {
        let _ = io::stderr().write_all(bytes);
    }

    /// A line of data for another program.
    pub(crate) fn data(self, line: impl AsRef<str>) {
        if self.volume > Volume::Silent {
            above_the_screen(|| {
                let _ = writeln!(io::stdout(), "{}", line.as_ref());
            });
        }
    }
}

fn above_the_screen(print: impl FnOnce()) {
    match SCREEN.get() {
        Some(screen) => screen.suspend(print),
        None => print(),
    }
}

/// Whether an answer is yes; `by_default` is what nothing but Enter means.
fn is_yes(answer: &str, by_default: bool) -> bool {
    match answer.trim().to_lowercase().as_str() {
        "" => by_default,
        answer => matches!(answer, "y" | "yes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_is_said_in_few_ways_and_everything_else_is_no() {
        for (answer, is) in
            [("y\r\n", true), ("YES", true), ("n", false), ("yess", false), ("q", false)]
        {
            assert_eq!(is_yes(answer, false), is, "{answer}");
            assert_eq!(is_yes(answer, true), is, "{answer}");
        }
        assert!(is_yes("\n", true) && !is_yes("\n", false), "Enter alone");
    }
}
