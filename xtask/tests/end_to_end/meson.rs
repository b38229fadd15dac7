//! A package that meson builds: its compilers are called through the launcher.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use crate::lab::Run;
use crate::settings::VERSIONS;
use crate::support::Sandbox;

/// The files of the core, which do without Python.h.
const CORE: u64 = 4;

/// A core in C++, in a library of its own, and a C file with the bindings.
fn mixed_package(sandbox: &Sandbox, settings: &str) -> Utf8PathBuf {
    sandbox.write(
        "project/pyproject.toml",
        &format!(
            "[build-system]\nrequires = ['meson-python>=0.16,<1', 'ninja']\n\
             build-backend = 'mesonpy'\n\
             [project]\nname = 'mixed'\nversion = '1'\n\
             [tool.cibuildwheel]\n\
             test-command = 'python -c \"import mixed; assert mixed.get() == 6\"'\n{settings}"
        ),
    );
    let mut sources = String::new();
    let mut sum = "0".to_owned();
    for number in 0..CORE {
        let _ = write!(sources, "'part{number}.cpp', ");
        let _ = write!(sum, " + part{number}()");
        sandbox.write(
            &format!("project/part{number}.cpp"),
            &format!(
                "#include <string>\n\
                 extern \"C\" int part{number}(void) {{ \
                 return static_cast<int>(std::string({number}, 'x').size()); }}\n"
            ),
        );
    }
    sandbox.write(
        "project/meson.build",
        &format!(
            "project('mixed', 'c', 'cpp', default_options: ['buildtype=release'])\n\
             cc = meson.get_compiler('c')\n\
             cc.has_function('puts')\n\
             core = static_library('core', {sources}pic: true)\n\
             py = import('python').find_installation(pure: false)\n\
             py.extension_module('mixed', 'mixed.c', link_with: core, link_language: 'cpp', \
             install: true)\n"
        ),
    );
    let declared: String =
        (0..CORE).fold(String::new(), |text, number| format!("{text}int part{number}(void);\n"));
    sandbox.write(
        "project/mixed.c",
        &format!(
            "#include <Python.h>\n{declared}\
             static PyObject *get(PyObject *s, PyObject *a) {{ return PyLong_FromLong({sum}); }}\n\
             static PyMethodDef methods[] = {{{{\"get\", get, METH_NOARGS, 0}}, {{0, 0, 0, 0}}}};\n\
             static PyModuleDef module = {{PyModuleDef_HEAD_INIT, \"mixed\", 0, -1, methods}};\n\
             PyMODINIT_FUNC PyInit_mixed(void) {{ return PyModule_Create(&module); }}\n"
        ),
    );
    sandbox.project()
}

#[test]
fn mesons_compilers_go_through_the_launcher_and_the_core_is_compiled_once() {
    let run = Run::new();
    let project = mixed_package(&run.sandbox, "");
    let line = ["--project", project.as_str(), "--python", VERSIONS];
    run.run(&line).expect(0).says("done: 2 of 2 wheels");
    let report = run.report();
    for (python, verdict, hits) in [("cp312", "cold", 0), ("cp313", "hit", CORE)] {
        assert_eq!(report.verdict(python), verdict, "{python}");
        assert_eq!((report.hits(python), report.misses(python)), (hits, CORE + 1 - hits));
        // The launcher was there, for each file once and for none of meson's checks, and chose
        // depend mode: for the core, whose commands name nothing of Python's, and for the file that
        // includes Python.h.
        let compiling = &report.build(python)["compiling"];
        let files = [&compiling["files"], &compiling["in_depend_mode"]];
        assert_eq!(files, [CORE + 1, CORE + 1], "{python}: {compiling}");
        let log = run.log(python);
        assert!(log.contains("C compiler for the host machine: /warmwheel/ccache-launcher cc"));
        assert!(!log.contains("host machine: /usr/bin/ccache"), "{log}");
    }

    // The next run finds everything, directly.
    run.run(&line).expect(0);
    let report = run.report();
    for python in ["cp312", "cp313"] {
        assert_eq!(report.build(python)["role"], "follower", "{python}");
        assert_eq!(report.build(python)["cache"]["direct_hits"], CORE + 1, "{python}");
        assert_eq!(report.build(python)["compiling"]["files"], CORE + 1, "{python}");
    }
}

/// The image's own compiler stays, behind the launcher; the package's own stays as it is.
#[test]
fn a_compiler_that_was_chosen_is_the_one_that_meson_calls() {
    let run = Run::new();
    let settings = "environment = { CXX = 'ccache g++' }\n\
         [tool.cibuildwheel.container-engine]\n\
         name = 'podman'\ncreate-args = ['--env', 'CC=gcc -DCHOSEN']\n";
    let project = mixed_package(&run.sandbox, settings);
    run.run(&["--project", project.as_str(), "--python", "3.12"]).expect(0);
    let report = run.report();
    assert_eq!((report.verdict("cp312"), report.misses("cp312")), ("cold", CORE + 1));
    assert_eq!(report.build("cp312")["compiling"]["files"], 1, "the file in C");
    let log = run.log("cp312");
    for words in [
        "C compiler for the host machine: /warmwheel/ccache-launcher gcc -DCHOSEN",
        "C++ compiler for the host machine: /usr/bin/ccache g++",
    ] {
        assert!(log.contains(words), "no {words:?} in {log}");
    }
}

/// Without the launcher meson finds ccache as it always has.
#[test]
fn without_the_launcher_meson_finds_ccache_itself() {
    let run = Run::new();
    let project = mixed_package(&run.sandbox, "");
    run.run(&["--project", project.as_str(), "--python", "3.12", "--plain-ccache"]).expect(0);
    let report = run.report();
    assert_eq!((report.verdict("cp312"), report.misses("cp312")), ("cold", CORE + 1));
    assert!(report.build("cp312")["compiling"].is_null(), "nobody records it");
    let log = run.log("cp312");
    assert!(log.contains("C++ compiler for the host machine: /usr/bin/ccache c++"), "{log}");
}

/// With `-flto` the second half of the compiling is in the link, which is done once.
#[test]
fn a_link_that_compiles_is_done_once() {
    let run = Run::new();
    let project = mixed_package(&run.sandbox, "");
    // Regular expressions take a compiler's time: a short link is not worth keeping.
    run.sandbox.write(
        "project/part0.cpp",
        "#include <cstdlib>\n#include <regex>\n\
         extern \"C\" int part0(void) {\n\
         const char *it = std::getenv(\"NO_SUCH\");\n\
         return std::regex_match(it ? it : \"\", std::regex(\"[a-z]+\")); }\n",
    );
    let file = project.join("meson.build");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("buildtype=release'", "buildtype=release', 'b_lto=true'");
    std::fs::write(&file, text).unwrap();
    let line = ["--project", project.as_str(), "--python", "3.12"];
    for reused in [0, 1] {
        run.run(&line).expect(0);
        let report = run.report();
        let compiling = &report.build("cp312")["compiling"];
        let links = [&compiling["links"], &compiling["links_reused"]];
        assert_eq!(links, [1, reused], "{compiling}");
    }
}
