//! The subcommands. Each wires the parts together and decides nothing itself.

pub(crate) mod adopt;
pub(crate) mod bench;
pub(crate) mod ci;
pub(crate) mod doctor;
pub(crate) mod lab;
pub(crate) mod prepare_cache;
pub(crate) mod release_wheels;
pub(crate) mod report;
pub(crate) mod test;
pub(crate) mod validate_ccache;
