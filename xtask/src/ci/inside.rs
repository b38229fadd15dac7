//! What a wheel says of itself: METADATA, WHEEL and RECORD in its `.dist-info` folder.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use crate::ci::archive::{Archive, Objection};
use crate::text::shown;

/// The largest METADATA or WHEEL that is read, in bytes.
pub(crate) const MOST_METADATA_BYTES: u64 = 4 * 1024 * 1024;
/// The largest RECORD that is read, in bytes.
const MOST_RECORD_BYTES: u64 = 32 * 1024 * 1024;

/// What a wheel says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inside {
    /// The folder that says it, without `.dist-info`: `NAME-VERSION`.
    pub(crate) dist_info: String,
    /// METADATA, if it is there.
    pub(crate) metadata: Option<Metadata>,
    /// WHEEL, if it is there.
    pub(crate) tags: Option<Tags>,
    /// RECORD, if it is there.
    pub(crate) record: Option<Record>,
}

/// What is read of METADATA: every value of each header, of which there should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// `Name`.
    pub(crate) names: Vec<String>,
    /// `Version`.
    pub(crate) versions: Vec<String>,
}

/// What is read of WHEEL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tags {
    /// `Tag`, one for each combination of the file name's tags.
    pub(crate) tags: Vec<String>,
    /// `Root-Is-Purelib`, of which there should be one.
    pub(crate) root_is_purelib: Vec<String>,
}

/// How RECORD and the archive differ; by file, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// In the archive and not in RECORD.
    pub(crate) unlisted: Vec<String>,
    /// In RECORD and not in the archive.
    pub(crate) absent: Vec<String>,
}

/// Reads what the wheel in `source` says of itself.
///
/// # Errors
/// It is no zip file that can be read, has no `.dist-info` folder or several, or one of the files is
/// too large or damaged.
pub(crate) fn read(source: impl Read + Seek) -> Result<Inside, Objection> {
    let mut archive = Archive::open(source)?;
    let dist_info = dist_info(archive.files())?;
    let mut file = |name: &str, most_bytes: u64| -> Result<Option<String>, Objection> {
        let content = archive.read(&format!("{dist_info}.dist-info/{name}"), most_bytes)?;
        let text = content.map(String::from_utf8).transpose();
        text.map_err(|_| format!("has a {name} that is not UTF-8"))
    };
    let metadata = file("METADATA", MOST_METADATA_BYTES)?;
    let wheel = file("WHEEL", MOST_METADATA_BYTES)?;
    let record = file("RECORD", MOST_RECORD_BYTES)?;
    Ok(Inside {
        metadata: metadata.as_deref().map(Metadata::parse),
        tags: wheel.map(|text| Tags {
            tags: headers(&text, "Tag"),
            root_is_purelib: headers(&text, "Root-Is-Purelib"),
        }),
        record: record.map(|text| compare(&text, archive.files(), &dist_info)),
        dist_info,
    })
}

/// The one `NAME-VERSION.dist-info` at the archive's root, without its ending.
fn dist_info<'a>(files: impl Iterator<Item = &'a str>) -> Result<String, Objection> {
    let folders = files.filter_map(|file| file.split_once('/')?.0.strip_suffix(".dist-info"));
    let folders: BTreeSet<_> = folders.collect();
    match folders.iter().copied().collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err("has no .dist-info folder".into()),
        [one, other, ..] => Err(format!(
            "has several .dist-info folders, {} and {} among them",
            shown(one),
            shown(other)
        )),
    }
}

impl Metadata {
    /// Reads METADATA, or an sdist's PKG-INFO.
    pub(crate) fn parse(text: &str) -> Self {
        Self { names: headers(text, "Name"), versions: headers(text, "Version") }
    }
}

/// Every value of a header, in order. Headers end at the first empty line; lines that go on with an
/// earlier header begin with a blank.
fn headers(text: &str, wanted: &str) -> Vec<String> {
    text.lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim().to_owned())
        .collect()
}

/// Compares RECORD's first column with the archive. RECORD and its signatures need not be listed.
fn compare<'a>(record: &str, files: impl Iterator<Item = &'a str>, dist_info: &str) -> Record {
    let own = ["RECORD", "RECORD.jws", "RECORD.p7s"];
    let own = own.map(|name| format!("{dist_info}.dist-info/{name}"));
    let listed = record.lines().filter(|line| !line.trim().is_empty()).map(first_column);
    let listed: BTreeSet<String> = listed.filter(|file| !own.contains(file)).collect();
    let there = files.filter(|&file| !own.iter().any(|name| name == file)).map(ToOwned::to_owned);
    let there: BTreeSet<String> = there.collect();
    Record {
        unlisted: there.difference(&listed).cloned().collect(),
        absent: listed.difference(&there).cloned().collect(),
    }
}

/// The first column of a line of CSV, out of its quotation marks if it has any.
fn first_column(line: &str) -> String {
    let Some(quoted) = line.strip_prefix('"') else {
        return line.split(',').next().unwrap_or_default().to_owned();
    };
    let mut column = String::new();
    let mut rest = quoted.chars();
    while let Some(one) = rest.next() {
        if one == '"' && rest.next() != Some('"') {
            break;
        }
        column.push(one);
    }
    column
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::ci::archive::tests::zip;

    fn inside(members: &[(&str, &str)]) -> Result<Inside, Objection> {
        let members: Vec<_> = members.iter().map(|&(name, text)| (name, text.as_bytes())).collect();
        read(Cursor::new(zip(&members)))
    }

    #[test]
    fn a_wheel_is_read() {
        let record = "pkg/__init__.py,sha256=x,3\n\"pkg/a,\"\"b.py\",,\nold.py,,\n\
                      pkg-1.dist-info/METADATA,,\npkg-1.dist-info/RECORD,,\n";
        let read = inside(&[
            ("pkg/__init__.py", "x=1"),
            ("pkg/a,\"b.py", ""),
            ("pkg-1.dist-info/METADATA", "Name: pkg\r\nversion: 1\r\n two\r\n\r\nName: body\r\n"),
            (
                "pkg-1.dist-info/WHEEL",
                "Tag: py3-none-any\nTag: py2-none-any\nroot-is-purelib: true",
            ),
            ("pkg-1.dist-info/RECORD", record),
        ]);
        let owned =
            |words: &[&str]| -> Vec<String> { words.iter().map(|&word| word.to_owned()).collect() };
        let expected = Inside {
            dist_info: "pkg-1".to_owned(),
            metadata: Some(Metadata { names: owned(&["pkg"]), versions: owned(&["1"]) }),
            tags: Some(Tags {
                tags: owned(&["py3-none-any", "py2-none-any"]),
                root_is_purelib: owned(&["true"]),
            }),
            record: Some(Record {
                unlisted: owned(&["pkg-1.dist-info/WHEEL"]),
                absent: owned(&["old.py"]),
            }),
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn what_is_missing_is_told_apart_from_what_is_empty() {
        let read = inside(&[("p-1.dist-info/METADATA", ""), ("p-1.dist-info/x", "")]).unwrap();
        let empty = Metadata { names: Vec::new(), versions: Vec::new() };
        assert_eq!((read.metadata, read.tags, read.record), (Some(empty), None, None));
    }

    #[test]
    fn a_wheel_has_exactly_one_folder_about_itself() {
        assert!(inside(&[("a.py", "")]).unwrap_err().contains("no .dist-info"));
        assert!(inside(&[("x/p-1.dist-info/METADATA", "")]).unwrap_err().contains("no .dist-info"));
        let two = inside(&[("p-1.dist-info/METADATA", ""), ("q-1.dist-info/RECORD", "")]);
        assert!(two.unwrap_err().contains("p-1 and q-1"));
    }

    #[test]
    fn files_of_absurd_size_or_with_other_bytes_are_refused() {
        let long = "x".repeat(5 << 20);
        let large = inside(&[("a", ""), ("p-1.dist-info/METADATA", &long)]);
        assert!(large.unwrap_err().contains("p-1.dist-info/METADATA of 5242880 bytes"));
        let bytes = zip(&[("p-1.dist-info/METADATA", b"Name: \xFF")]);
        assert!(read(Cursor::new(bytes)).unwrap_err().contains("not UTF-8"));
    }
}
