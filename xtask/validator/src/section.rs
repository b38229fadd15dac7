//! One call of ccache in its log: the lines of one process between two starts.

use crate::counts::{self, Kind};
use crate::folders::{Folders, resolve};
use crate::probe::is_probe;
use crate::text;
use std::borrow::Cow;

/// How much of one section is kept, in bytes. One with all that matters takes some 4 KiB.
pub(crate) const MAX_SECTION_BYTES: usize = 16 * 1024;

/// How much is kept of what only goes into a section's first line, in bytes.
const MAX_NAME_BYTES: usize = 512;

/// Whether nothing is learnt from `line`, without its stamp, as from three quarters of a log:
/// settings that nobody changed, and the traffic of locks and temporary files.
pub(crate) fn says_nothing(line: &[u8]) -> bool {
    match line.first() {
        Some(b'C') => line.starts_with(b"Config: (default)"),
        Some(b'A') => line.starts_with(b"Acquir"),
        Some(b'R') => line.starts_with(b"Releas"),
        Some(b'U') => line.starts_with(b"Unlink "),
        _ => false,
    }
}

/// Whose a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Project,
    /// The project's configure step.
    Probe,
    Other,
}

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

/// What is known of one call. Names are kept as bytes: only the few sections that are printed are
/// worth making fit for it.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) process: u64,
    body: Vec<u8>,
    lines_left_out: u64,
    command: Vec<u8>,
    source: Vec<u8>,
    object: Vec<u8>,
    /// Where the call ran, resolved.
    folder: Vec<u8>,
    /// Its source or its command line is the project's.
    is_own: bool,
    /// It ran in the project, or wrote there.
    is_near: bool,
    is_probe: bool,
    result: Option<(Kind, String)>,
}

impl Section {
    /// Makes this the section of a call that has just started. The memory stays in use.
    pub(crate) fn restart(&mut self, process: u64) {
        let names = [&mut self.command, &mut self.source, &mut self.object, &mut self.folder];
        names.into_iter().for_each(Vec::clear);
        self.process = process;
        self.body.clear();
        self.lines_left_out = 0;
        self.is_own = false;
        self.is_near = false;
        self.is_probe = false;
        self.result = None;
    }

    /// Takes in one line, without its time and process number. `is_kept` tells whether sections
    /// are still printed.
    pub(crate) fn note(&mut self, line: &[u8], folders: &mut Folders, is_kept: bool) {
        if says_nothing(line) {
            return;
        }
        if let Some(b'C' | b'O' | b'R' | b'S' | b'W') = line.first() {
            self.learn(line, folders);
        }
        if is_kept && self.outcome() != Outcome::Hit {
            self.keep(line);
        }
    }

    /// The first line of each kind counts; ccache writes no second one.
    fn learn(&mut self, line: &[u8], folders: &mut Folders) {
        if let Some(result) = line.strip_prefix(b"Result: ") {
            let result = result.get(..MAX_NAME_BYTES).unwrap_or(result);
            self.conclude(&counter_name(result), folders);
        } else if let Some(command) = first(&self.command, line, b"Command line: ") {
            set(&mut self.command, command);
            self.is_own |= folders.are_named_in(command);
        } else if let Some(folder) = first(&self.folder, line, b"Working directory: ") {
            self.folder = resolve(b"", folder);
            self.is_near |= folders.hold(&self.folder);
        } else if let Some(source) = first(&self.source, line, b"Source file: ") {
            set(&mut self.source, source);
            let path = resolve(&self.folder, source);
            self.is_own |= folders.hold(&path);
            self.is_probe = is_probe(&String::from_utf8_lossy(&path));
        } else if let Some(object) = first(&self.object, line, b"Object file: ") {
            set(&mut self.object, object);
            self.is_near |= folders.hold(&resolve(&self.folder, object));
        } else if line == b"Succeeded getting cached result" {
            self.conclude("direct_cache_hit", folders);
        }
    }

    /// A hit outweighs whatever else is told of the call; storage traffic says nothing.
    fn conclude(&mut self, name: &str, folders: &mut Folders) {
        // By now all else is known of the call, where it ran among it.
        if self.result.is_none() && self.is_own && !self.is_probe {
            folders.remember_build(&self.folder);
        }
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
        if is_hit(kind) {
            self.body.clear();
        }
    }

    fn keep(&mut self, line: &[u8]) {
        if self.body.len() + line.len() < MAX_SECTION_BYTES && self.lines_left_out == 0 {
            self.body.extend_from_slice(line);
            self.body.push(b'\n');
        } else {
            self.lines_left_out += 1;
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self.result.as_ref().map(|(kind, _)| kind) {
            Some(Kind::DirectHit | Kind::PreprocessedHit) => Outcome::Hit,
            Some(Kind::NotCompilation) => Outcome::Other,
            _ => Outcome::Missed,
        }
    }

    /// The call is the project's when it names a file or folder of the project, or ran in a build
    /// folder of it. Without a project all are.
    pub(crate) fn owner(&self, folders: &Folders) -> Owner {
        let concerns = self.is_own || self.is_near || folders.hold_all();
        if !concerns && !folders.is_build(&self.folder) {
            Owner::Other
        } else if self.is_probe {
            Owner::Probe
        } else {
            Owner::Project
        }
    }

    /// Whether lines were left out of the section.
    pub(crate) fn is_cut(&self) -> bool {
        self.lines_left_out > 0
    }

    /// The section as lines to print, of which each starts with `| ` but the first.
    pub(crate) fn render(&self) -> String {
        let known = [&self.source, &self.object, &self.command];
        let name = known.into_iter().find(|name| !name.is_empty());
        let name = name.map_or_else(|| "unknown call".to_owned(), |name| text::escape(name));
        let name = text::keep_start(&name, 120);
        let result = self.result.as_ref().map_or("no result", |(_, name)| name.as_str());
        let result = text::escape(result.as_bytes());
        let mut shown = format!("ccache log: {name}: {result} (process {})\n", self.process);
        for line in self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            shown.extend(["| ", &text::escape(line), "\n"]);
        }
        if self.is_cut() {
            shown.push_str(&render_rest(self.lines_left_out));
        }
        shown
    }
}

fn render_rest(lines_left_out: u64) -> String {
    format!("| ({lines_left_out} more lines)\n")
}

/// What `line` tells after `label`, unless that is `known` already.
fn first<'a>(known: &[u8], line: &'a [u8], label: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(label).filter(|_| known.is_empty())
}

fn set(kept: &mut Vec<u8>, name: &[u8]) {
    kept.extend_from_slice(name.get(..MAX_NAME_BYTES).unwrap_or(name));
}

/// The counter that a result stands for: `direct_cache_hit` itself, or an older ccache's words for
/// it, `cache hit (direct)`. What is damaged is no counter's name.
fn counter_name(result: &[u8]) -> Cow<'_, str> {
    let result = str::from_utf8(result).unwrap_or_default();
    if !result.bytes().any(|byte| b" -".contains(&byte)) {
        return result.into();
    }
    match result {
        "cache hit (direct)" => "direct_cache_hit".into(),
        "cache hit (preprocessed)" => "preprocessed_cache_hit".into(),
        words => words.replace([' ', '-'], "_").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn section(lines: &[&str], folders: &mut Folders) -> Section {
        let mut section = Section::default();
        section.restart(7);
        for line in lines {
            section.note(line.as_bytes(), folders, true);
        }
        section
    }

    fn project() -> Folders {
        Folders::new(&[PathBuf::from("/project")])
    }

    #[test]
    fn a_section_concerns_the_project_by_any_of_its_files() {
        let table: [(&[&str], Owner); 12] = [
            (&["Working directory: /project/build"], Owner::Project),
            (&["Working directory: /project"], Owner::Project),
            (&["Working directory: /projects"], Owner::Other),
            (&["Working directory: /tmp/b", "Source file: /project/a.c"], Owner::Project),
            (&["Working directory: /tmp/b", "Source file: ../../project/a.c"], Owner::Project),
            (&["Working directory: /tmp", "Object file: /project/a.o"], Owner::Project),
            (&["Working directory: /project/../other", "Source file: a.c"], Owner::Other),
            (&["Command line: ccache gcc -c /my/project/a.c"], Owner::Other),
            (&["Command line: ccache gcc -I/project/inc -c a.c"], Owner::Project),
            (&["Working directory: /project", "Source file: conftest.c"], Owner::Probe),
            (&["Working directory: /project/CMakeFiles/3.2.1", "Source file: a.c"], Owner::Probe),
            (
                &["Working directory: /project/CMakeFiles/3.2.1", "Source file: ../../a.c"],
                Owner::Project,
            ),
        ];
        for (lines, expected) in table {
            let mut folders = project();
            assert_eq!(section(lines, &mut folders).owner(&folders), expected, "{lines:?}");
        }
        let mut all = Folders::new(&[]);
        assert_eq!(section(&[], &mut all).owner(&all), Owner::Project);
        assert_eq!(section(&["Source file: conftest.c"], &mut all).owner(&all), Owner::Probe);
    }

    #[test]
    fn every_result_of_an_own_source_tells_the_build_folder() {
        let folder = "Working directory: /tmp/tmpab12/build";
        for (source, result, expected) in [
            ("/project/a.c", "Result: cache_miss", true),
            ("/project/a.c", "Result: direct_cache_hit", true),
            ("../../../project/a.c", "Succeeded getting cached result", true),
            ("/project/a.c", "Result: unsupported_compiler_option", true),
            ("/project/conftest.c", "Result: cache_miss", false),
            ("/elsewhere/a.c", "Result: cache_miss", false),
        ] {
            let mut folders = project();
            section(&[folder, &format!("Source file: {source}"), result], &mut folders);
            let generated = section(&[folder, "Source file: gen.c"], &mut folders);
            assert_eq!(generated.owner(&folders) == Owner::Project, expected, "{source} {result}");
        }
        let mut folders = project();
        let command = "Command line: ccache gcc -shared /project/a.o";
        section(&[command, folder, "Result: called_for_link"], &mut folders);
        assert_eq!(section(&[folder], &mut folders).owner(&folders), Owner::Project);
    }

    #[test]
    fn outcomes_in_the_words_of_every_version() {
        let table: [(&[&str], Outcome); 10] = [
            (&["Result: direct_cache_hit", "Result: local_storage_hit"], Outcome::Hit),
            (&["Result: direct_cache_miss", "Result: preprocessed_cache_hit"], Outcome::Hit),
            (&["Result: cache_miss", "Result: direct_cache_hit"], Outcome::Hit),
            (&["Succeeded getting cached result"], Outcome::Hit),
            (&["Result: cache hit (preprocessed)"], Outcome::Hit),
            (&["Result: cache_miss", "Result: direct_cache_miss"], Outcome::Missed),
            (&["Result: unsupported compiler option"], Outcome::Missed),
            (&["Result: called for link"], Outcome::Other),
            (&["Result: called_for_preprocessing"], Outcome::Other),
            (&["Command line: ccache gcc"], Outcome::Missed),
        ];
        for (lines, expected) in table {
            assert_eq!(section(lines, &mut project()).outcome(), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_section_is_printed_clean_and_bounded() {
        let mut folders = project();
        let lines = ["Config: (default) x = y", "Source file: a\x1b.c", "\u{7}"];
        let mut section = section(&lines, &mut folders);
        for _ in 0..10_000 {
            section.note(b"filler filler filler filler", &mut folders, true);
        }
        let shown = section.render();
        assert!(shown.starts_with("ccache log: a\\u{1b}.c: no result (process 7)\n| Source"));
        assert!(shown.len() < 2 * MAX_SECTION_BYTES && shown.ends_with("more lines)\n"));
        assert!(!shown.contains("(default)") && !shown.contains('\x1b'));
    }

    #[test]
    fn nothing_is_left_of_the_call_before() {
        let mut folders = project();
        let lines =
            ["Working directory: /project", "Source file: conftest.c", "Result: cache_miss"];
        let mut section = section(&lines, &mut folders);
        for _ in 0..1000 {
            section.note(b"filler filler filler filler", &mut folders, true);
        }
        section.restart(8);
        assert_eq!(section.owner(&folders), Owner::Other);
        assert_eq!(section.render(), "ccache log: unknown call: no result (process 8)\n");
    }

    #[test]
    fn what_will_not_be_printed_is_not_kept() {
        let mut folders = project();
        let mut hit = section(&["Source file: a.c", "Result: direct_cache_hit"], &mut folders);
        hit.note(b"more", &mut folders, true);
        assert!(hit.body.is_empty());
        let mut late = section(&[], &mut folders);
        late.note(b"Source file: /project/a.c", &mut folders, false);
        assert!(late.body.is_empty() && late.owner(&folders) == Owner::Project);
    }
}
