//! The page of a run, in a real browser: `support/browser.py` looks, and this judges.

mod runs;

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use self::runs::{HOSTILE, HOSTILE_FILE, SHOWN, SHOWN_FILE};
use crate::lab::Run;
use crate::support::{Ran, Sandbox};

/// What is found on a page.
#[track_caller]
fn inspect(page: &Utf8Path) -> Value {
    let python = std::env::var("WARMWHEEL_BROWSER")
        .unwrap_or_else(|_| panic!("WARMWHEEL_BROWSER is not set: run `cargo xtask test --setup`"));
    let script = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/browser.py");
    let output = Command::new(python).arg("-I").arg(script).arg(page).output().unwrap();
    serde_json::from_str(&Ran::from(output).expect(0).stdout).unwrap()
}

/// The page that `cargo xtask report` makes of events.
fn page_of(sandbox: &Sandbox, events: &str) -> Utf8PathBuf {
    sandbox.write("records/events.ndjson", events);
    let records = sandbox.root.join("records");
    let page = sandbox.run(&["report", records.as_str(), "--format", "html"]).expect(0).stdout;
    fs::write(records.join("report.html"), page).unwrap();
    records.join("report.html")
}

#[track_caller]
fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

/// What holds for the page of any run.
#[track_caller]
fn check(found: &Value) {
    assert_eq!(found["console"], json!([]));
    let requests = strings(&found["requests"]);
    assert!(requests.len() == 1 && requests[0].ends_with("/report.html"), "{requests:?}");
    assert_eq!(found["hacked"], false);
    let looks = &found["looks"];
    for look in ["light", "dark", "phone"] {
        assert_eq!(looks[look]["violations"], json!([]), "{look}");
    }
    assert_eq!(looks["phone"]["width"], 390, "wider than a phone");
    assert_ne!(looks["light"]["background"], looks["dark"]["background"]);
    let stops = found["keyboard"]["stops"].as_array().unwrap();
    assert!(stops.iter().any(|stop| stop["tag"] == "a"), "no link is reached: {stops:?}");
    for stop in stops {
        assert_eq!(stop["visible"], true, "the focus cannot be seen: {stop}");
    }
}

/// What the table of files has to be able to do.
#[track_caller]
fn check_files(found: &Value) {
    let head = strings(&found["table"]["head"]);
    let rows: Vec<_> = found["table"]["rows"].as_array().unwrap().iter().map(strings).collect();

    let clicks = found["sorting"].as_array().unwrap();
    assert_eq!(clicks.len(), 2 * head.len());
    for (place, pair) in clicks.chunks(2).enumerate() {
        let mut directions = Vec::new();
        for click in pair {
            let sorts = strings(&click["sorts"]);
            assert_eq!(sorts.iter().filter(|it| **it != "none").count(), 1, "{sorts:?}");
            let mut keys: Vec<_> = strings(&click["column"]).into_iter().map(rank).collect();
            assert_eq!(keys.len(), rows.len());
            if sorts[place] == "descending" {
                keys.reverse();
            }
            assert!(keys.is_sorted(), "{} is not {}: {keys:?}", head[place], sorts[place]);
            directions.push(sorts[place]);
        }
        directions.sort_unstable();
        assert_eq!(directions, ["ascending", "descending"]);
    }

    let filtering = &found["filtering"];
    let typed = filtering["typed"].as_str().unwrap().to_lowercase();
    let mut names: Vec<_> = rows.iter().map(|row| row[0]).collect();
    names.retain(|name| name.to_lowercase().contains(&typed));
    let mut left = strings(&filtering["names"]);
    left.sort_unstable();
    names.sort_unstable();
    assert_eq!(left, names);
    assert!(left.len() < rows.len(), "{typed:?} is in every name");

    for choice in found["results"].as_array().unwrap() {
        let option = choice["option"].as_str().unwrap();
        let has = |row: &&Vec<&str>| option == "any" || row[1..].contains(&option);
        assert_eq!(choice["rows"], rows.iter().filter(has).count(), "{option}");
    }
    check_keyboard(&found["keyboard"]);
}

/// All of the table's controls are reached, and Enter sorts without losing its place.
#[track_caller]
fn check_keyboard(keyboard: &Value) {
    let stops = keyboard["stops"].as_array().unwrap();
    for (tag, name) in
        [("input", "Name contains"), ("select", "With this result in a build"), ("button", "file")]
    {
        let is_it = |stop: &Value| stop["tag"] == tag && stop["name"] == name;
        assert!(stops.iter().any(is_it), "{name} is not reached: {stops:?}");
    }
    let entered = &keyboard["entered"];
    assert_eq!(entered["before"]["sort"], "ascending");
    assert_eq!(entered["after"]["sort"], "descending");
    assert_eq!(entered["after"]["name"], entered["before"]["name"]);
}

/// Where a cell stands among the others of its column. Results go by what there is to do about them.
fn rank(cell: &str) -> (usize, &str) {
    let results = ["miss", "uncacheable", "preprocessed hit", "direct hit", "not compiled"];
    results.iter().position(|it| *it == cell).map_or((0, cell), |place| (place, ""))
}

/// The page of a run of `builds`, and what was found on it.
#[track_caller]
pub(crate) fn check_page(run: &Run, builds: &[&str]) -> Value {
    let found = inspect(&run.records().join("report.html"));
    check(&found);
    check_files(&found);
    assert_eq!(strings(&found["timeline"]), builds);
    found
}

#[test]
fn a_large_run_opens_at_once_and_can_be_searched() {
    let sandbox = Sandbox::new();
    let page = page_of(&sandbox, &runs::large());
    let size = page.metadata().unwrap().len();
    assert!(size < 2_000_000, "{size} bytes");
    let found = inspect(&page);
    let painted = found["painted_ms"].as_f64().unwrap();
    // What it takes here is a tenth of that.
    assert!(painted < 3000.0, "{painted} ms");
    check(&found);
    check_files(&found);
    assert_eq!(found["timeline"].as_array().unwrap().len(), 32);
    let headings = [
        "What failed",
        "Timeline",
        "What the cache did",
        "Each file",
        "Wheels",
        "What was added to the package's settings",
    ];
    assert_eq!(strings(&found["headings"]), headings);
    assert_eq!(found["verdict"], "31 of 32 wheels built; the run failed.");
    assert_eq!(found["table"]["rows"].as_array().unwrap().len(), 500);
    assert_eq!(found["table"]["head"].as_array().unwrap().len(), 1 + 8);
    let domains = found["domains"].as_array().unwrap();
    assert_eq!(domains.len(), 4);
    assert!(domains.iter().all(|it| it["rows"] == 500), "{domains:?}");
}

#[test]
fn hostile_text_is_shown_as_text() {
    let sandbox = Sandbox::new();
    let found = inspect(&page_of(&sandbox, &runs::hostile()));
    check(&found);
    check_files(&found);
    let text = found["text"].as_str().unwrap();
    for word in runs::WORDS {
        assert!(text.contains(&format!("{word}{SHOWN}")), "{word} is not shown: {text}");
    }
    assert!(text.contains(SHOWN_FILE), "the wheel is not shown: {text}");
    assert!(found["title"].as_str().unwrap().starts_with(&format!("package{SHOWN}: ")));
    assert!(!text.contains(HOSTILE) && !text.contains(HOSTILE_FILE));
    // None of its elements came from the run: two scripts, and none of what it names.
    assert_eq!(found["tags"]["script"], 2);
    for tag in ["img", "b", "iframe", "bdo"] {
        assert_eq!(found["tags"][tag], Value::Null, "{tag}");
    }
}

#[test]
fn a_run_that_was_cut_off_is_shown_as_far_as_it_went() {
    let sandbox = Sandbox::new();
    let found = inspect(&page_of(&sandbox, &runs::cut_off()));
    check(&found);
    assert_eq!(found["verdict"], "1 of 3 wheels built; the run did not finish.");
    assert_eq!(strings(&found["timeline"]), ["cp311-x", "cp312-x"]);
    let text = found["text"].as_str().unwrap();
    assert!(text.contains("unfinished") && text.contains("cp313-x"), "{text}");
}

/// The judge is judged: each of these would be noticed on a run's page.
#[test]
fn what_is_wrong_with_a_page_is_found() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "broken.html",
        "<!doctype html><html><title>x</title><body style='background: #fff'>\
         <script>window.hacked = 1; console.error('a complaint')</script>\
         <img src='missing.png'><input><p style='color: #ccc'>pale</p>\
         <a href='#' style='outline: none'>link</a><div style='width: 2000px'>wide</div>",
    );
    let found = inspect(&sandbox.root.join("broken.html"));
    assert_eq!(found["hacked"], true);
    let console = strings(&found["console"]).join("\n");
    assert!(console.contains("a complaint") && console.contains("missing.png"), "{console}");
    let requests = strings(&found["requests"]);
    assert!(requests.iter().any(|it| it.ends_with("/missing.png")), "{requests:?}");
    assert!(found["looks"]["phone"]["width"].as_u64().unwrap() > 390);
    assert_eq!(found["looks"]["light"]["background"], found["looks"]["dark"]["background"]);
    let violations = found["looks"]["light"]["violations"].as_array().unwrap();
    for rule in ["color-contrast", "image-alt", "label", "html-has-lang"] {
        assert!(violations.iter().any(|it| it["rule"] == rule), "no {rule} in {violations:?}");
    }
    let stops = found["keyboard"]["stops"].as_array().unwrap();
    assert!(stops.iter().any(|stop| stop["tag"] == "a" && stop["visible"] == false), "{stops:?}");
}
