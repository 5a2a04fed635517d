//! Against the emulator, in process and under a paused clock: does the client keep within HubSpot's limits, and does it
//! use them?

use std::sync::Arc;

use async_trait::async_trait;
use axum::{Router, body::Body};
use bytes::Bytes;
use futures_util::{TryStreamExt, future::try_join_all};
use http_body_util::BodyExt;
use hubspot_client::{
    ApiVersion, Client, Daily, Error, HttpError, HttpErrorKind, HttpService, Limits, RateLimiter, Request,
    Response, StaticToken, WallClock,
    request::{
        objects::{BatchRead, Get, List},
        search::SearchRequest,
    },
};
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt;

/// An account, as a transport.
#[derive(Clone, Debug)]
pub(crate) struct Account(Router);

#[async_trait]
impl HttpService for Account {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let interrupted = HttpError::new(HttpErrorKind::Interrupted, &request);
        let (head, body) = self
            .0
            .clone()
            .oneshot(request.map(Body::from))
            .await
            .unwrap()
            .into_parts();
        match body.collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(cause) => Err(interrupted.caused_by(cause)),
        }
    }
}

impl Account {
    pub(crate) fn new(tier: Tier) -> Self {
        let counts = Counts {
            contacts: 250,
            companies: 20,
            deals: 20,
            ..Counts::none()
        };
        Self::with(Options {
            tier,
            counts,
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Self {
        Self(Emulator::new(options).router())
    }

    /// An account that is also driven in process.
    pub(crate) fn at(emulator: &Emulator) -> Self {
        Self(emulator.router())
    }

    pub(crate) fn client(&self) -> Client {
        let token = StaticToken::new(DEFAULT_TOKEN).unwrap();
        Client::builder()
            .token(token)
            .http_service(Arc::new(self.clone()))
            .build()
            .unwrap()
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/_emulator/{path}"));
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let answer = self.call(request).await.unwrap();
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// Some of the seed are archived.
    pub(crate) async fn live_contacts(&self) -> usize {
        let found = self
            .client()
            .search("contacts", &SearchRequest::new().with_limit(1))
            .await
            .unwrap();
        usize::try_from(found.total).unwrap()
    }

    pub(crate) async fn refused(&self) -> u64 {
        self.control("GET", "requests", &Value::Null).await["rateLimited"]
            .as_u64()
            .unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_walked_to_its_end_in_both_generations() {
    let account = Account::new(Tier::Unlimited);
    let live = account.live_contacts().await;
    for version in [ApiVersion::default(), ApiVersion::Numbered] {
        let token = StaticToken::new(DEFAULT_TOKEN).unwrap();
        let client = Client::builder()
            .token(token)
            .api_version(version)
            .http_service(Arc::new(account.clone()));
        let pages = client
            .build()
            .unwrap()
            .pages(List::new("contacts").with_properties(["email"]));
        let pages: Vec<_> = pages.try_collect().await.unwrap();
        let sizes: Vec<usize> = pages.iter().map(|page| page.results.len()).collect();
        assert_eq!(sizes, [100, 100, live - 200]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_understood() {
    let client = Account::new(Tier::Pro).client();
    let first = client
        .list_objects(&List::new("contacts").with_limit(2))
        .await
        .unwrap();
    let id = first.results[0].id();

    let again = client.get_object(&Get::new("contacts", id)).await.unwrap();
    assert_eq!(again.json(), first.results[0].json());
    let batch = client
        .batch_read(&BatchRead::new("contacts", [id, "999999999"]))
        .await
        .unwrap();
    assert_eq!(
        (batch.results[0].id(), batch.missing.as_slice()),
        (id, ["999999999".to_owned()].as_slice())
    );
    let found = client.search("contacts", &SearchRequest::new()).await.unwrap();
    assert_eq!((found.results.len(), found.after.as_deref()), (200, Some("200")));

    let ids = first
        .results
        .iter()
        .map(|record| (record.id(), None::<&str>))
        .collect::<Vec<_>>();
    let batch = client
        .associations_batch_read("contacts", "companies", &ids)
        .await
        .unwrap();
    assert_eq!(batch.results.len() + batch.none.len(), 2, "{batch:?}");
    client
        .associations("contacts", id, "companies", None)
        .await
        .unwrap();
    assert!(
        !client
            .association_labels("contacts", "companies")
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        client
            .properties("contacts")
            .await
            .unwrap()
            .iter()
            .any(|property| property.name == "email")
    );
    assert!(!client.pipelines("deals").await.unwrap()[0].stages.is_empty());
    client.schemas().await.unwrap();
    client.owners(None, false).await.unwrap();
    assert_eq!(client.account().await.unwrap().portal_id, "42424242");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_at_once_meet_no_429_and_take_no_longer_than_they_must() {
    let account = Account::new(Tier::Pro);
    let (client, list) = (account.client(), List::new("contacts").with_limit(1));
    let start = Instant::now();
    try_join_all((0..1_000).map(|_| client.list_objects(&list)))
        .await
        .unwrap();
    assert_eq!(account.refused().await, 0);
    // 190 per 10 s, which the first answer tells: 1,000 calls begin in the sixth window.
    assert_eq!(start.elapsed().as_secs(), 50);
}

#[tokio::test(start_paused = true)]
async fn searches_and_associations_at_once_meet_no_429() {
    let account = Account::new(Tier::Free);
    let (client, search) = (account.client(), SearchRequest::new().with_limit(1));
    let ids = [("1", None::<&str>)];
    let start = Instant::now();
    let searches = try_join_all((0..50).map(|_| client.search("contacts", &search)));
    let batches = try_join_all((0..250).map(|_| client.associations_batch_read("contacts", "deals", &ids)));
    let lists = List::new("contacts").with_limit(1);
    let lists = try_join_all((0..150).map(|_| client.list_objects(&lists)));
    tokio::try_join!(searches, batches, lists).map(drop).unwrap();
    assert_eq!(account.refused().await, 0, "{:?}", client.limiter().stats());
    assert_eq!(start.elapsed().as_secs(), 20);
}

/// The day's calls are used up in the middle of a walk; the rest is read in the morning.
#[tokio::test(start_paused = true)]
async fn a_walk_sleeps_until_the_account_has_a_new_day() {
    let account = Account::new(Tier::Pro);
    let morning = "2026-11-28T00:00:00Z".parse::<Timestamp>().unwrap();
    let daily = Daily {
        clock: WallClock::starting_at(morning - 3.hours()),
        ..Daily::default()
    };
    let limiter = RateLimiter::with_daily(Limits::default(), daily);
    let client = Client::builder()
        .token(StaticToken::new(DEFAULT_TOKEN).unwrap())
        .limiter(limiter)
        .http_service(Arc::new(account.clone()))
        .build()
        .unwrap();
    client.account().await.unwrap();
    let over = json!({"match": {"method": "GET", "path": "/crm/**"}, "times": 1, "action": {"status": 429, "policy": "DAILY"}});
    account.control("POST", "faults", &over).await;
    let start = Instant::now();
    let pages: Vec<_> = client.pages(List::new("contacts")).try_collect().await.unwrap();
    let records = pages.iter().map(|page| page.results.len()).sum::<usize>();
    assert_eq!(records, account.live_contacts().await);
    assert_eq!(start.elapsed().as_secs(), 3 * 60 * 60 + 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_wait_says_that_the_day_is_over() {
    let account = Account::new(Tier::Pro);
    let daily = Daily {
        max_calls: Some(2),
        ..Daily::default()
    };
    let client = Client::builder()
        .token(StaticToken::new(DEFAULT_TOKEN).unwrap())
        .limiter(RateLimiter::with_daily(Limits::default(), daily))
        .wait_for_next_day(false)
        .http_service(Arc::new(account.clone()))
        .build()
        .unwrap();
    client.account().await.unwrap();
    client.account().await.unwrap();
    let error = client.account().await.unwrap_err();
    assert!(error.is_daily_limit() && error.hint().is_some(), "{error}");
    assert_eq!(account.control("GET", "requests", &Value::Null).await["total"], 2);
}

#[tokio::test(start_paused = true)]
async fn two_programs_with_one_token_give_way_to_each_other() {
    let account = Account::new(Tier::Free);
    let (one, other) = (account.client(), account.client());
    let list = List::new("contacts").with_limit(1);
    let run = async |client: &Client| {
        for _ in 0..150 {
            client.list_objects(&list).await?;
        }
        Ok::<_, Error>(())
    };
    tokio::try_join!(run(&one), run(&other)).map(drop).unwrap();
    // Each sees in the answers that it is not alone, and holds back before HubSpot has to say so.
    assert!(account.refused().await <= 2, "{}", account.refused().await);
}

#[tokio::test(start_paused = true)]
async fn faults_on_the_way_are_survived() {
    let account = Account::new(Tier::Pro);
    let faults = json!([
        {"match": {"method": "GET", "path": "/crm/**"}, "times": 1, "action": {"status": 429, "policy": "TEN_SECONDLY_ROLLING"}},
        {"match": {"method": "GET", "path": "/crm/**"}, "times": 1, "action": {"status": 503}},
        {"match": {"method": "GET", "path": "/crm/**"}, "times": 1, "action": {"drop": true}},
        {"match": {"method": "GET", "path": "/crm/**"}, "times": 1, "action": {"truncate": true}}
    ]);
    let live = account.live_contacts().await;
    account.control("DELETE", "requests", &Value::Null).await;
    account.control("POST", "faults", &faults).await;
    let pages: Vec<_> = account
        .client()
        .pages(List::new("contacts"))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(pages.iter().map(|page| page.results.len()).sum::<usize>(), live);
    let log = account.control("GET", "requests", &Value::Null).await;
    assert_eq!(log["total"], 3 + 4, "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_refused_once() {
    let account = Account::new(Tier::Pro);
    let client = Client::builder().token(StaticToken::new("pat-na1-wrong").unwrap());
    let client = client.http_service(Arc::new(account.clone())).build().unwrap();
    let error = client.account().await.unwrap_err();
    assert!(error.is_unauthorized() && error.hint().is_some(), "{error}");
    assert_eq!(account.control("GET", "requests", &Value::Null).await["total"], 1);
}
