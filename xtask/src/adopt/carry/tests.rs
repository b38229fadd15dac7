use super::*;
use crate::adopt::{additions, workflows};

fn carried(files: &[(&str, &str)], pyproject: &str) -> Carried {
    let read = |(path, env): &(&str, &str)| {
        let text = format!("run: cibuildwheel # windows-1 macos-1 aarch64\nenv:\n{env}\n");
        (Utf8PathBuf::from(*path), workflows::read(&text).unwrap())
    };
    carry(&files.iter().map(read).collect(), &pyproject.parse().unwrap())
}

fn carried_from(env: &str) -> Carried {
    carried(&[("w.yml", env)], "")
}

/// What pyproject.toml says after an empty one was given everything.
fn settings(env: &str) -> String {
    let (text, left) = additions::extend("", &carried_from(env).additions);
    assert_eq!(left, []);
    text
}

#[track_caller]
fn says(carried: &Carried, text: &str) {
    let report = carried.report.join("\n");
    assert!(report.contains(text), "no {text:?} in:\n{report}");
}

#[test]
fn settings_go_to_the_table_of_their_platform() {
    assert_eq!(
        settings(
            "  CIBW_BUILD: cp39-* cp310-*\n  CIBW_SKIP: '*-musl*'\n  CIBW_ARCHS_LINUX: x86_64\n  \
             CIBW_MANYLINUX_X86_64_IMAGE: manylinux2014\n  CIBW_BUILD_VERBOSITY: 1\n  \
             CIBW_BEFORE_ALL_LINUX: yum install -y ccache\n  CIBW_PRERELEASE_PYTHONS: True\n"
        ),
        "[tool.cibuildwheel]\nbuild = \"cp39-* cp310-*\"\nskip = \"*-musl*\"\n\
         manylinux-x86_64-image = \"manylinux2014\"\nbuild-verbosity = 1\n\
         prerelease-pythons = true\n\n\
         [tool.cibuildwheel.linux]\narchs = \"x86_64\"\nbefore-all = \"yum install -y ccache\"\n"
    );
}

#[test]
fn what_only_wires_ccache_is_dropped_and_said() {
    let env = "  CIBW_ENVIRONMENT: A=\"b c\" CCACHE_DIR=/host/x PATH=/usr/lib/ccache:$PATH \
               CMAKE_CXX_COMPILER_LAUNCHER=ccache PATH=/opt:$PATH\n";
    assert_eq!(settings(env), "[tool.cibuildwheel]\nenvironment = 'A=\"b c\" PATH=/opt:$PATH'\n");
    says(&carried_from(env), "without CCACHE_DIR=/host/x PATH=/usr/lib/ccache:$PATH");

    // What is worked out by the workflow matters only in what is left.
    let env = "  CIBW_ENVIRONMENT: CCACHE_DIR=${{ github.workspace }}/c A=$(x y) B=${C}\n";
    assert_eq!(settings(env), "[tool.cibuildwheel]\nenvironment = \"A=$(x y) B=${C}\"\n");
    let env = "  CIBW_ENVIRONMENT: CCACHE_DIR=/x A=${{ a }}\n";
    says(&carried_from(env), "worked out when the workflow runs");
    let env = "  CIBW_ENVIRONMENT: CCACHE_DIR=/host/x\n";
    assert_eq!(carried_from(env).additions, []);
    let env = "  CIBW_CONTAINER_ENGINE: 'docker; create_args: -v /x/ccache:/ccache'\n";
    says(&carried_from(env), "Warmwheel mounts the cache itself");
    let env = "  CIBW_ENVIRONMENT: A=\"b\n";
    says(&carried_from(env), "its quotes do not close");
}

#[test]
fn ccaches_own_settings_are_warmwheels_but_for_the_folder() {
    for (value, folder) in [
        ("${{ github.workspace }}/.ccache", Some(".ccache")),
        ("./cache/c", Some("cache/c")),
        ("$GITHUB_WORKSPACE/x", Some("x")),
        ("/tmp/ccache", None),
        ("../x", None),
        ("~/.ccache", None),
        ("${{ runner.temp }}/c", None),
        ("''", None),
    ] {
        let carried = carried_from(&format!("  CCACHE_DIR: {value}\n"));
        assert_eq!(carried.ccache_dir.as_deref(), folder, "{value}");
        assert_eq!(carried.additions.len(), usize::from(folder.is_some()), "{value}");
    }
    says(&carried_from("  CCACHE_BASEDIR: /x\n"), "Warmwheel sets it for each build");
    says(&carried_from("  CCACHE_SLOPPINESS: x\n"), "add it to `environment`");
}

#[test]
fn what_would_mean_something_else_is_not_taken_over() {
    for (env, why) in [
        ("CIBW_BUILD: cp${{ matrix.python }}-*", "worked out when the workflow runs"),
        ("CIBW_PLATFORM: linux", "belongs to a single start"),
        ("CIBW_BUILD_LINUX: x", "belongs to a single start"),
        ("CIBW_BUILD_VERBOSITY: much", "it is no number"),
    ] {
        let carried = carried_from(&format!("  {env}\n"));
        assert_eq!(carried.additions, [], "{env}");
        says(&carried, why);
    }
}

#[test]
fn two_values_are_left_to_a_person_and_the_same_one_twice_is_not() {
    let carried = carried(
        &[
            ("a.yml", "  CIBW_SKIP: x\n  CIBW_ARCHS: auto\n"),
            ("b.yml", "  CIBW_SKIP: y\n  CIBW_ARCHS: auto\n"),
        ],
        "",
    );
    assert_eq!(carried.additions.len(), 1);
    says(&carried, "line 3: CIBW_SKIP = x: not taken over: line 3 of b.yml gives it another value");
    says(&carried, "line 4: CIBW_ARCHS = auto: is now [tool.cibuildwheel] archs");
}

#[test]
fn what_only_one_of_several_starts_has_is_left_to_a_person() {
    let two = "jobs:\n  a:\n    steps:\n      - run: cibuildwheel\n        env:\n          CIBW_ARCHS: all\n      \
               - run: cibuildwheel\n        env:\n          CIBW_SKIP: x\n";
    let read = |text: &str| {
        let reading = workflows::read(text).unwrap();
        carry(&[("w".into(), reading)].into(), &Table::new())
    };
    let one_each = read(two);
    assert!(!one_each.additions.iter().any(|it| it.table[1] == "cibuildwheel"), "{one_each:?}");
    says(&one_each, "CIBW_ARCHS = all: not taken over: not every start of cibuildwheel has it");
    let both = read(&format!("{two}          CIBW_ARCHS: all\n"));
    assert!(both.additions.iter().any(|it| it.key == "archs"), "{both:?}");
    let for_all = read(&format!("env:\n  CIBW_BUILD: y\n{two}"));
    assert!(for_all.additions.iter().any(|it| it.key == "build"), "{for_all:?}");
}

#[test]
fn what_pyproject_says_already_stays() {
    let pyproject = "[tool.cibuildwheel]\nskip = 'a'\nbuild = 'cp3*'\n";
    let carried = carried(&[("w.yml", "  CIBW_SKIP: b\n  CIBW_BUILD: cp3*\n")], pyproject);
    assert_eq!(carried.additions, []);
    says(&carried, "[tool.cibuildwheel] skip has another value");
    says(&carried, "[tool.cibuildwheel] build has it already");
}

#[test]
fn what_pyproject_says_elsewhere_would_win() {
    let env = "  CIBW_ENVIRONMENT: A=1\n  CIBW_ARCHS_LINUX: auto\n  CIBW_SKIP: x\n";
    let pyproject = "[tool.cibuildwheel.linux]\nenvironment = 'B=2'\n\
                     [[tool.cibuildwheel.overrides]]\nselect = '*'\narchs = 'x'\n";
    let carried = carried(&[("w.yml", env)], pyproject);
    let keys: Vec<_> = carried.additions.iter().map(|addition| addition.key.as_str()).collect();
    assert_eq!(keys, ["skip"]);
    says(&carried, "[tool.cibuildwheel.linux] has `environment`, which would win");
    says(&carried, "[[tool.cibuildwheel.overrides]] has `archs`, which would win");
}

#[test]
fn machines_that_nobody_names_are_left_out() {
    let read = |text: &str| {
        let reading = workflows::read(&format!("run: cibuildwheel\n{text}\n")).unwrap();
        let carried = carry(&[("w".into(), reading)].into(), &Table::new());
        let keys = carried.additions.iter().map(|addition| addition.key.clone());
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(read("os: ubuntu-1"), "linux-aarch64 macos-arm64 macos-x86_64 windows-amd64");
    assert_eq!(read("os: [macos-14, windows-2022]"), "linux-aarch64");
    assert_eq!(read("os: [macos-14, windows-2022, ubuntu-24.04-arm]"), "");
    assert_eq!(carry(&BTreeMap::new(), &Table::new()), Carried::default());
}

#[test]
fn tags_are_taken_over_if_they_can_be() {
    let tags = |tags: &str| carried_from(&format!("  tags: [{tags}]\n"));
    assert_eq!(tags("'v*'").additions, []);
    let own = Addition::new("tool.warmwheel.ci", "tags", Setting::Text("r-*".to_owned()));
    assert_eq!(tags("r-*").additions, [own]);
    for odd in ["'a*', 'b*'", "'${{ x }}'", "'v[0-9]'"] {
        let carried = tags(odd);
        assert_eq!(carried.additions, [], "{odd}");
        says(&carried, "cannot say");
    }
    let settled = "[tool.warmwheel.ci]\npublish = true\n";
    assert_eq!(carried(&[("w", "  tags: [r-*]\n")], settled).additions, []);
}

#[test]
fn what_stands_in_a_workflow_commands_nothing() {
    let carried = carried(&[("a\u{1b}.yml", "  CIBW_SKIP: \"\\n::error::x\u{1b}[2J\"\n")], "");
    assert!(!carried.report.join("").contains(['\u{1b}', '\n']), "{:?}", carried.report);
}
