//! Streams that are no CRM objects: read whole, and compared with what was delivered.

mod listed;
mod reading;
mod vanished;

use std::collections::HashSet;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::Stream;
use hubspot_client::Client;
use opencdc::{Data, Operation, Record, Result, StreamName};
use serde_json::{Map, Value};

use super::context::{Context, Progress};
use super::differ::Difference;
use super::step::Goal;
use crate::known::Edit;
use crate::known::digest::{self, Compared};
use crate::objects::ObjectType;
use crate::own::OwnStream;
use crate::position::{Complete, StreamPosition};
use crate::record::Facts;
pub(super) use reading::is_about_one;
use vanished::Vanished;

/// One row of a table.
struct Row {
    /// The key's JSON text, as it stands in what is known.
    text: String,
    key: Map<String, Value>,
    after: Data,
    object: Option<Arc<ObjectType>>,
}

impl Row {
    fn new(key: Map<String, Value>, after: Data, object: Option<Arc<ObjectType>>) -> Self {
        let text = serde_json::to_string(&key).expect("a key is always serialisable");
        Self {
            text,
            key,
            after,
            object,
        }
    }
}

/// What became of the rows of a table.
struct Settled {
    /// The rows that are there, each once.
    rows: Vec<Row>,
    /// The delivered rows that are gone for sure.
    gone: Vec<Vanished>,
}

/// Reads a table, and again whenever it is time.
pub(super) fn run(
    client: &Client,
    context: Context,
    own: OwnStream,
) -> impl Stream<Item = Result<Progress>> + Send + use<> {
    let table = Table {
        client: client.with_own_tally(),
        context,
        own,
    };
    let stream: StreamName = own.name().into();
    table.context.board.reads(&stream, &table.client);
    try_stream! {
        loop {
            let progress = table.read().await?;
            table.context.board.count(&stream, progress.records.len() as u64);
            yield progress;
            table.context.board.caught_up(&stream);
            if table.context.goal == Goal::CaughtUp {
                break;
            }
            tokio::time::sleep(table.context.shape().plan.refresh).await;
        }
    }
}

/// The rows of these keys as they are now: each as if it was new, or as a delete. A row of which HubSpot does not say
/// whether it is there is left out.
pub(super) async fn again(
    client: &Client,
    context: Context,
    own: OwnStream,
    keys: &[Map<String, Value>],
) -> Result<Difference> {
    let table = Table {
        client: client.clone(),
        context,
        own,
    };
    let text = |key| serde_json::to_string(key).expect("a key is always serialisable");
    let asked: HashSet<String> = keys.iter().map(text).collect();
    let known = || asked.iter().map(String::as_str);
    let mut settled = table.settle(|seen| seen.vanished(own, known())).await?;
    settled.rows.retain(|row| asked.contains(&row.text));
    Ok(table.differ(settled, Operation::Snapshot))
}

struct Table {
    client: Client,
    context: Context,
    own: OwnStream,
}

impl Table {
    async fn read(&self) -> Result<Progress> {
        let begun = self.context.now(&self.client);
        let stream = self.own.name().into();
        let settled = self
            .settle(|seen| {
                let mut known = self.context.known.lock();
                let known = known.of(&stream).rows.keys().map(String::as_str);
                seen.vanished(self.own, known)
            })
            .await?;
        let is_first = self.context.position_of(&stream).is_none();
        let difference = self.differ(
            settled,
            if is_first {
                Operation::Snapshot
            } else {
                Operation::Create
            },
        );
        let state = StreamPosition::Complete(Complete {
            initial_timestamp: begun,
            open: None,
        });
        self.context.board.at(&stream, &state);
        Ok(Progress {
            states: vec![(stream, state)],
            records: difference.records,
            edits: difference.edits,
            shape: None,
        })
    }

    /// The rows that are new, differ, or are gone.
    fn differ(&self, settled: Settled, new: Operation) -> Difference {
        let stream = self.own.name().into();
        let mut known = self.context.known.lock();
        let known = &known.of(&stream).rows;
        let (mut records, mut edits) = (Vec::new(), Vec::new());
        for row in settled.rows {
            let digest = digest::of_json(&row.after.to_json());
            let operation = match known.get(&row.text).map(|before| digest.compare(*before)) {
                Some(Compared::Same) => continue,
                Some(Compared::SameText) => {
                    edits.push((row.text, Some(digest.value)));
                    continue;
                }
                Some(Compared::Differs) => Operation::Update,
                None => new,
            };
            records.push(self.record(&row, operation));
            edits.push((row.text, Some(digest.value)));
        }
        for row in settled.gone {
            records.push(self.delete(row.key));
            edits.push((row.text, None));
        }
        Difference {
            records,
            edits: vec![Edit::Rows(stream, edits)],
            ..Difference::default()
        }
    }

    fn record(&self, row: &Row, operation: Operation) -> Record {
        let facts = self.facts(row.object.as_deref());
        facts
            .read_now()
            .row(operation, row.key.clone(), Some(row.after.clone()))
    }

    fn delete(&self, key: Map<String, Value>) -> Record {
        self.facts(None).read_now().row(Operation::Delete, key, None)
    }

    fn facts(&self, object: Option<&ObjectType>) -> Facts {
        Facts::new(self.own.name().into(), &self.context.portal_id, object)
    }
}
