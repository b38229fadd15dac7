//! Real builds that the hook never sees, and configure steps that must not be mistaken for a build.

use camino::Utf8PathBuf;

use crate::lab::Run;
use crate::settings::{VERSIONS, small_package};
use crate::support::Sandbox;

#[test]
fn a_version_whose_tests_are_skipped_is_judged_on_the_host() {
    let run = Run::new();
    let skip = |which: &str| format!("[tool.cibuildwheel]\ntest-skip = '{which}'\n");
    let project = small_package(&run.sandbox, &skip("cp313-*"));
    let line = ["--project", project.as_str(), "--python", VERSIONS];
    run.run(&line).expect(0).says("audited on the host");
    let report = run.report();
    assert_eq!([report.verdict("cp312"), report.verdict("cp313")], ["cold", "hit"]);
    let audited = |python| report.build(python)["cache"]["audited_on_host"].as_bool().unwrap();
    assert_eq!([audited("cp312"), audited("cp313")], [false, true]);
    assert_eq!(report.hits("cp313"), 1);

    // Neither a hook nor a compiler that goes through ccache: that must not pass.
    small_package(&run.sandbox, &skip("*"));
    let unwired = [&line[..], &["--wiring", "none", "--jobs", "1"]].concat();
    run.run(&unwired).expect(3).says("not-invoked");
    assert_eq!(run.report().build("cp312")["cache"]["audited_on_host"], true);
    assert_eq!(Sandbox::names(&run.records().join("unproven")).len(), 1);
}

/// A package of two sources that asks CMake nearly everything that CMake can find out.
fn inquisitive_package(sandbox: &Sandbox) -> Utf8PathBuf {
    sandbox.write(
        "project/pyproject.toml",
        "[build-system]\nrequires = ['scikit-build-core>=0.10']\n\
         build-backend = 'scikit_build_core.build'\n\
         [project]\nname = 'inquisitive'\nversion = '1'\n\
         [tool.scikit-build]\nbuild-dir = 'build'\n",
    );
    sandbox.write(
        "project/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.20)\n\
         project(inquisitive C CXX)\n\
         include(CheckCSourceCompiles)\n\
         include(CheckCXXCompilerFlag)\n\
         include(CheckFunctionExists)\n\
         include(CheckIncludeFileCXX)\n\
         include(CheckIPOSupported)\n\
         include(CheckSymbolExists)\n\
         include(CheckTypeSize)\n\
         include(CheckVariableExists)\n\
         check_c_source_compiles(\"int main(void) { return 0; }\" C_WORKS)\n\
         check_cxx_compiler_flag(-O2 HAVE_O2)\n\
         check_function_exists(puts HAVE_PUTS)\n\
         check_include_file_cxx(vector HAVE_VECTOR)\n\
         check_ipo_supported(RESULT ipo OUTPUT words)\n\
         check_symbol_exists(printf stdio.h HAVE_PRINTF)\n\
         check_type_size(long SIZEOF_LONG)\n\
         check_variable_exists(environ HAVE_ENVIRON)\n\
         find_package(OpenMP)\n\
         find_package(Threads)\n\
         find_package(Python COMPONENTS Development.Module REQUIRED)\n\
         Python_add_library(inquisitive MODULE src/main.c src/core.cpp)\n\
         install(TARGETS inquisitive DESTINATION .)\n",
    );
    sandbox.write(
        "project/src/main.c",
        "#include <Python.h>\nint answer(void);\n\
         static PyModuleDef module = {PyModuleDef_HEAD_INIT, \"inquisitive\", 0, -1, 0};\n\
         PyMODINIT_FUNC PyInit_inquisitive(void) { answer(); return PyModule_Create(&module); }\n",
    );
    write_core(sandbox, 42);
    sandbox.project()
}

fn write_core(sandbox: &Sandbox, answer: u32) {
    // auditwheel wants a module that needs the C library.
    let text = format!(
        "#include <cstdlib>\n\
         extern \"C\" int answer(void) {{ return std::getenv(\"X\") ? 1 : {answer}; }}\n"
    );
    sandbox.write("project/src/core.cpp", &text);
}

#[test]
fn cmakes_checks_hit_and_the_build_is_cold_all_the_same() {
    let run = Run::new();
    let project = inquisitive_package(&run.sandbox);
    let line = ["--project", project.as_str(), "--python", "3.12"];
    run.run(&line).expect(0);
    let report = run.report();
    assert_eq!((report.verdict("cp312"), report.hits("cp312")), ("cold", 0));
    assert_eq!(report.misses("cp312"), 2, "main.c and core.cpp, and nothing of CMake's");

    write_core(&run.sandbox, 43);
    let main = run.sandbox.root.join("project/src/main.c");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, format!("{text}int changed;\n")).unwrap();
    run.run(&line).expect(0).says("suspicious: cp312-manylinux_x86_64 left 2 results");
    let report = run.report();
    assert_eq!(report.verdict("cp312"), "cold");
    assert_eq!((report.hits("cp312"), report.misses("cp312")), (0, 2));
    assert!(run.probe_hits("cp312") >= 12, "{}", run.probe_hits("cp312"));
}

/// Meson keeps ccache out of its checks by itself, and compiles and links the rest in one step, with
/// the compiler behind links as well.
#[test]
fn mesons_checks_are_no_sources_of_the_package() {
    let run = Run::new();
    run.sandbox.write(
        "project/pyproject.toml",
        "[build-system]\nrequires = ['meson-python', 'ninja']\n\
         build-backend = 'mesonpy'\n\
         [project]\nname = 'mesonic'\nversion = '1'\n",
    );
    run.sandbox.write(
        "project/meson.build",
        "project('mesonic', 'c')\n\
         cc = meson.get_compiler('c')\n\
         cc.has_function('puts')\n\
         cc.has_header('stdio.h')\n\
         cc.compiles('int main(void) { return 0; }')\n\
         cc.sizeof('long')\n\
         cc.get_supported_arguments('-Wall', '-Wextra')\n\
         dependency('threads')\n\
         py = import('python').find_installation(pure: false)\n\
         py.extension_module('mesonic', 'main.c', 'core.c', install: true)\n",
    );
    run.sandbox.write(
        "project/main.c",
        "#include <Python.h>\nint answer(void);\n\
         static PyModuleDef module = {PyModuleDef_HEAD_INIT, \"mesonic\", 0, -1, 0};\n\
         PyMODINIT_FUNC PyInit_mesonic(void) { answer(); return PyModule_Create(&module); }\n",
    );
    run.sandbox.write(
        "project/core.c",
        "#include <stdlib.h>\nint answer(void) { return getenv(\"X\") ? 1 : 42; }\n",
    );
    let project = run.sandbox.project();
    let line = ["--project", project.as_str(), "--python", VERSIONS, "--wiring", "links"];
    run.run(&line).expect(0);
    let report = run.report();
    for (python, verdict, hits) in [("cp312", "cold", 0), ("cp313", "hit", 1)] {
        assert_eq!(report.verdict(python), verdict, "{python}");
        assert_eq!((report.hits(python), report.misses(python)), (hits, 2 - hits), "{python}");
    }
}
