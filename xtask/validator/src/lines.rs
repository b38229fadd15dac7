//! Lines of a file that nobody vouches for: any bytes, any length, possibly cut off.

use memchr::memchr;
use std::io::{self, ErrorKind, Read};

/// How much is read at once, in bytes, or more for longer lines.
const BUFFER_BYTES: usize = 64 * 1024;

/// Reads lines of at most a fixed number of bytes; the rest of a longer line is skipped, so memory
/// stays constant whatever the input holds. It keeps a buffer of its own, out of which lines are
/// handed without a copy, so that its reader needs none.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer has been read and not been handed out.
    begin: usize,
    end: usize,
    /// Up to here there is no line feed.
    searched: usize,
    /// The beginning of this line has been handed out already.
    is_rest: bool,
    max_bytes: usize,
}

impl<R: Read> Lines<R> {
    /// Reads from `reader`, keeping at most `max_bytes` of each line.
    #[must_use]
    pub(crate) fn new(reader: R, max_bytes: usize) -> Self {
        let max_bytes = max_bytes.max(1);
        // One that is handed out cut may end in the two bytes of a line ending.
        let buffer = vec![0; BUFFER_BYTES.max(max_bytes.saturating_add(2))];
        Self { reader, buffer, begin: 0, end: 0, searched: 0, is_rest: false, max_bytes }
    }

    /// The next line without its line feed or carriage return; `None` at the end. Lines of nothing
    /// but a line feed are passed over.
    ///
    /// # Errors
    /// The reader's own.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        let (begin, end) = loop {
            let new = self.buffer.get(self.searched..self.end).unwrap_or_default();
            if let Some(distance) = memchr(b'\n', new) {
                let (begin, end) = (self.begin, self.searched + distance);
                self.begin = end + 1;
                self.searched = self.begin;
                if begin < end && !self.is_rest {
                    break (begin, end);
                }
                self.is_rest = false;
                continue;
            }
            self.searched = self.end;
            if self.begin == 0 && self.end == self.buffer.len() {
                // Longer than any that is kept.
                self.begin = self.end;
                if !std::mem::replace(&mut self.is_rest, true) {
                    break (0, self.end);
                }
            } else if !self.fill()? {
                let begin = std::mem::replace(&mut self.begin, self.end);
                let is_line = begin < self.end && !self.is_rest;
                return Ok(is_line.then(|| self.cut(begin, self.end, false)));
            }
        };
        Ok(Some(self.cut(begin, end, true)))
    }

    /// What is kept of a line, with or without the carriage return of a line ending.
    fn cut(&self, begin: usize, end: usize, is_ended: bool) -> &[u8] {
        let line = self.buffer.get(begin..end).unwrap_or_default();
        let line = if is_ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        line.get(..self.max_bytes).unwrap_or(line)
    }

    /// Reads on behind what is held; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.searched -= self.begin;
            self.begin = 0;
        }
        loop {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(room) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    /// All lines, with bars between them.
    fn all(reader: impl Read, max_bytes: usize) -> io::Result<Vec<u8>> {
        let mut lines = Lines::new(reader, max_bytes);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line()? {
            found.push(line.to_vec());
        }
        Ok(found.join(&b'|'))
    }

    #[test]
    fn lines_are_cut_to_the_limit_and_the_rest_is_skipped() {
        let table: [(&[u8], usize, &[u8]); 10] = [
            (b"", 3, b""),
            (b"abcdef\nxy\n", 3, b"abc|xy"),
            (b"ab\nxy", 3, b"ab|xy"),
            (b"abc\nabc\r\nabcd\rx\n", 3, b"abc|abc|abc"),
            (b"abc\n\n\nx", 3, b"abc|x"),
            (b"\n\nabcd\r\n", 4, b"abcd"),
            (b"a\r\n\0\xff\n", 9, b"a|\0\xff"),
            (b"\r\n\rx\r", 9, b"|\rx\r"),
            (b"abcdef\n\n", 1, b"a"),
            (b"abcdef", 0, b"a"),
        ];
        for (input, max_bytes, expected) in table {
            assert_eq!(all(input, max_bytes).unwrap(), expected, "{input:?}");
            // However they come.
            for size in 1..20 {
                let reader = Pieces(input, size);
                assert_eq!(all(reader, max_bytes).unwrap(), expected, "{input:?} by {size}");
            }
        }
    }

    #[test]
    fn lines_longer_than_the_buffer_are_cut_like_any_other() {
        for (length, more) in [(BUFFER_BYTES - 1, 0), (BUFFER_BYTES, 0), (BUFFER_BYTES, 3)] {
            for ending in ["\n", "\r\n", ""] {
                let long = "x".repeat(length * (more + 1) + more);
                let input = format!("a\n{long}{ending}b\n");
                let expected = if ending.is_empty() { "a|xxxxx" } else { "a|xxxxx|b" };
                for size in [7_919, BUFFER_BYTES, usize::MAX] {
                    let reader = Pieces(input.as_bytes(), size);
                    assert_eq!(all(reader, 5).unwrap(), expected.as_bytes(), "{length} {size}");
                }
            }
        }
    }

    /// Fails so many times before there is something to read.
    struct Failing<'a>(&'a [u8], u32, ErrorKind);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.1 == 0 {
                return self.0.read(buffer);
            }
            self.1 -= 1;
            Err(self.2.into())
        }
    }

    #[test]
    fn only_an_interrupted_read_is_tried_again() {
        let interrupted = Failing(b"a\nb", 5, ErrorKind::Interrupted);
        assert_eq!(all(interrupted, 9).unwrap(), b"a|b");
        let refused = Failing(b"a\nb", 5, ErrorKind::PermissionDenied);
        assert_eq!(all(refused, 9).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
