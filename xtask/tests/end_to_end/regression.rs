//! A cache that stops working in the middle of a run is noticed.

use std::fs;
use std::time::{Duration, Instant};

use crate::lab::Run;
use crate::settings::{VERSIONS, small_package};
use crate::support::Sandbox;

#[test]
fn a_cache_emptied_between_two_versions_is_a_miss_and_no_wheel_is_lost() {
    let run = Run::new();
    let project = small_package(&run.sandbox, "");
    let line = ["--project", project.as_str(), "--python", VERSIONS];
    run.run(&line).expect(0);
    assert_eq!(run.report().verdict("cp313"), "hit");

    // The same again, and the cache is emptied as soon as the first wheel is there.
    fs::remove_dir_all(run.wheelhouse()).unwrap();
    let one_by_one = [&line[..], &["--jobs", "1"]].concat();
    let mut child = run.command(&one_by_one).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(300);
    while Sandbox::names(&run.wheelhouse()).is_empty() {
        assert!(Instant::now() < deadline, "no wheel came");
        std::thread::sleep(Duration::from_millis(5));
    }
    for name in Sandbox::names(&run.cache()) {
        // Objects only: the run's own marker must still be what decides.
        if name != "warmwheel" && name != "ccache.conf" {
            let path = run.cache().join(name);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let report = run.report();
    assert_eq!(report.verdict("cp312"), "hit", "the stale marker was cleared, objects were kept");
    assert_eq!(report.verdict("cp313"), "miss");
    assert_eq!(Sandbox::names(&run.wheelhouse()).len(), 1);
    let kept = Sandbox::names(&run.records().join("unproven"));
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("cp313"), "{kept:?}");
}
