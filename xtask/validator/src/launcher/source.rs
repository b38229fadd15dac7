//! Looks into a source for what neither the command line nor the compiler's dependency file tells.

use memchr::memchr2_iter;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Sources that are longer are not looked into, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The assembler's directive that makes a file part of the object, and the usual macros for it.
const DIRECTIVE: &[u8] = b"incbin";

/// How the names of headers begin that include Python's own.
const PYTHON: [&str; 6] =
    ["Python.h", "pybind11/", "nanobind/", "boost/python", "numpy/arrayobject.h", "numpy/ndarray"];

/// How many headers are looked into for one source.
const MAX_HEADERS: usize = 48;

/// Where in [`DIRECTIVE`] its rarest letter stands.
const LETTER: usize = 3;

/// Whether the source at `path` takes in nothing but what the preprocessor includes. One that
/// cannot be read whole is not known to.
#[must_use]
pub fn is_compiled_alone(path: &Path) -> bool {
    read(path).is_ok_and(|text| text.is_some_and(|text| !has_directive(&text)))
}

/// Whether the source at `path` includes Python's headers, itself or by headers of the project's own,
/// as far as that can be told without a preprocessor.
#[must_use]
pub fn includes_python(path: &Path, arguments: &[OsString]) -> bool {
    let folders = include_folders(arguments);
    let mut paths = vec![path.to_path_buf()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        let Ok(Some(text)) = read(&path) else { continue };
        for (name, is_quoted) in includes(&text) {
            if PYTHON.iter().any(|begin| name.starts_with(begin)) {
                return true;
            }
            if !is_quoted || paths.len() > MAX_HEADERS {
                continue;
            }
            let beside = path.parent().map(|folder| folder.join(name));
            let others = folders.iter().map(|folder| folder.join(name));
            let found = beside.into_iter().chain(others).find(|path| path.is_file());
            paths.extend(found.filter(|found| !paths.contains(found)));
        }
    }
    false
}

/// The folders of `-I` and `-iquote`, joined or apart.
fn include_folders(arguments: &[OsString]) -> Vec<PathBuf> {
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    let mut folders = Vec::new();
    while let Some(word) = words.next() {
        let options = ["-iquote", "-I"];
        if let Some(folder) = options.into_iter().find_map(|option| word.strip_prefix(option)) {
            folders.extend(if folder.is_empty() { words.next() } else { Some(folder) });
        }
    }
    folders.into_iter().map(PathBuf::from).collect()
}

/// The names that `#include` gives in `text`, and whether each stands in quotes.
fn includes(text: &[u8]) -> impl Iterator<Item = (&str, bool)> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.trim_ascii_start().strip_prefix(b"#")?.trim_ascii_start();
        let rest = line.strip_prefix(b"include")?.trim_ascii_start();
        let (first, rest) = rest.split_first()?;
        let end = match first {
            b'"' => b'"',
            b'<' => b'>',
            _ => return None,
        };
        let name = rest.split(|byte| *byte == end).next()?;
        Some((str::from_utf8(name).ok()?, end == b'"'))
    })
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_BYTES {
        return Ok(None);
    }
    let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or(0).saturating_add(1));
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    Ok((read as u64 <= MAX_BYTES).then_some(text))
}

fn has_directive(text: &[u8]) -> bool {
    memchr2_iter(b'b', b'B', text).any(|at| {
        let begin = at.checked_sub(LETTER);
        let word = begin.and_then(|begin| text.get(begin..begin + DIRECTIVE.len()));
        word.is_some_and(|word| word.eq_ignore_ascii_case(DIRECTIVE))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn sources_that_take_in_other_files_are_found() {
        for text in [
            "__asm__(\".incbin \\\"x\\\"\");",
            "#include \"incbin.h\"\n",
            "INCBIN(Icon, \"x.png\")",
            "bbINCBIN",
            "incbin",
        ] {
            assert!(has_directive(text.as_bytes()), "{text}");
        }
        for text in ["", "b", "inc bin", "incbi", "#include <bin.h>\nint b;", "cbin"] {
            assert!(!has_directive(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn pythons_headers_are_found_through_the_projects_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("inc")).unwrap();
        for (name, text) in [
            ("direct.c", "int a;\n #  include <Python.h>\n"),
            ("quoted.c", "#include \"Python.h\""),
            ("bound.cpp", "#include <vector>\n#include \"deep.h\"\n"),
            ("inc/deep.h", "#include \"deeper.h\"\n#include \"deep.h\"\n"),
            ("inc/deeper.h", "#include <pybind11/numpy.h>\r\n"),
            ("core.cpp", "// #include <Python.h>\nchar s[] = \"#include <Python.h>\";\n"),
            ("other.cpp", "#include <deep.h>\n#include \"absent.h\"\n#include MACRO\n#include\n"),
        ] {
            fs::write(path(name), text).unwrap();
        }
        let inc = path("inc").into_os_string();
        let joined = [["-I", inc.to_str().unwrap()].concat().into()];
        let apart = ["-c".into(), "-iquote".into(), inc];
        for arguments in [&joined[..], &apart] {
            for (name, expected) in [
                ("direct.c", true),
                ("quoted.c", true),
                ("bound.cpp", true),
                ("core.cpp", false),
                ("other.cpp", false),
                ("absent.c", false),
            ] {
                assert_eq!(includes_python(&path(name), arguments), expected, "{name}");
            }
        }
        assert!(!includes_python(&path("bound.cpp"), &["-I".into()]));
    }

    #[test]
    fn what_cannot_be_read_whole_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.c");
        assert!(!is_compiled_alone(&path));
        assert!(!is_compiled_alone(folder.path()));
        fs::write(&path, "int a;").unwrap();
        assert!(is_compiled_alone(&path));
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(MAX_BYTES + 1).unwrap();
        assert!(!is_compiled_alone(&path));
    }
}
