//! Lines of a file that nobody vouches for: any bytes, any length, possibly cut off.

use memchr::memchr;
use std::io::{self, BufRead, Read};
use std::mem;

/// Reads lines of at most a fixed number of bytes; the rest of a longer line is skipped, so memory
/// stays constant whatever the input holds.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    /// How much of the reader's own buffer the line before took.
    used: usize,
    /// A line that goes over the end of the reader's buffer.
    split: Vec<u8>,
    max_bytes: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `reader`, keeping at most `max_bytes` of each line.
    #[must_use]
    pub(crate) fn new(reader: R, max_bytes: usize) -> Self {
        Self { reader, used: 0, split: Vec::new(), max_bytes: max_bytes.max(1) }
    }

    /// The next line without its line feed or carriage return; `None` at the end. Lines of nothing
    /// but a line feed are passed over.
    ///
    /// # Errors
    /// The reader's own.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            self.reader.consume(mem::take(&mut self.used));
            // An error is met again where the line is put together.
            let held = self.reader.fill_buf().unwrap_or_default();
            self.used = held.iter().take_while(|byte| **byte == b'\n').count();
            if self.used > 0 {
                continue;
            }
            let Some(length) = memchr(b'\n', held) else { return self.split_line() };
            self.used = length + 1;
            let line = self.reader.fill_buf()?.get(..length).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            return Ok(Some(line.get(..self.max_bytes).unwrap_or(line)));
        }
    }

    /// Puts together a line that the reader's buffer does not hold whole.
    fn split_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.split.clear();
        let limit = self.max_bytes.saturating_add(b"\r\n".len());
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        if (&mut self.reader).take(limit).read_until(b'\n', &mut self.split)? == 0 {
            return Ok(None);
        }
        if let Some(line) = self.split.strip_suffix(b"\n") {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.split.truncate(line.len());
        } else {
            self.reader.skip_until(b'\n')?;
        }
        self.split.truncate(self.max_bytes);
        Ok(Some(&self.split))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, ErrorKind};

    /// All lines, with bars between them.
    fn all(reader: impl BufRead, max_bytes: usize) -> io::Result<Vec<u8>> {
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
            // However the reader's buffer divides them.
            for capacity in 1..20 {
                let reader = BufReader::with_capacity(capacity, input);
                assert_eq!(all(reader, max_bytes).unwrap(), expected, "{input:?} by {capacity}");
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
        let interrupted = BufReader::new(Failing(b"a\nb", 5, ErrorKind::Interrupted));
        assert_eq!(all(interrupted, 9).unwrap(), b"a|b");
        let refused = BufReader::new(Failing(b"a\nb", 5, ErrorKind::PermissionDenied));
        assert_eq!(all(refused, 9).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
