//! `/crm-pipelines/v1/pipelines/{type}` and `/deals/v1/pipelines`: the v3 answers in older clothes.

use http::Method;
use serde_json::{Value, json};

use super::super::{Access, Answer, Route, pipelines, route};
use super::record::{millis, own};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;

pub(super) const ROUTES: &[Route] = &[route(
    Method::GET,
    "{type}",
    Toll::General,
    Access::ReadDefinitions,
    list,
)];

pub(super) const DEAL_ROUTES: &[Route] = &[route(
    Method::GET,
    "",
    Toll::General,
    Access::ReadRecordsOf("deals"),
    deals,
)];

fn list(emulator: &Inner, call: &Call) -> Answer {
    let (name, id) = {
        let portal = emulator.portal();
        let object_type = &portal.store(portal.type_index(call.param(0))?).object_type;
        (object_type.singular.to_uppercase(), object_type.id.clone())
    };
    let results: Vec<Value> = current(emulator, call.param(0))?
        .iter()
        .map(|pipeline| pipeline_json(pipeline, &name, &id))
        .collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

/// The pipelines as v3 shows them.
fn current(emulator: &Inner, object_type: &str) -> Result<Vec<Value>, Failure> {
    let reply = pipelines::list(emulator, &own(object_type))?;
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    Ok(body["results"].as_array().cloned().unwrap_or_default())
}

fn pipeline_json(pipeline: &Value, object_type: &str, type_id: &str) -> Value {
    let stages = pipeline["stages"].as_array().into_iter().flatten();
    json!({
        "pipelineId": pipeline["id"],
        "label": pipeline["label"],
        "displayOrder": pipeline["displayOrder"],
        "objectType": object_type,
        "objectTypeId": type_id,
        "active": pipeline["archived"] == false,
        "default": pipeline["displayOrder"] == 0,
        "createdAt": millis(&pipeline["createdAt"]),
        "updatedAt": millis(&pipeline["updatedAt"]),
        "stages": stages.map(stage_json).collect::<Vec<_>>(),
    })
}

fn stage_json(stage: &Value) -> Value {
    json!({
        "stageId": stage["id"],
        "label": stage["label"],
        "displayOrder": stage["displayOrder"],
        "metadata": stage["metadata"],
        "active": stage["archived"] == false,
        "createdAt": millis(&stage["createdAt"]),
        "updatedAt": millis(&stage["updatedAt"]),
    })
}

fn deals(emulator: &Inner, _: &Call) -> Answer {
    let pipelines: Vec<Value> = current(emulator, "deals")?.iter().map(deal_pipeline).collect();
    Ok(Reply::value(200, &pipelines.into()))
}

fn deal_pipeline(pipeline: &Value) -> Value {
    let stages = pipeline["stages"].as_array().into_iter().flatten();
    json!({
        "pipelineId": pipeline["id"],
        "label": pipeline["label"],
        "displayOrder": pipeline["displayOrder"],
        "active": pipeline["archived"] == false,
        "staticDefault": pipeline["id"] == "default",
        "stages": stages.map(deal_stage).collect::<Vec<_>>(),
    })
}

fn deal_stage(stage: &Value) -> Value {
    let probability = stage["metadata"]["probability"].as_str().unwrap_or("0");
    let probability: f64 = probability.parse().unwrap_or(0.0);
    json!({
        "stageId": stage["id"],
        "label": stage["label"],
        "displayOrder": stage["displayOrder"],
        "active": stage["archived"] == false,
        "probability": probability,
        "closedWon": probability >= 1.0,
    })
}
