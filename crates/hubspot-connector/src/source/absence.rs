//! Whether a record without an association list on its page has no associations. Pure.
//!
//! HubSpot says of `associations=` that what does not exist is ignored, and what it calls a list need not be what was asked
//! for, so a list that is not there proves nothing by itself. It is believed once a list of the same pair of types has come
//! under a known key, or associations v4 has agreed that enough records without a list have nothing.

use std::collections::BTreeSet;

use super::reader::Links;

/// Records without a list that v4 is asked about before their absence is believed: one call.
const ENOUGH: usize = hubspot_client::request::associations::MAX_BATCH;

/// What is known of the lists of one pair of object types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Absence {
    /// Nothing: so many records without a list have nothing by v4 as well.
    #[default]
    Unproven,
    /// v4 has agreed for so many records.
    Agreed(usize),
    /// A record without a list has no associations.
    Believed,
    /// v4 has shown associations of a record without a list: every such record is read by v4.
    Doubted,
}

impl Absence {
    /// A list of the pair has come under a known key.
    pub(super) fn note_list(&mut self) {
        if *self != Self::Doubted {
            *self = Self::Believed;
        }
    }

    pub(super) fn is_believed(self) -> bool {
        self == Self::Believed
    }

    /// What v4 says of the records that had no list.
    pub(super) fn note_exact(&mut self, without_list: &BTreeSet<String>, exact: &Links) {
        let mut read = without_list.iter().filter_map(|id| exact.get(id)).peekable();
        if read.peek().is_none() {
            return;
        }
        let (empty, more): (Vec<_>, Vec<_>) = read.partition(|links| links.is_empty());
        *self = match *self {
            _ if !more.is_empty() => Self::Doubted,
            Self::Unproven => Self::after(empty.len()),
            Self::Agreed(before) => Self::after(before + empty.len()),
            settled @ (Self::Believed | Self::Doubted) => settled,
        };
    }

    fn after(agreed: usize) -> Self {
        if agreed >= ENOUGH {
            Self::Believed
        } else {
            Self::Agreed(agreed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(ids: std::ops::Range<usize>, linked: &[usize]) -> (BTreeSet<String>, Links) {
        let kind = serde_json::json!({"category": "HUBSPOT_DEFINED", "typeId": 279});
        let kind: hubspot_client::AssociationType = serde_json::from_value(kind).unwrap();
        let link = |id: &usize| linked.contains(id).then(|| ("9".to_owned(), kind.clone()));
        let links = ids
            .clone()
            .map(|id| (id.to_string(), link(&id).into_iter().collect()));
        (ids.clone().map(|id| id.to_string()).collect(), links.collect())
    }

    #[test]
    fn absence_is_believed_after_a_list_or_after_v4_has_agreed_often_enough() {
        let mut absence = Absence::default();
        let (without, links) = exact(0..999, &[]);
        absence.note_exact(&without, &links);
        assert_eq!(absence, Absence::Agreed(999));
        let (without, links) = exact(999..1_000, &[]);
        absence.note_exact(&without, &links);
        assert!(absence.is_believed());
        let mut absence = Absence::default();
        absence.note_list();
        assert!(absence.is_believed());
    }

    #[test]
    fn one_association_without_a_list_is_enough_to_doubt_all() {
        for mut absence in [Absence::default(), Absence::Agreed(5), Absence::Believed] {
            let (without, links) = exact(0..3, &[1]);
            absence.note_exact(&without, &links);
            assert_eq!(absence, Absence::Doubted);
            absence.note_list();
            assert_eq!(absence, Absence::Doubted);
        }
    }

    #[test]
    fn records_that_had_a_list_say_nothing() {
        let mut absence = Absence::default();
        let (_, links) = exact(0..3, &[0, 1, 2]);
        absence.note_exact(&BTreeSet::new(), &links);
        assert_eq!(absence, Absence::Unproven);
    }
}
