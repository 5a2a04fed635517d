//! Where the day's calls are counted.

use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

/// Counts the calls of a day, so that a ceiling holds across restarts and across programs.
///
/// Calls are taken out of the day before they are made, a few at a time. What was taken and not used when a program
/// ends is lost to the day: a ceiling may be missed by a few calls, and is never exceeded.
#[async_trait]
pub trait CallLedger: Send + Sync + fmt::Debug {
    /// Takes up to `calls` of the `max` calls of `day` (`2026-11-27`) and returns how many it got; 0 when the day is
    /// used up. They must be taken durably when this returns, and at once: two programs never get the same call.
    async fn take(&self, day: &str, calls: u64, max: u64) -> Result<u64, Box<dyn StdError + Send + Sync>>;
}

/// Counts in memory: a restart begins at zero.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<HashMap<String, u64>>);

#[async_trait]
impl CallLedger for MemoryLedger {
    async fn take(&self, day: &str, calls: u64, max: u64) -> Result<u64, Box<dyn StdError + Send + Sync>> {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = days.entry(day.to_owned()).or_default();
        let granted = calls.min(max.saturating_sub(*taken));
        *taken += granted;
        Ok(granted)
    }
}
