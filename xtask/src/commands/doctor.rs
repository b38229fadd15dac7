//! `cargo xtask doctor`.

use std::process::ExitCode;

use anyhow::Result;

use super::release_wheels::input::Input;
use super::release_wheels::ready::{purpose, records};
use crate::cli::Builder;
use crate::cli::doctor::Doctor;
use crate::console::Console;
use crate::doctor::examine::{self, Subject};
use crate::doctor::show;
use crate::environment::Environment;
use crate::fault::Class;
use crate::folders::Folders;
use crate::host;
use crate::lab;
use crate::pins::Pins;
use crate::provision;
use crate::settings::Settings;
use crate::setup::{self, Purpose};

/// Tells what a run needs of this machine and how each of it stands.
pub(crate) fn run(flags: &Doctor, environment: &Environment, console: Console) -> Result<ExitCode> {
    let wheels = flags.run();
    let input = Input::read(&wheels, environment)?;
    let project = &input.project.root;
    let settings = Settings::resolve(&wheels, &input.traits.table, project, environment)?
        .built_by(None, &wheels)?;
    let (folders, pins) = (Folders::of(environment), Pins::built_in()?);
    let subject = Subject {
        settings: &settings,
        traits: &input.traits,
        project,
        root: &input.root,
        package: &input.package,
        records: &records(&settings, project),
        folders: &folders,
        platform: &host::platform(environment),
        pins: &pins,
        environment,
        console,
    };
    if flags.setup {
        set_up(flags, &subject)?;
    }
    let checks = examine::all(&subject)?;
    console.data(if flags.json { show::json(&checks)? } else { show::table(&checks) });
    let is_well = show::is_well(&checks);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(Class::Machine.exit_code()) })
}

/// Gets all that a run would get, and what it cannot get by itself.
fn set_up(flags: &Doctor, subject: &Subject<'_>) -> Result<()> {
    let Subject { settings, pins, environment, console, .. } = *subject;
    let purpose = purpose(settings, subject.platform, environment);
    setup::ensure(purpose, flags.yes, environment, console)?;
    let python = provision::cibuildwheel(pins, environment, console)?;
    if purpose == Purpose::Lab {
        lab::make(&subject.folders.target, settings.engine, environment, pins, console)?;
    }
    // Elsewhere it is cibuildwheel that builds on the machine itself, unless it is told not to.
    let are_ours = settings.builder == Builder::Host || subject.platform == "linux";
    if purpose == Purpose::Host && are_ours {
        provision::host_tools(pins, &python, environment, console)?;
    }
    Ok(())
}
