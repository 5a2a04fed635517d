//! The old values of a table in its new types, as SQL. Nothing is lost on the way: what the new type cannot say
//! exactly is kept in `_raw` as well.

use opencdc::DataType;

use super::columns::{RAW, Remembered};
use super::schema::Present;
use super::table::quote;

/// The list of a `SELECT` that gives every column of `present` in the type that `wanted` names. Columns that become part of
/// the key have a value in every row.
pub(super) fn values(
    present: &[Present],
    wanted: &dyn Fn(&Present) -> String,
    joins_key: &dyn Fn(&Present) -> bool,
    remembered: &[Remembered],
) -> String {
    let before = |column: &Present| remembered.iter().find(|before| before.column == column.name);
    let value = |column: &Present| match column.name.as_str() {
        RAW => raw(present, wanted, remembered),
        _ => {
            let was = before(column).map(|before| before.data_type);
            let value = value(&quote(&column.name), was, (&column.sql_type, &wanted(column)));
            match joins_key(column) {
                true => format!("coalesce({value}, {})", nothing(&wanted(column))),
                false => value,
            }
        }
    };
    present.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// What a part of a key holds in rows that were written before it was part of the key, and have no value.
pub(super) fn nothing(sql_type: &str) -> String {
    let literal = if sql_type == "TEXT" { "''" } else { "0" };
    format!("CAST({literal} AS {sql_type})")
}

fn value(name: &str, was: Option<DataType>, types: (&str, &str)) -> String {
    match types {
        (from, to) if from == to => name.to_owned(),
        ("REAL", "TEXT") => text_of_real(name),
        (_, "TEXT") if was == Some(DataType::Boolean) => {
            format!("CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END")
        }
        (_, to) => format!("CAST({name} AS {to})"),
    }
}

/// A whole number without `.0`, any other number with as few digits as it needs.
fn text_of_real(name: &str) -> String {
    // Beyond 2^53 a double is no longer sure of its units.
    format!(
        "CASE WHEN abs({name}) <= 9007199254740992.0 AND {name} = CAST({name} AS INTEGER) \
         THEN CAST(CAST({name} AS INTEGER) AS TEXT) \
         WHEN CAST(printf('%!.15g', {name}) AS REAL) = {name} THEN printf('%!.15g', {name}) \
         ELSE printf('%!.17g', {name}) END"
    )
}

/// `_raw` with the whole numbers that a double cannot say.
fn raw(present: &[Present], wanted: &dyn Fn(&Present) -> String, remembered: &[Remembered]) -> String {
    let to_real = present
        .iter()
        .filter(|column| column.sql_type == "INTEGER" && wanted(column) == "REAL");
    to_real.fold(RAW.to_owned(), |raw, column| {
        let name = quote(&column.name);
        let before = remembered.iter().find(|before| before.column == column.name);
        let field = before
            .map_or(&column.name, |before| &before.identity)
            .replace('\'', "''");
        format!(
            "CASE WHEN {name} NOT BETWEEN -9007199254740992 AND 9007199254740992 \
             THEN json_patch(coalesce({raw}, '{{}}'), json_object('{field}', {name})) ELSE {raw} END"
        )
    })
}
