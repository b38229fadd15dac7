//! The only place where the launcher starts a process: ccache, or the compiler itself. Folder and
//! streams are this process's own, but for what is listened to.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Lets `program` take this process's place; returns only where that cannot be done: with the
/// error, or on systems that have no such thing with the exit code.
#[cfg(unix)]
pub(super) fn replace(
    program: &Path,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (&'static str, OsString)>,
) -> io::Result<u8> {
    use std::os::unix::process::CommandExt;
    Err(command(program, arguments, variables).exec())
}

#[cfg(not(unix))]
pub(super) fn replace(
    program: &Path,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (&'static str, OsString)>,
) -> io::Result<u8> {
    wait(program, arguments, variables)
}

/// Runs `program` to its end; its exit code, or 128 and the number of the signal that ended it.
pub(super) fn wait(
    program: &Path,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (&'static str, OsString)>,
) -> io::Result<u8> {
    command(program, arguments, variables).status().map(code)
}

/// Runs `program` to its end; its exit code as [`wait`] has it, and what it said on standard error.
pub(super) fn listen(
    program: &Path,
    arguments: &[OsString],
    variable: (&'static str, OsString),
) -> io::Result<(u8, Vec<u8>)> {
    let mut command = command(program, arguments, [variable]);
    let output = command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).output()?;
    Ok((code(output.status), output.stderr))
}

/// What `program` answers to one argument on standard output.
pub(super) fn ask(program: &Path, question: &str) -> io::Result<String> {
    let mut command = command(program, &[question.into()], []);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

#[expect(clippy::disallowed_methods, reason = "this is the launcher's door for processes")]
fn command(
    program: &Path,
    arguments: &[OsString],
    variables: impl IntoIterator<Item = (&'static str, OsString)>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).envs(variables);
    command
}

/// An exit code of more than a byte, which only other systems have, stays an error.
fn code(status: ExitStatus) -> u8 {
    match status.code() {
        Some(code) => u8::try_from(code).unwrap_or(1),
        None => 128_u8.saturating_add(signal(status)),
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    status.signal().and_then(|signal| u8::try_from(signal).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> u8 {
    0
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn codes_are_the_childs_own() {
        for (raw, expected) in [(0, 0), (1 << 8, 1), (255 << 8, 255), (9, 137), (0x8b, 139)] {
            assert_eq!(code(ExitStatus::from_raw(raw)), expected, "{raw}");
        }
    }
}
