//! The pinned ccache: a static program of the ccache project's own release, fetched once into the
//! user's cache and mounted into containers.
//!
//! Nothing that lies there is believed. What is kept is the archive. Before each use its SHA-256
//! has to be the pinned one, and the program has to be what the archive holds, byte for byte and
//! with nothing beside it. So whatever was half written, damaged or changed is found, and made or
//! fetched anew.

mod fetch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType};

use crate::cli;
use crate::console::Console;
use crate::environment::Environment;
use crate::memory;
use crate::pins::{Pins, Release};
use crate::plan::facts::{Offer, Pinned};
use crate::settings::ccache::Ccache;
use crate::text::{hex, reason};

/// The program, in archives and in the folder that is mounted.
const PROGRAM: &str = "ccache";
/// Larger archives are none, in bytes; the real ones have two million.
const MAX_ARCHIVE_BYTES: u64 = 50_000_000;
/// Larger programs are none, in bytes; the real ones have five million.
const MAX_PROGRAM_BYTES: u64 = 200_000_000;
/// How long `auto` takes an earlier failure for an answer, in seconds. Where no release can be
/// reached a run would otherwise wait for it each time.
const PATIENCE_SECONDS: i64 = 3600;
/// What is being written has a name that begins so.
const BESIDE: &str = "beside-";

/// Looks for a pinned ccache for each of `architectures`, and fetches what is missing. `python` is
/// one that has cibuildwheel.
pub(crate) fn offers(
    architectures: &BTreeSet<String>,
    settings: &Ccache,
    pins: &Pins,
    python: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> BTreeMap<String, Offer> {
    let release = release_of(settings, pins);
    let home = environment.cache_folder().map(|cache| cache.join("pinned"));
    let offer = |architecture: &String| {
        let platform = Release::platform(architecture);
        let Some(sha256) = release.sha256.get(&platform) else {
            return unpinned(release, architecture);
        };
        let provided = home.as_ref().map_err(reason).and_then(|home| {
            let store = Store {
                name: release.name(&platform),
                version: &release.version,
                sha256,
                source: settings.mirror.as_deref().unwrap_or(&release.address),
                home,
                remembers: settings.which == cli::Ccache::Auto,
            };
            let fetch =
                |address: &str, file: &Path| fetch::fetch(python, address, file, settings.limit);
            store.provide(&fetch, console).map_err(|error| reason(&error))
        });
        match provided {
            Ok(folder) => Offer::Ready(Pinned {
                version: release.version.clone(),
                sha256: sha256.clone(),
                folder,
            }),
            Err(why) => {
                Offer::Missing(format!("ccache {} is not to be had: {why}", release.version))
            }
        }
    };
    architectures.iter().map(|architecture| (architecture.clone(), offer(architecture))).collect()
}

/// What [`offers`] would say on a machine that has everything, for plans of other machines.
pub(crate) fn promised(
    architectures: &BTreeSet<String>,
    settings: &Ccache,
    pins: &Pins,
) -> BTreeMap<String, Offer> {
    let release = release_of(settings, pins);
    let offer = |architecture: &String| match release.sha256.get(&Release::platform(architecture)) {
        None => unpinned(release, architecture),
        Some(sha256) => Offer::Ready(Pinned {
            version: release.version.clone(),
            sha256: sha256.clone(),
            folder: "pinned".into(),
        }),
    };
    architectures.iter().map(|architecture| (architecture.clone(), offer(architecture))).collect()
}

fn release_of<'a>(settings: &'a Ccache, pins: &'a Pins) -> &'a Release {
    settings.release.as_ref().unwrap_or(&pins.ccache.release)
}

fn unpinned(release: &Release, architecture: &str) -> Offer {
    Offer::Unpinned(format!("ccache {} is not pinned for {architecture}", release.version))
}

/// Fetches what an address has into a file.
type Fetch<'a> = &'a dyn Fn(&str, &Path) -> Result<()>;

/// Where the ccache of one platform is kept.
struct Store<'a> {
    /// The archive's name without its ending.
    name: String,
    version: &'a str,
    sha256: &'a str,
    /// The folder that the archive is fetched from, as an address.
    source: &'a str,
    /// The folder that holds all such folders.
    home: &'a Utf8Path,
    /// Whether a failure is remembered.
    remembers: bool,
}

/// An attempt that has failed.
#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    address: String,
    why: String,
    /// In seconds since 1970.
    at: i64,
}

impl Store<'_> {
    /// The folder that holds the program and nothing else.
    fn provide(&self, fetch: Fetch<'_>, console: Console) -> Result<Utf8PathBuf> {
        let short = self.sha256.get(..16).unwrap_or(self.sha256);
        let folder = self.home.join(format!("{}-{short}", self.name));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
        // Runs that start at once wait for each other.
        let guard = File::create(folder.join("lock"))
            .with_context(|| format!("cannot write to {folder}"))?;
        guard.lock().with_context(|| format!("cannot lock {folder}"))?;
        sweep(&folder);
        let archive = folder.join("archive.tar.gz");
        let bytes = match self.kept(&archive, console) {
            Some(bytes) => bytes,
            None => self.get(&folder, &archive, fetch, console)?,
        };
        let program = unpack(&bytes, &self.name).with_context(|| archive.to_string())?;
        let bin = folder.join("bin");
        if !holds_only(&bin, &program) {
            place(&folder, &bin, &program).with_context(|| format!("cannot make {bin}"))?;
        }
        Ok(bin)
    }

    /// The archive of an earlier run, if it is whole.
    fn kept(&self, archive: &Utf8Path, console: Console) -> Option<Vec<u8>> {
        match read_bounded(archive) {
            Ok(bytes) if self.is_whole(&bytes) => return Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => console.say(format!("{archive} is not what its hash says; it is fetched anew")),
        }
        None
    }

    fn is_whole(&self, archive: &[u8]) -> bool {
        hex(&Sha256::digest(archive)) == self.sha256
    }

    /// Fetches the archive, unless that has just failed.
    fn get(
        &self,
        folder: &Utf8Path,
        archive: &Utf8Path,
        fetch: Fetch<'_>,
        console: Console,
    ) -> Result<Vec<u8>> {
        let address = format!("{}/{}.tar.gz", self.source.trim_end_matches('/'), self.name);
        let memory = folder.join("failed.json");
        let now = Timestamp::now().as_second();
        // Where the clock was put back it is a matter of the future.
        let is_recent = |failed: &Failed| (0..PATIENCE_SECONDS).contains(&(now - failed.at));
        let failed = memory::recall::<Failed>(&memory).filter(|_| self.remembers);
        if let Some(failed) = failed.filter(|it| it.address == address && is_recent(it)) {
            let minutes = (now - failed.at) / 60;
            bail!("{} ({minutes} min ago; `--ccache pinned` tries again at once)", failed.why);
        }
        console.say(format!("fetching ccache {} from {address}", self.version));
        match self.fetch_whole(folder, archive, &address, fetch) {
            Ok(bytes) => {
                // It is only there where an attempt has failed.
                let _ = fs::remove_file(&memory);
                Ok(bytes)
            }
            Err(error) => {
                // Without it the next run tries again, and is none the worse for it otherwise.
                let failed = Failed { address, why: reason(&error), at: now };
                let _ = memory::remember(&memory, &failed);
                Err(error)
            }
        }
    }

    /// Fetches the archive beside its place, where it only comes when it is the right one.
    fn fetch_whole(
        &self,
        folder: &Utf8Path,
        archive: &Utf8Path,
        address: &str,
        fetch: Fetch<'_>,
    ) -> Result<Vec<u8>> {
        let beside = tempfile::Builder::new().prefix(BESIDE).tempfile_in(folder)?.into_temp_path();
        fetch(address, &beside)?;
        let path = Utf8Path::from_path(&beside).context("a folder's name is not UTF-8")?;
        let bytes = read_bounded(path).with_context(|| format!("cannot read {path}"))?;
        if !self.is_whole(&bytes) {
            let found = hex(&Sha256::digest(&bytes));
            bail!("{address} holds another file than the pinned one: its SHA-256 is {found}");
        }
        beside.persist(archive).with_context(|| format!("cannot place {archive}"))?;
        Ok(bytes)
    }
}

/// Removes what runs that were broken off have left. Nobody else writes here: the folder is locked.
fn sweep(folder: &Utf8Path) {
    let Ok(entries) = folder.read_dir_utf8() else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().starts_with(BESIDE)) {
        // What stays is in nobody's way.
        let _ = fs::remove_file(entry.path());
    }
}

/// A file with no more bytes than an archive may have, and one.
fn read_bounded(path: &Utf8Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_ARCHIVE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The program in an archive that has the hash it should have.
fn unpack(archive: &[u8], name: &str) -> Result<Vec<u8>> {
    let wanted = Path::new(name).join(PROGRAM);
    let mut tar = Archive::new(GzDecoder::new(archive));
    for entry in tar.entries()? {
        let entry = entry?;
        let is_file = entry.header().entry_type() == EntryType::Regular;
        if !is_file || !entry.path()?.ends_with(&wanted) {
            continue;
        }
        let mut program = Vec::new();
        let read = entry.take(MAX_PROGRAM_BYTES + 1).read_to_end(&mut program)?;
        ensure!(read as u64 <= MAX_PROGRAM_BYTES, "{} is too large", wanted.display());
        return Ok(program);
    }
    bail!("the archive has no {}", wanted.display());
}

/// Whether a folder holds the program, and nothing else: it comes first in `PATH`.
fn holds_only(bin: &Utf8Path, program: &[u8]) -> bool {
    let names = || -> std::io::Result<Vec<String>> {
        bin.read_dir_utf8()?.map(|entry| Ok(entry?.file_name().to_owned())).collect()
    };
    let path = bin.join(PROGRAM);
    bin.symlink_metadata().is_ok_and(|found| found.is_dir())
        && names().is_ok_and(|names| names == [PROGRAM])
        && path.symlink_metadata().is_ok_and(|found| found.is_file() && is_runnable(&found))
        && fs::read(&path).is_ok_and(|found| found == program)
}

/// Puts the program alone into its folder. What containers of other runs see there is whole at
/// every moment.
fn place(folder: &Utf8Path, bin: &Utf8Path, program: &[u8]) -> Result<()> {
    match bin.symlink_metadata() {
        Ok(found) if found.is_dir() => {}
        Ok(_) => fs::remove_file(bin)?,
        Err(_) => {}
    }
    fs::create_dir_all(bin)?;
    let path = bin.join(PROGRAM);
    for entry in bin.read_dir_utf8()? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        if is_folder {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != PROGRAM {
            fs::remove_file(entry.path())?;
        }
    }
    let mut beside = tempfile::Builder::new().prefix(BESIDE).tempfile_in(folder)?;
    beside.write_all(program)?;
    make_runnable(beside.as_file())?;
    beside.persist(&path)?;
    Ok(())
}

#[cfg(unix)]
fn is_runnable(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o777 == 0o755
}

#[cfg(unix)]
fn make_runnable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // Whoever builds in the container runs it, root or not.
    file.set_permissions(fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn is_runnable(_found: &fs::Metadata) -> bool {
    true
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it is fallible on Unix")]
fn make_runnable(_file: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
