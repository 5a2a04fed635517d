//! Files of JSON lines beyond the suites.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use opencdc::{
    Batch, Catalog, Checkpoint, DataType, Destination as _, ErrorKind, Field, Note, Outcome, Position,
    Record, Stream,
};
use pipeline::destination::{LineFormat, NdjsonConfig, NdjsonDestination};
use tempfile::tempdir;

fn catalog(streams: &[&str]) -> Catalog {
    let stream = |name: &&str| {
        let id = Field::new("id", DataType::String, ["id"]);
        Stream::new(name.to_string(), ["id"], vec![id])
    };
    Catalog::new(streams.iter().map(stream).collect())
}

fn record(stream: &str, id: u32) -> Record {
    let json = format!(r#"{{"id":"{id}"}}"#);
    Record::snapshot(stream, json.as_bytes(), json.as_bytes())
}

async fn open(dir: &Path, streams: &[&str], format: LineFormat) -> NdjsonDestination {
    let config = NdjsonConfig {
        format,
        ..NdjsonConfig::new(dir)
    };
    let destination = NdjsonDestination::open(config, "p").await.unwrap();
    destination.prepare(&catalog(streams)).await.unwrap();
    destination
}

async fn write(destination: &NdjsonDestination, sequence: u64, records: Vec<Record>) -> Vec<Outcome> {
    let position = Position::new(sequence.to_string());
    let batch = Arc::new(Batch::new(records, position.clone()));
    destination
        .write(batch, Checkpoint::new(sequence, position))
        .await
        .unwrap()
}

#[tokio::test]
async fn payload_lines_hold_the_state_after_the_change_alone() {
    let dir = tempdir().unwrap();
    let destination = open(dir.path(), &["contacts", "a/b"], LineFormat::Payload).await;
    let gone = Record::delete("contacts", br#"{"id":"1"}"#);
    let outcomes = write(
        &destination,
        1,
        vec![record("contacts", 1), record("a/b", 2), gone],
    )
    .await;
    assert_eq!(outcomes, vec![Outcome::Written; 3]);
    assert_eq!(
        fs::read_to_string(dir.path().join("contacts.ndjson")).unwrap(),
        "{\"id\":\"1\"}\n"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("a%2Fb.ndjson")).unwrap(),
        "{\"id\":\"2\"}\n"
    );
}

#[tokio::test]
async fn record_lines_hold_the_whole_record() {
    let dir = tempdir().unwrap();
    let destination = open(dir.path(), &["contacts"], LineFormat::Record).await;
    let record = record("contacts", 1).with_metadata("opencdc.readAt", "17");
    write(&destination, 1, vec![record.clone()]).await;
    let text = fs::read_to_string(dir.path().join("contacts.ndjson")).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
}

#[tokio::test]
async fn what_no_checkpoint_covers_is_cut_off() {
    let dir = tempdir().unwrap();
    let streams = ["contacts", "deals"];
    write(
        &open(dir.path(), &streams, LineFormat::Payload).await,
        1,
        vec![record("contacts", 1)],
    )
    .await;
    // GIVEN what a crash may leave: half a line, and a file that was made after the checkpoint
    let contacts = dir.path().join("contacts.ndjson");
    fs::write(&contacts, "{\"id\":\"1\"}\n{\"id\":").unwrap();
    fs::write(dir.path().join("deals.ndjson"), "{\"id\":\"9\"}\n").unwrap();
    // WHEN the run resumes
    let destination = open(dir.path(), &streams, LineFormat::Payload).await;
    write(&destination, 2, vec![record("contacts", 2)]).await;
    // THEN only whole batches stand there
    assert_eq!(
        fs::read_to_string(&contacts).unwrap(),
        "{\"id\":\"1\"}\n{\"id\":\"2\"}\n"
    );
    assert_eq!(fs::read_to_string(dir.path().join("deals.ndjson")).unwrap(), "");
}

#[tokio::test]
async fn a_save_for_a_refused_batch_keeps_the_lines_of_later_ones_out() {
    let dir = tempdir().unwrap();
    let destination = open(dir.path(), &["contacts"], LineFormat::Payload).await;
    let refused = Record::snapshot("contacts", br#"{"id":"2"}"#, b"{");
    write(&destination, 1, vec![record("contacts", 1)]).await;
    write(&destination, 2, vec![refused]).await;
    write(&destination, 3, vec![record("contacts", 3)]).await;
    // WHEN the refused batch is saved, and the process dies
    let store = destination.checkpoints().unwrap();
    store
        .save("p", &Checkpoint::new(2, Position::new("2")))
        .await
        .unwrap();
    drop(destination);
    let resumed = open(dir.path(), &["contacts"], LineFormat::Payload).await;
    // THEN batch 3, which will be read again, is not there
    assert_eq!(
        fs::read_to_string(dir.path().join("contacts.ndjson")).unwrap(),
        "{\"id\":\"1\"}\n"
    );
    write(&resumed, 3, vec![record("contacts", 3)]).await;
    let text = fs::read_to_string(dir.path().join("contacts.ndjson")).unwrap();
    assert_eq!(text, "{\"id\":\"1\"}\n{\"id\":\"3\"}\n");
}

#[tokio::test]
async fn a_file_that_lost_lines_is_not_continued() {
    let dir = tempdir().unwrap();
    write(
        &open(dir.path(), &["contacts"], LineFormat::Payload).await,
        1,
        vec![record("contacts", 1)],
    )
    .await;
    fs::write(dir.path().join("contacts.ndjson"), "").unwrap();
    let destination = NdjsonDestination::open(NdjsonConfig::new(dir.path()), "p")
        .await
        .unwrap();
    let error = destination.prepare(&catalog(&["contacts"])).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it is shorter than the checkpoint says"),
        "{error}"
    );
}

#[tokio::test]
async fn files_of_somebody_else_are_not_touched() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("contacts.ndjson"), "precious\n").unwrap();
    let error = NdjsonDestination::open(NdjsonConfig::new(dir.path()), "p")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert_eq!(
        error.hint(),
        Some("choose an empty `dir`; one of Spoke's holds `_spoke_checkpoint.json`")
    );
}

#[tokio::test]
async fn a_directory_belongs_to_one_pipeline() {
    let dir = tempdir().unwrap();
    open(dir.path(), &["contacts"], LineFormat::Record).await;
    let error = NdjsonDestination::open(NdjsonConfig::new(dir.path()), "q")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(error.to_string().ends_with("belongs to pipeline `p`"), "{error}");
}

#[tokio::test]
async fn the_notes_of_a_crash_between_log_and_checkpoint_count_for_nothing() {
    let dir = tempdir().unwrap();
    let note = |sequence: u64, value: &'static str| {
        let position = Position::new(sequence.to_string());
        Checkpoint::new(sequence, position).covering(vec![Note::remember("a", value)])
    };
    let destination = open(dir.path(), &["contacts"], LineFormat::Payload).await;
    let store = destination.checkpoints().unwrap();
    store.save("p", &note(1, "1")).await.unwrap();
    let sidecar = fs::read(dir.path().join("_spoke_checkpoint.json")).unwrap();
    store.save("p", &note(2, "2")).await.unwrap();
    // GIVEN that the log was written and the sidecar was not
    fs::write(dir.path().join("_spoke_checkpoint.json"), sidecar).unwrap();
    drop((destination, store));
    // THEN the notes are those of the sidecar, and go on from there
    let resumed = open(dir.path(), &["contacts"], LineFormat::Payload).await;
    let store = resumed.checkpoints().unwrap();
    assert_eq!(store.notes("p").await.unwrap()["a"], "1");
    store.save("p", &note(2, "3")).await.unwrap();
    assert_eq!(store.notes("p").await.unwrap()["a"], "3");
}

#[tokio::test]
async fn a_reset_directory_keeps_no_notes() {
    let dir = tempdir().unwrap();
    let destination = open(dir.path(), &["contacts"], LineFormat::Payload).await;
    let store = destination.checkpoints().unwrap();
    let noting = Checkpoint::new(1, Position::new("1")).covering(vec![Note::remember("a", "secret?")]);
    store.save("p", &noting).await.unwrap();
    store.reset("p").await.unwrap();
    let names = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["_spoke_checkpoint.json"]);
}
