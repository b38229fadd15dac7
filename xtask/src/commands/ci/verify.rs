//! `cargo xtask ci verify`.

mod folder;
mod metadata;

use std::process::ExitCode;

use anyhow::Result;

use super::{context_of, is_in_github, plan, summary_file};
use crate::ci::context::Context;
use crate::ci::verify::{self, Expected, Found, Problem};
use crate::cli::ci::{CiPlan, CiVerify};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::{Class, Fault, explain};
use crate::package::{self, Project, Source};
use crate::report::github::{self, Level};
use crate::text::shown;

/// Checks everything in the folder, says all that is wrong with it, and lists its hashes if nothing is.
pub(super) fn run(
    flags: &CiVerify,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    let project = Project::find(flags.project.as_deref(), environment)?;
    let folder = project.root.join(&flags.wheels);
    let mut found = folder::read(&folder)?;
    let expected = Expected {
        identifiers: identifiers(flags, || planned(flags, environment, console))?,
        project: declared_name(&project, environment)?,
    };
    metadata::check(&folder, &mut found, environment, console)?;
    let problems = verify::problems(&expected, &found);
    tell(&problems, environment, console);
    summarise(&found, &problems, environment, console);
    if !problems.is_empty() {
        let plural = if problems.len() == 1 { "" } else { "s" };
        let what = format!("{} problem{plural} with the wheels in {folder}", problems.len());
        let remedy = "each is named above with what to do about it; no SHA256SUMS was written";
        // Each problem is on the run's page by now; the sum of them is for people only.
        let fault = Fault::new(Class::Wheel, what, remedy);
        let code = ExitCode::from(fault.class.exit_code());
        console.say(explain(&fault.into()));
        return Ok(code);
    }
    let sums = verify::sums(&found);
    folder::write_sums(&folder, &sums)?;
    sums.lines().for_each(|line| console.data(line));
    console.say(format!("{}, all in order", verify::headline(&found)));
    Ok(ExitCode::SUCCESS)
}

/// The identifiers that must have a wheel, each once: those that are named, or else the plan's.
fn identifiers(
    flags: &CiVerify,
    planned: impl FnOnce() -> Result<Vec<String>>,
) -> Result<Vec<String>> {
    let named = flags.expect.iter().map(|one| one.trim().to_owned());
    let mut identifiers: Vec<_> = named.filter(|one| !one.is_empty()).collect();
    if identifiers.is_empty() {
        identifiers = planned()?;
    }
    identifiers.sort();
    identifiers.dedup();
    match identifiers.iter().find(|one| !verify::is_identifier(one)) {
        None => Ok(identifiers),
        Some(other) => Err(Fault::usage(
            format!("{:?} is no build identifier", shown(other)),
            "name what each wheel was built as, such as cp312-manylinux_x86_64, separated by commas",
        )),
    }
}

/// The identifiers that `ci plan` would hand to jobs here.
fn planned(flags: &CiVerify, environment: &Environment, console: Console) -> Result<Vec<String>> {
    let context = context_of(environment)?.unwrap_or_else(Context::elsewhere);
    let project = flags.project.clone();
    let flags = CiPlan { package: None, project, shards: None, pull_request: false };
    Ok(plan::make(&flags, &context, environment, console)?.identifiers)
}

/// The name of the project's package, if it has one that declares it.
fn declared_name(project: &Project, environment: &Environment) -> Result<Option<String>> {
    match package::locate(None, project, environment) {
        Ok(Source::Folder(within)) => package::declared_name(&project.root.join(within)),
        // Wheels of several packages in one repository, or of a source distribution.
        Ok(Source::Sdist(_)) | Err(_) => Ok(None),
    }
}

/// Names every problem, for people and, where it runs there, for GitHub.
fn tell(problems: &[Problem], environment: &Environment, console: Console) {
    for Problem { subject, what, remedy } in problems {
        console.say(format!("problem: {subject}: {what}\n  help: {remedy}"));
        if is_in_github(environment) {
            let message = format!("{subject}: {what}\n{remedy}");
            let line = github::annotation(Level::Error, subject, &message);
            console.write(|out| writeln!(out, "{line}"));
        }
    }
}

/// Adds to the job's summary page if there is one.
fn summarise(found: &[Found], problems: &[Problem], environment: &Environment, console: Console) {
    let Some(file) = summary_file(environment) else { return };
    if let Err(error) = github::append_summary(&file, &verify::summary(found, problems)) {
        // The verdict stands without it.
        console.warn(format!("{error:#}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_taken_once_each_and_refused_if_they_are_none() {
        let flags = |expect: &[&str]| CiVerify {
            wheels: "wheelhouse".into(),
            expect: expect.iter().map(|&one| one.to_owned()).collect(),
            project: None,
        };
        let both = flags(&["cp313-win32", " cp312-win32", "", "cp313-win32"]);
        let unasked = || unreachable!();
        assert_eq!(identifiers(&both, unasked).unwrap(), ["cp312-win32", "cp313-win32"]);
        for none in [&["cp312"][..], &["cp312-win32", "x\u{1b}-y"]] {
            let error = identifiers(&flags(none), unasked).unwrap_err();
            assert_eq!(crate::fault::class_of(&error).exit_code(), 2, "{none:?}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
        for unnamed in [&[][..], &["", " "]] {
            let planned = || Ok(vec!["cp312-win32".to_owned()]);
            assert_eq!(identifiers(&flags(unnamed), planned).unwrap(), ["cp312-win32"]);
        }
    }
}
