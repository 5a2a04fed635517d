//! What an operator sees while streams cannot be read, and how soon they are tried again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use hubspot_connector::HubspotSource;
use hubspot_emulator::{Counts, Emulator, Options, Token};
use opencdc::{ErrorKind, Selection, Source, StreamStatus, Until};
use serde_json::{Value, json};

use crate::emulated::Hubspot;
use crate::{of_stream, try_read};

const SEARCH: &str = "/crm/objects/*/contacts/search";

fn hubspot() -> Hubspot {
    Hubspot::of(&Emulator::new(Options {
        counts: Counts {
            contacts: 20,
            companies: 5,
            ..Counts::none()
        },
        ..Options::default()
    }))
}

fn config() -> Value {
    json!({"streams": ["contacts", "companies"], "poll": "5s"})
}

/// Follows in the background for as long as the handle lives.
async fn following(source: &Arc<HubspotSource>) -> tokio::task::JoinSet<()> {
    let selection = Selection {
        until: Until::Dropped,
        ..Selection::everything(&source.catalog().await.unwrap())
    };
    let mut batches = source.read(selection, None).await.unwrap();
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move { while batches.next().await.expect("it never ends").is_ok() {} });
    task
}

fn status(source: &HubspotSource, stream: &str) -> StreamStatus {
    let mut all = source.status().into_iter();
    all.find(|status| status.stream.as_str() == stream).unwrap()
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// The `count` next searches of contacts are answered like this.
async fn answer_searches(hubspot: &Hubspot, count: u64, action: Value) {
    hubspot
        .faults(json!([{"match": {"path": SEARCH}, "times": count, "action": action}]))
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_odd_answer_to_a_search_parks_a_stream_for_seconds_and_a_missing_scope_for_minutes() {
    let moved = json!({"status": 302, "headers": {"location": "https://elsewhere.example/login"}});
    let scope = json!({"status": 403, "body": {"status": "error", "category": "MISSING_SCOPES",
        "message": "no", "errors": [{"message": "no",
            "context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}]}});
    for (action, at_least, at_most) in [
        (json!({"status": 404}), 4, 6),
        (json!({"status": 400}), 4, 6),
        (moved, 4, 6),
        (scope, 290, 300),
    ] {
        let hubspot = hubspot();
        let source = Arc::new(hubspot.source(config()));
        let _following = following(&source).await;
        seconds(60).await;
        answer_searches(&hubspot, 1, action.clone()).await;
        let trouble = loop {
            seconds(1).await;
            if let Some(trouble) = status(&source, "contacts").trouble {
                break trouble;
            }
        };
        let wait = trouble.retry_at.unwrap().duration_since(trouble.at).unwrap();
        assert!(
            (at_least..=at_most).contains(&wait.as_secs()),
            "{action}: {wait:?}"
        );
        // The stream recovers by itself, and the board says so.
        seconds(wait.as_secs() + 30).await;
        let recovered = status(&source, "contacts");
        assert_eq!((recovered.trouble, recovered.retry_at), (None, None), "{action}");
        assert!(recovered.last_error.is_some(), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn odd_answers_that_go_on_are_asked_for_again_ever_later() {
    let hubspot = hubspot();
    let source = Arc::new(hubspot.source(json!({"streams": ["contacts"], "poll": "30s"})));
    let _following = following(&source).await;
    seconds(60).await;
    let before = status(&source, "contacts").calls;
    answer_searches(&hubspot, 1_000, json!({"status": 404})).await;
    seconds(1_200).await;
    let status = status(&source, "contacts");
    assert_eq!(status.trouble.unwrap().kind, "invalid_data");
    // 5, 10, 20 … 300 s: 8 attempts in 20 minutes, of a few calls each.
    assert!(status.calls - before < 50, "{}", status.calls - before);
}

#[tokio::test(start_paused = true)]
async fn the_lag_ages_while_hubspot_does_not_answer_and_every_call_counts() {
    let hubspot = hubspot();
    let source = Arc::new(hubspot.patient_source(config()));
    let _following = following(&source).await;
    seconds(60).await;
    let calm = status(&source, "contacts");
    assert!(calm.lag.unwrap() < Duration::from_secs(30), "{calm:?}");
    assert!(calm.calls > 5, "searches that find nothing are calls: {calm:?}");
    // GIVEN 50 s without HubSpot
    answer_searches(&hubspot, 1_000, json!({"drop": true})).await;
    seconds(50).await;
    // THEN the lag is the time since the last answer, and the trouble is told with its next attempt
    let away = status(&source, "contacts");
    assert!(away.lag.unwrap() >= Duration::from_secs(40), "{away:?}");
    assert!(away.calls > calm.calls);
    let trouble = away.trouble.unwrap();
    assert_eq!(trouble.kind, "unreachable");
    assert!(trouble.retry_at.is_some() && !trouble.message.is_empty());
    assert_eq!(away.retry_at, trouble.retry_at);
    // WHEN it is back
    hubspot.control("DELETE", "faults", &Value::Null).await;
    seconds(600).await;
    let back = status(&source, "contacts");
    assert_eq!(back.trouble, None);
    assert!(back.lag.unwrap() < Duration::from_secs(30), "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_while_following_is_told_with_its_next_attempt() {
    let hubspot = hubspot();
    let source = Arc::new(hubspot.source(config()));
    let _following = following(&source).await;
    seconds(60).await;
    answer_searches(&hubspot, 1_000, json!({"status": 401})).await;
    seconds(300).await;
    let status = status(&source, "contacts");
    assert!(status.lag.unwrap() >= Duration::from_secs(270), "{status:?}");
    let trouble = status.trouble.unwrap();
    assert_eq!(trouble.kind, "refused");
    assert!(trouble.retry_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_read_that_ends_names_every_stream_that_failed_and_delivers_the_others() {
    let token = Token::with_scopes(
        "pat-some",
        ["crm.objects.companies.read", "crm.schemas.companies.read"],
    );
    let hubspot = Hubspot::with(Options {
        counts: Counts {
            contacts: 5,
            companies: 5,
            deals: 5,
            ..Counts::none()
        },
        tokens: vec![token],
        ..Options::default()
    });
    let config = crate::emulated::config_of(json!({"streams": ["contacts", "companies", "deals", "owners"]}));
    let source = HubspotSource::new(hubspot.client_with("pat-some"), config).unwrap();
    let mut results = try_read(&source, None).await;
    let error = results.pop().unwrap().unwrap_err();
    let failed: Vec<_> = error.streams().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["contacts", "deals", "owners"]);
    assert_eq!(
        error.to_string(),
        "3 streams could not be read: `contacts`, `deals`, `owners`"
    );
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.streams().iter().all(|(_, error)| error.hint().is_some()));
    let batches: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(of_stream(&batches, "companies").len(), 5);
}
