//! Where finished links are kept: below the cache folder, so that it travels with it.
//!
//! Two files make one: `KEY.inputs`, under the key of the command, lists what such a link was made of
//! the last time; `KEY.output`, under the key of the command and of what all of that holds, has what
//! the compiler said and made. Each is written whole under another name first.

use super::inputs::{Hash, Inputs, hex};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where links are kept in the cache folder.
pub const FOLDER: &str = "warmwheel/linked";
/// Larger outputs are not kept, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// More is not kept of what a compiler says, in bytes.
pub(super) const MAX_SAID_BYTES: usize = 256 * 1024;
/// The longest list of inputs, in bytes.
const MAX_LIST_BYTES: u64 = 4 * 1024 * 1024;
/// How an output file begins.
const MAGIC: &str = "warmwheel-link-1";
/// Its first line is no longer than this, in bytes.
const MAX_HEADING_BYTES: usize = 160;

/// What a link has left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Result {
    /// What the compiler said on standard error.
    pub(super) said: Vec<u8>,
    /// The output's access rights.
    pub(super) mode: u32,
    /// The output itself.
    pub(super) output: Vec<u8>,
}

/// The folder of finished links.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn in_cache(cache: &Path) -> Self {
        Self { folder: cache.join(FOLDER) }
    }

    /// What such a link was made of the last time.
    pub(super) fn inputs(&self, command_key: &str) -> Option<Inputs> {
        let path = self.path(command_key, "inputs");
        let mut text = String::new();
        let file = File::open(path).ok()?;
        (&file).take(MAX_LIST_BYTES).read_to_string(&mut text).ok()?;
        touch(&file);
        Inputs::from_text(&text)
    }

    /// The result under this key. One that is damaged is removed.
    pub(super) fn find(&self, key: &str) -> Option<Result> {
        let path = self.path(key, "output");
        let file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        (&file).take(MAX_BYTES * 2).read_to_end(&mut bytes).ok()?;
        let Some(found) = decode(&bytes) else {
            drop(fs::remove_file(path));
            return None;
        };
        touch(&file);
        Some(found)
    }

    /// Keeps what a link has left.
    pub(super) fn keep(
        &self,
        command_key: &str,
        inputs: &Inputs,
        key: &str,
        result: &Result,
    ) -> io::Result<()> {
        if result.output.len() as u64 > MAX_BYTES {
            return Ok(());
        }
        write_whole(&self.path(key, "output"), &encode(result))?;
        write_whole(&self.path(command_key, "inputs"), inputs.to_text().as_bytes())
    }

    fn path(&self, key: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{key}.{extension}"))
    }
}

/// What a link by this command would be found under, given what it is made of.
pub(super) fn key(
    command_key: &str,
    inputs: impl FnOnce(&mut Hash) -> Option<()>,
) -> Option<String> {
    let mut hash = Hash::new();
    hash.add(command_key.as_bytes());
    inputs(&mut hash)?;
    Some(hash.finish())
}

/// Puts `result` in the place of the output.
pub(super) fn restore(result: &Result, output: &Path) -> io::Result<()> {
    let beside = beside(output);
    let made = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(&result.output)?;
        set_mode(&file, result.mode)?;
        fs::rename(&beside, output)
    })();
    if made.is_err() {
        drop(fs::remove_file(&beside));
    }
    made
}

fn encode(result: &Result) -> Vec<u8> {
    let (said, mode) = (result.said.len(), result.mode);
    let digest = digest(&result.said, &result.output);
    let mut bytes = format!("{MAGIC} {said} {mode:o} {digest}\n").into_bytes();
    bytes.extend_from_slice(&result.said);
    bytes.extend_from_slice(&result.output);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Result> {
    let end = bytes.iter().take(MAX_HEADING_BYTES).position(|byte| *byte == b'\n')?;
    let (heading, rest) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    let mut words = str::from_utf8(heading).ok()?.split(' ');
    if words.next() != Some(MAGIC) {
        return None;
    }
    let said: usize = words.next()?.parse().ok()?;
    let mode = u32::from_str_radix(words.next()?, 8).ok().filter(|mode| *mode <= 0o777)?;
    let expected = words.next()?;
    let (said, output) = rest.split_at_checked(said)?;
    (digest(said, output) == expected).then(|| Result {
        said: said.to_vec(),
        mode,
        output: output.to_vec(),
    })
}

fn digest(said: &[u8], output: &[u8]) -> String {
    hex(&Sha256::new().chain_update(said).chain_update(output).finalize())
}

/// What was not used for longest is removed first, when there is too much.
fn touch(file: &File) {
    drop(file.set_modified(SystemTime::now()));
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = beside(path);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

/// A name beside `path` that nobody else takes: containers may have the same process numbers.
pub(super) fn beside(path: &Path) -> PathBuf {
    let now = crate::launcher::journal::now().as_nanos();
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{now:x}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result() -> Result {
        Result { said: b"warning: x\n".to_vec(), mode: 0o755, output: b"\x7fELF\n\0".to_vec() }
    }

    #[test]
    fn what_is_kept_is_found_and_what_is_damaged_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_cache(folder.path());
        let inputs = Inputs::from_text("warmwheel: inputs of a link, 2\nfile /a\n").unwrap();
        assert!(store.inputs("c").is_none() && store.find("k").is_none());
        store.keep("c", &inputs, "k", &result()).unwrap();
        assert_eq!(store.inputs("c"), Some(inputs));
        assert_eq!(store.find("k"), Some(result()));
        assert_eq!(fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 2);
        let path = store.path("k", "output");
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for bad in [&b""[..], b"no heading", &good[..good.len() - 1], &flipped] {
            fs::write(&path, bad).unwrap();
            assert_eq!(store.find("k"), None);
            assert!(!path.exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_output_is_put_back_whole_with_its_rights() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("m.so");
        fs::write(&output, "older").unwrap();
        restore(&result(), &output).unwrap();
        assert_eq!(fs::read(&output).unwrap(), result().output);
        assert_eq!(fs::metadata(&output).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(restore(&result(), &folder.path().join("absent/m.so")).is_err());
    }
}
