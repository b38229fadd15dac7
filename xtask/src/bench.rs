//! Benchmarks. A suite starts what it measures in a container of the test image and makes a
//! [`figures::Report`] of the figures; [`table`] shows it.

mod container;
mod figures;
pub(crate) mod launcher;
pub(crate) mod table;
pub(crate) mod validator;

use crate::console::Console;
use crate::environment::Environment;
use crate::folders::Folders;
use crate::interrupt::Interrupt;
use crate::lab::Lab;

/// What every suite needs.
pub(crate) struct Bench<'a> {
    /// The image that everything is measured in.
    pub(crate) lab: &'a Lab,
    /// Where this program's own things are.
    pub(crate) folders: &'a Folders,
    /// The variables of this process.
    pub(crate) environment: &'a Environment,
    /// Stops it.
    pub(crate) interrupt: &'a Interrupt,
    /// Where progress is told.
    pub(crate) console: Console,
    /// How often each command is measured.
    pub(crate) rounds: u16,
}
