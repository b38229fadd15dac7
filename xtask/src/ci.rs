//! What is particular to GitHub Actions and can be worked out without it: all of it data.

pub(crate) mod archive;
pub(crate) mod context;
pub(crate) mod inside;
pub(crate) mod key;
pub(crate) mod plan;
pub(crate) mod verify;
pub(crate) mod workflow;
