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

/// `GET {owners}/{id}`; by user id when asked so, which is another number than the owner's. An archived owner is found
/// only when asked so.
pub fn get(version: &ApiVersion, id: &str, by_user_id: bool, archived: bool) -> Result<Request, Error> {
    Target::new(version.owners())
        .id("an owner", id)?
        .optional("idProperty", by_user_id.then_some("userId"))
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

    #[test]
    fn an_owner_is_read_by_either_of_its_numbers() {
        let request =
            |by_user_id, archived| text(&get(&ApiVersion::Numbered, "7", by_user_id, archived).unwrap());
        assert_eq!(request(false, false), "GET /crm/v3/owners/7");
        assert_eq!(request(true, false), "GET /crm/v3/owners/7?idProperty=userId");
        assert_eq!(request(false, true), "GET /crm/v3/owners/7?archived=true");
    }
}
