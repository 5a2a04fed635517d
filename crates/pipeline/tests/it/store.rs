//! The state file beyond the suites: what stays readable, and what a crash or a crowd must not break.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;
use opencdc::{
    Checkpoint, CheckpointStore as _, Data, DeadLetter, DeadLetters as _, Inbox as _, InboxEntry, Mapped,
    Note, Notes, Operation, Position, Record,
};
use pipeline::SqliteStore;
use rusqlite::Connection;
use tempfile::tempdir;

/// Makes the file that `dump` describes.
pub(crate) fn restore(path: &Path, dump: &str) {
    Connection::open(path).unwrap().execute_batch(dump).unwrap();
}

#[tokio::test]
async fn notes_of_a_state_file_of_any_version_are_there_and_go_on() {
    let dumps = [
        (include_str!("fixtures/state_v1.sql"), vec![]),
        (
            include_str!("fixtures/state_v2.sql"),
            vec![Note::remember("contacts/delivered/1", vec![0, 255])],
        ),
    ];
    for (dump, notes) in dumps {
        let dir = tempdir().unwrap();
        let path = dir.path().join("state.db");
        restore(&path, dump);
        let store = SqliteStore::open(&path).await.unwrap();
        let mut expected = Notes::new();
        Note::apply(&mut expected, &notes);
        assert_eq!(store.notes("crm").await.unwrap(), expected);
        assert_eq!(store.load("crm").await.unwrap().unwrap().sequence, 42);

        let change = Note::remember("contacts/delivered/2", "x");
        let next = Checkpoint::new(43, Position::new("next")).covering(vec![change.clone()]);
        store.save("crm", &next).await.unwrap();
        Note::apply(&mut expected, &[change]);
        let reopened = SqliteStore::open(&path).await.unwrap();
        assert_eq!(reopened.notes("crm").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn the_last_picture_of_a_pipeline_is_there_for_another_process() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    restore(&path, include_str!("fixtures/state_v2.sql"));
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.status("other").await.unwrap(), None);
    assert_eq!(
        store.status("crm").await.unwrap().unwrap(),
        r#"{"pipeline":"crm"}"#
    );
    store.save_status("crm", "{}".to_owned()).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    assert_eq!(other.status("crm").await.unwrap().unwrap(), "{}");
}

#[tokio::test]
async fn a_state_file_of_version_1_stays_readable() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    restore(&path, include_str!("fixtures/state_v1.sql"));
    let store = SqliteStore::open(&path).await.unwrap();

    let checkpoint = Checkpoint::new(42, Position::new(r#"{"page":7}"#));
    assert_eq!(store.load("crm").await.unwrap(), Some(checkpoint));

    let letter = DeadLetter {
        pipeline: "crm".to_owned(),
        record: Record::new(
            "contacts",
            Operation::Update,
            Bytes::from_static(br#"{"id":"1"}"#),
            Some(Data::Raw(Bytes::from_static(br#"{"id":"1","amount":1.50}"#))),
        )
        .with_metadata("opencdc.readAt", "17"),
        reason: "`amount` is refused".to_owned(),
        at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_678),
    };
    assert_eq!(store.list("crm", 0, 9).await.unwrap(), [(3, letter)]);

    let entry = InboxEntry {
        key: "event-1".to_owned(),
        body: Bytes::from_static(&[0, 255]),
    };
    assert_eq!(store.read_after(0, 9).await.unwrap(), [(9, entry)]);
}

#[tokio::test]
async fn a_letter_whose_payload_is_no_json_and_no_text_comes_back_byte_for_byte() {
    let dir = tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("state.db")).await.unwrap();
    let mut record = Record::snapshot("contacts", b"not json", b"{\"cut off");
    record.payload.before = Some(Data::Raw(Bytes::from_static(&[0xff, 0x00])));
    let letter = DeadLetter {
        pipeline: "p".to_owned(),
        record,
        reason: "no".to_owned(),
        at: SystemTime::UNIX_EPOCH,
    };
    store.put(vec![letter.clone()]).await.unwrap();
    store.put(vec![letter.clone()]).await.unwrap();
    let listed = store.list("p", 0, 9).await.unwrap();
    assert_eq!(
        listed.into_iter().map(|(_, letter)| letter).collect::<Vec<_>>(),
        [letter]
    );
}

#[tokio::test]
async fn keys_that_differ_in_blanks_and_order_alone_are_one_letter() {
    let dir = tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("state.db")).await.unwrap();
    for key in [&br#"{"a":1,"b":2}"#[..], br#"{ "b": 2, "a": 1 }"#] {
        let letter = DeadLetter {
            pipeline: "p".to_owned(),
            record: Record::delete("links", key),
            reason: "no".to_owned(),
            at: SystemTime::UNIX_EPOCH,
        };
        store.put(vec![letter]).await.unwrap();
    }
    assert_eq!(store.list("p", 0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_crowd_of_appends_loses_nothing() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    let store = Arc::new(SqliteStore::open(&path).await.unwrap());
    let append = |n: u32| {
        let store = Arc::clone(&store);
        async move {
            let entry = InboxEntry {
                key: n.to_string(),
                body: Bytes::from(n.to_string()),
            };
            store.append(vec![entry]).await.unwrap()
        }
    };
    let ids = join_all((0..1_000).map(append)).await;
    assert_eq!(ids.iter().max(), Some(&1_000));
    let reopened = SqliteStore::open(&path).await.unwrap();
    assert_eq!(reopened.read_after(0, 2_000).await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn one_refused_save_does_not_undo_the_others_that_wait() {
    let dir = tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("state.db")).await.unwrap();
    let at = |sequence| Checkpoint::new(sequence, Position::new("x"));
    store.save("p", &at(5)).await.unwrap();
    let (older, other) = (at(4), at(1));
    let saves = join_all([store.save("p", &older), store.save("q", &other)]).await;
    assert!(saves[0].is_err() && saves[1].is_ok());
    assert_eq!(store.load("q").await.unwrap(), Some(at(1)));
}

#[tokio::test]
async fn a_trimmed_inbox_goes_on_counting() {
    let dir = tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("state.db")).await.unwrap();
    let entry = |key: &str| InboxEntry {
        key: key.to_owned(),
        body: Bytes::new(),
    };
    let last = store.append(vec![entry("a"), entry("b")]).await.unwrap();
    store.trim_inbox(last).await.unwrap();
    assert!(store.read_after(0, 9).await.unwrap().is_empty());
    assert_eq!(store.append(vec![]).await.unwrap(), last);
    assert!(store.append(vec![entry("c")]).await.unwrap() > last);
}

#[tokio::test]
async fn a_budget_is_taken_once_by_all_who_share_the_file_and_begins_anew_with_a_period() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    let stores = [
        SqliteStore::open(&path).await.unwrap(),
        SqliteStore::open(&path).await.unwrap(),
    ];
    let takes = (0..10).map(|n| stores[n % 2].take_from_budget("prod", "2026-11-27", 7, 50));
    let sum: u64 = join_all(takes).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(sum, 50);
    let take = async |name, period| stores[0].take_from_budget(name, period, 7, 50).await.unwrap();
    assert_eq!(take("prod", "2026-11-27").await, 0);
    assert_eq!(take("other", "2026-11-27").await, 7);
    assert_eq!(take("prod", "2026-11-28").await, 7);
}

#[tokio::test]
async fn a_state_file_of_any_version_learns_keys_and_keeps_them_by_pipeline() {
    let contacts = "contacts".into();
    let dumps = [
        include_str!("fixtures/state_v1.sql"),
        include_str!("fixtures/state_v2.sql"),
        include_str!("fixtures/state_v3.sql"),
        include_str!("fixtures/state_v4.sql"),
        include_str!("fixtures/state_v5.sql"),
    ];
    for dump in dumps {
        let dir = tempdir().unwrap();
        let path = dir.path().join("state.db");
        restore(&path, dump);
        let store = SqliteStore::open(&path).await.unwrap();
        let entries = [("7".to_owned(), Mapped::Id("901".to_owned()))];
        store.keys("crm").store(&contacts, &entries).await.unwrap();

        let reopened = SqliteStore::open(&path).await.unwrap();
        assert_eq!(reopened.load("crm").await.unwrap().unwrap().sequence, 42);
        let look_up = async |pipeline| {
            reopened
                .keys(pipeline)
                .look_up(&contacts, &["7".to_owned()])
                .await
                .unwrap()
        };
        assert_eq!(look_up("crm").await, [Some(Mapped::Id("901".to_owned()))]);
        assert_eq!(look_up("other").await, [None]);
    }
}

/// The golden file of the version that is written now.
#[tokio::test]
async fn a_parked_record_of_a_state_file_of_version_5_stays_readable() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    restore(&path, include_str!("fixtures/state_v5.sql"));
    let keys = SqliteStore::open(&path).await.unwrap().keys("crm");
    let (stream, names) = ("deals".into(), ["5".to_owned()]);
    let record = Record::new(
        "associations",
        Operation::Update,
        Bytes::from_static(br#"{"from":"7","to":"5"}"#),
        Some(Data::Raw(Bytes::from_static(
            br#"{"from":"7","to":"5","rate":1.50}"#,
        ))),
    )
    .with_metadata("opencdc.readAt", "17");
    let record = [record];
    assert_eq!(keys.waiting(&stream, &names).await.unwrap(), record);
    assert_eq!(keys.parked().await.unwrap(), 1);

    keys.unpark(&record).await.unwrap();
    assert_eq!(keys.parked().await.unwrap(), 0);
    let known = keys.look_up(&"contacts".into(), &["7".to_owned()]).await.unwrap();
    assert_eq!(known, [Some(Mapped::Id("901".to_owned()))]);
}

#[tokio::test]
async fn keys_of_a_state_file_of_version_4_stay_readable() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    restore(&path, include_str!("fixtures/state_v4.sql"));
    let keys = SqliteStore::open(&path).await.unwrap().keys("crm");
    let names = ["7", r#"{"a":1,"b":"x"}"#, "8"].map(ToOwned::to_owned);
    let found = keys.look_up(&"contacts".into(), &names).await.unwrap();
    assert_eq!(
        found,
        [Some(Mapped::Id("901".to_owned())), Some(Mapped::Pending), None]
    );
}

#[tokio::test]
async fn a_store_of_keys_that_fails_half_way_changes_none() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("state.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON keys WHEN NEW.key = '2'
                   BEGIN SELECT RAISE(ABORT, 'no room'); END";
    Connection::open(&path).unwrap().execute_batch(trigger).unwrap();
    let keys = store.keys("p");
    let (contacts, names) = ("contacts".into(), ["1", "2"].map(ToOwned::to_owned));
    let entries = names.clone().map(|name| (name, Mapped::Pending));
    assert!(keys.store(&contacts, &entries).await.is_err());
    assert_eq!(keys.look_up(&contacts, &names).await.unwrap(), [None, None]);
}
