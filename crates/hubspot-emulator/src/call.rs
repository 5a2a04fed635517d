//! One request to the emulated HubSpot, read once: path, query, body.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::failure::Failure;

#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// Where the caller reached the emulator, for links back: `127.0.0.1:8400`.
    pub(crate) host: String,
    pub(crate) body: bytes::Bytes,
    /// What the body is said to be; names the boundary of an upload.
    pub(crate) content_type: String,
    /// Which app the caller's token belongs to.
    pub(crate) app: String,
    /// The parts of the path that the route's placeholders stand for, decoded.
    pub(crate) params: Vec<String>,
}

impl Call {
    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A list parameter: comma-separated, and also repeated (hubspot-api notes §1.3).
    pub(crate) fn list<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c str> {
        let values = self
            .query
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        values
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|word| !word.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.query(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// Reads the page size; a limit that is out of range is refused.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Failure> {
        let Some(text) = self.query("limit") else {
            return Ok(default);
        };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| {
            Failure::validation(format!(
                "Invalid value for limit: {text}. It must be between 1 and {most}."
            ))
        })
    }

    /// Reads the body; an empty one counts as `{}`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body)
            .map_err(|error| Failure::validation(format!("Invalid input JSON: {error}")))
    }

    /// An absolute link to this emulator.
    pub(crate) fn link(&self, path: &str, query: &[(&str, &str)]) -> String {
        let pairs = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        format!("http://{}{path}?{pairs}", self.host)
    }

    /// A link to the next page of the same request.
    pub(crate) fn next_link(&self, after: &str) -> String {
        let kept = self
            .query
            .iter()
            .filter(|(key, _)| key != "after")
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let query: Vec<(&str, &str)> = kept.chain([("after", after)]).collect();
        self.link(&self.path, &query)
    }
}

/// Decodes `%40` and the like; what is not an escape stays as it is.
pub(crate) fn decode_segment(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return segment.into();
    }
    let plus_kept = segment.replace('+', "%2B");
    let pair = format!("x={plus_kept}");
    let decoded = form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned());
    decoded.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_but_plus_stays_plus() {
        assert_eq!(decode_segment("a%40b.c"), "a@b.c");
        assert_eq!(decode_segment("a+b%40c"), "a+b@c");
        assert_eq!(decode_segment("100%"), "100%");
    }
}
