//! What builds take of this machine itself: all of them its git, those without containers its compilers,
//! tools and interpreters.

use camino::Utf8Path;

use super::{STOPS, ccache};
use crate::doctor::facts::Reply;
use crate::doctor::{Check, Weight};
use crate::plan::facts::{Compiler, Host};
use crate::setup::{Installer, Manager, Need};

/// What lists the project's files, where it `is_repository`.
pub(crate) fn git(found: Option<&Utf8Path>, is_repository: bool, installer: Installer) -> Check {
    const NAME: &str = "git";
    match found {
        Some(program) => Check::ok(NAME, program.as_str()),
        None if is_repository => Check::bad(
            NAME,
            STOPS,
            "there is no git in PATH, which knows what belongs to the project",
            installer.advice(&[Need::Git]),
        ),
        None => Check::ok(NAME, "none, and the project is no repository"),
    }
}

/// Nobody wants containers.
pub(crate) fn no_containers() -> Check {
    Check::ok(super::ENGINE, "none is needed: --builder host does without containers")
}

/// All that keeps builds without containers from being begun.
pub(crate) fn without_containers(
    reply: Option<&Reply>,
    found: &[Compiler; 2],
    installer: Installer,
) -> [Check; 2] {
    [ccache(reply, true, installer), compilers(found, installer)]
}

/// The C and the C++ compiler.
pub(crate) fn compilers(found: &[Compiler; 2], installer: Installer) -> Check {
    const NAME: &str = "compilers";
    let [c, cxx] = found;
    let missing = match (&c.words, &cxx.words) {
        (Some(_), Some(_)) => return Check::ok(NAME, Compiler::text(found)),
        (None, _) => c,
        (Some(_), None) => cxx,
    };
    let remedy = match installer.manager {
        Some(Manager::Brew) => "install Apple's\n    xcode-select --install".to_owned(),
        _ => installer.advice(&[Need::Compiler]),
    };
    if c.words.is_none() {
        let what =
            format!("there is no {}, or it does not run: nothing can be built", missing.name);
        return Check::bad(NAME, STOPS, what, remedy);
    }
    let what = format!("there is no {}, or it does not run: only C can be built", missing.name);
    Check::bad(NAME, Weight::Warns, what, remedy)
}

/// uv and what repairs wheels, `version` being uv's.
pub(crate) fn host_tools(are_made: bool, version: &str) -> Check {
    const NAME: &str = "host tools";
    if are_made {
        return Check::ok(NAME, format!("uv {version}, and what repairs wheels"));
    }
    Check::bad(
        NAME,
        Weight::Passes,
        format!("uv {version} is not installed yet"),
        "the first run installs it, and so does\n    cargo xtask doctor --setup --builder host",
    )
}

const INTERPRETERS: &str = "interpreters";

/// Nobody can tell which ones there are.
pub(crate) fn no_interpreters(why: &str) -> Check {
    Check::unknown(INTERPRETERS, why, "mend what is bad above, then run this again")
}

/// The interpreters with their headers, of the versions that the package is built for; or that the run
/// is `refused`.
pub(crate) fn interpreters(host: &Host, refused: Option<&anyhow::Error>) -> Check {
    if let Some(error) = refused {
        return Check::of_error(INTERPRETERS, error);
    }
    let versions: Vec<_> = host.interpreters.values().map(|it| it.version.as_str()).collect();
    let check = Check::ok(INTERPRETERS, versions.join(", "));
    if host.unfit.is_empty() {
        return check;
    }
    let unfit: Vec<_> = host.unfit.values().map(String::as_str).collect();
    check.advising(format!("these cannot build: {}", unfit.join("; ")))
}
