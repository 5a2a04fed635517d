//! Rows to write: from the command line, a CSV file, or JSON lines. Each knows its line, so that a refusal can name it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use csv::StringRecord;
use hubspot_connector::write::Wanted;
use hubspot_connector::write::config::Nulls;
use opencdc::Data;
use serde_json::value::{RawValue, to_raw_value};

use crate::exit::{Failure, Outcome};

/// The two names that a record's own id has in rows.
const ID_COLUMNS: [&str; 2] = ["id", "hs_object_id"];

/// Values as they stand in the input, so that numbers keep their digits.
pub(crate) type Fields = BTreeMap<String, Box<RawValue>>;

/// One row as it came.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Where it stands in the input; the first line is 1.
    pub(crate) line: u64,
    /// What it holds.
    pub(crate) fields: Fields,
}

/// Where rows come from.
pub(crate) enum Input {
    /// The command line.
    Given(std::vec::IntoIter<Row>),
    Csv(Box<CsvRows>),
    Lines(Box<JsonLines>),
}

/// What a file of rows is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// With these columns.
    Csv(Vec<String>),
    Ndjson,
}

pub(crate) struct CsvRows {
    columns: Vec<String>,
    reader: csv::Reader<Box<dyn Read + Send>>,
}

pub(crate) struct JsonLines {
    lines: io::Lines<BufReader<Box<dyn Read + Send>>>,
    line: u64,
}

impl Input {
    /// Rows that were given on the command line.
    pub(crate) fn given(rows: Vec<Vec<(String, String)>>) -> Self {
        let fields =
            |row: Vec<(String, String)>| row.into_iter().map(|(name, value)| (name, raw(&value))).collect();
        let rows = rows.into_iter().zip(1..).map(|(row, line)| Row {
            line,
            fields: fields(row),
        });
        Self::Given(rows.collect::<Vec<_>>().into_iter())
    }

    /// The rows of a file, or of stdin when it is `-`. JSON lines begin with `{`, anything else is CSV.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let reader: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let file = File::open(path);
            Box::new(file.map_err(|error| {
                Failure::usage(format!("cannot read `{}`", path.display())).because(&error)
            })?)
        };
        Self::of(reader)
    }

    fn of(reader: Box<dyn Read + Send>) -> Outcome<Self> {
        let (start, reader) = peeked(reader).map_err(|error| cannot_read(&error))?;
        if start == Some(b'{') {
            let lines = BufReader::new(reader).lines();
            return Ok(Self::Lines(Box::new(JsonLines { lines, line: 0 })));
        }
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(reader);
        let header = reader.headers().map_err(|error| cannot_read(&error))?;
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if columns.iter().all(String::is_empty) {
            return Err(Failure::usage("the input is empty").hint("a CSV file has a header line"));
        }
        Ok(Self::Csv(Box::new(CsvRows { columns, reader })))
    }

    /// What it is.
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::Csv(rows) => Format::Csv(rows.columns.clone()),
            Self::Given(_) | Self::Lines(_) => Format::Ndjson,
        }
    }

    /// Up to `most` rows; none at the end.
    pub(crate) fn next_rows(&mut self, most: usize) -> Outcome<Vec<Row>> {
        self.by_ref().take(most).collect()
    }
}

impl Iterator for Input {
    type Item = Outcome<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Given(rows) => rows.next().map(Ok),
            Self::Csv(rows) => rows.next_row(),
            Self::Lines(lines) => lines.next_row(),
        }
    }
}

/// The first byte that is no blank, and the reader from its beginning, without a byte order mark.
fn peeked(mut reader: Box<dyn Read + Send>) -> io::Result<(Option<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    let mut start = None;
    while start.is_none() {
        let mut byte = [0];
        if reader.read(&mut byte)? == 0 {
            break;
        }
        head.push(byte[0]);
        if head == *"\u{feff}".as_bytes() {
            head.clear();
        }
        let is_mark = "\u{feff}".as_bytes().starts_with(&head) && !head.is_empty();
        start = Some(byte[0]).filter(|byte| !byte.is_ascii_whitespace() && !is_mark);
    }
    Ok((start, Box::new(io::Cursor::new(head).chain(reader))))
}

fn cannot_read(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::usage("cannot read the rows").because(error)
}

impl CsvRows {
    fn next_row(&mut self) -> Option<Outcome<Row>> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => Some(Ok(self.row(&record))),
            Err(error) => Some(Err(cannot_read(&error))),
        }
    }

    /// An empty cell holds nothing.
    fn row(&self, record: &StringRecord) -> Row {
        let value = |cell: &str| {
            if cell.is_empty() {
                RawValue::NULL.to_owned()
            } else {
                raw(cell)
            }
        };
        let cells = self.columns.iter().cloned().zip(record.iter().map(value));
        Row {
            line: record.position().map_or(0, csv::Position::line),
            fields: cells.collect(),
        }
    }
}

impl JsonLines {
    fn next_row(&mut self) -> Option<Outcome<Row>> {
        loop {
            let text = match self.lines.next()? {
                Ok(text) => text,
                Err(error) => return Some(Err(cannot_read(&error))),
            };
            self.line += 1;
            if !text.trim().is_empty() {
                return Some(self.row(&text));
            }
        }
    }

    fn row(&self, text: &str) -> Outcome<Row> {
        let line = self.line;
        let fields = serde_json::from_str(text).map_err(|error| {
            Failure::usage(format!("line {line} of the input is not a JSON object")).because(&error)
        })?;
        Ok(Row { line, fields })
    }
}

impl Row {
    /// What the row asks for. With `has_id`, its `id` or `hs_object_id` is the record's own.
    pub(crate) fn wanted(
        &self,
        nulls: Nulls,
        has_id: bool,
    ) -> Result<Wanted, hubspot_connector::write::Refusal> {
        let mut fields = self.fields.clone();
        fields.retain(|name, _| !name.starts_with('_'));
        let mut id = None;
        for column in ID_COLUMNS.into_iter().filter(|_| has_id) {
            id = id.or(fields.remove(column));
        }
        let json = serde_json::to_vec(&fields).expect("a map of JSON values is always serialisable");
        let mut wanted = Wanted::of_row(&Data::Raw(json.into()), nulls)?;
        wanted.id = id.and_then(|raw| text(&raw));
        Ok(wanted)
    }
}

pub(crate) fn raw(text: &str) -> Box<RawValue> {
    to_raw_value(text).expect("a text is always serialisable")
}

/// A text, or a number's digits; nothing for anything else.
pub(crate) fn text(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    if json.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(json.to_owned());
    }
    serde_json::from_str(json)
        .ok()
        .filter(|text: &String| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, String)> {
        let input = Input::of(Box::new(io::Cursor::new(text.to_owned()))).unwrap();
        let rows = input.map(|row| row.unwrap());
        rows.map(|row| (row.line, serde_json::to_string(&row.fields).unwrap()))
            .collect()
    }

    #[test]
    fn csv_and_json_lines_are_told_apart_by_their_first_character() {
        let csv = rows("\u{feff}email,city\na@b.c,\n\"x\ny\",Bonn\nd,e\n");
        assert_eq!(csv[0], (2, r#"{"city":null,"email":"a@b.c"}"#.to_owned()));
        assert_eq!(csv[1].0, 3);
        assert_eq!(csv[2].0, 5, "lines are counted, not rows");
        let lines = rows("\n  {\"email\":\"a@b.c\"}\n\n{\"n\":1}\n");
        assert_eq!(
            lines,
            [
                (2, r#"{"email":"a@b.c"}"#.to_owned()),
                (4, r#"{"n":1}"#.to_owned())
            ]
        );
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_line() {
        let mut input = Input::of(Box::new(io::Cursor::new("{\"a\":1}\n[1]\n"))).unwrap();
        assert!(input.next().unwrap().is_ok());
        assert!(input.next().unwrap().is_err());
        assert!(Input::of(Box::new(io::Cursor::new(""))).is_err());
        let mut uneven = Input::of(Box::new(io::Cursor::new("a,b\n1\n"))).unwrap();
        assert!(uneven.next().unwrap().is_err());
    }

    #[test]
    fn a_row_names_its_record_and_columns_of_ours_are_passed_over() {
        let fields = r#"{"id": 7, "city": "Bonn", "paid": 1.50, "_reason": "x", "_line": 3}"#;
        let row = Row {
            line: 1,
            fields: serde_json::from_str(fields).unwrap(),
        };
        let wanted = row.wanted(Nulls::Ignore, true).unwrap();
        assert_eq!(wanted.id.as_deref(), Some("7"));
        assert_eq!(wanted.values.keys().collect::<Vec<_>>(), ["city", "paid"]);
        assert_eq!(wanted.values["paid"], "1.50");
        assert!(
            row.wanted(Nulls::Ignore, false)
                .unwrap()
                .values
                .contains_key("id")
        );
    }
}
