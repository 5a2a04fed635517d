//! Pipelines and their stages.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Results;
use crate::{client::Client, decode, error::Error, request};

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

impl Client {
    /// All pipelines of an object type.
    pub async fn pipelines(&self, object_type: &str) -> Result<Vec<Pipeline>, Error> {
        let request = request::pipelines::list(self.api_version(), object_type)?;
        let answer: Results<_> = self
            .fetch(request, |response| decode::definition(response.body()))
            .await?;
        Ok(answer.results)
    }
}
