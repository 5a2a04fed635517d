//! OAuth from end to end: an app of the emulator, a person who approves, tokens that end.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, future::try_join_all};
use hubspot_client::{Client, HttpService as _, OAuthCredentials, Response, request::objects::List};
use hubspot_emulator::Tier;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::emulated::Account;

const SECRET: &str = "a-client-secret";
const BACK: &str = "http://localhost/back";

/// An app that was approved.
struct App {
    account: Account,
    refresh_token: String,
}

impl App {
    async fn approved() -> Self {
        let account = Account::new(Tier::Pro);
        let app =
            json!({"clientId": "spoke", "clientSecret": SECRET, "scopes": ["crm.objects.contacts.read"]});
        account.control("POST", "apps", &app).await;
        let scope = "crm.objects.contacts.read";
        let wish = format!("client_id=spoke&redirect_uri={BACK}&scope={scope}");
        let approved = form(&account, "/oauth/authorize", wish).await;
        let back = approved.headers()["location"].to_str().unwrap();
        let code = back.split_once("code=").unwrap().1;
        let exchange = format!(
            "grant_type=authorization_code&client_id=spoke&client_secret={SECRET}&redirect_uri={BACK}&code={code}"
        );
        let granted = form(&account, "/oauth/2026-03/token", exchange).await;
        let granted: Value = serde_json::from_slice(granted.body()).unwrap();
        let refresh_token = granted["refresh_token"].as_str().unwrap().to_owned();
        account.control("DELETE", "requests", &Value::Null).await;
        Self {
            account,
            refresh_token,
        }
    }

    fn client(&self) -> Client {
        let credentials = OAuthCredentials {
            client_id: "spoke".to_owned(),
            client_secret: SECRET.into(),
            refresh_token: self.refresh_token.clone().into(),
        };
        let transport = Arc::new(self.account.clone());
        Client::builder()
            .oauth(credentials)
            .http_service(transport)
            .build()
            .unwrap()
    }

    /// How often a token was asked for, and how many calls were refused for the one they carried.
    async fn renewals_and_refusals(&self) -> (u64, u64) {
        let log = self.account.control("GET", "requests", &Value::Null).await;
        let routes = log["byRoute"].as_object().unwrap().iter();
        let count = |answers: &Value| -> u64 {
            answers
                .as_object()
                .unwrap()
                .values()
                .filter_map(Value::as_u64)
                .sum()
        };
        let renewals = routes
            .clone()
            .filter(|(route, _)| route.starts_with("POST /oauth/"));
        let refused = routes.filter_map(|(_, answers)| answers["401"].as_u64());
        (renewals.map(|(_, answers)| count(answers)).sum(), refused.sum())
    }
}

async fn form(account: &Account, path: &str, fields: String) -> Response {
    let request = http::Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(fields));
    account.call(request.unwrap()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends_and_no_call_notices() {
    let app = App::approved().await;
    let client = app.client();
    for _ in 0..60 {
        client.account().await.unwrap();
        sleep(Duration::from_mins(1)).await;
    }
    // Half-hour tokens, each renewed five minutes early: at 0, 25 and 50 minutes.
    assert_eq!(app.renewals_and_refusals().await, (3, 0));
}

#[tokio::test(start_paused = true)]
async fn many_who_wait_for_a_token_ask_for_it_once() {
    let app = App::approved().await;
    let client = app.client();
    try_join_all((0..50).map(|_| client.account())).await.unwrap();
    assert_eq!(app.renewals_and_refusals().await, (1, 0));
}

/// The account's clock jumps: the token ends where this machine could not foresee it.
#[tokio::test(start_paused = true)]
async fn a_token_that_ends_in_the_middle_of_a_walk_is_renewed_once() {
    let app = App::approved().await;
    let client = app.client();
    let mut pages = pin!(client.pages(List::new("contacts").with_limit(10)));
    let mut records = pages.next().await.unwrap().unwrap().results.len();
    app.account
        .control("POST", "clock", &json!({"advance": "31m"}))
        .await;
    while let Some(page) = pages.next().await {
        records += page.unwrap().results.len();
    }
    assert_eq!(records, app.account.live_contacts().await);
    let (renewals, refusals) = app.renewals_and_refusals().await;
    assert_eq!(renewals, 2);
    assert!((1..=2).contains(&refusals), "only what was under way: {refusals}");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_was_revoked_is_told_with_the_way_out() {
    let app = App::approved().await;
    let client = app.client();
    client.account().await.unwrap();
    let revoke = format!(
        "token={}&client_id=spoke&client_secret={SECRET}",
        app.refresh_token
    );
    form(&app.account, "/oauth/2026-03/token/revoke", revoke).await;
    sleep(Duration::from_mins(40)).await;
    let error = client.account().await.unwrap_err();
    let text = format!(
        "{error} {:?} {:?}",
        std::error::Error::source(&error),
        error.hint()
    );
    assert!(error.is_unauthorized() && !error.is_retryable(), "{text}");
    assert!(
        text.contains("BAD_REFRESH_TOKEN") && text.contains("install the app"),
        "{text}"
    );
    assert!(
        !text.contains(SECRET) && !text.contains(&app.refresh_token),
        "{text}"
    );
}
