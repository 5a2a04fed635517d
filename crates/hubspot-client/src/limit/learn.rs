//! What an answer tells of limits: the headers of every one, the policy of a 429 (hubspot-api notes §3.2).

use std::time::Duration;

use tokio::time::Instant;

use super::{
    route::{Policy, Route},
    state::State,
    stats::DailyCalls,
    window::Departure,
};
use crate::{
    http::{Request, Response, header},
    retry::{LimitPolicy, retry_after},
};

/// Whether the answer will be the account's details, and tell where its midnight is.
pub(super) fn tells_zone(request: &Request) -> bool {
    let path = request.uri().path();
    path.contains("/account-info/") && path.ends_with("/details")
}

/// The longest a gate stays closed. HubSpot's windows are seconds; should it ever ask for more, the next call is to
/// hear so and fail, rather than all calls wait in silence.
const MAX_CLOSED: Duration = Duration::from_mins(2);

pub(super) fn from(response: &Response, state: &mut State, route: Route, departure: Departure, now: Instant) {
    if route.learns() {
        window(response, state, route.main(), departure, now);
    }
    daily(response, state);
    if response.status() == 429 {
        refusal(response, state, route, now);
    } else {
        // Whatever else it is, it was not refused for the day's sake.
        state.day.answered();
    }
}

/// Whoever waits is told.
fn close_day(state: &mut State) {
    state.close_day();
    state.wake_all();
}

fn window(response: &Response, state: &mut State, policy: Policy, departure: Departure, now: Instant) {
    let window = state.window(policy);
    if let Some(max) = number(response, "x-hubspot-ratelimit-max").filter(|max| *max > 0) {
        window.max = max;
    }
    if let Some(ms) = number(response, "x-hubspot-ratelimit-interval-milliseconds").filter(|ms| *ms > 0) {
        window.interval = Duration::from_millis(ms);
    }
    if let Some(remaining) = number(response, "x-hubspot-ratelimit-remaining") {
        window.remaining(remaining, departure, now);
    }
}

fn daily(response: &Response, state: &mut State) {
    let limit = number(response, "x-hubspot-ratelimit-daily");
    let remaining = number(response, "x-hubspot-ratelimit-daily-remaining");
    if let (Some(limit), Some(remaining)) = (limit, remaining) {
        state.daily = Some(DailyCalls { limit, remaining });
    }
}

fn refusal(response: &Response, state: &mut State, route: Route, now: Instant) {
    let refused: &[Policy] = match (LimitPolicy::of_response(response), route) {
        (Some(LimitPolicy::Daily), _) => return close_day(state),
        (Some(LimitPolicy::Secondly), _) => &[Policy::Search],
        (Some(LimitPolicy::TenSecondly), Route::Search) => &[Policy::Burst],
        // A batch of associations is exempt from the general limit, so its own is meant.
        (Some(LimitPolicy::TenSecondly) | None, route) => route.policies(),
    };
    for policy in refused {
        let window = state.window(*policy);
        let wait = retry_after(response).unwrap_or(window.interval).min(MAX_CLOSED);
        window.close(now + wait);
    }
}

fn number<T: std::str::FromStr>(response: &Response, name: &str) -> Option<T> {
    header(response, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::limit::{
        Daily, Limits,
        window::{Room, Window},
    };

    const ROUTES: [Route; 4] = [
        Route::General,
        Route::Search,
        Route::AssociationBatch,
        Route::AssociationPage,
    ];

    /// The policies that differ from a fresh state after a response to a route.
    fn changed(
        route: Route,
        response: &Response,
        differs: impl Fn(&mut State, Policy) -> bool,
    ) -> Vec<Policy> {
        let mut state = State::new(Limits::default(), &Daily::default());
        let departure = Departure { held: 1, granted: 0 };
        from(response, &mut state, route, departure, Instant::now());
        let policies = Policy::ALL.into_iter();
        policies.filter(|policy| differs(&mut state, *policy)).collect()
    }

    fn refused(route: Route, policy_name: &str) -> Vec<Policy> {
        let body = format!(r#"{{"policyName":"{policy_name}"}}"#);
        let response = http::Response::builder().status(429).header("retry-after", "7");
        let response = response.body(Bytes::from(body)).unwrap();
        let now = Instant::now();
        changed(route, &response, |state, policy| {
            let room = state.window(policy).room(now);
            match room {
                Room::Now => false,
                Room::At(until) => until >= now + Duration::from_secs(7),
                Room::AfterAnswer => panic!("nothing is out"),
            }
        })
    }

    #[test]
    fn a_refusal_closes_the_gates_of_the_limit_that_it_names_and_no_other() {
        use Policy::{Associations, Burst, Search};
        for (route, ten_secondly, unnamed) in [
            (Route::General, vec![Burst], vec![Burst]),
            // Searches have no limit of ten seconds, so the general one is meant.
            (Route::Search, vec![Burst], vec![Search]),
            (Route::AssociationBatch, vec![Associations], vec![Associations]),
            (
                Route::AssociationPage,
                vec![Burst, Associations],
                vec![Burst, Associations],
            ),
        ] {
            assert_eq!(refused(route, "TEN_SECONDLY_ROLLING"), ten_secondly, "{route:?}");
            assert_eq!(refused(route, "UNKNOWN"), unnamed, "{route:?}");
            assert_eq!(refused(route, "SECONDLY"), [Search], "{route:?}");
            assert!(
                refused(route, "DAILY").is_empty(),
                "{route:?}: the day has its own gate"
            );
        }
    }

    #[test]
    fn headers_teach_the_main_limit_of_the_route_and_those_of_a_search_none() {
        let response = http::Response::builder()
            .header("x-hubspot-ratelimit-max", "33")
            .header("x-hubspot-ratelimit-interval-milliseconds", "4000")
            .header("x-hubspot-ratelimit-remaining", "20")
            .body(Bytes::new())
            .unwrap();
        for route in ROUTES {
            let learned = match route {
                Route::General | Route::AssociationPage => vec![Policy::Burst],
                Route::AssociationBatch => vec![Policy::Associations],
                Route::Search => vec![],
            };
            let is = |differs: fn(&mut Window) -> bool| {
                changed(route, &response, |state, policy| differs(state.window(policy)))
            };
            assert_eq!(is(|window| window.max == 33), learned, "{route:?}");
            assert_eq!(is(|window| window.interval.as_secs() == 4), learned, "{route:?}");
            let foreign = is(|window| window.foreign(Instant::now()) == 12);
            assert_eq!(foreign, learned, "{route:?}");
        }
    }

    #[test]
    fn headers_that_are_no_limits_teach_nothing() {
        for (max, interval) in [("0", "0"), ("-1", "-1"), ("many", "soon"), ("", "")] {
            let response = http::Response::builder()
                .header("x-hubspot-ratelimit-max", max)
                .header("x-hubspot-ratelimit-interval-milliseconds", interval)
                .body(Bytes::new())
                .unwrap();
            let changed = changed(Route::General, &response, |state, policy| {
                let fresh = State::new(Limits::default(), &Daily::default())
                    .window(policy)
                    .max;
                state.window(policy).max != fresh || state.window(policy).interval.is_zero()
            });
            assert!(changed.is_empty(), "{max}");
        }
    }
}
