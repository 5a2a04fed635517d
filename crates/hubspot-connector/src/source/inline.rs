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

    /// The list with `other`, whichever of its names HubSpot used.
    pub(super) fn with(&self, other: &ObjectType) -> Option<&List<'a>> {
        self.0
            .iter()
            .find(|(key, _)| other.is_called(key))
            .map(|(_, list)| list)
    }
}

impl List<'_> {
    /// The ids and types, when all of them are here and certain; `None` when the list must be read exactly.
    pub(super) fn certain<'b>(&'b self, names: &'b TypeNames) -> Option<Vec<(&'b str, &'b AssociationType)>> {
        let is_cut = self.paging.as_ref().is_some_and(|paging| paging.next.is_some());
        if is_cut {
            return None;
        }
        self.results
            .iter()
            .map(|entry| Some((&*entry.id, names.get(&entry.kind)?)))
            .collect()
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
        let of = |json: &str| {
            let lists = Lists::parse(json.as_bytes()).unwrap();
            let list = lists.with(resolve("companies").unwrap())?;
            Some(
                list.certain(&names)
                    .map(|pairs| pairs.iter().map(|(id, _)| (*id).to_owned()).collect::<Vec<_>>()),
            )
        };
        let entry = r#"{"id":"7","type":"contact_to_company"}"#;
        assert_eq!(
            of(&format!(r#"{{"companies":{{"results":[{entry}]}}}}"#)),
            Some(Some(vec!["7".to_owned()]))
        );
        let cut = format!(r#"{{"companies":{{"results":[{entry}],"paging":{{"next":{{"after":"x"}}}}}}}}"#);
        assert_eq!(of(&cut), Some(None));
        let strange = r#"{"companies":{"results":[{"id":"7","type":"boss"}]}}"#;
        assert_eq!(of(strange), Some(None));
        assert_eq!(of(r#"{"deals":{"results":[]}}"#), None);
    }

    #[test]
    fn a_list_is_found_by_whatever_hubspot_calls_the_type() {
        let lists = Lists::parse(br#"{"line items":{"results":[]}}"#).unwrap();
        assert!(lists.with(resolve("line_items").unwrap()).is_some());
    }
}
