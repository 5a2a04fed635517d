//! What was delivered: the set that decides create against update, finds what vanished, and tells a change from a
//! repetition.
//!
//! It is stored as notes beside the checkpoint (see [`opencdc::Note`]), so it is exactly as new as the copy: a record is
//! known when, and only when, the batch that carried it is durable. Whoever reads computes [`Edit`]s; they come into
//! force when their batch is handed out.

pub(crate) mod digest;
mod map;
mod pair;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use opencdc::{Error, ErrorKind, Note, Notes, Result, StreamName};
use pair::Numbered;

pub(crate) use map::{Key, Map};
pub(crate) use pair::{Category, Kind, Pair, all_of, digest as link_digest};

/// A change of what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Live records with their digests.
    Live(StreamName, Vec<(u64, Option<u32>)>),
    /// Records in the recycle bin with the day they went there, counted from 1970.
    Bin(StreamName, Vec<(u64, Option<u32>)>),
    /// Associations with the digests of their label.
    Pairs(StreamName, Vec<(Pair, Option<u32>)>),
    /// Known records that the walk over all records has passed and not shown so far.
    Unseen(StreamName, Vec<(u64, Option<u32>)>),
    /// Records of the recycle bin that the walk over it has passed and not shown so far.
    UnseenBin(StreamName, Vec<(u64, Option<u32>)>),
    /// Records that are gone, nobody knows why: [`LOST`], or [`LOST_BEFORE_WALK`].
    Lost(StreamName, Vec<(u64, Option<u32>)>),
    /// Records that were delivered without a name or an address: [`ANONYMOUS`].
    Anonymous(StreamName, Vec<(u64, Option<u32>)>),
    /// Records that were erased: [`ERASED`].
    Erased(StreamName, Vec<(u64, Option<u32>)>),
    /// Rows of a table that is read whole, by key.
    Rows(StreamName, Vec<(String, Option<u32>)>),
}

/// No walk over the recycle bin has begun since.
pub(crate) const LOST: u32 = 0;
/// The walk over the recycle bin that is under way began afterwards: if it does not show the record either, that was erased.
pub(crate) const LOST_BEFORE_WALK: u32 = 1;
/// An empty identity in the recycle bin does not prove that it was erased: it was empty before.
pub(crate) const ANONYMOUS: u32 = 0;
/// Nothing of it may stay in a copy.
pub(crate) const ERASED: u32 = 0;

/// What is known of one stream.
#[derive(Debug, Default)]
pub(crate) struct OfStream {
    pub(crate) live: Map<u64>,
    pub(crate) bin: Map<u64>,
    pub(crate) pairs: Map<Pair>,
    pub(crate) unseen: Map<u64>,
    pub(crate) unseen_bin: Map<u64>,
    pub(crate) lost: Map<u64>,
    pub(crate) anonymous: Map<u64>,
    pub(crate) erased: Map<u64>,
    pub(crate) rows: BTreeMap<String, u32>,
    /// Associations as an older release noted them, and the notes that they came from.
    numbered: Map<Numbered>,
    outdated: Vec<Arc<str>>,
    rows_changed: bool,
}

/// What is known of all streams.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<StreamName, OfStream>);

/// The same, shared by the parts of a read.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedKnown(Arc<Mutex<Known>>);

impl SharedKnown {
    pub(crate) fn new(known: Known) -> Self {
        Self(Arc::new(Mutex::new(known)))
    }

    /// Never held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// From what was stored.
    ///
    /// # Errors
    /// [`ErrorKind::Incompatible`] when a note is damaged or of a newer version.
    pub(crate) fn restore(notes: &Notes) -> Result<Self> {
        let mut known = Self::default();
        for (key, value) in notes {
            known.restore_one(key, value).ok_or_else(|| damaged(key))?;
        }
        known.0.values_mut().for_each(OfStream::bring_over);
        Ok(known)
    }

    fn restore_one(&mut self, key: &Arc<str>, value: &Bytes) -> Option<()> {
        let (stream, rest) = key.split_once('/')?;
        let of = self.0.entry(stream.into()).or_default();
        match rest.split_once('/') {
            Some(("live", fence)) => of.live.restore(u64::of_name(fence)?, value.clone()),
            Some(("bin", fence)) => of.bin.restore(u64::of_name(fence)?, value.clone()),
            Some(("unseen", fence)) => of.unseen.restore(u64::of_name(fence)?, value.clone()),
            Some(("unseen-bin", fence)) => of.unseen_bin.restore(u64::of_name(fence)?, value.clone()),
            Some(("lost", fence)) => of.lost.restore(u64::of_name(fence)?, value.clone()),
            Some(("anonymous", fence)) => of.anonymous.restore(u64::of_name(fence)?, value.clone()),
            Some(("erased", fence)) => of.erased.restore(u64::of_name(fence)?, value.clone()),
            Some(("links", fence)) => of.pairs.restore(Pair::of_name(fence)?, value.clone()),
            Some(("pairs", fence)) => {
                of.outdated.push(Arc::clone(key));
                of.numbered.restore(Numbered::of_name(fence)?, value.clone())
            }
            None if rest == "rows" => {
                of.rows = serde_json::from_slice(value).ok()?;
                Some(())
            }
            _ => None,
        }
    }

    /// What is known of `stream`.
    pub(crate) fn of(&mut self, stream: &StreamName) -> &mut OfStream {
        if !self.0.contains_key(stream) {
            self.0.insert(stream.clone(), OfStream::default());
        }
        self.0.get_mut(stream).expect("it was just made")
    }

    /// Makes a change of which nothing is stored yet: [`notes`](Self::notes) gives that.
    pub(crate) fn learn(&mut self, edit: Edit) {
        let stream = edit.stream().clone();
        self.of(&stream).apply(edit);
    }

    /// The notes that store what was learned.
    pub(crate) fn notes(&mut self) -> Vec<Note> {
        let all = self.0.iter_mut();
        all.flat_map(|(stream, of)| of.take_notes(stream)).collect()
    }

    /// Makes the changes and gives the notes that store them.
    pub(crate) fn apply(&mut self, edits: Vec<Edit>) -> Vec<Note> {
        let outdated = self.0.iter().filter(|(_, of)| !of.outdated.is_empty());
        let mut streams: Vec<_> = outdated.map(|(stream, _)| stream.clone()).collect();
        for edit in edits {
            let stream = edit.stream().clone();
            self.of(&stream).apply(edit);
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        }
        streams
            .iter()
            .flat_map(|stream| self.of(stream).take_notes(stream))
            .collect()
    }
}

impl Edit {
    fn stream(&self) -> &StreamName {
        match self {
            Self::Live(stream, _)
            | Self::Bin(stream, _)
            | Self::Pairs(stream, _)
            | Self::Unseen(stream, _)
            | Self::UnseenBin(stream, _)
            | Self::Lost(stream, _)
            | Self::Anonymous(stream, _)
            | Self::Erased(stream, _)
            | Self::Rows(stream, _) => stream,
        }
    }
}

impl OfStream {
    fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::Live(_, edits) => {
                self.find(&edits);
                self.live.apply(edits);
            }
            Edit::Unseen(_, edits) => self.unseen.apply(edits),
            Edit::UnseenBin(_, edits) => self.unseen_bin.apply(edits),
            Edit::Lost(_, edits) => self.lost.apply(edits),
            Edit::Anonymous(_, edits) => self.anonymous.apply(edits),
            Edit::Erased(_, edits) => {
                take_out(&mut self.bin, &edits);
                take_out(&mut self.anonymous, &edits);
                self.erased.apply(edits);
            }
            Edit::Bin(_, edits) => self.bin.apply(edits),
            Edit::Pairs(_, edits) => self.pairs.apply(edits),
            Edit::Rows(_, edits) => {
                self.rows_changed |= !edits.is_empty();
                for (key, digest) in edits {
                    match digest {
                        Some(digest) => self.rows.insert(key, digest),
                        None => self.rows.remove(&key),
                    };
                }
            }
        }
    }

    /// Makes associations of those that an older release noted.
    fn bring_over(&mut self) {
        let numbered = std::mem::take(&mut self.numbered);
        self.pairs
            .apply(numbered.iter().map(pair::with_category).collect());
    }

    /// What lives is neither lost nor erased.
    fn find(&mut self, edits: &[(u64, Option<u32>)]) {
        let alive: Vec<_> = edits
            .iter()
            .copied()
            .filter(|(_, digest)| digest.is_some())
            .collect();
        take_out(&mut self.lost, &alive);
        take_out(&mut self.erased, &alive);
    }

    fn take_notes(&mut self, stream: &StreamName) -> Vec<Note> {
        let outdated = std::mem::take(&mut self.outdated);
        let mut notes: Vec<_> = outdated.into_iter().map(Note::forget).collect();
        notes.extend(chunk_notes(stream, "live", &mut self.live));
        notes.extend(chunk_notes(stream, "bin", &mut self.bin));
        notes.extend(chunk_notes(stream, "links", &mut self.pairs));
        notes.extend(chunk_notes(stream, "unseen", &mut self.unseen));
        notes.extend(chunk_notes(stream, "unseen-bin", &mut self.unseen_bin));
        notes.extend(chunk_notes(stream, "lost", &mut self.lost));
        notes.extend(chunk_notes(stream, "anonymous", &mut self.anonymous));
        notes.extend(chunk_notes(stream, "erased", &mut self.erased));
        if std::mem::take(&mut self.rows_changed) {
            let rows = serde_json::to_vec(&self.rows).expect("a map with text keys is always serialisable");
            notes.push(Note {
                key: format!("{stream}/rows").into(),
                value: (!self.rows.is_empty()).then(|| rows.into()),
            });
        }
        notes
    }
}

/// Removes what is there of these; removing what is not would write its chunk again.
fn take_out(map: &mut Map<u64>, edits: &[(u64, Option<u32>)]) {
    if map.len() == 0 {
        return;
    }
    let there = edits.iter().filter(|(id, _)| map.get(*id).is_some());
    let there = there.map(|(id, _)| (*id, None)).collect();
    map.apply(there);
}

fn chunk_notes<K: Key>(stream: &StreamName, what: &str, map: &mut Map<K>) -> Vec<Note> {
    let note = |(fence, value): (K, Option<Bytes>)| Note {
        key: format!("{stream}/{what}/{}", fence.name()).into(),
        value,
    };
    map.take_changed().into_iter().map(note).collect()
}

fn damaged(key: &str) -> Error {
    let message = format!("what was noted beside the checkpoint under `{key}` cannot be read");
    Error::new(ErrorKind::Incompatible, message).with_hint(
        "reset the stream's state to read it from the start, or run the newer program that made it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(notes: Vec<Note>, stored: &mut Notes) {
        for note in notes {
            match note.value {
                Some(value) => stored.insert(note.key, value),
                None => stored.remove(&note.key),
            };
        }
    }

    fn hubspots(number: u64) -> Kind {
        let category = Category::of("HUBSPOT_DEFINED");
        Kind { number, category }
    }

    #[test]
    fn what_is_noted_is_enough_to_know_it_again() {
        let (mut known, mut stored) = (Known::default(), Notes::new());
        let contacts = StreamName::from("contacts");
        let edits = vec![
            Edit::Live(
                contacts.clone(),
                (0..3_000).map(|id| (id * 11, Some(7))).collect(),
            ),
            Edit::Bin(contacts.clone(), vec![(5, Some(20_000))]),
            Edit::Pairs(
                "contacts_companies".into(),
                vec![((11, 3, hubspots(279)), Some(1))],
            ),
            Edit::Rows("owners".into(), vec![("{\"id\":\"1\"}".into(), Some(2))]),
        ];
        store(known.apply(edits), &mut stored);
        let few = known.apply(vec![Edit::Live(
            contacts.clone(),
            vec![(22, None), (33, Some(8))],
        )]);
        assert_eq!(few.len(), 1, "one chunk");
        store(few, &mut stored);

        let mut again = Known::restore(&stored).unwrap();
        assert_eq!(again.of(&contacts).live.len(), 2_999);
        assert_eq!(
            again.of(&contacts).live.get_many([11, 22, 33]),
            [Some(7), None, Some(8)]
        );
        assert_eq!(again.of(&contacts).bin.get(5), Some(20_000));
        assert_eq!(
            again
                .of(&"contacts_companies".into())
                .pairs
                .get((11, 3, hubspots(279))),
            Some(1)
        );
        assert_eq!(again.of(&"owners".into()).rows.len(), 1);
    }

    /// The shapes of notes as they were released: never edited, only added to (invariant 2).
    fn golden() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            (
                "contacts/live/0000000000000000",
                vec![5, 7, 0xff, 0x0e, 0xab, 0x02],
            ),
            ("contacts/bin/0000000000000000", vec![9, 0xa0, 0x9c, 0x01]),
            (
                "contacts_companies/links/000000000000000000000000000000000000000000000000",
                vec![5, 3, 0x97, 0x02, 1, 1, 0, 0, 1, 1, 0],
            ),
            ("owners/rows", br#"{"{\"id\":\"1\"}":2}"#.to_vec()),
        ]
    }

    /// As releases up to 0.1 wrote associations: without the category of their type.
    const GOLDEN_PAIRS: (&str, &[u8]) = (
        "contacts_companies/pairs/000000000000000000000000000000000000000000000000",
        &[5, 3, 0x97, 0x02, 1, 0, 0, 1, 0],
    );

    /// Notes that came later.
    fn golden_of_walks() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("contacts/unseen/0000000000000000", vec![5, 0, 2, 0]),
            ("contacts/unseen-bin/0000000000000000", vec![9, 0]),
            ("contacts/lost/0000000000000000", vec![5, 0, 2, 1]),
            ("contacts/anonymous/0000000000000000", vec![11, 0]),
            ("contacts/erased/0000000000000000", vec![13, 0]),
        ]
    }

    #[test]
    fn every_note_of_a_walk_is_still_read_and_written() {
        let edits = vec![
            Edit::Unseen("contacts".into(), vec![(5, Some(0)), (7, Some(0))]),
            Edit::UnseenBin("contacts".into(), vec![(9, Some(0))]),
            Edit::Lost(
                "contacts".into(),
                vec![(5, Some(LOST)), (7, Some(LOST_BEFORE_WALK))],
            ),
            Edit::Anonymous("contacts".into(), vec![(11, Some(ANONYMOUS))]),
            Edit::Erased("contacts".into(), vec![(13, Some(ERASED))]),
        ];
        let notes = Known::default().apply(edits.clone());
        let written: Vec<_> = notes
            .iter()
            .map(|note| (&*note.key, note.value.as_deref().unwrap().to_vec()))
            .collect();
        assert_eq!(written, golden_of_walks());
        let stored = golden_of_walks()
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let mut read = Known::restore(&stored).unwrap();
        assert_eq!(read.of(&"contacts".into()).lost.get(7), Some(LOST_BEFORE_WALK));
        assert_eq!(read.apply(edits), notes, "the same edits again write the same");
    }

    #[test]
    fn what_is_gone_from_a_table_is_known_no_more_and_its_note_goes_with_the_last_row() {
        let (mut known, mut stored) = (Known::default(), Notes::new());
        let row = |key: &str, digest| Edit::Rows("owners".into(), vec![(key.to_owned(), digest)]);
        store(
            known.apply(vec![row("1", Some(2)), row("2", Some(3))]),
            &mut stored,
        );
        store(known.apply(vec![row("1", None)]), &mut stored);
        assert_eq!(
            Known::restore(&stored).unwrap().of(&"owners".into()).rows,
            [("2".into(), 3)].into()
        );
        store(known.apply(vec![row("2", None)]), &mut stored);
        assert_eq!(known.of(&"owners".into()).rows.len(), 0);
        assert_eq!(stored, Notes::new());
    }

    #[test]
    fn every_kind_of_note_is_gone_when_what_it_holds_is() {
        let (mut known, mut stored) = (Known::default(), Notes::new());
        let edits = |value: Option<u32>| {
            let ids: Vec<_> = (0..2_000).map(|id| (id, value)).collect();
            let name = || StreamName::from("contacts");
            vec![
                Edit::Live(name(), ids.clone()),
                Edit::Bin(name(), ids.clone()),
                Edit::Unseen(name(), ids.clone()),
                Edit::UnseenBin(name(), ids.clone()),
                Edit::Lost(name(), ids.clone()),
                // What is erased is nowhere else.
                Edit::Erased("companies".into(), ids.clone()),
                Edit::Anonymous(name(), ids.clone()),
                Edit::Pairs(
                    name(),
                    ids.iter()
                        .map(|(id, value)| {
                            (
                                (
                                    *id,
                                    3,
                                    Kind {
                                        number: 279,
                                        category: Category::of("HUBSPOT_DEFINED"),
                                    },
                                ),
                                *value,
                            )
                        })
                        .collect(),
                ),
                Edit::Rows(
                    name(),
                    ids.iter().map(|(id, value)| (id.to_string(), *value)).collect(),
                ),
            ]
        };
        store(known.apply(edits(Some(1))), &mut stored);
        assert!(stored.len() > 6 * 3, "the case is there");
        store(known.apply(edits(None)), &mut stored);
        assert_eq!(stored, Notes::new());
    }

    #[test]
    fn what_lives_is_not_lost() {
        let mut known = Known::default();
        let name = || StreamName::from("contacts");
        known.apply(vec![Edit::Lost(name(), vec![(5, Some(LOST)), (6, Some(LOST))])]);
        known.apply(vec![Edit::Live(name(), vec![(5, Some(1)), (6, None)])]);
        let lost: Vec<_> = known.of(&name()).lost.iter().collect();
        assert_eq!(lost, [(6, LOST)]);
    }

    #[test]
    fn every_released_shape_of_a_note_is_still_read_and_written() {
        let edits = vec![
            Edit::Live("contacts".into(), vec![(5, Some(7)), (1_924, Some(300))]),
            Edit::Bin("contacts".into(), vec![(9, Some(20_000))]),
            Edit::Pairs(
                "contacts_companies".into(),
                vec![((5, 3, hubspots(279)), Some(1)), ((5, 3, hubspots(280)), Some(1))],
            ),
            Edit::Rows("owners".into(), vec![("{\"id\":\"1\"}".into(), Some(2))]),
        ];
        let notes = Known::default().apply(edits.clone());
        let written: Vec<_> = notes
            .iter()
            .map(|note| (&*note.key, note.value.as_deref().unwrap().to_vec()))
            .collect();
        assert_eq!(written, golden());
        let stored = golden()
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let mut read = Known::restore(&stored).unwrap();
        assert_eq!(
            read.of(&"contacts".into()).live.get_many([5, 1_924]),
            [Some(7), Some(300)]
        );
        assert_eq!(read.apply(edits), notes, "the same edits again write the same");
    }

    #[test]
    fn associations_noted_without_a_category_are_brought_over_and_their_notes_replaced() {
        let (key, value) = GOLDEN_PAIRS;
        let stored = Notes::from([(key.into(), Bytes::from_static(value))]);
        let mut read = Known::restore(&stored).unwrap();
        let pairs: Vec<_> = read.of(&"contacts_companies".into()).pairs.iter().collect();
        let unknown = |number| hubspots(number).uncategorised();
        assert_eq!(pairs, [((5, 3, unknown(279)), 1), ((5, 3, unknown(280)), 1)]);
        let notes = read.apply(Vec::new());
        let keys: Vec<_> = notes
            .iter()
            .map(|note| (&*note.key, note.value.is_some()))
            .collect();
        assert_eq!(
            keys,
            [
                (key, false),
                (
                    "contacts_companies/links/000000000000000000000000000000000000000000000000",
                    true
                )
            ]
        );
        assert_eq!(read.apply(Vec::new()), [], "once is enough");
    }

    #[test]
    fn hubspots_unlabelled_type_is_known_again_by_its_digest() {
        let kind = serde_json::json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null});
        let digest = link_digest(&serde_json::from_value(kind).unwrap());
        let ((_, _, kind), _) = pair::with_category(((5, 3, 279), digest));
        assert_eq!(kind, hubspots(279));
    }

    #[test]
    fn a_note_of_another_kind_is_refused_by_name() {
        let notes = Notes::from([("contacts/dead/7".into(), Bytes::new())]);
        let error = Known::restore(&notes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        assert!(error.to_string().contains("contacts/dead/7"));
    }
}
