//! The only place that starts a process: ccache or its launcher, asked a question.

use crate::text;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How much of an answer is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// How long ccache may take. Zeroing writes hundreds of files, perhaps over a network.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Why ccache gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There is none on PATH.
    Missing,
    /// It does not start, or does not end; the system's words.
    CannotStart(String),
    /// It ended with an error; its own words.
    Refused(String),
}

/// Something that answers as ccache does.
pub trait Ccache {
    /// What ccache prints on standard output for `arguments`.
    ///
    /// # Errors
    /// It is missing, does not start, does not end in time, or ends with an error.
    fn ask(&self, arguments: &[&str]) -> Result<String, Failure>;
}

/// The ccache that is installed.
#[derive(Debug, Clone)]
pub struct Installed {
    program: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
}

impl Installed {
    /// The first ccache in the folders of `search_path` (the value of PATH), to be asked about
    /// `cache_dir`, or about its default cache without one.
    #[must_use]
    pub fn find(search_path: Option<&OsStr>, cache_dir: Option<&Path>) -> Self {
        let program = search_path.and_then(|folders| crate::programs::find("ccache", folders));
        Self { program, cache_dir: cache_dir.map(Path::to_path_buf) }
    }

    /// The program at `program`: one that answers as ccache does.
    #[must_use]
    pub fn at(program: PathBuf) -> Self {
        Self { program: Some(program), cache_dir: None }
    }

    /// Where it is; `None` when there is none.
    #[must_use]
    pub fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door for processes")]
    fn start(&self, program: &Path, arguments: &[&str]) -> std::io::Result<Child> {
        let mut command = Command::new(program);
        // Its own questions do not belong in the build's log.
        command.args(arguments).env_remove("CCACHE_LOGFILE").env_remove("CCACHE_DEBUG");
        if let Some(folder) = &self.cache_dir {
            command.env("CCACHE_DIR", folder);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }
}

impl Ccache for Installed {
    fn ask(&self, arguments: &[&str]) -> Result<String, Failure> {
        let program = self.program.as_deref().ok_or(Failure::Missing)?;
        let told = |words: &str| {
            let words = text::keep_start(words.trim(), 600);
            format!(
                "{} {}: {}",
                program.display(),
                arguments.join(" "),
                text::escape(words.as_bytes())
            )
        };
        let cannot = |words: &str| Failure::CannotStart(told(words));
        let mut child =
            self.start(program, arguments).map_err(|error| cannot(&error.to_string()))?;
        let deadline = Instant::now() + TIMEOUT;
        let output = child.stdout.take().map(collect);
        let errors = child.stderr.take().map(collect);
        let answer = output.map_or(Ok(String::new()), |pipe| receive(&pipe, deadline));
        let words = errors.map_or(Ok(String::new()), |pipe| receive(&pipe, deadline));
        let (Ok(answer), Ok(words), Some(status)) = (answer, words, wait(&mut child, deadline))
        else {
            // Killing fails only when it has ended by itself.
            drop(child.kill());
            drop(child.wait());
            return Err(cannot(&format!("no answer within {} s", TIMEOUT.as_secs())));
        };
        if status.success() {
            return Ok(answer);
        }
        let words = if words.trim().is_empty() { status.to_string() } else { words };
        Err(Failure::Refused(told(&words)))
    }
}

/// Reads a pipe in a thread, so that a full pipe never blocks ccache and a silent one never us.
fn collect(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut pipe = pipe.take(MAX_ANSWER_BYTES);
        // What was read before an error is all there is to say; nobody waits after a timeout.
        drop(pipe.read_to_end(&mut bytes));
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    receiver
}

fn receive(pipe: &Receiver<String>, deadline: Instant) -> Result<String, RecvTimeoutError> {
    pipe.recv_timeout(deadline.saturating_duration_since(Instant::now()))
}

/// The exit status; `None` when it has not ended at `deadline`. Both pipes are closed by now, so it
/// ends at once unless something is wrong.
fn wait(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_micros(200)),
            _ => return None,
        }
    }
}

/// Answers from a table, for tests: unit tests never start a process.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Scripted {
    answers: Vec<(&'static str, Result<String, Failure>)>,
    asked: std::cell::RefCell<Vec<String>>,
}

#[cfg(test)]
impl Scripted {
    pub(crate) fn new(
        answers: impl IntoIterator<Item = (&'static str, Result<String, Failure>)>,
    ) -> Self {
        Self { answers: answers.into_iter().collect(), asked: std::cell::RefCell::default() }
    }

    /// Answers the one question for everything.
    pub(crate) fn everything(answer: Result<String, Failure>) -> Self {
        Self::new([("-p --print-stats --version", answer)])
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

#[cfg(test)]
impl Ccache for Scripted {
    fn ask(&self, arguments: &[&str]) -> Result<String, Failure> {
        let question = arguments.join(" ");
        self.asked.borrow_mut().push(question.clone());
        let found = self.answers.iter().find(|(known, _)| *known == question);
        found.map_or(Err(Failure::Missing), |(_, answer)| answer.clone())
    }
}
