//! How the compiler is put behind ccache.

use serde::Serialize;

use crate::cli;
use crate::package::Traits;

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
    /// Nothing: the build finds ccache by itself, or was told to by its own settings.
    None,
}

impl Wiring {
    /// The wiring asked for, or the one that the package's build backend calls for.
    pub(super) fn of(wanted: cli::Wiring, traits: &Traits) -> Self {
        match wanted {
            cli::Wiring::Launcher => Self::Launcher,
            cli::Wiring::Links => Self::Links,
            cli::Wiring::None => Self::None,
            cli::Wiring::Auto => {
                const CMAKE: [&str; 3] = ["scikit_build_core", "skbuild", "py_build_cmake"];
                let backend = traits.backend.as_str();
                if backend.starts_with("mesonpy") {
                    Self::None
                } else if CMAKE.iter().any(|cmake| backend.starts_with(cmake)) {
                    Self::Launcher
                } else {
                    // Also for setuptools with a CMakeLists.txt: that may belong to a benchmark,
                    // and where it is the build, CMake finds its compiler in PATH, too.
                    Self::Links
                }
            }
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
            Self::Links | Self::None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Table;

    #[test]
    fn the_backend_decides_unless_told_otherwise() {
        for (backend, wiring) in [
            ("scikit_build_core.build", Wiring::Launcher),
            ("py_build_cmake.build", Wiring::Launcher),
            ("mesonpy", Wiring::None),
            ("setuptools.build_meta", Wiring::Links),
            ("setuptools.build_meta:__legacy__", Wiring::Links),
        ] {
            let traits = Traits {
                name: "p".into(),
                backend: backend.into(),
                names_build_dir: false,
                table: Table::default(),
            };
            assert_eq!(Wiring::of(cli::Wiring::Auto, &traits), wiring, "{backend}");
            assert_eq!(Wiring::of(cli::Wiring::Links, &traits), Wiring::Links);
        }
    }
}
