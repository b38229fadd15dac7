//! Runs that never were, as their events.

use serde_json::{Value, json};

/// Text that would do something on a page, or to its text.
pub(super) const HOSTILE: &str = concat!(
    "</script><script>window.hacked=1</script><!--<img src=x onerror=window.hacked=1><b>",
    "\"'`&amp;\u{1b}[31m\n\u{202e}\u{2066}\u{200f}\u{61c}"
);
/// What is to be read in its place.
pub(super) const SHOWN: &str = concat!(
    "</script><script>window.hacked=1</script><!--<img src=x onerror=window.hacked=1><b>",
    "\"'`&amp;\\u{1b}[31m\\n\\u{202e}\\u{2066}\\u{200f}\\u{61c}"
);
/// The same for the name of a file, which is the end of a path.
pub(super) const HOSTILE_FILE: &str =
    "pkg-1<img src=x onerror=window.hacked=1>\"'&amp;\u{1b}\u{202e}.whl";
pub(super) const SHOWN_FILE: &str =
    "pkg-1<img src=x onerror=window.hacked=1>\"'&amp;\\u{1b}\\u{202e}.whl";

/// What the hostile run's texts begin with.
pub(super) const WORDS: [&str; 20] = [
    "package",
    "run",
    "command",
    "started",
    "cp311",
    "cp312",
    "note",
    "option",
    "ours",
    "theirs",
    "origin",
    "what",
    "remedy",
    "tail",
    "unproven",
    "log",
    "source",
    "sha256",
    "suspicious",
    "phase",
];

/// A run's events, one JSON object a line.
#[derive(Default)]
struct Events(String);

impl Events {
    fn add(&mut self, at_seconds: f64, event: &str, mut more: Value) {
        more["at_seconds"] = at_seconds.into();
        more["event"] = event.into();
        self.0.push_str(&more.to_string());
        self.0.push('\n');
    }

    fn phases(&mut self, identifier: &str, phases: &[(f64, &str)]) {
        for (at_seconds, name) in phases {
            self.add(*at_seconds, "phase-started", json!({"identifier": identifier, "name": name}));
        }
    }
}

fn planned(identifier: &str, domain: &str, is_pioneer: bool) -> Value {
    let role = if is_pioneer { "pioneer" } else { "follower" };
    json!({"identifier": identifier, "domain": domain, "role": role})
}

fn start(builds: &[Value]) -> Value {
    json!({
        "schema": 1, "run_id": "20261122-101500-1", "package": "awkward-cpp",
        "command": "cargo xtask release-wheels awkward_cpp-57.tar.gz --jobs 4",
        "started": "2026-11-22T10:15:00Z", "jobs": 4, "builds": builds,
        "settings": [
            {"option": "environment", "ours": "CCACHE_DIR=/host_ccache CCACHE_NOHASHDIR=1",
             "theirs": "UV_ONLY_BINARY=\"cmake,numpy\"", "origin": "pyproject"},
            {"option": "test-command", "ours": "/warmwheel/ccache-validator validate --wheel '{wheel}'",
             "theirs": "", "origin": null},
        ],
    })
}

/// The results of a build's files, and what they come to.
fn result(results: &[(String, &str)], wheel: &str) -> Value {
    let count = |word: &str| results.iter().filter(|(_, result)| *result == word).count();
    let hits = count("direct-hit") + count("preprocessed-hit");
    let files = results.iter().map(|(source, result)| json!({"source": source, "result": result}));
    #[expect(clippy::cast_precision_loss, reason = "counts of files")]
    let hit_rate = hits as f64 / (hits + count("miss")).max(1) as f64;
    json!({
        "outcome": "built",
        "log": "/home/me/project/target/warmwheel/RUN/builds/ID/log.txt",
        "wheel": {"path": format!("/home/me/project/wheelhouse/{wheel}"), "sha256": "0f".repeat(32),
                  "size_bytes": 1_234_567},
        "cache": {
            "verdict": if hits > 0 { "hit" } else { "cold" }, "passed": true, "source": "statslog",
            "ccache_version": "4.7.5", "audited_on_host": false, "suspicious": null,
            "direct_hits": count("direct-hit"), "preprocessed_hits": count("preprocessed-hit"),
            "misses": count("miss"), "uncacheable": count("uncacheable"), "errors": 0,
            "hit_rate": hit_rate,
        },
        "compiling": {"started_seconds": 5.0, "elapsed_seconds": if hits > 0 { 4.0 } else { 40.0 },
                      "files": results.len(), "in_depend_mode": 0, "links": 0, "links_reused": 0},
        "files": files.collect::<Vec<_>>(),
    })
}

/// 500 files for eight versions in four domains; the last build fails.
pub(super) fn large() -> String {
    let domains =
        ["manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"];
    let pythons = ["cp37", "cp38", "cp39", "cp310", "cp311", "cp312", "cp313", "cp314"];
    let mut builds = Vec::new();
    for domain in domains {
        for python in pythons {
            let identifier = format!("{python}-{domain}");
            builds.push(planned(&identifier, &format!("{domain}-0a160811"), python == "cp37"));
        }
    }
    let mut events = Events::default();
    events.add(0.0, "run-started", start(&builds));
    for (place, build) in builds.iter().enumerate() {
        let identifier = build["identifier"].as_str().unwrap();
        let (domain, number) = (place / 8, place % 8);
        let begins = [0.0, 52.0, 52.0, 52.0, 66.0, 66.0, 66.0, 80.0][number];
        let begins = 2.0 + 95.0 * [0.0, 1.0, 2.0, 3.0][domain] + begins;
        let ends = begins + if number == 0 { 64.0 } else { 13.0 };
        let compiled = if number == 0 { begins + 50.0 } else { ends - 3.5 };
        let waited_for = (1..4).contains(&number).then(|| builds[8 * domain]["identifier"].clone());
        let about = json!({"identifier": identifier, "waited_for": waited_for});
        events.add(begins, "build-started", about);
        let phases = [(0.5, "container"), (1.5, "environment"), (3.0, "build")];
        events.phases(identifier, &phases.map(|(after, name)| (begins + after, name)));
        events.phases(identifier, &[(compiled, "repair"), (compiled + 1.0, "test")]);
        events.phases(identifier, &[(ends - 0.5, "copy-out")]);
        let files: Vec<_> = (0..500).filter(|file| number == 0 || *file != 480 + number).collect();
        let results: Vec<_> =
            files.into_iter().map(|file| (name(file), outcome(file, number))).collect();
        let wheel = format!("awkward_cpp-57-{python}-{identifier}.whl", python = pythons[number]);
        let mut result = result(&results, &wheel);
        if place + 1 == builds.len() {
            result["outcome"] = "failed".into();
            result["wheel"] = Value::Null;
            result["failure"] = json!({
                "kind": "build", "what": "its tests fail", "remedy": "look at the log",
                "tail": ["==== FAILURES ====", "    assert core.answer() == 42", "E   assert 41 == 42"],
            });
        }
        events.add(ends, "build-finished", json!({"identifier": identifier, "result": result}));
    }
    events.add(390.0, "run-finished", json!({"outcome": "failed"}));
    events.0
}

/// As long as real ones.
fn name(file: usize) -> String {
    format!("src/cpu-kernels/awkward_ListOffsetArray_reduce_nonlocal_{file:03}.cpp")
}

/// A first version compiles everything, and the others a few files.
fn outcome(file: usize, number: usize) -> &'static str {
    match (file, number) {
        (499, _) => "uncacheable",
        (_, 0) | (490.., _) => "miss",
        (480..490, _) => "preprocessed-hit",
        _ => "direct-hit",
    }
}

/// All texts of it are hostile.
pub(super) fn hostile() -> String {
    let text = |word: &str| format!("{word}{HOSTILE}");
    let (first, second) = (text("cp311"), text("cp312"));
    let mut builds =
        [planned(&first, &text("domain"), true), planned(&second, &text("domain"), false)];
    builds[1]["note"] = text("note").into();
    let mut begin = start(&builds);
    for key in ["package", "command", "started"] {
        begin[key] = text(key).into();
    }
    begin["run_id"] = text("run").into();
    begin["settings"] = json!([{"option": text("option"), "ours": text("ours"),
                                "theirs": text("theirs"), "origin": text("origin")}]);
    let mut events = Events::default();
    events.add(0.0, "run-started", begin);
    events.add(1.0, "build-started", json!({"identifier": first}));
    events.phases(&first, &[(2.0, "build"), (5.0, &text("phase"))]);
    let results = ["a", "b"].map(|more| (format!("{}{more}", text("source")), "direct-hit"));
    let mut built = result(&results, "");
    built["wheel"]["path"] = format!("/w/{HOSTILE_FILE}").into();
    built["wheel"]["sha256"] = text("sha256").into();
    built["cache"]["suspicious"] = text("suspicious").into();
    events.add(9.0, "build-finished", json!({"identifier": first, "result": built}));
    events.add(6.0, "build-started", json!({"identifier": second, "waited_for": first}));
    let failure = json!({
        "kind": "build", "what": text("what"), "remedy": text("remedy"), "tail": [text("tail"), "end"],
        "unproven": text("unproven"),
    });
    let failed = json!({"outcome": "failed", "log": text("log"), "failure": failure});
    events.add(12.0, "build-finished", json!({"identifier": second, "result": failed}));
    events.add(13.0, "run-finished", json!({"outcome": "failed"}));
    events.0
}

/// One build is done, one compiles, one has not begun, and the last line is cut off.
pub(super) fn cut_off() -> String {
    let builds = ["cp311-x", "cp312-x", "cp313-x"].map(|it| planned(it, "x", it == "cp311-x"));
    let mut events = Events::default();
    events.add(0.0, "run-started", start(&builds));
    events.add(0.5, "build-started", json!({"identifier": "cp311-x"}));
    events.phases("cp311-x", &[(1.0, "environment"), (3.0, "build"), (50.0, "test")]);
    let about = json!({"identifier": "cp312-x", "waited_for": "cp311-x"});
    events.add(50.5, "build-started", about);
    let built = result(&[("a.c".to_owned(), "miss")], "pkg-1-cp311-cp311-x.whl");
    events.add(55.0, "build-finished", json!({"identifier": "cp311-x", "result": built}));
    events.phases("cp312-x", &[(56.0, "build")]);
    events.add(
        70.0,
        "compiled",
        json!({"identifier": "cp312-x", "counts": {"hits": 3, "misses": 1}}),
    );
    events.phases("cp312-x", &[(71.0, "repair")]);
    events.0.truncate(events.0.len() - 9);
    events.0
}
