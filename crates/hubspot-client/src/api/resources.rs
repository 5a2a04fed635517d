//! Forms and the CMS, as raw records: they have an id and times like any other.

use serde::Serialize;

use crate::{
    client::Client,
    decode,
    error::Error,
    record::{RawObject, RawPage},
    request::{self, resources::ResourceList},
    version::Resource,
};

impl Client {
    /// One page of forms, blog posts and the like.
    pub async fn list_resources(&self, list: &ResourceList) -> Result<RawPage, Error> {
        let request = list.request(self.api_version())?;
        self.page(list.resource.name(), request).await
    }

    /// One form, blog post or the like, archived or live as asked.
    pub async fn get_resource(
        &self,
        resource: Resource,
        id: &str,
        archived: bool,
    ) -> Result<RawObject, Error> {
        let request = request::resources::get(self.api_version(), resource, id, archived)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Makes a form, blog post or the like. A HubDB table is seen once it is [published](Client::publish_table).
    pub async fn create_resource(
        &self,
        resource: Resource,
        members: &impl Serialize,
    ) -> Result<RawObject, Error> {
        let request = request::resources::create(self.api_version(), resource, members)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Changes some members of a form, blog post or the like; of a HubDB table, those of its draft.
    pub async fn update_resource(
        &self,
        resource: Resource,
        id: &str,
        members: &impl Serialize,
    ) -> Result<RawObject, Error> {
        let request = request::resources::update(self.api_version(), resource, id, members)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Archives a form, blog post or the like.
    pub async fn archive_resource(&self, resource: Resource, id: &str) -> Result<(), Error> {
        let request = request::resources::archive(self.api_version(), resource, id)?;
        self.done(request).await
    }

    /// Makes up to 100 blog posts, pages or the like.
    pub async fn create_resources(
        &self,
        resource: Resource,
        members: &[impl Serialize],
    ) -> Result<Vec<RawObject>, Error> {
        let request = request::resources::batch_create(self.api_version(), resource, members)?;
        self.results(request).await
    }

    /// Changes up to 100 blog posts, pages or the like, each of which names its `id`.
    pub async fn update_resources(
        &self,
        resource: Resource,
        members: &[impl Serialize],
    ) -> Result<Vec<RawObject>, Error> {
        let request = request::resources::batch_update(self.api_version(), resource, members)?;
        self.results(request).await
    }

    /// Archives up to 100 blog posts, pages or the like.
    pub async fn archive_resources(&self, resource: Resource, ids: &[impl AsRef<str>]) -> Result<(), Error> {
        let request = request::resources::batch_archive(self.api_version(), resource, ids)?;
        self.done(request).await
    }

    /// Makes the draft of a HubDB table the table.
    pub async fn publish_table(&self, table: &str) -> Result<RawObject, Error> {
        let request = request::resources::publish_table(self.api_version(), table)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// One page of the published rows of a HubDB table.
    pub async fn table_rows(&self, table: &str, after: Option<&str>) -> Result<RawPage, Error> {
        let request = request::resources::table_rows(self.api_version(), table, after)?;
        self.page(&format!("rows of the table {table}"), request).await
    }
}
