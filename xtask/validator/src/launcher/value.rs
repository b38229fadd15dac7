//! What `CC` or `CXX` has to be for a build tool that takes its compiler from there, such as meson,
//! to call it through the launcher.
//!
//! cibuildwheel's `environment` asks for it, `CC="$(ccache-launcher --value CC)"`, so that it is
//! worked out where the build runs: only there is known which compilers there are, and which one
//! the image or the user has chosen. The chosen one stays the compiler. Where no compiler is found the
//! value is empty, which meson takes as not set: then it looks for compilers and for ccache itself.

use crate::environment::Environment;
use crate::programs;
use std::path::Path;

/// For each variable the compilers that are looked for in PATH, in meson's order.
const COMPILERS: [(&str, [&str; 3]); 2] =
    [("CC", ["cc", "gcc", "clang"]), ("CXX", ["c++", "g++", "clang++"])];

/// The value for the variable `name`; `None` if it is none that names a compiler.
pub(super) fn of(name: &str, launcher: &Path, environment: &Environment) -> Option<String> {
    let (_, compilers) = COMPILERS.iter().find(|(variable, _)| *variable == name)?;
    let launcher = quote(&launcher.to_string_lossy());
    if let Some(theirs) = environment.text(name) {
        return Some(if names_compiler(&theirs) { format!("{launcher} {theirs}") } else { theirs });
    }
    let search_path = environment.get("PATH").unwrap_or_default();
    // By its bare name, as meson would call it: the build may put another folder in front of PATH.
    let found = compilers.iter().find(|name| programs::find_compiler(name, search_path).is_some());
    Some(found.map_or_else(String::new, |name| format!("{launcher} {name}")))
}

/// Whether the command begins with a compiler that ccache serves, perhaps behind ccache itself,
/// which the launcher leaves out. Anything else, such as another cache, stays alone.
fn names_compiler(command: &str) -> bool {
    let first = command.split_whitespace().find(|word| !Path::new(word).ends_with("ccache"));
    let name = first.and_then(|word| Path::new(word).file_name()?.to_str());
    name.is_some_and(programs::is_compiler)
}

/// A word as a shell and meson read it.
fn quote(word: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "-_./+".contains(one);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const LAUNCHER: &str = "/warmwheel/ccache-launcher";

    fn value(name: &str, pairs: &[(&str, &str)]) -> Option<String> {
        of(name, Path::new(LAUNCHER), &Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn the_first_compiler_in_path_that_meson_would_take() {
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let path = ("PATH", folder.path().to_str().unwrap());
        assert_eq!(value("CC", &[path]), Some(String::new()));
        let ccache = program("ccache");
        symlink(ccache, folder.path().join("cc")).unwrap();
        program("clang");
        assert_eq!(value("CC", &[path]), Some(format!("{LAUNCHER} clang")));
        program("gcc");
        assert_eq!(value("CC", &[path, ("CC", "")]), Some(format!("{LAUNCHER} gcc")));
        assert_eq!(value("CXX", &[path]), Some(String::new()), "there is none for C++");
        program("c++");
        assert_eq!(value("CXX", &[path]), Some(format!("{LAUNCHER} c++")));
        for other in ["FC", "PATH", ""] {
            assert_eq!(value(other, &[path]), None, "{other}");
        }
    }

    #[test]
    fn a_compiler_that_was_chosen_stays_and_another_cache_stays_alone() {
        for (theirs, is_wrapped) in [
            ("gcc-13", true),
            ("/usr/xcc/bin/aarch64-linux-gnu-gcc --sysroot /x", true),
            ("ccache gcc -m32", true),
            ("/usr/bin/ccache clang", true),
            ("sccache gcc", false),
            ("/warmwheel/ccache-launcher gcc", false),
            ("ccache", false),
            ("'/a folder/gcc'", false),
            ("icx", false),
        ] {
            let expected =
                if is_wrapped { format!("{LAUNCHER} {theirs}") } else { theirs.to_owned() };
            assert_eq!(value("CC", &[("CC", theirs)]), Some(expected), "{theirs}");
        }
    }

    #[test]
    fn a_launcher_in_a_folder_with_a_space_is_one_word() {
        let environment = Environment::from_pairs([("CXX", "g++")]);
        let value = of("CXX", Path::new("/a b/ccache-launcher"), &environment);
        assert_eq!(value.as_deref(), Some("'/a b/ccache-launcher' g++"));
    }
}
