//! A connection by OAuth, from the approval to the copy.

use serde_json::{Value, json};

use crate::support::{Portal, Workplace, copy};

const SECRET: &str = "a-client-secret";
const BACK: &str = "http://localhost/back";

/// An HTTP client that follows no redirect.
async fn post(url: String, fields: &[(&str, &str)]) -> reqwest::Response {
    // Whoever came first is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let form: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    request.body(form.join("&")).send().await.unwrap()
}

/// Installs an app in the portal and returns the refresh token.
#[tokio::main(flavor = "current_thread")]
async fn install(url: &str, scopes: &str) -> String {
    let wish = [("client_id", "spoke"), ("redirect_uri", BACK), ("scope", scopes)];
    let approved = post(format!("{url}/oauth/authorize"), &wish).await;
    let back = approved.headers()["location"].to_str().unwrap().to_owned();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "spoke"),
        ("client_secret", SECRET),
        ("redirect_uri", BACK),
        ("code", back.split_once("code=").unwrap().1),
    ];
    let granted = post(format!("{url}/oauth/v1/token"), &exchange)
        .await
        .text()
        .await
        .unwrap();
    let granted: Value = serde_json::from_str(&granted).unwrap();
    granted["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn revoke(url: &str, token: &str) {
    let fields = [
        ("token", token),
        ("client_id", "spoke"),
        ("client_secret", SECRET),
    ];
    post(format!("{url}/oauth/2026-03/token/revoke"), &fields).await;
}

#[test]
fn an_app_checks_syncs_and_is_told_when_it_was_removed() {
    let portal = Portal::with_contacts(250);
    portal.post(
        "/_emulator/apps",
        &json!({"clientId": "spoke", "clientSecret": SECRET}),
    );
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let oauth =
        format!("oauth: {{client_id: spoke, client_secret: literal:{SECRET}, refresh_token: file:refresh}}");
    let file = std::fs::read_to_string(workplace.path("spoke.yaml")).unwrap();
    workplace.write(
        "spoke.yaml",
        &file.replace("access_token: env:HUBSPOT_ACCESS_TOKEN", &oauth),
    );

    workplace.write("refresh", "no-such-token\n");
    workplace.run(&["check"]).fails(
        3,
        &["connection `prod`", "BAD_REFRESH_TOKEN", "hint: install the app"],
    );

    let token = install(&portal.url, "oauth");
    workplace.write("refresh", &format!("{token}\n"));
    workplace.run(&["check"]).fails(3, &["crm.objects.contacts.read"]);

    let scopes = [
        "objects.contacts",
        "schemas.contacts",
        "objects.companies",
        "schemas.companies",
    ];
    let scopes = scopes.map(|scope| format!("crm.{scope}.read")).join("+");
    let token = install(&portal.url, &scopes);
    workplace.write("refresh", &format!("{token}\n"));
    let checked = workplace.run(&["check"]).ok();
    assert!(checked.stdout.contains("OAuth app spoke"), "{}", checked.stdout);
    let synced = workplace.run(&["sync", "--once"]).ok();
    assert!(!synced.stdout.contains(&token) && !synced.stderr.contains(&token));
    copy::assert_equals_truth(&workplace.path("hubspot.db"), &portal, "contacts");

    revoke(&portal.url, &token);
    let texts = ["BAD_REFRESH_TOKEN", "hint: install the app"];
    workplace.run(&["check"]).fails(3, &texts);
    workplace.run(&["sync", "--once"]).fails(3, &texts);
}
