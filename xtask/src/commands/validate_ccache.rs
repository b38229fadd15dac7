//! `cargo xtask validate-ccache`: the validator, on the host.

use std::process::ExitCode;

use crate::cli::{self, OnMiss};

/// Hands the flags on to the validator, whose output and exit codes are this command's.
pub(crate) fn run(flags: &cli::ValidateCcache) -> ExitCode {
    let mut arguments = vec!["validate".to_owned()];
    let mut pass = |name: &str, value: Option<String>| {
        arguments.extend(value.map(|value| format!("--{name}={value}")));
    };
    pass("identifier", flags.identifier.clone());
    pass("wheel", flags.wheel.as_ref().map(ToString::to_string));
    pass("project", flags.project.as_ref().map(ToString::to_string));
    pass("min-hit-rate", flags.min_hit_rate.map(|rate| rate.to_string()));
    pass(
        "on-miss",
        flags.on_miss.map(|on_miss| match on_miss {
            OnMiss::Fail => "fail".to_owned(),
            OnMiss::Warn => "warn".to_owned(),
        }),
    );
    for (name, is_set) in [("--strict-restore", flags.strict_restore), ("--json", flags.json)] {
        if is_set {
            arguments.push(name.to_owned());
        }
    }
    let environment = ccache_validator::environment::Environment::read();
    let exit = ccache_validator::cli::run(arguments.into_iter().map(Into::into), &environment);
    ExitCode::from(exit.code())
}
