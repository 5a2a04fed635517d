//! All parts of a read at once: each batch is a piece of one part, with the position of all.
//!
//! One part that fails does not stop the others. Whoever follows tries it again after a while; whoever reads once is told
//! at the end, so that nobody takes a copy without it for whole.

use std::time::Duration;

use async_stream::stream;
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{Stream, StreamExt};
use opencdc::{Batch, Disposition, Error, ErrorKind, Result, StreamName};

use super::context::{Context, Progress};
use super::step::Goal;

/// What one part of a read yields.
pub(super) type Part = BoxStream<'static, Result<Progress>>;
/// Makes a part from where its streams stand; `None` when there is nothing to read.
pub(super) type Make = Box<dyn Fn(&Context) -> Option<Part> + Send>;

/// The wait after the first failure of a part; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Short enough to notice soon that somebody granted the missing scope.
const MAX_WAIT: Duration = Duration::from_mins(5);

/// The batches of all parts. `more` makes the parts of streams that are found while reading.
pub(super) fn merge(
    context: Context,
    parts: Vec<(StreamName, Make)>,
    more: impl Fn(&Context) -> Vec<(StreamName, Make)> + Send,
    refused: Option<Error>,
) -> impl Stream<Item = Result<Batch>> + Send {
    stream! {
        let mut failed = refused;
        let mut running = SelectAll::new();
        for (stream, make) in parts {
            running.push(supervise(context.clone(), stream, make).boxed());
        }
        while let Some(progress) = running.next().await {
            match progress {
                Ok(progress) => {
                    let is_reshaped = progress.shape.is_some();
                    yield Ok(context.hand_out(progress));
                    if is_reshaped {
                        for (stream, make) in more(&context) {
                            running.push(supervise(context.clone(), stream, make).boxed());
                        }
                    }
                }
                Err(error) if is_for_all(&error) => {
                    yield Err(error);
                    return;
                }
                Err(error) => failed = Some(worse(failed, error)),
            }
        }
        if let Some(error) = failed {
            yield Err(error);
        }
    }
}

/// One part, begun again after a failure by whoever follows.
fn supervise(context: Context, name: StreamName, make: Make) -> impl Stream<Item = Result<Progress>> + Send {
    stream! {
        let mut wait = FIRST_WAIT;
        loop {
            let Some(mut part) = make(&context) else { return };
            let error = loop {
                match part.next().await {
                    Some(Ok(progress)) => {
                        wait = FIRST_WAIT;
                        yield Ok(progress);
                    }
                    Some(Err(error)) => break error,
                    None => return,
                }
            };
            drop(part);
            let retry = (context.goal == Goal::Follow && !is_for_all(&error)).then(|| at_least(wait, &error));
            context.board.failed(&name, &error, retry);
            let Some(pause) = retry else {
                yield Err(error);
                return;
            };
            tracing::warn!(stream = %name, "{error}; the other streams go on, this one is tried again in {} s", pause.as_secs());
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(MAX_WAIT);
        }
    }
}

fn at_least(wait: Duration, error: &Error) -> Duration {
    match error.disposition() {
        Disposition::Retry => wait,
        Disposition::RetryAfter(after) => wait.max(after),
        Disposition::Stop => MAX_WAIT,
    }
}

/// Errors that are not one stream's own.
fn is_for_all(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Incompatible | ErrorKind::Internal | ErrorKind::Storage | ErrorKind::Conflict
    )
}

/// The one to tell when several parts have failed: what a person must act on goes before what may heal by itself.
fn worse(known: Option<Error>, error: Error) -> Error {
    match known {
        Some(known)
            if known.disposition() == Disposition::Stop || error.disposition() != Disposition::Stop =>
        {
            known
        }
        _ => error,
    }
}
