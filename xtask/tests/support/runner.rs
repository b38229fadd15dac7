//! A job of GitHub Actions, imitated: the variables and files that a step gets, and what its runner
//! makes of the step's log.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use super::{Ran, Sandbox};

/// The commands that a runner knows (`ActionCommandManager`, its extensions).
const COMMANDS: [&str; 16] = [
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "internal-set-repo-path",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// What a run's page and log show.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Groups in order: title and lines.
    pub(crate) groups: Vec<(String, Vec<String>)>,
    /// Lines outside of groups.
    pub(crate) lines: Vec<String>,
    /// Errors and warnings: level, title, message.
    pub(crate) annotations: Vec<[String; 3]>,
    /// Every other command that was obeyed.
    pub(crate) obeyed: Vec<String>,
    /// Lines with a mark that the page formats (`##[`), wherever they stand.
    pub(crate) formatted: Vec<String>,
}

impl Page {
    /// Reads a log as the runner does.
    pub(crate) fn read(log: &str) -> Self {
        let mut page = Self::default();
        let mut stopped: Option<String> = None;
        let mut open = false;
        // .NET's `ReadLine` ends a line at a lone carriage return as well.
        for line in log.replace("\r\n", "\n").split(['\n', '\r']) {
            if line.contains("##[") {
                page.formatted.push(line.to_owned());
            }
            let Some((name, properties, message)) = command(line) else {
                page.text(open, line);
                continue;
            };
            if let Some(token) = &stopped {
                if name == *token {
                    stopped = None;
                } else {
                    page.text(open, line);
                }
                continue;
            }
            match name.as_str() {
                "group" => {
                    assert!(!open, "a group in a group: {line}");
                    open = true;
                    page.groups.push((message, Vec::new()));
                }
                "endgroup" => {
                    assert!(open, "the end of no group");
                    open = false;
                }
                "stop-commands" => stopped = Some(message),
                "error" | "warning" | "notice" => {
                    let title = properties.get("title").cloned().unwrap_or_default();
                    page.annotations.push([name, title, message]);
                }
                known if COMMANDS.contains(&known) => page.obeyed.push(line.to_owned()),
                _ => page.text(open, line),
            }
        }
        assert!(stopped.is_none() && !open, "the log ends in a group");
        page
    }

    fn text(&mut self, open: bool, line: &str) {
        match self.groups.last_mut().filter(|_| open) {
            Some((_, lines)) => lines.push(line.to_owned()),
            None => self.lines.push(line.to_owned()),
        }
    }
}

/// A command: name, properties, message. Both forms that a runner takes.
fn command(line: &str) -> Option<(String, BTreeMap<String, String>, String)> {
    let (head, message) = match line.trim_start().strip_prefix("::") {
        Some(rest) => rest.split_once("::")?,
        None => line.split_once("##[")?.1.split_once(']')?,
    };
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.split(',').filter_map(|pair| pair.split_once('='));
    let properties = properties.map(|(name, value)| (name.to_owned(), unescaped(value))).collect();
    Some((name.to_owned(), properties, unescaped(message)))
}

fn unescaped(text: &str) -> String {
    [("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]
        .into_iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Sandbox {
    /// Sets the variables and makes the files of a step in a job.
    pub(crate) fn in_github(&mut self, event: &str, name: &str, kind: &str) {
        self.write("github/event.json", r#"{"repository": {"default_branch": "main"}}"#);
        self.write("github/output", "");
        self.write("github/summary", "earlier step\n\n");
        let file = |name: &str| self.root.join("github").join(name).to_string();
        let (event_file, output, summary) = (file("event.json"), file("output"), file("summary"));
        let workspace = self.project();
        let full = if kind == "tag" { "refs/tags" } else { "refs/heads" };
        for (variable, value) in [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", &event_file),
            ("GITHUB_OUTPUT", &output),
            ("GITHUB_REF", &format!("{full}/{name}")),
            ("GITHUB_REF_NAME", name),
            ("GITHUB_REF_TYPE", kind),
            ("GITHUB_REPOSITORY", "me/pkg"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
            ("GITHUB_STEP_SUMMARY", &summary),
            ("GITHUB_WORKSPACE", workspace.as_str()),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_OS", "Linux"),
        ] {
            self.set(variable, value);
        }
    }

    /// What the step has handed to GitHub as outputs.
    pub(crate) fn outputs(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.root.join("github/output")).unwrap();
        let mut outputs = BTreeMap::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let (name, end) = line.split_once("<<").unwrap();
            let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
            outputs.insert(name.to_owned(), value.join("\n"));
        }
        outputs
    }

    /// The job's summary.
    pub(crate) fn summary(&self) -> String {
        fs::read_to_string(self.root.join("github/summary")).unwrap()
    }
}

/// Compares everything that a step leaves: its log as a runner reads it, annotations, outputs and
/// summary, with what no two runs share taken out.
#[track_caller]
pub(crate) fn snapshot(name: &str, sandbox: &Sandbox, ran: &Ran) {
    let page = Page::read(&ran.stderr);
    let mut text = String::new();
    for (title, lines) in &page.groups {
        let log = if lines.is_empty() { "empty" } else { "a log" };
        writeln!(text, "group: {title} ({log})").unwrap();
    }
    for line in &page.lines {
        writeln!(text, "line: {line}").unwrap();
    }
    for annotation in &page.annotations {
        writeln!(text, "{}", annotation.join(" | ")).unwrap();
    }
    for (name, value) in sandbox.outputs() {
        writeln!(text, "output {name}={value}").unwrap();
    }
    text.push_str(&sandbox.summary());
    assert_eq!((page.obeyed, page.formatted), (Vec::new(), Vec::new()));
    let root = regex_of(sandbox.root.as_str());
    insta::with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        filters => vec![
            (root.as_str(), "ROOT"),
            (r"\d{8}T\d{6}Z-[0-9a-f]{4}", "RUN"),
            (r" *\b(\d+m)?\d+(\.\d+)?s\b", " TIME"),
            (r" *\b\d+(\.\d+)? [kM]B\b", " SIZE"),
            (r"[0-9a-f]{64}", "SHA256"),
            (r"ccache\.\d[\d.]*\d", "ccache.VERSION"),
            (r"[0-9a-f]{12}-ccache", "IMAGE-ccache"),
            (r"(x86(?:_|&#95;)64)-[0-9a-f]{8}\b", "$1-DOMAIN"),
            (r"(?s)````text\n### 🎡 cibuildwheel\n.*?\n````\n", "(cibuildwheel's own)\n"),
            // Which phase took longest is anybody's guess.
            (r"\| `[^`]+` \| [a-z-]+ \| TIME \|", "| BUILD | PHASE | TIME |"),
        ],
    }, { insta::assert_snapshot!(name, text) });
}

/// A pattern for exactly this path.
fn regex_of(path: &str) -> String {
    path.replace('.', r"\.").replace('+', r"\+")
}
