//! The promises of a [`CheckpointStore`].
//!
//! Each function takes `open`, which opens the same place again at every call: what was saved through one
//! handle is read through another, as after a restart.

use std::sync::Arc;

use crate::{Checkpoint, CheckpointStore, ErrorKind, Note, Notes, Position};

type Store = Arc<dyn CheckpointStore>;

fn at(sequence: u64) -> Checkpoint {
    Checkpoint::new(sequence, Position::new(format!(r#"{{"page":{sequence}}}"#)))
}

/// The checkpoint with changes of notes: `a=1` remembers, `a` forgets.
fn noting(sequence: u64, changes: &[&str]) -> Checkpoint {
    let note = |change: &&str| match change.split_once('=') {
        Some((key, value)) => Note::remember(key, value.as_bytes().to_vec()),
        None => Note::forget(*change),
    };
    at(sequence).covering(changes.iter().map(note).collect())
}

/// The notes as `a=1`, by key.
pub(super) fn in_words(notes: &Notes) -> Vec<String> {
    let notes = notes.iter();
    notes
        .map(|(key, value)| format!("{key}={}", String::from_utf8_lossy(value)))
        .collect()
}

async fn notes(store: &Store, pipeline: &str) -> Vec<String> {
    in_words(&store.notes(pipeline).await.unwrap())
}

/// Runs every function of the suite; `make` makes a fresh place and gives the function that opens it.
pub async fn all<O: Fn() -> Store>(make: impl Fn() -> O) {
    starts_empty(make()).await;
    a_saved_checkpoint_is_there_after_reopening(make()).await;
    a_sequence_only_moves_forward(make()).await;
    saving_the_same_again_is_fine(make()).await;
    pipelines_do_not_touch_each_other(make()).await;
    a_reset_pipeline_starts_from_nothing(make()).await;
    notes_are_there_after_reopening(make()).await;
    later_notes_win_and_a_forgotten_one_is_gone(make()).await;
    notes_survive_byte_for_byte(make()).await;
    a_refused_save_changes_no_note(make()).await;
    saving_the_same_again_changes_no_note(make()).await;
    a_reset_pipeline_has_no_notes(make()).await;
}

/// A pipeline that never ran has no checkpoint.
pub async fn starts_empty(open: impl Fn() -> Store) {
    assert_eq!(open().load("p").await.unwrap(), None);
}

/// What `save` has answered survives the handle.
pub async fn a_saved_checkpoint_is_there_after_reopening(open: impl Fn() -> Store) {
    open().save("p", &at(1)).await.unwrap();
    open().save("p", &at(2)).await.unwrap();
    assert_eq!(open().load("p").await.unwrap(), Some(at(2)));
}

/// A smaller sequence, and an equal one with another position, are refused and change nothing.
pub async fn a_sequence_only_moves_forward(open: impl Fn() -> Store) {
    open().save("p", &at(5)).await.unwrap();
    let other = Checkpoint {
        sequence: 5,
        position: Position::new("elsewhere"),
        notes: Vec::new(),
    };
    for stale in [at(4), other] {
        let error = open().save("p", &stale).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
    assert_eq!(open().load("p").await.unwrap(), Some(at(5)));
}

/// A repeated save is no conflict.
pub async fn saving_the_same_again_is_fine(open: impl Fn() -> Store) {
    open().save("p", &at(3)).await.unwrap();
    open().save("p", &at(3)).await.unwrap();
}

/// Two pipelines in one store have each their own.
pub async fn pipelines_do_not_touch_each_other(open: impl Fn() -> Store) {
    open().save("p", &noting(3, &["a=p"])).await.unwrap();
    open().save("q", &noting(1, &["a=q"])).await.unwrap();
    assert_eq!(open().load("p").await.unwrap(), Some(at(3)));
    assert_eq!(open().load("q").await.unwrap(), Some(at(1)));
    assert_eq!(notes(&open(), "p").await, ["a=p"]);
    assert_eq!(notes(&open(), "q").await, ["a=q"]);
}

/// After `reset` the store is as new for that pipeline, and a low sequence is welcome.
pub async fn a_reset_pipeline_starts_from_nothing(open: impl Fn() -> Store) {
    open().save("p", &at(7)).await.unwrap();
    open().reset("p").await.unwrap();
    assert_eq!(open().load("p").await.unwrap(), None);
    open().save("p", &at(1)).await.unwrap();
}

/// Notes come into force with their checkpoint, and those that do not change stay. A loaded checkpoint has none.
pub async fn notes_are_there_after_reopening(open: impl Fn() -> Store) {
    assert!(notes(&open(), "p").await.is_empty());
    open().save("p", &noting(1, &["a=1", "b=1"])).await.unwrap();
    open().save("p", &noting(2, &["b=2", "c=2"])).await.unwrap();
    open().save("p", &at(3)).await.unwrap();
    assert_eq!(notes(&open(), "p").await, ["a=1", "b=2", "c=2"]);
    assert_eq!(open().load("p").await.unwrap(), Some(at(3)));
}

/// The changes of one checkpoint are applied in order.
pub async fn later_notes_win_and_a_forgotten_one_is_gone(open: impl Fn() -> Store) {
    open()
        .save("p", &noting(1, &["a=1", "b=1", "c=1"]))
        .await
        .unwrap();
    let changes = ["a=2", "b", "a=3", "c", "c=2", "never there", "d=1", "d"];
    open().save("p", &noting(2, &changes)).await.unwrap();
    assert_eq!(notes(&open(), "p").await, ["a=3", "c=2"]);
}

/// Values are bytes: empty, no text, and as large as a chunk of ids; keys are any text.
pub async fn notes_survive_byte_for_byte(open: impl Fn() -> Store) {
    let values = [vec![], vec![0, 255, b'\n'], vec![7; 100_000]];
    let keys = ["", "contacts/delivered/1", "ünï \n'%_"];
    let changes = keys.iter().zip(values.clone());
    let changes = changes.map(|(key, value)| Note::remember(*key, value)).collect();
    open().save("p", &at(1).covering(changes)).await.unwrap();
    let expected: Notes = keys
        .into_iter()
        .map(Into::into)
        .zip(values.map(Into::into))
        .collect();
    assert_eq!(open().notes("p").await.unwrap(), expected);
}

/// Position and notes are one: a stale checkpoint brings none into force.
pub async fn a_refused_save_changes_no_note(open: impl Fn() -> Store) {
    open().save("p", &noting(5, &["a=5"])).await.unwrap();
    open().save("p", &noting(4, &["a=4", "b=4"])).await.unwrap_err();
    assert_eq!(notes(&open(), "p").await, ["a=5"]);
}

/// The notes of a repeated save are in force already.
pub async fn saving_the_same_again_changes_no_note(open: impl Fn() -> Store) {
    let twice = noting(3, &["a=1", "a=2", "b=1", "b"]);
    open().save("p", &twice).await.unwrap();
    open().save("p", &twice).await.unwrap();
    open().save("p", &at(3)).await.unwrap();
    assert_eq!(notes(&open(), "p").await, ["a=2"]);
}

/// After `reset` the notes are gone, those of every save.
pub async fn a_reset_pipeline_has_no_notes(open: impl Fn() -> Store) {
    open().save("p", &noting(7, &["a=7"])).await.unwrap();
    open().save("p", &noting(8, &["b=8"])).await.unwrap();
    open().reset("p").await.unwrap();
    assert!(notes(&open(), "p").await.is_empty());
    open().save("p", &noting(1, &["b=1"])).await.unwrap();
    assert_eq!(notes(&open(), "p").await, ["b=1"]);
}
