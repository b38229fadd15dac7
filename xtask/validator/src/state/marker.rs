//! Which build of a domain may do without hits in a run: the marker, and whom it is kept for.

use super::{MARKERS, STATE_DIR, fnv1a, prepare, safe_name};
use crate::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What claiming a domain's marker came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// Made just now, or kept for this build: it is the first of its domain in this run.
    Made,
    /// It stood already, as whatever kind of file: this build is not exempt.
    Present,
    /// There is no shared cache folder to keep one in: nobody is exempt.
    NoFolder,
    /// It could not be made: the cache folder cannot be written. Holds the cause.
    Unwritable(String),
}

/// Where the marker of `domain` in the run `run_id` stands below `cache_dir`.
#[must_use]
pub fn marker_path(cache_dir: &Path, domain: &str, run_id: Option<&str>) -> PathBuf {
    let mut name = safe_name(domain);
    if let Some(run_id) = run_id {
        name.push('@');
        name.push_str(&safe_name(run_id));
    }
    cache_dir.join(STATE_DIR).join(MARKERS).join(name)
}

/// Claims the marker of `domain` for this build. Exactly one of any number of claims gets
/// [`Marker::Made`]: the first one, or if it is kept for a build (see [`reserve`]) the first of that
/// build's. An existing marker is never opened.
#[must_use]
pub fn claim(
    cache_dir: Option<&Path>,
    domain: &str,
    run_id: Option<&str>,
    identifier: Option<&str>,
) -> Marker {
    // A relative folder means another cache for each folder that is compiled in.
    let Some(cache_dir) = cache_dir.filter(|folder| folder.is_absolute()) else {
        return Marker::NoFolder;
    };
    if let Err(error) = prepare(cache_dir) {
        return Marker::Unwritable(error.to_string());
    }
    let path = marker_path(cache_dir, domain, run_id);
    match make_marker(&path, run_id, identifier) {
        Ok(()) => Marker::Made,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_kept = |build| fs::remove_file(ticket_path(&path, build)).is_ok();
            if identifier.is_some_and(is_kept) { Marker::Made } else { Marker::Present }
        }
        Err(error) => Marker::Unwritable(cannot_make(&path, &error).to_string()),
    }
}

/// Keeps the marker of `domain` for the build of `identifier`, which is about to fill the cache in the
/// run `run_id`: builds that start while it is being tested may be done before it. One that is kept
/// for another build, which then has filled nothing, passes on to this one; one that nobody may have,
/// or that somebody has got, stays as it is.
///
/// # Errors
/// The cache folder cannot be written.
pub fn reserve(
    cache_dir: &Path,
    domain: &str,
    run_id: &str,
    identifier: &str,
) -> Result<(), Error> {
    prepare(cache_dir)?;
    let path = marker_path(cache_dir, domain, Some(run_id));
    let kept = match make_marker(&path, Some(run_id), Some(identifier)) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => take_tickets(&path),
        Err(error) => return Err(cannot_make(&path, &error)),
    };
    let ticket = ticket_path(&path, identifier);
    let make = || OpenOptions::new().write(true).create_new(true).open(&ticket);
    if kept { make().map(drop).map_err(|error| cannot_make(&ticket, &error)) } else { Ok(()) }
}

fn make_marker(path: &Path, run_id: Option<&str>, identifier: Option<&str>) -> io::Result<()> {
    let one_line = |text: Option<&str>| text.unwrap_or("-").replace(char::is_control, "?");
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(format!("{}\n{}\n", one_line(run_id), one_line(identifier)).as_bytes())
}

/// The file beside a marker whose removal, which only one can do, gives the marker to a build.
fn ticket_path(marker: &Path, identifier: &str) -> PathBuf {
    let mut path = marker.as_os_str().to_owned();
    path.push(format!("@{:016x}", fnv1a(identifier.as_bytes())));
    path.into()
}

/// Removes what keeps a marker for a build; returns whether there was any.
fn take_tickets(marker: &Path) -> bool {
    let (Some(folder), Some(name)) = (marker.parent(), marker.file_name()) else { return false };
    let start = format!("{}@", name.to_string_lossy());
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let tickets = entries.filter(|it| it.file_name().to_string_lossy().starts_with(&start));
    tickets.filter(|it| fs::remove_file(it.path()).is_ok()).count() > 0
}

fn cannot_make(path: &Path, error: &io::Error) -> Error {
    let next = "make the cache folder writable for the user that builds";
    Error::io("cannot make the marker", path, error, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::clear_markers;

    #[test]
    fn the_second_claim_finds_the_marker_and_runs_and_domains_are_apart() {
        let cache = tempfile::tempdir().unwrap();
        let claim = |domain, run| claim(Some(cache.path()), domain, run, Some("cp312-x"));
        assert_eq!(claim("d", Some("r1")), Marker::Made);
        assert_eq!(claim("d", Some("r1")), Marker::Present);
        assert_eq!(claim("d", Some("r2")), Marker::Made);
        assert_eq!(claim("e", Some("r1")), Marker::Made);
        assert_eq!(claim("d", None), Marker::Made);
        let text = fs::read_to_string(marker_path(cache.path(), "d", Some("r1"))).unwrap();
        assert_eq!(text, "r1\ncp312-x\n");
        assert_eq!(clear_markers(cache.path()).unwrap(), 4);
        assert_eq!(clear_markers(cache.path()).unwrap(), 0);
        assert_eq!(claim("d", Some("r1")), Marker::Made);
    }

    #[test]
    fn a_marker_is_kept_for_the_build_that_fills_the_cache() {
        let cache = tempfile::tempdir().unwrap();
        let by = |build| claim(Some(cache.path()), "d", Some("r1"), Some(build));
        let keep = |build| reserve(cache.path(), "d", "r1", build).unwrap();
        keep("cp311-x");
        assert_eq!(by("cp312-x"), Marker::Present, "it was faster");
        keep("cp312-x");
        assert_eq!(by("cp311-x"), Marker::Present, "it has filled nothing");
        assert_eq!(by("cp312-x"), Marker::Made);
        assert_eq!(by("cp312-x"), Marker::Present, "once");
        keep("cp313-x");
        assert_eq!(by("cp313-x"), Marker::Present, "somebody has got it");
    }

    #[test]
    fn a_marker_that_is_nobodys_exempts_nobody() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(claim(Some(cache.path()), "d", Some("r1"), None), Marker::Made);
        reserve(cache.path(), "d", "r1", "cp311-x").unwrap();
        let claimed = claim(Some(cache.path()), "d", Some("r1"), Some("cp311-x"));
        assert_eq!(claimed, Marker::Present);
    }

    #[test]
    fn without_an_absolute_folder_there_is_no_marker() {
        assert_eq!(claim(None, "d", None, None), Marker::NoFolder);
        assert_eq!(claim(Some(Path::new("relative")), "d", None, None), Marker::NoFolder);
    }

    #[cfg(unix)]
    #[test]
    fn whatever_stands_in_the_markers_place_counts_and_is_not_followed() {
        use std::os::unix::fs::symlink;
        let cache = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("victim");
        prepare(cache.path()).unwrap();
        let place = |domain| marker_path(cache.path(), domain, None);
        fs::create_dir(place("folder")).unwrap();
        fs::write(place("folder").join("inside"), "x").unwrap();
        symlink(&victim, place("dangling")).unwrap();
        symlink(outside.path(), place("link")).unwrap();
        fs::write(place("empty"), "").unwrap();
        fs::write(place("unreadable"), "r1\n").unwrap();
        let nobodys = std::os::unix::fs::PermissionsExt::from_mode(0o0);
        fs::set_permissions(place("unreadable"), nobodys).unwrap();
        for domain in ["folder", "dangling", "link", "empty", "unreadable"] {
            assert_eq!(claim(Some(cache.path()), domain, None, None), Marker::Present, "{domain}");
        }
        assert!(!victim.exists());
        fs::write(&victim, "kept").unwrap();
        assert_eq!(clear_markers(cache.path()).unwrap(), 5);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
