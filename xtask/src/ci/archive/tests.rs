//! A small writer of zip files, and what the reader makes of damaged ones.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

/// A zip file of these members: the first half of them stored, the others deflated.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (index, &(name, content)) in members.iter().enumerate() {
        let method = if index * 2 < members.len() { STORED } else { DEFLATED };
        member(&mut bytes, &mut directory, name, content, method);
    }
    finish(bytes, &directory, u16::try_from(members.len()).unwrap())
}

fn member(bytes: &mut Vec<u8>, directory: &mut Vec<u8>, name: &str, content: &[u8], method: u16) {
    let packed = if method == STORED { content.to_vec() } else { deflate(content) };
    let mut crc = Crc::new();
    crc.update(content);
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    // From "version needed" to the length of the extra field: the same in both places.
    let mut about = vec![20, 0, 0, 0];
    about.extend(method.to_le_bytes());
    about.extend([0; 4]);
    about.extend(crc.sum().to_le_bytes());
    about.extend(length(packed.len()));
    about.extend(length(content.len()));
    about.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    about.extend([0, 0]);
    directory.extend(b"PK\x01\x02\x14\x03");
    directory.extend(&about);
    directory.extend([0; 10]);
    directory.extend(length(bytes.len()));
    directory.extend(name.as_bytes());
    bytes.extend(b"PK\x03\x04");
    bytes.extend(&about);
    bytes.extend(name.as_bytes());
    bytes.extend(&packed);
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn finish(mut bytes: Vec<u8>, directory: &[u8], count: u16) -> Vec<u8> {
    let at = u32::try_from(bytes.len()).unwrap();
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

const MEMBERS: [(&str, &[u8]); 4] = [
    ("pkg/__init__.py", b"x = 1\n"),
    ("pkg/", b""),
    ("pkg/data.txt", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("pkg-1.dist-info/METADATA", b"Name: pkg\nVersion: 1\n"),
];

fn open(bytes: &[u8]) -> Result<Archive<Cursor<&[u8]>>, Objection> {
    Archive::open(Cursor::new(bytes))
}

/// Everything that can be asked of an archive.
fn read_all(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Objection> {
    let mut archive = open(bytes)?;
    let names: Vec<_> = archive.files().map(ToOwned::to_owned).collect();
    names
        .into_iter()
        .map(|name| {
            let content = archive.read(&name, 1 << 20)?.unwrap();
            Ok((name, content))
        })
        .collect()
}

/// Where a signature stands for the `nth` time, from 0.
fn find(bytes: &[u8], signature: &[u8], nth: usize) -> usize {
    let places = bytes.windows(signature.len()).enumerate();
    places.filter(|(_, found)| *found == signature).map(|(at, _)| at).nth(nth).unwrap()
}

/// The archive of [`MEMBERS`] with other bytes some way behind a signature.
fn patched(signature: &[u8], nth: usize, behind: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = zip(&MEMBERS);
    let at = find(&bytes, signature, nth) + behind;
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

const ENTRY: &[u8] = b"PK\x01\x02";
const HEADER: &[u8] = b"PK\x03\x04";
const END: &[u8] = b"PK\x05\x06";

#[test]
fn stored_and_deflated_members_are_read() {
    let bytes = zip(&MEMBERS);
    let read = read_all(&bytes).unwrap();
    let expected = MEMBERS.iter().filter(|(name, _)| !name.ends_with('/'));
    let expected: Vec<_> =
        expected.map(|&(name, content)| (name.to_owned(), content.to_vec())).collect();
    assert_eq!(read, expected);
    let mut archive = open(&bytes).unwrap();
    assert_eq!(archive.read("pkg/none.txt", 100), Ok(None));
    assert!(archive.read("pkg/data.txt", 10).unwrap_err().contains("bytes"));
    assert!(read_all(&zip(&[])).unwrap().is_empty());
}

#[test]
fn a_comment_is_no_part_of_the_directory() {
    let mut bytes = zip(&MEMBERS);
    let at = bytes.len() - 2;
    bytes[at] = 5;
    bytes.extend(b"hello");
    assert_eq!(read_all(&bytes).unwrap().len(), 3);
    bytes.push(b'!');
    assert!(open(&bytes).unwrap_err().contains("no zip file"));
}

#[test]
fn a_file_that_was_cut_short_is_refused_wherever_the_cut_is() {
    let bytes = zip(&MEMBERS);
    for length in 0..bytes.len() {
        assert!(open(&bytes[..length]).is_err(), "{length}");
    }
    for length in 1..bytes.len() {
        assert!(open(&bytes[length..]).is_err(), "{length}");
    }
}

#[test]
fn a_changed_byte_is_an_objection_or_changes_no_content() {
    let bytes = zip(&MEMBERS);
    let whole = read_all(&bytes).unwrap();
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            if let Ok(read) = read_all(&damaged) {
                // Times, versions and a name that stands at both places alike are nobody's business.
                let contents = |read: &[(String, Vec<u8>)]| -> Vec<Vec<u8>> {
                    read.iter().map(|(_, content)| content.clone()).collect()
                };
                assert_eq!(contents(&read), contents(&whole), "byte {at}");
            }
        }
    }
}

#[test]
fn sizes_and_counts_that_lie_are_refused() {
    let refused: [(&str, Vec<u8>, &str); 14] = [
        ("more members", patched(END, 0, 8, &[5, 0, 5, 0]), "damaged directory"),
        ("fewer members", patched(END, 0, 8, &[3, 0, 3, 0]), "does not fit"),
        ("most members", patched(END, 0, 8, &[0xFE, 0xFF, 0xFE, 0xFF]), "damaged directory"),
        ("members elsewhere", patched(END, 0, 8, &[0xFF; 4]), "zip64"),
        ("a directory elsewhere", patched(END, 0, 16, &[0xFF; 4]), "zip64"),
        ("a larger directory", patched(END, 0, 12, &[0xFF, 0xFF, 0xFF, 0x7F]), "other bytes"),
        ("another disk", patched(END, 0, 4, &[1, 0]), "one part"),
        ("an absurd content", patched(ENTRY, 0, 24, &[0xFF, 0xFF, 0xFF, 0x7F]), "bytes"),
        ("an absurd member", patched(ENTRY, 0, 20, &[0xFF, 0xFF, 0xFF, 0x7F]), "overlap"),
        ("a member elsewhere", patched(ENTRY, 0, 42, &[0xFF; 4]), "zip64"),
        ("a member behind", patched(ENTRY, 0, 42, &[0xFF, 0xFF, 0, 0]), "overlap"),
        ("a shorter content", patched(ENTRY, 2, 24, &[1, 0]), "damaged pkg/data.txt"),
        ("a longer content", patched(ENTRY, 2, 24, &[0xFF, 0]), "damaged pkg/data.txt"),
        ("a longer extra field", patched(HEADER, 3, 28, &[0xFF, 0xFF]), "no room"),
    ];
    for (what, bytes, says) in refused {
        let objection = read_all(&bytes).unwrap_err();
        assert!(objection.contains(says), "{what}: {objection}");
    }
}

#[test]
fn a_deflated_member_never_grows_beyond_what_is_said_of_it() {
    let zeros = vec![0; 1 << 20];
    let bytes = zip(&[("a", b"x"), ("bomb", &zeros)]);
    assert!(open(&bytes).unwrap().read("bomb", 1000).unwrap_err().contains("1048576 bytes"));
    assert_eq!(inflate(&deflate(&zeros), 100).unwrap().len(), 101);
    let mut lying = bytes;
    let at = find(&lying, ENTRY, 1) + 24;
    lying[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    assert!(open(&lying).unwrap().read("bomb", 2000).unwrap_err().contains("damaged bomb"));
}

#[test]
fn what_wheels_are_not_made_of_is_refused() {
    for (what, bytes, says) in [
        ("encrypted", patched(ENTRY, 1, 8, &[1, 0]), "encrypted"),
        ("packed by LZMA", patched(ENTRY, 1, 10, &[14, 0]), "packed in a way (14)"),
        ("two names", patched(HEADER, 0, 30, b"pkg/__INIT__.py"), "calls one member both"),
        ("two methods", patched(HEADER, 3, 8, &[0, 0]), "no header"),
    ] {
        let objection = read_all(&bytes).unwrap_err();
        assert!(objection.contains(says), "{what}: {objection}");
    }
    let twice = zip(&[("a", b"1"), ("a", b"2")]);
    assert!(open(&twice).unwrap_err().contains("two members of the name a"));
    let mut in_front = b"#!/bin/sh\n".to_vec();
    in_front.extend(zip(&MEMBERS));
    assert!(open(&in_front).unwrap_err().contains("other bytes"));
    let mut zip64 = zip(&MEMBERS);
    let at = find(&zip64, END, 0);
    zip64.splice(at..at, [b"PK\x06\x07".as_slice(), &[0; 16]].concat());
    assert!(open(&zip64).unwrap_err().contains("zip64"));
}

#[test]
fn names_that_lead_elsewhere_are_refused_and_shown_harmlessly() {
    for name in
        ["/etc/x", "../x", "a/../x", "a//b", "./a", "a\\b", "C:x", "", "/", "a\0b", "a\n::error::b"]
    {
        let objection = open(&zip(&[(name, b"")])).unwrap_err();
        assert!(objection.contains("leads elsewhere"), "{name:?}: {objection}");
        assert!(!objection.contains(char::is_control), "{objection:?}");
    }
    let mut bytes = zip(&[("abc", b"")]);
    for signature in [HEADER, ENTRY] {
        let behind = if signature == HEADER { HEADER_BYTES } else { ENTRY_BYTES };
        let at = find(&bytes, signature, 0) + behind;
        bytes[at] = 0xFF;
    }
    assert!(open(&bytes).unwrap_err().contains("not UTF-8"));
}
