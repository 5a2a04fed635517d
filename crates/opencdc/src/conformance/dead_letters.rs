//! The promises of [`DeadLetters`]. `open` opens the same place again at every call.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::{DeadLetter, DeadLetters, Record};

type Store = Arc<dyn DeadLetters>;

fn letter(pipeline: &str, id: u32, reason: &str) -> DeadLetter {
    let key = format!(r#"{{"id":"{id}"}}"#);
    DeadLetter {
        pipeline: pipeline.to_owned(),
        record: Record::snapshot(
            "contacts",
            key.as_bytes(),
            br#"{"amount":"twelve","note":"\u00e9"}"#,
        ),
        reason: reason.to_owned(),
        at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
    }
}

/// Runs every function of the suite; `make` makes a fresh place and gives the function that opens it.
pub async fn all<O: Fn() -> Store>(make: impl Fn() -> O) {
    a_letter_comes_back_whole(make()).await;
    letters_are_listed_by_pipeline_in_order_and_in_pages(make()).await;
    the_same_record_refused_again_replaces_its_letter(make()).await;
    a_taken_letter_is_gone(make()).await;
}

/// Record, reason and time survive.
pub async fn a_letter_comes_back_whole(open: impl Fn() -> Store) {
    open()
        .put(vec![letter("p", 1, "`amount` is no number")])
        .await
        .unwrap();
    let listed = open().list("p", 0, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].1, letter("p", 1, "`amount` is no number"));
}

/// Oldest first, only the pipeline's own, page by page.
pub async fn letters_are_listed_by_pipeline_in_order_and_in_pages(open: impl Fn() -> Store) {
    open()
        .put((1..=3).map(|id| letter("p", id, "no")).collect())
        .await
        .unwrap();
    open().put(vec![letter("q", 9, "no")]).await.unwrap();
    let first = open().list("p", 0, 2).await.unwrap();
    let second = open().list("p", first[1].0, 2).await.unwrap();
    let found: Vec<_> = first
        .into_iter()
        .chain(second)
        .map(|(_, letter)| letter)
        .collect();
    assert_eq!(found, (1..=3).map(|id| letter("p", id, "no")).collect::<Vec<_>>());
}

/// A batch that is repeated after a crash leaves one letter a record.
pub async fn the_same_record_refused_again_replaces_its_letter(open: impl Fn() -> Store) {
    open().put(vec![letter("p", 1, "first")]).await.unwrap();
    open().put(vec![letter("p", 1, "second")]).await.unwrap();
    let listed = open().list("p", 0, 10).await.unwrap();
    assert_eq!(
        listed.iter().map(|(_, l)| l.reason.as_str()).collect::<Vec<_>>(),
        ["second"]
    );
}

/// `take` gives a letter once.
pub async fn a_taken_letter_is_gone(open: impl Fn() -> Store) {
    open()
        .put(vec![letter("p", 1, "no"), letter("p", 2, "no")])
        .await
        .unwrap();
    let id = open().list("p", 0, 1).await.unwrap()[0].0;
    assert_eq!(open().take(&[id, 999_999]).await.unwrap(), [letter("p", 1, "no")]);
    assert!(open().take(&[id]).await.unwrap().is_empty());
    assert_eq!(open().list("p", 0, 10).await.unwrap().len(), 1);
}
