//! The file that `CCACHE_STATSLOG` names: one block for each call of ccache, made of `# SOURCE` and
//! then one counter name per line. It belongs to one build, even when builds share a cache.

use crate::counts::{self, Kind, Tally};
use crate::lines::Lines;
use crate::probe::{CMAKES_PAIRS, Origin, origin};
use crate::text;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How many different source files that missed are remembered.
pub const MAX_MISSED_FILES: usize = 50;

/// How many characters of a source file's name are kept, counted from its end.
pub const MAX_SOURCE_CHARACTERS: usize = 200;

/// Longest line that is read whole, in bytes; no path is longer.
const MAX_LINE_BYTES: usize = 8192;

/// How many sources [`read_sources`] tells of at most.
pub const MAX_SOURCES: usize = 20_000;

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
    /// Each compilation of an own source with what became of it; empty unless it was asked for.
    pub sources: Vec<(String, Kind)>,
}

impl Default for Statslog {
    fn default() -> Self {
        Self {
            own: Tally::zero(),
            probes: Tally::zero(),
            other_calls: 0,
            missed_files: Vec::new(),
            sources: Vec::new(),
        }
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
    read_from(File::open(path)?)
}

/// As [`read`], with each source that was compiled; at most [`MAX_SOURCES`] of them.
///
/// # Errors
/// The file cannot be read.
pub fn read_sources(path: &Path) -> io::Result<Vec<(String, Kind)>> {
    Ok(count(File::open(path)?, MAX_SOURCES)?.sources)
}

/// As [`read`], from anything.
///
/// # Errors
/// The reader's own.
pub fn read_from(reader: impl Read) -> io::Result<Statslog> {
    count(reader, 0)
}

fn count(reader: impl Read, max_sources: usize) -> io::Result<Statslog> {
    let mut counting = Counting { max_sources, ..Counting::new() };
    let mut lines = Lines::new(reader, MAX_LINE_BYTES);
    let mut block: Option<Block> = None;
    while let Some(line) = lines.next_line()? {
        if let Some(source) = source_of(line) {
            if let Some(done) = block.replace(Block::new(source)) {
                counting.count(&done);
            }
        } else if let (Some(open), Some(name)) = (block.as_mut(), counter_name(line)) {
            open.note(name);
        }
    }
    if let Some(done) = block {
        counting.count(&done);
    }
    Ok(counting.finish())
}

/// The source file's name when `line` starts a block; empty when ccache knew none.
fn source_of(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"#")?;
    let source = rest.strip_prefix(b" ").unwrap_or(rest);
    Some(text::escape(source))
}

/// The line as a counter name; `None` for anything damaged.
fn counter_name(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().filter(|_| counts::is_name(line))
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

/// A statslog while it is being counted. What is CMake's or the package's is known at the end.
#[derive(Debug)]
struct Counting {
    statslog: Statslog,
    /// Sources that are CMake's if CMake looked at a compiler, and those that missed.
    cmake_if_any: (Tally, Vec<String>),
    /// What became of the first compilation of each of CMake's pairs: CMake comes before the
    /// package, so later ones are the package's.
    pairs: [[Option<(Kind, String)>; 2]; CMAKES_PAIRS.len()],
    /// Whether CMake looked at a compiler.
    cmake: bool,
    /// Sources that are CMake's if CMake looked at a compiler, each with what became of it.
    cmakes_sources: Vec<(String, Kind)>,
    /// How many sources are told of.
    max_sources: usize,
}

impl Counting {
    fn new() -> Self {
        Self {
            statslog: Statslog::default(),
            cmake_if_any: (Tally::zero(), Vec::new()),
            pairs: Default::default(),
            cmake: false,
            cmakes_sources: Vec::new(),
            max_sources: 0,
        }
    }

    fn count(&mut self, block: &Block) {
        let unfinished = (Kind::Uncacheable, counts::UNFINISHED.to_owned());
        let outcome = block.outcome.as_ref().unwrap_or(&unfinished);
        let (kind, name) = outcome;
        if *kind == Kind::NotCompilation {
            self.statslog.other_calls = self.statslog.other_calls.saturating_add(1);
            return;
        }
        match origin_of(block, *kind, name) {
            Origin::Package => self.count_own(&block.source, outcome),
            Origin::CmakeIfAny => {
                self.cmake_if_any.0.add(name, 1);
                if *kind == Kind::Miss {
                    remember(&mut self.cmake_if_any.1, &block.source);
                }
                note(&mut self.cmakes_sources, &block.source, *kind, self.max_sources);
            }
            Origin::CmakesPair(number) => match self.pairs.as_flattened_mut().get_mut(number) {
                Some(first @ None) => *first = Some(outcome.clone()),
                _ => self.count_own(&block.source, outcome),
            },
            Origin::Probe(cmake) => {
                self.cmake |= cmake;
                self.statslog.probes.add(name, 1);
            }
        }
    }

    /// Decides what was left open. A pair is CMake's where CMake is at work, both are there, and
    /// the package has other sources.
    fn finish(mut self) -> Statslog {
        let (tally, missed) = std::mem::take(&mut self.cmake_if_any);
        let (pairs, cmake) = (std::mem::take(&mut self.pairs), self.cmake);
        let has_others = self.statslog.own != Tally::zero();
        if cmake {
            self.statslog.probes.absorb(&tally);
        } else {
            self.statslog.own.absorb(&tally);
            for file in &missed {
                remember(&mut self.statslog.missed_files, file);
            }
            for (source, kind) in std::mem::take(&mut self.cmakes_sources) {
                note(&mut self.statslog.sources, &source, kind, self.max_sources);
            }
        }
        for (names, outcomes) in CMAKES_PAIRS.iter().zip(&pairs) {
            let is_cmakes = cmake && has_others && outcomes.iter().all(Option::is_some);
            for (source, outcome) in names.iter().zip(outcomes) {
                match outcome {
                    Some((_, name)) if is_cmakes => self.statslog.probes.add(name, 1),
                    Some(outcome) => self.count_own(source, outcome),
                    None => {}
                }
            }
        }
        self.statslog
    }

    fn count_own(&mut self, source: &str, (kind, name): &(Kind, String)) {
        self.statslog.own.add(name, 1);
        if *kind == Kind::Miss {
            remember(&mut self.statslog.missed_files, source);
        }
        note(&mut self.statslog.sources, source, *kind, self.max_sources);
    }
}

fn note(sources: &mut Vec<(String, Kind)>, source: &str, kind: Kind, most: usize) {
    if sources.len() < most {
        sources.push((text::keep_end(source, MAX_SOURCE_CHARACTERS), kind));
    }
}

fn remember(missed_files: &mut Vec<String>, source: &str) {
    let source = text::keep_end(source, MAX_SOURCE_CHARACTERS);
    if missed_files.len() < MAX_MISSED_FILES && !missed_files.contains(&source) {
        missed_files.push(source);
    }
}

/// A call without a source file is a question to the compiler, unless there was more than one file
/// or ccache failed before it had looked for one. (A compiler that is not there is what configure
/// steps ask about.)
fn origin_of(block: &Block, kind: Kind, name: &str) -> Origin {
    if !block.source.is_empty() {
        return origin(&block.source);
    }
    let is_question = kind != Kind::Error || name == "could_not_find_compiler";
    if is_question && name != counts::SEVERAL_FILES {
        Origin::Probe(false)
    } else {
        Origin::Package
    }
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
    fn cmakes_own_sources_are_known_by_the_company_they_keep() {
        let checks = "# src.cxx\ndirect_cache_hit\n# SIZEOF_LONG.c\ncache_miss\n\
                      # ../src/main.c\ndirect_cache_hit\n# ../src/foo.c\ndirect_cache_hit\n";
        let cmake = "# /s/Modules/CMakeCXXCompilerABI.cpp\ndirect_cache_hit\n";
        let own = "# ../src/core.cpp\ncache_miss\n# ../src/main.c\ncache_miss\n";
        let count = |parts: &[&str]| {
            let statslog = parse(parts.concat().as_bytes());
            let counts = statslog.own.counts;
            (counts.hits(), counts.misses, statslog.probes.counts.hits(), statslog.missed_files)
        };
        let all_told = (Some(0), Some(2), Some(4), ["../src/core.cpp", "../src/main.c"]);
        let (hits, misses, probes, files) = count(&[cmake, checks, own]);
        assert_eq!((hits, misses, probes), (all_told.0, all_told.1, all_told.2));
        assert_eq!(files, all_told.3);
        // Without CMake they are what the package consists of.
        let (hits, misses, probes, files) = count(&[checks, own]);
        assert_eq!((hits, misses, probes), (Some(3), Some(3), Some(0)));
        assert_eq!(files, ["../src/core.cpp", "../src/main.c", "SIZEOF_LONG.c"]);
        // With CMake but without any other source, the pair may be the whole package; and half a
        // pair always is the package's.
        let (hits, misses, probes, _) = count(&[cmake, checks]);
        assert_eq!((hits, misses, probes), (Some(2), Some(0), Some(2)));
        let (hits, misses, _, files) = count(&[cmake, own]);
        assert_eq!((hits, misses), (Some(0), Some(2)));
        assert_eq!(files, ["../src/core.cpp", "../src/main.c"]);
    }

    #[test]
    fn sources_are_told_with_what_became_of_them_and_no_more_than_asked_for() {
        let log = b"# a.c\ndirect_cache_hit\n# conftest.c\ncache_miss\n# b.c\ncache_miss\n";
        let sources = count(&log[..], 9).unwrap().sources;
        let expected = [("a.c", Kind::DirectHit), ("b.c", Kind::Miss)];
        assert_eq!(sources, expected.map(|(source, kind)| (source.to_owned(), kind)));
        assert_eq!(count(&log[..], 1).unwrap().sources.len(), 1);
        assert_eq!(parse(log).sources, []);
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
        let statslog =
            parse(b"# \ninternal_error\n# \ncould_not_find_compiler\n# \nmultiple_source_files\n");
        assert_eq!(statslog.own.list(Kind::Error), "internal_error 1");
        assert_eq!(statslog.own.list(Kind::Uncacheable), "multiple_source_files 1");
        assert_eq!(statslog.probes.list(Kind::Error), "could_not_find_compiler 1");
    }

    #[test]
    fn an_environment_variable_that_ccache_cannot_serve_is_kept_by_name() {
        let statslog = parse(b"# a.c\nunsupported_environment_variable\n");
        assert_eq!(statslog.own.detail(counts::ENVIRONMENT_VARIABLE), 1);
    }
}
