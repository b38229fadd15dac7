//! Each line, failing: what it says, and what mends it.

mod of_cache;
mod of_here;
mod of_image;

use super::*;
use crate::doctor::State;
use crate::setup::Manager;

const GIB: u64 = 1024 * 1024 * 1024;
/// In 2027.
const NOW: i64 = 1_800_000_000;
const GOOD: &str = "(default) disable = false\n(default) stats = true\n\
    direct_cache_hit\t1\npreprocessed_cache_hit\t0\ncache_miss\t1\nccache version 4.7.5\n";

fn apt() -> Installer {
    Installer { manager: Some(Manager::Apt), root: true, sudo: false }
}

/// A check has this state, found this and names this remedy; all three in one, so that a table can be
/// read.
#[track_caller]
fn is(check: &Check, state: State, found: &str, remedy: &str) {
    assert_eq!(check.state, state, "{check:?}");
    assert!(check.found.contains(found), "no {found:?} in {check:?}");
    assert!(check.remedy.contains(remedy), "no {remedy:?} in {check:?}");
    assert_eq!(check.remedy.is_empty(), remedy.is_empty(), "{check:?}");
}

#[track_caller]
fn bad(check: &Check, found: &str, remedy: &str) {
    assert!(!remedy.is_empty(), "a failed check never names no next action");
    is(check, State::Bad, found, remedy);
}

fn said(text: &str) -> Reply {
    Reply::Said(text.to_owned())
}

fn refused(text: &str) -> Reply {
    Reply::Refused(text.to_owned())
}

fn silent() -> Reply {
    Reply::Silent("no answer within 5 s".to_owned())
}

#[test]
fn a_python_that_will_do_is_shown_and_what_was_found_instead_is_named() {
    let mut found = Pythons { minimum: "3.11".to_owned(), ..Pythons::default() };
    let install = "apt-get install --yes --no-install-recommends python3 python3-venv";
    bad(&python(&found, apt()), "no Python 3.11 or newer", install);
    found.unfit.push(("/usr/bin/python3".into(), "3.9.2".to_owned()));
    bad(&python(&found, apt()), "; /usr/bin/python3 is 3.9.2", "uv python install");
    found.silent = Some("/shims/python".into());
    is(&python(&found, apt()), State::Unknown, "/shims/python did not tell", "uv python install");
    found.fit = Some(("/opt/python3".into(), "3.12.4".to_owned()));
    is(&python(&found, apt()), State::Ok, "3.12.4, /opt/python3", "");
}

#[test]
fn cibuildwheel_is_there_or_will_be_installed() {
    let of = |reply: &Reply| cibuildwheel(Some(("/t/bin/python", reply)), "4.3.3");
    let remedy = "    cargo xtask doctor --setup";
    bad(&cibuildwheel(None, "4.3.3"), "4.3.3 is not installed yet", remedy);
    bad(
        &of(&refused("Traceback\nModuleNotFoundError: x")),
        "any more: ModuleNotFoundError",
        remedy,
    );
    bad(&of(&said("4.2.0\n")), "has 4.2.0, not 4.3.3", remedy);
    is(&of(&silent()), State::Unknown, "no answer within", remedy);
    is(&of(&said("4.3.3\n")), State::Ok, "4.3.3, /t/bin/python", "");
}

#[test]
fn an_engine_answers_or_its_words_are_passed_on() {
    let of = |docker: Option<Reply>, podman: Option<Reply>, wanted| {
        let replies = [
            EngineReply { engine: Engine::Docker, reply: docker },
            EngineReply { engine: Engine::Podman, reply: podman },
        ];
        engine(&replies, wanted, apt())
    };
    let without = of(None, None, None).done_without();
    is(&without, State::Ok, "builds go without containers, on this machine", "apt-get install");
    let docker = Some((Engine::Docker, "--engine"));
    bad(&of(None, None, None), "neither docker nor podman", "apt-get install --yes");
    let down = || Some(refused("Cannot connect to the Docker daemon"));
    bad(&of(down(), None, None), "docker says: Cannot connect", "start one");
    bad(&of(down(), Some(said("")), docker), "--engine asks for it", "--engine podman");
    let denied = Some(refused("permission denied while trying to connect to the docker API"));
    bad(&of(denied, None, None), "permission denied", "usermod -aG docker");
    is(&of(Some(silent()), None, None), State::Unknown, "docker: no answer", "restart it");
    is(&of(Some(silent()), Some(said("")), None), State::Ok, "podman answers", "");
    is(&of(Some(said("20")), None, docker), State::Ok, "docker answers", "");
}

#[test]
fn a_ccache_is_new_enough_or_a_newer_one_is_asked_for() {
    let of = |reply: Option<Reply>| ccache(reply.as_ref(), true, apt());
    let install = "apt-get install --yes --no-install-recommends ccache";
    bad(&of(None), "no ccache in PATH", install);
    is(&ccache(None, false, apt()), State::Ok, "builds in containers take another", "");
    bad(&of(Some(said("ccache version 4.3\n"))), "4.3 has no statslog", install);
    bad(&of(Some(refused("ccache: unrecognized option '--print-stats'"))), "older", install);
    bad(&of(Some(refused("invalid size: x"))), "invalid size", "ccache -p shows all");
    bad(&of(Some(said("sccache 0.8"))), "does not answer as ccache", "first in PATH");
    is(&of(Some(silent())), State::Unknown, "no answer within 5 s", "ccache --version");
    is(&of(Some(said(GOOD))), State::Ok, "4.7.5", "");
}

#[test]
fn only_what_builds_need_stops_a_run() {
    let stops = |check: Check| matches!(check.weight, Weight::Stops(_));
    assert!(stops(ccache(None, true, apt())));
    assert!(!stops(ccache(None, false, apt())), "containers have their own");
    assert!(!stops(cibuildwheel(None, "4.3.3")), "a run installs it");
    assert!(!stops(memory(Some(GIB), Jobs::Auto)), "small packages take less");
    assert!(stops(no_engine(None)));
    assert!(!stops(no_engine(None).done_without()), "builds go without containers");
}

fn twice_compiled(told: &str) -> Compiled {
    let compiler = Some("cc".to_owned());
    Compiled { compiler, complaint: None, told: Some(told.to_owned()) }
}

#[test]
fn the_second_compilation_hits_or_what_keeps_it_from_it_is_named() {
    let of = |compiled: Compiled| selftest(&Ok(compiled), &[]);
    is(&of(twice_compiled(GOOD)), State::Ok, "hit (cc)", "");
    let missed = GOOD.replace("hit\t1", "hit\t0").replace("miss\t1", "miss\t2");
    bad(&of(twice_compiled(&missed)), "hit nothing (2 misses, cc)", "CCACHE_LOGFILE");
    let theirs = ["CCACHE_HASHDIR".to_owned(), "CCACHE_RECACHE".to_owned()];
    let check = selftest(&Ok(twice_compiled(&missed)), &theirs);
    bad(&check, "hit nothing", "    unset CCACHE_HASHDIR CCACHE_RECACHE");
    let disabled = GOOD.replace("(default) disable = false", "(environment) disable = true");
    bad(&of(twice_compiled(&disabled)), "disabled (environment)", "unset CCACHE_DISABLE");
    let in_file = GOOD.replace("(default) disable = false", "(/c/ccache.conf) disable = true");
    bad(&of(twice_compiled(&in_file)), "disabled", "remove disable = true from /c/ccache.conf");
    let mut failed = twice_compiled(&missed);
    failed.complaint = Some("cc: fatal error\ncompilation terminated.".to_owned());
    bad(&of(failed), "compilation terminated.", "make the compiler work");
    bad(&of(Compiled::default()), "no C compiler", "install one");
    let alone = Compiled { compiler: Some("cc".to_owned()), ..Compiled::default() };
    is(&of(alone), State::Unknown, "takes a ccache", "");
    is(&of(twice_compiled("ccache version 4.7.5\n")), State::Unknown, "no counters", "");
    is(&selftest(&Err("no answer within 20 s".to_owned()), &[]), State::Unknown, "within 20 s", "");
}

#[test]
fn room_on_one_disk_is_for_all_that_goes_there() {
    let room = |what, device, free_bytes| Room {
        what,
        path: "/p".into(),
        device,
        free_bytes,
        needed_bytes: 600_000_000,
    };
    let three = |free: [u64; 3], devices: [u64; 3]| {
        let whats = [cache::WHAT, WHEELS, "records"];
        disk(&[0, 1, 2].map(|it| room(whats[it], devices[it], free[it])))
    };
    let of_each = [1_000_000_000; 3];
    is(&three(of_each, [1, 2, 3]), State::Ok, "1.0 GB for the cache; 1.0 GB for wheels", "");
    is(&three([1 << 40; 3], [1, 2, 1]), State::Ok, "GB for the cache, records; 1099.5 GB", "");
    bad(&three(of_each, [1, 1, 1]), "a run may take 1.8 GB", "--ccache-dir");
    bad(&three([1 << 40, 5, 1 << 40], [1, 2, 3]), "free for wheels (/p)", "--output-dir");
    bad(&three([1 << 40, 1 << 40, 5], [1, 2, 3]), "free for records (/p)", "--report-dir");
    is(&disk(&[]), State::Unknown, "does not tell", "");
    let weight = |free| three([free; 3], [1, 2, 3]).weight;
    assert_eq!(weight(1_000_000), STOPS);
    assert_eq!(weight(100_000_000), Weight::Warns);
}

#[test]
fn memory_is_enough_for_as_many_builds_as_are_asked_for() {
    let number = |text: &str| text.parse::<Jobs>().unwrap();
    is(&memory(Some(24 * GIB), number("8")), State::Ok, "25.8 GB is free", "");
    is(&memory(Some(3 * GIB), Jobs::Auto), State::Ok, "for each build at once", "");
    bad(&memory(Some(5 * GIB), number("8")), "for 8 builds at once", "--jobs 2");
    bad(&memory(Some(GIB), number("8")), "for 8 builds", "end other programs");
    bad(&memory(Some(GIB), Jobs::Auto), "for one build", "end other programs");
    is(&memory(None, Jobs::Auto), State::Unknown, "does not tell", "");
}

#[test]
fn clocks_agree_and_say_a_time_that_can_be() {
    is(&clock(NOW, Some(NOW - 2)), State::Ok, "2027-01-15T08:00:00Z, and so say new files", "");
    is(&clock(NOW, None), State::Ok, "2027-01-15T08:00:00Z", "");
    bad(&clock(5, Some(5)), "1970-01-01T00:00:05Z, which cannot be", "timedatectl");
    bad(&clock(i64::MAX, None), "cannot be", "timedatectl");
    bad(&clock(NOW, Some(NOW + 90)), "90 s ahead", "file server");
    bad(&clock(NOW, Some(NOW - 3600)), "3600 s behind", "file server");
}
