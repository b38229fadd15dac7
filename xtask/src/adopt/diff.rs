//! What changes in a file, as people are used to read it.

use std::fmt::Write as _;

use camino::Utf8Path;
use ccache_validator::text::escape;

/// Lines shown around a change.
const AROUND: usize = 3;
/// The most pairs of lines that are compared to find the smallest change. Beyond that all that
/// stands between the equal beginning and the equal end is shown as replaced.
const MOST_PAIRS: usize = 4_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// A line of either side, with what becomes of it.
type Line<'a> = (Edit, &'a str);

/// How many lines are added and how many removed.
pub(crate) fn counts(before: Option<&str>, after: Option<&str>) -> (usize, usize) {
    let lines = lines(before.unwrap_or_default(), after.unwrap_or_default());
    let of = |wanted| lines.iter().filter(|(edit, _)| *edit == wanted).count();
    (of(Edit::Add), of(Edit::Remove))
}

/// The change as a unified diff; `None` stands for no file. What could command a terminal is
/// escaped, since the texts are anybody's.
pub(crate) fn unified(path: &Utf8Path, before: Option<&str>, after: Option<&str>) -> String {
    let side = |letter: char, text: Option<&str>| match text {
        Some(_) => format!("{letter}/{}", escape(path.as_str().as_bytes())),
        None => "/dev/null".to_owned(),
    };
    let mut diff = format!("--- {}\n+++ {}\n", side('a', before), side('b', after));
    let lines = lines(before.unwrap_or_default(), after.unwrap_or_default());
    for (start, end) in hunks(&lines) {
        let counted = |range: &[Line<'_>], other: Edit| {
            range.iter().filter(|(edit, _)| *edit != other).count()
        };
        let range = |other: Edit| {
            let count = counted(&lines[start..end], other);
            // A range without lines is named by the line in front of it.
            let first = counted(&lines[..start], other) + usize::from(count > 0);
            format!("{first},{count}")
        };
        // Writing to a String cannot fail.
        let _ = writeln!(diff, "@@ -{} +{} @@", range(Edit::Add), range(Edit::Remove));
        for (edit, line) in &lines[start..end] {
            diff.push(match edit {
                Edit::Keep => ' ',
                Edit::Remove => '-',
                Edit::Add => '+',
            });
            diff.push_str(&escape(line.strip_suffix('\n').unwrap_or(line).as_bytes()));
            diff.push('\n');
            if !line.ends_with('\n') {
                diff.push_str("\\ No newline at end of file\n");
            }
        }
    }
    diff
}

/// The stretches to show, as ranges of lines: changes with what is around them, those that would
/// touch as one.
fn hunks(lines: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for (index, _) in lines.iter().enumerate().filter(|(_, (edit, _))| *edit != Edit::Keep) {
        let start = index.saturating_sub(AROUND);
        let end = (index + 1 + AROUND).min(lines.len());
        match hunks.last_mut() {
            Some(last) if start <= last.1 => last.1 = end,
            _ => hunks.push((start, end)),
        }
    }
    hunks
}

/// All lines of both sides in order.
fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let before: Vec<_> = before.split_inclusive('\n').collect();
    let after: Vec<_> = after.split_inclusive('\n').collect();
    let same = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let (head, before, after) = (&before[..same], &before[same..], &after[same..]);
    let backwards = before.iter().rev().zip(after.iter().rev());
    let same = backwards.take_while(|(one, other)| one == other).count();
    let (before, tail) = before.split_at(before.len() - same);
    let after = &after[..after.len() - same];
    let kept = |lines: &[&'a str]| lines.iter().map(|&line| (Edit::Keep, line)).collect::<Vec<_>>();
    [kept(head), changed(before, after), kept(tail)].concat()
}

/// The lines between the equal ends: the longest common part stays, removals stand in front of
/// additions.
fn changed<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Line<'a>> {
    let of = |edit: Edit, lines: &[&'a str]| -> Vec<Line<'a>> {
        lines.iter().map(|&line| (edit, line)).collect()
    };
    let width = after.len() + 1;
    if before.len().saturating_mul(after.len()) > MOST_PAIRS {
        return [of(Edit::Remove, before), of(Edit::Add, after)].concat();
    }
    // At each place the length of the longest common part of what follows on both sides.
    let mut longest = vec![0_u32; (before.len() + 1) * width];
    for (i, line) in before.iter().enumerate().rev() {
        for (j, other) in after.iter().enumerate().rev() {
            longest[i * width + j] = if line == other {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::with_capacity(before.len() + after.len());
    while i < before.len() && j < after.len() {
        if before[i] == after[j] {
            lines.push((Edit::Keep, before[i]));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            lines.push((Edit::Remove, before[i]));
            i += 1;
        } else {
            lines.push((Edit::Add, after[j]));
            j += 1;
        }
    }
    lines.extend(of(Edit::Remove, &before[i..]));
    lines.extend(of(Edit::Add, &after[j..]));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: &str, after: &str) -> String {
        unified(Utf8Path::new("f"), Some(before), Some(after))
    }

    #[test]
    fn a_line_in_the_middle_is_shown_with_three_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(
            diff(before, &before.replace("5\n", "five\n")),
            "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
    }

    #[test]
    fn a_new_file_and_one_that_goes() {
        let path = Utf8Path::new("a/b");
        assert_eq!(
            unified(path, None, Some("x\ny\n")),
            "--- /dev/null\n+++ b/a/b\n@@ -0,0 +1,2 @@\n+x\n+y\n"
        );
        assert_eq!(
            unified(path, Some("x\n"), None),
            "--- a/a/b\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n"
        );
        assert_eq!(counts(None, Some("x\ny\n")), (2, 0));
        assert_eq!(counts(Some("x\ny\n"), Some("y\nz\nx\n")), (2, 1));
    }

    #[test]
    fn what_is_far_apart_has_a_hunk_of_its_own() {
        let before = (1..=20).map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
        let after = before.replace("1\n2\n", "2\n").replace("20\n", "20\n21\n");
        let shown = diff(&before, &after);
        assert_eq!(shown.matches("@@ -").count(), 2, "{shown}");
        assert!(shown.ends_with("@@ -18,3 +17,4 @@\n 18\n 19\n 20\n+21\n"), "{shown}");
    }

    #[test]
    fn a_last_line_without_an_end_is_said() {
        assert_eq!(
            diff("a", "a\nb\n"),
            "--- a/f\n+++ b/f\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n"
        );
    }

    #[test]
    fn nothing_commands_the_terminal() {
        let shown = diff("", "\u{1b}[2Jx\r\n");
        assert!(shown.ends_with("+\\u{1b}[2Jx\\r\n"), "{shown:?}");
    }

    #[test]
    fn files_that_share_nothing_are_shown_as_replaced() {
        let file = |letter: char| {
            (0..2100).map(|line| format!("{letter}{line}\n")).collect::<Vec<_>>().concat()
        };
        let (before, after): (String, String) = (file('a'), file('b'));
        assert_eq!(counts(Some(&before), Some(&after)), (2100, 2100));
    }

    #[test]
    fn either_side_can_be_had_back_from_the_lines() {
        let texts = ["", "a\n", "a\nb\nc\n", "c\nb\na\n", "b\n\nb\n\na", "x\na\nb\nc\ny\n"];
        for (before, after) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            let side = |without| -> String {
                let lines = lines(before, after);
                lines.iter().filter(|(edit, _)| *edit != without).map(|(_, line)| *line).collect()
            };
            assert_eq!((side(Edit::Add).as_str(), side(Edit::Remove).as_str()), (before, after));
        }
    }
}
