//! The names under which GitHub keeps caches.
//!
//! What decides whether an entry is of any use comes first, so that a name cut short is the name of
//! everything that would do: operating system, architecture, platform tag, image, ccache's version,
//! branch, commit.

use sha2::{Digest as _, Sha256};

use super::context::Context;
use crate::text::hex;

/// Changes when caches of earlier releases of Warmwheel are of no use any more.
const GENERATION: &str = "warmwheel1";
/// Stands for ccache's version until the first build tells it: unless the settings ask for the pinned
/// one nobody else knows.
const ANY_CCACHE: &str = "ccache.any";

/// What a cache is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// `linux`, `macos` or `windows`.
    pub(crate) platform: String,
    /// The machine's.
    pub(crate) architecture: String,
    /// The platform tags, such as `manylinux_x86_64`.
    pub(crate) tags: Vec<String>,
    /// The images, each by its digest if that is known.
    pub(crate) images: Vec<String>,
    /// ccache's version, if it is known.
    pub(crate) ccache: Option<String>,
}

impl Key {
    /// The whole name, under which a cache is saved.
    pub(crate) fn name(&self, context: &Context) -> String {
        let (branch, commit) = (plain(&context.name), plain(&context.commit));
        format!("{}-{}-{branch}-{commit}", self.base(), ccache(self.ccache.as_deref()))
    }

    /// The beginnings of names whose caches would do, the best first. Where ccache's version is not
    /// known any will do, and the run finds out what it is worth.
    pub(crate) fn restore(&self, context: &Context) -> Vec<String> {
        let base = self.base();
        match (&self.ccache, context.source()) {
            (Some(version), Some(branch)) => {
                vec![format!("{base}-{}-{}-", ccache(Some(version)), plain(branch))]
            }
            _ => vec![format!("{base}-ccache.")],
        }
    }

    fn base(&self) -> String {
        let tags = self.tags.join("+");
        let images = match self.images.as_slice() {
            [] => "host".to_owned(),
            images => hex(&Sha256::digest(images.join("\n")))[..12].to_owned(),
        };
        let parts = [GENERATION, &self.platform, &self.architecture, &tags, &images];
        parts.map(plain).join("-")
    }
}

/// Puts ccache's version into a name that was made without it.
pub(crate) fn with_ccache(name: &str, version: &str) -> String {
    name.replacen(ANY_CCACHE, &ccache(Some(version)), 1)
}

fn ccache(version: Option<&str>) -> String {
    version.map_or_else(|| ANY_CCACHE.to_owned(), |version| format!("ccache.{}", plain(version)))
}

fn plain(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+".contains(c) { c } else { '_' };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::context::tests::context;

    fn key(ccache: Option<&str>) -> Key {
        Key {
            platform: "linux".into(),
            architecture: "x86_64".into(),
            tags: vec!["manylinux_x86_64".into()],
            images: vec!["quay.io/x@sha256:0af".into()],
            ccache: ccache.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_name_says_what_a_cache_is_for_and_then_whose_it_is() {
        let context = context("push", "feature/x, y", &[]);
        let name = key(Some("4.7.5")).name(&context);
        let base = "warmwheel1-linux-x86_64-manylinux_x86_64-";
        assert!(name.starts_with(base), "{name}");
        assert!(name.ends_with("-ccache.4.7.5-feature_x__y-0123abc"), "{name}");
        let mut other = key(Some("4.7.5"));
        other.images = vec!["quay.io/x@sha256:1bf".into()];
        assert_ne!(other.name(&context), name);
    }

    #[test]
    fn what_is_saved_is_what_the_next_run_looks_for() {
        let main = context("push", "main", &[]);
        let later = context("pull_request", "3/merge", &[]);
        for known in [None, Some("4.7.5")] {
            let planned = key(known).name(&main);
            let saved = with_ccache(&planned, "4.7.5");
            assert!(saved.contains("-ccache.4.7.5-main-"), "{saved}");
            for prefix in key(known).restore(&later) {
                assert!(saved.starts_with(&prefix), "{saved} {prefix}");
            }
        }
        let other = with_ccache(&key(None).name(&main), "4.14.2");
        assert!(!other.starts_with(&key(Some("4.7.5")).restore(&later)[0]));
    }
}
