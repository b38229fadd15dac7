//! A tree, drawn with lines for a terminal of [`WIDTH`] columns.

use ccache_validator::text::{WIDTH, escape};

/// Something, and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// Something that has nothing below it yet.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), children: Vec::new() }
    }

    /// The same with these below it, behind those that are there.
    pub(super) fn with(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The whole tree.
    pub(super) fn drawn(&self) -> String {
        let mut lines = folded(&self.text, WIDTH);
        self.draw_children("", &mut lines);
        lines.join("\n")
    }

    fn draw_children(&self, guides: &str, lines: &mut Vec<String>) {
        for (place, child) in self.children.iter().enumerate() {
            let is_last = place + 1 == self.children.len();
            let (branch, further) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let below = format!("{guides}{further}");
            // A line that goes on has what belongs to it beside its second line.
            let beside = if child.children.is_empty() { "  " } else { "│ " };
            let width = WIDTH.saturating_sub(below.chars().count() + 2);
            for (number, line) in folded(&child.text, width).iter().enumerate() {
                lines.push(match number {
                    0 => format!("{guides}{branch}{line}"),
                    _ => format!("{below}{beside}{line}"),
                });
            }
            child.draw_children(&below, lines);
        }
    }
}

/// The text in lines of at most so many characters, broken between words. A longer word stays whole.
fn folded(text: &str, width: usize) -> Vec<String> {
    let text = escape(text.as_bytes());
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for word in text.split(' ') {
        let more = word.chars().count() + 1;
        if let Some(line) = lines.last_mut().filter(|_| length + more <= width) {
            line.push(' ');
            line.push_str(word);
            length += more;
        } else {
            lines.push(word.to_owned());
            length = more - 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_hangs_together() {
        let tree = Node::new("a").with([
            Node::new("b").with([Node::new("c"), Node::new("d")]),
            Node::new("e").with([Node::new("f")]),
        ]);
        assert_eq!(tree.drawn(), "a\n├─ b\n│  ├─ c\n│  └─ d\n└─ e\n   └─ f");
    }

    #[test]
    fn long_texts_go_on_below_themselves() {
        let long = format!("{} end", "word ".repeat(16).trim_end());
        let drawn = Node::new("a").with([Node::new(long).with([Node::new("b")])]).drawn();
        let lines: Vec<_> = drawn.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{drawn}");
        assert_eq!(lines[2..], ["   │ word end", "   └─ b"]);
    }

    #[test]
    fn nothing_in_a_text_draws_a_branch() {
        assert_eq!(Node::new("a\n└─ b\u{1b}[2J").drawn(), "a\\n└─ b\\u{1b}[2J");
    }

    #[test]
    fn blanks_stay_as_they_are() {
        assert_eq!(folded("a  'b   c'", 80), ["a  'b   c'"]);
    }
}
