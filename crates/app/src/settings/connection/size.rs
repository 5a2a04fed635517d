//! How large a response may be.

use std::fmt;
use std::str::FromStr;

use hubspot_client::MAX_RESPONSE_SIZE;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::scalar::scalar;

const MEGABYTE: usize = 1024 * 1024;

/// A number of bytes, written in megabytes or gigabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(usize);

impl Default for Size {
    fn default() -> Self {
        Self(MAX_RESPONSE_SIZE)
    }
}

impl Size {
    pub(crate) fn bytes(self) -> usize {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}MB", self.0 / MEGABYTE)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let megabytes = |number: &str, unit: usize| number.trim().parse::<usize>().ok()?.checked_mul(unit);
        let size = match text.strip_suffix("GB") {
            Some(number) => megabytes(number, 1024),
            None => text.strip_suffix("MB").and_then(|number| megabytes(number, 1)),
        };
        size.filter(|size| *size > 0)
            .and_then(|size| size.checked_mul(MEGABYTE))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a size; write `256MB` or `1GB`"))
    }
}

scalar!(Size);

impl JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[1-9][0-9]* *(MB|GB)$", "examples": ["256MB"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_are_not_nothing() {
        let read = |text: &str| text.parse::<Size>().map(|size| size.to_string());
        assert_eq!(read("64MB").as_deref(), Ok("64MB"));
        assert_eq!(read("2 GB").as_deref(), Ok("2048MB"));
        assert_eq!(Size::default().to_string(), "256MB");
        for wrong in ["", "0MB", "64", "64kB", "-1MB", "99999999999999999999GB"] {
            assert!(read(wrong).unwrap_err().contains("256MB"), "{wrong}");
        }
    }
}
