//! Which record a change is made to.

use crate::data::draw::Draw;
use crate::state::associations::TypeIndex;
use crate::state::index::Slot;
use crate::state::portal::Portal;
use crate::state::store::Store;

/// So many places are tried before a live record is looked for in order.
const TRIES: usize = 16;

/// Draws records of one type.
#[derive(Debug)]
pub(super) enum Picker {
    /// Any record, also one that was drawn before.
    Any,
    /// Each record once at most: those that were live and those that were archived at the start.
    Distinct { live: Vec<Slot>, archived: Vec<Slot> },
}

impl Picker {
    pub(super) fn new(portal: &Portal, of: TypeIndex, distinct: bool) -> Self {
        if !distinct {
            return Self::Any;
        }
        let store = portal.store(of);
        let with =
            |wanted: fn(&Store, Slot) -> bool| slots(store).filter(|slot| wanted(store, *slot)).collect();
        Self::Distinct {
            live: with(is_live),
            archived: with(is_archived),
        }
    }

    pub(super) fn live(&mut self, store: &Store, draw: &mut Draw) -> Option<Slot> {
        match self {
            Self::Any => any_live(store, draw),
            Self::Distinct { live, .. } => deal(live, draw, |slot| is_live(store, slot)),
        }
    }

    pub(super) fn archived(&mut self, store: &Store, draw: &mut Draw) -> Option<Slot> {
        match self {
            Self::Any => store.archived_slot_from(random_slot(store, draw)),
            Self::Distinct { archived, .. } => deal(archived, draw, |slot| is_archived(store, slot)),
        }
    }
}

fn is_live(store: &Store, slot: Slot) -> bool {
    store.record(slot).is_live()
}

fn is_archived(store: &Store, slot: Slot) -> bool {
    store.is_restorable(slot)
}

fn slots(store: &Store) -> impl DoubleEndedIterator<Item = Slot> {
    0..Slot::try_from(store.len()).unwrap_or(Slot::MAX)
}

fn random_slot(store: &Store, draw: &mut Draw) -> Slot {
    Slot::try_from(draw.place(store.len().max(1))).unwrap_or(0)
}

/// A random live record: tries some places, then looks from the last one on.
pub(super) fn any_live(store: &Store, draw: &mut Draw) -> Option<Slot> {
    let mut start = 0;
    for _ in 0..TRIES.min(store.len()) {
        start = random_slot(store, draw);
        if is_live(store, start) {
            return Some(start);
        }
    }
    let mut from_there = slots(store).skip(start as usize).chain(0..start);
    from_there.find(|slot| is_live(store, *slot))
}

/// Takes random slots from a deck until one still is what is wanted.
fn deal(deck: &mut Vec<Slot>, draw: &mut Draw, wanted: impl Fn(Slot) -> bool) -> Option<Slot> {
    while !deck.is_empty() {
        let slot = deck.swap_remove(draw.place(deck.len()));
        if wanted(slot) {
            return Some(slot);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_deals_each_slot_once_and_only_what_is_wanted() {
        let mut deck: Vec<Slot> = (0..1000).collect();
        let mut draw = Draw::of(1, 2, 3);
        let mut dealt: Vec<Slot> =
            std::iter::from_fn(|| deal(&mut deck, &mut draw, |slot| slot % 2 == 0)).collect();
        assert!(!dealt.is_sorted());
        dealt.sort_unstable();
        assert_eq!(dealt, (0..1000).step_by(2).collect::<Vec<Slot>>());
    }
}
