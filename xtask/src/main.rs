//! `cargo xtask`: builds a native Python package's wheels out of one warm compiler cache.

mod adopt;
mod bench;
mod builder;
mod cache;
mod ci;
mod cli;
mod commands;
mod console;
mod doctor;
mod downloads;
mod environment;
mod event;
mod fault;
mod folders;
mod history;
mod host;
mod image;
mod interpreters;
mod interrupt;
mod lab;
mod meanwhile;
mod memory;
mod package;
mod pinned;
mod pins;
mod plan;
mod process;
mod provision;
mod report;
mod resume;
mod scheduler;
mod sdist;
mod secrets;
mod settings;
mod setup;
mod staging;
mod text;
mod trim;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    dispatch(&cli).unwrap_or_else(|error| {
        console::Console::new().say(fault::explain(&error));
        ExitCode::from(fault::class_of(&error).exit_code())
    })
}

fn dispatch(cli: &Cli) -> Result<ExitCode> {
    let environment = environment::Environment::of_this_process();
    let console = console::Console::new();
    let done = |()| ExitCode::SUCCESS;
    match &cli.command {
        Command::ReleaseWheels(flags) => commands::release_wheels::run(flags, &environment),
        Command::Ci(flags) => commands::ci::run(flags, &environment),
        Command::PrepareCache(flags) => {
            commands::prepare_cache::run(flags, &environment, console).map(done)
        }
        Command::ValidateCcache(flags) => Ok(commands::validate_ccache::run(flags)),
        Command::Doctor(flags) => commands::doctor::run(flags, &environment, console),
        Command::Report(flags) => commands::report::run(flags, &environment, console),
        Command::Adopt(flags) => commands::adopt::run(flags, &environment, console).map(done),
        Command::Lab(flags) => commands::lab::run(flags, &environment, console).map(done),
        Command::Test(flags) => commands::test::run(flags, &environment, console).map(done),
        Command::Bench(flags) => commands::bench::run(flags, &environment, console).map(done),
    }
}
