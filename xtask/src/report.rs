//! Reporters: folds of events into something that people or programs read. They know events only.

pub(crate) mod files;
pub(crate) mod github;
pub(crate) mod html;
mod line;
pub(crate) mod live;
pub(crate) mod markdown;
pub(crate) mod past;
pub(crate) mod path;
pub(crate) mod terminal;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
