//! What ccache prints, taken apart: `--version`, `--print-stats`, `-p`.

use crate::counts::{self, Tally};

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
    /// Reads a version as it is written down: `4.7.5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(|one: char| !one.is_ascii_digit()).map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        let plain = |one: char| one.is_ascii_alphanumeric() || "._+-".contains(one);
        let text: String = text.chars().take_while(|one| plain(*one)).take(64).collect();
        Some(Self { text, major, minor })
    }

    /// Whether this ccache knows `CCACHE_STATSLOG`: since 4.4.
    #[must_use]
    pub fn has_statslog(&self) -> bool {
        (self.major, self.minor) >= (4, 4)
    }
}

/// The version in `ccache --version`'s answer; `None` when it is not ccache that answered.
#[must_use]
pub fn version(answer: &str) -> Option<Version> {
    Version::parse(answer.lines().next()?.strip_prefix("ccache version ")?.trim())
}

/// The counters in `ccache --print-stats`' answer. What it does not mention stays unknown, and what
/// cannot be a counter's name is passed over: it would be shown to people.
#[must_use]
pub fn stats(answer: &str) -> Tally {
    let mut tally = Tally::default();
    for line in answer.lines() {
        let Some((name, number)) = line.split_once('\t') else { continue };
        let name = name.trim();
        if let (true, Ok(number)) = (counts::is_name(name.as_bytes()), number.trim().parse()) {
            tally.add(name, number);
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
    answer.lines().filter_map(parts).find_map(|(origin, name, value)| {
        (name == key).then(|| Setting { origin: origin.to_owned(), value: value.to_owned() })
    })
}

/// Origin, key and value of one such line. A path can hold `) ` itself, so the origin ends where a
/// key and its `=` follow.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.strip_prefix('(')?;
    line.match_indices(") ").find_map(|(end, bracket)| {
        let rest = line.get(end + bracket.len()..)?;
        let is_key = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
        let length = rest.find(|one| !is_key(one)).filter(|length| *length > 0)?;
        let (name, rest) = rest.split_at(length);
        Some((line.get(..end)?, name, rest.trim_start().strip_prefix('=')?.trim()))
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
    fn what_is_no_name_is_no_counter() {
        let long = format!("unsupported_{}", "x".repeat(60));
        for name in ["unsupported_\u{1b}[2J", "unsupported_Thing", "could_not_use_é", &long] {
            assert_eq!(stats(&format!("{name}\t1\n")), Tally::default(), "{name}");
        }
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

    #[test]
    fn a_path_with_a_bracket_in_it_is_an_origin_too() {
        let answer = "(/h (old) (x)/ccache.conf) stats = a) b = c\n(/a) /b) cut\n(d) = e\n";
        let found = setting(answer, "stats").unwrap();
        assert_eq!(
            (found.origin.as_str(), found.value.as_str()),
            ("/h (old) (x)/ccache.conf", "a) b = c")
        );
        for key in ["b", "cut", ""] {
            assert_eq!(setting(answer, key), None, "{key}");
        }
    }
}
