//! The log that `CCACHE_LOGFILE` names, which may be huge, interleaved and damaged: read as a
//! stream, with fixed bounds on everything that is kept and printed.

use crate::lines::Lines;
use crate::section::{Outcome, Section};
use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

/// How much is printed of all sections together, in bytes.
pub const MAX_PRINTED_BYTES: usize = 96 * 1024;

/// Longest line that is kept, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// How many processes are followed at once. A log does not tell when a process ended, so the one
/// that has been silent for longest is taken to have.
const MAX_OPEN: usize = 128;

/// What a log held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Calls of ccache.
    pub sections: u64,
    /// Of these, calls that concern the project, configure-time probes left out.
    pub concerning: u64,
    /// Of these, hits.
    pub hits: u64,
    /// Of these, misses and failures.
    pub missed: u64,
    /// Of these, links and other calls that compile nothing.
    pub other: u64,
    /// Configure-time probes of the project.
    pub probes: u64,
    /// Misses and failures that were not printed because there were too many.
    pub left_out: u64,
}

/// Prints to `out` the sections of `log` that concern `projects` and were no hits, and returns what
/// the log held. Linear time, constant memory.
///
/// # Errors
/// `log` cannot be read or `out` not written.
pub fn print_sections(
    log: impl BufRead,
    projects: &[PathBuf],
    out: &mut dyn Write,
) -> io::Result<Summary> {
    let mut reader = Reader {
        projects,
        out,
        open: VecDeque::with_capacity(MAX_OPEN),
        budget: MAX_PRINTED_BYTES,
        summary: Summary::default(),
    };
    let mut lines = Lines::new(log, MAX_LINE_BYTES);
    while let Some(line) = lines.next_line()? {
        reader.take(line)?;
    }
    while let Some(section) = reader.open.pop_back() {
        reader.close(&section)?;
    }
    Ok(reader.summary)
}

struct Reader<'a> {
    projects: &'a [PathBuf],
    out: &'a mut dyn Write,
    /// The process that wrote last comes first.
    open: VecDeque<Section>,
    budget: usize,
    summary: Summary,
}

impl Reader<'_> {
    fn take(&mut self, line: &[u8]) -> io::Result<()> {
        match split(line) {
            Some((process, message)) if is_start(message) => return self.start(process),
            Some((process, message)) => {
                if self.bring_forward(process) {
                    self.note(message);
                }
            }
            // The rest of a message that had a line feed in it.
            None => self.note(line),
        }
        Ok(())
    }

    fn note(&mut self, message: &[u8]) {
        if let Some(section) = self.open.front_mut() {
            section.note(message, self.projects);
        }
    }

    /// Puts the open section of `process` in front; `false` when there is none.
    fn bring_forward(&mut self, process: u64) -> bool {
        match self.open.iter().position(|section| section.process == process) {
            Some(0) => true,
            Some(index) => {
                if let Some(section) = self.open.remove(index) {
                    self.open.push_front(section);
                }
                true
            }
            None => false,
        }
    }

    fn start(&mut self, process: u64) -> io::Result<()> {
        if self.bring_forward(process)
            && let Some(finished) = self.open.pop_front()
        {
            self.close(&finished)?;
        }
        if self.open.len() >= MAX_OPEN
            && let Some(silent) = self.open.pop_back()
        {
            self.close(&silent)?;
        }
        self.open.push_front(Section::new(process));
        Ok(())
    }

    fn close(&mut self, section: &Section) -> io::Result<()> {
        self.summary.sections += 1;
        if !section.concerns(self.projects) {
            return Ok(());
        }
        if section.is_probe() {
            self.summary.probes += 1;
            return Ok(());
        }
        self.summary.concerning += 1;
        match section.outcome() {
            Outcome::Hit => self.summary.hits += 1,
            Outcome::Other => self.summary.other += 1,
            Outcome::Missed => {
                self.summary.missed += 1;
                return self.print(section);
            }
        }
        Ok(())
    }

    fn print(&mut self, section: &Section) -> io::Result<()> {
        // Once there is no room for one section, the rest is only counted.
        if self.summary.left_out == 0 {
            let shown = section.render();
            if let Some(rest) = self.budget.checked_sub(shown.len()) {
                self.budget = rest;
                return self.out.write_all(shown.as_bytes());
            }
        }
        self.summary.left_out += 1;
        Ok(())
    }
}

/// Process number and message of a line `[TIME PROCESS   ] MESSAGE`.
fn split(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let blank = rest.iter().take(40).position(|byte| *byte == b' ')?;
    let rest = rest.get(blank + 1..)?;
    let mut process: u64 = 0;
    let mut digits = 0;
    while let Some(digit) = rest.get(digits).filter(|byte| byte.is_ascii_digit()) {
        process = process.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        digits += 1;
    }
    let padding = rest.get(digits..)?;
    let blanks = padding.iter().take(20).take_while(|byte| **byte == b' ').count();
    let message = padding.get(blanks..)?.strip_prefix(b"]")?;
    (digits > 0).then(|| (process, message.strip_prefix(b" ").unwrap_or(message)))
}

/// `=== CCACHE 4.7.5 STARTED ===…`
fn is_start(message: &[u8]) -> bool {
    message.starts_with(b"=== CCACHE ") && message.windows(8).any(|word| word == b" STARTED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(process: u64, message: &str) -> String {
        format!("[2026-11-22T13:41:54.513083 {process:<5}] {message}\n")
    }

    fn call(process: u64, folder: &str, source: &str, result: &str) -> Vec<String> {
        vec![
            line(process, "=== CCACHE 4.7.5 STARTED ================="),
            line(process, "Config: (default) absolute_paths_in_stderr = false"),
            line(process, &format!("Working directory: {folder}")),
            line(process, &format!("Source file: {source}")),
            line(process, &format!("Result: {result}")),
        ]
    }

    fn read(log: &[u8]) -> (Summary, String) {
        let mut out = Vec::new();
        let summary = print_sections(log, &[PathBuf::from("/project")], &mut out).unwrap();
        (summary, String::from_utf8(out).unwrap())
    }

    #[test]
    fn interleaved_calls_are_told_apart_by_process() {
        let calls = [
            call(11, "/project", "hit.c", "direct_cache_hit"),
            call(22, "/project", "miss.c", "cache_miss"),
            call(33, "/elsewhere", "foreign.c", "cache_miss"),
            call(44, "/project", "conftest.c", "cache_miss"),
            call(55, "/project", "a.o", "called_for_link"),
        ];
        let mut log = String::new();
        for row in 0..5 {
            for call in &calls {
                log.push_str(&call[row]);
            }
        }
        log.push_str(&call(22, "/project", "again.c", "unsupported_compiler_option").concat());
        let (summary, printed) = read(log.as_bytes());
        let expected = Summary {
            sections: 6,
            concerning: 4,
            hits: 1,
            missed: 2,
            other: 1,
            probes: 1,
            left_out: 0,
        };
        assert_eq!(summary, expected);
        assert!(printed.contains("ccache log: miss.c: cache_miss (process 22)\n| Working"));
        assert!(printed.contains("ccache log: again.c: unsupported_compiler_option"));
        for absent in ["hit.c", "foreign.c", "conftest.c", "(default)"] {
            assert!(!printed.contains(absent), "{absent} in {printed}");
        }
    }

    #[test]
    fn what_is_printed_is_bounded_and_the_rest_counted() {
        let mut log = String::new();
        for process in 1..=5000 {
            log.push_str(
                &call(process, "/project", &format!("{process}.c"), "cache_miss").concat(),
            );
        }
        let (summary, printed) = read(log.as_bytes());
        assert_eq!(summary.missed, 5000);
        assert!(printed.len() <= MAX_PRINTED_BYTES && printed.len() > MAX_PRINTED_BYTES / 2);
        let shown = printed.matches("ccache log: ").count();
        assert_eq!(u64::try_from(shown).unwrap() + summary.left_out, 5000);
    }

    #[test]
    fn damage_is_survived() {
        let mut log = b"\0\0garbage\n[\n[x\n[2026 ]\n[2026 99999999999999999999999] x\n".to_vec();
        log.extend(call(1, "/project", "a\0\u{1b}b.c", "cache_miss").concat().bytes());
        log.extend(b"continued \xff\xfe line\n");
        log.extend(vec![b'x'; 3_000_000]);
        log.extend(b"\n[2026-11-22T13:41:54.5 1] Source fi");
        let (summary, printed) = read(&log);
        assert_eq!((summary.sections, summary.missed), (1, 1));
        assert!(printed.contains("| continued \u{fffd}\u{fffd} line\n"), "{printed}");
        assert!(printed.contains("a\\u{0}\\u{1b}b.c: cache_miss"));
    }

    #[test]
    fn lines_are_split_whatever_the_padding() {
        assert_eq!(split(b"[t 12   ] x"), Some((12, &b"x"[..])));
        assert_eq!(split(b"[t 12] x"), Some((12, &b"x"[..])));
        assert_eq!(split(b"[t 12]"), Some((12, &b""[..])));
        for bad in ["", "[", "[t", "[t 12", "[t ] x", "[t x] x", "t 12] x"] {
            assert_eq!(split(bad.as_bytes()), None, "{bad}");
        }
    }
}
