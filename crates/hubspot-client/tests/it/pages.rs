//! Walking a list.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use hubspot_client::{
    Error, HttpError, HttpService, RawObject, RawPage, Request, Response, request::objects::List,
};
use hubspot_emulator::Tier;
use serde_json::json;
use tokio::task::yield_now;

use crate::{Bodies, builder, emulated::Account};

fn ids(pages: &[RawPage]) -> Vec<&str> {
    pages
        .iter()
        .flat_map(|page| &page.results)
        .map(RawObject::id)
        .collect()
}

async fn walk(bodies: impl IntoIterator<Item = (u16, &'static str)>) -> (Vec<RawPage>, Option<Error>) {
    let client = Bodies::new(bodies).client();
    let mut pages = pin!(client.pages(List::new("contacts")));
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => read.push(page),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

const FIRST: (u16, &str) = (200, r#"{"results":[{"id":"1"}],"paging":{"next":{"after":"2"}}}"#);
const SECOND: (u16, &str) = (200, r#"{"results":[{"id":"2"}],"paging":{"next":{"after":"3"}}}"#);
const LAST: (u16, &str) = (200, r#"{"results":[{"id":"3"}]}"#);

#[tokio::test]
async fn all_pages_are_read_in_order() {
    let bodies = Bodies::new([FIRST, SECOND, LAST]);
    let pages: Vec<_> = bodies
        .client()
        .pages(List::new("contacts"))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids(&pages), ["1", "2", "3"]);
    assert_eq!(
        bodies.targets(),
        [
            "GET /crm/objects/2026-03/contacts?limit=100",
            "GET /crm/objects/2026-03/contacts?limit=100&after=2",
            "GET /crm/objects/2026-03/contacts?limit=100&after=3"
        ]
    );
}

#[tokio::test]
async fn paging_may_stand_anywhere_and_a_link_may_be_all_there_is() {
    let (pages, error) = walk([
        (200, r#"{"paging":{"next":{"after":"2"}},"results":[{"id":"1"}]}"#),
        (
            200,
            r#"{"results":[{"id":"2"}],"paging":{"next":{"link":"https://api.hubapi.com/crm?after=3%3D"}}}"#,
        ),
        LAST,
    ])
    .await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids(&pages), ["1", "2", "3"]);
    assert_eq!(pages[1].next.as_ref().unwrap().after, "3=");
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let (pages, error) = walk([(
        200,
        r#"{"results":[],"paging":{"next":{"link":"https://evil.example/crm?after=3"}}}"#,
    )])
    .await;
    assert!(pages.is_empty());
    let error = error.unwrap();
    assert!(
        matches!(&error, Error::ForeignLink { stream, host } if stream == "contacts" && host == "evil.example")
    );
}

#[tokio::test]
async fn pages_that_go_in_a_circle_end_in_an_error_that_names_it() {
    let (pages, error) = walk([FIRST, FIRST]).await;
    assert_eq!(ids(&pages), ["1"]);
    assert_eq!(
        error.unwrap().to_string(),
        "HubSpot's pages of contacts go in a circle: `after=2` came a second time"
    );
    let (pages, error) = walk([FIRST, SECOND, FIRST]).await;
    assert_eq!(ids(&pages), ["1", "2"]);
    assert!(matches!(error, Some(Error::RepeatedPage { after, .. }) if after == "2"));
}

/// The emulator's fault, in the middle of a walk.
#[tokio::test(start_paused = true)]
async fn a_page_that_is_followed_by_itself_ends_the_walk() {
    let account = Account::new(Tier::Unlimited);
    let fault =
        json!({"match": {"method": "GET", "path": "/crm/**"}, "times": 1000, "action": {"repeatPage": true}});
    let client = account.client();
    let mut pages = pin!(client.pages(List::new("contacts").with_limit(10)));
    pages.next().await.unwrap().unwrap();
    account.control("POST", "faults", &fault).await;
    let rest: Vec<_> = pages.collect().await;
    assert!(
        rest.len() <= 4,
        "what was under way, and the error: {}",
        rest.len()
    );
    assert!(
        matches!(rest.last(), Some(Err(Error::RepeatedPage { .. }))),
        "{rest:?}"
    );
}

#[tokio::test]
async fn a_page_that_was_cut_is_read_again() {
    // Cut where its last bytes look like the end of a page.
    const CUT: &str = r#"{"results":[{"id":"1","associations":{"x":{"paging":{"next":{"after":"9"}}}"#;

    /// Cuts its first answer.
    #[derive(Debug, Default)]
    struct CutOnce(AtomicBool);

    #[async_trait]
    impl HttpService for CutOnce {
        async fn call(&self, request: Request) -> Result<Response, HttpError> {
            let body = match request.uri().query() {
                Some("limit=100") if !self.0.swap(true, Ordering::Relaxed) => CUT,
                Some("limit=100") => FIRST.1,
                Some("limit=100&after=2") => LAST.1,
                _ => r#"{"results":[{"id":"no such page"}]}"#,
            };
            Ok(Response::new(body.into()))
        }
    }

    let client = builder()
        .http_service(Arc::new(CutOnce::default()))
        .build()
        .unwrap();
    let pages: Vec<_> = client.pages(List::new("contacts")).try_collect().await.unwrap();
    assert_eq!(ids(&pages), ["1", "3"]);
}

/// While the first is consumed: one page is ready, one is read and waits, one is on its way.
#[tokio::test]
async fn the_next_pages_are_asked_for_while_one_is_consumed_and_no_further() {
    let bodies = Bodies::new([
        FIRST,
        SECOND,
        (200, r#"{"results":[{"id":"3"}],"paging":{"next":{"after":"4"}}}"#),
        (200, r#"{"results":[{"id":"4"}],"paging":{"next":{"after":"5"}}}"#),
        (200, r#"{"results":[{"id":"5"}],"paging":{"next":{"after":"6"}}}"#),
        (200, r#"{"results":[{"id":"6"}]}"#),
    ]);
    let client = bodies.client();
    let mut pages = pin!(client.pages(List::new("contacts")));
    for consumed in 1..=2 {
        pages.next().await.unwrap().unwrap();
        for _ in 0..100 {
            yield_now().await;
        }
        assert_eq!(bodies.targets().len(), consumed + 3);
    }
}

#[tokio::test]
async fn a_list_too_long_for_a_url_is_an_error_and_not_a_panic() {
    let list = List::new("contacts").with_properties((0..2_000).map(|n| format!("property_{n}")));
    let error = Bodies::new([])
        .client()
        .pages(list)
        .try_collect::<Vec<_>>()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::UrlTooLong { .. }));
}
