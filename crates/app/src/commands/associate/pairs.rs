//! Pairs of records from a file: CSV with a header, or JSON lines. The columns are those of a copy's table of
//! associations, so such a table can be written back as it is.

use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use crate::actions::PairInput;
use crate::exit::{Failure, Outcome};
use crate::settings::nearest;

const COLUMNS: [&str; 5] = ["from_id", "to_id", "type_id", "category", "label"];

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(alias = "fromId", deserialize_with = "text")]
    from_id: String,
    #[serde(alias = "toId", deserialize_with = "text")]
    to_id: String,
    #[serde(default, alias = "typeId", deserialize_with = "number")]
    type_id: Option<u64>,
    /// Follows from the type.
    #[serde(default, rename = "category")]
    _category: Option<String>,
    #[serde(default)]
    label: Option<String>,
}

/// Ids are written as texts and as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u64),
    Text(String),
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text,
    })
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Option::<Scalar>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Scalar::Number(number)) => Ok(Some(number)),
        Some(Scalar::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(Scalar::Text(text)) => {
            let wrong =
                |_| serde::de::Error::custom(format!("`{text}` is no number of a type of association"));
            text.trim().parse().map(Some).map_err(wrong)
        }
    }
}

impl From<Row> for PairInput {
    /// A table of associations has both the type and its label; the type says more.
    fn from(row: Row) -> Self {
        Self {
            from_id: row.from_id,
            to_id: row.to_id,
            label: row
                .label
                .filter(|label| row.type_id.is_none() && !label.is_empty()),
            type_id: row.type_id,
        }
    }
}

/// All pairs of the file, or of standard input (`-`).
pub(super) fn read(path: &Path) -> Outcome<Vec<PairInput>> {
    let shown = path.display().to_string();
    let cannot = |error: std::io::Error| Failure::usage(format!("cannot read `{shown}`")).because(&error);
    let text = match path.to_str() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(path),
    };
    let text = text.map_err(cannot)?;
    let parsed = if text.trim_start().starts_with('{') {
        lines(&text)
    } else {
        csv(&text)
    };
    parsed.map_err(|failure| failure.within(&format!("`{shown}`")))
}

fn lines(text: &str) -> Outcome<Vec<PairInput>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let pair = |(n, line)| match serde_json::from_str::<Row>(line) {
        Ok(row) => Ok(row.into()),
        Err(error) => Err(Failure::usage(format!("line {}: {error}", n + 1))),
    };
    lines.map(pair).collect()
}

fn csv(text: &str) -> Outcome<Vec<PairInput>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| Failure::usage(error.to_string()))?;
    check_header(header)?;
    let pair = |row: Result<Row, csv::Error>| match row {
        Ok(row) => Ok(row.into()),
        Err(error) => Err(Failure::usage(error.to_string())),
    };
    reader.deserialize().map(pair).collect()
}

fn check_header(header: &csv::StringRecord) -> Outcome {
    let known = |name: &str| COLUMNS.contains(&name) || ["fromId", "toId", "typeId"].contains(&name);
    if let Some(unknown) = header.iter().find(|name| !known(name)) {
        let near = nearest(unknown, COLUMNS.into_iter());
        let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(
            Failure::usage(format!("unknown column `{unknown}`{meant}")).hint(format!(
                "the first line names the columns: {}",
                COLUMNS.join(", ")
            )),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(from: &str, to: &str, label: Option<&str>, type_id: Option<u64>) -> PairInput {
        PairInput {
            from_id: from.to_owned(),
            to_id: to.to_owned(),
            label: label.map(str::to_owned),
            type_id,
        }
    }

    #[test]
    fn csv_and_json_lines_say_the_same() {
        let wanted = [
            pair("1", "2", None, Some(279)),
            pair("3", "4", Some("Manager"), None),
            pair("5", "6", None, None),
        ];
        let csv = csv(
            "from_id,to_id,type_id,category,label\n1,2,279,HUBSPOT_DEFINED,Primary\n3, 4,,,Manager\n5,6,,,\n",
        );
        assert_eq!(csv.unwrap(), wanted);
        let lines = lines(
            "{\"from_id\": \"1\", \"to_id\": 2, \"type_id\": 279}\n\n{\"fromId\": 3, \"toId\": \"4\", \"label\": \"Manager\"}\n\
             {\"from_id\": 5, \"to_id\": 6, \"type_id\": null, \"label\": null}\n",
        );
        assert_eq!(lines.unwrap(), wanted);
    }

    #[test]
    fn a_wrong_column_or_line_is_told_with_its_place() {
        let failure = format!("{:?}", csv("from,to_id\n1,2\n").unwrap_err());
        assert!(failure.contains("unknown column `from`"), "{failure}");
        let failure = format!("{:?}", csv("from_id,to_id\n1\n").unwrap_err());
        assert!(failure.contains("line: 2"), "{failure}");
        let failure = format!("{:?}", lines("{\"from_id\": 1}").unwrap_err());
        assert!(failure.contains("line 1: missing field `to_id`"), "{failure}");
    }
}
