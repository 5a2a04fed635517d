//! Rows as text: a table, JSON, JSON lines, CSV.

use std::fmt::Write;

use query::{Row, Value};
use serde_json::{Number, Value as Json};

use crate::cli::Format;
use crate::printer;

/// Prints rows as they come; a table when the last has come.
pub(super) struct Rows {
    format: Format,
    names: Vec<String>,
    count: usize,
    kept: Vec<Vec<String>>,
}

impl Rows {
    pub(super) fn new(format: Format, names: &[String]) -> Self {
        if format == Format::Csv {
            printer::data(&csv(names.iter().map(String::as_str)));
        }
        Self {
            format,
            names: distinct(names),
            count: 0,
            kept: Vec::new(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, row: Row) {
        let first = self.count == 0;
        self.count += 1;
        match self.format {
            Format::Table => self.kept.push(row.iter().map(text).collect()),
            Format::Csv => printer::data(&csv(row
                .iter()
                .map(text)
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str))),
            Format::Ndjson => printer::data(&self.object(row)),
            Format::Json => printer::data(&format!("{}{}", if first { "[" } else { "," }, self.object(row))),
        }
    }

    /// Prints what is left, and tells how many rows there were.
    pub(super) fn finish(self) -> usize {
        match self.format {
            Format::Table => {
                let names: Vec<_> = self.names.iter().map(String::as_str).collect();
                printer::table(&names, self.kept);
            }
            Format::Json if self.count == 0 => printer::data("[]"),
            Format::Json => printer::data("]"),
            Format::Ndjson | Format::Csv => {}
        }
        self.count
    }

    /// The columns in their order, which a map of `serde_json` would not keep.
    fn object(&self, row: Row) -> String {
        let member =
            |(name, value): (&String, Value)| format!("{}:{}", Json::from(name.as_str()), json(value));
        let members: Vec<_> = self.names.iter().zip(row).map(member).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The names, a second of the same name with a number.
fn distinct(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates.find(|name| !all.contains(name));
        all.push(free.expect("there are more numbers than columns"));
    }
    all
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hex(bytes),
    }
}

fn json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => number.into(),
        Value::Real(number) => Number::from_f64(number).map_or(Json::Null, Json::Number),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => hex(&bytes).into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A line as RFC 4180 has it.
fn csv<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let quoted = |value: &str| match value.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    };
    values.map(quoted).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_csv_quotes_what_needs_it() {
        assert_eq!(
            csv(["a", "b,c", "say \"hi\"", "", "x\ny"].into_iter()),
            "a,\"b,c\",\"say \"\"hi\"\"\",,\"x\ny\""
        );
    }

    #[test]
    fn columns_of_one_name_are_told_apart() {
        let names = ["id", "name", "id", "id_2"].map(str::to_owned);
        assert_eq!(distinct(&names), ["id", "name", "id_2", "id_2_2"]);
    }
}
