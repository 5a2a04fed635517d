//! `spoke sync` from sources that are no HubSpot account.

use std::io::Write as _;
use std::process::Stdio;

use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use crate::postgres_server::Server;
use crate::support::Workplace;
use crate::support::copy::{count, number, rows};
use crate::support::spoke::{ended, terminate, wait_for};

/// A folder with a pipeline `people` from `source` into `copy.db`.
fn workplace(source: &str) -> Workplace {
    into(source, "sqlite: {path: copy.db}")
}

fn into(source: &str, destination: &str) -> Workplace {
    let workplace = Workplace::new();
    let file = format!(
        "version: 1\nstate: {{sqlite: {{path: state.db}}}}\npipelines:\n  people:\n    source: {{{source}}}\n    \
         destination: {{{destination}}}\n"
    );
    workplace.write("spoke.yaml", &file);
    workplace
}

/// The copy's rows: the columns `id`, `name`, `price` and `born`.
fn copied(workplace: &Workplace) -> Vec<[Cell; 4]> {
    let rows = rows(&workplace.path("copy.db"), "SELECT * FROM people ORDER BY id");
    let cell = |row: &crate::support::copy::Row, name: &str| row[name].clone();
    rows.iter()
        .map(|row| ["id", "name", "price", "born"].map(|name| cell(row, name)))
        .collect()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// Of every source below.
fn ada_and_bob() -> Vec<[Cell; 4]> {
    vec![
        [
            Cell::Integer(1),
            text("Ada \"A\""),
            Cell::Real(1.5),
            text("2026-01-02"),
        ],
        [Cell::Integer(2), text("Bob"), Cell::Real(20.25), Cell::Null],
    ]
}

#[test]
fn cells_become_typed_columns_and_appended_rows_follow() {
    let workplace = workplace("csv: {path: people.csv, key: id}");
    let people = "id,name,price,born\n1,\"Ada \"\"A\"\"\",1.50,2026-01-02\n2,Bob,20.25,\n";
    workplace.write("people.csv", people);
    workplace.run(&["sync", "--once"]).ok();
    assert_eq!(copied(&workplace), ada_and_bob());
    workplace.write("people.csv", &format!("{people}2,Bo,7.00,\n3,Cy,unknown,\n"));
    let ended = workplace.run(&["sync", "--once"]).ok();
    assert!(ended.stdout.contains("2 written"), "{}", ended.stdout);
    let rows = copied(&workplace);
    assert_eq!(
        rows[0][2],
        text("1.5"),
        "the column takes texts now: nothing was lost"
    );
    assert_eq!((&rows[1][1], &rows[2][2]), (&text("Bo"), &text("unknown")));
}

#[test]
fn a_table_of_sqlite_becomes_a_table() {
    let workplace =
        workplace("sqlite: {path: shop.db, table: people, key: id, cursor: changed, deleted: gone}");
    let shop = Connection::open(workplace.path("shop.db")).unwrap();
    shop.execute_batch(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(9, 2), born DATE, changed INT, gone BOOLEAN);
         INSERT INTO people VALUES (1, 'Ada \"A\"', 1.5, '2026-01-02', 1, 0), (2, 'Bob', 20.25, NULL, 1, 0)",
    )
    .unwrap();
    workplace.run(&["sync", "--once"]).ok();
    assert_eq!(copied(&workplace), ada_and_bob());
    shop.execute_batch("UPDATE people SET gone = 1, changed = 2 WHERE id = 2; UPDATE people SET changed = 3, name = 'A' WHERE id = 1")
        .unwrap();
    let ended = workplace.run(&["sync", "--once"]).ok();
    assert!(ended.stdout.contains("2 written"), "{}", ended.stdout);
    let copy = workplace.path("copy.db");
    let left = "SELECT count(*) FROM people WHERE name = 'A'";
    assert_eq!((number(&copy, left), count(&copy, "people")), (1, 1));
    workplace.run(&["sync", "--once"]).ok();
    let shown = workplace.run(&["state", "show"]).ok().stdout;
    assert!(shown.contains("table people by changed, id"), "{shown}");
}

#[test]
fn a_table_of_postgres_becomes_a_table() {
    let database = Server::get(|| (String::new(), String::new())).database();
    database.execute(
        "CREATE TABLE people (id int PRIMARY KEY, name text, price numeric(9, 2), born date, changed timestamptz DEFAULT now());
         INSERT INTO people VALUES (1, 'Ada \"A\"', 1.5, '2026-01-02'), (2, 'Bob', 20.25, NULL)",
    );
    let workplace = workplace(
        "postgres: {url: env:DATABASE_URL, table: people, key: id, cursor: changed, batch_size: 1}",
    );
    let url = ("DATABASE_URL", &*database.url());
    workplace.run_with(&["sync", "--once"], url).ok();
    assert_eq!(copied(&workplace), ada_and_bob());
    database.execute("UPDATE people SET name = 'Bo', changed = now() WHERE id = 2");
    let ended = workplace.run_with(&["sync", "--once"], url).ok();
    assert!(ended.stdout.contains("1 written"), "{}", ended.stdout);
    let ended = workplace.run_with(&["sync", "--once"], url).ok();
    assert!(
        !ended.stdout.contains("written"),
        "nothing has changed: {}",
        ended.stdout
    );
}

#[test]
fn a_copy_in_json_lines_is_a_source_of_another() {
    let first = into("csv: {path: people.csv, key: id}", "ndjson: {dir: out}");
    first.write(
        "people.csv",
        "id,name,price,born\n1,\"Ada \"\"A\"\"\",1.5,2026-01-02\n2,Bob,20.25,\n",
    );
    first.run(&["sync", "--once"]).ok();
    let out = first.path("out");
    let second = workplace(&format!("ndjson: {{path: {}}}", out.display()));
    second.run(&["sync", "--once"]).ok();
    let names = rows(&second.path("copy.db"), "SELECT id, name FROM people ORDER BY id");
    assert_eq!((names.len(), &names[1]["name"]), (2, &text("Bob")));
}

#[test]
fn what_is_piped_in_is_copied() {
    let workplace = workplace("stdin: {format: ndjson, stream: people, key: id}");
    let mut command = workplace.command(&["sync", "--once"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let people = "{\"id\":1,\"name\":\"Ada \\\"A\\\"\",\"price\":1.5,\"born\":\"2026-01-02\"}\n{\"id\":2,\"name\":\"Bob\",\"price\":20.25,\"born\":null}\n";
    process
        .stdin
        .take()
        .unwrap()
        .write_all(people.as_bytes())
        .unwrap();
    ended(process).ok();
    assert_eq!(copied(&workplace), ada_and_bob());
}

#[test]
fn a_file_is_followed_until_stopped() {
    let workplace = workplace("csv: {path: people.csv, key: id, poll: 10ms}");
    workplace.write("people.csv", "id,name\n1,Ada\n");
    let mut process = workplace.start_listening(&["sync"]);
    let copy = workplace.path("copy.db");
    wait_for(&mut process, || (count(&copy, "people") == 1).then_some(()));
    workplace.write("people.csv", "id,name\n1,Ada\n2,Bob\n");
    wait_for(&mut process, || (count(&copy, "people") == 2).then_some(()));
    terminate(&process);
    ended(process).ok();
}

#[test]
fn a_bad_line_ends_the_run_and_skipped_ones_are_told() {
    let with = |bad_lines: &str| {
        workplace(&format!(
            "csv: {{path: people.csv, key: id, bad_lines: {bad_lines}}}"
        ))
    };
    let people = "id,name\n1,Ada\n2\n3,Cy\n";
    let failing = with("fail");
    failing.write("people.csv", people);
    failing
        .run(&["sync", "--once"])
        .fails(1, &["`people.csv` line 3", "it has 1 cells", "bad_lines: skip"]);
    assert_eq!(
        count(&failing.path("copy.db"), "people"),
        1,
        "what stands before it is copied"
    );
    failing.write("people.csv", "id,name\n1,Ada\n2,Bob\n3,Cy\n");
    failing.run(&["sync", "--once"]).ok();
    assert_eq!(count(&failing.path("copy.db"), "people"), 3);

    let skipping = with("skip");
    skipping.write("people.csv", people);
    let ended = skipping.run(&["sync", "--once"]).ok();
    assert!(
        ended.stderr.contains("`people.csv` line 3 is skipped"),
        "{}",
        ended.stderr
    );
    assert_eq!(count(&skipping.path("copy.db"), "people"), 2);
    let status = skipping.run(&["status"]).ok().stdout;
    assert!(status.contains("(1 skipped in this run)"), "{status}");
}

#[test]
fn what_only_hubspot_can_answer_is_refused_by_name() {
    let workplace = workplace("csv: {path: people.csv, key: id}");
    workplace.write("people.csv", "id\n1\n");
    workplace.run(&["sync", "--once"]).ok();
    for (arguments, why) in [
        (&["plan"][..], "what it costs is not counted"),
        (&["plan", "people"], "what it costs is not counted"),
        (&["audit"], "nobody to ask"),
        (
            &["state", "reset", "people", "people", "--yes"],
            "cannot be reset one by one",
        ),
    ] {
        workplace
            .run(arguments)
            .fails(2, &["pipeline `people` reads from `csv`", why]);
    }
    workplace.run(&["state", "reset", "people", "--yes"]).ok();
}

#[test]
fn settings_that_cannot_be_right_are_refused_with_their_place() {
    for (source, texts) in [
        ("csv: {path: x.csv}", &["missing field `key`"][..]),
        (
            "csv: {path: x.csv, key: []}",
            &["pipeline `people`", "source `csv`", "`key` names no column"],
        ),
        (
            "csv: {path: x.csv, key: id, delimiter: ab}",
            &["`delimiter` is `ab`", "one character"],
        ),
        (
            "ndjson: {path: x, bad_line: skip}",
            &["unknown key `bad_line`", "did you mean `bad_lines`?"],
        ),
        ("stdin: {format: xml, key: id}", &["`xml`", "`ndjson`"]),
        (
            "sqlite: {path: x.db, key: id}",
            &["neither `table` nor `query` is set"],
        ),
        (
            "sqlite: {path: x.db, query: SELECT 1 AS id, key: id}",
            &["`stream` is not set"],
        ),
        (
            "postgres: {url: postgres://me:hunter2@h/x, table: x, key: id}",
            &["a secret must not stand in the file"],
        ),
        (
            "postgres: {url: literal:nonsense, table: x, key: id}",
            &["`url` does not refer to the URL"],
        ),
    ] {
        let workplace = workplace(source);
        let ended = workplace.run(&["sync", "--once"]).fails(2, texts);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}

#[test]
fn following_a_table_without_a_cursor_must_be_asked_for() {
    let workplace = workplace("sqlite: {path: shop.db, table: people, key: id}");
    let shop = Connection::open(workplace.path("shop.db")).unwrap();
    shop.execute_batch("CREATE TABLE people (id INTEGER PRIMARY KEY)")
        .unwrap();
    workplace
        .run(&["sync"])
        .fails(2, &["`cursor` is not set", "cursor: updated_at", "--once"]);
}

#[test]
fn two_pipelines_cannot_share_the_standard_input() {
    let workplace = workplace("stdin: {format: csv, key: id}");
    let file = std::fs::read_to_string(workplace.path("spoke.yaml")).unwrap();
    let (_, pipeline) = file.split_once("  people:\n").unwrap();
    workplace.write("spoke.yaml", &format!("{file}  others:\n{pipeline}"));
    workplace
        .run(&["sync", "--once"])
        .fails(2, &["`others` and `people` both read the standard input"]);
}
