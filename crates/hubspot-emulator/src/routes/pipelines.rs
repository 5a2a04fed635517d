//! `/crm/v3/pipelines/{type}` and its dated twin: pipelines and their stages (hubspot-api notes §2.3).

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::associations::TypeIndex;
use crate::state::filter::Text;
use crate::state::pipelines::{self, Pipeline, Stage};
use crate::state::portal::Portal;
use crate::time::{Millis, iso};

const READ: Access = Access::ReadDefinitions;
const WRITE: Access = Access::WriteDefinitions;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "{type}", TOLL, READ, list),
    route(Method::POST, "{type}", TOLL, WRITE, create),
    route(Method::GET, "{type}/{id}", TOLL, READ, get),
    route(Method::PUT, "{type}/{id}", TOLL, WRITE, replace),
    route(Method::PATCH, "{type}/{id}", TOLL, WRITE, update),
    route(Method::DELETE, "{type}/{id}", TOLL, WRITE, delete),
    route(Method::GET, "{type}/{id}/stages", TOLL, READ, stages),
    route(Method::POST, "{type}/{id}/stages", TOLL, WRITE, create_stage),
    route(Method::GET, "{type}/{id}/stages/{stage}", TOLL, READ, stage),
    route(
        Method::PUT,
        "{type}/{id}/stages/{stage}",
        TOLL,
        WRITE,
        replace_stage,
    ),
    route(
        Method::PATCH,
        "{type}/{id}/stages/{stage}",
        TOLL,
        WRITE,
        update_stage,
    ),
    route(
        Method::DELETE,
        "{type}/{id}/stages/{stage}",
        TOLL,
        WRITE,
        delete_stage,
    ),
];

const MOST_STAGES: usize = 100;

/// The body of a write of a pipeline; an update leaves out what stays.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    pipeline_id: Option<String>,
    label: Option<String>,
    display_order: Option<i64>,
    stages: Vec<AskedStage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AskedStage {
    stage_id: Option<String>,
    label: Option<String>,
    display_order: Option<i64>,
    metadata: Option<BTreeMap<String, Text>>,
}

fn type_of(portal: &Portal, call: &Call) -> Result<TypeIndex, Failure> {
    let of = portal.type_index(call.param(0))?;
    let known = pipelines::properties(&portal.store(of).object_type);
    known
        .map(|_| of)
        .ok_or_else(|| Failure::validation(format!("{} has no pipelines", call.param(0))))
}

fn sorted(portal: &Portal, of: TypeIndex) -> Vec<&Pipeline> {
    let own = portal.pipelines.iter().filter(|(index, _)| *index == of);
    let mut own: Vec<&Pipeline> = own.map(|(_, pipeline)| pipeline).collect();
    own.sort_by_key(|pipeline| pipeline.order);
    own
}

pub(super) fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = type_of(&portal, call)?;
    let results: Vec<Value> = sorted(&portal, of).into_iter().map(pipeline_json).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

fn find<'p>(portal: &'p Portal, call: &Call) -> Result<&'p Pipeline, Failure> {
    let of = type_of(portal, call)?;
    let mut own = portal.pipelines.iter().filter(|(index, _)| *index == of);
    own.find(|(_, pipeline)| pipeline.id == call.param(1))
        .map(|(_, pipeline)| pipeline)
        .ok_or_else(Failure::not_found)
}

fn find_mut<'p>(portal: &'p mut Portal, call: &Call) -> Result<(TypeIndex, &'p mut Pipeline), Failure> {
    let of = type_of(portal, call)?;
    let mut own = portal.pipelines.iter_mut().filter(|(index, _)| *index == of);
    own.find(|(_, pipeline)| pipeline.id == call.param(1))
        .map(|(_, pipeline)| (of, pipeline))
        .ok_or_else(Failure::not_found)
}

fn find_stage<'p>(pipeline: &'p Pipeline, call: &Call) -> Result<&'p Stage, Failure> {
    let mut stages = pipeline.stages.iter();
    stages
        .find(|stage| stage.id == call.param(2))
        .ok_or_else(Failure::not_found)
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    Ok(Reply::value(200, &pipeline_json(find(&portal, call)?)))
}

fn stages(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let stages = stages_json(find(&portal, call)?);
    Ok(Reply::value(200, &json!({"results": stages})))
}

fn stage(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let stage = find_stage(find(&portal, call)?, call)?;
    Ok(Reply::value(200, &stage_json(stage)))
}

pub(crate) fn pipeline_json(pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id,
        "label": pipeline.label,
        "displayOrder": pipeline.order,
        "stages": stages_json(pipeline),
        "createdAt": iso(pipeline.created),
        "updatedAt": iso(pipeline.updated),
        "archived": false,
    })
}

fn stages_json(pipeline: &Pipeline) -> Vec<Value> {
    let mut stages: Vec<&Stage> = pipeline.stages.iter().collect();
    stages.sort_by_key(|stage| stage.order);
    stages.into_iter().map(stage_json).collect()
}

fn stage_json(stage: &Stage) -> Value {
    json!({
        "id": stage.id,
        "label": stage.label,
        "displayOrder": stage.order,
        "metadata": stage.metadata,
        "createdAt": iso(stage.created),
        "updatedAt": iso(stage.updated),
        "archived": false,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    })
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::validation(format!("{what} is required")))
}

fn new_stage(portal: &mut Portal, of: TypeIndex, asked: AskedStage, now: Millis) -> Result<Stage, Failure> {
    let metadata = asked.metadata.unwrap_or_default();
    Ok(Stage {
        label: required(asked.label.filter(|label| !label.is_empty()), "label")?,
        order: required(asked.display_order, "displayOrder")?,
        metadata: checked(&portal.store(of).object_type.plural, metadata)?,
        id: asked.stage_id.unwrap_or_else(|| portal.mint().to_string()),
        created: now,
        updated: now,
    })
}

/// Deals need a probability; what is closed follows from it. Tickets are open unless they say otherwise.
fn checked(object_type: &str, metadata: BTreeMap<String, Text>) -> Result<BTreeMap<String, String>, Failure> {
    let texts = metadata.into_iter().map(|(key, value)| (key, value.into_text()));
    let mut metadata: BTreeMap<String, String> = texts.collect();
    if object_type == "deals" {
        let probability = metadata
            .get("probability")
            .and_then(|text| text.parse::<f64>().ok());
        let probability = probability.filter(|share| (0.0..=1.0).contains(share));
        let probability = required(probability, "metadata.probability, a number between 0.0 and 1.0,")?;
        let closed = probability <= 0.0 || probability >= 1.0;
        metadata
            .entry("isClosed".into())
            .or_insert_with(|| closed.to_string());
    }
    if object_type == "tickets" {
        let state = metadata
            .entry("ticketState".into())
            .or_insert_with(|| "OPEN".into());
        let closed = state == "CLOSED";
        if !closed && state != "OPEN" {
            return Err(Failure::validation("metadata.ticketState must be OPEN or CLOSED"));
        }
        metadata.insert("isClosed".into(), closed.to_string());
    }
    Ok(metadata)
}

fn new_pipeline(portal: &mut Portal, of: TypeIndex, asked: Asked, now: Millis) -> Result<Pipeline, Failure> {
    if asked.stages.is_empty() || asked.stages.len() > MOST_STAGES {
        let message = format!("A pipeline must have between 1 and {MOST_STAGES} stages");
        return Err(Failure::validation(message));
    }
    let mut stages = Vec::new();
    for stage in asked.stages {
        stages.push(new_stage(portal, of, stage, now)?);
    }
    Ok(Pipeline {
        label: required(asked.label.filter(|label| !label.is_empty()), "label")?,
        order: required(asked.display_order, "displayOrder")?,
        id: asked.pipeline_id.unwrap_or_else(|| portal.mint().to_string()),
        created: now,
        updated: now,
        stages,
    })
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = type_of(&portal, call)?;
    let pipeline = new_pipeline(&mut portal, of, asked, emulator.clock.now().wall)?;
    if sorted(&portal, of).iter().any(|known| known.id == pipeline.id) {
        let message = format!("A pipeline with id {} exists already", pipeline.id);
        return Err(Failure::new(409, message).category("CONFLICT"));
    }
    let body = pipeline_json(&pipeline);
    portal.pipelines.push((of, pipeline));
    portal.offer_stages(of);
    Ok(Reply::value(201, &body))
}

/// Replaces a pipeline and its stages; its id and its creation stay.
fn replace(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = type_of(&portal, call)?;
    let before = find(&portal, call)?.clone();
    let after = new_pipeline(&mut portal, of, asked, emulator.clock.now().wall)?;
    let kept = |stage: &&Stage| !after.stages.iter().any(|new| new.id == stage.id);
    let gone: Vec<String> = before
        .stages
        .iter()
        .filter(kept)
        .map(|stage| stage.id.clone())
        .collect();
    check_references(&portal, of, &gone, call)?;
    let (_, known) = find_mut(&mut portal, call)?;
    *known = Pipeline {
        id: before.id,
        created: before.created,
        ..after
    };
    let body = pipeline_json(known);
    portal.offer_stages(of);
    Ok(Reply::value(200, &body))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let (of, pipeline) = find_mut(&mut portal, call)?;
    pipeline.label = asked.label.unwrap_or_else(|| pipeline.label.clone());
    pipeline.order = asked.display_order.unwrap_or(pipeline.order);
    pipeline.updated = emulator.clock.now().wall;
    let body = pipeline_json(pipeline);
    portal.offer_stages(of);
    Ok(Reply::value(200, &body))
}

/// Either spelling asks HubSpot to refuse when records still stand in a stage.
fn check_references(portal: &Portal, of: TypeIndex, stages: &[String], call: &Call) -> Result<(), Failure> {
    let asked =
        call.flag("validateReferencesBeforeDelete") || call.flag("validateDealStageUsagesBeforeDelete");
    let used = stages
        .iter()
        .find(|stage| asked && portal.is_stage_in_use(of, stage));
    let Some(stage) = used else {
        return Ok(());
    };
    let message = format!("Stage ID {stage} is being referenced by records and cannot be deleted");
    Err(Failure::validation(message)
        .sub_category("PipelineError.STAGE_ID_IN_USE")
        .context("stageId", vec![stage.clone()]))
}

fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let of = type_of(&portal, call)?;
    let pipeline = find(&portal, call)?;
    let stages: Vec<String> = pipeline.stages.iter().map(|stage| stage.id.clone()).collect();
    check_references(&portal, of, &stages, call)?;
    portal
        .pipelines
        .retain(|(index, known)| *index != of || known.id != call.param(1));
    portal.offer_stages(of);
    Ok(Reply::no_content())
}

fn create_stage(emulator: &Inner, call: &Call) -> Answer {
    let asked: AskedStage = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = type_of(&portal, call)?;
    let stage = new_stage(&mut portal, of, asked, emulator.clock.now().wall)?;
    let (_, pipeline) = find_mut(&mut portal, call)?;
    if pipeline.stages.len() >= MOST_STAGES {
        let message = format!("A pipeline must have between 1 and {MOST_STAGES} stages");
        return Err(Failure::validation(message));
    }
    if pipeline.stages.iter().any(|known| known.id == stage.id) {
        let message = format!("A stage with id {} exists already", stage.id);
        return Err(Failure::new(409, message).category("CONFLICT"));
    }
    let body = stage_json(&stage);
    pipeline.stages.push(stage);
    portal.offer_stages(of);
    Ok(Reply::value(201, &body))
}

fn replace_stage(emulator: &Inner, call: &Call) -> Answer {
    let asked: AskedStage = call.json()?;
    required(asked.label.as_ref(), "label")?;
    required(asked.display_order, "displayOrder")?;
    change_stage(emulator, call, asked)
}

fn update_stage(emulator: &Inner, call: &Call) -> Answer {
    change_stage(emulator, call, call.json()?)
}

fn change_stage(emulator: &Inner, call: &Call, asked: AskedStage) -> Answer {
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let of = type_of(&portal, call)?;
    let metadata = asked
        .metadata
        .map(|metadata| checked(&portal.store(of).object_type.plural, metadata))
        .transpose()?;
    let (_, pipeline) = find_mut(&mut portal, call)?;
    let mut stages = pipeline.stages.iter_mut();
    let stage = stages
        .find(|stage| stage.id == call.param(2))
        .ok_or_else(Failure::not_found)?;
    stage.label = asked.label.unwrap_or_else(|| stage.label.clone());
    stage.order = asked.display_order.unwrap_or(stage.order);
    stage.metadata = metadata.unwrap_or_else(|| stage.metadata.clone());
    stage.updated = now;
    let body = stage_json(stage);
    portal.offer_stages(of);
    Ok(Reply::value(200, &body))
}

fn delete_stage(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let of = type_of(&portal, call)?;
    let stage = find_stage(find(&portal, call)?, call)?.id.clone();
    check_references(&portal, of, std::slice::from_ref(&stage), call)?;
    let (_, pipeline) = find_mut(&mut portal, call)?;
    pipeline.stages.retain(|known| known.id != stage);
    portal.offer_stages(of);
    Ok(Reply::no_content())
}
