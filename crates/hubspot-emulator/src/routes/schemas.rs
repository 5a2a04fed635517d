//! `/crm-object-schemas/v3/schemas` and its dated twin. Only custom objects have schemas here, and there are none
//! yet (hubspot-api notes §2.2).

use http::Method;
use serde_json::json;

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", Toll::General, Access::Anyone, list),
    route(Method::GET, "{type}", Toll::General, Access::Anyone, get),
];

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn list(_: &Inner, _: &Call) -> Answer {
    Ok(Reply::value(200, &json!({"results": []})))
}

fn get(_: &Inner, call: &Call) -> Answer {
    Err(Failure::unknown_type(call.param(0)))
}
