//! The container engine: which one answers, what it has, and what it needs to run containers here.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::recipe::Recipe;
use super::steps::{Steps, limited};
use crate::cli::Engine;
use crate::doctor::judge;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::host;
use crate::process;

/// How long an engine may take to answer a question; the first one after a start is slow.
const QUESTION_LIMIT: Duration = Duration::from_secs(30);
const IMPORT_LIMIT: Duration = Duration::from_secs(900);
const TRIAL_LIMIT: Duration = Duration::from_secs(120);

/// The routes of whoever reads it, under a line of titles.
const ROUTES: &str = "/proc/net/route";

/// The variable that names podman's configuration file, which is then the only one it reads.
const CONFIGURATION: &str = "CONTAINERS_CONF";

/// What an engine has to be given, besides the image, so that its containers start here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrangement {
    /// Environment variables of the engine's client.
    pub(crate) environment: BTreeMap<String, String>,
    /// Arguments of `create` and `run`.
    pub(crate) create_args: Vec<String>,
}

impl Engine {
    /// The engine that was asked for, or else the first one that answers.
    ///
    /// # Errors
    /// None answers.
    pub(crate) fn choose(asked: Option<Self>, environment: &Environment) -> Result<Self> {
        let candidates = asked.map_or_else(|| vec![Self::Podman, Self::Docker], |one| vec![one]);
        candidates
            .into_iter()
            .find(|&engine| host::answers(engine, environment))
            .ok_or_else(|| judge::no_engine(asked.map(|one| (one, "--engine"))).into_fault())
    }

    /// The full name of a local image.
    pub(crate) fn reference(self, name: &str, tag: &str) -> String {
        match self {
            // Otherwise podman asks, or tries registries one after another.
            Self::Podman => format!("localhost/{name}:{tag}"),
            Self::Docker => format!("{name}:{tag}"),
        }
    }

    /// Whether it has an image.
    pub(crate) fn has(self, image: &str) -> bool {
        let mut command = process::command(self.name());
        command.args(["image", "inspect", "--format", "{{.Id}}", image]);
        process::probe(command, QUESTION_LIMIT).is_some()
    }

    /// Makes an image out of an archive of a tree.
    ///
    /// # Errors
    /// The engine refuses.
    pub(crate) fn import(
        self,
        archive: &Utf8Path,
        image: &str,
        recipe: &Recipe,
        steps: &mut Steps,
    ) -> Result<()> {
        let mut command = limited(self.name(), IMPORT_LIMIT);
        command.arg("import");
        for (name, value) in &recipe.environment {
            command.arg("--change").arg(format!("ENV {name}={value}"));
        }
        command.args(["--change", r#"CMD ["/bin/bash"]"#, archive.as_str(), image]);
        steps.run(command)
    }

    /// Removes the test images with other tags, as far as no container uses them.
    pub(crate) fn remove_others(self, image: &str, steps: &mut Steps) {
        let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
        let mut command = process::command(self.name());
        let filter = format!("reference={repository}");
        command.args(["images", "--filter", &filter, "--format", "{{.Repository}}:{{.Tag}}"]);
        let listed = process::probe(command, QUESTION_LIMIT).unwrap_or_default();
        for old in others(&listed, image) {
            let mut command = process::command(self.name());
            command.args(["rmi", old]);
            let removed = process::probe(command, IMPORT_LIMIT).is_some();
            steps.note(&format!("{old}: {}", if removed { "removed" } else { "still in use" }));
        }
    }

    /// Finds out what it takes to run a container of the image here, by running some.
    ///
    /// # Errors
    /// Nothing helps; the error holds what the engine said each time.
    pub(crate) fn arrange(
        self,
        image: &str,
        folder: &Utf8Path,
        environment: &Environment,
        steps: &mut Steps,
    ) -> Result<Arrangement> {
        // What the person has set counts as part of the answer: the next shell may lack it.
        let own = environment.get(CONFIGURATION).filter(|_| self == Self::Podman);
        let own = own.map(|path| (CONFIGURATION.to_owned(), path.to_owned()));
        let plain = Arrangement { environment: own.into_iter().collect(), create_args: Vec::new() };
        let Err(refusal) = self.try_container(image, &plain, steps)? else { return Ok(plain) };

        let (arrangement, what) = match self {
            Self::Podman => {
                let path = folder.join("containers.conf");
                let text = containers_conf(
                    &fs::read_to_string("/proc/self/limits").unwrap_or_default(),
                    &fs::read_to_string("/proc/sys/kernel/pid_max").unwrap_or_default(),
                    environment.find_program("runc").is_some(),
                );
                fs::write(&path, &text).with_context(|| format!("cannot write {path}"))?;
                steps.note(&text);
                let environment = BTreeMap::from([(CONFIGURATION.to_owned(), path.to_string())]);
                let what = format!("{CONFIGURATION}={path}");
                (Arrangement { environment, create_args: Vec::new() }, what)
            }
            Self::Docker => {
                let argument = "--network=host".to_owned();
                let create_args = vec![argument.clone()];
                (Arrangement { environment: BTreeMap::new(), create_args }, argument)
            }
        };
        steps.say(&format!("  containers do not work here as things stand: using {what}"));
        match self.try_container(image, &arrangement, steps)? {
            Ok(()) => Ok(arrangement),
            Err(second) => Err(Fault::machine(
                format!("{} cannot run a container here: {refusal}\n{second}", self.name()),
                format!("see whether `{} run --rm {image} true` can be made to work", self.name()),
            )),
        }
    }

    fn try_container(
        self,
        image: &str,
        arrangement: &Arrangement,
        steps: &mut Steps,
    ) -> Result<Result<(), String>> {
        let routes = fs::read_to_string(ROUTES).unwrap_or_default();
        let mut command = limited(self.name(), TRIAL_LIMIT);
        command.envs(&arrangement.environment).args(["run", "--rm", "--pull=never"]);
        command.args(&arrangement.create_args).args([image, "sh", "-c", trial(&routes)]);
        steps.attempt(command)
    }
}

/// What a container must be able to do, for a shell. An engine that can make no network may start
/// containers without one, which is of no use as long as this machine has one.
fn trial(routes: &str) -> &'static str {
    if routes.lines().count() > 1 {
        "sed 1d /proc/net/route | grep -q . || { echo 'the container has no network' >&2; exit 1; }"
    } else {
        "true"
    }
}

/// The images of a listing other than the one to keep.
fn others<'a>(listed: &'a str, image: &str) -> Vec<&'a str> {
    let lines = listed.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && *line != image && !line.contains("<none>")).collect()
}

/// A configuration under which podman runs where the kernel's control groups are of both kinds, no
/// network can be made, and limits cannot be raised: inside another container, mostly.
fn containers_conf(limits: &str, pid_max: &str, runc: bool) -> String {
    // podman lowers its own limit of processes to the kernel's largest process number.
    let most_processes = pid_max.trim().parse().unwrap_or(u64::MAX);
    let ulimits: Vec<String> =
        [("nofile", "Max open files", u64::MAX), ("nproc", "Max processes", most_processes)]
            .into_iter()
            .filter_map(|(name, title, most)| {
                let (soft, hard) = limit(limits, title)?;
                let shown = |value: u64| match value.min(hard).min(most) {
                    u64::MAX => "-1".to_owned(),
                    value => value.to_string(),
                };
                Some(format!("\"{name}={}:{}\"", shown(soft), shown(hard)))
            })
            .collect();
    // crun, the default, refuses mixed control groups.
    let runtime = if runc { "runtime = \"runc\"\n" } else { "" };
    format!(
        "# Written by `cargo xtask lab`, with the limits of the process that ran it.\n\
         [containers]\nnetns = \"host\"\ndefault_ulimits = [{}]\n\n[engine]\n{runtime}",
        ulimits.join(", ")
    )
}

/// The soft and hard value of a limit in `/proc/self/limits`, the largest number being none.
fn limit(limits: &str, title: &str) -> Option<(u64, u64)> {
    let line = limits.lines().find_map(|line| line.strip_prefix(title))?;
    let mut values = line.split_whitespace().map(|value| match value {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    });
    Some((values.next()??, values.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max processes             unlimited            unlimited            processes 
Max open files            1024                 20000                files     
";

    fn ulimits(limits: &str, pid_max: &str) -> Vec<String> {
        let table: toml::Table = containers_conf(limits, pid_max, true).parse().unwrap();
        let values = table["containers"]["default_ulimits"].as_array().unwrap();
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn podmans_limits_are_those_of_this_process() {
        assert_eq!(ulimits(LIMITS, ""), ["nofile=1024:20000", "nproc=-1:-1"]);
        assert_eq!(ulimits(LIMITS, "32768\n"), ["nofile=1024:20000", "nproc=32768:32768"]);
        let low = "Max processes             100    200    processes\n";
        assert_eq!(ulimits(low, "32768\n"), ["nproc=100:200"]);
    }

    #[test]
    fn a_runtime_that_is_not_there_is_not_asked_for() {
        let table: toml::Table = containers_conf("", "", false).parse().unwrap();
        assert!(table["engine"].as_table().unwrap().is_empty());
        let table: toml::Table = containers_conf("", "", true).parse().unwrap();
        assert_eq!(table["engine"]["runtime"].as_str(), Some("runc"));
        assert_eq!(table["containers"]["netns"].as_str(), Some("host"));
    }

    #[test]
    fn a_container_needs_a_network_only_where_this_machine_has_one() {
        assert_eq!(trial("Iface\tDestination\n"), "true");
        assert_eq!(trial(""), "true");
        assert!(trial("Iface\tDestination\neth0\t00000000\n").contains(ROUTES));
    }

    #[test]
    fn only_other_images_are_removed() {
        let listed = "localhost/lab:1\nlocalhost/lab:2\nlocalhost/lab:<none>\n\n";
        assert_eq!(others(listed, "localhost/lab:2"), ["localhost/lab:1"]);
    }

    #[test]
    fn podmans_images_are_named_in_full() {
        assert_eq!(Engine::Podman.reference("lab", "1"), "localhost/lab:1");
        assert_eq!(Engine::Docker.reference("lab", "1"), "lab:1");
    }
}
