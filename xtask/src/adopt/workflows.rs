//! What a repository's own workflow says about its wheels.
//!
//! It is read line by line, which is enough for how such files are written, and no more than that:
//! what names a variable and is not understood is listed, so that a person looks at it.

/// The most blanks in front of a variable of the whole workflow: what belongs to a job stands further in.
const OUTERMOST: usize = 4;

/// What was found in a workflow that runs cibuildwheel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// The variables that it sets for cibuildwheel and ccache.
    pub(super) variables: Vec<Variable>,
    /// Lines that name such variables and were not understood.
    pub(super) unread: Vec<Line>,
    /// Lines of what Warmwheel's own workflow does.
    pub(super) steps: Vec<Line>,
    /// The patterns of its tags.
    pub(super) tags: Vec<String>,
    /// The systems and processors that it names.
    pub(super) machines: Machines,
    /// In how many places it starts cibuildwheel.
    pub(super) starts: usize,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// Whether it is set for the whole workflow.
    pub(super) is_for_all: bool,
}

/// A line, numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) text: String,
}

/// What kinds of machines are named besides Linux on `x86_64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Machines {
    pub(super) macos: bool,
    pub(super) windows: bool,
    pub(super) aarch64: bool,
}

impl Machines {
    /// What either of two names.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            macos: self.macos || other.macos,
            windows: self.windows || other.windows,
            aarch64: self.aarch64 || other.aarch64,
        }
    }
}

/// Reads a workflow; `None` if it does not run cibuildwheel.
pub(super) fn read(text: &str) -> Option<Reading> {
    let lines: Vec<&str> = text.lines().collect();
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    if !lines.iter().any(|line| !is_comment(line) && line.contains("cibuildwheel")) {
        return None;
    }
    let mut reading = Reading::default();
    let mut index = 0;
    while let Some(&line) = lines.get(index) {
        let number = index + 1;
        index += 1;
        if is_comment(line) {
            continue;
        }
        reading.look_at(line);
        let key = Key::of(line);
        if let Some(key) = key.as_ref().filter(|key| is_variable(key.name)) {
            if let Some((value, next)) = value_of(&lines, index, key) {
                let (name, is_for_all) = (key.name.to_owned(), key.indent <= OUTERMOST);
                reading.variables.push(Variable { name, value, line: number, is_for_all });
                for line in &lines[index..next] {
                    reading.look_at(line);
                }
                index = next;
            } else {
                reading.unread.push(Line::of(number, line));
            }
        } else if key.as_ref().is_some_and(|key| key.name == "tags") {
            reading.tags.extend(key.map(|key| list_of(&lines[index..], &key)).unwrap_or_default());
        } else if ["CIBW_", "CCACHE_", "config-file", "package-dir"]
            .iter()
            .any(|w| line.contains(w))
        {
            reading.unread.push(Line::of(number, line));
        } else if does_wheels(line) && key.is_none_or(|key| key.name != "name") {
            reading.starts += usize::from(starts(line));
            reading.steps.push(Line::of(number, line));
        }
    }
    Some(reading)
}

impl Reading {
    /// Takes from a line what does not depend on where it stands.
    fn look_at(&mut self, line: &str) {
        self.machines = self.machines.or(Machines {
            macos: line.contains("macos-"),
            windows: line.contains("windows-"),
            aarch64: line.contains("aarch64") || line.contains("-arm"),
        });
    }
}

impl Line {
    fn of(number: usize, text: &str) -> Self {
        Self { number, text: text.trim().to_owned() }
    }
}

/// Whether a line starts cibuildwheel, rather than installs it.
fn starts(line: &str) -> bool {
    line.contains("cibuildwheel") && !line.contains("install")
}

fn does_wheels(line: &str) -> bool {
    let words = ["cibuildwheel", "ccache", "gh-action-pypi-publish", "twine upload"];
    words.iter().any(|word| line.contains(word))
}

fn is_variable(name: &str) -> bool {
    let rest = name.strip_prefix("CIBW_").or_else(|| name.strip_prefix("CCACHE_"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// The beginning of a line that gives something a value.
#[derive(Clone, Copy)]
struct Key<'a> {
    /// How far in it stands.
    indent: usize,
    name: &'a str,
    /// What follows on its line.
    rest: &'a str,
}

impl<'a> Key<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let start = line.trim_start_matches([' ', '-']);
        let (name, rest) = start.split_once(':')?;
        if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
            return None;
        }
        let name = name.trim().trim_matches(['"', '\'']);
        Some(Self { indent: line.len() - start.len(), name, rest: rest.trim() })
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The value of a key and the index of the line after it; `None` if it is written in a way that is
/// not understood here. `next` is the line after the key's.
fn value_of(lines: &[&str], next: usize, key: &Key<'_>) -> Option<(String, usize)> {
    let inner = |line: &&&str| line.trim().is_empty() || indent_of(line) > key.indent;
    let end = next + lines[next..].iter().take_while(inner).count();
    let below = &lines[next..end];
    let has_more = below.iter().any(|line| !line.trim().is_empty());
    let first = key.rest.chars().next();
    match first {
        Some('|' | '>') => Some((block(key.rest, below)?, end)),
        Some(quote @ ('"' | '\'')) => {
            Some((in_quotes(key.rest, quote)?, next)).filter(|_| !has_more)
        }
        None | Some('#' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '%' | '@' | '`' | ',') => None,
        Some(_) => {
            let rest = below.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
            let lines: Vec<_> = std::iter::once(key.rest).chain(rest).collect();
            // A comment ends such a value; what looks like a key in it is no YAML.
            let is_odd = |line: &&str| line.contains(" #") || line.contains(": ");
            match lines.as_slice() {
                [only] => Some((without_comment(only).to_owned(), end)),
                several if several.iter().any(is_odd) => None,
                several => Some((several.join(" "), end)),
            }
        }
    }
}

fn without_comment(text: &str) -> &str {
    text.find(" #").map_or(text, |start| text[..start].trim_end())
}

/// A text in quotes that ends on its line.
fn in_quotes(text: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut rest = text.chars().skip(1).peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' if quote == '\'' && rest.peek() == Some(&'\'') => {
                rest.next();
                value.push('\'');
            }
            _ if character == quote => {
                let after: String = rest.collect();
                let after = after.trim();
                return (after.is_empty() || after.starts_with('#')).then_some(value);
            }
            '\\' if quote == '"' => value.push(match rest.next()? {
                'n' => '\n',
                't' => '\t',
                same @ ('"' | '\\' | '/') => same,
                _ => return None,
            }),
            _ => value.push(character),
        }
    }
    None
}

/// A text below its key: with its line ends (`|`), or folded (`>`).
fn block(header: &str, below: &[&str]) -> Option<String> {
    let folded = header.starts_with('>');
    let style = without_comment(header).get(1..)?;
    // With a number the text would stand somewhere else.
    if !matches!(style, "" | "-" | "+") {
        return None;
    }
    let indent = below.iter().find(|line| !line.trim().is_empty()).map(|line| indent_of(line))?;
    let lines: Vec<&str> = below.iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    if !folded {
        return Some(lines.join("\n").trim_end().to_owned());
    }
    // Lines that stand further in keep their ends, which hardly anybody means.
    if lines.iter().any(|line| line.starts_with(' ')) {
        return None;
    }
    let mut text = String::new();
    for line in lines {
        if line.trim().is_empty() {
            text.push('\n');
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line.trim_end());
        }
    }
    Some(text.trim_end().to_owned())
}

/// The items of a list, on its key's line or below it.
fn list_of(below: &[&str], key: &Key<'_>) -> Vec<String> {
    let plain = |item: &str| item.trim().trim_matches(['"', '\'']).to_owned();
    if let Some(items) = key.rest.strip_prefix('[') {
        let items = items.split_once(']').map_or(items, |(items, _)| items);
        return items.split(',').map(plain).filter(|item| !item.is_empty()).collect();
    }
    let is_item =
        |line: &&&str| line.trim_start().starts_with("- ") && indent_of(line) >= key.indent;
    let items = below.iter().take_while(is_item);
    items.map(|line| plain(without_comment(line.trim_start().trim_start_matches("- ")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHEELS: &str = r#"name: Build with cibuildwheel
on:
  push:
    tags:
      - "v*"
jobs:
  wheels:
    # CIBW_OLD: is not in use
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-22.04, macos-14]
    env:
      CCACHE_DIR: ${{ github.workspace }}/.ccache
      CCACHE_MAXSIZE: 500M # enough
    steps:
      - uses: hendrikmuehs/ccache-action@v1.2
      - uses: pypa/cibuildwheel@v2.21.3
        with:
          package-dir: python
        env:
          CIBW_BUILD: "cp39-* cp310-*"
          CIBW_SKIP: '*-musllinux_* it''s'
          CIBW_BEFORE_ALL_LINUX: |
            yum install -y epel-release
            yum install -y ccache

          CIBW_TEST_COMMAND: >-
            python -m pytest
            {project}/tests
          CIBW_ENVIRONMENT: { A: b }
      - run: echo "CIBW_ARCHS=auto" >> "$GITHUB_ENV"
      - uses: pypa/gh-action-pypi-publish@release/v1
"#;

    fn values(text: &str) -> Vec<(String, String)> {
        let reading = read(&format!("cibuildwheel:\n{text}")).unwrap();
        reading.variables.into_iter().map(|found| (found.name, found.value)).collect()
    }

    #[track_caller]
    fn value(text: &str, expected: Option<&str>) {
        let found = values(text).first().map(|(_, value)| value.clone());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn a_workflow_as_many_have_it() {
        let reading = read(WHEELS).unwrap();
        let found: Vec<_> = reading
            .variables
            .iter()
            .map(|it| (it.line, it.name.as_str(), it.value.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (14, "CCACHE_DIR", "${{ github.workspace }}/.ccache"),
                (15, "CCACHE_MAXSIZE", "500M"),
                (22, "CIBW_BUILD", "cp39-* cp310-*"),
                (23, "CIBW_SKIP", "*-musllinux_* it's"),
                (24, "CIBW_BEFORE_ALL_LINUX", "yum install -y epel-release\nyum install -y ccache"),
                (28, "CIBW_TEST_COMMAND", "python -m pytest {project}/tests"),
            ]
        );
        let numbers = |lines: &[Line]| lines.iter().map(|line| line.number).collect::<Vec<_>>();
        assert_eq!(numbers(&reading.unread), [20, 31, 32]);
        assert_eq!(numbers(&reading.steps), [17, 18, 33]);
        assert_eq!(reading.tags, ["v*"]);
        assert_eq!(reading.machines, Machines { macos: true, ..Machines::default() });
        assert_eq!(reading.starts, 1);
    }

    #[test]
    fn every_place_that_starts_cibuildwheel_is_counted() {
        let reading = read(
            "env:\n    CIBW_A: all\njobs:\n  a:\n    env:\n      CIBW_B: one\n    steps:\n    \
             - run: pip install cibuildwheel==4.1.0\n    - run: python -m cibuildwheel .\n    \
             - name: cibuildwheel\n      uses: pypa/cibuildwheel@v2\n",
        )
        .unwrap();
        assert_eq!(reading.starts, 2);
        let for_all: Vec<_> = reading.variables.iter().map(|it| it.is_for_all).collect();
        assert_eq!(for_all, [true, false]);
    }

    #[test]
    fn a_workflow_without_cibuildwheel_is_not_read() {
        assert_eq!(read("# cibuildwheel\nenv:\n  CIBW_BUILD: x\n"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn values_in_all_the_ways_that_are_understood() {
        value("A:\n  CIBW_X: plain value\n", Some("plain value"));
        value("A:\n  CIBW_X: a#b # c\n", Some("a#b"));
        value("A:\n  CIBW_X: one\n    two\nB:\n", Some("one two"));
        value("A:\n  CIBW_X: \"a \\\"b\\\" \\\\\" # c\n", Some("a \"b\" \\"));
        value("A:\n  \"CIBW_X\": 'x'\n", Some("x"));
        value("  - CIBW_X: >\n      a\n      b\n\n      c\n", Some("a b\nc"));
        value("  CIBW_X: |-\n    a\n      b\n  CIBW_Y: 1\n", Some("a\n  b"));
        value("CIBW_X: ''", Some(""));
    }

    #[test]
    fn values_that_are_not_understood_are_listed() {
        for text in [
            "CIBW_X: *anchor",
            "CIBW_X: [a, b]",
            "CIBW_X: !tag x",
            "CIBW_X:",
            "CIBW_X:\n  nested: 1",
            "CIBW_X: \"two\n  lines\"",
            "CIBW_X: 'open",
            "CIBW_X: \"\\x41\"",
            "CIBW_X: 'a' b",
            "CIBW_X: |2\n    a",
            "CIBW_X: >\n  a\n    b",
            "CIBW_X: a # c\n  b",
            "CIBW_lower: a",
            "{CIBW_X: a}",
            "run: CIBW_X=1 cibuildwheel",
        ] {
            let reading = read(&format!("x: cibuildwheel\n{text}\n")).unwrap();
            assert_eq!(reading.variables, [], "{text}");
            assert_eq!(reading.unread.len(), 1, "{text}");
        }
    }

    #[test]
    fn tags_on_one_line_or_on_several() {
        let tags = |text: &str| read(&format!("x: cibuildwheel\n{text}\n")).unwrap().tags;
        assert_eq!(tags("  tags: ['v*', \"r-*\"]"), ["v*", "r-*"]);
        assert_eq!(tags("  tags:\n  - v* # all\n  - 'r'\nb:\n  - c"), ["v*", "r"]);
        assert_eq!(tags("  tags:\n    other: 1"), Vec::<String>::new());
    }
}
