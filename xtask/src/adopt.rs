//! Warmwheel brought into somebody else's repository, and kept up to date there.
//!
//! [`read`] finds out what there is, [`plan`] decides what follows from it, [`diff`] and [`show`] say
//! so, [`write`] does it. Everything but the first and the last is pure.
//!
//! The whole workspace goes into one folder there, [`HOME`](crate::folders::HOME), with a workspace
//! and a lock of its own: what the repository has of Rust itself, if anything, is not touched. It is
//! below `tools/`, since setuptools takes any other folder with a plain name beside a package for a
//! second package. Outside of it are the alias, the workflow, and what is added to the package's
//! settings and to git's list of what to ignore.

mod additions;
mod carry;
pub(crate) mod diff;
pub(crate) mod plan;
pub(crate) mod read;
mod record;
mod rust;
pub(crate) mod show;
mod sources;
mod workflows;
pub(crate) mod write;
