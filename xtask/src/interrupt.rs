//! Signals that ask the run to stop, as a value that can be looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Whether, and how urgently, this process was asked to stop. Clones share their state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    signal: Arc<AtomicI32>,
    count: Arc<AtomicUsize>,
    wider: Option<Box<Interrupt>>,
}

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    #[cfg(unix)]
    pub(crate) fn listen() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        let interrupt = Self::default();
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let heard = interrupt.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                heard.raise(signal);
            }
        });
        Ok(interrupt)
    }

    /// On other systems a console interrupt ends the process at once.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self::default())
    }

    /// One that is raised whenever this one is, and can be raised without it.
    pub(crate) fn narrowed(&self) -> Self {
        Self { wider: Some(Box::new(self.clone())), ..Self::default() }
    }

    /// Records a signal; the first one names the reason.
    pub(crate) fn raise(&self, signal: i32) {
        let _ = self.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of the first signal that asked for a stop.
    pub(crate) fn signal(&self) -> Option<i32> {
        match self.signal.load(Ordering::SeqCst) {
            0 => self.wider.as_ref().and_then(|wider| wider.signal()),
            signal => Some(signal),
        }
    }

    /// Whether it was asked more than once: the person does not want to wait for a clean end.
    pub(crate) fn is_impatient(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 1
            || self.wider.as_ref().is_some_and(|wider| wider.is_impatient())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_names_the_reason_and_the_second_is_impatience() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.signal(), None);
        interrupt.raise(15);
        assert!(!interrupt.is_impatient());
        interrupt.raise(2);
        assert_eq!(interrupt.signal(), Some(15));
        assert!(interrupt.is_impatient());
    }

    #[test]
    fn a_narrowed_one_can_be_raised_alone_and_hears_of_the_wider() {
        let wide = Interrupt::default();
        let narrow = wide.narrowed();
        let other = wide.narrowed();
        narrow.raise(2);
        assert_eq!((narrow.signal(), other.signal(), wide.signal()), (Some(2), None, None));
        wide.raise(15);
        wide.raise(15);
        assert_eq!(other.signal(), Some(15));
        assert!(other.is_impatient());
    }
}
