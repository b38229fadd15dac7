//! What runs one build, and what comes of it.

pub(crate) mod cibuildwheel;
mod phase;
mod verdict;
mod watch;
mod wheel;
