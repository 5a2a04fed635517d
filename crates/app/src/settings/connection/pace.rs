//! How much of HubSpot's limits to take.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::scalar::scalar;

/// A part of a whole, from 1% to 100%.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share(u8);

impl Default for Share {
    fn default() -> Self {
        Self(100)
    }
}

impl Share {
    /// Between 0 and 1.
    pub(crate) fn fraction(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text
            .strip_suffix('%')
            .and_then(|number| number.trim().parse().ok());
        let percent = percent.filter(|percent| (1..=100).contains(percent));
        percent
            .map(Self)
            .ok_or_else(|| format!("`use` is `{text}`, which is no share from 1% to 100%; write `80%`"))
    }
}

scalar!(Share);

impl JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^(100|[1-9][0-9]?) *%$", "examples": ["80%"]})
    }
}
