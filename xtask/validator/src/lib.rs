//! Decides from ccache's own records whether a build went through the compiler cache.
//!
//! [`validate::validate`] does one validation: it takes a [`request::Request`], asks ccache through
//! [`process::Ccache`] and returns a [`record::Record`]. [`verdict::judge`] is the pure decision,
//! [`statslog::read`] counts one build, [`state`] is the layout inside the cache folder, and
//! [`preflight::preflight`] is the check before anything is compiled.
//!
//! [`launcher`] is a program of its own, `ccache-launcher`, which stands in front of ccache;
//! [`compilations`] reads what it has written down.
//!
//! One module each opens a door: `process` starts processes (`launcher::start` the launcher's),
//! `environment` reads variables, `output` writes to the standard streams.

pub mod answers;
mod calls;
pub mod cli;
pub mod compilations;
pub mod compilers;
mod count;
pub mod counts;
pub mod environment;
pub mod error;
pub mod files;
pub mod floor;
mod folders;
mod help;
pub mod inquiry;
pub mod launcher;
pub mod ledger;
mod lines;
pub mod linked;
pub mod links;
pub mod log;
pub mod logfile;
pub mod obstacle;
mod output;
pub mod past;
pub mod preflight;
pub mod probe;
pub mod process;
pub mod programs;
pub mod record;
mod remedy;
pub mod render;
pub mod request;
pub mod seal;
mod section;
pub mod state;
pub mod statslog;
pub mod suspicion;
pub mod text;
pub mod validate;
pub mod verdict;
pub mod wheel;
