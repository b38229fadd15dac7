//! Facts about this machine, as quickly as they can be had.

use std::fs;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;
use ccache_validator::inquiry::ARGUMENTS;
use ccache_validator::state;

use super::facts::{CacheFolder, EngineReply, Refusal, Reply, Room, Written};
use super::judge::{WHEELS, cache};
use super::room::{device, file_system, free_bytes, is_foreign, standing};
use crate::cli::Engine;
use crate::environment::Environment;
use crate::host;
use crate::plan::inside::DEFAULT_MAXSIZE;
use crate::process;
use crate::settings::Settings;

/// What this process sees mounted.
const MOUNTS: &str = "/proc/self/mountinfo";
/// Capital letters, whose small ones name the same file where case counts for nothing.
const PREFIX: &str = ".WARMWHEEL-";
/// The staged project, its builds' logs and records, in bytes.
const RECORDS_BYTES: u64 = 256 * 1000 * 1000;
/// Wheels of a few versions, in bytes.
const WHEELS_BYTES: u64 = 128 * 1000 * 1000;
/// How long an engine may take. One that is starting gets a moment.
const ENGINE_LIMIT: Duration = Duration::from_secs(10);
/// How long ccache may take to tell of itself.
const CCACHE_LIMIT: Duration = Duration::from_secs(5);

/// What `work` comes to if it is done within `limit`, or why not. A system call that never returns, as to
/// a file server that is gone, keeps its thread and nobody else.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more after the limit.
        let _ = sender.send(work());
    });
    receiver.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => format!("no answer within {} s", limit.as_secs()),
        RecvTimeoutError::Disconnected => "the look at it broke off".to_owned(),
    })
}

/// What each engine replies, side by side.
pub(super) fn engines(environment: &Environment) -> Vec<EngineReply> {
    let both = [Engine::Docker, Engine::Podman];
    thread::scope(|scope| {
        let ask = |engine| {
            let reply = move || host::engine_reply(engine, environment, ENGINE_LIMIT);
            (engine, scope.spawn(reply))
        };
        let asked = both.map(ask);
        let replies = asked.into_iter().map(|(engine, thread)| {
            let broken = |_| Some(Reply::Silent("the question broke off".to_owned()));
            EngineReply { engine, reply: thread.join().unwrap_or_else(broken) }
        });
        replies.collect()
    })
}

/// What this machine's ccache tells of itself; `None` if there is none.
pub(super) fn ccache(environment: &Environment) -> Option<Reply> {
    let mut command = process::command(environment.find_program("ccache")?);
    command.args(ARGUMENTS);
    Some(process::reply(command, CCACHE_LIMIT))
}

/// The cache folder, with a file that is there for a moment. It is not made.
pub(super) fn cache_folder(path: &Utf8Path) -> CacheFolder {
    let there = standing(path);
    let refusal = |path: &Utf8Path, error: &io::Error| Refusal {
        path: path.to_path_buf(),
        kind: error.kind(),
        words: error.to_string(),
    };
    let written = write(there).map_err(|error| refusal(there, &error)).and_then(|written| {
        match state::unwritable_folder(path.as_std_path()) {
            None => Ok(written),
            Some((folder, error)) => {
                Err(refusal(Utf8Path::from_path(&folder).unwrap_or(path), &error))
            }
        }
    });
    let whose = written.as_ref().err().map_or(there, |refusal| refusal.path.as_path());
    let mounts = fs::read_to_string(MOUNTS).unwrap_or_default();
    let real = there.canonicalize_utf8();
    let kind = file_system(&mounts, real.as_deref().unwrap_or(there));
    CacheFolder {
        path: path.to_path_buf(),
        standing: there.to_path_buf(),
        is_foreign: is_foreign(whose),
        file_system: kind.map(ToOwned::to_owned),
        written,
    }
}

fn write(folder: &Utf8Path) -> io::Result<Written> {
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no folder"));
    }
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?;
    let found = file.as_file().metadata()?;
    let name = file.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    Ok(Written {
        at_seconds: found.modified().ok().map(seconds),
        ignores_case: folder.join(name).symlink_metadata().is_ok(),
    })
}

/// This moment in seconds since 1970.
pub(super) fn now() -> i64 {
    seconds(SystemTime::now())
}

fn seconds(time: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|error| -whole(error.duration()), whole)
}

/// Room for all that a run writes. What the system does not tell about is left out.
pub(super) fn rooms(
    settings: &Settings,
    records: &Utf8Path,
    held_bytes: u64,
    maxsize: &str,
) -> Vec<Room> {
    let places = [
        (cache::WHAT, settings.ccache_dir.as_path(), cache::added_bytes(maxsize, held_bytes)),
        (WHEELS, settings.output_dir.as_path(), WHEELS_BYTES),
        ("records", records, RECORDS_BYTES),
    ];
    let room = |(what, path, needed_bytes): (&'static str, &Utf8Path, u64)| {
        let there = standing(path);
        Some(Room {
            what,
            path: path.to_path_buf(),
            device: device(there)?,
            free_bytes: free_bytes(there)?,
            needed_bytes,
        })
    };
    places.into_iter().filter_map(room).collect()
}

/// The bound of the cache, as ccache will be told.
pub(super) fn maxsize(environment: &Environment) -> &str {
    environment.get("CCACHE_MAXSIZE").unwrap_or(DEFAULT_MAXSIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_left_alone() {
        let hung = within(Duration::from_millis(10), || thread::sleep(Duration::from_secs(60)));
        assert_eq!(hung.unwrap_err(), "no answer within 0 s");
        assert_eq!(within(Duration::from_secs(60), || 7), Ok(7));
    }

    #[test]
    fn a_folder_is_looked_at_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let found = cache_folder(&root.join("a/cache"));
        assert_eq!(found.standing, root);
        let written = found.written.unwrap();
        assert!((written.at_seconds.unwrap() - now()).abs() < 60, "{written:?}");
        assert_eq!(fs::read_dir(root).unwrap().count(), 0);

        fs::write(root.join("file"), "").unwrap();
        let refusal = cache_folder(&root.join("file/cache")).written.unwrap_err();
        assert_eq!(refusal.kind, io::ErrorKind::NotADirectory);
        assert_eq!(refusal.path, root.join("file"));
    }

    #[test]
    fn seconds_are_negative_before_1970() {
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_secs(5)), -5);
        assert_eq!(seconds(UNIX_EPOCH + Duration::from_secs(5)), 5);
    }
}
