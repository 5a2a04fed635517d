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
