//! The run as one build sees it, inside a container or on the host, and the commands and variables
//! that Warmwheel gives it.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::ccache::{Ccache, Way};
use super::facts::Facts;
use super::merge::assignment;
use super::wiring::Wiring;
use super::{Mount, host};
use crate::cli::OnMiss;
use crate::environment::Environment;
use crate::folders::{INSTALLER, LAUNCHER, VALIDATOR};
use crate::text::quote;

/// The cache inside containers.
const CONTAINER_CACHE: &str = "/host_ccache";
/// Warmwheel's own files inside containers, read-only.
const CONTAINER_FILES: &str = "/warmwheel";
/// The pinned ccache inside containers, read-only and in a folder of its own: it is in front of
/// `PATH`, where nothing else of ours may be.
pub(crate) const CONTAINER_CCACHE: &str = "/warmwheel-ccache";
/// What one build leaves for the host, inside its container.
const CONTAINER_RECORD: &str = "/warmwheel-build";
/// The project inside containers, where cibuildwheel copies it.
const CONTAINER_PROJECT: &str = "/project";
/// Enough for several versions of a large package; an explicit size, since a cache that silently
/// evicts what the next version needs is the hardest failure to see.
pub(crate) const DEFAULT_MAXSIZE: &str = "10G";

/// Whether compilers that are wired go through the launcher. It starts programs as only Unix does.
pub(super) fn has_launcher(facts: &Facts<'_>) -> bool {
    !facts.settings.plain_ccache && facts.answer.platform != "windows"
}

/// What ccache is told about every compilation of a project that a build sees at `inside`: our own
/// choice, and any that the user has made.
pub(crate) fn ccache_variables(
    inside: &str,
    project: &Utf8Path,
    environment: &Environment,
) -> BTreeMap<String, String> {
    let own = [
        ("CCACHE_BASEDIR", inside),
        ("CCACHE_NOHASHDIR", "1"),
        ("CCACHE_COMPILERCHECK", "content"),
        ("CCACHE_MAXSIZE", DEFAULT_MAXSIZE),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let theirs = environment.starting_with("CCACHE_").into_iter().map(|(name, value)| {
        // A folder of the project has another name inside.
        let value = match Utf8Path::new(&value).strip_prefix(project) {
            Ok(within) if within.as_str().is_empty() => inside.to_owned(),
            Ok(within) => format!("{inside}/{within}"),
            Err(_) => value,
        };
        (name, value)
    });
    own.into_iter().chain(theirs).collect()
}

/// The same things as the build sees them: in a container, or on the host.
pub(super) struct Inside {
    cache: String,
    record: String,
    project: String,
    links: String,
    validator: String,
    /// The launcher, where compilers are put behind it.
    launcher: Option<String>,
    /// The host's folder of the pinned ccache, where that is used.
    ccache: Option<Utf8PathBuf>,
    /// What installs a ccache, where that may have to be done.
    installer: Option<String>,
}

impl Inside {
    /// As the build of `identifier` sees it, whose part of the run's folder is `record`.
    ///
    /// # Errors
    /// There is no folder for builds without containers.
    pub(super) fn of(
        facts: &Facts<'_>,
        identifier: &str,
        in_container: bool,
        record: &Utf8Path,
        ccache: &Ccache,
    ) -> Result<Self> {
        let files = if in_container { CONTAINER_FILES } else { facts.paths.files.as_str() };
        let launcher = has_launcher(facts).then(|| format!("{files}/{LAUNCHER}"));
        let validator = format!("{files}/{VALIDATOR}");
        let installer = (ccache.way == Way::Package).then(|| format!("sh {files}/{INSTALLER}"));
        let ccache = ccache.pinned.as_ref().map(|pinned| pinned.folder.clone());
        if in_container {
            return Ok(Self {
                cache: CONTAINER_CACHE.to_owned(),
                record: CONTAINER_RECORD.to_owned(),
                project: CONTAINER_PROJECT.to_owned(),
                links: "/tmp/warmwheel-links".to_owned(),
                validator,
                launcher,
                ccache,
                installer,
            });
        }
        // Where cibuildwheel builds on the host, all builds share the staged project.
        let (project, links) = if facts.host.is_some() {
            let own = host::folder(facts, identifier)?;
            (own.join("project"), own.join("links"))
        } else {
            (facts.paths.stage.clone(), facts.paths.run.join("links"))
        };
        Ok(Self {
            cache: facts.settings.ccache_dir.to_string(),
            record: record.join("record").into_string(),
            project: project.into_string(),
            links: links.into_string(),
            validator,
            launcher,
            ccache,
            installer,
        })
    }

    pub(super) fn mounts(&self, facts: &Facts<'_>, record: &Utf8Path) -> Vec<Mount> {
        let mount = |host: &Utf8Path, container: &str, read_only| Mount {
            host: host.to_path_buf(),
            container: container.to_owned(),
            read_only,
        };
        let mut mounts = vec![
            mount(&facts.settings.ccache_dir, &self.cache, false),
            mount(&facts.paths.files, CONTAINER_FILES, true),
            mount(&record.join("record"), &self.record, false),
        ];
        mounts.extend(self.ccache.iter().map(|folder| mount(folder, CONTAINER_CCACHE, true)));
        mounts
    }

    /// The check in front of the package's own test command. cibuildwheel puts the wheel's path in
    /// place of `{wheel}`.
    pub(super) fn hook(&self, platform: &str) -> String {
        let wheel = if platform == "windows" { "\"{wheel}\"" } else { "'{wheel}'" };
        format!("{} validate --wheel {wheel}", quote(&self.validator))
    }

    /// The end of what counts: tests may compile the package once more.
    pub(super) fn seal(&self) -> String {
        format!("{} seal", quote(&self.validator))
    }

    /// What installs a ccache before the package's own `before-all` runs.
    pub(super) fn installer(&self) -> Option<&str> {
        self.installer.as_deref()
    }

    /// The check before anything is compiled, which makes the links as well.
    pub(super) fn preflight(&self, wiring: Wiring) -> String {
        let mut words = vec![quote(&self.validator), "preflight".to_owned()];
        if wiring == Wiring::Links {
            words.extend(["--links".to_owned(), quote(&self.links)]);
        }
        if let Some(launcher) = self.launcher.as_ref().filter(|_| wiring != Wiring::None) {
            words.extend(["--launcher".to_owned(), quote(launcher)]);
        }
        words.join(" ")
    }

    /// What Warmwheel puts in front of the package's `environment`; whatever stands there wins.
    pub(super) fn environment(
        &self,
        facts: &Facts<'_>,
        wiring: Wiring,
        domain: &str,
        compilers: usize,
    ) -> String {
        let mut values = ccache_variables(&self.project, &facts.paths.project, facts.environment);
        let statslog = || format!("{}/statslog", self.record);
        values.entry("CCACHE_STATSLOG".to_owned()).or_insert_with(statslog);
        if self.cache == CONTAINER_CACHE {
            // Temporary files on the bind mount would be slower, and left behind by a killed container.
            let folder = || "/tmp/ccache-tmp".to_owned();
            values.entry("CCACHE_TEMPDIR".to_owned()).or_insert_with(folder);
        }
        values.insert("CCACHE_DIR".to_owned(), self.cache.clone());
        values.extend(wiring.variables(self.launcher.as_deref()));
        values.extend([
            ("WARMWHEEL_RUN_ID".to_owned(), facts.run_id.to_owned()),
            ("WARMWHEEL_DOMAIN".to_owned(), domain.to_owned()),
            ("WARMWHEEL_RECORD_DIR".to_owned(), self.record.clone()),
            ("WARMWHEEL_MIN_HIT_RATE".to_owned(), super::percentage(facts.settings.min_hit_rate)),
        ]);
        if self.launcher.is_some() {
            values.insert("WARMWHEEL_COMPILERS".to_owned(), compilers.to_string());
        }
        if facts.settings.on_miss == OnMiss::Warn {
            values.insert("WARMWHEEL_ON_MISS".to_owned(), "warn".to_owned());
        }
        if facts.settings.strict_restore {
            values.insert("WARMWHEEL_STRICT_RESTORE".to_owned(), "true".to_owned());
        }
        let mut words: Vec<_> =
            values.iter().map(|(name, value)| assignment(name, value)).collect();
        words.extend(wiring.evaluated(self.launcher.as_deref()));
        let links = (wiring == Wiring::Links).then_some(self.links.as_str());
        let ccache = self.ccache.as_ref().map(|_| CONTAINER_CCACHE);
        let ahead: Vec<_> = links.into_iter().chain(ccache).collect();
        if !ahead.is_empty() {
            words.push(format!("PATH=\"{}:$PATH\"", ahead.join(":")));
        }
        words.join(" ")
    }
}
