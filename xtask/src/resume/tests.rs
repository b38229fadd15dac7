use std::fs;

use serde_json::json;

use super::inputs::Asked;
use super::*;
use crate::staging::digest::Source;

const IDENTIFIER: &str = "cp312-manylinux_x86_64";
const WHEEL: &str = "pkg-1-cp312-cp312-manylinux_2_28_x86_64.whl";

/// A project's records and wheels.
struct Place {
    _keep: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap().to_path_buf();
        fs::create_dir(root.join("out")).unwrap();
        Self { _keep: keep, root }
    }

    /// With one wheel that a run has built.
    fn with_a_wheel() -> Self {
        let place = Self::new();
        place.build(IDENTIFIER, WHEEL).unwrap();
        place
    }

    fn resume(&self, files: &str, history: &str) -> Resume {
        let source = Source { files: files.to_owned(), history: history.to_owned() };
        self.resume_from(Digest::known(Ok(source)), "out")
    }

    fn resume_from(&self, source: Digest, output: &str) -> Resume {
        Resume::new(&self.root.join("runs"), "pkg", &self.root.join(output), "RUN", source)
    }

    /// What a run does when a build has ended well.
    fn build(&self, identifier: &str, wheel: &str) -> Result<()> {
        let path = self.root.join("out").join(wheel);
        fs::write(&path, "the wheel").unwrap();
        let (sha256, size_bytes) = digest::file(&path).unwrap();
        let accepted = Accepted {
            wheel: &path,
            sha256: &sha256,
            size_bytes,
            cache: json!({ "verdict": "hit" }),
            elapsed_seconds: 1.5,
            tested: true,
        };
        self.resume("files", "history").note(identifier, &inputs(""), &accepted)
    }

    fn decide(&self) -> Decision {
        self.resume("files", "history").decide(IDENTIFIER, &inputs(""))
    }

    fn record(&self) -> Utf8PathBuf {
        self.root.join("runs/done/pkg").join(format!("{IDENTIFIER}.json"))
    }
}

fn inputs(image: &str) -> Inputs {
    Inputs::of(&Asked { image: image.to_owned(), ..Asked::default() })
}

#[track_caller]
fn reason(decision: Decision) -> String {
    match decision {
        Decision::Build(Reason::Changed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wheel_of_the_same_inputs_is_not_built_again() {
    let place = Place::with_a_wheel();
    let Decision::Done(kept) = place.decide() else { panic!("{:?}", place.decide()) };
    assert_eq!(kept.wheel, place.root.join("out").join(WHEEL));
    assert_eq!((kept.run_id.as_str(), kept.size_bytes, kept.tested), ("RUN", 9, true));
    assert_eq!((kept.cache, kept.elapsed_seconds), (json!({ "verdict": "hit" }), 1.5));
    assert_eq!(kept.sha256, digest::file(&kept.wheel).unwrap().0);
}

#[test]
fn what_was_never_built_is_built_without_a_word() {
    let place = Place::with_a_wheel();
    let resume = place.resume("files", "history");
    let decision = resume.decide("cp311-manylinux_x86_64", &inputs(""));
    assert_eq!(decision, Decision::Build(Reason::NotBuilt));
    assert_eq!(Reason::NotBuilt.to_string(), "not built before");
}

#[test]
fn every_change_is_built_again_with_the_reason() {
    let place = Place::with_a_wheel();
    for (files, history, image, expected) in [
        ("other", "history", "", "the source changed"),
        ("files", "other", "", "git's commit, branch, tags or index changed"),
        ("files", "history", "other", "another image"),
    ] {
        let decision = place.resume(files, history).decide(IDENTIFIER, &inputs(image));
        assert_eq!(reason(decision), expected);
    }
    assert!(matches!(place.decide(), Decision::Done(_)), "looking changes nothing");
}

#[test]
fn the_wheel_must_be_the_accepted_file_in_the_output_folder() {
    let place = Place::with_a_wheel();
    let source =
        || Digest::known(Ok(place.resume("files", "history").source.wait().unwrap().clone()));
    let elsewhere = place.resume_from(source(), "elsewhere");
    assert!(reason(elsewhere.decide(IDENTIFIER, &inputs(""))).ends_with("/elsewhere"));

    let wheel = place.root.join("out").join(WHEEL);
    for content in ["The wheel", "the wheel, longer", ""] {
        fs::write(&wheel, content).unwrap();
        assert!(reason(place.decide()).contains("is another file now"), "{content}");
    }
    fs::remove_file(&wheel).unwrap();
    assert!(reason(place.decide()).contains("is not in"));
    fs::create_dir(&wheel).unwrap();
    assert!(reason(place.decide()).contains("no plain file"));
    fs::remove_dir(&wheel).unwrap();
    #[cfg(unix)]
    {
        fs::write(place.root.join("other"), "the wheel").unwrap();
        std::os::unix::fs::symlink("../other", &wheel).unwrap();
        assert!(reason(place.decide()).contains("no plain file"));
    }
}

#[test]
fn a_record_that_is_not_one_is_no_obstacle_and_is_replaced() {
    for text in [
        "",
        "not json",
        "[]",
        "{}",
        r#"{"schema": 1}"#,
        r#"{"schema": 99, "of": "another time"}"#,
        r#"{"schema": "1"}"#,
    ] {
        let place = Place::with_a_wheel();
        fs::write(place.record(), text).unwrap();
        let reason = reason(place.decide());
        assert!(reason.contains(IDENTIFIER), "{text}: {reason}");
        place.build(IDENTIFIER, WHEEL).unwrap();
        assert!(matches!(place.decide(), Decision::Done(_)), "{text}");
    }
    let place = Place::with_a_wheel();
    fs::write(place.record(), vec![b' '; 2_000_000]).unwrap();
    assert!(reason(place.decide()).contains("too long"));
}

#[test]
#[cfg(unix)]
fn a_link_or_folder_in_a_records_place_is_not_followed() {
    let place = Place::with_a_wheel();
    let elsewhere = place.root.join("elsewhere.json");
    fs::rename(place.record(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.record()).unwrap();
    assert!(reason(place.decide()).contains("no plain file"));
    let before = fs::read(&elsewhere).unwrap();
    place.build(IDENTIFIER, WHEEL).unwrap();
    assert!(place.record().symlink_metadata().unwrap().is_file(), "the link itself is replaced");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);

    fs::remove_file(place.record()).unwrap();
    fs::create_dir(place.record()).unwrap();
    assert!(reason(place.decide()).contains("no plain file"));
    assert!(place.build(IDENTIFIER, WHEEL).is_err(), "the caller warns");
}

#[test]
fn a_record_can_name_a_wheel_of_its_build_in_the_output_folder_only() {
    for name in [
        "../out/pkg-1-cp312-cp312-manylinux_2_28_x86_64.whl",
        "/etc/pkg-1-cp312-cp312-manylinux_2_28_x86_64.whl",
        "..\\pkg-1-cp312-cp312-manylinux_2_28_x86_64.whl",
        "pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "pkg-1.tar.gz",
        "..",
        "",
    ] {
        let place = Place::with_a_wheel();
        let text = fs::read_to_string(place.record()).unwrap();
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["wheel"]["name"] = json!(name);
        fs::write(place.record(), record.to_string()).unwrap();
        assert!(reason(place.decide()).contains("no wheel of"), "{name}");
    }
    let place = Place::with_a_wheel();
    let other = place.record().with_file_name("cp311-manylinux_x86_64.json");
    fs::copy(place.record(), other).unwrap();
    let decision = place.resume("files", "history").decide("cp311-manylinux_x86_64", &inputs(""));
    assert!(reason(decision).ends_with("is about cp312-manylinux_x86_64"));
    assert!(place.build(IDENTIFIER, "pkg-1-cp311-cp311-manylinux_2_28_x86_64.whl").is_err());
}

#[test]
fn builds_may_share_a_wheel() {
    const SHARED: &str = "pkg-1-cp311-abi3-manylinux_2_28_x86_64.whl";
    let place = Place::new();
    for identifier in ["cp311-manylinux_x86_64", IDENTIFIER] {
        place.build(identifier, SHARED).unwrap();
    }
    for identifier in ["cp311-manylinux_x86_64", IDENTIFIER] {
        let decision = place.resume("files", "history").decide(identifier, &inputs(""));
        assert!(matches!(decision, Decision::Done(_)), "{decision:?}");
    }
}

#[test]
fn a_source_that_could_not_be_read_leaves_no_record_and_uses_none() {
    let place = Place::with_a_wheel();
    let unread = || place.resume_from(Digest::known(Err("a.c is gone".to_owned())), "out");
    assert!(reason(unread().decide(IDENTIFIER, &inputs(""))).contains("a.c is gone"));
    let before = fs::read(place.record()).unwrap();
    let wheel = place.root.join("out").join(WHEEL);
    let accepted = Accepted {
        wheel: &wheel,
        sha256: "00",
        size_bytes: 9,
        cache: Value::Null,
        elapsed_seconds: 0.0,
        tested: false,
    };
    let error = unread().note(IDENTIFIER, &inputs(""), &accepted).unwrap_err();
    assert!(error.to_string().contains("a.c is gone"), "{error:#}");
    assert_eq!(fs::read(place.record()).unwrap(), before);
}

#[test]
fn records_are_whole_or_not_there() {
    let place = Place::with_a_wheel();
    place.build(IDENTIFIER, WHEEL).unwrap();
    let folder = place.record().parent().unwrap().to_path_buf();
    let names: Vec<_> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    assert_eq!(names, [format!("{IDENTIFIER}.json")], "nothing is left beside it");
}
