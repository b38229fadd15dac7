//! What the readers make of other versions' records, of damage and of anything at all.

#[cfg(test)]
mod grammar;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod models;
#[cfg(test)]
mod names;
#[cfg(test)]
mod print_stats;
#[cfg(test)]
mod properties;
