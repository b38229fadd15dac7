//! The environment, read once, as data.

use crate::launcher;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The variables that make up the contract; nothing else is looked at.
pub const NAMES: [&str; 15] = [
    "CIBUILDWHEEL_BUILD_IDENTIFIER",
    "WARMWHEEL_RUN_ID",
    "WARMWHEEL_DOMAIN",
    "WARMWHEEL_RECORD_DIR",
    "WARMWHEEL_MIN_HIT_RATE",
    "WARMWHEEL_ON_MISS",
    "WARMWHEEL_STRICT_RESTORE",
    "CCACHE_DIR",
    "CCACHE_STATSLOG",
    "CCACHE_LOGFILE",
    "CCACHE_BASEDIR",
    "CCACHE_DISABLE",
    "CC",
    "CXX",
    "PATH",
];

/// Values of environment variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    values: BTreeMap<String, OsString>,
}

impl Environment {
    /// This process's own: the variables of [`NAMES`].
    #[must_use]
    pub fn read() -> Self {
        Self::read_these(NAMES.iter())
    }

    /// This process's own, as far as `ccache-launcher` looks at them.
    #[must_use]
    pub fn read_for_launcher() -> Self {
        Self::read_these(launcher::NAMES.iter().chain(&launcher::linking::VARIABLES))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door for the environment")]
    fn read_these<'a>(names: impl Iterator<Item = &'a &'static str>) -> Self {
        let values =
            names.filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?))).collect();
        Self { values }
    }

    /// The given names and values.
    pub fn from_pairs<N: Into<String>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values }
    }

    /// The value of `name`; an empty one counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// As [`Environment::get`], as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Whether `name` is set, if only to nothing. To ccache that is a `true`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}
