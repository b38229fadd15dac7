//! The whole program with real ccache and gcc, and real fake executables in place of containers.

#![expect(clippy::disallowed_methods, reason = "tests start processes and read the environment")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "../support/mod.rs"]
mod support;

mod adopt;
mod answers;
mod audit;
mod bench;
mod cache;
mod ci;
mod doctor;
mod doctor_here;
mod doctor_images;
mod host;
mod image;
mod installer;
mod parallel;
mod pinned;
mod pipeline;
mod refusals;
mod resume;
mod seeing;
mod server;
mod settings;
mod setup;
mod staging;
mod tidy;
mod verify;
mod workflow;
