//! Lists of things that the emulator does not hold: submissions, marketing e-mail, workflows, events. An account that has
//! none of them answers with these empty lists, so a connector that asks for everything gets through. Single
//! things below them, and writes, stay 501.

use http::Method;
use serde_json::{Value, json};

use super::super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::reply::Reply;
use crate::state::resources::FORMS;

type Handler = fn(&Inner, &Call) -> Answer;

const fn list(template: &'static str, handler: Handler) -> Route {
    route(Method::GET, template, Toll::General, Access::Anyone, handler)
}

pub(super) const ROUTES: &[Route] = &[
    list("forms/v2/forms", |emulator, _| {
        Ok(Reply::value(200, &forms(emulator)))
    }),
    list("form-integrations/v1/submissions/forms/{id}", |_, _| {
        answer(&json!({"results": []}))
    }),
    list("automation/v3/workflows", |_, _| {
        answer(&json!({"workflows": []}))
    }),
    list("automation/v4/flows", |_, _| answer(&json!({"results": []}))),
    list("events/v3/events", |_, _| answer(&json!({"results": []}))),
    list("email/public/v1/campaigns", |_, _| offset_list("campaigns")),
    list("email/public/v1/campaigns/by-id", |_, _| offset_list("campaigns")),
    list("email/public/v1/events", |_, _| offset_list("events")),
    list("email/public/v1/subscriptions", |_, _| {
        answer(&json!({"subscriptionDefinitions": []}))
    }),
    list("email/public/v1/subscriptions/timeline", |_, _| {
        offset_list("timeline")
    }),
    list("marketing-emails/v1/emails", |_, call| marketing_emails(call)),
    list("marketing-emails/v1/emails/with-statistics", |_, call| {
        marketing_emails(call)
    }),
];

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn answer(body: &Value) -> Answer {
    Ok(Reply::value(200, body))
}

fn offset_list(name: &str) -> Answer {
    answer(&json!({"hasMore": false, "offset": "", name: []}))
}

fn marketing_emails(call: &Call) -> Answer {
    let number = |name: &str, default: u64| {
        call.query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    answer(&json!({"total": 0, "limit": number("limit", 10), "offset": number("offset", 0), "objects": []}))
}

/// The account's forms in the words of that time: ids are `guid`, times are milliseconds.
fn forms(emulator: &Inner) -> Value {
    let resources = emulator.resources();
    let live = resources
        .shelf(&FORMS)
        .all()
        .filter(|form| form.archived.is_none());
    let told = live.map(|form| {
        json!({
            "guid": form.id,
            "name": form.fields.get("name"),
            "createdAt": form.created,
            "updatedAt": form.updated,
        })
    });
    told.collect()
}
