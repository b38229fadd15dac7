//! `ci` on the demo, in an imitated job of GitHub Actions.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{engine, workspace};
use crate::support::runner::{Page, snapshot};
use crate::support::{Ran, Sandbox};

/// A checkout of the demo in a job.
struct Job {
    sandbox: Sandbox,
}

impl Job {
    fn new() -> Self {
        let mut sandbox = Sandbox::new().with_tools();
        let project = sandbox.project();
        fs::remove_dir_all(&project).unwrap();
        let demo = workspace().join("tools/demo");
        let copied = Command::new("cp").args(["-r", demo.as_str(), project.as_str()]).status();
        assert!(copied.unwrap().success());
        for left in ["target", "wheelhouse"] {
            let _ = fs::remove_dir_all(project.join(left));
        }
        sandbox.in_github("push", "main", "branch");
        sandbox.set("CCACHE_DIR", ".ccache");
        Self { sandbox }
    }

    fn command(&self) -> Command {
        let project = self.sandbox.project();
        let line = ["ci", "build", "--project", project.as_str(), "--image", "lab"];
        let few = ["--python", "3.12,3.13", "--jobs", "1"];
        self.sandbox.command(&[&line[..], &few[..]].concat())
    }

    fn run(&self) -> Ran {
        self.command().output().unwrap().into()
    }

    fn wheels(&self) -> usize {
        Sandbox::names(&self.sandbox.project().join("wheelhouse")).len()
    }
}

#[test]
fn the_demo_goes_well_and_then_its_second_version_misses() {
    let mut job = Job::new();
    let ran = job.run().expect(0);
    let page = Page::read(&ran.stderr);
    let log = page.groups[0].1.join("\n");
    assert!(log.contains("Building cp312-manylinux_x86_64 wheel"), "the log is whole");
    assert!(!log.contains("::group::"), "cibuildwheel's own groups are off");
    snapshot("ci_demo_success", &job.sandbox, &ran);
    assert_eq!(job.wheels(), 2);

    // The next job starts from that cache, and it is emptied in the middle.
    fs::remove_dir_all(job.sandbox.project().join("wheelhouse")).unwrap();
    job.sandbox.in_github("push", "main", "branch");
    let emptied =
        "case $CIBUILDWHEEL_BUILD_IDENTIFIER in cp313*) rm -rf /host_ccache/[0-9a-f];; esac";
    job.sandbox.set("CIBW_BEFORE_BUILD_LINUX", emptied);
    let ran = job.run().expect(3);
    snapshot("ci_demo_miss", &job.sandbox, &ran);
    assert_eq!(job.wheels(), 1);
}

#[test]
fn the_demo_does_not_compile() {
    let job = Job::new();
    let core = job.sandbox.project().join("core/src");
    let source = core.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let source = source.filter(|path| path.extension() == Some("cpp")).min().unwrap();
    fs::write(&source, "int broken(\n").unwrap();
    let ran = job.run().expect(1);
    assert!(Page::read(&ran.stderr).groups[0].1.join("\n").contains("error: expected"));
    snapshot("ci_demo_failure", &job.sandbox, &ran);
}

#[test]
fn the_demo_is_cancelled() {
    let job = Job::new();
    let child = job.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let runs = job.sandbox.project().join("target/warmwheel");
    let log = runs.join("latest/builds/cp312-manylinux_x86_64/log.txt");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !fs::read_to_string(&log).is_ok_and(|log| log.contains("Building wheel")) {
        assert!(Instant::now() < deadline, "it never compiled");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_secs(3));
    let id = child.id().to_string();
    let began = Instant::now();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(130);
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    let run = fs::read_link(runs.join("latest")).unwrap();
    let label = format!("label=warmwheel.run={}", run.to_str().unwrap());
    let left = engine(&["ps", "--all", "--quiet", "--filter", &label]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "no container is left");
    snapshot("ci_demo_cancelled", &job.sandbox, &ran);
}
