//! `cargo xtask ci verify`.

mod folder;
mod metadata;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::ci::verify::{self, Expected, Found, Problem};
use crate::cli::ci::CiVerify;
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::{Class, Fault};
use crate::package::{self, Project, Source};
use crate::text::shown;

/// Checks everything in the folder, says all that is wrong with it, and lists its hashes if nothing is.
pub(super) fn run(
    flags: &CiVerify,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    let project = Project::find(flags.project.as_deref(), environment)?;
    let expected = Expected {
        identifiers: identifiers(flags)?,
        project: declared_name(&project, environment)?,
    };
    let folder = project.root.join(&flags.wheels);
    let mut found = folder::read(&folder)?;
    metadata::check(&folder, &mut found, environment, console)?;
    let problems = verify::problems(&expected, &found);
    tell(&problems, environment, console);
    summarise(&found, &problems, environment, console);
    if !problems.is_empty() {
        let plural = if problems.len() == 1 { "" } else { "s" };
        let what = format!("{} problem{plural} with the wheels in {folder}", problems.len());
        let remedy = "each is named above with what to do about it; no SHA256SUMS was written";
        return Err(Fault::new(Class::Wheel, what, remedy).into());
    }
    let sums = verify::sums(&found);
    folder::write_sums(&folder, &sums)?;
    sums.lines().for_each(|line| console.data(line));
    console.say(format!("{}, all in order", verify::headline(&found)));
    Ok(ExitCode::SUCCESS)
}

/// The identifiers that must have a wheel, each once.
fn identifiers(flags: &CiVerify) -> Result<Vec<String>> {
    let mut identifiers: Vec<_> = flags.expect.iter().map(|one| one.trim().to_owned()).collect();
    identifiers.retain(|one| !one.is_empty());
    identifiers.sort();
    identifiers.dedup();
    if identifiers.is_empty() {
        return planned_identifiers();
    }
    match identifiers.iter().find(|one| !verify::is_identifier(one)) {
        None => Ok(identifiers),
        Some(other) => Err(Fault::usage(
            format!("{:?} is no build identifier", shown(other)),
            "name what each wheel was built as, such as cp312-manylinux_x86_64, separated by commas",
        )),
    }
}

/// The identifiers of the package's plan, for when none were named.
fn planned_identifiers() -> Result<Vec<String>> {
    Err(Fault::usage(
        "nothing tells which wheels there should be",
        "name their build identifiers: `--expect cp312-manylinux_x86_64,cp313-manylinux_x86_64`, or \
         WARMWHEEL_EXPECT; in a workflow it is the output `identifiers` of the job that plans",
    ))
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
    let is_github = environment.get("GITHUB_ACTIONS") == Some("true");
    for Problem { subject, what, remedy } in problems {
        console.say(format!("problem: {subject}: {what}\n  help: {remedy}"));
        if is_github {
            console.say(annotation(Level::Error, subject, &format!("{subject}: {what}\n{remedy}")));
        }
    }
}

/// Adds to the job's summary page if there is one.
fn summarise(found: &[Found], problems: &[Problem], environment: &Environment, console: Console) {
    let Some(file) = environment.get("GITHUB_STEP_SUMMARY") else { return };
    if let Err(error) = append(Utf8Path::new(file), &verify::summary(found, problems)) {
        // The verdict stands without it.
        console.say(format!("warning: {error:#}"));
    }
}

fn append(file: &Utf8Path, text: &str) -> Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write the summary to {file}"))
}

/// How bad an annotation is.
#[derive(Clone, Copy, Debug)]
enum Level {
    Error,
}

/// A line that GitHub's runner shows beside the job.
fn annotation(level: Level, title: &str, message: &str) -> String {
    let level = match level {
        Level::Error => "error",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} title={title}::{}", data(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_ends_where_it_should() {
        assert_eq!(
            annotation(Level::Error, "a, b: 100%", "x\r\n::warning::y 5% a, b: c"),
            "::error title=a%2C b%3A 100%25::x%0D%0A::warning::y 5%25 a, b: c"
        );
    }

    #[test]
    fn identifiers_are_taken_once_each_and_refused_if_they_are_none() {
        let flags = |expect: &[&str]| CiVerify {
            wheels: "wheelhouse".into(),
            expect: expect.iter().map(|&one| one.to_owned()).collect(),
            project: None,
        };
        let both = flags(&["cp313-win32", " cp312-win32", "", "cp313-win32"]);
        assert_eq!(identifiers(&both).unwrap(), ["cp312-win32", "cp313-win32"]);
        for none in [&[][..], &[""], &["cp312"], &["cp312-win32", "x\u{1b}-y"]] {
            let error = identifiers(&flags(none)).unwrap_err();
            assert_eq!(crate::fault::class_of(&error).exit_code(), 2, "{none:?}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
    }
}
