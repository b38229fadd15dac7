//! Finished wheels: checked, and put in their place in one step.

use std::fs::{self, File};
use std::io;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::wheel as name;

use crate::event::WheelFile;
use crate::staging::digest;

/// What is wrong with what a build left in its folder, in a sentence.
pub(super) type Objection = String;

/// The one of `wheels` that is for `identifier`.
pub(super) fn choose<'a>(
    wheels: &'a [Utf8PathBuf],
    identifier: &str,
) -> Result<&'a Utf8PathBuf, Objection> {
    let file = |wheel: &Utf8PathBuf| wheel.file_name().unwrap_or_default().to_owned();
    let mut serving = Vec::new();
    for wheel in wheels {
        let parsed = name::parse(&file(wheel)).map_err(|error| error.to_string())?;
        if parsed.serves(identifier).is_some() {
            serving.push(wheel);
        }
    }
    match (serving.as_slice(), wheels) {
        ([wheel], _) => Ok(wheel),
        ([one, other, ..], _) => {
            Err(format!("cibuildwheel left both {one} and {other} for {identifier}"))
        }
        ([], []) => Err(format!("cibuildwheel left no wheel for {identifier}")),
        ([], [wheel, ..]) => Err(format!("{} has not the tags of {identifier}", file(wheel))),
    }
}

/// The wheels in a folder, which may be missing. Only plain files count.
pub(super) fn list(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let entries = match folder.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot list {folder}"))?,
    };
    let mut wheels = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A build can write here: a link of its could lead to any file of the host.
        if entry.file_type()?.is_file() && entry.path().extension() == Some("whl") {
            wheels.push(entry.into_path());
        }
    }
    wheels.sort();
    Ok(wheels)
}

/// Moves a wheel into `folder`. It appears there whole or not at all: written beside its place and
/// renamed.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn place(wheel: &Utf8Path, folder: &Utf8Path) -> Result<WheelFile> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
    let path = folder.join(wheel.file_name().unwrap_or_default());
    if fs::rename(wheel, &path).is_err() {
        // Another file system.
        let beside = tempfile::Builder::new().prefix(".wheel-").tempfile_in(folder);
        let mut beside = beside.with_context(|| format!("cannot write to {folder}"))?;
        let mut from = File::open(wheel).with_context(|| format!("cannot open {wheel}"))?;
        io::copy(&mut from, &mut beside)
            .with_context(|| format!("cannot copy {wheel} to {folder}"))?;
        beside.as_file().set_permissions(from.metadata()?.permissions())?;
        beside.persist(&path).with_context(|| format!("cannot place {path}"))?;
        fs::remove_file(wheel)?;
    }
    describe(path)
}

/// A wheel as it is, with its digest.
///
/// # Errors
/// It cannot be read.
pub(super) fn describe(path: Utf8PathBuf) -> Result<WheelFile> {
    let (sha256, size_bytes) = digest::file(&path)?;
    Ok(WheelFile { path, sha256, size_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().to_path_buf();
        (folder, path)
    }

    #[test]
    fn exactly_one_wheel_with_the_right_tags_is_accepted() {
        const IDENTIFIER: &str = "cp312-manylinux_x86_64";
        let named = |names: &[&str]| -> Vec<Utf8PathBuf> {
            names.iter().map(|name| Utf8Path::new("out").join(name)).collect()
        };
        let right = "a-1-cp312-cp312-manylinux_2_28_x86_64.whl";
        let refused = |names: &[&str]| choose(&named(names), IDENTIFIER).unwrap_err();
        assert!(refused(&[]).contains("no wheel"));
        assert!(refused(&["a-1-cp311-cp311-manylinux_2_28_x86_64.whl"]).contains("tags"));
        assert!(refused(&[right, "a-2-cp312-cp312-linux_x86_64.whl"]).contains("both"));
        assert!(refused(&["a.whl"]).contains("no wheel file name"));
        let others = named(&[right, "a-1-cp313-cp313-linux_x86_64.whl"]);
        assert_eq!(choose(&others, IDENTIFIER), Ok(&others[0]));
        let stable = named(&["a-1-cp39-abi3-linux_x86_64.whl"]);
        assert_eq!(choose(&stable, IDENTIFIER), Ok(&stable[0]));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_no_wheel() {
        let (_keep, path) = folder();
        let link = path.join("a-1-cp312-cp312-manylinux_2_28_x86_64.whl");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert_eq!(list(&path).unwrap(), Vec::<Utf8PathBuf>::new());
    }

    #[test]
    fn a_placed_wheel_is_whole_and_measured() {
        let (_keep, path) = folder();
        let wheel = path.join("a-1-cp312-cp312-linux_x86_64.whl");
        fs::write(&wheel, "abc").unwrap();
        let placed = place(&wheel, &path.join("out")).unwrap();
        assert_eq!(placed.size_bytes, 3);
        assert!(placed.sha256.starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert!(placed.path.is_file() && !wheel.exists());
    }
}
