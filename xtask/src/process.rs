//! The only module that starts processes.
//!
//! By what becomes of its output: [`read`] returns it, [`probe`] returns it if there is any, [`ask`]
//! returns it with the exit code, [`reply`] tells as well whether there was none in time, [`show`] lets
//! a person see it, [`hand_over`] makes it this program's own, [`stream`] hands it on line by line.
//! What nobody watches has a time limit.

use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::interrupt::Interrupt;
use crate::text::quote;

/// A line of a child's output longer than this is handed on in pieces, in bytes.
const LONGEST_LINE_BYTES: u64 = 64 * 1024;
/// How often a wait for a short command looks whether it has ended.
const TICK: Duration = Duration::from_millis(20);
/// How often a streamed command, which may run for hours, is looked after while it says nothing.
const LOOK: Duration = Duration::from_millis(100);
/// How long a child may take to clean up after SIGINT. All in all a run has to end within 7 s: a
/// cancelled job of GitHub's has 7.5.
const GRACE: Duration = Duration::from_millis(3500);
/// And after SIGTERM.
const LAST_GRACE: Duration = Duration::from_millis(1000);
/// How long output is still read after the child itself has ended, in case something it started
/// holds the pipe open.
const DRAIN: Duration = Duration::from_secs(2);

/// A command for `program`, to be run by one of this module's functions.
#[expect(clippy::disallowed_methods, reason = "this module is the door to processes")]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// The command as a person could type it, but for whole scripts in it.
pub(crate) fn display(command: &Command) -> String {
    let shortened = |word: &OsStr| {
        let word = word.to_string_lossy();
        match word.split_once('\n') {
            Some((first, _)) => quote(&format!("{first}…")),
            None => quote(&word),
        }
    };
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(shortened)
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a finished child printed.
struct Finished {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Finished {
    /// What it had to say about a failure.
    fn complaint(&self) -> String {
        let stderr = String::from_utf8_lossy(&self.stderr);
        let stdout = String::from_utf8_lossy(&self.stdout);
        let said = if stderr.trim().is_empty() { stdout } else { stderr };
        said.trim().to_owned()
    }
}

/// A child was still running when its time was up.
#[derive(Debug)]
struct TimeLimit;

impl Display for TimeLimit {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("time limit exceeded")
    }
}

impl std::error::Error for TimeLimit {}

/// Runs a command to its end and returns what it wrote to stdout.
///
/// # Errors
/// It cannot be started, takes longer than `limit`, or fails; the message then carries what it
/// wrote to stderr.
pub(crate) fn read(command: impl Into<Command>, limit: Duration) -> Result<String> {
    read_with_input(command, b"", limit)
}

/// As [`read`], with `input` on the command's stdin.
pub(crate) fn read_with_input(
    command: impl Into<Command>,
    input: &[u8],
    limit: Duration,
) -> Result<String> {
    let mut command = command.into();
    let finished = run(&mut command, input, limit)?;
    if !finished.status.success() {
        bail!("`{}` failed ({}): {}", display(&command), finished.status, finished.complaint());
    }
    Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
}

/// What a command writes to stdout, or `None` if it cannot be started, fails or takes too long:
/// for questions to which "no" is an answer.
pub(crate) fn probe(command: impl Into<Command>, limit: Duration) -> Option<String> {
    let finished = run(&mut command.into(), b"", limit).ok()?;
    finished.status.success().then(|| String::from_utf8_lossy(&finished.stdout).into_owned())
}

/// What a command that was asked for a verdict has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote to stdout.
    pub(crate) stdout: String,
    /// What it wrote to stderr.
    pub(crate) stderr: String,
}

/// Runs a command to its end, for questions to which failing is an answer as well.
///
/// # Errors
/// It cannot be started, or takes longer than `limit`.
pub(crate) fn ask(command: impl Into<Command>, limit: Duration) -> Result<Answer> {
    let finished = run(&mut command.into(), b"", limit)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&finished.stdout), text(&finished.stderr));
    Ok(Answer { code: finished.status.code(), stdout, stderr })
}

/// What asking a program has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It did what it was told, and wrote this to stdout.
    Said(String),
    /// It failed or could not be started; its words or the system's.
    Refused(String),
    /// It was still running when its time was up; in words.
    Silent(String),
}

impl Reply {
    /// What it said, if it did what it was told.
    pub(crate) fn said(&self) -> Option<&str> {
        match self {
            Self::Said(text) => Some(text),
            Self::Refused(_) | Self::Silent(_) => None,
        }
    }
}

/// Whether an error means that a command was still running when its time was up.
pub(crate) fn is_late(error: &anyhow::Error) -> bool {
    error.downcast_ref::<TimeLimit>().is_some()
}

/// Runs a command to its end, for who tells a refusal from an answer that did not come in time.
pub(crate) fn reply(command: impl Into<Command>, limit: Duration) -> Reply {
    reply_to_input(command, b"", limit)
}

/// As [`reply`], with `input` on the command's stdin.
pub(crate) fn reply_to_input(command: impl Into<Command>, input: &[u8], limit: Duration) -> Reply {
    match run(&mut command.into(), input, limit) {
        Ok(finished) if finished.status.success() => {
            Reply::Said(String::from_utf8_lossy(&finished.stdout).into_owned())
        }
        Ok(finished) => match finished.complaint() {
            silent if silent.is_empty() => Reply::Refused(finished.status.to_string()),
            words => Reply::Refused(words),
        },
        Err(error) if is_late(&error) => {
            Reply::Silent(format!("no answer within {} s", limit.as_secs()))
        }
        Err(error) => Reply::Refused(format!("{error:#}")),
    }
}

/// Runs a command whose output a person should see as it comes; both its streams go to stderr,
/// since stdout is for this program's own data.
///
/// # Errors
/// It cannot be started, or fails.
pub(crate) fn show(command: impl Into<Command>) -> Result<()> {
    let mut command = command.into();
    command.stdout(Stdio::from(io::stderr()));
    hand_over(command)
}

/// Runs a command whose output is this program's own, each stream in its place.
///
/// # Errors
/// It cannot be started, or fails.
pub(crate) fn hand_over(command: impl Into<Command>) -> Result<()> {
    let mut command = command.into();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", display(&command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", display(&command));
    }
    Ok(())
}

fn run(command: &mut Command, input: &[u8], limit: Duration) -> Result<Finished> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn_in_group(command)?;
    let mut stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let stdout = scope.spawn(move || read_all(stdout));
        let stderr = scope.spawn(move || read_all(stderr));
        scope.spawn(move || {
            // A child that does not read its input is no fault of ours.
            let _ = stdin.as_mut().map(|pipe| pipe.write_all(input));
        });
        let status = wait(&mut child, limit);
        if status.is_err() {
            kill_group(&mut child);
        }
        let status = status
            .with_context(|| format!("`{}` was given {} s", display(command), limit.as_secs()))?;
        Ok(Finished {
            status,
            stdout: stdout.join().unwrap_or_default(),
            stderr: stderr.join().unwrap_or_default(),
        })
    })
}

fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(TimeLimit.into());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(TICK);
    }
}

/// How a streamed child ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself, with this status.
    Exited(ExitStatus),
    /// Because this process was told to stop.
    Interrupted,
}

/// Runs a command and hands each line of its merged output (line end included) to `on_line`.
///
/// When `interrupt` is raised the child's process group gets SIGINT, so that it can clean up, then
/// SIGTERM, then SIGKILL; a second interrupt goes to SIGKILL at once.
///
/// # Errors
/// It cannot be started, or `on_line` fails; the child is then killed.
pub(crate) fn stream(
    mut command: Command,
    interrupt: &Interrupt,
    mut on_line: impl FnMut(&[u8]) -> Result<()>,
) -> Result<Ended> {
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = spawn_in_group(&mut command)?;
    // The command holds the writing ends of the pipe: without this the reader never sees its end.
    drop(command);

    let (sender, lines) = mpsc::sync_channel(1024);
    // Not joined: if a grandchild keeps the pipe open, this thread must not keep the run open.
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        loop {
            let mut line = Vec::new();
            match reader.by_ref().take(LONGEST_LINE_BYTES).read_until(b'\n', &mut line) {
                Ok(1..) if sender.send(line).is_ok() => {}
                _ => break,
            }
        }
    });

    let mut stopping = Stopping::default();
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => {
                if let Err(error) = on_line(&line) {
                    kill_group(&mut child);
                    return Err(error);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let status = match ended {
                    Some((status, _)) => status,
                    None => stopping.wait(&mut child, interrupt)?,
                };
                return Ok(finish(status, interrupt));
            }
        }
        stopping.advance(&mut child, interrupt);
        match ended {
            None => ended = child.try_wait()?.map(|status| (status, Instant::now())),
            Some((status, since)) if since.elapsed() > DRAIN => {
                kill_group(&mut child);
                return Ok(finish(status, interrupt));
            }
            Some(_) => {}
        }
    }
}

fn finish(status: ExitStatus, interrupt: &Interrupt) -> Ended {
    if interrupt.signal().is_some() { Ended::Interrupted } else { Ended::Exited(status) }
}

/// How far the stopping of a child has got.
#[derive(Default)]
struct Stopping {
    sent: Option<(Signal, Instant)>,
}

impl Stopping {
    /// Sends the next harder signal when it is due.
    fn advance(&mut self, child: &mut Child, interrupt: &Interrupt) {
        if interrupt.signal().is_none() {
            return;
        }
        let next = match self.sent {
            _ if interrupt.is_impatient() => Signal::Kill,
            None => Signal::Interrupt,
            Some((Signal::Interrupt, since)) if since.elapsed() > GRACE => Signal::Terminate,
            Some((Signal::Terminate, since)) if since.elapsed() > LAST_GRACE => Signal::Kill,
            Some(_) => return,
        };
        if self.sent.is_none_or(|(sent, _)| sent != next) {
            signal_group(child, next);
            self.sent = Some((next, Instant::now()));
        }
    }

    fn wait(&mut self, child: &mut Child, interrupt: &Interrupt) -> Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            self.advance(child, interrupt);
            thread::sleep(TICK);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Terminate,
    Kill,
}

fn spawn_in_group(command: &mut Command) -> Result<Child> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command.spawn().with_context(|| format!("cannot start `{}`", display(command)))
}

fn kill_group(child: &mut Child) {
    signal_group(child, Signal::Kill);
    // Only fails when the child is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
fn signal_group(child: &Child, signal: Signal) {
    use rustix::process::{Pid, Signal as Unix, kill_process_group};
    let signal = match signal {
        Signal::Interrupt => Unix::INT,
        Signal::Terminate => Unix::TERM,
        Signal::Kill => Unix::KILL,
    };
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Fails only when the whole group is gone, which is what was wanted.
        let _ = kill_process_group(group, signal);
    }
}

#[cfg(not(unix))]
fn signal_group(child: &mut Child, signal: Signal) {
    // Windows has no process groups of this kind. Not run on that platform yet.
    if signal == Signal::Kill {
        let _ = child.kill();
    }
}
