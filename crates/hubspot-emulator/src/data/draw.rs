//! Chance, reproducibly: one ChaCha8 stream per (seed, object type, record id). ChaCha8 is documented to give
//! the same numbers on every platform and in every version.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

#[derive(Debug, Clone)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of one record.
    pub(crate) fn of(seed: u64, object_type: u64, id: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&object_type.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(id);
        Self(rng)
    }

    /// A number below `bound` (which must not be 0 and is at most 2^32).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (u64::from(self.0.next_u32()) * bound) >> 32
    }

    /// A place in a list of `length` entries.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    pub(crate) fn pick<'l, T: ?Sized>(&mut self, list: &[&'l T]) -> &'l T {
        list[self.place(list.len())]
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low))
            .unwrap_or(0)
            .min(u64::from(u32::MAX) - 1)
            + 1;
        low + i64::try_from(self.below(span)).unwrap_or(0)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A well-mixed number from a few, for choices that must not depend on a stream.
pub(crate) fn mix(seed: u64, a: u64, b: u64) -> u64 {
    let mut x = seed ^ a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_draws_the_same_numbers_every_time() {
        let numbers = |id| -> Vec<u64> {
            let mut draw = Draw::of(42, 1, id);
            (0..5).map(|_| draw.below(1000)).collect()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn numbers_stay_between_their_bounds() {
        let mut draw = Draw::of(1, 2, 3);
        assert!(
            (0..1000)
                .map(|_| draw.between(-5, 5))
                .all(|number| (-5..=5).contains(&number))
        );
    }
}
