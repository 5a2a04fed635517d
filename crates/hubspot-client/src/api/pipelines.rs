//! Pipelines and their stages.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    client::Client,
    decode::Definition,
    error::Error,
    request::{
        self,
        pipelines::{NewPipeline, NewStage},
    },
};

/// A pipeline of an object type. Labels need not be unique, ids are (hubspot-api notes §2.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Pipeline {
    /// Its id, of this account.
    pub id: String,
    /// Name that people see.
    pub label: String,
    /// Its place among others.
    pub display_order: i64,
    /// Its stages.
    pub stages: Vec<Stage>,
    /// In the recycle bin.
    pub archived: bool,
    /// When it was made; the epoch for default pipelines.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Stage {
    /// Its id, of this account.
    pub id: String,
    /// Name that people see.
    pub label: String,
    /// Its place among others.
    pub display_order: i64,
    /// `probability` and `isClosed` of deals, `ticketState` of tickets; strings, all of them.
    pub metadata: Map<String, Value>,
    /// In the recycle bin.
    pub archived: bool,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Definition for Pipeline {
    const MUST: &'static [&'static str] = &["id"];
}

impl Definition for Stage {
    const MUST: &'static [&'static str] = &["id"];
}

impl Client {
    /// All pipelines of an object type.
    pub async fn pipelines(&self, object_type: &str) -> Result<Vec<Pipeline>, Error> {
        let request = request::pipelines::list(self.api_version(), object_type)?;
        self.defined(request).await
    }

    /// Makes a pipeline with its stages.
    pub async fn create_pipeline(
        &self,
        object_type: &str,
        pipeline: &NewPipeline,
    ) -> Result<Pipeline, Error> {
        let request = request::pipelines::create(self.api_version(), object_type, pipeline)?;
        self.define(request).await
    }

    /// Changes what `changes` names.
    pub async fn update_pipeline(
        &self,
        object_type: &str,
        id: &str,
        changes: &Map<String, Value>,
    ) -> Result<Pipeline, Error> {
        let request = request::pipelines::update(self.api_version(), object_type, id, changes)?;
        self.define(request).await
    }

    /// Puts another pipeline in the place of one.
    pub async fn replace_pipeline(
        &self,
        object_type: &str,
        id: &str,
        pipeline: &NewPipeline,
    ) -> Result<Pipeline, Error> {
        let request = request::pipelines::replace(self.api_version(), object_type, id, pipeline)?;
        self.define(request).await
    }

    /// Deletes a pipeline that no record is in.
    pub async fn delete_pipeline(&self, object_type: &str, id: &str) -> Result<(), Error> {
        let request = request::pipelines::delete(self.api_version(), object_type, id)?;
        self.done(request).await
    }

    /// Adds a stage to a pipeline.
    pub async fn create_stage(&self, object_type: &str, id: &str, stage: &NewStage) -> Result<Stage, Error> {
        let request = request::pipelines::create_stage(self.api_version(), object_type, id, stage)?;
        self.define(request).await
    }

    /// Changes what `changes` names of a stage, which is named by its pipeline's id and its own.
    pub async fn update_stage(
        &self,
        object_type: &str,
        ids: (&str, &str),
        changes: &Map<String, Value>,
    ) -> Result<Stage, Error> {
        let request = request::pipelines::update_stage(self.api_version(), object_type, ids, changes)?;
        self.define(request).await
    }

    /// Deletes a stage, which is named by its pipeline's id and its own.
    pub async fn delete_stage(&self, object_type: &str, ids: (&str, &str)) -> Result<(), Error> {
        let request = request::pipelines::delete_stage(self.api_version(), object_type, ids)?;
        self.done(request).await
    }
}
