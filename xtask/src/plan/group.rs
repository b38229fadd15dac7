//! Several builds in one cibuildwheel process: a wheel of the stable ABI is made once there, and
//! then tested with each version.

use super::BuildPlan;

/// Stands for a build's own folder where two builds are compared.
const OWN: &str = "OWN-RECORD";
/// Stands for the folder that it is built in where there are no containers.
const PLACE: &str = "OWN-PLACE";

impl BuildPlan {
    /// One process for `builds`, in which the wheel of `pioneer` is made again, out of the cache and
    /// without its tests, for all of them to use. Its folders are the first one's. `None` if they are
    /// tested in different ways: one process has one set of options.
    ///
    /// It is made by the pioneer's own interpreter. Another one's headers would be compiled anew.
    pub(crate) fn grouped(pioneer: &Self, builds: &[&Self]) -> Option<Self> {
        let comparable = pioneer.comparable();
        if builds.iter().any(|build| build.comparable() != comparable) {
            return None;
        }
        let first = *builds.first()?;
        let (own, firsts) = (pioneer.record.as_str(), first.record.as_str());
        let variables = pioneer.environment.iter();
        let mut grouped = Self {
            environment: variables.map(|(n, v)| (n.clone(), v.replace(own, firsts))).collect(),
            ..first.clone()
        };
        let only = grouped.argv.iter().position(|word| word == "--only")?;
        let platform = platform_of(&pioneer.identifier);
        grouped.argv.splice(only..only + 2, ["--platform".to_owned(), platform.to_owned()]);
        let all = std::iter::once(pioneer).chain(builds.iter().copied());
        let identifiers: Vec<_> = all.map(|build| build.identifier.as_str()).collect();
        let skip = format!("{} {}", pioneer.test_skip, pioneer.identifier);
        grouped.environment.extend([
            ("CIBW_BUILD".to_owned(), identifiers.join(" ")),
            ("CIBW_TEST_SKIP".to_owned(), skip.trim().to_owned()),
        ]);
        Some(grouped)
    }

    /// What has to be the same for two builds to share a process: all but how a wheel is built, since
    /// only one of them builds one.
    fn comparable(&self) -> Vec<(&str, String)> {
        const OF_BUILDING: [&str; 4] =
            ["CIBW_BUILD_FRONTEND", "CIBW_BEFORE_BUILD", "CIBW_CONFIG_SETTINGS", "CIBW_INHERIT"];
        let is_common = |name: &str| !OF_BUILDING.iter().any(|it| name.starts_with(it));
        let own = self.record.as_str();
        let variables = self.environment.iter().filter(|(name, _)| is_common(name));
        let place = self.host.as_ref().map(|host| host.folder.as_str());
        let settled = |text: &str| {
            let text = text.replace(own, OWN);
            place.map_or_else(|| text.clone(), |place| text.replace(place, PLACE))
        };
        let variables = variables.map(|(name, text)| (name.as_str(), settled(text)));
        let engine = self.engine.map(|engine| engine.name().to_owned()).unwrap_or_default();
        variables
            .chain([("the engine", engine), ("the image", self.image.clone().unwrap_or_default())])
            .collect()
    }
}

/// The platform of an identifier, as cibuildwheel's `--platform` has it.
pub(super) fn platform_of(identifier: &str) -> &'static str {
    let tag = identifier.split_once('-').map_or("", |(_, tag)| tag);
    match tag {
        _ if tag.starts_with("macosx") => "macos",
        _ if tag.starts_with("win") => "windows",
        _ => "linux",
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{BuildPlan, pretended};

    #[test]
    fn one_process_makes_the_pioneers_wheel_again_and_tests_the_others() {
        let plan = pretended(&["cp310-win_amd64", "cp311-win_amd64", "cp312-win_amd64"]);
        let [pioneer, first, second] = plan.builds.as_slice() else { panic!() };
        let mut pioneer = pioneer.clone();
        pioneer.test_skip = "*-win32".to_owned();
        let grouped = BuildPlan::grouped(&pioneer, &[first, second]).unwrap();
        assert_eq!(grouped.record, first.record);
        let words = grouped.argv.join(" ");
        assert!(words.contains("--platform windows") && !words.contains("--only"), "{words}");
        assert_eq!(
            grouped.environment["CIBW_BUILD"],
            "cp310-win_amd64 cp311-win_amd64 cp312-win_amd64"
        );
        assert_eq!(grouped.environment["CIBW_TEST_SKIP"], "*-win32 cp310-win_amd64");
    }

    #[test]
    fn builds_with_options_of_their_own_share_no_process() {
        let plan = pretended(&["cp310-win_amd64", "cp311-win_amd64"]);
        let mut other = plan.builds[1].clone();
        other.environment.insert("CIBW_TEST_COMMAND_WINDOWS".to_owned(), "other".to_owned());
        assert!(BuildPlan::grouped(&plan.builds[0], &[&other]).is_none());
    }
}
