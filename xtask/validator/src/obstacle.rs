//! What keeps ccache from working at all, looked for when a build had no hits.

use crate::answers::Setting;
use crate::inquiry::Inquiry;
use crate::process::Failure;
use crate::{remedy, text};
use std::path::PathBuf;

/// One thing in ccache's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// No ccache on PATH.
    Missing,
    /// A ccache that does not start, with the system's words.
    CannotStart(String),
    /// A ccache that answers with an error, with its words.
    Refused(String),
    /// `disable` is set; where.
    Disabled(String),
    /// `read_only` or `read_only_direct` is set; which, and where.
    ReadOnly(&'static str, String),
    /// `stats` is off, so that nothing is counted; where.
    NotCounting(String),
    /// The statslog cannot be read, or ccache cannot write it, with the cause.
    Statslog(PathBuf, String),
    /// `CCACHE_DIR` is relative: another cache for each folder that is compiled in.
    RelativeFolder(PathBuf),
    /// A folder inside the cache that cannot be written, with the cause: counts and results are lost.
    Unwritable(PathBuf, String),
    /// This version keeps no record of each build, and nobody read its counters in time.
    NoRecord(String),
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing => Self::Missing,
            Failure::CannotStart(words) => Self::CannotStart(words),
            Failure::Refused(words) => Self::Refused(words),
        }
    }
}

impl Obstacle {
    /// Finds what is in the way in ccache's own settings. `counters` tells that its counters are
    /// wanted.
    #[must_use]
    pub fn in_settings(inquiry: &Inquiry, counters: bool) -> Option<Self> {
        let on = |key| inquiry.setting(key).filter(Setting::is_true);
        if let Some(setting) = on("disable") {
            return Some(Self::Disabled(setting.origin));
        }
        for key in ["read_only", "read_only_direct"] {
            if let Some(setting) = on(key) {
                return Some(Self::ReadOnly(key, setting.origin));
            }
        }
        inquiry
            .setting("stats")
            .filter(|setting| counters && !setting.is_true())
            .map(|setting| Self::NotCounting(setting.origin))
    }

    /// Whether this explains a build with so many compilations on record, of which so many could
    /// have been hits. What the test step's environment says proves nothing against the records of
    /// the build step.
    #[must_use]
    pub fn explains(&self, compilations: u64, cacheable: u64) -> bool {
        match self {
            Self::Missing
            | Self::CannotStart(_)
            | Self::Refused(_)
            | Self::Disabled(_)
            | Self::NotCounting(_)
            | Self::NoRecord(_)
            | Self::Statslog(..) => compilations == 0,
            Self::Unwritable(..) => true,
            Self::ReadOnly(..) | Self::RelativeFolder(_) => cacheable > 0,
        }
    }

    /// The cause in words.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Missing => "there is no ccache on PATH".to_owned(),
            Self::CannotStart(words) => format!("ccache does not start: {words}"),
            Self::Refused(words) => format!("ccache refuses to work: {words}"),
            Self::Disabled(origin) => format!("ccache is disabled ({})", clean(origin)),
            Self::ReadOnly(key, origin) => {
                format!("ccache may not store anything: {key} is set ({})", clean(origin))
            }
            Self::NotCounting(origin) => {
                format!("ccache does not count: stats is off ({})", clean(origin))
            }
            Self::Statslog(path, words) => {
                format!("the statslog {} cannot be used: {words}", clean(&path.to_string_lossy()))
            }
            Self::RelativeFolder(path) => format!(
                "CCACHE_DIR is relative ({}): each folder compiled in has a cache of its own",
                clean(&path.to_string_lossy())
            ),
            Self::NoRecord(version) => format!(
                "ccache {} keeps no record of each build (4.4 and later do), and the test step, \
                 which would have read its counters, did not run",
                clean(version)
            ),
            Self::Unwritable(path, words) => format!(
                "ccache cannot write to {}, so what it counts and stores is lost: {words}",
                clean(&path.to_string_lossy())
            ),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        let unset = |variable: &str, setting: &str, origin: &str| match origin {
            "environment" => format!("unset {variable} in the build's environment"),
            file => format!("remove {setting} from {}", clean(file)),
        };
        match self {
            Self::Missing => {
                "install ccache in the image or before the build (apt-get, dnf, apk: ccache), or \
                 put it on PATH"
                    .to_owned()
            }
            Self::CannotStart(_) => {
                "install a ccache made for this system and architecture".to_owned()
            }
            Self::Refused(_) => {
                "correct the variable or ccache.conf line that ccache names; ccache -p shows all"
                    .to_owned()
            }
            Self::Disabled(origin) => unset("CCACHE_DISABLE", "disable = true", origin),
            Self::ReadOnly("read_only", origin) => {
                unset("CCACHE_READONLY", "read_only = true", origin)
            }
            Self::ReadOnly(_, origin) => {
                unset("CCACHE_READONLY_DIRECT", "read_only_direct = true", origin)
            }
            Self::NotCounting(origin) => unset("CCACHE_NOSTATS", "stats = false", origin),
            Self::Statslog(..) => {
                "let CCACHE_STATSLOG name a file in an existing, writable folder".to_owned()
            }
            Self::RelativeFolder(_) => "give CCACHE_DIR an absolute path".to_owned(),
            Self::Unwritable(..) => remedy::UNWRITABLE.to_owned(),
            Self::NoRecord(_) => {
                "install ccache 4.4 or later, or let the build's test step run".to_owned()
            }
        }
    }
}

fn clean(words: &str) -> String {
    text::escape(text::keep_start(words, 300).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Scripted;

    fn found(answer: &str, counters: bool) -> Option<Obstacle> {
        let inquiry = Inquiry::ask(&Scripted::everything(Ok(answer.to_owned()))).unwrap();
        Obstacle::in_settings(&inquiry, counters)
    }

    #[test]
    fn settings_in_the_way_are_found_with_their_origin() {
        let environment = || "environment".to_owned();
        let table = [
            (
                "(environment) disable = true\n(default) stats = true",
                true,
                Some(Obstacle::Disabled(environment())),
            ),
            (
                "(/c/ccache.conf) read_only = true",
                false,
                Some(Obstacle::ReadOnly("read_only", "/c/ccache.conf".to_owned())),
            ),
            (
                "(environment) read_only_direct = true",
                false,
                Some(Obstacle::ReadOnly("read_only_direct", environment())),
            ),
            ("(environment) stats = false", true, Some(Obstacle::NotCounting(environment()))),
            ("(environment) stats = false", false, None),
            ("(default) disable = false\n(default) read_only = false", true, None),
            ("", true, None),
        ];
        for (answer, counters, expected) in table {
            assert_eq!(found(answer, counters), expected, "{answer}");
        }
    }

    #[test]
    fn remedies_name_where_the_setting_stands() {
        let in_file = Obstacle::Disabled("/c/ccache.conf".to_owned()).remedy();
        assert_eq!(in_file, "remove disable = true from /c/ccache.conf");
        let in_environment = Obstacle::Disabled("environment".to_owned()).remedy();
        assert_eq!(in_environment, "unset CCACHE_DISABLE in the build's environment");
    }

    #[test]
    fn the_test_steps_environment_proves_nothing_against_records() {
        assert!(Obstacle::Missing.explains(0, 0));
        assert!(!Obstacle::Missing.explains(3, 3));
        assert!(!Obstacle::Disabled(String::new()).explains(3, 3));
        assert!(Obstacle::ReadOnly("read_only", String::new()).explains(3, 3));
        assert!(!Obstacle::ReadOnly("read_only", String::new()).explains(0, 0));
    }
}
