//! Answers that are kept in the user's cache, so that the next run need not ask again.

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is kept in `file`; `None` if that is nothing, or damaged.
pub(crate) fn recall<T: DeserializeOwned>(file: &Utf8Path) -> Option<T> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Keeps `answer` in `file`, whole or not at all: another run may be reading it.
///
/// # Errors
/// It cannot be written, which only costs the next run the same question.
pub(crate) fn remember<T: Serialize>(file: &Utf8Path, answer: &T) -> Result<()> {
    let folder = file.parent().context("a file without a folder")?;
    fs::create_dir_all(folder)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(&serde_json::to_vec(answer)?)?;
    beside.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_remembered_is_recalled_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(folder.path()).unwrap().join("answers/0af.json");
        assert_eq!(recall::<BTreeMap<String, String>>(&file), None);
        let answer = BTreeMap::from([("cp312-cp312".to_owned(), "1.6.1".to_owned())]);
        remember(&file, &answer).unwrap();
        assert_eq!(recall(&file), Some(answer));
        fs::write(&file, "{\"cp312-cp312\": \"1.6").unwrap();
        assert_eq!(recall::<BTreeMap<String, String>>(&file), None);
    }
}
