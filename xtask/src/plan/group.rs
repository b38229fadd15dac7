//! Several builds in one cibuildwheel process: a wheel of the stable ABI is built once there and
//! then tested with each version.

use super::BuildPlan;

/// Stands for a build's own folder where two builds are compared.
const OWN: &str = "OWN-RECORD";

impl BuildPlan {
    /// One process for all of `builds`, which are of one domain: the first one's, with its folders.
    /// `None` if they differ in more than their names: one process has one set of options.
    pub(crate) fn grouped(builds: &[&Self]) -> Option<Self> {
        let first = *builds.first()?;
        let own = first.comparable();
        if builds.iter().any(|build| build.comparable() != own) {
            return None;
        }
        let mut grouped = first.clone();
        let only = grouped.argv.iter().position(|word| word == "--only")?;
        let platform = platform_of(&first.identifier);
        grouped.argv.splice(only..only + 2, ["--platform".to_owned(), platform.to_owned()]);
        let identifiers: Vec<_> = builds.iter().map(|build| build.identifier.as_str()).collect();
        grouped.environment.insert("CIBW_BUILD".to_owned(), identifiers.join(" "));
        Some(grouped)
    }

    /// What has to be the same for two builds to share a process.
    fn comparable(&self) -> Vec<(&str, String)> {
        let own = self.record.as_str();
        let value = |value: &String| value.replace(own, OWN);
        let variables = self.environment.iter().map(|(name, text)| (name.as_str(), value(text)));
        let engine = self.engine.map(|engine| engine.name().to_owned()).unwrap_or_default();
        variables
            .chain([("the engine", engine), ("the image", self.image.clone().unwrap_or_default())])
            .collect()
    }
}

/// The platform of an identifier, as cibuildwheel's `--platform` has it.
fn platform_of(identifier: &str) -> &'static str {
    let tag = identifier.split_once('-').map_or("", |(_, tag)| tag);
    match tag {
        _ if tag.starts_with("macosx") => "macos",
        _ if tag.starts_with("win") => "windows",
        _ => "linux",
    }
}
