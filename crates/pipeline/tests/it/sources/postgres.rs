//! A PostgreSQL database as a source, against a real server.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::StreamExt;
use opencdc::conformance::source as suite;
use opencdc::{DataType, ErrorKind, Operation, Record, Selection, Source, Until};
use pipeline::source::{PostgresConfig, PostgresSource};
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::lines::Folder;
use super::reading::{Kept, all_in_words, in_words, operation, read_from};
use crate::postgres_server::{Database, Server};

/// The authority that the server's certificate is from.
static AUTHORITY: OnceLock<String> = OnceLock::new();

/// A certificate for the server's address, and its key.
fn certificate() -> (String, String) {
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    AUTHORITY
        .set(authority.self_signed(&authority_key).unwrap().pem())
        .unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params
        .signed_by(&key, &Issuer::new(authority, authority_key))
        .unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A database with a table, and what is read of it.
struct Shop {
    database: Database,
    config: PostgresConfig<()>,
}

impl Shop {
    /// `sql` makes the table `people` with the key `id`; batches of two.
    fn new(sql: &str) -> Self {
        let database = Server::get(certificate).database();
        database.execute(sql);
        let config = PostgresConfig {
            batch_size: 2,
            ..PostgresConfig::new((), "people", ["id"])
        };
        Self { database, config }
    }

    /// With rows of `id` and `at` such as `(1, 1), (2, 1)`, and the cursor `at`.
    fn following(rows: &str) -> Self {
        let table = "CREATE TABLE people (id bigint PRIMARY KEY, at timestamptz, name text DEFAULT 'x')";
        let mut shop = Self::new(table);
        shop.config.cursor = Some("at".to_owned());
        shop.put(rows);
        shop
    }

    /// The cursor is so many microseconds after a day.
    fn put(&self, rows: &str) {
        if !rows.is_empty() {
            self.database.execute(&format!(
                "INSERT INTO people SELECT id, timestamptz '2026-01-02 00:00:00Z' + at * interval '1 microsecond'
                 FROM (VALUES {rows}) AS new (id, at) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
            ));
        }
    }

    fn source(&self) -> PostgresSource {
        PostgresSource::new(&self.config, &self.database.url()).unwrap()
    }
}

fn ids(records: &[Record]) -> Vec<i64> {
    let id = |record: &Record| record.key.to_object().unwrap()["id"].as_i64().unwrap();
    records.iter().map(id).collect()
}

#[tokio::test]
async fn a_table_keeps_every_promise_with_a_cursor_and_without() {
    let mut shop = Shop::following("(5, 1), (1, 2), (4, 2), (2, 2), (3, 9)");
    suite::all(&shop.source()).await;
    shop.config.cursor = None;
    suite::all(&shop.source()).await;
}

#[tokio::test]
async fn a_key_of_several_columns_and_a_query_keep_every_promise() {
    let mut shop = Shop::new(
        "CREATE TYPE mood AS ENUM ('sad', 'ok');
         CREATE TABLE people (id uuid DEFAULT gen_random_uuid(), mood mood, n numeric, PRIMARY KEY (mood, id));
         INSERT INTO people (mood, n) VALUES ('ok', 0.1), ('sad', 0.30), ('sad', 'NaN'), ('ok', 12345678901234567890.5), ('ok', 2)",
    );
    shop.config.key = ["mood", "id"].into();
    suite::all(&shop.source()).await;
    shop.config.table = None;
    shop.config.query = Some("SELECT *, n * 2 AS twice FROM people WHERE n < 1e30;".to_owned());
    shop.config.stream = Some("few".to_owned());
    shop.config.cursor = Some("n".to_owned());
    suite::all(&shop.source()).await;
    assert_eq!(Kept::default().read(&shop.source()).await.len(), 4);
}

#[tokio::test]
async fn a_new_row_with_the_greatest_cursor_is_found_whatever_its_key() {
    let shop = Shop::following("(5, 1), (6, 2), (7, 2)");
    let mut kept = Kept::default();
    let first = kept.read(&shop.source()).await;
    assert_eq!(
        (operation(&first), ids(&first)),
        (Operation::Snapshot, vec![5, 6, 7])
    );
    assert!(kept.read(&shop.source()).await.is_empty(), "nothing comes twice");
    shop.put("(1, 2), (9, 3)");
    let second = kept.read(&shop.source()).await;
    assert_eq!(
        (operation(&second), ids(&second)),
        (Operation::Update, vec![1, 9])
    );
}

#[tokio::test]
async fn every_type_is_read_as_it_is() {
    use DataType::{Boolean, Date, Integer, Json, Number, String, Timestamp};
    let shop = Shop::new(
        r#"CREATE DOMAIN short AS text CHECK (length(value) < 9);
           CREATE TYPE pair AS (a int, b text);
           CREATE TABLE people (
             id bigint PRIMARY KEY, name short, "Odd ""name" char(3), price numeric(30, 10), ratio float8, big bigint,
             ok boolean, born date, seen timestamptz, local timestamp, code uuid, facts jsonb, raw json, tags text[],
             duo pair, bytes bytea, took interval, nothing text, mac macaddr);
           INSERT INTO people VALUES (1, 'A"da', 'x', 12345678901234567890.1234567890, 0.1, 9223372036854775807, true,
             '2026-01-02', '2026-01-02 03:04:05.678901+02', '2026-01-02 03:04:05',
             '11111111-2222-3333-4444-555555555555', '{"n": 1.50}', '{"n" : 1e400}', '{a,NULL,"b,c"}', '(1,x)', '\x00ff',
             '1 day 2 hours', NULL, '08:00:2b:01:02:03')"#,
    );
    let catalog = shop.source().catalog().await.unwrap();
    let types: Vec<_> = catalog.streams[0]
        .fields
        .iter()
        .map(|field| field.data_type)
        .collect();
    let expected = [
        Integer, String, String, Number, Number, Integer, Boolean, Date, Timestamp, String, String, Json,
        Json, Json, Json, String, String, String, String,
    ];
    assert_eq!(types, expected);
    let read = Kept::default().read(&shop.source()).await;
    let expected = r#"people snapshot {"id":1} {"id":1,"name":"A\"da","Odd \"name":"x  ","price":12345678901234567890.1234567890,"ratio":0.1,"big":9223372036854775807,"ok":true,"born":"2026-01-02","seen":"2026-01-02T01:04:05.678901+00:00","local":"2026-01-02T03:04:05","code":"11111111-2222-3333-4444-555555555555","facts":{"n": 1.50},"raw":{"n" : 1e400},"tags":["a",null,"b,c"],"duo":{"a":1,"b":"x"},"bytes":"\\x00ff","took":"1 day 02:00:00","nothing":null,"mac":"08:00:2b:01:02:03"}"#;
    assert_eq!(all_in_words(&read), [expected]);
}

#[tokio::test]
async fn rows_that_are_marked_as_gone_are_deletes() {
    let mut shop = Shop::new(
        "CREATE TABLE people (id int PRIMARY KEY, deleted_at timestamptz);
         INSERT INTO people VALUES (1, NULL), (2, '2026-01-02Z')",
    );
    shop.config.deleted = Some("deleted_at".to_owned());
    let read = all_in_words(&Kept::default().read(&shop.source()).await);
    assert_eq!(
        read,
        [
            r#"people snapshot {"id":1} {"id":1,"deleted_at":null}"#,
            r#"people delete {"id":2}"#
        ]
    );
}

#[tokio::test]
async fn a_table_is_followed_and_a_new_column_is_announced() {
    let mut shop = Shop::following("(1, 1), (2, 1), (3, 1)");
    shop.config.poll = Some(Duration::from_millis(5));
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
    assert_eq!(ids(&batches.next().await.unwrap().records), [1, 2]);
    assert_eq!(ids(&batches.next().await.unwrap().records), [3]);
    shop.database.execute(
        "ALTER TABLE people ADD COLUMN late numeric; UPDATE people SET at = now(), late = 1.5 WHERE id = 2",
    );
    let batch = batches.next().await.unwrap();
    let announced = batch.catalog.as_ref().expect("the column is new");
    assert_eq!(
        announced.streams[0].field("late").unwrap().data_type,
        DataType::Number
    );
    // Rows that are read again at every pass have another value too.
    let mut read = batch.records;
    while !ids(&read).contains(&2) {
        read = batches.next().await.unwrap().records;
    }
    assert!(in_words(read.last().unwrap()).ends_with(r#""late":1.5}"#));
}

#[tokio::test]
async fn rows_that_would_never_be_read_and_keys_that_are_none_are_told() {
    let shop = Shop::following("(1, 1), (2, NULL)");
    let (_, error) = read_from(&shop.source(), None).await;
    let error = error.expect("the second row has no cursor");
    assert_eq!(
        error.to_string(),
        "a row of `people` has no value in `at` or `id`"
    );

    let shop = Shop::new("CREATE TABLE people (id int); INSERT INTO people VALUES (1), (2), (2), (3)");
    let (_, error) = read_from(&shop.source(), None).await;
    assert_eq!(
        error.expect("2 is there twice").to_string(),
        "two rows of `people` have the same key"
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_with_the_way_out() {
    let shop = Shop::following("(1, 1)");
    let refused = async |kind, change: fn(&mut PostgresConfig<()>)| {
        let mut config = shop.config.clone();
        change(&mut config);
        let source = PostgresSource::new(&config, &shop.database.url()).unwrap();
        let error = source.catalog().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    let wrong = ErrorKind::Configuration;
    let text = refused(wrong, |config| config.table = Some("persons".into())).await;
    assert!(
        text.contains("relation \"persons\" does not exist") && text.contains("database `test_"),
        "{text}"
    );
    assert!(
        refused(wrong, |config| config.key = ["Id"].into())
            .await
            .contains("the columns are `id`, `at`, `name`")
    );
    let query = |config: &mut PostgresConfig<()>| {
        (config.table, config.stream, config.cursor) = (None, Some("q".into()), None);
        config.query = Some("SELECT id, id FROM people".into());
    };
    assert!(
        refused(wrong, query)
            .await
            .contains("two columns are called `id`")
    );
}

#[tokio::test]
async fn a_query_that_writes_is_refused() {
    let mut shop = Shop::following("(1, 1)");
    shop.database.execute(
        "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM people; SELECT 1'",
    );
    (shop.config.table, shop.config.stream, shop.config.cursor) = (None, Some("q".into()), None);
    shop.config.query = Some("SELECT sneak() AS id".into());
    let (_, error) = read_from(&shop.source(), None).await;
    let error = error.expect("it writes");
    assert!(error.to_string().contains("read-only transaction"), "{error}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_tried_again_and_says_what_helps() {
    let mut shop = Shop::following("(1, 1)");
    (shop.config.table, shop.config.stream, shop.config.cursor) = (None, Some("q".into()), None);
    shop.config.query = Some("SELECT id FROM people, pg_sleep(60)".into());
    shop.config.statement_timeout = Duration::from_millis(20);
    let (_, error) = read_from(&shop.source(), None).await;
    let error = error.expect("it sleeps");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.hint().unwrap().contains("`statement_timeout`"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_a_missing_one_and_nobody_there_are_told_apart_and_no_password_is() {
    let shop = Shop::following("(1, 1)");
    let user =
        "DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN END $$;
                GRANT SELECT ON people TO locked";
    shop.database.execute(user);
    let connect = async |url: &str| PostgresSource::new(&shop.config, url).unwrap().catalog().await;
    connect(&shop.database.url_of("locked:right", "sslmode=disable"))
        .await
        .unwrap();
    for (user, what) in [
        ("locked:wr0ng", "password authentication failed"),
        ("locked", "wants a password"),
    ] {
        let error = connect(&shop.database.url_of(user, "sslmode=disable"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(
            error.to_string().contains(what) && !format!("{error:?}").contains("wr0ng"),
            "{error:?}"
        );
    }
    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = connect(&format!("postgres://me:wr0ng@127.0.0.1:{port}/x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        error
            .to_string()
            .contains(&format!("database `x` at 127.0.0.1:{port}")),
        "{error}"
    );
    let error = connect(&shop.database.url().replace(&shop.database.name, "nobody"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_connection_is_encrypted_and_its_certificate_verified() {
    let mut shop = Shop::following("(1, 1), (2, 2), (3, 3)");
    shop.database.execute(
        "DO $$ BEGIN CREATE ROLE sealed LOGIN; EXCEPTION WHEN duplicate_object THEN END $$; GRANT SELECT ON people TO sealed",
    );
    let folder = Folder::with("ca.pem", AUTHORITY.get().unwrap());
    shop.config.ca = Some(folder.path("ca.pem"));
    let connect = async |config: &PostgresConfig<()>, options| {
        PostgresSource::new(config, &shop.database.url_of("sealed", options))
            .unwrap()
            .catalog()
            .await
    };
    for options in ["sslmode=require", "sslmode=verify-full", ""] {
        connect(&shop.config, options).await.unwrap();
    }
    let error = connect(&shop.config, "sslmode=disable").await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Refused,
        "the server wants encryption: {error}"
    );

    let other = certificate_authority();
    folder.write("ca.pem", &other);
    let error = connect(&shop.config, "sslmode=require").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(
        error.to_string().contains("certificate") && error.hint().unwrap().contains("`ca`"),
        "{error}"
    );
    folder.write("ca.pem", "no certificate");
    let error = PostgresSource::new(&shop.config, &shop.database.url()).unwrap_err();
    assert!(error.to_string().contains("holds no certificate"), "{error}");
}

fn certificate_authority() -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_that_is_tried_again() {
    let shop = Shop::following("(1, 1), (2, 2), (3, 3)");
    let source = shop.source();
    let selection = Selection::everything(&source.catalog().await.unwrap());
    let mut batches = source.read(selection, None).await.unwrap();
    batches.next().await.unwrap().unwrap();
    shop.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'spoke'",
    );
    let error = batches.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(batches.next().await.is_none());
}

/// A page must not cost a look at every row.
#[tokio::test]
async fn pages_use_the_index_of_cursor_and_key() {
    let shop = Shop::following("(1, 1)");
    shop.database.execute(
        "CREATE INDEX by_at ON people (at, id);
         SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;
         DO $$ DECLARE line text; plan text = ''; BEGIN
           FOR line IN EXECUTE 'EXPLAIN SELECT t.* FROM people AS t WHERE t.at >= now() AND (t.at, t.id) > (now(), 1)
                                ORDER BY t.at, t.id LIMIT 3' LOOP plan := plan || line; END LOOP;
           ASSERT plan LIKE '%Index Scan using by_at%Index Cond%ROW(at, id)%', plan;
         END $$",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Rows change, their cursors tie, and reads are killed after some batches. Whatever is there when a read begins is
    /// delivered when it has caught up, and no row ever goes back.
    #[test]
    fn killed_reads_deliver_every_row_and_none_goes_back(
        batch_size in 1_usize..5,
        steps in proptest::collection::vec((proptest::collection::btree_map(0_i64..20, 0_i64..2, 0..8), 0_usize..4), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::following("");
            shop.config.batch_size = batch_size;
            let (mut kept, mut truth, mut copy) = (Kept::default(), BTreeMap::new(), BTreeMap::new());
            let mut now = 100_000;
            let mut apply = |records: Vec<Record>| {
                for (id, record) in ids(&records).into_iter().zip(&records) {
                    let after = record.payload.after.as_ref().unwrap().to_object().unwrap().into_owned();
                    let at = after["at"].as_str().unwrap().to_owned();
                    let before = copy.insert(id, at.clone());
                    assert!(before <= Some(at.clone()), "{id} went back from {before:?} to {at}");
                }
                copy.clone()
            };
            for (changes, batches) in steps {
                let rows: Vec<_> = changes
                    .into_iter()
                    .map(|(id, later)| {
                        // Often the same cursor again, never an earlier one.
                        now += later;
                        truth.insert(id, format!("2026-01-02T00:00:00.{now}+00:00"));
                        format!("({id}, {now})")
                    })
                    .collect();
                shop.put(&rows.join(", "));
                apply(kept.read_some(&shop.source(), batches).await);
            }
            let copy = apply(kept.read(&shop.source()).await);
            let without_zeros = |at: &String| at.replace("+00:00", "").trim_end_matches('0').to_owned();
            let plain = |rows: &BTreeMap<i64, String>| -> Vec<_> {
                rows.iter().map(|(id, at)| (*id, without_zeros(at))).collect()
            };
            assert_eq!(plain(&copy), plain(&truth));
        });
    }
}
