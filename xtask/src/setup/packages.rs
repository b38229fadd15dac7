//! Which packages give what a machine lacks, and the commands that install them. Pure: what was found on
//! the machine is an input, so that every system's commands are tested on any.

/// Something that a purpose needs and that a package can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A browser without a window, and what drives it.
    Browser,
    /// The compiler cache.
    Ccache,
    /// What compiles C and C++ on this machine.
    Compiler,
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
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Browser => "Chromium with its driver",
            Self::Ccache => "ccache",
            Self::Compiler => "a C and a C++ compiler",
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
        use Manager::{Apk, Apt, Brew, Dnf, Pacman};
        match (self, manager) {
            (Self::Browser, Apk) => &["chromium", "chromium-chromedriver"],
            (Self::Browser, Apt) => &["chromium", "chromium-driver"],
            (Self::Browser, Dnf | Brew) => &["chromium", "chromedriver"],
            // It has the driver inside.
            (Self::Browser, Pacman) => &["chromium"],
            (Self::Ccache, _) => &["ccache"],
            (Self::Compiler, Apk) => &["build-base"],
            (Self::Compiler, Apt) => &["gcc", "g++"],
            (Self::Compiler, Dnf) => &["gcc", "gcc-c++"],
            (Self::Compiler, Pacman) => &["gcc"],
            (Self::DebianKeys, Apk | Apt | Pacman) => &["debian-archive-keyring"],
            (Self::DebianKeys, Dnf) => &["debian-keyring"],
            (Self::Debootstrap, Apk | Apt | Dnf | Pacman) => &["debootstrap"],
            (Self::Engine, Apk | Apt | Dnf | Pacman) => &["podman", "runc"],
            (Self::Engine, Brew) => &["podman"],
            (Self::Git, _) => &["git"],
            (Self::Python, Apt) => &["python3", "python3-venv"],
            (Self::Python, Apk | Dnf) => &["python3"],
            (Self::Python, Pacman | Brew) => &["python"],
            (Self::Rootless, Apk) => &["shadow-subids", "slirp4netns"],
            (Self::Rootless, Apt) => &["uidmap", "slirp4netns"],
            (Self::Rootless, Dnf) => &["shadow-utils", "slirp4netns"],
            (Self::Rootless, Pacman) => &["slirp4netns"],
            (Self::Runc, Apk | Apt | Dnf | Pacman) => &["runc"],
            (
                Self::Compiler | Self::DebianKeys | Self::Debootstrap | Self::Rootless | Self::Runc,
                Brew,
            ) => &[],
        }
    }
}

/// A package manager whose commands are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    /// Debian, Ubuntu and their kin.
    Apt,
    /// Fedora, RHEL and their kin.
    Dnf,
    /// Alpine.
    Apk,
    /// Arch.
    Pacman,
    /// Homebrew, on macOS.
    Brew,
}

impl Manager {
    /// All of them, in the order in which they are looked for.
    pub(super) const ALL: [Self; 5] = [Self::Apt, Self::Dnf, Self::Apk, Self::Pacman, Self::Brew];

    /// Its program.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
        }
    }

    /// The commands that install packages, without their names.
    fn installs(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Apt => &[
                &["apt-get", "update"],
                &["apt-get", "install", "--yes", "--no-install-recommends"],
            ],
            Self::Dnf => &[&["dnf", "install", "--assumeyes"]],
            Self::Apk => &[&["apk", "add"]],
            Self::Pacman => &[&["pacman", "--sync", "--refresh", "--needed"]],
            Self::Brew => &[&["brew", "install"]],
        }
    }

    /// Options that keep its program from asking and from drawing.
    fn unattended(self) -> &'static [&'static str] {
        match self {
            Self::Apt => &["-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"],
            Self::Dnf => &["--quiet"],
            Self::Apk => &["--no-progress"],
            Self::Pacman => &["--noconfirm", "--noprogressbar"],
            Self::Brew => &[],
        }
    }

    /// Variables to the same end.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Apt => &["DEBIAN_FRONTEND=noninteractive"],
            Self::Brew => &["NONINTERACTIVE=1"],
            Self::Dnf | Self::Apk | Self::Pacman => &[],
        }
    }
}

/// What can install packages here, and who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Installer {
    /// The package manager, if it is one whose commands are known.
    pub(crate) manager: Option<Manager>,
    /// Whether root asks.
    pub(crate) root: bool,
    /// Whether there is a `sudo`.
    pub(crate) sudo: bool,
}

impl Installer {
    /// The packages that give all of `needs`, each once.
    pub(super) fn packages(self, needs: &[Need]) -> Vec<&'static str> {
        let mut packages = Vec::new();
        let manager = self.manager.into_iter();
        let named =
            manager.flat_map(|manager| needs.iter().flat_map(move |it| it.packages(manager)));
        for package in named {
            if !packages.contains(package) {
                packages.push(package);
            }
        }
        packages
    }

    /// The commands that install `needs`; none when nothing is needed, or nothing is known.
    pub(super) fn commands(self, needs: &[Need]) -> Vec<Vec<&'static str>> {
        let Some(manager) = self.manager else { return Vec::new() };
        let packages = self.packages(needs);
        if packages.is_empty() {
            return Vec::new();
        }
        let rights: &[&str] = if self.needs_sudo(manager) { &["sudo"] } else { &[] };
        let installs = manager.installs().iter();
        let mut commands: Vec<Vec<&str>> =
            installs.map(|install| [rights, install].concat()).collect();
        if let Some(last) = commands.last_mut() {
            last.extend(packages);
        }
        commands
    }

    /// The same commands for who does not want to be asked. With `can_type` somebody is there to type
    /// a password.
    pub(super) fn unattended(self, needs: &[Need], can_type: bool) -> Vec<Vec<&'static str>> {
        let Some(manager) = self.manager else { return Vec::new() };
        let quiet = |words: Vec<&'static str>| {
            let words: Vec<_> = words.into_iter().filter(|word| *word != "sudo").collect();
            let sudo: &[&str] = match (self.needs_sudo(manager), can_type) {
                (false, _) => &[],
                (true, true) => &["sudo"],
                (true, false) => &["sudo", "--non-interactive"],
            };
            // As a program, since sudo lets few variables through.
            let variables = manager.variables();
            let env: &[&str] = if variables.is_empty() { &[] } else { &["env"] };
            [sudo, env, variables, &words[..1], manager.unattended(), &words[1..]].concat()
        };
        self.commands(needs).into_iter().map(quiet).collect()
    }

    /// Why `--setup` cannot help here, if it cannot.
    pub(super) fn obstacle(self, needs: &[Need]) -> Option<&'static str> {
        match self.manager {
            None => Some("no package manager here that it knows"),
            Some(Manager::Brew) if self.root => Some("Homebrew does not run as root"),
            Some(_) if self.packages(needs).is_empty() => Some("no package here gives it"),
            Some(manager) if self.needs_sudo(manager) && !self.sudo => {
                Some("only root can install packages, and there is no sudo")
            }
            Some(_) => None,
        }
    }

    /// What a person does to get `needs`: the commands to type, each in a line of its own.
    pub(crate) fn advice(self, needs: &[Need]) -> String {
        let commands = self.commands(needs);
        if commands.is_empty() {
            return format!("install {} with this system's own means", titles(needs));
        }
        let lines = commands.iter().map(|words| format!("    {}", words.join(" ")));
        format!("install it with\n{}", lines.collect::<Vec<_>>().join("\n"))
    }

    /// A homebrew does not want root; the others do not work without.
    fn needs_sudo(self, manager: Manager) -> bool {
        !self.root && manager != Manager::Brew
    }
}

/// What is needed, for a person.
pub(super) fn titles(needs: &[Need]) -> String {
    needs.iter().map(|need| need.title()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installer(manager: Option<Manager>, root: bool) -> Installer {
        Installer { manager, root, sudo: true }
    }

    fn typed(manager: Manager, root: bool, needs: &[Need]) -> Vec<String> {
        let commands = installer(Some(manager), root).commands(needs);
        commands.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn nothing_missing_is_nothing_to_do() {
        assert!(typed(Manager::Apt, true, &[]).is_empty());
    }

    #[test]
    fn each_package_is_installed_once_in_one_transaction() {
        assert_eq!(
            typed(Manager::Apt, true, &[Need::Ccache, Need::Engine, Need::Runc]),
            ["apt-get update", "apt-get install --yes --no-install-recommends ccache podman runc"]
        );
    }

    #[test]
    fn each_system_has_its_own_commands_and_sudo_where_it_takes_root() {
        let needs = [Need::Python, Need::Ccache, Need::Git];
        for (manager, root, command) in [
            (Manager::Dnf, false, "sudo dnf install --assumeyes python3 ccache git"),
            (Manager::Dnf, true, "dnf install --assumeyes python3 ccache git"),
            (Manager::Apk, true, "apk add python3 ccache git"),
            (Manager::Apk, false, "sudo apk add python3 ccache git"),
            (Manager::Pacman, false, "sudo pacman --sync --refresh --needed python ccache git"),
            (Manager::Brew, false, "brew install python ccache git"),
        ] {
            assert_eq!(typed(manager, root, &needs), [command]);
        }
    }

    #[test]
    fn the_browser_comes_with_its_driver() {
        for manager in Manager::ALL {
            let packages = Need::Browser.packages(manager);
            let expected = if manager == Manager::Pacman { 1 } else { 2 };
            assert_eq!(packages.len(), expected, "{manager:?}: {packages:?}");
        }
    }

    #[test]
    fn nobody_is_asked_anything_when_it_is_done_unattended() {
        for (manager, root, can_type, command) in [
            (
                Manager::Apt,
                true,
                false,
                "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o \
                 DPkg::Lock::Timeout=120 install --yes --no-install-recommends git",
            ),
            (Manager::Dnf, false, true, "sudo dnf --quiet install --assumeyes git"),
            (Manager::Apk, false, false, "sudo --non-interactive apk --no-progress add git"),
            (
                Manager::Pacman,
                true,
                false,
                "pacman --noconfirm --noprogressbar --sync --refresh --needed git",
            ),
            (Manager::Brew, false, false, "env NONINTERACTIVE=1 brew install git"),
        ] {
            let commands = installer(Some(manager), root).unattended(&[Need::Git], can_type);
            assert_eq!(commands.last().unwrap().join(" "), command);
        }
    }

    #[test]
    fn advice_has_each_command_in_a_line_of_its_own() {
        let advice = installer(Some(Manager::Apt), false).advice(&[Need::Ccache]);
        assert_eq!(
            advice,
            "install it with\n    sudo apt-get update\n    sudo apt-get install --yes \
             --no-install-recommends ccache"
        );
        let advice = installer(None, true).advice(&[Need::Ccache, Need::Git]);
        assert_eq!(advice, "install ccache, git with this system's own means");
    }

    #[test]
    fn where_setup_cannot_help_it_says_why() {
        let of = |manager, root, sudo| Installer { manager, root, sudo }.obstacle(&[Need::Git]);
        assert!(of(None, true, true).is_some());
        assert!(of(Some(Manager::Dnf), false, false).unwrap().contains("no sudo"));
        assert!(of(Some(Manager::Brew), true, true).unwrap().contains("as root"));
        for fine in [(Manager::Apk, true, false), (Manager::Dnf, false, true)] {
            assert_eq!(of(Some(fine.0), fine.1, fine.2), None);
        }
        assert_eq!(of(Some(Manager::Brew), false, false), None);
        let brew = installer(Some(Manager::Brew), false);
        assert!(brew.obstacle(&[Need::Debootstrap]).unwrap().contains("no package"));
        assert!(brew.commands(&[Need::Debootstrap]).is_empty());
    }
}
