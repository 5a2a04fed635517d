//! What a read has found to be erased: of these records no value may be left in a copy.

use opencdc::{Record, Result, Resume, StreamName};

use crate::discovery::Discovery;
use crate::known::Known;
use crate::plan::ObjectPlan;
use crate::position::HubspotPosition;
use crate::record::{Facts, Gone};
use crate::source::history;

/// The deletes of all erased records of these streams, those of the histories included that tell of them.
pub(super) fn deletes(discovery: &Discovery, from: &Resume, streams: &[StreamName]) -> Result<Vec<Record>> {
    let position = HubspotPosition::parse(&from.position)?;
    let mut known = Known::restore(&from.notes)?;
    let portal_id = position.portal_id.unwrap_or_default().as_str().into();
    let mut deletes = Vec::new();
    for plan in &discovery.plan.objects {
        let ids = erased(&mut known, plan);
        let facts = |stream: &StreamName| Facts::new(stream.clone(), &portal_id, Some(&plan.object));
        if streams.contains(&plan.stream) {
            let records = facts(&plan.stream);
            let records = records.read_now();
            deletes.extend(ids.iter().map(|id| records.delete(id, Gone::Purged)));
        }
        let history = plan.history.as_ref().map(|history| &history.stream);
        if let Some(history) = history.filter(|history| streams.contains(history)) {
            deletes.extend(history::forget(ids.iter().map(String::as_str), &facts(history)));
        }
    }
    Ok(deletes)
}

fn erased(known: &mut Known, plan: &ObjectPlan) -> Vec<String> {
    let erased = known.of(&plan.stream).erased.iter();
    erased.map(|(id, _)| id.to_string()).collect()
}
