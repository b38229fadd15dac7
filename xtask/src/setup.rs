//! What a purpose needs of this machine beyond Rust, and how to get what is missing: `--setup`.
//!
//! Facts are gathered first; which commands follow from them is a pure question.

use anyhow::Result;
use camino::Utf8Path;

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

/// Something that a purpose needs and that a package can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A browser without a window, and what drives it.
    Browser,
    /// The compiler cache.
    Ccache,
    /// The keys of Debian's archive, which debootstrap checks packages with.
    DebianKeys,
    /// The tool that makes a Debian tree.
    Debootstrap,
    /// Any container engine.
    Engine,
    /// git, which knows what belongs to a project.
    Git,
    /// A Python that can run cibuildwheel, with what makes virtual environments.
    Python,
    /// What lets a user without rights run containers.
    Rootless,
    /// The container runtime that works with every kind of control groups.
    Runc,
}

impl Need {
    /// What it is, for a person.
    fn title(self) -> &'static str {
        match self {
            Self::Browser => "Chromium with its driver",
            Self::Ccache => "ccache",
            Self::DebianKeys => "the keys of Debian's archive",
            Self::Debootstrap => "debootstrap",
            Self::Engine => "a container engine",
            Self::Git => "git",
            Self::Python => "a Python that can run cibuildwheel, with venv",
            Self::Rootless => "what containers need without root",
            Self::Runc => "runc",
        }
    }

    /// The packages that give it; none where the package manager has no such thing.
    fn packages(self, manager: Manager) -> &'static [&'static str] {
        use Manager::{Apt, Brew, Dnf, Pacman};
        match (self, manager) {
            (Self::Browser, Apt) => &["chromium", "chromium-driver"],
            (Self::Browser, Dnf | Brew) => &["chromium", "chromedriver"],
            // It has the driver inside.
            (Self::Browser, Pacman) => &["chromium"],
            (Self::Ccache, _) => &["ccache"],
            (Self::DebianKeys, Apt | Pacman) => &["debian-archive-keyring"],
            (Self::DebianKeys, Dnf) => &["debian-keyring"],
            (Self::Debootstrap, Apt | Dnf | Pacman) => &["debootstrap"],
            (Self::Engine, Apt | Dnf | Pacman) => &["podman", "runc"],
            (Self::Engine, Brew) => &["podman"],
            (Self::Git, _) => &["git"],
            (Self::Python, Apt) => &["python3", "python3-venv"],
            (Self::Python, Dnf) => &["python3"],
            (Self::Python, Pacman | Brew) => &["python"],
            (Self::Rootless, Apt) => &["uidmap", "slirp4netns"],
            (Self::Rootless, Dnf) => &["shadow-utils", "slirp4netns"],
            (Self::Rootless, Pacman) => &["slirp4netns"],
            (Self::Runc, Apt | Dnf | Pacman) => &["runc"],
            (Self::DebianKeys | Self::Debootstrap | Self::Rootless | Self::Runc, Brew) => &[],
        }
    }
}

/// A package manager whose commands are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    /// Debian, Ubuntu and their kin: the only one that is also driven.
    Apt,
    Dnf,
    Pacman,
    Brew,
}

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// What is not there, in the order of asking.
    pub(crate) missing: Vec<Need>,
    manager: Option<Manager>,
    root: bool,
}

impl Needs {
    /// Looks for what a purpose needs.
    ///
    /// # Errors
    /// The pins are malformed.
    pub(crate) fn find(purpose: Purpose, environment: &Environment) -> Result<Self> {
        let root = is_root();
        let has = |program: &str| environment.find_program(program).is_some();
        let pins = Pins::built_in()?;
        let missing = needs_of(purpose, cfg!(target_os = "linux"), root)
            .into_iter()
            .filter(|need| match need {
                Need::Browser => !(has("chromium") && has("chromedriver")),
                Need::Ccache => !has("ccache"),
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
        let managers = [
            ("apt-get", Manager::Apt),
            ("dnf", Manager::Dnf),
            ("pacman", Manager::Pacman),
            ("brew", Manager::Brew),
        ];
        let manager = managers.into_iter().find(|(program, _)| has(program)).map(|(_, it)| it);
        Ok(Self { missing, manager, root })
    }

    fn titles(&self) -> String {
        self.missing.iter().map(|need| need.title()).collect::<Vec<_>>().join(", ")
    }

    /// The packages to install, each once.
    fn packages(&self, manager: Manager) -> Vec<&'static str> {
        let mut packages = Vec::new();
        for package in self.missing.iter().flat_map(|need| need.packages(manager)) {
            if !packages.contains(package) {
                packages.push(package);
            }
        }
        packages
    }

    /// The commands that install what is missing; none when nothing is, or nothing is known.
    fn commands(&self) -> Vec<Vec<&'static str>> {
        let Some(manager) = self.manager else { return Vec::new() };
        let packages = self.packages(manager);
        if packages.is_empty() {
            return Vec::new();
        }
        // A homebrew does not want root; the others do not work without.
        let rights: &[&str] = if self.root || manager == Manager::Brew { &[] } else { &["sudo"] };
        let installs: &[&[&str]] = match manager {
            Manager::Apt => &[
                &["apt-get", "update"],
                &["apt-get", "install", "--yes", "--no-install-recommends"],
            ],
            Manager::Dnf => &[&["dnf", "install", "--assumeyes"]],
            Manager::Pacman => &[&["pacman", "--sync", "--needed"]],
            Manager::Brew => &[&["brew", "install"]],
        };
        let mut commands: Vec<Vec<&str>> =
            installs.iter().map(|install| [rights, install].concat()).collect();
        if let Some(last) = commands.last_mut() {
            last.extend(packages);
        }
        commands
    }

    /// The commands for a person to type.
    fn advice(&self) -> String {
        let commands = self.commands();
        if commands.is_empty() {
            return format!("install {} with this system's own means", self.titles());
        }
        let lines = commands.iter().map(|words| format!("    {}", words.join(" ")));
        format!("install it with\n{}", lines.collect::<Vec<_>>().join("\n"))
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
    let advice = match needs.manager {
        Some(Manager::Apt) if needs.root => {
            format!("run it again with --setup, or {}", needs.advice())
        }
        _ => needs.advice(),
    };
    Err(Fault::machine(format!("missing on this machine: {}", needs.titles()), advice))
}

/// Installs what the purpose needs and this machine lacks. Touches nothing when nothing is missing.
///
/// # Errors
/// This is not a Debian-like system, or not root: the remedy then holds the commands. Or the
/// installation fails.
pub(crate) fn ensure(purpose: Purpose, environment: &Environment, console: Console) -> Result<()> {
    let needs = Needs::find(purpose, environment)?;
    if needs.missing.is_empty() {
        return Ok(());
    }
    let titles = needs.titles();
    if needs.manager != Some(Manager::Apt) || !needs.root {
        let why = if needs.root { "no apt-get here" } else { "only root can install packages" };
        return Err(Fault::machine(
            format!("missing on this machine: {titles}; --setup cannot help ({why})"),
            needs.advice(),
        ));
    }
    console.say(format!(
        "installing {} with apt-get, for: {titles}",
        needs.packages(Manager::Apt).join(" ")
    ));
    install(&needs, console)?;
    let still = Needs::find(purpose, environment)?;
    if still.missing.is_empty() {
        return Ok(());
    }
    Err(Fault::machine(
        format!("still missing after the installation: {}", still.titles()),
        "this system's packages are too old or do not fit; get it from elsewhere, onto PATH",
    ))
}

fn install(needs: &Needs, console: Console) -> Result<()> {
    let commands = needs.commands();
    for (index, words) in commands.iter().enumerate() {
        let mut command = process::command(words[0]);
        command.args(["-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"]);
        command.args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive");
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
    let containers: &[Need] = match (linux, root) {
        (false, _) => &[Need::Engine],
        (true, true) => &[Need::Engine, Need::Runc],
        (true, false) => &[Need::Engine, Need::Runc, Need::Rootless],
    };
    match purpose {
        Purpose::Build => [&building, containers].concat(),
        Purpose::Host => building.to_vec(),
        Purpose::Image => [containers, &making].concat(),
        Purpose::Lab => [&building, containers, &making].concat(),
        Purpose::Tests => [&building, containers, &making, &[Need::Browser]].concat(),
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

    fn needs(missing: &[Need], manager: Option<Manager>, root: bool) -> Needs {
        Needs { missing: missing.to_vec(), manager, root }
    }

    #[test]
    fn nothing_missing_is_nothing_to_do() {
        assert!(needs(&[], Some(Manager::Apt), true).commands().is_empty());
    }

    #[test]
    fn each_package_is_installed_once_in_one_transaction() {
        let needs = needs(&[Need::Ccache, Need::Engine, Need::Runc], Some(Manager::Apt), true);
        assert_eq!(
            needs.commands(),
            [
                vec!["apt-get", "update"],
                vec![
                    "apt-get",
                    "install",
                    "--yes",
                    "--no-install-recommends",
                    "ccache",
                    "podman",
                    "runc"
                ]
            ]
        );
    }

    #[test]
    fn without_root_the_commands_have_sudo_in_front() {
        let needs = needs(&[Need::Python], Some(Manager::Dnf), false);
        assert_eq!(needs.advice(), "install it with\n    sudo dnf install --assumeyes python3");
    }

    #[test]
    fn homebrew_never_runs_as_root() {
        let needs = needs(&[Need::Ccache, Need::Python], Some(Manager::Brew), false);
        assert_eq!(needs.commands(), [["brew", "install", "ccache", "python"]]);
    }

    #[test]
    fn an_unknown_system_is_told_what_to_look_for() {
        let needs = needs(&[Need::Ccache, Need::Git], None, true);
        assert_eq!(needs.advice(), "install ccache, git with this system's own means");
    }

    #[test]
    fn a_need_without_a_package_leaves_no_empty_command() {
        let needs = needs(&[Need::Debootstrap], Some(Manager::Brew), false);
        assert!(needs.commands().is_empty());
    }

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
    fn the_browser_comes_with_its_driver() {
        let needs = needs(&[Need::Browser], Some(Manager::Pacman), true);
        assert_eq!(needs.commands(), [["pacman", "--sync", "--needed", "chromium"]]);
        for manager in [Manager::Apt, Manager::Dnf, Manager::Brew] {
            assert_eq!(Need::Browser.packages(manager).len(), 2, "{manager:?}");
        }
    }

    #[test]
    fn without_containers_there_is_no_need_of_an_engine() {
        let needs = needs_of(Purpose::Host, true, false);
        assert!(needs.contains(&Need::Ccache));
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
