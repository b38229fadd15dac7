//! One spelling for names and versions that mean the same.

/// A project's name as PEP 503 normalises it: lower case, and one `-` for each run of `-`, `_`, `.`.
pub(crate) fn project(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let words = lower.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// A version in the spelling that two are compared in.
///
/// What PEP 440 lets people spell differently is the same: case, a leading `v`, leading zeros,
/// separators (`1.0-rc.1`, `1.0rc1`), words (`alpha`, `c`, `rev`), a number that is left out
/// (`1.0rc`), and `1.0-1` for `1.0.post1`. Other than there, `1.0` and `1.0.0` are two versions: a
/// file name and its metadata, or two wheels of one run, should agree to the letter. What is no
/// version is compared in the same way.
pub(crate) fn version(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let bare = lower.strip_prefix('v').unwrap_or(&lower);
    let (public, local) = bare.split_once('+').unwrap_or((bare, ""));
    let mut parts = public_parts(public);
    let local = local.split(['.', '-', '_']).filter(|part| !part.is_empty()).map(number);
    for (index, part) in local.enumerate() {
        parts.push(if index == 0 { format!("+{part}") } else { part.to_owned() });
    }
    parts.join(".")
}

/// The numbers and words of the part in front of a `+`.
fn public_parts(public: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut separator = "";
    let runs = runs(public);
    for (index, &run) in runs.iter().enumerate() {
        match kind(run) {
            Kind::Separator => {
                separator = run;
                continue;
            }
            Kind::Number => {
                let is_bare_post = matches!(separator, "-" | "_")
                    && parts.last().is_some_and(|last| kind(last) == Kind::Number);
                if is_bare_post {
                    parts.push("post".to_owned());
                }
                parts.push(number(run).to_owned());
            }
            Kind::Word => {
                parts.push(word(run).to_owned());
                let next = runs.iter().skip(index + 1).find(|run| kind(run) != Kind::Separator);
                if next.is_none_or(|next| kind(next) != Kind::Number) {
                    parts.push("0".to_owned());
                }
            }
            Kind::Other => parts.push(run.to_owned()),
        }
        separator = "";
    }
    parts
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Word,
    Separator,
    Other,
}

/// What a run of characters is, by its first.
fn kind(run: &str) -> Kind {
    match run.chars().next() {
        Some('0'..='9') => Kind::Number,
        Some('a'..='z') => Kind::Word,
        Some('.' | '-' | '_') => Kind::Separator,
        _ => Kind::Other,
    }
}

/// Cuts a text where the kind of its characters changes.
fn runs(text: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let first = kind(rest);
        let end = rest.char_indices().find(|&(at, _)| kind(&rest[at..]) != first);
        let (run, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        runs.push(run);
        rest = after;
    }
    runs
}

/// A number without leading zeros; anything else as it is.
fn number(text: &str) -> &str {
    let is_number = text.bytes().all(|one| one.is_ascii_digit());
    match text.trim_start_matches('0') {
        "" if is_number => "0",
        bare if is_number => bare,
        _ => text,
    }
}

/// The usual one of several words.
fn word(word: &str) -> &str {
    match word {
        "alpha" => "a",
        "beta" => "b",
        "c" | "pre" | "preview" => "rc",
        "rev" | "r" => "post",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_the_same_to_an_index() {
        for name in ["Awkward_CPP", "awkward.cpp", "awkward-cpp", "AWKWARD--_.cpp", " awkward_cpp "]
        {
            assert_eq!(project(name), "awkward-cpp");
        }
        assert_ne!(project("awkwardcpp"), "awkward-cpp");
    }

    #[test]
    fn versions_that_are_the_same_and_versions_that_are_not() {
        for same in [
            ["1.0", "v1.0"],
            ["1.0", "01.00"],
            ["1.0RC1", "1.0-rc.1"],
            ["1.0rc1", "1.0_c1"],
            ["1.0rc", "1.0rc0"],
            ["1.0alpha2", "1.0a2"],
            ["1.0.post1", "1.0-1"],
            ["1.0.post1", "1.0_1"],
            ["1.0.rev1", "1.0-post1"],
            ["1.0.dev3", "1.0dev3"],
            ["1.0+Ubuntu-1", "1.0+ubuntu.1"],
            ["1.0+g01ab_2", "1.0+g01ab.2"],
            ["1!2.0", "1!2.0"],
        ] {
            assert_eq!(version(same[0]), version(same[1]), "{same:?}");
        }
        for different in [
            ["1.0", "1.1"],
            ["1.0", "10"],
            ["1.0", "1.0.0"],
            ["1.0", "1.0rc1"],
            ["1.0", "1.0+cu12"],
            ["1.0+1.2", "1.0+12"],
            ["1.0.1", "1.0-1"],
            ["1.0.1", "1.0+1"],
            ["1!2.0", "12.0"],
            ["1.0.post1", "1.0.post1.dev1"],
            ["", "0"],
        ] {
            assert_ne!(version(different[0]), version(different[1]), "{different:?}");
        }
    }
}
