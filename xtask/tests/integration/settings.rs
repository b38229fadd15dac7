//! What a project and its user have set is still in effect, by cibuildwheel's own word: it is asked
//! again with the variables of the plan.

use std::process::Command;

use serde_json::Value;

use crate::support::{Sandbox, real_python};

const OPTIONS: &str = include_str!("../../src/builder/answer/options.py");
const HOOK: &str = "/warmwheel/ccache-validator validate --wheel '{wheel}'";

/// A project with `settings`, planned for two versions, and what cibuildwheel makes of each plan.
fn effective(settings: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let project = "[project]\nname = 'pkg'\nversion = '1'\n[tool.cibuildwheel]\n";
    of_project(&format!("{project}{settings}"), variables)
}

/// As [`effective`], for a whole pyproject.toml.
fn of_project(pyproject: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let mut sandbox = Sandbox::new().with_tools().with_pretended_engine();
    sandbox.write("project/pyproject.toml", pyproject);
    for (name, value) in variables {
        sandbox.set(name, value);
    }
    let plan = sandbox.release_wheels(&["--plan=json", "--python", "3.11,3.12"]).expect(0).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let builds = plan["builds"].as_array().unwrap();
    builds
        .iter()
        .filter(|build| build["identifier"].as_str().unwrap().ends_with("manylinux_x86_64"))
        .map(|build| ask_again(&sandbox, variables, build))
        .collect()
}

fn ask_again(sandbox: &Sandbox, variables: &[(&str, &str)], build: &Value) -> Value {
    let environment = build["environment"].as_object().unwrap();
    let mut command = Command::new(build["argv"][0].as_str().unwrap());
    command
        .current_dir(sandbox.project())
        .args(["-c", OPTIONS, "linux", ".", ""])
        .envs(variables.iter().copied())
        .envs(environment.iter().map(|(name, value)| (name, value.as_str().unwrap())));
    let output = command.output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let found = answer["builds"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .find(|found| found["identifier"] == build["identifier"]);
    found.unwrap().clone()
}

fn option<'a>(build: &'a Value, name: &str) -> &'a str {
    build["options"][name]["value"].as_str().unwrap()
}

/// The `environment` option as a build gets it.
fn environment(build: &Value) -> Value {
    let script = "import json, sys\n\
        from cibuildwheel.environment import parse_environment\n\
        print(json.dumps(parse_environment(sys.argv[1]).as_dictionary({'PATH': '/bin'})))\n";
    let output = Command::new(real_python())
        .args(["-c", script, option(build, "environment")])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_projects_environment() {
    let build = &effective("environment = { TAG = 'x y', CCACHE_MAXSIZE = '1G' }\n", &[])[0];
    let environment = environment(build);
    assert_eq!(environment["TAG"], "x y");
    assert_eq!(environment["CCACHE_MAXSIZE"], "1G", "the project's own value wins");
    assert_eq!(environment["CCACHE_DIR"], "/host_ccache");
    assert_eq!(environment["PATH"], "/tmp/warmwheel-links:/bin");
}

#[test]
fn a_projects_test_command_that_ends_in_a_comment() {
    let build = &effective("test-command = 'pytest {package} # quick'\n", &[])[0];
    assert_eq!(option(build, "test-command"), format!("{HOOK} && pytest {{package}} # quick"));
}

#[test]
fn a_projects_list_of_test_commands() {
    let build = &effective("test-command = ['one', 'two']\n", &[])[0];
    assert_eq!(option(build, "test-command"), format!("{HOOK} && one && two"));
}

#[test]
fn a_projects_before_all() {
    let build = &effective("[tool.cibuildwheel.linux]\nbefore-all = 'yum install x'\n", &[])[0];
    assert_eq!(
        option(build, "before-all"),
        "{ yum install x\n} && /warmwheel/ccache-validator preflight --links /tmp/warmwheel-links \
         --launcher /warmwheel/ccache-launcher"
    );
}

#[test]
fn a_projects_before_test() {
    let build = &effective("before-test = 'one'\n", &[])[0];
    assert_eq!(option(build, "before-test"), "/warmwheel/ccache-validator seal && one");
}

#[test]
fn an_override_for_one_identifier() {
    let builds = effective(
        "environment = { A = '1' }\ntest-command = 'all'\n\
         [[tool.cibuildwheel.overrides]]\nselect = 'cp312-*'\n\
         inherit.environment = 'append'\nenvironment = { B = '2' }\ntest-command = 'special'\n",
        &[],
    );
    assert_eq!(option(&builds[0], "test-command"), format!("{HOOK} && all"));
    assert_eq!(option(&builds[1], "test-command"), format!("{HOOK} && special"));
    assert_eq!(environment(&builds[0])["B"], Value::Null);
    let second = environment(&builds[1]);
    assert_eq!((&second["A"], &second["B"]), (&"1".into(), &"2".into()));
}

#[test]
fn a_projects_create_args_and_engine() {
    let build = &effective(
        "[tool.cibuildwheel.container-engine]\nname = 'podman'\n\
         create-args = ['--env', 'A=b c;d', '--memory=1g']\n",
        &[],
    )[0];
    let arguments: Vec<_> = build["engine"]["create_args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a.as_str().unwrap())
        .collect();
    assert_eq!(arguments[arguments.len() - 3..], ["--env", "A=b c;d", "--memory=1g"]);
    assert!(arguments[0].starts_with("--label=warmwheel.run="), "{arguments:?}");
    assert!(arguments.iter().any(|a| a.ends_with(":/host_ccache")), "{arguments:?}");
    assert_eq!(build["engine"]["disable_host_mount"], true);
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// The arguments of the frontend, by its name, that each way of setting it comes to.
#[test]
fn a_build_frontend_keeps_what_is_its_own() {
    const OURS: &str = "--env-dir=/tmp/warmwheel-env";
    let table = "build-frontend = { name = 'build', args = ['--sdist', 'a;b c'] }\n";
    let overridden = "build-frontend = 'build'\n[[tool.cibuildwheel.overrides]]\n\
        select = 'cp311-*'\nbuild-frontend = 'build[uv]; args: --skip-dependency-check'\n";
    let own = "build-frontend = { name = 'build', args = ['--env-dir=/own'] }\n";
    let user = [("CIBW_BUILD_FRONTEND", "build; args: -x")];
    let cases: [(_, &[_], _, &[_]); 6] = [
        ("", &[], "build", &[OURS]),
        (table, &[], "build", &["--sdist", "a;b c", OURS]),
        (overridden, &[], "build[uv]", &["--skip-dependency-check", OURS]),
        (table, &user, "build", &["-x", OURS]),
        (own, &[], "build", &["--env-dir=/own"]),
        ("build-frontend = 'pip'\n", &[], "pip", &[]),
    ];
    for (settings, variables, name, args) in cases {
        let frontend = &effective(settings, variables)[0]["frontend"];
        assert_eq!(frontend["name"], name, "{settings}");
        assert_eq!(strings(&frontend["args"]), args, "{settings}");
    }
}

const SCIKIT: &str = "[build-system]\nrequires = []\nbuild-backend = 'scikit_build_core.build'\n\
    [project]\nname = 'pkg'\nversion = '1'\n";

#[test]
fn a_projects_config_settings() {
    let ours = "build-dir=/tmp/warmwheel-build";
    let clear = "rm -rf /tmp/warmwheel-env /tmp/warmwheel-build";
    let table = "[tool.cibuildwheel]\nbefore-build = 'one'\n\
        config-settings = { 'cmake.args' = '-DA=b c', 'logging.level' = 'INFO' }\n";
    let build = &of_project(&format!("{SCIKIT}{table}"), &[])[0];
    let settings = option(build, "config-settings");
    assert_eq!(settings, format!("{ours} cmake.args='-DA=b c' logging.level=INFO"));
    assert_eq!(option(build, "before-build"), format!("{clear} && one"));

    let user = [("CIBW_CONFIG_SETTINGS_LINUX", "x=1"), ("CIBW_BEFORE_BUILD", "two")];
    let build = &of_project(&format!("{SCIKIT}{table}"), &user)[0];
    assert_eq!(option(build, "config-settings"), format!("{ours} x=1"));
    assert_eq!(option(build, "before-build"), format!("{clear} && two"));

    for own in [
        "[tool.cibuildwheel]\nconfig-settings = { build-dir = 'b' }\n",
        "[tool.cibuildwheel]\nbuild-frontend = 'build; args: -Cbuild-dir=b'\n",
        "[tool.scikit-build]\nbuild-dir = 'b'\n",
    ] {
        let build = &of_project(&format!("{SCIKIT}{own}"), &[])[0];
        let settings = option(build, "config-settings");
        assert!(!settings.contains("warmwheel"), "{own}: {settings}");
    }
}

#[test]
fn a_users_variables() {
    let build = &effective(
        "environment = { A = 'project' }\ntest-command = 'project'\n",
        &[("CIBW_TEST_COMMAND", "user"), ("CIBW_ENVIRONMENT_LINUX", "A=user")],
    )[0];
    assert_eq!(option(build, "test-command"), format!("{HOOK} && user"));
    let environment = environment(build);
    assert_eq!(
        (&environment["A"], &environment["CCACHE_NOHASHDIR"]),
        (&"user".into(), &"1".into())
    );
}

#[test]
fn a_users_own_rules_of_inheritance() {
    let build = &effective(
        "before-build = 'project'\nenvironment = { A = '1' }\n",
        &[
            ("CIBW_INHERIT", "environment: append; environment-linux: append"),
            ("CIBW_ENVIRONMENT", "B=2"),
            ("CIBW_ENVIRONMENT_LINUX", "C=3"),
        ],
    )[0];
    let environment = environment(build);
    for (name, value) in [("A", "1"), ("B", "2"), ("C", "3")] {
        assert_eq!(environment[name], value, "{environment}");
    }
    assert_eq!(option(build, "environment").matches("CCACHE_DIR").count(), 1);
}

#[test]
fn a_users_ccache_values_whatever_they_hold() {
    let odd = "a \"b\" 'c' $HOME `d` \\e; f=g #h";
    let build = &effective("", &[("CCACHE_NAMESPACE", odd), ("CCACHE_SLOPPINESS", "a,b")])[0];
    let environment = environment(build);
    assert_eq!(environment["CCACHE_NAMESPACE"], odd);
    assert_eq!(environment["CCACHE_SLOPPINESS"], "a,b");
}
