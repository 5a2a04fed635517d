//! `/settings/v3/users` and its teams. The users are the owners that are people: the emulator has no others.

use http::Method;
use serde_json::{Value, json};

use super::super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::owners::Owner;
use crate::state::portal::Portal;

const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", TOLL, Access::Anyone, list),
    route(Method::GET, "teams", TOLL, Access::Anyone, teams),
    route(Method::GET, "{id}", TOLL, Access::Anyone, get),
];

fn users(portal: &Portal) -> impl Iterator<Item = &Owner> {
    let owners = portal.owners.iter();
    owners.filter(|owner| !owner.archived && !owner.queue)
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let limit = call.limit(100, 100)?;
    let after: u64 = call
        .query("after")
        .and_then(|after| after.parse().ok())
        .unwrap_or(0);
    let page: Vec<&Owner> = users(&portal)
        .filter(|owner| owner.user_id > after)
        .take(limit + 1)
        .collect();
    let results: Vec<Value> = page.iter().take(limit).map(|owner| user_json(owner)).collect();
    let mut body = json!({"results": results});
    if let (Some(last), true) = (page.get(limit - 1), page.len() > limit) {
        let after = last.user_id.to_string();
        body["paging"] = json!({"next": {"link": call.next_link(&after), "after": after}});
    }
    Ok(Reply::value(200, &body))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let by_email = call.query("idProperty") == Some("EMAIL");
    let wanted = |owner: &&Owner| {
        if by_email {
            owner.email == call.param(0)
        } else {
            owner.user_id.to_string() == call.param(0)
        }
    };
    let user = users(&portal).find(wanted);
    user.map(|owner| Reply::value(200, &user_json(owner)))
        .ok_or_else(Failure::not_found)
}

fn user_json(owner: &Owner) -> Value {
    let mut body = json!({
        "id": owner.user_id.to_string(),
        "email": owner.email,
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "roleIds": [],
        "superAdmin": false,
    });
    if let Some((team, _)) = owner.team {
        body["primaryTeamId"] = json!(team.to_string());
    }
    body
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn teams(emulator: &Inner, _: &Call) -> Answer {
    let portal = emulator.portal();
    let mut teams: Vec<(u64, &str)> = portal.owners.iter().filter_map(|owner| owner.team).collect();
    teams.sort_unstable();
    teams.dedup();
    let members = |team: u64| -> Vec<String> {
        let inside = |owner: &&Owner| owner.team.is_some_and(|(id, _)| id == team);
        let users = users(&portal).filter(inside);
        users.map(|owner| owner.user_id.to_string()).collect()
    };
    let results: Vec<Value> = teams
        .iter()
        .map(|(id, name)| json!({"id": id.to_string(), "name": name, "userIds": members(*id), "secondaryUserIds": []}))
        .collect();
    Ok(Reply::value(200, &json!({"results": results})))
}
