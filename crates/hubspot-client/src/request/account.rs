//! The account behind the token: the cheapest way to see whether a token works (hubspot-api notes §2.7).

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {account-info}/details`
pub fn details(version: &ApiVersion) -> Result<Request, Error> {
    Target::new(version.account_details()).get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn details_need_no_argument() {
        assert_eq!(
            text(&details(&ApiVersion::Numbered).unwrap()),
            "GET /account-info/v3/details"
        );
    }
}
