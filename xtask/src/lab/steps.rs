//! The steps of making the test image: quiet while they work, with the end of their output when
//! they fail.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::console::Console;
use crate::fault::{Class, Fault};
use crate::interrupt::Interrupt;
use crate::process::{self, Ended};
use crate::text;

/// How many of the last lines of a failed command stand in the error.
const SHOWN_LINES: usize = 20;

/// The exit codes of `timeout` when the time was up: 124, or 137 when it had to be forced.
const TIMED_OUT: [i32; 2] = [124, 137];

/// A command for `program` that is ended, with all it started, after `limit`.
pub(crate) fn limited(program: impl AsRef<OsStr>, limit: Duration) -> Command {
    let mut command = process::command("timeout");
    command.args(["--kill-after=10", &limit.as_secs().to_string()]).arg(program);
    command
}

/// Runs commands, keeps their output in a log and tells how far the work has come.
pub(crate) struct Steps {
    console: Console,
    interrupt: Interrupt,
    log: File,
    log_path: Utf8PathBuf,
}

impl Steps {
    /// Goes on with the log at `log_path`, and listens for signals.
    ///
    /// # Errors
    /// The log cannot be written.
    pub(crate) fn begin(log_path: &Utf8Path, console: Console) -> Result<Self> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(log_path)
            .with_context(|| format!("cannot write {log_path}"))?;
        let interrupt = Interrupt::listen().context("cannot listen for signals")?;
        Ok(Self { console, interrupt, log, log_path: log_path.to_owned() })
    }

    /// Empties the log. Only for whoever holds the lock: two runs may share the file.
    ///
    /// # Errors
    /// The log cannot be written.
    pub(crate) fn empty_log(&mut self) -> Result<()> {
        self.log.set_len(0).with_context(|| format!("cannot empty {}", self.log_path))
    }

    /// Does a part of the work and says in one line what it was and how long it took.
    ///
    /// # Errors
    /// Those of the work; and a stop, when somebody asked for one meanwhile.
    pub(crate) fn step<T>(
        &mut self,
        label: &str,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.stop_if_asked()?;
        self.note(&format!("== {label}"));
        let started = Instant::now();
        let outcome = work(self).with_context(|| format!("making the test image: {label}"))?;
        self.console.say(format!("  {label} ({:.1} s)", started.elapsed().as_secs_f64()));
        Ok(outcome)
    }

    /// A line for whoever is waiting.
    pub(crate) fn say(&mut self, line: &str) {
        self.note(line);
        self.console.say(line);
    }

    /// A line for the log alone.
    pub(crate) fn note(&mut self, line: &str) {
        // A full disk shows in the work itself; its log is no reason to stop.
        let _ = writeln!(self.log, "{line}");
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// It fails, or this process is asked to stop.
    pub(crate) fn run(&mut self, command: Command) -> Result<()> {
        self.attempt(command)?.map_err(|refusal| {
            Fault::machine(refusal, format!("the whole output is in {}", self.log_path))
        })
    }

    /// Runs a command to its end; its failure is an answer, with the end of its output.
    ///
    /// # Errors
    /// It cannot be started, or this process is asked to stop.
    pub(crate) fn attempt(&mut self, command: Command) -> Result<Result<(), String>> {
        self.stop_if_asked()?;
        let shown = shown(&command);
        self.note(&format!("$ {shown}"));
        let mut last = VecDeque::new();
        let log = &mut self.log;
        let ended = process::stream(command, &self.interrupt, |line| {
            log.write_all(line)?;
            if last.len() == SHOWN_LINES {
                last.pop_front();
            }
            last.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
            Ok(())
        })?;
        match ended {
            Ended::Exited(status) if status.success() => Ok(Ok(())),
            Ended::Exited(status) => {
                let how = match status.code() {
                    Some(code) if TIMED_OUT.contains(&code) => "ran out of time".to_owned(),
                    Some(code) => format!("failed with exit code {code}"),
                    None => format!("failed ({status})"),
                };
                let lines: Vec<String> = last.into();
                Ok(Err(format!("`{shown}` {how}\n{}", lines.join("\n")).trim_end().to_owned()))
            }
            Ended::Interrupted => Err(self.stopped()),
        }
    }

    /// Ends the work here when this process was asked to stop.
    ///
    /// # Errors
    /// It was.
    pub(crate) fn stop_if_asked(&self) -> Result<()> {
        if self.interrupt.signal().is_some() { Err(self.stopped()) } else { Ok(()) }
    }

    fn stopped(&self) -> anyhow::Error {
        let signal = self.interrupt.signal().unwrap_or_default();
        Fault::new(Class::Interrupted(signal), "stopped while making the test image", "").into()
    }
}

/// The command as a person could type it, without the limit on its time.
fn shown(command: &Command) -> String {
    let words = command.get_args().skip(2);
    words.map(|word| text::quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_a_person_would_type_them() {
        let mut command = limited("podman", Duration::from_secs(5));
        command.args(["run", "a b"]);
        assert_eq!(process::display(&command), "timeout --kill-after=10 5 podman run 'a b'");
        assert_eq!(shown(&command), "podman run 'a b'");
    }
}
