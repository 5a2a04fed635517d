//! Reads a source, whole or in pieces, as the run loop does.

use futures_util::StreamExt;
use opencdc::conformance::source::resume_after;
use opencdc::{Batch, Error, Note, Operation, Record, Resume, Selection, Source};

/// Reads until the source has caught up, or fails.
pub(crate) async fn read_from(source: &dyn Source, from: Option<Resume>) -> (Vec<Batch>, Option<Error>) {
    let selection = Selection::everything(&source.catalog().await.unwrap());
    let mut batches = source.read(selection, from).await.unwrap();
    let mut read = Vec::new();
    while let Some(batch) = batches.next().await {
        match batch {
            Ok(batch) => read.push(batch),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

/// What a run keeps of another: where to resume.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Option<Resume>);

impl Kept {
    /// Reads what is new, and keeps where that ended.
    pub(crate) async fn read(&mut self, source: &dyn Source) -> Vec<Record> {
        let (batches, error) = read_from(source, self.0.clone()).await;
        assert!(error.is_none(), "{error:?}");
        self.keep(&batches);
        batches.into_iter().flat_map(|batch| batch.records).collect()
    }

    /// Reads so many batches, and keeps where the last one ended, as a run that is killed there.
    pub(crate) async fn read_some(&mut self, source: &dyn Source, batches: usize) -> Vec<Record> {
        let selection = Selection::everything(&source.catalog().await.unwrap());
        let read = source.read(selection, self.0.clone()).await.unwrap();
        let batches: Vec<_> = read.take(batches).map(Result::unwrap).collect().await;
        self.keep(&batches);
        batches.into_iter().flat_map(|batch| batch.records).collect()
    }

    fn keep(&mut self, batches: &[Batch]) {
        let Some(last) = resume_after(batches) else { return };
        let mut notes = self.0.take().map(|kept| kept.notes).unwrap_or_default();
        for batch in batches {
            Note::apply(&mut notes, &batch.notes);
        }
        self.0 = Some(Resume {
            position: last.position,
            notes,
        });
    }
}

/// A record as `stream operation key after`.
pub(crate) fn in_words(record: &Record) -> String {
    let text = |data: &opencdc::Data| String::from_utf8(data.to_json().to_vec()).unwrap();
    let after = record.payload.after.as_ref().map(text).unwrap_or_default();
    let words = format!(
        "{} {} {} {after}",
        record.stream,
        record.operation,
        text(&record.key)
    );
    words.trim_end().to_owned()
}

pub(crate) fn all_in_words(records: &[Record]) -> Vec<String> {
    records.iter().map(in_words).collect()
}

/// The operation of every record, when it is one.
pub(crate) fn operation(records: &[Record]) -> Operation {
    let first = records[0].operation;
    assert!(
        records.iter().all(|record| record.operation == first),
        "one operation"
    );
    first
}
