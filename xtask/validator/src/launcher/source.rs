//! Looks into a source for what the compiler's dependency file does not tell.

use memchr::memchr2_iter;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Sources that are longer are not looked into, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The assembler's directive that makes a file part of the object, and the usual macros for it.
const DIRECTIVE: &[u8] = b"incbin";

/// Where in [`DIRECTIVE`] its rarest letter stands.
const LETTER: usize = 3;

/// Whether the source at `path` takes in nothing but what the preprocessor includes. One that
/// cannot be read whole is not known to.
#[must_use]
pub fn is_compiled_alone(path: &Path) -> bool {
    read(path).is_ok_and(|text| text.is_some_and(|text| !has_directive(&text)))
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
