//! Reads what `ccache-launcher` has written down of links that compile: a file of JSON lines. Builds
//! can write to it, so nothing in it is taken on trust.

use crate::lines::Lines;
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The file's name inside the record folder.
pub const FILE_NAME: &str = "linked.ndjson";

/// An earlier link's result was put in place.
pub(crate) const REUSED: &str = "reused";
/// The link was run, and its result kept for later ones.
pub(crate) const KEPT: &str = "kept";
/// The link was run.
pub(crate) const RUN: &str = "run";

/// How many links are read at most.
const MAX_RECORDS: usize = 100_000;

/// Longest line that is read whole, in bytes: two paths, escaped.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// One link that compiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// When it began, in seconds since the Unix epoch, by the build's clock.
    pub start: f64,
    /// When it had ended.
    pub end: f64,
    /// Whether an earlier link's result was put in place.
    pub is_reused: bool,
}

/// Reads the file at `path`: all links in the order in which they ended, without lines that say
/// nothing that can be understood.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read(path: &Path) -> io::Result<Vec<Link>> {
    read_from(File::open(path)?)
}

fn read_from(reader: impl Read) -> io::Result<Vec<Link>> {
    let mut found = Vec::new();
    let mut lines = Lines::new(reader, MAX_LINE_BYTES);
    while let Some(line) = lines.next_line()? {
        if found.len() < MAX_RECORDS {
            found.extend(parse(line));
        }
    }
    Ok(found)
}

fn parse(line: &[u8]) -> Option<Link> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let time = |key: &str| value.get(key)?.as_f64();
    let is_reused = match value.get("result")?.as_str()? {
        REUSED => true,
        KEPT | RUN => false,
        _ => return None,
    };
    Some(Link { start: time("start")?, end: time("end")?, is_reused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_and_damage_is_left_out() {
        let text = "{\"start\":1.5,\"end\":2,\"folder\":\"/b\",\"output\":\"m.so\",\"exit\":0,\"result\":\"reused\"}\n\
                    {\"start\":1,\"end\":3,\"result\":\"kept\"}\n{\"start\":1,\"end\":3,\"result\":\"run\"}\n\
                    {\"start\":1,\"end\":3,\"result\":\"other\"}\n{\"start\":1}\n\0\n[[[\n{\"start\":1,\"end\"";
        let found = read_from(text.as_bytes()).unwrap();
        let reused: Vec<_> = found.iter().map(|link| link.is_reused).collect();
        assert_eq!(reused, [true, false, false]);
        assert_eq!(found[0], Link { start: 1.5, end: 2.0, is_reused: true });
    }
}
