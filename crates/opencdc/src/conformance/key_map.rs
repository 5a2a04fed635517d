//! The promises of a [`KeyMap`]. `open` opens the same place again at every call: what was stored through one
//! handle is looked up through another, as after a restart.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Data, KeyMap, Mapped, Operation, Record, StreamName, Waiting};

type Map = Arc<dyn KeyMap>;

fn contacts() -> StreamName {
    "contacts".into()
}

fn id(id: &str) -> Mapped {
    Mapped::Id(id.to_owned())
}

fn entry(key: &str, mapped: Mapped) -> (String, Mapped) {
    (key.to_owned(), mapped)
}

fn keys<const N: usize>(keys: [&str; N]) -> Vec<String> {
    keys.map(ToOwned::to_owned).to_vec()
}

async fn look_up<const N: usize>(map: Map, names: [&str; N]) -> Vec<Option<Mapped>> {
    map.look_up(&contacts(), &keys(names)).await.unwrap()
}

/// Runs every function of the suite; `make` makes a fresh place and gives the function that opens it.
pub async fn all<O: Fn() -> Map>(make: impl Fn() -> O) {
    an_unknown_key_maps_to_nothing(make()).await;
    what_was_stored_is_there_after_reopening(make()).await;
    answers_come_in_the_order_of_the_keys(make()).await;
    a_later_entry_takes_the_place_of_an_earlier_one(make()).await;
    streams_do_not_touch_each_other(make()).await;
    a_forgotten_key_is_unknown(make()).await;
    keys_are_told_apart_character_by_character(make()).await;
    many_keys_fit_into_one_call(make()).await;
    no_keys_are_fine(make()).await;
    a_parked_record_waits_for_its_key_after_reopening(make()).await;
    a_record_is_parked_once(make()).await;
}

/// A key of which nothing was stored.
pub async fn an_unknown_key_maps_to_nothing(open: impl Fn() -> Map) {
    assert_eq!(look_up(open(), ["1", "2"]).await, [None, None]);
}

/// Promise 1, for both things that may be known.
pub async fn what_was_stored_is_there_after_reopening(open: impl Fn() -> Map) {
    let entries = [entry("1", Mapped::Pending), entry("2", id("901"))];
    open().store(&contacts(), &entries).await.unwrap();
    let found = look_up(open(), ["1", "2"]).await;
    assert_eq!(found, [Some(Mapped::Pending), Some(id("901"))]);
}

/// Also for keys that are asked for twice, or unknown in the middle.
pub async fn answers_come_in_the_order_of_the_keys(open: impl Fn() -> Map) {
    let entries = [entry("a", id("1")), entry("b", id("2"))];
    open().store(&contacts(), &entries).await.unwrap();
    let found = look_up(open(), ["b", "x", "a", "b"]).await;
    assert_eq!(found, [Some(id("2")), None, Some(id("1")), Some(id("2"))]);
}

/// Across calls and within one; and back to pending.
pub async fn a_later_entry_takes_the_place_of_an_earlier_one(open: impl Fn() -> Map) {
    let map = open();
    map.store(&contacts(), &[entry("1", Mapped::Pending)])
        .await
        .unwrap();
    let twice = [entry("1", id("901")), entry("1", id("902"))];
    map.store(&contacts(), &twice).await.unwrap();
    assert_eq!(look_up(open(), ["1"]).await, [Some(id("902"))]);
    map.store(&contacts(), &[entry("1", Mapped::Pending)])
        .await
        .unwrap();
    assert_eq!(look_up(open(), ["1"]).await, [Some(Mapped::Pending)]);
}

/// The same key of another stream is another thing.
pub async fn streams_do_not_touch_each_other(open: impl Fn() -> Map) {
    let deals: StreamName = "deals".into();
    open().store(&contacts(), &[entry("1", id("901"))]).await.unwrap();
    open().store(&deals, &[entry("1", id("902"))]).await.unwrap();
    open().forget(&deals, &keys(["1"])).await.unwrap();
    assert_eq!(look_up(open(), ["1"]).await, [Some(id("901"))]);
    let found = open().look_up(&deals, &keys(["1"])).await.unwrap();
    assert_eq!(found, [None]);
}

/// And forgetting what is not there is fine.
pub async fn a_forgotten_key_is_unknown(open: impl Fn() -> Map) {
    let entries = [entry("1", id("901")), entry("2", Mapped::Pending)];
    open().store(&contacts(), &entries).await.unwrap();
    open().forget(&contacts(), &keys(["1", "3"])).await.unwrap();
    assert_eq!(look_up(open(), ["1", "2"]).await, [None, Some(Mapped::Pending)]);
}

/// Keys are text: neither a number nor a pattern, and upper case is not lower case.
pub async fn keys_are_told_apart_character_by_character(open: impl Fn() -> Map) {
    let names = [
        "1",
        "01",
        "1.0",
        "a",
        "A",
        "%",
        "é",
        "e\u{301}",
        "",
        r#"{"a":"1","b":2}"#,
    ];
    let entries: Vec<_> = names
        .iter()
        .map(|name| entry(name, id(&format!("id of {name}"))))
        .collect();
    open().store(&contacts(), &entries).await.unwrap();
    let expected = names.map(|name| Some(id(&format!("id of {name}"))));
    assert_eq!(look_up(open(), names).await, expected);
}

/// More than a database takes parameters in one statement.
pub async fn many_keys_fit_into_one_call(open: impl Fn() -> Map) {
    let names: Vec<_> = (0..40_000).map(|n| n.to_string()).collect();
    let entries: Vec<_> = names.iter().map(|name| entry(name, id(name))).collect();
    open().store(&contacts(), &entries).await.unwrap();
    let expected: Vec<_> = names.iter().map(|name| Some(id(name))).collect();
    assert_eq!(open().look_up(&contacts(), &names).await.unwrap(), expected);
    open().forget(&contacts(), &names).await.unwrap();
    let found = open().look_up(&contacts(), &names).await.unwrap();
    assert!(found.iter().all(Option::is_none));
}

/// Calls about nothing change nothing.
pub async fn no_keys_are_fine(open: impl Fn() -> Map) {
    open().store(&contacts(), &[]).await.unwrap();
    open().forget(&contacts(), &[]).await.unwrap();
    assert!(look_up(open(), []).await.is_empty());
}

fn link(from: &str, to: &str, operation: Operation) -> Record {
    let key = format!(r#"{{"from_id":"{from}","to_id":"{to}"}}"#);
    let after = Data::Raw(Bytes::from(key.clone()));
    Record::new("links", operation, Bytes::from(key), Some(after)).with_metadata("a", "b")
}

fn waiting(key: &str, record: Record) -> Waiting {
    Waiting {
        stream: contacts(),
        key: key.to_owned(),
        record,
    }
}

async fn waiters(map: Map, key: &str) -> Vec<Record> {
    map.waiting(&contacts(), &keys(["x", key])).await.unwrap()
}

/// Whole and in order, until it is taken out.
pub async fn a_parked_record_waits_for_its_key_after_reopening(open: impl Fn() -> Map) {
    let [first, second, other] = ["1", "2", "3"].map(|to| link("7", to, Operation::Snapshot));
    let all = [
        waiting("7", first.clone()),
        waiting("8", other),
        waiting("7", second.clone()),
    ];
    open().park(&all).await.unwrap();
    assert_eq!(waiters(open(), "7").await, [first.clone(), second.clone()]);
    let deals: StreamName = "deals".into();
    assert_eq!(open().waiting(&deals, &keys(["7"])).await.unwrap(), []);
    open().unpark(&[first]).await.unwrap();
    assert_eq!(waiters(open(), "7").await, [second]);
    assert_eq!(open().parked().await.unwrap(), 2);
}

/// What became of a record later is what counts, whatever it waits for.
pub async fn a_record_is_parked_once(open: impl Fn() -> Map) {
    open()
        .park(&[waiting("7", link("7", "1", Operation::Snapshot))])
        .await
        .unwrap();
    let gone = link("7", "1", Operation::Delete);
    open().park(&[waiting("1", gone.clone())]).await.unwrap();
    assert_eq!(waiters(open(), "7").await, []);
    assert_eq!(waiters(open(), "1").await, std::slice::from_ref(&gone));
    open().unpark(std::slice::from_ref(&gone)).await.unwrap();
    open().unpark(&[gone]).await.unwrap();
    assert_eq!(open().parked().await.unwrap(), 0);
}
