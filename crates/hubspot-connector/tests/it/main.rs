//! The source from outside: against the emulator in process where HubSpot's behaviour matters, against a script where
//! an answer must be odd. No sockets, no waiting: time is paused where the client would wait.

mod bulk;
mod completeness;
mod convergence;
mod cost;
mod double;
mod emulated;
mod faults;
mod follower;
mod following;
mod links;
mod moving;
mod odd_answers;
mod pace;
mod positions;
mod progress;
mod stress;
mod table;
mod unkind_search;
mod writing;

use futures_util::StreamExt;
use opencdc::{Batch, Note, Position, Record, Result, Resume, Selection, Source};

/// Every batch of a read of everything from `from` on; ends with the first error.
async fn try_read(source: &dyn Source, from: Option<Resume>) -> Vec<Result<Batch>> {
    let everything = Selection::everything(&source.catalog().await.expect("the catalog is there"));
    let batches = source.read(everything, from).await.expect("the read starts");
    batches.collect().await
}

/// Where to go on after these batches, the first that were ever read.
fn after(batches: &[Batch]) -> Resume {
    after_more(None, batches)
}

/// Where to go on after these batches, which were read from `before` on.
fn after_more(before: Option<Resume>, batches: &[Batch]) -> Resume {
    let mut resume = before.unwrap_or_else(|| Resume::from(Position::new("")));
    for batch in batches {
        resume.position = batch.position.clone();
        Note::apply(&mut resume.notes, &batch.notes);
    }
    resume
}

/// As [`try_read`], when nothing goes wrong.
async fn read(source: &dyn Source, from: Option<Resume>) -> Vec<Batch> {
    let batches = try_read(source, from).await;
    batches
        .into_iter()
        .map(|batch| batch.unwrap_or_else(|error| panic!("{error} ({:?})", error.hint())))
        .collect()
}

/// The records of one stream, in order.
fn of_stream<'a>(batches: &'a [Batch], stream: &str) -> Vec<&'a Record> {
    let records = batches.iter().flat_map(|batch| &batch.records);
    records
        .filter(|record| record.stream.as_str() == stream)
        .collect()
}

/// A field of a record's key.
fn key(record: &Record, field: &str) -> String {
    let key = record.key.to_object().expect("a key is an object");
    match &key[field] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The ids of one stream, in order.
fn ids(batches: &[Batch], stream: &str) -> Vec<String> {
    of_stream(batches, stream)
        .iter()
        .map(|record| key(record, "id"))
        .collect()
}
