//! An image, and what a container of it did.

use super::{STOPS, last_line, size, twice, version_check, version_in};
use crate::doctor::facts::{Image, Ownership, Reply};
use crate::doctor::{Check, State, Weight};
use crate::plan::ccache::{Ccache, Way};
use crate::plan::facts::{Contents, ImageQuestion};
use crate::plan::frontend::has_env_dir;

/// How far a container's clock may be off, in seconds: it looks at it a moment later.
const MOST_SECONDS_APART: i64 = 2;
/// An environment with compilers' output, for one build of a small package, in bytes.
const INSIDE_BYTES: u64 = 1000 * 1000 * 1000;
/// So much of a hash tells one image from another.
const SHOWN_DIGITS: usize = 12;

/// Whether the image is there, or can be pulled.
pub(crate) fn image(image: &Image) -> Check {
    let question = &image.question;
    let (name, engine) = (&question.image, question.engine.name());
    if let Some(id) = &image.id {
        let id: String = id.chars().take(SHOWN_DIGITS).collect();
        return Check::ok(IMAGE, format!("here ({id})"));
    }
    let remedy = format!("see whether it comes\n    {engine} pull {name}");
    match &image.registry {
        Some(Reply::Said(_)) => Check::ok(IMAGE, "not here, and can be pulled"),
        Some(Reply::Refused(words)) => image_refused(question, words),
        Some(Reply::Silent(words)) => {
            Check::unknown(IMAGE, format!("not here; its registry: {words}"), remedy)
        }
        None => Check::unknown(IMAGE, format!("{engine} was not asked"), remedy),
    }
}

const IMAGE: &str = "image";

/// An image's name with no more of a digest than tells it apart.
pub(crate) fn shown(image: &str) -> String {
    match image.split_once("@sha256:") {
        Some((name, digest)) if digest.len() > SHOWN_DIGITS => {
            let digits: String = digest.chars().take(SHOWN_DIGITS).collect();
            format!("{name}@sha256:{digits}…")
        }
        _ => image.to_owned(),
    }
}

/// The image is not here and cannot be pulled, for a reason in these words.
pub(crate) fn image_refused(question: &ImageQuestion, words: &str) -> Check {
    let ImageQuestion { image, engine, .. } = question;
    let engine = engine.name();
    Check::bad(
        IMAGE,
        STOPS,
        format!("{} is not here and cannot be pulled: {}", shown(image), last_line(words)),
        format!(
            "see why, and that the registry can be reached\n    {engine} pull {image}\n\
             or build in another image: --image REF, or --image lab for the test image;\n\
             or without containers: --builder host"
        ),
    )
}

/// The test image was asked for and has not been made.
pub(crate) fn lab_missing() -> Check {
    Check::bad(
        IMAGE,
        STOPS,
        "the test image has not been made",
        "make it\n    cargo xtask lab --setup",
    )
}

/// Nobody can tell which images builds need.
pub(crate) fn no_image(why: &str) -> Check {
    Check::unknown(IMAGE, why, "mend what is bad above, then run this again")
}

/// Whether the engine can run a container of it.
pub(crate) fn container(image: &Image) -> Check {
    let ImageQuestion { image: name, engine, .. } = &image.question;
    let engine = engine.name();
    match image.trial.as_ref().and_then(|trial| Some((trial, trial.reply.as_ref()?))) {
        None => not_tried(CONTAINER, image),
        Some((trial, Reply::Said(_))) => {
            Check::ok(CONTAINER, format!("{engine} ran one, in {:.1} s", trial.elapsed_seconds))
        }
        Some((_, Reply::Refused(words))) => container_refused(&image.question, words),
        Some((_, Reply::Silent(words))) => Check::unknown(
            CONTAINER,
            format!("{engine}: {words}"),
            format!("see what it does\n    {engine} run --rm {name} true"),
        ),
    }
}

const CONTAINER: &str = "container";

/// The engine cannot run a container of an image that is here, for a reason in these words.
pub(crate) fn container_refused(question: &ImageQuestion, words: &str) -> Check {
    let ImageQuestion { image, engine, .. } = question;
    let engine = engine.name();
    Check::bad(
        CONTAINER,
        STOPS,
        format!("{engine} cannot run one of {}: {}", shown(image), last_line(words)),
        format!(
            "see whether this can be made to work\n    {engine} run --rm {image} true\n\
             where networks and limits are those of another container, the test image comes with \
             an arrangement that works\n    cargo xtask lab --setup\n\
             or build without containers: --builder host"
        ),
    )
}

/// What a container's own lines say when none was run, or it came to nothing.
fn not_tried(name: &'static str, image: &Image) -> Check {
    let ImageQuestion { image: reference, engine, .. } = &image.question;
    match image.id {
        Some(_) => Check::unknown(name, "it takes a container that runs", ""),
        None => Check::unknown(
            name,
            "it takes the image on this machine",
            format!("pull it and run this again\n    {} pull {reference}", engine.name()),
        ),
    }
}

/// Whether a mounted folder can be written from inside, and what is written there is the user's in the
/// end.
pub(crate) fn bind_mount(image: &Image) -> Check {
    const NAME: &str = "bind mount";
    let engine = image.question.engine.name();
    let Some(trial) = image.ran() else { return not_tried(NAME, image) };
    let bad = |found: String, remedy: &str| Check::bad(NAME, STOPS, found, remedy);
    match (&trial.written, trial.arrived, &trial.given_back) {
        (None, ..) => Check::unknown(NAME, "the container did not say", ""),
        (Some(Err(words)), ..) => bad(
            format!("a mounted folder cannot be written from inside: {}", last_line(words)),
            "a rootless engine: is the folder this user's own? SELinux: give the folder a label\n    \
             chcon -R -t container_file_t CACHE-FOLDER",
        ),
        (Some(Ok(())), false, _) => bad(
            format!("what is written from inside does not arrive: {engine} runs elsewhere"),
            "use an engine on this machine, or one that shares this folder with its own",
        ),
        (Some(Ok(())), true, Some(Err(why))) => Check::bad(
            NAME,
            Weight::Warns,
            format!("what is written from inside is another user's, and stays so: {why}"),
            "give it back after each run\n    sudo chown -R \"$(id -u):$(id -g)\" CACHE-FOLDER",
        ),
        (Some(Ok(())), true, Some(Ok(Ownership::GivenBack))) => {
            Check::ok(NAME, "written from inside, and can be given back to you")
        }
        (Some(Ok(())), true, _) => Check::ok(NAME, "written from inside, and yours"),
    }
}

/// The ccache that builds in the image use; `None` where nobody can tell the builds.
pub(crate) fn ccache_inside(image: &Image, decided: Option<&anyhow::Result<Ccache>>) -> Check {
    match decided {
        None => Check::unknown(CCACHE, "it takes cibuildwheel, which knows the builds", ""),
        Some(Err(error)) => Check::of_error(CCACHE, error),
        Some(Ok(ccache)) if ccache.way != Way::Pinned && image.ran().is_none() => {
            not_tried(CCACHE, image)
        }
        Some(Ok(ccache)) => {
            let contents = image.ran().map(|trial| &trial.contents);
            image_ccache(&image.question.image, ccache, contents, image.has_before_all)
        }
    }
}

const CCACHE: &str = "ccache inside";

/// The ccache that builds use in an image of that name; `contents` is what is known of the image. A
/// package's own `before-all` may install one.
pub(crate) fn image_ccache(
    name: &str,
    ccache: &Ccache,
    contents: Option<&Contents>,
    has_before_all: bool,
) -> Check {
    const INSTALL: &str = "have Warmwheel bring one\n    cargo xtask release-wheels --ccache auto\n\
         or have it installed in [tool.cibuildwheel.linux], with what the image has\n    \
         before-all = \"dnf install -y epel-release && dnf install -y ccache\"\n    \
         before-all = \"apk add ccache\"\n    \
         before-all = \"apt-get update && apt-get install -y ccache\"";
    let name = shown(name);
    let own = contents.map(|contents| contents.ccache.as_deref());
    match (ccache.way, own) {
        (Way::Pinned | Way::Host, _) | (Way::Package, None | Some(None)) => {
            Check::ok(CCACHE, ccache.text())
        }
        (Way::Image | Way::Package, Some(Some(version))) => {
            let Some(found) = version_in(&format!("ccache version {version}")) else {
                return Check::unknown(CCACHE, format!("of version {version}"), "");
            };
            let check = version_check(CCACHE, &found, INSTALL.to_owned());
            match (check.state, &ccache.version) {
                (State::Ok, Some(_)) => Check::ok(CCACHE, ccache.text()),
                // Something else may bring another one, so that the plan promises none.
                (State::Ok, None) => Check::ok(CCACHE, format!("{version}; {}", ccache.text())),
                _ => check,
            }
        }
        (Way::Image, Some(None)) if has_before_all => Check::unknown(
            CCACHE,
            format!("{name} has none; the package's before-all may install it"),
            "",
        ),
        (Way::Image, Some(None)) => {
            Check::bad(CCACHE, STOPS, format!("{name} has no ccache"), INSTALL)
        }
        (Way::Image, None) => Check::unknown(CCACHE, format!("{name} does not tell"), ""),
    }
}

/// The `build` of each interpreter that is built for: whether its environment can have a fixed place.
pub(crate) fn build_inside(image: &Image) -> Check {
    const NAME: &str = "build inside";
    let Some(trial) = image.ran() else { return not_tried(NAME, image) };
    let build = &trial.contents.build;
    let wanted: Vec<&String> = if image.interpreters.is_empty() {
        build.keys().collect()
    } else {
        image.interpreters.iter().collect()
    };
    if wanted.is_empty() {
        return Check::bad(
            NAME,
            Weight::Warns,
            "no interpreter under /opt/python has `build`",
            "use a manylinux or musllinux image, or the test image: --image lab",
        );
    }
    let version = |wanted: &str| build.get(wanted).map(String::as_str);
    let describe = |interpreter: &&String| {
        format!("{} {}", short(interpreter), version(interpreter).unwrap_or("has none"))
    };
    let found = wanted.iter().map(describe).collect::<Vec<_>>().join(", ");
    let is_old = |it: &&String| version(it).is_none_or(|version| !has_env_dir(version));
    let old = wanted.iter().copied().filter(is_old);
    // Python 3.9's newest `build` has no --env-dir: nothing mends that.
    let (never, mendable): (Vec<&String>, Vec<&String>) =
        old.partition(|it| it.starts_with("cp39-") && version(it).is_some());
    let Some(first) = mendable.first() else {
        let check = Check::ok(NAME, found);
        return if never.is_empty() {
            check
        } else {
            check.advising(
                "for Python 3.9 there is no `build` with --env-dir: its files that \
                 include headers of build requirements miss in every run",
            )
        };
    };
    let install =
        format!("before-all = \"/opt/python/{first}/bin/python -m pip install --upgrade build\"");
    Check::bad(
        NAME,
        Weight::Passes,
        format!("{found}; 1.6 and newer have --env-dir"),
        format!(
            "without it files that include headers of build requirements miss in every run; take a \
             newer image, or install it in [tool.cibuildwheel.linux], for each such as\n    {install}"
        ),
    )
}

/// `cp312` for `cp312-cp312`.
fn short(interpreter: &str) -> &str {
    match interpreter.split_once('-') {
        Some((python, abi)) if python == abi => python,
        _ => interpreter,
    }
}

/// The same file compiled at two places inside.
pub(crate) fn selftest_inside(image: &Image, variables: &[String]) -> Check {
    const NAME: &str = "self-test inside";
    let Some(trial) = image.ran() else { return not_tried(NAME, image) };
    if trial.compiled.told.is_none() {
        return Check::unknown(NAME, "it takes a ccache in the image, which builds bring", "");
    }
    twice(NAME, &trial.compiled, variables, Weight::Warns)
}

/// Room for what builds write inside: their environments, and what they compile.
pub(crate) fn disk_inside(image: &Image) -> Check {
    const NAME: &str = "disk inside";
    let Some(trial) = image.ran() else { return not_tried(NAME, image) };
    match trial.free_bytes {
        None => Check::unknown(NAME, "the container did not say", ""),
        Some(free) if free >= INSIDE_BYTES => Check::ok(NAME, format!("{} is free", size(free))),
        Some(free) => Check::bad(
            NAME,
            Weight::Warns,
            format!("{} is free where the engine keeps its containers", size(free)),
            format!(
                "remove what is not needed there any more\n    {} system prune",
                image.question.engine.name()
            ),
        ),
    }
}

/// The container's clock against this machine's.
pub(crate) fn clock_inside(image: &Image) -> Check {
    const NAME: &str = "clock inside";
    let Some(trial) = image.ran() else { return not_tried(NAME, image) };
    let Some(clock) = &trial.clock else {
        return Check::unknown(NAME, "the container did not say", "");
    };
    let ahead = clock.at_seconds.saturating_sub(*clock.here.end());
    let behind = clock.here.start().saturating_sub(clock.at_seconds);
    if ahead <= MOST_SECONDS_APART && behind <= MOST_SECONDS_APART {
        return Check::ok(NAME, "as this machine's");
    }
    let engine = image.question.engine.name();
    let (seconds, word) = if ahead > 0 { (ahead, "ahead") } else { (behind, "behind") };
    Check::bad(
        NAME,
        Weight::Warns,
        format!("{seconds} s {word} of this machine's: ccache distrusts files from the future"),
        match engine {
            "podman" => {
                "restart what containers run in\n    \
                         podman machine stop && podman machine start"
            }
            _ => "restart docker, or set the clock of the machine that it runs in",
        },
    )
}
