//! `/account-info/v3/details` and its dated twin: the cheapest check of a token (hubspot-api notes §2.7).

use http::Method;
use serde_json::json;

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::reply::Reply;

pub(super) const ROUTES: &[Route] = &[route(
    Method::GET,
    "details",
    Toll::General,
    Access::Anyone,
    details,
)];

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn details(emulator: &Inner, _: &Call) -> Answer {
    Ok(Reply::value(
        200,
        &json!({
            "portalId": emulator.options.portal_id,
            "accountType": "DEVELOPER_TEST",
            "timeZone": "UTC",
            "companyCurrency": "EUR",
            "additionalCurrencies": ["USD", "GBP"],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }),
    ))
}
