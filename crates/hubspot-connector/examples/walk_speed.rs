//! How much the connector adds to the client's decoding: the same pages walked twice, once by the client alone and
//! once as a source.
//!
//! `cargo run --release -p hubspot-connector --example walk_speed`

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use hubspot_client::request::objects::List;
use hubspot_client::{Client, HttpError, HttpService, Limits, Request, Response, StaticToken};
use hubspot_connector::{HubspotSource, SourceConfig};
use opencdc::{Selection, Source};
use serde_json::json;

const PAGES: u64 = 5_000;
const PER_PAGE: u64 = 100;

/// Answers every list with the same page, up to the last.
#[derive(Debug)]
struct SamePage {
    results: String,
}

impl SamePage {
    fn new() -> Self {
        let record = |id: u64| {
            json!({
                "id": id.to_string(),
                "properties": (0..40).map(|n| (format!("property_{n:02}"), json!(format!("value {n} of {id}"))))
                    .collect::<serde_json::Map<_, _>>(),
                "createdAt": "2024-01-17T19:55:04.281Z",
                "updatedAt": "2024-09-11T13:27:39.356Z",
                "archived": false,
                "associations": {"companies": {"results": [
                    {"id": "7", "type": "contact_to_company_unlabeled"},
                    {"id": "7", "type": "contact_to_company"},
                ]}},
            })
        };
        let results: Vec<_> = (0..PER_PAGE).map(record).collect();
        Self {
            results: serde_json::to_string(&results).expect("JSON"),
        }
    }

    fn page(&self, query: &str) -> String {
        let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
        let page = after.map_or(1, |after| after.parse::<u64>().map_or(1, |before| before + 1));
        let paging = if page < PAGES {
            format!(r#","paging":{{"next":{{"after":"{page}"}}}}"#)
        } else {
            String::new()
        };
        format!(r#"{{"results":{}{paging}}}"#, self.results)
    }
}

#[async_trait]
impl HttpService for SamePage {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let labels = r#"{"results":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null},
                                    {"category":"HUBSPOT_DEFINED","typeId":1,"label":"Primary"}]}"#;
        let body = match request.uri().path() {
            "/account-info/v3/details" => r#"{"portalId":1}"#.to_owned(),
            "/crm/v3/properties/contacts" => r#"{"results":[]}"#.to_owned(),
            path if path.ends_with("/labels") => labels.to_owned(),
            _ => self.page(request.uri().query().unwrap_or_default()),
        };
        Ok(Response::new(Bytes::from(body)))
    }
}

fn client() -> Client {
    let plenty = Limits {
        burst: 1_000_000,
        search: 1_000_000,
        associations: 1_000_000,
        ..Limits::default()
    };
    let token = StaticToken::new("pat-na1-example").expect("a good token");
    let builder = Client::builder()
        .token(token)
        .limits(plenty)
        .api_version("v3".parse().expect("a version"));
    builder
        .http_service(Arc::new(SamePage::new()))
        .build()
        .expect("a client")
}

async fn decode() -> Duration {
    let begun = Instant::now();
    let mut pages = std::pin::pin!(client().pages(List::new("contacts")));
    while let Some(page) = pages.next().await {
        page.expect("a page");
    }
    begun.elapsed()
}

async fn read(associations: serde_json::Value) -> (u64, Duration) {
    let streams = json!([{"name": "contacts", "associations": associations}]);
    let config: SourceConfig =
        serde_json::from_value(json!({"connection": "x", "streams": streams})).expect("a config");
    let source = HubspotSource::new(client(), config).expect("a source");
    let everything = Selection::everything(&source.catalog().await.expect("a catalog"));
    let begun = Instant::now();
    let mut batches = source.read(everything, None).await.expect("a read");
    let mut records = 0;
    while let Some(batch) = batches.next().await {
        records += batch.expect("a batch").records.len() as u64;
    }
    (records, begun.elapsed())
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let mut out = std::io::stdout();
    let decoding = runtime.block_on(decode());
    writeln!(
        out,
        "client alone: {} records in {decoding:.2?}",
        PAGES * PER_PAGE
    )?;
    for associations in [json!("none"), json!(["companies"])] {
        let (records, took) = runtime.block_on(read(associations.clone()));
        let beyond = took.saturating_sub(decoding);
        let rate = u128::from(records) * 1_000 / beyond.as_millis().max(1);
        writeln!(
            out,
            "associations {associations}: {records} records in {took:.2?}, {beyond:.2?} beyond decoding: {rate} records/s"
        )?;
    }
    Ok(())
}
