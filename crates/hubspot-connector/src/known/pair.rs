//! The key of an association: both records and its type, which is a number and the category that the number belongs to.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use hubspot_client::AssociationType;

use super::digest;
use super::map::{Key, put, take};

/// Who defined an association type. HubSpot numbers its own types, and every account numbers its own from 1, so only both
/// together name a type (hubspot-api notes, B: HubSpot staff in the community forum; Fivetran's dbt package keys by both).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Category(&'static str);

/// The categories that HubSpot documents, in the order of their codes in notes: never reordered, only added to.
const DOCUMENTED: [&str; 4] = ["HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED", "WORK"];
/// The code of [`Category::UNKNOWN`].
const UNKNOWN: u64 = 0;
/// The code before a category that is written out.
const SPELLED: u64 = 255;

/// Categories that HubSpot does not document. Each is kept for the life of the process, which is what lets a key be `Copy`.
static OTHERS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl Category {
    /// Releases up to 0.1 did not store the category.
    pub(crate) const UNKNOWN: Self = Self("");

    /// The category of this name.
    pub(crate) fn of(name: &str) -> Self {
        if let Some(known) = DOCUMENTED.iter().find(|known| **known == name) {
            return Self(known);
        }
        if name.is_empty() {
            return Self::UNKNOWN;
        }
        let mut others = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(name) {
            return Self(known);
        }
        let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
        others.insert(kept);
        Self(kept)
    }

    /// Its name as HubSpot writes it.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    fn write(self, out: &mut Vec<u8>) {
        if self == Self::UNKNOWN {
            return put(UNKNOWN, out);
        }
        match (1..).zip(DOCUMENTED).find(|(_, known)| *known == self.0) {
            Some((code, _)) => put(code, out),
            None => {
                put(SPELLED, out);
                put(self.0.len() as u64, out);
                out.extend_from_slice(self.0.as_bytes());
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match take(bytes)? {
            UNKNOWN => Some(Self::UNKNOWN),
            SPELLED => {
                let length = usize::try_from(take(bytes)?).ok()?;
                let name = std::str::from_utf8(bytes.get(..length)?).ok()?;
                *bytes = &bytes[length..];
                Some(Self::of(name))
            }
            code => {
                let known = DOCUMENTED.get(usize::try_from(code - 1).ok()?)?;
                Some(Self(known))
            }
        }
    }
}

/// An association type between two object types, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind {
    /// Unique only within the category.
    pub(crate) number: u64,
    pub(crate) category: Category,
}

impl Kind {
    pub(crate) const MIN: Self = Self {
        number: 0,
        category: Category::UNKNOWN,
    };
    const MAX: Self = Self {
        number: u64::MAX,
        category: Category::UNKNOWN,
    };

    /// The same number, of a category that was not stored.
    pub(crate) fn uncategorised(self) -> Self {
        Self {
            category: Category::UNKNOWN,
            ..self
        }
    }

    /// The types that this may be: itself, or the number in every documented category.
    pub(crate) fn possible(self) -> impl Iterator<Item = Self> {
        let is_known = self.category != Category::UNKNOWN;
        let all = DOCUMENTED.into_iter().filter(move |_| !is_known);
        let all = all.map(move |name| Self {
            category: Category(name),
            ..self
        });
        is_known.then_some(self).into_iter().chain(all)
    }
}

impl From<&AssociationType> for Kind {
    fn from(kind: &AssociationType) -> Self {
        Self {
            number: kind.type_id,
            category: Category::of(&kind.category),
        }
    }
}

/// An association: from, to, type.
pub(crate) type Pair = (u64, u64, Kind);

/// The least and the greatest association that a record can have.
pub(crate) fn all_of(from: u64) -> (Pair, Pair) {
    ((from, 0, Kind::MIN), (from, u64::MAX, Kind::MAX))
}

/// The digest of what an association's row says beside its key.
pub(crate) fn digest(kind: &AssociationType) -> u32 {
    digest_of(&kind.category, kind.label.as_deref())
}

fn digest_of(category: &str, label: Option<&str>) -> u32 {
    digest::of_text(format!("{category}\n{}", label.unwrap_or_default()).as_bytes())
}

impl Key for Pair {
    const MIN: Self = (0, 0, Kind::MIN);

    fn write(self, before: Self, out: &mut Vec<u8>) {
        (self.0, self.1, self.2.number).write((before.0, before.1, before.2.number), out);
        self.2.category.write(out);
    }

    fn read(before: Self, bytes: &mut &[u8]) -> Option<Self> {
        let (from, to, number) = Numbered::read((before.0, before.1, before.2.number), bytes)?;
        let category = Category::read(bytes)?;
        Some((from, to, Kind { number, category }))
    }

    fn name(self) -> String {
        let numbers = (self.0, self.1, self.2.number).name();
        format!("{numbers}{}", self.2.category.name())
    }

    fn of_name(name: &str) -> Option<Self> {
        let (numbers, category) = name.split_at_checked(NUMBERS)?;
        let (from, to, number) = Numbered::of_name(numbers)?;
        let category = Category::of(category);
        Some((from, to, Kind { number, category }))
    }
}

/// How long the name of a [`Numbered`] is.
const NUMBERS: usize = 48;

/// An association as releases up to 0.1 stored it: from, to, number.
pub(crate) type Numbered = (u64, u64, u64);

/// The same association with its category. The digest tells it where the type is HubSpot's unlabelled one, which most are.
pub(crate) fn with_category(((from, to, number), digest): (Numbered, u32)) -> (Pair, Option<u32>) {
    let category = match digest == digest_of(DOCUMENTED[0], None) {
        true => Category(DOCUMENTED[0]),
        false => Category::UNKNOWN,
    };
    ((from, to, Kind { number, category }), Some(digest))
}

impl Key for Numbered {
    const MIN: Self = (0, 0, 0);

    fn write(self, before: Self, out: &mut Vec<u8>) {
        put(self.0 - before.0, out);
        let same = self.0 == before.0;
        put(if same { self.1 - before.1 } else { self.1 }, out);
        let same = same && self.1 == before.1;
        put(if same { self.2 - before.2 } else { self.2 }, out);
    }

    fn read(before: Self, bytes: &mut &[u8]) -> Option<Self> {
        let [from, to, kind] = [take(bytes)?, take(bytes)?, take(bytes)?];
        let same_from = from == 0;
        let same_to = same_from && to == 0;
        Some((
            before.0.checked_add(from)?,
            to.checked_add(if same_from { before.1 } else { 0 })?,
            kind.checked_add(if same_to { before.2 } else { 0 })?,
        ))
    }

    fn name(self) -> String {
        format!("{:016x}{:016x}{:016x}", self.0, self.1, self.2)
    }

    fn of_name(name: &str) -> Option<Self> {
        let part = |n: usize| u64::from_str_radix(name.get(n * 16..n * 16 + 16)?, 16).ok();
        Some((part(0)?, part(1)?, part(2)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        let names = [
            "",
            "HUBSPOT_DEFINED",
            "USER_DEFINED",
            "INTEGRATOR_DEFINED",
            "WORK",
            "ÄNDERS",
        ];
        let keys: Vec<Pair> = names
            .map(|name| {
                (
                    7,
                    9,
                    Kind {
                        number: 1,
                        category: Category::of(name),
                    },
                )
            })
            .into();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        let mut before = Pair::MIN;
        for key in &sorted {
            key.write(before, &mut bytes);
            before = *key;
        }
        let (mut rest, mut before) = (&bytes[..], Pair::MIN);
        for key in &sorted {
            before = Pair::read(before, &mut rest).unwrap();
            assert_eq!(before, *key);
            assert_eq!(Pair::of_name(&key.name()), Some(*key));
        }
        assert!(rest.is_empty());
        assert!(Pair::read(Pair::MIN, &mut &[0, 0, 0, 99][..]).is_none());
    }

    #[test]
    fn a_category_that_was_not_stored_may_be_any() {
        let of = |category| Kind { number: 1, category };
        assert_eq!(of(Category::UNKNOWN).possible().count(), DOCUMENTED.len());
        let work = of(Category::of("WORK"));
        assert_eq!(work.possible().collect::<Vec<_>>(), [work]);
    }
}
