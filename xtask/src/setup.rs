//! What a purpose needs of this machine beyond Rust, and how to get what is missing: `--setup`.
//!
//! Facts are gathered first; which commands follow from them is a pure question ([`packages`]).

mod packages;

use anyhow::Result;
use camino::Utf8Path;

use self::packages::titles;
pub(crate) use self::packages::{Installer, Manager, Need};
use crate::cli::Engine;
use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::host;
use crate::pins::Pins;
use crate::process;
use crate::provision;

const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// There when the kernel's control groups are of the second kind only.
const UNIFIED_CONTROL_GROUPS: &str = "/sys/fs/cgroup/cgroup.controllers";

/// What a machine is to be made ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Building in containers.
    Build,
    /// Building without containers.
    Host,
    /// Making the test image.
    Image,
    /// Building in the test image, which may have to be made first.
    Lab,
    /// All tests: those in the test image, and those of the page of a run.
    Tests,
}

impl Installer {
    /// What can install packages on this machine.
    pub(crate) fn find(environment: &Environment) -> Self {
        let has = |program: &str| environment.find_program(program).is_some();
        let manager = Manager::ALL.into_iter().find(|manager| has(manager.program()));
        Self { manager, root: is_root(), sudo: has("sudo") }
    }
}

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Needs {
    /// What is not there, in the order of asking.
    missing: Vec<Need>,
    installer: Installer,
}

impl Needs {
    /// Looks for what a purpose needs.
    ///
    /// # Errors
    /// The pins are malformed.
    fn find(purpose: Purpose, environment: &Environment) -> Result<Self> {
        let installer = Installer::find(environment);
        let has = |program: &str| environment.find_program(program).is_some();
        let pins = Pins::built_in()?;
        let missing = needs_of(purpose, cfg!(target_os = "linux"), installer.root)
            .into_iter()
            .filter(|need| match need {
                Need::Browser => !(has("chromium") && has("chromedriver")),
                Need::Ccache => !has("ccache"),
                Need::Compiler => {
                    host::compiler_names(environment).iter().any(|compiler| !has(compiler))
                }
                Need::DebianKeys => !Utf8Path::new(DEBIAN_KEYS).exists(),
                Need::Debootstrap => !has("debootstrap"),
                Need::Engine => !has("podman") && !host::answers(Engine::Docker, environment),
                Need::Git => !has("git"),
                Need::Python => provision::find_python(&pins, environment).is_err(),
                Need::Rootless => {
                    let network = has("slirp4netns") || has("pasta");
                    !((has("newuidmap") && network) || host::answers(Engine::Docker, environment))
                }
                Need::Runc => {
                    has("podman") && !has("runc") && !Utf8Path::new(UNIFIED_CONTROL_GROUPS).exists()
                }
            })
            .collect();
        Ok(Self { missing, installer })
    }

    fn titles(&self) -> String {
        titles(&self.missing)
    }

    /// The commands for a person to type.
    fn advice(&self) -> String {
        self.installer.advice(&self.missing)
    }
}

/// Fails when something that the purpose needs is missing, and says what; installs nothing.
///
/// # Errors
/// Something is missing.
pub(crate) fn require(purpose: Purpose, environment: &Environment) -> Result<()> {
    let needs = Needs::find(purpose, environment)?;
    if needs.missing.is_empty() {
        return Ok(());
    }
    let advice = match needs.installer.obstacle(&needs.missing) {
        None => format!("run it again with --setup, or {}", needs.advice()),
        Some(_) => needs.advice(),
    };
    Err(Fault::machine(format!("missing on this machine: {}", needs.titles()), advice))
}

/// Installs what the purpose needs and this machine lacks. Touches nothing when nothing is missing. In
/// a terminal it says what it will install and asks first, unless it was told `yes` already.
///
/// # Errors
/// This machine has no package manager that is known, or no rights to use it: the remedy then holds
/// the commands. Or the answer is no, or the installation fails.
pub(crate) fn ensure(
    purpose: Purpose,
    yes: bool,
    environment: &Environment,
    console: Console,
) -> Result<()> {
    let needs = Needs::find(purpose, environment)?;
    if needs.missing.is_empty() {
        return Ok(());
    }
    let missing = format!("missing on this machine: {}", needs.titles());
    if let Some(why) = needs.installer.obstacle(&needs.missing) {
        let what = format!("{missing}; --setup cannot help ({why})");
        return Err(Fault::machine(what, needs.advice()));
    }
    console.alert(format!("{missing}\nto be installed:"));
    for words in needs.installer.commands(&needs.missing) {
        console.alert(format!("    {}", words.join(" ")));
    }
    let answer = if yes { Some(true) } else { console.ask("install it now?", true) };
    if answer == Some(false) {
        return Err(Fault::machine(format!("{missing}; nothing was installed"), needs.advice()));
    }
    install(&needs, answer.is_some(), console)?;
    let still = Needs::find(purpose, environment)?;
    if still.missing.is_empty() {
        return Ok(());
    }
    Err(Fault::machine(
        format!("still missing after the installation: {}", still.titles()),
        "this system's packages are too old or do not fit; get it from elsewhere, onto PATH",
    ))
}

fn install(needs: &Needs, can_type: bool, console: Console) -> Result<()> {
    let commands = needs.installer.unattended(&needs.missing, can_type);
    for (index, words) in commands.iter().enumerate() {
        let mut command = process::command(words[0]);
        command.args(&words[1..]);
        let Err(error) = process::show(command) else { continue };
        if index + 1 == commands.len() {
            return Err(Fault::machine(error.to_string(), needs.advice()));
        }
        // One source of several that does not answer is reason enough for `update` to fail, while
        // what is wanted may be in another; the installation itself decides.
        console.say(format!("{error}; going on with the package lists as they are"));
    }
    Ok(())
}

/// What a purpose needs, before looking at what is there.
fn needs_of(purpose: Purpose, linux: bool, root: bool) -> Vec<Need> {
    let building = [Need::Git, Need::Python, Need::Ccache];
    let making = [Need::Debootstrap, Need::DebianKeys];
    let containers = engine_needs(linux, root);
    match purpose {
        Purpose::Build => [&building, containers].concat(),
        Purpose::Host => [&building[..], &[Need::Compiler]].concat(),
        Purpose::Image => [containers, &making].concat(),
        Purpose::Lab => [&building, containers, &making].concat(),
        Purpose::Tests => [&building, containers, &making, &[Need::Browser]].concat(),
    }
}

/// What it takes to run containers.
pub(crate) fn engine_needs(linux: bool, root: bool) -> &'static [Need] {
    match (linux, root) {
        (false, _) => &[Need::Engine],
        (true, true) => &[Need::Engine, Need::Runc],
        (true, false) => &[Need::Engine, Need::Runc, Need::Rootless],
    }
}

/// Whether this process may do everything.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this process may do everything.
#[cfg(not(unix))]
pub(crate) fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_containers_on_linux_need_a_runtime_of_their_own() {
        assert!(needs_of(Purpose::Build, true, true).contains(&Need::Runc));
        assert!(!needs_of(Purpose::Build, false, true).contains(&Need::Runc));
        assert!(needs_of(Purpose::Image, true, false).contains(&Need::Rootless));
    }

    #[test]
    fn only_the_tests_need_a_browser_on_top_of_what_the_lab_needs() {
        let lab = needs_of(Purpose::Lab, true, true);
        assert!(!lab.contains(&Need::Browser));
        assert_eq!(needs_of(Purpose::Tests, true, true), [lab, vec![Need::Browser]].concat());
    }

    #[test]
    fn without_containers_there_is_no_need_of_an_engine() {
        let needs = needs_of(Purpose::Host, true, false);
        assert!(needs.contains(&Need::Ccache) && needs.contains(&Need::Compiler));
        assert!(!needs.contains(&Need::Engine) && !needs.contains(&Need::Rootless));
    }

    #[test]
    fn the_lab_needs_what_a_build_and_the_image_need() {
        let lab = needs_of(Purpose::Lab, true, true);
        for purpose in [Purpose::Build, Purpose::Image] {
            assert!(needs_of(purpose, true, true).iter().all(|need| lab.contains(need)));
        }
        assert!(!needs_of(Purpose::Build, true, true).contains(&Need::Debootstrap));
    }
}
