//! The tables of the SQLite destination: names, types, widening, deletes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use opencdc::{
    Batch, Catalog, Checkpoint, Data, DataType, Destination as _, ErrorKind, Field, Note, Notes, Operation,
    Outcome, Position, Record, Stream, metadata_keys,
};
use pipeline::destination::{Deletes, SqliteConfig, SqliteDestination};
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::conformance::rows;
use crate::store::restore;

struct Sqlite {
    dir: TempDir,
    config: SqliteConfig,
    sequence: AtomicU64,
}

impl Sqlite {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(dir.path().join("rows.db"));
        Self {
            dir,
            config,
            sequence: AtomicU64::new(0),
        }
    }

    fn hard() -> Self {
        let mut new = Self::new();
        new.config.deletes = Deletes::Hard;
        new
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("rows.db")
    }

    async fn open(&self, stream: &Stream) -> SqliteDestination {
        let destination = SqliteDestination::open(self.config.clone(), "p").await.unwrap();
        destination
            .prepare(&Catalog::new(vec![stream.clone()]))
            .await
            .unwrap();
        destination
    }

    async fn write(&self, destination: &SqliteDestination, records: Vec<Record>) -> Vec<Outcome> {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let position = Position::new(sequence.to_string());
        let batch = Arc::new(Batch::new(records, position.clone()));
        destination
            .write(batch, Checkpoint::new(sequence, position))
            .await
            .unwrap()
    }

    /// Opens, writes, and gives back the rows without `_synced_at`.
    async fn rows_after(&self, stream: &Stream, records: Vec<Record>) -> Vec<Map<String, Value>> {
        let destination = self.open(stream).await;
        self.write(&destination, records).await;
        self.rows(stream)
    }

    fn rows(&self, stream: &Stream) -> Vec<Map<String, Value>> {
        let mut rows = rows(&self.path(), stream.name.as_str());
        for row in &mut rows {
            row.remove("_synced_at").expect("every table has `_synced_at`");
        }
        rows
    }
}

/// Contacts with `id` and these properties.
fn contacts(properties: &[(&str, DataType)]) -> Stream {
    let property =
        |(name, data_type): &(&str, DataType)| Field::new(*name, *data_type, ["properties", *name]);
    let mut fields = vec![Field::new("id", DataType::String, ["id"])];
    fields.extend(properties.iter().map(property));
    Stream::new("contacts", ["id"], fields)
}

/// The same with a version, and with a flag for archived records.
fn mortal(properties: &[(&str, DataType)]) -> Stream {
    let mut stream = contacts(properties);
    stream
        .fields
        .push(Field::new("_updated_at", DataType::Timestamp, ["updatedAt"]));
    stream
        .fields
        .push(Field::new("_archived", DataType::Boolean, ["archived"]));
    stream.version = Some("_updated_at".to_owned());
    stream.archived = Some("_archived".to_owned());
    stream
}

fn record(id: &str, properties: impl std::fmt::Display) -> Record {
    let after = format!(r#"{{"id":"{id}","properties":{properties},"updatedAt":"2026-01-01T00:00:00Z"}}"#);
    let after = Data::Raw(Bytes::from(after));
    let key = json!({"id": id}).to_string();
    Record::new("contacts", Operation::Snapshot, Bytes::from(key), Some(after))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

#[tokio::test]
async fn awkward_names_are_columns_of_their_own() {
    let long = "p".repeat(100);
    let names = [
        "select",
        "ID",
        "a \"quoted\" name",
        "Select",
        "über",
        "_raw",
        long.as_str(),
    ];
    let properties = names.map(|name| (name, DataType::String));
    let stream = contacts(&properties);
    let values: Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!(format!("<{name}>"))))
        .collect();
    let sqlite = Sqlite::new();
    let rows = sqlite
        .rows_after(&stream, vec![record("7", Value::Object(values))])
        .await;
    let mut expected = object(json!({
        "id": "7",
        "select": "<select>",
        "ID_2": "<ID>",
        "a \"quoted\" name": "<a \"quoted\" name>",
        "Select_2": "<Select>",
        "über": "<über>",
        "_raw_2": "<_raw>",
        "_raw": null,
    }));
    expected.insert(long.clone(), json!(format!("<{long}>")));
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn a_property_called_id_does_not_touch_the_key() {
    let mut stream = contacts(&[]);
    stream
        .fields
        .push(Field::new("id", DataType::Integer, ["properties", "id"]));
    let rows = Sqlite::new()
        .rows_after(&stream, vec![record("7", json!({"id": "9"}))])
        .await;
    assert_eq!(rows, [object(json!({"id": "7", "id_2": 9, "_raw": null}))]);
}

#[tokio::test]
async fn more_fields_than_columns_lose_nothing() {
    let names: Vec<_> = (0..2_500).map(|n| format!("p{n}")).collect();
    let properties: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), DataType::Integer))
        .collect();
    let stream = contacts(&properties);
    let values: Map<_, _> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.clone(), json!(n)))
        .collect();
    let sqlite = Sqlite::new();
    let rows = sqlite
        .rows_after(&stream, vec![record("1", Value::Object(values.clone()))])
        .await;
    let extra: Map<String, Value> = serde_json::from_str(rows[0]["_extra"].as_str().unwrap()).unwrap();
    assert!(!extra.is_empty());
    for (name, value) in &values {
        assert_eq!(
            rows[0].get(name).or_else(|| extra.get(name)),
            Some(value),
            "{name}"
        );
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_kept_and_counted() {
    let stream = contacts(&[("visits", DataType::Integer), ("score", DataType::Number)]);
    let sqlite = Sqlite::new();
    let destination = sqlite.open(&stream).await;
    let records = vec![
        record("1", json!({"visits": "many", "score": "9007199254740993"})),
        record("2", json!({"visits": {"a": 1}, "score": ""})),
        record("3", json!({"visits": "12", "score": "1.5"})),
    ];
    sqlite.write(&destination, records).await;
    let raw: Vec<_> = sqlite
        .rows(&stream)
        .iter()
        .map(|row| row["_raw"].clone())
        .collect();
    assert_eq!(
        raw,
        [
            json!(r#"{"score":"9007199254740993","visits":"many"}"#),
            json!(r#"{"visits":{"a":1}}"#),
            json!(null)
        ]
    );
    let counts: Vec<_> = destination
        .unfit_values()
        .into_iter()
        .map(|((_, field), n)| (field, n))
        .collect();
    assert_eq!(counts, [("score".to_owned(), 1), ("visits".to_owned(), 2)]);
}

#[tokio::test]
async fn a_value_that_fits_again_clears_what_was_kept() {
    let stream = contacts(&[("visits", DataType::Integer)]);
    let sqlite = Sqlite::new();
    sqlite
        .rows_after(&stream, vec![record("1", json!({"visits": "many"}))])
        .await;
    let rows = sqlite
        .rows_after(&stream, vec![record("1", json!({"visits": "3"}))])
        .await;
    assert_eq!(rows, [object(json!({"id": "1", "visits": 3, "_raw": null}))]);
}

#[tokio::test]
async fn a_changed_type_widens_and_keeps_values_indices_and_views() {
    let sqlite = Sqlite::new();
    let as_type = |data_type| contacts(&[("amount", data_type), ("flag", DataType::Boolean)]);
    let first = vec![record("1", json!({"amount": "12", "flag": "true"}))];
    sqlite.rows_after(&as_type(DataType::Integer), first).await;
    let connection = Connection::open(sqlite.path()).unwrap();
    connection
        .execute_batch(
            "CREATE INDEX by_amount ON contacts (amount); CREATE VIEW rich AS SELECT * FROM contacts",
        )
        .unwrap();

    let second = vec![record("2", json!({"amount": "1.5"}))];
    let rows = sqlite.rows_after(&as_type(DataType::Number), second).await;
    assert_eq!(
        (&rows[0]["amount"], &rows[1]["amount"]),
        (&json!(12.0), &json!(1.5))
    );

    let third = vec![record("3", json!({"amount": "a lot"}))];
    let rows = sqlite.rows_after(&as_type(DataType::String), third).await;
    let amounts: Vec<_> = rows.iter().map(|row| row["amount"].clone()).collect();
    assert_eq!(amounts, [json!("12"), json!("1.5"), json!("a lot")]);
    assert_eq!(rows[0]["flag"], 1);

    // A type that narrows again does not narrow the column.
    let fourth = vec![record("4", json!({"amount": "4"}))];
    let rows = sqlite.rows_after(&as_type(DataType::Integer), fourth).await;
    assert_eq!(rows[3]["amount"], "4");
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM rich"), 4);
    assert_eq!(
        count("SELECT count(*) FROM sqlite_schema WHERE name = 'by_amount'"),
        1
    );
}

#[tokio::test]
async fn widening_loses_no_digit_and_no_meaning() {
    let sqlite = Sqlite::new();
    let as_types = |amount, score, flag| contacts(&[("am'ount", amount), ("score", score), ("flag", flag)]);
    let first = as_types(DataType::Integer, DataType::Number, DataType::Boolean);
    let values = json!({"am'ount": "9007199254740993", "score": "0.30000000000000004", "flag": "false"});
    sqlite.rows_after(&first, vec![record("1", values)]).await;
    let second = as_types(DataType::Number, DataType::String, DataType::String);
    let values = json!({"am'ount": "1.5", "score": "high", "flag": "maybe"});
    let rows = sqlite.rows_after(&second, vec![record("2", values)]).await;
    let expected = [
        json!({
            "id": "1", "am'ount": 9_007_199_254_740_992.0, "score": "0.30000000000000004", "flag": "false",
            "_raw": r#"{"am'ount":9007199254740993}"#,
        }),
        json!({"id": "2", "am'ount": 1.5, "score": "high", "flag": "maybe", "_raw": null}),
    ];
    assert_eq!(rows, expected.map(object));
}

#[tokio::test]
async fn what_did_not_fit_goes_into_a_column_that_becomes_text_without_being_made_anew() {
    let sqlite = Sqlite::new();
    let day = contacts(&[("due", DataType::Date)]);
    let records = vec![
        record("1", json!({"due": "soon"})),
        record("2", json!({"due": "2026-01-02"})),
        record("3", json!({})),
    ];
    sqlite.rows_after(&day, records).await;
    let rows = sqlite
        .rows_after(&contacts(&[("due", DataType::String)]), vec![])
        .await;
    let due: Vec<_> = rows
        .iter()
        .map(|row| (row["due"].clone(), row["_raw"].clone()))
        .collect();
    let null = Value::Null;
    assert_eq!(
        due,
        [
            (json!("soon"), null.clone()),
            (json!("2026-01-02"), null.clone()),
            (null.clone(), null)
        ]
    );
}

#[tokio::test]
async fn a_field_that_is_gone_keeps_its_column_and_its_values() {
    let sqlite = Sqlite::new();
    let both = contacts(&[("city", DataType::String), ("zip", DataType::String)]);
    sqlite
        .rows_after(&both, vec![record("1", json!({"city": "Bern", "zip": "3000"}))])
        .await;
    let one = contacts(&[("city", DataType::String)]);
    let rows = sqlite
        .rows_after(&one, vec![record("1", json!({"city": "Basel"}))])
        .await;
    assert_eq!(
        rows,
        [object(
            json!({"id": "1", "city": "Basel", "zip": "3000", "_raw": null})
        )]
    );
}

#[tokio::test]
async fn a_table_is_made_for_its_first_row() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    let destination = sqlite.open(&stream).await;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'contacts'";
    let count = || {
        Connection::open(sqlite.path())
            .unwrap()
            .query_row(tables, [], |row| row.get::<_, i64>(0))
    };
    let outcomes = sqlite
        .write(&destination, vec![Record::delete("contacts", br#"{"id":"1"}"#)])
        .await;
    assert_eq!((outcomes, count().unwrap()), (vec![Outcome::Written], 0));
    sqlite.write(&destination, vec![record("1", json!({}))]).await;
    assert_eq!(count().unwrap(), 1);
}

fn gone(reason: &'static str) -> Record {
    Record::delete("contacts", br#"{"id":"1"}"#)
        .with_metadata(metadata_keys::DELETE_REASON, reason)
        .with_metadata(metadata_keys::VERSION, "2025-12-31T00:00:00Z")
}

#[tokio::test]
async fn a_soft_delete_marks_the_row_and_a_restored_record_clears_the_marks() {
    let sqlite = Sqlite::new();
    let stream = mortal(&[("city", DataType::String)]);
    let alive = record("1", json!({"city": "Bern"}));
    let rows = sqlite.rows_after(&stream, vec![alive.clone()]).await;
    let living = object(json!({
        "id": "1", "city": "Bern", "_updated_at": "2026-01-01T00:00:00.000Z", "_archived": 0,
        "_archived_at": null, "_merged_into": null, "_raw": null,
    }));
    assert_eq!(rows, std::slice::from_ref(&living));

    let merged = gone("merged").with_metadata(metadata_keys::MERGED_INTO, "2");
    let rows = sqlite.rows_after(&stream, vec![merged]).await;
    let mut marked = living.clone();
    marked.insert("_archived".to_owned(), json!(1));
    marked.insert("_archived_at".to_owned(), json!("2025-12-31T00:00:00.000Z"));
    marked.insert("_merged_into".to_owned(), json!("2"));
    assert_eq!(
        rows,
        [marked],
        "a delete does not lose against the version of the row"
    );

    assert_eq!(sqlite.rows_after(&stream, vec![alive]).await, [living]);
}

#[tokio::test]
async fn a_purged_record_leaves_its_key_alone() {
    let sqlite = Sqlite::new();
    let stream = mortal(&[("city", DataType::String), ("visits", DataType::Integer)]);
    let alive = record("1", json!({"city": "Bern", "visits": "many"}));
    let rows = sqlite.rows_after(&stream, vec![alive, gone("purged")]).await;
    let expected = json!({
        "id": "1", "city": null, "visits": null, "_updated_at": "2026-01-01T00:00:00.000Z", "_archived": 1,
        "_archived_at": "2025-12-31T00:00:00.000Z", "_merged_into": null, "_raw": null,
    });
    assert_eq!(rows, [object(expected)]);
}

#[tokio::test]
async fn a_record_that_says_itself_that_it_is_archived_keeps_its_marks() {
    let sqlite = Sqlite::new();
    let stream = mortal(&[("city", DataType::String)]);
    let merged = gone("merged").with_metadata(metadata_keys::MERGED_INTO, "2");
    let after =
        r#"{"id":"1","properties":{"city":"Bern"},"updatedAt":"2026-01-01T00:00:00Z","archived":true}"#;
    let archived = Record::snapshot("contacts", br#"{"id":"1"}"#, after.as_bytes());
    let records = vec![record("1", json!({"city": "Basel"})), merged, archived];
    let rows = sqlite.rows_after(&stream, records).await;
    let expected = json!({
        "id": "1", "city": "Bern", "_updated_at": "2026-01-01T00:00:00.000Z", "_archived": 1,
        "_archived_at": "2025-12-31T00:00:00.000Z", "_merged_into": "2", "_raw": null,
    });
    assert_eq!(rows, [object(expected)]);
}

#[tokio::test]
async fn a_second_delete_keeps_what_the_first_one_marked() {
    let sqlite = Sqlite::new();
    let merged = gone("merged").with_metadata(metadata_keys::MERGED_INTO, "2");
    let purged =
        Record::delete("contacts", br#"{"id":"1"}"#).with_metadata(metadata_keys::DELETE_REASON, "purged");
    let records = vec![record("1", json!({"city": "Bern"})), merged, purged];
    let rows = sqlite
        .rows_after(&mortal(&[("city", DataType::String)]), records)
        .await;
    let expected = json!({
        "id": "1", "city": null, "_updated_at": "2026-01-01T00:00:00.000Z", "_archived": 1,
        "_archived_at": "2025-12-31T00:00:00.000Z", "_merged_into": "2", "_raw": null,
    });
    assert_eq!(rows, [object(expected)]);
}

/// Contacts and what their properties have been.
fn with_history() -> Catalog {
    let names = ["record_id", "timestamp", "value"];
    let fields = names
        .map(|name| Field::new(name, DataType::String, [name]))
        .to_vec();
    let mut history = Stream::new("history", ["record_id", "timestamp"], fields);
    history.of = Some("contacts".into());
    Catalog::new(vec![mortal(&[("city", DataType::String)]), history])
}

fn value(of: &str, at: &str, value: &str) -> Record {
    let row = json!({"record_id": of, "timestamp": at, "value": value});
    let key = json!({"record_id": of, "timestamp": at}).to_string();
    Record::snapshot("history", key.as_bytes(), row.to_string().as_bytes())
}

fn delete(stream: &'static str, key: &str, reason: &'static str) -> Record {
    Record::delete(stream, key.as_bytes()).with_metadata(metadata_keys::DELETE_REASON, reason)
}

/// 1 was merged into 2, and 2 into 3, which is then erased; 4 stays, though it was merged into 5 before.
fn merges_and_an_erasure() -> Vec<Record> {
    let ids = ["1", "2", "3", "4", "5"];
    let mut records: Vec<_> = ids
        .iter()
        .map(|id| record(id, json!({"city": format!("secret {id}")})))
        .collect();
    records.extend(ids.map(|id| value(id, "a", &format!("secret {id}"))));
    records.extend(ids.map(|id| value(id, "b", &format!("older secret {id}"))));
    for (id, into) in [("1", "2"), ("2", "3"), ("4", "5")] {
        let merged = delete("contacts", &json!({"id": id}).to_string(), "merged");
        records.push(merged.with_metadata(metadata_keys::MERGED_INTO, into));
    }
    records.push(delete("contacts", r#"{"id":"3"}"#, "purged"));
    records.push(delete("history", r#"{"record_id":"3"}"#, "purged"));
    records
}

#[tokio::test]
async fn what_is_erased_is_forgotten_in_every_table_with_all_that_was_merged_into_it() {
    for (mut sqlite, left) in [
        (Sqlite::new(), vec!["4", "5"]),
        (Sqlite::hard(), vec!["1", "2", "4", "5"]),
    ] {
        let is_hard = left.len() > 2;
        sqlite.config.busy_timeout = std::time::Duration::from_millis(1);
        let destination = SqliteDestination::open(sqlite.config.clone(), "p").await.unwrap();
        destination.prepare(&with_history()).await.unwrap();
        let outcomes = sqlite.write(&destination, merges_and_an_erasure()).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written));
        let values = |table: &str, column: &str, id: &str| {
            let rows = rows(&sqlite.path(), table);
            let told = rows.iter().filter(|row| !row[column].is_null());
            told.map(|row| row[id].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let mut living = values("contacts", "city", "id");
        living.dedup();
        // A hard delete has taken the merged ones away already, and with them what leads to their history.
        assert_eq!(living, if is_hard { vec!["5"] } else { vec!["4", "5"] });
        let mut told = values("history", "value", "record_id");
        told.dedup();
        assert_eq!(told, left);
    }
}

#[tokio::test]
async fn a_history_without_its_records_forgets_too() {
    let sqlite = Sqlite::new();
    let destination = SqliteDestination::open(sqlite.config.clone(), "p").await.unwrap();
    destination.prepare(&with_history()).await.unwrap();
    let all = ["1", "12", "2"].map(|id| value(id, "a", "secret")).to_vec();
    sqlite.write(&destination, all).await;
    let forget = delete("history", r#"{"record_id":"1"}"#, "purged");
    let outcomes = sqlite.write(&destination, vec![forget.clone(), forget]).await;
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written]);
    let left = rows(&sqlite.path(), "history");
    let left: Vec<_> = left
        .iter()
        .map(|row| row["record_id"].as_str().unwrap())
        .collect();
    assert_eq!(left, ["12", "2"]);
    let nameless = delete("history", r#"{"timestamp":"a"}"#, "purged");
    let outcomes = sqlite.write(&destination, vec![nameless]).await;
    assert!(matches!(outcomes[..], [Outcome::Rejected(_)]), "{outcomes:?}");
}

/// The bytes of the file and of its log.
fn bytes(sqlite: &Sqlite) -> Vec<u8> {
    let files = ["rows.db", "rows.db-wal"].map(|name| sqlite.dir.path().join(name));
    let read = files.iter().map(|path| std::fs::read(path).unwrap_or_default());
    read.collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn no_byte_of_what_is_erased_stays_in_the_file_or_its_log() {
    let sqlite = Sqlite::new();
    let stream = mortal(&[("email", DataType::String), ("visits", DataType::Integer)]);
    let destination = sqlite.open(&stream).await;
    let secret = |n: u32| format!("ada.lovelace.{n}@example.com");
    // Long enough for pages of its own, changed so often that old values lie about.
    let long = |n: u32| format!("{}{}", secret(n), "x".repeat(9_000));
    for n in 0..20 {
        let values = json!({"email": if n % 2 == 0 { secret(n) } else { long(n) }, "visits": secret(n)});
        sqlite
            .write(&destination, vec![record("1", values), record("2", json!({}))])
            .await;
    }
    let contains = |text: &str| {
        bytes(&sqlite)
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(contains("ada.lovelace"), "the test looks where values are");
    let purged = delete("contacts", r#"{"id":"1"}"#, "purged");
    sqlite.write(&destination, vec![purged]).await;
    assert!(!contains("ada.lovelace"), "while the file is open");
    destination.close().await.unwrap();
    assert!(!contains("ada.lovelace"), "after it was closed");
}

#[tokio::test]
async fn a_hard_delete_takes_the_row_away() {
    for reason in ["archived", "merged", "purged"] {
        let sqlite = Sqlite::hard();
        let records = vec![record("1", json!({})), record("2", json!({})), gone(reason)];
        let rows = sqlite.rows_after(&mortal(&[]), records).await;
        assert_eq!(rows.len(), 1, "{reason}");
        assert_eq!(rows[0]["id"], "2");
    }
}

#[tokio::test]
async fn marks_that_the_catalog_has_are_not_made_twice() {
    let sqlite = Sqlite::new();
    let mut stream = mortal(&[]);
    stream
        .fields
        .push(Field::new("_archived_at", DataType::Timestamp, ["archivedAt"]));
    let rows = sqlite
        .rows_after(&stream, vec![record("1", json!({})), gone("archived")])
        .await;
    assert_eq!(rows[0]["_archived_at"], "2025-12-31T00:00:00.000Z");
    assert_eq!(rows[0].len(), 6);
}

#[tokio::test]
async fn keys_of_several_fields_merge_and_delete() {
    let names = ["from_id", "to_id", "label"];
    let fields = names
        .map(|name| Field::new(name, DataType::String, [name]))
        .to_vec();
    let stream = Stream::new("links", ["to_id", "from_id"], fields);
    let link = |from: &str, to: &str, label: &str| {
        let key = json!({"from_id": from, "to_id": to}).to_string();
        let after = json!({"from_id": from, "to_id": to, "label": label}).to_string();
        Record::snapshot("links", key.as_bytes(), after.as_bytes())
    };
    let gone = Record::delete("links", br#"{"from_id":"1","to_id":"3"}"#);
    let records = vec![
        link("1", "2", "a"),
        link("1", "3", "b"),
        link("1", "2", "c"),
        gone,
    ];
    let rows = Sqlite::new().rows_after(&stream, records).await;
    let expected = json!({"from_id": "1", "to_id": "2", "label": "c", "_raw": null});
    assert_eq!(rows, [object(expected)]);
}

#[tokio::test]
async fn records_that_make_no_sense_are_refused_with_a_reason() {
    let sqlite = Sqlite::new();
    let mut stream = contacts(&[]);
    stream.fields[0].data_type = DataType::Integer;
    let destination = sqlite.open(&stream).await;
    let with_key = |key: &'static str| Record::snapshot("contacts", key.as_bytes(), b"{}");
    let mut no_payload = with_key(r#"{"id":1}"#);
    no_payload.payload.after = None;
    let records = vec![
        with_key("{}"),
        with_key(r#"{"id":null}"#),
        with_key(r#"{"id":"007"}"#),
        with_key("[1]"),
        Record::snapshot("contacts", br#"{"id":1}"#, b"[]"),
        no_payload,
        with_key(r#"{"id":1}"#),
    ];
    let outcomes = sqlite.write(&destination, records).await;
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Rejected(rejection) => rejection.reason.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(
        outcomes.iter().map(reason).collect::<Vec<_>>(),
        [
            "the key lacks a field",
            "the key lacks a field",
            "field `id` of the key does not fit its type",
            "the key cannot be read: it is not a JSON object at byte 0",
            "the payload cannot be read: it is not a JSON object at byte 0",
            "the record has no payload",
            "Written",
        ]
    );
}

#[tokio::test]
async fn a_record_without_a_version_is_not_lost() {
    let sqlite = Sqlite::new();
    let stream = mortal(&[("city", DataType::String)]);
    let mut unversioned = record("1", json!({"city": "Basel"}));
    let after = json!({"id": "1", "properties": {"city": "Basel"}, "updatedAt": "some day"});
    unversioned.payload.after = Some(Data::Raw(Bytes::from(after.to_string())));
    let rows = sqlite
        .rows_after(&stream, vec![record("1", json!({"city": "Bern"})), unversioned])
        .await;
    assert_eq!(rows[0]["city"], "Basel");
    assert_eq!(rows[0]["_raw"], r#"{"_updated_at":"some day"}"#);
}

#[tokio::test]
async fn others_read_while_it_writes() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    let destination = sqlite.open(&stream).await;
    sqlite.write(&destination, vec![record("1", json!({}))]).await;
    // GIVEN a reader in the middle of a transaction
    let reader = Connection::open(sqlite.path()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = || {
        reader
            .query_row("SELECT count(*) FROM contacts", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count(), 1);
    // WHEN more is written and the destination is closed
    sqlite.write(&destination, vec![record("2", json!({}))]).await;
    destination.close().await.unwrap();
    // THEN the reader sees what it saw before, and the new row afterwards
    assert_eq!(count(), 1);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn a_closed_file_stands_alone_and_may_be_written_again() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    let destination = sqlite.open(&stream).await;
    sqlite.write(&destination, vec![record("1", json!({}))]).await;
    destination.close().await.unwrap();
    let files: Vec<_> = std::fs::read_dir(sqlite.dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(files, ["rows.db"]);
    destination
        .prepare(&Catalog::new(vec![stream.clone()]))
        .await
        .unwrap();
    sqlite.write(&destination, vec![record("2", json!({}))]).await;
    assert_eq!(sqlite.rows(&stream).len(), 2);
}

#[tokio::test]
async fn a_destination_file_of_any_version_stays_readable() {
    let delivered = Note::remember("contacts/delivered/1", vec![0, 255]);
    stays_readable(include_str!("fixtures/destination_v1.sql"), &[]).await;
    stays_readable(include_str!("fixtures/destination_v2.sql"), &[delivered]).await;
}

async fn stays_readable(dump: &str, notes: &[Note]) {
    let sqlite = Sqlite::new();
    restore(&sqlite.path(), dump);
    let stream = contacts(&[("ID", DataType::Integer), ("city", DataType::String)]);
    let destination = SqliteDestination::open(sqlite.config.clone(), "crm")
        .await
        .unwrap();
    destination
        .prepare(&Catalog::new(vec![stream.clone()]))
        .await
        .unwrap();
    let store = destination.checkpoints().unwrap();
    let mut expected = Notes::new();
    Note::apply(&mut expected, notes);
    assert_eq!(store.notes("crm").await.unwrap(), expected);
    let stored = store.load("crm").await.unwrap().unwrap();
    assert_eq!(
        (stored.sequence, stored.position),
        (42, Position::new(r#"{"page":7}"#))
    );
    sqlite.sequence.store(42, Ordering::Relaxed);
    sqlite
        .write(
            &destination,
            vec![record("2", json!({"ID": "6", "city": "Bern"}))],
        )
        .await;
    let expected = [
        object(json!({"id": "1", "ID_2": 5, "city": null, "_raw": null})),
        object(json!({"id": "2", "ID_2": 6, "city": "Bern", "_raw": null})),
    ];
    assert_eq!(sqlite.rows(&stream), expected);
}

#[tokio::test]
async fn two_processes_on_one_pipeline_conflict_and_undo_nothing() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    let one = sqlite.open(&stream).await;
    sqlite.write(&one, vec![record("1", json!({}))]).await;
    let other = sqlite.open(&stream).await;
    let batch = Arc::new(Batch::new(
        vec![record("2", json!({}))],
        Position::new("elsewhere"),
    ));
    let same = Checkpoint::new(1, Position::new("elsewhere"));
    let error = other.write(batch, same).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        sqlite.rows(&stream).len(),
        1,
        "the rows of the refused checkpoint are undone"
    );
}

#[tokio::test]
async fn a_table_that_another_process_made_meanwhile_is_found_by_the_next_attempt() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    let (one, other) = (sqlite.open(&stream).await, sqlite.open(&stream).await);
    sqlite.write(&one, vec![record("1", json!({}))]).await;
    let position = Position::new("2");
    let batch = Arc::new(Batch::new(vec![record("2", json!({}))], position.clone()));
    let checkpoint = Checkpoint::new(2, position);
    let error = other
        .write(Arc::clone(&batch), checkpoint.clone())
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), opencdc::Disposition::Retry);
    other.prepare(&Catalog::new(vec![stream.clone()])).await.unwrap();
    other.write(batch, checkpoint).await.unwrap();
    assert_eq!(sqlite.rows(&stream).len(), 2);
}

#[tokio::test]
async fn after_an_error_every_write_fails_until_prepared_again() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    let destination = sqlite.open(&stream).await;
    let write = async |sequence: u64, stream: &'static str| {
        let mut record = record(&sequence.to_string(), json!({}));
        record.stream = stream.into();
        let position = Position::new(sequence.to_string());
        let batch = Arc::new(Batch::new(vec![record], position.clone()));
        destination
            .write(batch, Checkpoint::new(sequence, position))
            .await
    };
    let error = write(1, "unknown").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "stream `unknown` of a record is not in the prepared catalog"
    );
    assert!(write(2, "contacts").await.is_err());
    destination
        .prepare(&Catalog::new(vec![stream.clone()]))
        .await
        .unwrap();
    write(1, "contacts").await.unwrap();
    let ids: Vec<_> = sqlite.rows(&stream).iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["1"]);
}

#[tokio::test]
async fn a_table_of_somebody_else_is_not_touched() {
    let sqlite = Sqlite::new();
    let stream = contacts(&[]);
    drop(sqlite.open(&stream).await);
    let foreign = "CREATE TABLE Contacts (id TEXT)";
    Connection::open(sqlite.path())
        .unwrap()
        .execute_batch(foreign)
        .unwrap();
    let destination = SqliteDestination::open(sqlite.config.clone(), "p").await.unwrap();
    let error = destination
        .prepare(&Catalog::new(vec![stream]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(
        error
            .to_string()
            .ends_with("there is a table or view `contacts` that Spoke did not make")
    );
}

#[tokio::test]
async fn a_key_that_got_longer_is_taken_over_with_the_rows_indices_and_views() {
    let sqlite = Sqlite::new();
    let string = |name: &str| Field::new(name, DataType::String, [name]);
    let number = |name: &str| Field::new(name, DataType::Integer, [name]);
    let fields = vec![
        string("from"),
        number("type"),
        string("category"),
        string("label"),
    ];
    let before = Stream::new("links", ["from", "type"], fields.clone());
    let link = |key: Value, label: &str| {
        let mut after = key.clone();
        after["label"] = label.into();
        Record::snapshot("links", key.to_string().as_bytes(), after.to_string().as_bytes())
    };
    let mut old = link(json!({"from": "1", "type": 1}), "Primary");
    old.payload.after = Some(
        Bytes::from(
            json!({"from": "1", "type": 1, "category": "HUBSPOT_DEFINED", "label": "Primary"}).to_string(),
        )
        .into(),
    );
    let bare = link(json!({"from": "2", "type": 1}), "none");
    sqlite.rows_after(&before, vec![old, bare]).await;
    let connection = Connection::open(sqlite.path()).unwrap();
    let index_and_view =
        "CREATE INDEX by_label ON links (label); CREATE VIEW labels AS SELECT label FROM links;";
    connection.execute_batch(index_and_view).unwrap();

    let mut fields = fields;
    fields.push(number("nth"));
    let after = Stream::new("links", ["from", "type", "category", "nth"], fields);
    let key = |category: &str, nth: u64| json!({"from": "1", "type": 1, "category": category, "nth": nth});
    let same = link(key("HUBSPOT_DEFINED", 0), "First");
    let other = link(key("USER_DEFINED", 0), "Manager");
    let second = link(key("USER_DEFINED", 1), "Manager again");
    sqlite.rows_after(&after, vec![same, other, second]).await;

    let labels = |sql: &str| -> Vec<String> {
        let mut select = connection.prepare(sql).unwrap();
        let found = select.query_map([], |row| row.get(0)).unwrap();
        found.map(Result::unwrap).collect()
    };
    let in_order = labels("SELECT label FROM links ORDER BY \"from\", category, nth");
    assert_eq!(in_order, ["First", "Manager", "Manager again", "none"]);
    assert_eq!(
        labels("SELECT label FROM links INDEXED BY by_label WHERE label = 'First'").len(),
        1
    );
    assert_eq!(labels("SELECT label FROM labels").len(), 4);
    let empty = labels("SELECT \"from\" FROM links WHERE category = '' AND nth = 0");
    assert_eq!(
        empty,
        ["2"],
        "what the key did not hold before is not NULL, which no write would meet"
    );
    assert_eq!(
        labels("SELECT name FROM pragma_table_info('links') WHERE pk > 0").len(),
        4
    );
}

#[tokio::test]
async fn fractions_of_a_millisecond_are_dropped_where_the_stream_does_not_mean_them() {
    let sqlite = Sqlite::new();
    let time = |name: &str| Field::new(name, DataType::Timestamp, [name]);
    let mut stream = Stream::new("values", ["at"], vec![time("at"), time("seen")]);
    stream.milliseconds = true;
    let row = json!({"at": "2026-01-02T03:04:05.678901Z", "seen": "2026-01-02T03:04:05.000001Z"}).to_string();
    let key = json!({"at": "2026-01-02T03:04:05.678901Z"}).to_string();
    let destination = sqlite.open(&stream).await;
    let record = Record::snapshot("values", key.as_bytes(), row.as_bytes());
    let outcomes = sqlite.write(&destination, vec![record.clone()]).await;
    assert_eq!(outcomes, [Outcome::Written]);
    let found = sqlite.rows(&stream);
    let said = ["at", "seen", "_raw"].map(|name| found[0][name].clone());
    assert_eq!(
        said,
        [
            json!("2026-01-02T03:04:05.678Z"),
            json!("2026-01-02T03:04:05.000Z"),
            Value::Null
        ]
    );
    stream.milliseconds = false;
    let destination = sqlite.open(&stream).await;
    let outcomes = sqlite.write(&destination, vec![record]).await;
    assert_ne!(
        outcomes,
        [Outcome::Written],
        "a key of another source loses nothing in silence"
    );
}

#[tokio::test]
async fn a_changed_key_is_refused() {
    let sqlite = Sqlite::new();
    let mut stream = contacts(&[("email", DataType::String)]);
    sqlite
        .rows_after(&stream, vec![record("1", json!({"email": "a@example.com"}))])
        .await;
    stream.key = vec!["email".to_owned()];
    let destination = SqliteDestination::open(sqlite.config.clone(), "p").await.unwrap();
    let error = destination
        .prepare(&Catalog::new(vec![stream]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(error.hint().unwrap().contains("reset"));
}

#[tokio::test]
async fn a_prefix_keeps_the_tables_of_two_accounts_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    for (prefix, pipeline, city) in [("", "a", "Bonn"), ("emea_", "b", "Rome")] {
        let config = SqliteConfig {
            table_prefix: prefix.to_owned(),
            ..SqliteConfig::new(&path)
        };
        let destination = SqliteDestination::open(config, pipeline).await.unwrap();
        let catalog = Catalog::new(vec![contacts(&[("city", DataType::String)])]);
        // Opened twice: the columns of a table are remembered under its own name.
        for _ in 0..2 {
            destination.prepare(&catalog).await.unwrap();
        }
        let batch = Batch::new(vec![record("1", json!({"city": city}))], Position::new("1"));
        let checkpoint = Checkpoint::new(1, batch.position.clone());
        destination.write(Arc::new(batch), checkpoint).await.unwrap();
        destination.prepare(&catalog).await.unwrap();
        let look = destination.inspect(&catalog).await.unwrap();
        let keys = look.keys(&"contacts".into(), None, 10).await.unwrap();
        assert_eq!(keys.len(), 1, "{prefix}");
        destination.close().await.unwrap();
    }
    let connection = Connection::open(&path).unwrap();
    let city = |table: &str| {
        let sql = format!("SELECT city FROM {table}");
        connection
            .query_row(&sql, [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(
        (city("contacts"), city("emea_contacts")),
        ("Bonn".to_owned(), "Rome".to_owned())
    );
}
