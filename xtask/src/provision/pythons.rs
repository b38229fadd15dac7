//! The Python that makes the environments of the pinned tools.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8PathBuf;

use super::ASK_LIMIT;
use crate::doctor::facts::Pythons;
use crate::doctor::judge;
use crate::environment::Environment;
use crate::pins::Pins;
use crate::process;
use crate::setup::Installer;

/// A Python that is new enough to run cibuildwheel and can make environments with pip in them;
/// Debian packages that part on its own.
///
/// # Errors
/// There is none in `PATH`.
pub(crate) fn find_python(pins: &Pins, environment: &Environment) -> Result<Utf8PathBuf> {
    let found = pythons(pins, environment, ASK_LIMIT);
    let installer = Installer::find(environment);
    found
        .fit
        .clone()
        .map(|(program, _)| program)
        .ok_or_else(|| judge::python(&found, installer).into_fault())
}

/// Looks for a Python as [`find_python`] needs it; asks each one for at most `limit`.
pub(crate) fn pythons(pins: &Pins, environment: &Environment, limit: Duration) -> Pythons {
    const NAMES: [&str; 6] =
        ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
    const ASK: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3], flush=True); \
        import venv, ensurepip";
    let minimum = version(&pins.python.minimum);
    let mut found = Pythons { minimum: pins.python.minimum.clone(), ..Pythons::default() };
    // Names may lead to a version manager's shim that does not run at all, so each one is asked.
    for name in NAMES {
        for folder in environment.path_folders() {
            let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if !program.is_file() {
                continue;
            }
            let mut command = process::command(&program);
            command.args(["-c", ASK]);
            let why = match process::ask(command, limit) {
                Ok(answer) => {
                    let said = answer.stdout.trim().to_owned();
                    let is_new = version(&said) >= minimum;
                    match (is_new, answer.code) {
                        (true, Some(0)) => {
                            found.fit = Some((program, said));
                            return found;
                        }
                        (true, _) => format!("{said} without the venv module"),
                        (false, _) if version(&said).is_some() => said,
                        (false, _) => "something that does not run".to_owned(),
                    }
                }
                Err(error) if process::is_late(&error) => {
                    found.silent.get_or_insert(program);
                    continue;
                }
                Err(error) => format!("something that does not run ({error:#})"),
            };
            found.unfit.push((program, why));
        }
    }
    found
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split('.').map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("3.9") < version("3.11"));
        assert!(version("3.12\n") > version("3.11"));
        assert_eq!(version("3.12.4"), version("3.12"));
        assert!(version("no").is_none());
        assert!(version("no") < version("3.11"), "what is no version is too old");
    }
}
