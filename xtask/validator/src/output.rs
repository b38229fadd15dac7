//! The only place that writes to the standard streams: data to stdout, words to stderr.

use std::io::{self, BufWriter, Write};

/// Where the words for people go. Buffered; flushed when dropped.
#[must_use]
pub(crate) fn people() -> impl Write {
    BufWriter::new(io::stderr())
}

/// Writes one line of data to standard output.
///
/// # Errors
/// Standard output is closed or full.
pub(crate) fn data(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
