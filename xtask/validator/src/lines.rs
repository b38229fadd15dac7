//! Lines of a file that nobody vouches for: any bytes, any length, possibly cut off.

use std::io::{self, BufRead, Read};

/// Reads lines of at most a fixed number of bytes; the rest of a longer line is skipped, so memory
/// stays constant whatever the input holds.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    max_bytes: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `reader`, keeping at most `max_bytes` of each line.
    #[must_use]
    pub(crate) fn new(reader: R, max_bytes: usize) -> Self {
        Self { reader, buffer: Vec::new(), max_bytes: max_bytes.max(1) }
    }

    /// The next line without its line feed or carriage return; `None` at the end.
    ///
    /// # Errors
    /// The reader's own.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.clear();
        let limit = u64::try_from(self.max_bytes).unwrap_or(u64::MAX);
        let count = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer)?;
        if count == 0 {
            return Ok(None);
        }
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
        } else if count >= self.max_bytes {
            self.reader.skip_until(b'\n')?;
        }
        Ok(Some(&self.buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8], max_bytes: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(input, max_bytes);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(line.to_vec());
        }
        found
    }

    #[test]
    fn lines_are_cut_to_the_limit_and_the_rest_is_skipped() {
        assert_eq!(all(b"abcdef\nxy\n", 3), [b"abc".to_vec(), b"xy".to_vec()]);
        assert_eq!(all(b"ab\nxy", 3), [b"ab".to_vec(), b"xy".to_vec()]);
        assert_eq!(all(b"abc\n\nx", 3), [b"abc".to_vec(), b"".to_vec(), b"x".to_vec()]);
        assert_eq!(all(b"a\r\n\0\xff\n", 9), [b"a".to_vec(), b"\0\xff".to_vec()]);
        assert!(all(b"", 3).is_empty());
    }
}
