//! How many builds run at once.

use super::facts::Machine;
use crate::cli::Jobs;

/// What one build takes at its peak: two compilers of a large C++ file, or one linker, and an
/// interpreter that runs tests. In bytes.
pub(crate) const MEMORY_PER_BUILD: u64 = 2 * 1024 * 1024 * 1024;

/// The number asked for, or the one that the machine allows, at least one and never more than there
/// are builds.
///
/// More builds than there are cores: a build waits much for containers, downloads and single
/// processes, and warm ones compile next to nothing. Twice as many where the launcher bounds their
/// compilers (`is_bounded`), one more where each starts as many as it likes.
pub(super) fn resolve(wanted: Jobs, machine: &Machine, builds: usize, is_bounded: bool) -> usize {
    let allowed = match wanted {
        Jobs::Number(number) => number.get(),
        Jobs::Auto => {
            let by_memory = machine.memory_bytes.map_or(usize::MAX, |bytes| {
                usize::try_from(bytes / MEMORY_PER_BUILD).unwrap_or(usize::MAX)
            });
            let more = if is_bounded { machine.cores } else { 1 };
            machine.cores.saturating_add(more).min(by_memory)
        }
    };
    let allowed = allowed.clamp(1, builds.max(1));
    match wanted {
        Jobs::Number(_) => allowed,
        // As few as finish in the same number of turns: a last turn of one build would leave the
        // cores idle, and side by side they take each other's time.
        Jobs::Auto => builds.max(1).div_ceil(builds.max(1).div_ceil(allowed)),
    }
}

/// How many compilers may run at once in so many builds side by side: as many as the build tools
/// start for a single build on this machine. 0 for a build that is alone, whose own settings count.
pub(super) fn compilers(jobs: usize, machine: &Machine) -> usize {
    if jobs > 1 { machine.cores.saturating_add(2) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    #[test]
    fn cores_and_memory_bound_what_is_not_told() {
        for (cores, memory_bytes, builds, bounded, unbounded) in [
            (2, Some(24 * GIB), 8, 4, 3),
            (2, Some(24 * GIB), 4, 4, 2),
            (2, Some(24 * GIB), 3, 3, 3),
            (2, Some(24 * GIB), 5, 3, 3),
            (2, Some(24 * GIB), 2, 2, 2),
            (64, Some(16 * GIB), 56, 8, 8),
            (4, Some(GIB), 8, 1, 1),
            (4, None, 8, 8, 4),
            (1, None, 0, 1, 1),
        ] {
            let machine = Machine { cores, memory_bytes };
            let resolved =
                [true, false].map(|is_bounded| resolve(Jobs::Auto, &machine, builds, is_bounded));
            assert_eq!(resolved, [bounded, unbounded], "{machine:?} {builds}");
        }
    }

    #[test]
    fn builds_side_by_side_share_the_compilers_of_one() {
        let machine = Machine { cores: 4, memory_bytes: None };
        assert_eq!(compilers(1, &machine), 0);
        assert_eq!(compilers(3, &machine), 6);
    }

    #[test]
    fn a_number_is_taken_as_it_is() {
        let machine = Machine { cores: 1, memory_bytes: Some(GIB) };
        assert_eq!(resolve("7".parse().unwrap(), &machine, 60, false), 7);
        assert_eq!(resolve("7".parse().unwrap(), &machine, 4, true), 4);
    }
}
