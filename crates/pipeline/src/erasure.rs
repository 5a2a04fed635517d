//! Dead letters of records that are no more: what was erased at the origin must not stay in them, and what was merged into
//! another must not be written again.

use opencdc::{Batch, Operation, Record, Result, StreamName, metadata_keys};
use serde_json::{Map, Value};

use crate::Pipeline;

/// How many letters are looked at together.
const PAGE: usize = 500;

/// A record that is no more, or all rows of a stream whose keys begin so.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forgotten {
    stream: StreamName,
    key: Map<String, Value>,
}

impl Forgotten {
    fn is(&self, record: &Record) -> bool {
        let is_same =
            |key: &Map<String, Value>| self.key.iter().all(|(name, value)| key.get(name) == Some(value));
        self.stream == record.stream && record.key.to_object().is_ok_and(|key| is_same(&key))
    }
}

/// The records that a batch says to be erased or merged. One that was archived may be restored, and is kept.
pub(crate) fn forgotten(batch: &Batch) -> Vec<Forgotten> {
    let deletes = batch
        .records
        .iter()
        .filter(|record| record.operation == Operation::Delete);
    let is_final = |record: &&Record| {
        let reason = record.metadata.get(metadata_keys::DELETE_REASON);
        matches!(reason, Some("purged" | "merged"))
    };
    let one = |record: &Record| {
        let key = record.key.to_object().ok()?.into_owned();
        (!key.is_empty()).then(|| Forgotten {
            stream: record.stream.clone(),
            key,
        })
    };
    deletes.filter(is_final).filter_map(one).collect()
}

/// Takes their letters out.
///
/// # Errors
/// Those of the store.
pub(crate) async fn forget(pipeline: &Pipeline, forgotten: &[Forgotten]) -> Result<()> {
    if forgotten.is_empty() {
        return Ok(());
    }
    let (mut after, letters) = (0, &pipeline.dead_letters);
    loop {
        let page = letters.list(&pipeline.name, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        let of = page
            .iter()
            .filter(|(_, letter)| forgotten.iter().any(|one| one.is(&letter.record)));
        let ids: Vec<_> = of.map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            letters.take(&ids).await?;
        }
    }
}
