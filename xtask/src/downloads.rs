//! Source distributions by name, version and hash, kept in the user's cache.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::console::Console;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::Sdist;
use crate::process;
use crate::text::hex;

/// Fetching a few megabytes, and the build requirements that pip wants to see the metadata.
const LIMIT: Duration = Duration::from_secs(300);

/// The folder that holds all of `sdists`, fetched where they are missing. `python` must have pip.
///
/// # Errors
/// One cannot be fetched, or is not what its hash says.
pub(crate) fn fetch(
    sdists: &[Sdist],
    python: &Utf8Path,
    environment: &Environment,
    console: Console,
) -> Result<Utf8PathBuf> {
    let folder = environment.cache_folder()?.join("downloads");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder}"))?;
    for sdist in sdists {
        let path = folder.join(&sdist.file);
        if is_whole(&path, sdist) {
            continue;
        }
        console.say(format!("fetching {}", sdist.file));
        let beside = tempfile::tempdir_in(&folder)?;
        let requirements = beside.path().join("requirements.txt");
        let line = format!("{}=={} --hash=sha256:{}\n", sdist.name, sdist.version, sdist.sha256);
        fs::write(&requirements, line)?;
        let mut command = process::command(python);
        // Only this project as source: what builds its metadata may come as wheels.
        command
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"])
            .args(["--no-binary", &sdist.name, "--dest"])
            .arg(beside.path())
            .arg("--requirement")
            .arg(&requirements);
        process::read(command, LIMIT).map_err(|error| {
            Fault::machine(
                format!("cannot fetch {}: {error:#}", sdist.file),
                "check the network, then run again",
            )
        })?;
        let fetched = beside.path().join(&sdist.file);
        let fetched = Utf8Path::from_path(&fetched).context("a folder's name is not UTF-8")?;
        if !is_whole(fetched, sdist) {
            return Err(Fault::machine(
                format!("{} is not what its hash in tools/pins.toml says", sdist.file),
                "do not trust where it came from",
            ));
        }
        fs::rename(fetched, &path).with_context(|| format!("cannot place {path}"))?;
    }
    Ok(folder)
}

fn is_whole(path: &Utf8Path, sdist: &Sdist) -> bool {
    fs::read(path).is_ok_and(|bytes| hex(&Sha256::digest(bytes)) == sdist.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_file_is_taken_for_what_was_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("a-1.tar.gz");
        let sdist = Sdist {
            name: "a".to_owned(),
            version: "1".to_owned(),
            file: "a-1.tar.gz".to_owned(),
            sha256: hex(&Sha256::digest("the whole file")),
        };
        assert!(!is_whole(&path, &sdist), "there is none");
        for (text, whole) in
            [("the whole", false), ("the whole filE", false), ("", false), ("the whole file", true)]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(is_whole(&path, &sdist), whole, "{text}");
        }
    }
}
