//! Every problem once, and sets in which there is none.

use super::*;
use crate::ci::inside::{Metadata, Record, Tags};

const LINUX: &str = "pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl";
const MUSL: &str = "pkg-1.0-cp312-cp312-musllinux_1_2_x86_64.whl";
const SDIST: &str = "pkg-1.0.tar.gz";

fn expect(identifiers: &[&str]) -> Expected {
    Expected {
        identifiers: identifiers.iter().map(|&one| one.to_owned()).collect(),
        project: Some("Pkg".to_owned()),
    }
}

/// What a wheel of this name would say of itself.
fn inside(file: &str) -> Inside {
    let parts: Vec<_> = file.trim_end_matches(".whl").split('-').collect();
    let [name, version, .., python, abi, platform] = parts.as_slice() else { unreachable!() };
    let mut tags = Vec::new();
    for python in python.split('.') {
        for abi in abi.split('.') {
            tags.extend(platform.split('.').map(|one| format!("{python}-{abi}-{one}")));
        }
    }
    let root_is_purelib = vec![(*abi == "none").to_string()];
    Inside {
        dist_info: format!("{name}-{version}"),
        metadata: Some(Metadata {
            names: vec![(*name).to_owned()],
            versions: vec![(*version).to_owned()],
        }),
        tags: Some(Tags { tags, root_is_purelib }),
        record: Some(Record::default()),
    }
}

/// What a source distribution of this name would say of itself.
fn source(file: &str) -> Sdist {
    let folder = file.trim_end_matches(".tar.gz").to_owned();
    let (name, version) = folder.rsplit_once('-').unwrap_or((&folder, "1.0"));
    let (names, versions) = (vec![name.to_owned()], vec![version.to_owned()]);
    Sdist { metadata: Some(Metadata { names, versions }), folder }
}

/// Something of this name that is in order.
fn found(name: &str) -> Found {
    let content = match Kind::of(name) {
        Kind::Wheel => Content::Wheel(Ok(inside(name))),
        Kind::Sdist => Content::Sdist(Ok(source(name))),
        Kind::Sums => Content::Sums,
        Kind::Other => Content::Other,
    };
    let sha256 = format!("hash of {name}");
    Found { name: name.to_owned(), size_bytes: 7, sha256, content, twine: Twine::Passed }
}

/// A wheel that is in order but for what `change` does to what it says of itself.
fn changed(name: &str, change: impl FnOnce(&mut Inside)) -> Found {
    let mut inside = inside(name);
    change(&mut inside);
    Found { content: Content::Wheel(Ok(inside)), ..found(name) }
}

/// The problems as `SUBJECT: WHAT`.
fn wrong(expected: &Expected, found: &[Found]) -> Vec<String> {
    let problems = problems(expected, found);
    assert!(problems.iter().all(|problem| !problem.remedy.is_empty()), "{problems:?}");
    problems.iter().map(|one| format!("{}: {}", one.subject, one.what)).collect()
}

fn wrong_names(identifiers: &[&str], names: &[&str]) -> Vec<String> {
    let found: Vec<_> = names.iter().map(|name| found(name)).collect();
    wrong(&expect(identifiers), &found)
}

/// What is wrong with one thing beside an sdist, where its own identifier is all that is expected.
fn wrong_alone(found_one: Found) -> Vec<String> {
    wrong(&expect(&["cp312-manylinux_x86_64"]), &[found_one, found(SDIST)])
}

#[test]
fn complete_releases() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["cp312-manylinux_x86_64"], &[LINUX]),
        (&["cp312-manylinux_x86_64"], &[SUMS, LINUX, SDIST]),
        (&["cp312-manylinux_x86_64", "cp312-musllinux_x86_64"], &[LINUX, MUSL, SDIST]),
        (
            &["cp312-manylinux_x86_64", "cp313-manylinux_x86_64", "cp312-win_amd64"],
            &[
                "pkg-1.0-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                "pkg-1.0-cp312-cp312-win_amd64.whl",
            ],
        ),
        (&["cp312-win32", "pp310-win_amd64"], &["pkg-1.0-py3-none-any.whl"]),
        (&["cp312-win32"], &["PKG-1.0-1b-cp312-cp312-win32.whl", SDIST]),
        // Spelled differently and the same to an index.
        (&["cp312-win32"], &["pkg-1.0rc1-cp312-cp312-win32.whl", "PKG-1.0.RC1.tar.gz"]),
    ];
    for (identifiers, names) in cases {
        assert_eq!(wrong_names(identifiers, names), [""; 0], "{names:?}");
    }
}

#[test]
fn a_name_that_nobody_declared_is_what_most_files_have() {
    let nameless = Expected { project: None, ..expect(&["cp312-manylinux_x86_64"]) };
    assert_eq!(wrong(&nameless, &[found(LINUX), found(SDIST)]), [""; 0]);
    let musl = "other-1.0-cp312-cp312-musllinux_1_2_x86_64.whl";
    let nameless =
        Expected { project: None, ..expect(&["cp312-manylinux_x86_64", "cp312-musllinux_x86_64"]) };
    assert_eq!(
        wrong(&nameless, &[found(LINUX), found(SDIST), found(musl)]),
        [format!("{musl}: is of the project other, and 2 of 3 files are of pkg")]
    );
    assert_eq!(
        wrong(&nameless, &[found(LINUX), found(musl)]),
        [LINUX, musl].map(|file| {
            let (project, _) = file.split_once('-').unwrap();
            format!("{file}: is of the project {project}, and there are files of other and pkg")
        })
    );
}

#[test]
fn what_is_wrong_between_files() {
    let x86 = ["cp312-manylinux_x86_64"];
    let both = ["cp312-manylinux_x86_64", "cp312-musllinux_x86_64"];
    let newer = "pkg-1.1-cp312-cp312-musllinux_1_2_x86_64.whl";
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (&both, &[LINUX], &["cp312-musllinux_x86_64: has no wheel"]),
        (
            &x86,
            &[LINUX, MUSL],
            &[
                "pkg-1.0-cp312-cp312-musllinux_1_2_x86_64.whl: serves none of the expected identifiers",
            ],
        ),
        (
            &x86,
            &[LINUX, "pkg-1.0-cp39-abi3-manylinux_2_28_x86_64.whl"],
            &[
                "pkg-1.0-cp39-abi3-manylinux_2_28_x86_64.whl: is needed for no expected identifier: \
             pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl serves them better",
            ],
        ),
        (
            &x86,
            &[LINUX, "pkg-1.0-2-cp312-cp312-manylinux_2_28_x86_64.whl"],
            &["cp312-manylinux_x86_64: has 2 wheels: \
             pkg-1.0-2-cp312-cp312-manylinux_2_28_x86_64.whl, \
             pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"],
        ),
        (
            &both,
            &[LINUX, newer, SDIST],
            &[
                "pkg-1.1-cp312-cp312-musllinux_1_2_x86_64.whl: is of version 1.1, and 2 of 3 files are \
             of 1.0",
            ],
        ),
        (
            &both,
            &[LINUX, newer],
            &[
                "pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl: is of version 1.0, and there are files \
             of 1.0 and 1.1",
                "pkg-1.1-cp312-cp312-musllinux_1_2_x86_64.whl: is of version 1.1, and there are files \
             of 1.0 and 1.1",
            ],
        ),
        (
            &x86,
            &[LINUX, "pkg-2.tar.gz"],
            &[
                "pkg-1.0-cp312-cp312-manylinux_2_28_x86_64.whl: is of version 1.0, and there are files \
             of 1.0 and 2",
                "pkg-2.tar.gz: is of version 2, and there are files of 1.0 and 2",
            ],
        ),
        (
            &x86,
            &["other-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"],
            &["other-1.0-cp312-cp312-manylinux_2_28_x86_64.whl: is of the project other, and the \
             package is Pkg"],
        ),
        (
            &x86,
            &[LINUX, SDIST, "Pkg-1.0.tar.gz"],
            &["source distributions: are there 2 times: pkg-1.0.tar.gz, Pkg-1.0.tar.gz"],
        ),
        (&x86, &[LINUX, "notes.txt"], &["notes.txt: is neither a wheel nor a source distribution"]),
        (
            &x86,
            &[LINUX, "pkg.tar.gz"],
            &["pkg.tar.gz: is no source distribution's name: expected NAME-VERSION.tar.gz"],
        ),
    ];
    for (identifiers, names, expected) in cases {
        assert_eq!(&wrong_names(identifiers, names), expected, "{names:?}");
    }
}

#[test]
fn one_content_under_two_names() {
    let mut twin = found(MUSL);
    twin.sha256 = found(LINUX).sha256;
    let expected = expect(&["cp312-manylinux_x86_64", "cp312-musllinux_x86_64"]);
    assert_eq!(
        wrong(&expected, &[found(LINUX), twin]),
        [format!("{LINUX}: has the same content as {MUSL}")]
    );
}

#[test]
fn what_a_wheel_says_wrongly_of_itself() {
    let says = |what: &str, change: &dyn Fn(&mut Inside)| {
        assert_eq!(wrong_alone(changed(LINUX, change)), [format!("{LINUX}: {what}")]);
    };
    let metadata = |names: &[&str], versions: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Some(Metadata { names: owned(names), versions: owned(versions) })
    };
    says("has no METADATA", &|inside| inside.metadata = None);
    says("has a METADATA without Name", &|inside| inside.metadata = metadata(&[], &["1.0"]));
    says("has a METADATA without Version", &|inside| inside.metadata = metadata(&["pkg"], &[]));
    says("has a METADATA with several of Name", &|inside| {
        inside.metadata = metadata(&["pkg", "pkg"], &["1.0"]);
    });
    says("has the Name other in METADATA", &|inside| {
        inside.metadata = metadata(&["other"], &["1.0"]);
    });
    says("has the Version 1.0.0 in METADATA", &|inside| {
        inside.metadata = metadata(&["PKG"], &["1.0.0"]);
    });
    says("has the folder pkg-1.1.dist-info, of another name", &|inside| {
        inside.dist_info = "pkg-1.1".to_owned();
    });
    says("has no WHEEL", &|inside| inside.tags = None);
    says("has no RECORD", &|inside| inside.record = None);
    let tags = |tags: &[&str], pure: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Some(Tags { tags: owned(tags), root_is_purelib: owned(pure) })
    };
    let right = "cp312-cp312-manylinux_2_28_x86_64";
    says("has the tag cp313-cp313-win32 in WHEEL, not in its name", &|inside| {
        inside.tags = tags(&[right, "cp313-cp313-win32"], &["false"]);
    });
    says("has the tag cp312-cp312-manylinux_2_28_x86_64 in its name, not in WHEEL", &|inside| {
        inside.tags = tags(&[], &["false"]);
    });
    let unclear = "has a WHEEL that does not say Root-Is-Purelib: true or false";
    says(unclear, &|inside| inside.tags = tags(&[right], &[]));
    says(unclear, &|inside| inside.tags = tags(&[right], &["perhaps"]));
    says("is bound to an ABI, and its WHEEL says Root-Is-Purelib: true", &|inside| {
        inside.tags = tags(&[right], &["True"]);
    });
    let record = |unlisted: &[&str], absent: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Some(Record { unlisted: owned(unlisted), absent: owned(absent) })
    };
    says("has a.so, which is not in its RECORD", &|inside| inside.record = record(&["a.so"], &[]));
    says("has a.py (and 1 more) in its RECORD only", &|inside| {
        inside.record = record(&[], &["a.py", "b.py"]);
    });
}

#[test]
fn what_is_wrong_with_a_file_as_such() {
    let unread = |objection: &str| Found {
        content: Content::Wheel(Err(objection.to_owned())),
        twine: Twine::NotAsked,
        ..found(LINUX)
    };
    assert_eq!(wrong_alone(unread("is no zip file")), [format!("{LINUX}: is no zip file")]);
    let empty = Found { size_bytes: 0, ..unread("is no zip file") };
    assert_eq!(wrong_alone(empty), [format!("{LINUX}: is empty")]);
    let refused = Found { twine: Twine::Refused("no description".to_owned()), ..found(LINUX) };
    assert_eq!(
        wrong_alone(refused),
        [format!("{LINUX}: does not pass `twine check --strict`: no description")]
    );
    let unasked = Found { twine: Twine::NotAsked, ..found(LINUX) };
    assert_eq!(wrong_alone(unasked), [format!("{LINUX}: was not checked by twine")]);
    let beside = |other: Found| {
        let all = wrong(&expect(&["cp312-manylinux_x86_64"]), &[found(LINUX), other]);
        all.join("; ")
    };
    let link = Found { content: Content::NoFile("a link"), ..found("x.whl.link") };
    assert_eq!(beside(link), "x.whl.link: is a link, not a file");
    let sdist = |change: &dyn Fn(&mut Sdist)| {
        let mut inside = source(SDIST);
        change(&mut inside);
        beside(Found { content: Content::Sdist(Ok(inside)), ..found(SDIST) })
    };
    let elsewhere = sdist(&|inside| inside.folder = "src".to_owned());
    assert_eq!(elsewhere, "pkg-1.0.tar.gz: has its files in src, not in a folder of its own name");
    let bare = sdist(&|inside| inside.metadata = None);
    assert_eq!(bare, "pkg-1.0.tar.gz: has no PKG-INFO");
    let metadata = source("pkg-1.1.tar.gz").metadata;
    let other = sdist(&|inside| inside.metadata.clone_from(&metadata));
    assert_eq!(other, "pkg-1.0.tar.gz: has the Version 1.1 in PKG-INFO");
    let damaged = Found {
        content: Content::Sdist(Err("is no whole tar".to_owned())),
        twine: Twine::NotAsked,
        ..found(SDIST)
    };
    assert_eq!(beside(damaged), "pkg-1.0.tar.gz: is no whole tar");
}

#[test]
fn a_platform_that_no_index_takes() {
    let bare = "pkg-1.0-cp312-cp312-linux_x86_64.whl";
    assert_eq!(
        wrong_names(&["cp312-manylinux_x86_64"], &[bare]),
        [format!("{bare}: has the platform tag linux_x86_64, which no index takes")]
    );
    let old = "pkg-1.0-cp312-cp312-linux_armv7l.whl";
    assert_eq!(wrong_names(&["cp312-manylinux_armv7l"], &[old]), [""; 0]);
}

#[test]
fn names_that_are_none() {
    for name in ["pkg-1.0.whl", "pkg-1.0-cp312-cp312-any.whl.whl", "-1-2-3-4.whl"] {
        let nameless = Found { content: Content::Wheel(Ok(inside(LINUX))), ..found("notes.txt") };
        let nameless = Found { name: name.to_owned(), ..nameless };
        let wrong = wrong(&expect(&["cp312-manylinux_x86_64"]), &[found(LINUX), nameless]);
        assert!(!wrong.is_empty() && wrong.iter().all(|one| one.starts_with(name)), "{wrong:?}");
    }
}

#[test]
fn nothing_that_is_said_of_a_hostile_release_can_be_a_command() {
    let name = "pkg-1\u{202e}0##[x]-cp312-cp312-any\u{1b}[2J.whl";
    let mut hostile = changed(LINUX, |inside| {
        inside.dist_info = "a\n::error::b".to_owned();
        let values = vec!["##[add-mask]x\r".to_owned()];
        inside.metadata = Some(Metadata { names: values.clone(), versions: values.clone() });
        inside.tags = Some(Tags { tags: values.clone(), root_is_purelib: values.clone() });
        inside.record = Some(Record { unlisted: values.clone(), absent: values });
    });
    hostile.twine = Twine::Refused("\u{1b}]0;title\u{7}\n::error::x".to_owned());
    let named = Found { name: name.to_owned(), ..found("notes.txt") };
    let sdist = Found { name: "p\n-1\u{2066}.tar.gz".to_owned(), ..found(SDIST) };
    let problems = problems(&expect(&["cp312-manylinux_x86_64"]), &[hostile, named, sdist]);
    assert!(problems.len() >= 8, "{problems:?}");
    for problem in problems {
        let said = [problem.subject, problem.what, problem.remedy].concat();
        let dangerous = |c: char| c.is_control() || ('\u{2028}'..='\u{2069}').contains(&c);
        assert!(!said.contains(dangerous) && !said.contains("##["), "{said:?}");
    }
}
