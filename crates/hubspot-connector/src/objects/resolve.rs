//! From what a person wrote to an object type.

use std::fmt;

use opencdc::{Error, ErrorKind};

use super::{ObjectType, STANDARD};

/// How alike two names must be for one to be suggested for the other; 1 is equal.
const ALIKE: f64 = 0.75;

/// A name that no object type has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownObject {
    name: String,
    nearest: Option<String>,
    valid: Vec<String>,
}

impl UnknownObject {
    /// About `name`, of which the valid alternatives are these.
    pub fn new<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        let valid: Vec<_> = valid.into_iter().map(str::to_owned).collect();
        Self {
            name: name.to_owned(),
            nearest: nearest(name, &valid),
            valid,
        }
    }

    /// The valid name that is most like it, when one is like it at all.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// Every valid name.
    pub fn valid(&self) -> &[String] {
        &self.valid
    }
}

impl fmt::Display for UnknownObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no object or stream `{}`", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownObject {}

impl From<UnknownObject> for Error {
    fn from(unknown: UnknownObject) -> Self {
        let names = unknown
            .valid
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        Self::new(ErrorKind::Configuration, unknown.to_string()).with_hint(format!("valid names are {names}"))
    }
}

/// The standard object type that a person calls `name`: plural, singular, type id (`0-1`) or Conduit's key
/// (`crm.contacts`), whatever the case.
///
/// ```
/// use hubspot_connector::objects::resolve;
/// assert_eq!(resolve("crm.lineItems")?.name, "line_items");
/// assert_eq!(resolve("contcats").unwrap_err().nearest(), Some("contacts"));
/// # Ok::<(), hubspot_connector::objects::UnknownObject>(())
/// ```
pub fn resolve(name: &str) -> Result<&'static ObjectType, UnknownObject> {
    resolve_among(&STANDARD, name)
}

/// The same among `types`, such as the standard and the custom ones of an account.
pub fn resolve_among<'a>(
    types: impl IntoIterator<Item = &'a ObjectType> + Clone,
    name: &str,
) -> Result<&'a ObjectType, UnknownObject> {
    let found = types
        .clone()
        .into_iter()
        .find(|object| object.is_called(name.trim()));
    found.ok_or_else(|| UnknownObject::new(name, types.into_iter().map(|object| &*object.name)))
}

fn nearest(name: &str, valid: &[String]) -> Option<String> {
    let name = name.to_lowercase();
    let alike = |other: &String| strsim::normalized_damerau_levenshtein(&name, other);
    let best = valid.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(best) >= ALIKE).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_types_of_other_connectors_resolve_as_these_print_them() {
        let printed = "Appointments, Calls, Campaigns, Carts, Commerce Payments, Communications, Companies, Contacts, \
                       Courses, Deals, Discounts, Emails, Fees, Feedback Submissions, Goals, Invoices, Leads, Line Items, \
                       Listings, Meetings, Notes, Orders, Postal Mail, Products, Quotes, Quote Templates, Services, \
                       Subscriptions, Tasks, Taxes, Tickets, Users";
        let names: std::collections::BTreeSet<_> = printed
            .split(", ")
            .map(|name| &*resolve(name).unwrap_or_else(|error| panic!("{error}")).name)
            .collect();
        assert_eq!(names.len(), 32);
        assert!(names.contains("goal_targets") && names.contains("quote_templates"));
    }

    #[test]
    fn a_type_answers_to_every_way_it_is_written() {
        for name in [
            "contacts",
            "contact",
            "CONTACT",
            "Contacts",
            "0-1",
            "crm.contacts",
            " contacts ",
        ] {
            assert_eq!(resolve(name).unwrap().name, "contacts", "{name}");
        }
        for name in [
            "line_items",
            "line items",
            "lineItem",
            "crm.lineItems",
            "0-8",
            "LINE-ITEMS",
        ] {
            assert_eq!(resolve(name).unwrap().name, "line_items", "{name}");
        }
        assert_eq!(
            resolve("crm.feedbackSubmissions").unwrap().name,
            "feedback_submissions"
        );
        assert_eq!(resolve("0-420").unwrap().name, "listings");
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_and_all_valid_ones() {
        let error = Error::from(resolve("contatcs").unwrap_err());
        assert_eq!(
            error.to_string(),
            "there is no object or stream `contatcs`; did you mean `contacts`?"
        );
        assert!(error.hint().unwrap().contains("`line_items`"));
        assert_eq!(resolve("zzz").unwrap_err().nearest(), None);
    }

    #[test]
    fn no_two_types_answer_to_one_name() {
        for object in &STANDARD {
            let ways = [
                Some(&object.name),
                Some(&object.singular),
                object.type_id.as_ref(),
            ];
            for way in ways.into_iter().flatten() {
                assert_eq!(resolve(way).unwrap().name, object.name, "{way}");
            }
        }
    }

    #[test]
    fn contacts_have_a_last_modified_property_of_their_own() {
        for object in &STANDARD {
            let expected = if object.name == "contacts" {
                "lastmodifieddate"
            } else {
                "hs_lastmodifieddate"
            };
            assert_eq!(object.last_modified, expected);
        }
    }
}
