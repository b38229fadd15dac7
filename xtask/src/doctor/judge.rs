//! What was found out, judged. Pure: nothing here starts a process, reads a file or looks at the
//! environment, so that each line is tested with every answer that it can get.

pub(crate) mod cache;
mod here;
mod image;
#[cfg(test)]
mod tests;

use ccache_validator::answers::Version;
use ccache_validator::inquiry::Inquiry;
use ccache_validator::obstacle::Obstacle;
use ccache_validator::process::{Ccache, Failure};

pub(crate) use self::here::{
    compilers, git, host_tools, interpreters, no_containers, no_interpreters, without_containers,
};
pub(crate) use self::image::{
    bind_mount, build_inside, ccache_inside, clock_inside, container, container_refused,
    disk_inside, image, image_ccache, image_refused, lab_missing, no_image, selftest_inside, shown,
};
use super::facts::{Compiled, EngineReply, Pythons, Reply, Room};
use super::{Check, Weight};
use crate::cli::{Engine, Jobs};
use crate::fault::Class;
use crate::plan::jobs::MEMORY_PER_BUILD;
use crate::setup::{Installer, Need, engine_needs};

const STOPS: Weight = Weight::Stops(Class::Machine);
/// File times of network file systems are those of their servers; a second or two do no harm.
const MOST_SECONDS_APART: i64 = 2;
/// Earlier than this program: 2026-01-01, in seconds since 1970.
const EARLIEST_SECONDS: i64 = 1_767_225_600;
/// Nobody runs this in 2100.
const LATEST_SECONDS: i64 = 4_102_444_800;
/// With less than this a build does not even get as far as its own complaint, in bytes.
const NOTHING_BYTES: u64 = 16 * 1024 * 1024;

/// The Python that runs cibuildwheel.
pub(crate) fn python(found: &Pythons, installer: Installer) -> Check {
    const NAME: &str = "Python";
    if let Some((program, version)) = &found.fit {
        return Check::ok(NAME, format!("{version}, {program}"));
    }
    let installation = installer.advice(&[Need::Python]);
    let remedy = format!("{installation}\nor have uv do it\n    uv python install 3.12");
    if let Some(program) = &found.silent {
        let what = format!("{program} did not tell its version in time, and no other will do");
        return Check::unknown(NAME, what, remedy);
    }
    let unfit = found.unfit.iter().take(2);
    let unfit = unfit.map(|(program, what)| format!("; {program} is {what}"));
    let what = format!("no Python {} or newer with the venv module is in PATH", found.minimum);
    Check::bad(NAME, STOPS, what + &unfit.collect::<String>(), remedy)
}

/// The pinned cibuildwheel, `pinned` being its version; `None` if it is not installed yet.
pub(crate) fn cibuildwheel(found: Option<(&str, &Reply)>, pinned: &str) -> Check {
    const NAME: &str = "cibuildwheel";
    const REMEDY: &str = "the first run installs it, and so does\n    cargo xtask doctor --setup";
    let bad = |what: String| Check::bad(NAME, Weight::Passes, what, REMEDY);
    match found {
        None => bad(format!("{pinned} is not installed yet")),
        Some((python, Reply::Said(version))) if version.trim() == pinned => {
            Check::ok(NAME, format!("{pinned}, {python}"))
        }
        Some((python, Reply::Said(version))) => {
            bad(format!("{python} has {}, not {pinned}", version.trim()))
        }
        Some((python, Reply::Refused(words))) => {
            bad(format!("{python} does not run it any more: {}", last_line(words)))
        }
        Some((python, Reply::Silent(words))) => {
            Check::unknown(NAME, format!("{python}: {words}"), REMEDY)
        }
    }
}

/// The container engine that is asked for, or else any.
pub(crate) fn engine(
    replies: &[EngineReply],
    wanted: Option<(Engine, &str)>,
    installer: Installer,
) -> Check {
    let fits = |engine: Engine| wanted.is_none_or(|(wanted, _)| wanted == engine);
    let candidates = replies.iter().filter(|it| fits(it.engine));
    let answers = |it: &&EngineReply| it.reply.as_ref().is_some_and(|reply| reply.said().is_some());
    if let Some(found) = candidates.clone().find(answers) {
        return Check::ok(ENGINE, format!("{} answers", found.engine.name()));
    }
    let silent = |it: &EngineReply| match &it.reply {
        Some(Reply::Silent(words)) => Some(format!("{}: {words}", it.engine.name())),
        _ => None,
    };
    if let Some(why) = candidates.clone().find_map(silent) {
        return Check::unknown(ENGINE, why, "see what keeps it busy, or restart it");
    }
    let refused = |it: &EngineReply| match &it.reply {
        Some(Reply::Refused(words)) => {
            Some(format!("; {} says: {}", it.engine.name(), last_line(words)))
        }
        _ => None,
    };
    let is_installed = candidates.clone().any(|it| it.reply.is_some());
    let words: String = candidates.filter_map(refused).collect();
    let mut check = no_engine(wanted);
    if words.contains("permission denied") && words.contains("docker") {
        check.remedy = String::from(
            "let your user talk to docker, then log in anew\n    \
             sudo usermod -aG docker \"$(id -un)\"",
        );
    } else if !is_installed && wanted.is_none() {
        check.remedy = installer.advice(engine_needs(cfg!(target_os = "linux"), installer.root));
    }
    check.found.push_str(&words);
    check
}

const ENGINE: &str = "container engine";

/// No container engine answers, or not the one that somebody (the second part says who) asks for.
pub(crate) fn no_engine(wanted: Option<(Engine, &str)>) -> Check {
    match wanted {
        Some((engine, origin)) => Check::bad(
            ENGINE,
            STOPS,
            format!("{} does not answer; {origin} asks for it", engine.name()),
            format!("start it, or add `--engine {}`", other(engine).name()),
        ),
        None => Check::bad(
            ENGINE,
            STOPS,
            "no container engine answers, neither docker nor podman",
            "start one, install podman with\n    cargo xtask doctor --setup --builder cibuildwheel\n\
             or build without containers: --builder host",
        ),
    }
}

fn other(engine: Engine) -> Engine {
    match engine {
        Engine::Docker => Engine::Podman,
        Engine::Podman => Engine::Docker,
    }
}

/// This machine's own ccache; `None` if there is none. `builds_here` tells that builds run on the host;
/// in containers they have another.
pub(crate) fn ccache(reply: Option<&Reply>, builds_here: bool, installer: Installer) -> Check {
    const NAME: &str = "ccache";
    let weight = if builds_here { STOPS } else { Weight::Passes };
    match reply {
        None if !builds_here => Check::ok(NAME, "none in PATH; builds in containers take another"),
        None => Check::bad(
            NAME,
            weight,
            "there is no ccache in PATH",
            installer.advice(&[Need::Ccache]),
        ),
        Some(Reply::Silent(words)) => {
            Check::unknown(NAME, words, "see what `ccache --version` does")
        }
        // What this asks for is older than what a run needs.
        Some(Reply::Refused(words)) if words.contains("unrecognized option") => Check::bad(
            NAME,
            weight,
            "it is older than 3.7",
            format!("{}\nor put a newer one first in PATH", installer.advice(&[Need::Ccache])),
        ),
        Some(Reply::Refused(words)) => {
            let obstacle = Obstacle::Refused(last_line(words).to_owned());
            Check::bad(NAME, weight, obstacle.cause(), obstacle.remedy())
        }
        Some(Reply::Said(text)) => match version_in(text) {
            None => Check::bad(
                NAME,
                weight,
                "what is called ccache does not answer as ccache does",
                "put the real ccache first in PATH",
            ),
            Some(version) => version_check(
                NAME,
                &version,
                format!("{}\nor put a newer one first in PATH", installer.advice(&[Need::Ccache])),
            ),
        },
    }
}

/// Whether a ccache is new enough to keep a record of each build.
fn version_check(name: &'static str, version: &Version, remedy: String) -> Check {
    if version.has_statslog() {
        return Check::ok(name, format!("{}, which keeps a record of each build", version.text));
    }
    let found = format!(
        "{} has no statslog, 4.4 and newer have: builds are counted together, one at a time",
        version.text
    );
    Check::bad(name, Weight::Warns, found, remedy)
}

fn version_in(text: &str) -> Option<Version> {
    text.lines().find_map(ccache_validator::answers::version)
}

/// The same file compiled at two places through this machine's ccache. `variables` are the user's own
/// that ccache reads.
pub(crate) fn selftest(compiled: &Result<Compiled, String>, variables: &[String]) -> Check {
    const NAME: &str = "self-test";
    match compiled {
        Err(why) => Check::unknown(NAME, why, ""),
        Ok(compiled) => twice(NAME, compiled, variables, Weight::Passes),
    }
}

/// What a ccache has told, for the validator's own questions.
struct Told<'a>(&'a str);

impl Ccache for Told<'_> {
    fn ask(&self, _arguments: &[&str]) -> Result<String, Failure> {
        Ok(self.0.to_owned())
    }
}

/// Whether the second compilation has hit.
fn twice(name: &'static str, compiled: &Compiled, variables: &[String], weight: Weight) -> Check {
    let Some(program) = &compiled.compiler else {
        return Check::bad(
            name,
            weight,
            "there is no C compiler to try it with: neither cc, gcc nor clang",
            "install one, such as gcc",
        );
    };
    let inquiry = compiled.told.as_deref().and_then(|text| Inquiry::ask(&Told(text)).ok());
    let Some(inquiry) = inquiry.filter(|inquiry| inquiry.version().is_some()) else {
        return Check::unknown(name, "it takes a ccache that works", "");
    };
    if let Some(obstacle) = Obstacle::in_settings(&inquiry, true) {
        return Check::bad(name, weight, obstacle.cause(), obstacle.remedy());
    }
    if let Some(complaint) = &compiled.complaint {
        let found = format!("{program} through ccache failed: {}", last_line(complaint));
        return Check::bad(name, weight, found, "make the compiler work, then run this again");
    }
    let counts = inquiry.stats().counts;
    match (counts.hits(), counts.misses) {
        (None, _) => Check::unknown(name, "this ccache tells no counters", ""),
        (Some(0), misses) => {
            let misses = misses.unwrap_or(0);
            let found = format!(
                "the same file compiled at two places hit nothing ({misses} misses, {program})"
            );
            Check::bad(name, weight, found, without(variables))
        }
        (Some(_), _) => {
            Check::ok(name, format!("the same file compiled at two places hit ({program})"))
        }
    }
}

/// What to do about a ccache that does not find what it has stored.
fn without(variables: &[String]) -> String {
    if variables.is_empty() {
        return "ccache says why, for any file of yours\n    \
                CCACHE_LOGFILE=/dev/stderr ccache gcc -c FILE.c"
            .to_owned();
    }
    format!("these may keep it from hitting\n    unset {}", variables.join(" "))
}

/// Room for what a run writes, on each file system together.
pub(crate) fn disk(rooms: &[Room]) -> Check {
    const NAME: &str = "disk space";
    let needed = |room: &Room| -> u64 {
        rooms.iter().filter(|it| it.device == room.device).map(|it| it.needed_bytes).sum()
    };
    let Some(room) = rooms.iter().find(|room| room.free_bytes < needed(room)) else {
        return match shown_rooms(rooms) {
            nothing if nothing.is_empty() => Check::unknown(NAME, "this system does not tell", ""),
            shown => Check::ok(NAME, shown),
        };
    };
    let weight = if room.free_bytes < NOTHING_BYTES { STOPS } else { Weight::Warns };
    let found = format!(
        "{} is free for {} ({}); a run may take {}",
        size(room.free_bytes),
        room.what,
        room.path,
        size(needed(room))
    );
    let option = match room.what {
        cache::WHAT => "--ccache-dir",
        WHEELS => "--output-dir",
        _ => "--report-dir",
    };
    Check::bad(NAME, weight, found, format!("make room there, or name another place with {option}"))
}

/// What is free, once for each file system.
fn shown_rooms(rooms: &[Room]) -> String {
    let mut shown: Vec<(&Room, Vec<&str>)> = Vec::new();
    for room in rooms {
        match shown.iter_mut().find(|(first, _)| first.device == room.device) {
            Some((_, whats)) => whats.push(room.what),
            None => shown.push((room, vec![room.what])),
        }
    }
    let one = |(room, whats): &(&Room, Vec<&str>)| {
        format!("{} for {}", size(room.free_bytes), whats.join(", "))
    };
    shown.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What of a run's goes to the output folder, for [`disk`].
pub(crate) const WHEELS: &str = "wheels";

/// Memory for as many builds as are to run at once.
pub(crate) fn memory(free_bytes: Option<u64>, jobs: Jobs) -> Check {
    const NAME: &str = "memory";
    let Some(free) = free_bytes else {
        return Check::unknown(NAME, "this system does not tell how much is free", "");
    };
    let each = size(MEMORY_PER_BUILD);
    let fit = free / MEMORY_PER_BUILD;
    let wanted = match jobs {
        Jobs::Auto => 1,
        Jobs::Number(number) => u64::try_from(number.get()).unwrap_or(u64::MAX),
    };
    if fit >= wanted {
        return Check::ok(NAME, format!("{} is free, {each} for each build at once", size(free)));
    }
    let remedy = match jobs {
        Jobs::Number(_) if fit > 0 => format!("build fewer at once: --jobs {fit}"),
        _ => "end other programs, or add swap; small packages take less".to_owned(),
    };
    let builds =
        if wanted == 1 { "one build".to_owned() } else { format!("{wanted} builds at once") };
    Check::bad(
        NAME,
        Weight::Warns,
        format!("{} is free for {builds}, of which each may take {each}", size(free)),
        remedy,
    )
}

/// The system's clock, and the time that a new file gets (`None` where there is none). In seconds since
/// 1970.
pub(crate) fn clock(now_seconds: i64, file_seconds: Option<i64>) -> Check {
    const NAME: &str = "clock";
    if !(EARLIEST_SECONDS..LATEST_SECONDS).contains(&now_seconds) {
        let found = format!("it says {}, which cannot be", shown_time(now_seconds));
        return Check::bad(NAME, Weight::Warns, found, "set it\n    timedatectl set-ntp true");
    }
    let now = shown_time(now_seconds);
    let Some(file) = file_seconds else {
        return Check::ok(NAME, now);
    };
    let ahead = file.saturating_sub(now_seconds);
    if ahead.abs() <= MOST_SECONDS_APART {
        return Check::ok(NAME, format!("{now}, and so say new files"));
    }
    let found = format!(
        "a new file in the cache folder is {} s {} of it: ccache distrusts such files",
        ahead.abs(),
        if ahead > 0 { "ahead" } else { "behind" }
    );
    let remedy =
        "set the clocks of this machine and of the file server\n    timedatectl set-ntp true";
    Check::bad(NAME, Weight::Warns, found, remedy)
}

fn shown_time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| format!("{seconds} s"), |at| at.to_string())
}

/// What stands at the end of a complaint, where most programs say what it comes to.
fn last_line(words: &str) -> &str {
    words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("nothing")
}

/// Bytes as a person reads them.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        1e6..1e9 => format!("{:.0} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}
