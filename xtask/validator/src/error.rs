//! What the library answers when something could not be done.

use std::fmt;
use std::io;
use std::path::Path;

/// A failure in words: what failed, on which input, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
}

impl Error {
    /// An error that reads as `message`.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// An input or output error: `what` names the action (`"cannot write"`), `next` the remedy.
    #[must_use]
    pub fn io(what: &str, path: &Path, error: &io::Error, next: &str) -> Self {
        Self::new(format!("{what} {}: {error}; {next}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
