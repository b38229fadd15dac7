//! One question to ccache for all that it can tell of itself: settings, counters and version. Each
//! start of ccache costs milliseconds, and it carries out one option after another.

use crate::answers::{self, Setting, Version};
use crate::counts::Tally;
use crate::process::{Ccache, Failure};

/// The arguments. `--version` comes last because ccache ends after it.
pub const ARGUMENTS: [&str; 3] = ["-p", "--print-stats", "--version"];

/// What ccache answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    text: String,
}

impl Inquiry {
    /// Asks `ccache`.
    ///
    /// # Errors
    /// It is missing, does not start, or refuses to work.
    pub fn ask(ccache: &dyn Ccache) -> Result<Self, Failure> {
        ccache.ask(&ARGUMENTS).map(|text| Self { text })
    }

    /// Its version; `None` when it is not ccache that answered.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.text.lines().find_map(answers::version)
    }

    /// The setting `key`, and where it was made.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<Setting> {
        answers::setting(&self.text, key)
    }

    /// The cache folder's counters.
    #[must_use]
    pub fn stats(&self) -> Tally {
        answers::stats(&self.text)
    }

    /// The lines that hold counters, as ccache printed them.
    #[must_use]
    pub fn counters(&self) -> String {
        let lines = self.text.lines().filter(|line| line.contains('\t'));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// A number that is no outcome of a compilation, such as `files_in_cache`.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .find(|(key, _)| *key == name)
            .and_then(|(_, number)| number.trim().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Scripted;

    #[test]
    fn everything_is_found_in_one_answer() {
        let text = "(default) stats = true\n(environment) disable = true\n\
                    direct_cache_hit\t3\nfiles_in_cache\t8\nccache version 4.7.5\nFeatures: x\n";
        let ccache = Scripted::everything(Ok(text.to_owned()));
        let inquiry = Inquiry::ask(&ccache).unwrap();
        assert_eq!(inquiry.version().unwrap().text, "4.7.5");
        assert!(inquiry.setting("disable").unwrap().is_true());
        assert_eq!(inquiry.stats().counts.direct_hits, Some(3));
        assert_eq!(inquiry.number("files_in_cache"), Some(8));
        assert_eq!(inquiry.number("cleanups_performed"), None);
        assert_eq!(inquiry.counters(), "direct_cache_hit\t3\nfiles_in_cache\t8\n");
        assert_eq!(ccache.asked().len(), 1);
    }

    #[test]
    fn what_is_no_ccache_has_no_version() {
        let inquiry = Inquiry::ask(&Scripted::everything(Ok("sccache 0.8\n".to_owned()))).unwrap();
        assert_eq!(inquiry.version(), None);
    }
}
