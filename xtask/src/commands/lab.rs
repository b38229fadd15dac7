//! `cargo xtask lab`.

use anyhow::Result;

use crate::cli;
use crate::console::Console;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::lab;
use crate::pins::Pins;
use crate::setup::{self, Purpose};

/// Makes the test image, or finds it made, and prints the file that makes cibuildwheel use it.
pub(crate) fn run(flags: &cli::Lab, environment: &Environment, console: Console) -> Result<()> {
    let folders = Folders::of(environment);
    if flags.setup {
        setup::ensure(Purpose::Lab, flags.yes, environment, console)?;
    }
    let lab = lab::make(&folders.target, flags.engine, environment, &Pins::built_in()?, console)?;
    console.say(format!(
        "{} in {}, for {}",
        lab.image,
        lab.engine.name(),
        lab.identifiers.join(", ")
    ));
    console.data(folders.target.join("lab/env"));
    Ok(())
}
