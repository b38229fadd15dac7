//! Thin archives: lists of object files that lie elsewhere, as meson makes them for libraries that are
//! not installed. The linker tells of the archive only, which may stay the same when a member changes.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

const MAGIC: &[u8] = b"!<thin>\n";
const HEADER_BYTES: usize = 60;
/// How a member's header ends.
const HEADER_END: &[u8] = b"`\n";
/// Of a larger one the members are not known.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The files that the archive at `path` names; none for whatever is no thin archive.
///
/// # Errors
/// It cannot be read, or is not understood.
pub(super) fn members(path: &Path) -> io::Result<Vec<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Of a file that is gone nothing is kept anyway.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    let mut rest = file.take(MAX_BYTES);
    (&mut rest).take(MAGIC.len() as u64).read_to_end(&mut content)?;
    if content != MAGIC {
        return Ok(Vec::new());
    }
    content.clear();
    rest.read_to_end(&mut content)?;
    let names = (rest.limit() > 0).then(|| names(&content)).flatten();
    let folder = path.parent().unwrap_or(Path::new(""));
    let place = |name: &str| folder.join(name).to_str().map(ToOwned::to_owned);
    let places = names.and_then(|names| names.into_iter().map(place).collect());
    places.ok_or_else(|| ErrorKind::InvalidData.into())
}

/// The names in what follows [`MAGIC`]. Only the symbols and the long names have a content there.
fn names(mut content: &[u8]) -> Option<Vec<&str>> {
    let mut long: &[u8] = &[];
    let mut names = Vec::new();
    while !content.is_empty() {
        let (header, rest) = content.split_at_checked(HEADER_BYTES)?;
        if !header.ends_with(HEADER_END) {
            return None;
        }
        let field = |from, to| Some(str::from_utf8(header.get(from..to)?).ok()?.trim_end());
        let (name, size) = (field(0, 16)?, field(48, 58)?);
        content = rest;
        if matches!(name, "/" | "/SYM64/" | "//") {
            let size: usize = size.parse().ok()?;
            let (held, rest) = content.split_at_checked(size)?;
            if name == "//" {
                long = held;
            }
            // An odd size is followed by a line feed, if anything follows.
            content = rest.get(size % 2..).unwrap_or_default();
        } else if let Some(place) = name.strip_prefix('/') {
            // A number and a colon would be a member of another archive.
            let from = long.get(place.parse::<usize>().ok()?..)?;
            let end = from.iter().position(|byte| *byte == b'\n')?;
            names.push(str::from_utf8(from.get(..end)?).ok()?.strip_suffix('/')?);
        } else {
            names.push(name.strip_suffix('/')?);
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, size: usize) -> String {
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644)
    }

    fn archive() -> String {
        let long = "../a long name.o/\nb.o/\n/abs/c.o/\n";
        let symbols = member("/", 3);
        let table = member("//", long.len());
        let rest = [member("/0", 7), member("/18", 7), member("/23", 7), member("d.o/", 7)];
        format!("{symbols}abc\n{table}{long}\n{}", rest.concat())
    }

    #[test]
    fn members_are_named_as_the_archives_folder_sees_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lib.a");
        std::fs::write(&path, format!("!<thin>\n{}", archive())).unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let expected =
            [place("../a long name.o"), place("b.o"), "/abs/c.o".to_owned(), place("d.o")];
        assert_eq!(members(&path).unwrap(), expected);
        for other in ["!<arch>\nanything", "!<thi", ""] {
            std::fs::write(&path, other).unwrap();
            assert_eq!(members(&path).unwrap(), [""; 0], "{other}");
        }
        assert_eq!(members(&folder.path().join("absent")).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_not_understood_has_no_names() {
        assert_eq!(names(b""), Some(Vec::new()));
        let whole = archive();
        for (from, to) in [("/18 ", "/18:4"), ("/18 ", "/999"), ("/18 ", "x   "), ("`\n", "``")] {
            let damaged = whole.replacen(from, to, 1);
            assert_eq!(names(damaged.as_bytes()), None, "{from} {to}");
        }
        // Cut anywhere it is either short of members or not understood; it never panics.
        for end in 0..whole.len() {
            let found = names(&whole.as_bytes()[..end]);
            assert!(found.is_none_or(|names| names.len() < 4), "{end}");
        }
    }
}
