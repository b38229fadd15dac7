//! What runs one build, and what comes of it.

pub(crate) mod answer;
pub(crate) mod cibuildwheel;
mod compiling;
mod excerpt;
pub(crate) mod host;
pub(crate) mod phase;
mod progress;
pub(crate) mod sweep;
mod verdict;
mod watch;
mod wheel;
