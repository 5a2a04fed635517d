//! A source of batches that were written down beforehand.

use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use super::lock;
use crate::{
    Batch, BatchStream, Catalog, DataType, Error, ErrorKind, Field, Note, Notes, Position, Result, Resume,
    Selection, Source, Stream, StreamName,
};

/// A source that yields the batches it was given.
///
/// A position that is not one of its batches' is refused, and so are notes that are not those of its batches up to
/// the position: every test that resumes this source shows that position and notes were never apart.
#[derive(Debug)]
pub struct MemorySource {
    catalog: Catalog,
    batches: Vec<Batch>,
    acked: Mutex<Vec<Position>>,
}

impl MemorySource {
    /// A source of these batches, with a catalog of streams keyed by `id`.
    pub fn new<S: Into<StreamName>>(streams: impl IntoIterator<Item = S>, batches: Vec<Batch>) -> Self {
        let id = || vec![Field::new("id", DataType::String, ["id"])];
        let streams = streams
            .into_iter()
            .map(|name| Stream::new(name, ["id"], id()))
            .collect();
        Self::with_catalog(Catalog::new(streams), batches)
    }

    /// A source of these batches and this catalog.
    pub fn with_catalog(catalog: Catalog, batches: Vec<Batch>) -> Self {
        Self {
            catalog,
            batches,
            acked: Mutex::default(),
        }
    }

    /// Every acknowledged position, in order.
    pub fn acked(&self) -> Vec<Position> {
        lock(&self.acked).clone()
    }

    fn index_after(&self, from: Option<&Resume>) -> Result<usize> {
        let Some(from) = from else { return Ok(0) };
        let strange = |what| Error::new(ErrorKind::Incompatible, what).with_hint("reset it");
        let mut notes = Notes::new();
        for (index, batch) in self.batches.iter().enumerate() {
            Note::apply(&mut notes, &batch.notes);
            if batch.position != from.position {
                continue;
            }
            return if notes == from.notes {
                Ok(index + 1)
            } else {
                Err(strange("the notes are not those of the position"))
            };
        }
        Err(strange("the position is not one of this source's"))
    }
}

#[async_trait]
impl Source for MemorySource {
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.catalog.clone())
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        for wanted in &selection.streams {
            self.catalog.stream(wanted.name.as_str()).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("there is no stream `{}`", wanted.name),
                )
            })?;
        }
        let mut batches = self.batches[self.index_after(from.as_ref())?..].to_vec();
        for batch in &mut batches {
            batch
                .records
                .retain(|record| selection.streams.iter().any(|s| s.name == record.stream));
        }
        Ok(stream::iter(batches.into_iter().map(Ok)).boxed())
    }

    async fn ack(&self, position: &Position) -> Result<()> {
        lock(&self.acked).push(position.clone());
        Ok(())
    }
}
