//! The workflow that plans, builds, verifies and publishes, from the package's settings.
//!
//! A template is the workflow itself, with three things in it that are not: a block between `#if NAME`
//! and `#end` is there for some settings only, `@NAME@` stands for a setting's value, and actions have
//! no version, which `tools/pins.toml` gives them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::pins::Action;
use crate::settings::ci::Ci;

/// Where the workflow belongs, relative to the project.
pub(crate) const FILE: &str = ".github/workflows/release-wheels.yml";

const WORKFLOW: &str = include_str!("workflow/release-wheels.yml");

/// A job that builds: one for what can start at once, and one for what waits for that.
const BUILD_JOB: &str = include_str!("workflow/build-job.yml");

/// The line of the workflow in whose place the jobs that build go.
const BUILD_JOBS: &str = "#jobs";

/// Settings unlike the usual ones, as pyproject.toml files. The linters read what they give as well.
pub(crate) const UNUSUAL: [&str; 2] = [
    "[tool.warmwheel.ci]
shards = 3
publish = false
tags = 'release/*'
branch = 'trunk-2.x'
runners.linux-x86_64 = 'large-linux'
runners.macos-x86_64 = ''
",
    "[tool.warmwheel.ci]
shards = 2
environment = 'wheels'
",
];

/// The workflow for these settings, which must have been checked.
///
/// # Errors
/// A template names an action that has no pin; a unit test keeps that from being released.
pub(crate) fn generate(settings: &Ci, actions: &BTreeMap<String, Action>) -> Result<String> {
    let is_sharded = settings.shards > 1;
    let mut jobs = if is_sharded {
        [kept(BUILD_JOB, &["build", "hand-over"]), kept(BUILD_JOB, &["followers"])].concat()
    } else {
        kept(BUILD_JOB, &["build"])
    };
    let mut blocks = vec![if is_sharded { "followers" } else { "no-followers" }];
    if settings.publish {
        blocks.push("publish");
    }
    let mut lines = Vec::new();
    for line in kept(WORKFLOW, &blocks) {
        if line == BUILD_JOBS { lines.append(&mut jobs) } else { lines.push(line) }
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&pinned(line, actions)?);
        text.push('\n');
    }
    let values = [
        ("@branch@", &settings.branch),
        ("@tags@", &settings.tags),
        ("@environment@", &settings.environment),
    ];
    Ok(values.iter().fold(text, |text, (name, value)| text.replace(name, value)))
}

/// A template's lines without the blocks that have other names than these.
fn kept<'a>(template: &'a str, blocks: &[&str]) -> Vec<&'a str> {
    let mut is_kept = true;
    let mut lines = Vec::new();
    for line in template.lines() {
        if let Some(name) = line.strip_prefix("#if ") {
            is_kept = blocks.contains(&name);
        } else if line == "#end" {
            is_kept = true;
        } else if is_kept {
            lines.push(line);
        }
    }
    lines
}

/// A line with the action that it uses, if any, at its pinned commit.
fn pinned(line: &str, actions: &BTreeMap<String, Action>) -> Result<String> {
    let Some((before, name)) = action(line) else { return Ok(line.to_owned()) };
    // `actions/cache/restore` is a folder of the repository `actions/cache`.
    let repository = name.split('/').take(2).collect::<Vec<_>>().join("/");
    let Action { version, commit } = actions
        .get(&repository)
        .with_context(|| format!("tools/pins.toml has no version of the action {repository}"))?;
    Ok(format!("{before}uses: {name}@{commit} # v{version}"))
}

/// The action that a line uses, and what is in front of it.
fn action(line: &str) -> Option<(&str, &str)> {
    let is_step = |before: &str| before.trim_start_matches([' ', '-']).is_empty();
    line.split_once("uses: ").filter(|(before, _)| is_step(before))
}

/// A workflow with each action by the tag of its major version in place of the commit: what actionlint
/// needs to know the action's inputs. Never to be run.
pub(crate) fn by_major_version(workflow: &str) -> String {
    let line = |line: &str| {
        let tagged = line.split_once(" # v").and_then(|(action, version)| {
            let (name, _) = action.rsplit_once('@')?;
            Some(format!("{name}@v{}", version.split('.').next()?))
        });
        tagged.filter(|_| action(line).is_some()).unwrap_or_else(|| line.to_owned()) + "\n"
    };
    workflow.lines().map(line).collect()
}

/// A line in which a file is not what it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference<'a> {
    /// Its number, from 1.
    pub(crate) line: usize,
    /// What stands there; `None` past the end.
    pub(crate) found: Option<&'a str>,
    /// What should.
    pub(crate) wanted: Option<&'a str>,
}

/// The first line in which the two differ, ends of lines included.
pub(crate) fn first_difference<'a>(found: &'a str, wanted: &'a str) -> Option<Difference<'a>> {
    let (mut found, mut wanted) = (found.split('\n'), wanted.split('\n'));
    let mut line = 0;
    loop {
        line += 1;
        match (found.next(), wanted.next()) {
            (None, None) => return None,
            (found, wanted) if found == wanted => {}
            (found, wanted) => return Some(Difference { line, found, wanted }),
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::pins::Pins;
    use crate::settings::Table;

    fn workflow(settings: &Ci) -> String {
        generate(settings, &Pins::built_in().unwrap().actions).unwrap()
    }

    fn unusual() -> Vec<String> {
        let read = |text: &str| Table::read(&text.parse().unwrap(), Utf8Path::new("p")).unwrap();
        UNUSUAL.iter().map(|text| workflow(&read(text).ci)).collect()
    }

    #[test]
    fn the_workflow_of_a_package_with_other_settings() {
        insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("sharded_and_unpublished", unusual()[0]);
        });
    }

    #[test]
    fn nothing_of_a_template_is_left() {
        for text in unusual().into_iter().chain([workflow(&Ci::default())]) {
            for left in ["#if", "#end", BUILD_JOBS, "@branch@", "@tags@", "@environment@"] {
                assert!(!text.lines().any(|line| line.contains(left)), "{left} in\n{text}");
            }
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
            assert!(!text.contains("\n\n\n"), "{text}");
        }
    }

    #[test]
    fn each_block_is_there_for_its_settings_only() {
        let usual = workflow(&Ci::default());
        assert!(!usual.contains("followers") && !usual.contains("hand-over"), "{usual}");
        assert!(usual.contains("environment: \"pypi\"") && usual.contains("attestations: write"));
        assert!(usual.contains("tags: [\"v*\"]") && usual.contains("branches: [\"main\"]"));
        let unusual = unusual();
        let (unpublished, published) = (&unusual[0], &unusual[1]);
        assert!(!unpublished.contains("id-token") && !unpublished.contains("environment:"));
        assert!(unpublished.contains("github.ref == 'refs/heads/trunk-2.x'"));
        assert!(unpublished.contains("--no-pioneer") && published.contains("--no-pioneer"));
        assert!(published.contains("environment: \"wheels\""), "{published}");
    }

    /// The checks of the linters do not depend on anyone running them.
    #[test]
    fn no_command_has_an_expression_and_every_action_a_commit() {
        for text in unusual().into_iter().chain([workflow(&Ci::default())]) {
            let lines: Vec<_> = text.lines().map(str::trim_start).collect();
            let commands: Vec<_> = lines.iter().filter(|line| line.starts_with("run: ")).collect();
            assert!(commands.len() > 4 && commands.iter().all(|line| !line.contains("${{")));
            for (_, name) in lines.iter().filter_map(|line| action(line)) {
                let (_, commit) = name.split_once('@').unwrap();
                assert!(commit.len() > 40 && commit[40..].starts_with(" # v"), "{name}");
            }
            assert!(text.contains("\npermissions: {}\n"));
        }
    }

    #[test]
    fn an_action_without_a_pin_is_an_error() {
        let error = generate(&Ci::default(), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("actions/checkout"), "{error}");
    }

    #[test]
    fn actions_can_be_named_by_their_major_version() {
        let commit = "0123456789012345678901234567890123456789";
        let text = format!("a: 1@2 # v2\n  - uses: a/b/c@{commit} # v12.3.4\n    uses: ./d\n");
        assert_eq!(by_major_version(&text), "a: 1@2 # v2\n  - uses: a/b/c@v12\n    uses: ./d\n");
    }

    #[test]
    fn the_first_difference_is_found_wherever_it_is() {
        let of = |found, wanted| first_difference(found, wanted).map(|it| (it.line, it.found));
        assert_eq!(of("a\nb\n", "a\nb\n"), None);
        assert_eq!(of("a\nx\n", "a\nb\n"), Some((2, Some("x"))));
        assert_eq!(of("a\r\nb\n", "a\nb\n"), Some((1, Some("a\r"))));
        assert_eq!(of("a\nb", "a\nb\n"), Some((3, None)));
        assert_eq!(of("a\nb\nc\n", "a\nb\n"), Some((3, Some("c"))));
        assert_eq!(of("", "a\n"), Some((1, Some(""))));
    }
}
