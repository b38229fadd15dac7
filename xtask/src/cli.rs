//! The command line, as data. What a flag does stands with its topic.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which have no markup")]

mod adopt;
pub(crate) mod ci;
pub(crate) mod doctor;
pub(crate) mod report;
mod values;

use camino::Utf8PathBuf;
use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::adopt::Adopt;
pub(crate) use self::values::{Builder, Ccache, Engine, Jobs, OnMiss, PlanFormat, Sample, Wiring};
use crate::text::quote;

/// Builds the wheels of a native Python package for every Python version from one warm compiler
/// cache, and proves for each of them that the cache worked.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100,
    after_help = "Exit codes:\n  \
        0  done\n  \
        1  a build failed\n  \
        2  usage or configuration\n  \
        3  the cache did not prove itself\n  \
        4  something that this machine lacks\n  \
        5  a wheel failed its checks\n  \
        130, 143  interrupted (SIGINT, SIGTERM)"
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build a package's wheels for all its Python versions through one compiler cache
    #[command(after_help = RELEASE_WHEELS_EXAMPLES)]
    ReleaseWheels(Box<ReleaseWheels>),
    /// In GitHub Actions: build, plan the jobs, verify the wheels, make the workflow
    #[command(after_help = ci::EXAMPLES)]
    Ci(Box<ci::Ci>),
    /// Tell what a run needs of this machine, how each of it stands, and what mends it
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Doctor),
    /// Show a run again: as a table, a page, JSON or Markdown
    #[command(after_help = report::EXAMPLES)]
    Report(report::Report),
    /// Get a cache folder ready for a run: make it, check it, clear what earlier runs left
    #[command(after_help = PREPARE_CACHE_EXAMPLES)]
    PrepareCache(PrepareCache),
    /// Judge the build that has just happened by ccache's own records
    #[command(after_help = VALIDATE_CCACHE_EXAMPLES)]
    ValidateCcache(ValidateCcache),
    /// Bring Warmwheel into another repository, or up to date there
    #[command(after_help = adopt::EXAMPLES)]
    Adopt(Adopt),
    /// Make the test image: a manylinux-like Debian with this machine's interpreters
    #[command(after_help = LAB_EXAMPLES)]
    Lab(Lab),
    /// Check formatting and lints, and run all tests
    #[command(after_help = TEST_EXAMPLES)]
    Test(Test),
    /// Measure Warmwheel and its rivals in one run: medians and ratios
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(Bench),
}

const RELEASE_WHEELS_EXAMPLES: &str = "Examples:
  cargo xtask release-wheels                          this project's package
  cargo xtask release-wheels mypkg-1.2.tar.gz         a source distribution
  cargo xtask release-wheels --python 3.12,3.13       two versions only
  cargo xtask release-wheels --plan                   show what would be done, and stop
  cargo xtask release-wheels --plan --resume          show also what would be skipped
  cargo xtask release-wheels --resume --keep-going    what a run that failed has left undone
  cargo xtask release-wheels --setup --image lab      in the test image, installing what it needs
  cargo xtask release-wheels --setup --builder host   without containers, for this machine's glibc

Without an engine, or without its image, builds run on this machine; --builder says otherwise.

All settings but PACKAGE, --project, --plan, --resume, --setup, --yes, --verbose and --quiet may also
stand in the package's pyproject.toml under [tool.warmwheel], with the same names. There
[tool.warmwheel.ccache-release] pins another release of ccache. WARMWHEEL_FETCH_SECONDS says how long
fetching it may take (60).

What this machine lacks is said before anything is built; `cargo xtask doctor` looks closer.

In a terminal a line for each running build is kept up to date; NO_COLOR and TERM=dumb are heeded.

stdout carries the paths of the finished wheels (or the plan); everything else goes to stderr.";

const PREPARE_CACHE_EXAMPLES: &str = "Examples:
  cargo xtask prepare-cache
  CCACHE_DIR=.ccache cargo xtask prepare-cache        relative to the project, wherever you are

For workflows that launch cibuildwheel themselves: run it after the cache is restored and before
the first build. On Linux it also compiles the validator that containers run, into
target/warmwheel/container. stdout carries the cache folder's absolute path.";

const VALIDATE_CCACHE_EXAMPLES: &str = "Examples:
  cargo xtask validate-ccache --identifier cp312-manylinux_x86_64
  cargo xtask validate-ccache --min-hit-rate 90 --json

Reads CCACHE_DIR, CCACHE_STATSLOG, CCACHE_LOGFILE and CIBUILDWHEEL_BUILD_IDENTIFIER. With
CCACHE_DIR unset no build is exempt from the need for hits.";

const LAB_EXAMPLES: &str = "Examples:
  cargo xtask lab                     make the image, or find it already made
  cargo xtask lab --setup             install podman and debootstrap first if they are missing
  . target/lab/env && cibuildwheel    use it without Warmwheel";

const TEST_EXAMPLES: &str = "Examples:
  cargo xtask test --setup            everything, on a fresh machine
  cargo xtask test --fast             no containers: formatting, lints, unit and integration tests";

const BENCH_EXAMPLES: &str = "Examples:
  cargo xtask bench --setup                   everything, on a fresh machine
  cargo xtask bench validator --rounds 31     one suite, with steadier medians
  cargo xtask bench pipeline --package demo   wheels of the demo only: a few minutes
  cargo xtask bench --json > figures.json     every figure, not only the medians

It takes the test image and an idle machine; pipeline takes most of an hour. Limits that are not kept stand in the table; they
change no exit code.

stdout carries a Markdown table for each suite, or a line of JSON; everything else goes to stderr.";

/// `release-wheels`.
#[derive(Args, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ReleaseWheels {
    /// A folder inside the project, or a source distribution (.tar.gz) [default: the project's own
    /// package]
    pub(crate) package: Option<Utf8PathBuf>,
    /// The project that PACKAGE and relative paths belong to [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Build only these of the package's identifiers, such as cp312-manylinux_x86_64; separated by
    /// commas, or given again
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Build only for these Python versions, such as 3.11,3.12 (3.13t for free-threaded)
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    pub(crate) python: Vec<String>,
    /// Build in this image instead of the package's own choice; `lab` is the test image
    #[arg(long, value_name = "REF", env = "WARMWHEEL_IMAGE")]
    pub(crate) image: Option<String>,
    /// Container engine [default: the package's own choice, else whichever answers]
    #[arg(long, env = "WARMWHEEL_ENGINE")]
    pub(crate) engine: Option<Engine>,
    /// What builds: `cibuildwheel`, in containers on Linux; `host`, the interpreters of this
    /// machine, for its C library and newer ones; `auto`, the first where an engine answers and
    /// has the image, else the second [default: auto]
    #[arg(long, env = "WARMWHEEL_BUILDER")]
    pub(crate) builder: Option<Builder>,
    /// How the compiler is put behind ccache [default: auto]
    #[arg(long, env = "WARMWHEEL_WIRING")]
    pub(crate) wiring: Option<Wiring>,
    /// Which ccache builds in containers use [default: auto]
    #[arg(long, value_name = "WHICH", env = "WARMWHEEL_CCACHE")]
    pub(crate) ccache: Option<Ccache>,
    /// The folder that the pinned ccache is fetched from, as https://, http:// or file:/// address
    /// [default: the ccache project's release]
    #[arg(long, value_name = "ADDRESS", env = "WARMWHEEL_CCACHE_MIRROR")]
    pub(crate) ccache_mirror: Option<String>,
    /// Cache folder, relative to the project [default: one in the user's cache]
    #[arg(long, value_name = "DIR", env = "CCACHE_DIR")]
    pub(crate) ccache_dir: Option<Utf8PathBuf>,
    /// Where finished wheels go, relative to the project [default: wheelhouse]
    #[arg(long, value_name = "DIR", env = "WARMWHEEL_OUTPUT_DIR")]
    pub(crate) output_dir: Option<Utf8PathBuf>,
    /// Where the run's logs and report go [default: target/warmwheel/RUN-ID]
    #[arg(long, value_name = "DIR", env = "WARMWHEEL_REPORT_DIR")]
    pub(crate) report_dir: Option<Utf8PathBuf>,
    /// Hits that a version after the first needs, in percent of what can be cached [default: one
    /// hit]
    #[arg(long, value_name = "PCT", env = "WARMWHEEL_MIN_HIT_RATE")]
    pub(crate) min_hit_rate: Option<f64>,
    /// What a version without hits means [default: fail]
    #[arg(long, env = "WARMWHEEL_ON_MISS")]
    pub(crate) on_miss: Option<OnMiss>,
    /// Fail when the first version finds nothing in a cache that an earlier run left warm
    #[arg(long, env = "WARMWHEEL_STRICT_RESTORE", value_parser = BoolishValueParser::new())]
    pub(crate) strict_restore: bool,
    /// How many builds run at once: a number, or `auto` for what cores and memory allow [default:
    /// auto]
    #[arg(long, value_name = "N", env = "WARMWHEEL_JOBS")]
    pub(crate) jobs: Option<Jobs>,
    /// After a failure, build what can still be built
    #[arg(long, env = "WARMWHEEL_KEEP_GOING", value_parser = BoolishValueParser::new())]
    pub(crate) keep_going: bool,
    /// Skip what an earlier run has built from the very same inputs
    #[arg(long)]
    pub(crate) resume: bool,
    /// Put compilers straight behind ccache: no depend mode, no links kept, no record of each file
    #[arg(long, env = "WARMWHEEL_PLAIN_CCACHE", value_parser = BoolishValueParser::new())]
    pub(crate) plain_ccache: bool,
    /// Show what would be done and stop; `--plan=json` as data
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true,
          default_missing_value = "text")]
    pub(crate) plan: Option<PlanFormat>,
    /// Install with the system's package manager what is missing; in a terminal it asks first
    #[arg(long)]
    pub(crate) setup: bool,
    /// Install it without asking
    #[arg(long, requires = "setup")]
    pub(crate) yes: bool,
    /// Show the builds' whole logs, each as it comes if one build runs at a time
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Show nothing but what fails, and the finished wheels
    #[arg(long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

impl ReleaseWheels {
    /// The command line that does the same for other identifiers: every flag that was given, or
    /// came from its variable, apart from the selection.
    pub(crate) fn command(&self) -> String {
        let path = |path: &Option<Utf8PathBuf>| path.as_ref().map(ToString::to_string);
        let options = [
            ("project", path(&self.project)),
            ("image", self.image.clone()),
            ("engine", self.engine.as_ref().and_then(word)),
            ("builder", self.builder.as_ref().and_then(word)),
            ("wiring", self.wiring.as_ref().and_then(word)),
            ("ccache", self.ccache.map(|ccache| ccache.word().to_owned())),
            ("ccache-mirror", self.ccache_mirror.clone()),
            ("ccache-dir", path(&self.ccache_dir)),
            ("output-dir", path(&self.output_dir)),
            ("report-dir", path(&self.report_dir)),
            ("min-hit-rate", self.min_hit_rate.map(|rate| rate.to_string())),
            ("on-miss", self.on_miss.as_ref().and_then(word)),
            ("jobs", self.jobs.map(|jobs| jobs.to_string())),
        ];
        let mut words = vec!["cargo xtask release-wheels".to_owned()];
        words.extend(self.package.as_ref().map(|package| quote(package.as_str())));
        for (name, value) in options {
            words.extend(value.map(|value| format!("--{name} {}", quote(&value))));
        }
        let switches =
            [("strict-restore", self.strict_restore), ("plain-ccache", self.plain_ccache)];
        words.extend(switches.iter().filter(|(_, on)| *on).map(|(name, _)| format!("--{name}")));
        words.join(" ")
    }
}

/// A value as it is typed.
fn word(value: &impl ValueEnum) -> Option<String> {
    Some(value.to_possible_value()?.get_name().to_owned())
}

/// `prepare-cache`.
#[derive(Args, Debug)]
pub(crate) struct PrepareCache {
    /// The project that a relative folder belongs to [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Cache folder, relative to the project [default: one in the user's cache]
    #[arg(long, value_name = "DIR", env = "CCACHE_DIR")]
    pub(crate) ccache_dir: Option<Utf8PathBuf>,
}

/// `validate-ccache`.
#[derive(Args, Debug)]
pub(crate) struct ValidateCcache {
    /// The build's identifier [default: CIBUILDWHEEL_BUILD_IDENTIFIER]
    #[arg(long, value_name = "ID")]
    pub(crate) identifier: Option<String>,
    /// The wheel that was built
    #[arg(long, value_name = "FILE")]
    pub(crate) wheel: Option<Utf8PathBuf>,
    /// The folder whose sections of CCACHE_LOGFILE are shown [default: CCACHE_BASEDIR]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// Hits that a version after the first needs, in percent of what can be cached [default: one
    /// hit]
    #[arg(long, value_name = "PCT")]
    pub(crate) min_hit_rate: Option<f64>,
    /// What a version without hits means [default: fail]
    #[arg(long)]
    pub(crate) on_miss: Option<OnMiss>,
    /// Fail a first build that finds nothing in a cache that an earlier run left warm
    #[arg(long)]
    pub(crate) strict_restore: bool,
    /// Print the record on stdout as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lab`.
#[derive(Args, Debug)]
pub(crate) struct Lab {
    /// Container engine [default: whichever answers]
    #[arg(long)]
    pub(crate) engine: Option<Engine>,
    /// Install with the system's package manager what is missing; in a terminal it asks first
    #[arg(long)]
    pub(crate) setup: bool,
    /// Install it without asking
    #[arg(long, requires = "setup")]
    pub(crate) yes: bool,
}

/// `test`.
#[derive(Args, Debug)]
pub(crate) struct Test {
    /// Install with the system's package manager what is missing; in a terminal it asks first
    #[arg(long)]
    pub(crate) setup: bool,
    /// Install it without asking
    #[arg(long, requires = "setup")]
    pub(crate) yes: bool,
    /// Leave out the end-to-end tests, which need containers
    #[arg(long)]
    pub(crate) fast: bool,
}

/// `bench`.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// What to measure [default: everything]
    #[arg(value_name = "SUITE")]
    pub(crate) suites: Vec<Suite>,
    /// How often each command is measured; in each round all of them are, one after another
    /// [default: 15 for validator and launcher, 3 for pipeline, 5 for the others]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: Option<u16>,
    /// The package that pipeline builds [default: both, one after the other]
    #[arg(long)]
    pub(crate) package: Option<Sample>,
    /// Print data in place of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Install with the system's package manager what is missing, and make the test image
    #[arg(long)]
    pub(crate) setup: bool,
    /// Install it without asking
    #[arg(long, requires = "setup")]
    pub(crate) yes: bool,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The check of a build, against a Python script that does the same.
    Validator,
    /// Four versions of a package: without a cache, with ccache by hand, with Warmwheel.
    Pipeline,
    /// One warm build through release-wheels, against the bare cibuildwheel command of its plan.
    Overhead,
    /// The launcher in front of ccache, against ccache alone.
    Launcher,
    /// A run of sixty builds that are only pretended: plan, scheduling and report.
    Matrix,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let line =
            "release-wheels a-1.tar.gz --image lab --on-miss warn --only x --min-hit-rate 9.5";
        let Command::ReleaseWheels(flags) =
            Cli::parse_from(std::iter::once("xtask").chain(line.split(' '))).command
        else {
            unreachable!()
        };
        assert_eq!(
            flags.command(),
            "cargo xtask release-wheels a-1.tar.gz --image lab --min-hit-rate 9.5 --on-miss warn"
        );
    }

    #[test]
    fn every_subcommand_has_examples() {
        for command in Cli::command().get_subcommands() {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.starts_with("Examples:"), "{}", command.get_name());
        }
    }
}
