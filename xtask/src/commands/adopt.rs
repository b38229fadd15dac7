//! `cargo xtask adopt`.

use anyhow::Result;

use crate::adopt::plan::facts::Facts;
use crate::adopt::plan::{self, Adoption};
use crate::adopt::{read, show, write};
use crate::cli::Adopt;
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::Folders;
use crate::text::quote;

/// Brings this Warmwheel into another repository, or says what differs there.
pub(crate) fn run(flags: &Adopt, environment: &Environment, console: Console) -> Result<()> {
    let folders = Folders::of(environment);
    folders.require_checkout("cargo xtask adopt")?;
    let package = flags.package.as_deref();
    let facts = read::facts(&flags.path, package, &folders.workspace, environment)?;
    let adoption = plan::make(&facts, flags.force)?;
    if flags.check {
        return check(&facts, &adoption, console);
    }
    console.say(show::summary(&facts, &adoption));
    if adoption.steps.is_empty() {
        console.say("nothing to write: all else is this Warmwheel's");
        return Ok(());
    }
    let diffs = show::diffs(&adoption, flags.diff);
    if !diffs.is_empty() {
        console.data(diffs.trim_end_matches('\n'));
    }
    if flags.diff || !is_agreed(flags, console)? {
        console.say("nothing was written");
        return Ok(());
    }
    write::apply(&facts.root, &adoption.steps)?;
    console.say(format!("wrote {} files", adoption.steps.len()));
    console.say(show::next(&facts, &adoption));
    Ok(())
}

/// Whether it may be written.
fn is_agreed(flags: &Adopt, console: Console) -> Result<bool> {
    if flags.yes {
        return Ok(true);
    }
    console.ask("write this?", false).ok_or_else(|| {
        Fault::usage(
            "nothing was written: there is no terminal to ask in",
            "add `--yes` to write it, or `--diff` to see all of it",
        )
    })
}

fn check(facts: &Facts, adoption: &Adoption, console: Console) -> Result<()> {
    let lines = plan::drift(facts, adoption)?;
    if lines.is_empty() {
        console.say(format!("{} has what this Warmwheel brings", facts.root));
        return Ok(());
    }
    let count = lines.len();
    for line in lines {
        console.say(line);
    }
    Err(Fault::usage(
        format!("{} differs from this Warmwheel in {count} files", facts.root),
        format!(
            "`cargo xtask adopt {}` brings up to date what was not changed there",
            quote(facts.root.as_str())
        ),
    ))
}
