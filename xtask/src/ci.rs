//! What is particular to GitHub Actions and can be worked out without it: all of it data.

pub(crate) mod archive;
pub(crate) mod inside;
pub(crate) mod verify;
pub(crate) mod workflow;
