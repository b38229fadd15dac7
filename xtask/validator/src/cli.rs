//! Arguments as data, and what each command does with them.

use crate::environment::Environment;
use crate::error::Error;
use crate::preflight::{self, Lack};
use crate::process::{Ccache, Installed};
use crate::request::{Flags, Request};
use crate::validate::validate;
use crate::{help, output, seal, text};
use lexopt::ValueExt;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, passed.
    Passed = 0,
    /// Something unexpected: an unwritable record folder, a closed standard output.
    Unexpected = 1,
    /// Wrong arguments or variables.
    Usage = 2,
    /// The cache did not prove itself.
    Unproven = 3,
    /// There is no ccache.
    Lacking = 4,
}

impl Exit {
    /// The number for the operating system.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `validate`.
    Validate(Flags),
    /// `preflight`.
    Preflight(preflight::Flags),
    /// `seal`.
    Seal,
    /// `--help` or `--version`: print this.
    Print(String),
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// An unknown command or flag, a missing value, a surplus argument.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    parse_command(&mut parser).map_err(|error| {
        let words = text::escape(error.to_string().as_bytes());
        Error::new(format!("{words}; see ccache-validator --help"))
    })
}

fn parse_command(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::Arg::{Long, Short, Value};
    match parser.next()? {
        // The second name is the one that `cargo xtask` has for it.
        Some(Value(command)) if command == "validate" || command == "validate-ccache" => {
            parse_validate(parser)
        }
        Some(Value(command)) if command == "preflight" => parse_preflight(parser),
        Some(Value(command)) if command == "seal" => parse_seal(parser),
        Some(Value(command)) => {
            let words = format!("unknown command \"{}\"", command.to_string_lossy());
            Err(lexopt::Error::from(words))
        }
        Some(Long("help") | Short('h')) => Ok(Command::Print(help::GENERAL.to_owned())),
        Some(Long("version") | Short('V')) => {
            Ok(Command::Print(format!("ccache-validator {}\n", env!("CARGO_PKG_VERSION"))))
        }
        Some(other) => Err(other.unexpected()),
        None => Err(lexopt::Error::from("no command given: preflight, seal or validate")),
    }
}

fn parse_validate(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::Arg::{Long, Short};
    let mut flags = Flags::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("identifier") => flags.identifier = Some(parser.value()?.string()?),
            Long("wheel") => flags.wheel = Some(parser.value()?.into()),
            Long("project") => flags.project = Some(parser.value()?.into()),
            Long("min-hit-rate") => flags.min_hit_rate = Some(parser.value()?.string()?),
            Long("on-miss") => flags.on_miss = Some(parser.value()?.string()?),
            Long("strict-restore") => flags.strict_restore = true,
            Long("json") => flags.json = true,
            Long("help") | Short('h') => return Ok(Command::Print(help::VALIDATE.to_owned())),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Validate(flags))
}

fn parse_preflight(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::Arg::{Long, Short};
    let mut flags = preflight::Flags::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("links") => flags.links = Some(parser.value()?.into()),
            Long("launcher") => flags.launcher = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(Command::Print(help::PREFLIGHT.to_owned())),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Preflight(flags))
}

fn parse_seal(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::Arg::{Long, Short};
    match parser.next()? {
        None => Ok(Command::Seal),
        Some(Long("help") | Short('h')) => Ok(Command::Print(help::SEAL.to_owned())),
        Some(other) => Err(other.unexpected()),
    }
}

/// Does what the command line asks for and says how it went.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Exit {
    let mut people = output::people();
    let result = match parse(arguments) {
        Ok(Command::Validate(flags)) => run_validate(&flags, environment, &mut people),
        Ok(Command::Preflight(flags)) => Ok(run_preflight(flags, environment, &mut people)),
        Ok(Command::Seal) => Ok(run_seal(environment, &mut people)),
        Ok(Command::Print(words)) => Ok(print(words.trim_end(), &mut people)),
        Err(error) => Err(error),
    };
    result.unwrap_or_else(|error| {
        tell(&mut people, &format!("ccache-validator: {error}\n"));
        Exit::Usage
    })
}

fn run_validate(
    flags: &Flags,
    environment: &Environment,
    people: &mut dyn Write,
) -> Result<Exit, Error> {
    let request = Request::new(flags, environment)?;
    let ccache = Installed::find(environment.get("PATH"), request.ccache_dir.as_deref());
    let outcome = validate(&request, &ccache, people);
    let printed = if flags.json { print(&outcome.record.to_json(), people) } else { Exit::Passed };
    Ok(if !outcome.record.passed {
        Exit::Unproven
    } else if outcome.problems.is_empty() {
        printed
    } else {
        Exit::Unexpected
    })
}

fn run_preflight(
    flags: preflight::Flags,
    environment: &Environment,
    people: &mut dyn Write,
) -> Exit {
    let request = preflight::Request::new(flags, environment);
    let ccache = Installed::find(environment.get("PATH"), request.ccache_dir.as_deref());
    let launcher = request.launcher.clone().map(Installed::at);
    let launcher = launcher.as_ref().map(|program| program as &dyn Ccache);
    match preflight::preflight(&request, &ccache, ccache.program(), launcher) {
        Ok(ready) => {
            tell(people, &format!("{}\n", text::escape(ready.line.as_bytes())));
            Exit::Passed
        }
        Err(refusal) => {
            let cause = text::escape(refusal.cause.as_bytes());
            tell(people, &text::fold("ccache: ", &cause));
            tell(people, &text::fold("  remedy: ", &text::escape(refusal.remedy.as_bytes())));
            match refusal.lack {
                Lack::Ccache => Exit::Lacking,
                Lack::Cache => Exit::Unproven,
                Lack::Unexpected => Exit::Unexpected,
            }
        }
    }
}

fn run_seal(environment: &Environment, people: &mut dyn Write) -> Exit {
    let cache_dir = environment.get("CCACHE_DIR").map(PathBuf::from);
    let ccache = Installed::find(environment.get("PATH"), cache_dir.as_deref());
    match seal::seal(environment, &ccache) {
        Ok(()) => Exit::Passed,
        Err(error) => {
            tell(people, &text::fold("ccache: ", &error.to_string()));
            Exit::Unexpected
        }
    }
}

fn print(line: &str, people: &mut dyn Write) -> Exit {
    match output::data(line) {
        Ok(()) => Exit::Passed,
        Err(error) => {
            tell(people, &format!("ccache-validator: cannot write to standard output: {error}\n"));
            Exit::Unexpected
        }
    }
}

/// Words that nobody can read any more (a closed stream) change no exit code.
fn tell(people: &mut dyn Write, words: &str) {
    drop(people.write_all(words.as_bytes()).and_then(|()| people.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn flags_are_data() {
        let Ok(Command::Validate(flags)) = parsed(
            "validate --identifier cp312-x --wheel=/w/x.whl --project /p --min-hit-rate 90 \
             --on-miss warn --strict-restore --json",
        ) else {
            panic!("not parsed");
        };
        assert_eq!(flags.identifier.as_deref(), Some("cp312-x"));
        assert_eq!(flags.wheel, Some(PathBuf::from("/w/x.whl")));
        assert_eq!(flags.project, Some(PathBuf::from("/p")));
        assert_eq!(flags.min_hit_rate.as_deref(), Some("90"));
        assert_eq!(flags.on_miss.as_deref(), Some("warn"));
        assert!(flags.json && flags.strict_restore);
        assert_eq!(parsed("validate-ccache").unwrap(), Command::Validate(Flags::default()));
        let flags = preflight::Flags {
            links: Some(PathBuf::from("/l")),
            launcher: Some(PathBuf::from("/c")),
        };
        let given = parsed("preflight --links /l --launcher /c").unwrap();
        assert_eq!(given, Command::Preflight(flags));
    }

    #[test]
    fn help_is_there_for_every_command_and_shows_examples() {
        for line in ["--help", "-h", "validate --help", "preflight -h"] {
            let Ok(Command::Print(words)) = parsed(line) else { panic!("{line}") };
            assert!(words.lines().all(|line| line.chars().count() <= text::WIDTH), "{line}");
            assert_eq!(words.contains("Examples:"), line.contains(' '), "{line}");
        }
        assert!(matches!(parsed("--version"), Ok(Command::Print(_))));
    }

    #[test]
    fn mistakes_point_to_the_help() {
        for line in [
            "",
            "check",
            "validate extra",
            "validate --hits 1",
            "preflight --links",
            "preflight --launcher",
            "--json",
            "-x",
        ] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.ends_with("; see ccache-validator --help"), "{error}");
        }
    }
}
