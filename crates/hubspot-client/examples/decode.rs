//! How fast pages are read: records per second on one core.
//!
//! `cargo run --release -p hubspot-client --example decode -- [PROPERTIES] [SECONDS]`

use std::{
    fmt::Write as _,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use hubspot_client::{
    Client, Error, HttpError, HttpService, Limits, Request, Response, StaticToken, request::objects::List,
};

const RECORDS: usize = 100;

/// Answers everything with one page.
#[derive(Debug)]
struct OnePage(Bytes);

#[async_trait]
impl HttpService for OnePage {
    async fn call(&self, _: Request) -> Result<Response, HttpError> {
        Ok(Response::new(self.0.clone()))
    }
}

fn page(properties: usize) -> Bytes {
    let mut text = String::from("{\"results\":[");
    for id in 0..RECORDS {
        let comma = if id == 0 { "" } else { "," };
        let times = "\"createdAt\":\"2024-01-17T19:55:04.281Z\",\"updatedAt\":\"2024-09-11T13:27:39.356Z\"";
        let _ = write!(
            text,
            "{comma}{{\"id\":\"{}\",\"properties\":{{",
            10_000_000_000 + id
        );
        for n in 0..properties {
            let comma = if n == 0 { "" } else { "," };
            let value = if n % 3 == 0 {
                "null".to_owned()
            } else {
                format!("\"value {n} of record {id}\"")
            };
            let _ = write!(text, "{comma}\"hs_some_property_name_{n}\":{value}");
        }
        let _ = write!(text, "}},{times},\"archived\":false}}");
    }
    text.push_str(
        "],\"paging\":{\"next\":{\"after\":\"513\",\"link\":\"https://api.hubapi.com/x?after=513\"}}}",
    );
    text.into()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<usize>());
    let properties = numbers.next().transpose()?.unwrap_or(60);
    let seconds = numbers.next().transpose()?.unwrap_or(3);
    let page = page(properties);
    let size = page.len();
    let pages = read_for(Duration::from_secs(seconds as u64), page).await?;
    let rate = pages * RECORDS / seconds;
    let bytes = pages * size / seconds / 1_000_000;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{RECORDS} records of {properties} properties, {size} bytes: {rate} records/s, {bytes} MB/s"
    )?;
    Ok(())
}

/// Through the whole client, so that what the layers cost is in the figure.
async fn read_for(time: Duration, page: Bytes) -> Result<usize, Error> {
    let limits = Limits {
        burst: u32::MAX / 2,
        ..Limits::default()
    };
    let token = StaticToken::new("none")?;
    let client = Client::builder()
        .token(token)
        .limits(limits)
        .http_service(Arc::new(OnePage(page)))
        .build()?;
    let (list, start, mut pages) = (List::new("contacts"), Instant::now(), 0);
    while start.elapsed() < time {
        let page = client.list_objects(&list).await?;
        assert_eq!(page.results.len(), RECORDS);
        pages += 1;
    }
    Ok(pages)
}
