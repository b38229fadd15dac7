//! The log that `CCACHE_LOGFILE` names, which may be huge, interleaved and damaged: read as a
//! stream, with fixed bounds on everything that is kept and printed.

use crate::calls::Calls;
use crate::folders::Folders;
use crate::lines::Lines;
use crate::section::{Outcome, Owner, Section, says_nothing};
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// How much is printed of all sections together, in bytes.
pub const MAX_PRINTED_BYTES: usize = 96 * 1024;

/// Longest line that is kept, in bytes.
const MAX_LINE_BYTES: usize = 4096;

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
    /// Misses and failures of which only the beginning was printed.
    pub cut: u64,
}

impl Summary {
    /// Whether something was not printed that concerns the project and was no hit.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.left_out > 0 || self.cut > 0
    }
}

/// Prints to `out` the sections of `log` that concern `projects` and were no hits, and returns what
/// the log held. Linear time, constant memory.
///
/// A section concerns a project when it names a file or folder of it, or ran in a folder that the
/// project is built in, as far as the log has told by the time that the section is let go of.
///
/// # Errors
/// `log` cannot be read or `out` not written.
pub fn print_sections(
    log: impl Read,
    projects: &[PathBuf],
    out: &mut dyn Write,
) -> io::Result<Summary> {
    let mut reader = Reader {
        calls: Calls::new(),
        stamp: Stamp::default(),
        folders: Folders::new(projects),
        printer: Printer { out, budget: MAX_PRINTED_BYTES, summary: Summary::default() },
    };
    let mut lines = Lines::new(log, MAX_LINE_BYTES);
    while let Some(line) = lines.next_line()? {
        reader.take(line)?;
    }
    let Reader { calls, folders, mut printer, .. } = reader;
    calls.in_order().try_for_each(|section| printer.close(section, &folders))?;
    Ok(printer.summary)
}

struct Reader<'a> {
    calls: Calls,
    /// What the line before started with.
    stamp: Stamp,
    folders: Folders,
    printer: Printer<'a>,
}

impl Reader<'_> {
    fn take(&mut self, line: &[u8]) -> io::Result<()> {
        if self.stamp.says_nothing(line) {
            return Ok(());
        }
        let message = self.message(line);
        if message.is_some_and(is_start) {
            let Self { calls, folders, printer, .. } = self;
            return calls.start(|section| printer.close(section, folders));
        }
        if let Some(section) = self.calls.current() {
            // Without a stamp it is the rest of a message that had a line feed in it.
            let line = message.unwrap_or(line);
            section.note(line, &mut self.folders, self.printer.has_room());
        }
        Ok(())
    }

    /// What `line` says after its stamp, once its process has been turned to.
    fn message<'a>(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        self.stamp.strip(line).or_else(|| {
            let (process, message) = split(line)?;
            self.stamp.learn(line, message);
            self.calls.turn_to(process);
            Some(message)
        })
    }
}

/// How a line starts between the time and the message, ` 4711 ]`. Most lines are of the process
/// that wrote the line before and need no closer look.
#[derive(Default)]
struct Stamp {
    begin: usize,
    text: Vec<u8>,
    /// Where the message begins.
    end: usize,
}

impl Stamp {
    /// Remembers the stamp of `line`, which ends with `message`.
    fn learn(&mut self, line: &[u8], message: &[u8]) {
        let begin = line.iter().position(|byte| *byte == b' ').unwrap_or_default();
        let text = line.get(begin..line.len() - message.len()).unwrap_or_default();
        self.begin = begin;
        self.text.clear();
        self.text.extend_from_slice(text.strip_suffix(b" ").unwrap_or(text));
        self.end = line.len() - message.len();
    }

    /// Whether nothing is learnt from `line`, whoever wrote it. Process numbers are padded, so all
    /// messages begin at one place.
    fn says_nothing(&self, line: &[u8]) -> bool {
        let is_stamped = self.end > 0 && line.first() == Some(&b'[');
        is_stamped && line.get(self.end..).is_some_and(says_nothing)
    }

    /// The message of `line` when the stamp is the one that was learnt.
    fn strip<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        if self.text.is_empty() || line.first() != Some(&b'[') {
            return None;
        }
        line.get(self.begin..)?.strip_prefix(self.text.as_slice()).map(unpad)
    }
}

/// What is printed, and what is counted.
struct Printer<'a> {
    out: &'a mut dyn Write,
    budget: usize,
    summary: Summary,
}

impl Printer<'_> {
    /// Once there was no room for one section, the rest is only counted.
    fn has_room(&self) -> bool {
        self.summary.left_out == 0
    }

    fn close(&mut self, section: &Section, folders: &Folders) -> io::Result<()> {
        self.summary.sections += 1;
        match section.owner(folders) {
            Owner::Other => return Ok(()),
            Owner::Probe => {
                self.summary.probes += 1;
                return Ok(());
            }
            Owner::Project => self.summary.concerning += 1,
        }
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
        if self.has_room() {
            let shown = section.render();
            if let Some(rest) = self.budget.checked_sub(shown.len()) {
                self.budget = rest;
                self.summary.cut += u64::from(section.is_cut());
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
    (digits > 0).then(|| (process, unpad(message)))
}

fn unpad(message: &[u8]) -> &[u8] {
    message.strip_prefix(b" ").unwrap_or(message)
}

/// `=== CCACHE 4.7.5 STARTED ===…`
fn is_start(message: &[u8]) -> bool {
    let Some(version) = message.strip_prefix(b"=== CCACHE ") else { return false };
    let blank = version.iter().take(40).position(|byte| *byte == b' ');
    blank.and_then(|blank| version.get(blank..)).is_some_and(|rest| rest.starts_with(b" STARTED"))
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

    fn read_calls(calls: &[Vec<String>]) -> (Summary, String) {
        read(calls.concat().concat().as_bytes())
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
            ..Summary::default()
        };
        assert_eq!(summary, expected);
        assert!(printed.contains("ccache log: miss.c: cache_miss (process 22)\n| Working"));
        assert!(printed.contains("ccache log: again.c: unsupported_compiler_option"));
        for absent in ["hit.c", "foreign.c", "conftest.c", "(default)"] {
            assert!(!printed.contains(absent), "{absent} in {printed}");
        }
    }

    #[test]
    fn what_runs_in_the_projects_build_folder_concerns_it() {
        let build = "/tmp/tmpab12/build";
        let (summary, printed) = read_calls(&[
            call(1, build, "before.c", "cache_miss"),
            call(2, build, "/project/a.c", "cache_miss"),
            call(3, build, "after.c", "direct_cache_hit"),
            call(4, "/tmp/tmpab12/build/sub", "deep.c", "cache_miss"),
            call(
                5,
                "/tmp/tmpab12/build/CMakeFiles/CMakeScratch/TryCompile-x",
                "src.cxx",
                "cache_miss",
            ),
            call(6, "/tmp/tmpab12", "above.c", "cache_miss"),
            call(7, "/tmp/tmpab12/builds", "beside.c", "cache_miss"),
        ]);
        assert_eq!((summary.concerning, summary.hits, summary.missed), (4, 1, 3), "{printed}");
        assert_eq!((summary.sections, summary.probes), (7, 1));
        for name in ["before.c", "deep.c"] {
            assert!(printed.contains(&format!("ccache log: {name}: cache_miss")), "{printed}");
        }
        for (folder, source) in [
            // What everybody uses, and what others share with the project.
            ("/tmp", "/project/a.c"),
            ("/", "/project/a.c"),
            ("/root", "/project/a.c"),
            // A probe tells nothing: it is deleted, and its folder with it.
            ("/tmp/x", "/project/conftest.c"),
            // Not the project's own.
            ("/tmp/x", "/elsewhere/a.c"),
        ] {
            let calls =
                [call(1, folder, source, "cache_miss"), call(2, folder, "gen.c", "cache_miss")];
            let (summary, _) = read_calls(&calls);
            let expected = u64::from(source == "/project/a.c");
            assert_eq!(summary.concerning, expected, "{folder} {source}");
        }
    }

    #[test]
    fn a_stamp_is_recognised_again_whatever_follows_it() {
        let mut log = b"[t 7]\n[t 7] === CCACHE 4.7.5 STARTED ===\n".to_vec();
        log.extend(b"[t 7]Working directory: /project\n[t 7 ] Source file: a.c\n");
        log.extend(b"=== CCACHE 4.7.5 STARTED ===\n[u 7] Result: cache_miss\n");
        log.extend(b"[t 77] Result: direct_cache_hit\nlost\n[longer 7] Object file: a.o\n");
        let (summary, printed) = read(&log);
        assert_eq!((summary.sections, summary.missed), (1, 1));
        let expected = "ccache log: a.c: cache_miss (process 7)\n\
                        | Working directory: /project\n| Source file: a.c\n\
                        | === CCACHE 4.7.5 STARTED ===\n| Result: cache_miss\n\
                        | Object file: a.o\n";
        assert_eq!(printed, expected);
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
