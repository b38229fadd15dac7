//! `twine check --strict` on wheels and source distributions.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8Path;

use crate::ci::verify::{Found, Twine, is_for_twine};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::Pins;
use crate::process::{self, Answer};
use crate::provision;

/// Hashing and reading a few hundred files on a slow machine.
const LIMIT: Duration = Duration::from_secs(600);

/// Asks twine about all that can be read and writes down what it says.
///
/// # Errors
/// twine cannot be installed, or does not work.
pub(super) fn check(
    folder: &Utf8Path,
    found: &mut [Found],
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let mut readable: Vec<_> = found.iter_mut().filter(|one| is_for_twine(one)).collect();
    if readable.is_empty() {
        return Ok(());
    }
    let python = provision::twine(&Pins::built_in()?, environment, console)?;
    let names: Vec<_> = readable.iter().map(|one| one.name.clone()).collect();
    let together = ask(&python, folder, &names)?;
    let all_passed = names.iter().all(|name| has_passed(&together, name));
    for one in &mut readable {
        // What it says of several is not told apart by file, and it stops at what it cannot read.
        one.twine = if all_passed {
            Twine::Passed
        } else {
            verdict(&ask(&python, folder, std::slice::from_ref(&one.name))?, &one.name)
        };
    }
    Ok(())
}

fn ask(python: &Utf8Path, folder: &Utf8Path, names: &[String]) -> Result<Answer> {
    let mut command = process::command(python);
    command
        .current_dir(folder)
        // Isolated, so that no file of that folder can pass itself off as a module.
        .args(["-I", "-X", "utf8", "-m", "twine", "--no-color", "check", "--strict"])
        .args(names)
        // It folds its lines to the terminal that it takes itself to have.
        .envs([("COLUMNS", "1000"), ("LINES", "100")]);
    let answer = process::ask(command, LIMIT).map_err(|error| {
        Fault::machine(
            format!("twine does not run: {error:#}"),
            "run it again with fewer other jobs",
        )
    })?;
    match answer.code {
        Some(0 | 1) => Ok(answer),
        _ => Err(Fault::machine(
            format!("twine has failed: {}", said(&answer)),
            "remove the folder `warmwheel/tools` in your cache and run again: it is installed anew",
        )),
    }
}

fn verdict(answer: &Answer, name: &str) -> Twine {
    if has_passed(answer, name) { Twine::Passed } else { Twine::Refused(said(answer)) }
}

/// Whether twine says of this very file that it is in order. That it found no fault is not enough.
fn has_passed(answer: &Answer, name: &str) -> bool {
    let line = format!("Checking {name}: PASSED");
    answer.code == Some(0) && answer.stdout.lines().any(|said| said.trim_end() == line)
}

/// What twine has written but for the files' names and whether they passed: of a traceback the last
/// line.
fn said(answer: &Answer) -> String {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = || answer.stdout.lines().chain(answer.stderr.lines()).map(str::trim);
    let mut lines = all().filter(|line| !line.is_empty());
    if all().any(|line| line.contains("Traceback (most recent")) {
        return lines.next_back().unwrap_or_default().to_owned();
    }
    // What it has to say of a file may stand behind the name, in the same line.
    let behind = |line: &str| {
        let of_file = line.strip_prefix("Checking ").and_then(|rest| rest.split_once(": "));
        let (_, said) = of_file.unwrap_or(("", line));
        let is_verdict = of_file.is_some() && (said == "PASSED" || said.starts_with("FAILED"));
        if is_verdict { String::new() } else { words(said) }
    };
    let said: Vec<_> = lines.map(behind).filter(|line| !line.is_empty()).collect();
    if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: i32, stdout: &str, stderr: &str) -> Answer {
        Answer { code: Some(code), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn only_what_is_said_to_have_passed_has() {
        let fine = answer(0, "Checking a.whl: PASSED\nChecking b.whl: PASSED\n", "");
        assert_eq!(verdict(&fine, "a.whl"), Twine::Passed);
        for other in [
            answer(0, "", ""),
            answer(0, "ERROR    No files to check.\n", ""),
            answer(0, "Checking aa.whl: PASSED\n", ""),
            answer(0, "Checking a.whl: PASSED with warnings\n", ""),
            answer(1, "Checking a.whl: PASSED\n", ""),
        ] {
            assert_ne!(verdict(&other, "a.whl"), Twine::Passed, "{other:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        let warned =
            "Checking a.whl: FAILED due to warnings\nWARNING  `long_description` missing.  \n";
        let refused = verdict(&answer(1, warned, ""), "a.whl");
        assert_eq!(refused, Twine::Refused("WARNING `long_description` missing.".to_owned()));
        let invalid = "Checking a.whl: ERROR    InvalidDistribution: 'x y' is no name  \n";
        let refused = verdict(&answer(1, invalid, ""), "a.whl");
        let said = "ERROR InvalidDistribution: 'x y' is no name";
        assert_eq!(refused, Twine::Refused(said.to_owned()));
        let crashed = "Traceback (most recent call last):\n  File x\nBadZipFile: no zip\n";
        let refused = verdict(&answer(1, "Checking a.whl: ", crashed), "a.whl");
        assert_eq!(refused, Twine::Refused("BadZipFile: no zip".to_owned()));
    }
}
