//! What becomes of ccache's log after a build: the part that concerns the project is printed, and
//! the next build starts a new one.

use crate::error::Error;
use crate::logfile::{self, Summary};
use crate::request::Request;
use crate::{files, state, text};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The whole log's name inside the record folder.
pub const FILE_NAME: &str = "ccache.log";

/// Prints what ccache's log has to say of the project, says where the whole log is, and moves it out
/// of the next build's way.
///
/// # Errors
/// The log cannot be read, or neither moved nor removed.
pub(crate) fn show(request: &Request, out: &mut dyn Write) -> Result<(), Error> {
    // The value may be `syslog`, or a device.
    let Some(path) = request.logfile.as_deref().filter(|path| path.is_file()) else {
        return Ok(());
    };
    let read =
        File::open(path).and_then(|log| logfile::print_sections(log, &request.projects, out));
    let told = read.and_then(|summary| summarise(&summary, out).map(|()| summary));
    let is_cut = told.as_ref().map_or(true, Summary::is_cut);
    let put_away = put_away(request, path, is_cut, out);
    told.map_err(|error| {
        Error::io("cannot print ccache's log", path, &error, "look into it by hand")
    })
    .and(put_away)
}

/// A log of which all that concerns the project was printed is removed. What was cut is kept whole:
/// where the host sees it, or beside its place.
fn put_away(
    request: &Request,
    path: &Path,
    is_cut: bool,
    out: &mut dyn Write,
) -> Result<(), Error> {
    if !is_cut {
        return files::remove(path, "ccache's log");
    }
    let kept = match &request.record_dir {
        Some(folder) => folder.join(FILE_NAME),
        None => beside(path, request.identifier.as_deref()),
    };
    files::move_whole(path, &kept).map_err(|error| {
        let next = "remove it by hand before the next build";
        Error::io("cannot put away ccache's log", path, &error, next)
    })?;
    let words = format!("the whole log is kept: {}", kept.display());
    // Words that nobody can read any more change nothing.
    drop(out.write_all(text::fold("ccache log: ", &text::escape(words.as_bytes())).as_bytes()));
    Ok(())
}

/// `/tmp/ccache.log` and `cp312-manylinux_x86_64` give `/tmp/ccache.log.cp312-manylinux_x86_64`.
fn beside(path: &Path, identifier: Option<&str>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(state::safe_name(identifier.unwrap_or("whole")));
    name.into()
}

fn summarise(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.left_out > 0 {
        let words = format!(
            "ccache log: {} more calls that missed or failed are not shown",
            summary.left_out
        );
        writeln!(out, "{words}")?;
    }
    let words = format!(
        "{} of {} calls concern the project: {} hits, {} missed or failed, {} compiled nothing; \
         {} configure probes",
        summary.concerning,
        summary.sections,
        summary.hits,
        summary.missed,
        summary.other,
        summary.probes
    );
    out.write_all(text::fold("ccache log: ", &words).as_bytes())
}
