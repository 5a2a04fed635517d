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
    Number(u64),
}

impl<'a> Written<'a> {
    /// # Errors
    /// Both are given.
    pub(super) fn of(label: Option<&'a str>, type_id: Option<u64>) -> Outcome<Self> {
        match (label.filter(|label| !label.is_empty()), type_id) {
            (None, None) => Ok(Self::Unlabelled),
            (Some(label), None) => Ok(Self::Label(label)),
            (None, Some(number)) => Ok(Self::Number(number)),
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
            Written::Number(number) => known.type_id == number,
        };
        let found = self.known.iter().find(meant);
        found.map(TypeSpec::from).ok_or_else(|| self.unknown(written))
    }

    fn unknown(&self, written: Written<'_>) -> Failure {
        let (from, to) = (&self.from, &self.to);
        let labels = self.known.iter().filter_map(|known| known.label.as_deref());
        let message = match written {
            Written::Unlabelled => format!("{from} and {to} cannot be associated without a label"),
            Written::Number(number) => {
                format!("there is no type {number} of associations from {from} to {to}")
            }
            Written::Label(label) => {
                let near = nearest(label, labels.clone());
                let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                format!("there is no label `{label}` of associations from {from} to {to}{meant}")
            }
        };
        let all = self.known.iter().map(|known| match &known.label {
            Some(label) => format!("{} `{label}`", known.type_id),
            None => format!("{} (no label)", known.type_id),
        });
        Failure::usage(message).hint(format!(
            "there are: {}; types have a direction, and the other one has others",
            all.collect::<Vec<_>>().join(", ")
        ))
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
        assert_eq!(number(Written::Number(1)), 1);
        assert_eq!(number(Written::Unlabelled), 279);
        assert_eq!(
            types().find(Written::Number(36)).unwrap().category,
            "USER_DEFINED"
        );
    }

    #[test]
    fn an_unknown_type_is_told_with_those_there_are() {
        let failure = format!("{:?}", types().find(Written::Label("Manger")).unwrap_err());
        assert!(
            failure.contains("did you mean `Manager`?") && failure.contains("279 (no label)"),
            "{failure}"
        );
        assert!(types().find(Written::Number(280)).is_err());
        assert!(Written::of(Some("x"), Some(1)).is_err());
    }
}
