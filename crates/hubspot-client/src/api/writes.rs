//! Records, written one at a time.

use crate::{
    client::Client,
    decode,
    error::Error,
    record::RawObject,
    request::{
        self,
        writes::{Create, Update},
    },
};

impl Client {
    /// Makes a record. When its answer was lost, it may have been made; look for it before making it again.
    pub async fn create_object(&self, create: &Create) -> Result<RawObject, Error> {
        let request = create.request(self.api_version())?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Sets values of a record. The answer holds the properties that changed and those HubSpot always sends.
    pub async fn update_object(&self, update: &Update) -> Result<RawObject, Error> {
        let request = update.request(self.api_version())?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Puts a record into the recycle bin; fine if it is there already.
    pub async fn archive_object(&self, object_type: &str, id: &str) -> Result<(), Error> {
        let request = request::writes::archive(self.api_version(), object_type, id)?;
        self.send(request).await.map(drop)
    }

    /// Makes one record of two; the survivor may have a new id.
    pub async fn merge_objects(
        &self,
        object_type: &str,
        primary: &str,
        other: &str,
    ) -> Result<RawObject, Error> {
        let request = request::writes::merge(self.api_version(), object_type, primary, other)?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// Erases a contact for good, by id or by a unique property.
    pub async fn gdpr_delete(
        &self,
        object_type: &str,
        id: &str,
        id_property: Option<&str>,
    ) -> Result<(), Error> {
        let request = request::writes::gdpr_delete(self.api_version(), object_type, id, id_property)?;
        self.send(request).await.map(drop)
    }
}
