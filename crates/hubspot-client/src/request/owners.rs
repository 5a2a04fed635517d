//! Owners: read-only, paged like records (hubspot-api notes §2.4).

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most owners one page holds.
pub const MAX_PAGE: u16 = 500;

/// `GET {owners}`. Archived owners come only when asked for, and then alone.
pub fn list(version: &ApiVersion, after: Option<&str>, archived: bool) -> Result<Request, Error> {
    Target::new(version.owners())
        .pair("limit", &MAX_PAGE.to_string())
        .optional("after", after)
        .archived(archived)
        .get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn owners_come_in_long_pages() {
        let request = list(&ApiVersion::default(), Some("9"), true).unwrap();
        assert_eq!(
            text(&request),
            "GET /crm/owners/2026-03?limit=500&after=9&archived=true"
        );
    }
}
