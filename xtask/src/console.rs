//! The only module that prints. stdout is for data, stderr for people.

use std::io::{self, IsTerminal as _, Write as _};

/// Where a person reads, and how much they want to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    /// Whether the logs of builds are shown as they come.
    pub(crate) verbose: bool,
}

#[expect(clippy::unused_self, reason = "only who was given a console may print")]
impl Console {
    /// The console of this process: verbose when asked to be, or when somebody is watching.
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose: verbose || io::stderr().is_terminal() }
    }

    /// A line for a person.
    ///
    /// A reader that has gone away is no reason to stop a build, so errors are dropped.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        let _ = writeln!(io::stderr(), "{}", line.as_ref());
    }

    /// Bytes of a child's output, for a person, as they are.
    pub(crate) fn pass_on(self, bytes: &[u8]) {
        let _ = io::stderr().write_all(bytes);
    }

    /// A line of data for another program.
    pub(crate) fn data(self, line: impl AsRef<str>) {
        let _ = writeln!(io::stdout(), "{}", line.as_ref());
    }
}
