//! `doctor`, as data.

use camino::Utf8PathBuf;
use clap::Args;

use super::{Builder, Ccache, Engine, Jobs, ReleaseWheels};

pub(super) const EXAMPLES: &str = "Examples:
  cargo xtask doctor                             this machine, and the images of the package
  cargo xtask doctor --setup                     install what is missing first
  cargo xtask doctor --image lab                 with the test image
  cargo xtask doctor --builder host              for builds without containers
  cargo xtask doctor --json                      as data

It installs nothing unless it is told --setup, and pulls no image; as a plan does, it fetches the
pinned ccache if need be. Where an image is on this machine a container of it is run, in which a
file is compiled twice.

stdout carries a line for each need, or one object of JSON; everything else goes to stderr. The
exit code is 0, or 4 if something is bad. What could not be found out in time is unknown, which is
not bad.";

/// `doctor`.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// A folder inside the project, or a source distribution (.tar.gz) [default: the project's own
    /// package]
    pub(crate) package: Option<Utf8PathBuf>,
    /// The project that PACKAGE and relative paths belong to [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Look at this image instead of the package's own; `lab` is the test image
    #[arg(long, value_name = "REF", env = "WARMWHEEL_IMAGE")]
    pub(crate) image: Option<String>,
    /// Container engine [default: the package's own choice, else whichever answers]
    #[arg(long, env = "WARMWHEEL_ENGINE")]
    pub(crate) engine: Option<Engine>,
    /// What is to build: `cibuildwheel`, in containers on Linux; `host`, the interpreters of this
    /// machine; `auto`, the first where an engine answers and has the image, else the second
    /// [default: auto]
    #[arg(long, env = "WARMWHEEL_BUILDER")]
    pub(crate) builder: Option<Builder>,
    /// Which ccache builds in containers are to use [default: auto]
    #[arg(long, value_name = "WHICH", env = "WARMWHEEL_CCACHE")]
    pub(crate) ccache: Option<Ccache>,
    /// The folder that the pinned ccache is fetched from [default: the ccache project's release]
    #[arg(long, value_name = "ADDRESS", env = "WARMWHEEL_CCACHE_MIRROR")]
    pub(crate) ccache_mirror: Option<String>,
    /// Cache folder, relative to the project [default: one in the user's cache]
    #[arg(long, value_name = "DIR", env = "CCACHE_DIR")]
    pub(crate) ccache_dir: Option<Utf8PathBuf>,
    /// Where finished wheels go, relative to the project [default: wheelhouse]
    #[arg(long, value_name = "DIR", env = "WARMWHEEL_OUTPUT_DIR")]
    pub(crate) output_dir: Option<Utf8PathBuf>,
    /// Where a run's logs and report go [default: target/warmwheel]
    #[arg(long, value_name = "DIR", env = "WARMWHEEL_REPORT_DIR")]
    pub(crate) report_dir: Option<Utf8PathBuf>,
    /// How many builds are to run at once [default: auto]
    #[arg(long, value_name = "N", env = "WARMWHEEL_JOBS")]
    pub(crate) jobs: Option<Jobs>,
    /// Print the answers as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Install with the system's package manager what is missing; in a terminal it asks first
    #[arg(long)]
    pub(crate) setup: bool,
    /// Install it without asking
    #[arg(long, requires = "setup")]
    pub(crate) yes: bool,
}

impl Doctor {
    /// The run that is asked about.
    pub(crate) fn run(&self) -> ReleaseWheels {
        ReleaseWheels {
            package: self.package.clone(),
            project: self.project.clone(),
            image: self.image.clone(),
            engine: self.engine,
            builder: self.builder,
            ccache: self.ccache,
            ccache_mirror: self.ccache_mirror.clone(),
            ccache_dir: self.ccache_dir.clone(),
            output_dir: self.output_dir.clone(),
            report_dir: self.report_dir.clone(),
            jobs: self.jobs,
            ..ReleaseWheels::default()
        }
    }
}
