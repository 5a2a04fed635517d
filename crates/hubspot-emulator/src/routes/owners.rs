//! `/crm/v3/owners` and its dated twin (hubspot-api notes §2.4). Read-only.

use http::Method;
use serde_json::{Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::owners::Owner;
use crate::time::iso;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", Toll::General, Access::ReadOwners, list),
    route(Method::GET, "{id}", Toll::General, Access::ReadOwners, get),
];

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let limit = call.limit(100, 500)?;
    let after: u64 = call
        .query("after")
        .and_then(|after| after.parse().ok())
        .unwrap_or(0);
    let email = call.query("email").filter(|email| !email.is_empty());
    let fits = |owner: &&Owner| {
        owner.archived == call.flag("archived")
            && owner.id >= after
            && email.is_none_or(|email| owner.email == email)
    };
    let page: Vec<&Owner> = portal.owners.iter().filter(fits).take(limit + 1).collect();
    let results: Vec<Value> = page.iter().take(limit).map(|owner| owner_json(owner)).collect();
    let mut body = json!({"results": results});
    if let (Some(last), true) = (page.get(limit - 1), page.len() > limit) {
        let after = (last.id + 1).to_string();
        body["paging"] = json!({"next": {"link": call.next_link(&after), "after": after}});
    }
    Ok(Reply::value(200, &body))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let wanted: Option<u64> = call.param(0).parse().ok();
    let by_user = call.query("idProperty") == Some("userId");
    let owner = portal.owners.iter().find(|owner| {
        let id = if by_user { owner.user_id } else { owner.id };
        Some(id) == wanted && owner.archived == call.flag("archived")
    });
    owner
        .map(|owner| Reply::value(200, &owner_json(owner)))
        .ok_or_else(Failure::not_found)
}

pub(crate) fn owner_json(owner: &Owner) -> Value {
    let user_id = (!owner.archived && !owner.queue).then_some(owner.user_id);
    let teams = owner
        .team
        .map(|(id, name)| json!([{"id": id.to_string(), "name": name, "primary": true}]));
    let mut body = json!({
        "id": owner.id.to_string(),
        "email": owner.email,
        "type": if owner.queue { "QUEUE" } else { "PERSON" },
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": user_id,
        "userIdIncludingInactive": if owner.queue { None } else { Some(owner.user_id) },
        "createdAt": iso(owner.created),
        "updatedAt": iso(owner.updated),
        "archived": owner.archived,
    });
    if let Some(teams) = teams {
        body["teams"] = teams;
    }
    body
}
