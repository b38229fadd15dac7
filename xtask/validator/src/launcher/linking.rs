//! Keeps the results of links that compile.
//!
//! With `-flto` an object file holds no code yet: the compiler's second half runs inside the link,
//! which ccache passes on. pybind11 builds its modules like that, so on a warm cache the links are most
//! of what is left to do. They are kept here as ccache keeps compilations in its direct mode: under
//! the command, its folder and the variables that matter, and the content of everything that was
//! read. What that is the linker tells itself, and the compiler which programs it works with
//! ([`inputs`]).
//!
//! # Why what is put back is what the link would make
//!
//! - A command is only looked at if every argument is known to change nothing but the output
//!   ([`command`]). Anything else is run as if this was not there.
//! - gcc's own programs count by content (driver, `lto1`, `collect2`, linker, assembler, plugin), and
//!   so does every object, library and script that the linker has opened, the members of thin
//!   archives included ([`thin`]). So do the places in `-L` folders where a library would have been
//!   found earlier.
//! - A file that was changed after the link began is not believed, and what is kept has a checksum.
//! - Like ccache this does not see shared libraries that the tools themselves load, nor a library that
//!   is new in one of the compiler's own folders.
//!
//! On Linux, with gcc and GNU ld 2.35 and newer; with another linker the link is run again without the
//! question.

pub mod command;
mod inputs;
mod store;
mod thin;

use super::{Call, complain, journal, programs as finder, slots, start};
use crate::environment::Environment;
use crate::launcher::json::push_text;
use crate::{linked, output, probe, programs};
use command::Linking;
use inputs::{Hash, Inputs};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
pub use store::FOLDER;
use store::{Result as Left, Store};

/// Quicker links are not worth the file.
const WORTH_KEEPING: Duration = Duration::from_millis(200);

/// With one of these links are left alone.
const SWITCHES: [&str; 2] = ["CCACHE_DISABLE", "CCACHE_RECACHE"];
/// With one of these nothing more is kept.
const READ_ONLY: [&str; 2] = ["CCACHE_READONLY", "CCACHE_READONLY_DIRECT"];

/// The variables that are looked at: the above, and those that change what compiler and linker do or
/// say.
pub(crate) const VARIABLES: [&str; 16] = [
    SWITCHES[0],
    SWITCHES[1],
    READ_ONLY[0],
    READ_ONLY[1],
    "COMPILER_PATH",
    "GCC_COLORS",
    "GCC_EXEC_PREFIX",
    "GNUTARGET",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "LDEMULATION",
    "LD_LIBRARY_PATH",
    "LD_RUN_PATH",
    "LIBRARY_PATH",
    "SOURCE_DATE_EPOCH",
];

/// How a link came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Reused,
    Kept,
    Run,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Reused => linked::REUSED,
            Self::Kept => linked::KEPT,
            Self::Run => linked::RUN,
        }
    }
}

/// Does a link, or takes its result from an earlier one. `None` if this is not for here.
pub(super) fn reuse(
    call: &Call,
    launched: &(&'static str, OsString),
    environment: &Environment,
) -> Option<u8> {
    let cache = environment.get("CCACHE_DIR")?;
    let is_off = SWITCHES.iter().any(|name| environment.has(name));
    // A compiler's words look otherwise on a terminal, and cannot be kept and shown at once.
    if is_off || !cfg!(target_os = "linux") || io::stderr().is_terminal() {
        return None;
    }
    let linking = command::read(&call.arguments)?;
    // Checks are linked in folders with other names each time.
    let folder = journal::working_folder();
    if probe::is_probe(&folder.join(&linking.output).to_string_lossy()) {
        return None;
    }
    let is_replaceable =
        fs::symlink_metadata(&linking.output).map_or(true, |found| found.is_file());
    let compiler = find(&call.compiler, environment).filter(|_| is_replaceable)?;
    let link =
        Link { call, linking, compiler, environment, store: Store::in_cache(cache.as_ref()) };
    let start = journal::now();
    let (code, outcome) = link.done(launched);
    if let Some(folder) = environment.get("WARMWHEEL_RECORD_DIR") {
        let entry = link.entry(start, code, outcome);
        let path = Path::new(folder).join(linked::FILE_NAME);
        if let Err(error) = journal::append(&path, entry.as_bytes()) {
            complain(&journal::cannot_append(&path, &error), 0);
        }
    }
    Some(code)
}

struct Link<'a> {
    call: &'a Call,
    linking: Linking,
    compiler: PathBuf,
    environment: &'a Environment,
    store: Store,
}

impl Link<'_> {
    fn done(&self, launched: &(&'static str, OsString)) -> (u8, Outcome) {
        let command_key = self.command_key();
        let found = command_key.as_ref().and_then(|key| {
            let inputs = self.store.inputs(key)?;
            self.store.find(&self.key(key, &inputs, None)?)
        });
        if let Some(found) = found
            && store::restore(&found, &self.linking.output).is_ok()
        {
            say(&found.said);
            return (0, Outcome::Reused);
        }
        let slot = slots::take(self.environment);
        let began = SystemTime::now();
        let ran = self.run(launched);
        drop(slot);
        let (code, said, told) = match ran {
            Ok(ran) => ran,
            Err(error) => {
                let words = format!("cannot run {}: {error}", self.compiler.display());
                return (complain(&words, super::CANNOT_RUN), Outcome::Run);
            }
        };
        say(&said);
        let is_read_only = READ_ONLY.iter().any(|name| self.environment.has(name));
        let is_worth_it =
            code == 0 && !is_read_only && began.elapsed().is_ok_and(|time| time >= WORTH_KEEPING);
        let kept = command_key
            .zip(told)
            .filter(|_| is_worth_it)
            .and_then(|(key, told)| self.keep(&key, &told, said, began));
        (code, if kept.is_some() { Outcome::Kept } else { Outcome::Run })
    }

    /// Runs the link: its exit code, what it said, and which files the linker has told.
    fn run(
        &self,
        launched: &(&'static str, OsString),
    ) -> io::Result<(u8, Vec<u8>, Option<String>)> {
        let list = store::beside(&self.linking.output);
        let run =
            |arguments: &[OsString]| start::listen(&self.compiler, arguments, launched.clone());
        let asked = list.to_str().filter(|list| !list.contains(','));
        if let Some(asked) = asked {
            let question = format!("-Wl,--dependency-file={asked}").into();
            let (code, said) = run(&[&self.call.arguments[..], &[question]].concat())?;
            let told = fs::read_to_string(&list);
            drop(fs::remove_file(&list));
            if code == 0 || told.is_ok() || !has(&said, b"dependency-file") {
                return Ok((code, said, told.ok()));
            }
        }
        run(&self.call.arguments).map(|(code, said)| (code, said, None))
    }

    fn keep(&self, command_key: &str, told: &str, said: Vec<u8>, began: SystemTime) -> Option<()> {
        let inputs = Inputs::of(&self.compiler, &self.linking, told)?;
        if said.len() > store::MAX_SAID_BYTES || inputs.contain(&self.linking.output) {
            return None;
        }
        let key = self.key(command_key, &inputs, Some(began))?;
        let output = fs::read(&self.linking.output).ok()?;
        let left = Left { said, mode: mode(&self.linking.output)?, output };
        match self.store.keep(command_key, &inputs, &key, &left) {
            Ok(()) => Some(()),
            Err(error) => {
                let folder = self.environment.get("CCACHE_DIR").unwrap_or_default();
                let folder = Path::new(folder).join(FOLDER);
                let words = format!("cannot keep a link in {}: {error}", folder.display());
                complain(&words, 0);
                None
            }
        }
    }

    /// Of all that is known before anything is read.
    fn command_key(&self) -> Option<String> {
        let mut hash = Hash::new();
        hash.add(journal::working_folder().to_str()?.as_bytes());
        hash.add(self.compiler.to_str()?.as_bytes());
        for argument in &self.call.arguments {
            hash.add(argument.as_encoded_bytes());
        }
        for name in VARIABLES.iter().filter(|name| !READ_ONLY.contains(name)) {
            hash.add(name.as_bytes());
            if let Some(value) = self.environment.get(name) {
                hash.add(value.as_encoded_bytes());
            }
        }
        Some(hash.finish())
    }

    fn key(
        &self,
        command_key: &str,
        inputs: &Inputs,
        before: Option<SystemTime>,
    ) -> Option<String> {
        let search_path = self.environment.get("PATH").unwrap_or_default();
        store::key(command_key, |hash| inputs.add_to(hash, search_path, before))
    }

    fn entry(&self, start: Duration, code: u8, outcome: Outcome) -> String {
        let mut line = String::with_capacity(256);
        let (start, end) = (journal::seconds(start), journal::seconds(journal::now()));
        // A string never fails to be written to.
        let _ = write!(line, "{{\"start\":{start},\"end\":{end},\"folder\":");
        push_text(&mut line, journal::working_folder().as_os_str());
        line.push_str(",\"output\":");
        push_text(&mut line, self.linking.output.as_os_str());
        let _ = writeln!(line, ",\"exit\":{code},\"result\":\"{}\"}}", outcome.word());
        line
    }
}

/// The compiler's own path.
fn find(compiler: &OsStr, environment: &Environment) -> Option<PathBuf> {
    let name = compiler.to_str()?;
    if name.contains('/') {
        return Some(PathBuf::from(compiler));
    }
    let search_path = environment.get("PATH")?;
    programs::found(name, search_path).find(|path| !finder::leads_back(path))
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> Option<u32> {
    None
}

fn say(words: &[u8]) {
    // Nobody may be listening any more; that changes nothing.
    drop(output::people().write_all(words));
}

fn has(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}
