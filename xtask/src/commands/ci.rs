//! `cargo xtask ci`.

mod build;
mod plan;
mod verify;
mod workflow;

use std::process::ExitCode;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::ci::context::Context;
use crate::cli::ci::{Ci, CiCommand};
use crate::console::Console;
use crate::environment::Environment;
use crate::fault;
use crate::report::github::{self, Level};

/// Runs the subcommand; building is the default. In GitHub Actions a failure is put on the run's page
/// as well.
pub(crate) fn run(flags: &Ci, environment: &Environment) -> Result<ExitCode> {
    let in_github = is_in_github(environment);
    let console = if in_github { Console::guarded(github::inert) } else { Console::new() };
    let done = dispatch(flags, environment, console);
    match done {
        Err(error) if in_github => Ok(tell(&error, environment, console)),
        done => done,
    }
}

fn dispatch(flags: &Ci, environment: &Environment, console: Console) -> Result<ExitCode> {
    match &flags.command {
        None => build::run(&flags.build, environment, console),
        Some(CiCommand::Build(flags)) => build::run(flags, environment, console),
        Some(CiCommand::Plan(flags)) => plan::run(flags, environment, console),
        Some(CiCommand::Verify(flags)) => verify::run(flags, environment, console),
        Some(CiCommand::Workflow(flags)) => workflow::run(flags, environment, console),
    }
}

/// Tells of what went wrong before there was any build to tell of, or after the last one.
fn tell(error: &anyhow::Error, environment: &Environment, console: Console) -> ExitCode {
    let text = fault::explain(error);
    let message = text.strip_prefix("error: ").unwrap_or(&text);
    let line = github::annotation(Level::Error, "Warmwheel", message);
    console.say(&text);
    console.write(|out| writeln!(out, "{line}"));
    if let Some(file) = summary_file(environment) {
        let section = github::failure_section(message);
        if let Err(error) = github::append_summary(&file, &section) {
            console.warn(format!("{error:#}"));
        }
    }
    ExitCode::from(fault::class_of(error).exit_code())
}

fn is_in_github(environment: &Environment) -> bool {
    environment.get("GITHUB_ACTIONS") == Some("true")
}

fn outputs_file(environment: &Environment) -> Option<Utf8PathBuf> {
    environment.get("GITHUB_OUTPUT").map(Utf8PathBuf::from)
}

fn summary_file(environment: &Environment) -> Option<Utf8PathBuf> {
    environment.get("GITHUB_STEP_SUMMARY").map(Utf8PathBuf::from)
}

/// What GitHub says of this run; `None` elsewhere.
///
/// # Errors
/// GitHub's own variables are incomplete.
fn context_of(environment: &Environment) -> Result<Option<Context>> {
    if !is_in_github(environment) {
        return Ok(None);
    }
    let event = environment.get("GITHUB_EVENT_PATH");
    // Without it the default branch is unknown, and nothing is saved.
    let event = event.and_then(|path| std::fs::read_to_string(path).ok());
    Context::of(environment, event.as_deref()).map(Some)
}
