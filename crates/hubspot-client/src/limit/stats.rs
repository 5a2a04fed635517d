//! Figures of a limiter, for status pages.

use std::time::Duration;

use super::Policy;

/// What a limiter has seen and done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitStats {
    /// Attempts that were let through.
    pub calls: u64,
    /// One entry per limit.
    pub policies: Vec<PolicyStats>,
    /// The day's budget, as last told; OAuth apps have none.
    pub daily: Option<DailyCalls>,
    /// The day's calls are used up.
    pub day_is_over: bool,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyStats {
    /// Which.
    pub policy: Policy,
    /// Requests per interval, as last told.
    pub max: u32,
    /// The interval, as last told.
    pub interval: Duration,
    /// Slots held now.
    pub held: u32,
    /// Requests of other programs that were last seen in the same limit.
    pub foreign: u32,
    /// Requests that wait now.
    pub queued: usize,
    /// Attempts that were let through.
    pub calls: u64,
    /// How many of them had to wait.
    pub waits: u64,
    /// For how long, together.
    pub waited: Duration,
    /// How often HubSpot said 429.
    pub refused: u64,
}

/// The day's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DailyCalls {
    /// Calls a day.
    pub limit: u64,
    /// Calls left today.
    pub remaining: u64,
}
