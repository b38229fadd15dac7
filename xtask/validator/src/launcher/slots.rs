//! How many compilers may run at once in all builds that share a cache folder. Each build starts as
//! many as its own settings say; side by side that would be a multiple of the cores, and of the
//! memory that one build needs.
//!
//! A slot is a file that is locked while a compiler runs. The system lets go of it with the process,
//! however that ends, so a slot is never lost.

use crate::environment::Environment;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How many there are; 0 and anything that is no number are no bound.
pub(super) const COUNT: &str = "WARMWHEEL_COMPILERS";
/// More make no sense on any machine.
const MAX_COUNT: u32 = 4096;
/// How often a free slot is looked for, when there was none. Compilations take a hundred times that.
const PAUSE: Duration = Duration::from_millis(3);

/// Waits for a free slot, which is held as long as what is returned. `None` where there is no bound,
/// or nothing to lock: then the compiler runs all the same.
pub(super) fn take(environment: &Environment) -> Option<File> {
    let count: u32 = environment.get(COUNT)?.to_str()?.parse().ok()?;
    if count == 0 || count > MAX_COUNT {
        return None;
    }
    let folder = PathBuf::from(environment.get("CCACHE_DIR")?).join("warmwheel/slots");
    fs::create_dir_all(&folder).ok()?;
    loop {
        // Not all begin at the same one.
        let first = std::process::id();
        for step in 0..count {
            let slot = first.wrapping_add(step) % count;
            let file = open(&folder.join(slot.to_string()))?;
            if file.try_lock().is_ok() {
                return Some(file);
            }
        }
        thread::sleep(PAUSE);
    }
}

fn open(path: &Path) -> Option<File> {
    File::options().create(true).truncate(false).write(true).open(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(folder: &Path, count: &str) -> Environment {
        let folder = folder.as_os_str().to_os_string();
        Environment::from_pairs([(COUNT, count.into()), ("CCACHE_DIR", folder)])
    }

    #[test]
    fn there_are_as_many_as_asked_for_and_each_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path(), "2");
        let held = [take(&environment).unwrap(), take(&environment).unwrap()];
        let slots = folder.path().join("warmwheel/slots");
        for slot in ["0", "1"] {
            assert!(open(&slots.join(slot)).unwrap().try_lock().is_err(), "{slot} is taken");
        }
        drop(held);
        assert!(take(&environment).is_some());
    }

    #[test]
    fn without_a_bound_or_a_folder_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        for count in ["0", "many", "-1", "99999"] {
            assert!(take(&environment(folder.path(), count)).is_none(), "{count}");
        }
        assert!(take(&environment(Path::new("/dev/null"), "2")).is_none());
    }

    #[test]
    fn who_waits_gets_the_slot_that_becomes_free() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path(), "1");
        let held = take(&environment).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| take(&environment).is_some());
            thread::sleep(PAUSE);
            assert!(!waiting.is_finished());
            drop(held);
            assert!(waiting.join().unwrap());
        });
    }
}
