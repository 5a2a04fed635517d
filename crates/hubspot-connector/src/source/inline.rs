//! Associations that came with the records, and what their types are. Pure.
//!
//! A list page carries `{"companies":{"results":[{"id":"1","type":"contact_to_company"}],"paging":…}}`: at most a
//! hundred ids a type, each with a type in words instead of a number (hubspot-api notes §1.3). The words are mapped
//! to the numbers of the pair's labels where that is certain; whatever is not certain is read exactly.

use std::borrow::Cow;
use std::fmt;

use hubspot_client::AssociationType;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::objects::ObjectType;

/// The association lists of one record, by what HubSpot calls the other type.
#[derive(Debug)]
pub(super) struct Lists<'a>(Vec<(Cow<'a, str>, List<'a>)>);

/// The associations of one record with one type.
#[derive(Debug, Deserialize)]
pub(super) struct List<'a> {
    #[serde(borrow)]
    results: Vec<Entry<'a>>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct Paging {
    next: Option<IgnoredAny>,
}

impl<'de> Deserialize<'de> for Lists<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListsVisitor)
    }
}

struct ListsVisitor;

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for ListsVisitor {
    type Value = Lists<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("association lists by object type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lists<'de>, A::Error> {
        let mut lists = Vec::new();
        while let Some((Key(key), list)) = map.next_entry()? {
            lists.push((key, list));
        }
        Ok(Lists(lists))
    }
}

impl<'a> Lists<'a> {
    /// Reads the `associations` of a record.
    pub(super) fn parse(json: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// The lists, by what HubSpot calls the other type.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &List<'a>)> {
        self.0.iter().map(|(key, list)| (&**key, list))
    }
}

/// Which association stream a list belongs to. A walk meets the same few keys on every record, and telling whether
/// a type is called so is slow, so each key is looked at once.
#[derive(Debug, Default)]
pub(super) struct ListKeys(Vec<(String, Option<usize>)>);

impl ListKeys {
    /// The place among `others` of the type that HubSpot calls `key`, if it is there.
    pub(super) fn place<'b>(
        &mut self,
        key: &str,
        mut others: impl Iterator<Item = &'b ObjectType>,
    ) -> Option<usize> {
        if let Some((_, place)) = self.0.iter().find(|(known, _)| known == key) {
            return *place;
        }
        let place = others.position(|other| other.is_called(key));
        self.0.push((key.to_owned(), place));
        place
    }
}

impl List<'_> {
    /// Whether all ids are here, and the type of each is certain. Else the list must be read exactly.
    pub(super) fn is_certain(&self, names: &TypeNames) -> bool {
        let is_cut = self.paging.as_ref().is_some_and(|paging| paging.next.is_some());
        !is_cut && self.results.iter().all(|entry| names.get(&entry.kind).is_some())
    }

    /// The ids whose types are certain, with these types.
    pub(super) fn certain<'b>(
        &'b self,
        names: &'b TypeNames,
    ) -> impl Iterator<Item = (&'b str, &'b AssociationType)> {
        let pair = |entry: &'b Entry<'_>| Some((&*entry.id, names.get(&entry.kind)?));
        self.results.iter().filter_map(pair)
    }
}

/// What the words of a pair's inline types mean.
///
/// `X_to_Y` is the primary type where the pair has one, else the unlabelled one; `X_to_Y_unlabeled` is always the
/// unlabelled one. A pair with two types that could be the primary has no certain `X_to_Y`. Words of the account's own labels
/// are never guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeNames {
    base: String,
    plain: Option<AssociationType>,
    unlabelled: Option<AssociationType>,
}

const UNLABELLED: &str = "_unlabeled";

impl TypeNames {
    pub(super) fn new(from: &ObjectType, to: &ObjectType, labels: &[AssociationType]) -> Self {
        let unlabelled = only(
            labels
                .iter()
                .filter(|kind| kind.label.as_deref().is_none_or(str::is_empty)),
        );
        let primaries = labels.iter().filter(|kind| is_primary(kind));
        let plain = if primaries.clone().count() == 0 {
            unlabelled.clone()
        } else {
            only(primaries)
        };
        Self {
            base: format!("{}_to_{}", from.singular, to.singular),
            plain,
            unlabelled,
        }
    }

    fn get(&self, word: &str) -> Option<&AssociationType> {
        match word.strip_prefix(&*self.base)? {
            "" => self.plain.as_ref(),
            UNLABELLED => self.unlabelled.as_ref(),
            _ => None,
        }
    }
}

/// The other direction of the same is labelled `Contact with Primary Company` (hubspot-api notes §2.5).
fn is_primary(kind: &AssociationType) -> bool {
    let labelled = kind
        .label
        .as_deref()
        .is_some_and(|label| label.to_lowercase().contains("primary"));
    labelled && kind.category == "HUBSPOT_DEFINED"
}

fn only<'a>(mut kinds: impl Iterator<Item = &'a AssociationType>) -> Option<AssociationType> {
    let first = kinds.next()?;
    kinds.next().is_none().then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::resolve;

    fn kind(type_id: u64, label: Option<&str>) -> AssociationType {
        let category = if type_id < 1_000 {
            "HUBSPOT_DEFINED"
        } else {
            "USER_DEFINED"
        };
        let value = serde_json::json!({"category": category, "typeId": type_id, "label": label});
        serde_json::from_value(value).unwrap()
    }

    fn names(labels: &[AssociationType]) -> TypeNames {
        TypeNames::new(
            resolve("contacts").unwrap(),
            resolve("companies").unwrap(),
            labels,
        )
    }

    fn id_of(names: &TypeNames, word: &str) -> Option<u64> {
        names.get(word).map(|kind| kind.type_id)
    }

    #[test]
    fn with_a_primary_label_the_plain_word_is_the_primary() {
        let names = names(&[
            kind(279, None),
            kind(1, Some("Primary")),
            kind(1_001, Some("Primary decision maker")),
        ]);
        assert_eq!(id_of(&names, "contact_to_company"), Some(1));
        assert_eq!(id_of(&names, "contact_to_company_unlabeled"), Some(279));
        assert_eq!(id_of(&names, "contact_to_company_decision_maker"), None);
        assert_eq!(id_of(&names, "decision_maker"), None);
    }

    #[test]
    fn without_a_primary_the_plain_word_is_the_unlabelled_one() {
        let names = names(&[kind(279, None), kind(1_001, Some("Decision maker"))]);
        assert_eq!(id_of(&names, "contact_to_company"), Some(279));
        assert_eq!(id_of(&names, "contact_to_company_unlabeled"), Some(279));
    }

    #[test]
    fn what_could_be_either_is_not_certain() {
        let two = names(&[
            kind(279, None),
            kind(1, Some("Primary")),
            kind(2, Some("Contact with Primary Company")),
        ]);
        assert_eq!(id_of(&two, "contact_to_company"), None);
        assert_eq!(id_of(&names(&[]), "contact_to_company"), None);
    }

    #[test]
    fn a_list_is_certain_when_it_is_whole_and_every_word_is_known() {
        let names = names(&[kind(279, None)]);
        let is_certain = |json: &str| {
            let list: List<'_> = serde_json::from_str(json).unwrap();
            list.is_certain(&names)
        };
        let entry = r#"{"id":"7","type":"contact_to_company"}"#;
        assert!(is_certain(&format!(r#"{{"results":[{entry}]}}"#)));
        assert!(is_certain(&format!(r#"{{"results":[{entry}],"paging":{{}}}}"#)));
        let cut = format!(r#"{{"results":[{entry}],"paging":{{"next":{{"after":"x"}}}}}}"#);
        assert!(!is_certain(&cut));
        assert!(!is_certain(&format!(
            r#"{{"results":[{entry},{{"id":"7","type":"boss"}}]}}"#
        )));
    }

    #[test]
    fn a_certain_list_gives_its_ids_with_their_types() {
        let names = names(&[kind(279, None), kind(1, Some("Primary"))]);
        let json = br#"{"companies":{"results":[{"id":"7","type":"contact_to_company_unlabeled"},
            {"id":"7","type":"contact_to_company"}]}}"#;
        let lists = Lists::parse(json).unwrap();
        let (key, list) = lists.iter().next().unwrap();
        let pairs: Vec<_> = list
            .certain(&names)
            .map(|(id, kind)| (id, kind.type_id))
            .collect();
        assert_eq!((key, &*pairs), ("companies", &[("7", 279), ("7", 1)][..]));
    }

    #[test]
    fn a_list_is_found_by_whatever_hubspot_calls_the_type() {
        let others = ["companies", "line_items"].map(|name| resolve(name).unwrap());
        let mut keys = ListKeys::default();
        for _ in 0..2 {
            let mut place = |key| keys.place(key, others.into_iter());
            assert_eq!(
                [place("line items"), place("0-2"), place("deals")],
                [Some(1), Some(0), None]
            );
        }
    }
}
