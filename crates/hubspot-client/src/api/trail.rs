//! Does a walk go in a circle? Told from a handful of places, however long the walk is.

use std::collections::VecDeque;

use crate::error::Error;

/// How many empty pages in a row are followed. Short and empty pages in the middle of a collection were seen in
/// production (airbytehq/airbyte, July 2026), thousands in a row were not.
const MAX_EMPTY: u32 = 250;

/// The cursors of one walk over a collection: ends walks that would never end by themselves.
#[derive(Debug)]
pub struct PageTrail {
    stream: String,
    trail: Trail,
    empty: u32,
}

impl PageTrail {
    /// Begins a walk. `stream` is what its errors call the collection.
    pub fn new(stream: impl Into<String>) -> Self {
        Self::from(stream, None)
    }

    /// Continues a walk from a cursor.
    pub(super) fn from(stream: impl Into<String>, after: Option<&str>) -> Self {
        Self {
            stream: stream.into(),
            trail: after.map(Trail::from).unwrap_or_default(),
            empty: 0,
        }
    }

    /// Goes from a page of so many results to the one that it calls the next.
    ///
    /// # Errors
    /// [`Error::RepeatedPage`] when the walk was there, [`Error::EmptyPages`] after 250 empty pages in a row.
    pub fn follow(&mut self, results: usize, next: &str) -> Result<(), Error> {
        if !self.trail.follow(next) {
            let (stream, after) = (self.stream.clone(), next.to_owned());
            return Err(Error::RepeatedPage { stream, after });
        }
        self.empty = if results == 0 { self.empty + 1 } else { 0 };
        if self.empty >= MAX_EMPTY {
            let (stream, pages) = (self.stream.clone(), self.empty);
            return Err(Error::EmptyPages { stream, pages });
        }
        Ok(())
    }

    /// Whether the walk was at a cursor.
    pub(super) fn holds(&self, next: &str) -> bool {
        self.trail.holds(next)
    }
}

/// A circle of at most this many pages is seen as soon as it closes.
const RECENT: usize = 8;

/// Where a walk has been: its last places, and one mark that is moved ahead at every doubling of the way.
///
/// The mark is Brent's: once it lies on the circle and the way between two moves is longer than the circle, the walk
/// meets it again. So every circle ends, after about three rounds at the latest, and none is ever suspected.
#[derive(Debug, Default)]
struct Trail {
    recent: VecDeque<String>,
    mark: Option<String>,
    steps: u64,
}

impl From<&str> for Trail {
    fn from(start: &str) -> Self {
        let mut trail = Self::default();
        trail.follow(start);
        trail
    }
}

impl Trail {
    /// Goes to the next place; `false` when it is known.
    fn follow(&mut self, place: &str) -> bool {
        if self.holds(place) {
            return false;
        }
        self.steps += 1;
        if self.steps.is_power_of_two() {
            self.mark = Some(place.to_owned());
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(place.to_owned());
        true
    }

    /// Whether a place is known.
    fn holds(&self, place: &str) -> bool {
        self.mark.as_deref() == Some(place) || self.recent.iter().any(|known| known == place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many places are followed on the way to a circle and around it.
    fn followed(way: u64, circle: u64) -> u64 {
        let mut trail = Trail::default();
        let place = |step: u64| {
            if step < way {
                step
            } else {
                way + (step - way) % circle
            }
        };
        let mut step = 0;
        while trail.follow(&place(step).to_string()) {
            step += 1;
        }
        step
    }

    #[test]
    fn a_short_circle_ends_when_it_closes() {
        for (way, circle) in [(0, 1), (1, 1), (5, 2), (1_000, 8)] {
            assert_eq!(followed(way, circle), way + circle, "{circle} pages after {way}");
        }
    }

    #[test]
    fn a_long_circle_ends_within_a_few_rounds() {
        for (way, circle) in [(0, 9), (3, 100), (1_000, 999), (10, 12_345)] {
            assert!(
                followed(way, circle) <= 3 * (way + circle),
                "{circle} pages after {way}"
            );
        }
    }

    #[test]
    fn empty_pages_are_followed_for_a_while_and_not_for_ever() {
        let mut trail = PageTrail::new("contacts");
        for page in 0..1_000 {
            // Every other hundred pages are empty.
            let results = usize::from(page / 100 % 2 == 0);
            trail.follow(results, &format!("a{page}")).unwrap();
        }
        let error = (0..1_000).find_map(|page| trail.follow(0, &format!("b{page}")).err());
        let error = error.expect("it gives up");
        assert!(matches!(&error, Error::EmptyPages { pages: 250, .. }), "{error}");
        assert!(error.to_string().contains("contacts"));
    }

    #[test]
    fn a_walk_that_goes_on_is_never_suspected_and_never_remembered_whole() {
        let mut trail = Trail::from("0");
        assert!((1..100_000).all(|place| trail.follow(&place.to_string())));
        assert_eq!(trail.recent.len(), RECENT);
    }
}
