//! What an account has and may have: how many records, which of the newer objects (hubspot-api notes §1.1, §2.7).

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {limits}/records`: how many records of each type there are and may be.
pub fn records(version: &ApiVersion) -> Result<Request, Error> {
    Target::new(version.limits()).segment("records").get()
}

/// `GET {object-library}/enablement`: which of the newer objects are switched on; of one type, if named by its id.
pub fn enablement(version: &ApiVersion, object_type_id: Option<&str>) -> Result<Request, Error> {
    let target = Target::new(version.object_library());
    match object_type_id {
        Some(id) => target.id("an object type", id)?.get(),
        None => target.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn limits_and_library_have_paths_in_both_generations() {
        assert_eq!(
            text(&records(&ApiVersion::default()).unwrap()),
            "GET /crm/limits/2026-03/records"
        );
        assert_eq!(
            text(&enablement(&ApiVersion::Numbered, None).unwrap()),
            "GET /crm/v3/object-library/enablement"
        );
        assert_eq!(
            text(&enablement(&ApiVersion::default(), Some("0-410")).unwrap()),
            "GET /crm/object-library/2026-03/enablement/0-410"
        );
    }
}
