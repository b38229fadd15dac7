//! What is written down of one compilation, and how ccache's own record of it gets to where it
//! belongs.
//!
//! ccache appends a block to the statslog for each call, with nothing in it that tells which call it
//! was. So each call gets a statslog of its own, which is appended to the real one afterwards.

use super::Mode;
use super::json::push_text;
use crate::compilations;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One compilation.
pub(super) struct Entry<'a> {
    /// Since the Unix epoch.
    pub(super) start: Duration,
    /// Since the Unix epoch.
    pub(super) end: Duration,
    pub(super) source: &'a OsStr,
    pub(super) output: Option<&'a OsStr>,
    pub(super) mode: Mode,
    pub(super) code: u8,
}

/// The time since the Unix epoch.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The record of one compilation, while it goes on.
pub(super) struct Journal {
    /// The call's own statslog and the real one.
    statslog: Option<Statslog>,
}

struct Statslog {
    own: File,
    own_path: PathBuf,
    real: PathBuf,
}

impl Journal {
    /// Prepares a statslog in the first of `folders`, or beside the `real` one. Where none can be
    /// made ccache keeps to the real one and the compilation's result stays unknown.
    pub(super) fn open(real: Option<&OsStr>, folders: impl Iterator<Item = PathBuf>) -> Self {
        let statslog = real.filter(|real| is_literal(real)).and_then(|real| {
            let real = Path::new(real);
            let beside = real.parent().filter(|folder| !folder.as_os_str().is_empty());
            let mut places = folders.chain(beside.map(Path::to_path_buf));
            let (own, own_path) = places.find_map(|folder| make(&folder))?;
            Some(Statslog { own, own_path, real: real.to_path_buf() })
        });
        Self { statslog }
    }

    /// What ccache is to be told.
    pub(super) fn variable(&self) -> Option<(&'static str, OsString)> {
        let own_path = self.statslog.as_ref().map(|statslog| statslog.own_path.clone());
        own_path.map(|path| ("CCACHE_STATSLOG", path.into_os_string()))
    }

    /// Appends ccache's record to the statslog and `entry` to the file in `folder`; returns what
    /// went wrong.
    pub(super) fn close(self, folder: &Path, entry: &Entry<'_>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut problem = |path: &Path, error: &io::Error| {
            problems.push(cannot_append(path, error));
        };
        let blocks = self.statslog.and_then(|Statslog { mut own, own_path, real }| {
            let mut blocks = Vec::new();
            let copied = own.read_to_end(&mut blocks).and_then(|_| append(&real, &blocks));
            match copied {
                Ok(()) => drop(fs::remove_file(&own_path)),
                Err(error) => {
                    // The record stays there for whoever looks into it.
                    problem(&real, &error);
                    return None;
                }
            }
            Some(blocks)
        });
        let path = folder.join(compilations::FILE_NAME);
        if let Err(error) = append(&path, line(entry, blocks.as_deref()).as_bytes()) {
            problem(&path, &error);
        }
        problems
    }
}

/// ccache replaces `$NAME` by the variable's value, so with a dollar it is another file.
fn is_literal(path: &OsStr) -> bool {
    !path.as_encoded_bytes().contains(&b'$')
}

/// Makes a file that nobody else has, in `folder`.
fn make(folder: &Path) -> Option<(File, PathBuf)> {
    if !folder.is_absolute() || !is_literal(folder.as_os_str()) {
        return None;
    }
    // Containers that share a folder may give the same number to their processes.
    let name = format!("ccache-launcher-{}-{:x}", std::process::id(), now().as_nanos());
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Some((options.open(&path).ok()?, path))
}

/// Why a record is not complete.
pub(super) fn cannot_append(path: &Path, error: &io::Error) -> String {
    format!("cannot append to {}: {error}; make it writable", path.display())
}

/// Appends in one write, so that nothing of another process can come between.
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
}

/// The line for `entry`. `blocks` is what ccache wrote into the statslog.
fn line(entry: &Entry<'_>, blocks: Option<&[u8]>) -> String {
    let mut line = String::with_capacity(512);
    let (start, end) = (seconds(entry.start), seconds(entry.end));
    // A string never fails to be written to.
    let _ = write!(line, "{{\"start\":{start},\"end\":{end},\"folder\":");
    push_text(&mut line, working_folder().as_os_str());
    line.push_str(",\"source\":");
    push_text(&mut line, entry.source);
    if let Some(output) = entry.output {
        line.push_str(",\"output\":");
        push_text(&mut line, output);
    }
    let _ = write!(line, ",\"mode\":\"{}\",\"exit\":{}", entry.mode.word(), entry.code);
    if let Some(blocks) = blocks {
        line.push_str(",\"result\":[");
        let names = blocks.split(|byte| *byte == b'\n');
        let names = names.filter(|name| !name.is_empty() && !name.starts_with(b"#"));
        for (number, name) in names.take(compilations::MAX_RESULT).enumerate() {
            if number > 0 {
                line.push(',');
            }
            push_text(&mut line, OsStr::new(&*String::from_utf8_lossy(name)));
        }
        line.push(']');
    }
    line.push_str("}\n");
    line
}

/// A time as records have it.
pub(super) fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

/// The folder that this process works in.
#[expect(clippy::disallowed_methods, reason = "the folder is recorded, nothing is resolved by it")]
pub(super) fn working_folder() -> PathBuf {
    env::current_dir().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compilations::{Compilation, read};

    const BLOCK: &[u8] = b"# a.c\ncache_miss\ndirect_cache_miss\n";

    fn entry(source: &str) -> Entry<'_> {
        Entry {
            start: Duration::from_micros(1_700_000_000_000_001),
            end: Duration::from_micros(1_700_000_001_250_000),
            source: OsStr::new(source),
            output: Some(OsStr::new("a \"b\".o")),
            mode: Mode::Depend,
            code: 0,
        }
    }

    #[test]
    fn a_statslog_gets_every_block_and_the_record_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let (temporary, real) = (folder.path().join("tmp"), folder.path().join("statslog"));
        fs::create_dir(&temporary).unwrap();
        for _ in 0..2 {
            let places = [folder.path().join("absent"), temporary.clone()];
            let journal = Journal::open(Some(real.as_os_str()), places.into_iter());
            let (name, own) = journal.variable().unwrap();
            assert_eq!(name, "CCACHE_STATSLOG");
            assert!(Path::new(&own).starts_with(&temporary), "{own:?}");
            append(Path::new(&own), BLOCK).unwrap();
            assert_eq!(journal.close(folder.path(), &entry("a.c")), Vec::<String>::new());
            assert!(!Path::new(&own).exists());
        }
        assert_eq!(fs::read(&real).unwrap(), [BLOCK, BLOCK].concat());
        let found = read(&folder.path().join(compilations::FILE_NAME)).unwrap();
        assert_eq!((found.records.len(), found.skipped), (2, 0));
        let Compilation { start, end, output, result, .. } = &found.records[0];
        assert_eq!((*start, *end), (1_700_000_000.000_001, 1_700_000_001.25));
        assert_eq!(output.as_deref(), Some("a \"b\".o"));
        assert_eq!(result.as_deref().unwrap(), ["cache_miss", "direct_cache_miss"]);
    }

    #[test]
    fn without_a_place_for_it_ccache_keeps_to_the_real_statslog() {
        let folder = tempfile::tempdir().unwrap();
        let absent = || [folder.path().join("absent"), PathBuf::from("relative")].into_iter();
        for real in [folder.path().join("absent/statslog"), PathBuf::from("/x/$HOME/statslog")] {
            let journal = Journal::open(Some(real.as_os_str()), absent());
            assert_eq!(journal.variable(), None);
            assert_eq!(journal.close(folder.path(), &entry("a.c")), Vec::<String>::new());
        }
        // Beside the real one is better than nowhere.
        let real = folder.path().join("statslog");
        let journal = Journal::open(Some(real.as_os_str()), absent());
        assert!(journal.variable().is_some());
        drop(journal.close(folder.path(), &entry("a.c")));
        assert!(!real.exists(), "ccache wrote nothing, so there is nothing");
        let found = read(&folder.path().join(compilations::FILE_NAME)).unwrap();
        let results: Vec<_> = found.records.iter().map(|record| record.result.clone()).collect();
        assert_eq!(results, [None, None, Some(Vec::new())]);
    }

    #[test]
    fn what_cannot_be_appended_is_told_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("statslog");
        fs::create_dir(&real).unwrap();
        let temporary = folder.path().to_path_buf();
        let journal = Journal::open(Some(real.as_os_str()), [temporary].into_iter());
        let (_, own) = journal.variable().unwrap();
        append(Path::new(&own), BLOCK).unwrap();
        let problems = journal.close(&folder.path().join("absent"), &entry("a.c"));
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("statslog") && problems[1].contains("absent"), "{problems:?}");
        assert_eq!(fs::read(own).unwrap(), BLOCK);
    }

    #[test]
    fn a_line_is_one_line_of_json() {
        let line = line(&entry("a\nb.c"), Some(b"# a.c\ncache_miss\n\nodd \"name\"\n"));
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["source"], "a\nb.c");
        assert_eq!(value["mode"], "depend");
        assert_eq!(value["result"], serde_json::json!(["cache_miss", "odd \"name\""]));
    }
}
