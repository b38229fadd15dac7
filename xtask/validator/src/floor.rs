//! The share of cacheable compilations that must hit.

use crate::error::Error;
use std::fmt;

/// A percentage kept exactly, in thousandths of a percent, so that meeting the floor to the dot
/// passes whatever the numbers are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinHitRate {
    thousandths: u32,
}

impl MinHitRate {
    /// Reads a percentage: `0`, `90`, `97.5`, `97.5%`; from 0 to 100, at most three decimals.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = || {
            let shown = crate::text::escape(crate::text::keep_start(text, 40).as_bytes());
            Error::new(format!(
                "\"{shown}\" is no minimum hit rate; give a percentage from 0 to 100 such as 90 or \
                 97.5"
            ))
        };
        let number = text.trim();
        let number = number.strip_suffix('%').unwrap_or(number).trim_end();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let plain = |part: &str| part.bytes().all(|one| one.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || decimals.len() > 3 {
            return Err(refuse());
        }
        if !plain(whole) || !plain(decimals) || (decimals.is_empty() && number.contains('.')) {
            return Err(refuse());
        }
        let thousandths: u32 = format!("{whole}{decimals:0<3}").parse().map_err(|_| refuse())?;
        if thousandths > 100_000 {
            return Err(refuse());
        }
        Ok(Self { thousandths })
    }

    /// Whether `hits` of `cacheable` compilations are enough. No hit at all never is.
    #[must_use]
    pub fn is_met(self, hits: u64, cacheable: u64) -> bool {
        hits > 0
            && u128::from(hits) * 100_000 >= u128::from(self.thousandths) * u128::from(cacheable)
    }

    /// The floor in words: `at least one hit`, `at least 97.5 %`.
    #[must_use]
    pub fn describe(self) -> String {
        if self.thousandths == 0 {
            "at least one hit".to_owned()
        } else {
            format!("at least {self} %")
        }
    }
}

impl fmt::Display for MinHitRate {
    /// The percentage without its sign, as [`MinHitRate::parse`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.thousandths / 1000, self.thousandths % 1000);
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_exactly() {
        for (text, shown) in [
            ("0", "0"),
            ("100", "100"),
            ("97.5", "97.5"),
            (" 90 % ", "90"),
            ("66.667", "66.667"),
            ("0.050", "0.05"),
        ] {
            assert_eq!(MinHitRate::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "-1", "100.001", "101", "1e2", "x", "5.", ".5", "1.2345", "NaN", "+5", "٣"]
        {
            assert!(MinHitRate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_exact_floor_is_met_and_one_less_is_not() {
        let floor = |text: &str| MinHitRate::parse(text).unwrap();
        assert!(floor("66.7").is_met(667, 1000));
        assert!(!floor("66.7").is_met(666, 1000));
        assert!(floor("100").is_met(3, 3));
        assert!(!floor("100").is_met(2, 3));
        assert!(floor("0").is_met(1, 1_000_000));
        assert!(!floor("0").is_met(0, 1));
        assert!(!floor("0").is_met(0, 0));
        assert!(floor("100").is_met(u64::MAX, u64::MAX));
    }
}
