//! From what HubSpot has to what is to be delivered: the difference to what is known. Pure.

use std::collections::BTreeSet;

use hubspot_client::RawObject;
use jiff::Timestamp;
use opencdc::{Operation, Record};

use super::reader::Links;
use crate::known::digest::{self, Compared};
use crate::known::{ANONYMOUS, ERASED, Edit, Kind, OfStream, Pair, all_of, link_digest};
use crate::position::Adopt;
use crate::record::{Facts, LinkRows};

/// What is to be delivered, and what is known once it is.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) records: Vec<Record>,
    pub(super) edits: Vec<Edit>,
    /// Records that were delivered, by id.
    pub(super) changed: Vec<String>,
    /// Those among them that were not known.
    pub(super) created: Vec<String>,
}

impl Difference {
    /// Nothing to deliver, and nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.edits.is_empty()
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.records.extend(other.records);
        self.edits.extend(other.edits);
        self.changed.extend(other.changed);
        self.created.extend(other.created);
    }
}

/// Which records are delivered although nothing about them is new, or not although it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rule<'a> {
    /// Everything is delivered as a snapshot.
    pub(super) snapshot: bool,
    /// Records that somebody else has delivered are only taken note of.
    pub(super) adopt: Option<&'a Adopt>,
    /// Records that have not changed since are left out.
    pub(super) updated_after: Option<Timestamp>,
    /// The properties that say who a record is about, as far as they are read.
    pub(super) identity: &'a [&'static str],
}

/// Ids are decimal numbers (hubspot-api notes §1.2). One that is not is delivered each time it is seen and never found
/// to be gone.
pub(super) fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

/// The records among `objects` that are new or differ.
pub(super) fn records(objects: &[RawObject], known: &OfStream, facts: &Facts, rule: Rule<'_>) -> Difference {
    let mut ids: Vec<_> = objects.iter().filter_map(|object| number(object.id())).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut digests = known.live.get_many(ids.iter().copied());
    let mut seen = vec![false; ids.len()];
    let is_noted = |id| known.anonymous.get(id).is_some();
    let mut chosen = Vec::new();
    let mut edits = Vec::new();
    let mut anonymous = Vec::new();
    let mut difference = Difference::default();
    for object in objects {
        let id = number(object.id());
        let place = id.and_then(|id| ids.binary_search(&id).ok());
        let before = place.and_then(|place| digests[place]);
        if before.is_none() && is_too_old(object, rule.updated_after) {
            continue;
        }
        let looked = digest::look(object.properties().map(AsRef::as_ref), rule.identity);
        let digest = looked.digest;
        let is_anonymous = !rule.identity.is_empty() && looked.has_value != Some(true);
        let unnoted = id.filter(|id| is_anonymous != is_noted(*id));
        anonymous.extend(unnoted.map(|id| (id, is_anonymous.then_some(ANONYMOUS))));
        let compared = before.map(|before| digest.compare(before));
        // A page may show a record twice, as it is or as it was.
        let is_repeated = place.is_some_and(|place| std::mem::replace(&mut seen[place], true));
        if is_repeated && compared == Some(Compared::Same) {
            continue;
        }
        if let Some(place) = place {
            digests[place] = Some(digest.value);
        }
        if !rule.snapshot && compared == Some(Compared::Same) {
            continue;
        }
        edits.extend(id.map(|id| (id, Some(digest.value))));
        if !rule.snapshot && compared == Some(Compared::SameText) {
            continue;
        }
        if rule.adopt.is_some_and(|adopt| is_adopted(object, id, adopt)) {
            continue;
        }
        let operation = match (rule.snapshot, before) {
            (true, _) => Operation::Snapshot,
            (false, None) => Operation::Create,
            (false, Some(_)) => Operation::Update,
        };
        if before.is_none() {
            difference.created.push(object.id().to_owned());
        }
        difference.changed.push(object.id().to_owned());
        chosen.push((operation, object));
    }
    difference.records = facts.read_now().records(&chosen);
    if !edits.is_empty() {
        difference.edits.push(Edit::Live(facts.stream().clone(), edits));
    }
    let anonymous = edit(anonymous, |ids| Edit::Anonymous(facts.stream().clone(), ids));
    difference.edits.extend(anonymous);
    difference
}

fn updated(object: &RawObject) -> Option<Timestamp> {
    object.updated_at()?.parse().ok()
}

/// Without a time it is taken for new.
fn is_too_old(object: &RawObject, updated_after: Option<Timestamp>) -> bool {
    match (updated_after, updated(object)) {
        (Some(limit), Some(updated)) => updated < limit,
        _ => false,
    }
}

fn is_adopted(object: &RawObject, id: Option<u64>, adopt: &Adopt) -> bool {
    let unchanged = updated(object).is_some_and(|updated| updated < adopt.unchanged_since);
    let passed = adopt
        .through_id
        .is_none_or(|through| id.is_some_and(|id| id <= through));
    unchanged && passed
}

/// The associations that are new, relabelled or gone, of the records whose lists are in `links`.
pub(super) fn links(links: &Links, known: &OfStream, facts: &Facts, operation: Operation) -> Difference {
    let mut froms: Vec<_> = links.keys().filter_map(|id| number(id)).collect();
    froms.sort_unstable();
    let before: Vec<(Pair, u32)> = known.pairs.ranges(froms.iter().copied().map(all_of));
    let known = |key: Pair| {
        let place = before.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Some(before[place].1)
    };
    let mut rows = LinkRows::default();
    let mut edits = Vec::new();
    let mut there = BTreeSet::new();
    for (from, list) in links {
        for (to, kind) in list {
            let label = link_digest(kind);
            let key = number(from)
                .zip(number(to))
                .map(|(from, to)| (from, to, Kind::from(kind)));
            // A list may name an association twice.
            if key.is_some_and(|key| !there.insert(key)) {
                continue;
            }
            let old = key.and_then(known);
            // The digest covers the category, so the row of an older release is known to be this one.
            let is_there =
                key.is_some_and(|(from, to, kind)| known((from, to, kind.uncategorised())) == Some(label));
            if old != Some(label) {
                edits.extend(key.map(|key| (key, Some(label))));
            }
            if old != Some(label) && !is_there {
                rows.push(
                    if old.is_some() {
                        Operation::Update
                    } else {
                        operation
                    },
                    from,
                    to,
                    kind,
                );
            }
        }
    }
    for (key, _) in before.iter().filter(|(key, _)| !there.contains(key)) {
        edits.push((*key, None));
        let (from, to, kind) = *key;
        let possible = kind.possible().map(|kind| (from, to, kind));
        possible
            .filter(|key| !there.contains(key))
            .for_each(|key| rows.push_delete(key));
    }
    let mut difference = Difference {
        records: rows.records(&facts.read_now()),
        ..Difference::default()
    };
    if !edits.is_empty() {
        difference.edits.push(Edit::Pairs(facts.stream().clone(), edits));
    }
    difference
}

/// The associations that go with records that are gone: on their own side, or on the other.
pub(super) fn unlink(gone: &BTreeSet<u64>, own_side: bool, known: &OfStream, facts: &Facts) -> Difference {
    let keys: Vec<Pair> = if own_side {
        known
            .pairs
            .ranges(gone.iter().copied().map(all_of))
            .into_iter()
            .map(|(key, _)| key)
            .collect()
    } else {
        let all = known.pairs.iter().map(|(key, _)| key);
        all.filter(|(_, to, _)| gone.contains(to)).collect()
    };
    if keys.is_empty() {
        return Difference::default();
    }
    let mut rows = LinkRows::default();
    for (from, to, kind) in &keys {
        kind.possible()
            .for_each(|kind| rows.push_delete((*from, *to, kind)));
    }
    let edits = keys.into_iter().map(|key| (key, None)).collect();
    Difference {
        records: rows.records(&facts.read_now()),
        edits: vec![Edit::Pairs(facts.stream().clone(), edits)],
        ..Difference::default()
    }
}

/// Why a record is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// In the recycle bin since then.
    Archived(Option<String>),
    /// Merged into that one.
    Merged(String),
    /// HubSpot shows it nowhere. It may have been erased; until that is proven its values are kept.
    Lost,
    /// Erased.
    Purged,
}

/// Deletes of records that are gone.
pub(super) fn deletes(gone: &[(u64, Fate)], facts: &Facts) -> Difference {
    if gone.is_empty() {
        return Difference::default();
    }
    let edits = gone.iter().map(|(id, _)| (*id, None)).collect();
    let archived = gone.iter().filter_map(|(id, fate)| match fate {
        Fate::Archived(at) => Some((*id, Some(day(at.as_deref())))),
        Fate::Merged(_) | Fate::Lost | Fate::Purged => None,
    });
    let archived: Vec<_> = archived.collect();
    let stream = || facts.stream().clone();
    let mut all = vec![Edit::Live(stream(), edits)];
    all.extend(edit(archived, |ids| Edit::Bin(stream(), ids)));
    let purged = gone.iter().filter(|(_, fate)| *fate == Fate::Purged);
    let purged: Vec<_> = purged.map(|(id, _)| (*id, Some(ERASED))).collect();
    all.extend(edit(purged, |ids| Edit::Erased(stream(), ids)));
    let facts = facts.read_now();
    Difference {
        records: gone
            .iter()
            .map(|(id, fate)| facts.delete(&id.to_string(), fate.reason()))
            .collect(),
        edits: all,
        ..Difference::default()
    }
}

impl Fate {
    fn reason(&self) -> crate::record::Gone<'_> {
        use crate::record::Gone;
        match self {
            Self::Archived(at) => Gone::Archived { at: at.as_deref() },
            Self::Merged(into) => Gone::Merged { into },
            Self::Lost => Gone::Lost,
            Self::Purged => Gone::Purged,
        }
    }
}

const SECONDS_A_DAY: i64 = 86_400;

/// The day of a time, counted from 1970; 0 when there is none.
pub(super) fn day(at: Option<&str>) -> u32 {
    let at = at.and_then(|at| at.parse::<Timestamp>().ok());
    at.map_or(0, day_of)
}

pub(super) fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.as_second() / SECONDS_A_DAY).unwrap_or(0)
}

/// The edit of these entries, if there are any.
pub(super) fn edit<T>(entries: Vec<T>, make: impl FnOnce(Vec<T>) -> Edit) -> Option<Edit> {
    (!entries.is_empty()).then(|| make(entries))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STREAM: &str = "contacts";

    fn facts() -> Facts {
        Facts::new(STREAM.into(), &"4711".into(), None)
    }

    fn object(id: u64, city: &str, updated: &str) -> RawObject {
        let json = json!({"id": id.to_string(), "properties": {"city": city}, "updatedAt": updated});
        RawObject::parse(&json.to_string().into()).unwrap()
    }

    fn known(objects: &[RawObject]) -> OfStream {
        let mut known = OfStream::default();
        let digest = |object: &RawObject| {
            digest::look(object.properties().map(AsRef::as_ref), &[])
                .digest
                .value
        };
        let entries = objects
            .iter()
            .map(|object| (number(object.id()).unwrap(), Some(digest(object))));
        known.live.apply(entries.collect());
        known
    }

    fn operations(difference: &Difference) -> Vec<Operation> {
        difference.records.iter().map(|record| record.operation).collect()
    }

    const BEFORE: &str = "2026-01-01T00:00:00Z";
    const LIMIT: &str = "2026-02-01T00:00:00Z";

    #[test]
    fn a_record_is_new_changed_or_the_same() {
        let before = [object(1, "Ulm", BEFORE), object(2, "Ulm", BEFORE)];
        let now = [
            object(1, "Ulm", LIMIT),
            object(2, "Bonn", BEFORE),
            object(3, "Ulm", BEFORE),
        ];
        let difference = records(&now, &known(&before), &facts(), Rule::default());
        assert_eq!(operations(&difference), [Operation::Update, Operation::Create]);
        assert_eq!(
            (difference.changed, difference.created),
            (vec!["2".into(), "3".into()], vec!["3".into()])
        );
        let whole = Rule {
            snapshot: true,
            ..Rule::default()
        };
        let difference = records(&now, &known(&before), &facts(), whole);
        assert_eq!(operations(&difference), [Operation::Snapshot; 3]);
    }

    #[test]
    fn what_was_adopted_is_what_changed_before_the_limit_and_not_at_it() {
        let adopt = Adopt {
            unchanged_since: LIMIT.parse().unwrap(),
            through_id: Some(7),
        };
        let rule = Rule {
            snapshot: true,
            adopt: Some(&adopt),
            ..Rule::default()
        };
        let now = [
            object(6, "Ulm", BEFORE),
            object(7, "Ulm", LIMIT),
            object(8, "Ulm", BEFORE),
        ];
        let difference = records(&now, &OfStream::default(), &facts(), rule);
        assert_eq!(difference.changed, ["7", "8"]);
        let Edit::Live(_, edits) = &difference.edits[0] else {
            panic!("{:?}", difference.edits)
        };
        assert_eq!(edits.len(), 3, "what was adopted is known");
    }

    #[test]
    fn a_record_without_a_name_is_noted_as_such_for_as_long_as_it_has_none() {
        let rule = Rule {
            identity: &["city"],
            ..Rule::default()
        };
        let noted = |now: RawObject, known: &OfStream| {
            let edits = records(&[now], known, &facts(), rule).edits;
            edits.into_iter().find_map(|edit| match edit {
                Edit::Anonymous(_, ids) => Some(ids),
                _ => None,
            })
        };
        let named = known(&[object(1, "Ulm", BEFORE)]);
        let mut anonymous = known(&[object(1, "", BEFORE)]);
        assert_eq!(
            noted(object(1, "", BEFORE), &named),
            Some(vec![(1, Some(ANONYMOUS))])
        );
        // Also of a record that is known otherwise, as earlier releases did not note it.
        assert_eq!(
            noted(object(1, "", BEFORE), &anonymous),
            Some(vec![(1, Some(ANONYMOUS))])
        );
        anonymous.anonymous.apply(vec![(1, Some(ANONYMOUS))]);
        assert_eq!(noted(object(1, "", BEFORE), &anonymous), None);
        assert_eq!(noted(object(1, "Ulm", BEFORE), &anonymous), Some(vec![(1, None)]));
        assert_eq!(noted(object(1, "Ulm", BEFORE), &named), None);
    }

    #[test]
    fn a_record_or_an_association_that_is_shown_twice_is_delivered_once() {
        let twice = [
            object(1, "Ulm", BEFORE),
            object(1, "Ulm", BEFORE),
            object(1, "Bonn", LIMIT),
        ];
        for (snapshot, operations_wanted) in [
            (false, [Operation::Create, Operation::Update]),
            (true, [Operation::Snapshot, Operation::Snapshot]),
        ] {
            let rule = Rule {
                snapshot,
                ..Rule::default()
            };
            let difference = records(&twice, &OfStream::default(), &facts(), rule);
            assert_eq!(operations(&difference), operations_wanted);
            let mut known = OfStream::default();
            for edit in difference.edits {
                if let Edit::Live(_, edits) = edit {
                    known.live.apply(edits);
                }
            }
            let again = records(&twice[2..], &known, &facts(), Rule::default());
            assert!(again.is_empty(), "what was shown last is what is known");
        }
    }

    #[test]
    fn a_known_record_is_compared_however_old_it_is() {
        let rule = Rule {
            updated_after: Some(LIMIT.parse().unwrap()),
            ..Rule::default()
        };
        let before = [object(1, "Ulm", BEFORE)];
        let now = [
            object(1, "Bonn", BEFORE),
            object(2, "Bonn", BEFORE),
            object(3, "Bonn", LIMIT),
        ];
        let difference = records(&now, &known(&before), &facts(), rule);
        assert_eq!(difference.changed, ["1", "3"]);
        assert_eq!(operations(&difference), [Operation::Update, Operation::Create]);
    }

    #[test]
    fn what_an_earlier_version_noted_in_another_way_is_noted_anew_and_not_delivered() {
        let json =
            r#"{"id":"1","properties":{"website":"https:\/\/x.example"},"updatedAt":"2026-01-01T00:00:00Z"}"#;
        let now = RawObject::parse(&json.into()).unwrap();
        let plain = json!({"id": "1", "properties": {"website": "https://x.example"}});
        let plain = RawObject::parse(&plain.to_string().into()).unwrap();
        // The digest of the text as the list wrote it, which is what was noted before.
        let mut old = OfStream::default();
        old.live.apply(vec![(1, Some(OLD_DIGEST))]);
        let difference = records(std::slice::from_ref(&now), &old, &facts(), Rule::default());
        assert_eq!(difference.records, []);
        let value = digest::look(plain.properties().map(AsRef::as_ref), &[])
            .digest
            .value;
        assert_eq!(
            difference.edits,
            [Edit::Live(STREAM.into(), vec![(1, Some(value))])]
        );
        let difference = records(&[now], &known(&[plain]), &facts(), Rule::default());
        assert!(difference.records.is_empty() && difference.edits.is_empty());
    }

    /// What earlier versions noted of `{"website":"https:\/\/x.example"}`.
    const OLD_DIGEST: u32 = 268_811_629;

    #[test]
    fn a_delete_says_how_it_is_known() {
        let fates = [
            (1, Fate::Archived(Some(LIMIT.into()))),
            (2, Fate::Merged("9".into())),
            (3, Fate::Lost),
            (4, Fate::Purged),
        ];
        let difference = deletes(&fates, &facts());
        let reasons: Vec<_> = difference
            .records
            .iter()
            .map(|record| record.metadata.get("spoke.deleteReason").unwrap())
            .collect();
        assert_eq!(reasons, ["archived", "merged", "unknown", "purged"]);
        let bin = Edit::Bin(STREAM.into(), vec![(1, Some(day(Some(LIMIT))))]);
        let live = Edit::Live(STREAM.into(), (1..=4).map(|id| (id, None)).collect());
        let erased = Edit::Erased(STREAM.into(), vec![(4, Some(ERASED))]);
        assert_eq!(difference.edits, [live, bin, erased]);
    }
}
