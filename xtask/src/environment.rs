//! The process environment, read once.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::fault::Fault;

/// A snapshot of the environment variables whose names and values are UTF-8. Others cannot matter
/// here: cibuildwheel's and ccache's are ASCII by definition, and children inherit all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "this module is the door to the environment")]
    pub(crate) fn of_this_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; an empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables whose names start with `prefix`, empty ones included.
    pub(crate) fn starting_with(&self, prefix: &str) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The folder for things that are costly to get and can be got again.
    ///
    /// # Errors
    /// The environment names no home folder.
    pub(crate) fn cache_folder(&self) -> Result<Utf8PathBuf> {
        let base = if let Some(folder) = self.get("XDG_CACHE_HOME") {
            Utf8PathBuf::from(folder)
        } else if let Some(folder) = self.get("LOCALAPPDATA").filter(|_| cfg!(windows)) {
            Utf8PathBuf::from(folder)
        } else if let Some(home) = self.get("HOME") {
            let within = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
            Utf8Path::new(home).join(within)
        } else {
            return Err(Fault::machine(
                "the environment names no home folder",
                "set HOME, or XDG_CACHE_HOME to a folder that can be written",
            ));
        };
        Ok(base.join("warmwheel"))
    }

    /// The folder that the command was typed in.
    ///
    /// # Errors
    /// It is gone, or its name is not UTF-8.
    #[expect(clippy::disallowed_methods, reason = "this module is the door to the environment")]
    #[expect(clippy::unused_self, reason = "it is a part of the environment like any other")]
    pub(crate) fn current_folder(&self) -> Result<Utf8PathBuf> {
        let folder = std::env::current_dir().context("the current folder is gone")?;
        Utf8PathBuf::from_path_buf(folder).map_err(|folder| {
            Fault::usage(
                format!("the current folder's name is not UTF-8: {}", folder.display()),
                "work in a folder with a plain name",
            )
        })
    }

    /// The folders of `PATH`, in order.
    pub(crate) fn path_folders(&self) -> Vec<Utf8PathBuf> {
        let path = self.get("PATH").unwrap_or_default();
        std::env::split_paths(path).filter_map(|folder| folder.try_into().ok()).collect()
    }

    /// The first program of that name in `PATH`.
    pub(crate) fn find_program(&self, name: &str) -> Option<Utf8PathBuf> {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        self.path_folders()
            .into_iter()
            .map(|folder| folder.join(&file))
            .find(|path| is_program(path))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().collect() }
    }
}

#[cfg(unix)]
fn is_program(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Utf8Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        assert_eq!(environment(&[("CCACHE_DIR", "")]).get("CCACHE_DIR"), None);
    }

    #[test]
    fn the_cache_folder_follows_the_xdg_variable_and_then_home() {
        let folder = environment(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]).cache_folder();
        assert_eq!(folder.unwrap(), "/x/warmwheel");
        if cfg!(target_os = "linux") {
            let folder = environment(&[("HOME", "/h")]).cache_folder();
            assert_eq!(folder.unwrap(), "/h/.cache/warmwheel");
        }
        assert!(environment(&[]).cache_folder().is_err());
    }
}
