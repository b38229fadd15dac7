//! Files put in their places, each in one step. The record of them comes last, so that whatever
//! breaks off in between is found as it is by the next `adopt`, and finished.

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use super::plan::Step;
use super::plan::facts::Found;
use super::read::found;
use crate::fault::Fault;
use crate::folders::HOME;

/// Does what was decided.
///
/// # Errors
/// A file is not what the decision was made from, and nothing was written; or one cannot be written.
pub(crate) fn apply(root: &Utf8Path, steps: &[Step]) -> Result<()> {
    for Step { path, before, .. } in steps {
        // Somebody may have taken their time with the question.
        let now = match found(root, path)? {
            Some(Found::Text(text)) => Some(text),
            None => None,
            Some(Found::Obstacle(what)) => {
                return Err(changed(root, path, &format!(", and now {what}")));
            }
        };
        if now != *before {
            return Err(changed(root, path, ""));
        }
    }
    for Step { path, after, .. } in steps {
        let file = root.join(path);
        match after {
            Some(text) => place(&file, text)?,
            None => remove(root, path)?,
        }
    }
    Ok(())
}

fn changed(root: &Utf8Path, path: &Utf8Path, how: &str) -> anyhow::Error {
    Fault::usage(
        format!("{} was changed meanwhile{how}; nothing was written", root.join(path)),
        "run it again",
    )
}

/// Puts a file in its place, with the rights of the one that it replaces.
fn place(file: &Utf8Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
    let beside = beside(file);
    // What an earlier one has left, or a link that somebody has put there.
    let _ = fs::remove_file(&beside);
    let placed = fs::File::create_new(&beside)
        .and_then(|mut part| part.write_all(text.as_bytes()))
        .and_then(|()| match file.metadata() {
            Ok(about) => fs::set_permissions(&beside, about.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| fs::rename(&beside, file));
    placed.map_err(|error| {
        // What is left of it is of no use to anyone.
        let _ = fs::remove_file(&beside);
        anyhow::Error::new(error).context(format!("cannot write {file}"))
    })
}

/// The name of a file while it is being written.
fn beside(file: &Utf8Path) -> Utf8PathBuf {
    file.with_file_name(format!(".{}.warmwheel-part", file.file_name().unwrap_or_default()))
}

/// Removes a file, and the folders that it leaves empty, up to Warmwheel's own.
fn remove(root: &Utf8Path, path: &Utf8Path) -> Result<()> {
    let file = root.join(path);
    fs::remove_file(&file).with_context(|| format!("cannot remove {file}"))?;
    let above = path.ancestors().skip(1).take_while(|folder| *folder != HOME);
    for folder in above.filter(|folder| folder.starts_with(HOME)) {
        // One that is not empty stays.
        if fs::remove_dir(root.join(folder)).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adopt::plan::Change;
    use crate::fault::class_of;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        (folder, path)
    }

    fn step(path: &str, before: Option<&str>, after: Option<&str>) -> Step {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        let (before, after) = (text(before), text(after));
        Step { path: path.into(), change: Change::Update, before, after }
    }

    fn names(folder: &Utf8Path) -> Vec<String> {
        let entries = folder.read_dir_utf8().unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_made_changed_and_removed() {
        let (_guard, root) = folder();
        apply(
            &root,
            &[step("tools/warmwheel/a/b.rs", None, Some("1")), step("c", None, Some("2"))],
        )
        .unwrap();
        let next = [
            step("tools/warmwheel/a/b.rs", Some("1"), None),
            step("c", Some("2"), Some("3")),
            step("tools/warmwheel/d", None, Some("4")),
        ];
        apply(&root, &next).unwrap();
        assert_eq!(names(&root), ["c", "tools"]);
        assert_eq!(names(&root.join(HOME)), ["d"]);
        assert_eq!(fs::read_to_string(root.join("c")).unwrap(), "3");
    }

    #[test]
    fn nothing_is_written_when_one_file_has_changed() {
        let (_guard, root) = folder();
        fs::write(root.join("b"), "theirs").unwrap();
        for before in [None, Some("other")] {
            let steps = [step("a", None, Some("1")), step("b", before, Some("2"))];
            let error = apply(&root, &steps).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2);
            assert_eq!(names(&root), ["b"]);
        }
        let gone = [step("a", None, Some("1")), step("c", Some("x"), Some("2"))];
        assert!(apply(&root, &gone).is_err());
        assert_eq!(names(&root), ["b"]);
    }

    #[cfg(unix)]
    #[test]
    fn rights_stay_and_a_link_in_the_way_is_not_written_through() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, root) = folder();
        fs::write(root.join("a"), "1").unwrap();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(root.join("precious"), "x").unwrap();
        std::os::unix::fs::symlink("precious", beside(&root.join("a"))).unwrap();
        apply(&root, &[step("a", Some("1"), Some("2"))]).unwrap();
        assert_eq!(fs::metadata(root.join("a")).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(root.join("precious")).unwrap(), "x");
        assert_eq!(names(&root), ["a", "precious"]);
    }
}
