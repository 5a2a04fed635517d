//! A pipe as a source.

use std::io::Read;
use std::sync::mpsc;

use futures_util::StreamExt;
use opencdc::conformance::source as suite;
use opencdc::{ErrorKind, Selection, Source};
use pipeline::source::{BadLines, StdinConfig, StdinFormat, StdinSource};

use super::lines::ndjson;
use super::reading::{Kept, all_in_words, read_from};

fn config() -> StdinConfig {
    StdinConfig {
        batch_size: 2,
        ..StdinConfig::new(StdinFormat::Ndjson, ["id"])
    }
}

fn source(text: String) -> StdinSource {
    StdinSource::of(&config(), std::io::Cursor::new(text)).unwrap()
}

/// Nothing is acknowledged meanwhile, so everything is still there.
#[tokio::test]
async fn a_pipe_keeps_every_promise_until_it_is_acknowledged() {
    suite::all(&source(ndjson(0..7))).await;
}

#[tokio::test]
async fn what_is_acknowledged_is_let_go_of_and_what_is_not_comes_again() {
    let source = source(ndjson(0..5));
    let (batches, _) = read_from(&source, None).await;
    source.ack(&batches[0].position).await.unwrap();
    let (again, _) = read_from(&source, Some(batches[0].position.clone().into())).await;
    let records = |batches: &[opencdc::Batch]| -> Vec<_> {
        batches
            .iter()
            .flat_map(|batch| all_in_words(&batch.records))
            .collect()
    };
    assert_eq!(records(&again), records(&batches[1..]));
    let (from_nothing, _) = read_from(&source, None).await;
    assert_eq!(
        records(&from_nothing),
        records(&batches[1..]),
        "the first batch is gone"
    );
}

#[tokio::test]
async fn a_position_of_another_process_is_no_reason_to_leave_lines_out() {
    let mut kept = Kept::default();
    assert_eq!(kept.read(&source(ndjson(0..5))).await.len(), 5);
    assert_eq!(kept.read(&source(ndjson(5..7))).await.len(), 2);
}

#[tokio::test]
async fn cells_are_read_and_the_last_row_needs_no_line_end() {
    let config = StdinConfig {
        stream: Some("people".to_owned()),
        ..StdinConfig::new(StdinFormat::Csv, ["id"])
    };
    let source = StdinSource::of(&config, &b"id,name\n1,a\n2,b"[..]).unwrap();
    let read = all_in_words(&Kept::default().read(&source).await);
    assert_eq!(
        read,
        [
            r#"people snapshot {"id":"1"} {"id":"1","name":"a"}"#,
            r#"people snapshot {"id":"2"} {"id":"2","name":"b"}"#
        ]
    );
}

#[tokio::test]
async fn a_bad_line_is_named_behind_the_good_ones_or_skipped() {
    let text = "{\"id\":1}\n{\"id\":2}\nnonsense\n{\"id\":4}\n";
    let (batches, error) = read_from(&source(text.to_owned()), None).await;
    assert_eq!(batches[0].records.len(), 2);
    let error = error.expect("the third line is bad");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(
        error
            .to_string()
            .starts_with("standard input line 3: it is not JSON"),
        "{error}"
    );

    let config = StdinConfig {
        bad_lines: BadLines::Skip,
        ..config()
    };
    let source = StdinSource::of(&config, text.as_bytes()).unwrap();
    assert_eq!(Kept::default().read(&source).await.len(), 3);
    assert!(
        source.status()[0]
            .last_error
            .as_ref()
            .unwrap()
            .contains("(1 skipped in this run)")
    );
}

#[tokio::test]
async fn an_empty_pipe_is_fine() {
    assert!(Kept::default().read(&source(String::new())).await.is_empty());
}

/// A pipe that says something when it is told to.
struct Talk(mpsc::Receiver<&'static str>);

impl Read for Talk {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let text = self.0.recv().unwrap_or_default();
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

#[tokio::test]
async fn rows_are_delivered_while_the_pipe_is_open() {
    let (say, heard) = mpsc::channel();
    let source = StdinSource::of(&StdinConfig::new(StdinFormat::Ndjson, ["id"]), Talk(heard)).unwrap();
    say.send("{\"id\":1}\n{\"id\":2}\n").unwrap();
    let selection = Selection::everything(&source.catalog().await.unwrap());
    let mut batches = source.read(selection, None).await.unwrap();
    assert_eq!(batches.next().await.unwrap().unwrap().records.len(), 2);
    say.send("{\"id\":3}\n").unwrap();
    assert_eq!(batches.next().await.unwrap().unwrap().records.len(), 1);
    drop(say);
    assert!(batches.next().await.is_none());
}
