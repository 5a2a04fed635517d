//! Rows of HubDB tables, as raw records. What is written is seen once the table is
//! [published](Client::publish_table).

use serde::Serialize;

use crate::{
    client::Client,
    decode,
    error::Error,
    http::Request,
    record::{RawObject, RawPage},
    request,
};

impl Client {
    /// One page of the rows of a table's draft.
    pub async fn draft_rows(&self, table: &str, after: Option<&str>) -> Result<RawPage, Error> {
        let request = request::rows::drafts(self.api_version(), table, after)?;
        self.page(&format!("rows of the draft of the table {table}"), request)
            .await
    }

    /// Makes a row: `{"values": {..}}`, by the names of the columns.
    pub async fn create_row(&self, table: &str, row: &impl Serialize) -> Result<RawObject, Error> {
        let request = request::rows::create(self.api_version(), table, row)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Sets some values of a row.
    pub async fn update_row(&self, table: &str, id: &str, row: &impl Serialize) -> Result<RawObject, Error> {
        let request = request::rows::update(self.api_version(), table, id, row)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Deletes a row.
    pub async fn delete_row(&self, table: &str, id: &str) -> Result<(), Error> {
        self.done(request::rows::delete(self.api_version(), table, id)?)
            .await
    }

    /// Makes up to 100 rows.
    pub async fn create_rows(&self, table: &str, rows: &[impl Serialize]) -> Result<Vec<RawObject>, Error> {
        let request = request::rows::batch_create(self.api_version(), table, rows)?;
        self.results(request).await
    }

    /// Sets values of up to 100 rows, each of which names its `id`.
    pub async fn update_rows(&self, table: &str, rows: &[impl Serialize]) -> Result<Vec<RawObject>, Error> {
        let request = request::rows::batch_update(self.api_version(), table, rows)?;
        self.results(request).await
    }

    /// Deletes up to 100 rows.
    pub async fn delete_rows(&self, table: &str, ids: &[impl AsRef<str>]) -> Result<(), Error> {
        self.done(request::rows::batch_delete(self.api_version(), table, ids)?)
            .await
    }

    /// The records that a batch answers with.
    pub(crate) async fn results(&self, request: Request) -> Result<Vec<RawObject>, Error> {
        let read = |body: &_| decode::written(body).map(|collection| collection.results);
        self.fetch(request, |response| read(response.body())).await
    }
}
