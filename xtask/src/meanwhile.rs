//! Something small that is done again and again while something large goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// Does `work`, and meanwhile `step` every so often until it returns false. `work` never waits for a
/// step that is not due.
pub(crate) fn meanwhile<T>(
    every: Duration,
    mut step: impl FnMut() -> bool + Send,
    work: impl FnOnce() -> T,
) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let watcher = scope.spawn(move || {
            while !over.load(Ordering::SeqCst) && step() {
                thread::park_timeout(every);
            }
        });
        let _end = End { over, watcher: watcher.thread().clone() };
        work()
    })
}

/// Ends the steps, also when the work ends by a panic.
struct End<'a> {
    over: &'a AtomicBool,
    watcher: Thread,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.watcher.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn steps_are_taken_until_the_work_is_done() {
        let (sender, receiver) = mpsc::channel();
        let mut count = 0;
        let step = || {
            count += 1;
            if count == 3 {
                let _ = sender.send(());
            }
            true
        };
        meanwhile(Duration::from_millis(1), step, || receiver.recv().unwrap());
        assert!(count >= 3);
    }

    #[test]
    fn the_work_does_not_wait_for_the_next_step() {
        let began = Instant::now();
        assert_eq!(meanwhile(Duration::from_secs(60), || true, || 7), 7);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_step_can_be_the_last_one() {
        let mut count = 0;
        let step = || {
            count += 1;
            false
        };
        meanwhile(Duration::ZERO, step, || thread::sleep(Duration::from_millis(20)));
        assert_eq!(count, 1);
    }
}
