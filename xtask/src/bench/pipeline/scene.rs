//! What is measured: who builds, and what the run finds.

use crate::bench::figures::Limit;
use crate::bench::sample::{Facts, Header};
use crate::cli::Sample;

/// What a run finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// An empty cache.
    Cold,
    /// The cache that the run before has left, and the same package.
    Warm,
    /// The same cache, and a package of which the header that most files include was changed.
    HeaderChanged,
    /// The same with a header that fewer files include.
    RarerChanged,
}

impl Scene {
    pub(super) const ALL: [Self; 4] =
        [Self::Cold, Self::Warm, Self::HeaderChanged, Self::RarerChanged];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::HeaderChanged => "header changed",
            Self::RarerChanged => "rarer header",
        }
    }

    /// The header that is other than it was.
    pub(super) fn header(self, facts: &Facts) -> Option<Header> {
        match self {
            Self::Cold | Self::Warm => None,
            Self::HeaderChanged => Some(facts.header),
            Self::RarerChanged => facts.rarer,
        }
    }

    /// Whether this can be measured with a package.
    pub(super) fn is_of(self, facts: &Facts) -> bool {
        self != Self::RarerChanged || facts.rarer.is_some()
    }
}

/// Who builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rival {
    /// cibuildwheel as it is.
    Plain,
    /// cibuildwheel with ccache wired as people do it.
    ByHand,
    Warmwheel,
}

impl Rival {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::ByHand, Self::Warmwheel];

    /// Without a cache there is nothing to be warm.
    pub(super) fn scenes(self, facts: &Facts) -> impl Iterator<Item = Scene> {
        let all = if self == Self::Plain { &Scene::ALL[..1] } else { &Scene::ALL };
        all.iter().copied().filter(|scene| scene.is_of(facts))
    }

    /// The name in the rows.
    pub(super) fn title(self, scene: Scene) -> &'static str {
        match (self, scene) {
            (Self::Plain, _) => "a: plain",
            (Self::ByHand, _) => "b: ccache",
            (Self::Warmwheel, Scene::Cold) => "c: Warmwheel",
            (Self::Warmwheel, Scene::Warm) => "d: Warmwheel",
            (Self::Warmwheel, Scene::HeaderChanged) => "e: Warmwheel",
            (Self::Warmwheel, Scene::RarerChanged) => "f: Warmwheel",
        }
    }

    /// The name over a column.
    pub(super) fn word(self, scene: Scene) -> &'static str {
        match (self, scene) {
            (Self::Plain, _) => "a",
            (Self::ByHand, Scene::Cold) => "b cold",
            (Self::ByHand, Scene::Warm) => "b warm",
            (Self::ByHand, Scene::HeaderChanged) => "b header",
            (Self::ByHand, Scene::RarerChanged) => "b rarer",
            (Self::Warmwheel, Scene::Cold) => "c",
            (Self::Warmwheel, Scene::Warm) => "d",
            (Self::Warmwheel, Scene::HeaderChanged) => "e",
            (Self::Warmwheel, Scene::RarerChanged) => "f",
        }
    }

    /// What is to be reached with the large package on two cores.
    pub(super) fn limits(self, scene: Scene, package: Sample) -> Vec<Limit> {
        match (self, scene, package) {
            (Self::Warmwheel, Scene::Cold, Sample::AwkwardCpp) => {
                vec![Limit::against("b", 0.70, 0.0), Limit::against("a", 0.42, 0.0)]
            }
            (Self::Warmwheel, Scene::Warm, Sample::AwkwardCpp) => {
                vec![Limit::against("b", 0.35, 0.0)]
            }
            (Self::Warmwheel, Scene::HeaderChanged | Scene::RarerChanged, Sample::AwkwardCpp) => {
                vec![Limit::against("b", 0.50, 0.0)]
            }
            _ => Vec::new(),
        }
    }
}
