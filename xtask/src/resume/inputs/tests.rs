use super::*;

/// What a run asks of a build, with all that is its own.
fn asked(run: &str, root: &str, cache: &str) -> Asked {
    let folder = format!("{root}/target/warmwheel/{run}");
    let record = format!("{folder}/builds/cp312-manylinux_x86_64");
    let environment = [
        (
            "CIBW_CONTAINER_ENGINE_LINUX",
            format!(
                "podman; create_args: --label=warmwheel.run={run} --volume={cache}:/host_ccache \
                 '--volume={record}/record:/warmwheel-build'; disable_host_mount: true"
            ),
        ),
        (
            "CIBW_ENVIRONMENT_LINUX",
            format!(
                "CCACHE_MAXSIZE=10G CFLAGS=\"-O2 -g\" TOKEN='it is secret' WARMWHEEL_MIN_HIT_RATE=0 \
                 WARMWHEEL_RUN_ID={run} PATH=\"/links:$PATH\""
            ),
        ),
        ("CIBW_TEST_COMMAND_LINUX", "/warmwheel/ccache-validator validate".to_owned()),
        ("CIBW_BUILD", "cp312-*".to_owned()),
        ("GITHUB_STEP_SUMMARY", format!("{record}/summary.md")),
    ];
    let argv = ["/tools/python", "-m", "cibuildwheel", "--output-dir", &format!("{record}/out")];
    Asked {
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        argv: argv.map(ToOwned::to_owned).to_vec(),
        volatile: vec![
            (run.to_owned(), "run"),
            (folder.clone(), "records"),
            (format!("{folder}/stage"), "stage"),
            (cache.to_owned(), "cache"),
            (String::new(), "nothing"),
        ],
        image: "sha256:aa".to_owned(),
        tools: [("cibuildwheel", "4.3.3"), ("Warmwheel", "0.1.0"), ("validator", "ff")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

fn usual() -> Asked {
    asked("20261122T1-00aa", "/src", "/home/me/cache")
}

#[test]
fn two_runs_of_one_command_have_equal_inputs() {
    let first = Inputs::of(&usual());
    for (run, root, cache) in [
        ("20261122T2-00bb", "/src", "/home/me/cache"),
        ("20261122T2-00bb", "/moved/to", "/home/me/cache"),
        ("20261122T2-00bb", "/src", "/elsewhere"),
    ] {
        let second = Inputs::of(&asked(run, root, cache));
        assert_eq!(second, first, "{run} {root} {cache}");
        assert!(second.changes_since(&first).is_empty());
    }
}

type Change = (&'static str, fn(&mut Asked));

fn replace(asked: &mut Asked, name: &str, what: &str, with: &str) {
    let value = asked.environment.get_mut(name).unwrap();
    assert!(value.contains(what), "{value}");
    *value = value.replace(what, with);
}

const ENVIRONMENT: &str = "CIBW_ENVIRONMENT_LINUX";

#[test]
fn every_change_is_named() {
    let changes: [Change; 14] = [
        ("the settings changed: CFLAGS in CIBW_ENVIRONMENT_LINUX", |asked| {
            replace(asked, ENVIRONMENT, "-O2 -g", "-O3 -g");
        }),
        ("the settings changed: CXX in CIBW_ENVIRONMENT_LINUX", |asked| {
            replace(asked, ENVIRONMENT, "PATH=", "CXX=clang++ PATH=");
        }),
        ("the settings changed: CFLAGS in CIBW_ENVIRONMENT_LINUX", |asked| {
            replace(asked, ENVIRONMENT, "PATH=", "CFLAGS=-O0 PATH=");
        }),
        ("the settings changed: CCACHE_MAXSIZE in CIBW_ENVIRONMENT_LINUX", |asked| {
            replace(asked, ENVIRONMENT, "CCACHE_MAXSIZE=10G ", "");
        }),
        ("the settings changed: WARMWHEEL_MIN_HIT_RATE in CIBW_ENVIRONMENT_LINUX", |asked| {
            replace(asked, ENVIRONMENT, "RATE=0", "RATE=90");
        }),
        // The order matters to a shell; no variable's own value has changed.
        ("the settings changed: CIBW_ENVIRONMENT_LINUX", |asked| {
            replace(asked, ENVIRONMENT, "CCACHE_MAXSIZE=10G CFLAGS=\"-O2 -g\"", "\0");
            replace(asked, ENVIRONMENT, "\0", "CFLAGS=\"-O2 -g\" CCACHE_MAXSIZE=10G");
        }),
        ("the settings changed: CIBW_CONTAINER_ENGINE_LINUX", |asked| {
            replace(asked, "CIBW_CONTAINER_ENGINE_LINUX", "podman", "docker");
        }),
        ("the settings changed: CIBW_TEST_COMMAND_LINUX", |asked| {
            replace(asked, "CIBW_TEST_COMMAND_LINUX", "validate", "validate && pytest");
        }),
        ("the settings changed: CIBW_BEFORE_ALL", |asked| {
            asked.environment.insert("CIBW_BEFORE_ALL".to_owned(), "make".to_owned());
        }),
        ("the settings changed: the command", |asked| asked.argv.push("package".to_owned())),
        ("another image", |asked| asked.image = "sha256:bb".to_owned()),
        ("another cibuildwheel", |asked| {
            asked.tools.insert("cibuildwheel".to_owned(), "4.4.0".to_owned());
        }),
        ("another validator", |asked| {
            asked.tools.remove("validator");
        }),
        ("the settings changed: the command; another image", |asked| {
            asked.argv.pop();
            asked.image.clear();
        }),
    ];
    let before = Inputs::of(&usual());
    for (expected, change) in changes {
        let mut asked = usual();
        change(&mut asked);
        let after = Inputs::of(&asked);
        assert_eq!(after.changes_since(&before).join("; "), expected);
        assert_ne!(after, before, "{expected}");
    }
}

#[test]
fn what_only_selects_or_shows_does_not_count() {
    let before = Inputs::of(&usual());
    for name in ["CIBW_BUILD", "CIBW_SKIP", "CIBW_ARCHS_LINUX", "GITHUB_STEP_SUMMARY"] {
        let mut asked = usual();
        asked.environment.insert(name.to_owned(), "something else".to_owned());
        assert_eq!(Inputs::of(&asked), before, "{name}");
    }
    for name in ["CIBW_BUILD_FRONTEND", "CIBW_SKIPPED", "CIBW_CONFIG_SETTINGS"] {
        let mut asked = usual();
        asked.environment.insert(name.to_owned(), "something".to_owned());
        assert_ne!(Inputs::of(&asked), before, "{name}");
    }
}

#[test]
fn no_value_is_kept() {
    let text = serde_json::to_string(&Inputs::of(&usual())).unwrap();
    assert!(text.contains("TOKEN in CIBW_ENVIRONMENT_LINUX"), "{text}");
    for value in ["secret", "-O2", "podman", "pytest"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[test]
fn a_volatile_text_is_not_found_within_a_longer_name() {
    let volatile = [("/a/run".to_owned(), "run")];
    for (text, expected) in [
        ("/a/run", "\0run\0"),
        ("X=/a/run/b:/a/run", "X=\0run\0/b:\0run\0"),
        ("/a/run/a/run", "\0run\0/a/run"),
        ("/a/run2 /a/run.bak /b/a/run", "/a/run2 /a/run.bak /b/a/run"),
        ("'/a/run'", "'\0run\0'"),
    ] {
        assert_eq!(settle(text, &volatile), expected, "{text}");
    }
}

#[test]
fn words_are_told_apart_as_a_shell_does() {
    for (text, expected) in [
        ("A=1  B=2\nC=3", vec!["A=1", "B=2", "C=3"]),
        ("A=\"b c\" D='e f'", vec!["A=\"b c\"", "D='e f'"]),
        (r#"A="b \" c" D"#, vec![r#"A="b \" c""#, "D"]),
        (r"A='b \' C", vec![r"A='b \'", "C"]),
        (r"A=b\ c D", vec![r"A=b\ c", "D"]),
        ("A=\"never closed", vec!["A=\"never closed"]),
        ("", vec![]),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn only_what_reaches_the_build_counts_of_the_users_own_variables() {
    let user: Environment = [
        ("CIBW_BEFORE_ALL", "make"),
        ("CIBW_ENVIRONMENT_PASS_LINUX", "PASSED ALSO"),
        ("CIBW_TEST_COMMAND_LINUX", "theirs"),
        ("PASSED", "1"),
        ("ALSO", "2"),
        ("IN_TOML", "3"),
        ("SOURCE_DATE_EPOCH", "4"),
        ("CXXFLAGS", "-O3"),
        ("PWD", "/somewhere"),
        ("SSH_AGENT_PID", "1"),
        ("_", "/bin/x"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    let planned = BTreeMap::from([("CIBW_TEST_COMMAND_LINUX".to_owned(), "whole".to_owned())]);
    let names = |in_container| {
        let found = variables(&user, &planned, in_container, &["IN_TOML".to_owned()]);
        assert_eq!(found["CIBW_TEST_COMMAND_LINUX"], "whole");
        found.into_keys().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        names(true),
        "ALSO CIBW_BEFORE_ALL CIBW_ENVIRONMENT_PASS_LINUX CIBW_TEST_COMMAND_LINUX IN_TOML PASSED \
         SOURCE_DATE_EPOCH"
    );
    assert_eq!(
        names(false),
        "ALSO CIBW_BEFORE_ALL CIBW_ENVIRONMENT_PASS_LINUX CIBW_TEST_COMMAND_LINUX CXXFLAGS IN_TOML \
         PASSED SOURCE_DATE_EPOCH"
    );
}

#[test]
fn without_containers_only_what_a_build_inherits_matters() {
    let user = |pairs: &[(&str, &str)]| -> Environment {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let names = ["CC", "PATH", "TMPDIR"].map(ToOwned::to_owned);
    let planned = BTreeMap::from([("PATH".to_owned(), "/own".to_owned())]);
    let user = user(&[("CC", "clang"), ("PATH", "/bin"), ("TMPDIR", "/t"), ("PYTHONPATH", "/p")]);
    let reaching = inherited(&user, &planned, &names);
    // A folder for temporary files is another one in each session.
    let expected = [("CC", "clang"), ("PATH", "/own")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(reaching, BTreeMap::from(expected));
}
