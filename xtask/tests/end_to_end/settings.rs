//! A project's own settings are in effect inside the containers, read from the logs.

use camino::Utf8PathBuf;

use crate::lab::Run;
use crate::support::Sandbox;

/// Two versions with the same compiler flags: CPython 3.12 changed those that setuptools uses, and an
/// object compiled with others is another object.
pub(crate) const VERSIONS: &str = "3.12,3.13";

/// Makes the sandbox's project a setuptools package with one extension module and a C file that
/// does without Python.h.
pub(crate) fn small_package(sandbox: &Sandbox, settings: &str) -> Utf8PathBuf {
    sandbox.write(
        "project/pyproject.toml",
        &format!(
            "[build-system]\nrequires = ['setuptools>=70']\n\
             build-backend = 'setuptools.build_meta'\n\
             [project]\nname = 'small'\nversion = '1'\n{settings}"
        ),
    );
    sandbox.write(
        "project/setup.py",
        "from setuptools import Extension, setup\n\
         setup(py_modules=[], ext_modules=[Extension('small', ['core.c', 'small.c'])])\n",
    );
    sandbox.write("project/core.c", "int answer(void) { return 42; }\n");
    sandbox.write(
        "project/small.c",
        "#include <Python.h>\nint answer(void);\n\
         static PyObject *get(PyObject *s, PyObject *a) { return PyLong_FromLong(answer()); }\n\
         static PyMethodDef methods[] = {{\"get\", get, METH_NOARGS, 0}, {0, 0, 0, 0}};\n\
         static PyModuleDef module = {PyModuleDef_HEAD_INIT, \"small\", 0, -1, methods};\n\
         PyMODINIT_FUNC PyInit_small(void) { return PyModule_Create(&module); }\n",
    );
    sandbox.project()
}

const SETTINGS: &str = "\
[tool.cibuildwheel]
test-command = 'echo tests-see \"$TAG\" \"$ENGINE_TAG\" && python -c \"import small\" # quick'
environment = { TAG = 'from project' }
before-all = 'echo before-all-of-project # first'

[tool.cibuildwheel.container-engine]
name = 'podman'
create-args = ['--env', 'ENGINE_TAG=from engine']

[[tool.cibuildwheel.overrides]]
select = 'cp313-*'
inherit.environment = 'append'
environment = { TAG = 'from override', CCACHE_MAXSIZE = '123M' }
before-build = 'ccache --show-config | grep max_size'
";

#[test]
fn a_project_with_settings_everywhere_keeps_them_all() {
    let run = Run::new();
    let project = small_package(&run.sandbox, SETTINGS);
    run.run(&["--project", project.as_str(), "--python", VERSIONS]).expect(0);
    let report = run.report();
    assert_eq!([report.verdict("cp312"), report.verdict("cp313")], ["cold", "hit"]);
    assert_eq!(report.hits("cp313"), 1, "the file that does without Python.h");

    let (first, second) = (run.log("cp312"), run.log("cp313"));
    assert!(first.contains("\ntests-see from project from engine\n"), "{first}");
    assert!(second.contains("\ntests-see from override from engine\n"), "{second}");
    assert!(second.contains("max_size = 123"), "{second}");
    for log in [first, second] {
        assert!(log.contains("\nbefore-all-of-project\n"), "{log}");
        assert!(log.contains("\nccache: cp31"), "the hook ran: {log}");
    }
}
