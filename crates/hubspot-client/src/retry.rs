//! Trying again: what, when, how often. The table is hubspot-api notes §3.1 and §3.2.
//!
//! | What came back | What is done |
//! |---|---|
//! | 429 `TEN_SECONDLY_ROLLING`, `SECONDLY` | again after `Retry-After`, else 10 s, 1 s; by policy name first, then by message |
//! | 429 `DAILY` | not here: the layer around this one sleeps until the next day, and the request begins anew |
//! | 423 | again after 2 s at least: the lock lasts that long |
//! | 477 | again after `Retry-After`, if that is bearable |
//! | 521, 522, 523, 525, 526 | again, backing off: the gateway did not reach HubSpot |
//! | 408, 425, 499, 500, 502, 503, 504, 520 to 530 | again, backing off, where repeating is safe: it may have been done |
//! | a refusal (4xx) without HubSpot's error body, a redirect to another host | a read again, backing off, four times in all |
//! | 401 | again, once, if the token provider has another token |
//! | no connection | again, backing off: nothing was sent |
//! | no whole answer | again, backing off, where repeating is safe |
//! | anything else | never |

mod policy;
mod service;

pub use self::policy::RetryPolicy;
pub(crate) use self::{
    policy::{FOREIGN_ATTEMPTS, LimitPolicy, retry_after},
    service::{Attempts, Retry},
};
