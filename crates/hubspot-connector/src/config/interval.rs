//! How often to ask for changes: an [`Interval`] with bounds of its own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::Interval;

/// When `poll` is left out.
pub(super) const DEFAULT: Interval = Interval::from_secs(30);
/// More often than this burns the account's quota for nothing: search lags by seconds (hubspot-api notes §1.5).
pub(super) const SHORTEST: Interval = Interval::from_secs(1);
/// The recycle bin keeps 90 days (hubspot-api notes §1.3); a day between polls is far from it.
pub(super) const LONGEST: Interval = Interval::from_secs(24 * 60 * 60);

/// The time between two questions for changes, written as `5s`, `30m`, `1h` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct PollInterval(Interval);

impl PollInterval {
    /// The interval as a duration.
    pub fn get(self) -> Duration {
        self.0.get()
    }
}

impl Default for PollInterval {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl fmt::Display for PollInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PollInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.parse::<Interval>().ok();
        let within = parsed.filter(|interval| (SHORTEST..=LONGEST).contains(interval));
        within.map(Self).ok_or_else(|| {
            format!("`poll` is `{text}`, which is not a time from 1 second to 1 day; write `5s`, `30s`, `30m` or `1h`")
        })
    }
}

impl<'de> Deserialize<'de> for PollInterval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
