//! Pipelines and their stages; not paged (hubspot-api notes §2.3).

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {pipelines}/{type}`
pub fn list(version: &ApiVersion, object_type: &str) -> Result<Request, Error> {
    Target::new(version.pipelines(object_type)).get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn pipelines_are_listed_by_type() {
        let request = list(&ApiVersion::default(), "tickets").unwrap();
        assert_eq!(text(&request), "GET /crm/pipelines/2026-03/tickets");
    }
}
