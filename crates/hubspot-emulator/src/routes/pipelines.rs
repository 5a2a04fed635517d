//! `/crm/v3/pipelines/{type}` and its dated twin: reading pipelines and stages (hubspot-api notes §2.3).

use http::Method;
use serde_json::{Map, Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::pipelines::{Pipeline, Stage};
use crate::state::portal::Portal;
use crate::time::iso;

const READ: Access = Access::ReadDefinitions;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "{type}", TOLL, READ, list),
    route(Method::GET, "{type}/{id}", TOLL, READ, get),
    route(Method::GET, "{type}/{id}/stages", TOLL, READ, stages),
    route(Method::GET, "{type}/{id}/stages/{stage}", TOLL, READ, stage),
];

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index(call.param(0))?;
    let pipelines = portal
        .pipelines
        .iter()
        .filter(|(index, _)| *index == of)
        .map(|(_, pipeline)| pipeline);
    let results: Vec<Value> = (0..)
        .zip(pipelines)
        .map(|(order, pipeline)| pipeline_json(order, pipeline))
        .collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

fn find<'p>(portal: &'p Portal, call: &Call) -> Result<(usize, &'p Pipeline), Failure> {
    let of = portal.type_index(call.param(0))?;
    let mut pipelines = portal
        .pipelines
        .iter()
        .filter(|(index, _)| *index == of)
        .map(|(_, pipeline)| pipeline)
        .enumerate();
    pipelines
        .find(|(_, pipeline)| pipeline.id == call.param(1))
        .ok_or_else(Failure::not_found)
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let (order, pipeline) = find(&portal, call)?;
    Ok(Reply::value(200, &pipeline_json(order, pipeline)))
}

fn stages(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let (_, pipeline) = find(&portal, call)?;
    Ok(Reply::value(200, &json!({"results": stages_json(pipeline)})))
}

fn stage(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let (_, pipeline) = find(&portal, call)?;
    let found = pipeline
        .stages
        .iter()
        .enumerate()
        .find(|(_, stage)| stage.id == call.param(2));
    let (order, stage) = found.ok_or_else(Failure::not_found)?;
    Ok(Reply::value(200, &stage_json(order, stage, pipeline)))
}

fn pipeline_json(order: usize, pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id,
        "label": pipeline.label,
        "displayOrder": order,
        "stages": stages_json(pipeline),
        "createdAt": iso(pipeline.created),
        "updatedAt": iso(pipeline.created),
        "archived": false,
    })
}

fn stages_json(pipeline: &Pipeline) -> Vec<Value> {
    pipeline
        .stages
        .iter()
        .enumerate()
        .map(|(order, stage)| stage_json(order, stage, pipeline))
        .collect()
}

fn stage_json(order: usize, stage: &Stage, pipeline: &Pipeline) -> Value {
    let metadata: Map<String, Value> = stage
        .metadata
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    json!({
        "id": stage.id,
        "label": stage.label,
        "displayOrder": order,
        "metadata": metadata,
        "createdAt": iso(pipeline.created),
        "updatedAt": iso(pipeline.created),
        "archived": false,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    })
}
