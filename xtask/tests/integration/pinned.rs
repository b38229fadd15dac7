//! The pinned ccache: fetched from a server of the test's own, and mounted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tar::{Builder, Header};

use crate::pipeline::{GOOD, pretending, sha256, verdicts};
use crate::server::Server;
use crate::support::{Ran, Sandbox};

pub(crate) const NAME: &str = "ccache-9.8.7-linux-x86_64-musl-static";
pub(crate) const PROGRAM: &str = "#!/bin/sh\necho ccache version 9.8.7\n";
const ONLY: [&str; 2] = ["--only", "cp312-manylinux_x86_64"];

/// A release's archive with this program, and text that does not shrink beside it.
pub(crate) fn archive(program: &str) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let noise: String = (0..2000).map(|number| sha256(format!("{number}").as_bytes())).collect();
    for (name, text) in [("NEWS", noise.as_str()), ("ccache", program)] {
        let mut header = Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, format!("{NAME}/{name}"), text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Has a project pin that archive, as it is at this address.
pub(crate) fn pin(sandbox: &mut Sandbox, archive: &[u8], address: &str) {
    sandbox.unset("WARMWHEEL_CCACHE");
    // Whatever proxy this machine has, it is not for the way to itself.
    sandbox.set("no_proxy", "127.0.0.1");
    sandbox.set("NO_PROXY", "127.0.0.1");
    sandbox.set("WARMWHEEL_FETCH_SECONDS", "20");
    let hash = sha256(archive);
    sandbox.write(
        "project/pyproject.toml",
        &format!(
            "[project]\nname = 'pkg'\nversion = '1'\n\
             [tool.warmwheel.ccache-release]\nversion = '9.8.7'\naddress = '{address}'\n\
             sha256 = {{ linux-x86_64-musl-static = '{hash}' }}\n"
        ),
    );
}

/// A sandbox whose project pins the archive of [`PROGRAM`] at this address.
fn sandbox(address: &str) -> Sandbox {
    let mut sandbox = Sandbox::new().with_tools().with_images_that_say("");
    pin(&mut sandbox, &archive(PROGRAM), address);
    sandbox
}

/// The build of a plan, and what was said beside it.
fn plan(sandbox: &Sandbox, flags: &[&str]) -> (Value, String) {
    let ran = sandbox.release_wheels(&[&["--plan=json"], &ONLY[..], flags].concat()).expect(0);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    (plan["builds"][0].clone(), ran.stderr)
}

/// Why a plan that insists on the pinned one is refused.
#[track_caller]
fn refused(sandbox: &Sandbox, says: &str) {
    let insisting = [&["--plan", "--ccache", "pinned"], &ONLY[..]].concat();
    let ran = sandbox.release_wheels(&insisting).expect(4).says(says);
    ran.says("help: ").says("--ccache-mirror");
    assert_eq!(left(sandbox), ["failed.json", "lock"], "nothing of it is kept");
}

/// What is left of the archive's folder.
fn left(sandbox: &Sandbox) -> Vec<String> {
    Sandbox::names(&folder(sandbox))
}

fn folder(sandbox: &Sandbox) -> Utf8PathBuf {
    let pinned = sandbox.root.join("user-cache/warmwheel/pinned");
    let names = Sandbox::names(&pinned);
    assert!(names.len() == 1 && names[0].starts_with(NAME), "{names:?}");
    pinned.join(&names[0])
}

#[track_caller]
fn is_pinned(sandbox: &Sandbox, build: &Value) {
    assert_eq!(build["ccache"]["way"], "pinned", "{}", build["ccache"]);
    assert_eq!(build["ccache"]["version"], "9.8.7");
    let mounts = build["mounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["container"] == "/warmwheel-ccache").unwrap();
    assert_eq!(mount["read_only"], true);
    let bin = Utf8PathBuf::from(mount["host"].as_str().unwrap());
    assert_eq!(bin, folder(sandbox).join("bin"));
    assert_eq!(Sandbox::names(&bin), ["ccache"]);
    assert_eq!(fs::read_to_string(bin.join("ccache")).unwrap(), PROGRAM);
    let mode = bin.join("ccache").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(left(sandbox), ["archive.tar.gz", "bin", "lock"]);
    let environment = build["environment"]["CIBW_ENVIRONMENT_LINUX"].as_str().unwrap();
    assert!(environment.contains("/warmwheel-ccache:$PATH\""), "{environment}");
}

#[test]
fn it_is_fetched_once_and_then_needs_no_network() {
    let server = Server::of(archive(PROGRAM));
    let sandbox = sandbox(&format!("{}/releases/v9.8.7/", server.address));
    let (build, said) = plan(&sandbox, &[]);
    is_pinned(&sandbox, &build);
    assert!(said.contains(&format!("fetching ccache 9.8.7 from {}/releases", server.address)));
    assert_eq!(server.asked(), [format!("/releases/v9.8.7/{NAME}.tar.gz")]);
    drop(server);
    for flags in [&[][..], &["--ccache", "pinned"]] {
        let (build, said) = plan(&sandbox, flags);
        is_pinned(&sandbox, &build);
        assert!(!said.contains("fetching"), "{said}");
    }
    // What was damaged meanwhile is made again from the archive, which proves itself.
    let bin = folder(&sandbox).join("bin");
    fs::write(bin.join("ccache"), &PROGRAM[..5]).unwrap();
    fs::write(bin.join("gcc"), "#!/bin/sh\n").unwrap();
    is_pinned(&sandbox, &plan(&sandbox, &[]).0);
}

#[test]
fn a_mirror_takes_the_place_of_the_release() {
    let server = Server::of(archive(PROGRAM));
    let mut sandbox = sandbox("http://127.0.0.1:9/nowhere");
    let mirror = format!("{}/mirror", server.address);
    is_pinned(&sandbox, &plan(&sandbox, &["--ccache-mirror", &mirror]).0);
    assert_eq!(server.asked(), [format!("/mirror/{NAME}.tar.gz")]);

    // A folder will do as well.
    fs::remove_dir_all(sandbox.root.join("user-cache/warmwheel/pinned")).unwrap();
    let folder = sandbox.root.join("a folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(format!("{NAME}.tar.gz")), archive(PROGRAM)).unwrap();
    let address = format!("file://{}", folder.as_str().replace(' ', "%20"));
    sandbox.set("WARMWHEEL_CCACHE_MIRROR", &address);
    is_pinned(&sandbox, &plan(&sandbox, &[]).0);
    fs::remove_dir_all(sandbox.root.join("user-cache/warmwheel/pinned")).unwrap();
    fs::remove_file(folder.join(format!("{NAME}.tar.gz"))).unwrap();
    refused(&sandbox, "No such file");
}

#[test]
fn another_file_is_never_unpacked() {
    let server = Server::of(archive("#!/bin/sh\necho evil\n"));
    let sandbox = sandbox(&server.address);
    refused(&sandbox, "holds another file than the pinned one");
    // Where another ccache will do, it is used, and that is said.
    let (build, _) = plan(&sandbox, &["--ccache", "auto"]);
    assert_eq!(build["ccache"]["way"], "package");
    let why = build["ccache"]["why"].as_str().unwrap();
    assert!(why.contains("another file than the pinned one"), "{why}");
    assert!(why.ends_with("; the image has none"), "{why}");
    let before_all = build["environment"]["CIBW_BEFORE_ALL_LINUX"].as_str().unwrap();
    assert!(before_all.starts_with("sh /warmwheel/install-ccache && "), "{before_all}");
    let text = sandbox.release_wheels(&[&["--plan"], &ONLY[..]].concat()).expect(0).stdout;
    assert!(text.contains("─ ccache: from the image's package manager"), "{text}");
}

#[test]
fn an_end_before_its_time_is_noticed_with_and_without_a_promised_length() {
    let whole = archive(PROGRAM);
    for (is_promised, says, times) in
        [(true, "it ended after 5000 of ", 3), (false, "another file than the pinned one", 1)]
    {
        let file = whole.clone();
        let server = Server::start(move |request| request.part_of(&file, 5000, is_promised));
        let sandbox = sandbox(&server.address);
        refused(&sandbox, says);
        assert_eq!(server.asked().len(), times, "{says}");
    }
}

#[test]
fn a_server_that_has_no_such_file_is_asked_once_and_one_that_is_busy_again() {
    let server = Server::start(|request| request.status("404 Not Found"));
    refused(&sandbox(&server.address), "the server answered 404 Not Found");
    assert_eq!(server.asked().len(), 1);

    let file = archive(PROGRAM);
    let server = Server::start(move |request| match request.before {
        0 => request.status("503 Service Unavailable"),
        1 => request.part_of(&file, 100, true),
        _ => request.file(&file),
    });
    let sandbox = sandbox(&server.address);
    is_pinned(&sandbox, &plan(&sandbox, &[]).0);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_server_that_falls_silent_or_trickles_is_given_up() {
    for (pause, says) in [
        (None, "nothing came for 1 s"),
        (Some(Duration::from_millis(100)), "it was not whole after 4 s"),
    ] {
        let file = archive(PROGRAM);
        let server = Server::start(move |request| request.slowly(&file, pause));
        let mut sandbox = sandbox(&server.address);
        sandbox.set("WARMWHEEL_FETCH_SECONDS", "4");
        let began = Instant::now();
        refused(&sandbox, says);
        assert!(began.elapsed() < Duration::from_secs(30), "{says}: {:?}", began.elapsed());
    }
}

#[test]
fn a_file_that_is_too_large_is_not_taken() {
    let server = Server::start(|request| request.size(60_000_000));
    refused(&sandbox(&server.address), "50000000 at most are taken");
}

#[test]
fn a_redirect_is_followed_but_not_for_ever_and_not_to_a_file() {
    let file = archive(PROGRAM);
    let server = Server::start(move |request| match request.path.as_str() {
        "/there.tar.gz" => request.file(&file),
        path if path.starts_with("/once/") => request.redirect("/there.tar.gz"),
        path if path.starts_with("/file/") => request.redirect("file:///etc/hostname"),
        path => {
            let again = format!("{path}x");
            request.redirect(&again);
        }
    });
    let of = |path: &str| sandbox(&format!("{}/{path}", server.address));
    let once = of("once");
    is_pinned(&once, &plan(&once, &[]).0);
    assert_eq!(server.asked().len(), 2);
    refused(&of("file"), "the server answered 302");
    refused(&of("round"), "the server answered 302");
    assert!(server.asked().len() < 20, "{:?}", server.asked());
}

#[test]
fn two_runs_at_once_fetch_it_once() {
    let file = archive(PROGRAM);
    let server = Server::start(move |request| {
        thread::sleep(Duration::from_millis(500));
        request.file(&file);
    });
    let sandbox = sandbox(&server.address);
    let project = sandbox.project();
    let line = ["release-wheels", "--project", project.as_str(), "--plan=json"];
    let line = [&line[..], &ONLY[..]].concat();
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let mut command = sandbox.command(&line);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for run in runs {
        let ran = Ran::from(run.wait_with_output().unwrap()).expect(0);
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
        is_pinned(&sandbox, &plan["builds"][0]);
    }
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_a_killed_run_has_left_is_never_used() {
    let file = archive(PROGRAM);
    let server = Server::start(move |request| match request.before {
        0 => request.slowly(&file, None),
        _ => request.file(&file),
    });
    let sandbox = sandbox(&server.address);
    let project = sandbox.project();
    let line = ["release-wheels", "--project", project.as_str(), "--plan"];
    let mut run = sandbox
        .command(&[&line[..], &ONLY[..]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_half = || left(&sandbox).iter().any(|name| name.starts_with("beside-"));
    while (server.asked().is_empty() || !is_half()) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(is_half(), "{:?}", left(&sandbox));
    is_pinned(&sandbox, &plan(&sandbox, &["--ccache", "pinned"]).0);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_failure_is_remembered_where_another_ccache_will_do() {
    let server = Server::start(|request| request.status("404 Not Found"));
    let sandbox = sandbox(&server.address);
    for _ in 0..2 {
        let (build, _) = plan(&sandbox, &[]);
        assert_eq!(build["ccache"]["way"], "package");
        assert_eq!(server.asked().len(), 1);
    }
    refused(&sandbox, "404");
    assert_eq!(server.asked().len(), 2, "who insists asks again");
}

#[test]
fn nothing_is_fetched_where_another_ccache_was_chosen() {
    let server = Server::of(archive(PROGRAM));
    let sandbox = sandbox(&server.address);
    for value in ["image", "package"] {
        let (build, _) = plan(&sandbox, &["--ccache", value]);
        assert_eq!(build["ccache"]["way"], value);
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

/// A run with a program that writes down that it was called.
#[test]
fn a_run_uses_it_and_what_another_one_has_built_is_built_again() {
    let mut sandbox = pretending(&format!("PATH=$(mounted /warmwheel-ccache):$PATH; {GOOD}"));
    let called = sandbox.root.join("called");
    let path = std::env::var("PATH").unwrap();
    let mut installed = path.split(':').map(|folder| format!("{folder}/ccache"));
    let installed = installed.find(|path| fs::metadata(path).is_ok()).unwrap();
    let program = format!("#!/bin/sh\necho \"$1\" >>'{called}'\nexec '{installed}' \"$@\"\n");
    let file = archive(&program);
    let server = Server::of(file.clone());
    pin(&mut sandbox, &file, &server.address);

    sandbox.release_wheels(&["--ccache", "pinned"]).expect(0);
    assert_eq!(verdicts(&sandbox.report()), ["cold", "hit"]);
    let calls = fs::read_to_string(&called).unwrap();
    assert_eq!(calls.lines().filter(|call| *call == "gcc").count(), 2, "{calls}");

    // The same program by another way is the same.
    sandbox.release_wheels(&["--resume"]).expect(0);
    assert_eq!(sandbox.report()["builds"][0]["outcome"], "resumed");
    sandbox
        .release_wheels(&["--resume", "--ccache", "image"])
        .expect(0)
        .says("is built again: ")
        .says("another ccache");
}
