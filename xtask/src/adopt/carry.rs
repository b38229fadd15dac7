//! What becomes of the settings that a repository's own workflow has for its wheels: Warmwheel's
//! workflow starts without them, so they go where every start of cibuildwheel reads them.
//!
//! What only wires ccache by hand goes nowhere, since Warmwheel does that. Nothing is taken over that
//! would mean something else in its new place; each line of the answer says what was done.

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::additions::{Addition, Setting, look_up};
use super::workflows::{Line, Machines, Reading, Variable};
use crate::text::shown;

/// Settings of cibuildwheel as variables name them, without `CIBW_`, and whether there is one for
/// each platform.
const OPTIONS: [(&str, bool); 24] = [
    ("ARCHS", true),
    ("BEFORE_ALL", true),
    ("BEFORE_BUILD", true),
    ("BEFORE_TEST", true),
    ("BUILD", false),
    ("BUILD_FRONTEND", true),
    ("BUILD_VERBOSITY", true),
    ("CONFIG_SETTINGS", true),
    ("CONTAINER_ENGINE", true),
    ("DEPENDENCY_VERSIONS", true),
    ("ENABLE", false),
    ("ENVIRONMENT", true),
    ("ENVIRONMENT_PASS", true),
    ("FREE_THREADED_SUPPORT", false),
    ("PRERELEASE_PYTHONS", false),
    ("REPAIR_WHEEL_COMMAND", true),
    ("SKIP", false),
    ("TEST_COMMAND", true),
    ("TEST_ENVIRONMENT", true),
    ("TEST_EXTRAS", true),
    ("TEST_GROUPS", true),
    ("TEST_REQUIRES", true),
    ("TEST_SKIP", false),
    ("TEST_SOURCES", true),
];
const PLATFORMS: [&str; 3] = ["linux", "macos", "windows"];
/// Settings of ccache that Warmwheel has a value of its own for, which makes the proof work.
const OWN_CCACHE: [&str; 6] = [
    "CCACHE_BASEDIR",
    "CCACHE_COMPILERCHECK",
    "CCACHE_LOGFILE",
    "CCACHE_NOHASHDIR",
    "CCACHE_STATSLOG",
    "CCACHE_TEMPDIR",
];
/// Pieces of variables that put a compiler behind ccache.
const WIRING: [&str; 2] = ["COMPILER_LAUNCHER", "CCACHE"];

/// What is made of workflows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// What the package's pyproject.toml is to have.
    pub(super) additions: Vec<Addition>,
    /// What was done, and what is left to do, for a person.
    pub(super) report: Vec<String>,
    /// The cache folder in the project that was taken over, if any.
    pub(super) ccache_dir: Option<String>,
}

/// Works out what to take over from workflows, by their paths, into a pyproject.toml that says this
/// so far.
pub(super) fn carry(workflows: &BTreeMap<Utf8PathBuf, Reading>, pyproject: &Table) -> Carried {
    let mut carried = Carried::default();
    for (file, reading) in workflows {
        let mut lines = Vec::new();
        for variable in &reading.variables {
            let Variable { name, value, line, .. } = variable;
            let fate = match differing(workflows, variable) {
                Some(other) => format!("not taken over: {other} gives it another value"),
                None if !is_everywhere(workflows, name) => {
                    "not taken over: not every start of cibuildwheel has it".to_owned()
                }
                None => carried.take(name, value, pyproject),
            };
            lines.push((*line, format!("{name} = {}: {fate}", shown(value))));
        }
        let mut list = |about: &str, found: &[Line]| {
            let about = |line: &Line| (line.number, format!("{}: {about}", shown(&line.text)));
            lines.extend(found.iter().map(about));
        };
        list("not understood, look whether it matters for the wheels", &reading.unread);
        list("delete it when the new workflow has built", &reading.steps);
        lines.sort();
        carried.report.push(format!("in {}:", shown(file.as_str())));
        let lines = lines.iter().map(|(number, line)| format!("  line {number}: {line}"));
        carried.report.extend(lines);
    }
    // Who has settings for the workflow already has decided these.
    if !has_settings(pyproject, "ci") {
        carried.report.extend(runners(workflows.values(), &mut carried.additions));
        carried.report.extend(tags(workflows.values(), &mut carried.additions));
    }
    carried
}

/// Whether a pyproject.toml has a table of Warmwheel's settings.
pub(super) fn has_settings(pyproject: &Table, table: &str) -> bool {
    look_up(pyproject, &["tool".to_owned(), "warmwheel".to_owned()], table).is_some()
}

/// The line that gives a variable another value, if there is one.
fn differing(workflows: &BTreeMap<Utf8PathBuf, Reading>, this: &Variable) -> Option<String> {
    let all = workflows
        .iter()
        .flat_map(|(file, reading)| reading.variables.iter().map(move |variable| (file, variable)));
    let mut others = all.filter(|(_, it)| it.name == this.name && it.value != this.value);
    others.next().map(|(file, it)| format!("line {} of {}", it.line, shown(file.as_str())))
}

/// Whether a variable of cibuildwheel's that has one value is set wherever cibuildwheel is started: a
/// setting in pyproject.toml would be in effect everywhere.
fn is_everywhere(workflows: &BTreeMap<Utf8PathBuf, Reading>, name: &str) -> bool {
    let is_set = |reading: &Reading| {
        let found = reading.variables.iter().filter(|it| it.name == name);
        found.clone().any(|it| it.is_for_all) || found.count() >= reading.starts
    };
    !name.starts_with("CIBW_") || workflows.values().all(is_set)
}

impl Carried {
    /// Takes a variable over, if that can be done, and says what was done.
    fn take(&mut self, name: &str, value: &str, pyproject: &Table) -> String {
        if name == "CCACHE_DIR" {
            return self.take_folder(value, pyproject);
        }
        if name.starts_with("CCACHE_") {
            return if OWN_CCACHE.contains(&name) {
                "not taken over, Warmwheel sets it for each build".to_owned()
            } else {
                "not taken over; if it is still wanted, add it to `environment` of \
                 [tool.cibuildwheel]"
                    .to_owned()
            };
        }
        let Some((table, key)) = option_of(name) else {
            return "not taken over, it belongs to a single start of cibuildwheel".to_owned();
        };
        if key == "container-engine" && value.contains("ccache") {
            return "not taken over, Warmwheel mounts the cache itself".to_owned();
        }
        let mut dropped = Vec::new();
        let value = if key == "environment" {
            let Some(words) = assignments(value) else {
                return "not taken over, its quotes do not close".to_owned();
            };
            let (wiring, rest): (Vec<_>, Vec<_>) =
                words.into_iter().partition(|word| wires_ccache(word));
            dropped = wiring;
            rest.join(" ")
        } else {
            value.to_owned()
        };
        let without = match dropped.as_slice() {
            [] => String::new(),
            words => format!(", without {}, which Warmwheel does itself", shown(&words.join(" "))),
        };
        if value.is_empty() {
            return format!("not taken over{without}");
        }
        if value.contains("${{") {
            return "not taken over, it is worked out when the workflow runs".to_owned();
        }
        let Some(value) = setting(&key, value) else {
            return "not taken over, it is no number".to_owned();
        };
        self.add(Addition::new(&table, &key, value), pyproject) + &without
    }

    /// Takes the cache folder over if it is one of the project's.
    fn take_folder(&mut self, value: &str, pyproject: &Table) -> String {
        let places = ["${{ github.workspace }}/", "${{github.workspace}}/", "$GITHUB_WORKSPACE/"];
        let within = places.iter().find_map(|place| value.strip_prefix(place)).unwrap_or(value);
        let within = within.strip_prefix("./").unwrap_or(within);
        let is_plain = |part| matches!(part, Utf8Component::Normal(_));
        let is_odd = within.is_empty() || within.contains(['$', '~', '{', '\\', '%', '\n']);
        if is_odd || !Utf8Path::new(within).components().all(is_plain) {
            return "not taken over, it is no folder of the project".to_owned();
        }
        self.ccache_dir = Some(within.to_owned());
        let value = Setting::Text(within.to_owned());
        self.add(Addition::new("tool.warmwheel", "ccache-dir", value), pyproject)
    }

    /// Adds a setting unless there is one already, or one that would win over it: variables win over
    /// everything that pyproject.toml says.
    fn add(&mut self, addition: Addition, pyproject: &Table) -> String {
        let Addition { table, key, value, .. } = &addition;
        let place = format!("[{}] {key}", table.join("."));
        if let Some(found) = look_up(pyproject, table, key) {
            return if *found == Value::from(value) {
                format!("{place} has it already")
            } else {
                format!("not taken over: {place} has another value, which is in effect now")
            };
        }
        if let Some(winner) = winner(pyproject, table, key) {
            return format!("not taken over: {winner} has `{key}`, which would win over {place}");
        }
        let said = format!("is now {place}");
        // A second workflow may have given it the same value.
        if !self.additions.contains(&addition) {
            self.additions.push(addition);
        }
        said
    }
}

/// The table of cibuildwheel's settings, if any, whose value of `key` wins over that of `table`.
fn winner(pyproject: &Table, table: &[String], key: &str) -> Option<String> {
    let base = ["tool".to_owned(), "cibuildwheel".to_owned()];
    if !table.starts_with(&base) {
        return None;
    }
    let overrides = look_up(pyproject, &base, "overrides").and_then(Value::as_array);
    if overrides.into_iter().flatten().any(|table| table.get(key).is_some()) {
        return Some("[[tool.cibuildwheel.overrides]]".to_owned());
    }
    let has_it = |platform: &&&str| {
        let settings = look_up(pyproject, &base, platform);
        table.len() == base.len() && settings.is_some_and(|settings| settings.get(key).is_some())
    };
    PLATFORMS.iter().find(has_it).map(|platform| format!("[tool.cibuildwheel.{platform}]"))
}

/// The table and the key of a variable.
fn option_of(variable: &str) -> Option<(String, String)> {
    let option = variable.strip_prefix("CIBW_")?;
    let dashed = |name: &str| name.to_lowercase().replace('_', "-");
    for kind in ["MANYLINUX_", "MUSLLINUX_"] {
        let architecture = option.strip_prefix(kind).and_then(|rest| rest.strip_suffix("_IMAGE"));
        if let Some(architecture) = architecture {
            let key = format!("{}{}-image", dashed(kind), architecture.to_lowercase());
            return Some(("tool.cibuildwheel".to_owned(), key));
        }
    }
    OPTIONS.iter().find_map(|(name, has_platforms)| {
        let rest = option.strip_prefix(name)?;
        let platform = rest.strip_prefix('_').map(str::to_lowercase);
        let table = match platform.as_deref() {
            None if rest.is_empty() => "tool.cibuildwheel".to_owned(),
            Some(platform) if *has_platforms && PLATFORMS.contains(&platform) => {
                format!("tool.cibuildwheel.{platform}")
            }
            _ => return None,
        };
        Some((table, dashed(name)))
    })
}

/// A value as pyproject.toml has it; `None` for a number that is none.
fn setting(key: &str, value: String) -> Option<Setting> {
    match key {
        "build-verbosity" => Some(Setting::Number(value.trim().parse().ok()?)),
        "free-threaded-support" | "prerelease-pythons" => {
            Some(Setting::Switch(["1", "true"].contains(&value.trim().to_lowercase().as_str())))
        }
        _ => Some(Setting::Text(value)),
    }
}

/// Whether an assignment only puts compilers behind ccache or tells ccache something.
fn wires_ccache(assignment: &str) -> bool {
    let (name, value) = assignment.split_once('=').unwrap_or((assignment, ""));
    WIRING.iter().any(|piece| name.contains(piece))
        || ["CC", "CXX", "PATH"].contains(&name) && value.contains("ccache")
}

/// The assignments of an `environment`, each as it is written; `None` if quotes or brackets stay open.
fn assignments(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut depth, mut previous) = (String::new(), None, 0_usize, ' ');
    for character in text.chars() {
        let is_escaped = previous == '\\' && quote != Some('\'');
        // A backslash that is escaped itself escapes nothing.
        let as_previous = if is_escaped && character == '\\' { ' ' } else { character };
        match (quote, character) {
            (None, blank) if blank.is_whitespace() && depth == 0 => {
                words.push(std::mem::take(&mut word));
                previous = ' ';
                continue;
            }
            (None, '"' | '\'') if !is_escaped => quote = Some(character),
            (Some(open), close) if close == open && !is_escaped => quote = None,
            (_, '(' | '{') if previous == '$' || depth > 0 => depth += 1,
            (_, ')' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        word.push(character);
        previous = as_previous;
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    (quote.is_none() && depth == 0).then_some(words)
}

/// Leaves machines out that no workflow names: nobody has built there so far.
fn runners<'a>(
    readings: impl Iterator<Item = &'a Reading>,
    additions: &mut Vec<Addition>,
) -> Option<String> {
    let named = readings.map(|reading| reading.machines).reduce(Machines::or)?;
    let kinds = [
        ("linux-aarch64", named.aarch64),
        ("macos-arm64", named.macos),
        ("macos-x86_64", named.macos),
        ("windows-amd64", named.windows),
    ];
    let left: Vec<_> =
        kinds.iter().filter(|(_, is_named)| !is_named).map(|(kind, _)| *kind).collect();
    for kind in &left {
        let none = Setting::Text(String::new());
        additions.push(Addition::new("tool.warmwheel.ci.runners", kind, none));
    }
    (!left.is_empty()).then(|| {
        format!(
            "no workflow names machines for {}: they are left out by [tool.warmwheel.ci.runners]",
            left.join(", ")
        )
    })
}

/// Takes the tags over that are releases, if they can be.
fn tags<'a>(
    readings: impl Iterator<Item = &'a Reading>,
    additions: &mut Vec<Addition>,
) -> Option<String> {
    let mut tags: Vec<_> = readings.flat_map(|reading| &reading.tags).collect();
    tags.sort();
    tags.dedup();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-*/+".contains(c);
    match tags.as_slice() {
        [] => None,
        [tag] if tag.as_str() == "v*" => None,
        [tag] if tag.chars().all(is_plain) => {
            let value = Setting::Text((*tag).clone());
            additions.push(Addition::new("tool.warmwheel.ci", "tags", value));
            Some(format!("releases are tags like {tag}: now [tool.warmwheel.ci] tags"))
        }
        several => {
            let several: Vec<_> = several.iter().map(|tag| shown(tag)).collect();
            Some(format!(
                "releases are tags like {}, which [tool.warmwheel.ci] tags cannot say: it is v*",
                several.join(" and ")
            ))
        }
    }
}

#[cfg(test)]
mod tests;
