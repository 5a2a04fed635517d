//! The promises of an [`Inbox`]. `open` opens the same place again at every call.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Inbox, InboxEntry};

type Store = Arc<dyn Inbox>;

fn entry(key: u32) -> InboxEntry {
    InboxEntry {
        key: key.to_string(),
        body: Bytes::from(vec![0, 255, u8::try_from(key).unwrap()]),
    }
}

/// Runs every function of the suite; `make` makes a fresh place and gives the function that opens it.
pub async fn all<O: Fn() -> Store>(make: impl Fn() -> O) {
    what_was_appended_is_read_in_order(make()).await;
    a_repeated_key_is_passed_over(make()).await;
    reading_after_the_last_gives_nothing(make()).await;
}

/// Bodies come back byte for byte, in order of arrival, page by page.
pub async fn what_was_appended_is_read_in_order(open: impl Fn() -> Store) {
    open().append(vec![entry(3), entry(1)]).await.unwrap();
    open().append(vec![entry(2)]).await.unwrap();
    let first = open().read_after(0, 2).await.unwrap();
    let second = open().read_after(first[1].0, 2).await.unwrap();
    let read: Vec<_> = first.into_iter().chain(second).map(|(_, entry)| entry).collect();
    assert_eq!(read, [entry(3), entry(1), entry(2)]);
}

/// A delivery that comes again is no new entry.
pub async fn a_repeated_key_is_passed_over(open: impl Fn() -> Store) {
    open().append(vec![entry(1), entry(1)]).await.unwrap();
    open().append(vec![entry(1), entry(2)]).await.unwrap();
    let read: Vec<_> = open()
        .read_after(0, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|(_, e)| e)
        .collect();
    assert_eq!(read, [entry(1), entry(2)]);
}

/// `append` answers the id after which there is nothing yet.
pub async fn reading_after_the_last_gives_nothing(open: impl Fn() -> Store) {
    let last = open().append(vec![entry(1), entry(2)]).await.unwrap();
    assert!(open().read_after(last, 10).await.unwrap().is_empty());
}
