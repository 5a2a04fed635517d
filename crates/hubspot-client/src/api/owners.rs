//! Owners, as raw records: they have an id and times like any other.

use crate::{
    client::Client,
    decode,
    error::Error,
    record::{RawObject, RawPage},
    request,
};

impl Client {
    /// One page of owners, up to 500; archived owners only, or live ones only.
    pub async fn owners(&self, after: Option<&str>, archived: bool) -> Result<RawPage, Error> {
        let request = request::owners::list(self.api_version(), after, archived)?;
        self.page("owners", request).await
    }

    /// One owner, by its id or by the id of its user; an archived one only when asked so.
    pub async fn owner(&self, id: &str, by_user_id: bool, archived: bool) -> Result<RawObject, Error> {
        let request = request::owners::get(self.api_version(), id, by_user_id, archived)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }
}
