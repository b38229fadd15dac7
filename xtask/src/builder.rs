//! What runs one build, and what comes of it.

pub(crate) mod answer;
pub(crate) mod cibuildwheel;
mod compiling;
pub(crate) mod phase;
pub(crate) mod sweep;
mod verdict;
mod watch;
mod wheel;
