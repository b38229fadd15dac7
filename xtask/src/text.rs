//! Text for shells and for people, from plain values.

use std::fmt::Write as _;

/// Quotes a word for a POSIX shell, leaving plain words as they are.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The longest text from elsewhere that is shown, in characters.
const SHOWN_CHARACTERS: usize = 160;

/// Text from elsewhere, for a message: on one line, cut short, with nothing in it that a terminal or
/// GitHub's runner would take for a command of its own. (The runner reads `##[` anywhere in a line.)
pub(crate) fn shown(text: &str) -> String {
    let short = ccache_validator::text::keep_start(text, SHOWN_CHARACTERS);
    let escaped = ccache_validator::text::escape(short.as_bytes());
    escaped.replace('\t', "\\t").replace("##[", "# #[")
}

/// A reason is cut here, in characters.
const REASON_CHARACTERS: usize = 300;

/// An error with its causes, in one line.
pub(crate) fn reason(error: &anyhow::Error) -> String {
    in_one_line(&format!("{error:#}"))
}

/// A complaint of others' in one line, and not a long one.
pub(crate) fn in_one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(REASON_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_only_when_they_need_it() {
        assert_eq!(quote("--only=cp312-manylinux_x86_64"), "--only=cp312-manylinux_x86_64");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn text_from_elsewhere_commands_nothing() {
        assert_eq!(shown("plain-1.0.whl"), "plain-1.0.whl");
        assert_eq!(shown("a\x1b[2J\tb\n::error::c"), "a\\u{1b}[2J\\tb\\n::error::c");
        assert_eq!(shown("x\u{202e}lhw.1"), "x\\u{202e}lhw.1");
        assert_eq!(shown("a##[add-mask]b"), "a# #[add-mask]b");
        assert_eq!(shown("a###[x]"), "a## #[x]");
        assert!(shown(&"x".repeat(1000)).chars().count() < 200);
    }

    #[test]
    fn bytes_are_shown_in_hexadecimal() {
        assert_eq!(hex(&[0, 15, 255]), "000fff");
    }
}
