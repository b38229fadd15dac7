//! What is to be validated: flags over environment over defaults.

use crate::environment::Environment;
use crate::error::Error;
use crate::floor::MinHitRate;
use crate::verdict::OnMiss;
use crate::{text, wheel};
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Longest identifier, domain or run id, in bytes.
const MAX_NAME_BYTES: usize = 500;

/// `validate`'s flags as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--identifier`.
    pub identifier: Option<String>,
    /// `--wheel`.
    pub wheel: Option<PathBuf>,
    /// `--project`.
    pub project: Option<PathBuf>,
    /// `--min-hit-rate`.
    pub min_hit_rate: Option<String>,
    /// `--on-miss`.
    pub on_miss: Option<String>,
    /// `--strict-restore`.
    pub strict_restore: bool,
    /// `--json`.
    pub json: bool,
}

/// Everything that a validation depends on, apart from ccache itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The build identifier, when known.
    pub identifier: Option<String>,
    /// The cache domain.
    pub domain: String,
    /// The run, when there is one.
    pub run_id: Option<String>,
    /// The folder shared with the host, when there is one.
    pub record_dir: Option<PathBuf>,
    /// The wheel that was built.
    pub wheel: Option<PathBuf>,
    /// The project's folders; without any, every section of the log is of interest.
    pub projects: Vec<PathBuf>,
    /// The share of own sources that must hit.
    pub min_hit_rate: MinHitRate,
    /// What happens to a `miss`.
    pub on_miss: OnMiss,
    /// Whether a first build may be cold although the cache was to be warm.
    pub strict_restore: bool,
    /// `CCACHE_DIR`.
    pub ccache_dir: Option<PathBuf>,
    /// `CCACHE_BASEDIR`.
    pub base_dir: Option<String>,
    /// `CCACHE_STATSLOG`.
    pub statslog: Option<PathBuf>,
    /// `CCACHE_LOGFILE`.
    pub logfile: Option<PathBuf>,
    /// `CCACHE_DISABLE` is set, to whatever.
    pub is_disabled: bool,
    /// All variables, for looking up the compilers.
    pub environment: Environment,
}

impl Request {
    /// Puts together `flags` and `environment`; flags win.
    ///
    /// # Errors
    /// A value cannot be used; the message names the flag or variable.
    pub fn new(flags: &Flags, environment: &Environment) -> Result<Self, Error> {
        let chosen = |flag: Option<&String>, flag_name: &str, variable: &str| match flag {
            Some(value) => name(value, flag_name).map(Some),
            None => environment
                .get(variable)
                .map(|value| name(&value.to_string_lossy(), variable))
                .transpose(),
        };
        let identifier =
            chosen(flags.identifier.as_ref(), "--identifier", "CIBUILDWHEEL_BUILD_IDENTIFIER")?;
        let domain = chosen(None, "", "WARMWHEEL_DOMAIN")?
            .unwrap_or_else(|| default_domain(identifier.as_deref()));
        let path = |variable: &str| environment.get(variable).map(PathBuf::from);
        Ok(Self {
            domain,
            run_id: chosen(None, "", "WARMWHEEL_RUN_ID")?,
            record_dir: path("WARMWHEEL_RECORD_DIR"),
            wheel: flags.wheel.as_deref().map(checked_wheel).transpose()?,
            projects: projects(flags.project.as_deref(), environment.get("CCACHE_BASEDIR")),
            min_hit_rate: min_hit_rate(flags, environment)?,
            on_miss: on_miss(flags, environment)?,
            strict_restore: flags.strict_restore || strict_restore(environment)?,
            ccache_dir: path("CCACHE_DIR"),
            base_dir: environment.text("CCACHE_BASEDIR"),
            statslog: path("CCACHE_STATSLOG"),
            logfile: path("CCACHE_LOGFILE"),
            is_disabled: environment.has("CCACHE_DISABLE"),
            environment: environment.clone(),
            identifier,
        })
    }

    /// The wheel's file name.
    #[must_use]
    pub fn wheel_name(&self) -> Option<&str> {
        self.wheel.as_deref()?.file_name()?.to_str()
    }
}

/// The domain of an identifier when nobody named one: its platform tag.
#[must_use]
pub fn default_domain(identifier: Option<&str>) -> String {
    identifier
        .and_then(|identifier| identifier.split_once('-'))
        .map(|(_, platform)| platform)
        .filter(|platform| !platform.is_empty())
        .unwrap_or("default")
        .to_owned()
}

fn name(value: &str, origin: &str) -> Result<String, Error> {
    if value.is_empty() || value.len() > MAX_NAME_BYTES || value.contains(char::is_control) {
        let shown = text::escape(text::keep_start(value, 60).as_bytes());
        return Err(Error::new(format!(
            "{origin}: \"{shown}\" cannot be used; give 1 to {MAX_NAME_BYTES} printable characters"
        )));
    }
    Ok(value.to_owned())
}

fn checked_wheel(path: &Path) -> Result<PathBuf, Error> {
    let name = path.file_name().and_then(OsStr::to_str).ok_or_else(|| {
        Error::new(format!("--wheel: {} names no file; give a wheel's path", path.display()))
    })?;
    wheel::parse(name).map_err(|error| Error::new(format!("--wheel: {error}")))?;
    Ok(path.to_path_buf())
}

/// A later ccache takes several base folders, separated as in PATH.
fn projects(flag: Option<&Path>, base_dir: Option<&OsStr>) -> Vec<PathBuf> {
    match (flag, base_dir) {
        (Some(folder), _) => vec![folder.to_path_buf()],
        (None, Some(folders)) => {
            env::split_paths(folders).filter(|folder| folder.is_absolute()).collect()
        }
        (None, None) => Vec::new(),
    }
}

fn min_hit_rate(flags: &Flags, environment: &Environment) -> Result<MinHitRate, Error> {
    let variable = environment.get("WARMWHEEL_MIN_HIT_RATE").map(OsStr::to_string_lossy);
    let (origin, value) = match (&flags.min_hit_rate, variable) {
        (Some(value), _) => ("--min-hit-rate", value.clone()),
        (None, Some(value)) => ("WARMWHEEL_MIN_HIT_RATE", value.into_owned()),
        (None, None) => return Ok(MinHitRate::default()),
    };
    MinHitRate::parse(&value).map_err(|error| Error::new(format!("{origin}: {error}")))
}

fn on_miss(flags: &Flags, environment: &Environment) -> Result<OnMiss, Error> {
    let variable = environment.get("WARMWHEEL_ON_MISS").map(OsStr::to_string_lossy);
    let (origin, value) = match (&flags.on_miss, variable) {
        (Some(value), _) => ("--on-miss", value.clone()),
        (None, Some(value)) => ("WARMWHEEL_ON_MISS", value.into_owned()),
        (None, None) => return Ok(OnMiss::default()),
    };
    match value.as_str() {
        "fail" => Ok(OnMiss::Fail),
        "warn" => Ok(OnMiss::Warn),
        other => {
            let shown = text::escape(text::keep_start(other, 40).as_bytes());
            Err(Error::new(format!("{origin}: \"{shown}\" is unknown; give fail or warn")))
        }
    }
}

fn strict_restore(environment: &Environment) -> Result<bool, Error> {
    const NAME: &str = "WARMWHEEL_STRICT_RESTORE";
    match environment.get(NAME).map(OsStr::to_string_lossy).as_deref() {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(other) => {
            let shown = text::escape(text::keep_start(other, 40).as_bytes());
            Err(Error::new(format!("{NAME}: \"{shown}\" is unknown; give true or false")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_environment() {
        let environment = Environment::from_pairs([
            ("CIBUILDWHEEL_BUILD_IDENTIFIER", "cp312-manylinux_x86_64"),
            ("WARMWHEEL_MIN_HIT_RATE", "nonsense"),
            ("WARMWHEEL_ON_MISS", "warn"),
            ("CCACHE_BASEDIR", "/project"),
            ("CCACHE_DIR", ""),
            ("CCACHE_DISABLE", ""),
        ]);
        let flags = Flags {
            identifier: Some("cp313-musllinux_aarch64".to_owned()),
            min_hit_rate: Some("90".to_owned()),
            ..Flags::default()
        };
        let request = Request::new(&flags, &environment).unwrap();
        assert_eq!(request.identifier.as_deref(), Some("cp313-musllinux_aarch64"));
        assert_eq!(request.domain, "musllinux_aarch64");
        assert_eq!(request.min_hit_rate.to_string(), "90");
        assert_eq!(request.on_miss, OnMiss::Warn);
        assert_eq!(request.projects, [PathBuf::from("/project")]);
        assert_eq!(request.ccache_dir, None);
        assert!(request.is_disabled);
        let error = Request::new(&Flags::default(), &environment).unwrap_err().to_string();
        assert!(error.starts_with("WARMWHEEL_MIN_HIT_RATE: \"nonsense\""), "{error}");
    }

    #[test]
    fn a_domain_is_the_platform_tag_unless_named() {
        assert_eq!(default_domain(Some("cp313t-manylinux_x86_64")), "manylinux_x86_64");
        assert_eq!(default_domain(Some("gp311_242-macosx_arm64")), "macosx_arm64");
        assert_eq!(default_domain(Some("cp313")), "default");
        assert_eq!(default_domain(None), "default");
        let named = Environment::from_pairs([("WARMWHEEL_DOMAIN", "d")]);
        assert_eq!(Request::new(&Flags::default(), &named).unwrap().domain, "d");
    }

    #[test]
    fn unusable_values_are_refused_by_name() {
        let refused = |flags: Flags, expected: &str| {
            let error = Request::new(&flags, &Environment::default()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        refused(
            Flags { identifier: Some("a\nb".to_owned()), ..Flags::default() },
            "--identifier: \"a\\nb\"",
        );
        refused(Flags { wheel: Some(PathBuf::from("/w/..")), ..Flags::default() }, "--wheel: ");
        refused(
            Flags { wheel: Some(PathBuf::from("x.zip")), ..Flags::default() },
            "--wheel: x.zip",
        );
        refused(Flags { on_miss: Some("ignore".to_owned()), ..Flags::default() }, "--on-miss: ");
        for (name, value) in
            [("WARMWHEEL_ON_MISS", "perhaps"), ("WARMWHEEL_STRICT_RESTORE", "perhaps")]
        {
            let environment = Environment::from_pairs([(name, value)]);
            let error = Request::new(&Flags::default(), &environment).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name}: \"perhaps\"")), "{error}");
        }
    }
}
