//! Order per key (invariant 4): which writes must wait for which.
//!
//! Two records are about the same thing when they share a key of the source, an id in HubSpot or a unique value. Calls
//! run side by side, but those about the same thing one after the other, in the order in which they came: within one
//! batch by *waves*, between batches by waiting for the earlier ones.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opencdc::{Error, ErrorKind, Result};
use tokio::sync::watch;
use xxhash_rust::xxh3::Xxh3;

/// Something that two records may share. Two that are different share one by chance so rarely that waiting then does
/// no harm.
pub(crate) type Token = u64;

/// The token of a name of some kind, in one object type.
pub(crate) fn token(kind: &str, object: &str, name: &str) -> Token {
    let mut hasher = Xxh3::new();
    (kind, object, name).hash(&mut hasher);
    hasher.finish()
}

/// The wave of each record: those of one wave share nothing, and a record comes after every earlier one that it shares
/// something with.
pub(crate) fn waves(records: &[Vec<Token>]) -> Vec<usize> {
    let mut next: HashMap<Token, usize> = HashMap::new();
    let mut wave_of = |tokens: &Vec<Token>| {
        let wave = tokens.iter().filter_map(|token| next.get(token)).max().copied();
        let wave = wave.unwrap_or_default();
        for token in tokens {
            next.insert(*token, wave + 1);
        }
        wave
    };
    records.iter().map(&mut wave_of).collect()
}

/// The batches under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    entered: u64,
    under_way: Vec<Batch>,
    /// The number of the first batch that failed: none after it may be written, or it would be overtaken.
    failed: Option<u64>,
}

#[derive(Debug)]
struct Batch {
    number: u64,
    tokens: HashSet<Token>,
    /// Closed when the batch is over.
    over: watch::Receiver<()>,
}

/// A batch's place. Dropping it lets those behind it go on.
#[derive(Debug)]
pub(crate) struct Place {
    lanes: Lanes,
    number: u64,
    /// Those before it that it shares something with.
    before: Vec<watch::Receiver<()>>,
    _over: watch::Sender<()>,
}

impl Lanes {
    /// Takes a place behind every batch under way. Nothing is awaited: the place is taken when this is called.
    pub(crate) fn enter(&self, tokens: HashSet<Token>) -> Place {
        let (sender, over) = watch::channel(());
        let mut state = self.state();
        let shares = |batch: &&Batch| !batch.tokens.is_disjoint(&tokens);
        let before = state
            .under_way
            .iter()
            .filter(shares)
            .map(|batch| batch.over.clone())
            .collect();
        state.entered += 1;
        let number = state.entered;
        state.under_way.push(Batch { number, tokens, over });
        Place {
            lanes: self.clone(),
            number,
            before,
            _over: sender,
        }
    }

    /// Something else has failed: no batch may be written until this is [mended](Lanes::mend).
    pub(crate) fn fail(&self) {
        self.state().failed = Some(0);
    }

    /// Begins anew: what failed will be written again.
    pub(crate) fn mend(&self) {
        self.state().failed = None;
    }

    /// The lock is held for a few statements that cannot panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the batches before it that it shares something with are over.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when an earlier batch has failed: this one must not overtake it.
    pub(crate) async fn turn(&mut self) -> Result<()> {
        for mut over in self.before.drain(..) {
            // Nothing is ever sent: this ends when the sender is dropped with its batch's place.
            while over.changed().await.is_ok() {}
        }
        match self.lanes.state().failed {
            Some(failed) if failed < self.number => {
                let message = "an earlier batch was not written, so this one is not either";
                Err(Error::new(ErrorKind::Unreachable, message))
            }
            _ => Ok(()),
        }
    }

    /// The batch was not written: none that came later may be, until this is [mended](Lanes::mend).
    pub(crate) fn fail(self) {
        let failed = &mut self.lanes.state().failed;
        *failed = Some(failed.map_or(self.number, |before| before.min(self.number)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let number = self.number;
        self.lanes
            .state()
            .under_way
            .retain(|batch| batch.number != number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_record_comes_after_every_earlier_one_that_it_shares_something_with() {
        let records = [vec![1], vec![2], vec![1, 3], vec![3], vec![4], vec![2, 3]];
        assert_eq!(waves(&records), [0, 0, 1, 2, 0, 3]);
        assert_eq!(
            waves(&[vec![], vec![]]),
            [0, 0],
            "what shares nothing waits for nothing"
        );
    }

    #[test]
    fn a_token_is_of_a_kind_and_a_type() {
        assert_eq!(token("key", "contacts", "7"), token("key", "contacts", "7"));
        assert_ne!(token("key", "contacts", "7"), token("id", "contacts", "7"));
        assert_ne!(token("key", "contacts", "7"), token("key", "companies", "7"));
    }

    #[tokio::test]
    async fn a_batch_waits_for_the_earlier_ones_that_it_shares_something_with() {
        let lanes = Lanes::default();
        let set = |tokens: &[Token]| tokens.iter().copied().collect();
        let first = lanes.enter(set(&[1]));
        let mut other = lanes.enter(set(&[2]));
        let mut second = lanes.enter(set(&[1, 2]));
        assert!(other.turn().now_or_never().is_some(), "nothing is shared");
        assert!(second.turn().now_or_never().is_none());
        drop(first);
        // The first wait was given up half-way, as a dropped write gives up; a new place waits for what is left.
        let mut third = lanes.enter(set(&[2]));
        assert!(
            third.turn().now_or_never().is_none(),
            "`other` is still under way"
        );
        drop((other, second));
        let mut last = lanes.enter(set(&[2]));
        assert!(last.turn().now_or_never().is_none(), "`third` is still under way");
        drop(third);
        assert!(lanes.enter(set(&[1])).turn().now_or_never().is_some());
    }

    #[tokio::test]
    async fn nothing_that_came_later_overtakes_a_batch_that_failed() {
        let lanes = Lanes::default();
        let mut earlier = lanes.enter(HashSet::from([1]));
        let failing = lanes.enter(HashSet::from([2]));
        let mut later = lanes.enter(HashSet::from([3]));
        failing.fail();
        assert!(earlier.turn().await.is_ok());
        assert!(later.turn().await.is_err(), "whatever it shares");
        assert!(lanes.enter(HashSet::new()).turn().await.is_err());
        lanes.mend();
        assert!(lanes.enter(HashSet::new()).turn().await.is_ok());
    }
}
