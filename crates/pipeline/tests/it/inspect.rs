//! A look at the rows of an SQLite file: what is the same and what is not.

use std::sync::Arc;

use bytes::Bytes;
use opencdc::{
    Batch, Catalog, Checkpoint, Data, DataType, Destination as _, Field, Operation, Position, Record, Stream,
    Verdict, metadata_keys,
};
use pipeline::destination::{Deletes, SqliteConfig, SqliteDestination};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Things with an id, a flag for gone ones, and these properties.
fn things(properties: &[(&str, DataType)]) -> Stream {
    let property =
        |(name, data_type): &(&str, DataType)| Field::new(*name, *data_type, ["properties", *name]);
    let mut fields = vec![Field::new("id", DataType::String, ["id"])];
    fields.extend(properties.iter().map(property));
    fields.push(Field::new("_archived", DataType::Boolean, ["archived"]));
    let mut stream = Stream::new("things", ["id"], fields);
    stream.archived = Some("_archived".to_owned());
    stream
}

fn thing(id: &str, properties: &Value) -> Record {
    let after = json!({"id": id, "properties": properties, "archived": false}).to_string();
    let key = Bytes::from(json!({"id": id}).to_string());
    Record::new("things", Operation::Snapshot, key, Some(Data::Raw(after.into())))
}

struct Place {
    dir: TempDir,
    deletes: Deletes,
}

impl Place {
    fn new(deletes: Deletes) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            deletes,
        }
    }

    async fn open(&self) -> SqliteDestination {
        let mut config = SqliteConfig::new(self.dir.path().join("rows.db"));
        config.deletes = self.deletes;
        SqliteDestination::open(config, "p").await.unwrap()
    }

    async fn write(&self, stream: &Stream, records: Vec<Record>) {
        let destination = self.open().await;
        destination
            .prepare(&Catalog::new(vec![stream.clone()]))
            .await
            .unwrap();
        let checkpoints = destination.checkpoints().unwrap();
        let last = checkpoints
            .load("p")
            .await
            .unwrap()
            .map_or(0, |stored| stored.sequence);
        let position = Position::new((last + 1).to_string());
        let batch = Arc::new(Batch::new(records, position.clone()));
        destination
            .write(batch, Checkpoint::new(last + 1, position))
            .await
            .unwrap();
        destination.close().await.unwrap();
    }

    async fn verdicts(&self, stream: &Stream, records: &[Record]) -> Vec<Verdict> {
        let look = self
            .open()
            .await
            .inspect(&Catalog::new(vec![stream.clone()]))
            .await
            .unwrap();
        let compared = look.compare(records).await.unwrap();
        compared.into_iter().map(|compared| compared.verdict).collect()
    }
}

fn differs(fields: &[&str]) -> Verdict {
    Verdict::Differs {
        fields: fields.iter().map(ToString::to_string).collect(),
    }
}

#[tokio::test]
async fn what_a_column_cannot_hold_is_compared_as_it_was_written() {
    let place = Place::new(Deletes::Soft);
    let stream = things(&[("code", DataType::Integer)]);
    let written = [
        thing("1", &json!({"code": "007"})),
        thing("2", &json!({"code": "many"})),
    ];
    place.write(&stream, written.to_vec()).await;
    assert_eq!(
        place.verdicts(&stream, &written).await,
        [Verdict::Same, Verdict::Same]
    );
    let now = [
        thing("1", &json!({"code": "7"})),
        thing("1", &json!({"code": "0007"})),
        thing("2", &json!({"code": "few"})),
        thing("2", &json!({"code": null})),
    ];
    let code = || differs(&["code"]);
    assert_eq!(
        place.verdicts(&stream, &now).await,
        [code(), code(), code(), code()]
    );
}

#[tokio::test]
async fn an_empty_text_is_no_value() {
    let place = Place::new(Deletes::Soft);
    let stream = things(&[("name", DataType::String)]);
    let written = [thing("1", &json!({"name": ""})), thing("2", &json!({}))];
    place.write(&stream, written.to_vec()).await;
    let now = [
        thing("1", &json!({"name": null})),
        thing("2", &json!({"name": ""})),
        thing("2", &json!({"name": " "})),
    ];
    assert_eq!(
        place.verdicts(&stream, &now).await,
        [Verdict::Same, Verdict::Same, differs(&["name"])]
    );
}

#[tokio::test]
async fn a_field_that_the_file_does_not_have_yet_is_empty_there() {
    let place = Place::new(Deletes::Soft);
    place
        .write(
            &things(&[("a", DataType::String)]),
            vec![thing("1", &json!({"a": "x"}))],
        )
        .await;
    let wider = things(&[("a", DataType::String), ("b", DataType::String)]);
    let now = [
        thing("1", &json!({"a": "x"})),
        thing("1", &json!({"a": "x", "b": "y"})),
    ];
    assert_eq!(
        place.verdicts(&wider, &now).await,
        [Verdict::Same, differs(&["b"])]
    );
}

#[tokio::test]
async fn a_type_that_the_file_does_not_have_yet_is_compared_as_it_stands() {
    let place = Place::new(Deletes::Soft);
    place
        .write(
            &things(&[("n", DataType::Number)]),
            vec![thing("1", &json!({"n": "1.5"}))],
        )
        .await;
    let text = things(&[("n", DataType::String)]);
    let now = [thing("1", &json!({"n": "1.5"})), thing("1", &json!({"n": "one"}))];
    assert_eq!(
        place.verdicts(&text, &now).await,
        [Verdict::Same, differs(&["n"])]
    );
    place.write(&text, Vec::new()).await;
    assert_eq!(
        place.verdicts(&text, &now).await,
        [Verdict::Same, differs(&["n"])],
        "and once it was widened"
    );
}

#[tokio::test]
async fn fields_without_a_column_are_compared_too() {
    let place = Place::new(Deletes::Soft);
    let names: Vec<_> = (0..2_000).map(|n| format!("p{n}")).collect();
    let properties: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), DataType::String))
        .collect();
    let stream = things(&properties);
    let written = thing("1", &json!({"p1": "a", "p1998": "b", "p1999": "c"}));
    place.write(&stream, vec![written.clone()]).await;
    let other_order = thing("1", &json!({"p1999": "c", "p1": "a", "p1998": "b"}));
    let changed = thing("1", &json!({"p1": "a", "p1998": "b", "p1999": "x"}));
    let verdicts = place.verdicts(&stream, &[written, other_order, changed]).await;
    assert_eq!(verdicts, [Verdict::Same, Verdict::Same, differs(&["p1999"])]);
}

#[tokio::test]
async fn what_is_not_committed_is_not_there_and_holds_nobody_up() {
    let place = Place::new(Deletes::Hard);
    let stream = things(&[("a", DataType::String)]);
    let written = thing("1", &json!({"a": "x"}));
    place.write(&stream, vec![written.clone()]).await;
    let other = Connection::open(place.dir.path().join("rows.db")).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; UPDATE things SET a = 'y'")
        .unwrap();
    assert_eq!(
        place.verdicts(&stream, std::slice::from_ref(&written)).await,
        [Verdict::Same]
    );
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(place.verdicts(&stream, &[written]).await, [differs(&["a"])]);
}

#[tokio::test]
async fn rows_that_are_archived_are_listed_with_their_time_and_merged_ones_are_not() {
    let place = Place::new(Deletes::Soft);
    let stream = things(&[("name", DataType::String)]);
    let at = "2026-01-02T03:04:05.678Z";
    let gone = |id: &str| Record::delete("things", json!({"id": id}).to_string().as_bytes());
    let archived = |id: &str| gone(id).with_metadata(metadata_keys::VERSION, at);
    let mut records: Vec<_> = ["1", "2", "3", "4", "5", "6"]
        .map(|id| thing(id, &json!({"name": "x"})))
        .to_vec();
    records.extend(["2", "4", "6"].map(archived));
    records.push(archived("3").with_metadata(metadata_keys::MERGED_INTO, "1"));
    records.push(gone("5"));
    place.write(&stream, records).await;
    let look = place
        .open()
        .await
        .inspect(&Catalog::new(vec![stream]))
        .await
        .unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = look.archived(&"things".into(), after.as_ref(), 2).await.unwrap();
        for record in &page {
            assert_eq!(record.metadata.get(metadata_keys::VERSION), Some(at));
            assert_eq!(record.operation, Operation::Delete);
            found.push(record.key.to_object().unwrap()["id"].clone());
        }
        if page.len() < 2 {
            break;
        }
        after = page.last().map(|record| record.key.clone());
    }
    assert_eq!(found, ["2", "4", "6"]);
}
