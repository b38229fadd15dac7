//! What kind of call a compiler's command line is.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Options of gcc, clang and nvcc whose value is the next argument.
const WITH_VALUE: [&str; 48] = [
    "-o",
    "-x",
    "-I",
    "-L",
    "-D",
    "-U",
    "-A",
    "-B",
    "-F",
    "-T",
    "-u",
    "-z",
    "-e",
    "-l",
    "-MF",
    "-MT",
    "-MQ",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isysroot",
    "-imultilib",
    "-iframework",
    "-framework",
    "-ivfsoverlay",
    "-include-pch",
    "-Xpreprocessor",
    "-Xassembler",
    "-Xlinker",
    "-Xclang",
    "-Xcompiler",
    "-Xptxas",
    "-Xnvlink",
    "-arch",
    "-gencode",
    "-ccbin",
    "-target",
    "-mllvm",
    "-aux-info",
    "-dumpbase",
    "-dumpdir",
    "--param",
    "--sysroot",
];

/// Options with which nothing is compiled into an object file.
const OTHER_CALLS: [&str; 8] =
    ["-E", "-S", "-M", "-MM", "-###", "-fsyntax-only", "--version", "--help"];

/// What the last stages of a build are made of; never a source.
const LINKED: [&str; 5] = ["o", "a", "so", "lo", "obj"];

/// Which files the compiler writes into its dependency file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependencies {
    /// It writes none.
    None,
    /// All but the system's headers: `-MMD`.
    WithoutSystem,
    /// All: `-MD`.
    All,
}

/// The compilation of one source into one object file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compilation {
    /// Which argument the source is.
    pub source: usize,
    /// Which argument names the object file, be it `-oFILE` or what follows `-o`.
    output: Option<usize>,
    /// The dependency file's content.
    pub dependencies: Dependencies,
    /// Whether the whole command line is to be seen, without files of more arguments, and the
    /// source goes through the preprocessor.
    pub is_plain: bool,
}

impl Compilation {
    /// The object file's name in `arguments`, which must be those that were read.
    #[must_use]
    pub fn output<'a>(&self, arguments: &'a [OsString]) -> Option<&'a OsStr> {
        let word = arguments.get(self.output?)?;
        // A file called -o can only be given as -o-o.
        let joined = word.to_str().and_then(|word| word.strip_prefix("-o"));
        Some(joined.map_or(word.as_os_str(), OsStr::new))
    }
}

/// Reads a compiler's arguments; `None` for anything but the compilation of exactly one source with
/// `-c`: a link, a look at the preprocessor's output, a question to the compiler.
#[must_use]
pub fn read(arguments: &[OsString]) -> Option<Compilation> {
    let (mut has_c, mut is_plain) = (false, true);
    let (mut source, mut output) = (None, None);
    let mut dependencies = Dependencies::None;
    let mut index = 0;
    while let Some(argument) = arguments.get(index) {
        let bytes = argument.as_encoded_bytes();
        let Some(b'-') = bytes.first() else {
            if bytes.first() == Some(&b'@') {
                is_plain = false;
            } else if source.replace(index).is_some() || is_linked(argument) {
                return None;
            }
            index += 1;
            continue;
        };
        let option = argument.to_str().unwrap_or_default();
        match option {
            // Standard input.
            "-" => return None,
            "-c" => has_c = true,
            "-MD" | "--write-dependencies" => dependencies = Dependencies::All,
            "-MMD" | "--write-user-dependencies" => dependencies = Dependencies::WithoutSystem,
            "-o" => output = Some(index + 1),
            "-x" => is_plain &= arguments.get(index + 1).is_some_and(|it| is_preprocessed(it)),
            _ if option.starts_with("-Wp,") => {
                let parts = option.split(',');
                dependencies = parts.fold(dependencies, |found, part| match part {
                    "-MD" => Dependencies::All,
                    "-MMD" => Dependencies::WithoutSystem,
                    _ => found,
                });
            }
            _ if OTHER_CALLS.contains(&option) => return None,
            _ if option.starts_with("-o") => output = Some(index),
            _ => {}
        }
        index += if WITH_VALUE.contains(&option) { 2 } else { 1 };
    }
    let is_plain = is_plain && arguments.get(source?).is_some_and(|it| !is_assembler(it));
    let source = source.filter(|_| has_c)?;
    Some(Compilation { source, output, dependencies, is_plain })
}

fn is_linked(argument: &OsStr) -> bool {
    let extension = Path::new(argument).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| LINKED.contains(&extension))
}

/// The assembler reads files of its own (`.include`), which no dependency file names.
fn is_assembler(source: &OsStr) -> bool {
    let extension = Path::new(source).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| matches!(extension, "s" | "S" | "sx" | "i" | "ii"))
}

/// The languages, as `-x` names them, that go through the preprocessor and not to the assembler.
fn is_preprocessed(language: &OsStr) -> bool {
    matches!(language.to_str(), Some("c" | "c++" | "objective-c" | "objective-c++" | "none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    /// Source, object file and the rest of what was read.
    fn parsed(line: &str) -> Option<(String, Option<String>, Dependencies, bool)> {
        let arguments = words(line);
        let found = read(&arguments)?;
        let text = |word: &OsStr| word.to_str().unwrap().to_owned();
        Some((
            text(&arguments[found.source]),
            found.output(&arguments).map(text),
            found.dependencies,
            found.is_plain,
        ))
    }

    #[test]
    fn compilations_of_one_source() {
        use Dependencies::{All, None as Nothing, WithoutSystem};
        let table = [
            ("-c a.c", "a.c", None, Nothing, true),
            ("-O2 -c -o b/a.o a.cpp", "a.cpp", Some("b/a.o"), Nothing, true),
            ("-ob/a.o -c a.cpp", "a.cpp", Some("b/a.o"), Nothing, true),
            ("-MD -MT a.o -MF a.d -o a.o -c a.c", "a.c", Some("a.o"), All, true),
            ("-MMD -c a.c", "a.c", None, WithoutSystem, true),
            ("-Wp,-MD,a.d -c a.c", "a.c", None, All, true),
            ("-Wp,-DX,-MMD,a.d -c a.c", "a.c", None, WithoutSystem, true),
            ("-I inc.c -D X.c -isystem s.c -include p.h -c a.c", "a.c", None, Nothing, true),
            ("-Xclang -load -Xclang p.so -c a.c", "a.c", None, Nothing, true),
            ("-c a.c @more.rsp", "a.c", None, Nothing, false),
            ("-x c++ -MD -c a.in", "a.in", None, All, true),
            ("-x cu -MD -c a.cu", "a.cu", None, All, false),
            ("-x assembler-with-cpp -MD -c a.c", "a.c", None, All, false),
            ("-MD -c a.S", "a.S", None, All, false),
            ("-MD -c a.ii", "a.ii", None, All, false),
        ];
        for (line, source, output, dependencies, is_plain) in table {
            let expected = (source.to_owned(), output.map(str::to_owned), dependencies, is_plain);
            assert_eq!(parsed(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn everything_else_is_none() {
        for line in [
            "",
            "-c",
            "a.c",
            "a.c -o a",
            "-c a.c b.c",
            "-c a.o",
            "a.o b.o -o a.so -shared",
            "-E a.c",
            "-E -c a.c",
            "-S a.c -c",
            "-MM a.c -c",
            "-fsyntax-only -c a.c",
            "--version",
            "-v",
            "-x c -c -",
            "-c -o",
            "-c -o a.c",
            "-c @all.rsp",
            "-print-file-name=a.c",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_names() {
        use std::os::unix::ffi::OsStrExt;
        let arguments = [OsString::from("-c"), OsStr::from_bytes(b"\xff.c").to_os_string()];
        assert_eq!(read(&arguments).unwrap().source, 1);
        let options = [OsString::from("-c"), OsStr::from_bytes(b"-\xff.c").to_os_string()];
        assert_eq!(read(&options), None);
    }
}
