//! What of a repository's own Rust, if it has any, bears on the workspace that is brought.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::additions::{self, Addition, Setting};
use crate::fault::Fault;
use crate::folders::HOME;
use crate::text::shown;

/// Where cargo's aliases stand, relative to the repository.
pub(super) const CONFIG: &str = ".cargo/config.toml";
/// The name that file had once; cargo prefers it.
pub(super) const OLD_CONFIG: &str = ".cargo/config";
/// The files that can name the toolchain of a folder.
pub(super) const TOOLCHAINS: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];

/// What `cargo xtask` stands for. The target folder is one of its own, so that nothing of the
/// repository's own Rust is built again for it, or waits for it.
pub(super) fn alias() -> String {
    format!(
        "run --quiet --locked --manifest-path {HOME}/Cargo.toml --target-dir target/xtask \
         --package xtask --"
    )
}

/// The alias of a repository, and what is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Alias {
    /// It is as it should be.
    There,
    /// The file is to be like this.
    Added(String),
    /// It leads to Warmwheel by other words.
    Differs(String),
}

/// Looks for the alias in cargo's configuration.
///
/// # Errors
/// The name is taken, or the file leaves no place for it.
pub(super) fn find_alias(config: Option<&str>) -> Result<Alias> {
    let file = Utf8Path::new(CONFIG);
    let text = config.unwrap_or_default();
    let table = additions::parse(text, file)?;
    let path = ["alias".to_owned()];
    if let Some(found) = additions::look_up(&table, &path, "xtask") {
        let words = words(found);
        return match words.join(" ") {
            line if line == alias() => Ok(Alias::There),
            _ if words.iter().any(|word| word.contains(HOME)) => {
                Ok(Alias::Differs(words.join(" ")))
            }
            line => Err(Fault::usage(
                format!("{CONFIG} has an alias xtask already: {}", shown(&line)),
                "this repository has an xtask of its own, which stays; from a checkout of \
                 Warmwheel, `cargo xtask release-wheels --project PATH` builds its wheels without \
                 adopting anything",
            )),
        };
    }
    let addition = Addition::new("alias", "xtask", Setting::Text(alias()));
    let (text, left) = additions::extend(text, std::slice::from_ref(&addition));
    if left.is_empty() {
        return Ok(Alias::Added(text));
    }
    Err(Fault::usage(
        format!("{CONFIG} leaves no place for an alias"),
        format!("add it by hand: {}", addition.by_hand()),
    ))
}

/// An alias is a text, or a list of its words.
fn words(alias: &Value) -> Vec<String> {
    match alias {
        Value::Array(words) => {
            words.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        }
        other => {
            other.as_str().unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect()
        }
    }
}

/// Refuses a repository whose own workspace would take in what is brought: cargo then finds two
/// roots and builds neither.
///
/// # Errors
/// A pattern of its members fits, and nothing excludes the folder.
pub(super) fn refuse_claims(manifest: Option<&str>) -> Result<()> {
    // What cargo could not read either is not for us to say.
    let Some(manifest) = manifest.and_then(|text| text.parse::<Table>().ok()) else {
        return Ok(());
    };
    let list = |key: &str| -> Vec<String> {
        let list = additions::look_up(&manifest, &["workspace".to_owned()], key);
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    if list("exclude").iter().any(|folder| Utf8Path::new(HOME).starts_with(folder)) {
        return Ok(());
    }
    let own = ["", "xtask", "xtask/validator"].map(|folder| Utf8Path::new(HOME).join(folder));
    let fits = |pattern: &&String| own.iter().any(|folder| matches(pattern, folder));
    match list("members").iter().find(fits) {
        None => Ok(()),
        Some(pattern) => Err(Fault::usage(
            format!("the workspace of its Cargo.toml takes in {HOME}, by {}", shown(pattern)),
            format!(
                "add `exclude = [\"{HOME}\"]` to its [workspace]: what is brought is one of its own"
            ),
        )),
    }
}

/// Whether a pattern of cargo's fits a folder, name by name.
fn matches(pattern: &str, folder: &Utf8Path) -> bool {
    let pattern = Utf8PathBuf::from(pattern);
    let patterns: Vec<_> = pattern.components().map(|part| part.as_str()).collect();
    let names: Vec<_> = folder.components().map(|part| part.as_str()).collect();
    matches_from(&patterns, &names)
}

fn matches_from(patterns: &[&str], names: &[&str]) -> bool {
    match (patterns.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            (0..=names.len()).any(|taken| matches_from(rest, &names[taken..]))
        }
        (Some((pattern, patterns)), Some((name, names))) => {
            // A set in brackets fits anything here: better to ask for a line too many.
            let fits = pattern.contains('[') || fits(pattern.as_bytes(), name.as_bytes());
            fits && matches_from(patterns, names)
        }
        _ => false,
    }
}

/// Whether a name fits a pattern with `*` and `?`.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|taken| fits(rest, &name[taken..])),
        (Some((wanted, rest)), Some((found, name))) => {
            (*wanted == b'?' || wanted == found) && fits(rest, name)
        }
        _ => false,
    }
}

/// The toolchain that a repository asks for, if that is one that cannot compile what is brought.
pub(super) fn too_old(toolchain: &str, workspace: &str) -> Option<String> {
    let needed = workspace.parse::<Table>().ok()?;
    let package = ["workspace".to_owned(), "package".to_owned()];
    let needed = additions::look_up(&needed, &package, "rust-version")?.as_str()?.to_owned();
    let asked = match toolchain.parse::<Table>() {
        Ok(table) => {
            additions::look_up(&table, &["toolchain".to_owned()], "channel")?.as_str()?.to_owned()
        }
        // The older form is the name alone.
        Err(_) => toolchain.trim().to_owned(),
    };
    (release(&asked)? < release(&needed)?)
        .then(|| format!("it asks for Rust {}, and Warmwheel needs {needed}", shown(&asked)))
}

fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{class_of, explain};

    #[test]
    fn the_alias_is_added_to_whatever_is_there() {
        let Alias::Added(text) = find_alias(None).unwrap() else { panic!("not added") };
        assert!(text.starts_with("[alias]\nxtask = \"run --quiet --locked --manifest-path "));
        assert_eq!(find_alias(Some(&text)).unwrap(), Alias::There);

        let own = "# ours\n[alias]\nb = 'build'\n[build]\nrustflags = []\n";
        let Alias::Added(text) = find_alias(Some(own)).unwrap() else { panic!("not added") };
        assert!(text.starts_with("# ours\n[alias]\nxtask = "), "{text}");
        assert!(text.ends_with("\nb = 'build'\n[build]\nrustflags = []\n"), "{text}");
        assert_eq!(find_alias(Some(&text)).unwrap(), Alias::There);
    }

    #[test]
    fn an_alias_may_be_a_list_of_words() {
        let words: Vec<_> = alias().split(' ').map(|word| format!("'{word}'")).collect();
        let text = format!("alias.xtask = [{}]\n", words.join(", "));
        assert_eq!(find_alias(Some(&text)).unwrap(), Alias::There);
    }

    #[test]
    fn an_xtask_of_their_own_is_refused_and_an_older_one_of_ours_is_not() {
        let own = "[alias]\nxtask = 'run --package xtask --'\n";
        let error = find_alias(Some(own)).unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 2);
        assert!(explain(&error).contains("--project PATH"), "{}", explain(&error));
        assert!(find_alias(Some("[alias]\nxtask = 3\n")).is_err());
        assert!(find_alias(Some("alias = {}\n")).is_err());
        assert!(find_alias(Some("[alias\n")).is_err());

        let older = "[alias]\nxtask = 'run --manifest-path tools/warmwheel/Cargo.toml --'\n";
        let found = find_alias(Some(older)).unwrap();
        assert!(matches!(found, Alias::Differs(_)), "{found:?}");
    }

    #[test]
    fn a_workspace_that_would_take_in_what_is_brought_is_refused() {
        for members in ["tools/*", "**", "tools/warm*", "*/*", "tools/*/xtask", "tools/[a-z]*"] {
            let manifest = format!("[workspace]\nmembers = ['a', '{members}']\n");
            let error = refuse_claims(Some(&manifest)).unwrap_err();
            assert!(explain(&error).contains("exclude = [\"tools/warmwheel\"]"), "{members}");
            for excluded in ["tools/warmwheel", "tools"] {
                refuse_claims(Some(&format!("{manifest}exclude = ['{excluded}']\n"))).unwrap();
            }
        }
        for manifest in [
            "[workspace]\nmembers = ['crates/*', 'tools', '*', 'tools/warm']\n",
            "[package]\nname = 'p'\n",
            "[workspace]\n",
            "broken",
        ] {
            refuse_claims(Some(manifest)).unwrap();
        }
        refuse_claims(None).unwrap();
    }

    #[test]
    fn a_toolchain_that_is_too_old_is_said() {
        let workspace = "[workspace.package]\nrust-version = \"1.95\"\n";
        let old = ["1.74", "1.74.1\n", "[toolchain]\nchannel = '1.80.0'\n", "1.94-x86_64"];
        assert!(old.iter().all(|toolchain| too_old(toolchain, workspace).is_some()));
        let new = ["stable", "1.95", "[toolchain]\nchannel = 'nightly'\n", "[toolchain]\n", "2.0"];
        assert!(new.iter().all(|toolchain| too_old(toolchain, workspace).is_none()));
        assert!(too_old("1.74", "").is_none());
    }
}
