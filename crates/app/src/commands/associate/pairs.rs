//! Pairs of records from a file: CSV with a header, or JSON lines. The columns are those of a copy's table of
//! associations, so such a table can be written back as it is.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::actions::PairInput;
use crate::exit::{Failure, Outcome};
use crate::settings::nearest;

const COLUMNS: [&str; 5] = ["from_id", "to_id", "type_id", "category", "label"];

/// A row's values by column. All are texts, as they are written: an id is no number, and `007` is not 7.
type Row = BTreeMap<String, String>;

/// A table of associations has the type, its category and its label; number and category say it all.
fn pair(mut row: Row) -> Result<PairInput, String> {
    let mut take = |column: &str| row.remove(column).filter(|text| !text.is_empty());
    let (from_id, to_id, label) = (take("from_id"), take("to_id"), take("label"));
    let number = |text: String| {
        let parsed = text.parse();
        parsed.map_err(|_| format!("`{text}` is no number of a type of association"))
    };
    let type_id = take("type_id").map(number).transpose()?;
    Ok(PairInput {
        from_id: from_id.ok_or("`from_id` is empty")?,
        to_id: to_id.ok_or("`to_id` is empty")?,
        label: label.filter(|_| type_id.is_none()),
        category: take("category").filter(|_| type_id.is_some()),
        type_id,
    })
}

/// A column by either of its names: `from_id`, or `fromId` as actions have it.
fn column(name: &str) -> Outcome<&'static str> {
    let folded = name.replace('_', "").to_lowercase();
    let found = COLUMNS
        .into_iter()
        .find(|column| column.replace('_', "") == folded);
    found.ok_or_else(|| {
        let near = nearest(name, COLUMNS.into_iter());
        let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Failure::usage(format!("unknown column `{name}`{meant}"))
            .hint(format!("the columns: {}", COLUMNS.join(", ")))
    })
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
    let read = |(n, line)| line_pair(line).map_err(|failure| failure.within(&format!("line {}", n + 1)));
    lines.map(read).collect()
}

fn line_pair(line: &str) -> Outcome<PairInput> {
    let members: BTreeMap<String, Value> =
        serde_json::from_str(line).map_err(|error| Failure::usage("it is no JSON object").because(&error))?;
    let mut row = Row::new();
    for (name, value) in members {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => {
                return Err(Failure::usage(format!(
                    "`{name}` is `{other}`, and should be text or a number"
                )));
            }
        };
        row.insert(column(&name)?.to_owned(), text.trim().to_owned());
    }
    pair(row).map_err(Failure::usage)
}

fn csv(text: &str) -> Outcome<Vec<PairInput>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let wrong = |error: csv::Error| Failure::usage(error.to_string());
    let header = reader.headers().map_err(wrong)?.clone();
    let columns = header.iter().map(column).collect::<Outcome<Vec<_>>>()?;
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let values = columns.iter().zip(&record);
        let row = values.map(|(column, value)| ((*column).to_owned(), value.to_owned()));
        let line = record.position().map_or(0, csv::Position::line);
        let read = pair(row.collect()).map_err(Failure::usage);
        pairs.push(read.map_err(|failure| failure.within(&format!("line {line}")))?);
    }
    Ok(pairs)
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
            category: type_id.map(|_| "HUBSPOT_DEFINED".to_owned()),
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
            "{\"from_id\": \"1\", \"to_id\": 2, \"type_id\": 279, \"category\": \"HUBSPOT_DEFINED\"}\n\n{\"fromId\": 3, \"toId\": \"4\", \"label\": \"Manager\"}\n\
             {\"from_id\": 5, \"to_id\": 6, \"type_id\": null, \"label\": null}\n",
        );
        assert_eq!(lines.unwrap(), wanted);
    }

    #[test]
    fn values_are_texts_as_they_are_written() {
        let zeros = "from_id,to_id\n007,99999999999999999999999\n";
        assert_eq!(
            csv(zeros).unwrap(),
            [pair("007", "99999999999999999999999", None, None)]
        );
    }

    #[test]
    fn a_wrong_column_or_line_is_told_with_its_place() {
        let failure = |read: Outcome<Vec<PairInput>>| format!("{:?}", read.unwrap_err());
        for (told, text) in [
            (
                failure(csv("from,to_id\n1,2\n")),
                "unknown column `from`; did you mean `from_id`?",
            ),
            (failure(csv("from_id,to_id\n1,2\n1\n")), "line: 3"),
            (failure(csv("from_id,to_id\n1,\n")), "line 2: `to_id` is empty"),
            (
                failure(csv("from_id,to_id,type_id\n1,2,x\n")),
                "`x` is no number of a type",
            ),
            (failure(lines("{\"from_id\": 1}")), "line 1: `to_id` is empty"),
            (failure(lines("{\"from_id\": [1]}")), "`from_id` is `[1]`"),
            (failure(lines("{\"form_id\": 1}")), "did you mean `from_id`?"),
        ] {
            assert!(told.contains(text), "{text} is not in {told}");
        }
    }
}
