//! Marketing events: create, read, list, change and delete, by the app's own id and by object id. Attendance,
//! participations, associations with lists and the apps' settings answer 501.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::marketing_events::{MarketingEvent, MarketingEvents};
use crate::time::{Millis, iso, parse_iso};

const READ: Access = Access::Scope("crm.objects.marketing_events.read");
const WRITE: Access = Access::Scope("crm.objects.marketing_events.write");
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", TOLL, READ, list),
    route(Method::POST, "events", TOLL, WRITE, create),
    route(Method::POST, "events/upsert", TOLL, WRITE, upsert_batch),
    route(Method::POST, "events/delete", TOLL, WRITE, delete_batch),
    route(Method::GET, "events/search", TOLL, READ, search),
    route(Method::GET, "events/{external}", TOLL, READ, get),
    route(Method::PUT, "events/{external}", TOLL, WRITE, upsert),
    route(Method::PATCH, "events/{external}", TOLL, WRITE, update),
    route(Method::DELETE, "events/{external}", TOLL, WRITE, delete),
    route(Method::POST, "events/{external}/cancel", TOLL, WRITE, cancel),
    route(Method::POST, "events/{external}/complete", TOLL, WRITE, complete),
    route(Method::POST, "batch/update", TOLL, WRITE, update_batch),
    route(Method::POST, "batch/archive", TOLL, WRITE, delete_by_ids),
    route(Method::GET, "{external}/identifiers", TOLL, READ, identifiers),
    route(Method::GET, "{id}", TOLL, READ, get_by_id),
    route(Method::PATCH, "{id}", TOLL, WRITE, update_by_id),
    route(Method::DELETE, "{id}", TOLL, WRITE, delete_by_id),
];

/// Members of an event that say when something is.
const TIMES: [&str; 2] = ["startDateTime", "endDateTime"];
const TEXTS: [&str; 5] = [
    "eventName",
    "eventType",
    "eventOrganizer",
    "eventDescription",
    "eventUrl",
];
const FLAGS: [&str; 2] = ["eventCancelled", "eventCompleted"];
/// What a new event must have.
const REQUIRED: [&str; 2] = ["eventName", "eventOrganizer"];

type Body = Map<String, Value>;

#[derive(Debug, Deserialize)]
struct Batch<T> {
    #[serde(default = "Vec::new")]
    inputs: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    external_account_id: String,
    external_event_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectId {
    object_id: String,
}

/// The facts that a body tells, checked; other members are left out.
fn facts(body: &Body) -> Result<Body, Failure> {
    let mut facts = Body::new();
    for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        let checked = match name.as_str() {
            name if TIMES.contains(&name) => value.as_str().and_then(parse_iso).map(|at| json!(iso(at))),
            name if TEXTS.contains(&name) => value.as_str().map(Value::from),
            name if FLAGS.contains(&name) => value.as_bool().map(Value::from),
            "customProperties" => value.as_array().map(|list| json!(list)),
            _ => continue,
        };
        let checked =
            checked.ok_or_else(|| Failure::validation(format!("Invalid value for {name}: {value}")))?;
        facts.insert(name.clone(), checked);
    }
    Ok(facts)
}

fn text<'b>(body: &'b Body, name: &str) -> Result<&'b str, Failure> {
    let text = body.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Failure::validation(format!("{name} is required")))
}

fn account(call: &Call) -> Result<&str, Failure> {
    let given = call.query("externalAccountId").filter(|id| !id.is_empty());
    given.ok_or_else(|| Failure::validation("externalAccountId is required"))
}

/// The event that a path and its query name.
fn named<'e>(events: &'e MarketingEvents, call: &Call) -> Result<&'e MarketingEvent, Failure> {
    events
        .known_as(account(call)?, call.param(0))
        .ok_or_else(Failure::not_found)
}

fn with_id<'e>(events: &'e MarketingEvents, id: &str) -> Result<&'e MarketingEvent, Failure> {
    let known = id.parse().ok().and_then(|id| events.get(id));
    known.ok_or_else(Failure::not_found)
}

fn event_json(event: &MarketingEvent) -> Value {
    let mut body = json!({
        "id": event.id.to_string(),
        "objectId": event.id.to_string(),
        "externalEventId": event.external_id,
        "eventCancelled": false,
        "eventCompleted": false,
        "customProperties": [],
        "registrants": 0,
        "attendees": 0,
        "cancellations": 0,
        "noShows": 0,
        "createdAt": iso(event.created),
        "updatedAt": iso(event.updated),
    });
    for (name, value) in &event.facts {
        body[name] = value.clone();
    }
    body
}

fn identity_json(event: &MarketingEvent) -> Value {
    json!({
        "objectId": event.id.to_string(),
        "externalAccountId": event.account,
        "externalEventId": event.external_id,
        "marketingEventName": event.facts.get("eventName"),
    })
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let limit = call.limit(10, 100)?;
    let after = call.query("after").unwrap_or("0");
    let first = after
        .parse()
        .map_err(|_| Failure::validation(format!("Invalid value for after: {after}")))?;
    let events = emulator.marketing_events();
    let page: Vec<&MarketingEvent> = events.from(first).take(limit + 1).collect();
    let results: Vec<Value> = page.iter().take(limit).map(|event| event_json(event)).collect();
    let mut body = json!({"results": results});
    if let Some(next) = page.get(limit) {
        let after = next.id.to_string();
        body["paging"] = json!({"next": {"link": call.next_link(&after), "after": after}});
    }
    Ok(Reply::value(200, &body))
}

/// An event that is there already is a conflict (believed).
fn create(emulator: &Inner, call: &Call) -> Answer {
    let body: Body = call.json()?;
    let mut events = emulator.marketing_events();
    let (account, external) = (text(&body, "externalAccountId")?, text(&body, "externalEventId")?);
    if let Some(known) = events.known_as(account, external) {
        let message = format!("Marketing event already exists. Existing ID: {}", known.id);
        return Err(Failure::new(409, message).category("CONFLICT"));
    }
    let event = write(&mut events, &body, external, emulator.clock.now().wall)?;
    Ok(Reply::value(200, &event))
}

/// Adds or changes the event that a body tells of.
fn write(events: &mut MarketingEvents, body: &Body, external: &str, now: Millis) -> Result<Value, Failure> {
    let (account, facts) = (text(body, "externalAccountId")?, facts(body)?);
    if events.known_as(account, external).is_none() {
        check_required(&facts)?;
    }
    Ok(event_json(events.upsert(account, external, facts, now)))
}

fn check_required(facts: &Body) -> Result<(), Failure> {
    REQUIRED.iter().try_for_each(|name| text(facts, name).map(|_| ()))
}

fn upsert(emulator: &Inner, call: &Call) -> Answer {
    let body: Body = call.json()?;
    let now = emulator.clock.now().wall;
    let event = write(&mut emulator.marketing_events(), &body, call.param(0), now)?;
    Ok(Reply::value(200, &event))
}

/// One bad input fails the batch (believed).
fn upsert_batch(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch<Body> = call.json()?;
    let now = emulator.clock.now().wall;
    let mut events = emulator.marketing_events();
    for body in &batch.inputs {
        let (account, external) = (text(body, "externalAccountId")?, text(body, "externalEventId")?);
        let facts = facts(body)?;
        if events.known_as(account, external).is_none() {
            check_required(&facts)?;
        }
    }
    let write = |body: &Body| write(&mut events, body, text(body, "externalEventId")?, now);
    let results: Vec<Value> = batch.inputs.iter().map(write).collect::<Result<_, _>>()?;
    let at = iso(now);
    let body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    Ok(Reply::value(200, &body))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let events = emulator.marketing_events();
    Ok(Reply::value(200, &event_json(named(&events, call)?)))
}

fn get_by_id(emulator: &Inner, call: &Call) -> Answer {
    let events = emulator.marketing_events();
    Ok(Reply::value(200, &event_json(with_id(&events, call.param(0))?)))
}

fn change(events: &mut MarketingEvents, id: u64, facts: Body, now: Millis) -> Answer {
    let changed = events.change(id, facts, now).ok_or_else(Failure::not_found)?;
    Ok(Reply::value(200, &event_json(changed)))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let facts = facts(&call.json()?)?;
    let mut events = emulator.marketing_events();
    let id = named(&events, call)?.id;
    change(&mut events, id, facts, emulator.clock.now().wall)
}

fn update_by_id(emulator: &Inner, call: &Call) -> Answer {
    let facts = facts(&call.json()?)?;
    let mut events = emulator.marketing_events();
    let id = with_id(&events, call.param(0))?.id;
    change(&mut events, id, facts, emulator.clock.now().wall)
}

/// An unknown event is an error item of a 207.
fn update_batch(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch<Body> = call.json()?;
    let now = emulator.clock.now().wall;
    let wanted: Vec<(&str, Body)> = batch
        .inputs
        .iter()
        .map(|body| Ok((text(body, "objectId")?, facts(body)?)))
        .collect::<Result<_, Failure>>()?;
    let mut events = emulator.marketing_events();
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    for (id, facts) in wanted {
        let changed = id.parse().ok().and_then(|id| events.change(id, facts, now));
        match changed {
            Some(event) => results.push(event_json(event)),
            None => missing.push(id.to_owned()),
        }
    }
    let at = iso(now);
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if missing.is_empty() {
        return Ok(Reply::value(200, &body));
    }
    let error = Failure::new(404, "Could not get some marketing events")
        .category("OBJECT_NOT_FOUND")
        .context("ids", missing);
    body["numErrors"] = 1.into();
    body["errors"] = json!([error.batch_item()]);
    Ok(Reply::value(207, &body))
}

fn cancel(emulator: &Inner, call: &Call) -> Answer {
    let mut events = emulator.marketing_events();
    let id = named(&events, call)?.id;
    let cancelled = Body::from_iter([("eventCancelled".to_owned(), json!(true))]);
    change(&mut events, id, cancelled, emulator.clock.now().wall)
}

/// Completing tells when it was.
fn complete(emulator: &Inner, call: &Call) -> Answer {
    let mut facts = facts(&call.json()?)?;
    TIMES.iter().try_for_each(|name| text(&facts, name).map(|_| ()))?;
    facts.retain(|name, _| TIMES.contains(&name.as_str()));
    facts.insert("eventCompleted".into(), json!(true));
    let mut events = emulator.marketing_events();
    let id = named(&events, call)?.id;
    change(&mut events, id, facts, emulator.clock.now().wall)
}

fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut events = emulator.marketing_events();
    let id = named(&events, call)?.id;
    events.remove(id);
    Ok(Reply::no_content())
}

fn delete_by_id(emulator: &Inner, call: &Call) -> Answer {
    let mut events = emulator.marketing_events();
    let id = with_id(&events, call.param(0))?.id;
    events.remove(id);
    Ok(Reply::no_content())
}

/// 204; unknown events are ignored.
fn delete_batch(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch<Identity> = call.json()?;
    let mut events = emulator.marketing_events();
    for input in batch.inputs {
        let known = events.known_as(&input.external_account_id, &input.external_event_id);
        if let Some(id) = known.map(|event| event.id) {
            events.remove(id);
        }
    }
    Ok(Reply::no_content())
}

fn delete_by_ids(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch<ObjectId> = call.json()?;
    let mut events = emulator.marketing_events();
    for id in batch
        .inputs
        .iter()
        .filter_map(|input| input.object_id.parse().ok())
    {
        events.remove(id);
    }
    Ok(Reply::no_content())
}

/// Events by the app's id, which `q` is the whole of.
fn search(emulator: &Inner, call: &Call) -> Answer {
    let events = emulator.marketing_events();
    let q = call.query("q").filter(|q| !q.is_empty());
    let q = q.ok_or_else(|| Failure::validation("q is required"))?;
    let results: Vec<Value> = events.named(q).map(identity_json).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn identifiers(emulator: &Inner, call: &Call) -> Answer {
    let events = emulator.marketing_events();
    let results: Vec<Value> = events.named(call.param(0)).map(identity_json).collect();
    Ok(Reply::value(
        200,
        &json!({"total": results.len(), "results": results}),
    ))
}
