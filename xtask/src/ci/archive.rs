//! The members of a zip file, for wheels that nobody has vouched for yet.
//!
//! Reads what wheels are made of: stored and deflated members on one disk, without encryption and
//! without zip64, which only files of 4 GiB or 65,535 members need. Whatever two readers could
//! understand in two ways is refused: two members of one name, members that overlap, bytes that the
//! directory does not account for at its end. Nothing that a file says of a size is believed before
//! it is allocated.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::text::shown;

/// Why an archive is not read: the end of a sentence that begins with its name.
pub(crate) type Objection = String;

/// The record at the end of a zip file, without its comment.
const END_BYTES: usize = 22;
/// What zip64 puts in front of that record.
const LOCATOR_BYTES: usize = 20;
/// The longest comment there can be.
const MOST_COMMENT_BYTES: usize = 0xFFFF;
/// A member's entry in the directory, without its name.
const ENTRY_BYTES: usize = 46;
/// What stands in front of a member's data, without its name.
const HEADER_BYTES: usize = 30;
/// The largest directory that is read: 65,534 members with names of a thousand bytes.
const MOST_DIRECTORY_BYTES: u64 = 64 * 1024 * 1024;
/// A number that zip64 keeps somewhere else.
const ELSEWHERE: u32 = 0xFFFF_FFFF;
/// Flags for encryption: of data, of data strongly, of the directory.
const ENCRYPTED: u16 = 0x2041;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// An open zip file.
#[derive(Debug)]
pub(crate) struct Archive<R> {
    source: R,
    entries: Vec<Entry>,
    /// Where the directory begins, which is where the members end.
    directory_at: u64,
}

#[derive(Debug)]
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed_bytes: u64,
    size_bytes: u64,
    header_at: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// It is no zip file, not a whole one, or one that wheels are not.
    pub(crate) fn open(mut source: R) -> Result<Self, Objection> {
        let length = source.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
        let most = (LOCATOR_BYTES + END_BYTES + MOST_COMMENT_BYTES) as u64;
        let tail_at = length.saturating_sub(most);
        let tail = bytes_at(&mut source, tail_at, length - tail_at)?;
        let end = End::find(&tail)?;
        let end_at = tail_at + end.at as u64;
        if end.directory_at + end.directory_bytes != end_at {
            return Err("is a zip file with other bytes before it or in it, or lacks some".into());
        }
        if end.directory_bytes > MOST_DIRECTORY_BYTES {
            return Err(format!("has a directory of {} bytes", end.directory_bytes));
        }
        let directory = bytes_at(&mut source, end.directory_at, end.directory_bytes)?;
        let entries = entries(&directory, end.entries, end.directory_at)?;
        Ok(Self { source, entries, directory_at: end.directory_at })
    }

    /// The names of all members but folders, in the archive's order.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str()).filter(|name| !name.ends_with('/'))
    }

    /// A member's content; `None` if there is no member of that name.
    ///
    /// # Errors
    /// It has more than `most_bytes`, or is not what the directory says of it.
    pub(crate) fn read(
        &mut self,
        name: &str,
        most_bytes: u64,
    ) -> Result<Option<Vec<u8>>, Objection> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else {
            return Ok(None);
        };
        if entry.size_bytes > most_bytes || entry.packed_bytes > most_bytes {
            let larger = entry.size_bytes.max(entry.packed_bytes);
            return Err(format!("has a {} of {larger} bytes", shown(name)));
        }
        let data_at = data_at(&mut self.source, entry, self.directory_at)?;
        let packed = bytes_at(&mut self.source, data_at, entry.packed_bytes)?;
        let content = match entry.method {
            STORED => packed,
            _ => inflate(&packed, entry.size_bytes)
                .ok_or_else(|| format!("has a damaged {}", shown(name)))?,
        };
        let mut crc = Crc::new();
        crc.update(&content);
        if content.len() as u64 != entry.size_bytes || crc.sum() != entry.crc {
            return Err(format!("has a damaged {}", shown(name)));
        }
        Ok(Some(content))
    }
}

/// The record at the end of the file.
#[derive(Debug)]
struct End {
    /// Where it begins, within what was looked at.
    at: usize,
    entries: u16,
    directory_at: u64,
    directory_bytes: u64,
}

impl End {
    fn find(tail: &[u8]) -> Result<Self, Objection> {
        let last = tail.len().checked_sub(END_BYTES);
        let at = last.and_then(|last| {
            (0..=last).rev().find(|&at| {
                has(tail, at, b"PK\x05\x06")
                    && u16_at(tail, at + 20).is_some_and(|rest| usize::from(rest) == last - at)
            })
        });
        let at =
            at.ok_or("is no zip file, or not a whole one: the directory at its end is missing")?;
        let is_zip64 = at.checked_sub(LOCATOR_BYTES).is_some_and(|at| has(tail, at, b"PK\x06\x07"));
        let end = Self::parse(tail, at).ok_or("is no whole zip file")?;
        if is_zip64 || end.is_elsewhere() {
            return Err("is a zip64 file, which is not read here and no wheel has to be".into());
        }
        let disks = [u16_at(tail, at + 4), u16_at(tail, at + 6)];
        if disks != [Some(0), Some(0)] || u16_at(tail, at + 8) != Some(end.entries) {
            return Err("is one part of a zip file of several".into());
        }
        Ok(end)
    }

    fn parse(tail: &[u8], at: usize) -> Option<Self> {
        Some(Self {
            at,
            entries: u16_at(tail, at + 10)?,
            directory_bytes: u32_at(tail, at + 12)?.into(),
            directory_at: u32_at(tail, at + 16)?.into(),
        })
    }

    fn is_elsewhere(&self) -> bool {
        self.entries == u16::MAX
            || [self.directory_at, self.directory_bytes].contains(&ELSEWHERE.into())
    }
}

/// Reads `count` entries, which must be the whole of `directory`.
fn entries(directory: &[u8], count: u16, directory_at: u64) -> Result<Vec<Entry>, Objection> {
    let mut rest = directory;
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    for _ in 0..count {
        let (entry, length) = entry(rest)?;
        if !seen.insert(entry.name.clone()) {
            return Err(format!("has two members of the name {}", shown(&entry.name)));
        }
        rest = rest.get(length..).unwrap_or_default();
        entries.push(entry);
    }
    if !rest.is_empty() {
        return Err("has a directory that does not fit its number of members".into());
    }
    let mut places: Vec<_> = entries.iter().map(|entry| (entry.header_at, entry.end())).collect();
    places.sort_unstable();
    places.push((directory_at, directory_at));
    if places.windows(2).any(|pair| matches!(pair, [(_, end), (next, _)] if end > next)) {
        return Err("has members that overlap, or lie outside of it".into());
    }
    Ok(entries)
}

impl Entry {
    /// The first byte that cannot be this member's: its own extra field is not counted.
    fn end(&self) -> u64 {
        self.header_at + HEADER_BYTES as u64 + self.name.len() as u64 + self.packed_bytes
    }
}

/// The first entry of a directory, and its length in bytes.
fn entry(directory: &[u8]) -> Result<(Entry, usize), Objection> {
    let damaged = || Objection::from("has a damaged directory");
    if !has(directory, 0, b"PK\x01\x02") {
        return Err(damaged());
    }
    let short = |at| u16_at(directory, at).ok_or_else(damaged);
    let long = |at| u32_at(directory, at).ok_or_else(damaged);
    let (flags, method) = (short(8)?, short(10)?);
    let (crc, packed, size, header_at) = (long(16)?, long(20)?, long(24)?, long(42)?);
    let name_end = ENTRY_BYTES + usize::from(short(28)?);
    let length = name_end + usize::from(short(30)?) + usize::from(short(32)?);
    if directory.len() < length {
        return Err(damaged());
    }
    let name = directory.get(ENTRY_BYTES..name_end).ok_or_else(damaged)?;
    let name = plain_name(name)?;
    if flags & ENCRYPTED != 0 {
        return Err(format!("has an encrypted member, {}", shown(&name)));
    }
    if ![STORED, DEFLATED].contains(&method) {
        return Err(format!("has {} packed in a way ({method}) that wheels are not", shown(&name)));
    }
    if [packed, size, header_at].contains(&ELSEWHERE) {
        return Err("is a zip64 file, which is not read here and no wheel has to be".into());
    }
    let (packed_bytes, size_bytes) = (packed.into(), size.into());
    let entry = Entry { name, method, crc, packed_bytes, size_bytes, header_at: header_at.into() };
    Ok((entry, length))
}

/// A member's name, if it stays below the folder that it is unpacked into.
fn plain_name(bytes: &[u8]) -> Result<String, Objection> {
    let name = String::from_utf8(bytes.to_vec()).map_err(|error| {
        let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
        format!("has a member whose name is not UTF-8: {}", shown(&lossy))
    })?;
    let path = name.strip_suffix('/').unwrap_or(&name);
    let is_odd = |part: &str| ["", ".", ".."].contains(&part);
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    let is_unfit = |one: char| one == '\\' || one.is_control();
    if is_drive || path.contains(is_unfit) || path.split('/').any(is_odd) {
        return Err(format!("has a member whose name leads elsewhere: \"{}\"", shown(&name)));
    }
    Ok(name)
}

/// Where a member's data begin, by the header in front of them, which must say what the directory
/// says.
fn data_at<R: Read + Seek>(
    source: &mut R,
    entry: &Entry,
    directory_at: u64,
) -> Result<u64, Objection> {
    let header = bytes_at(source, entry.header_at, HEADER_BYTES as u64)?;
    let lengths = u16_at(&header, 26).zip(u16_at(&header, 28));
    let lengths = lengths.filter(|_| has(&header, 0, b"PK\x03\x04"));
    let lengths = lengths.filter(|_| u16_at(&header, 8) == Some(entry.method));
    let (name_bytes, extra_bytes) =
        lengths.ok_or_else(|| format!("has no header of {}", shown(&entry.name)))?;
    let name_at = entry.header_at + HEADER_BYTES as u64;
    let name = bytes_at(source, name_at, name_bytes.into())?;
    if name != entry.name.as_bytes() {
        let other = shown(&String::from_utf8_lossy(&name));
        return Err(format!("calls one member both {} and {other}", shown(&entry.name)));
    }
    let at = name_at + u64::from(name_bytes) + u64::from(extra_bytes);
    if at + entry.packed_bytes > directory_at {
        return Err(format!("has no room for {}", shown(&entry.name)));
    }
    Ok(at)
}

/// Unpacks, and stops one byte after `size_bytes`, which is enough to see that there is more. `None`
/// if it is damaged.
fn inflate(packed: &[u8], size_bytes: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    DeflateDecoder::new(packed).take(size_bytes + 1).read_to_end(&mut content).ok()?;
    Some(content)
}

/// `length` bytes from a place on. Grows with what is there, whatever `length` claims.
fn bytes_at<R: Read + Seek>(source: &mut R, at: u64, length: u64) -> Result<Vec<u8>, Objection> {
    let mut bytes = Vec::new();
    let read = source
        .seek(SeekFrom::Start(at))
        .and_then(|_| source.by_ref().take(length).read_to_end(&mut bytes));
    match read {
        Ok(count) if count as u64 == length => Ok(bytes),
        Ok(_) => Err(unreadable(&ErrorKind::UnexpectedEof.into())),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &io::Error) -> Objection {
    format!("cannot be read: {error}")
}

fn has(bytes: &[u8], at: usize, signature: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(signature))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
pub(crate) mod tests;
