//! From a row to a record. Pure.

use bytes::Bytes;
use opencdc::{Data, DataType, Operation, Record, StreamName};

use super::{Format, Problem};
use crate::source::rows::{Fields, type_of_json, type_of_text};
use crate::source::schema::{Observed, Schemas};

/// Makes records of the rows of a text, and remembers what fields they have.
#[derive(Debug, Clone)]
pub(in crate::source) struct Records {
    format: Format,
    key: Vec<String>,
    schemas: Schemas,
}

impl Records {
    /// Rows are identified by the columns `key`; when it is empty, only records with a key of their own are understood.
    pub(in crate::source) fn new(format: Format, key: &[String]) -> Self {
        Self {
            format,
            key: key.to_vec(),
            schemas: Schemas::default(),
        }
    }

    /// Makes sure that there is a stream of this name, unless the records themselves say what there is.
    pub(in crate::source) fn expect(&mut self, stream: &StreamName) {
        if !self.key.is_empty() {
            self.schemas.stream(stream, &self.key);
        }
    }

    pub(in crate::source) fn schemas(&mut self) -> &mut Schemas {
        &mut self.schemas
    }

    /// The record of `row`, a JSON object: one of `stream`, unless the row is a whole record as the `ndjson`
    /// destination writes it.
    pub(in crate::source) fn record(
        &mut self,
        row: &Bytes,
        stream: &StreamName,
        operation: Operation,
    ) -> Result<Record, Problem> {
        let text = std::str::from_utf8(row).expect("the decoders give nothing but UTF-8");
        let fields = Fields::of(text).map_err(Problem::Line)?;
        if self.format == Format::Ndjson && is_record(&fields) {
            return self.whole(text);
        }
        if self.key.is_empty() {
            return Err(Problem::All {
                why: "it is a plain row, and `key` is not set".to_owned(),
                hint: "name the columns that identify a row, such as `key: id`".to_owned(),
            });
        }
        let key = self.key_of(&fields)?;
        let type_of: fn(&str) -> Option<DataType> = match self.format.is_untyped() {
            true => type_of_quoted,
            false => type_of_json,
        };
        observe(&mut self.schemas.stream(stream, &self.key), &fields, type_of);
        Ok(Record::new(
            stream.clone(),
            operation,
            key,
            Some(Data::Raw(row.clone())),
        ))
    }

    /// A key column that no row can have, because the header names another, is no fault of the row's.
    fn key_of(&self, fields: &Fields<'_>) -> Result<Data, Problem> {
        let missing = self.key.iter().find(|name| fields.get(name).is_none());
        match missing.filter(|_| self.format.has_header()) {
            Some(name) => {
                let columns: Vec<_> = fields.iter().map(|(name, _)| format!("`{name}`")).collect();
                Err(Problem::All {
                    why: format!("there is no column `{name}`, which `key` names"),
                    hint: format!("the columns are {}", columns.join(", ")),
                })
            }
            None => fields.key(&self.key).map_err(Problem::Line),
        }
    }

    fn whole(&mut self, text: &str) -> Result<Record, Problem> {
        let record: Record = serde_json::from_str(text)
            .map_err(|error| Problem::line(format!("it looks like a record, and is none: {error}")))?;
        let (key, after) = (
            record.key.to_json(),
            record.payload.after.as_ref().map(Data::to_json),
        );
        let key = object(&key)?;
        let names: Vec<_> = key.iter().map(|(name, _)| name.to_owned()).collect();
        self.check_key(&record, &names, &key)?;
        let mut schema = self.schemas.stream(&record.stream, &names);
        observe(&mut schema, &key, type_of_json);
        if let Some(after) = &after {
            observe(&mut schema, &object(after)?, type_of_json);
        }
        Ok(record)
    }

    /// All keys of a stream must have the same fields.
    fn check_key(&self, record: &Record, names: &[String], key: &Fields<'_>) -> Result<(), Problem> {
        key.key(names).map_err(Problem::Line)?;
        let (stream, mut names) = (&record.stream, names.to_vec());
        if names.is_empty() {
            return Err(Problem::line("its key is empty"));
        }
        let mut expected = self.schemas.key(stream).unwrap_or(&names).to_vec();
        names.sort();
        expected.sort();
        match names == expected {
            true => Ok(()),
            false => Err(Problem::line(format!(
                "its key has the fields `{}`, and other records of `{stream}` have `{}`",
                names.join("`, `"),
                expected.join("`, `")
            ))),
        }
    }
}

fn object(json: &[u8]) -> Result<Fields<'_>, Problem> {
    let text = std::str::from_utf8(json).expect("a part of a text in UTF-8");
    Fields::of(text).map_err(|_| Problem::line("it looks like a record, and its key or payload is no object"))
}

/// Whether the row has the shape of a whole record; see [`Record`].
fn is_record(fields: &Fields<'_>) -> bool {
    let begins = |name, with| {
        fields
            .get(name)
            .is_some_and(|value: &str| value.starts_with(with))
    };
    begins("stream", '"') && begins("operation", '"') && begins("key", '{') && begins("payload", '{')
}

fn observe(schema: &mut Observed<'_>, fields: &Fields<'_>, type_of: fn(&str) -> Option<DataType>) {
    for (name, value) in fields.iter() {
        schema.field(name, type_of(value));
    }
}

/// The type of a cell, which is a JSON text or null.
fn type_of_quoted(json: &str) -> Option<DataType> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    Some(type_of_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str =
        r#"{"stream":"deals","operation":"delete","key":{"id":"7"},"payload":{},"metadata":{}}"#;

    fn records(key: &[&str]) -> Records {
        let key: Vec<_> = key.iter().map(ToString::to_string).collect();
        Records::new(Format::Ndjson, &key)
    }

    fn record(records: &mut Records, row: &str) -> Result<Record, Problem> {
        records.record(&Bytes::from(row.to_owned()), &"rows".into(), Operation::Snapshot)
    }

    #[test]
    fn a_plain_row_keeps_its_text_and_gets_its_key() {
        let row = r#"{"id": 1.50, "b": null}"#;
        let found = record(&mut records(&["id"]), row).unwrap();
        assert_eq!(found, Record::snapshot("rows", br#"{"id":1.50}"#, row.as_bytes()));
    }

    #[test]
    fn a_whole_record_is_recognised_by_its_shape() {
        for mut records in [records(&[]), records(&["id"])] {
            let found = record(&mut records, ENVELOPE).unwrap();
            assert_eq!(found, Record::delete("deals", br#"{"id":"7"}"#));
            let catalog = records.schemas().catalog();
            assert_eq!(catalog.stream("deals").unwrap().key, ["id"]);
        }
    }

    #[test]
    fn a_whole_record_with_another_key_than_its_stream_is_bad() {
        let mut records = records(&[]);
        record(&mut records, ENVELOPE).unwrap();
        let other = ENVELOPE.replace(r#"{"id":"7"}"#, r#"{"a":1}"#);
        let problem = record(&mut records, &other).unwrap_err();
        assert!(matches!(problem, Problem::Line(why) if why.contains("`a`") && why.contains("`id`")));
        for key in ["{}", r#"{"id":null}"#] {
            let other = ENVELOPE.replace(r#"{"id":"7"}"#, key);
            assert!(
                matches!(record(&mut records, &other), Err(Problem::Line(_))),
                "{key}"
            );
        }
        let other = ENVELOPE.replace("delete", "remove");
        assert!(
            matches!(record(&mut records, &other), Err(Problem::Line(why)) if why.contains("looks like a record"))
        );
    }

    #[test]
    fn a_plain_row_without_a_key_to_look_for_is_a_mistake_of_the_settings() {
        assert!(matches!(
            record(&mut records(&[]), r#"{"id":1}"#),
            Err(Problem::All { .. })
        ));
    }
}
