//! Reporters: folds of events into something that people or programs read. They know events only.

pub(crate) mod files;
pub(crate) mod github;
pub(crate) mod markdown;
pub(crate) mod path;
pub(crate) mod terminal;
