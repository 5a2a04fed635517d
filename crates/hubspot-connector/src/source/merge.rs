//! All parts of a read at once: each batch is a piece of one part, with the position of all.
//!
//! One part that fails does not stop the others. In follow mode it is retried; a one-off read returns the errors of all
//! failed parts at its end, so that a partial copy is never reported as complete.

use std::time::Duration;

use async_stream::stream;
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{Stream, StreamExt};
use opencdc::{Batch, Disposition, Error, ErrorKind, Result, StreamName};

use super::context::{Context, Progress};
use super::step::Goal;
use crate::error::is_withheld;

/// What one part of a read yields.
pub(super) type Part = BoxStream<'static, Result<Progress>>;
/// Makes a part from where its streams stand; `None` when there is nothing to read.
pub(super) type Make = Box<dyn Fn(&Context) -> Option<Part> + Send>;

/// The wait after the first failure of a part; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Short enough to notice soon that a missing scope was granted.
const MAX_WAIT: Duration = Duration::from_mins(5);

/// The batches of all parts. `more` makes the parts of streams that are found while reading.
pub(super) fn merge(
    context: Context,
    parts: Vec<(StreamName, Make)>,
    more: impl Fn(&Context) -> Vec<(StreamName, Make)> + Send,
    refused: Vec<(StreamName, Error)>,
) -> impl Stream<Item = Result<Batch>> + Send {
    stream! {
        let mut failed = refused;
        let mut running = SelectAll::new();
        for (stream, make) in parts {
            running.push(supervise(context.clone(), stream, make).boxed());
        }
        while let Some(progress) = running.next().await {
            match progress {
                (_, Ok(progress)) => {
                    let is_reshaped = progress.shape.is_some();
                    yield Ok(context.hand_out(progress));
                    if is_reshaped {
                        for (stream, make) in more(&context) {
                            running.push(supervise(context.clone(), stream, make).boxed());
                        }
                    }
                }
                (_, Err(error)) if is_for_all(&error) => {
                    yield Err(error);
                    return;
                }
                (stream, Err(error)) => failed.push((stream, error)),
            }
        }
        if let Some(error) = Error::of_streams(failed) {
            yield Err(error);
        }
    }
}

/// One part, begun again after a failure by whoever follows.
fn supervise(
    context: Context,
    name: StreamName,
    make: Make,
) -> impl Stream<Item = (StreamName, Result<Progress>)> + Send {
    stream! {
        let mut wait = FIRST_WAIT;
        loop {
            let Some(mut part) = make(&context) else { return };
            let error = loop {
                match part.next().await {
                    Some(Ok(progress)) => {
                        wait = FIRST_WAIT;
                        context.board.recovered(&name);
                        yield (name.clone(), Ok(progress));
                    }
                    Some(Err(error)) => break error,
                    None => return,
                }
            };
            drop(part);
            let retry = (context.goal == Goal::Follow && !is_for_all(&error)).then(|| at_least(wait, &error));
            context.board.failed(&name, &error, retry);
            let Some(pause) = retry else {
                yield (name, Err(error));
                return;
            };
            tracing::warn!(stream = %name, "{error}; the other streams go on, this one is tried again in {} s", pause.as_secs());
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(MAX_WAIT);
        }
    }
}

/// How long to wait after `error`. Only a missing scope, which a person has to grant, waits long from the start: any
/// other answer, a 404 or a 400 included, may have been a passing one (see `docs/hubspot/beliefs.md`).
fn at_least(wait: Duration, error: &Error) -> Duration {
    match error.disposition() {
        Disposition::RetryAfter(after) => wait.max(after),
        Disposition::Stop if is_withheld(error) => MAX_WAIT,
        Disposition::Retry | Disposition::Stop => wait,
    }
}

/// Errors that are not one stream's own.
fn is_for_all(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Incompatible | ErrorKind::Internal | ErrorKind::Storage | ErrorKind::Conflict
    )
}
