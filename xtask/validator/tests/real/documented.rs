//! `VERDICTS.md`: each captured block is what the validator prints today.

use crate::sandbox::{Ran, Sandbox, set_mode, wants_update};
use ccache_validator::text;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Builds once and validates, as the version before.
fn warmed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.build("");
    sandbox.validate_for("cp311", &[]).expect(0, "cold", &[]);
    sandbox
}

fn after(sandbox: &Sandbox, options: &str, flags: &[&str]) -> Ran {
    sandbox.build(options);
    sandbox.validate_for("cp312", flags)
}

fn next_run(sandbox: &mut Sandbox) {
    sandbox.set("WARMWHEEL_RUN_ID", "run-2");
}

fn with_variable(name: &str, value: &str) -> Ran {
    let mut sandbox = Sandbox::new();
    sandbox.set(name, value);
    after(&sandbox, "", &[])
}

fn hits() -> Vec<(&'static str, Ran)> {
    let mut sandbox = warmed();
    let hit = after(&sandbox, "", &[]);
    sandbox.run("ccache gcc -c a.c");
    sandbox.run("ccache gcc -c b.c -DUNUSED");
    let both = sandbox.validate_for("cp312", &[]);
    sandbox.write("project/conftest.c", "int main(void) { return 0; }\n");
    sandbox.run("ccache gcc -c conftest.c -o conftest.o");
    let probes = after(&sandbox, "", &[]);
    sandbox.unset("CCACHE_STATSLOG");
    sandbox.run("ccache --zero-stats");
    let counters = after(&sandbox, "", &[]);
    sandbox.age_ccache();
    let old = after(&sandbox, "", &[]);
    vec![
        ("hit", hit),
        ("hit-both", both),
        ("hit-probes", probes),
        ("counters", counters),
        ("counters-old", old),
    ]
}

fn cold() -> Vec<(&'static str, Ran)> {
    let mut sandbox = Sandbox::new();
    let cold = after(&sandbox, "", &[]);
    next_run(&mut sandbox);
    let suspicious = after(&sandbox, "-O1", &[]);
    sandbox.set("WARMWHEEL_RUN_ID", "run-3");
    let refused = after(&sandbox, "-O2", &["--strict-restore"]);
    vec![("cold", cold), ("cold-suspicious", suspicious), ("cold-refused", refused)]
}

fn misses() -> Vec<(&'static str, Ran)> {
    let mut sandbox = warmed();
    let miss = after(&sandbox, "-O1", &[]);
    let allowed = after(&sandbox, "-O2", &["--on-miss", "warn"]);
    sandbox.run("ccache gcc -c a.c");
    sandbox.run("ccache gcc -O3 -c b.c");
    let floor = sandbox.validate_for("cp312", &["--min-hit-rate", "50.1"]);
    sandbox.unset("CCACHE_DIR");
    let no_folder = after(&sandbox, "", &[]);
    vec![
        ("miss", miss),
        ("miss-allowed", allowed),
        ("miss-floor", floor),
        ("miss-no-folder", no_folder),
    ]
}

fn not_compiled() -> Vec<(&'static str, Ran)> {
    let sandbox = warmed();
    sandbox.run("gcc -c a.c");
    let never = sandbox.validate_for("cp312", &[]);
    let wheel = sandbox.write("wheels/pkg-1.0-cp39-abi3-manylinux_2_17_x86_64.whl", "");
    let reused = sandbox.validate_for("cp312", &["--wheel", wheel.to_str().unwrap()]);
    sandbox.write("project/conftest.c", "int main(void) { return 0; }\n");
    sandbox.run("ccache gcc -c conftest.c -o conftest.o");
    let probes = sandbox.validate_for("cp312", &[]);
    vec![("not-invoked", never), ("not-applicable", reused), ("not-invoked-probes", probes)]
}

fn unusable() -> Vec<(&'static str, Ran)> {
    let mut missing = Sandbox::new();
    missing.set("PATH", missing.path("home"));
    let mut broken = Sandbox::new();
    broken.fake("ccache", "#!/no/such/interpreter\n");
    let configured = Sandbox::new();
    configured.write("cache/ccache.conf", "disable = true\n");
    let mut errors = warmed();
    errors.run("ccache gcc -c a.c");
    errors.set("CCACHE_EXTRAFILES", "/no/such/file");
    errors.run("ccache gcc -c b.c");
    errors.unset("CCACHE_EXTRAFILES");
    let variable = {
        let mut sandbox = Sandbox::new();
        sandbox.set("DEPENDENCIES_OUTPUT", sandbox.path("dependencies"));
        after(&sandbox, "", &[])
    };
    vec![
        ("unusable-missing", missing.validate_for("cp312", &[])),
        ("unusable-broken", broken.validate_for("cp312", &[])),
        ("unusable-disabled", with_variable("CCACHE_DISABLE", "1")),
        ("unusable-configured", after(&configured, "", &[])),
        ("unusable-read-only", with_variable("CCACHE_READONLY", "1")),
        ("unusable-option", after(&Sandbox::new(), "-save-temps", &[])),
        ("unusable-errors", errors.validate_for("cp312", &[])),
        ("unusable-variable", variable),
    ]
}

fn unwritable() -> Vec<(&'static str, Ran)> {
    let mut sandbox = crate::rights::read_only();
    let unwritable = after(&sandbox, "", &[]);
    set_mode(&sandbox.path("cache"), 0o777);
    sandbox.unset("CCACHE_STATSLOG");
    let lost = after(&sandbox, "", &[]);
    vec![("unusable-unwritable", unwritable), ("unusable-lost", lost)]
}

/// What is printed, with the sandbox's folders called what they are called in a container, and folded
/// again, since those names are shorter.
fn told(ran: &Ran) -> String {
    let mut paragraphs: Vec<(String, String)> = Vec::new();
    for line in ran.stderr.lines() {
        let indent = line.len() - line.trim_start().len();
        match paragraphs.last_mut() {
            Some((label, words))
                if indent > 2 && indent == label.len() && label != "  missed: " =>
            {
                words.push(' ');
                words.push_str(line.trim_start());
            }
            _ => {
                let (label, words) = match line.split_once(": ") {
                    Some((label, words)) if indent == 2 => (format!("{label}: "), words),
                    _ => (String::new(), line),
                };
                paragraphs.push((label, words.to_owned()));
            }
        }
    }
    let named = |words: &str| {
        let folders = [("project", "/project"), ("cache", "/host_ccache"), ("fake", "/usr/bin")];
        folders.iter().fold(words.to_owned(), |words, (place, name)| {
            words.replace(ran.root.join(place).to_str().unwrap(), name)
        })
    };
    // Which folder of the cache a result lies in depends on the compiler.
    let named = |words: &str| match named(words).split_once("write to /host_ccache/") {
        Some((before, after)) => format!("{before}write to /host_ccache/0{}", &after[1..]),
        None => named(words),
    };
    let line = |(label, words): &(String, String)| match label.as_str() {
        "" => format!("{}\n", named(words)),
        label => text::fold(label, &named(words)),
    };
    paragraphs.iter().map(line).collect()
}

#[test]
fn every_captured_block_is_what_is_printed_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("VERDICTS.md");
    let document = fs::read_to_string(&path).unwrap();
    let situations = [hits(), cold(), misses(), not_compiled(), unusable(), unwritable()];
    let mut printed: BTreeMap<&str, String> =
        situations.iter().flatten().map(|(name, ran)| (*name, told(ran))).collect();

    let mut current = String::new();
    let mut rest = document.as_str();
    while let Some((before, name, after)) = next_capture(rest) {
        let block = printed.remove(name).unwrap_or_else(|| panic!("nothing makes {name}"));
        current.extend([before, "<!-- captured: ", name, " -->\n```text\n", &block, "```\n"]);
        rest = after;
    }
    current.push_str(rest);
    assert!(printed.is_empty(), "not in the document: {:?}", printed.keys());
    if wants_update() {
        fs::write(&path, current).unwrap();
    } else {
        assert_eq!(document, current, "VERDICTS_UPDATE=1 writes it anew");
    }
}

/// What stands before the next capture, its name, and what follows its block.
fn next_capture(document: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = document.split_once("<!-- captured: ")?;
    let (name, rest) = rest.split_once(" -->\n")?;
    let rest = match rest.strip_prefix("```text\n") {
        Some(block) => block.split_once("```\n")?.1,
        None => rest,
    };
    Some((before, name, rest))
}
