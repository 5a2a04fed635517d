//! Stages of pipelines.

use std::collections::BTreeMap;

use hubspot_client::Stage;
use hubspot_client::request::pipelines::NewStage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::pipelines::with_pipelines;
use super::{Act, Action, Effect, members};
use crate::exit::Outcome;
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<CreateStage>(),
    Action::of::<UpdateStage>(),
    Action::of::<ArchiveStage>(),
];

/// A stage to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StageInput {
    /// What people see.
    label: String,
    /// Its place among the others; behind them when left out.
    #[serde(default)]
    display_order: Option<i64>,
    /// `probability` of deals (needed, `"0.2"`), `ticketState` of tickets (`OPEN`, `CLOSED`).
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
}

impl StageInput {
    /// With the place `n`, unless it has one.
    pub(super) fn at(self, n: usize) -> NewStage {
        NewStage {
            label: self.label,
            display_order: self
                .display_order
                .unwrap_or_else(|| i64::try_from(n).unwrap_or(i64::MAX)),
            metadata: self
                .metadata
                .into_iter()
                .map(|(key, value)| (key, text(value)))
                .collect(),
        }
    }
}

/// All metadata are texts (hubspot-api notes §2.3), but people write numbers.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn with_text_metadata(mut changes: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(metadata)) = changes.get_mut("metadata") {
        for value in metadata.values_mut() {
            *value = Value::String(text(value.take()));
        }
    }
    changes
}

/// Adds a stage to a pipeline.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CreateStage {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    /// The pipeline's id.
    pipeline: String,
    #[serde(flatten)]
    stage: StageInput,
}

impl Act for CreateStage {
    const NAME: &'static str = "stage.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = Stage;

    async fn act(self, session: &Session) -> Outcome<Stage> {
        let object = with_pipelines(session, &self.object).await?;
        let pipelines = session.client.pipelines(object.path_name()).await?;
        let found = pipelines.iter().find(|pipeline| pipeline.id == self.pipeline);
        let behind = found.map_or(0, |pipeline| pipeline.stages.len());
        let stage = self.stage.at(behind);
        Ok(session
            .client
            .create_stage(object.path_name(), &self.pipeline, &stage)
            .await?)
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StageChanges {
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Its place among the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_order: Option<i64>,
    /// `probability` of deals, `ticketState` of tickets.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<String, Value>>,
}

/// Changes what is named of a stage; the rest stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct UpdateStage {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    /// The pipeline's id.
    pipeline: String,
    /// The stage's id.
    id: String,
    #[serde(flatten)]
    changes: StageChanges,
}

impl Act for UpdateStage {
    const NAME: &'static str = "stage.update";
    const EFFECT: Effect = Effect::Writes;
    type Output = Stage;

    async fn act(self, session: &Session) -> Outcome<Stage> {
        let object = with_pipelines(session, &self.object).await?;
        let changes = with_text_metadata(members(&self.changes));
        let ids = (&*self.pipeline, &*self.id);
        Ok(session
            .client
            .update_stage(object.path_name(), ids, &changes)
            .await?)
    }
}

/// Deletes a stage of a pipeline.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ArchiveStage {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    /// The pipeline's id.
    pipeline: String,
    /// The stage's id.
    id: String,
}

impl Act for ArchiveStage {
    const NAME: &'static str = "stage.archive";
    const EFFECT: Effect = Effect::Removes;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let object = with_pipelines(session, &self.object).await?;
        session
            .client
            .delete_stage(object.path_name(), (&self.pipeline, &self.id))
            .await?;
        Ok(json!({"object": object.name, "pipeline": self.pipeline, "id": self.id, "archived": true}))
    }
}
