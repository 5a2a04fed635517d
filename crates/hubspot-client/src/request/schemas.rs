//! Schemas of custom objects; not paged (hubspot-api notes §2.2).

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {schemas}`. Needs an Enterprise account; others answer an empty list or 403.
pub fn list(version: &ApiVersion, archived: bool) -> Result<Request, Error> {
    Target::new(version.schemas()).archived(archived).get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn schemas_are_listed_for_the_account() {
        let request = list(&ApiVersion::Numbered, false).unwrap();
        assert_eq!(text(&request), "GET /crm-object-schemas/v3/schemas");
    }
}
