//! The only module that prints. stdout is for data, stderr for people.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use camino::Utf8Path;

/// Where a person reads, and how much they want to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    /// Whether the logs of builds are to be shown.
    pub(crate) verbose: bool,
    /// Whether somebody is watching.
    pub(crate) watched: bool,
    /// Whether nothing is shown at all.
    is_silent: bool,
    /// What makes lines harmless for a program that reads along, where one does.
    guard: Option<fn(&str) -> String>,
}

#[expect(clippy::unused_self, reason = "only who was given a console may print")]
impl Console {
    /// The console of this process.
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, watched: io::stderr().is_terminal(), is_silent: false, guard: None }
    }

    /// One that nobody hears, for benchmarks and tests.
    pub(crate) fn silent() -> Self {
        Self { verbose: false, watched: false, is_silent: true, guard: None }
    }

    /// One whose stderr a program reads as well: every line goes through `guard`, and a build's log is
    /// only shown by who knows how.
    pub(crate) fn guarded(guard: fn(&str) -> String) -> Self {
        Self { verbose: false, watched: false, is_silent: false, guard: Some(guard) }
    }

    /// Whether the log of a build is shown as it comes. Side by side they would interleave.
    pub(crate) fn shows_logs_live(self, jobs: usize) -> bool {
        (self.verbose || self.watched) && jobs == 1
    }

    /// Shows a finished build's log in one piece, if logs are to be shown and have not been.
    pub(crate) fn show_whole(self, log: &Utf8Path, jobs: usize) {
        if self.verbose && !self.shows_logs_live(jobs) {
            let mut stderr = io::stderr().lock();
            let _ = File::open(log).and_then(|mut log| io::copy(&mut log, &mut stderr));
        }
    }

    /// A line for a person.
    ///
    /// A reader that has gone away is no reason to stop a build, so errors are dropped.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if !self.is_silent {
            let line = line.as_ref();
            let line = self.guard.map_or(Cow::Borrowed(line), |guard| Cow::Owned(guard(line)));
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// Has something written to stderr as it is and in one piece.
    pub(crate) fn write(self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) {
        if !self.is_silent {
            let mut out = BufWriter::new(io::stderr().lock());
            let _ = write(&mut out).and_then(|()| out.flush());
        }
    }

    /// Bytes of a child's output, for a person, as they are.
    pub(crate) fn pass_on(self, bytes: &[u8]) {
        let _ = io::stderr().write_all(bytes);
    }

    /// A line of data for another program.
    pub(crate) fn data(self, line: impl AsRef<str>) {
        if !self.is_silent {
            let _ = writeln!(io::stdout(), "{}", line.as_ref());
        }
    }
}
