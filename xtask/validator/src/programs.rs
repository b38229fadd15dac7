//! Finds programs and compilers in the folders of PATH.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Compilers that ccache serves, by the name that stands at the end of a prefixed one. No Fortran:
/// ccache does not know it.
const COMPILERS: [&str; 7] = ["cc", "gcc", "c++", "g++", "clang", "clang++", "nvcc"];

/// The first executable file `name` in the folders of `search_path`.
#[must_use]
pub fn find(name: &str, search_path: &OsStr) -> Option<PathBuf> {
    found(name, search_path).next()
}

/// The first executable file `name` in the folders of `search_path` that is no link to ccache or its
/// launcher.
#[must_use]
pub fn find_compiler(name: &str, search_path: &OsStr) -> Option<PathBuf> {
    found(name, search_path)
        .find(|path| fs::canonicalize(path).is_ok_and(|target| !is_named_ccache(&target)))
}

/// The executable files `name` in the folders of `search_path`, in order.
pub(crate) fn found<'a>(
    name: &'a str,
    search_path: &'a OsStr,
) -> impl Iterator<Item = PathBuf> + 'a {
    env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(move |folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .filter(|path| is_executable(path))
}

/// The names of the compilers in the folders of `search_path` without the folder `except`. Links to
/// ccache, here `ccache` or another, or to its launcher are no compilers.
#[must_use]
pub fn compilers(search_path: &OsStr, except: &Path, ccache: &Path) -> BTreeSet<String> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (except, ccache) = (real(except), real(ccache));
    let mut names = BTreeSet::new();
    for folder in env::split_paths(search_path) {
        if !folder.is_absolute() || real(&folder) == except {
            continue;
        }
        // PATH may name folders that are not there.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if names.contains(&name) || !is_compiler(&name) || !is_executable(&entry.path()) {
                continue;
            }
            let target = real(&entry.path());
            if target != ccache && !is_named_ccache(&target) {
                names.insert(name);
            }
        }
    }
    names
}

/// Whether a program called `name` is a C, C++ or CUDA compiler: one of [`COMPILERS`], perhaps
/// after a target (`x86_64-linux-gnu-gcc`), perhaps before a version (`g++-12`).
pub(crate) fn is_compiler(name: &str) -> bool {
    let is_version = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|one| one.is_ascii_digit() || one == b'.')
    };
    let base = match name.rsplit_once('-') {
        Some((base, version)) if is_version(version) => base,
        _ => name,
    };
    match base.rsplit_once('-') {
        None => COMPILERS.contains(&base),
        // c89-gcc and c99-gcc are scripts that call gcc, which goes through its own link.
        Some(("" | "c89" | "c99", _)) => false,
        Some((_, compiler)) => COMPILERS.contains(&compiler),
    }
}

/// Whether `target`, where links end, is ccache or the launcher in front of it. By the name, as
/// ccache itself decides.
pub(crate) fn is_named_ccache(target: &Path) -> bool {
    target.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ccache"))
}

#[cfg(unix)]
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_by_name() {
        for name in [
            "cc",
            "gcc",
            "c++",
            "g++",
            "clang",
            "clang++",
            "nvcc",
            "gcc-12",
            "g++-12",
            "clang-15",
            "clang++-15",
            "gcc-12.2.0",
            "x86_64-linux-gnu-gcc",
            "x86_64-linux-gnu-g++-12",
            "aarch64-linux-musl-c++",
        ] {
            assert!(is_compiler(name), "{name}");
        }
        for name in [
            "",
            "gcc-ar",
            "gcc-nm-12",
            "x86_64-linux-gnu-gcc-ranlib-12",
            "clang-format",
            "clang-tidy-15",
            "clang-cpp",
            "clang-cl",
            "gfortran",
            "gfortran-12",
            "c++filt",
            "cpp",
            "gcc-",
            "-gcc",
            "gcc-12-x",
            "ccache",
            "gcc12",
            "c99-gcc",
            "12",
            "-12",
        ] {
            assert!(!is_compiler(name), "{name}");
        }
    }
}
