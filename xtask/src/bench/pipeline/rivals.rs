//! cibuildwheel without Warmwheel: as it is, and with ccache wired by hand.

use std::process::Command;

use camino::Utf8Path;

use super::counts::Counts;
use crate::bench::figures::Spending;
use crate::bench::rig::Rig;
use crate::builder::phase;
use crate::report::path::{Build, Phase};

/// As people wire it: what README files and issues about ccache and cibuildwheel come to.
const BY_HAND: &str = "CCACHE_DIR=/host_ccache CCACHE_BASEDIR=/project CCACHE_NOHASHDIR=1 \
                       CCACHE_COMPILERCHECK=content CCACHE_MAXSIZE=10G \
                       CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache";
/// Shows how the cache did, and starts over for the next version. The second command is for this
/// program; it takes 5 ms.
const SHOW_AND_ZERO: &str = "ccache -s && ccache --print-stats && ccache -z";

/// cibuildwheel for these identifiers, in one process.
pub(super) fn plain(
    rig: &Rig<'_>,
    package: &Utf8Path,
    wheels: &Utf8Path,
    identifiers: &str,
) -> Command {
    let mut command = cibuildwheel(rig, package, wheels, identifiers);
    command.env("CIBW_CONTAINER_ENGINE", rig.container_engine(&[]));
    command
}

/// The same with ccache.
pub(super) fn by_hand(
    rig: &Rig<'_>,
    package: &Utf8Path,
    wheels: &Utf8Path,
    identifiers: &str,
    cache: &Utf8Path,
) -> Command {
    let mount = format!("--volume={cache}:/host_ccache");
    let mut command = cibuildwheel(rig, package, wheels, identifiers);
    command
        .env("CIBW_CONTAINER_ENGINE", rig.container_engine(&[mount]))
        .env("CIBW_ENVIRONMENT_LINUX", BY_HAND)
        .env("CIBW_TEST_COMMAND_LINUX", SHOW_AND_ZERO)
        // The package's own stay, behind these.
        .env("CIBW_INHERIT", "environment-linux: prepend; test-command-linux: prepend");
    command
}

fn cibuildwheel(
    rig: &Rig<'_>,
    package: &Utf8Path,
    wheels: &Utf8Path,
    identifiers: &str,
) -> Command {
    let lab = rig.bench.lab;
    let mut command = rig.command(&rig.python);
    command
        .args(["-m", "cibuildwheel", "--output-dir", wheels.as_str(), package.as_str()])
        .current_dir(package)
        .env("CIBW_PLATFORM", "linux")
        .env("CIBW_BUILD", identifiers)
        .env(format!("CIBW_MANYLINUX_{}_IMAGE", lab.architecture.to_uppercase()), &lab.image)
        .env("CIBW_LOG_FOLD_MODE", "disabled")
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// What its log tells.
#[derive(Default)]
pub(super) struct Log {
    phases: Vec<(&'static str, f64)>,
    /// What ccache counted for each version whose tests were run.
    pub(super) counts: Vec<Counts>,
}

impl Log {
    /// Takes in a line that came after so many seconds.
    pub(super) fn read(&mut self, at_seconds: f64, line: &[u8]) {
        if let Some(name) = phase::begun_by(line) {
            self.phases.push((name, at_seconds));
            if name == "test" {
                self.counts.push(Counts::default());
            }
        }
        if let (Some(counts), Ok(line)) = (self.counts.last_mut(), str::from_utf8(line)) {
            counts.read(line.trim_end());
        }
    }

    /// Where the time of a run of so many seconds went; `word` is what that is told under.
    pub(super) fn spending(&self, word: &str, seconds: f64) -> Spending {
        let ends = self.phases.iter().skip(1).map(|&(_, start)| start).chain([seconds]);
        let phase = |(&(name, start), end): (&(&str, f64), f64)| Phase {
            name: name.to_owned(),
            started_seconds: start,
            elapsed_seconds: end - start,
        };
        let phases = self.phases.iter().zip(ends).map(phase).collect();
        let whole = Build { elapsed_seconds: seconds, phases, ..Build::default() };
        let spent = whole.spent_until(seconds);
        Spending { run: word.to_owned(), spent, chain: Vec::new(), work: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_phases_and_what_ccache_counted_for_each_version() {
        let lines = [
            (1.0, "Starting container image x..."),
            (2.0, "direct_cache_hit\t99"),
            (3.0, "Building wheel..."),
            (13.0, "Testing wheel..."),
            (14.0, "cache_miss\t5"),
            (14.0, "direct_cache_hit\t7"),
            (20.0, "Building wheel..."),
            (24.0, "Testing wheel..."),
            (25.0, "preprocessed_cache_hit\t4"),
        ];
        let mut log = Log::default();
        for (at, line) in lines {
            log.read(at, format!("{line}\n").as_bytes());
        }
        let counts: Vec<_> = log.counts.iter().map(|it| (it.hits(), it.misses)).collect();
        assert_eq!(counts, [(7, 5), (4, 0)]);
        let spending = log.spending("a", 26.0);
        let spent: Vec<_> =
            spending.spent.iter().map(|it| (it.name.as_str(), it.seconds)).collect();
        let expected = [("start-up", 1.0), ("container", 2.0), ("build", 14.0), ("test", 9.0)];
        assert_eq!(spent, expected);
    }
}
