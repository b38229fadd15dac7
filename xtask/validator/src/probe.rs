//! Tells a configure step's test files from the package's own sources, by their path.

/// Names, without their extension, that configure steps give to the files that they compile:
/// autoconf's and distutils', CMake's, Meson's, pybind11's setup helpers'.
const PROBE_STEMS: [&str; 32] = [
    "conftest",
    "_configtest",
    "testCCompiler",
    "testCXXCompiler",
    "testCUDACompiler",
    "CMakeCCompilerId",
    "CMakeCXXCompilerId",
    "CMakeCUDACompilerId",
    "CMakeCCompilerABI",
    "CMakeCXXCompilerABI",
    "CMakeCUDACompilerABI",
    "CheckForPthreads",
    "CheckFunctionExists",
    "CheckIncludeFile",
    "CheckIncludeFiles",
    "CheckLibraryExists",
    "CheckPrototypeExists",
    "CheckSymbolExists",
    "CheckTypeSize",
    "CheckVariableExists",
    "CXX-DetectStdlib",
    "OpenMPCheckVersion",
    "OpenMPTryFlag",
    "TestEndianess",
    "cmTC",
    "flagcheck",
    "sanity_check_for_c",
    "sanity_check_for_cpp",
    "sanity_check_for_cuda",
    "sanitycheckc",
    "sanitycheckcpp",
    "sanitycheckcuda",
];

/// The check that CMake begins with whenever it looks at a compiler for the first time.
const CMAKE_STEMS: [&str; 3] = ["CMakeCCompilerABI", "CMakeCXXCompilerABI", "CMakeCUDACompilerABI"];

/// What `check_ipo_supported` compiles, once for each language and always both.
pub const CMAKES_PAIRS: [[&str; 2]; 3] = [
    ["../src/foo.c", "../src/main.c"],
    ["../src/foo.cpp", "../src/main.cpp"],
    ["../src/foo.cu", "../src/main.cu"],
];

/// Whose file a source is, as far as its path tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The package's own.
    Package,
    /// A configure step's. With `true` it is the check that CMake begins with.
    Probe(bool),
    /// One of CMake's checks if CMake was at work, and the package's otherwise: ccache records the
    /// path as seen from the folder that was compiled in, which CMake chooses and does not tell.
    CmakeIfAny,
    /// This one of [`CMAKES_PAIRS`], or the package's: packages have such files as well.
    CmakesPair(usize),
}

/// Whether the source file `path`, as ccache recorded it, certainly belongs to a configure-time
/// probe rather than to the package.
#[must_use]
pub fn is_probe(path: &str) -> bool {
    matches!(origin(path), Origin::Probe(_))
}

/// Whose file the source `path` is.
#[must_use]
pub fn origin(path: &str) -> Origin {
    let mut previous = "";
    let mut last = "";
    let mut is_in_probe_folder = false;
    for component in path.split(['/', '\\']) {
        if component.is_empty() || component == "." {
            continue;
        }
        is_in_probe_folder |= is_probe_folder(previous, component);
        previous = component;
        last = component;
    }
    let stem = last.split('.').next().unwrap_or_default();
    if PROBE_STEMS.contains(&stem) {
        return Origin::Probe(CMAKE_STEMS.contains(&stem));
    }
    if is_in_probe_folder || is_scratch_file(path, last) {
        return Origin::Probe(false);
    }
    by_cmakes_names(path, stem)
}

/// Names that CMake gives to sources that it writes itself: `src.cxx` (`check_source_compiles`) and
/// `SIZEOF_LONG.c` (`check_type_size`) where it compiles, and two below `src`. The package's own never
/// lie right in the folder that CMake compiles in.
fn by_cmakes_names(path: &str, stem: &str) -> Origin {
    let is_variable = stem.bytes().any(|it| it.is_ascii_uppercase())
        && stem.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_');
    if !path.contains(['/', '\\']) && (stem == "src" || is_variable) {
        return Origin::CmakeIfAny;
    }
    let number = CMAKES_PAIRS.as_flattened().iter().position(|name| *name == path);
    number.map_or(Origin::Package, Origin::CmakesPair)
}

/// Folders in which nothing but probes is compiled, whoever the parent is, and `CMakeFiles/3.x.y`.
fn is_probe_folder(parent: &str, name: &str) -> bool {
    let exact = ["CMakeScratch", "CMakeTmp", "ShowIncludes", "meson-private"];
    exact.contains(&name)
        || (name.starts_with("CompilerId") && !name.contains('.'))
        || name.starts_with("TryCompile-")
        || name.starts_with("cmTC_")
        || name.starts_with("_CMakeLTOTest-")
        || (parent == "CMakeFiles"
            && name.starts_with(|first: char| first.is_ascii_digit())
            && name.contains('.')
            && name.chars().all(|one| one.is_ascii_alphanumeric() || ".-".contains(one)))
}

/// A file that Python's `tempfile` made right in the system's temporary folder, as setup scripts do
/// to try a compiler option: `/tmp/tmpab12cd_3.cpp`.
fn is_scratch_file(path: &str, name: &str) -> bool {
    let folder = path.strip_suffix(name).unwrap_or_default();
    let Some(rest) = name.strip_prefix("tmp") else { return false };
    let Some((random, _extension)) = rest.split_once('.') else { return false };
    matches!(folder, "/tmp/" | "/var/tmp/")
        && random.len() == 8
        && random.bytes().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_recognised() {
        for path in [
            "/project/build/CMakeFiles/CMakeScratch/TryCompile-a1B2c3/testCCompiler.c",
            "/project/build/CMakeFiles/CMakeTmp/CheckSymbolExists.c",
            "/b/CMakeFiles/3.25.1/CompilerIdCXX/CMakeCXXCompilerId.cpp",
            "CMakeFiles/4.1.0-rc2/x.c",
            "/usr/share/cmake-3.25/Modules/CMakeCXXCompilerABI.cpp",
            "CMakeCCompilerId.c",
            "src.c/../CMakeFiles/CMakeScratch/TryCompile-x/src.c",
            "/p/.mesonpy-x/meson-private/tmpabc/testfile.c",
            "/p/meson-private/sanitycheckc.c",
            "conftest.c",
            "./conftest.cpp",
            "_configtest.c",
            "/tmp/tmpab12cd_3.cpp",
            "flagcheck.cpp",
            "C:\\b\\CMakeFiles\\CMakeScratch\\x.c",
            "/tmp/tmpab12cd_3/build/CMakeFiles/_CMakeLTOTest-CXX/src/main.cpp",
            "OpenMPTryFlag.cpp",
            "sanity_check_for_c.c",
        ] {
            assert!(is_probe(path), "{path}");
        }
        let abi = "../../../v/share/cmake-4.4/Modules/CMakeCXXCompilerABI.cpp";
        assert_eq!(origin(abi), Origin::Probe(true));
        assert_eq!(origin("CheckIncludeFile.cxx"), Origin::Probe(false));
    }

    #[test]
    fn what_only_cmake_could_tell_is_left_open() {
        for path in ["src.c", "src.cxx", "SIZEOF_LONG.c"] {
            assert_eq!(origin(path), Origin::CmakeIfAny, "{path}");
        }
        assert_eq!(origin("../src/foo.c"), Origin::CmakesPair(0));
        assert_eq!(origin("../src/main.cpp"), Origin::CmakesPair(3));
        for path in [
            "src/src.c",
            "../src/src.cxx",
            "./src.c",
            "Sizeof.c",
            "_1.c",
            "../../src/main.cpp",
            "../src/foo/a.c",
            "../src/foobar.c",
            "main.cpp",
        ] {
            assert_eq!(origin(path), Origin::Package, "{path}");
        }
    }

    #[test]
    fn own_sources_are_not() {
        for path in [
            "",
            "a.c",
            "src/kernel.cpp",
            "/project/build/CMakeFiles/core.dir/unity_0_cxx.cxx",
            "/project/tests/conftest/main.c",
            "/project/src/conftest_helper.c",
            "/project/meson-private-data/a.c",
            "/project/CompilerId.cpp",
            "/tmp/tmpab12cd_3/a.c",
            "/tmp/a.c",
            "/project/tmpab12cd_3.cpp",
            "3.25.1/a.c",
        ] {
            assert!(!is_probe(path), "{path}");
        }
    }
}
