//! An SQLite file as a source.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use opencdc::conformance::source as suite;
use opencdc::{DataType, ErrorKind, Operation, Record, Selection, Source, Until};
use pipeline::source::{SqliteConfig, SqliteSource};
use proptest::prelude::*;
use rusqlite::Connection;

use super::lines::Folder;
use super::reading::{Kept, all_in_words, operation, read_from};

/// A file with a table, and what is read of it.
struct Shop {
    folder: Folder,
    config: SqliteConfig,
}

impl Shop {
    /// `sql` makes the table `people` with the key `id`; batches of two.
    fn new(sql: &str) -> Self {
        let folder = Folder::new();
        let config = SqliteConfig {
            batch_size: 2,
            ..SqliteConfig::new(folder.path("shop.db"), "people", ["id"])
        };
        let shop = Self { folder, config };
        shop.execute(sql);
        shop
    }

    /// With these rows of `id` and `at`, and the cursor `at`.
    fn following(rows: &[(i64, i64)]) -> Self {
        let mut shop =
            Self::new("CREATE TABLE people (id INTEGER PRIMARY KEY, at INTEGER, name TEXT DEFAULT 'x')");
        shop.config.cursor = Some("at".to_owned());
        for (id, at) in rows {
            shop.put(*id, *at);
        }
        shop
    }

    fn execute(&self, sql: &str) {
        let connection = Connection::open(self.folder.path("shop.db")).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn put(&self, id: i64, at: i64) {
        self.execute(&format!(
            "INSERT OR REPLACE INTO people (id, at, name) VALUES ({id}, {at}, 'x{at}')"
        ));
    }

    fn source(&self) -> SqliteSource {
        SqliteSource::new(&self.config).unwrap()
    }
}

fn ids(records: &[Record]) -> Vec<i64> {
    let id = |record: &Record| record.key.to_object().unwrap()["id"].as_i64().unwrap();
    records.iter().map(id).collect()
}

#[tokio::test]
async fn a_table_keeps_every_promise_with_a_cursor_and_without() {
    let mut shop = Shop::following(&[(5, 1), (1, 2), (4, 2), (2, 2), (3, 9)]);
    suite::all(&shop.source()).await;
    shop.config.cursor = None;
    suite::all(&shop.source()).await;
}

#[tokio::test]
async fn a_key_of_several_columns_and_a_query_keep_every_promise() {
    let mut shop = Shop::new(
        "CREATE TABLE people (tenant TEXT, id BLOB, n REAL, PRIMARY KEY (tenant, id));
         INSERT INTO people VALUES ('a', x'01', 0.1), ('a', x'02', 0.3), ('A', x'01', 1e300), ('b', x'00', -1), ('é', x'', 2)",
    );
    shop.config.key = ["tenant", "id"].into();
    suite::all(&shop.source()).await;
    shop.config.table = None;
    shop.config.query = Some("SELECT tenant, id, n, n * 3 AS thrice FROM people WHERE n < 1e9;".to_owned());
    shop.config.stream = Some("few".to_owned());
    shop.config.cursor = Some("n".to_owned());
    suite::all(&shop.source()).await;
    let read = Kept::default().read(&shop.source()).await;
    let first =
        r#"few snapshot {"tenant":"b","id":"AA=="} {"tenant":"b","id":"AA==","n":-1.0,"thrice":-3.0}"#;
    assert_eq!(all_in_words(&read)[0], first);
}

#[tokio::test]
async fn a_new_row_with_the_greatest_cursor_is_found_whatever_its_key() {
    let shop = Shop::following(&[(5, 1), (6, 2), (7, 2)]);
    let mut kept = Kept::default();
    let first = kept.read(&shop.source()).await;
    assert_eq!(
        (operation(&first), ids(&first)),
        (Operation::Snapshot, vec![5, 6, 7])
    );
    assert!(kept.read(&shop.source()).await.is_empty(), "nothing comes twice");
    shop.put(1, 2);
    shop.put(9, 3);
    let second = kept.read(&shop.source()).await;
    assert_eq!(
        (operation(&second), ids(&second)),
        (Operation::Update, vec![1, 9])
    );
}

#[tokio::test]
async fn a_row_that_changes_without_its_cursor_is_seen_at_the_boundary_only() {
    let shop = Shop::following(&[(1, 1), (2, 2), (3, 2)]);
    let mut kept = Kept::default();
    kept.read(&shop.source()).await;
    shop.execute("UPDATE people SET name = 'new'");
    assert_eq!(ids(&kept.read(&shop.source()).await), [2, 3]);
}

#[tokio::test]
async fn without_a_cursor_every_run_reads_every_row() {
    let mut shop = Shop::following(&[(1, 1), (2, 2), (3, 2)]);
    shop.config.cursor = None;
    let mut kept = Kept::default();
    assert_eq!(operation(&kept.read(&shop.source()).await), Operation::Snapshot);
    let again = kept.read(&shop.source()).await;
    assert_eq!(
        (operation(&again), ids(&again)),
        (Operation::Update, vec![1, 2, 3])
    );
}

#[tokio::test]
async fn following_without_a_cursor_must_be_asked_for() {
    let mut shop = Shop::following(&[(1, 1)]);
    shop.config.cursor = None;
    let source = shop.source();
    let selection = Selection {
        until: Until::Dropped,
        ..Selection::everything(&source.catalog().await.unwrap())
    };
    let error = source.read(selection, None).await.err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("`cursor` is not set") && error.hint().unwrap().contains("--once"));
}

#[tokio::test(start_paused = true)]
async fn a_table_is_followed_and_is_silent_while_nothing_changes() {
    let mut shop = Shop::following(&[(1, 1), (2, 1), (3, 1)]);
    shop.config.poll = Some(Duration::from_secs(1));
    let source = shop.source();
    let selection = Selection {
        until: Until::Dropped,
        ..Selection::everything(&source.catalog().await.unwrap())
    };
    let batches = source.read(selection, None).await.unwrap();
    // Batches without records tell where the source is.
    let mut batches = batches
        .map(Result::unwrap)
        .filter(|batch| std::future::ready(!batch.records.is_empty()));
    let mut next = async || {
        let batch = tokio::time::timeout(Duration::from_mins(1), batches.next());
        Some(ids(&batch.await.ok()??.records))
    };
    assert_eq!(
        (next().await, next().await, next().await),
        (Some(vec![1, 2]), Some(vec![3]), None)
    );
    shop.put(2, 5);
    assert_eq!((next().await, next().await), (Some(vec![2]), None));
}

#[tokio::test]
async fn rows_that_are_marked_as_gone_are_deletes() {
    let mut shop = Shop::new(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, deleted_at TEXT);
         INSERT INTO people VALUES (1, NULL), (2, '2026-01-02'), (3, '')",
    );
    shop.config.deleted = Some("deleted_at".to_owned());
    let read = all_in_words(&Kept::default().read(&shop.source()).await);
    assert_eq!(
        read,
        [
            r#"people snapshot {"id":1} {"id":1,"deleted_at":null}"#,
            r#"people delete {"id":2}"#,
            r#"people snapshot {"id":3} {"id":3,"deleted_at":""}"#
        ]
    );
}

#[tokio::test]
async fn types_come_from_declarations_and_from_values_where_there_are_none() {
    use DataType::{Boolean, Date, Integer, Number, String, Timestamp};
    let shop = Shop::new(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, big BIGINT, price DECIMAL(10,2), ok BOOLEAN,
                              born DATE, seen DATETIME, free, odd INTEGER);
         INSERT INTO people VALUES (1, '12', 9223372036854775807, 1.5, 1, '2026-01-02', '2026-01-02T03:04:05Z', 7, 'x')",
    );
    let catalog = shop.source().catalog().await.unwrap();
    let types: Vec<_> = catalog.streams[0]
        .fields
        .iter()
        .map(|field| field.data_type)
        .collect();
    assert_eq!(
        types,
        [
            Integer, String, Integer, Number, Boolean, Date, Timestamp, Integer, String
        ]
    );
    let read = Kept::default().read(&shop.source()).await;
    let expected = r#"people snapshot {"id":1} {"id":1,"name":"12","big":9223372036854775807,"price":1.5,"ok":true,"born":"2026-01-02","seen":"2026-01-02T03:04:05Z","free":7,"odd":"x"}"#;
    assert_eq!(all_in_words(&read), [expected]);
}

#[tokio::test]
async fn a_column_that_is_added_while_it_is_read_is_announced() {
    let shop = Shop::following(&[(1, 1), (2, 2), (3, 3)]);
    let source = shop.source();
    let selection = Selection::everything(&source.catalog().await.unwrap());
    let mut batches = source.read(selection, None).await.unwrap();
    assert!(batches.next().await.unwrap().unwrap().catalog.is_none());
    shop.execute("ALTER TABLE people ADD COLUMN late REAL DEFAULT 1.5");
    let announced = batches
        .next()
        .await
        .unwrap()
        .unwrap()
        .catalog
        .expect("the column is new");
    assert_eq!(
        announced.streams[0].field("late").unwrap().data_type,
        DataType::Number
    );
}

#[tokio::test]
async fn rows_that_would_never_be_read_are_told() {
    for (sql, cursor) in [
        ("INSERT INTO people VALUES (1, NULL, 'x')", Some("at")),
        (
            "DROP TABLE people; CREATE TABLE people (id TEXT, at INT); INSERT INTO people VALUES (NULL, 1)",
            None,
        ),
    ] {
        let mut shop = Shop::following(&[(7, 7)]);
        shop.config.cursor = cursor.map(ToOwned::to_owned);
        shop.execute(sql);
        let (_, error) = read_from(&shop.source(), None).await;
        let error = error.expect("it is told");
        assert!(
            error.to_string().contains("a row of `people` has no value in"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_told_wherever_the_two_rows_stand() {
    for rows in ["(1), (1), (2)", "(1), (2), (2)", "(0), (1), (2), (2), (3)"] {
        let shop = Shop::new(&format!(
            "CREATE TABLE people (id INTEGER); INSERT INTO people VALUES {rows}"
        ));
        let (_, error) = read_from(&shop.source(), None).await;
        let error = error.unwrap_or_else(|| panic!("{rows}"));
        assert_eq!(error.to_string(), "two rows of `people` have the same key");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_with_the_way_out() {
    let shop = Shop::following(&[]);
    let refused = async |change: fn(&mut SqliteConfig)| {
        let mut config = shop.config.clone();
        change(&mut config);
        let error = SqliteSource::new(&config).unwrap().catalog().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    assert!(
        refused(|config| config.path = "no.db".into())
            .await
            .contains("there is no file `no.db`")
    );
    assert!(
        refused(|config| config.table = Some("persons".into()))
            .await
            .contains("no such table: persons")
    );
    assert!(
        refused(|config| config.key = ["Id"].into())
            .await
            .contains("the columns are `id`, `at`, `name`")
    );
    assert!(
        refused(|config| config.cursor = Some("when".into()))
            .await
            .contains("`when`, which `cursor` names")
    );
    let query = |config: &mut SqliteConfig| {
        (config.table, config.stream) = (None, Some("q".into()));
        config.query = Some("SELEC 1".into());
    };
    assert!(refused(query).await.contains("syntax error"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let shop = Shop::following(&[]);
    shop.folder.write(
        "shop.db",
        "this is no database, whatever its name says; it is long enough to be asked about",
    );
    let error = shop.source().catalog().await.unwrap_err();
    assert!(
        error.to_string().contains("it is not an SQLite database"),
        "{error}"
    );
}

#[tokio::test]
async fn a_statement_that_writes_is_refused() {
    let mut shop = Shop::following(&[(1, 1)]);
    (shop.config.table, shop.config.stream) = (None, Some("q".into()));
    shop.config.query = Some("DELETE FROM people RETURNING id, at".into());
    assert!(shop.source().catalog().await.is_err());
}

#[tokio::test]
async fn the_position_of_another_order_is_refused() {
    let mut shop = Shop::following(&[(1, 1), (2, 2), (3, 3)]);
    let (batches, _) = read_from(&shop.source(), None).await;
    let from = suite::resume_after(&batches);
    shop.config.cursor = None;
    let source = shop.source();
    let selection = Selection::everything(&source.catalog().await.unwrap());
    let error = source.read(selection, from).await.err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(error.to_string().contains("table people by at, id"), "{error}");
}

/// A page must not cost a look at every row.
#[tokio::test]
async fn pages_use_the_index_of_cursor_and_key() {
    let shop = Shop::following(&[]);
    shop.execute("CREATE INDEX by_at ON people (at, id)");
    let connection = Connection::open(shop.folder.path("shop.db")).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT t.*, 1 = 1 FROM \"people\" AS t \
               WHERE t.\"at\" COLLATE BINARY >= ?1 AND (t.\"at\" COLLATE BINARY, t.\"id\" COLLATE BINARY) > (?1, ?2) \
               ORDER BY t.\"at\" COLLATE BINARY, t.\"id\" COLLATE BINARY LIMIT 3";
    let mut plan = connection.prepare(sql).unwrap();
    let lines: Vec<String> = plan
        .query_map([1, 1], |row| row.get(3))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("SEARCH t USING INDEX by_at"), "{lines:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rows change, their cursors tie, and reads are killed after some batches. Whatever is there when a read begins is
    /// delivered when it has caught up, and no row ever goes back.
    #[test]
    fn killed_reads_deliver_every_row_and_none_goes_back(
        batch_size in 1_usize..5,
        steps in proptest::collection::vec((proptest::collection::vec((0_i64..20, 0_i64..3), 0..8), 0_usize..4), 1..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::following(&[]);
            shop.config.batch_size = batch_size;
            let (mut kept, mut truth, mut copy) = (Kept::default(), BTreeMap::new(), BTreeMap::new());
            let mut now = 0;
            let mut apply = |records: Vec<Record>| {
                for (id, record) in ids(&records).into_iter().zip(&records) {
                    let after = record.payload.after.as_ref().unwrap().to_object().unwrap().into_owned();
                    let at = after["at"].as_i64().unwrap();
                    let before = copy.insert(id, at);
                    assert!(before <= Some(at), "{id} went back from {before:?} to {at}");
                }
                copy.clone()
            };
            for (changes, batches) in steps {
                for (id, later) in changes {
                    // Often the same cursor again, never an earlier one.
                    now += later / 2;
                    shop.put(id, now);
                    truth.insert(id, now);
                }
                apply(kept.read_some(&shop.source(), batches).await);
            }
            let copy = apply(kept.read(&shop.source()).await);
            assert_eq!(copy, truth);
        });
    }
}
