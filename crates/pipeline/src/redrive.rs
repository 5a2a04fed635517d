//! Dead letters, sent again once their cause is mended.

use opencdc::{Batch, DeadLetter, Error, ErrorKind, Outcome, Record, Result, metadata_keys};

use crate::Pipeline;
use crate::aside::Aside;

/// How sending dead letters again ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Written now, and no letters any more.
    pub written: u64,
    /// Refused again; they stay, with the new reason.
    pub refused: u64,
}

/// Writes the records of these letters, which are known by their ids. No run of the pipeline may be under way.
///
/// A letter is taken out after its record is durable: a crash between the two leaves it, and sending it once more
/// changes nothing.
///
/// # Errors
/// Those of the destination and the stores; [`Configuration`](ErrorKind::Configuration) when the pipeline has never run.
pub async fn redrive(pipeline: &Pipeline, letters: Vec<(u64, DeadLetter)>) -> Result<Redriven> {
    let Some(mut aside) = Aside::open(pipeline).await? else {
        let message = format!("pipeline `{}` has not run yet", pipeline.name);
        return Err(Error::new(ErrorKind::Configuration, message));
    };
    let (ids, records): (Vec<_>, Vec<_>) = letters.into_iter().map(sent_again).unzip();
    let batch = Batch::new(records, aside.resume.position.clone());
    let outcomes = aside.write(batch).await?;
    // A letter that was refused again has been put in the place of the old one, under another id.
    let accepted = |(id, outcome): (u64, &Outcome)| (!matches!(outcome, Outcome::Rejected(_))).then_some(id);
    let written: Vec<_> = ids.iter().copied().zip(&outcomes).filter_map(accepted).collect();
    pipeline.dead_letters.take(&written).await?;
    pipeline.destination.close().await?;
    Ok(Redriven {
        written: written.len() as u64,
        refused: (outcomes.len() - written.len()) as u64,
    })
}

fn sent_again((id, letter): (u64, DeadLetter)) -> (u64, Record) {
    (id, letter.record.with_metadata(metadata_keys::REDRIVEN, "true"))
}
