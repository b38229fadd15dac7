//! `report`, as data.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

pub(super) const EXAMPLES: &str = "Examples:
  cargo xtask report                             the newest run: its table, and where its page is
  cargo xtask report --format markdown           for an issue or a pull request
  cargo xtask report target/warmwheel/RUN-ID --format html > run.html
  cargo xtask report --history                   time and hits of the runs of this package

Any run can be shown that has left its events.ndjson, also one that was killed or still goes on.

stdout carries what was asked for; without --format that is the table and the page's path.";

/// `report`.
#[derive(Args, Debug)]
pub(crate) struct Report {
    /// A run's folder or id [default: the newest run of the project]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<Utf8PathBuf>,
    /// The project that the run is of [default: the one around this xtask]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<Utf8PathBuf>,
    /// How to show it [default: the table, and the path of the page]
    #[arg(long)]
    pub(crate) format: Option<ReportFormat>,
    /// Show the runs of the package one after another, and where the hits fell
    #[arg(long, conflicts_with_all = ["run", "format"])]
    pub(crate) history: bool,
}

/// How a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a terminal.
    Table,
    /// As report.json.
    Json,
    /// As one self-contained page.
    Html,
    /// As GitHub's job summaries show it.
    Markdown,
}
