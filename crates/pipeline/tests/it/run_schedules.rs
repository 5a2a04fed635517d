//! Random schedules of the run loop: batches in flight while something fails, hangs, is stopped or killed, checked at every
//! step against what the loop promises.

use std::sync::Arc;
use std::time::Duration;

use opencdc::{Result, Until};
use pipeline::{Ended, Event, Observer, Pipeline, RunOptions, Summary, run};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::unkind::{UnkindDestination, UnkindLetters, UnkindSource, UnkindStore, World};

const SCHEDULES: u64 = 1_000;

/// What a person or the machine does to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Undisturbed,
    StoppedAfter(Duration),
    KilledAfter(Duration),
}

impl Fate {
    fn draw(world: &World) -> Self {
        let after = Duration::from_millis(world.below(200));
        match world.below(4) {
            0 => Self::StoppedAfter(after),
            1 => Self::KilledAfter(after),
            _ => Self::Undisturbed,
        }
    }
}

/// Notes what is tried again.
impl Observer for World {
    fn event(&self, event: &Event<'_>) {
        if let Event::Retrying { error, .. } = event {
            self.note(format!("retry: {error}"));
        }
    }
}

fn pipeline(world: &Arc<World>) -> Pipeline {
    let options = RunOptions {
        max_in_flight: usize::try_from(1 + world.below(6)).unwrap(),
        max_bytes_in_flight: usize::try_from(20 + world.below(400)).unwrap(),
        ..RunOptions::default()
    };
    Pipeline {
        name: "p".to_owned(),
        source: Arc::new(UnkindSource::new(world)),
        destination: Arc::new(UnkindDestination::new(world)),
        checkpoints: Arc::new(UnkindStore(Arc::clone(world))),
        dead_letters: Arc::new(UnkindLetters(Arc::clone(world))),
        selection: None,
        options,
    }
}

/// One process. `None` when it was killed.
async fn process(world: &Arc<World>, fate: Fate) -> Option<Result<Summary>> {
    world.note(format!("{fate:?}"));
    let pipeline = pipeline(world);
    let stop = CancellationToken::new();
    let running = run(&pipeline, Until::CaughtUp, &**world, stop.clone());
    tokio::pin!(running);
    let after = match fate {
        Fate::Undisturbed => return Some(running.await),
        Fate::StoppedAfter(after) | Fate::KilledAfter(after) => after,
    };
    tokio::select! {
        biased;
        ended = &mut running => return Some(ended),
        () = tokio::time::sleep(after) => {}
    }
    if let Fate::KilledAfter(_) = fate {
        return None;
    }
    stop.cancel();
    let stopped = Instant::now();
    let ended = running.await;
    let bound = pipeline.options.drain * 3;
    assert!(
        stopped.elapsed() <= bound,
        "the stop took too long: {}",
        world.told()
    );
    Some(ended)
}

async fn schedule(seed: u64) {
    let world = World::new(seed);
    for number in 0.. {
        assert!(number < 30, "never done: {}", world.told());
        let mut fate = Fate::draw(&world);
        if number > 6 {
            world.calm();
            fate = Fate::Undisturbed;
        }
        let ended = process(&world, fate).await;
        world.note(format!("ended {ended:?}"));
        world.check().await;
        match ended {
            Some(Ok(summary)) if summary.ended == Ended::CaughtUp => break,
            Some(Ok(_)) => assert!(matches!(fate, Fate::StoppedAfter(_)), "{}", world.told()),
            // Nothing goes wrong by the loop's own doing.
            Some(Err(error)) => assert!(
                error.to_string().contains("injected"),
                "{error}: {}",
                world.told()
            ),
            None => {}
        }
    }
    world.check_end().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_while_batches_are_in_flight_nothing_is_lost() {
    for seed in 0..SCHEDULES {
        let ended = tokio::time::timeout(Duration::from_hours(24), schedule(seed)).await;
        assert!(ended.is_ok(), "schedule {seed} hangs");
    }
}
