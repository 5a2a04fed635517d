//! A look at rows in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::destination::{Place, follow};
use super::lock;
use crate::{Catalog, Compared, Data, Field, Inspect, Operation, Record, Result, StreamName, Verdict};

/// A look at the rows of a [`MemoryDestination`](super::MemoryDestination).
pub(super) struct MemoryLook {
    pub(super) catalog: Catalog,
    pub(super) place: Arc<Mutex<Place>>,
}

impl std::fmt::Debug for MemoryLook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLook").finish_non_exhaustive()
    }
}

impl MemoryLook {
    fn compare_one(&self, place: &Place, record: &Record) -> Result<Compared> {
        let key = Value::Object(record.key.to_object()?.into_owned()).to_string();
        let row = place.rows.get(&(record.stream.clone(), key));
        let wanted = match (record.operation, &record.payload.after) {
            (Operation::Delete, _) | (_, None) => None,
            (_, Some(after)) => Some(after.to_object()?.into_owned()),
        };
        let verdict = match (&wanted, row) {
            (None, None) => Verdict::Same,
            (None, Some(_)) => Verdict::Extra,
            (Some(_), None) => Verdict::Missing,
            (Some(wanted), Some(row)) => self.difference(&record.stream, wanted, row),
        };
        Ok(Compared {
            verdict,
            wanted: wanted
                .as_ref()
                .map_or(0, |row| self.checksum(&record.stream, row)),
            found: row.map_or(0, |row| self.checksum(&record.stream, row)),
        })
    }

    fn fields(&self, stream: &StreamName) -> &[Field] {
        let stream = self.catalog.stream(stream.as_str());
        stream.map(|stream| &*stream.fields).unwrap_or_default()
    }

    fn difference(
        &self,
        stream: &StreamName,
        wanted: &Map<String, Value>,
        row: &Map<String, Value>,
    ) -> Verdict {
        let differs = |field: &&Field| follow(wanted, &field.path) != follow(row, &field.path);
        let fields: Vec<_> = self
            .fields(stream)
            .iter()
            .filter(differs)
            .map(|field| field.name.clone())
            .collect();
        if fields.is_empty() {
            Verdict::Same
        } else {
            Verdict::Differs { fields }
        }
    }

    fn checksum(&self, stream: &StreamName, row: &Map<String, Value>) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        for field in self.fields(stream) {
            let value = follow(row, &field.path).map(ToString::to_string);
            std::hash::Hash::hash(&(&field.name, value), &mut hasher);
        }
        std::hash::Hasher::finish(&hasher)
    }
}

#[async_trait]
impl Inspect for MemoryLook {
    async fn compare(&self, records: &[Record]) -> Result<Vec<Compared>> {
        let place = lock(&self.place);
        records
            .iter()
            .map(|record| self.compare_one(&place, record))
            .collect()
    }

    async fn keys(&self, stream: &StreamName, after: Option<&Data>, limit: usize) -> Result<Vec<Data>> {
        let place = lock(&self.place);
        let after = match after {
            Some(key) => Some(Value::Object(key.to_object()?.into_owned()).to_string()),
            None => None,
        };
        let of_stream = place.rows.keys().filter(|(name, _)| name == stream);
        let behind = of_stream.filter(|(_, key)| after.as_ref().is_none_or(|after| key > after));
        Ok(behind
            .take(limit)
            .map(|(_, key)| Data::Raw(key.clone().into_bytes().into()))
            .collect())
    }
}
