//! Settings put into a TOML file as text, so that nothing else of it changes: no order, no comment,
//! no blank. What the file says afterwards is compared with what it should say.

use std::fmt::Write as _;

use camino::Utf8Path;
use toml::{Table, Value};

use crate::fault::Fault;

/// A value that can be put into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Text(String),
    Number(i64),
    Switch(bool),
}

impl From<&Setting> for Value {
    fn from(setting: &Setting) -> Self {
        match setting {
            Setting::Text(text) => Self::String(text.clone()),
            Setting::Number(number) => Self::Integer(*number),
            Setting::Switch(on) => Self::Boolean(*on),
        }
    }
}

/// A setting that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addition {
    /// The table that it belongs to, from the outside in.
    pub(super) table: Vec<String>,
    /// Its name.
    pub(super) key: String,
    /// Its value.
    pub(super) value: Setting,
    /// What stands in front of it for a person; empty for nothing.
    pub(super) comment: &'static str,
}

impl Addition {
    /// A setting of a table that is written with dots.
    pub(super) fn new(table: &str, key: &str, value: Setting) -> Self {
        let table = table.split('.').map(ToOwned::to_owned).collect();
        Self { table, key: key.to_owned(), value, comment: "" }
    }

    /// As a line of the file, for a person who has to put it there.
    pub(super) fn by_hand(&self) -> String {
        format!("[{}] {} = {}", header(&self.table), name(&self.key), literal(&self.value, true))
    }
}

/// What a TOML file says.
///
/// # Errors
/// It is no TOML.
pub(super) fn parse(text: &str, file: &Utf8Path) -> anyhow::Result<Table> {
    text.parse().map_err(|error: toml::de::Error| {
        Fault::usage(format!("{file} is no TOML: {}", error.to_string().trim()), "mend the file")
    })
}

/// What a file says of a setting.
pub(super) fn look_up<'a>(table: &'a Table, path: &[String], key: &str) -> Option<&'a Value> {
    let within = path.iter().try_fold(table, |table, name| table.get(name)?.as_table());
    within?.get(key)
}

/// The file with all of `additions`, table by table, and those that it could not be given: a file
/// may be written so that no line can be added for them.
pub(super) fn extend(text: &str, additions: &[Addition]) -> (String, Vec<Addition>) {
    let mut text = text.to_owned();
    let mut left = Vec::new();
    let mut done: Vec<&[String]> = Vec::new();
    for Addition { table, .. } in additions {
        if done.contains(&table.as_slice()) {
            continue;
        }
        done.push(table);
        let group: Vec<_> =
            additions.iter().filter(|addition| addition.table == *table).cloned().collect();
        match extend_table(&text, table, &group) {
            Some(extended) => text = extended,
            None => left.extend(group),
        }
    }
    (text, left)
}

/// The file with settings of one table, if it then says what it has said and these.
fn extend_table(text: &str, table: &[String], group: &[Addition]) -> Option<String> {
    let wanted = with(text.parse().ok()?, group)?;
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines = String::new();
    for Addition { key, value, comment, .. } in group {
        if !comment.is_empty() {
            lines.extend(["# ", comment, line_end]);
        }
        let (name, value) = (name(key), literal(value, line_end == "\r\n"));
        lines.extend([&name, " = ", &value, line_end]);
    }
    let extended = if let Some(end) = end_of_header(text, table) {
        // At the top of the table, where no value can be open.
        let (above, below) = text.split_at_checked(end)?;
        let gap = if above.ends_with('\n') { "" } else { line_end };
        format!("{above}{gap}{lines}{below}")
    } else {
        let gap = match text {
            "" => String::new(),
            text if text.ends_with('\n') => line_end.to_owned(),
            _ => line_end.repeat(2),
        };
        format!("{text}{gap}[{}]{line_end}{lines}", header(table))
    };
    (extended.parse::<Table>().ok()? == wanted).then_some(extended)
}

/// A table with settings that it does not have yet.
fn with(mut whole: Table, group: &[Addition]) -> Option<Table> {
    for Addition { table, key, value, .. } in group {
        let mut within = &mut whole;
        for name in table {
            let inner = within.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
            within = inner.as_table_mut()?;
        }
        if within.insert(key.clone(), value.into()).is_some() {
            return None;
        }
    }
    Some(whole)
}

/// Where the line ends that opens a table, in bytes.
fn end_of_header(text: &str, table: &[String]) -> Option<usize> {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        end += line.len();
        if opens(line, table) {
            return Some(end);
        }
    }
    None
}

fn opens(line: &str, table: &[String]) -> bool {
    let Some((names, after)) = line.trim().strip_prefix('[').and_then(|line| line.split_once(']'))
    else {
        return false;
    };
    let after = after.trim_start();
    let mut names = names.split('.').map(|name| name.trim().trim_matches(['"', '\'']));
    (after.is_empty() || after.starts_with('#'))
        && table.iter().all(|name| names.next() == Some(name.as_str()))
        && names.next().is_none()
}

fn header(table: &[String]) -> String {
    table.iter().map(|part| name(part)).collect::<Vec<_>>().join(".")
}

fn name(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { escaped(key) }
}

/// A value as TOML has it; text of several lines on several lines, unless it is to be on one.
fn literal(value: &Setting, on_one_line: bool) -> String {
    match value {
        Setting::Number(number) => number.to_string(),
        Setting::Switch(on) => on.to_string(),
        Setting::Text(text) => {
            let is_plain = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
            let is_short = !text.contains(['\n', '\t']);
            if is_plain && is_short && text.contains(['"', '\\']) && !text.contains('\'') {
                format!("'{text}'")
            } else if is_plain && !is_short && !on_one_line && !has_quotes(text) {
                // The first line end belongs to the quotes.
                format!("'''\n{text}'''")
            } else {
                escaped(text)
            }
        }
    }
}

/// Whether a text would end quotes of three before it ends itself, or at its end.
fn has_quotes(text: &str) -> bool {
    text.contains("'''") || text.ends_with('\'')
}

fn escaped(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if character.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// A text as TOML has it, on one line.
pub(super) fn quoted(text: &str) -> String {
    literal(&Setting::Text(text.to_owned()), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &str, key: &str, value: &str) -> Addition {
        Addition::new(table, key, Setting::Text(value.to_owned()))
    }

    #[track_caller]
    fn extended(text: &str, additions: &[Addition]) -> String {
        let (text, left) = extend(text, additions);
        assert_eq!(left, []);
        text
    }

    #[test]
    fn a_new_table_goes_to_the_end_and_the_rest_stays_byte_for_byte() {
        let file = "# Ours.\n[project]\nname   =  'p' # odd\n\n\n[tool.black]\nx = [\n 1,\n]\n";
        let publish = Addition {
            comment: "nothing yet",
            ..Addition::new("tool.warmwheel.ci", "publish", Setting::Switch(false))
        };
        let branch = text("tool.warmwheel.ci", "branch", "trunk");
        assert_eq!(
            extended(file, &[publish, branch]),
            format!(
                "{file}\n[tool.warmwheel.ci]\n# nothing yet\npublish = false\nbranch = \"trunk\"\n"
            )
        );
    }

    #[test]
    fn a_table_that_is_there_gets_its_settings_at_the_top() {
        let file = "[tool.cibuildwheel] # wheels\nbuild = [\n  'cp3*',\n]\n[other]\n";
        assert_eq!(
            extended(file, &[text("tool.cibuildwheel", "skip", "*musl*")]),
            "[tool.cibuildwheel] # wheels\nskip = \"*musl*\"\nbuild = [\n  'cp3*',\n]\n[other]\n"
        );
        let file = "[ tool . 'cibuildwheel' ]";
        assert_eq!(
            extended(file, &[text("tool.cibuildwheel", "skip", "x")]),
            "[ tool . 'cibuildwheel' ]\nskip = \"x\"\n"
        );
    }

    #[test]
    fn line_ends_are_the_files_own() {
        let file = "[project]\r\nname = 'p'\r\n";
        assert_eq!(
            extended(file, &[text("tool.x", "a", "1\n2")]),
            "[project]\r\nname = 'p'\r\n\r\n[tool.x]\r\na = \"1\\n2\"\r\n"
        );
        assert_eq!(extended("a = 1", &[text("t", "b", "c")]), "a = 1\n\n[t]\nb = \"c\"\n");
        assert_eq!(extended("", &[text("t", "b", "c")]), "[t]\nb = \"c\"\n");
    }

    #[test]
    fn values_are_what_they_were() {
        for value in [
            "plain",
            "",
            "it's",
            "say \"x\"",
            "C:\\temp",
            "both ' and \"",
            "two\nlines",
            "ends in a quote\n'",
            "three ''' \n quotes",
            "\u{1b}[2J\u{7f}",
            "\n\nblank",
            "tab\tand # hash",
            "]\n[tool.evil]\nx = 1",
        ] {
            let file = extended("[a]\n", &[text("a", "k", value), text("b.'c'", "odd key", value)]);
            let read: Table = file.parse().unwrap();
            assert_eq!(read["a"]["k"].as_str(), Some(value), "{file}");
            assert_eq!(read["b"]["'c'"]["odd key"].as_str(), Some(value), "{file}");
        }
    }

    #[test]
    fn what_a_file_leaves_no_place_for_is_left() {
        let linux = || text("tool.cibuildwheel.linux", "archs", "x86_64");
        for file in [
            "tool = { cibuildwheel = {} }\n",
            "[tool.cibuildwheel]\nlinux.before-all = 'x'\n",
            "[tool.cibuildwheel]\nlinux = 1\n",
            "[tool.cibuildwheel.linux]\narchs = 'aarch64'\n",
            "not toml",
        ] {
            let (after, left) = extend(file, &[linux(), text("t", "k", "v")]);
            assert!(left.contains(&linux()), "{file}");
            assert!(!after.contains("x86_64"), "{after}");
        }
        assert_eq!(linux().by_hand(), "[tool.cibuildwheel.linux] archs = \"x86_64\"");
    }

    #[test]
    fn a_line_that_only_looks_like_a_header_is_none() {
        let file = "[a]\nx = '''\n[t]\n'''\n";
        let (after, left) = extend(file, &[text("t", "k", "v")]);
        // The line is in the middle of a text, so that the file would say something else.
        assert_eq!((after.as_str(), left.len()), (file, 1));
        assert!(!opens("[[t]]", &["t".to_owned()]));
        assert!(!opens("[t] x", &["t".to_owned()]));
    }
}
