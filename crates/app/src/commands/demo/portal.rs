//! The demo's local HubSpot: the emulator on a port of this machine, and its control routes.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use hubspot_emulator::{Counts, Emulator, Options, Tier};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::OBJECTS;
use crate::exit::{Failure, Outcome};

/// Small enough to be there at once, large enough to be worth a query.
const CONTACTS: u64 = 2000;
const COMPANIES: u64 = 400;
const DEALS: u64 = 600;
const TICKETS: u64 = 300;

/// What happens in one round: object, kinds of changes, how many of each.
const ROUND: [(&str, &[(&str, u64)]); 2] = [
    (
        "contacts",
        &[
            ("create", 25),
            ("update", 60),
            ("archive", 10),
            ("merge", 3),
            ("gdprDelete", 2),
        ],
    ),
    ("deals", &[("create", 5), ("update", 40), ("archive", 3)]),
];

/// Changes of one kind that were made.
pub(super) struct Change {
    pub(super) object: &'static str,
    /// In the past tense.
    pub(super) kind: &'static str,
    pub(super) count: usize,
    /// The records that are different now.
    pub(super) ids: Vec<String>,
}

impl Change {
    /// Of the emulator's answer: an id, or the three of a merge.
    fn of(object: &'static str, kind: &str, done: &Value) -> Self {
        let done = done.as_array().map(Vec::as_slice).unwrap_or_default();
        let ids = done.iter().flat_map(|change| match change {
            Value::Object(merge) => merge.values().cloned().collect(),
            id => vec![id.clone()],
        });
        Self {
            object,
            kind: match kind {
                "create" => "created",
                "update" => "changed",
                "archive" => "archived",
                "merge" => "merged",
                _ => "erased for good",
            },
            count: done.len(),
            ids: ids.filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        }
    }
}

pub(super) struct Portal {
    /// Where it listens.
    pub(super) url: String,
    router: axum::Router,
}

/// A record as the emulator's truth tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrueRecord {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) updated_at: String,
}

impl Portal {
    /// Starts it on a free port.
    pub(super) async fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| trouble(&error))?;
        let address = listener.local_addr().map_err(|error| trouble(&error))?;
        let counts = Counts {
            contacts: CONTACTS,
            companies: COMPANIES,
            deals: DEALS,
            tickets: TICKETS,
            ..Counts::default()
        };
        let emulator = Emulator::new(Options {
            counts,
            tier: Tier::Pro,
            ..Options::default()
        });
        let router = emulator.router();
        tokio::spawn(hubspot_emulator::serve(
            listener,
            emulator,
            std::future::pending(),
        ));
        Ok(Self {
            url: format!("http://{address}"),
            router,
        })
    }

    /// What it holds, in words.
    pub(super) async fn contents(&self) -> Outcome<String> {
        let mut parts = Vec::new();
        for object in OBJECTS {
            let live = self
                .truth(object)
                .await?
                .values()
                .filter(|record| record.state == "live")
                .count();
            parts.push(format!("{live} {}", object.replace('_', " ")));
        }
        Ok(parts.join(", "))
    }

    /// Changes records of several types.
    pub(super) async fn mutate(&self, seed: u64) -> Outcome<Vec<Change>> {
        let mut changes = Vec::new();
        for (object, kinds) in ROUND {
            let mut mutation = json!({"objectType": object, "seed": seed, "distinct": true});
            for (kind, count) in kinds {
                mutation[kind] = (*count).into();
            }
            let done: Value = serde_json::from_str(&self.post("mutate", &mutation).await?)
                .map_err(|error| trouble(&error))?;
            changes.extend(
                kinds
                    .iter()
                    .map(|(kind, _)| Change::of(object, kind, &done[kind])),
            );
        }
        Ok(changes)
    }

    /// Every record of a type that ever was.
    pub(super) async fn truth(&self, object: &str) -> Outcome<BTreeMap<String, TrueRecord>> {
        let text = self
            .control(Request::get(format!("/_emulator/truth/{object}")), Body::empty())
            .await?;
        let records = text.lines().map(serde_json::from_str::<TrueRecord>);
        records
            .map(|record| {
                record
                    .map(|record| (record.id.clone(), record))
                    .map_err(|error| trouble(&error))
            })
            .collect()
    }

    async fn post(&self, route: &str, body: &Value) -> Outcome<String> {
        let request = Request::post(format!("/_emulator/{route}")).header("content-type", "application/json");
        self.control(request, Body::from(body.to_string())).await
    }

    /// Asks a control route, without the way over the network.
    async fn control(&self, request: axum::http::request::Builder, body: Body) -> Outcome<String> {
        let request = request.body(body).map_err(|error| trouble(&error))?;
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .map_err(|error| trouble(&error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status.is_success() {
            Ok(text)
        } else {
            Err(Failure::failed(format!(
                "the local HubSpot answered {status}: {text}"
            )))
        }
    }
}

fn trouble(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::failed("the local HubSpot does not work").because(error)
}
