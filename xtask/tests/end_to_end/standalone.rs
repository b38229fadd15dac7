//! The documented hand-written workflow, as it stands there, with the plain cibuildwheel.

use std::collections::BTreeMap;
use std::process::Command;

use camino::Utf8PathBuf;

use crate::lab::{lab, workspace};
use crate::settings::small_package;
use crate::support::{Ran, Sandbox, real_python};

/// The variables of the workflow in `docs/github.md`.
fn documented() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(workspace().join("docs/github.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.trim().split_once(": "));
    let variables: BTreeMap<_, _> = lines
        .filter(|(name, _)| name.starts_with("CIBW_"))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect();
    assert_eq!(variables.len(), 5, "{variables:?}");
    variables
}

struct Workflow {
    sandbox: Sandbox,
    project: Utf8PathBuf,
    variables: BTreeMap<String, String>,
}

impl Workflow {
    fn new() -> Self {
        let sandbox = Sandbox::new().with_tools();
        let project = small_package(&sandbox, "");
        let lab = lab();
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let target = workspace().join(target);
        let create: Vec<_> =
            lab["create_args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        let mut variables = documented();
        for value in variables.values_mut() {
            *value = value
                .replace("${{ github.workspace }}/target", target.as_str())
                .replace("${{ github.workspace }}", project.as_str())
                .replace("import mypkg", "import small");
        }
        let engine = variables.get_mut("CIBW_CONTAINER_ENGINE").unwrap();
        *engine = engine.replace("docker;", &format!("{};", lab["engine"].as_str().unwrap()));
        *engine = format!("{engine} {}", create.join(" "));
        let image = lab["image"].as_str().unwrap().to_owned();
        variables.insert("CIBW_MANYLINUX_X86_64_IMAGE".to_owned(), image);
        for (name, value) in lab["environment"].as_object().unwrap() {
            variables.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
        variables.insert(
            "CIBW_BUILD".to_owned(),
            "cp312-manylinux_x86_64 cp313-manylinux_x86_64".to_owned(),
        );
        Self { sandbox, project, variables }
    }

    /// `cargo xtask prepare-cache --ccache-dir .ccache`.
    fn prepare_cache(&self) {
        let project = self.project.as_str();
        self.sandbox
            .run(&["prepare-cache", "--project", project, "--ccache-dir", ".ccache"])
            .expect(0);
    }

    /// `cibuildwheel`; what both streams said.
    fn cibuildwheel(&self, more: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut command = Command::new(real_python());
        command.args(["-m", "cibuildwheel", "--platform", "linux", "--output-dir", "wheelhouse"]);
        command.current_dir(&self.project).envs(&self.variables).envs(more.iter().copied());
        let ran = Ran::from(command.output().unwrap());
        (ran.code, format!("{}{}", ran.stdout, ran.stderr))
    }
}

#[test]
fn the_documented_workflow_proves_each_version_and_stops_at_a_miss() {
    let workflow = Workflow::new();
    workflow.prepare_cache();
    let (code, said) = workflow.cibuildwheel(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("cp312-manylinux_x86_64: cold (0 of 2"), "{said}");
    assert!(said.contains("cp313-manylinux_x86_64: hit (1 of 2, 50.0 %)"), "{said}");
    assert_eq!(Sandbox::names(&workflow.project.join("wheelhouse")).len(), 2);

    // The cache stops working between two versions. The marker of the run before was restored with
    // the cache; prepare-cache has removed it, or the first version would be the one to fail.
    workflow.prepare_cache();
    let forget =
        "case $CIBUILDWHEEL_BUILD_IDENTIFIER in cp313*) rm -rf /host_ccache/[0-9a-f];; esac";
    workflow.sandbox.write("project/core.c", "int answer(void) { return 43; }\n");
    let (code, said) = workflow.cibuildwheel(&[("CIBW_BEFORE_BUILD", forget)]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cp312-manylinux_x86_64: hit (1 of 2"), "{said}");
    assert!(said.contains("cp313-manylinux_x86_64: miss (0 of 2"), "{said}");

    // A launcher that is never called: the links are made, but not in front of PATH.
    workflow.prepare_cache();
    let environment = workflow.variables["CIBW_ENVIRONMENT_LINUX"].replace("/tmp/links:", "");
    let (code, said) = workflow.cibuildwheel(&[("CIBW_ENVIRONMENT_LINUX", &environment)]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cp312-manylinux_x86_64: not-invoked"), "{said}");
}
