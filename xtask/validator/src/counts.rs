//! ccache's counters: which of them say what.

use std::collections::BTreeMap;

/// How many different counter names a [`Tally`] remembers.
const MAX_DETAILS: usize = 64;

/// ccache then exits 0 and writes no object file.
pub const ENVIRONMENT_VARIABLE: &str = "unsupported_environment_variable";

/// A configure script's own test program: uncacheable, and never a source of the package.
pub const AUTOCONF_TEST: &str = "autoconf_test";

/// Several files compiled by one call; a later ccache then names none of them.
pub const SEVERAL_FILES: &str = "multiple_source_files";

/// The name given to a call whose outcome ccache never wrote: it died, or the record is cut off.
pub const UNFINISHED: &str = "unfinished";

/// What a counter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The result was found without running the preprocessor.
    DirectHit,
    /// The result was found after running the preprocessor.
    PreprocessedHit,
    /// The compiler ran, and its result could be stored.
    Miss,
    /// The compiler ran, and its result could not be stored.
    Uncacheable,
    /// ccache itself failed.
    Error,
    /// A call that compiles nothing: a link, a preprocessor run, a question to the compiler.
    NotCompilation,
    /// Everything else: storage traffic, sizes, times.
    Other,
}

/// Whether `name` can be a counter's: any of ccache's is short and plain.
#[must_use]
pub fn is_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    (1..=64).contains(&name.len()) && name.iter().all(plain)
}

/// What the counter `name` stands for, as any ccache since 3.7 spells it.
#[must_use]
pub fn kind_of(name: &str) -> Kind {
    match name {
        "direct_cache_hit" | "cache_hit_direct" => Kind::DirectHit,
        "preprocessed_cache_hit" | "cache_hit_preprocessed" => Kind::PreprocessedHit,
        "cache_miss" => Kind::Miss,
        "bad_input_file"
        | "bad_output_file"
        | "compiler_check_failed"
        | "could_not_find_compiler"
        | "error_hashing_extra_file"
        | "internal_error"
        | "missing_cache_file"
        | "modified_input_file" => Kind::Error,
        "called_for_link" | "called_for_preprocessing" | "no_input_file" => Kind::NotCompilation,
        AUTOCONF_TEST
        | "bad_compiler_arguments"
        | "compile_failed"
        | "disabled"
        | SEVERAL_FILES
        | "output_to_a_non_file"
        | "output_to_stdout"
        | "preprocessor_error"
        | "recache"
        | UNFINISHED => Kind::Uncacheable,
        _ if ["could_not_use_", "unsupported_", "compiler_produced_"]
            .iter()
            .any(|prefix| name.starts_with(prefix)) =>
        {
            Kind::Uncacheable
        }
        _ => Kind::Other,
    }
}

/// Numbers of compilations by outcome. `None` is unknown, which is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found without running the preprocessor.
    pub direct_hits: Option<u64>,
    /// Found after running the preprocessor.
    pub preprocessed_hits: Option<u64>,
    /// Compiled and stored.
    pub misses: Option<u64>,
    /// Compiled, impossible to store. Links and preprocessor runs are not compilations.
    pub uncacheable: Option<u64>,
    /// Failures of ccache itself.
    pub errors: Option<u64>,
}

impl Counts {
    /// Everything known to be zero.
    pub const ZERO: Self = Self {
        direct_hits: Some(0),
        preprocessed_hits: Some(0),
        misses: Some(0),
        uncacheable: Some(0),
        errors: Some(0),
    };

    /// Direct and preprocessed hits together; `None` when one of them is unknown.
    #[must_use]
    pub fn hits(&self) -> Option<u64> {
        Some(self.direct_hits?.saturating_add(self.preprocessed_hits?))
    }

    /// Hits and misses together: the compilations that could have been hits.
    #[must_use]
    pub fn cacheable(&self) -> Option<u64> {
        Some(self.hits()?.saturating_add(self.misses?))
    }

    /// Everything that was compiled, as far as it is known.
    #[must_use]
    pub fn compilations(&self) -> u64 {
        [self.direct_hits, self.preprocessed_hits, self.misses, self.uncacheable]
            .into_iter()
            .flatten()
            .fold(0, u64::saturating_add)
    }

    /// Hits per cacheable compilation, from 0 to 1; `None` when there were none or it is unknown.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a fraction for people, not for the verdict")]
    pub fn hit_rate(&self) -> Option<f64> {
        match (self.hits()?, self.cacheable()?) {
            (_, 0) => None,
            (hits, cacheable) => Some(hits as f64 / cacheable as f64),
        }
    }
}

/// [`Counts`], and the names behind `uncacheable` and `errors`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The numbers.
    pub counts: Counts,
    /// Counter name → number, for uncacheable compilations and errors above zero.
    pub details: BTreeMap<String, u64>,
}

impl Tally {
    /// Everything known to be zero.
    #[must_use]
    pub fn zero() -> Self {
        Self { counts: Counts::ZERO, details: BTreeMap::new() }
    }

    /// Adds `number` to what the counter `name` stands for, which is known from then on.
    pub fn add(&mut self, name: &str, number: u64) {
        let kind = kind_of(name);
        let field = match kind {
            Kind::DirectHit => &mut self.counts.direct_hits,
            Kind::PreprocessedHit => &mut self.counts.preprocessed_hits,
            Kind::Miss => &mut self.counts.misses,
            Kind::Uncacheable => &mut self.counts.uncacheable,
            Kind::Error => &mut self.counts.errors,
            Kind::NotCompilation | Kind::Other => return,
        };
        *field = Some(field.unwrap_or(0).saturating_add(number));
        if number > 0 && matches!(kind, Kind::Uncacheable | Kind::Error) {
            self.remember(name, number);
        }
    }

    fn remember(&mut self, name: &str, number: u64) {
        if let Some(known) = self.details.get_mut(name) {
            *known = known.saturating_add(number);
        } else if self.details.len() < MAX_DETAILS {
            self.details.insert(name.to_owned(), number);
        }
    }

    /// Adds all that `other` holds.
    pub fn absorb(&mut self, other: &Self) {
        let add = |mine: &mut Option<u64>, theirs: Option<u64>| {
            if let Some(number) = theirs {
                *mine = Some(mine.unwrap_or(0).saturating_add(number));
            }
        };
        add(&mut self.counts.direct_hits, other.counts.direct_hits);
        add(&mut self.counts.preprocessed_hits, other.counts.preprocessed_hits);
        add(&mut self.counts.misses, other.counts.misses);
        add(&mut self.counts.uncacheable, other.counts.uncacheable);
        add(&mut self.counts.errors, other.counts.errors);
        for (name, number) in &other.details {
            self.remember(name, *number);
        }
    }

    /// How often the uncacheable or error counter `name` was met.
    #[must_use]
    pub fn detail(&self, name: &str) -> u64 {
        self.details.get(name).copied().unwrap_or(0)
    }

    /// The counters of `kind` in words: `unsupported_compiler_option 3, compile_failed 1`.
    #[must_use]
    pub fn list(&self, kind: Kind) -> String {
        let mut met: Vec<(&String, &u64)> =
            self.details.iter().filter(|(name, _)| kind_of(name) == kind).collect();
        met.sort_by(|left, right| right.1.cmp(left.1));
        let words: Vec<String> =
            met.iter().map(|(name, number)| format!("{name} {number}")).collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_mean_the_same() {
        assert_eq!(kind_of("cache_hit_direct"), kind_of("direct_cache_hit"));
        assert_eq!(kind_of("cache_hit_preprocessed"), kind_of("preprocessed_cache_hit"));
    }

    #[test]
    fn a_direct_miss_alone_is_no_miss_and_a_link_is_no_compilation() {
        let mut tally = Tally::zero();
        for name in ["direct_cache_miss", "called_for_link", "no_input_file", "cache_size_kibibyte"]
        {
            tally.add(name, 5);
        }
        assert_eq!(tally, Tally::zero());
    }

    #[test]
    fn what_was_never_said_stays_unknown() {
        let mut tally = Tally::default();
        tally.add("direct_cache_hit", 0);
        assert_eq!(tally.counts.direct_hits, Some(0));
        assert_eq!(tally.counts.hits(), None);
        assert_eq!(tally.counts.hit_rate(), None);
    }

    #[test]
    fn details_name_the_options_most_frequent_first() {
        let mut tally = Tally::zero();
        tally.add("compile_failed", 1);
        tally.add("unsupported_compiler_option", 2);
        tally.add("internal_error", 1);
        tally.add("unsupported_from_the_future", u64::MAX);
        tally.add("unsupported_from_the_future", 1);
        assert_eq!(tally.counts.uncacheable, Some(u64::MAX));
        assert_eq!(tally.list(Kind::Error), "internal_error 1");
        assert!(tally.list(Kind::Uncacheable).starts_with("unsupported_from_the_future 1844"));
        assert!(tally.list(Kind::Uncacheable).ends_with("compile_failed 1"));
    }
}
