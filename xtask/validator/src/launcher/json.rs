//! Just enough JSON for one line; a serializer would be a good part of this small program.

use std::ffi::OsStr;
use std::fmt::Write as _;

/// Appends `text` as a JSON string. What is not UTF-8 is replaced.
pub(super) fn push_text(line: &mut String, text: &OsStr) {
    line.push('"');
    for character in text.to_string_lossy().chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\0'..='\u{1f}' => {
                // A string never fails to be written to.
                let _ = write!(line, "\\u{:04x}", u32::from(character));
            }
            other => line.push(other),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &OsStr) -> String {
        let mut line = String::new();
        push_text(&mut line, text);
        line
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in "\\PC*|[\\x00-\\x7f\u{2028}\"\\\\]{0,40}") {
            let line = written(OsStr::new(&text));
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }

        #[cfg(unix)]
        #[test]
        fn any_bytes_are_valid(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            use std::os::unix::ffi::OsStrExt;
            let line = written(OsStr::from_bytes(&bytes));
            let read: String = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }
}
