//! All parts of a read at once: each batch is a page of one part, with the position of all.

use async_stream::try_stream;
use futures_util::{Stream, StreamExt, stream};
use opencdc::{Batch, Result, Until};

use super::{Part, Progress};
use crate::position::HubspotPosition;

/// Parts that are read at the same time. Pages of one list come one after the other, so latency rules a walk
/// (hubspot-api notes §6.3); a few walks at once fill the wait, and the client's limiter bounds them all.
const AT_ONCE: usize = 4;

/// Ends after the first error. One part that fails ends the read, so that nobody takes a copy without it for whole; the
/// place to let the others go on is here.
pub(super) fn merge(
    parts: Vec<Part>,
    mut position: HubspotPosition,
    until: Until,
) -> impl Stream<Item = Result<Batch>> + Send {
    try_stream! {
        let mut merged = stream::iter(parts).flatten_unordered(AT_ONCE);
        while let Some(progress) = merged.next().await {
            let Progress { states, records } = progress?;
            position.streams.extend(states);
            yield Batch::new(records, position.to_position());
        }
        if until == Until::Dropped {
            // The change feeds will go on from here.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use opencdc::{Error, ErrorKind};

    use super::*;
    use crate::position::StreamPosition;

    fn progress(stream: &'static str, item: &str) -> Progress {
        let state = StreamPosition::Snapshot {
            initial_timestamp: Timestamp::UNIX_EPOCH,
            since: None,
            item_id: Some(item.to_owned()),
            after: Some(item.to_owned()),
        };
        Progress {
            states: vec![(stream.into(), state)],
            records: Vec::new(),
        }
    }

    #[tokio::test]
    async fn every_batch_carries_the_position_of_all_streams_as_of_then() {
        let a = stream::iter([Ok(progress("a", "1")), Ok(progress("a", "2"))]).boxed();
        let b = stream::iter([Ok(progress("b", "1"))]).boxed();
        let batches: Vec<_> = merge(vec![a, b], HubspotPosition::default(), Until::CaughtUp)
            .collect()
            .await;
        let last = HubspotPosition::parse(&batches.last().unwrap().as_ref().unwrap().position).unwrap();
        let items: Vec<_> = last
            .streams
            .iter()
            .map(|(name, state)| format!("{name} {state:?}"))
            .collect();
        assert_eq!(batches.len(), 3);
        assert!(
            items[0].contains("Some(\"2\")") && items[1].contains("Some(\"1\")"),
            "{items:?}"
        );
    }

    #[tokio::test]
    async fn the_first_error_is_the_last_thing() {
        let failing =
            stream::iter([Err(Error::new(ErrorKind::Refused, "no")), Ok(progress("a", "2"))]).boxed();
        let batches: Vec<_> = merge(vec![failing], HubspotPosition::default(), Until::CaughtUp)
            .collect()
            .await;
        assert_eq!(batches.len(), 1);
        assert!(batches[0].is_err());
    }
}
