//! Which type of association a person means: by label, by number, or the unlabelled one.

use hubspot_client::AssociationLabel;
use hubspot_client::request::writes::TypeSpec;
use hubspot_connector::objects::ObjectType;

use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::settings::nearest;

/// How an association's type is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// Not at all.
    Unlabelled,
    Label(&'a str),
    /// Of this category; without one, of whichever has the number.
    Number(u64, Option<&'a str>),
}

impl<'a> Written<'a> {
    /// # Errors
    /// Both a label and a number are given.
    pub(super) fn of(
        label: Option<&'a str>,
        type_id: Option<u64>,
        category: Option<&'a str>,
    ) -> Outcome<Self> {
        match (label.filter(|label| !label.is_empty()), type_id) {
            (None, None) => Ok(Self::Unlabelled),
            (Some(label), None) => Ok(Self::Label(label)),
            (None, Some(number)) => Ok(Self::Number(
                number,
                category.filter(|category| !category.is_empty()),
            )),
            (Some(label), Some(number)) => Err(Failure::usage(format!(
                "an association is given both a label (`{label}`) and a type ({number})"
            ))
            .hint("write one of them")),
        }
    }
}

/// The types that associations from one object type to another may have.
#[derive(Debug)]
pub(super) struct AssociationTypes {
    from: String,
    to: String,
    known: Vec<AssociationLabel>,
}

impl AssociationTypes {
    pub(super) async fn between(session: &Session, from: &ObjectType, to: &ObjectType) -> Outcome<Self> {
        let known = session
            .client
            .association_labels(from.path_name(), to.path_name())
            .await?;
        Ok(Self {
            from: from.name.to_string(),
            to: to.name.to_string(),
            known,
        })
    }

    /// The type that is meant.
    pub(super) fn find(&self, written: Written<'_>) -> Outcome<TypeSpec> {
        let meant = |known: &&AssociationLabel| match written {
            // A pair of types has one without a label, beside HubSpot's and the account's labelled ones.
            Written::Unlabelled => known.label.is_none(),
            Written::Label(label) => known.label.as_deref().is_some_and(|known| same(known, label)),
            Written::Number(number, category) => {
                known.type_id == number && category.is_none_or(|category| category == known.category)
            }
        };
        let mut found = self.known.iter().filter(meant);
        let first = found.next().ok_or_else(|| self.unknown(written))?;
        match (written, found.next()) {
            (Written::Number(number, _), Some(_)) => Err(self.ambiguous(number)),
            _ => Ok(TypeSpec::from(first)),
        }
    }

    fn unknown(&self, written: Written<'_>) -> Failure {
        let (from, to) = (&self.from, &self.to);
        let labels = self.known.iter().filter_map(|known| known.label.as_deref());
        let message = match written {
            Written::Unlabelled => format!("{from} and {to} cannot be associated without a label"),
            Written::Number(number, _) => {
                format!("there is no type {number} of associations from {from} to {to}")
            }
            Written::Label(label) => {
                let near = nearest(label, labels.clone());
                let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                format!("there is no label `{label}` of associations from {from} to {to}{meant}")
            }
        };
        Failure::usage(message).hint(format!(
            "there are: {}; types have a direction, and the other one has others",
            self.listed(|_| true)
        ))
    }

    /// HubSpot numbers its types, and every account its own from 1 (hubspot-api notes, B).
    fn ambiguous(&self, number: u64) -> Failure {
        let (from, to) = (&self.from, &self.to);
        let message = format!("{number} is the number of several association types from {from} to {to}");
        Failure::usage(message).hint(format!(
            "name it by its label or add its category: {}",
            self.listed(|known| known.type_id == number)
        ))
    }

    fn listed(&self, which: impl Fn(&AssociationLabel) -> bool) -> String {
        let which = self.known.iter().filter(|known| which(known));
        let all = which.map(|known| match &known.label {
            Some(label) => format!("{} `{label}` ({})", known.type_id, known.category),
            None => format!("{} (no label)", known.type_id),
        });
        all.collect::<Vec<_>>().join(", ")
    }
}

/// Labels are texts for people: their case does not matter.
fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> AssociationTypes {
        let known = serde_json::json!([
            {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
            {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null},
            {"category": "USER_DEFINED", "typeId": 36, "label": "Manager"},
        ]);
        AssociationTypes {
            from: "contacts".to_owned(),
            to: "companies".to_owned(),
            known: serde_json::from_value(known).unwrap(),
        }
    }

    #[test]
    fn a_type_is_meant_by_label_by_number_or_by_nothing() {
        let number = |written| types().find(written).unwrap().type_id;
        assert_eq!(number(Written::Label("manager ")), 36);
        assert_eq!(number(Written::Number(1, None)), 1);
        assert_eq!(number(Written::Unlabelled), 279);
        assert_eq!(
            types().find(Written::Number(36, None)).unwrap().category,
            "USER_DEFINED"
        );
    }

    #[test]
    fn a_number_that_two_types_share_needs_its_category() {
        let mut types = types();
        let own = serde_json::json!({"category": "USER_DEFINED", "typeId": 1, "label": "Owner"});
        types.known.push(serde_json::from_value(own).unwrap());
        let failure = format!("{:?}", types.find(Written::Number(1, None)).unwrap_err());
        assert!(
            failure.contains("`Primary` (HUBSPOT_DEFINED)") && failure.contains("`Owner` (USER_DEFINED)"),
            "{failure}"
        );
        for category in ["HUBSPOT_DEFINED", "USER_DEFINED"] {
            let found = types.find(Written::Number(1, Some(category))).unwrap();
            assert_eq!((&*found.category, found.type_id), (category, 1));
        }
    }

    #[test]
    fn an_unknown_type_is_told_with_those_there_are() {
        let failure = format!("{:?}", types().find(Written::Label("Manger")).unwrap_err());
        assert!(
            failure.contains("did you mean `Manager`?") && failure.contains("279 (no label)"),
            "{failure}"
        );
        assert!(types().find(Written::Number(280, None)).is_err());
        assert!(Written::of(Some("x"), Some(1), None).is_err());
    }
}
