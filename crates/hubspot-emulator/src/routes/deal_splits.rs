//! Deal splits: how a deal's amount is shared by owners. They have an API of their own that names deals, and are
//! searched as `deal_split` (HubSpot's documentation: CRM API, deal splits).

use std::collections::BTreeSet;

use http::Method;
use serde::Deserialize;

use super::objects::{WrittenId, sorted};
use super::objects_batch::{begin, check_count, finish};
use super::record_json::open;
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::state::associations::{Named, TypeIndex};
use crate::state::filter::{Text, number};
use crate::state::portal::{AskedLink, Moment, Portal};
use crate::state::property::Projection;
use crate::state::validation::Asked;

const SCOPE: Access = Access::Scope("crm.dealsplits.read_write");
const PERCENTAGE: &str = "hs_deal_split_percentage";
const OWNER: &str = "hubspot_owner_id";

pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "batch/read", Toll::General, SCOPE, read),
    route(Method::POST, "batch/upsert", Toll::General, SCOPE, upsert),
];

#[derive(Debug, Deserialize)]
struct Batch<T> {
    #[serde(default = "Vec::new")]
    inputs: Vec<T>,
}

/// The splits that one deal is to have.
#[derive(Debug, Deserialize)]
struct Wanted {
    id: Text,
    splits: Vec<Split>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Split {
    #[serde(deserialize_with = "number")]
    owner_id: u64,
    #[serde(deserialize_with = "number")]
    percentage: f64,
}

/// The object types that splits are about.
struct Types {
    deals: TypeIndex,
    splits: TypeIndex,
}

impl Types {
    fn of(portal: &Portal) -> Result<Self, Failure> {
        Ok(Self {
            deals: portal.type_index("deals")?,
            splits: portal.type_index("deal_splits")?,
        })
    }

    fn deal(&self, portal: &Portal, id: &str) -> Option<u64> {
        let store = portal.store(self.deals);
        let slot = store.live_slot(id.parse().ok()?)?;
        Some(store.record(slot).id)
    }

    /// The ids of a deal's splits.
    fn splits_of(&self, portal: &Portal, deal: u64) -> Vec<u64> {
        let links = portal.associations.of(self.deals, self.splits, deal, 0);
        links.map(|link| link.to).collect()
    }
}

fn read(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch<WrittenId> = call.json()?;
    check_count(batch.inputs.len())?;
    let portal = emulator.portal();
    let types = Types::of(&portal)?;
    let (mut out, mut missing) = (begin(), Vec::new());
    for id in batch.inputs.into_iter().map(|input| input.id.into_text()) {
        match types.deal(&portal, &id) {
            Some(deal) => write_deal(&mut out, &portal, &types, deal),
            None => missing.push(id),
        }
    }
    let now = emulator.clock.now();
    Ok(finish(out, &portal, types.deals, missing, &[], now, 200))
}

/// Replaces the splits of each deal; one deal that is refused fails the batch (documented).
fn upsert(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch<Wanted> = call.json()?;
    check_count(batch.inputs.len())?;
    let now = emulator.clock.now();
    let mut portal = emulator.portal_mut();
    let types = Types::of(&portal)?;
    let mut wanted = Vec::new();
    for Wanted { id, splits } in batch.inputs {
        let id = id.into_text();
        let deal = types
            .deal(&portal, &id)
            .ok_or_else(|| Failure::validation(format!("The deal {id} does not exist")))?;
        check(&portal, &types, deal, &splits)?;
        wanted.push((deal, splits));
    }
    let mut out = begin();
    for (deal, splits) in wanted {
        replace(&mut portal, &types, deal, &splits, now)?;
        write_deal(&mut out, &portal, &types, deal);
    }
    Ok(finish(out, &portal, types.deals, Vec::new(), &[], now, 200))
}

/// The deal's owner has a part, each owner has one, and the parts make up the whole.
fn check(portal: &Portal, types: &Types, deal: u64, splits: &[Split]) -> Result<(), Failure> {
    let refuse = |what: String| Err(Failure::validation(format!("Deal {deal}: {what}")));
    let owners: BTreeSet<u64> = splits.iter().map(|split| split.owner_id).collect();
    if owners.len() < splits.len() {
        return refuse("an owner occurs twice in its splits".into());
    }
    let exists = |id: u64| {
        portal
            .owners
            .iter()
            .any(|owner| owner.id == id && !owner.archived)
    };
    if let Some(unknown) = owners.iter().find(|id| !exists(**id)) {
        return refuse(format!("there is no owner {unknown}"));
    }
    let sum: f64 = splits.iter().map(|split| split.percentage).sum();
    if splits.iter().any(|split| split.percentage <= 0.0) || (sum - 1.0).abs() > 1e-8 {
        return refuse(format!(
            "the split percentages must be positive and add up to 1.0, not {sum}"
        ));
    }
    match deal_owner(portal, types, deal) {
        Some(owner) if !owners.contains(&owner) => {
            refuse(format!("its owner {owner} must be one of the split owners"))
        }
        _ => Ok(()),
    }
}

fn deal_owner(portal: &Portal, types: &Types, deal: u64) -> Option<u64> {
    let store = portal.store(types.deals);
    let record = store.record(store.slot(deal)?);
    store.text(record, store.properties.index(OWNER)?)?.parse().ok()
}

fn replace(
    portal: &mut Portal,
    types: &Types,
    deal: u64,
    splits: &[Split],
    now: Moment,
) -> Result<(), Failure> {
    for id in types.splits_of(portal, deal) {
        if let Some(slot) = portal.store(types.splits).live_slot(id) {
            portal.archive(types.splits, slot, now);
        }
    }
    let link = portal.associations.plain(types.splits, types.deals);
    let link = AskedLink {
        to: deal,
        types: link.map(Named::from).into_iter().collect(),
    };
    for split in splits {
        let values = [
            (PERCENTAGE.to_owned(), Some(split.percentage.to_string())),
            (OWNER.to_owned(), Some(split.owner_id.to_string())),
        ];
        portal.create(
            types.splits,
            &Asked::from(values),
            std::slice::from_ref(&link),
            now,
        )?;
    }
    Ok(())
}

/// Appends `{"id":"deal","splits":[...]}`; a split shows its percentage and its owner, and nothing else.
fn write_deal(out: &mut Vec<u8>, portal: &Portal, types: &Types, deal: u64) {
    let store = portal.store(types.splits);
    let shown: Projection = sorted(
        [PERCENTAGE, OWNER]
            .into_iter()
            .filter_map(|name| store.properties.index(name)),
    );
    json::comma(out);
    out.extend_from_slice(format!("{{\"id\":\"{deal}\",\"splits\":[").as_bytes());
    for id in types.splits_of(portal, deal) {
        if let Some(slot) = store.live_slot(id) {
            json::comma(out);
            open(out, store, store.record(slot), &shown);
            out.push(b'}');
        }
    }
    out.extend_from_slice(b"]}");
}
