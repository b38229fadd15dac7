//! The file that `CCACHE_STATSLOG` names: one block for each call of ccache, made of `# SOURCE` and
//! then one counter name per line. It belongs to one build, even when builds share a cache.

use crate::counts::{self, Kind, Tally};
use crate::lines::Lines;
use crate::probe::is_probe;
use crate::text;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// How many different source files that missed are remembered.
pub const MAX_MISSED_FILES: usize = 50;

/// How many characters of a source file's name are kept, counted from its end.
pub const MAX_SOURCE_CHARACTERS: usize = 200;

/// Longest line that is read whole, in bytes; no path is longer.
const MAX_LINE_BYTES: usize = 8192;

/// What a build's own statslog says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statslog {
    /// The package's own sources.
    pub own: Tally,
    /// Configure-time probes.
    pub probes: Tally,
    /// Calls that compiled nothing: links, preprocessor runs, questions to the compiler.
    pub other_calls: u64,
    /// Own sources that missed, each once, in order; at most [`MAX_MISSED_FILES`].
    pub missed_files: Vec<String>,
}

impl Default for Statslog {
    fn default() -> Self {
        Self { own: Tally::zero(), probes: Tally::zero(), other_calls: 0, missed_files: Vec::new() }
    }
}

/// Where [`seal`] puts the part of a statslog that belongs to the build itself.
#[must_use]
pub fn sealed_path(statslog: &Path) -> PathBuf {
    let mut name = statslog.as_os_str().to_owned();
    name.push(".build");
    name.into()
}

/// The file that tells of the build: the sealed part when there is one, otherwise the statslog.
#[must_use]
pub fn of_build(statslog: &Path) -> PathBuf {
    let sealed = sealed_path(statslog);
    if sealed.exists() { sealed } else { statslog.to_path_buf() }
}

/// Ends the build's part of a statslog. What is compiled from now on is not the build: a package
/// that its own tests require is compiled a second time, and all of that hits.
///
/// # Errors
/// The statslog cannot be renamed, or its folder cannot be written.
pub fn seal(statslog: &Path) -> io::Result<()> {
    let sealed = sealed_path(statslog);
    match std::fs::rename(statslog, &sealed) {
        // Nothing was compiled, and that must not change afterwards.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::File::create(&sealed).map(drop)
        }
        renamed => renamed,
    }
}

/// Reads the statslog at `path` as a stream: linear time, constant memory, and neither NULs,
/// invalid UTF-8, endless lines nor a cut-off last block stop it.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read(path: &Path) -> io::Result<Statslog> {
    read_from(BufReader::with_capacity(64 * 1024, File::open(path)?))
}

/// As [`read`], from anything.
///
/// # Errors
/// The reader's own.
pub fn read_from(reader: impl BufRead) -> io::Result<Statslog> {
    let mut statslog = Statslog::default();
    let mut lines = Lines::new(reader, MAX_LINE_BYTES);
    let mut block: Option<Block> = None;
    while let Some(line) = lines.next_line()? {
        if let Some(source) = source_of(line) {
            if let Some(done) = block.replace(Block::new(source)) {
                statslog.count(&done);
            }
        } else if let (Some(open), Some(name)) = (block.as_mut(), counter_name(line)) {
            open.note(name);
        }
    }
    if let Some(done) = block {
        statslog.count(&done);
    }
    Ok(statslog)
}

/// The source file's name when `line` starts a block; empty when ccache knew none.
fn source_of(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"#")?;
    let source = rest.strip_prefix(b" ").unwrap_or(rest);
    Some(text::escape(source))
}

/// The line as a counter name; `None` for anything damaged.
fn counter_name(line: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    if line.is_empty() || line.len() > 64 || !line.iter().all(plain) {
        return None;
    }
    std::str::from_utf8(line).ok()
}

/// One call of ccache while it is being read.
#[derive(Debug)]
struct Block {
    source: String,
    /// What became of the call, and its counter's name. An error outweighs all, then a hit.
    outcome: Option<(Kind, String)>,
}

impl Block {
    fn new(source: String) -> Self {
        Self { source, outcome: None }
    }

    fn note(&mut self, name: &str) {
        let kind = counts::kind_of(name);
        let outweighs = match &self.outcome {
            _ if kind == Kind::Other => false,
            None => true,
            Some((old, _)) => weight(kind) > weight(*old),
        };
        if outweighs {
            self.outcome = Some((kind, name.to_owned()));
        }
    }
}

fn weight(kind: Kind) -> u8 {
    match kind {
        Kind::Error => 5,
        Kind::Uncacheable => 4,
        Kind::DirectHit | Kind::PreprocessedHit => 3,
        Kind::Miss => 2,
        Kind::NotCompilation => 1,
        Kind::Other => 0,
    }
}

impl Statslog {
    fn count(&mut self, block: &Block) {
        let unfinished = (Kind::Uncacheable, counts::UNFINISHED.to_owned());
        let (kind, name) = block.outcome.as_ref().unwrap_or(&unfinished);
        if *kind == Kind::NotCompilation {
            self.other_calls = self.other_calls.saturating_add(1);
            return;
        }
        if is_own(block, *kind, name) {
            self.own.add(name, 1);
            if *kind == Kind::Miss {
                self.remember_miss(&block.source);
            }
        } else {
            self.probes.add(name, 1);
        }
    }

    fn remember_miss(&mut self, source: &str) {
        let source = text::keep_end(source, MAX_SOURCE_CHARACTERS);
        if self.missed_files.len() < MAX_MISSED_FILES && !self.missed_files.contains(&source) {
            self.missed_files.push(source);
        }
    }
}

/// A call without a source file is a question to the compiler, unless ccache failed before it had
/// looked for one. (A compiler that is not there is what configure steps ask about.)
fn is_own(block: &Block, kind: Kind, name: &str) -> bool {
    if block.source.is_empty() {
        return kind == Kind::Error && name != "could_not_find_compiler";
    }
    !is_probe(&block.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Statslog {
        read_from(text).unwrap()
    }

    #[test]
    fn own_sources_and_probes_are_told_apart() {
        let statslog = parse(
            b"# src/a.cpp\ndirect_cache_hit\nlocal_storage_hit\n\
              # conftest.c\ncache_miss\ndirect_cache_miss\n\
              # src/b.cpp\ncache_miss\ndirect_cache_miss\nlocal_storage_read_miss\n\
              # src/b.cpp\ncache_miss\n\
              # src/c.cpp\npreprocessed_cache_hit\ndirect_cache_miss\n\
              # a.o\ncalled_for_link\n# \nno_input_file\n",
        );
        let counts = statslog.own.counts;
        assert_eq!(
            (counts.direct_hits, counts.preprocessed_hits, counts.misses),
            (Some(1), Some(1), Some(2))
        );
        assert_eq!(statslog.probes.counts.misses, Some(1));
        assert_eq!(statslog.other_calls, 2);
        assert_eq!(statslog.missed_files, ["src/b.cpp"]);
    }

    #[test]
    fn a_call_without_an_outcome_is_unfinished() {
        let statslog = parse(b"# a.c\ndirect_cache_miss\n# b.c\ndirect_cache_h");
        assert_eq!(statslog.own.detail(counts::UNFINISHED), 2);
        assert_eq!(statslog.own.counts.cacheable(), Some(0));
    }

    #[test]
    fn damage_is_passed_over() {
        let statslog = parse(
            b"cache_miss\n\0\xff\xfe\n# a\x1b[0m\xff.c\r\n\0\0cache_miss\ndirect_cache_hit\r\n\
              #\n#b.c\ncache_miss",
        );
        assert_eq!(statslog.own.counts.hits(), Some(1));
        assert_eq!(statslog.own.counts.misses, Some(1));
        assert_eq!(statslog.missed_files, ["b.c"]);
        assert_eq!(statslog.probes.detail(counts::UNFINISHED), 1);
        assert_eq!(parse(b""), Statslog::default());
    }

    #[test]
    fn long_names_and_long_lists_are_bounded() {
        let mut log = Vec::new();
        for number in 0..500 {
            log.extend(format!("# {}/{number}.c\ncache_miss\n", "x".repeat(20_000)).bytes());
        }
        for number in 0..500 {
            log.extend(format!("# {}/{number}.c\ncache_miss\n", "x".repeat(500)).bytes());
        }
        let statslog = parse(&log);
        assert_eq!(statslog.own.counts.misses, Some(1000));
        assert_eq!(statslog.missed_files.len(), MAX_MISSED_FILES);
        assert!(statslog.missed_files.iter().all(|file| file.chars().count() <= 201));
        assert!(statslog.missed_files[1].ends_with("/0.c"), "{}", statslog.missed_files[1]);
    }

    #[test]
    fn an_error_before_the_source_is_known_counts_a_missing_compiler_does_not() {
        let statslog = parse(b"# \ninternal_error\n# \ncould_not_find_compiler\n");
        assert_eq!(statslog.own.list(Kind::Error), "internal_error 1");
        assert_eq!(statslog.probes.list(Kind::Error), "could_not_find_compiler 1");
    }

    #[test]
    fn an_environment_variable_that_ccache_cannot_serve_is_kept_by_name() {
        let statslog = parse(b"# a.c\nunsupported_environment_variable\n");
        assert_eq!(statslog.own.detail(counts::ENVIRONMENT_VARIABLE), 1);
    }
}
