//! Benchmarks where nothing can be measured.

use crate::support::Sandbox;

#[test]
fn without_the_test_image_it_is_told_how_to_get_one() {
    let mut sandbox = Sandbox::new();
    let target = sandbox.root.join("target");
    sandbox.set("CARGO_TARGET_DIR", target.as_str());
    let ran = sandbox.run(&["bench"]).expect(4).says("test image has not been made");
    assert_eq!(ran.says("help: make it\n    cargo xtask lab --setup").stdout, "");
    assert!(!target.exists(), "nothing was compiled for it");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(&["bench", "wheel"]).expect(2).says("possible values: validator");
    let possible = "possible values: demo, awkward-cpp";
    sandbox.run(&["bench", "pipeline", "--package", "numpy"]).expect(2).says(possible);
    sandbox.run(&["bench", "--rounds", "0"]).expect(2).says("--rounds");
}
