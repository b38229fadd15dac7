//! How the compiler is put behind ccache.

use anyhow::Result;
use serde::Serialize;

use crate::cli;
use crate::fault::Fault;
use crate::package::Traits;
use crate::text::quote;

/// How one package's compiler is put behind ccache. Never two ways at once: a compilation would
/// then go through ccache twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wiring {
    /// `CMAKE_<LANG>_COMPILER_LAUNCHER`, and for links `CMAKE_<LANG>_LINKER_LAUNCHER`, read by CMake
    /// when it configures.
    Launcher,
    /// A folder of compiler names that lead to the launcher or ccache, in front of `PATH`.
    Links,
    /// `CC` and `CXX` with the launcher as their first word, which meson takes as it is: with them
    /// set it does not look for ccache.
    Compilers,
    /// Nothing: the build finds ccache by itself, or was told to by its own settings.
    None,
}

impl Wiring {
    /// The wiring asked for, or the one that the package's build backend calls for.
    ///
    /// # Errors
    /// One is asked for that does not work without the launcher, and there is none.
    pub(super) fn of(wanted: cli::Wiring, traits: &Traits, has_launcher: bool) -> Result<Self> {
        Ok(match wanted {
            cli::Wiring::Launcher => Self::Launcher,
            cli::Wiring::Links => Self::Links,
            cli::Wiring::None => Self::None,
            cli::Wiring::Compilers if has_launcher => Self::Compilers,
            cli::Wiring::Compilers => {
                return Err(Fault::usage(
                    "the wiring `compilers` puts the launcher into CC and CXX, and this run has \
                     none: --plain-ccache and Windows do without it",
                    "choose another wiring; meson finds ccache by itself with `--wiring none`",
                ));
            }
            cli::Wiring::Auto => Self::for_backend(traits.backend.as_str(), has_launcher),
        })
    }

    fn for_backend(backend: &str, has_launcher: bool) -> Self {
        const CMAKE: [&str; 3] = ["scikit_build_core", "skbuild", "py_build_cmake"];
        if backend.starts_with("mesonpy") {
            if has_launcher { Self::Compilers } else { Self::None }
        } else if CMAKE.iter().any(|cmake| backend.starts_with(cmake)) {
            Self::Launcher
        } else {
            // Also for setuptools with a CMakeLists.txt: that may belong to a benchmark, and where it
            // is the build, CMake finds its compiler in PATH, too.
            Self::Links
        }
    }

    /// The variables that make it so, apart from `PATH`: with the launcher, or with ccache, which
    /// has no use for links.
    pub(super) fn variables(self, launcher: Option<&str>) -> Vec<(String, String)> {
        let variable = |language: &str, stage: &str, program: &str| {
            (format!("CMAKE_{language}_{stage}_LAUNCHER"), program.to_owned())
        };
        match self {
            Self::Launcher => {
                let compiler = launcher.unwrap_or("ccache");
                let compilers =
                    ["C", "CXX", "CUDA"].map(|language| variable(language, "COMPILER", compiler));
                let linkers = launcher.into_iter().flat_map(|launcher| {
                    ["C", "CXX"].map(|language| variable(language, "LINKER", launcher))
                });
                compilers.into_iter().chain(linkers).collect()
            }
            Self::Links | Self::Compilers | Self::None => Vec::new(),
        }
    }

    /// Assignments whose values are only known where the build runs, in the syntax of
    /// cibuildwheel's `environment`: which compilers there are, and whether the image or the user
    /// has chosen one, which stays.
    pub(super) fn evaluated(self, launcher: Option<&str>) -> Vec<String> {
        let launcher = launcher.filter(|_| self == Self::Compilers).map(quote);
        launcher.map_or_else(Vec::new, |launcher| {
            ["CC", "CXX"].map(|name| format!("{name}=\"$({launcher} --value {name})\"")).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::class_of;
    use crate::settings::Table;

    #[test]
    fn the_backend_decides_unless_told_otherwise() {
        for (backend, wiring) in [
            ("scikit_build_core.build", Wiring::Launcher),
            ("py_build_cmake.build", Wiring::Launcher),
            ("mesonpy", Wiring::Compilers),
            ("setuptools.build_meta", Wiring::Links),
            ("setuptools.build_meta:__legacy__", Wiring::Links),
        ] {
            let traits = traits(backend);
            assert_eq!(Wiring::of(cli::Wiring::Auto, &traits, true).unwrap(), wiring, "{backend}");
            assert_eq!(Wiring::of(cli::Wiring::Links, &traits, true).unwrap(), Wiring::Links);
        }
    }

    #[test]
    fn without_the_launcher_meson_is_left_to_find_ccache() {
        let meson = traits("mesonpy");
        assert_eq!(Wiring::of(cli::Wiring::Auto, &meson, false).unwrap(), Wiring::None);
        let error = Wiring::of(cli::Wiring::Compilers, &meson, false).unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 2);
    }

    fn traits(backend: &str) -> Traits {
        Traits {
            name: "p".into(),
            backend: backend.into(),
            names_build_dir: false,
            table: Table::default(),
        }
    }
}
