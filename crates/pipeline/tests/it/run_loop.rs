//! The order of things in the run loop, with doubles that note every call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use opencdc::conformance::source::resume_after;
use opencdc::memory::{MemoryDestination, MemorySource, MemoryStore};
use opencdc::{
    Batch, Catalog, Checkpoint, CheckpointStore, DataType, Destination as _, Error, ErrorKind, Field, Notes,
    Position, Record, SelectedStream, Source, Until,
};
use pipeline::{Ended, Event, Observer, Pipeline, RetryOptions, RunOptions, run};
use tokio_util::sync::CancellationToken;

use crate::doubles::{Log, LoggedLetters, ScriptedDestination, ScriptedSource, batch, pipeline};

pub(crate) fn batches(last: u64) -> Vec<Batch> {
    (1..=last).map(batch).collect()
}

pub(crate) fn refusing(id: &'static str) -> MemoryDestination {
    MemoryDestination::default().refusing(move |record| {
        let key = record.key.to_object().ok()?;
        (key["id"] == id).then(|| "no".to_owned())
    })
}

pub(crate) fn transient() -> Error {
    Error::new(ErrorKind::Unreachable, "no route")
}

pub(crate) struct Run {
    pub(crate) log: Log,
    pub(crate) destination: Arc<ScriptedDestination>,
    pub(crate) pipeline: Pipeline,
    pub(crate) stop: CancellationToken,
}

impl Run {
    pub(crate) fn new(batches: Vec<Batch>, inner: MemoryDestination) -> Self {
        Self::with(inner, |log| ScriptedSource::new(log, batches))
    }

    pub(crate) fn with(inner: MemoryDestination, source: impl FnOnce(&Log) -> ScriptedSource) -> Self {
        let log = Log::default();
        let source = source(&log);
        let destination = Arc::new(ScriptedDestination::new(&log, inner));
        let pipeline = pipeline(&log, source, &destination);
        let stop = CancellationToken::new();
        Self {
            log,
            destination,
            pipeline,
            stop,
        }
    }

    async fn caught_up(&self) -> opencdc::Result<pipeline::Summary> {
        run(&self.pipeline, Until::CaughtUp, &self.log, self.stop.clone()).await
    }

    /// Waits, without a clock, until the log has `call`.
    pub(crate) async fn until(&self, call: &str) {
        for _ in 0..1_000_000 {
            if self.log.calls().iter().any(|noted| noted == call) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("`{call}` never came: {:?}", self.log.calls());
    }

    /// Runs again: the source resumes from `position`, and refuses notes that are not those of it.
    async fn resumes_from(&self, position: &str) {
        let again = run(
            &self.pipeline,
            Until::CaughtUp,
            &self.log,
            CancellationToken::new(),
        );
        again.await.unwrap();
        assert_eq!(
            self.log.only(&["read"]).last().unwrap(),
            &format!("read {position}")
        );
    }

    /// Runs in the background.
    pub(crate) fn start(self: &Arc<Self>) -> tokio::task::JoinHandle<opencdc::Result<pipeline::Summary>> {
        let this = Arc::clone(self);
        tokio::spawn(async move { this.caught_up().await })
    }
}

/// Every ack comes after a save of at least its sequence, every save after the write.
fn assert_order(calls: &[String]) {
    let number = |call: &String| call.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    let (mut written, mut saved) = (0, 0);
    for call in calls {
        match call.split(' ').next().unwrap() {
            "write" => written = written.max(number(call)),
            "save" => {
                saved = saved.max(number(call));
                assert!(saved <= written, "saved before written: {calls:?}");
            }
            "ack" => assert!(number(call) <= saved, "acknowledged before saved: {calls:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_batch_is_written_then_saved_then_acknowledged() {
    let run = Run::new(batches(40), MemoryDestination::default());
    let summary = run.caught_up().await.unwrap();
    assert_eq!(summary.ended, Ended::CaughtUp);
    assert_eq!(
        (summary.batches, summary.streams.get("contacts").written),
        (40, 40)
    );
    assert_eq!(run.destination.inner.rows("contacts").len(), 40);
    assert_order(&run.log.calls());
    let ends = run.log.only(&["save", "ack"]);
    assert_eq!(ends[ends.len() - 2..], ["save 40", "ack 40"]);
    assert_eq!(run.log.calls().last().unwrap(), "finished CaughtUp");
}

#[tokio::test]
async fn writes_overlap_and_complete_in_order() {
    let run = Arc::new(Run::new(batches(3), MemoryDestination::default()));
    let first = run.destination.hold(1);
    let running = run.start();
    // GIVEN that the later writes are done and the first is not
    run.until("write 3").await;
    // THEN nothing is saved
    assert!(run.log.only(&["save", "ack", "write 1"]).is_empty());
    // WHEN the first is done too
    first.notify_one();
    running.await.unwrap().unwrap();
    // THEN they are saved in order
    let calls = run.log.only(&["save", "ack"]);
    assert_eq!(calls, ["save 1", "ack 1", "save 2", "ack 2", "save 3", "ack 3"]);
}

#[tokio::test]
async fn no_more_batches_are_read_than_may_be_in_flight() {
    assert_only_three_are_read(|options| options.max_in_flight = 3).await;
}

#[tokio::test]
async fn no_more_bytes_are_read_than_may_be_in_flight() {
    let record = &batch(1).records[0];
    let bytes = record.payload.after.as_ref().unwrap().to_json().len();
    // Two batches are below the bound, three are not.
    assert_only_three_are_read(|options| options.max_bytes_in_flight = 2 * bytes + 1).await;
}

async fn assert_only_three_are_read(bound: impl FnOnce(&mut RunOptions)) {
    let mut run = Run::new(batches(10), MemoryDestination::default());
    bound(&mut run.pipeline.options);
    let run = Arc::new(run);
    let first = run.destination.hold(1);
    let running = run.start();
    run.until("write 3").await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(run.log.only(&["begin"]), ["begin 1", "begin 2", "begin 3"]);
    first.notify_one();
    running.await.unwrap().unwrap();
    assert_order(&run.log.calls());
}

#[tokio::test]
async fn a_refused_record_is_a_dead_letter_before_its_batch_is_saved() {
    let run = Run::new(batches(2), refusing("1"));
    let summary = run.caught_up().await.unwrap();
    assert_eq!(summary.streams.get("contacts").rejected, 1);
    let calls = run.log.only(&["letters", "save", "ack"]);
    assert_eq!(calls, ["letters 1", "save 1", "ack 1", "save 2", "ack 2"]);
    let letters = run.pipeline.dead_letters.list("p", 0, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].1.reason.as_str()), (1, "no"));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_kept_stops_the_checkpoint() {
    let mut run = Run::new(batches(3), refusing("2"));
    run.pipeline.options.max_in_flight = 1;
    let full = Error::new(ErrorKind::Storage, "the disk is full");
    run.pipeline.dead_letters = Arc::new(LoggedLetters::new(&run.log, Some(full)));
    run.caught_up().await.unwrap();
    let calls = run.log.only(&["read", "letters", "save", "ack"]);
    let expected = [
        "read start",
        "save 1",
        "ack 1", // and then the letters of 2 fail
        "read 1",
        "letters 1",
        "save 2",
        "ack 2",
        "save 3",
        "ack 3",
    ];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_miscounting_destination_is_stopped_before_anything_is_saved() {
    let log = Log::default();
    let destination = ScriptedDestination::new(&log, MemoryDestination::default()).miscounting();
    let pipeline = pipeline(
        &log,
        ScriptedSource::new(&log, batches(1)),
        &Arc::new(destination),
    );
    let stop = CancellationToken::new();
    let error = run(&pipeline, Until::CaughtUp, &log, stop).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(
        error.to_string(),
        "pipeline `p`: the destination answered 0 outcomes for 1 records"
    );
    assert!(log.only(&["save", "ack"]).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_retry_resumes_after_the_last_checkpoint_and_numbers_go_on() {
    let broken = |log: &Log| ScriptedSource::new(log, batches(4)).breaking_after(2, transient());
    let run = Run::with(MemoryDestination::default(), broken);
    let summary = run.caught_up().await.unwrap();
    assert_eq!((summary.batches, summary.retries), (4, 1));
    let first = [
        "prepare 1",
        "read start",
        "ack 1",
        "ack 2",
        "retry 1 in 1s: no route",
    ];
    let second = ["prepare 1", "read 2", "ack 3", "ack 4"];
    let calls = run.log.only(&["prepare", "read", "retry", "ack"]);
    assert_eq!(calls, [&first[..], &second[..]].concat());
    assert_eq!(run.destination.inner.rows("contacts").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_keeps_what_came_before_it_and_nothing_after() {
    let run = Arc::new(Run::new(batches(3), MemoryDestination::default()));
    run.destination.fail(2, transient());
    let summary = run.caught_up().await.unwrap();
    assert_eq!((summary.batches, summary.retries), (3, 1));
    assert_order(&run.log.calls());
    assert_eq!(run.log.only(&["read"]), ["read start", "read 1"]);
}

#[tokio::test]
async fn an_error_for_a_person_ends_the_run_and_names_the_pipeline() {
    let refused = Error::new(ErrorKind::Refused, "the token is not valid").with_hint("make another");
    let broken = |log: &Log| ScriptedSource::new(log, batches(3)).breaking_after(2, refused);
    let run = Run::with(MemoryDestination::default(), broken);
    let error = run.caught_up().await.unwrap_err();
    assert_eq!(error.to_string(), "pipeline `p`: the token is not valid");
    assert_eq!(
        (error.kind(), error.hint()),
        (ErrorKind::Refused, Some("make another"))
    );
    // What was read before the error is kept.
    assert_eq!(run.log.only(&["ack", "close"]), ["ack 1", "ack 2", "close"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_follows_outlasts_an_answer_only_behind_a_checkpoint() {
    let odd = || Error::new(ErrorKind::InvalidData, "404").from_answer();
    let broken =
        |after, error| move |log: &Log| ScriptedSource::new(log, batches(3)).breaking_after(after, error);
    for (after, error, outlasts, ends_well) in [
        (1, odd(), true, true),
        // Nothing shows that the configuration ever worked.
        (0, odd(), true, false),
        // A caller that waits decides for itself.
        (1, odd(), false, false),
        // What the loop or a destination finds wrong is no answer.
        (1, Error::new(ErrorKind::InvalidData, "ours"), true, false),
    ] {
        let mut run = Run::with(MemoryDestination::default(), broken(after, error));
        run.pipeline.options.retry.outlasts_answers = outlasts;
        let ended = run.caught_up().await;
        assert_eq!(ended.is_ok(), ends_well, "{after} {outlasts}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_run_had_done_is_reported_with_its_error() {
    #[derive(Default)]
    struct Failed(Mutex<Vec<(String, u64, Ended)>>);
    impl Observer for Failed {
        fn event(&self, event: &Event<'_>) {
            if let Event::Failed { error, summary } = event {
                let written = summary.streams.get("contacts").written;
                self.0
                    .lock()
                    .unwrap()
                    .push((error.to_string(), written, summary.ended));
            }
        }
    }
    let refused = Error::new(ErrorKind::Refused, "no");
    let run = Run::with(MemoryDestination::default(), |log| {
        ScriptedSource::new(log, batches(3)).breaking_after(2, refused)
    });
    let seen = Failed::default();
    let ended = pipeline::run(&run.pipeline, Until::CaughtUp, &seen, run.stop.clone()).await;
    let text = ended.unwrap_err().to_string();
    assert_eq!(*seen.0.lock().unwrap(), [(text, 2, Ended::Failed)]);
}

#[tokio::test(start_paused = true)]
async fn retries_without_progress_end() {
    let mut run = Run::with(MemoryDestination::default(), |log| {
        let source = ScriptedSource::new(log, batches(1));
        (0..9).fold(source, |source, _| source.breaking_after(0, transient()))
    });
    run.pipeline.options.retry = RetryOptions {
        max_attempts: 3,
        ..RetryOptions::default()
    };
    let error = run.caught_up().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "pipeline `p`: gave up after 3 attempts without progress: no route"
    );
    let retries = ["retry 1 in 1s: no route", "retry 2 in 2s: no route"];
    assert_eq!(run.log.only(&["retry"]), retries);
}

#[tokio::test(start_paused = true)]
async fn progress_resets_the_count_and_a_quota_sets_the_least_wait() {
    let quota = || Error::new(ErrorKind::Quota, "used up").retry_after(Duration::from_secs(90));
    let mut run = Run::with(MemoryDestination::default(), |log| {
        let source = ScriptedSource::new(log, batches(3));
        (0..3).fold(source, |source, _| source.breaking_after(1, quota()))
    });
    run.pipeline.options.retry.max_attempts = 2;
    let summary = run.caught_up().await.unwrap();
    assert_eq!((summary.batches, summary.retries), (3, 3));
    assert_eq!(run.log.only(&["retry"]), vec!["retry 1 in 90s: used up"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_waiting_to_retry_ends_the_run() {
    let broken = |log: &Log| ScriptedSource::new(log, batches(1)).breaking_after(0, transient());
    let run = Arc::new(Run::with(MemoryDestination::default(), broken));
    let running = run.start();
    run.until("retry 1 in 1s: no route").await;
    run.stop.cancel();
    assert_eq!(running.await.unwrap().unwrap().ended, Ended::Stopped);
}

#[tokio::test]
async fn a_stop_drains_what_is_in_flight() {
    let open = |log: &Log| ScriptedSource::new(log, batches(3)).staying_open();
    let run = Arc::new(Run::with(MemoryDestination::default(), open));
    let held = run.destination.hold(2);
    let running = run.start();
    run.until("write 3").await;
    run.stop.cancel();
    held.notify_one();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.ended, summary.batches), (Ended::Stopped, 3));
    assert_order(&run.log.calls());
    let ends = ["save 3", "ack 3", "close", "finished Stopped"];
    let calls = run.log.calls();
    assert_eq!(calls[calls.len() - ends.len()..], ends);
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_up_writes_that_outlast_the_drain() {
    let open = |log: &Log| ScriptedSource::new(log, batches(3)).staying_open();
    let run = Arc::new(Run::with(MemoryDestination::default(), open));
    let _never = run.destination.hold(2);
    let running = run.start();
    run.until("write 3").await;
    run.stop.cancel();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.ended, summary.batches), (Ended::Stopped, 1));
    assert_eq!(run.log.only(&["save", "ack"]), ["save 1", "ack 1"]);
}

#[tokio::test]
async fn a_stop_before_the_start_reads_nothing() {
    let run = Run::new(batches(3), MemoryDestination::default());
    run.stop.cancel();
    let summary = run.caught_up().await.unwrap();
    assert_eq!((summary.ended, summary.batches), (Ended::Stopped, 0));
    assert!(run.log.only(&["read", "begin", "prepare"]).is_empty());
}

#[tokio::test]
async fn a_second_run_resumes_and_says_so() {
    let run = Run::new(batches(3), MemoryDestination::default());
    assert!(!run.caught_up().await.unwrap().resumed);
    let again = run.caught_up().await.unwrap();
    assert!(again.resumed);
    assert_eq!(again.batches, 0);
    let starts = run.log.only(&["read", "started"]);
    assert_eq!(
        starts,
        [
            "started resumed=false",
            "read start",
            "started resumed=true",
            "read 3"
        ]
    );
}

#[tokio::test]
async fn a_transactional_destination_is_saved_once_at_the_end() {
    let run = Run::new(batches(20), MemoryDestination::default().transactional("p"));
    run.caught_up().await.unwrap();
    assert_eq!(run.log.only(&["save"]), ["save 20"]);
    let acks = run.log.only(&["ack"]);
    assert_eq!(acks.last().unwrap(), "ack 20");
    let store = run.destination.inner.checkpoints().unwrap();
    assert_eq!(store.load("p").await.unwrap().unwrap().sequence, 20);
    assert_eq!(
        run.pipeline.checkpoints.load("p").await.unwrap(),
        None,
        "the other store is not used"
    );
}

#[tokio::test]
async fn letters_of_what_was_erased_or_merged_are_forgotten_before_the_checkpoint() {
    for (reason, kept) in [("purged", 1), ("merged", 1), ("archived", 2)] {
        let refusing = MemoryDestination::default()
            .refusing(|record| (record.operation != opencdc::Operation::Delete).then(|| "no".to_owned()));
        let mut all = batches(3);
        all[2].records = vec![
            Record::delete("contacts", br#"{"id":"1"}"#)
                .with_metadata(opencdc::metadata_keys::DELETE_REASON, reason),
        ];
        let run = Run::new(all, refusing);
        run.caught_up().await.unwrap();
        let letters = run.pipeline.dead_letters.list("p", 0, 10).await.unwrap();
        assert_eq!(letters.len(), kept, "{reason}");
        let calls = run.log.only(&["take", "save 3"]);
        let forgotten = ["take 1", "save 3"];
        assert_eq!(calls, forgotten[kept - 1..], "{reason}");
    }
}

#[tokio::test]
async fn a_transactional_destination_is_saved_after_the_dead_letters_of_a_batch() {
    let mut run = Run::new(batches(4), refusing("2").transactional("p"));
    run.pipeline.options.max_in_flight = 1;
    run.caught_up().await.unwrap();
    let calls = run.log.only(&["letters", "save", "ack"]);
    assert_eq!(
        calls,
        [
            "ack 1",
            "letters 1",
            "save 2",
            "ack 2",
            "ack 3",
            "ack 4",
            "save 4"
        ]
    );
}

#[tokio::test]
async fn batches_under_way_at_a_refusal_are_not_acknowledged_before_a_later_checkpoint() {
    // GIVEN that 2 is refused while 3 and 4 are under way, so that their checkpoints are held back
    let open = |log: &Log| ScriptedSource::new(log, batches(4)).staying_open();
    let run = Arc::new(Run::with(refusing("2").transactional("p"), open));
    let [second, third, fourth] = [2, 3, 4].map(|sequence| run.destination.hold(sequence));
    let running = run.start();
    run.until("begin 4").await;
    second.notify_one();
    run.until("ack 2").await;
    third.notify_one();
    run.until("write 3").await;
    fourth.notify_one();
    run.until("write 4").await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // THEN 3 and 4 are written and not acknowledged: a crash may resume at 2
    let calls = run.log.only(&["letters", "save", "ack"]);
    assert_eq!(calls, ["ack 1", "letters 1", "save 2", "ack 2"]);
    // WHEN the run ends
    run.stop.cancel();
    running.await.unwrap().unwrap();
    // THEN the last batch is saved and acknowledged
    assert_eq!(
        run.log.only(&["save", "ack"]),
        ["ack 1", "save 2", "ack 2", "save 4", "ack 4"]
    );
    // with the notes of all
    let store = run.destination.inner.checkpoints().unwrap();
    let expected = resume_after(&batches(4)).unwrap();
    assert_eq!(store.notes("p").await.unwrap(), expected.notes);
}

#[tokio::test]
async fn what_was_held_back_is_saved_before_the_destination_is_prepared_again() {
    // GIVEN that 2 is refused while 3 is under way, and that the schema changes with 4
    let mut all = batches(5);
    let fields = ["id", "city"].map(|name| Field::new(name, DataType::String, [name]));
    let wide = opencdc::Stream::new("contacts", ["id"], fields.to_vec());
    all[3].catalog = Some(Arc::new(Catalog::new(vec![wide])));
    let run = Arc::new(Run::new(all, refusing("2").transactional("p")));
    let [second, third] = [2, 3].map(|sequence| run.destination.hold(sequence));
    let running = run.start();
    run.until("begin 3").await;
    second.notify_one();
    third.notify_one();
    running.await.unwrap().unwrap();
    // THEN 3 is saved first: a destination forgets at `prepare` what it has written beyond its checkpoint
    let calls = run.log.only(&["prepare", "save", "ack"]);
    let expected = [
        "prepare 1",
        "ack 1",
        "save 2",
        "ack 2",
        "save 3",
        "ack 3",
        "prepare 2",
        "ack 4",
        "ack 5",
        "save 5",
    ];
    assert_eq!(calls, expected);
    run.resumes_from("5").await;
}

#[tokio::test]
async fn a_source_does_not_resume_with_notes_that_another_process_saved_meanwhile() {
    /// Moves on by one checkpoint whenever notes are asked for, three times.
    #[derive(Debug)]
    struct Moving(MemoryStore, Mutex<std::ops::RangeInclusive<u64>>);

    #[async_trait]
    impl CheckpointStore for Moving {
        async fn load(&self, pipeline: &str) -> opencdc::Result<Option<Checkpoint>> {
            self.0.load(pipeline).await
        }

        async fn notes(&self, pipeline: &str) -> opencdc::Result<Notes> {
            let next = self.1.lock().unwrap().next();
            if let Some(sequence) = next {
                let Batch { position, notes, .. } = batch(sequence);
                self.0
                    .save(pipeline, &Checkpoint::new(sequence, position).covering(notes))
                    .await?;
            }
            self.0.notes(pipeline).await
        }

        async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> opencdc::Result<()> {
            self.0.save(pipeline, checkpoint).await
        }

        async fn reset(&self, pipeline: &str) -> opencdc::Result<()> {
            self.0.reset(pipeline).await
        }
    }

    let mut run = Run::new(batches(4), MemoryDestination::default());
    run.pipeline.checkpoints = Arc::new(Moving(MemoryStore::default(), Mutex::new(1..=3)));
    run.caught_up().await.unwrap();
    assert_eq!(run.log.only(&["read"]), ["read 3"]);
}

#[tokio::test]
async fn a_changed_catalog_is_prepared_when_nothing_is_in_flight() {
    let field = |name: &str| Field::new(name, DataType::String, [name]);
    let wide = opencdc::Stream::new("contacts", ["id"], vec![field("id"), field("city")]);
    let mut all = batches(4);
    all[2].catalog = Some(Arc::new(Catalog::new(vec![wide])));
    let run = Arc::new(Run::new(all, MemoryDestination::default()));
    let held = run.destination.hold(2);
    let running = run.start();
    run.until("write 1").await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        run.log.only(&["prepare", "begin"]),
        ["prepare 1", "begin 1", "begin 2"]
    );
    held.notify_one();
    running.await.unwrap().unwrap();
    let calls = run.log.only(&["prepare", "begin", "catalog"]);
    assert_eq!(calls[3..], ["prepare 2", "catalog", "begin 3", "begin 4"]);
}

#[tokio::test]
async fn an_unknown_stream_in_the_selection_is_refused_by_name() {
    let mut run = Run::new(batches(1), MemoryDestination::default());
    run.pipeline.selection = Some(vec![SelectedStream {
        name: "deals".into(),
        fields: None,
    }]);
    let error = run.caught_up().await.unwrap_err();
    assert_eq!(error.to_string(), "pipeline `p`: there is no stream `deals`");
    assert_eq!(error.hint(), Some("the source offers `contacts`"));
}

#[tokio::test]
async fn the_observer_sees_what_became_of_every_stream() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<(u64, u64)>>);
    impl Observer for Seen {
        fn event(&self, event: &Event<'_>) {
            if let Event::Wrote { batches, streams } = event {
                self.0.lock().unwrap().push((*batches, streams.total().records()));
            }
        }
    }
    let record = |stream: &str, n: u32| {
        let id = format!(r#"{{"id":"{n}"}}"#);
        Record::snapshot(stream, id.as_bytes(), id.as_bytes())
    };
    let records = vec![record("contacts", 1), record("deals", 1), record("contacts", 2)];
    let source = MemorySource::new(
        ["contacts", "deals"],
        vec![Batch::new(records, Position::new("1"))],
    );
    let mut run = Run::new(vec![], MemoryDestination::default());
    run.pipeline.source = Arc::new(source) as Arc<dyn Source>;
    let seen = Seen::default();
    let summary = pipeline::run(&run.pipeline, Until::CaughtUp, &seen, run.stop.clone())
        .await
        .unwrap();
    assert_eq!(*seen.0.lock().unwrap(), [(1, 3)]);
    assert_eq!(summary.streams.get("contacts").written, 2);
    assert_eq!(summary.streams.get("contacts").bytes, 20);
    assert_eq!(summary.streams.get("deals").written, 1);
}
