//! The copy against the truth: every record, every property, every association.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::Portal;

/// A row, its columns by name.
pub(crate) type Row = BTreeMap<String, Cell>;

pub(crate) fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the copy opens")
}

/// All rows of a statement.
pub(crate) fn rows(path: &Path, sql: &str) -> Vec<Row> {
    let connection = open(path);
    let mut statement = connection.prepare(sql).expect("the statement is fine");
    let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &rusqlite::Row<'_>| {
        names
            .iter()
            .enumerate()
            .map(|(index, name)| Ok((name.clone(), row.get(index)?)))
            .collect()
    };
    statement
        .query_map([], row)
        .and_then(Iterator::collect)
        .expect("the rows can be read")
}

/// One number.
pub(crate) fn number(path: &Path, sql: &str) -> i64 {
    open(path)
        .query_row(sql, [], |row| row.get(0))
        .expect("one number")
}

/// How many rows there are already, while another process may be making the file.
pub(crate) fn count(path: &Path, table: &str) -> u64 {
    if !path.exists() {
        return 0;
    }
    let sql = format!("SELECT count(*) FROM \"{table}\"");
    open(path)
        .query_row(&sql, [], |row| row.get(0))
        .unwrap_or_default()
}

/// Fails the test unless the live rows of `object` are the live records of the portal, value by value.
#[track_caller]
pub(crate) fn assert_equals_truth(path: &Path, portal: &Portal, object: &str) {
    let live: BTreeMap<String, Value> = portal
        .live(object)
        .into_iter()
        .map(|record| (record["id"].as_str().expect("an id").to_owned(), record))
        .collect();
    let rows = rows(path, &format!("SELECT * FROM \"{object}\" WHERE NOT _archived"));
    let ids: Vec<_> = rows.iter().map(|row| text(&row["id"])).collect();
    let mut sorted: Vec<_> = ids.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        live.keys().cloned().collect::<Vec<_>>(),
        "the ids of {object}"
    );
    for (id, row) in ids.iter().zip(&rows) {
        assert_same_values(object, row, &live[id]);
    }
}

fn assert_same_values(object: &str, row: &Row, record: &Value) {
    let raw: Value = match &row["_raw"] {
        Cell::Text(text) => serde_json::from_str(text).expect("`_raw` is JSON"),
        _ => Value::Null,
    };
    for (property, value) in record["properties"].as_object().expect("properties") {
        let column = if property == "id" { "property_id" } else { property };
        let wanted = value.as_str().unwrap_or_default();
        let found = text(
            row.get(column)
                .unwrap_or_else(|| panic!("{object} has no column {column}")),
        );
        let kept = raw.get(column).and_then(Value::as_str);
        assert!(
            same(&found, wanted) || kept == Some(wanted),
            "{object} {}: {property} is {found:?} and should be {wanted:?} (raw: {kept:?})",
            record["id"]
        );
    }
}

/// Whether a typed column holds what HubSpot's text says.
fn same(found: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let boolean = |text: &str| match text {
        "true" => Some("1"),
        "false" => Some("0"),
        _ => None,
    };
    found == wanted
        || boolean(wanted) == Some(found)
        || (number(found).is_some() && number(found) == number(wanted))
}

pub(crate) fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Blob(_) => "a blob".to_owned(),
    }
}

/// Fails the test unless the table of a pair holds exactly the portal's associations.
#[track_caller]
pub(crate) fn assert_associations_equal_truth(path: &Path, portal: &Portal, from: &str, to: &str) {
    let truth = portal.get(&format!("/_emulator/truth/associations/{from}/{to}"));
    let line = |line: &str| {
        let pair: Value = serde_json::from_str(line).expect("an association a line");
        let text = |name: &str| pair[name].as_str().unwrap_or_default().to_owned();
        let type_id = pair["typeId"].as_i64().expect("a type id");
        (
            text("fromId"),
            text("toId"),
            type_id,
            text("category"),
            text("label"),
        )
    };
    let mut wanted: Vec<_> = truth.lines().map(line).collect();
    let row = |row: &Row| {
        let Cell::Integer(type_id) = row["type_id"] else {
            panic!("type_id is a number")
        };
        let [from, to, category, label] =
            ["from_id", "to_id", "category", "label"].map(|name| text(&row[name]));
        (from, to, type_id, category, label)
    };
    let mut found: Vec<_> = rows(path, &format!("SELECT * FROM \"{from}_{to}\""))
        .iter()
        .map(row)
        .collect();
    wanted.sort();
    found.sort();
    assert!(
        found == wanted,
        "{from}_{to}: {} rows, {} associations",
        found.len(),
        wanted.len()
    );
}
