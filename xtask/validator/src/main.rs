//! The program that runs inside containers; everything it does is in the library.

use ccache_validator::cli;
use ccache_validator::environment::Environment;
use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = cli::run(std::env::args_os().skip(1), &Environment::read());
    ExitCode::from(exit.code())
}
