//! The help texts.

/// `ccache-validator --help`.
pub(crate) const GENERAL: &str = "\
Decides from ccache's own records whether a build went through the cache.

Usage: ccache-validator COMMAND [FLAGS]

Commands:
  preflight   before anything is compiled: can ccache do its work here?
  seal        after the build, before its tests: what comes now does not count
  validate    after a build: did it go through the cache, and did it hit?

ccache-validator COMMAND --help explains one; --version prints the version.

Exit codes: 0 pass, 1 something unexpected, 2 usage, 3 the cache did not prove
itself, 4 there is no ccache.
";

/// `ccache-validator validate --help`.
pub(crate) const VALIDATE: &str = "\
Says what the cache did for the build that has just ended; fails unless it hit.

Usage: ccache-validator validate [FLAGS]

Flags (each wins over its variable):
  --identifier ID     the build identifier [CIBUILDWHEEL_BUILD_IDENTIFIER]
  --wheel PATH        the wheel; copied to WARMWHEEL_RECORD_DIR/wheel before all
  --project DIR       whose part of ccache's log is printed [CCACHE_BASEDIR]
  --min-hit-rate PCT  share of the package's own cacheable compilations that has
                      to hit, 0 to 100; 0: one hit [WARMWHEEL_MIN_HIT_RATE]
  --on-miss WORD      fail (default), or warn: a miss passes [WARMWHEEL_ON_MISS]
  --strict-restore    fail a first build that finds nothing in a cache that an
                      earlier run left warm [WARMWHEEL_STRICT_RESTORE]
  --json              print the record to standard output as one line of JSON

More variables:
  WARMWHEEL_RUN_ID      the run; a marker of another run counts for nothing
  WARMWHEEL_DOMAIN      builds that share objects [identifier's platform tag]
  WARMWHEEL_RECORD_DIR  folder shared with the host: verdict.json, wheel/
  CCACHE_DIR            the cache; without it no build may be cold
  CCACHE_STATSLOG       the build's own record; without it the cache's counters
                        are read, and zeroed afterwards
  CCACHE_LOGFILE        what concerns the project is printed, up to 96 KiB; then
                        it is removed, or put aside if that was not all

Verdicts: hit, cold (the first build of its domain in this run), not-applicable
(a compatible wheel was used again) pass; miss, not-invoked, unusable fail.

Examples:
  In cibuildwheel's configuration:
    test-command = \"/warmwheel/ccache-validator validate --wheel {wheel}\"
  By hand, after a build, asking for 90 % hits:
    ccache-validator validate --identifier cp312-macosx_arm64 --min-hit-rate 90
  Just look, as data:
    ccache-validator validate --on-miss warn --json

Exit codes: 0 pass, 1 something unexpected (such as a record folder that cannot
be written), 2 usage, 3 the cache did not prove itself.
";

/// `ccache-validator preflight --help`.
pub(crate) const PREFLIGHT: &str = "\
Checks, before anything is compiled, that ccache can do its work: that it is on
PATH, starts and is not disabled, and that its folder can be written.

Usage: ccache-validator preflight [--links DIR] [--launcher FILE]

Flags:
  --links DIR      make DIR and fill it with links to ccache, one per C, C++
                   and CUDA compiler in the other folders of PATH; put DIR in
                   front of PATH for builds that call the compiler by its bare
                   name
  --launcher FILE  check that FILE is a ccache-launcher that can run, and let
                   the links lead to it in place of ccache

Variables:
  CCACHE_DIR            the cache; made when missing
  CCACHE_DISABLE        refused when set
  CCACHE_STATSLOG       the build's own record; without it, or with a ccache
                        before 4.4, the cache's counters are set to zero
  WARMWHEEL_RECORD_DIR  folder shared with the host: preflight.json

Examples:
  In cibuildwheel's configuration, for a setuptools project:
    before-all = \"/warmwheel/ccache-validator preflight --links /tmp/links\"
    environment = { PATH = \"/tmp/links:$PATH\" }
  By hand:
    CCACHE_DIR=$PWD/.ccache ccache-validator preflight
  With the launcher, which chooses how ccache stores each file and records it:
    ccache-validator preflight --launcher /warmwheel/ccache-launcher

Exit codes: 0 ready, 1 something unexpected, 2 usage, 3 ccache is disabled,
refuses to work or cannot write its folder, 4 there is no ccache.
";

/// `ccache-validator seal --help`.
pub(crate) const SEAL: &str = "\
Ends the part of ccache's record that belongs to the build. Some packages are
compiled again for their tests; those compilations hit what the build has just
stored and would make a cold cache look warm.

Usage: ccache-validator seal

Variables:
  CCACHE_STATSLOG       moved to the same name with .build; validate reads that
  WARMWHEEL_RECORD_DIR  where the cache's counters are written down, if a build
                        has no record of its own

Examples:
  In cibuildwheel's configuration:
    before-test = \"/warmwheel/ccache-validator seal\"

Exit codes: 0 done, 1 the record cannot be moved, 2 usage.
";
