//! The audit, with an origin that answers what a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use opencdc::conformance::destination::{STREAM, catalog, contact};
use opencdc::memory::{MemoryDestination, MemorySource, MemoryStore};
use opencdc::{
    Batch, Checkpoint, Data, Destination as _, Error, ErrorKind, Note, Notes, Origin, Pages, Position,
    Record, Result, Resume, StreamName, metadata_keys,
};
use pipeline::audit::{Audit, AuditReport, What, repair};
use pipeline::{Pipeline, RunOptions};

const PIPELINE: &str = "crm";

/// Says one thing on the walk, and another when it is asked again.
#[derive(Debug, Default)]
struct Scripted {
    walk: Mutex<Vec<Vec<Record>>>,
    again: Mutex<BTreeMap<String, Record>>,
    reached: Option<SystemTime>,
    refuses: bool,
}

fn id(key: &Data) -> String {
    key.to_object().unwrap()["id"].as_str().unwrap().to_owned()
}

/// A minute of the hour in which contacts of the suite are changed.
fn minute(minute: u32) -> SystemTime {
    let at: Timestamp = format!("2026-01-01T00:{minute:02}:00Z").parse().unwrap();
    at.into()
}

impl Scripted {
    fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let records: Vec<_> = records.into_iter().collect();
        let again = records.iter().map(|record| (id(&record.key), record.clone()));
        Self {
            again: Mutex::new(again.collect()),
            walk: Mutex::new(records.chunks(100).map(<[Record]>::to_vec).collect()),
            ..Self::default()
        }
    }

    /// What is there from now on, after the walk.
    fn now(&self, record: Record) {
        self.again.lock().unwrap().insert(id(&record.key), record);
    }

    fn delete(key: &Data) -> Record {
        Record::delete(STREAM, &key.to_json())
    }
}

#[async_trait]
impl Origin for Scripted {
    async fn comparable(&self) -> Result<Vec<StreamName>> {
        Ok(vec![STREAM.into()])
    }

    async fn refused(&self) -> Result<Vec<(StreamName, Error)>> {
        let refused = self.refuses.then(|| {
            (
                "deals".into(),
                Error::new(ErrorKind::Refused, "the scope is missing"),
            )
        });
        Ok(refused.into_iter().collect())
    }

    async fn time(&self) -> Result<SystemTime> {
        Ok(minute(30))
    }

    async fn reached(&self, _: &Position, _: &StreamName) -> Result<Option<SystemTime>> {
        Ok(self.reached)
    }

    async fn walk(&self, _: &[StreamName], _: &Position) -> Result<Pages> {
        let pages = self.walk.lock().unwrap().clone();
        Ok(stream::iter(pages.into_iter().map(Ok)).boxed())
    }

    async fn again(&self, _: &StreamName, keys: &[Data]) -> Result<Vec<Record>> {
        let again = self.again.lock().unwrap();
        let one = |key: &Data| again.get(&id(key)).cloned().unwrap_or_else(|| Self::delete(key));
        Ok(keys.iter().map(one).collect())
    }

    async fn amend(&self, from: &Resume, keys: &BTreeMap<StreamName, Vec<Data>>) -> Result<Batch> {
        let mut batch = Batch::new(Vec::new(), from.position.clone());
        for (stream, keys) in keys {
            batch.records.extend(self.again(stream, keys).await?);
            batch
                .notes
                .push(Note::remember(format!("{stream}/mended"), keys.len().to_string()));
        }
        Ok(batch)
    }
}

/// A copy of these records, written as batch number 1.
async fn copied(records: Vec<Record>) -> Pipeline {
    let refuse = |record: &Record| {
        let refused = record.key.to_object().ok()?["id"] == "66600";
        refused.then(|| "the beast".to_owned())
    };
    let destination = MemoryDestination::default()
        .transactional(PIPELINE)
        .refusing(refuse);
    destination.prepare(&catalog()).await.unwrap();
    let position = Position::new("p");
    let batch = Arc::new(Batch::new(records, position.clone()));
    destination
        .write(batch, Checkpoint::new(1, position))
        .await
        .unwrap();
    let store = Arc::new(MemoryStore::default());
    Pipeline {
        name: PIPELINE.to_owned(),
        source: Arc::new(MemorySource::with_catalog(catalog(), Vec::new())),
        destination: Arc::new(destination),
        checkpoints: Arc::clone(&store) as _,
        dead_letters: store,
        selection: None,
        options: RunOptions::default(),
    }
}

fn of<'a>(pipeline: &'a Pipeline, origin: &'a Scripted) -> Audit<'a> {
    Audit {
        pipeline,
        origin,
        streams: &[],
        follows: false,
    }
}

async fn audit(pipeline: &Pipeline, origin: &Scripted) -> AuditReport {
    of(pipeline, origin).run(&|_, _| ()).await.unwrap()
}

fn findings(report: &AuditReport) -> Vec<(&str, &What)> {
    let findings = report.streams.iter().flat_map(|stream| &stream.findings);
    findings.map(|finding| (&*finding.id, &finding.what)).collect()
}

#[tokio::test]
async fn what_is_missing_differs_or_should_be_gone_is_found_in_the_order_of_the_ids() {
    let pipeline = copied(["1", "2", "10"].map(|id| contact(id, "a@b.c", 1)).to_vec()).await;
    let origin = Scripted::of([
        contact("1", "a@b.c", 1),
        contact("2", "new@b.c", 1),
        contact("9", "a@b.c", 1),
    ]);
    let report = audit(&pipeline, &origin).await;
    let differs = What::Differs(vec!["email".into()]);
    assert_eq!(
        findings(&report),
        [("2", &differs), ("9", &What::Missing), ("10", &What::Extra(None))]
    );
    assert!(!report.is_right());
    let stream = &report.streams[0];
    assert_eq!((stream.origin().records, stream.copy().records), (3, 3));
    assert_ne!(stream.origin().checksum, stream.copy().checksum);
}

#[tokio::test]
async fn what_a_second_look_finds_right_is_no_finding() {
    let pipeline = copied(vec![contact("1", "a@b.c", 1), contact("2", "a@b.c", 1)]).await;
    let origin = Scripted::of([
        contact("1", "a@b.c", 1),
        contact("2", "old@b.c", 1),
        contact("3", "a@b.c", 1),
    ]);
    origin.now(contact("2", "a@b.c", 1));
    origin.now(Record::delete(STREAM, br#"{"id":"3"}"#));
    let report = audit(&pipeline, &origin).await;
    assert!(report.is_right(), "{report:?}");
    let stream = &report.streams[0];
    assert_eq!(stream.origin(), stream.copy());
    assert_eq!(stream.copy().records, 2);
}

#[tokio::test]
async fn what_changed_since_the_audit_began_is_on_its_way() {
    let pipeline = copied(vec![contact("1", "a@b.c", 1), contact("2", "a@b.c", 1)]).await;
    let origin = Scripted::of([contact("1", "new@b.c", 31), contact("3", "a@b.c", 29)]);
    let gone = Record::delete(STREAM, br#"{"id":"2"}"#);
    origin.now(gone.with_metadata(metadata_keys::VERSION, "2026-01-01T00:30:05Z"));
    let report = audit(&pipeline, &origin).await;
    assert_eq!(findings(&report), [("3", &What::Missing)]);
    assert_eq!(report.streams[0].on_their_way, 2);
}

#[tokio::test]
async fn of_a_pipeline_that_runs_what_is_newer_than_its_position_is_on_its_way() {
    let pipeline = copied(vec![contact("1", "a@b.c", 1)]).await;
    let mut origin = Scripted::of([contact("1", "new@b.c", 12), contact("2", "a@b.c", 9)]);
    origin.reached = Some(minute(10));
    assert_eq!(
        findings(&audit(&pipeline, &origin).await).len(),
        2,
        "nobody will bring it"
    );
    let follows = Audit {
        follows: true,
        ..of(&pipeline, &origin)
    };
    let report = follows.run(&|_, _| ()).await.unwrap();
    assert_eq!(findings(&report), [("2", &What::Missing)]);
    assert_eq!(report.streams[0].on_their_way, 1);
}

#[tokio::test]
async fn windows_hold_a_thousand_records_and_extra_rows_where_they_belong() {
    let all: Vec<_> = (1..=2_500).map(|n| contact(&n.to_string(), "a@b.c", 1)).collect();
    let pipeline = copied(all.clone()).await;
    let origin = Scripted::of(all.into_iter().filter(|record| id(&record.key) != "1500"));
    let report = audit(&pipeline, &origin).await;
    let windows: Vec<_> = report.streams[0]
        .windows
        .iter()
        .map(|window| {
            (
                &*window.from,
                &*window.through,
                window.origin.records,
                window.copy.records,
            )
        })
        .collect();
    let expected = [
        ("1", "1000", 1_000, 1_000),
        ("1001", "2001", 1_000, 1_001),
        ("2002", "2500", 499, 499),
    ];
    assert_eq!(windows, expected);
    let equal: Vec<_> = report.streams[0]
        .windows
        .iter()
        .map(|window| window.origin == window.copy)
        .collect();
    assert_eq!(equal, [true, false, true]);
}

#[tokio::test]
async fn a_record_that_comes_twice_on_the_walk_counts_once() {
    let pipeline = copied(vec![contact("1", "a@b.c", 1)]).await;
    let origin = Scripted::of([contact("1", "a@b.c", 1), contact("1", "a@b.c", 1)]);
    let report = audit(&pipeline, &origin).await;
    assert!(report.is_right());
    assert_eq!(report.streams[0].origin().records, 1);
}

#[tokio::test]
async fn a_repair_writes_what_is_wrong_under_the_next_number_and_the_same_position() {
    let pipeline = copied(vec![contact("1", "a@b.c", 1), contact("5", "a@b.c", 1)]).await;
    let origin = Scripted::of([contact("1", "new@b.c", 1), contact("2", "a@b.c", 1)]);
    let report = audit(&pipeline, &origin).await;
    assert_eq!(repair(&pipeline, &origin, &report).await.unwrap(), 3);
    assert!(of(&pipeline, &origin).again(&report).await.unwrap().is_right());
    assert!(audit(&pipeline, &origin).await.is_right());

    let store = pipeline.destination.checkpoints().unwrap();
    assert_eq!(
        store.load(PIPELINE).await.unwrap(),
        Some(Checkpoint::new(2, Position::new("p")))
    );
    let notes = Notes::from([("contacts/mended".into(), "3".into())]);
    assert_eq!(store.notes(PIPELINE).await.unwrap(), notes);
}

#[tokio::test]
async fn what_the_destination_refuses_becomes_a_dead_letter_and_is_still_wrong() {
    let pipeline = copied(Vec::new()).await;
    let origin = Scripted::of([contact("66600", "a@b.c", 1), contact("7", "a@b.c", 1)]);
    let report = audit(&pipeline, &origin).await;
    assert_eq!(repair(&pipeline, &origin, &report).await.unwrap(), 1);
    let letters = pipeline.dead_letters.list(PIPELINE, 0, 10).await.unwrap();
    assert_eq!(id(&letters[0].1.record.key), "66600");
    let store = pipeline.destination.checkpoints().unwrap();
    assert_eq!(
        store.load(PIPELINE).await.unwrap().unwrap().sequence,
        2,
        "saved behind the dead letter"
    );
    let left = of(&pipeline, &origin).again(&report).await.unwrap();
    assert_eq!(findings(&left), [("66600", &What::Missing)]);
}

#[tokio::test]
async fn what_there_is_no_copy_of_cannot_be_audited() {
    let mut pipeline = copied(Vec::new()).await;
    pipeline.name = "other".to_owned();
    let origin = Scripted::of([]);
    let error = of(&pipeline, &origin).run(&|_, _| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("`other`"), "{error}");
}

#[tokio::test]
async fn a_stream_that_the_origin_refuses_is_named_and_the_others_are_compared() {
    let pipeline = copied(vec![contact("1", "a@b.c", 1)]).await;
    let mut origin = Scripted::of([contact("1", "a@b.c", 1)]);
    origin.refuses = true;
    let report = of(&pipeline, &origin).run(&|_, _| ()).await.unwrap();
    assert_eq!(
        report.refused,
        [("deals".into(), "the scope is missing".to_owned())]
    );
    assert!(report.is_right(), "the others are compared");
    let one = |name: &str| vec![StreamName::from(name)];
    for (streams, refused) in [(one(STREAM), 0), (one("deals"), 1)] {
        let audit = Audit {
            streams: &streams,
            ..of(&pipeline, &origin)
        };
        let report = audit.run(&|_, _| ()).await.unwrap();
        assert_eq!(report.refused.len(), refused, "{streams:?}");
    }
}
