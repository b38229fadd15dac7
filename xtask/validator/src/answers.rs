//! What ccache prints, taken apart: `--version`, `--print-stats`, `-p`.

use crate::counts::Tally;

/// ccache's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// As ccache prints it: `4.7.5`.
    pub text: String,
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Version {
    /// Whether this ccache knows `CCACHE_STATSLOG`: since 4.4.
    #[must_use]
    pub fn has_statslog(&self) -> bool {
        (self.major, self.minor) >= (4, 4)
    }
}

/// The version in `ccache --version`'s answer; `None` when it is not ccache that answered.
#[must_use]
pub fn version(answer: &str) -> Option<Version> {
    let text = answer.lines().next()?.strip_prefix("ccache version ")?.trim();
    let mut numbers = text.split(|one: char| !one.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    let plain = |one: char| one.is_ascii_alphanumeric() || "._+-".contains(one);
    let text: String = text.chars().take_while(|one| plain(*one)).take(64).collect();
    Some(Version { text, major, minor })
}

/// The counters in `ccache --print-stats`' answer, in either spelling. What it does not mention
/// stays unknown.
#[must_use]
pub fn stats(answer: &str) -> Tally {
    let mut tally = Tally::default();
    for line in answer.lines() {
        let Some((name, number)) = line.split_once('\t') else { continue };
        if let Ok(number) = number.trim().parse() {
            tally.add(name.trim(), number);
        }
    }
    tally
}

/// One setting of ccache's and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `default`, `environment`, or a configuration file's path.
    pub origin: String,
    /// The value.
    pub value: String,
}

impl Setting {
    /// Whether the value is ccache's `true`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.value == "true"
    }
}

/// The setting `key` in `ccache -p`'s answer, whose lines read `(origin) key = value`.
#[must_use]
pub fn setting(answer: &str, key: &str) -> Option<Setting> {
    answer.lines().find_map(|line| {
        let (origin, rest) = line.strip_prefix('(')?.split_once(") ")?;
        let (name, value) = rest.split_once('=')?;
        (name.trim() == key)
            .then(|| Setting { origin: origin.to_owned(), value: value.trim().to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let read = |text: &str| version(text).map(|it| (it.text, it.major, it.minor));
        assert_eq!(read("ccache version 4.7.5\nFeatures: x\n"), Some(("4.7.5".to_owned(), 4, 7)));
        assert_eq!(read("ccache version 4.13.1+next\n"), Some(("4.13.1+next".to_owned(), 4, 13)));
        for text in ["", "sccache 0.8", "ccache version", "ccache version x.y", "ccache version 4"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        let knows = |text: &str| version(text).unwrap().has_statslog();
        assert!(!knows("ccache version 3.7.7"));
        assert!(!knows("ccache version 4.3"));
        assert!(knows("ccache version 4.4"));
        assert!(knows("ccache version 5.0"));
    }

    #[test]
    fn stats_in_both_spellings() {
        let old = stats("cache_hit_direct\t3\ncache_hit_preprocessed\t1\ncache_miss\t2\n");
        assert_eq!((old.counts.hits(), old.counts.misses), (Some(4), Some(2)));
        assert_eq!(old.counts.errors, None);
        let new = stats(
            "autoconf_test\t0\ncache_miss\t1\r\ndirect_cache_hit\t5\npreprocessed_cache_hit\t0\n\
             internal_error\t0\nunsupported_code_directive\t2\ncalled_for_link\t9\n",
        );
        assert_eq!(new.counts.hits(), Some(5));
        assert_eq!(new.counts.uncacheable, Some(2));
        assert_eq!(new.counts.errors, Some(0));
    }

    #[test]
    fn damaged_stats_are_unknown_not_zero() {
        let tally = stats("direct_cache_hit\tmany\ncache_miss 3\n\0\n\t\n5\tcache_miss\n");
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn settings_and_their_origin() {
        let answer = "(default) base_dir = \n(/c d/ccache.conf) disable = true\n\
                      (environment) read_only = false\n";
        let found = setting(answer, "disable").unwrap();
        assert!(found.is_true());
        assert_eq!(found.origin, "/c d/ccache.conf");
        assert!(!setting(answer, "read_only").unwrap().is_true());
        assert_eq!(setting(answer, "stats"), None);
    }
}
