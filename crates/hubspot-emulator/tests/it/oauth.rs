//! OAuth from the approval page to the expired token.

use axum::body::Body;
use http::Request;
use hubspot_emulator::{App, Counts, DEFAULT_TOKEN, Options, Tier};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk};

const BACK: &str = "http://127.0.0.1:9999/back?x=1";

fn desk() -> Desk {
    Desk::with(Options {
        counts: Counts::none(),
        tier: Tier::Pro,
        apps: vec![App::new("app-1", "s3cret")],
        ..Options::default()
    })
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

async fn submit(desk: &Desk, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form(fields)));
    desk.send(request.expect("well formed")).await
}

async fn as_app(desk: &Desk, token: &str, path: &str) -> Answer {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty());
    desk.send(request.expect("well formed")).await
}

/// Approves, and returns the code.
async fn code(desk: &Desk) -> String {
    let fields = [
        ("client_id", "app-1"),
        ("redirect_uri", BACK),
        ("scope", "oauth crm.objects.contacts.read"),
        ("state", "a&b"),
    ];
    let page = desk.get(&format!("/oauth/authorize?{}", form(&fields))).await;
    assert!(
        page.status == 200 && page.text.contains("crm.objects.contacts.read"),
        "{}",
        page.text
    );
    let approved = submit(desk, "/oauth/authorize", &fields).await;
    assert_eq!(approved.status, 302, "{}", approved.text);
    let location = approved.headers["location"].to_str().expect("text").to_owned();
    let query = location
        .strip_prefix(BACK)
        .expect("goes back")
        .trim_start_matches('&');
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(pairs[1], ("state".into(), "a&b".into()));
    pairs[0].1.clone()
}

async fn tokens(desk: &Desk, version: &str, fields: &[(&str, &str)]) -> Answer {
    let secret = [("client_id", "app-1"), ("client_secret", "s3cret")];
    let all: Vec<(&str, &str)> = secret.iter().chain(fields).copied().collect();
    submit(desk, &format!("/oauth/{version}/token"), &all).await
}

async fn access(desk: &Desk) -> Value {
    let code = code(desk).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", BACK),
    ];
    let issued = tokens(desk, "v1", &fields).await;
    assert_eq!(
        (issued.status, &issued.body["expires_in"]),
        (200, &json!(1800)),
        "{}",
        issued.text
    );
    let again = tokens(desk, "v1", &fields).await;
    assert_eq!(
        (again.status, &again.body["status"]),
        (400, &json!("BAD_AUTH_CODE"))
    );
    issued.body
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn a_token_works_within_its_scopes_until_it_expires_and_is_refreshed() {
    let desk = desk();
    let first = access(&desk).await;
    let token = text(&first["access_token"]);
    let contacts = as_app(&desk, token, "/crm/v3/objects/contacts").await;
    assert_eq!(contacts.status, 200, "{}", contacts.text);
    assert_eq!(contacts.headers["x-hubspot-ratelimit-max"], "110");
    assert!(!contacts.headers.contains_key("x-hubspot-ratelimit-daily"));
    let deals = as_app(&desk, token, "/crm/v3/objects/deals").await;
    assert_eq!(
        (deals.status, &deals.body["category"]),
        (403, &json!("MISSING_SCOPES"))
    );
    desk.post("/_emulator/clock", json!({"advance": "31m"})).await;
    let expired = as_app(&desk, token, "/crm/v3/objects/contacts").await;
    assert_eq!(
        (expired.status, &expired.body["category"]),
        (401, &json!("EXPIRED_AUTHENTICATION"))
    );
    assert!(expired.body["context"]["expire time"][0].is_string());
    let refresh = text(&first["refresh_token"]);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let second = tokens(&desk, "2026-03", &fields).await;
    assert_eq!(second.body["refresh_token"], refresh);
    assert_eq!(second.body["hub_id"], 42_424_242);
    let token = text(&second.body["access_token"]);
    assert_eq!(as_app(&desk, token, "/crm/v3/objects/contacts").await.status, 200);
}

#[tokio::test]
async fn an_app_has_110_requests_in_ten_seconds_whatever_its_token() {
    let desk = desk();
    desk.post("/_emulator/clock", json!({"freeze": true})).await;
    let first = access(&desk).await;
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&first["refresh_token"])),
    ];
    let second = tokens(&desk, "v3", &refresh).await.body;
    for at in 0..110 {
        let token = text(if at % 2 == 0 {
            &first["access_token"]
        } else {
            &second["access_token"]
        });
        assert_eq!(as_app(&desk, token, "/crm/v3/objects/contacts").await.status, 200);
    }
    let refused = as_app(&desk, text(&first["access_token"]), "/crm/v3/objects/contacts").await;
    assert_eq!(
        (refused.status, &refused.body["policyName"]),
        (429, &json!("TEN_SECONDLY_ROLLING"))
    );
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 200);
}

#[tokio::test]
async fn tokens_are_introspected_and_revoked() {
    let desk = desk();
    let issued = access(&desk).await;
    let (token, refresh) = (text(&issued["access_token"]), text(&issued["refresh_token"]));
    let facts = desk.get(&format!("/oauth/v1/access-tokens/{token}")).await;
    assert_eq!(facts.body["hub_id"], 42_424_242);
    assert_eq!(
        facts.body["scopes"],
        json!(["oauth", "crm.objects.contacts.read"])
    );
    let secret = [
        ("client_id", "app-1"),
        ("client_secret", "s3cret"),
        ("token", token),
    ];
    let seen = submit(&desk, "/oauth/v3/token/introspect", &secret).await;
    assert_eq!(seen.body["active"], true);
    assert_eq!(submit(&desk, "/oauth/v3/token/revoke", &secret).await.status, 200);
    assert_eq!(as_app(&desk, token, "/crm/v3/objects/contacts").await.status, 401);
    let path = format!("/oauth/v1/refresh-tokens/{refresh}");
    assert_eq!(desk.get(&path).await.body["token_type"], "refresh");
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let gone = tokens(&desk, "v1", &fields).await;
    assert_eq!(
        (gone.status, &gone.body["status"]),
        (400, &json!("BAD_REFRESH_TOKEN"))
    );
    assert_eq!(gone.body["error"], "invalid_grant");
    let private = desk
        .post(
            "/oauth/v2/private-apps/get/access-token-info",
            json!({"tokenKey": DEFAULT_TOKEN}),
        )
        .await;
    assert_eq!(private.body["hubId"], 42_424_242);
}

#[tokio::test]
async fn apps_are_registered_at_run_time_and_strangers_are_refused() {
    let desk = desk();
    let new =
        json!({"clientId": "app-2", "clientSecret": "hush", "scopes": ["tickets"], "accessTokenSeconds": 5});
    let apps = desk.post("/_emulator/apps", new).await;
    assert!(apps.text.contains("app-2") && !apps.text.contains("hush"));
    let query = form(&[
        ("client_id", "app-2"),
        ("redirect_uri", BACK),
        ("scope", "crm.lists.read"),
    ]);
    assert_eq!(desk.get(&format!("/oauth/authorize?{query}")).await.status, 400);
    let query = form(&[("client_id", "app-2"), ("redirect_uri", "javascript:alert(1)")]);
    assert_eq!(desk.get(&format!("/oauth/authorize?{query}")).await.status, 400);
    let wrong = [("client_id", "app-2"), ("client_secret", "no")];
    let refused = submit(&desk, "/oauth/v1/token", &wrong).await;
    assert_eq!(
        (refused.status, &refused.body["status"]),
        (400, &json!("BAD_CLIENT_ID"))
    );
    let evil = form(&[
        ("client_id", "app-1"),
        ("redirect_uri", BACK),
        ("state", "\"><script>"),
    ]);
    let page = desk.get(&format!("/oauth/authorize?{evil}")).await;
    assert!(page.status == 200 && !page.text.contains("<script>"));
}

#[tokio::test]
async fn the_newer_routes_take_json_as_well_as_a_form() {
    let desk = desk();
    let issued = access(&desk).await;
    let body = json!({"client_id": "app-1", "client_secret": "s3cret", "token": issued["access_token"]});
    let facts = desk.post("/oauth/2026-03/token/introspect", body.clone()).await;
    assert_eq!(
        (facts.status, &facts.body["active"]),
        (200, &json!(true)),
        "{}",
        facts.text
    );
    assert_eq!(
        desk.post("/oauth/2026-03/token/revoke", body.clone())
            .await
            .status,
        200
    );
    let broken = json!([body]);
    let refused = desk.post("/oauth/2026-03/token/introspect", broken).await;
    assert_eq!(
        (refused.status, &refused.body["status"]),
        (400, &json!("BAD_CLIENT_ID"))
    );
}
