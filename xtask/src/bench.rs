//! Benchmarks. A suite runs what it measures in containers of the test image and makes a
//! [`figures::Report`] of the figures; [`table`] shows it.

mod container;
pub(crate) mod figures;
pub(crate) mod launcher;
mod machine;
pub(crate) mod matrix;
pub(crate) mod overhead;
pub(crate) mod pipeline;
mod rig;
mod sample;
pub(crate) mod table;
pub(crate) mod validator;
mod warmwheel;

use crate::console::Console;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::interrupt::Interrupt;
use crate::lab::Lab;
use crate::pins::Pins;

/// What every suite needs.
pub(crate) struct Bench<'a> {
    /// The image that everything is measured in.
    pub(crate) lab: &'a Lab,
    /// Where this program's own things are.
    pub(crate) folders: &'a Folders,
    /// Versions and hashes of what is measured.
    pub(crate) pins: &'a Pins,
    /// The variables of this process.
    pub(crate) environment: &'a Environment,
    /// Stops it.
    pub(crate) interrupt: &'a Interrupt,
    /// Where progress is told.
    pub(crate) console: Console,
    /// How often each command is measured.
    pub(crate) rounds: u16,
}
