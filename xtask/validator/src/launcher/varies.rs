//! Whether a command line names anything that changes from one Python version to the next. When in
//! doubt it does: that costs time only.

use crate::environment::Environment;
use memchr::memmem;
use std::ffi::OsString;

/// The variable that tells which Python is being built for.
pub(crate) const IDENTIFIER: &str = "CIBUILDWHEEL_BUILD_IDENTIFIER";

/// Variables with folders that the compiler looks for headers in.
const FOLDERS: [&str; 4] = ["CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH"];

/// Words of paths and defines, in small letters. A line feed stands before each argument.
const WORDS: [&[u8]; 14] = [
    // Interpreters, and what is installed for one.
    b"/opt/python/",
    b"pypy",
    b"graalpy",
    b"site-packages",
    b"dist-packages",
    // Build environments of pip, of build, of uv, and the one with a name of its own.
    b"build-env-",
    b"/pip-",
    b"/builds-v0/",
    b"warmwheel-env",
    // Tags of extension modules.
    b"cpython-",
    // Defines for one Python, and of what Python's own headers look at.
    b"\n-dpy",
    b"\n-d\npy",
    b"\n-upy",
    b"py_limited_api",
];

/// Words that only mean a version when a digit follows: the word, and whether it has to begin there.
const BEFORE_DIGITS: [(&[u8], bool); 3] = [(b"python", false), (b"cp3", true), (b"pp3", true)];

/// Python names temporary folders `tmp` and this many more characters.
const TEMPORARY_CHARACTERS: usize = 8;

/// Whether `arguments`, or the folders that variables add to them, depend on the Python version.
#[must_use]
pub fn with_python(arguments: &[OsString], environment: &Environment) -> bool {
    let folders = FOLDERS.iter().filter_map(|name| environment.get(name));
    let mut text = Vec::with_capacity(4096);
    for word in arguments.iter().map(OsString::as_os_str).chain(folders) {
        text.push(b'\n');
        text.extend_from_slice(word.as_encoded_bytes());
    }
    text.make_ascii_lowercase();
    let versions = environment.text(IDENTIFIER).and_then(|identifier| versions(&identifier));
    WORDS.iter().any(|word| memmem::find(&text, word).is_some())
        || BEFORE_DIGITS.iter().any(|(word, begins)| has_before_digit(&text, word, *begins))
        || has_temporary(&text)
        || versions.is_some_and(|all| all.iter().any(|one| has_number(&text, one.as_bytes())))
}

/// The ways to write the version of `cp312-manylinux_x86_64`: `3.12`, `312` and `0x030c`.
fn versions(identifier: &str) -> Option<[String; 3]> {
    let digits = identifier.trim_start_matches(|it: char| it.is_ascii_alphabetic());
    let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len());
    let (major, minor) = digits.get(..end)?.split_at_checked(1)?;
    let (major_number, minor_number): (u8, u8) = (major.parse().ok()?, minor.parse().ok()?);
    Some([
        format!("{major}.{minor}"),
        format!("{major}{minor}"),
        format!("0x{major_number:02x}{minor_number:02x}"),
    ])
}

/// Whether `text` has `word` with a digit behind it, and if `begins`, no letter or digit before it.
fn has_before_digit(text: &[u8], word: &[u8], begins: bool) -> bool {
    memmem::find_iter(text, word).any(|at| {
        let before = at.checked_sub(1).and_then(|index| text.get(index));
        text.get(at + word.len()).is_some_and(u8::is_ascii_digit)
            && !(begins && before.is_some_and(u8::is_ascii_alphanumeric))
    })
}

/// Whether `text` has `number` with no more digits around it. What follows `0x030c` is the rest of
/// a full version number.
fn has_number(text: &[u8], number: &[u8]) -> bool {
    let is_hexadecimal = number.starts_with(b"0x");
    memmem::find_iter(text, number).any(|at| {
        let before = at.checked_sub(1).and_then(|index| text.get(index));
        let after = text.get(at + number.len());
        is_hexadecimal
            || !before.is_some_and(u8::is_ascii_digit) && !after.is_some_and(u8::is_ascii_digit)
    })
}

/// Whether `text` has a folder such as `/tmp/tmpab12cd_3`.
fn has_temporary(text: &[u8]) -> bool {
    memmem::find_iter(text, b"/tmp").any(|at| {
        let rest = text.get(at + b"/tmp".len()..).unwrap_or_default();
        let is_name = |one: &&u8| one.is_ascii_alphanumeric() || **one == b'_';
        rest.iter().take_while(is_name).count() == TEMPORARY_CHARACTERS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varies(line: &str, variables: &[(&str, &str)]) -> bool {
        let arguments: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        with_python(&arguments, &Environment::from_pairs(variables.iter().copied()))
    }

    #[test]
    fn what_changes_with_the_version() {
        for line in [
            "-I/opt/python/cp312-cp312/include",
            "-I/usr/include/python3.12 -c a.c",
            "-I /home/u/.pyenv/versions/x/include/python3.8",
            "-isystem /tmp/build-env-ab12cd34/lib/x",
            "-I/tmp/pip-build-env-x9_a/overlay/include",
            "-I/root/.cache/uv/builds-v0/.tmpAbc/include",
            "-I/opt/venv/lib/site-packages/numpy/core/include",
            "-I/tmp/tmpab12cd_3/build -c a.c",
            "-I/private/var/folders/x/T/tmpab12cd_3",
            "-I/tmp/warmwheel-env/include",
            "-o build/temp.linux-x86_64-cpython-312/a.o",
            "-o build/cp312-cp312-linux_x86_64/a.o",
            "-I/opt/pypy3.10/include",
            "-DPython_VERSION=3",
            "-DPYBIND11_X",
            "-D PY_MAJOR=3",
            "-DPy_LIMITED_API=0x03090000",
            "-UPy_DEBUG",
            "-DHEX=Py_Limited_API",
            "-DEXT_SUFFIX=.pp310-x.so",
        ] {
            assert!(varies(line, &[]), "{line}");
        }
    }

    #[test]
    fn what_does_not() {
        for line in [
            "",
            "-O3 -std=c++17 -MD -MT a.o -MF a.d -o CMakeFiles/core.dir/a.cpp.o -c /project/a.cpp",
            "-I/project/python/include -I/project/src/python",
            "-DCOPY=1 -DHAPPY -Dcp3x",
            "-I/tmp/tmp -I/tmp/tmpdir -I/project/tmpl -o /tmp/tmpfile.o",
            "-I/project/recp311/x",
            "-D X=py",
        ] {
            let identifier = (IDENTIFIER, "cp312-manylinux_x86_64");
            assert!(!varies(line, &[identifier]), "{line}");
        }
    }

    #[test]
    fn the_version_that_is_built_for_is_known() {
        let table = [
            ("-DVERSION=3.12", true),
            ("-DVERSION=312", true),
            ("-DHEX=0x030C0000", true),
            ("-I/x/3.12/include", true),
            ("-DVERSION=3.11", false),
            ("-DVERSION=3.121", false),
            ("-DVERSION=13.12", false),
            ("-DVERSION=3120", false),
            ("-DHEX=0x030B0000", false),
        ];
        for (line, expected) in table {
            assert_eq!(varies(line, &[(IDENTIFIER, "cp312-manylinux_x86_64")]), expected, "{line}");
            assert!(!varies(line, &[]), "{line}");
        }
        assert!(varies("-DVERSION=3.9", &[(IDENTIFIER, "pp39-manylinux_x86_64")]));
        for identifier in ["", "cp", "cp3", "cpx-y", "cp3999-x", "é12", "312"] {
            assert!(!varies("-DVERSION=7", &[(IDENTIFIER, identifier)]), "{identifier}");
        }
    }

    #[test]
    fn folders_in_variables_count() {
        assert!(varies("-c a.c", &[("CPATH", "/x:/opt/python/cp39-cp39/include")]));
        assert!(varies("-c a.c", &[("CPLUS_INCLUDE_PATH", "/usr/include/python3.9")]));
        assert!(!varies("-c a.c", &[("C_INCLUDE_PATH", "/opt/blas/include")]));
    }
}
