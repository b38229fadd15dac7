//! Text that comes from elsewhere, made fit for a terminal, and lines folded to its width.

/// The width that folded text keeps to, in characters.
pub const WIDTH: usize = 80;

/// The text of `bytes` with control characters written as escapes (`\u{1b}`) and invalid UTF-8
/// replaced, so that a log can neither move the cursor nor forge a line. Tabs stay.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let harmless = character == '\t' || !is_unprintable(character);
        if harmless {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_default());
        }
    }
    escaped
}

/// Control characters, and those that reorder or hide what stands beside them.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The last `max` characters of `text`, after `…` when something was cut: a path says most at
/// its end.
#[must_use]
pub fn keep_end(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let start = text.char_indices().nth(count - max).map_or(0, |(index, _)| index);
    format!("…{}", text.get(start..).unwrap_or_default())
}

/// The first `max` characters of `text`, and `…` when something was cut.
#[must_use]
pub fn keep_start(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `text` folded between words to [`WIDTH`] characters, the first line after `label` and the others
/// indented by as many blanks. A longer word stays whole. Ends with a line feed.
#[must_use]
pub fn fold(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let mut folded = String::from(label);
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            folded.push('\n');
            folded.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += length;
    }
    folded.push('\n');
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(escape(b"a\x1b[2J\0b\tc\xff\r"), "a\\u{1b}[2J\\u{0}b\tc\u{fffd}\\r");
        assert_eq!(escape("\u{202e}x".as_bytes()), "\\u{202e}x");
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(keep_end("häß/file.c", 6), "…file.c");
        assert_eq!(keep_end("file.c", 6), "file.c");
        assert_eq!(keep_start("häßlich", 3), "häß…");
        assert_eq!(keep_start("häß", 3), "häß");
    }

    #[test]
    fn folding_keeps_the_width_and_the_indent() {
        let text = "word ".repeat(40);
        let folded = fold("  cause: ", &text);
        assert!(folded.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(folded.lines().skip(1).all(|line| line.starts_with("         word")));
        assert_eq!(folded.split_whitespace().count(), 41);
    }
}
