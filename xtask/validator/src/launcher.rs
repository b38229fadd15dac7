//! `ccache-launcher`: stands in front of ccache, chooses how ccache is to store each compilation,
//! and writes down what each took and what ccache made of it. Links that compile, which ccache does
//! not cache, it keeps itself ([`linking`]).
//!
//! It is called as `ccache-launcher COMPILER ARGUMENT...`, or through a link with a compiler's name
//! in a folder in front of `PATH`; then it finds the real compiler behind the link itself, since
//! ccache would only be told of the link.
//!
//! # Why a wrong guess costs time and nothing else
//!
//! On a miss ccache preprocesses a file before it compiles it, so as to store the result under two
//! keys: a direct one, made of the command line and the files that are included, and one made of the
//! preprocessed text. In depend mode it leaves that out, takes the included files from the
//! compiler's own dependency file and stores the direct key only. A cold build is up to a third
//! cheaper that way. The direct key is the same in both modes, so whatever one of them stored is a
//! direct hit for the other, and what it names is always the result of this very command line on
//! these very files. What the preprocessed key adds are hits for *another* command line with the same
//! preprocessed text: a file that is given `-I/opt/python/cp312/include` and does not include
//! anything from there. So depend mode is for commands that are the same under every Python
//! ([`varies`]), and for sources that include Python's headers ([`source::includes_python`]), whose
//! text is another for each version anyway; for one that is wrongly taken to be such, the next
//! version compiles once more.
//!
//! Two things ccache's depend mode does not see, and they would be false hits (both tried with
//! ccache 4.7.5). So neither is left to it:
//! - Headers of the system under `-MMD`, which the dependency file leaves out: only `-MD` will do.
//! - What `.incbin` in the assembler's code reads. ccache refuses to store such files otherwise; here
//!   a source that has the word, in capitals or not, goes the normal way ([`source`]). A header that
//!   holds such code for a source that never says so is not found; `CCACHE_NODEPEND=1` is for that.
//!
//! A user's own `CCACHE_DEPEND`, `CCACHE_NODEPEND`, `CCACHE_DIRECT` or `CCACHE_NODIRECT` wins.
//!
//! # What never happens
//!
//! - The command, its folder and its streams are never changed.
//! - A record never fails a build: where one cannot be written that is said, and that is all.
//! - It never calls itself again and again: each call tells those below it which compilers are at
//!   work already ([`LAUNCHED`]). A compiler that calls another one by its bare name gets that one
//!   without a second ccache.

pub mod command;
mod journal;
mod json;
pub mod linking;
mod programs;
mod slots;
pub mod source;
mod start;
mod value;
pub mod varies;

use crate::environment::Environment;
use crate::output;
use command::{Compilation, Dependencies};
use journal::Journal;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The variables that are looked at for every call; [`linking::VARIABLES`] are for links.
pub(crate) const NAMES: [&str; 19] = [
    "PATH",
    "CC",
    "CXX",
    "CCACHE_PATH",
    "CCACHE_DIR",
    "CCACHE_STATSLOG",
    "CCACHE_TEMPDIR",
    "CCACHE_DEPEND",
    "CCACHE_NODEPEND",
    "CCACHE_DIRECT",
    "CCACHE_NODIRECT",
    "WARMWHEEL_RECORD_DIR",
    slots::COUNT,
    varies::IDENTIFIER,
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    LAUNCHED,
];

/// Names the compilers that launchers above this one have started, as `PATH` names folders.
pub const LAUNCHED: &str = "WARMWHEEL_LAUNCHED";

/// The exit code for a program that is not there, as shells have it.
const NOT_FOUND: u8 = 127;
/// The exit code for a program that cannot be run.
const CANNOT_RUN: u8 = 126;

const HELP: &str = "\
Stands in front of ccache: chooses how it stores each compilation and writes
down what each took. Keeps the results of links with -flto in CCACHE_DIR.

Usage: ccache-launcher COMPILER ARGUMENT...
   or: a link to it with a compiler's name, in a folder in front of PATH
   or: ccache-launcher --value CC|CXX, which prints what the variable has to be
       for a build tool such as meson to call its compiler through the launcher:
       the compiler that it names already stays, else the first one in PATH

Variables:
  WARMWHEEL_RECORD_DIR  folder for compilations.ndjson: times, mode and result
                        of each compilation, and linked.ndjson: the same of
                        links with -flto; without it nothing is recorded
  WARMWHEEL_COMPILERS   how many compilers may run at once in all builds that
                        share CCACHE_DIR; without it as many as are started
  CCACHE_STATSLOG       gets what ccache says of each call, as without launcher
  CCACHE_PATH           where compilers are looked for instead of in PATH
  CCACHE_DEPEND, CCACHE_NODEPEND, CCACHE_DIRECT, CCACHE_NODIRECT
                        any of them set: ccache is left to go by them

Examples:
  CMAKE_CXX_COMPILER_LAUNCHER=ccache-launcher cmake -S . -B build
  ccache-validator preflight --links /tmp/links --launcher /usr/bin/ccache-launcher
  CC=\"$(ccache-launcher --value CC)\" meson setup build

The exit code is the compiler's; 126 and 127 if it cannot be run.
";

/// What is to be run: a compiler and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    compiler: OsString,
    arguments: Vec<OsString>,
}

/// Does what a command line, the program's own name included, asks for. Returns the exit code, or
/// does not return at all: what is not recorded takes this process's place.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> u8 {
    let mut arguments = arguments.into_iter();
    let own_name = arguments.next().unwrap_or_default();
    let called_as = Path::new(&own_name);
    let call = if is_own_name(called_as) {
        // `ccache-launcher ccache gcc`, from CC="ccache gcc": one is enough.
        let mut words = arguments.skip_while(|word| Path::new(word).ends_with("ccache"));
        let Some(compiler) = words.next() else {
            return complain("no compiler given; see ccache-launcher --help", 2);
        };
        match compiler.to_str() {
            Some("--help" | "-h") => return print(HELP),
            Some("--value") => {
                let name = words.next().unwrap_or_default();
                let value = name.to_str().and_then(|it| value::of(it, called_as, environment));
                let unknown = "--value needs CC or CXX; see ccache-launcher --help";
                return value.map_or_else(|| complain(unknown, 2), |value| print(&value));
            }
            Some("--version" | "-V") => {
                return print(concat!("ccache-launcher ", env!("CARGO_PKG_VERSION"), "\n"));
            }
            _ => Call { compiler, arguments: words.collect() },
        }
    } else {
        Call { compiler: own_name.clone(), arguments: arguments.collect() }
    };
    launch(call, called_as, environment)
}

/// Finds the programs and starts them.
fn launch(mut call: Call, called_as: &Path, environment: &Environment) -> u8 {
    let above = environment.get(LAUNCHED);
    let search_path = environment.get("PATH").unwrap_or_default();
    let is_link = !is_own_name(called_as);
    if is_link || programs::leads_back(Path::new(&call.compiler)) {
        let compilers = environment.get("CCACHE_PATH").unwrap_or(search_path);
        let link = if is_link { called_as } else { Path::new(&call.compiler) };
        let Some(found) = programs::behind(link, compilers, above) else {
            let name = link.display();
            let words = format!("no compiler {name} behind its link in PATH; install it");
            return complain(&words, NOT_FOUND);
        };
        call.compiler = found.into_os_string();
    } else if above.is_some_and(|above| programs::names(above, Path::new(&call.compiler))) {
        let name = Path::new(&call.compiler).display();
        let words = format!("{name} calls itself again and again through ccache-launcher");
        return complain(&words, CANNOT_RUN);
    }
    let launched = (LAUNCHED, programs::join(above, &call.compiler));
    if above.is_some() {
        return replace(Path::new(&call.compiler), &call.arguments, [launched]);
    }
    let compilation = command::read(&call.arguments);
    if compilation.is_none() {
        if let Some(code) = linking::reuse(&call, &launched, environment) {
            return code;
        }
        // CMake sends its links here by the launcher's own name, and ccache has no use for them.
        if !is_link && linking::command::is_link(&call.arguments) {
            return replace(Path::new(&call.compiler), &call.arguments, [launched]);
        }
    }
    let Some(ccache) = programs::ccache(search_path) else {
        complain("there is no ccache on PATH: compiling without it", 0);
        return replace(Path::new(&call.compiler), &call.arguments, [launched]);
    };
    match compilation {
        Some(compilation) => compile(&ccache, call, &compilation, launched, environment),
        None => replace(&ccache, &with_compiler(call), [launched]),
    }
}

/// One compilation: in the mode that suits it, on record if there is a place for records.
fn compile(
    ccache: &Path,
    call: Call,
    compilation: &Compilation,
    launched: (&'static str, OsString),
    environment: &Environment,
) -> u8 {
    let (mode, is_ours) = mode(&call, compilation, environment);
    let depend = (is_ours && mode == Mode::Depend).then(|| ("CCACHE_DEPEND", "1".into()));
    let variables = [launched].into_iter().chain(depend);
    let Some(folder) = environment.get("WARMWHEEL_RECORD_DIR") else {
        return replace(ccache, &with_compiler(call), variables);
    };
    let word = |index: usize| call.arguments.get(index).map(OsString::as_os_str);
    let source = word(compilation.source).unwrap_or_default().to_os_string();
    let output = compilation.output(&call.arguments).map(OsStr::to_os_string);
    let journal = Journal::open(environment.get("CCACHE_STATSLOG"), temporary(environment));
    let variables = variables.chain(journal.variable());
    let slot = slots::take(environment);
    let start = journal::now();
    let ended = start::wait(ccache, &with_compiler(call), variables);
    let end = journal::now();
    drop(slot);
    let code = match ended {
        Ok(code) => code,
        Err(error) => {
            let words = format!("cannot run {}: {error}", ccache.display());
            complain(&words, CANNOT_RUN)
        }
    };
    let entry =
        journal::Entry { start, end, source: &source, output: output.as_deref(), mode, code };
    for problem in journal.close(Path::new(folder), &entry) {
        complain(&problem, 0);
    }
    code
}

/// How ccache goes about a compilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Depend,
    Normal,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Depend => "depend",
            Self::Normal => "normal",
        }
    }
}

/// The mode, and whether it is this program that chooses it.
fn mode(call: &Call, compilation: &Compilation, environment: &Environment) -> (Mode, bool) {
    let by_user = ["CCACHE_DEPEND", "CCACHE_NODEPEND", "CCACHE_DIRECT", "CCACHE_NODIRECT"]
        .map(|name| environment.has(name));
    let choose = |is_depend| if is_depend { Mode::Depend } else { Mode::Normal };
    if by_user.contains(&true) {
        let is_depend =
            by_user == [true, false, false, false] || by_user == [true, false, true, false];
        return (choose(is_depend && compilation.dependencies != Dependencies::None), false);
    }
    let path = call.arguments.get(compilation.source).map(Path::new);
    let is_depend = compilation.dependencies == Dependencies::All
        && compilation.is_plain
        && !is_nvcc(&call.compiler)
        && path.is_some_and(|path| {
            (!varies::with_python(&call.arguments, environment)
                || source::includes_python(path, &call.arguments))
                && source::is_compiled_alone(path)
        });
    (choose(is_depend), true)
}

/// What nvcc's dependency files leave out has not been looked into.
fn is_nvcc(compiler: &OsStr) -> bool {
    let name = Path::new(compiler).file_name().unwrap_or_default();
    name.as_encoded_bytes().windows(4).any(|part| part == b"nvcc")
}

/// Folders for a file that is gone in a moment, best first.
fn temporary(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let own = environment.get("CCACHE_TEMPDIR").map(PathBuf::from);
    own.into_iter().chain([env::temp_dir()])
}

/// As ccache is called: the compiler is its first argument.
fn with_compiler(call: Call) -> Vec<OsString> {
    let mut arguments = call.arguments;
    arguments.insert(0, call.compiler);
    arguments
}

fn is_own_name(called_as: &Path) -> bool {
    called_as.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"ccache"))
}

/// Lets a program take this one's place; returns only if that fails.
fn replace(
    program: &Path,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (&'static str, OsString)>,
) -> u8 {
    match start::replace(program, arguments, variables) {
        Ok(code) => code,
        Err(error) => {
            let code =
                if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN };
            complain(&format!("cannot run {}: {error}", program.display()), code)
        }
    }
}

fn print(words: &str) -> u8 {
    u8::from(output::data(words.trim_end()).is_err())
}

/// Says something on standard error, in one piece, and returns `code`.
fn complain(words: &str, code: u8) -> u8 {
    let mut people = output::people();
    // Nobody may be listening any more; that changes nothing.
    drop(people.write_all(format!("ccache-launcher: {words}\n").as_bytes()));
    code
}
