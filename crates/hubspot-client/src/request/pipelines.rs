//! Pipelines and their stages; not paged (hubspot-api notes §2.3).

use std::collections::BTreeMap;

use http::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Idempotency, Target};
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {pipelines}/{type}`
pub fn list(version: &ApiVersion, object_type: &str) -> Result<Request, Error> {
    Target::new(version.pipelines(object_type)).get()
}

/// A pipeline to make. Labels need not be unique, so a second one makes a second pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewPipeline {
    /// Name that people see.
    pub label: String,
    /// Its place among others.
    pub display_order: i64,
    /// Its stages, at most 100.
    pub stages: Vec<NewStage>,
}

/// A stage to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewStage {
    /// Name that people see.
    pub label: String,
    /// Its place among others.
    pub display_order: i64,
    /// `probability` of deals (required), `ticketState` of tickets; strings, all of them.
    pub metadata: BTreeMap<String, String>,
}

/// `POST {pipelines}/{type}`
pub fn create(version: &ApiVersion, object_type: &str, pipeline: &NewPipeline) -> Result<Request, Error> {
    Target::new(version.pipelines(object_type)).write(Method::POST, Idempotency::Unsafe, pipeline)
}

/// `PATCH {pipelines}/{type}/{id}`: what `changes` names is set, the rest stays.
pub fn update(
    version: &ApiVersion,
    object_type: &str,
    id: &str,
    changes: &Map<String, Value>,
) -> Result<Request, Error> {
    pipeline(version, object_type, id)?.write(Method::PATCH, Idempotency::Safe, changes)
}

/// `PUT {pipelines}/{type}/{id}`: this pipeline and no other stages.
pub fn replace(
    version: &ApiVersion,
    object_type: &str,
    id: &str,
    new: &NewPipeline,
) -> Result<Request, Error> {
    pipeline(version, object_type, id)?.write(Method::PUT, Idempotency::Safe, new)
}

/// `DELETE {pipelines}/{type}/{id}`; refused while records are in it.
pub fn delete(version: &ApiVersion, object_type: &str, id: &str) -> Result<Request, Error> {
    pipeline(version, object_type, id)?
        .pair("validateReferencesBeforeDelete", "true")
        .delete()
}

/// `POST {pipelines}/{type}/{id}/stages`
pub fn create_stage(
    version: &ApiVersion,
    object_type: &str,
    id: &str,
    stage: &NewStage,
) -> Result<Request, Error> {
    pipeline(version, object_type, id)?
        .segment("stages")
        .write(Method::POST, Idempotency::Unsafe, stage)
}

/// `PATCH {pipelines}/{type}/{id}/stages/{stage}`
pub fn update_stage(
    version: &ApiVersion,
    object_type: &str,
    (id, stage_id): (&str, &str),
    changes: &Map<String, Value>,
) -> Result<Request, Error> {
    stage(version, object_type, id, stage_id)?.write(Method::PATCH, Idempotency::Safe, changes)
}

/// `DELETE {pipelines}/{type}/{id}/stages/{stage}`
pub fn delete_stage(
    version: &ApiVersion,
    object_type: &str,
    (id, stage_id): (&str, &str),
) -> Result<Request, Error> {
    stage(version, object_type, id, stage_id)?.delete()
}

fn pipeline(version: &ApiVersion, object_type: &str, id: &str) -> Result<Target, Error> {
    Target::new(version.pipelines(object_type)).id("a pipeline", id)
}

fn stage(version: &ApiVersion, object_type: &str, id: &str, stage: &str) -> Result<Target, Error> {
    pipeline(version, object_type, id)?
        .segment("stages")
        .id("a stage", stage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn pipelines_are_listed_by_type() {
        let request = list(&ApiVersion::default(), "tickets").unwrap();
        assert_eq!(text(&request), "GET /crm/pipelines/2026-03/tickets");
    }

    #[test]
    fn pipelines_are_made_once_changed_and_deleted() {
        const V3: ApiVersion = ApiVersion::Numbered;
        let new = NewPipeline {
            label: "Sales".to_owned(),
            display_order: 1,
            stages: vec![NewStage {
                label: "Won".to_owned(),
                display_order: 0,
                metadata: BTreeMap::from([("probability".to_owned(), "1.0".to_owned())]),
            }],
        };
        let body = "{\"label\":\"Sales\",\"displayOrder\":1,\"stages\":[\
                    {\"label\":\"Won\",\"displayOrder\":0,\"metadata\":{\"probability\":\"1.0\"}}]}";
        let create = create(&V3, "deals", &new).unwrap();
        assert_eq!(text(&create), format!("POST /crm/v3/pipelines/deals {body}"));
        assert_eq!(Idempotency::of(&create), Idempotency::Unsafe);
        let replace = replace(&V3, "deals", "7", &new).unwrap();
        assert_eq!(text(&replace), format!("PUT /crm/v3/pipelines/deals/7 {body}"));
        let changes = Map::from_iter([("label".to_owned(), Value::from("New"))]);
        assert_eq!(
            text(&update(&V3, "deals", "7", &changes).unwrap()),
            "PATCH /crm/v3/pipelines/deals/7 {\"label\":\"New\"}"
        );
        assert_eq!(
            text(&delete(&V3, "deals", "7").unwrap()),
            "DELETE /crm/v3/pipelines/deals/7?validateReferencesBeforeDelete=true"
        );
        assert_eq!(
            text(&update_stage(&V3, "deals", ("7", "won"), &changes).unwrap()),
            "PATCH /crm/v3/pipelines/deals/7/stages/won {\"label\":\"New\"}"
        );
        assert_eq!(
            text(&delete_stage(&V3, "deals", ("7", "won")).unwrap()),
            "DELETE /crm/v3/pipelines/deals/7/stages/won"
        );
        let stage = create_stage(&V3, "deals", "7", &new.stages[0]).unwrap();
        assert_eq!(stage.uri(), "/crm/v3/pipelines/deals/7/stages");
    }
}
