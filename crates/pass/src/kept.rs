//! What was made from files that change seldom, kept beside them for the next who asks.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The latest few values, by what they were made from: the same gives the same, whoever asks.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    most: usize,
    all: Mutex<VecDeque<(K, Arc<V>)>>,
}

impl<K, V> Kept<K, V> {
    /// At most so many: what is in force, what was before, and what tests in one process have each.
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, all: Mutex::new(VecDeque::new()) }
    }

    /// What was made from this.
    pub(crate) fn find<Q: PartialEq + ?Sized>(&self, of: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(key, _)| key.borrow() == of).map(|(_, it)| Arc::clone(it))
    }

    /// Keeps what was made from this, in the place of the oldest.
    pub(crate) fn keep(&self, of: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front((of, Arc::clone(&value)));
        all.truncate(self.most);
        value
    }

    /// Forgets all, as a process does that begins.
    #[cfg(test)]
    pub(crate) fn forget(&self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
