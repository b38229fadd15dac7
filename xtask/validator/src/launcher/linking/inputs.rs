//! What a link is made of, and what that comes to.
//!
//! The linker tells which files it has read (`--dependency-file`). To these come the programs that do
//! the work, which a compiler's own executable says nothing about, and the places where a library
//! would have been found first: that there is none is part of the result as well. Of a thin archive the
//! linker does not tell the members ([`thin`]).

use super::command::Linking;
use super::thin;
use crate::launcher::start;
use crate::programs;
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The programs that gcc links with, as it is asked for them.
const TOOLS: [&str; 5] = ["lto1", "lto-wrapper", "collect2", "as", "ld"];
/// Those of them that need not be gcc's own.
const FROM_PATH: [&str; 2] = ["as", "ld"];
/// The part of gcc that the linker loads.
const PLUGIN: &str = "liblto_plugin.so";
/// The first line of a list of inputs.
const HEADING: &str = "warmwheel: inputs of a link, 2";
/// More have no link.
const MAX_INPUTS: usize = 20_000;
const BUFFER_BYTES: usize = 128 * 1024;

/// A hash of fields, of which none can run into the next.
pub(super) struct Hash(Sha256);

impl Hash {
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(super) fn add(&mut self, field: &[u8]) {
        self.0.update(field.len().to_le_bytes());
        self.0.update(field);
    }

    /// In hexadecimal digits.
    pub(super) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// `bytes` in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A string never fails to be written to.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A part of what a link was made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    /// A file that was read, or would have been if it were there.
    File(String),
    /// A program that is looked for in `PATH`.
    Program(String),
}

/// All that one link was made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    all: Vec<Input>,
}

impl Inputs {
    /// Of a link that has just been done by `compiler`; `None` if not all of it can be known.
    /// `told` is what the linker has told.
    pub(super) fn of(compiler: &Path, linking: &Linking, told: &str) -> Option<Self> {
        let mut all = vec![Input::File(compiler.to_str()?.to_owned())];
        for tool in TOOLS {
            let name = answer(compiler, &format!("-print-prog-name={tool}"))?;
            // Of what is not its own the compiler tells the bare name.
            let is_own = name.contains('/');
            if !is_own && !FROM_PATH.contains(&tool) {
                return None;
            }
            all.push(if is_own { Input::File(name) } else { Input::Program(name) });
        }
        let plugin = answer(compiler, &format!("-print-file-name={PLUGIN}"))?;
        all.push(Input::File(plugin.contains('/').then_some(plugin)?));
        for library in &linking.libraries {
            for folder in &linking.folders {
                let folder = folder.to_str()?;
                let of = |kind| Input::File(format!("{folder}/lib{library}.{kind}"));
                all.extend(["so", "a"].map(of));
            }
        }
        for name in dependencies(told) {
            // What gcc has compiled on the way is gone by now.
            let path = Path::new(name);
            if !is_intermediate(path) || path.exists() {
                all.push(Input::File(name.to_owned()));
                all.extend(thin::members(path).ok()?.into_iter().map(Input::File));
            }
        }
        all.sort_unstable();
        all.dedup();
        (all.len() <= MAX_INPUTS && all.iter().all(Input::is_line)).then_some(Self { all })
    }

    /// Reads what [`Self::to_text`] has written.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (heading, rest) = text.split_once('\n')?;
        let all: Option<Vec<_>> = rest.lines().map(Input::from_line).collect();
        (heading == HEADING && rest.ends_with('\n')).then_some(Self { all: all? })
    }

    /// A line for each, below a heading.
    pub(super) fn to_text(&self) -> String {
        let lines = self.all.iter().flat_map(|input| {
            let (kind, name) = input.parts();
            [kind, " ", name, "\n"]
        });
        [HEADING, "\n"].into_iter().chain(lines).collect()
    }

    /// Adds what all of them hold now. `None` if something cannot be read, or was changed after
    /// `before`: nobody knows then what the linker has seen.
    pub(super) fn add_to(
        &self,
        hash: &mut Hash,
        search_path: &OsStr,
        before: Option<SystemTime>,
    ) -> Option<()> {
        for input in &self.all {
            let (kind, name) = input.parts();
            hash.add(kind.as_bytes());
            hash.add(name.as_bytes());
            let digest = input.digest(search_path, before).ok()?;
            hash.add(digest.unwrap_or_default().as_bytes());
        }
        Some(())
    }

    /// Whether `path` is one of them.
    pub(super) fn contain(&self, path: &Path) -> bool {
        self.all.iter().any(|input| Path::new(input.parts().1) == path)
    }
}

impl Input {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::File(name) => ("file", name),
            Self::Program(name) => ("program", name),
        }
    }

    fn from_line(line: &str) -> Option<Self> {
        match line.split_once(' ')? {
            ("file", name) => Some(Self::File(name.to_owned())),
            ("program", name) => Some(Self::Program(name.to_owned())),
            _ => None,
        }
    }

    fn is_line(&self) -> bool {
        let (_, name) = self.parts();
        !name.is_empty() && !name.contains(['\n', '\r'])
    }

    /// The hash of what it holds; `None` if it is not there.
    ///
    /// # Errors
    /// It is no file, cannot be read, or was changed after `before`.
    fn digest(
        &self,
        search_path: &OsStr,
        before: Option<SystemTime>,
    ) -> io::Result<Option<String>> {
        let path = match self {
            Self::File(name) => Some(PathBuf::from(name)),
            Self::Program(name) => programs::found(name, search_path).next(),
        };
        let Some(path) = path else { return Ok(None) };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if is_absent(error.kind()) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let is_late = before.is_some_and(|before| metadata.modified().is_ok_and(|at| at > before));
        if !metadata.is_file() || is_late {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut digest = Sha256::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let length = file.read(&mut buffer)?;
            if length == 0 {
                return Ok(Some(hex(&digest.finalize())));
            }
            digest.update(buffer.get(..length).unwrap_or_default());
        }
    }
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The files in a dependency file of GNU ld: one a line, nothing escaped, up to an empty line.
fn dependencies(told: &str) -> impl Iterator<Item = &str> {
    let lines = told.lines().skip(1).take_while(|line| !line.is_empty());
    lines.filter_map(|line| {
        line.strip_prefix("  ").map(|name| name.strip_suffix(" \\").unwrap_or(name))
    })
}

/// Whether gcc has made it on the way, in its folder for temporary files: `/tmp/ccAb12Cd.ltrans0.o`.
fn is_intermediate(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    path.is_absolute() && name.starts_with(b"cc") && name.ends_with(b".o")
}

/// What the compiler says when it is asked where something is.
fn answer(compiler: &Path, question: &str) -> Option<String> {
    let said = start::ask(compiler, question).ok()?;
    let line = said.trim_end_matches('\n');
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const TOLD: &str = "m.so: \\\n  ver sion.map \\\n  /usr/lib/crti.o \\\n  a b/libf.a \\\n  \
                        /tmp/ccAb12.ltrans0.ltrans.o\n\nver sion.map:\n\n/usr/lib/crti.o:\n";

    #[test]
    fn the_linkers_files_are_read() {
        let found: Vec<_> = dependencies(TOLD).collect();
        let expected =
            ["ver sion.map", "/usr/lib/crti.o", "a b/libf.a", "/tmp/ccAb12.ltrans0.ltrans.o"];
        assert_eq!(found, expected);
        let intermediate: Vec<_> =
            found.iter().map(|name| is_intermediate(Path::new(name))).collect();
        assert_eq!(intermediate, [false, false, false, true]);
        assert_eq!(dependencies("").count(), 0);
    }

    #[test]
    fn a_list_is_read_back_and_another_is_refused() {
        let inputs = Inputs { all: vec![Input::File("/a b".into()), Input::Program("ld".into())] };
        let text = inputs.to_text();
        assert_eq!(Inputs::from_text(&text), Some(inputs));
        for broken in [
            "",
            "x\nfile /a\n",
            &text[..text.len() - 1],
            &text.replace(", 2", ", 1"),
            &text.replace("file", "foil"),
        ] {
            assert_eq!(Inputs::from_text(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn what_is_there_what_is_not_and_what_is_new_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let inputs = Inputs { all: vec![Input::File(file.to_str().unwrap().to_owned())] };
        let key = |before| {
            let mut hash = Hash::new();
            inputs.add_to(&mut hash, OsStr::new(""), before)?;
            Some(hash.finish())
        };
        let absent = key(None).unwrap();
        fs::write(&file, "").unwrap();
        let empty = key(None).unwrap();
        fs::write(&file, "1").unwrap();
        let one = key(None).unwrap();
        assert!(absent != empty && empty != one && absent != one);
        assert_eq!(key(Some(SystemTime::now())), Some(one));
        assert_eq!(key(Some(SystemTime::UNIX_EPOCH)), None, "it was changed later");
        fs::remove_file(&file).unwrap();
        assert_eq!(key(None), Some(absent));
        fs::create_dir(&file).unwrap();
        assert_eq!(key(None), None, "a folder");
    }
}
