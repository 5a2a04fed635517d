//! How often to ask for changes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// When `poll` is left out.
pub(super) const DEFAULT: Duration = Duration::from_secs(30);
/// More often than this burns the account's quota for nothing: search lags by seconds (hubspot-api notes §1.5).
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
/// The recycle bin keeps 90 days (hubspot-api notes §1.3); a day between polls is far from it.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// The time between two questions for changes, written as `5s`, `30m`, `1h` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollInterval(Duration);

impl PollInterval {
    /// The interval as a duration.
    pub fn get(self) -> Duration {
        self.0
    }
}

impl Default for PollInterval {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl fmt::Display for PollInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = SignedDuration::try_from(self.0).expect("an interval is at most a day");
        write!(f, "{duration:#}")
    }
}

impl FromStr for PollInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .parse::<SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok());
        let within = parsed.filter(|duration| (SHORTEST..=LONGEST).contains(duration));
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

impl Serialize for PollInterval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for PollInterval {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PollInterval".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["5s", "30m", "1h"]})
    }
}
