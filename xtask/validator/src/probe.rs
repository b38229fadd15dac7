//! Tells a configure step's test files from the package's own sources, by their path.

/// Names, without their extension, that configure steps give to the files that they compile.
const PROBE_STEMS: [&str; 17] = [
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
    "CheckFunctionExists",
    "CheckIncludeFile",
    "CheckIncludeFiles",
    "CheckPrototypeExists",
    "CheckSymbolExists",
    "CheckTypeSize",
];

/// More of them: Meson's, `FindThreads`', pybind11's setup helpers'.
const MORE_PROBE_STEMS: [&str; 6] =
    ["sanitycheckc", "sanitycheckcpp", "sanitycheckcuda", "CheckForPthreads", "flagcheck", "cmTC"];

/// Whether the source file `path`, as ccache recorded it, belongs to a configure-time probe of
/// CMake, Meson, autoconf or distutils rather than to the package.
#[must_use]
pub fn is_probe(path: &str) -> bool {
    let mut previous = "";
    let mut last = "";
    for component in path.split(['/', '\\']) {
        if component.is_empty() || component == "." {
            continue;
        }
        if is_probe_folder(previous, component) {
            return true;
        }
        previous = component;
        last = component;
    }
    let stem = last.split('.').next().unwrap_or_default();
    PROBE_STEMS.contains(&stem) || MORE_PROBE_STEMS.contains(&stem) || is_scratch_file(path, last)
}

/// Folders in which nothing but probes is compiled, whoever the parent is, and `CMakeFiles/3.x.y`.
fn is_probe_folder(parent: &str, name: &str) -> bool {
    let exact = ["CMakeScratch", "CMakeTmp", "ShowIncludes", "meson-private"];
    exact.contains(&name)
        || (name.starts_with("CompilerId") && !name.contains('.'))
        || name.starts_with("TryCompile-")
        || name.starts_with("cmTC_")
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
        ] {
            assert!(is_probe(path), "{path}");
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
