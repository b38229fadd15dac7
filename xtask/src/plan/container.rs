//! What a build's container is: the image, the engine that runs it, and what it is started with.

use anyhow::Result;

use super::facts::{Facts, ImageQuestion, Selected};
use super::{Mount, RUN_LABEL};
use crate::cli::Engine;
use crate::doctor::judge;
use crate::fault::Fault;

/// What an engine has to be asked about a build's image, if it is built in one.
pub(super) fn question_of(facts: &Facts<'_>, selected: &Selected) -> Result<Option<ImageQuestion>> {
    let Some(image) = image_of(facts, selected) else { return Ok(None) };
    let tag = selected.identifier.split_once('-').map_or("", |(_, tag)| tag);
    let platform = platform_of(tag.split_once('_').map_or("", |(_, architecture)| architecture));
    Ok(Some(ImageQuestion { engine: engine_of(facts, selected)?, image, platform }))
}

/// What engines call the platform of a processor's kind.
pub(crate) fn platform_of(architecture: &str) -> String {
    match architecture {
        "x86_64" => "linux/amd64".to_owned(),
        "i686" => "linux/386".to_owned(),
        "aarch64" => "linux/arm64".to_owned(),
        "armv7l" => "linux/arm/v7".to_owned(),
        other => format!("linux/{other}"),
    }
}

/// The image: the run's choice before the package's own.
fn image_of(facts: &Facts<'_>, selected: &Selected) -> Option<String> {
    let own = selected.image.as_ref().filter(|_| facts.host.is_none())?;
    let chosen = facts.lab.map(|lab| &lab.image).or(facts.settings.image.as_ref());
    Some(chosen.unwrap_or(own).clone())
}

/// The variable that sets the image of an identifier's platform tag.
pub(super) fn image_variable(identifier: &str) -> String {
    let tag = identifier.split_once('-').map_or(identifier, |(_, tag)| tag);
    format!("CIBW_{tag}_IMAGE_LINUX").to_uppercase()
}

/// The engine: the run's choice, the package's, or whichever answers.
fn engine_of(facts: &Facts<'_>, selected: &Selected) -> Result<Engine> {
    let asked = facts.settings.engine.map(|engine| (engine, "--engine".to_owned()));
    let lab = facts.lab.map(|lab| (lab.engine, "the test image".to_owned()));
    let own = selected.origins.get("container-engine").cloned().flatten();
    let own = own.map(|origin| (selected.engine.name, origin));
    let wanted = asked.or(lab).or(own);
    let (engine, answers) = match &wanted {
        Some((engine, _)) => (Some(*engine), facts.engines.contains(engine)),
        None => (facts.engines.first().copied(), true),
    };
    engine.filter(|_| answers).ok_or_else(|| {
        judge::no_engine(wanted.as_ref().map(|(engine, origin)| (*engine, origin.as_str())))
            .into_fault()
    })
}

/// What Warmwheel adds to the engine's `create`.
pub(super) fn create_args(facts: &Facts<'_>, mounts: &[Mount]) -> Result<Vec<String>> {
    let mut arguments = vec![format!("--label={RUN_LABEL}={}", facts.run_id)];
    for mount in mounts {
        if mount.host.as_str().contains(':') {
            return Err(Fault::usage(
                format!("{} cannot be mounted into a container: it has a colon", mount.host),
                "engines separate the parts of a mount by colons; use another folder",
            ));
        }
        let mode = if mount.read_only { ":ro" } else { "" };
        arguments.push(format!("--volume={}:{}{mode}", mount.host, mount.container));
    }
    if let Some(lab) = facts.lab {
        arguments.extend(lab.create_args.iter().cloned());
    }
    Ok(arguments)
}
