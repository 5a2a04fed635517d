//! Pipelines and their stages.

use hubspot_client::Pipeline;
use hubspot_client::request::pipelines::NewPipeline;
use hubspot_connector::objects::{ObjectType, STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::stages::StageInput;
use super::{Act, Action, Effect, members};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<ListPipelines>(),
    Action::of::<CreatePipeline>(),
    Action::of::<UpdatePipeline>(),
    Action::of::<ReplacePipeline>(),
    Action::of::<ArchivePipeline>(),
];

/// The object type called `name`, if it has pipelines.
pub(super) async fn with_pipelines(session: &Session, name: &str) -> Outcome<ObjectType> {
    let object = session.object(name).await?;
    if object.has_pipelines {
        return Ok(object);
    }
    let have: Vec<_> = STANDARD
        .iter()
        .filter(|object| object.has_pipelines)
        .map(|object| &*object.name)
        .collect();
    Err(Failure::usage(format!("`{}` have no pipelines", object.name))
        .hint(format!("those that do: {}, and custom objects", have.join(", "))))
}

/// Lists the pipelines of an object type with their stages.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListPipelines {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
}

impl Act for ListPipelines {
    const NAME: &'static str = "pipeline.list";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<Pipeline>;

    async fn act(self, session: &Session) -> Outcome<Vec<Pipeline>> {
        let object = with_pipelines(session, &self.object).await?;
        Ok(session.client.pipelines(object.path_name()).await?)
    }
}

/// A pipeline to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PipelineInput {
    /// What people see.
    label: String,
    /// Its place among the others; the first when left out.
    #[serde(default)]
    display_order: i64,
    /// Its stages, in order; at least one.
    stages: Vec<StageInput>,
}

impl PipelineInput {
    fn into_new(self) -> NewPipeline {
        let stages = self
            .stages
            .into_iter()
            .enumerate()
            .map(|(n, stage)| stage.at(n))
            .collect();
        NewPipeline {
            label: self.label,
            display_order: self.display_order,
            stages,
        }
    }
}

/// Makes a pipeline with its stages.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CreatePipeline {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    #[serde(flatten)]
    pipeline: PipelineInput,
}

impl Act for CreatePipeline {
    const NAME: &'static str = "pipeline.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = Pipeline;

    async fn act(self, session: &Session) -> Outcome<Pipeline> {
        let object = with_pipelines(session, &self.object).await?;
        let new = self.pipeline.into_new();
        Ok(session.client.create_pipeline(object.path_name(), &new).await?)
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PipelineChanges {
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Its place among the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_order: Option<i64>,
}

/// Changes what is named of a pipeline; the rest stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct UpdatePipeline {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    /// The pipeline's id.
    id: String,
    #[serde(flatten)]
    changes: PipelineChanges,
}

impl Act for UpdatePipeline {
    const NAME: &'static str = "pipeline.update";
    const EFFECT: Effect = Effect::Writes;
    type Output = Pipeline;

    async fn act(self, session: &Session) -> Outcome<Pipeline> {
        let object = with_pipelines(session, &self.object).await?;
        let changes = members(&self.changes);
        Ok(session
            .client
            .update_pipeline(object.path_name(), &self.id, &changes)
            .await?)
    }
}

/// Puts another pipeline in the place of one: its stages and no others. Stages that are not named are gone.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReplacePipeline {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    /// The pipeline's id, which stays.
    id: String,
    #[serde(flatten)]
    pipeline: PipelineInput,
}

impl Act for ReplacePipeline {
    const NAME: &'static str = "pipeline.replace";
    const EFFECT: Effect = Effect::Irreversible;
    type Output = Pipeline;

    async fn act(self, session: &Session) -> Outcome<Pipeline> {
        let object = with_pipelines(session, &self.object).await?;
        let new = self.pipeline.into_new();
        Ok(session
            .client
            .replace_pipeline(object.path_name(), &self.id, &new)
            .await?)
    }
}

/// Deletes a pipeline. It must have no records.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ArchivePipeline {
    /// Object type: `deals`, `tickets`, a custom object's name.
    object: String,
    /// The pipeline's id.
    id: String,
}

impl Act for ArchivePipeline {
    const NAME: &'static str = "pipeline.archive";
    const EFFECT: Effect = Effect::Removes;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let object = with_pipelines(session, &self.object).await?;
        session
            .client
            .delete_pipeline(object.path_name(), &self.id)
            .await?;
        Ok(json!({"object": object.name, "id": self.id, "archived": true}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_numbered_and_their_metadata_are_texts() {
        let input: PipelineInput = serde_json::from_value(json!({"label": "Sales", "stages": [
            {"label": "New", "metadata": {"probability": 0.2}}, {"label": "Won", "metadata": {"probability": "1.0"}}]}))
        .unwrap();
        let stages = input.into_new().stages;
        assert_eq!((stages[0].display_order, stages[1].display_order), (0, 1));
        assert_eq!(
            (
                &*stages[0].metadata["probability"],
                &*stages[1].metadata["probability"]
            ),
            ("0.2", "1.0")
        );
    }
}
