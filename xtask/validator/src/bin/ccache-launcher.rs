//! The program that stands in front of ccache; everything it does is in the library.

use ccache_validator::environment::Environment;
use ccache_validator::launcher;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(launcher::run(std::env::args_os(), &Environment::read_for_launcher()))
}
