//! What has to be in order before a run begins: all that can be told at once, and what cannot work is
//! not begun.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::RUNS;
use crate::cli::{Builder, ReleaseWheels};
use crate::console::Console;
use crate::doctor::early::{self, Wanted};
use crate::doctor::examine::LAB;
use crate::doctor::judge;
use crate::environment::Environment;
use crate::host;
use crate::plan::facts::{ImageAnswer, ImageQuestion, Selected};
use crate::plan::{self, Plan};
use crate::settings::Settings;
use crate::setup::{self, Purpose};

/// What this machine is to be made ready for. Who leaves the choice to us, and has no engine, gets by
/// without one.
pub(crate) fn purpose(settings: &Settings, platform: &str, environment: &Environment) -> Purpose {
    let falls_back =
        || plan::host::may_fall_back(settings, platform) && host::engines(environment).is_empty();
    match settings.builder {
        _ if settings.image.as_deref() == Some(LAB) => Purpose::Lab,
        _ if platform != "linux" => Purpose::Host,
        Builder::Host => Purpose::Host,
        Builder::Auto if falls_back() => Purpose::Host,
        Builder::Auto | Builder::Cibuildwheel => Purpose::Build,
    }
}

/// The folder of a run's records, or the one that has those of all runs.
pub(crate) fn records(settings: &Settings, project: &Utf8Path) -> Utf8PathBuf {
    settings.report_dir.clone().unwrap_or_else(|| project.join(RUNS))
}

/// Installs what is missing if that was asked for, and refuses to begin what cannot end well. A plan is
/// made on any machine.
///
/// # Errors
/// Nothing could be built here.
pub(super) fn ensure(
    flags: &ReleaseWheels,
    settings: &Settings,
    project: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let platform = host::platform(environment);
    if flags.setup {
        let purpose = purpose(settings, &platform, environment);
        setup::ensure(purpose, flags.yes, environment, console)?;
    }
    if flags.plan.is_some() {
        return Ok(());
    }
    let records = records(settings, project);
    let wanted = Wanted { settings, records: &records, platform: &platform };
    early::ensure(&wanted, project, environment, console)
}

/// Looks at the places as soon as it is known whether there are containers, where that was open.
/// `settings` are those of such builds, and `here` tells that there are none.
///
/// # Errors
/// Nothing could be built here.
pub(super) fn settled(
    open: &Settings,
    settings: &Settings,
    here: bool,
    project: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let platform = host::platform(environment);
    if !plan::host::may_fall_back(open, &platform) {
        return Ok(());
    }
    let records = records(settings, project);
    let wanted = Wanted { settings, records: &records, platform: &platform };
    early::ensure_places(&wanted, settings, environment, console)?;
    if here { early::ensure_here(environment, console) } else { Ok(()) }
}

/// Refuses images that cannot be had, or that builds could not use. What an image does not tell is left
/// to the builds.
///
/// # Errors
/// One is not to be had, or has no ccache, and nothing that brings one.
pub(super) fn images(
    needed: &BTreeMap<ImageQuestion, Vec<&Selected>>,
    answers: &BTreeMap<ImageQuestion, ImageAnswer>,
    plan: &Plan,
    console: Console,
) -> Result<()> {
    for (question, builds) in needed {
        let Some(answer) = answers.get(question) else { continue };
        if let (None, Err(why)) = (&answer.id, &answer.contents) {
            return Err(judge::image_refused(question, why).into_fault());
        }
        let identifiers: Vec<_> = builds.iter().map(|build| &build.identifier).collect();
        let planned = plan.builds.iter().find(|build| identifiers.contains(&&build.identifier));
        if let Some(build) = planned {
            let may_install = builds.iter().any(|build| build.has_before_all());
            let contents = answer.contents.as_ref().ok();
            let check = judge::image_ccache(&question.image, &build.ccache, contents, may_install);
            early::heed(check, console)?;
        }
    }
    Ok(())
}
