//! What a cache did for a run, and whether that is what the run was to measure.

use super::scene::Scene;
use crate::bench::sample::Facts;
use crate::event::Cache;

/// Compilations by their result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Hits by a hash of the source and the headers.
    pub(super) direct: u64,
    /// Hits by a hash of the preprocessed source.
    pub(super) preprocessed: u64,
    /// Compilations that were stored.
    pub(super) misses: u64,
    /// Compilations that ccache cannot cache.
    pub(super) uncacheable: u64,
}

impl Counts {
    /// Those of a build by Warmwheel's report; `None` where it does not tell one.
    pub(super) fn of(cache: &Cache) -> Option<Self> {
        Some(Self {
            direct: cache.direct_hits?,
            preprocessed: cache.preprocessed_hits?,
            misses: cache.misses?,
            uncacheable: cache.uncacheable?,
        })
    }

    /// Takes in a line of `ccache --print-stats`.
    pub(super) fn read(&mut self, line: &str) {
        let Some((name, Ok(count))) =
            line.split_once('\t').map(|(name, count)| (name, count.parse()))
        else {
            return;
        };
        match name {
            "direct_cache_hit" => self.direct = count,
            "preprocessed_cache_hit" => self.preprocessed = count,
            "cache_miss" => self.misses = count,
            _ => {}
        }
    }

    /// Hits of both kinds.
    pub(super) fn hits(&self) -> u64 {
        self.direct + self.preprocessed
    }

    /// Direct hits of all compilations, in percent; `None` where nothing was compiled.
    pub(super) fn direct_percent(&self) -> Option<f64> {
        let all = self.hits() + self.misses + self.uncacheable;
        let share = |count: u64| u32::try_from(count).ok().map(f64::from);
        (all > 0).then_some(100.0 * share(self.direct)? / share(all)?)
    }

    /// Those of several builds.
    pub(super) fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, counts| Self {
            direct: sum.direct + counts.direct,
            preprocessed: sum.preprocessed + counts.preprocessed,
            misses: sum.misses + counts.misses,
            uncacheable: sum.uncacheable + counts.uncacheable,
        })
    }
}

/// What speaks against a run as a measurement: a cache that did not work is no fast rival, and one
/// that was warm when it should be cold is none either. `warm` is what the same rival counted over
/// an unchanged tree.
pub(super) fn objection(
    scene: Scene,
    facts: &Facts,
    versions: u64,
    counts: &Counts,
    warm: Option<&Counts>,
) -> Option<String> {
    let (hits, misses) = (counts.hits(), counts.misses);
    let (what, is_so) = match scene {
        Scene::Cold => (
            "every file of the core missed once, and the other versions hit",
            misses >= facts.core && misses < 2 * facts.core && hits >= (versions - 1) * facts.core,
        ),
        Scene::Warm => {
            ("the core hit for every version", misses < facts.core && hits >= versions * facts.core)
        }
        Scene::HeaderChanged | Scene::RarerChanged => {
            let includers = scene.header(facts)?.includers;
            (
                "what includes the header missed, and all else hit",
                misses >= warm.map_or(0, |warm| warm.misses) + includers
                    && hits >= versions * (facts.core - includers),
            )
        }
    };
    (!is_so).then(|| {
        let name = facts.name;
        format!("{name}, {}: {hits} hits and {misses} misses; {what}: not so", scene.title())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Sample;

    fn counts(direct: u64, misses: u64) -> Counts {
        Counts { direct, misses, ..Counts::default() }
    }

    #[test]
    fn lines_of_statistics_are_told_from_others() {
        let mut counts = Counts::default();
        for line in [
            "direct_cache_hit\t12",
            "preprocessed_cache_hit\t3",
            "cache_miss\t4",
            "direct_cache_miss\t9",
            "cache_miss\tmany",
            "  Hits:  77",
            "",
        ] {
            counts.read(line);
        }
        assert_eq!(counts, Counts { preprocessed: 3, ..super::tests::counts(12, 4) });
        assert_eq!(counts.hits(), 15);
    }

    #[test]
    fn direct_hits_are_a_share_of_all_compilations() {
        assert_eq!(counts(0, 0).direct_percent(), None);
        assert_eq!(counts(4, 0).direct_percent(), Some(100.0));
        let mixed = Counts { direct: 1, preprocessed: 1, misses: 1, uncacheable: 1 };
        assert_eq!(mixed.direct_percent(), Some(25.0));
        assert_eq!(Counts::sum([&mixed, &counts(4, 0)]).direct_percent(), Some(62.5));
    }

    #[test]
    fn a_cache_that_did_not_do_its_part_is_objected_to() {
        let facts = Sample::Demo.facts();
        let warm = counts(56, 4);
        for (scene, counts, fine) in [
            (Scene::Cold, counts(42, 18), true),
            // Warm already.
            (Scene::Cold, counts(56, 4), false),
            // Nothing shared between versions.
            (Scene::Cold, counts(0, 60), false),
            // Never went through ccache.
            (Scene::Cold, counts(0, 0), false),
            (Scene::Warm, counts(56, 4), true),
            (Scene::Warm, counts(42, 18), false),
            (Scene::Warm, counts(0, 0), false),
            (Scene::HeaderChanged, counts(54, 6), true),
            // Nothing was changed.
            (Scene::HeaderChanged, counts(56, 4), false),
            // All was thrown away.
            (Scene::HeaderChanged, counts(0, 60), false),
        ] {
            let objection = objection(scene, &facts, 4, &counts, Some(&warm));
            assert_eq!(objection.is_none(), fine, "{scene:?} {counts:?}: {objection:?}");
        }
    }
}
