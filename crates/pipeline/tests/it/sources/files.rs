//! Files as a source.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use opencdc::conformance::source as suite;
use opencdc::{
    Batch, Catalog, Checkpoint, DataType, Destination, ErrorKind, Field, Operation, Position, Record,
    Selection, Source, Stream, Until,
};
use pipeline::destination::{NdjsonConfig as NdjsonOut, NdjsonDestination};
use pipeline::source::{BadLines, Columns, CsvConfig, FileSource, NdjsonConfig};
use proptest::prelude::*;

use super::lines::{Folder, ndjson};
use super::reading::{Kept, all_in_words, in_words, operation, read_from};

/// The file of JSON lines, or the folder, with batches of two.
fn ndjson_source(folder: &Folder, name: &str) -> FileSource {
    let config = NdjsonConfig::new(folder.path(name), ["id"]);
    FileSource::ndjson(&NdjsonConfig {
        batch_size: 2,
        ..config
    })
    .unwrap()
}

fn csv_source(folder: &Folder, name: &str) -> FileSource {
    let config = CsvConfig::new(folder.path(name), ["id"]);
    FileSource::csv(&CsvConfig {
        batch_size: 2,
        ..config
    })
    .unwrap()
}

#[tokio::test]
async fn a_file_of_json_lines_keeps_every_promise() {
    let folder = Folder::with("rows.ndjson", &ndjson(0..7));
    suite::all(&ndjson_source(&folder, "rows.ndjson")).await;
}

#[tokio::test]
async fn a_file_of_cells_keeps_every_promise() {
    let folder = Folder::with("rows.csv", "id,name\n1,\"A\nda\"\n2,\n3,c\n4,d\n5,e");
    suite::all(&csv_source(&folder, "rows.csv")).await;
}

#[tokio::test]
async fn a_folder_of_several_streams_keeps_every_promise() {
    let folder = Folder::with("contacts.ndjson", &ndjson(0..5));
    folder.write("deals.ndjson", &ndjson(0..3));
    let source = ndjson_source(&folder, "");
    let catalog = source.catalog().await.unwrap();
    let names: Vec<_> = catalog
        .streams
        .iter()
        .map(|stream| stream.name.as_str())
        .collect();
    assert_eq!(names, ["contacts", "deals"]);
    suite::all(&source).await;
}

#[tokio::test]
async fn what_the_ndjson_destination_writes_is_read_as_it_was() {
    let folder = Folder::new();
    let records: Vec<_> = (0..5)
        .map(|n| {
            Record::snapshot(
                "deals",
                format!(r#"{{"id":"{n}"}}"#).as_bytes(),
                br#"{"id":"x","a":{"b":1.50}}"#,
            )
        })
        .chain([Record::delete("deals", br#"{"id":"2"}"#).with_metadata("spoke.deleteReason", "merged")])
        .collect();
    let written = NdjsonDestination::open(NdjsonOut::new(folder.path("out")), "p")
        .await
        .unwrap();
    let deals = Stream::new("deals", ["id"], vec![Field::new("id", DataType::String, ["id"])]);
    written.prepare(&Catalog::new(vec![deals])).await.unwrap();
    let batch = Batch::new(records.clone(), Position::new("1"));
    written
        .write(Arc::new(batch), Checkpoint::new(1, Position::new("1")))
        .await
        .unwrap();
    written.close().await.unwrap();

    let config = NdjsonConfig {
        batch_size: 2,
        ..NdjsonConfig::new(folder.path("out"), Columns::default())
    };
    let source = FileSource::ndjson(&config).unwrap();
    let read = Kept::default().read(&source).await;
    assert_eq!(read, records);
    assert_eq!(
        source.catalog().await.unwrap().stream("deals").unwrap().key,
        ["id"]
    );
    suite::all(&source).await;
}

#[tokio::test]
async fn appended_lines_are_updates_and_nothing_comes_twice() {
    let folder = Folder::with("rows.ndjson", &ndjson(0..3));
    let mut kept = Kept::default();
    let source = || ndjson_source(&folder, "rows.ndjson");
    assert_eq!(operation(&kept.read(&source()).await), Operation::Snapshot);
    assert!(kept.read(&source()).await.is_empty());
    folder.append("rows.ndjson", "{\"id\":3}\n{\"id\":4,\"na");
    assert_eq!(
        all_in_words(&kept.read(&source()).await),
        [r#"rows update {"id":3} {"id":3}"#]
    );
    folder.append("rows.ndjson", "me\":\"x\"}\n");
    let read = kept.read(&source()).await;
    assert_eq!(
        all_in_words(&read),
        [r#"rows update {"id":4} {"id":4,"name":"x"}"#]
    );
}

#[tokio::test]
async fn a_last_row_of_cells_without_a_line_end_comes_again_when_it_has_one() {
    let folder = Folder::with("rows.csv", "id,name\n1,a\n2,b");
    let mut kept = Kept::default();
    let source = || csv_source(&folder, "rows.csv");
    assert_eq!(kept.read(&source()).await.len(), 2);
    folder.append("rows.csv", "c\n3,d\n");
    let read = all_in_words(&kept.read(&source()).await);
    assert_eq!(
        read,
        [
            r#"rows update {"id":"2"} {"id":"2","name":"bc"}"#,
            r#"rows update {"id":"3"} {"id":"3","name":"d"}"#
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_is_followed_and_a_half_written_row_waits() {
    let folder = Folder::with("rows.csv", "id,name\n1,a\n2,b");
    let source = csv_source(&folder, "rows.csv");
    let mut selection = Selection::everything(&source.catalog().await.unwrap());
    selection.until = Until::Dropped;
    let mut batches = source.read(selection, None).await.unwrap();
    let mut next = async || {
        let waiting = tokio::time::timeout(Duration::from_mins(1), batches.next());
        let batch = waiting.await.ok()?.unwrap().unwrap();
        Some(all_in_words(&batch.records))
    };
    assert_eq!(
        next().await.unwrap(),
        [r#"rows snapshot {"id":"1"} {"id":"1","name":"a"}"#]
    );
    assert_eq!(next().await, None);
    folder.append("rows.csv", "b\n");
    assert_eq!(
        next().await.unwrap(),
        [r#"rows update {"id":"2"} {"id":"2","name":"bb"}"#]
    );
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_file_that_was_replaced_or_cut_short_is_told_and_read_again() {
    for (what, text) in [
        (
            "begins differently",
            "{\"id\":8}\n{\"id\":9}\n{\"id\":7}\n{\"id\":6}\n",
        ),
        ("is shorter", "{\"id\":0}\n"),
    ] {
        let folder = Folder::with("rows.ndjson", &ndjson(0..3));
        let mut kept = Kept::default();
        kept.read(&ndjson_source(&folder, "rows.ndjson")).await;
        folder.write("rows.ndjson", text);
        let source = ndjson_source(&folder, "rows.ndjson");
        let read = kept.read(&source).await;
        assert_eq!(read.len(), text.lines().count(), "{what}");
        let told = source.status()[0].last_error.clone().unwrap();
        assert!(told.contains(what) && told.contains("rows.ndjson"), "{told}");
        let again = ndjson_source(&folder, "rows.ndjson");
        assert!(
            kept.read(&again).await.is_empty() && again.status().is_empty(),
            "it is told once"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_forgotten() {
    let folder = Folder::with("a.ndjson", &ndjson(0..3));
    folder.write("b.ndjson", &ndjson(0..1));
    let mut kept = Kept::default();
    assert_eq!(kept.read(&ndjson_source(&folder, "")).await.len(), 4);
    std::fs::remove_file(folder.path("a.ndjson")).unwrap();
    assert!(kept.read(&ndjson_source(&folder, "")).await.is_empty());
    folder.write("a.ndjson", &ndjson(0..3));
    assert_eq!(kept.read(&ndjson_source(&folder, "")).await.len(), 3);
}

#[tokio::test]
async fn a_bad_line_stops_the_read_behind_the_good_ones() {
    let folder = Folder::with("rows.ndjson", "{\"id\":1}\n\n{\"id\":null}\n{\"id\":3}\n");
    let (batches, error) = read_from(&ndjson_source(&folder, "rows.ndjson"), None).await;
    assert_eq!(batches.iter().map(|batch| batch.records.len()).sum::<usize>(), 1);
    let error = error.expect("the third line is bad");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let text = error.to_string();
    assert!(
        text.ends_with("rows.ndjson` line 3: it has no value in the key column `id`"),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("bad_lines: skip"));
}

#[tokio::test]
async fn skipped_lines_are_counted_and_told() {
    let folder = Folder::with("rows.csv", "id,n\n1,2\n3\n4,5,6\n,8\n9,\n");
    let config = CsvConfig {
        bad_lines: BadLines::Skip,
        ..CsvConfig::new(folder.path("rows.csv"), ["id"])
    };
    let source = FileSource::csv(&config).unwrap();
    assert_eq!(Kept::default().read(&source).await.len(), 2);
    let told = source.status()[0].last_error.clone().unwrap();
    assert!(
        told.contains("line 5 is skipped") && told.contains("(3 skipped in this run)"),
        "{told}"
    );
}

#[tokio::test]
async fn a_quote_that_does_not_end_is_no_row_that_waits() {
    let folder = Folder::with("rows.csv", "id,n\n1,\"2\n3,4\n5,6\n");
    let (_, error) = read_from(&csv_source(&folder, "rows.csv"), None).await;
    let text = error.expect("the second line is bad").to_string();
    assert!(text.ends_with("line 2: a quoted cell does not end"), "{text}");
}

#[tokio::test]
async fn what_no_line_can_mend_is_a_mistake_of_the_settings() {
    let refused = async |source: FileSource| {
        let (_, error) = read_from(&source, None).await;
        let error = error.expect("it is refused");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    let folder = Folder::with("rows.csv", "Id,n\n1,2\n");
    let text = refused(csv_source(&folder, "rows.csv")).await;
    assert!(
        text.contains("no column `id`") && text.contains("`Id`, `n`"),
        "{text}"
    );
    folder.write("rows.ndjson", "{\"id\":1}\n");
    let source =
        FileSource::ndjson(&NdjsonConfig::new(folder.path("rows.ndjson"), Columns::default())).unwrap();
    let text = refused(source).await;
    assert!(
        text.contains("`key` is not set") && text.contains("key: id"),
        "{text}"
    );
}

#[tokio::test]
async fn types_come_from_the_values_and_widen_with_the_batch_that_breaks_them() {
    use DataType::{Date, Integer, Number, String};
    let rows: Vec<_> = (0..1_500)
        .map(|id| format!("{id},1234,{id},2026-01-02,"))
        .collect();
    let mut text = format!("id,zip,n,since,empty\n{}\n", rows.join("\n"));
    text.push_str("1500,007,1.5,never,x\n");
    let folder = Folder::with("rows.csv", &text);
    let source = FileSource::csv(&CsvConfig::new(folder.path("rows.csv"), ["id"])).unwrap();
    let types = |catalog: &Catalog| -> Vec<_> {
        catalog.streams[0]
            .fields
            .iter()
            .map(|field| field.data_type)
            .collect()
    };
    assert_eq!(
        types(&source.catalog().await.unwrap()),
        [Integer, Integer, Integer, Date, String]
    );
    let (batches, _) = read_from(&source, None).await;
    let news: Vec<_> = batches
        .iter()
        .map(|batch| batch.catalog.as_deref().map(types))
        .collect();
    assert_eq!(news[0], None);
    assert_eq!(
        news[1].as_deref().unwrap(),
        [Integer, String, Number, String, String]
    );
}

#[tokio::test]
async fn a_field_that_appears_late_is_announced_by_a_read_that_did_not_see_it_before() {
    let folder = Folder::with("rows.ndjson", &ndjson(0..3));
    let source = ndjson_source(&folder, "rows.ndjson");
    let selection = Selection::everything(&source.catalog().await.unwrap());
    folder.append("rows.ndjson", "{\"id\":9,\"late\":true}\n");
    // Somebody else looks as well; the run was told of the catalog before that.
    source.catalog().await.unwrap();
    let batches: Vec<_> = source
        .read(selection, None)
        .await
        .unwrap()
        .map(Result::unwrap)
        .collect()
        .await;
    let announced = batches
        .iter()
        .find_map(|batch| batch.catalog.as_ref())
        .expect("it is announced");
    assert_eq!(
        announced.streams[0].field("late").unwrap().data_type,
        DataType::Boolean
    );
}

#[tokio::test]
async fn digits_stay_as_they_are() {
    let row = r#"{"id":12345678901234567890.1234567890123456789,"n":1.0}"#;
    let folder = Folder::with("rows.ndjson", &format!("{row}\n"));
    let read = Kept::default().read(&ndjson_source(&folder, "rows.ndjson")).await;
    assert_eq!(
        in_words(&read[0]),
        format!(r#"rows snapshot {{"id":12345678901234567890.1234567890123456789}} {row}"#)
    );
}

#[tokio::test]
async fn a_batch_of_long_rows_has_few_of_them() {
    let row = |id: u32| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(3 << 20));
    let folder = Folder::with("rows.ndjson", &(0..5).map(row).collect::<Vec<_>>().concat());
    let source = FileSource::ndjson(&NdjsonConfig::new(folder.path("rows.ndjson"), ["id"])).unwrap();
    let (batches, _) = read_from(&source, None).await;
    let sizes: Vec<_> = batches.iter().map(|batch| batch.records.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Files grow while they are read by runs that are killed after some batches; in the end every row was delivered
    /// once, in the order of its file.
    #[test]
    fn killed_reads_deliver_every_row_once(
        batch_size in 1_usize..6,
        steps in proptest::collection::vec((0_u32..8, 0_usize..4, 0_usize..3), 1..12),
        csv: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = Folder::new();
            let (mut kept, mut written, mut read) = (Kept::default(), [Vec::new(), Vec::new(), Vec::new()], Vec::new());
            let names = if csv { ["a.csv", "b.csv", "c.csv"] } else { ["a.ndjson", "b.ndjson", "c.ndjson"] };
            for name in names {
                folder.write(name, if csv { "id,text\n" } else { "" });
            }
            let source = || match csv {
                true => FileSource::csv(&CsvConfig { batch_size, ..CsvConfig::new(folder.path(""), ["id"]) }),
                false => FileSource::ndjson(&NdjsonConfig { batch_size, ..NdjsonConfig::new(folder.path(""), ["id"]) }),
            }.unwrap();
            for (rows, batches, file) in steps {
                for _ in 0..rows {
                    let id = written[file].len();
                    let line = if csv { format!("{id},\"x\n{id}\"\n") } else { format!("{{\"id\":{id}}}\n") };
                    folder.append(names[file], &line);
                    written[file].push(id.to_string());
                }
                read.extend(kept.read_some(&source(), batches).await);
            }
            read.extend(kept.read(&source()).await);
            for (file, stream) in ["a", "b", "c"].iter().enumerate() {
                let of_file = read.iter().filter(|record| record.stream.as_str() == *stream);
                let ids: Vec<_> = of_file
                    .map(|record| {
                        let key = record.key.to_object().unwrap()["id"].clone();
                        key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned)
                    })
                    .collect();
                assert_eq!(ids, written[file], "{stream}");
            }
        });
    }
}
