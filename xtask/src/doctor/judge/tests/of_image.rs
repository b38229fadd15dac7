//! The lines of an image.

use super::*;
use crate::cli;
use crate::doctor::facts::{ContainerClock, Image, Ownership, Trial};
use crate::fault::Fault;
use crate::plan::ccache::{Ccache, Way};
use crate::plan::facts::{Contents, ImageQuestion};

fn image_facts() -> Image {
    let trial = Trial {
        reply: Some(said("")),
        elapsed_seconds: 0.44,
        written: Some(Ok(())),
        arrived: true,
        given_back: Some(Ok(Ownership::Theirs)),
        free_bytes: Some(50_000_000_000),
        clock: Some(ContainerClock { at_seconds: NOW, here: NOW..=NOW + 1 }),
        contents: Contents {
            build: [("cp39-cp39", "1.4.4"), ("cp312-cp312", "1.6.1"), ("cp313-cp313t", "1.5.0")]
                .map(|(interpreter, version)| (interpreter.to_owned(), version.to_owned()))
                .into(),
            ccache: Some("4.7.5".to_owned()),
        },
        compiled: twice_compiled(GOOD),
    };
    Image {
        question: ImageQuestion {
            engine: Engine::Podman,
            image: "quay.io/x:1".to_owned(),
            platform: "linux/amd64".to_owned(),
        },
        id: Some("0af1".to_owned()),
        registry: None,
        interpreters: vec!["cp312-cp312".to_owned()],
        has_before_all: false,
        trial: Some(trial),
    }
}

/// Facts that are good, but for what `change` makes of them.
fn but(change: impl FnOnce(&mut Image, &mut Trial)) -> Image {
    let mut image = image_facts();
    let mut trial = image.trial.take().unwrap();
    change(&mut image, &mut trial);
    Image { trial: Some(trial), ..image }
}

fn absent(registry: Option<Reply>) -> Image {
    Image { id: None, registry, trial: None, ..image_facts() }
}

#[test]
fn an_image_is_here_or_can_be_pulled() {
    is(&image(&image_facts()), State::Ok, "here (0af1)", "");
    is(&image(&absent(Some(said("{}")))), State::Ok, "not here, and can be pulled", "");
    let unreachable = refused("Trying\nError: pinging registry: no such host");
    bad(&image(&absent(Some(unreachable))), "no such host", "    podman pull quay.io/x:1\n");
    is(&image(&absent(Some(silent()))), State::Unknown, "no answer within", "    podman pull");
    is(&image(&absent(None)), State::Unknown, "was not asked", "podman pull");
    bad(&lab_missing(), "has not been made", "    cargo xtask lab --setup");
    is(&no_image("why"), State::Unknown, "why", "run this again");
}

#[test]
fn what_takes_a_container_says_so_where_none_can_be_run() {
    let ccache: fn(&Image) -> Check = |image| ccache_inside(image, Some(&Ok(decided(Way::Image))));
    let lines = [container, bind_mount, ccache, build_inside, disk_inside, clock_inside];
    for line in lines {
        let check = line(&absent(None));
        is(
            &check,
            State::Unknown,
            "takes the image on this machine",
            "    podman pull quay.io/x:1",
        );
    }
    let broken = but(|_, trial| trial.reply = Some(refused("Error: crun: cgroups\nOCI error")));
    bad(
        &container(&broken),
        "cannot run one of quay.io/x:1: OCI error",
        "    podman run --rm quay.io/x:1 true",
    );
    for line in &lines[1..] {
        is(&line(&broken), State::Unknown, "takes a container that runs", "");
    }
    is(&selftest_inside(&broken, &[]), State::Unknown, "takes a container", "");
    let hung = but(|_, trial| trial.reply = Some(silent()));
    is(&container(&hung), State::Unknown, "podman: no answer", "    podman run --rm");
    is(&container(&image_facts()), State::Ok, "podman ran one, in 0.4 s", "");
}

#[test]
fn a_mounted_folder_is_written_and_given_back() {
    is(&bind_mount(&image_facts()), State::Ok, "written from inside, and yours", "");
    let of = |change: fn(&mut Trial)| bind_mount(&but(|_, trial| change(trial)));
    let given = of(|trial| trial.given_back = Some(Ok(Ownership::GivenBack)));
    is(&given, State::Ok, "can be given back to you", "");
    let denied = of(|trial| trial.written = Some(Err("sh: Permission denied".to_owned())));
    bad(&denied, "cannot be written from inside: sh: Permission denied", "chcon");
    bad(&of(|trial| trial.arrived = false), "does not arrive", "an engine on this machine");
    let kept = of(|trial| trial.given_back = Some(Err("not permitted".to_owned())));
    bad(&kept, "another user's, and stays so: not permitted", "    sudo chown -R");
    is(&of(|trial| trial.written = None), State::Unknown, "did not say", "");
}

/// A build's ccache that comes in this way.
fn decided(way: Way) -> Ccache {
    Ccache {
        way,
        version: Some("4.14.1".to_owned()).filter(|_| way == Way::Pinned),
        setting: cli::Ccache::Auto,
        origin: None,
        why: (way == Way::Package).then(|| "no route to the release".to_owned()),
        pinned: None,
    }
}

#[test]
fn an_image_has_a_ccache_or_may_get_one() {
    let of = |image: &Image| ccache_inside(image, Some(&Ok(decided(Way::Image))));
    is(&of(&image_facts()), State::Ok, "4.7.5; the image's", "");
    let with = |has_before_all, ccache: Option<&str>| {
        but(|image, trial| {
            image.has_before_all = has_before_all;
            trial.contents.ccache = ccache.map(ToOwned::to_owned);
        })
    };
    let none = "    before-all = \"apk add ccache\"";
    bad(&of(&with(false, None)), "quay.io/x:1 has no ccache", none);
    bad(&of(&with(false, None)), "no ccache", "    cargo xtask release-wheels --ccache auto");
    is(&of(&with(true, None)), State::Unknown, "before-all may install it", "");
    bad(&of(&with(true, Some("3.7.7"))), "3.7.7 has no statslog", "before-all");
    is(&of(&with(true, Some("?"))), State::Unknown, "of version ?", "");
    let unasked = image_ccache("x", &decided(Way::Image), None, false);
    is(&unasked, State::Unknown, "x does not tell", "");
}

#[test]
fn what_brings_a_ccache_along_does_not_ask_for_the_images() {
    let of = |way, ccache: Option<&str>| {
        let image = but(|_, trial| trial.contents.ccache = ccache.map(ToOwned::to_owned));
        ccache_inside(&image, Some(&Ok(decided(way))))
    };
    for own in [None, Some("3.7.7"), Some("4.7.5")] {
        is(&of(Way::Pinned, own), State::Ok, "4.14.1, the pinned one", "");
    }
    is(&of(Way::Package, None), State::Ok, "package manager", "");
    is(&of(Way::Package, None), State::Ok, "; no route to the release", "");
    bad(&of(Way::Package, Some("3.7.7")), "3.7.7 has no statslog", "--ccache auto");
    let pinned = Some(Ok(decided(Way::Pinned)));
    is(&ccache_inside(&absent(None), pinned.as_ref()), State::Ok, "the pinned one", "");
    let refused = Fault::machine("it is to be pinned, but is not to be had", "--ccache-mirror");
    bad(&ccache_inside(&image_facts(), Some(&Err(refused))), "is to be pinned", "--ccache-mirror");
    is(&ccache_inside(&image_facts(), None), State::Unknown, "takes cibuildwheel", "");
}

#[test]
fn each_interpreter_that_is_built_for_has_a_build_with_env_dir() {
    is(&build_inside(&image_facts()), State::Ok, "cp312 1.6.1", "");
    let of = |interpreters: &[&str]| {
        let names: Vec<_> = interpreters.iter().map(|&name| name.to_owned()).collect();
        build_inside(&but(|image, _| image.interpreters = names))
    };
    let install = "/opt/python/cp313-cp313t/bin/python -m pip install --upgrade build";
    bad(&of(&["cp312-cp312", "cp313-cp313t"]), "cp312 1.6.1, cp313-cp313t 1.5.0", install);
    bad(&of(&["cp311-cp311"]), "cp311 has none", "/opt/python/cp311-cp311/bin/python");
    is(&of(&["cp39-cp39"]), State::Ok, "cp39 1.4.4", "for Python 3.9");
    bad(&of(&[]), "cp312 1.6.1, cp313-cp313t 1.5.0, cp39 1.4.4", install);
    let bare = but(|image, trial| {
        image.interpreters.clear();
        trial.contents.build.clear();
    });
    bad(&build_inside(&bare), "no interpreter", "--image lab");
}

#[test]
fn the_image_is_held_to_the_same_self_test_room_and_clock() {
    is(&selftest_inside(&image_facts(), &[]), State::Ok, "hit (cc)", "");
    let missed = GOOD.replace("hit\t1", "hit\t0");
    let missed = but(|_, trial| trial.compiled.told = Some(missed));
    bad(&selftest_inside(&missed, &[]), "hit nothing", "CCACHE_LOGFILE");
    let none = but(|_, trial| trial.compiled.told = None);
    is(&selftest_inside(&none, &[]), State::Unknown, "a ccache in the image", "");

    is(&disk_inside(&image_facts()), State::Ok, "50.0 GB is free", "");
    let full = but(|_, trial| trial.free_bytes = Some(20_000_000));
    bad(&disk_inside(&full), "20 MB is free where the engine", "    podman system prune");
    let silent = but(|_, trial| trial.free_bytes = None);
    is(&disk_inside(&silent), State::Unknown, "did not say", "");

    is(&clock_inside(&image_facts()), State::Ok, "as this machine's", "");
    let at = |at_seconds| {
        clock_inside(&but(|_, trial| trial.clock.as_mut().unwrap().at_seconds = at_seconds))
    };
    bad(&at(NOW + 61), "60 s ahead", "podman machine start");
    bad(&at(NOW - 60), "60 s behind", "podman machine start");
    is(&clock_inside(&but(|_, trial| trial.clock = None)), State::Unknown, "did not say", "");
}
