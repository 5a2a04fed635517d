//! What the tests stand on: a HubSpot to talk to, the program to run, and the comparison with the truth.

pub(crate) mod changing;
pub(crate) mod copy;
pub(crate) mod liar;
pub(crate) mod portal;
pub(crate) mod spoke;

use serde_json::Value;

pub(crate) use portal::Portal;
pub(crate) use spoke::Workplace;

/// What a report says about one stream.
#[track_caller]
pub(crate) fn stream<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut streams = report["streams"].as_array().expect("streams").iter();
    let found = streams.find(|stream| stream["stream"] == name);
    found.unwrap_or_else(|| panic!("the stream {name} is not in {report}"))
}

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, not a number"))
    })
}
