//! The test image: a Debian with this machine's interpreters where manylinux has them, for machines
//! that no container registry can be reached from. Made once, and named after what it is made from.

mod engine;
pub(crate) mod interpreters;
mod network;
mod recipe;
mod steps;
mod tree;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use self::engine::Arrangement;
use self::recipe::Recipe;
use self::steps::Steps;
use crate::cli::Engine;
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::Pins;
use crate::setup::{self, Purpose};
use crate::text;

/// What to do on machines that it cannot be made on.
const ELSEWHERE: &str = "leave out `--image lab`: a manylinux image needs none of this";

/// A test image that is ready, and what cibuildwheel needs to use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lab {
    /// The engine that has it: `podman` or `docker`.
    pub(crate) engine: Engine,
    /// Its full name.
    pub(crate) image: String,
    /// Its architecture, in the words of platform tags, such as `x86_64`.
    pub(crate) architecture: String,
    /// Environment variables that the engine needs to run containers on this machine.
    pub(crate) environment: BTreeMap<String, String>,
    /// Arguments that the engine's `create` needs to make containers on this machine.
    pub(crate) create_args: Vec<String>,
    /// The build identifiers that it has interpreters for, oldest first.
    pub(crate) identifiers: Vec<String>,
}

impl Lab {
    /// The lines that make a plain cibuildwheel use the image, for a POSIX shell.
    fn exports(&self) -> String {
        let image = format!("CIBW_MANYLINUX_{}_IMAGE", self.architecture.to_uppercase());
        let engine = match self.create_args.join(" ") {
            arguments if arguments.is_empty() => self.engine.name().to_owned(),
            arguments => format!("{}; create_args: {arguments}", self.engine.name()),
        };
        let own = [(image, self.image.clone()), ("CIBW_CONTAINER_ENGINE".to_owned(), engine)];
        let lines = own
            .iter()
            .map(|(name, value)| (name, value))
            .chain(&self.environment)
            .map(|(name, value)| format!("export {name}={}\n", text::quote(value)));
        lines.collect::<Vec<_>>().concat()
    }
}

/// The files that tell about the image, below the target folder.
struct Files {
    folder: Utf8PathBuf,
}

impl Files {
    fn below(target: &Utf8Path) -> Result<Self> {
        let folder = camino::absolute_utf8(target.join("lab"))
            .with_context(|| format!("cannot find out where {target} is"))?;
        Ok(Self { folder })
    }

    fn facts(&self) -> Utf8PathBuf {
        self.folder.join("lab.json")
    }

    fn recorded(&self) -> Option<Lab> {
        serde_json::from_str(&fs::read_to_string(self.facts()).ok()?).ok()
    }

    fn write(&self, lab: &Lab) -> Result<()> {
        let facts = serde_json::to_string_pretty(lab)? + "\n";
        for (path, text) in [(self.folder.join("env"), lab.exports()), (self.facts(), facts)] {
            fs::write(&path, text).with_context(|| format!("cannot write {path}"))?;
        }
        Ok(())
    }
}

/// The test image that was made last, as long as it is there and what it is made from has not
/// changed since. Asks the engine one question.
///
/// # Errors
/// The pins ask for an interpreter that this machine lacks.
pub(crate) fn ready(
    target: &Utf8Path,
    environment: &Environment,
    pins: &Pins,
) -> Result<Option<Lab>> {
    let Some(lab) = Files::below(target)?.recorded() else { return Ok(None) };
    let tag = Recipe::for_this_machine(environment, pins)?.tag()?;
    Ok(Some(lab).filter(|lab| is_current(lab, &pins.lab.name, &tag)))
}

fn is_current(lab: &Lab, name: &str, tag: &str) -> bool {
    // All values are paths; a folder that was moved takes its files elsewhere.
    lab.environment.values().all(|path| Utf8Path::new(path).exists())
        && lab.image == lab.engine.reference(name, tag)
        && lab.engine.has(&lab.image)
}

/// Makes the test image, or finds it already made, and writes down in `target/lab` how to use it.
/// Old test images are removed after a new one was made.
///
/// # Errors
/// The machine lacks something, a step fails, or this process is asked to stop meanwhile.
pub(crate) fn make(
    target: &Utf8Path,
    engine: Option<Engine>,
    environment: &Environment,
    pins: &Pins,
    console: Console,
) -> Result<Lab> {
    if !cfg!(target_os = "linux") {
        return Err(Fault::machine("the test image is made on Linux only", ELSEWHERE));
    }
    let files = Files::below(target)?;
    let recipe = Recipe::for_this_machine(environment, pins)?;
    let tag = recipe.tag()?;
    let wanted = |lab: &Lab| engine.is_none_or(|engine| engine == lab.engine);
    if let Some(lab) = files.recorded().filter(wanted)
        && is_current(&lab, &pins.lab.name, &tag)
    {
        return Ok(lab);
    }

    let engine = Engine::choose(engine, environment)?;
    let image = engine.reference(&pins.lab.name, &tag);
    fs::create_dir_all(&files.folder).with_context(|| format!("cannot make {}", files.folder))?;
    let mut steps = Steps::begin(&files.folder.join("log"), console)?;
    if !engine.has(&image) {
        make_image(&recipe, engine, &image, environment, &mut steps)?;
    }
    let Arrangement { environment, create_args } =
        engine.arrange(&image, &files.folder, environment, &mut steps)?;
    let lab = Lab {
        engine,
        image,
        identifiers: recipe::identifiers(&pins.lab.pythons, &recipe.architecture),
        architecture: recipe.architecture,
        environment,
        create_args,
    };
    files.write(&lab)?;
    Ok(lab)
}

fn make_image(
    recipe: &Recipe,
    engine: Engine,
    image: &str,
    environment: &Environment,
    steps: &mut Steps,
) -> Result<()> {
    setup::require(Purpose::Image, environment)?;
    if !setup::is_root() {
        return Err(Fault::machine(
            "only root can make the test image: debootstrap makes devices and mounts",
            format!("run `cargo xtask lab` as root, or {ELSEWHERE}"),
        ));
    }
    let folder = environment.cache_folder()?.join("lab");
    let lock = tree::Lock::take(&folder, steps)?;
    // Whoever held the lock may have made it.
    if engine.has(image) {
        return Ok(());
    }
    steps.empty_log()?;
    steps.say(&format!("making the test image {image}, once"));
    tree::make(recipe, engine, image, &folder, &lock, steps)?;
    engine.remove_others(image, steps);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab() -> Lab {
        Lab {
            engine: Engine::Podman,
            image: "localhost/warmwheel-lab:1".to_owned(),
            architecture: "x86_64".to_owned(),
            environment: BTreeMap::from([(
                "CONTAINERS_CONF".to_owned(),
                "/my work/containers.conf".to_owned(),
            )]),
            create_args: Vec::new(),
            identifiers: vec!["cp310-manylinux_x86_64".to_owned()],
        }
    }

    #[test]
    fn the_exports_are_what_a_shell_and_cibuildwheel_understand() {
        assert_eq!(
            lab().exports(),
            "export CIBW_MANYLINUX_X86_64_IMAGE=localhost/warmwheel-lab:1\n\
             export CIBW_CONTAINER_ENGINE=podman\n\
             export CONTAINERS_CONF='/my work/containers.conf'\n"
        );
        let docker = Lab {
            engine: Engine::Docker,
            create_args: vec!["--network=host".to_owned()],
            environment: BTreeMap::new(),
            architecture: "aarch64".to_owned(),
            ..lab()
        };
        assert_eq!(
            docker.exports(),
            "export CIBW_MANYLINUX_AARCH64_IMAGE=localhost/warmwheel-lab:1\n\
             export CIBW_CONTAINER_ENGINE='docker; create_args: --network=host'\n"
        );
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::below(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        assert_eq!(files.recorded(), None);
        fs::create_dir_all(&files.folder).unwrap();
        files.write(&lab()).unwrap();
        assert_eq!(files.recorded(), Some(lab()));
        fs::write(files.facts(), "{}").unwrap();
        assert_eq!(files.recorded(), None);
    }
}
