//! Rate limits, under paused time.

use std::time::Duration;

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::json;

use crate::desk::Desk;

fn desk(tier: Tier) -> Desk {
    Desk::with(Options {
        counts: Counts::none(),
        tier,
        ..Options::default()
    })
}

#[tokio::test(start_paused = true)]
async fn the_ten_seconds_roll_and_the_refusal_is_letter_by_letter() {
    let desk = desk(Tier::Pro);
    for left in (0..190).rev() {
        let answer = desk.get("/crm/v3/objects/contacts").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-hubspot-ratelimit-remaining"], left.to_string());
    }
    let refused = desk.get("/crm/v3/objects/contacts").await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.body["message"],
        "You have reached your ten_secondly_rolling limit."
    );
    assert_eq!(refused.body["errorType"], "RATE_LIMIT");
    assert_eq!(refused.body["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(
        refused.body["groupName"],
        "publicapi:private_app-api-calls-ten-secondly:42424242:1234567"
    );
    assert!(refused.headers.get("retry-after").is_none());
    assert_eq!(
        refused.headers["x-hubspot-ratelimit-interval-milliseconds"],
        "10000"
    );
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn search_has_a_second_of_its_own() {
    let desk = desk(Tier::Enterprise);
    for _ in 0..5 {
        let answer = desk.post("/crm/v3/objects/contacts/search", json!({})).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers.get("x-hubspot-ratelimit-max").is_none());
    }
    let refused = desk.post("/crm/v3/objects/companies/search", json!({})).await;
    assert_eq!(
        (refused.status, refused.body["policyName"].as_str()),
        (429, Some("SECONDLY"))
    );
    assert_eq!(refused.body["message"], "You have reached your secondly limit.");
    let list = desk.get("/crm/v3/objects/contacts").await;
    assert_eq!(
        (
            list.status,
            list.headers["x-hubspot-ratelimit-remaining"].to_str().ok()
        ),
        (200, Some("189"))
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(
        desk.post("/crm/v3/objects/contacts/search", json!({}))
            .await
            .status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn the_clock_can_be_advanced_out_of_a_limit() {
    let desk = desk(Tier::Free);
    for _ in 0..100 {
        assert_eq!(desk.get("/crm/v3/owners").await.status, 200);
    }
    assert_eq!(desk.get("/crm/v3/owners").await.status, 429);
    desk.post("/_emulator/clock", json!({"advance": "10s"})).await;
    assert_eq!(desk.get("/crm/v3/owners").await.status, 200);
    let report = desk.get("/_emulator/requests").await.body;
    assert_eq!(report["rateLimited"], 1);
    assert_eq!(
        report["byRoute"]["GET /crm/v3/owners"],
        json!({"200": 101, "429": 1})
    );
}
