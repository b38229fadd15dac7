//! A build's place in the ledger: what it expects from earlier runs and what it leaves for later
//! ones. The hook and the host's audit both go through it.

use crate::error::Error;
use crate::ledger::{self, Key};
use crate::state::Marker;
use crate::suspicion::{self, Found, Suspicion};
use crate::verdict::Verdict;

/// A build before the ledger.
#[derive(Debug, Clone)]
pub struct Past<'a> {
    /// Whose entries; `None` without a cache folder that can be written.
    key: Option<Key<'a>>,
    found: Found,
}

impl<'a> Past<'a> {
    /// The build that left `found`, in the ledger that `key` names.
    #[must_use]
    pub fn new(key: Option<Key<'a>>, found: Found) -> Self {
        Self { key, found }
    }

    /// Why a first build without hits should have had some; `None` for any other.
    #[must_use]
    pub fn suspicion(&self, marker: &Marker) -> Option<Suspicion> {
        let key = self.key.filter(|_| *marker == Marker::Made && self.found.entry.hits == 0)?;
        suspicion::suspect(&ledger::read(&key), &self.found)
    }

    /// Writes down what the build left, if its verdict tells.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn note(&self, verdict: Verdict) -> Result<(), Error> {
        let tells = matches!(verdict, Verdict::Hit | Verdict::Cold | Verdict::Miss);
        match self.key.filter(|_| tells) {
            Some(key) => ledger::note(&key, &self.found.entry),
            None => Ok(()),
        }
    }
}
