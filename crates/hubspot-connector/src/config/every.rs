//! How often something is done again, how far back it looks.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The recycle bin keeps 90 days (hubspot-api notes §1.3): who looks less often than once in thirty may miss deletes.
const LONGEST: Duration = Duration::from_hours(24 * 30);

/// A time of up to thirty days, written as `5s`, `30m`, `1h` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(Duration);

impl Interval {
    /// # Panics
    /// When it is longer than thirty days: for constants.
    pub const fn from_secs(seconds: u64) -> Self {
        assert!(seconds <= LONGEST.as_secs(), "at most thirty days");
        Self(Duration::from_secs(seconds))
    }

    /// The interval as a duration.
    pub fn get(self) -> Duration {
        self.0
    }

    /// The interval as a difference of times.
    pub fn span(self) -> SignedDuration {
        SignedDuration::try_from(self.0).expect("an interval is at most thirty days")
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.span())
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.parse::<SignedDuration>().ok();
        let within = parsed
            .and_then(|duration| Duration::try_from(duration).ok())
            .filter(|duration| *duration <= LONGEST);
        within.map(Self).ok_or_else(|| {
            format!("`{text}` is not a time of up to 30 days; write `5s`, `30m`, `1h` or `24h`")
        })
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Interval {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Interval".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["5s", "30m", "1h"]})
    }
}

/// How often a walk is taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Every {
    /// The time from the beginning of one to the beginning of the next, such as `15m` or `24h`.
    pub every: Interval,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let seconds = |text: &str| text.parse::<Interval>().map(|interval| interval.get().as_secs());
        assert_eq!(seconds("5s"), Ok(5));
        assert_eq!(seconds("1h 30m"), Ok(5_400));
        assert_eq!(seconds("0s"), Ok(0));
        for wrong in ["5", "-5s", "1000h", "soon"] {
            assert!(seconds(wrong).unwrap_err().contains(&format!("`{wrong}`")));
        }
        assert_eq!("90m".parse::<Interval>().unwrap().to_string(), "1h 30m");
    }
}
