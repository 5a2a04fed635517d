//! The old values of a table in its new types: what writing each value again would make of it, as far as the value is
//! still known. SQLite calls back for every row of a table whose types change; the values are worked out here.

use std::collections::BTreeMap;

use opencdc::DataType;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Null, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error};
use serde_json::value::RawValue;

use super::columns::RAW;
use super::schema::{data_type, word};
use super::table::quote;
use super::value::{Cell, Fit, fit};

/// The cell of a column in its new type: its cell, [`RAW`], the field's identity, the types before and now.
const CELL: &str = "spoke_widened_cell";
/// [`RAW`] after that, of the same arguments.
const KEPT: &str = "spoke_widened_raw";

/// A column whose type changes.
#[derive(Debug)]
pub(super) struct Retyped {
    pub(super) column: String,
    /// What its values have in [`RAW`] is named so.
    pub(super) identity: String,
    pub(super) from: DataType,
    pub(super) to: DataType,
}

impl Retyped {
    fn call(&self, function: &str, raw: &str) -> String {
        format!(
            "{function}({}, {raw}, '{}', '{}', '{}')",
            quote(&self.column),
            self.identity.replace('\'', "''"),
            word(self.from),
            word(self.to)
        )
    }

    /// SQL for the cell in its new type.
    pub(super) fn cell(&self) -> String {
        self.call(CELL, RAW)
    }
}

/// SQL for [`RAW`] when these columns have their new types.
pub(super) fn raw(retyped: &[Retyped]) -> String {
    let all = retyped.iter();
    all.fold(RAW.to_owned(), |raw, one| one.call(KEPT, &raw))
}

/// What a part of a key holds in rows that were written before it was part of the key, and have no value.
pub(super) fn nothing(sql_type: &str) -> String {
    let literal = if sql_type == "TEXT" { "''" } else { "0" };
    format!("CAST({literal} AS {sql_type})")
}

/// Makes the functions known that [`Retyped::cell`] and [`raw`] call.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(CELL, 5, flags, |context| {
        let (cell, texts, _) = widened(context)?;
        Ok(match cell {
            Cell::Null => Value::Null,
            Cell::Integer(integer) => integer.into(),
            Cell::Real(real) => real.into(),
            Cell::Text { start, len } => texts[start..start + len as usize].to_owned().into(),
        })
    })?;
    connection.create_scalar_function(KEPT, 5, flags, |context| {
        let (_, _, kept) = widened(context)?;
        let Some(mut all) = object(context.get_raw(1)) else {
            // Somebody else has put something there: it stays.
            return Ok(ToSqlOutput::Owned(context.get(1)?));
        };
        let identity: String = context.get(2)?;
        match kept {
            Some(kept) => drop(all.insert(identity, kept)),
            None => drop(all.remove(&identity)),
        }
        if all.is_empty() {
            return Ok(ToSqlOutput::from(Null));
        }
        let text = serde_json::to_string(&all).map_err(failed)?;
        Ok(ToSqlOutput::Owned(text.into()))
    })
}

/// The cell of the new type, the text it may point into, and what is kept in [`RAW`].
fn widened(context: &Context<'_>) -> rusqlite::Result<(Cell, String, Option<Box<RawValue>>)> {
    let identity: String = context.get(2)?;
    let of = |index| data_type(&context.get::<String>(index)?).map_err(|_| failed("no such type"));
    let (from, to) = (of(3)?, of(4)?);
    let kept = object(context.get_raw(1)).and_then(|mut all| all.remove(&identity));
    let json = match kept {
        Some(kept) => String::from(Box::<str>::from(kept)),
        None => json(context.get_raw(0), from),
    };
    let mut texts = String::new();
    let (cell, fits) = match fit(to, &json, &mut texts) {
        Fit::Exact(cell) => (cell, true),
        Fit::Rounded(cell) => (cell, false),
        Fit::Not => (Cell::Null, false),
    };
    let kept = if fits {
        None
    } else {
        Some(RawValue::from_string(json).map_err(failed)?)
    };
    Ok((cell, texts, kept))
}

fn failed(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::UserFunctionError(what.into())
}

/// The members of [`RAW`], as the origin wrote them; `None` when there is something else.
fn object(raw: ValueRef<'_>) -> Option<BTreeMap<String, Box<RawValue>>> {
    match raw {
        ValueRef::Null => Some(BTreeMap::new()),
        ValueRef::Text(text) => serde_json::from_slice(text).ok(),
        _ => None,
    }
}

/// The value of a cell, as an origin would write it.
fn json(cell: ValueRef<'_>, of: DataType) -> String {
    match cell {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(integer) if of == DataType::Boolean => (integer != 0).to_string(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => number(real),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            let text = String::from_utf8_lossy(text);
            serde_json::to_string(&text).expect("a text is always serialisable")
        }
    }
}

/// A whole number without `.0`, any other number with as few digits as it needs; never with an exponent.
fn number(real: f64) -> String {
    // There is one zero.
    if real == 0.0 {
        "0".to_owned()
    } else {
        real.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cell and `_raw` after the change of a type, as SQL literals.
    fn after(from: DataType, to: DataType, cell: &str, raw: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let one = Retyped {
            column: "n\"1".to_owned(),
            identity: "it's \"n\"".to_owned(),
            from,
            to,
        };
        let sql = format!(
            "SELECT quote({}) || ' ' || quote({}) FROM (SELECT {cell} AS {}, {raw} AS _raw)",
            one.cell(),
            super::raw(std::slice::from_ref(&one)),
            quote(&one.column)
        );
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn no_value_stays_no_value_whatever_the_types() {
        use DataType::{Boolean, Date, Integer, Json, Number, String, Timestamp};
        let all = [String, Integer, Number, Boolean, Date, Timestamp, Json];
        for (from, to) in all.iter().flat_map(|from| all.map(|to| (*from, to))) {
            assert_eq!(after(from, to, "NULL", "NULL"), "NULL NULL", "{from:?} to {to:?}");
        }
    }

    #[test]
    fn what_its_column_could_not_hold_goes_into_one_that_can() {
        use DataType::{Boolean, Date, Integer, Json, Number, String, Timestamp};
        let raw = |value: &str| format!(r#"'{{"it''s \"n\"":{value},"other":[1]}}'"#);
        let rest = r#"'{"other":[1]}'"#;
        for (from, to, cell, kept, expected) in [
            (Integer, String, "7", r#""007""#, "'007'"),
            (Integer, String, "NULL", r#""many""#, "'many'"),
            (Integer, Number, "NULL", r#""12.5""#, "12.5"),
            (
                Number,
                String,
                "9007199254740992.0",
                r#""9007199254740993""#,
                "'9007199254740993'",
            ),
            (Boolean, String, "NULL", r#""maybe""#, "'maybe'"),
            (Date, String, "NULL", r#""soon""#, "'soon'"),
            (
                Timestamp,
                String,
                "'2026-01-02T03:04:05.678Z'",
                r#""2026-01-02T03:04:05.6789Z""#,
                "'2026-01-02T03:04:05.6789Z'",
            ),
            (Json, String, "NULL", r#""no json""#, "'no json'"),
        ] {
            let found = after(from, to, cell, &raw(kept));
            assert_eq!(
                found,
                format!("{expected} {rest}"),
                "{from:?} to {to:?} of {cell}"
            );
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        use DataType::{Integer, Number, String};
        for (from, to, cell, expected) in [
            (
                Integer,
                Number,
                "9007199254740993",
                r#"9007199254740992.0 '{"it''s \"n\"":9007199254740993}'"#,
            ),
            (Integer, Number, "-9007199254740992", "-9007199254740992.0 NULL"),
            (Integer, String, "9007199254740993", "'9007199254740993' NULL"),
            (Number, String, "12.0", "'12' NULL"),
            (Number, String, "-0.0", "'0' NULL"),
            (
                Number,
                String,
                "0.30000000000000004",
                "'0.30000000000000004' NULL",
            ),
            (Number, String, "1e21", "'1000000000000000000000' NULL"),
            (Number, String, "1.5e-7", "'0.00000015' NULL"),
        ] {
            assert_eq!(
                after(from, to, cell, "NULL"),
                expected,
                "{from:?} to {to:?} of {cell}"
            );
        }
    }

    #[test]
    fn what_somebody_else_keeps_beside_the_row_stays() {
        let found = after(DataType::Integer, DataType::String, "12", "'mine'");
        assert_eq!(found, "'12' 'mine'");
    }
}
