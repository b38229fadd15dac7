//! What a run needs of this machine, one line for each need: how it stands, what was found, what mends it.
//!
//! Facts are gathered at the edge ([`gather`], [`trial`]); what they come to is a pure question ([`judge`]),
//! which `release-wheels` has answered as well before it begins ([`early`]); [`show`] renders the answers.

pub(crate) mod early;
pub(crate) mod examine;
pub(crate) mod facts;
mod gather;
pub(crate) mod judge;
mod room;
pub(crate) mod show;
mod trial;

use serde::Serialize;

use crate::fault::{Class, Fault};

/// How a need stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// It is met.
    Ok,
    /// It is not.
    Bad,
    /// It could not be found out; `found` says why.
    Unknown,
}

/// What it means for a run that a need is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing can be built: the run ends with this class before it has begun.
    Stops(Class),
    /// Builds may fail, or be slow: it is said in front of them.
    Warns,
    /// A run does without it, or gets it by itself.
    Passes,
}

/// A need, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What is needed: programs may go by it.
    pub(crate) name: &'static str,
    /// The image that it is about, where it is not about the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    /// How it stands.
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// What mends it; empty if nothing need be done. Lines that begin with four blanks are commands.
    pub(crate) remedy: String,
    #[serde(skip)]
    weight: Weight,
}

impl Check {
    /// A need that is met.
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, State::Ok, found.into(), String::new(), Weight::Passes)
    }

    /// A need that is not met.
    fn bad(
        name: &'static str,
        weight: Weight,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(name, State::Bad, found.into(), remedy.into(), weight)
    }

    /// A need that could not be looked into.
    fn unknown(name: &'static str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, State::Unknown, why.into(), remedy.into(), Weight::Passes)
    }

    fn new(
        name: &'static str,
        state: State,
        found: String,
        remedy: String,
        weight: Weight,
    ) -> Self {
        Self { name, image: None, state, found, remedy, weight }
    }

    /// The same with something that may be done although the need is met.
    fn advising(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    /// What an error says that a run would end with.
    fn of_error(name: &'static str, error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Fault>() {
            Some(Fault { class, what, remedy }) => {
                Self::bad(name, Weight::Stops(*class), what, remedy)
            }
            None => Self::unknown(name, format!("{error:#}"), ""),
        }
    }

    /// The same where a run does without containers if this need of theirs is not met.
    fn done_without(self) -> Self {
        if self.state != State::Bad {
            return self;
        }
        let found = format!("{}: builds go without containers, on this machine", self.found);
        Self { state: State::Ok, weight: Weight::Passes, found, ..self }
    }

    /// The same about an image.
    fn of_image(self, image: &str) -> Self {
        Self { image: Some(image.to_owned()), ..self }
    }

    /// The failure of whatever cannot go on without it.
    pub(crate) fn into_fault(self) -> anyhow::Error {
        let class = match self.weight {
            Weight::Stops(class) => class,
            Weight::Warns | Weight::Passes => Class::Machine,
        };
        Fault::new(class, self.found, self.remedy).into()
    }
}
