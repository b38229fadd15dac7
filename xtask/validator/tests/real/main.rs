//! The validator against the installed ccache and compiler. Nothing here is mocked but ccaches that
//! are too old, broken or missing. Without ccache and gcc these tests fail; they are never skipped.

#[cfg(test)]
mod counters;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod launcher;
#[cfg(test)]
mod linking;
#[cfg(test)]
mod log;
#[cfg(test)]
mod preflight;
#[cfg(test)]
mod records;
#[cfg(test)]
mod restored;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod verdicts;
