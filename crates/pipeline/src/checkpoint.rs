//! The rule that every store of checkpoints keeps (invariant 2).

use opencdc::{Checkpoint, Error, ErrorKind, Result};

/// Forward only, or the same again; see [`opencdc::CheckpointStore::save`].
pub(crate) fn check_forward(pipeline: &str, stored: Option<&Checkpoint>, next: &Checkpoint) -> Result<()> {
    match stored {
        Some(stored) if next.sequence <= stored.sequence && next != stored => Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the checkpoint of pipeline `{pipeline}` is at {}, so {} cannot be saved",
                stored.sequence, next.sequence
            ),
        )
        .with_hint("another process runs the same pipeline; stop one of them")),
        _ => Ok(()),
    }
}
