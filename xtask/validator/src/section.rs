//! One call of ccache in its log: the lines of one process between two starts.

use crate::counts::{self, Kind};
use crate::probe::is_probe;
use crate::text;
use std::path::{Component, Path, PathBuf};

/// How much of one section is kept, in bytes. One with all that matters takes some 4 KiB.
pub(crate) const MAX_SECTION_BYTES: usize = 16 * 1024;

/// Longest name of a file or folder that is kept, in bytes.
const MAX_PATH_BYTES: usize = 4096;

/// What makes up three quarters of a log: settings that nobody changed, and the traffic of locks
/// and temporary files.
const EXPLAINS_NOTHING: [&[u8]; 4] = [b"Config: (default)", b"Acquir", b"Releas", b"Unlink "];

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The cache had the result.
    Hit,
    /// The compiler ran: a miss, an uncacheable call, an error, or no result on record.
    Missed,
    /// Nothing was compiled: a link, a preprocessor run, a question.
    Other,
}

/// What is known of one call.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) process: u64,
    body: Vec<u8>,
    lines_left_out: u64,
    command: Option<String>,
    folder: Option<String>,
    source: Option<String>,
    object: Option<String>,
    names_project: bool,
    result: Option<(Kind, String)>,
}

impl Section {
    pub(crate) fn new(process: u64) -> Self {
        Self { process, ..Self::default() }
    }

    /// Takes in one line, without its time and process number.
    pub(crate) fn note(&mut self, line: &[u8], projects: &[PathBuf]) {
        if EXPLAINS_NOTHING.iter().any(|start| line.starts_with(start)) {
            return;
        }
        match line.first() {
            Some(b'W') => self.folder = value(line, b"Working directory: ").or(self.folder.take()),
            Some(b'S') => {
                self.source = value(line, b"Source file: ").or(self.source.take());
                if line == b"Succeeded getting cached result" {
                    self.conclude("direct_cache_hit");
                }
            }
            Some(b'O') => self.object = value(line, b"Object file: ").or(self.object.take()),
            Some(b'C') if line.starts_with(b"Command line: ") => {
                self.command = value(line, b"Command line: ");
                self.names_project |= projects.iter().any(|folder| mentions(line, folder));
            }
            Some(b'R') => {
                if let Some(result) = value(line, b"Result: ") {
                    self.conclude(&counter_name(&result));
                }
            }
            _ => {}
        }
        self.keep(line);
    }

    fn keep(&mut self, line: &[u8]) {
        if self.body.len() + line.len() < MAX_SECTION_BYTES && self.lines_left_out == 0 {
            self.body.extend_from_slice(line);
            self.body.push(b'\n');
        } else {
            self.lines_left_out += 1;
        }
    }

    /// A hit outweighs whatever else is told of the call; storage traffic says nothing.
    fn conclude(&mut self, name: &str) {
        let kind = counts::kind_of(name);
        let is_hit = |kind| matches!(kind, Kind::DirectHit | Kind::PreprocessedHit);
        let outweighs = match &self.result {
            _ if kind == Kind::Other => false,
            None => true,
            Some((old, _)) => is_hit(kind) && !is_hit(*old),
        };
        if outweighs {
            self.result = Some((kind, name.to_owned()));
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self.result.as_ref().map(|(kind, _)| kind) {
            Some(Kind::DirectHit | Kind::PreprocessedHit) => Outcome::Hit,
            Some(Kind::NotCompilation) => Outcome::Other,
            _ => Outcome::Missed,
        }
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.source.as_deref().is_some_and(is_probe)
    }

    /// Whether the section names a file or folder of the project. Without a project all do.
    pub(crate) fn concerns(&self, projects: &[PathBuf]) -> bool {
        if projects.is_empty() || self.names_project {
            return true;
        }
        let folder = Path::new(self.folder.as_deref().unwrap_or("/"));
        [Some("."), self.source.as_deref(), self.object.as_deref()]
            .into_iter()
            .flatten()
            .map(|path| resolve(folder, path))
            .any(|path| projects.iter().any(|project| path.starts_with(project)))
    }

    /// The section as lines to print, of which each starts with `| ` but the first.
    pub(crate) fn render(&self) -> String {
        let named = self.source.as_deref().or(self.object.as_deref()).or(self.command.as_deref());
        let source = text::keep_start(named.unwrap_or("unknown call"), 120);
        let result = self.result.as_ref().map_or("no result", |(_, name)| name.as_str());
        let mut shown = format!("ccache log: {source}: {result} (process {})\n", self.process);
        for line in self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            shown.extend(["| ", &text::escape(line), "\n"]);
        }
        if self.lines_left_out > 0 {
            shown.push_str(&render_rest(self.lines_left_out));
        }
        shown
    }
}

fn render_rest(lines_left_out: u64) -> String {
    format!("| ({lines_left_out} more lines)\n")
}

fn value(line: &[u8], label: &[u8]) -> Option<String> {
    let value = line.strip_prefix(label)?;
    Some(text::escape(value.get(..MAX_PATH_BYTES).unwrap_or(value)))
}

/// The counter that a result stands for: `direct_cache_hit` itself, or an older ccache's words for
/// it, `cache hit (direct)`.
fn counter_name(result: &str) -> String {
    match result {
        "cache hit (direct)" => "direct_cache_hit".to_owned(),
        "cache hit (preprocessed)" => "preprocessed_cache_hit".to_owned(),
        "cache miss" => "cache_miss".to_owned(),
        words => words.replace([' ', '-'], "_"),
    }
}

/// `path` below `folder`, with `.` and `..` taken out by the letter: the files may be gone by now.
fn resolve(folder: &Path, path: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

/// Whether `line` names `folder` or something below it.
fn mentions(line: &[u8], folder: &Path) -> bool {
    let folder = folder.as_os_str().as_encoded_bytes();
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    if folder.is_empty() {
        return false;
    }
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let mut start = 0;
    while let Some(found) = line.get(start..).and_then(|rest| position(rest, folder)) {
        let begin = start + found;
        let before = begin.checked_sub(1).and_then(|index| line.get(index));
        let after = line.get(begin + folder.len());
        let begins = before.is_none_or(|byte| !is_word(byte) || is_option_letter(line, begin));
        if begins && after.is_none_or(|byte| !is_word(byte)) {
            return true;
        }
        start = begin + 1;
    }
    false
}

/// Whether what stands before `begin` is an option's letter: `-I/project`.
fn is_option_letter(line: &[u8], begin: usize) -> bool {
    let option = begin.checked_sub(2).and_then(|index| line.get(index));
    option == Some(&b'-')
}

/// Where `needle` starts in `haystack`. The needle is a path, so its first byte is a slash and its
/// last one seldom meets: both are looked at before the rest.
fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| {
        window.first() == needle.first() && window.last() == needle.last() && window == needle
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(lines: &[&str], projects: &[PathBuf]) -> Section {
        let mut section = Section::new(7);
        for line in lines {
            section.note(line.as_bytes(), projects);
        }
        section
    }

    fn project() -> Vec<PathBuf> {
        vec![PathBuf::from("/project")]
    }

    #[test]
    fn a_section_concerns_the_project_by_any_of_its_files() {
        let table: [(&[&str], bool); 9] = [
            (&["Working directory: /project/build"], true),
            (&["Working directory: /project"], true),
            (&["Working directory: /projects"], false),
            (&["Working directory: /tmp/b", "Source file: /project/a.c"], true),
            (&["Working directory: /tmp/b", "Source file: ../../project/a.c"], true),
            (&["Working directory: /tmp/b", "Source file: a.c", "Object file: /project/a.o"], true),
            (&["Working directory: /project/../other", "Source file: a.c"], false),
            (&["Working directory: /tmp", "Command line: ccache gcc -c /my/project/a.c"], false),
            (&["Working directory: /tmp", "Command line: ccache gcc -I/project/inc -c a.c"], true),
        ];
        for (lines, expected) in table {
            assert_eq!(section(lines, &project()).concerns(&project()), expected, "{lines:?}");
        }
        assert!(section(&[], &[]).concerns(&[]));
    }

    #[test]
    fn outcomes_in_the_words_of_every_version() {
        let table: [(&[&str], Outcome); 9] = [
            (&["Result: direct_cache_hit", "Result: local_storage_hit"], Outcome::Hit),
            (&["Result: direct_cache_miss", "Result: preprocessed_cache_hit"], Outcome::Hit),
            (&["Succeeded getting cached result"], Outcome::Hit),
            (&["Result: cache hit (preprocessed)"], Outcome::Hit),
            (&["Result: cache_miss", "Result: direct_cache_miss"], Outcome::Missed),
            (&["Result: unsupported compiler option"], Outcome::Missed),
            (&["Result: called for link"], Outcome::Other),
            (&["Result: called_for_preprocessing"], Outcome::Other),
            (&["Command line: ccache gcc"], Outcome::Missed),
        ];
        for (lines, expected) in table {
            assert_eq!(section(lines, &[]).outcome(), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_section_is_printed_clean_and_bounded() {
        let mut section =
            section(&["Config: (default) x = y", "Source file: a\x1b.c", "\u{7}"], &[]);
        for _ in 0..10_000 {
            section.note(b"filler filler filler filler", &[]);
        }
        let shown = section.render();
        assert!(shown.starts_with("ccache log: a\\u{1b}.c: no result (process 7)\n| Source"));
        assert!(shown.len() < 2 * MAX_SECTION_BYTES && shown.ends_with("more lines)\n"));
        assert!(!shown.contains("(default)") && !shown.contains('\x1b'));
    }
}
