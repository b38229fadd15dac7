//! What is wanted: flags, then variables (clap reads both), then `[tool.warmwheel]`, then defaults.

pub(crate) mod ccache;
pub(crate) mod ci;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use self::ccache::Ccache;
use self::ci::{Ci, PullRequest};
use crate::cli::{self, Builder, Engine, Jobs, OnMiss, ReleaseWheels, Wiring};
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::Release;

/// `[tool.warmwheel]` of a package's pyproject.toml.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Table {
    only: Option<Vec<String>>,
    python: Option<Vec<String>>,
    image: Option<String>,
    engine: Option<Engine>,
    builder: Option<Builder>,
    wiring: Option<Wiring>,
    ccache: Option<cli::Ccache>,
    ccache_mirror: Option<String>,
    ccache_release: Option<Release>,
    ccache_dir: Option<Utf8PathBuf>,
    output_dir: Option<Utf8PathBuf>,
    report_dir: Option<Utf8PathBuf>,
    min_hit_rate: Option<f64>,
    on_miss: Option<OnMiss>,
    strict_restore: Option<bool>,
    jobs: Option<Jobs>,
    keep_going: Option<bool>,
    plain_ccache: Option<bool>,
    /// How workflows are made.
    #[serde(default)]
    pub(crate) ci: Ci,
    /// What a pull request builds.
    #[serde(default)]
    pub(crate) pull_request: PullRequest,
}

/// The keys of [`Table`], for suggestions. A test keeps the two the same.
const KEYS: [&str; 20] = [
    "only",
    "python",
    "image",
    "engine",
    "builder",
    "wiring",
    "ccache",
    "ccache-mirror",
    "ccache-release",
    "ccache-dir",
    "output-dir",
    "report-dir",
    "min-hit-rate",
    "on-miss",
    "strict-restore",
    "jobs",
    "keep-going",
    "plain-ccache",
    "ci",
    "pull-request",
];

impl Table {
    /// Reads the table out of a whole pyproject.toml.
    ///
    /// # Errors
    /// A key that does not exist (with the nearest that does), or a value of the wrong type.
    pub(crate) fn read(pyproject: &toml::Table, file: &Utf8Path) -> Result<Self> {
        let Some(tool) = pyproject.get("tool").and_then(|tool| tool.get("warmwheel")) else {
            return Ok(Self::default());
        };
        let Some(table) = tool.as_table() else {
            return Err(Fault::usage(
                format!("{file}: tool.warmwheel is {}, not a table", tool.type_str()),
                "write it as a [tool.warmwheel] section",
            ));
        };
        for key in table.keys() {
            if !KEYS.contains(&key.as_str()) {
                let remedy = nearest(key, &KEYS).map_or_else(
                    || format!("the settings are: {}", KEYS.join(", ")),
                    |nearest| format!("did you mean `{nearest}`?"),
                );
                return Err(Fault::usage(
                    format!("{file}: [tool.warmwheel] has no setting `{key}`"),
                    remedy,
                ));
            }
        }
        let table: Self = tool.clone().try_into().map_err(|error: toml::de::Error| {
            Fault::usage(
                format!("{file}: [tool.warmwheel]: {}", error.message().trim()),
                "`cargo xtask release-wheels --help` describes each setting",
            )
        })?;
        table.ci.check(file)?;
        if let Some(release) = &table.ccache_release {
            ccache::check_release(release, file)?;
        }
        Ok(table)
    }
}

/// The candidate most like `word`, if any is alike at all.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|&candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|&(likeness, _)| likeness > 0.75)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Everything that a run can be told, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Identifiers to narrow the selection to; all when empty.
    pub(crate) only: Vec<String>,
    /// Python versions to narrow the selection to; all when empty.
    pub(crate) python: Vec<String>,
    /// The image to use instead of the package's own choice.
    pub(crate) image: Option<String>,
    /// The engine to use instead of the package's own choice.
    pub(crate) engine: Option<Engine>,
    /// What builds.
    pub(crate) builder: Builder,
    /// How the compiler is put behind ccache.
    pub(crate) wiring: Wiring,
    /// Which ccache builds in containers use.
    pub(crate) ccache: Ccache,
    /// The host's cache folder, absolute.
    pub(crate) ccache_dir: Utf8PathBuf,
    /// The same for builds without containers. Unless somebody has named one they have a folder of
    /// their own: images bring other versions of ccache than this machine has, and one version per
    /// folder is what ccache promises to understand.
    pub(crate) ccache_dir_without_containers: Utf8PathBuf,
    /// Where finished wheels go, absolute.
    pub(crate) output_dir: Utf8PathBuf,
    /// Where the run's records go, absolute; `None` for a folder of the run's own.
    pub(crate) report_dir: Option<Utf8PathBuf>,
    /// The floor in percent; 0 asks for one hit.
    pub(crate) min_hit_rate: f64,
    /// Whether a miss fails the build.
    pub(crate) on_miss: OnMiss,
    /// Whether a first build fails that finds nothing in a cache that was left warm.
    pub(crate) strict_restore: bool,
    /// How many builds run at once.
    pub(crate) jobs: Jobs,
    /// Whether a failure leaves the other builds alone.
    pub(crate) keep_going: bool,
    /// Whether compilers stand straight behind ccache, without the launcher.
    pub(crate) plain_ccache: bool,
}

impl Settings {
    /// Resolves flags and table; relative paths are the project's.
    ///
    /// # Errors
    /// A value out of range, or no folder for the cache.
    pub(crate) fn resolve(
        flags: &ReleaseWheels,
        table: &Table,
        project: &Utf8Path,
        environment: &Environment,
    ) -> Result<Self> {
        let min_hit_rate = flags.min_hit_rate.or(table.min_hit_rate).unwrap_or(0.0);
        if !(0.0..=100.0).contains(&min_hit_rate) {
            return Err(Fault::usage(
                format!("the minimum hit rate is {min_hit_rate}"),
                "give a percentage from 0 to 100",
            ));
        }
        let folder = |flag: &Option<Utf8PathBuf>, set: &Option<Utf8PathBuf>| {
            flag.as_ref().or(set.as_ref()).map(|folder| project.join(folder))
        };
        let named = flags.ccache_dir.as_ref().or(table.ccache_dir.as_ref());
        let named = named.filter(|folder| !folder.as_str().is_empty());
        let ccache_dir = ccache_dir(named, project, environment)?;
        let ccache_dir_without_containers = match named {
            Some(_) => ccache_dir.clone(),
            None => environment.cache_folder()?.join("ccache-host"),
        };
        Ok(Self {
            only: either(&flags.only, table.only.as_ref()),
            python: either(&flags.python, table.python.as_ref()),
            image: flags.image.clone().or_else(|| table.image.clone()),
            engine: flags.engine.or(table.engine),
            builder: flags.builder.or(table.builder).unwrap_or_default(),
            wiring: flags.wiring.or(table.wiring).unwrap_or_default(),
            ccache: Ccache::resolve(flags, table, environment)?,
            ccache_dir,
            ccache_dir_without_containers,
            output_dir: folder(&flags.output_dir, &table.output_dir)
                .unwrap_or_else(|| project.join("wheelhouse")),
            report_dir: folder(&flags.report_dir, &table.report_dir),
            min_hit_rate,
            on_miss: flags.on_miss.or(table.on_miss).unwrap_or_default(),
            strict_restore: flags.strict_restore || table.strict_restore.unwrap_or(false),
            jobs: flags.jobs.or(table.jobs).unwrap_or_default(),
            keep_going: flags.keep_going || table.keep_going.unwrap_or(false),
            plain_ccache: flags.plain_ccache || table.plain_ccache.unwrap_or(false),
        })
    }

    /// Has these settings build with `builder`, or with their own where that is `None`. What the table
    /// says of containers is for runs that have some.
    ///
    /// # Errors
    /// The flags ask for containers and for builds without them.
    pub(crate) fn built_by(
        mut self,
        builder: Option<Builder>,
        flags: &ReleaseWheels,
    ) -> Result<Self> {
        self.builder = builder.unwrap_or(self.builder);
        if self.builder != Builder::Host {
            return Ok(self);
        }
        let asked = flags.image.as_ref().map(|image| format!("--image {image}"));
        let engine = || flags.engine.map(|engine| format!("--engine {}", engine.name()));
        if let Some(asked) = asked.or_else(engine) {
            return Err(Fault::usage(
                format!("{asked} asks for containers, and the builder `host` has none"),
                "leave one of the two out",
            ));
        }
        self.image = None;
        self.engine = None;
        Ok(self)
    }

    /// The same for builds without containers.
    pub(crate) fn without_containers(&self) -> Self {
        Self { ccache_dir: self.ccache_dir_without_containers.clone(), ..self.clone() }
    }
}

/// The host's cache folder, absolute. A relative one is the project's, never the current folder's:
/// the same setting must name the same folder wherever the command is typed.
///
/// # Errors
/// None is named and the environment has no home folder.
pub(crate) fn ccache_dir(
    named: Option<&Utf8PathBuf>,
    project: &Utf8Path,
    environment: &Environment,
) -> Result<Utf8PathBuf> {
    match named.filter(|folder| !folder.as_str().is_empty()) {
        Some(folder) => Ok(project.join(folder)),
        // Not ccache's own default: containers bring a ccache of another version, and one version
        // per folder is what ccache promises to understand.
        None => Ok(environment.cache_folder()?.join("ccache")),
    }
}

fn either(flag: &[String], set: Option<&Vec<String>>) -> Vec<String> {
    if flag.is_empty() { set.cloned().unwrap_or_default() } else { flag.to_vec() }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::fault::{class_of, explain};

    fn flags(arguments: &[&str]) -> ReleaseWheels {
        let line = ["xtask", "release-wheels"].iter().chain(arguments);
        match Cli::parse_from(line).command {
            Command::ReleaseWheels(flags) => *flags,
            other => unreachable!("{other:?}"),
        }
    }

    fn table(text: &str) -> Result<Table> {
        Table::read(&text.parse().unwrap(), Utf8Path::new("pyproject.toml"))
    }

    fn environment() -> Environment {
        [("HOME".to_owned(), "/home/me".to_owned())].into_iter().collect()
    }

    #[test]
    fn flags_win_over_the_table_and_the_table_over_defaults() {
        let table = table("[tool.warmwheel]\nmin-hit-rate = 80.0\nimage = 'a'\n").unwrap();
        let flags = flags(&["--min-hit-rate", "90"]);
        let settings =
            Settings::resolve(&flags, &table, Utf8Path::new("/p"), &environment()).unwrap();
        assert!((settings.min_hit_rate - 90.0).abs() < f64::EPSILON);
        assert_eq!(settings.image.as_deref(), Some("a"));
        assert_eq!(settings.output_dir, "/p/wheelhouse");
        assert_eq!(settings.on_miss, OnMiss::Fail);
    }

    #[test]
    fn a_relative_cache_folder_is_the_projects() {
        let flags = flags(&["--ccache-dir", ".ccache"]);
        let settings =
            Settings::resolve(&flags, &Table::default(), Utf8Path::new("/p"), &environment());
        assert_eq!(settings.unwrap().ccache_dir, "/p/.ccache");
    }

    #[test]
    fn without_containers_the_cache_is_another_one_unless_it_is_named() {
        let folder = |arguments: &[&str]| {
            let settings = Settings::resolve(
                &flags(arguments),
                &Table::default(),
                Utf8Path::new("/p"),
                &environment(),
            );
            let settings = settings.unwrap();
            (settings.ccache_dir.clone(), settings.without_containers().ccache_dir)
        };
        let (with, without) = folder(&[]);
        assert_ne!(with, without);
        assert!(without.ends_with("warmwheel/ccache-host"), "{without}");
        let (with, without) = folder(&["--ccache-dir", ".ccache"]);
        assert_eq!(with, without);
    }

    #[test]
    fn who_builds_without_containers_asks_for_none() {
        let table = table("[tool.warmwheel]\nimage = 'a'\nbuilder = 'host'\n").unwrap();
        let built_by = |arguments: &[&str], builder| {
            let flags = flags(arguments);
            let project = Utf8Path::new("/p");
            let settings = Settings::resolve(&flags, &table, project, &environment()).unwrap();
            settings.built_by(builder, &flags)
        };
        assert_eq!(built_by(&[], None).unwrap().image, None);
        let forced = built_by(&[], Some(Builder::Cibuildwheel)).unwrap();
        assert_eq!((forced.builder, forced.image.as_deref()), (Builder::Cibuildwheel, Some("a")));
        for arguments in [["--image", "b"], ["--engine", "podman"]] {
            let error = built_by(&arguments, None).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{arguments:?}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_a_suggestion() {
        let error = table("[tool.warmwheel]\nmin-hitrate = 3\n").unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 2);
        assert!(explain(&error).contains("did you mean `min-hit-rate`?"), "{}", explain(&error));
        let error = table("[tool.warmwheel]\nzzz = 3\n").unwrap_err();
        assert!(explain(&error).contains("the settings are: only"), "{}", explain(&error));
    }

    #[test]
    fn every_wrong_type_is_refused() {
        for line in [
            "only = 1",
            "python = '3.12'",
            "image = []",
            "engine = 'lxc'",
            "builder = 'docker'",
            "wiring = true",
            "ccache = 'newest'",
            "ccache-mirror = 1",
            "ccache-release.version = 4",
            "ccache-dir = 1",
            "min-hit-rate = 'x'",
            "on-miss = 'ignore'",
            "strict-restore = 'yes'",
            "jobs = 0",
            "jobs = 'many'",
            "keep-going = 1",
            "plain-ccache = 'no'",
            "ci = 1",
            "ci.shards = 0",
            "ci.shards = 'two'",
            "ci.tag = 'v*'",
            "ci.tags = ''",
            "ci.environment = 'a: b'",
            "ci.runners.linux-x86_64 = '${{ secrets.X }}'",
            "pull-request.python = '3.12'",
        ] {
            let error = table(&format!("[tool.warmwheel]\n{line}\n")).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{line}");
        }
        assert!(table("[tool]\nwarmwheel = 3\n").is_err());
    }

    #[test]
    fn the_list_of_keys_is_the_tables() {
        for key in KEYS {
            // A key that the table did not know would be reported as unknown.
            if let Err(error) = table(&format!("[tool.warmwheel]\n{key} = {{}}\n")) {
                assert!(!explain(&error).contains("unknown field"), "{key}");
            }
        }
    }

    #[test]
    fn a_hit_rate_is_a_percentage() {
        for wrong in ["--min-hit-rate=101", "--min-hit-rate=-1", "--min-hit-rate=NaN"] {
            let flags = flags(&[wrong]);
            let settings =
                Settings::resolve(&flags, &Table::default(), Utf8Path::new("/p"), &environment());
            assert_eq!(class_of(&settings.unwrap_err()).exit_code(), 2, "{wrong}");
        }
    }
}
