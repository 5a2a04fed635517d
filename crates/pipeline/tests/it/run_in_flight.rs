//! What happens to later batches that are in flight when something fails before them.

use std::sync::Arc;

use opencdc::memory::MemoryDestination;
use opencdc::{Error, ErrorKind};
use pipeline::Ended;

use crate::doubles::{LoggedLetters, ScriptedSource};
use crate::run_loop::{Run, batches, refusing, transient};

#[tokio::test(start_paused = true)]
async fn a_batch_written_while_an_earlier_one_fails_is_read_and_written_again() {
    let run = Arc::new(Run::new(batches(3), MemoryDestination::default()));
    let second = run.destination.hold(2);
    run.destination.fail(2, transient());
    let running = run.start();
    // GIVEN that 3 is written before 2 fails
    run.until("write 3").await;
    second.notify_one();
    // The retry holds 2 again.
    run.until("retry 1 in 1s: no route").await;
    second.notify_one();
    let summary = running.await.unwrap().unwrap();
    // THEN the retry goes on behind 1, and nothing of 3 was saved before 2
    assert_eq!(run.log.only(&["read"]), ["read start", "read 1"]);
    let calls = run.log.only(&["failed", "save"]);
    assert_eq!(calls, ["save 1", "failed 2", "save 2", "save 3"]);
    assert_eq!(run.destination.inner.rows("contacts").len(), 3);
    assert_eq!((summary.batches, summary.retries), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn batches_written_while_dead_letters_fail_do_not_count_as_saved() {
    let mut run = Run::new(batches(3), refusing("2"));
    let full = Error::new(ErrorKind::Storage, "the disk is full");
    let mut letters = LoggedLetters::new(&run.log, Some(full));
    let putting = letters.hold();
    run.pipeline.dead_letters = Arc::new(letters);
    let run = Arc::new(run);
    let third = run.destination.hold(3);
    let running = run.start();
    // GIVEN that 3 is written while the dead letter of 2 is being put away
    run.until("putting letters").await;
    third.notify_one();
    run.until("write 3").await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    putting.notify_one();
    // The retry writes 3 again.
    run.until("retry 1 in 1s: the disk is full").await;
    third.notify_one();
    let summary = running.await.unwrap().unwrap();
    // THEN the retry goes on behind 1, and the refused record is a dead letter
    assert_eq!(
        run.log.only(&["read", "letters"]),
        ["read start", "read 1", "letters 1"]
    );
    let letters = run.pipeline.dead_letters.list("p", 0, 10).await.unwrap();
    assert_eq!((letters.len(), summary.batches, summary.retries), (1, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_last_writes_were_given_up_has_not_caught_up() {
    let run = Arc::new(Run::new(batches(3), MemoryDestination::default()));
    let _never = run.destination.hold(2);
    let running = run.start();
    // GIVEN that the source has ended and 2 is under way
    run.until("write 3").await;
    run.stop.cancel();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.ended, summary.batches), (Ended::Stopped, 1));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_cannot_be_saved_does_not_hold_a_stop() {
    let open = |log: &_| ScriptedSource::new(log, batches(1)).staying_open();
    let run = Arc::new(Run::with(MemoryDestination::default().transactional("p"), open));
    run.destination.hold_saves();
    let running = run.start();
    run.until("ack 1").await;
    run.stop.cancel();
    let ended = tokio::time::timeout(run.pipeline.options.drain * 2, running);
    assert_eq!(ended.await.unwrap().unwrap().unwrap().ended, Ended::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_gives_up_writes_saves_nothing_at_a_transactional_destination() {
    let open = |log: &_| ScriptedSource::new(log, batches(3)).staying_open();
    let run = Arc::new(Run::with(MemoryDestination::default().transactional("p"), open));
    let _never = run.destination.hold(3);
    let running = run.start();
    run.until("ack 2").await;
    run.until("begin 3").await;
    run.stop.cancel();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.ended, summary.batches), (Ended::Stopped, 2));
    // The destination stored 1 and 2 itself, and may by now be further than the loop knows.
    assert!(run.log.only(&["save"]).is_empty());
}
