//! A large run without its builds: sixty of them in four domains, done by a builder that only waits.
//! What is left is this program's own work: plan, scheduling, events and report.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser as _;
use serde_json::json;

use super::figures::{Limit, Report, Row, Unit};
use super::{Bench, machine};
use crate::cli::{Cli, Command, Engine};
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{BuildOutcome, BuildResult, Reporter, RunOutcome, WheelFile};
use crate::interrupt::Interrupt;
use crate::package::Traits;
use crate::plan::facts::{Answer, Facts, Machine, Paths};
use crate::plan::{self, Plan};
use crate::report::{files, html, terminal};
use crate::scheduler::{self, Beginning, Builder, Events, Job, News, Tell};
use crate::settings::{Settings, Table};

/// Fifteen interpreters for each of four platform tags.
const PYTHONS: u32 = 15;
const TAGS: [&str; 4] =
    ["manylinux_x86_64", "manylinux_i686", "musllinux_x86_64", "manylinux_aarch64"];
const JOBS: &str = "8";
/// How long each phase of a build takes.
const PHASE: Duration = Duration::from_millis(5);
const PHASES: [&str; 8] =
    ["container", "copy-in", "before-all", "environment", "build", "repair", "test", "copy-out"];
/// What the program's own work may take: CPU time in milliseconds, and memory in bytes.
const CPU_LIMIT: f64 = 1000.0;
const MEMORY_LIMIT: f64 = 60.0 * 1024.0 * 1024.0;
/// Linux counts CPU time in hundredths of a second for every program that asks.
const MILLISECONDS_PER_TICK: u32 = 10;

/// Does nothing, in the phases of a build.
struct Pretended;

impl Builder for Pretended {
    fn build(&self, job: &Job<'_>, _: &Interrupt, tell: &Tell<'_>) -> Vec<BuildResult> {
        for name in PHASES {
            tell(News::Phase { place: 0, name: name.to_owned() });
            if name == "repair" {
                tell(News::Compiled { is_shared: false });
            }
            thread::sleep(PHASE);
        }
        let built = |identifier: &String| BuildResult {
            outcome: BuildOutcome::Built,
            wheel: Some(WheelFile {
                path: format!("/wheelhouse/pkg-1-{identifier}.whl").into(),
                sha256: "0".repeat(64),
                size_bytes: 1_000_000,
            }),
            ..BuildResult::default()
        };
        job.builds.iter().map(|build| built(&build.identifier)).collect()
    }
}

/// Measures in this very process.
///
/// # Errors
/// The system does not tell what a process uses, or the run cannot be written down.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Report> {
    let machine = machine::told();
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let folder = tempfile::tempdir()?;
        let folder = Utf8Path::from_path(folder.path()).context("a folder that is not UTF-8")?;
        // Forgets what this process has needed at its peak until now.
        fs::write("/proc/self/clear_refs", "5").context("cannot measure memory here")?;
        let before = cpu_milliseconds()?;
        once(folder, bench.interrupt)?;
        cpu.push(cpu_milliseconds()? - before);
        memory.push(peak_memory()?);
    }
    let builds = TAGS.len() * usize::try_from(PYTHONS)?;
    let title = format!("{builds} builds in {} domains, {JOBS} at once", TAGS.len());
    let cpu_row = Row::new(
        &title,
        "CPU time of plan, scheduling and report",
        Unit::Milliseconds,
        cpu,
        [Limit::at_most(CPU_LIMIT)],
    );
    let memory_row =
        Row::new(&title, "peak memory", Unit::Bytes, memory, [Limit::at_most(MEMORY_LIMIT)]);
    Ok(Report {
        suite: "matrix".to_owned(),
        circumstances: vec![
            format!("{} rounds. Builds only wait; CPU time is in steps of 10 ms.", bench.rounds),
            machine,
        ],
        baselines: Vec::new(),
        rows: cpu_row.into_iter().chain(memory_row).collect(),
        spendings: Vec::new(),
    })
}

fn once(folder: &Utf8Path, interrupt: &Interrupt) -> Result<()> {
    let plan = large_plan(folder)?;
    let console = Console::silent();
    console.data(plan.to_text());
    fs::create_dir_all(&plan.report_dir)?;
    let reporters: Vec<Box<dyn Reporter>> = vec![
        Box::new(files::Stream::start(&plan.report_dir)?),
        Box::new(files::Json::new(&plan.report_dir)),
        Box::new(html::Page::new(&plan.report_dir, None)),
        Box::new(terminal::Terminal::new(console)),
    ];
    let mut events = Events::new(console, reporters);
    let beginning =
        Beginning { command: "bench".into(), started: "now".into(), done: BTreeMap::new() };
    let ending = scheduler::run(&plan, beginning, &Pretended, interrupt, &mut events);
    anyhow::ensure!(ending.outcome == RunOutcome::Done, "the pretended run was not completed");
    Ok(())
}

fn large_plan(folder: &Utf8Path) -> Result<Plan> {
    let versions = (0..PYTHONS).map(|minor| format!("cp3{}", minor + 1));
    let identifiers: Vec<_> = TAGS
        .iter()
        .flat_map(|tag| versions.clone().map(move |python| format!("{python}-{tag}")))
        .collect();
    let builds: Vec<_> = identifiers.iter().map(|identifier| selected(identifier)).collect();
    let answer: Answer = serde_json::from_value(
        json!({"platform": "linux", "known": identifiers, "builds": builds}),
    )?;
    let environment: Environment =
        [("HOME".to_owned(), "/home/me".to_owned())].into_iter().collect();
    let line = ["xtask", "release-wheels", "--jobs", JOBS];
    let Command::ReleaseWheels(flags) = Cli::try_parse_from(line)?.command else {
        anyhow::bail!("{line:?} is another command");
    };
    let settings = Settings::resolve(&flags, &Table::default(), folder, &environment)?;
    let run = folder.join("run");
    let paths = Paths {
        project: folder.to_path_buf(),
        package: Utf8PathBuf::new(),
        stage: run.join("stage"),
        run,
        python: "/tools/bin/python".into(),
        files: folder.join("container"),
    };
    let traits = Traits {
        name: "pkg".into(),
        backend: "scikit_build_core.build".into(),
        names_build_dir: false,
        table: Table::default(),
    };
    plan::plan(&Facts {
        run_id: "RUN",
        settings: &settings,
        traits: &traits,
        answer: &answer,
        environment: &environment,
        machine: Machine { cores: 8, memory_bytes: None },
        engines: &[Engine::Podman],
        images: &BTreeMap::new(),
        ccaches: &BTreeMap::new(),
        lab: None,
        host: None,
        paths: &paths,
    })
}

/// What cibuildwheel says of a package without settings.
fn selected(identifier: &str) -> serde_json::Value {
    const OPTIONS: [&str; 6] = [
        "environment",
        "test-command",
        "before-all",
        "before-build",
        "before-test",
        "config-settings",
    ];
    let (python, tag) = identifier.split_once('-').unwrap_or((identifier, ""));
    let unset = OPTIONS.map(|name| (name, json!({"value": "", "origin": null})));
    json!({
        "identifier": identifier,
        "image": format!("registry.example/{tag}"),
        "engine": {"name": "podman", "create_args": [], "disable_host_mount": false,
                   "host_mount_is_chosen": false},
        "frontend": {"name": "build", "args": [], "constrained": null},
        "interpreter": format!("/opt/python/{python}-{python}"),
        "config_settings": [],
        "options": BTreeMap::from(unset),
        "origins": {},
        "tested": true,
        "mentions_host": false,
    })
}

/// CPU time of this process so far, user and system.
fn cpu_milliseconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot measure CPU time here")?;
    ticks(&stat)
        .map(|ticks| f64::from(ticks) * f64::from(MILLISECONDS_PER_TICK))
        .context("/proc/self/stat says nothing of CPU time")
}

/// The 14th and 15th field; the second one, the program's name in brackets, may hold blanks.
fn ticks(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    next()?.checked_add(next()?)
}

/// The most memory that this process has had since that was last reset, in bytes.
fn peak_memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("cannot measure memory here")?;
    kibibytes(&status)
        .map(|kibibytes| f64::from(kibibytes) * 1024.0)
        .context("/proc/self/status says nothing of memory")
}

fn kibibytes(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_time_and_memory() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (x) S 1"), None);
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmHWM:\t   1234 kB\n"), Some(1234));
        assert_eq!(kibibytes("VmPeak:\t 9 kB\n"), None);
    }

    #[test]
    fn the_plan_has_all_builds_and_a_pioneer_for_each_domain() {
        let folder = tempfile::tempdir().unwrap();
        let plan = large_plan(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        assert_eq!(plan.builds.len(), 60);
        let pioneers = plan.builds.iter().filter(|build| build.role == plan::Role::Pioneer);
        assert_eq!(pioneers.count(), 4);
        assert_eq!(plan.jobs, 8);
    }
}
