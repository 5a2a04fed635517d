//! Tokens, scopes, and requests that never reach a route.

use axum::body::Body;
use http::Request;
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Options, Token};
use serde_json::json;

use crate::desk::Desk;

#[tokio::test]
async fn a_wrong_token_is_401() {
    let desk = Desk::empty();
    for header in [
        None,
        Some("Bearer nonsense".to_owned()),
        Some(DEFAULT_TOKEN.to_owned()),
        Some(format!("Basic {DEFAULT_TOKEN}")),
    ] {
        let mut request = Request::get("/crm/v3/objects/contacts");
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let answer = desk.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(
            (answer.status, answer.body["category"].as_str()),
            (401, Some("INVALID_AUTHENTICATION")),
            "{header:?}"
        );
        let message = answer.body["message"].as_str().expect("a message");
        assert!(
            message.starts_with("Authentication credentials not found."),
            "{message}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_a_correlation_id_of_its_own() {
    let desk = Desk::empty();
    let (good, bad) = (
        desk.get("/crm/v3/objects/contacts").await,
        desk.get("/crm/v3/objects/contacts/7").await,
    );
    let id = |answer: &crate::desk::Answer| {
        answer.headers["x-hubspot-correlation-id"]
            .to_str()
            .expect("text")
            .to_owned()
    };
    assert_ne!(id(&good), id(&bad));
    assert_eq!(bad.body["correlationId"], json!(id(&bad)));
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let token = Token::with_scopes("pat-test", ["crm.objects.contacts.read"]);
    let desk = Desk::with(Options {
        counts: Counts::none(),
        tokens: vec![token],
        ..Options::default()
    });
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 200);
    for (method, path, scope) in [
        ("GET", "/crm/v3/objects/companies", "crm.objects.companies.read"),
        (
            "DELETE",
            "/crm/v3/objects/contacts/7",
            "crm.objects.contacts.write",
        ),
        ("GET", "/crm/v3/objects/tickets", "tickets"),
        ("GET", "/crm/v3/owners", "crm.objects.owners.read"),
    ] {
        let answer = desk.call(method, path, None).await;
        assert_eq!(
            (answer.status, answer.body["category"].as_str()),
            (403, Some("MISSING_SCOPES")),
            "{path}"
        );
        assert_eq!(
            answer.body["errors"][0]["context"]["requiredGranularScopes"],
            json!([scope])
        );
        assert_eq!(
            answer.body["links"]["scopes"],
            "https://developers.hubspot.com/scopes"
        );
    }
    assert_eq!(desk.get("/account-info/v3/details").await.status, 200);
}

#[tokio::test]
async fn what_is_not_emulated_says_so() {
    let desk = Desk::empty();
    for path in [
        "/crm/v3/exports",
        "/marketing/v3/campaigns",
        "/crm/v3/objects/marketing_events",
        "/crm/properties/2026-03/0-54",
        "/nonsense",
    ] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, 501, "{path}");
        assert_eq!(answer.body["category"], "NOT_EMULATED");
        assert!(
            answer.body["message"]
                .as_str()
                .is_some_and(|text| text.contains("not emulated"))
        );
    }
    assert_eq!(desk.get("/crm/v3/objects/unicorns").await.status, 400);
    assert_eq!(
        desk.call("PUT", "/crm/v3/objects/contacts", None).await.status,
        501,
        "HubSpot may have what the emulator does not"
    );
}

#[tokio::test]
async fn long_urls_and_other_bodies_are_refused() {
    let desk = Desk::empty();
    let names = "x".repeat(16_200);
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts?properties={names}"))
            .await
            .status,
        414
    );
    let form = Request::post("/crm/v3/objects/contacts")
        .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("a=b"));
    assert_eq!(desk.send(form.expect("a request")).await.status, 415);
    let broken = Request::post("/crm/v3/objects/contacts")
        .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
        .header("content-type", "application/json")
        .body(Body::from("{"));
    let answer = desk.send(broken.expect("a request")).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body["message"]
            .as_str()
            .is_some_and(|message| message.starts_with("Invalid input JSON"))
    );
}
