//! What the tests stand on: a HubSpot to talk to, the program to run, and the comparison with the truth.

pub(crate) mod copy;
pub(crate) mod portal;
pub(crate) mod spoke;

pub(crate) use portal::Portal;
pub(crate) use spoke::Workplace;

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, not a number"))
    })
}
