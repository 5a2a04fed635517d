//! How the account behaves towards its callers: time, limits, faults, and the log of what was asked.

pub(crate) mod bend;
pub(crate) mod clock;
pub(crate) mod faults;
pub(crate) mod habits;
pub(crate) mod limits;
pub(crate) mod listing;
pub(crate) mod oauth;
pub(crate) mod request_log;
pub(crate) mod search_habits;
