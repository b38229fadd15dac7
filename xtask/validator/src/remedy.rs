//! What to do about each cause, in words.

use crate::counts::{self, Kind, Tally};

/// For a cache folder that cannot be written.
pub(crate) const UNWRITABLE: &str = "\
    make CCACHE_DIR a folder that the build's user can write (in a container: mount it \
    read-write; files left by root on the host: chown them), or point CCACHE_DIR elsewhere";

/// For `unsupported_environment_variable`.
pub(crate) const ENVIRONMENT_VARIABLE: &str = "\
    unset DEPENDENCIES_OUTPUT and SUNPRO_DEPENDENCIES in the build's environment";

/// For ccache's own errors.
pub(crate) const ERRORS: &str = "\
    look at the log lines below, or build again with CCACHE_LOGFILE set to see them; a full \
    disk, a cache folder without rights and a damaged cache are the usual causes (empty it: \
    ccache --clear)";

/// For counters without hits and misses.
pub(crate) const UNKNOWN_COUNTERS: &str = "\
    install ccache 4.4 or newer and set CCACHE_STATSLOG, so that the build has its own record";

/// For a build that did not go through ccache.
pub(crate) const WIRING: &str = "\
    CMake: set CMAKE_C_COMPILER_LAUNCHER and CMAKE_CXX_COMPILER_LAUNCHER \
    (CMAKE_CUDA_COMPILER_LAUNCHER too for CUDA) to ccache in the build's environment; \
    setuptools: put a folder of compiler links in front of PATH (ccache-validator preflight \
    --links DIR) and name the compiler without a folder in CC and CXX; meson: it finds ccache \
    on PATH itself unless CC or CXX is set, then write CC='ccache gcc'";

/// For a first build without hits.
pub(crate) const COLD: &str = "\
    later builds hit when they use this cache folder, the same compiler and ccache, and the \
    same options and header paths (CCACHE_BASEDIR = the project, CCACHE_NOHASHDIR=1, \
    CCACHE_COMPILERCHECK=content, build requirements at a fixed path)";

/// For a build that should have hit.
pub(crate) const MISS: &str = "\
    compare the builds: the same cache folder and CCACHE_MAXSIZE large enough, the same \
    compiler (CCACHE_COMPILERCHECK=content), CCACHE_BASEDIR = the project, CCACHE_NOHASHDIR=1, \
    headers of build requirements at a fixed path, no __TIME__ or __DATE__; CCACHE_LOGFILE \
    shows what was looked up. A file that includes Python.h never hits what another version left: \
    if all do, build with --on-miss warn";

/// For a build without `CCACHE_DIR`.
pub(crate) const NO_FOLDER: &str = "\
    set CCACHE_DIR to the absolute path of a folder that all builds share; then the first \
    build of a domain may be cold";

/// For builds in which nothing could be cached: goes by the most frequent counter.
#[must_use]
pub(crate) fn uncacheable(own: &Tally) -> &'static str {
    let most = own
        .details
        .iter()
        .filter(|(name, _)| counts::kind_of(name) == Kind::Uncacheable)
        .max_by_key(|(_, number)| **number)
        .map_or("", |(name, _)| name.as_str());
    match most {
        "unsupported_compiler_option" | "bad_compiler_arguments" => {
            "remove the compiler option that ccache cannot serve (such as -save-temps); \
             CCACHE_LOGFILE names it"
        }
        "multiple_source_files" => "compile one source file per call of the compiler",
        "output_to_stdout" => "let the compiler write its output to a file (-o FILE)",
        "recache" => "unset CCACHE_RECACHE: it makes ccache compile everything anew",
        "disabled" => "unset CCACHE_DISABLE, or remove disable = true from ccache.conf",
        "unsupported_source_language" => {
            "ccache serves C, C++, Objective-C, CUDA and assembler only"
        }
        "could_not_use_precompiled_header" => {
            "set CCACHE_SLOPPINESS=pch_defines,time_macros and pass -fpch-preprocess, or build \
             without the precompiled header"
        }
        "could_not_use_modules" => "build without C++ modules (-fmodules)",
        counts::UNFINISHED => {
            "ccache died in the middle of its calls: is its cache or temporary folder \
             (CCACHE_TEMPDIR) unwritable or full?"
        }
        "compile_failed" | "preprocessor_error" => {
            "every recorded compilation failed, so the sources that worked were compiled \
             without ccache: check the compiler launcher or the compiler links"
        }
        _ => "build with CCACHE_LOGFILE set: it says why each compilation could not be cached",
    }
}
