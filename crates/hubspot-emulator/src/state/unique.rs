//! Which record holds a value that no two may hold, such as a contact's e-mail address.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::index::Slot;

/// Values by hash, so that a million addresses cost a few bytes each. The caller compares the value it finds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unique(HashMap<u64, Slot>);

fn key(value: &str) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    value.to_lowercase().hash(&mut hasher);
    (!value.is_empty()).then(|| hasher.finish())
}

impl Unique {
    pub(crate) fn get(&self, value: &str) -> Option<Slot> {
        self.0.get(&key(value)?).copied()
    }

    pub(crate) fn insert(&mut self, value: &str, slot: Slot) {
        if let Some(key) = key(value) {
            self.0.insert(key, slot);
        }
    }

    /// Forgets a value, if it is still this record's.
    pub(crate) fn remove(&mut self, value: &str, slot: Slot) {
        if let Some(key) = key(value)
            && self.0.get(&key) == Some(&slot)
        {
            self.0.remove(&key);
        }
    }
}
