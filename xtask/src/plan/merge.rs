//! How Warmwheel's own values reach cibuildwheel without displacing the package's or the user's.
//!
//! `environment`, `before-build`, `before-test` and `test-command` are put in front with `CIBW_INHERIT` (cibuildwheel
//! 4.3.0 and newer). Only names with a platform suffix are used, so that a user's own variable
//! without one keeps its place in the order. A user who has set the suffixed one already, or its
//! rule, gets ours and the value that theirs comes to.
//!
//! `before-all` is where a package installs its ccache, so what looks for one comes after it, and what
//! installs one in case there is none comes before it.
//! `container-engine` and `build-frontend` cannot be merged by cibuildwheel. All three are set whole.

use std::collections::BTreeMap;

use serde::Serialize;

use super::facts::{EngineSettings, Selected};
use super::frontend;
use crate::cli::Engine;
use crate::environment::Environment;
use crate::text::quote;

/// One option that carries something of Warmwheel's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Merged {
    /// cibuildwheel's name of the option.
    pub(crate) option: String,
    /// The variable that carries it.
    pub(crate) variable: String,
    /// What Warmwheel adds.
    pub(crate) ours: String,
    /// What the package or the user had; empty for nothing.
    pub(crate) theirs: String,
    /// Who set that.
    pub(crate) origin: Option<String>,
}

/// Collects the variables of one cibuildwheel process.
pub(super) struct Merger<'a> {
    platform: &'a str,
    selected: &'a Selected,
    user: &'a Environment,
    rules: BTreeMap<String, &'static str>,
    variables: BTreeMap<String, String>,
    merged: Vec<Merged>,
}

impl<'a> Merger<'a> {
    pub(super) fn new(platform: &'a str, selected: &'a Selected, user: &'a Environment) -> Self {
        Self {
            platform,
            selected,
            user,
            rules: BTreeMap::new(),
            variables: BTreeMap::new(),
            merged: Vec::new(),
        }
    }

    /// Puts `ours` in front of what the package and the user have for `option`, joined as
    /// cibuildwheel joins it.
    pub(super) fn prepend(&mut self, option: &str, ours: String, separator: &str) {
        if self.user.get(&variable_of(option, self.platform)).is_some() {
            // Theirs stands where ours would.
            let theirs = self.value_of(option);
            let whole =
                if theirs.is_empty() { ours.clone() } else { format!("{ours}{separator}{theirs}") };
            self.put(option, whole, "none");
        } else {
            self.put(option, ours.clone(), "prepend");
        }
        self.record(option, ours);
    }

    /// Runs the command `ahead`, if there is one, before what the package and the user have for
    /// `option`, and `behind` after it, each if all before it has succeeded.
    pub(super) fn around(&mut self, option: &str, ahead: Option<&str>, behind: &str) {
        let theirs = match self.value_of(option) {
            "" => None,
            theirs if self.platform == "windows" => Some(theirs.to_owned()),
            // A line of its own for the end of the group: theirs may end in a comment.
            theirs => Some(format!("{{ {theirs}\n}}")),
        };
        let joined = |between: Option<&str>| {
            let parts = ahead.into_iter().chain(between).chain([behind]);
            parts.collect::<Vec<_>>().join(" && ")
        };
        let ours = joined(ahead.map(|_| "…"));
        self.put(option, joined(theirs.as_deref()), "none");
        self.record(option, ours);
    }

    /// What an option comes to without ours.
    fn value_of(&self, option: &str) -> &'a str {
        self.selected.options.get(option).map_or("", |theirs| theirs.value.as_str())
    }

    fn put(&mut self, option: &str, value: String, rule: &'static str) {
        self.variables.insert(variable_of(option, self.platform), value);
        self.rules.insert(format!("{option}-{}", self.platform), rule);
    }

    fn record(&mut self, option: &str, ours: String) {
        let theirs = self.selected.options.get(option);
        self.merged.push(Merged {
            option: option.to_owned(),
            variable: variable_of(option, self.platform),
            ours,
            theirs: self.value_of(option).to_owned(),
            origin: theirs.and_then(|theirs| theirs.origin.clone()),
        });
    }

    /// Sets `container-engine` to `engine` with the package's own arguments after ours: where two
    /// contradict, engines take the last.
    pub(super) fn container_engine(&mut self, engine: Engine, ours: &[String], host_mount: bool) {
        let theirs = &self.selected.engine;
        let variable = variable_of("container-engine", self.platform);
        let arguments: Vec<_> = ours.iter().chain(&theirs.create_args).cloned().collect();
        self.variables.insert(variable.clone(), engine_text(engine, &arguments, host_mount));
        self.merged.push(Merged {
            option: "container-engine".to_owned(),
            variable,
            ours: engine_text(engine, ours, host_mount),
            theirs: describe(theirs),
            origin: self.selected.origins.get("container-engine").cloned().flatten(),
        });
    }

    /// Adds an argument to `build-frontend`, behind the package's own. Of all options here it is the
    /// one that cibuildwheel reads no variable with a platform suffix for.
    pub(super) fn build_frontend(&mut self, ours: &str) {
        let theirs = &self.selected.frontend;
        let variable = "CIBW_BUILD_FRONTEND";
        self.set(variable, frontend::text(theirs, Some(ours)));
        self.merged.push(Merged {
            option: "build-frontend".to_owned(),
            variable: variable.to_owned(),
            ours: ours.to_owned(),
            theirs: frontend::text(theirs, None),
            origin: self.selected.origins.get("build-frontend").cloned().flatten(),
        });
    }

    /// Sets a variable that carries nothing of the user's.
    pub(super) fn set(&mut self, variable: &str, value: impl Into<String>) {
        self.variables.insert(variable.to_owned(), value.into());
    }

    /// The variables, with all rules in one `CIBW_INHERIT`, and the record of what was merged.
    pub(super) fn finish(mut self) -> (BTreeMap<String, String>, Vec<Merged>) {
        let theirs = self.user.get("CIBW_INHERIT").unwrap_or_default();
        let kept = theirs.split(';').filter(|rule| {
            let name = rule.split(':').next().unwrap_or_default().trim();
            !name.is_empty() && !self.rules.contains_key(name)
        });
        let rules: Vec<_> = kept
            .map(|rule| rule.trim().to_owned())
            .chain(self.rules.iter().map(|(name, rule)| format!("{name}: {rule}")))
            .collect();
        self.variables.insert("CIBW_INHERIT".to_owned(), rules.join("; "));
        (self.variables, self.merged)
    }
}

fn variable_of(option: &str, platform: &str) -> String {
    format!("CIBW_{option}_{platform}").to_uppercase().replace('-', "_")
}

fn engine_text(engine: Engine, arguments: &[String], host_mount: bool) -> String {
    let mut text = engine.name().to_owned();
    if !arguments.is_empty() {
        let quoted: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
        text = format!("{text}; create_args: {}", quoted.join(" "));
    }
    format!("{text}; disable_host_mount: {}", !host_mount)
}

fn describe(engine: &EngineSettings) -> String {
    if engine.create_args.is_empty() {
        engine.name.name().to_owned()
    } else {
        let quoted: Vec<_> = engine.create_args.iter().map(|argument| quote(argument)).collect();
        format!("{}; create_args: {}", engine.name.name(), quoted.join(" "))
    }
}

/// One assignment of cibuildwheel's `environment` option with `value` taken literally: cibuildwheel
/// reads it as a shell would, `$` and quotes included.
pub(super) fn assignment(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return format!("{name}={value}");
    }
    // Double quotes rather than single ones: the parser behind this option keeps a quote that is
    // closed and opened again within a word.
    let mut quoted = String::with_capacity(value.len() + 2);
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    format!("{name}=\"{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_cibuildwheel_reads_them() {
        assert_eq!(variable_of("before-all", "linux"), "CIBW_BEFORE_ALL_LINUX");
    }

    #[test]
    fn assignments_keep_their_value_literally() {
        assert_eq!(assignment("A", "/host_ccache"), "A=/host_ccache");
        assert_eq!(assignment("A", "a b"), "A=\"a b\"");
        assert_eq!(assignment("A", "$x `y` \"z\""), "A=\"\\$x \\`y\\` \\\"z\\\"\"");
        assert_eq!(assignment("A", ""), "A=\"\"");
    }
}
