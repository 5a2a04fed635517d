//! Owners, as raw records: they have an id and times like any other.

use crate::{client::Client, error::Error, record::RawPage, request};

impl Client {
    /// One page of owners, up to 500; archived owners only, or live ones only.
    pub async fn owners(&self, after: Option<&str>, archived: bool) -> Result<RawPage, Error> {
        let request = request::owners::list(self.api_version(), after, archived)?;
        self.page("owners", request).await
    }
}
