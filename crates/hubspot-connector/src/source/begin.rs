//! Where a stream begins in a read: where it stood, or at the start.

use jiff::Timestamp;
use opencdc::{Error, ErrorKind, Result};

use super::context::Context;
use crate::config::SelectionChange;
use crate::plan::ObjectPlan;
use crate::position::{Adopt, Snapshot, StreamPosition};

/// Where the records of an object type begin.
///
/// # Errors
/// [`ErrorKind::Configuration`] when they are selected differently than before and the configuration refuses that.
pub(super) fn begin(context: &Context, plan: &ObjectPlan, delivers: bool) -> Result<StreamPosition> {
    let selection = plan.selection(context.fields_of(&plan.stream), delivers);
    let stored = context.position_of(&plan.stream);
    match stored {
        None | Some(StreamPosition::Complete(_)) => Ok(start(plan, context.cutoff, selection)),
        Some(StreamPosition::Snapshot(snapshot)) if snapshot.selection.is_empty() => {
            Ok(StreamPosition::Snapshot(Snapshot {
                selection,
                ..snapshot
            }))
        }
        Some(stored) if stored.selection() == selection => Ok(stored),
        Some(stored) => reselected(plan, context.cutoff, selection, &stored),
    }
}

fn start(plan: &ObjectPlan, cutoff: Timestamp, selection: String) -> StreamPosition {
    let adopt = (!plan.snapshot).then_some(Adopt {
        unchanged_since: cutoff,
        through_id: None,
    });
    StreamPosition::Snapshot(Snapshot {
        selection,
        adopt,
        ..Snapshot::from(cutoff)
    })
}

/// What is known stays: whatever is gone meanwhile is still found to be gone.
fn reselected(
    plan: &ObjectPlan,
    cutoff: Timestamp,
    selection: String,
    stored: &StreamPosition,
) -> Result<StreamPosition> {
    match plan.on_selection_change {
        SelectionChange::Reset => {
            tracing::warn!(stream = %plan.stream, "selected differently than before: it is read again from the start");
            Ok(StreamPosition::Snapshot(Snapshot {
                selection,
                since: bin_read(stored),
                ..Snapshot::from(cutoff)
            }))
        }
        SelectionChange::Refuse => {
            let message = format!("the stream `{}` is selected differently than before", plan.stream);
            Err(Error::new(ErrorKind::Configuration, message).with_hint(
                "select it as before, reset its state, or set `on_selection_change: reset` to read it again from the start",
            ))
        }
    }
}

/// Since when the recycle bin was not read.
fn bin_read(stored: &StreamPosition) -> Option<Timestamp> {
    match stored {
        StreamPosition::Cdc(cdc) => Some(cdc.archived.last),
        StreamPosition::Snapshot(snapshot) => Some(snapshot.since.unwrap_or(snapshot.initial_timestamp)),
        StreamPosition::Complete(_) => None,
    }
}
