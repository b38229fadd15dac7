//! The part of a failed build's log that says why it failed: the first complaint of the phase that
//! failed, with what stands around it. Later complaints are mostly about the first one, and the end of
//! a log is mostly about the end.

use std::collections::VecDeque;

/// How many lines are shown, in all.
const LINES: usize = 25;
/// How many of them may stand in front of the complaint.
const BEFORE: usize = 4;
/// A line is cut here, in characters.
const WIDTH: usize = 300;

/// What begins a complaint, wherever in a line it stands. Lower case.
const COMPLAINTS: [&str; 15] = [
    // Compilers; the colon keeps `-Werror=` and names with the word out.
    ": error:",
    ": fatal error:",
    ": error #",
    // Linkers.
    ": undefined reference to",
    "undefined symbols for architecture",
    ": cannot find -l",
    "ld: error:",
    "error lnk",
    // Build systems; meson's are like compilers'.
    "cmake error",
    "ninja: error:",
    "make: ***",
    // Tests, as pytest and unittest tell of them.
    "= failures =",
    "traceback (most recent call last)",
    // Engines.
    "manifest unknown",
    "unable to find image",
];

/// Follows a log and keeps what would have to be shown of it.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    last: VecDeque<String>,
    found: Vec<String>,
}

impl Excerpt {
    /// A phase begins: what the one before it has complained of did not make it fail.
    pub(super) fn phase_begins(&mut self) {
        self.found.clear();
        self.last.clear();
    }

    /// Takes in a line.
    pub(super) fn take_in(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let text: String = text.chars().filter(|c| !c.is_control()).take(WIDTH).collect();
        if self.found.is_empty() {
            if is_complaint(&text) {
                let before = self.last.len().saturating_sub(BEFORE);
                self.found.extend(self.last.iter().skip(before).cloned());
                self.found.push(text.clone());
            }
        } else if self.found.len() < LINES {
            self.found.push(text.clone());
        }
        if self.last.len() == LINES {
            self.last.pop_front();
        }
        self.last.push_back(text);
    }

    /// What is to be shown: the complaint, or the end of the log if there was none.
    pub(super) fn lines(self) -> Vec<String> {
        if self.found.is_empty() { self.last.into() } else { self.found }
    }
}

fn is_complaint(line: &str) -> bool {
    let line = line.to_lowercase();
    COMPLAINTS.iter().any(|complaint| line.contains(complaint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::phase;

    /// What is shown of a log that cibuildwheel has left.
    fn of_log(log: &str) -> String {
        let mut excerpt = Excerpt::default();
        for line in log.lines() {
            if phase::begun_by(line.as_bytes()).is_some() {
                excerpt.phase_begins();
            }
            excerpt.take_in(line.as_bytes());
        }
        excerpt.lines().join("\n")
    }

    /// Logs of builds of the demo that were broken on purpose, as cibuildwheel 4.3.3 left them.
    #[test]
    fn real_logs_are_cut_to_what_broke_the_build() {
        for (name, log) in [
            ("compiler", include_str!("excerpt/compiler.txt")),
            ("linker", include_str!("excerpt/linker.txt")),
            ("cmake", include_str!("excerpt/cmake.txt")),
            ("test", include_str!("excerpt/test.txt")),
            ("image", include_str!("excerpt/image.txt")),
        ] {
            insta::assert_snapshot!(name, of_log(log));
        }
    }

    /// The first line of the excerpt that complains, and how many stand before it.
    fn first(log: &str) -> (usize, String) {
        let mut excerpt = Excerpt::default();
        log.lines().for_each(|line| excerpt.take_in(line.as_bytes()));
        let lines = excerpt.lines();
        assert!(lines.len() <= LINES);
        let place = lines.iter().position(|line| is_complaint(line));
        place.map_or((lines.len(), String::new()), |place| (place, lines[place].clone()))
    }

    #[test]
    fn the_first_complaint_is_found_among_much_else() {
        let noise = "compiling\n".repeat(60);
        for complaint in [
            "/project/a.cpp:1:12: error: expected primary-expression",
            "a.c:3:10: fatal error: nothing.h: No such file or directory",
            "/usr/bin/ld: a.o: in function `f': a.c:(.text+0x5): undefined reference to `g'",
            "CMake Error at CMakeLists.txt:5 (find_package):",
            "=================================== FAILURES ===================================",
            "Error response from daemon: manifest unknown",
        ] {
            let log = format!("{noise}{complaint}\nbecause\n{noise}make: *** [all] Error 2\n");
            assert_eq!(first(&log), (BEFORE, complaint.to_owned()));
        }
    }

    #[test]
    fn a_flag_with_the_word_is_no_complaint() {
        let log = "cc -Werror=return-type -c error.c -o error.o\nall is well\n";
        assert_eq!(first(log), (2, String::new()));
    }

    #[test]
    fn what_an_earlier_phase_complained_of_does_not_matter() {
        let mut excerpt = Excerpt::default();
        excerpt.take_in(b"check.c:1: error: no such function\n");
        excerpt.phase_begins();
        excerpt.take_in(b"tests\n");
        excerpt.take_in(b"E   assert 1 == 2\n");
        assert_eq!(excerpt.lines(), ["tests", "E   assert 1 == 2"]);
    }

    #[test]
    fn lines_are_short_and_printable() {
        let mut excerpt = Excerpt::default();
        excerpt.take_in(format!("\x1b[2J{}\r\n", "x".repeat(1000)).as_bytes());
        assert_eq!(excerpt.lines(), [format!("[2J{}", "x".repeat(WIDTH - 3))]);
    }
}
