//! Reads what `ccache-launcher` has written down of each compilation: a file of JSON lines. Builds
//! can write to it, so nothing in it is taken on trust.

use crate::lines::Lines;
use crate::{counts, text};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The file's name inside the record folder.
pub const FILE_NAME: &str = "compilations.ndjson";

/// How many compilations are read at most; later ones count as skipped.
pub const MAX_RECORDS: usize = 100_000;

/// How much text of them is kept, in bytes; what comes after counts as skipped.
pub const MAX_TEXT_BYTES: usize = 32 * 1024 * 1024;

/// How many of ccache's counters are kept of one compilation.
pub const MAX_RESULT: usize = 32;

/// How many characters of a path are kept, counted from its end.
const MAX_PATH_CHARACTERS: usize = 400;

/// Longest line that is read whole, in bytes: three paths, escaped.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// The latest time that is believed, in seconds since the Unix epoch: the year 5138.
const MAX_SECONDS: f64 = 1e11;

/// One compilation of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Compilation {
    /// When ccache was started, in seconds since the Unix epoch, by the build's clock.
    pub start: f64,
    /// When it had ended; never before `start`.
    pub end: f64,
    /// The folder it ran in. Paths are fit for a terminal, and cut at the front when very long.
    pub folder: String,
    /// The source as the command line names it, often relative to `folder`.
    pub source: String,
    /// The object file as the command line names it.
    pub output: Option<String>,
    /// Whether ccache was in depend mode.
    pub is_depend: bool,
    /// The exit code; 128 and the signal's number where one ended it.
    pub exit: u8,
    /// ccache's counters for this compilation (`cache_miss`); `None` where they are not known.
    pub result: Option<Vec<String>>,
}

impl Compilation {
    /// Whether ccache had it; `None` where that is not known.
    #[must_use]
    pub fn is_hit(&self) -> Option<bool> {
        let hits = ["direct_cache_hit", "preprocessed_cache_hit"];
        self.result.as_ref().map(|names| names.iter().any(|name| hits.contains(&name.as_str())))
    }

    fn text_bytes(&self) -> usize {
        let texts = [&self.folder, &self.source].into_iter().chain(&self.output);
        texts.chain(self.result.iter().flatten()).map(String::len).sum()
    }
}

/// All compilations on record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compilations {
    /// In the order in which they ended.
    pub records: Vec<Compilation>,
    /// How many lines said nothing that can be understood, or came after [`MAX_RECORDS`] or
    /// [`MAX_TEXT_BYTES`].
    pub skipped: u64,
}

/// Reads the file at `path` as a stream: any bytes, lines of any length, a cut-off end.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read(path: &Path) -> io::Result<Compilations> {
    read_from(File::open(path)?)
}

/// As [`read`], from anything.
///
/// # Errors
/// The reader's own.
pub fn read_from(reader: impl Read) -> io::Result<Compilations> {
    let mut found = Compilations::default();
    let mut text_bytes = 0;
    let mut lines = Lines::new(reader, MAX_LINE_BYTES);
    while let Some(line) = lines.next_line()? {
        let has_room = found.records.len() < MAX_RECORDS && text_bytes <= MAX_TEXT_BYTES;
        if let Some(record) = parse(line).filter(|_| has_room) {
            text_bytes += record.text_bytes();
            found.records.push(record);
        } else {
            found.skipped = found.skipped.saturating_add(1);
        }
    }
    Ok(found)
}

/// One line; `None` for anything that is not a compilation.
fn parse(line: &[u8]) -> Option<Compilation> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let time =
        |key: &str| value.get(key)?.as_f64().filter(|time| (0.0..=MAX_SECONDS).contains(time));
    let path = |key: &str| Some(clean(value.get(key)?.as_str()?));
    let (start, end) = (time("start")?, time("end")?);
    let is_depend = match value.get("mode")?.as_str()? {
        "depend" => true,
        "normal" => false,
        _ => return None,
    };
    Some(Compilation {
        start,
        // A clock may be set back.
        end: end.max(start),
        folder: path("folder")?,
        source: path("source")?,
        output: path("output"),
        is_depend,
        exit: u8::try_from(value.get("exit")?.as_u64()?).ok()?,
        result: value.get("result").and_then(Value::as_array).map(|names| names_of(names)),
    })
}

fn names_of(names: &[Value]) -> Vec<String> {
    let names = names.iter().filter_map(Value::as_str);
    let names = names.filter(|name| counts::is_name(name.as_bytes()));
    names.take(MAX_RESULT).map(str::to_owned).collect()
}

fn clean(path: &str) -> String {
    text::keep_end(&text::escape(path.as_bytes()), MAX_PATH_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"start":10.000001,"end":12.5,"folder":"/b","source":"../a.c","output":"a.o","mode":"depend","exit":0,"result":["direct_cache_hit","local_storage_hit"]}"#;

    fn read_text(text: &[u8]) -> Compilations {
        read_from(text).unwrap()
    }

    #[test]
    fn a_compilation_is_read() {
        let found = read_text(GOOD.as_bytes());
        let expected = Compilation {
            start: 10.000_001,
            end: 12.5,
            folder: "/b".to_owned(),
            source: "../a.c".to_owned(),
            output: Some("a.o".to_owned()),
            is_depend: true,
            exit: 0,
            result: Some(vec!["direct_cache_hit".to_owned(), "local_storage_hit".to_owned()]),
        };
        assert_eq!(found, Compilations { records: vec![expected], skipped: 0 });
        assert_eq!(found.records[0].is_hit(), Some(true));
        let missed = read_text(GOOD.replace("direct_cache_hit", "cache_miss").as_bytes());
        assert_eq!(missed.records[0].is_hit(), Some(false));
    }

    #[test]
    fn what_need_not_be_there_may_be_missing() {
        let line = r#"{"start":1,"end":0,"folder":"","source":"a.c","mode":"normal","exit":139}"#;
        let found = read_text(line.as_bytes());
        let record = &found.records[0];
        assert_eq!((record.start, record.end, record.exit), (1.0, 1.0, 139));
        assert_eq!((record.is_depend, record.is_hit(), &record.output), (false, None, &None));
    }

    #[test]
    fn damage_is_skipped_and_counted() {
        let bad = [
            "",
            "{",
            "[]",
            "null",
            "\0\0",
            &GOOD[..60],
            &GOOD.replace("10.000001", "-1"),
            &GOOD.replace("10.000001", "1e300"),
            &GOOD.replace("\"exit\":0", "\"exit\":256"),
            &GOOD.replace("depend", "other"),
            &GOOD.replace("source", "sauce"),
            &GOOD.replace("/b", &"x".repeat(MAX_LINE_BYTES)),
            &"[".repeat(60_000),
        ];
        for bad in bad {
            let found = read_text(format!("{GOOD}\n{bad}\n{GOOD}\n{GOOD}").as_bytes());
            // Empty lines are none.
            assert_eq!(found.records.len(), 3, "{bad}");
            assert_eq!(found.skipped, u64::from(!bad.is_empty()), "{bad}");
        }
        let odd = read_text(b"\xff\xfe\n");
        assert_eq!((odd.records.len(), odd.skipped), (0, 1));
    }

    #[test]
    fn what_is_kept_is_short_clean_and_not_too_much() {
        let long = GOOD.replace("../a.c", &format!("{}\\u001b[2J.c", "d/".repeat(1000)));
        let long = long.replace("local_storage_hit", "no counter");
        let record = &read_text(long.as_bytes()).records[0];
        assert!(record.source.chars().count() <= MAX_PATH_CHARACTERS + 1);
        assert!(record.source.ends_with("\\u{1b}[2J.c"), "{}", record.source);
        assert_eq!(record.result.as_deref().unwrap(), ["direct_cache_hit"]);
        let names = format!("[{}]", vec!["\"cache_miss\""; 1000].join(","));
        let many = GOOD.replace(r#"["direct_cache_hit","local_storage_hit"]"#, &names);
        assert_eq!(
            read_text(many.as_bytes()).records[0].result.as_ref().unwrap().len(),
            MAX_RESULT
        );
    }

    #[test]
    fn memory_has_a_limit() {
        let line = r#"{"start":1,"end":2,"folder":"","source":"","mode":"normal","exit":0}"#;
        let found = read_text(format!("{line}\n").repeat(MAX_RECORDS + 7).as_bytes());
        assert_eq!((found.records.len(), found.skipped), (MAX_RECORDS, 7));
        let long = GOOD.replace("../a.c", &"é".repeat(MAX_PATH_CHARACTERS));
        let long = long.replace("/b", &"é".repeat(MAX_PATH_CHARACTERS));
        let found = read_text(format!("{long}\n").repeat(40_000).as_bytes());
        let kept: usize = found.records.iter().map(Compilation::text_bytes).sum();
        assert!(found.skipped > 0 && kept <= MAX_TEXT_BYTES + MAX_LINE_BYTES, "{kept}");
        assert_eq!(found.records.len() as u64 + found.skipped, 40_000);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read_text(&bytes);
        }

        #[test]
        fn no_damage_is_too_odd(at in 0..GOOD.len(), byte in any::<u8>()) {
            let mut line = GOOD.as_bytes().to_vec();
            line[at] = byte;
            let found = read_text(&line);
            prop_assert!(found.records.len() as u64 + found.skipped <= 2);
        }
    }
}
