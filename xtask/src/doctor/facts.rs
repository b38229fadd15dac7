//! What was found out, as data: all that a judgement is made from.

use std::io::ErrorKind;
use std::ops::RangeInclusive;

use camino::Utf8PathBuf;

use crate::cli::Engine;
use crate::plan::facts::{Contents, ImageQuestion};
pub(crate) use crate::process::Reply;

/// The interpreters in `PATH`, up to the first that can run cibuildwheel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pythons {
    /// The oldest version that can.
    pub(crate) minimum: String,
    /// The first that can, and its version.
    pub(crate) fit: Option<(Utf8PathBuf, String)>,
    /// The ones before it, each with what it is instead.
    pub(crate) unfit: Vec<(Utf8PathBuf, String)>,
    /// The first that did not answer in time.
    pub(crate) silent: Option<Utf8PathBuf>,
}

/// What an engine replied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EngineReply {
    /// Which.
    pub(crate) engine: Engine,
    /// Its words; `None` where there is no such program.
    pub(crate) reply: Option<Reply>,
}

/// The cache folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheFolder {
    /// Where it is, or will be.
    pub(crate) path: Utf8PathBuf,
    /// The part of that path that is there.
    pub(crate) standing: Utf8PathBuf,
    /// Whether that, or what in it cannot be written, is another user's.
    pub(crate) is_foreign: bool,
    /// What writing there came to.
    pub(crate) written: Result<Written, Refusal>,
    /// The kind of its file system, as the system calls it.
    pub(crate) file_system: Option<String>,
}

/// Why a folder cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The folder or file in question.
    pub(crate) path: Utf8PathBuf,
    /// The kind of refusal.
    pub(crate) kind: ErrorKind,
    /// The system's words.
    pub(crate) words: String,
}

/// What a file was like that was written for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// When it was written by its own account, in seconds since 1970.
    pub(crate) at_seconds: Option<i64>,
    /// Whether its name in other letters is the same name.
    pub(crate) ignores_case: bool,
}

/// Room for one of the things that a run writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// What is written there.
    pub(crate) what: &'static str,
    /// Where.
    pub(crate) path: Utf8PathBuf,
    /// Tells file systems apart.
    pub(crate) device: u64,
    /// What is free there, in bytes.
    pub(crate) free_bytes: u64,
    /// What a run may take, in bytes.
    pub(crate) needed_bytes: u64,
}

/// The same file compiled at two places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compiled {
    /// The compiler, if there is one.
    pub(crate) compiler: Option<String>,
    /// What went wrong.
    pub(crate) complaint: Option<String>,
    /// What ccache told afterwards of its settings, its counters and its version; `None` without a
    /// ccache.
    pub(crate) told: Option<String>,
}

/// What a container did that was run on trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trial {
    /// How it came about; all the rest is only there after [`Reply::Said`].
    pub(crate) reply: Option<Reply>,
    /// How long it took, in seconds.
    pub(crate) elapsed_seconds: f64,
    /// Whether it wrote to the mounted folder; or its complaint.
    pub(crate) written: Option<Result<(), String>>,
    /// Whether the host finds there what was written.
    pub(crate) arrived: bool,
    /// Whether what it left is the user's; or why it cannot become theirs.
    pub(crate) given_back: Option<Result<Ownership, String>>,
    /// What is free where its own files are, in bytes.
    pub(crate) free_bytes: Option<u64>,
    /// Its clock against this machine's.
    pub(crate) clock: Option<ContainerClock>,
    /// The `build` of each interpreter, and the image's own ccache.
    pub(crate) contents: Contents,
    /// The same file compiled twice.
    pub(crate) compiled: Compiled,
}

/// Whose it is what a container leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The user's.
    Theirs,
    /// Another's, and given to the user.
    GivenBack,
}

/// A container's clock, looked at while this machine's went from one time to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerClock {
    /// The container's, in seconds since 1970.
    pub(crate) at_seconds: i64,
    /// This machine's, before and afterwards, in the same.
    pub(crate) here: RangeInclusive<i64>,
}

/// An image that builds need.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    /// The image, its engine and its platform.
    pub(crate) question: ImageQuestion,
    /// Its id, if it is on this machine.
    pub(crate) id: Option<String>,
    /// What its registry replied, if it is not.
    pub(crate) registry: Option<Reply>,
    /// The folders of the interpreters that are built for; all that it has when empty.
    pub(crate) interpreters: Vec<String>,
    /// Whether the package runs a command of its own before it builds, which may install something.
    pub(crate) has_before_all: bool,
    /// What a container of it did; `None` if none was run.
    pub(crate) trial: Option<Trial>,
}

impl Image {
    /// One of which nothing is known yet.
    pub(crate) fn of(question: ImageQuestion) -> Self {
        Self {
            question,
            id: None,
            registry: None,
            interpreters: Vec::new(),
            has_before_all: false,
            trial: None,
        }
    }

    /// What a container of it told, if one ran.
    pub(crate) fn ran(&self) -> Option<&Trial> {
        self.trial.as_ref().filter(|it| it.reply.as_ref().is_some_and(|it| it.said().is_some()))
    }
}
