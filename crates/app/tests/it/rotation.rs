//! An access token that is rotated while Spoke runs.

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::{Json, Router};
use hubspot_emulator::{Counts, Emulator, Options, Tier, Token};
use serde_json::json;

use crate::support::copy::count;
use crate::support::spoke::{ended, terminate, wait_for};
use crate::support::{Portal, Workplace};

const TOKENS: [&str; 3] = ["pat-na1-first", "pat-na1-second", "pat-na1-third"];

/// The emulator, of whose tokens only one is good at a time.
fn portal(good: &Arc<Mutex<&'static str>>) -> Portal {
    let emulator = Emulator::new(Options {
        counts: Counts {
            contacts: 20,
            ..Counts::none()
        },
        tier: Tier::Unlimited,
        tokens: TOKENS.into_iter().map(Token::new).collect(),
        ..Options::default()
    });
    let good = Arc::clone(good);
    let router: Router = emulator.router().layer(from_fn(move |request: Request, next: Next| {
        let good = *good.lock().unwrap();
        async move {
            let token = request.headers().get("authorization");
            let is_control = request.uri().path().starts_with("/_emulator");
            if is_control || token.is_some_and(|token| token == &format!("Bearer {good}")) {
                return next.run(request).await;
            }
            let body = json!({"status": "error", "category": "INVALID_AUTHENTICATION", "message": "no such token"});
            (StatusCode::UNAUTHORIZED, Json(body)).into_response()
        }
    }));
    Portal::serve(router)
}

fn follows_through_rotations(reference: &str) {
    let good = Arc::new(Mutex::new(TOKENS[0]));
    let portal = portal(&good);
    let workplace = Workplace::syncing(&portal.url, "[contacts], poll: 1s");
    let settings = std::fs::read_to_string(workplace.path("spoke.yaml")).unwrap();
    workplace.write(
        "spoke.yaml",
        &settings.replace("env:HUBSPOT_ACCESS_TOKEN", &format!("'{reference}'")),
    );
    workplace.write("token", TOKENS[0]);
    let mut process = workplace.start_listening(&["sync"]);
    let copy = workplace.path("hubspot.db");
    let mut wait_for_contacts = |contacts: u64| {
        wait_for(&mut process, || {
            (count(&copy, "contacts") == contacts).then_some(())
        });
    };
    wait_for_contacts(20);
    for (n, token) in (1..).zip(&TOKENS[1..]) {
        // Where the token is kept first: there is no moment without a good one.
        workplace.write("token", token);
        *good.lock().unwrap() = token;
        portal.post(
            "/_emulator/mutate",
            &json!({"objectType": "contacts", "seed": n, "create": 1}),
        );
        wait_for_contacts(20 + n);
    }
    terminate(&process);
    let stopped = ended(process).ok();
    for token in TOKENS {
        assert!(!stopped.stderr.contains(token) && !stopped.stdout.contains(token));
    }
}

#[test]
fn a_token_in_a_file_is_read_again_when_the_file_changes() {
    follows_through_rotations("file:token");
}

#[test]
fn a_token_from_a_program_is_asked_for_again_when_hubspot_refuses_it() {
    follows_through_rotations("cmd:cat token");
}
