//! An ordered map from ids to digests, kept as small pieces of bytes: a million entries take a few megabytes, and a
//! change rewrites one piece.
//!
//! Ids of HubSpot are neither dense nor small, so a bitmap would not do. Entries stand in chunks of a few hundred, each
//! delta-coded; a chunk begins at its *fence*, which also names it where it is stored.

use std::collections::BTreeSet;

use bytes::Bytes;
use integer_encoding::VarInt;

/// Most entries of a chunk: small enough to rewrite for one change, large enough to cost little each.
const MAX: usize = 512;
/// Entries of each piece of a chunk that became too large, so that both have room.
const PIECE: usize = 384;

/// What identifies an entry: a record's id, or an association (see [`Pair`](super::Pair)).
pub(crate) trait Key: Copy + Ord + std::fmt::Debug {
    /// The smallest key, where the first chunk begins.
    const MIN: Self;
    /// Writes it, given the one before it.
    fn write(self, before: Self, out: &mut Vec<u8>);
    /// Reads what [`write`](Key::write) wrote.
    fn read(before: Self, bytes: &mut &[u8]) -> Option<Self>;
    /// A text that names it.
    fn name(self) -> String;
    /// Reads what [`name`](Key::name) wrote.
    fn of_name(name: &str) -> Option<Self>;
}

pub(super) fn put(number: u64, out: &mut Vec<u8>) {
    let mut space = [0; 10];
    let length = number.encode_var(&mut space);
    out.extend_from_slice(&space[..length]);
}

pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (number, length) = u64::decode_var(bytes)?;
    *bytes = &bytes[length..];
    Some(number)
}

impl Key for u64 {
    const MIN: Self = 0;

    fn write(self, before: Self, out: &mut Vec<u8>) {
        put(self - before, out);
    }

    fn read(before: Self, bytes: &mut &[u8]) -> Option<Self> {
        before.checked_add(take(bytes)?)
    }

    fn name(self) -> String {
        format!("{self:016x}")
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::from_str_radix(name, 16).ok()
    }
}

/// A change of one entry; `None` removes it.
pub(crate) type Edit<K> = (K, Option<u32>);

#[derive(Debug, Clone)]
struct Chunk<K> {
    /// No entry is smaller, and none of the chunk before is as great.
    fence: K,
    entries: usize,
    bytes: Bytes,
}

/// The map.
#[derive(Debug, Clone)]
pub(crate) struct Map<K> {
    /// Never empty; the first fence is the smallest key.
    chunks: Vec<Chunk<K>>,
    entries: usize,
    /// Fences of chunks that changed since they were last taken.
    changed: BTreeSet<K>,
}

impl<K: Key> Default for Map<K> {
    fn default() -> Self {
        Self {
            chunks: vec![Chunk::of(K::MIN, &[])],
            entries: 0,
            changed: BTreeSet::new(),
        }
    }
}

impl<K: Key> Chunk<K> {
    fn of(fence: K, entries: &[(K, u32)]) -> Self {
        let mut bytes = Vec::with_capacity(entries.len() * 8);
        let (mut before, mut digest_before) = (fence, 0);
        for (key, digest) in entries {
            key.write(before, &mut bytes);
            // Equal neighbours, as those of associations of one type, take a byte.
            put(u64::from(digest ^ digest_before), &mut bytes);
            (before, digest_before) = (*key, *digest);
        }
        Self {
            fence,
            entries: entries.len(),
            bytes: bytes.into(),
        }
    }

    /// `None` when the bytes are not what [`Chunk::of`] wrote.
    fn parse(fence: K, bytes: Bytes) -> Option<Self> {
        let entries = decode(fence, &bytes)?.len();
        Some(Self {
            fence,
            entries,
            bytes,
        })
    }

    fn decoded(&self) -> Vec<(K, u32)> {
        decode(self.fence, &self.bytes).expect("the bytes were checked when they were read")
    }
}

fn decode<K: Key>(fence: K, mut bytes: &[u8]) -> Option<Vec<(K, u32)>> {
    let mut entries = Vec::with_capacity(MAX);
    let (mut before, mut digest_before) = (fence, 0);
    while !bytes.is_empty() {
        let key = K::read(before, &mut bytes)?;
        let digest = u32::try_from(take(&mut bytes)?).ok()? ^ digest_before;
        entries.push((key, digest));
        (before, digest_before) = (key, digest);
    }
    Some(entries)
}

impl<K: Key> Map<K> {
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// The chunk that holds `key`, or would.
    fn place(&self, key: K) -> usize {
        self.chunks.partition_point(|chunk| chunk.fence <= key) - 1
    }

    /// The digest of `key`, if it is there.
    pub(crate) fn get(&self, key: K) -> Option<u32> {
        let entries = self.chunks[self.place(key)].decoded();
        let found = entries.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Some(entries[found].1)
    }

    /// The digests of ascending keys.
    pub(crate) fn get_many(&self, keys: impl IntoIterator<Item = K>) -> Vec<Option<u32>> {
        let mut decoded: Option<(usize, Vec<(K, u32)>)> = None;
        let mut get = |key: K| {
            let place = self.place(key);
            if decoded.as_ref().is_none_or(|(at, _)| *at != place) {
                decoded = Some((place, self.chunks[place].decoded()));
            }
            let (_, entries) = decoded.as_ref()?;
            let found = entries.binary_search_by_key(&key, |(key, _)| *key).ok()?;
            Some(entries[found].1)
        };
        keys.into_iter().map(&mut get).collect()
    }

    /// The entries from `low` to `high`, both included.
    pub(crate) fn range(&self, low: K, high: K) -> impl Iterator<Item = (K, u32)> + '_ {
        let chunks = self.chunks[self.place(low)..]
            .iter()
            .take_while(move |chunk| chunk.fence <= high);
        chunks
            .flat_map(Chunk::decoded)
            .filter(move |(key, _)| (low..=high).contains(key))
    }

    /// The entries of ascending ranges that do not overlap, both ends included; each chunk is read once.
    pub(crate) fn ranges(&self, ranges: impl IntoIterator<Item = (K, K)>) -> Vec<(K, u32)> {
        let mut found = Vec::new();
        let mut decoded: Option<(usize, Vec<(K, u32)>)> = None;
        for (low, high) in ranges {
            for place in self.place(low)..=self.place(high) {
                if decoded.as_ref().is_none_or(|(at, _)| *at != place) {
                    decoded = Some((place, self.chunks[place].decoded()));
                }
                let (_, entries) = decoded.as_ref().expect("it was just decoded");
                let start = entries.partition_point(|(key, _)| *key < low);
                found.extend(entries[start..].iter().take_while(|(key, _)| *key <= high));
            }
        }
        found
    }

    /// Every entry, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.chunks.iter().flat_map(Chunk::decoded)
    }

    /// Makes the changes.
    pub(crate) fn apply(&mut self, mut edits: Vec<Edit<K>>) {
        // Of two edits of one key the later one holds, so the order of equals is kept.
        edits.sort_by_key(|(key, _)| *key);
        let mut rest = &edits[..];
        while let Some((first, _)) = rest.first() {
            let place = self.place(*first);
            let here = match self.chunks.get(place + 1) {
                Some(next) => rest.partition_point(|(key, _)| *key < next.fence),
                None => rest.len(),
            };
            let (edits, behind) = rest.split_at(here);
            self.rewrite(place, edits);
            rest = behind;
        }
    }

    fn rewrite(&mut self, place: usize, edits: &[Edit<K>]) {
        let old = &self.chunks[place];
        let (fence, before) = (old.fence, old.entries);
        let entries = merged(old.decoded(), edits);
        self.entries = self.entries - before + entries.len();
        let size = if entries.len() > MAX { PIECE } else { MAX };
        let mut pieces: Vec<_> = entries
            .chunks(size)
            .map(|piece| Chunk::of(piece[0].0, piece))
            .collect();
        match pieces.first_mut() {
            // The fence names the chunk, so it stays although the first entry may be greater.
            Some(first) => *first = Chunk::of(fence, &entries[..size.min(entries.len())]),
            None if place == 0 => pieces.push(Chunk::of(fence, &[])),
            None => {}
        }
        self.changed.insert(fence);
        self.changed.extend(pieces.iter().map(|chunk| chunk.fence));
        self.chunks.splice(place..=place, pieces);
    }

    /// The chunks that changed since the last call: each by its fence, `None` when it is gone.
    pub(crate) fn take_changed(&mut self) -> Vec<(K, Option<Bytes>)> {
        let changed = std::mem::take(&mut self.changed);
        let value = |fence: K| {
            let chunk = &self.chunks[self.place(fence)];
            (chunk.fence == fence && chunk.entries > 0).then(|| chunk.bytes.clone())
        };
        changed.into_iter().map(|fence| (fence, value(fence))).collect()
    }

    /// Puts back a chunk that was stored; chunks come in any order.
    ///
    /// `None` when the bytes are damaged.
    pub(crate) fn restore(&mut self, fence: K, bytes: Bytes) -> Option<()> {
        let chunk = Chunk::parse(fence, bytes)?;
        self.entries += chunk.entries;
        let place = self.place(fence);
        if self.chunks[place].fence == fence {
            self.chunks[place] = chunk;
        } else {
            self.chunks.insert(place + 1, chunk);
        }
        Some(())
    }
}

/// Both in order, the edits in place of what they change.
fn merged<K: Key>(entries: Vec<(K, u32)>, edits: &[Edit<K>]) -> Vec<(K, u32)> {
    let mut merged = Vec::with_capacity(entries.len() + edits.len());
    let mut entries = entries.into_iter().peekable();
    for (n, (key, digest)) in edits.iter().enumerate() {
        while let Some(entry) = entries.next_if(|(present, _)| present < key) {
            merged.push(entry);
        }
        entries.next_if(|(present, _)| present == key);
        let is_last = edits.get(n + 1).is_none_or(|(next, _)| next != key);
        if let Some(digest) = digest.filter(|_| is_last) {
            merged.push((*key, digest));
        }
    }
    merged.extend(entries);
    merged
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::known::pair::{Category, Kind, Pair, all_of};

    /// A small generator, so that a failing case is the same each time.
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }

    fn assert_same<K: Key>(map: &Map<K>, model: &BTreeMap<K, u32>) {
        assert_eq!(map.len(), model.len());
        let entries: Vec<_> = map.iter().collect();
        let expected: Vec<_> = model.iter().map(|(key, digest)| (*key, *digest)).collect();
        assert_eq!(entries, expected);
    }

    /// What is stored is always enough to make the map again.
    fn store<K: Key>(map: &mut Map<K>, stored: &mut BTreeMap<K, Bytes>) {
        for (fence, bytes) in map.take_changed() {
            match bytes {
                Some(bytes) => stored.insert(fence, bytes),
                None => stored.remove(&fence),
            };
        }
    }

    fn check_against_model<K: Key>(seed: u64, draw_key: impl Fn(&mut Draw) -> K) {
        let mut draw = Draw(seed);
        let (mut map, mut model, mut stored) = (Map::default(), BTreeMap::new(), BTreeMap::new());
        for round in 0..60 {
            let edits: Vec<Edit<K>> = (0..draw.below(400))
                .map(|_| {
                    let keep = draw.below(10) < if round < 40 { 8 } else { 2 };
                    (
                        draw_key(&mut draw),
                        keep.then_some(u32::try_from(draw.below(1 << 32)).unwrap()),
                    )
                })
                .collect();
            for (key, digest) in &edits {
                match digest {
                    Some(digest) => model.insert(*key, *digest),
                    None => model.remove(key),
                };
            }
            map.apply(edits);
            assert_same(&map, &model);
            store(&mut map, &mut stored);
            let mut again = Map::default();
            for (fence, bytes) in stored.iter().rev() {
                let fence = K::of_name(&fence.name()).unwrap();
                again.restore(fence, bytes.clone()).unwrap();
            }
            assert_same(&again, &model);
        }
        assert!(map.chunks.len() > 2, "the case is there");
    }

    #[test]
    fn the_map_is_what_a_plain_map_is_and_its_chunks_are_enough_to_make_it_again() {
        for seed in 0..4 {
            check_against_model(seed, |draw| draw.below(5_000) * 1_000_000_007);
            check_against_model(seed, |draw| {
                let category = Category::of(
                    ["HUBSPOT_DEFINED", "USER_DEFINED", "ODD"][usize::try_from(draw.below(3)).unwrap()],
                );
                let number = draw.below(3);
                (draw.below(40), draw.below(60), Kind { number, category })
            });
        }
    }

    #[test]
    fn a_change_rewrites_one_chunk() {
        let mut map: Map<u64> = Map::default();
        map.apply((0..10_000).map(|id| (id * 7, Some(3))).collect());
        map.take_changed();
        map.apply(vec![(7 * 5_000, Some(4))]);
        let changed = map.take_changed();
        assert_eq!(changed.len(), 1);
        assert!(changed[0].1.as_ref().unwrap().len() < 4 * MAX);
        assert_eq!(map.get(7 * 5_000), Some(4));
        assert_eq!(map.get_many([7, 8, 7 * 5_000]), [Some(3), None, Some(4)]);
    }

    #[test]
    fn a_range_has_both_its_ends() {
        let mut map: Map<Pair> = Map::default();
        let category = Category::of("USER_DEFINED");
        let kind = Kind { number: 1, category };
        map.apply((0..3_000).map(|n| ((n / 3, n, kind), Some(9))).collect());
        let (low, high) = all_of(700);
        let found: Vec<_> = map.range(low, high).map(|(key, _)| key).collect();
        assert_eq!(
            found,
            [(700, 2_100, kind), (700, 2_101, kind), (700, 2_102, kind)]
        );
        let found = map.ranges([0, 169, 170, 171, 9_999].map(all_of));
        let froms: Vec<_> = found.iter().map(|((from, _, _), _)| *from).collect();
        assert_eq!(froms, [0, 0, 0, 169, 169, 169, 170, 170, 170, 171, 171, 171]);
    }

    #[test]
    fn what_was_emptied_stays_empty_when_it_is_made_again() {
        let (mut map, mut stored) = (Map::<u64>::default(), BTreeMap::new());
        map.apply((0..3_000).map(|id| (id, Some(7))).collect());
        store(&mut map, &mut stored);
        assert!(stored.len() > 4, "the case is there");
        map.apply((0..3_000).map(|id| (id, None)).collect());
        store(&mut map, &mut stored);
        assert_eq!(stored.len(), 0, "nothing is left in the notes");
        map.apply(vec![(2_999, Some(1))]);
        store(&mut map, &mut stored);
        let mut again = Map::<u64>::default();
        for (fence, bytes) in stored {
            again.restore(fence, bytes).unwrap();
        }
        assert_eq!(again.iter().collect::<Vec<_>>(), [(2_999, 1)]);
    }

    #[test]
    fn ranges_are_what_each_range_is_however_many_chunks_it_has() {
        let mut map: Map<(u64, u64, u64)> = Map::default();
        let of_one = (0..2_000).map(|to| ((7, to, 1), Some(9)));
        let others = (0..40).flat_map(|from| (0..30).map(move |to| ((from * 5 + 8, to, 1), Some(9))));
        map.apply(of_one.chain(others).collect());
        let all = |from: u64| ((from, 0, 0), (from, u64::MAX, u64::MAX));
        let froms = [3, 7, 8, 9, 13, 203, 999];
        let each = froms
            .iter()
            .flat_map(|from| map.range(all(*from).0, all(*from).1));
        assert_eq!(map.ranges(froms.map(all)), each.collect::<Vec<_>>());
        assert_eq!(map.ranges([all(7)]).len(), 2_000);
        assert_eq!(map.ranges([((7, 600, 0), (7, 1_500, 9))]).len(), 901);
    }

    #[test]
    fn damaged_bytes_are_noticed() {
        let mut map: Map<u64> = Map::default();
        assert!(map.restore(0, Bytes::from_static(&[0x80])).is_none());
    }
}
