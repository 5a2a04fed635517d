//! The promises of a [`Destination`] that merges by key.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::checkpoints::in_words;
use super::widening;
use crate::{
    Batch, Catalog, Checkpoint, CheckpointStore, Compared, Data, DataType, Destination, Field, Inspect, Note,
    Operation, Outcome, Position, Record, Stream, Verdict, check_outcomes,
};

/// The pipeline whose checkpoints a transactional destination under test keeps.
pub const PIPELINE: &str = "conformance";

/// The stream that the suite writes.
pub const STREAM: &str = "contacts";

/// One place to write to, which can be opened again.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens the place, again at every call, as after a restart.
    async fn open(&self) -> Arc<dyn Destination>;

    /// The rows of `stream` that are not gone, as an object of the catalog's field names each; values as JSON
    /// of the field's type. Order does not matter.
    async fn rows(&self, stream: &str) -> Vec<Map<String, Value>>;

    /// A record of [`STREAM`] that this destination refuses for good, where there is such a thing.
    fn refused(&self) -> Option<Record>;
}

/// Runs every function of the suite, each on a fresh place.
pub async fn all<S: Subject>(make: impl Fn() -> S) {
    there_is_one_outcome_for_every_record(&make()).await;
    what_was_written_is_there_after_reopening(&make()).await;
    writing_a_batch_again_changes_nothing(&make()).await;
    an_older_version_does_not_overwrite_a_newer(&make()).await;
    what_the_origin_has_now_replaces_a_row_of_any_version(&make()).await;
    overlapping_writes_take_effect_in_order(&make()).await;
    a_deleted_record_is_gone(&make()).await;
    a_new_field_is_filled_from_then_on(&make()).await;
    widening::a_type_that_widens_keeps_what_was_there(&make()).await;
    a_batch_without_records_is_fine(&make()).await;
    a_dropped_write_leaves_the_destination_usable(&make()).await;
    a_write_that_nobody_polls_holds_up_no_other_key(&make()).await;
    a_transactional_destination_stores_the_checkpoint_with_the_rows(&make()).await;
    a_refused_record_holds_the_checkpoint_back(&make()).await;
    notes_come_into_force_with_the_checkpoint(&make()).await;
    held_notes_come_into_force_with_the_save_that_releases_them(&make()).await;
    prepare_forgets_notes_that_were_held(&make()).await;
    a_look_tells_what_is_missing_what_differs_and_what_should_be_gone(&make()).await;
    a_look_lists_the_keys_of_all_rows_that_are_not_gone(&make()).await;
}

/// The suite's catalog: contacts with an e-mail, a whole number and a version.
pub fn catalog() -> Catalog {
    let mut stream = Stream::new(STREAM, ["id"], fields());
    stream.version = Some("_updated_at".into());
    Catalog::new(vec![stream])
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("id", DataType::String, ["id"]),
        Field::new("email", DataType::String, ["properties", "email"]),
        Field::new("visits", DataType::Integer, ["properties", "visits"]),
        Field::new("_updated_at", DataType::Timestamp, ["updatedAt"]),
    ]
}

/// A contact as its origin writes it; the version is the `minute`.
pub fn contact(id: &str, email: &str, minute: u32) -> Record {
    let updated = format!("2026-01-01T00:{minute:02}:00.000Z");
    let after = json!({"id": id, "properties": {"email": email, "visits": "12"}, "updatedAt": updated});
    let after = Data::Raw(Bytes::from(after.to_string()));
    Record::new(
        STREAM,
        Operation::Snapshot,
        Bytes::from(json!({"id": id}).to_string()),
        Some(after),
    )
}

/// What [`Subject::rows`] should give for a payload as [`contact`] makes it.
pub fn fields_of(payload: &Map<String, Value>) -> Map<String, Value> {
    let mut row = Map::new();
    for key in ["id", "properties", "updatedAt"] {
        match &payload[key] {
            Value::Object(properties) => row.extend(properties.clone()),
            value => drop(row.insert(
                if key == "id" { key } else { "_updated_at" }.into(),
                value.clone(),
            )),
        }
    }
    if let Some(visits) = row.get_mut("visits") {
        *visits = visits.as_str().map_or(Value::Null, |text| {
            text.parse::<i64>().map_or(Value::Null, Value::from)
        });
    }
    row
}

fn checkpoint(sequence: u64) -> Checkpoint {
    Checkpoint::new(sequence, Position::new(sequence.to_string()))
}

fn batch(records: Vec<Record>, sequence: u64) -> Arc<Batch> {
    Arc::new(Batch::new(records, checkpoint(sequence).position))
}

pub(super) async fn prepared(subject: &dyn Subject) -> Arc<dyn Destination> {
    let destination = subject.open().await;
    destination
        .prepare(&catalog())
        .await
        .expect("the destination is prepared");
    destination
}

pub(super) async fn write(
    destination: &dyn Destination,
    records: Vec<Record>,
    sequence: u64,
) -> Vec<Outcome> {
    write_at(destination, records, checkpoint(sequence)).await
}

async fn write_at(
    destination: &dyn Destination,
    records: Vec<Record>,
    checkpoint: Checkpoint,
) -> Vec<Outcome> {
    let batch = batch(records, checkpoint.sequence);
    let outcomes = destination
        .write(Arc::clone(&batch), checkpoint)
        .await
        .expect("the write succeeds");
    check_outcomes(&batch, &outcomes).expect("one outcome a record");
    outcomes
}

async fn emails(subject: &dyn Subject) -> Vec<(String, String)> {
    let text = |row: &Map<String, Value>, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = subject.rows(STREAM).await;
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| (text(row, "id"), text(row, "email")))
        .collect();
    found.sort();
    found
}

fn pair(id: &str, email: &str) -> (String, String) {
    (id.to_owned(), email.to_owned())
}

/// Promise 2, and the values have the types of the catalog.
pub async fn there_is_one_outcome_for_every_record(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let records = vec![
        contact("1", "a@example.com", 1),
        contact("2", "ünïcode@example.com", 1),
    ];
    let outcomes = write(&*destination, records, 1).await;
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written]);
    destination.close().await.unwrap();
    let rows = subject.rows(STREAM).await;
    let row = rows
        .iter()
        .find(|row| row["id"] == "2")
        .expect("record 2 is there");
    assert_eq!(row["email"], "ünïcode@example.com");
    assert_eq!(
        row["visits"], 12,
        "a whole number written as text becomes a number"
    );
}

/// Promise 1, as far as a restart can show it.
pub async fn what_was_written_is_there_after_reopening(subject: &dyn Subject) {
    write(
        &*prepared(subject).await,
        vec![contact("1", "a@example.com", 1)],
        1,
    )
    .await;
    write(
        &*prepared(subject).await,
        vec![contact("2", "b@example.com", 1)],
        2,
    )
    .await;
    assert_eq!(
        emails(subject).await,
        [pair("1", "a@example.com"), pair("2", "b@example.com")]
    );
}

/// Promise 3.
pub async fn writing_a_batch_again_changes_nothing(subject: &dyn Subject) {
    let records = vec![contact("1", "a@example.com", 1), contact("2", "b@example.com", 1)];
    write(&*prepared(subject).await, records.clone(), 1).await;
    let before = emails(subject).await;
    let outcomes = write(&*prepared(subject).await, records, 2).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| !matches!(outcome, Outcome::Rejected(_)))
    );
    assert_eq!(emails(subject).await, before);
}

/// Invariant 4: an older change never overwrites a newer one.
pub async fn an_older_version_does_not_overwrite_a_newer(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    write(&*destination, vec![contact("1", "new@example.com", 9)], 1).await;
    let outcomes = write(&*destination, vec![contact("1", "old@example.com", 3)], 2).await;
    assert_eq!(outcomes, [Outcome::Unchanged]);
    destination.close().await.unwrap();
    assert_eq!(emails(subject).await, [pair("1", "new@example.com")]);
}

/// Invariant 4 is about changes of a time. What the origin has now is never the older one, and afterwards the row's
/// version is that of the record again.
pub async fn what_the_origin_has_now_replaces_a_row_of_any_version(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    write(&*destination, vec![contact("1", "edited@example.com", 59)], 1).await;
    let now = Arc::new(Batch::clone(&batch(vec![contact("1", "now@example.com", 3)], 2)).current());
    let outcomes = destination.write(now, checkpoint(2)).await.unwrap();
    assert_eq!(outcomes, [Outcome::Written]);
    write(&*destination, vec![contact("1", "later@example.com", 4)], 3).await;
    destination.close().await.unwrap();
    assert_eq!(emails(subject).await, [pair("1", "later@example.com")]);
}

/// Promise 4: twenty writes to one key, all under way at once; the last one polled stands.
pub async fn overlapping_writes_take_effect_in_order(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let writes = (1..=20).map(|n| {
        let records = vec![contact("1", &format!("{n}@example.com"), 5)];
        destination.write(batch(records, n), checkpoint(n))
    });
    for outcomes in join_all(writes).await {
        assert_eq!(outcomes.unwrap(), [Outcome::Written]);
    }
    destination.close().await.unwrap();
    assert_eq!(emails(subject).await, [pair("1", "20@example.com")]);
}

/// A delete takes the row away, or flags it, as the destination is configured; [`Subject::rows`] leaves it
/// out either way. A delete of what never was is fine.
pub async fn a_deleted_record_is_gone(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    write(
        &*destination,
        vec![contact("1", "a@example.com", 1), contact("2", "b@example.com", 1)],
        1,
    )
    .await;
    let deletes = [br#"{"id":"1"}"#, br#"{"id":"9"}"#].map(|key| Record::delete(STREAM, key));
    let outcomes = write(&*destination, deletes.to_vec(), 2).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| !matches!(outcome, Outcome::Rejected(_))),
        "{outcomes:?}"
    );
    destination.close().await.unwrap();
    assert_eq!(emails(subject).await, [pair("2", "b@example.com")]);
}

/// A field that appears while running is filled; rows from before have none.
pub async fn a_new_field_is_filled_from_then_on(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    write(&*destination, vec![contact("1", "a@example.com", 1)], 1).await;
    let mut wider = catalog();
    wider.streams[0]
        .fields
        .push(Field::new("city", DataType::String, ["properties", "city"]));
    destination.prepare(&wider).await.unwrap();
    let mut record = contact("2", "b@example.com", 1);
    let mut after = record.payload.after.unwrap().to_object().unwrap().into_owned();
    after["properties"]["city"] = json!("Zürich");
    record.payload.after = Some(after.into());
    write(&*destination, vec![record], 2).await;
    destination.close().await.unwrap();
    let rows = subject.rows(STREAM).await;
    assert_eq!(rows.len(), 2);
    let city = |id: &str| {
        rows.iter()
            .find(|row| row["id"] == id)
            .and_then(|row| row.get("city"))
            .cloned()
    };
    assert_eq!(city("2"), Some(json!("Zürich")));
    assert!(city("1").is_none_or(|value| value.is_null()));
}

/// Only the position moved.
pub async fn a_batch_without_records_is_fine(subject: &dyn Subject) {
    assert!(write(&*prepared(subject).await, vec![], 1).await.is_empty());
}

/// Promise 11. Does not end when it is broken, so give it a bound.
pub async fn a_write_that_nobody_polls_holds_up_no_other_key(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let (one, two) = (contact("1", "a@example.com", 1), contact("2", "b@example.com", 1));
    let mut idle = Box::pin(destination.write(batch(vec![one], 1), checkpoint(1)));
    let begun = futures_util::poll!(&mut idle);
    write(&*destination, vec![two], 2).await;
    if begun.is_pending() {
        idle.await.expect("the write succeeds");
    }
    destination.close().await.unwrap();
    let both = [pair("1", "a@example.com"), pair("2", "b@example.com")];
    assert_eq!(emails(subject).await, both);
}

/// Promise 5: after a write whose future was dropped before it answered, the same batch can be written.
pub async fn a_dropped_write_leaves_the_destination_usable(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let records = vec![contact("1", "a@example.com", 1)];
    let mut dropped = Box::pin(destination.write(batch(records.clone(), 1), checkpoint(1)));
    let polled_once = futures_util::poll!(&mut dropped);
    drop(dropped);
    if !polled_once.is_ready() {
        write(&*destination, records, 1).await;
    }
    destination.close().await.unwrap();
    assert_eq!(emails(subject).await, [pair("1", "a@example.com")]);
}

/// Promise 7.
pub async fn a_transactional_destination_stores_the_checkpoint_with_the_rows(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    if destination.checkpoints().is_none() {
        return;
    }
    assert_eq!(stored(&*destination).await, None);
    write(&*destination, vec![contact("1", "a@example.com", 1)], 1).await;
    write(&*destination, vec![], 2).await;
    let reopened = prepared(subject).await;
    assert_eq!(stored(&*reopened).await, Some(checkpoint(2)));
}

/// Promise 8.
pub async fn a_refused_record_holds_the_checkpoint_back(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let (Some(refused), Some(store)) = (subject.refused(), destination.checkpoints()) else {
        return;
    };
    write(&*destination, vec![contact("1", "a@example.com", 1)], 1).await;
    let outcomes = write(&*destination, vec![refused, contact("2", "b@example.com", 1)], 2).await;
    assert!(
        matches!(outcomes[..], [Outcome::Rejected(_), Outcome::Written]),
        "{outcomes:?}"
    );
    write(&*destination, vec![contact("3", "c@example.com", 1)], 3).await;
    assert_eq!(
        stored(&*destination).await,
        Some(checkpoint(1)),
        "held until the dead letter is safe"
    );

    store.save(PIPELINE, &checkpoint(2)).await.unwrap();
    write(&*destination, vec![contact("4", "d@example.com", 1)], 4).await;
    assert_eq!(
        stored(&*destination).await,
        Some(checkpoint(4)),
        "and moves on by itself afterwards"
    );
}

/// The checkpoint of a batch that changes two notes: `last` to its sequence, and one of its own to nothing much.
fn noting(sequence: u64) -> Checkpoint {
    let notes = vec![
        Note::remember("last", sequence.to_string()),
        Note::remember(format!("own/{sequence}"), "x"),
        Note::forget(format!("own/{}", sequence.saturating_sub(3))),
    ];
    checkpoint(sequence).covering(notes)
}

/// Those of every batch up to `sequence`.
fn notes_up_to(sequence: u64) -> Vec<String> {
    let own = (1..=sequence).filter(|n| n + 3 > sequence);
    let last = (sequence > 0).then(|| format!("last={sequence}"));
    last.into_iter()
        .chain(own.map(|n| format!("own/{n}=x")))
        .collect()
}

async fn noted(destination: &dyn Destination) -> Vec<String> {
    let store = destination
        .checkpoints()
        .expect("the destination is transactional");
    in_words(&store.notes(PIPELINE).await.expect("the notes load"))
}

/// Promise 7: of batches written one by one, and of batches that may share a transaction.
pub async fn notes_come_into_force_with_the_checkpoint(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    if destination.checkpoints().is_none() {
        return;
    }
    for sequence in 1..=4 {
        write_at(&*destination, vec![], noting(sequence)).await;
        assert_eq!(noted(&*destination).await, notes_up_to(sequence));
    }
    let writes = (5..=30).map(|n| {
        let records = vec![contact("1", &format!("{n}@example.com"), 5)];
        destination.write(batch(records, n), noting(n))
    });
    for outcomes in join_all(writes).await {
        outcomes.unwrap();
    }
    let reopened = prepared(subject).await;
    assert_eq!(stored(&*reopened).await, Some(checkpoint(30)));
    assert_eq!(noted(&*reopened).await, notes_up_to(30));
}

/// Promise 9.
pub async fn held_notes_come_into_force_with_the_save_that_releases_them(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let (Some(refused), Some(store)) = (subject.refused(), destination.checkpoints()) else {
        return;
    };
    write_at(&*destination, vec![contact("1", "a@example.com", 1)], noting(1)).await;
    write_at(&*destination, vec![refused.clone()], noting(2)).await;
    write_at(&*destination, vec![contact("3", "c@example.com", 1)], noting(3)).await;
    write_at(&*destination, vec![refused], noting(4)).await;
    write_at(&*destination, vec![], noting(5)).await;
    assert_eq!(
        noted(&*destination).await,
        notes_up_to(1),
        "held with their checkpoint"
    );

    store.save(PIPELINE, &noting(2)).await.unwrap();
    assert_eq!(noted(&*destination).await, notes_up_to(2), "and no others");
    let fourth = noting(4).covering(noting(3).notes);
    store.save(PIPELINE, &fourth).await.unwrap();
    assert_eq!(noted(&*destination).await, notes_up_to(4));

    write_at(&*destination, vec![], noting(6)).await;
    assert_eq!(stored(&*destination).await, Some(checkpoint(6)));
    assert_eq!(
        noted(&*destination).await,
        notes_up_to(6),
        "those of 5 were not lost"
    );
}

/// Promise 9: what was held will be read again, and brings its notes then.
pub async fn prepare_forgets_notes_that_were_held(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let (Some(refused), Some(_)) = (subject.refused(), destination.checkpoints()) else {
        return;
    };
    write_at(
        &*destination,
        vec![refused],
        checkpoint(1).covering(vec![Note::remember("stale", "1")]),
    )
    .await;
    destination.prepare(&catalog()).await.unwrap();
    write_at(&*destination, vec![], noting(1)).await;
    assert_eq!(noted(&*destination).await, notes_up_to(1));
}

/// `None` for a destination that cannot be audited, and says why.
async fn look(destination: &dyn Destination) -> Option<Arc<dyn Inspect>> {
    match destination.inspect(&catalog()).await {
        Ok(look) => Some(look),
        Err(error) => {
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{error}");
            assert!(error.to_string().contains("audited"), "{error}");
            None
        }
    }
}

/// Promise 1 of [`Inspect`]: of rows that were written, also while the destination goes on writing.
pub async fn a_look_tells_what_is_missing_what_differs_and_what_should_be_gone(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let Some(look) = look(&*destination).await else {
        return;
    };
    let records = ["1", "2", "3", "4"].map(|id| contact(id, &format!("{id}@example.com"), 1));
    write(&*destination, records.to_vec(), 1).await;
    write(&*destination, vec![Record::delete(STREAM, br#"{"id":"3"}"#)], 2).await;
    let asked = [
        records[0].clone(),
        contact("2", "other@example.com", 7),
        records[2].clone(),
        contact("9", "9@example.com", 1),
        Record::delete(STREAM, br#"{"id":"4"}"#),
        Record::delete(STREAM, br#"{"id":"3"}"#),
        Record::delete(STREAM, br#"{"id":"8"}"#),
    ];
    let compared = look.compare(&asked).await.unwrap();
    let verdicts: Vec<_> = compared.iter().map(|compared| compared.verdict.clone()).collect();
    let fields = ["email", "_updated_at"].map(str::to_owned).to_vec();
    assert_eq!(
        verdicts,
        [
            Verdict::Same,
            Verdict::Differs { fields },
            Verdict::Missing,
            Verdict::Missing,
            Verdict::Extra,
            Verdict::Same,
            Verdict::Same,
        ]
    );
    assert!(compared.iter().all(checksums_agree), "{compared:?}");
}

/// Checksums are equal for what is the same and for nothing else, and 0 for what is not there.
fn checksums_agree(compared: &Compared) -> bool {
    match compared.verdict {
        Verdict::Same => compared.wanted == compared.found,
        Verdict::Missing => compared.wanted != 0 && compared.found == 0,
        Verdict::Extra => compared.wanted == 0 && compared.found != 0,
        Verdict::Differs { .. } => compared.wanted != compared.found,
    }
}

/// Promise 2 of [`Inspect`].
pub async fn a_look_lists_the_keys_of_all_rows_that_are_not_gone(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    let Some(look) = look(&*destination).await else {
        return;
    };
    assert_eq!(look.keys(&STREAM.into(), None, 3).await.unwrap(), []);
    let records = (1..=11).map(|id| contact(&id.to_string(), "a@example.com", 1));
    write(&*destination, records.collect(), 1).await;
    write(&*destination, vec![Record::delete(STREAM, br#"{"id":"7"}"#)], 2).await;
    let mut found: Vec<Data> = Vec::new();
    loop {
        let page = look.keys(&STREAM.into(), found.last(), 3).await.unwrap();
        let is_last = page.len() < 3;
        found.extend(page);
        if is_last {
            break;
        }
    }
    let id = |key: &Data| key.to_object().unwrap()["id"].as_str().unwrap().parse().unwrap();
    let mut ids: Vec<u32> = found.iter().map(id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]);
}

async fn stored(destination: &dyn Destination) -> Option<Checkpoint> {
    let store: Arc<dyn CheckpointStore> = destination
        .checkpoints()
        .expect("the destination is transactional");
    store.load(PIPELINE).await.expect("the checkpoint loads")
}
