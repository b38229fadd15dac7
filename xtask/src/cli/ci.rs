//! `ci` and its subcommands, as data.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use super::ReleaseWheels;

/// `ci`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Ci {
    /// What to do; `build` when none is named.
    #[command(subcommand)]
    pub(crate) command: Option<CiCommand>,
    /// How to build.
    #[command(flatten)]
    pub(crate) build: CiBuild,
}

/// The parts of a workflow.
#[derive(Debug, Subcommand)]
pub(crate) enum CiCommand {
    /// Build wheels as `release-wheels` does, in GitHub's dialect: the same as plain `ci`
    #[command(after_help = BUILD_EXAMPLES)]
    Build(Box<CiBuild>),
    /// Work out the jobs of a workflow: runners, identifiers, cache keys
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(CiPlan),
    /// Check the wheels of all jobs together, and write SHA256SUMS
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(CiVerify),
    /// Make the workflow that fits the package's settings, or see whether it still does
    #[command(after_help = WORKFLOW_EXAMPLES)]
    Workflow(CiWorkflow),
}

pub(super) const EXAMPLES: &str = "Examples:
  cargo xtask ci                          in a workflow: build everything on this machine
  cargo xtask ci plan                     the jobs of a workflow, as JSON
  cargo xtask ci workflow --write         make .github/workflows/release-wheels.yml

`cargo xtask ci SUBCOMMAND --help` describes each part. All flags of `release-wheels` work here as
well; nothing that is missing is replaced by something else.

stdout carries the paths of the finished wheels; groups, annotations and everything for people goes
to stderr, outputs to GITHUB_OUTPUT, the summary to GITHUB_STEP_SUMMARY.";

const BUILD_EXAMPLES: &str = "Examples:
  cargo xtask ci build
  cargo xtask ci build --only cp312-manylinux_x86_64,cp313-manylinux_x86_64
  cargo xtask ci build --no-pioneer       in a job that has an earlier job's cache

Outputs: wheels-dir, hit-rate (percent), cold (true where a first version found nothing), cache-key
and cache-save (whether this job may write the shared cache), report.

Besides GitHub's own variables it reads WARMWHEEL_CACHE_KEY, the `cache-key` that `ci plan` has made
for the job, and WARMWHEEL_RELEASE: with `true` the run is a rehearsal of a release, which neither
restores nor saves the shared cache.";

const PLAN_EXAMPLES: &str = "Examples:
  cargo xtask ci plan                     what a push of this branch would build
  cargo xtask ci plan --shards 3          each domain's later versions on three machines
  cargo xtask ci plan --pull-request      only what [tool.warmwheel.pull-request] selects

Outputs: matrix (the jobs, for `strategy.matrix`), followers (the jobs that wait for them, with
--shards), has-followers, identifiers (all of them, separated by commas).

stdout carries the whole plan as JSON. WARMWHEEL_RELEASE=true plans the rehearsal of a release.";

const VERIFY_EXAMPLES: &str = "Examples:
  cargo xtask ci verify wheelhouse
  cargo xtask ci verify dist --expect cp312-manylinux_x86_64,cp313-manylinux_x86_64

Each identifier has one wheel that serves it, and no wheel is left over. All have one project and
one version; names, METADATA, WHEEL and RECORD agree; `twine check --strict` has no objection. Then
SHA256SUMS is written into the folder. Otherwise it ends with 5, after naming every problem.

stdout carries the lines of SHA256SUMS; everything else goes to stderr.";

const WORKFLOW_EXAMPLES: &str = "Examples:
  cargo xtask ci workflow                 print it
  cargo xtask ci workflow --write         write .github/workflows/release-wheels.yml
  cargo xtask ci workflow --check         end with 2 if the file is not what would be written";

/// `ci build`.
#[derive(Args, Debug)]
pub(crate) struct CiBuild {
    /// The pipeline's own flags.
    #[command(flatten)]
    pub(crate) wheels: ReleaseWheels,
    /// Exempt no build from the need for hits: the cache was filled by an earlier job of this
    /// workflow run
    #[arg(long)]
    pub(crate) no_pioneer: bool,
}

/// `ci plan`.
#[derive(Args, Debug)]
pub(crate) struct CiPlan {
    /// A folder inside the project [default: the project's own package]
    pub(crate) package: Option<Utf8PathBuf>,
    /// The project that PACKAGE belongs to [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// On how many machines each domain's later versions are built, after its first version; 1 for
    /// all of a domain on one machine [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) shards: Option<u16>,
    /// Select only what [tool.warmwheel.pull-request] says
    #[arg(long)]
    pub(crate) pull_request: bool,
}

/// `ci verify`.
#[derive(Args, Debug)]
pub(crate) struct CiVerify {
    /// The folder with the wheels of all jobs, relative to the project; a source distribution may
    /// be among them, and nothing else
    #[arg(default_value = "wheelhouse")]
    pub(crate) wheels: Utf8PathBuf,
    /// The identifiers that must have a wheel, separated by commas [default: those of `ci plan`]
    #[arg(long, value_name = "ID", value_delimiter = ',', env = "WARMWHEEL_EXPECT")]
    pub(crate) expect: Vec<String>,
    /// The project that the wheels are of [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
}

/// `ci workflow`.
#[derive(Args, Debug)]
pub(crate) struct CiWorkflow {
    /// Write the file
    #[arg(long, conflicts_with = "check")]
    pub(crate) write: bool,
    /// Compare the file with what would be written
    #[arg(long)]
    pub(crate) check: bool,
    /// The project whose workflow it is [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
}
