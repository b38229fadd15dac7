//! Which links compile, and can be known whole from their command lines.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Options without a value that write nothing but the output and read nothing that the linker does
/// not tell of.
const PLAIN: [&str; 14] = [
    "-shared",
    "-pie",
    "-no-pie",
    "-rdynamic",
    "-pthread",
    "-pipe",
    "-s",
    "-w",
    "-static-libgcc",
    "-static-libstdc++",
    "-static-pie",
    "-nostdlib",
    "-nodefaultlibs",
    "-nostartfiles",
];

/// Options with a value, joined or in the next argument, that name no file but folders.
const WITH_VALUE: [&str; 8] = ["-L", "-l", "-I", "-D", "-U", "-z", "-u", "-isystem"];

/// How other harmless options begin.
const FAMILIES: [&str; 6] = ["-O", "-g", "-m", "-f", "-W", "-std="];

/// Parts of options of these families that write other files, read them, or choose other tools.
const REFUSED: [&str; 15] = [
    "-Wl,",
    "-Wa,",
    "-Wp,",
    "-gsplit",
    "-fuse-ld",
    "-fplugin",
    "profile",
    "dump",
    "save",
    "opt-info",
    "opt-record",
    "stack-usage",
    "callgraph",
    "coverage",
    "incremental",
];

/// The linker's own options without a value, or with it behind `=`.
const LINKER_PLAIN: [&str; 42] = [
    "-s",
    "-S",
    "-x",
    "-E",
    "-Bstatic",
    "-Bdynamic",
    "-Bsymbolic",
    "-Bsymbolic-functions",
    "-O0",
    "-O1",
    "-O2",
    "-(",
    "-)",
    "--start-group",
    "--end-group",
    "--whole-archive",
    "--no-whole-archive",
    "--push-state",
    "--pop-state",
    "--as-needed",
    "--no-as-needed",
    "--copy-dt-needed-entries",
    "--no-copy-dt-needed-entries",
    "--gc-sections",
    "--no-gc-sections",
    "--no-undefined",
    "--allow-shlib-undefined",
    "--no-allow-shlib-undefined",
    "--strip-all",
    "--strip-debug",
    "--discard-all",
    "--export-dynamic",
    "--eh-frame-hdr",
    "--enable-new-dtags",
    "--disable-new-dtags",
    "--relax",
    "--no-relax",
    "--fatal-warnings",
    "--no-fatal-warnings",
    "--no-warn-mismatch",
    "--build-id",
    "--sort-common",
];

/// The linker's own options with a value, behind `=` or in the next word. The files that some of
/// them name are among those that the linker tells of.
const LINKER_WITH_VALUE: [&str; 15] = [
    "-soname",
    "-h",
    "-z",
    "-u",
    "-e",
    "-l",
    "-L",
    "-rpath",
    "-rpath-link",
    "--build-id",
    "--hash-style",
    "--exclude-libs",
    "--version-script",
    "--dynamic-list",
    "--compress-debug-sections",
];

/// A link that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linking {
    /// The file that it makes.
    pub output: PathBuf,
    /// Where its libraries are looked for before the compiler's own folders.
    pub folders: Vec<PathBuf>,
    /// Its libraries' names, without `lib`.
    pub libraries: Vec<String>,
}

/// Whether these arguments are of a link of compiled files only.
#[must_use]
pub fn is_link(arguments: &[OsString]) -> bool {
    let mut inputs = arguments.iter().filter(|word| is_linkable(word)).peekable();
    let is_other = |word: &OsString| {
        matches!(word.to_str(), Some("-c" | "-E" | "-S" | "-M" | "-MM" | "-fsyntax-only" | "-x"))
    };
    inputs.peek().is_some() && !arguments.iter().any(is_other)
}

/// Reads a compiler's arguments; `None` unless it is a link with `-flto`, where the linker compiles,
/// and every single argument is known to change nothing but its output.
#[must_use]
pub fn read(arguments: &[OsString]) -> Option<Linking> {
    let mut found = Linking { output: PathBuf::new(), folders: Vec::new(), libraries: Vec::new() };
    let (mut compiles, mut inputs) = (false, 0_usize);
    let mut words = arguments.iter();
    while let Some(argument) = words.next() {
        let word = argument.to_str()?;
        if word.starts_with("-flto") {
            compiles = true;
        } else if word == "-fno-lto" {
            compiles = false;
        }
        if !word.starts_with('-') {
            inputs += usize::from(is_linkable(argument).then_some(true)?);
        } else if let Some(joined) = word.strip_prefix("-o") {
            found.output = if joined.is_empty() { words.next()?.into() } else { joined.into() };
        } else if let Some(options) = word.strip_prefix("-Wl,") {
            found.read_linker_options(options.split(','))?;
        } else if word == "-Xlinker" {
            found.read_linker_options([words.next()?.to_str()?].into_iter())?;
        } else if let Some(option) = WITH_VALUE.iter().find(|option| word.starts_with(**option)) {
            let joined = word.get(option.len()..).filter(|joined| !joined.is_empty());
            let value = joined.or_else(|| words.next()?.to_str())?;
            found.note(option, value);
        } else if !PLAIN.contains(&word) && !is_harmless(word) {
            return None;
        }
    }
    (compiles && inputs > 0 && !found.output.as_os_str().is_empty()).then_some(found)
}

impl Linking {
    /// Reads what goes to the linker itself; `None` if any of it is not known.
    fn read_linker_options<'a>(&mut self, mut words: impl Iterator<Item = &'a str>) -> Option<()> {
        while let Some(word) = words.next() {
            let is = |option: &&str| one_dash(option) == one_dash(word);
            if LINKER_PLAIN.iter().any(is) {
                continue;
            }
            let joined = ["-L", "-l"].into_iter().find_map(|option| {
                let value = word.strip_prefix(option).filter(|value| !value.is_empty())?;
                (!word.starts_with("-library")).then_some((option, value))
            });
            if let Some((option, value)) = joined {
                self.note(option, value);
                continue;
            }
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            let is_named = |known: &&&str| one_dash(known) == one_dash(name);
            let option = LINKER_WITH_VALUE.iter().find(is_named)?;
            let value = value.or_else(|| words.next())?;
            self.note(option, value);
        }
        Some(())
    }

    fn note(&mut self, option: &str, value: &str) {
        match option {
            "-L" => self.folders.push(value.into()),
            "-l" => self.libraries.push(value.to_owned()),
            _ => {}
        }
    }
}

/// The linker takes its long options with one dash as well as with two.
fn one_dash(option: &str) -> &str {
    if option.starts_with("--") { option.get(1..).unwrap_or_default() } else { option }
}

/// Whether an argument names a file that only the linker reads.
fn is_linkable(argument: &OsStr) -> bool {
    let name = Path::new(argument).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    let is_option = argument.as_encoded_bytes().starts_with(b"-");
    let is_numbered = || name.split_once(".so.").is_some_and(|(stem, _)| !stem.is_empty());
    !is_option
        && !argument.as_encoded_bytes().starts_with(b"@")
        && (matches!(extension, Some("o" | "lo" | "a" | "so")) || is_numbered())
}

fn is_harmless(word: &str) -> bool {
    FAMILIES.iter().any(|family| word.starts_with(family))
        && !REFUSED.iter().any(|part| word.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn links_that_compile() {
        for line in [
            "-flto -shared -o m.so m.o",
            "-fPIC -O3 -DNDEBUG -flto=auto -fno-fat-lto-objects -shared -Wl,-soname,m.so -om.so a.o libx.a liby.so.1.2",
            "m.o -flto -o m -Wl,--version-script=v.map,-z,relro -Wl,--exclude-libs,ALL -pthread",
            "m.o -fno-lto -flto -o m -Wl,-rpath,$ORIGIN:/x: -Xlinker --as-needed -Wl,--soname=m -g",
            "m.o -flto -o m -Wall -Wextra -march=native -Wl,-O1 -Wl,-Bsymbolic-functions -Wl,-z,now",
        ] {
            assert!(read(&words(line)).is_some(), "{line}");
            assert!(is_link(&words(line)), "{line}");
        }
        let line = "-flto -La -L b -o m m.o -lx -l y -Wl,-L,c -Wl,-lz -L=d";
        let found = read(&words(line)).unwrap();
        assert_eq!(found.folders, ["a", "b", "c", "=d"].map(PathBuf::from));
        assert_eq!(
            (found.libraries, found.output),
            (["x", "y", "z"].map(String::from).into(), "m".into())
        );
    }

    #[test]
    fn what_is_not_known_to_change_the_output_only() {
        for line in [
            "",
            "-shared -o m.so m.o",
            "-flto -shared m.o",
            "-flto -o m",
            "-flto -fno-lto -o m m.o",
            "-flto -o m m.o @more.rsp",
            "-flto -o m m.o main.c",
            "-flto -o m m.o -c",
            "-flto -o m m.o -Wl,-Map,m.map",
            "-flto -o m m.o -Wl,-Map=m.map",
            "-flto -o m m.o -Xlinker -Map=m.map",
            "-flto -o m m.o -Wl,--dependency-file=d",
            "-flto -o m m.o -Wl,--out-implib,m.lib",
            "-flto -o m m.o -Wl,-T,script.ld",
            "-flto -o m m.o -T script.ld",
            "-flto -o m m.o -Wl,-plugin,x.so",
            "-flto -o m m.o -Wl,-soname",
            "-flto -o m m.o -Wl,@more.rsp",
            "-flto -o m m.o -Wa,-a=listing",
            "-flto -o m m.o -fuse-ld=gold",
            "-flto -o m m.o -B/other/tools",
            "-flto -o m m.o -specs=s",
            "-flto -o m m.o -wrapper w",
            "-flto -o m m.o -save-temps",
            "-flto -o m m.o -gsplit-dwarf",
            "-flto -o m m.o -fprofile-use=p",
            "-flto -o m m.o --coverage",
            "-flto -o m m.o -fdump-tree-all",
            "-flto -o m m.o -fsave-optimization-record",
            "-flto -flto-incremental=cache -o m m.o",
            "-flto -o m m.o -Wl,n.o",
            "-flto -o m m.o -Wl,--library-path=x",
            "-flto -o m m.o -v",
            "-flto -o",
            "-flto -o m m.o -l",
        ] {
            assert_eq!(read(&words(line)), None, "{line}");
        }
    }

    #[test]
    fn links_of_any_kind() {
        for line in ["-shared a.o -o a.so", "a.o @rest", "x.so.1 -lm -o a"] {
            assert!(is_link(&words(line)), "{line}");
        }
        for line in
            ["", "--version", "-E a.c", "-c a.c -o a.o", "-shared -o a.so a.c", "-o a.o -c a.s"]
        {
            let is_expected = line == "-shared -o a.so a.c";
            assert_eq!(is_link(&words(line)), is_expected, "{line}");
        }
    }
}
