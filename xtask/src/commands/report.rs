//! `cargo xtask report`.

use std::process::ExitCode;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::cli::report::{Report as Flags, ReportFormat};
use crate::console::Console;
use crate::environment::Environment;
use crate::event::{Report, stream};
use crate::fault::Fault;
use crate::history::{self, History};
use crate::package::{self, Project, Source, Traits};
use crate::report::{files, html, markdown, terminal};

/// Where the records of a project's runs are.
const RUNS: &str = "target/warmwheel";

/// Shows a run that has left its events, or all that are known of a package.
pub(crate) fn run(flags: &Flags, environment: &Environment, console: Console) -> Result<ExitCode> {
    let project = Project::find(flags.project.as_deref(), environment)?;
    if flags.history {
        return show_history(&project, environment, console);
    }
    let folder = folder(flags.run.as_deref(), &project, environment)?;
    let report = stream::report(&folder.join(files::EVENTS))?;
    match flags.format {
        None => {
            show_table(&report, console);
            let entries = of_package(&report.package, environment);
            html::write(&folder, &report, history::before(&entries, &report.run_id))?;
            console.data(format!("\npage: {}", folder.join(html::FILE)));
        }
        Some(ReportFormat::Table) => show_table(&report, console),
        Some(ReportFormat::Json) => console.data(serde_json::to_string_pretty(&report)?),
        Some(ReportFormat::Markdown) => console.data(markdown::summary(&report, &[], usize::MAX)),
        Some(ReportFormat::Html) => {
            let entries = of_package(&report.package, environment);
            console.data(html::page(&report, history::before(&entries, &report.run_id))?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show_table(report: &Report, console: Console) {
    for line in terminal::whole(report) {
        console.data(line.shown(false));
    }
}

/// The folder of a run that was named by its folder, its id or not at all.
fn folder(
    named: Option<&Utf8Path>,
    project: &Project,
    environment: &Environment,
) -> Result<Utf8PathBuf> {
    let runs = project.root.join(RUNS);
    let candidates = match named {
        None => vec![runs.join("latest")],
        Some(named) => vec![environment.current_folder()?.join(named), runs.join(named)],
    };
    let is_run = |folder: &&Utf8PathBuf| folder.join(files::EVENTS).is_file();
    candidates.iter().find(is_run).cloned().ok_or_else(|| {
        let looked: Vec<_> = candidates.iter().map(|folder| folder.as_str()).collect();
        Fault::usage(
            format!("there is no run in {}", looked.join(" or ")),
            "name the folder that holds its events.ndjson; `release-wheels` prints where that is",
        )
    })
}

fn of_package(package: &str, environment: &Environment) -> Vec<history::Entry> {
    let cache = environment.cache_folder();
    cache.map_or_else(|_| Vec::new(), |cache| History::of(&cache, package).read())
}

fn show_history(
    project: &Project,
    environment: &Environment,
    console: Console,
) -> Result<ExitCode> {
    let Source::Folder(within) = package::locate(None, project, environment)? else {
        return Err(Fault::usage("no package", "name its project with --project"));
    };
    let name = Traits::read(&project.root.join(within))?.name;
    let entries = of_package(&name, environment);
    for line in crate::report::past::lines(&name, &entries) {
        console.data(line);
    }
    Ok(ExitCode::SUCCESS)
}
