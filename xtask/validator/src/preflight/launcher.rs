//! The check of the launcher that is to stand in front of ccache.

use super::{Lack, Refusal};
use crate::process::{Ccache, Failure};
use crate::programs;
use std::fs;
use std::path::Path;

/// Whether the launcher at `path` can stand in front of ccache.
pub(super) fn check(path: &Path, launcher: &dyn Ccache) -> Result<(), Refusal> {
    let refuse = |cause: &str, remedy: &str| {
        let cause = format!("the launcher {} {cause}", path.display());
        Refusal::new(Lack::Unexpected, cause, remedy)
    };
    if path.is_relative() || !programs::is_executable(path) {
        let cause = "cannot be run: there is no such program";
        return Err(refuse(cause, "give --launcher the absolute path of ccache-launcher"));
    }
    if !fs::canonicalize(path).is_ok_and(|target| programs::is_named_ccache(&target)) {
        let cause = "is not called ccache-launcher: its links would be taken for compilers";
        return Err(refuse(cause, "give the program its own name back"));
    }
    let answer = launcher.ask(&["--version"]).map_err(|failure| {
        let words = match failure {
            Failure::Missing => String::new(),
            Failure::CannotStart(words) | Failure::Refused(words) => format!(": {words}"),
        };
        refuse(
            &format!("cannot be run{words}"),
            "take the one that was built for this system, or leave out --launcher",
        )
    })?;
    if answer.starts_with("ccache-launcher ") {
        return Ok(());
    }
    Err(refuse("does not answer as ccache-launcher does", "let --launcher name ccache-launcher"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::process::Scripted;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_launcher_that_runs_and_has_its_name_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let good = place("ccache-launcher", 0o755);
        let answer = |words: &str| Scripted::new([("--version", Ok(words.to_owned()))]);
        let works = answer("ccache-launcher 1.2\n");
        assert_eq!(check(&good, &works), Ok(()));
        let failing = |failure| Scripted::new([("--version", Err(failure))]);
        let table = [
            (folder.path().join("absent"), &works, "no such program"),
            (place("ccache-data", 0o644), &works, "no such program"),
            (Path::new("ccache-launcher").to_path_buf(), &works, "no such program"),
            (place("launcher", 0o755), &works, "is not called"),
            (good.clone(), &answer("ccache version 4.7.5"), "does not answer"),
            (good.clone(), &failing(Failure::CannotStart("bad format".to_owned())), "bad format"),
            (good, &failing(Failure::Missing), "cannot be run"),
        ];
        for (path, launcher, cause) in table {
            let refusal = check(&path, launcher).unwrap_err();
            assert!(refusal.cause.contains(cause), "{refusal:?}");
            assert_eq!(refusal.lack, Lack::Unexpected);
        }
    }
}
