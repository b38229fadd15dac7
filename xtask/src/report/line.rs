//! A line for a person.

use std::borrow::Cow;

use ccache_validator::text::{escape, fold};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// How far it is.
    Plain,
    /// It is as it should be.
    Good,
    /// Somebody may want to look.
    Odd,
    /// It failed.
    Bad,
    /// More about what failed.
    Detail,
}

/// A line, and nothing in it that a terminal would act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    tone: Tone,
    text: String,
}

impl Line {
    /// A line of that text. What could move the cursor, or hide or turn around what stands beside
    /// it, is written out.
    pub(super) fn new(tone: Tone, text: impl AsRef<str>) -> Self {
        Self { tone, text: escape(text.as_ref().as_bytes()) }
    }

    /// A line without anything special to it.
    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(Tone::Plain, text)
    }

    /// `text` behind `label`, in as many lines as it takes.
    pub(super) fn folded(tone: Tone, label: &str, text: &str) -> Vec<Self> {
        fold(label, text).lines().map(|line| Self::new(tone, line)).collect()
    }

    /// Whether it is told also to who wants it quiet.
    pub(super) fn matters(&self) -> bool {
        matches!(self.tone, Tone::Bad | Tone::Detail)
    }

    /// What is printed.
    pub(crate) fn shown(&self, with_colours: bool) -> Cow<'_, str> {
        let code = match self.tone {
            Tone::Good => 32,
            Tone::Odd => 33,
            Tone::Bad => 31,
            Tone::Plain | Tone::Detail => 0,
        };
        if !with_colours || code == 0 || self.text.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        Cow::Owned(format!("\u{1b}[{code}m{}\u{1b}[0m", self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_only_there_where_they_are_wanted() {
        let line = Line::new(Tone::Bad, "failed");
        assert_eq!(line.shown(false), "failed");
        assert_eq!(line.shown(true), "\u{1b}[31mfailed\u{1b}[0m");
        assert_eq!(Line::plain("so far").shown(true), "so far");
    }

    #[test]
    fn nothing_in_a_line_is_for_the_terminal() {
        let line = Line::plain("a\u{1b}[2J\nb\u{202e}c");
        assert_eq!(line.shown(true), "a\\u{1b}[2J\\nb\\u{202e}c");
    }

    #[test]
    fn a_long_text_takes_several_lines() {
        let lines = Line::folded(Tone::Detail, "  help: ", &"word ".repeat(20));
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(Line::matters));
        assert!(lines[1].shown(false).starts_with("        word"));
    }
}
