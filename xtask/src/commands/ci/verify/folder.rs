//! The folder with the wheels: what is in it, and the list of hashes that is put there.

use std::fs::{self, File, FileType};
use std::io::{BufReader, Write as _};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::ci::archive::Objection;
use crate::ci::inside::{self, Inside, MOST_METADATA_BYTES, Metadata};
use crate::ci::verify::{Content, Found, Kind, SUMS, Sdist, Twine};
use crate::fault::Fault;
use crate::sdist;
use crate::staging::digest;
use crate::text::shown;

/// Reads everything in `folder`, sorted by name, without following a link. A list of hashes that an
/// earlier check has left there is removed: it would outlive what it was true of.
///
/// # Errors
/// There is no such folder, it has no wheel, or something in it cannot be read.
pub(super) fn read(folder: &Utf8Path) -> Result<Vec<Found>> {
    let things = list(folder)?;
    if !things.iter().any(|thing| Kind::of(&thing.name) == Kind::Wheel) {
        return Err(Fault::usage(
            format!("{folder} has no wheel"),
            "name the folder that the wheels of all jobs were brought to",
        ));
    }
    let mut found = Vec::new();
    for thing in things {
        let path = folder.join(&thing.name);
        if Kind::of(&thing.name) == Kind::Sums && !thing.kind.is_dir() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {path}"))?;
        } else {
            found.push(look_at(thing, &path)?);
        }
    }
    Ok(found)
}

/// One entry of the folder.
struct Thing {
    /// Its name, with other characters in place of what is not UTF-8.
    name: String,
    has_odd_name: bool,
    kind: FileType,
}

fn list(folder: &Utf8Path) -> Result<Vec<Thing>> {
    let entries = fs::read_dir(folder).map_err(|error| {
        Fault::usage(
            format!("the folder {folder}: {error}"),
            "name the folder that the wheels of all jobs were brought to: `cargo xtask ci verify \
             FOLDER`, relative to the project",
        )
    })?;
    let mut things = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {folder}"))?;
        let kind = entry.file_type().with_context(|| format!("cannot list {folder}"))?;
        let (name, has_odd_name) = match entry.file_name().into_string() {
            Ok(name) => (name, false),
            Err(name) => (name.to_string_lossy().into_owned(), true),
        };
        things.push(Thing { name, has_odd_name, kind });
    }
    things.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(things)
}

fn look_at(thing: Thing, path: &Utf8Path) -> Result<Found> {
    let Thing { name, has_odd_name, kind } = thing;
    let instead = if kind.is_symlink() {
        Some("a link")
    } else if kind.is_dir() {
        Some("a folder")
    } else if !kind.is_file() {
        Some("a device or a pipe")
    } else if has_odd_name {
        Some("something with a name that is not UTF-8")
    } else {
        None
    };
    let twine = Twine::NotAsked;
    if let Some(instead) = instead {
        let content = Content::NoFile(instead);
        return Ok(Found { name, size_bytes: 0, sha256: String::new(), content, twine });
    }
    let (sha256, size_bytes) = digest::file(path)?;
    let content = match Kind::of(&name) {
        Kind::Wheel => Content::Wheel(wheel(path)),
        Kind::Sdist => Content::Sdist(source(path)),
        Kind::Sums => Content::Sums,
        Kind::Other => Content::Other,
    };
    Ok(Found { name, size_bytes, sha256, content, twine })
}

fn wheel(path: &Utf8Path) -> Result<Inside, Objection> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    inside::read(BufReader::new(file))
}

fn source(path: &Utf8Path) -> Result<Sdist, Objection> {
    let read = || -> Result<Sdist> {
        let folder = sdist::check(path)?;
        let metadata = sdist::metadata(path, &folder, MOST_METADATA_BYTES)?;
        Ok(Sdist { folder, metadata: metadata.as_deref().map(Metadata::parse) })
    };
    read().map_err(|error| {
        let said = format!("{error:#}");
        let said = said.strip_prefix(path.as_str()).unwrap_or(&said);
        shown(said.trim_start_matches([':', ' ']))
    })
}

/// Puts the list of hashes into `folder`, whole or not at all.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn write_sums(folder: &Utf8Path, sums: &str) -> Result<()> {
    let path: Utf8PathBuf = folder.join(SUMS);
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Other users fetch it; without this only this one could read it.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut beside = builder
        .prefix(".sums-")
        .tempfile_in(folder)
        .with_context(|| format!("cannot write to {folder}"))?;
    beside.write_all(sums.as_bytes()).with_context(|| format!("cannot write {path}"))?;
    beside.persist(&path).with_context(|| format!("cannot place {path}"))?;
    Ok(())
}
