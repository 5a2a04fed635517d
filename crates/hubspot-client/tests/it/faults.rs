//! What the network does, and what is said about it.

use std::{error::Error as _, time::Duration};

use hubspot_client::{
    Error, HttpError, HttpErrorKind, Idempotency, Phase, RawPage, Request, RetryPolicy, Timeouts,
    request::objects::List,
};
use tokio::net::TcpListener;

use crate::{
    TOKEN, builder,
    server::{Reply, Server, answer, json},
};

const PAGE: &str = r#"{"results":[{"id":"1"}]}"#;

/// Lists contacts, telling HubSpot something that must not be in any message.
async fn list(url: &str, timeouts: Timeouts, attempts: u32) -> Result<RawPage, Error> {
    let retry = RetryPolicy {
        max_attempts: attempts,
        base: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let client = builder()
        .base_url(url)
        .timeouts(timeouts)
        .retry(retry)
        .build()
        .unwrap();
    client
        .list_objects(&List::new("contacts").with_after("private"))
        .await
}

async fn list_once(url: &str) -> Error {
    list(url, Timeouts::default(), 1).await.unwrap_err()
}

/// The transport's error; whatever it says or holds, no token and no query.
fn http(error: &Error) -> &HttpError {
    let text = format!("{error} {error:?} {:?} {:?}", error.source(), error.hint());
    assert!(!text.contains(TOKEN) && !text.contains("private"), "{text}");
    match error {
        Error::Http(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = list_once(&format!("http://{address}")).await;
    assert_eq!(http(&error).kind(), HttpErrorKind::Connect);
    let path = "/crm/objects/2026-03/contacts";
    assert_eq!(
        error.to_string(),
        format!("GET {address}{path}: no connection to the host")
    );
    assert!(error.hint().unwrap().contains(&address.to_string()));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_from_a_host_that_is_not_there() {
    // No label of a name has more than 63 letters, so no resolver needs to be asked.
    let error = list_once(&format!("http://{}.example", "a".repeat(64))).await;
    assert_eq!(http(&error).kind(), HttpErrorKind::Dns);
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_told_from_a_host_that_is_not_there() {
    let server = Server::start(vec![]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let speak = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut connection, b"220 mail ready\r\n")
            .await
            .unwrap();
        connection
    });
    let error = list(&format!("https://{address}"), Timeouts::default(), 3)
        .await
        .unwrap_err();
    assert_eq!(http(&error).kind(), HttpErrorKind::Tls);
    assert_eq!(http(&error).attempts(), 1, "it does not mend itself");
    drop((server, speak.await));
}

#[tokio::test]
async fn silence_is_cut_by_the_read_timeout() {
    let server = Server::start(vec![Reply::Stall(vec![])]).await;
    let timeouts = Timeouts {
        read: Duration::from_millis(50),
        ..Timeouts::default()
    };
    let error = list(&server.url(), timeouts, 1).await.unwrap_err();
    assert_eq!(http(&error).kind(), HttpErrorKind::Timeout(Phase::Read));
}

#[tokio::test]
async fn an_answer_that_stops_coming_is_cut_by_the_read_timeout() {
    let head = b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{".to_vec();
    let server = Server::start(vec![Reply::Stall(head)]).await;
    let timeouts = Timeouts {
        read: Duration::from_millis(50),
        ..Timeouts::default()
    };
    let error = list(&server.url(), timeouts, 1).await.unwrap_err();
    assert_eq!(http(&error).kind(), HttpErrorKind::Timeout(Phase::Read));
}

#[tokio::test]
async fn an_answer_that_trickles_for_ever_is_cut_by_the_total_timeout() {
    let server = Server::start(vec![Reply::Drip]).await;
    let timeouts = Timeouts {
        total: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let error = list(&server.url(), timeouts, 1).await.unwrap_err();
    assert_eq!(http(&error).kind(), HttpErrorKind::Timeout(Phase::Total));
}

#[tokio::test]
async fn a_connection_that_drops_is_tried_again() {
    let server = Server::start(vec![Reply::Bytes(vec![]), json(PAGE)]).await;
    let page = list(&server.url(), Timeouts::default(), 3).await.unwrap();
    assert_eq!(page.results[0].id(), "1");
    assert_eq!(server.heads().len(), 2);
}

#[tokio::test]
async fn a_body_that_is_cut_is_tried_again_and_reported_when_it_stays() {
    let cut = || Reply::Bytes(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{\"results\":[".to_vec());
    let server = Server::start(vec![cut(), json(PAGE)]).await;
    assert!(list(&server.url(), Timeouts::default(), 3).await.is_ok());

    let server = Server::start(vec![cut(), cut(), cut()]).await;
    let error = list(&server.url(), Timeouts::default(), 3).await.unwrap_err();
    assert_eq!(
        (http(&error).kind(), http(&error).attempts()),
        (HttpErrorKind::Interrupted, 3)
    );
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_sent_once() {
    let server = Server::start(vec![Reply::Bytes(vec![]), json("{}")]).await;
    let client = builder().base_url(server.url()).build().unwrap();
    let create: Request = http::Request::post("/crm/v3/objects/contacts")
        .body("{}".into())
        .unwrap();
    assert_eq!(Idempotency::of(&create), Idempotency::Unsafe);
    let error = client.send(create).await.unwrap_err();
    assert_eq!(
        (http(&error).kind(), http(&error).attempts()),
        (HttpErrorKind::Interrupted, 1)
    );
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn html_in_place_of_json_is_called_that() {
    let reply = answer(
        200,
        "content-type: text/html; charset=utf-8\r\n",
        b"<!doctype html><p>Log in",
    );
    let server = Server::start(vec![reply]).await;
    let error = list_once(&server.url()).await;
    assert_eq!(
        error.to_string(),
        "GET /crm/objects/2026-03/contacts: expected JSON but got HTML (content-type text/html)"
    );
    assert!(error.hint().unwrap().contains("base URL"));
}

#[tokio::test]
async fn json_that_is_cut_in_a_whole_answer_is_asked_for_again() {
    let server = Server::start(vec![json(&PAGE[..20]), json(PAGE)]).await;
    assert!(list(&server.url(), Timeouts::default(), 3).await.is_ok());

    let server = Server::start((0..3).map(|_| json(&PAGE[..20])).collect()).await;
    let error = list(&server.url(), Timeouts::default(), 3).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /crm/objects/2026-03/contacts: the JSON ends early at byte 20"
    );
    assert_eq!(server.heads().len(), 3);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed_with_the_token() {
    let other = Server::start(vec![json(PAGE)]).await;
    let location = format!("location: {}/crm\r\n", other.url());
    let server = Server::start(vec![answer(302, &location, b"")]).await;
    let error = list_once(&server.url()).await;
    assert_eq!(http(&error).kind(), HttpErrorKind::Redirect);
    let text = error.to_string();
    assert!(
        text.ends_with("the answer points to another host, 127.0.0.1"),
        "{text}"
    );
    assert!(other.heads().is_empty() && error.is_retryable());
}

#[tokio::test]
async fn every_attempt_carries_the_token_and_says_who_asks() {
    let server = Server::start(vec![answer(502, "", b""), json(PAGE)]).await;
    list(&server.url(), Timeouts::default(), 3).await.unwrap();
    for head in server.heads() {
        assert!(head.starts_with("GET /crm/objects/2026-03/contacts?limit=100&after=private HTTP/1.1\r\n"));
        assert!(
            head.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
            "{head}"
        );
        assert!(
            head.contains("user-agent: spoke/") && head.contains("accept-encoding: gzip"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn an_answer_may_be_compressed() {
    const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x4a\x2d\x2e\xcd\x29\x29\x56\xb2\x8a\xae\x56\xca\x4c\x51\xb2\x52\x32\x54\xaa\x8d\xad\x05\x00\x91\x2e\xd1\x70\x18\x00\x00\x00";
    let head = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let server = Server::start(vec![answer(200, head, GZIPPED)]).await;
    let page = list(&server.url(), Timeouts::default(), 1).await.unwrap();
    assert_eq!(page.results[0].json(), r#"{"id":"1"}"#);
}

/// A page behind 1 MB of blanks, in a kilobyte.
const BLANKS: &[u8] = include_bytes!("blanks.gz");

async fn list_within(reply: Reply, max_size: usize) -> (Result<RawPage, Error>, usize) {
    let server = Server::start(vec![reply]).await;
    let client = builder().base_url(server.url()).max_response_size(max_size);
    let result = client
        .build()
        .unwrap()
        .list_objects(&List::new("contacts").with_after("private"))
        .await;
    (result, server.heads().len())
}

#[tokio::test]
async fn a_small_response_that_unpacks_beyond_the_bound_is_refused_by_name() {
    let head = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    assert!(BLANKS.len() < 2_000);
    let (page, _) = list_within(answer(200, head, BLANKS), 2_000_000).await;
    assert_eq!(page.unwrap().results.len(), 1);
    let (error, attempts) = list_within(answer(200, head, BLANKS), 1_000_000).await;
    let error = error.unwrap_err();
    assert_eq!(http(&error).kind(), HttpErrorKind::TooLarge);
    assert!(error.to_string().contains("`max_response_size`"), "{error}");
    assert!(error.hint().unwrap().contains("gateway") && !error.is_retryable());
    assert_eq!(attempts, 1, "it would be as large again");
}

#[tokio::test]
async fn a_response_of_the_bound_is_taken_and_one_byte_more_is_not() {
    assert!(list_within(json(PAGE), PAGE.len()).await.0.is_ok());
    let (error, _) = list_within(json(PAGE), PAGE.len() - 1).await;
    assert_eq!(http(&error.unwrap_err()).kind(), HttpErrorKind::TooLarge);
}
