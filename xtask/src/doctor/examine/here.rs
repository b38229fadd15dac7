//! What builds without containers need of this machine.

use super::{Check, Known, Subject, facts, judge, paths};
use crate::host;
use crate::interpreters;
use crate::plan;
use crate::plan::facts::{Compiler, Facts, Host, HostTools};
use crate::provision;
use crate::setup::Installer;

/// The checks of what containers would have brought; `are_ours` tells that it is not cibuildwheel that
/// builds.
///
/// # Errors
/// There is no folder for what is kept between runs.
pub(super) fn checks(
    subject: &Subject<'_>,
    known: &Known,
    are_ours: bool,
) -> anyhow::Result<Vec<Check>> {
    let compilers = host::compilers(subject.environment);
    let mut checks = vec![judge::compilers(&compilers, Installer::find(subject.environment))];
    if are_ours {
        let tools = provision::made_host_tools(subject.environment)?;
        checks.push(judge::host_tools(tools.is_some(), &subject.pins.host.uv));
        checks.push(interpreters(subject, known, tools, &compilers));
    }
    Ok(checks)
}

/// The check of the interpreters, which the run's own selection decides.
fn interpreters(
    subject: &Subject<'_>,
    known: &Known,
    tools: Option<HostTools>,
    compilers: &[Compiler],
) -> Check {
    let Ok(answer) = &known.answer else {
        return judge::no_interpreters("it takes cibuildwheel, which knows the package's builds");
    };
    let Some(tools) = tools else {
        return judge::no_interpreters("it takes uv, of the host tools, which finds them");
    };
    let is_selected = |identifier: &str| answer.builds.iter().any(|it| it.identifier == identifier);
    let found = interpreters::find(&tools.uv, is_selected, subject.pins, subject.environment);
    let found = match found {
        Ok(found) => found,
        Err(error) => return judge::no_interpreters(&format!("{error:#}")),
    };
    let host = Host {
        why: None,
        libc: found.libc,
        compilers: Compiler::text(compilers),
        interpreters: found.interpreters,
        unfit: found.unfit,
        others: found.others,
        tools,
    };
    let paths = paths(subject);
    let selected =
        plan::images(&Facts { host: Some(&host), ..facts(subject, known, answer, &paths) });
    judge::interpreters(&host, selected.err().as_ref())
}
