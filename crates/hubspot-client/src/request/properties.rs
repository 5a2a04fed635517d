//! Property definitions of an object type; not paged (hubspot-api notes §2.1).

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {properties}/{type}`. Sensitive properties are left out by HubSpot unless asked for with their scope.
pub fn list(version: &ApiVersion, object_type: &str, archived: bool) -> Result<Request, Error> {
    Target::new(version.properties(object_type))
        .archived(archived)
        .get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn definitions_are_listed_by_type() {
        let request = list(&ApiVersion::default(), "contacts", false).unwrap();
        assert_eq!(text(&request), "GET /crm/properties/2026-03/contacts");
        let request = list(&ApiVersion::Numbered, "deals", true).unwrap();
        assert_eq!(text(&request), "GET /crm/v3/properties/deals?archived=true");
    }
}
