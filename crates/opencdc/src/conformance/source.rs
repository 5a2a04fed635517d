//! The promises of a [`Source`], for a source with a few batches that do not change while it is tested.

use std::collections::BTreeSet;

use futures_util::StreamExt;

use crate::{
    Batch, ErrorKind, Note, Notes, Position, Record, Resume, SelectedStream, Selection, Source, Until,
};

/// Runs every function of the suite on `source`, which must yield at least two batches.
pub async fn all(source: &dyn Source) {
    every_record_belongs_to_its_stream_and_carries_its_key(source).await;
    reading_may_be_repeated(source).await;
    nothing_is_lost_after_any_position(source).await;
    a_dropped_read_leaves_the_source_usable(source).await;
    a_read_that_nobody_polls_holds_nobody_up(source).await;
    only_selected_streams_are_read(source).await;
    an_unknown_stream_is_refused(source).await;
    a_position_that_is_not_its_own_is_refused(source).await;
}

async fn read(source: &dyn Source, selection: Selection, from: Option<Resume>) -> Vec<Batch> {
    let batches = source.read(selection, from).await.expect("the read starts");
    batches
        .map(|batch| batch.expect("the batch arrives"))
        .collect()
        .await
}

/// What a run gets that resumes after these batches, the first of a read.
pub fn resume_after(batches: &[Batch]) -> Option<Resume> {
    let mut notes = Notes::new();
    for batch in batches {
        Note::apply(&mut notes, &batch.notes);
    }
    let position = batches.last()?.position.clone();
    Some(Resume { position, notes })
}

async fn everything(source: &dyn Source) -> Selection {
    Selection::everything(&source.catalog().await.expect("the catalog is there"))
}

/// What identifies a record for comparison: metadata such as the time of reading may differ.
fn identity(record: &Record) -> String {
    let after = record
        .payload
        .after
        .as_ref()
        .map(|data| format!("{:?}", data.to_object().unwrap()));
    format!(
        "{} {} {:?} {after:?}",
        record.stream,
        record.operation,
        record.key.to_object().unwrap()
    )
}

fn identities<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> BTreeSet<String> {
    batches
        .into_iter()
        .flat_map(|batch| &batch.records)
        .map(identity)
        .collect()
}

/// Promise 1.
pub async fn every_record_belongs_to_its_stream_and_carries_its_key(source: &dyn Source) {
    let catalog = source.catalog().await.unwrap();
    let batches = read(source, Selection::everything(&catalog), None).await;
    assert!(
        batches.len() >= 2,
        "the suite needs a source of at least two batches, got {}",
        batches.len()
    );
    for record in batches.iter().flat_map(|batch| &batch.records) {
        let stream = catalog.stream(record.stream.as_str());
        let stream = stream.unwrap_or_else(|| panic!("`{}` is not in the catalog", record.stream));
        let key = record.key.to_object().unwrap();
        let names: BTreeSet<_> = key.keys().collect();
        assert_eq!(
            names,
            stream.key.iter().collect(),
            "the key of a record of `{}`",
            stream.name
        );
        assert!(key.values().all(|value| !value.is_null()), "a key is never null");
    }
}

/// Promise 5.
pub async fn reading_may_be_repeated(source: &dyn Source) {
    let selection = everything(source).await;
    let first = read(source, selection.clone(), None).await;
    let second = read(source, selection, None).await;
    assert_eq!(identities(&first), identities(&second));
}

/// Promise 2, at every position, with the notes in force at it.
pub async fn nothing_is_lost_after_any_position(source: &dyn Source) {
    let selection = everything(source).await;
    let batches = read(source, selection.clone(), None).await;
    for index in 0..batches.len() {
        let rest = read(source, selection.clone(), resume_after(&batches[..=index])).await;
        let missing: Vec<_> = identities(&batches[index + 1..])
            .difference(&identities(&rest))
            .cloned()
            .collect();
        assert!(
            missing.is_empty(),
            "resumed after batch {index}, {} is missing",
            missing.join(", ")
        );
    }
}

/// Promise 4.
pub async fn a_dropped_read_leaves_the_source_usable(source: &dyn Source) {
    let selection = everything(source).await;
    let whole = read(source, selection.clone(), None).await;
    let mut dropped = source.read(selection.clone(), None).await.unwrap();
    dropped.next().await.expect("at least one batch").unwrap();
    drop(dropped);
    assert_eq!(
        identities(&read(source, selection, None).await),
        identities(&whole)
    );
}

/// Promise 6. Does not end when it is broken, so give it a bound: under paused time a timeout ends it at once.
pub async fn a_read_that_nobody_polls_holds_nobody_up(source: &dyn Source) {
    let selection = everything(source).await;
    let mut idle = source.read(selection.clone(), None).await.unwrap();
    let first = idle.next().await.expect("at least one batch").unwrap();
    // The next batch is asked for, and then nobody looks.
    let asked = futures_util::poll!(idle.next());
    let meanwhile = read(source, selection, None).await;
    let mut batches = vec![first];
    if let std::task::Poll::Ready(Some(batch)) = asked {
        batches.push(batch.unwrap());
    }
    while let Some(batch) = idle.next().await {
        batches.push(batch.unwrap());
    }
    assert_eq!(identities(&batches), identities(&meanwhile));
}

/// Promise 1, for a selection of one stream.
pub async fn only_selected_streams_are_read(source: &dyn Source) {
    let mut selection = everything(source).await;
    selection.streams.truncate(1);
    let only = selection.streams[0].name.clone();
    for record in read(source, selection, None)
        .await
        .iter()
        .flat_map(|batch| &batch.records)
    {
        assert_eq!(record.stream, only);
    }
}

/// A name that is not in the catalog is the caller's mistake, told before anything is read.
pub async fn an_unknown_stream_is_refused(source: &dyn Source) {
    let stream = SelectedStream {
        name: "no such stream".into(),
        fields: None,
    };
    let selection = Selection {
        streams: vec![stream],
        until: Until::CaughtUp,
    };
    let error = source
        .read(selection, None)
        .await
        .err()
        .expect("an unknown stream is refused");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert!(
        error.to_string().contains("no such stream"),
        "the error names the stream: {error}"
    );
}

/// Bytes that the source never made are refused, not taken for a start from nothing.
pub async fn a_position_that_is_not_its_own_is_refused(source: &dyn Source) {
    let selection = everything(source).await;
    let error = source
        .read(selection, Some(Position::new("\u{1}not a position").into()))
        .await;
    assert_eq!(
        error.err().expect("a foreign position is refused").kind(),
        ErrorKind::Incompatible
    );
}
