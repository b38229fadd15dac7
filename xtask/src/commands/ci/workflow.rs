//! `cargo xtask ci workflow`.

use std::fs;
use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::ci::workflow::{self, Difference};
use crate::cli::ci::CiWorkflow;
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::package::{self, Project, Source, Traits};
use crate::pins::Pins;
use crate::text::quote;

/// Prints, writes or checks the workflow of the project's package.
pub(super) fn run(
    flags: &CiWorkflow,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    let project = Project::find(flags.project.as_deref(), environment)?;
    let package = match package::locate(None, &project, environment)? {
        Source::Folder(within) => project.root.join(within),
        Source::Sdist(archive) => archive,
    };
    let settings = Traits::read(&package)?.table.ci;
    let text = workflow::generate(&settings, &Pins::built_in()?.actions)?;
    let file = project.root.join(workflow::FILE);
    if flags.write {
        write(&file, &text)?;
        console.say(format!("wrote {file}"));
    } else if flags.check {
        check(&file, &text, &mend(flags))?;
        console.say(format!("{file} is what the settings give"));
    } else {
        console.data(text.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// The command that brings the file up to date.
fn mend(flags: &CiWorkflow) -> String {
    let project =
        flags.project.as_ref().map(|folder| format!(" --project {}", quote(folder.as_str())));
    format!("cargo xtask ci workflow --write{}", project.unwrap_or_default())
}

/// Puts the file in its place in one step.
fn write(file: &Utf8Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
    let beside = file.with_extension("yml.part");
    let placed = fs::write(&beside, text).and_then(|()| fs::rename(&beside, file));
    placed.map_err(|error| {
        // What is left of it is of no use to anyone.
        let _ = fs::remove_file(&beside);
        anyhow::Error::new(error).context(format!("cannot write {file}"))
    })
}

/// Whether the file is there and is that text.
fn check(file: &Utf8Path, text: &str, mend: &str) -> Result<()> {
    let found = match fs::read(file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Fault::usage(format!("there is no {file}"), format!("run `{mend}`")));
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {file}")),
    };
    let Some(Difference { line, found, wanted }) = workflow::first_difference(&found, text) else {
        return Ok(());
    };
    // Escaped as Rust does it: the file may hold anything.
    let show = |line: Option<&str>| {
        line.map_or_else(|| "the end of the file".to_owned(), |line| format!("{line:?}"))
    };
    Err(Fault::usage(
        format!(
            "{file} is out of date: line {line} is {}, and the settings give {}",
            show(found),
            show(wanted)
        ),
        format!(
            "run `{mend}` and commit the file; what it should have of its own belongs into \
             [tool.warmwheel.ci]"
        ),
    ))
}
