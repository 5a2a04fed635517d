//! What is logged, at the chattiest level: each attempt, and nothing secret.

use std::{
    io,
    sync::{Arc, Mutex},
};

use hubspot_client::request::objects::Get;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

use crate::{
    TOKEN, builder,
    server::{Server, answer, json},
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn each_attempt_is_a_line_without_token_query_or_address() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    // For the whole process: what is set for one thread loses lines to tests on other threads, because tracing asks
    // whichever thread comes first whether a line is wanted. So the lines of all tests are here.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let correlation = "x-hubspot-correlation-id: c-42\r\n";
    let server = Server::start(vec![answer(502, correlation, b""), json(r#"{"id":"1"}"#)]).await;
    let client = builder().base_url(server.url()).build().unwrap();
    let get = Get::new("logged", "jane@example.com")
        .by("email")
        .with_properties(["private"]);
    client.get_object(&get).await.unwrap();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("hubspot_client") && line.contains("/logged/"))
        .collect();
    assert_eq!(
        ours.iter().filter(|line| line.contains("answered")).count(),
        2,
        "{text}"
    );
    assert!(ours[0].contains("/logged/***\" status=502"), "{}", ours[0]);
    assert!(ours[0].contains("c-42"), "{}", ours[0]);
    assert!(!text.contains(TOKEN), "the token is in the log");
    assert!(
        !ours
            .iter()
            .any(|line| line.contains("private") || line.contains("jane")),
        "{ours:?}"
    );
}
