//! What went wrong, in the words of the person who has to mend it.
//!
//! Every error that a user can cause or cure is a [`Fault`]: it says what failed and on which
//! input, what to do next, and which class of the exit code table it belongs to. Anything else is
//! a plain [`anyhow::Error`] and ends with [`Class::Build`]'s code.

use std::fmt;

/// The classes of failure, each with the exit code it ends the process with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A build failed, or something unforeseen did.
    Build,
    /// The command line or the configuration is wrong; nothing was started.
    Usage,
    /// The cache did not prove itself for a build.
    Cache,
    /// This machine lacks something that the job needs.
    Machine,
    /// A wheel was built but failed its checks.
    Wheel,
    /// A signal ended the run.
    Interrupted(i32),
}

impl Class {
    /// The process exit code of this class.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Build => 1,
            Self::Usage => 2,
            Self::Cache => 3,
            Self::Machine => 4,
            Self::Wheel => 5,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }
}

/// A failure with a remedy.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Decides the exit code.
    pub(crate) class: Class,
    /// What failed, on which input.
    pub(crate) what: String,
    /// The next action; empty when there is none to name.
    pub(crate) remedy: String,
}

impl Fault {
    /// A failure of `class` with a remedy.
    pub(crate) fn new(class: Class, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { class, what: what.into(), remedy: remedy.into() }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(what: impl Into<String>, remedy: impl Into<String>) -> anyhow::Error {
        Self::new(Class::Usage, what, remedy).into()
    }

    /// This machine lacks something.
    pub(crate) fn machine(what: impl Into<String>, remedy: impl Into<String>) -> anyhow::Error {
        Self::new(Class::Machine, what, remedy).into()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

/// The class of an error: that of the [`Fault`] in its chain, if there is one.
pub(crate) fn class_of(error: &anyhow::Error) -> Class {
    error.downcast_ref::<Fault>().map_or(Class::Build, |fault| fault.class)
}

/// The error as text for stderr: the chain of causes, then the remedy after a blank line.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut paragraphs = vec![format!("error: {error}")];
    paragraphs.extend(error.chain().skip(1).map(|cause| format!("  because: {cause}")));
    if let Some(fault) = error.downcast_ref::<Fault>()
        && !fault.remedy.is_empty()
    {
        paragraphs.push(format!("\nhelp: {}", fault.remedy));
    }
    paragraphs.join("\n")
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_fault_keeps_its_class_and_remedy_under_context() {
        let error = Err::<(), _>(Fault::machine("no engine answers", "start podman"))
            .context("release-wheels")
            .unwrap_err();
        assert_eq!(class_of(&error).exit_code(), 4);
        assert_eq!(
            explain(&error),
            "error: release-wheels\n  because: no engine answers\n\nhelp: start podman"
        );
    }

    #[test]
    fn any_other_error_is_a_failed_build() {
        assert_eq!(class_of(&anyhow::anyhow!("odd")).exit_code(), 1);
    }

    #[test]
    fn signals_follow_the_shells_convention() {
        assert_eq!(Class::Interrupted(2).exit_code(), 130);
        assert_eq!(Class::Interrupted(15).exit_code(), 143);
    }
}
