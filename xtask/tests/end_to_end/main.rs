//! Real packages, built by the real cibuildwheel in real containers of the test image.
//!
//! `cargo xtask test` makes what they need. A part that is missing is an error here, never a reason
//! to pass.

#![expect(clippy::disallowed_methods, reason = "tests start processes and read the environment")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

#[path = "../support/mod.rs"]
mod support;

mod adopt;
mod audit;
mod ccache;
mod ci;
mod host;
mod lab;
mod meson;
mod packages;
mod page;
mod regression;
mod settings;
mod stable_abi;
mod standalone;
