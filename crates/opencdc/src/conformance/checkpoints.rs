//! The promises of a [`CheckpointStore`].
//!
//! Each function takes `open`, which opens the same place again at every call: what was saved through one
//! handle is read through another, as after a restart.

use std::sync::Arc;

use crate::{Checkpoint, CheckpointStore, ErrorKind, Position};

type Store = Arc<dyn CheckpointStore>;

fn at(sequence: u64) -> Checkpoint {
    Checkpoint {
        sequence,
        position: Position::new(format!(r#"{{"page":{sequence}}}"#)),
    }
}

/// Runs every function of the suite; `make` makes a fresh place and gives the function that opens it.
pub async fn all<O: Fn() -> Store>(make: impl Fn() -> O) {
    starts_empty(make()).await;
    a_saved_checkpoint_is_there_after_reopening(make()).await;
    a_sequence_only_moves_forward(make()).await;
    saving_the_same_again_is_fine(make()).await;
    pipelines_do_not_touch_each_other(make()).await;
    a_reset_pipeline_starts_from_nothing(make()).await;
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
    open().save("p", &at(3)).await.unwrap();
    open().save("q", &at(1)).await.unwrap();
    assert_eq!(open().load("p").await.unwrap(), Some(at(3)));
    assert_eq!(open().load("q").await.unwrap(), Some(at(1)));
}

/// After `reset` the store is as new for that pipeline, and a low sequence is welcome.
pub async fn a_reset_pipeline_starts_from_nothing(open: impl Fn() -> Store) {
    open().save("p", &at(7)).await.unwrap();
    open().reset("p").await.unwrap();
    assert_eq!(open().load("p").await.unwrap(), None);
    open().save("p", &at(1)).await.unwrap();
}
