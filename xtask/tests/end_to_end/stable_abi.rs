//! A package of the stable ABI: one wheel for all versions.

use crate::lab::Run;
use crate::settings::small_package;
use crate::support::Sandbox;

#[test]
fn one_wheel_of_the_stable_abi_is_tested_with_every_version_and_compiled_by_none_again() {
    let run = Run::new();
    let project = small_package(
        &run.sandbox,
        "[tool.cibuildwheel]\n\
         audit-command = '' # it fetches a tool from a release page\n\
         test-command = 'python -c \"import small, sys; print(sys.version_info[1], small.get())\"'\n",
    );
    run.sandbox.write(
        "project/setup.py",
        "from setuptools import Extension, setup\n\
         macros = [('Py_LIMITED_API', '0x030A0000')]\n\
         module = Extension('small', ['core.c', 'small.c'], define_macros=macros, \
         py_limited_api=True)\n\
         setup(py_modules=[], ext_modules=[module], \
         options={'bdist_wheel': {'py_limited_api': 'cp310'}})\n",
    );
    // auditwheel wants to see a library that a wheel needs.
    run.sandbox.write(
        "project/core.c",
        "#include <stdlib.h>\nint answer(void) { return getenv(\"NO_SUCH\") ? 0 : 42; }\n",
    );
    let line = ["--project", project.as_str(), "--python", "3.10,3.11,3.12,3.13"];
    let ran = run.run(&line).expect(0).says("done: 4 of 4 wheels (1 file)");
    assert_eq!(ran.stdout.lines().count(), 1);

    let report = run.report();
    assert_eq!(report.verdict("cp310"), "cold");
    // The wheel is made once more in front of the first one's tests, with nothing left to compile.
    assert_eq!((report.hits("cp311"), report.misses("cp311")), (2, 0));
    let verdicts = ["cp311", "cp312", "cp313"].map(|python| report.verdict(python).to_owned());
    assert_eq!(verdicts, ["hit", "not-applicable", "not-applicable"]);
    for python in ["cp311", "cp312", "cp313"] {
        assert_eq!(report.build(python)["outcome"], "reused", "{python}");
    }
    let log = run.log("cp311");
    for minor in 11..=13 {
        assert!(log.contains(&format!("\n{minor} 42\n")), "no test with 3.{minor}: {log}");
    }
    let wheels = Sandbox::names(&run.wheelhouse());
    assert_eq!(wheels.len(), 1);
    assert!(wheels[0].starts_with("small-1-cp310-abi3-"), "{wheels:?}");
}
