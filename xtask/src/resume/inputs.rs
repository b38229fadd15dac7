//! What a build is made with, apart from its source: settings, image and tools, as hashes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::environment::Environment;
use crate::text::hex;

/// Variables that decide over what is shown, or over which identifiers are built, and never over
/// what one build of a given identifier makes.
const WITHOUT_EFFECT: [&str; 14] = [
    "CIBW_ALLOW_EMPTY",
    "CIBW_BUILD",
    "CIBW_BUILD_VERBOSITY",
    "CIBW_DEBUG_KEEP_CONTAINER",
    "CIBW_DEBUG_TRACEBACK",
    "CIBW_ENABLE",
    "CIBW_LOG_FOLD_MODE",
    "CIBW_ONLY",
    "CIBW_OUTPUT_DIR",
    "CIBW_PLATFORM",
    "CIBW_PROJECT_REQUIRES_PYTHON",
    "CIBW_SKIP",
    "GITHUB_STEP_SUMMARY",
    "PYTHONUNBUFFERED",
];

/// The beginnings of more of them.
const WITHOUT_EFFECT_FAMILIES: [&str; 2] = ["CIBW_ARCHS", "CIBW_BUILD_VERBOSITY_"];

/// Variables of a session on the host, which differ from one terminal or job to the next.
const SESSION: [&str; 17] = [
    "_",
    "COLORTERM",
    "COLUMNS",
    "DISPLAY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "LS_COLORS",
    "MAIL",
    "OLDPWD",
    "PS1",
    "PWD",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "TMUX",
    "WINDOWID",
];

/// The beginnings of more of them.
const SESSION_FAMILIES: [&str; 8] =
    ["DBUS_", "GITHUB_", "ITERM_", "RUNNER_", "SSH_", "TERM_", "TMUX_", "XDG_"];

/// What a build is asked to do, as plain values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The variables that matter to it: see [`variables`].
    pub(crate) environment: BTreeMap<String, String>,
    /// The command.
    pub(crate) argv: Vec<String>,
    /// What differs between two runs of one command (the run's id, its folder, the stage) or may
    /// differ without changing what is built (the cache's folder), each with a word for it.
    pub(crate) volatile: Vec<(String, &'static str)>,
    /// The id of the container image; empty where there is none.
    pub(crate) image: String,
    /// The tools, by name: version, or a hash of what was installed.
    pub(crate) tools: BTreeMap<String, String>,
}

/// What a build is made with. Values may be secrets, so of them only hashes are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    settings: BTreeMap<String, String>,
    image: String,
    tools: BTreeMap<String, String>,
}

impl Inputs {
    /// Takes out what does not matter.
    pub(crate) fn of(asked: &Asked) -> Self {
        let mut volatile = asked.volatile.clone();
        volatile.retain(|(text, _)| !text.is_empty());
        // The run's folder has the run's id in its name.
        volatile.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let mut settings = BTreeMap::new();
        for (name, value) in &asked.environment {
            if WITHOUT_EFFECT.contains(&name.as_str())
                || WITHOUT_EFFECT_FAMILIES.iter().any(|family| name.starts_with(family))
            {
                continue;
            }
            let value = settle(value, &volatile);
            if name.starts_with("CIBW_ENVIRONMENT") {
                for (variable, values) in assignments(&value) {
                    settings.insert(format!("{variable} in {name}"), hash(&values));
                }
            }
            settings.insert(name.clone(), hash(&[&value]));
        }
        let argv: Vec<_> = asked.argv.iter().map(|word| settle(word, &volatile)).collect();
        let argv: Vec<_> = argv.iter().map(String::as_str).collect();
        settings.insert("the command".to_owned(), hash(&argv));
        Self { settings, image: asked.image.clone(), tools: asked.tools.clone() }
    }

    /// All of it in one hash.
    pub(crate) fn fingerprint(&self) -> String {
        let tables = [&self.settings, &self.tools];
        let pairs = tables.into_iter().flatten();
        let parts: Vec<_> = pairs.flat_map(|(name, value)| [name.as_str(), value]).collect();
        hash(&[&[self.image.as_str()], parts.as_slice()].concat())
    }

    /// What is not as it was, each in a few words.
    pub(crate) fn changes_since(&self, earlier: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        let settings = differing(&self.settings, &earlier.settings);
        // A variable that was taken apart is only named itself if none of its parts is.
        let settings: Vec<_> = settings
            .iter()
            .filter(|name| !settings.iter().any(|part| part.ends_with(&format!(" in {name}"))))
            .map(|name| name.escape_default().to_string())
            .collect();
        if !settings.is_empty() {
            changes.push(format!("the settings changed: {}", settings.join(", ")));
        }
        if self.image != earlier.image {
            changes.push("another image".to_owned());
        }
        let tools = differing(&self.tools, &earlier.tools);
        changes.extend(tools.iter().map(|name| format!("another {}", name.escape_default())));
        changes
    }
}

/// The variables that matter to a build: those that it gets from the `planned` ones, and of the
/// `user`'s own those that reach it. Into a container only cibuildwheel's own settings reach, and
/// the variables that `passed` (`environment-pass`) or `CIBW_ENVIRONMENT_PASS` names; on the host
/// all of them do.
pub(crate) fn variables(
    user: &Environment,
    planned: &BTreeMap<String, String>,
    in_container: bool,
    passed: &[String],
) -> BTreeMap<String, String> {
    let mut variables = user.starting_with("");
    let named: Vec<String> = ["CIBW_ENVIRONMENT_PASS", "CIBW_ENVIRONMENT_PASS_LINUX"]
        .iter()
        .filter_map(|name| user.get(name))
        .flat_map(str::split_whitespace)
        .map(ToOwned::to_owned)
        .collect();
    variables.retain(|name, _| {
        if in_container {
            // cibuildwheel hands this one on by itself.
            let is_passed = name == "SOURCE_DATE_EPOCH" || passed.contains(name);
            is_passed || name.starts_with("CIBW_") || named.contains(name)
        } else {
            !SESSION.contains(&name.as_str())
                && !SESSION_FAMILIES.iter().any(|family| name.starts_with(family))
        }
    });
    variables.extend(planned.clone());
    variables
}

/// The variables that matter to a build without containers: the `planned` ones, and of the `user`'s own
/// those that it inherits, but for the session's.
pub(crate) fn inherited(
    user: &Environment,
    planned: &BTreeMap<String, String>,
    names: &[String],
) -> BTreeMap<String, String> {
    let mut variables = variables(user, &BTreeMap::new(), false, &[]);
    variables.retain(|name, _| names.contains(name));
    variables.extend(planned.clone());
    variables
}

/// Puts a word in the place of everything volatile. `volatile` is in order of precedence.
fn settle(text: &str, volatile: &[(String, &str)]) -> String {
    let mut settled = text.to_owned();
    for (volatile, word) in volatile {
        // No variable can hold a NUL, so that nobody's own text is taken for such a word.
        settled = replace_whole(&settled, volatile, &format!("\0{word}\0"));
    }
    settled
}

/// Replaces `what` where it is not a part of a longer name: `/a/run` is not in `/a/run2`.
fn replace_whole(text: &str, what: &str, with: &str) -> String {
    let continues = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(what) {
        let (ahead, found) = rest.split_at(at);
        let (found, after) = found.split_at(what.len());
        let preceded = ahead.chars().next_back().or(before).is_some_and(continues);
        let followed = after.chars().next().is_some_and(continues);
        result.push_str(ahead);
        result.push_str(if preceded || followed { found } else { with });
        before = found.chars().next_back();
        rest = after;
    }
    result.push_str(rest);
    result
}

/// The assignments in a value of cibuildwheel's `environment`, by variable: only to name what
/// changed, so a word that is no assignment is left to the hash of the whole.
fn assignments(value: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for word in words(value) {
        let Some((name, _)) = word.split_once('=') else { continue };
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            found.entry(name).or_default().push(word);
        }
    }
    found
}

/// A text's words as a shell would see them, quotes left in.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quote, mut escaped) = (0, None, false);
    for (at, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            _ if c == '\\' && quote != Some('\'') => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                words.extend(text.get(start..at));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    words.extend(text.get(start..));
    words.retain(|word| !word.is_empty());
    words
}

/// The keys of either whose values are not those of the other.
fn differing<'a>(
    now: &'a BTreeMap<String, String>,
    then: &'a BTreeMap<String, String>,
) -> Vec<&'a str> {
    let mut names: Vec<_> =
        now.keys().chain(then.keys()).filter(|name| now.get(*name) != then.get(*name)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(String::as_str).collect()
}

fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests;
