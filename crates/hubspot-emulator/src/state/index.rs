//! An ordered multiset of (key, slot) that also counts: how many entries lie below a key, and what stands at
//! a rank. `search` needs both to answer `total` and an offset over a million records at once.
//!
//! Entries with equal keys stand in scrambled order, because HubSpot's search promises no tie-break
//! (hubspot-api notes §1.5, §7 quirk 3).

/// The place of a record in its store; never changes.
pub(crate) type Slot = u32;

const CHUNK: usize = 1024;
const SCRAMBLE: u32 = 0x9E37_79B1;
const UNSCRAMBLE: u32 = inverse(SCRAMBLE);

const fn inverse(odd: u32) -> u32 {
    let mut guess = odd;
    let mut round = 0;
    while round < 5 {
        guess = guess.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(guess)));
        round += 1;
    }
    guess
}

type Entry = (i64, u32);

#[derive(Debug, Clone, Default)]
pub(crate) struct SortedIndex {
    chunks: Vec<Vec<Entry>>,
    len: usize,
}

fn entry(key: i64, slot: Slot) -> Entry {
    (key, slot.wrapping_mul(SCRAMBLE))
}

fn slot_of(entry: Entry) -> Slot {
    entry.1.wrapping_mul(UNSCRAMBLE)
}

impl SortedIndex {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds many entries at once: sorts once instead of inserting one by one.
    pub(crate) fn extend(&mut self, added: impl Iterator<Item = (i64, Slot)>) {
        let mut all: Vec<Entry> = self.chunks.drain(..).flatten().collect();
        all.extend(added.map(|(key, slot)| entry(key, slot)));
        all.sort_unstable();
        self.len = all.len();
        self.chunks = all.chunks(CHUNK).map(<[Entry]>::to_vec).collect();
    }

    pub(crate) fn insert(&mut self, key: i64, slot: Slot) {
        let new = entry(key, slot);
        let at = self.chunk_for(new);
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(vec![new]);
            self.len += 1;
            return;
        };
        if let Err(place) = chunk.binary_search(&new) {
            chunk.insert(place, new);
            self.len += 1;
        }
        if chunk.len() > 2 * CHUNK {
            let upper = chunk.split_off(CHUNK);
            self.chunks.insert(at + 1, upper);
        }
    }

    pub(crate) fn remove(&mut self, key: i64, slot: Slot) {
        let old = entry(key, slot);
        let at = self.chunk_for(old);
        let Some(chunk) = self.chunks.get_mut(at) else {
            return;
        };
        let Ok(place) = chunk.binary_search(&old) else {
            return;
        };
        chunk.remove(place);
        self.len -= 1;
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
    }

    /// The chunk that holds `entry` or should: the first whose last entry is not below it, else the last.
    fn chunk_for(&self, entry: Entry) -> usize {
        let at = self
            .chunks
            .partition_point(|chunk| chunk.last().is_some_and(|last| *last < entry));
        at.min(self.chunks.len().saturating_sub(1))
    }

    /// How many entries have a key below `key`.
    pub(crate) fn rank(&self, key: i64) -> usize {
        let at = self
            .chunks
            .partition_point(|chunk| chunk.last().is_some_and(|last| last.0 < key));
        let before: usize = self.chunks[..at].iter().map(Vec::len).sum();
        before
            + self
                .chunks
                .get(at)
                .map_or(0, |chunk| chunk.partition_point(|entry| entry.0 < key))
    }

    /// Slots from a rank on, ascending.
    pub(crate) fn ascending(&self, rank: usize) -> impl Iterator<Item = Slot> + '_ {
        let (chunk, within) = self.locate(rank);
        let first = self.chunks.get(chunk).map_or(&[][..], |chunk| &chunk[within..]);
        let rest = self.chunks.iter().skip(chunk + 1).flatten();
        first.iter().chain(rest).map(|entry| slot_of(*entry))
    }

    /// Slots from a rank down, descending; `rank` itself is left out.
    pub(crate) fn descending(&self, rank: usize) -> impl Iterator<Item = Slot> + '_ {
        let (chunk, within) = self.locate(rank.min(self.len));
        let first = self.chunks.get(chunk).map_or(&[][..], |chunk| &chunk[..within]);
        let rest = self.chunks[..chunk.min(self.chunks.len())]
            .iter()
            .rev()
            .flat_map(|chunk| chunk.iter().rev());
        first.iter().rev().chain(rest).map(|entry| slot_of(*entry))
    }

    fn locate(&self, rank: usize) -> (usize, usize) {
        let mut left = rank;
        for (at, chunk) in self.chunks.iter().enumerate() {
            if left < chunk.len() {
                return (at, left);
            }
            left -= chunk.len();
        }
        (self.chunks.len(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> (SortedIndex, Vec<(i64, Slot)>) {
        let mut index = SortedIndex::default();
        let mut entries: Vec<(i64, Slot)> =
            (0..6000).map(|slot| (i64::from(slot * 7 % 1009), slot)).collect();
        index.extend(entries.iter().copied().take(3000));
        for &(key, slot) in &entries[3000..] {
            index.insert(key, slot);
        }
        for &(key, slot) in entries.iter().step_by(3) {
            index.remove(key, slot);
        }
        entries = entries
            .into_iter()
            .enumerate()
            .filter(|(at, _)| at % 3 != 0)
            .map(|(_, entry)| entry)
            .collect();
        (index, entries)
    }

    #[test]
    fn ranks_count_the_entries_below_a_key() {
        let (index, entries) = model();
        assert_eq!(index.len(), entries.len());
        for key in [-1, 0, 1, 500, 1008, 1009, i64::MAX] {
            assert_eq!(
                index.rank(key),
                entries.iter().filter(|entry| entry.0 < key).count(),
                "{key}"
            );
        }
    }

    #[test]
    fn both_directions_visit_every_slot_once_in_key_order() {
        let (index, entries) = model();
        let key: std::collections::HashMap<Slot, i64> =
            entries.iter().map(|&(key, slot)| (slot, key)).collect();
        let up: Vec<Slot> = index.ascending(0).collect();
        assert!(up.is_sorted_by_key(|slot| key[slot]));
        let mut down: Vec<Slot> = index.descending(index.len()).collect();
        down.reverse();
        assert_eq!(up, down);
        assert_eq!(up.len(), entries.len());
        assert_eq!(index.ascending(17).next(), Some(up[17]));
        assert_eq!(index.descending(17).next(), Some(up[16]));
    }

    #[test]
    fn equal_keys_do_not_stand_in_slot_order() {
        let mut index = SortedIndex::default();
        index.extend((0..100).map(|slot| (5, slot)));
        assert!(!index.ascending(0).is_sorted());
    }
}
