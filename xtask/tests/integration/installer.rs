//! What installs a ccache in an image that has none, with package managers that are only pretended.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;

use crate::pipeline::pretending;
use crate::support::Ran;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/provision/install-ccache.sh");

/// A manager that writes down what it is told, and installs a ccache when that is asked for.
const MANAGER: &str = "echo \"${0##*/} $*\" >>../told
for word in \"$@\"; do
    if [ \"$word\" = ccache ]; then echo '#!/bin/sh' >ccache; /bin/chmod +x ccache; fi
done";

/// An image of which only `PATH` counts.
struct Image {
    _folder: TempDir,
    root: Utf8PathBuf,
}

impl Image {
    /// With these programs, each with what it does.
    fn with(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_path_buf();
        for folder in ["bin", "record"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        for (name, script) in programs {
            let path = root.join("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { _folder: folder, root }
    }

    fn install(&self) -> Ran {
        let bin = self.root.join("bin");
        let mut command = Command::new("/bin/sh");
        command.arg(SCRIPT).current_dir(&bin).env("PATH", &bin);
        command.env("WARMWHEEL_RECORD_DIR", self.root.join("record"));
        command.output().unwrap().into()
    }

    /// What the managers were told, a line for each time.
    fn told(&self) -> Vec<String> {
        let told = fs::read_to_string(self.root.join("told")).unwrap_or_default();
        told.lines().map(ToOwned::to_owned).collect()
    }

    fn refusal(&self) -> Value {
        let record = fs::read_to_string(self.root.join("record/preflight.json")).unwrap();
        serde_json::from_str(&record).unwrap()
    }
}

#[test]
fn an_image_that_has_ccache_is_left_alone() {
    let image = Image::with(&[("ccache", ""), ("dnf", MANAGER)]);
    let ran = image.install().expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    assert_eq!(image.told(), Vec::<String>::new());
}

#[test]
fn each_family_has_its_own_way() {
    let epel = |name: &str| {
        vec![format!("{name} -y install epel-release"), format!("{name} -y install ccache")]
    };
    let apt = ["apt-get update", "apt-get install --yes --no-install-recommends ccache"];
    for (managers, told) in [
        (vec!["apk"], vec!["apk add --no-cache ccache".to_owned()]),
        (vec!["dnf", "yum"], epel("dnf")),
        (vec!["microdnf"], epel("microdnf")),
        (vec!["yum"], epel("yum")),
        (vec!["apt-get"], apt.map(ToOwned::to_owned).to_vec()),
    ] {
        let programs: Vec<_> = managers.iter().map(|name| (*name, MANAGER)).collect();
        let image = Image::with(&programs);
        image.install().expect(0);
        assert_eq!(image.told(), told);
        // The second build in the same container.
        image.install().expect(0);
        assert_eq!(image.told(), told);
        assert!(!image.root.join("record/preflight.json").exists());
    }
}

/// Fedora has ccache itself, and no EPEL.
#[test]
fn a_system_without_epel_goes_on() {
    let without = format!("case $* in *epel*) echo no match; exit 1;; esac\n{MANAGER}");
    let image = Image::with(&[("dnf", without.as_str())]);
    image.install().expect(0).says("going on without EPEL");
    assert_eq!(image.told(), ["dnf -y install ccache"]);
}

#[test]
fn a_failure_is_on_record_with_what_to_do() {
    for (programs, cause) in [
        (vec![], "neither ccache nor a known package manager"),
        (
            vec![("apk", "echo no network >&2; exit 4")],
            "could not be installed in the image with apk",
        ),
        (vec![("yum", "exit 1")], "could not be installed in the image with yum"),
        (vec![("apt-get", "exit 0")], "apt-get has installed ccache, but there is none on PATH"),
    ] {
        let image = Image::with(&programs);
        image.install().expect(1).says(cause);
        let refusal = image.refusal();
        assert_eq!(refusal["lack"], "ccache");
        assert!(refusal["cause"].as_str().unwrap().contains(cause), "{refusal}");
        assert!(refusal["remedy"].as_str().unwrap().contains("--ccache pinned"), "{refusal}");
    }
}

/// As the host reads it.
#[test]
fn a_failure_ends_a_run_as_something_that_the_machine_lacks() {
    let mut sandbox =
        pretending("PATH=/nowhere /bin/sh \"$INSTALLER\" || exit 1; touch \"$cache/compiled\"");
    sandbox.set("INSTALLER", SCRIPT);
    sandbox
        .release_wheels(&["--ccache", "package"])
        .expect(4)
        .says("neither ccache nor a known package manager")
        .says("--ccache pinned");
    assert!(!sandbox.root.join("cache/compiled").exists());
}
