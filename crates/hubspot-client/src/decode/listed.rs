//! What a response must have to be believed.
//!
//! HubSpot says the end of a collection by leaving `paging.next` out. A body that is not HubSpot's leaves it out as
//! well, so each shape names the members it cannot lack: without them the response is refused instead of being taken
//! for an empty page. Seen in public reports: HubSpot's own error body with status 200, and a gateway's `{}`.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::error::{Fault, SubError};

/// Where the next page is, in HubSpot's words. It has a cursor or a link, which is never empty.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Link {
    pub(crate) after: Option<String>,
    pub(crate) link: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    after: Option<String>,
    link: Option<String>,
}

/// serde's own words for a member that is not there, which [`lacks`] reads.
const NO_CURSOR: &str = "missing field `paging.next.after`";

impl TryFrom<Written> for Link {
    type Error = &'static str;

    fn try_from(Written { after, link }: Written) -> Result<Self, Self::Error> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        match (said(after), said(link)) {
            (None, None) => Err(NO_CURSOR),
            (after, link) => Ok(Self { after, link }),
        }
    }
}

/// The `paging` member of a page.
#[derive(Debug, Deserialize)]
pub(crate) struct Paging {
    pub(crate) next: Option<Link>,
}

/// A collection whose items have a type of their own: `{"results": [...]}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed<T> {
    pub(crate) results: Vec<T>,
    paging: Option<Paging>,
    #[serde(default)]
    pub(crate) errors: Vec<SubError>,
    pub(crate) status: Option<Value>,
}

impl<T> Listed<T> {
    /// The items, and where the next page is.
    pub(crate) fn split(self) -> (Vec<T>, Option<Link>) {
        (self.results, self.paging.and_then(|paging| paging.next))
    }
}

/// A type that is read member by member, with defaults for what HubSpot leaves out.
pub(crate) trait Definition: DeserializeOwned {
    /// Members that HubSpot always sends.
    const MUST: &'static [&'static str];

    /// Refuses a value that lacks one of them.
    fn check(value: &Value) -> Result<(), Fault> {
        let fields = fields(value)?;
        refuse_error(fields.get("status"), fields.get("category"))?;
        match Self::MUST.iter().find(|name| !fields.contains_key(**name)) {
            Some(member) => Err(Fault::Lacks { member }),
            None => Ok(()),
        }
    }
}

impl<T: Definition> Definition for Listed<T> {
    const MUST: &'static [&'static str] = &["results"];

    fn check(value: &Value) -> Result<(), Fault> {
        let fields = fields(value)?;
        refuse_error(fields.get("status"), fields.get("category"))?;
        let results = fields.get("results").and_then(Value::as_array);
        let results = results.ok_or(Fault::Lacks { member: "results" })?;
        results.iter().try_for_each(T::check)
    }
}

/// A collection that comes whole. HubSpot pages none of these; a response that says that it goes on is not all of it.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound = "T: DeserializeOwned")]
pub(crate) struct Whole<T>(pub(crate) Listed<T>);

impl<T: Definition> Definition for Whole<T> {
    const MUST: &'static [&'static str] = Listed::<T>::MUST;

    fn check(value: &Value) -> Result<(), Fault> {
        Listed::<T>::check(value)?;
        match value.pointer("/paging/next") {
            Some(_) => Err(Fault::InPart),
            None => Ok(()),
        }
    }
}

/// A response whose shape is not named: any object but an error.
impl Definition for Value {
    const MUST: &'static [&'static str] = &[];
}

fn fields(value: &Value) -> Result<&Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| Fault::WrongShape {
        what: "not an object".to_owned(),
        at: 0,
    })
}

/// Refuses HubSpot's error body, and a batch that is not finished (hubspot-api notes §1.6: only `COMPLETE` is seen).
/// Objects with a `status` of their own, such as drafts of the CMS, use other words.
pub(crate) fn refuse_error(status: Option<&Value>, category: Option<&Value>) -> Result<(), Fault> {
    match status.and_then(Value::as_str) {
        Some("error") => Err(Fault::ErrorBody {
            category: category.and_then(Value::as_str).and_then(constant),
        }),
        Some("PENDING" | "PROCESSING" | "CANCELED") if category.is_none() => Err(Fault::Unfinished),
        _ => Ok(()),
    }
}

/// The member that serde missed, if HubSpot always sends it in a collection.
pub(super) fn lacks(words: &str) -> Option<Fault> {
    let member = ["results", "paging.next.after"]
        .into_iter()
        .find(|member| words.starts_with(&format!("missing field `{member}`")))?;
    Some(Fault::Lacks { member })
}

/// A category as HubSpot writes one; other text from outside is not repeated.
fn constant(text: &str) -> Option<String> {
    let is_constant = text.len() <= 60 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_constant.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Property;

    fn listed(text: &str) -> Result<(), Fault> {
        Listed::<Property>::check(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_definition_without_its_name_is_refused_alone_and_in_a_list() {
        assert!(listed(r#"{"results":[]}"#).is_ok());
        assert!(listed(r#"{"results":[{"name":"a","type":"string"}]}"#).is_ok());
        let lacks = |member| Err(Fault::Lacks { member });
        assert_eq!(listed("{}"), lacks("results"));
        assert_eq!(listed(r#"{"results":{}}"#), lacks("results"));
        assert_eq!(listed(r#"{"results":[{}]}"#), lacks("name"));
        assert_eq!(listed(r#"{"results":[{"name":"a"}]}"#), lacks("type"));
    }

    #[test]
    fn an_error_body_is_named_by_its_category_and_by_no_other_text() {
        let named = |category: &str| {
            listed(&format!(
                r#"{{"status":"error","results":[],"category":"{category}"}}"#
            ))
        };
        let body = |category: Option<&str>| {
            Err(Fault::ErrorBody {
                category: category.map(ToOwned::to_owned),
            })
        };
        assert_eq!(named("RATE_LIMITS"), body(Some("RATE_LIMITS")));
        assert_eq!(named("Bearer pat-na1-secret"), body(None));
        assert_eq!(
            listed(r#"{"status":"PENDING","results":[]}"#),
            Err(Fault::Unfinished)
        );
    }

    #[test]
    fn a_list_that_comes_whole_does_not_go_on() {
        let whole = |text: &str| {
            let body = bytes::Bytes::from(text.to_owned());
            let read = super::super::definition::<Whole<Value>>(&body);
            read.map(|whole| whole.0.results.len())
        };
        assert_eq!(whole(r#"{"results":[{}],"paging":null}"#), Ok(1));
        assert_eq!(whole(r#"{"results":[{}],"paging":{"next":null}}"#), Ok(1));
        assert_eq!(
            whole(r#"{"results":[],"paging":{"next":{"after":"0"}}}"#),
            Err(Fault::InPart)
        );
    }

    #[test]
    fn a_next_page_needs_a_cursor() {
        let link = |text: &str| serde_json::from_str::<Paging>(text).map(|paging| paging.next.is_some());
        assert!(link(r#"{"next":{"after":"1"}}"#).unwrap());
        assert!(link(r#"{"next":{"after":"","link":"https://h/?after=1"}}"#).unwrap());
        assert!(!link("{}").unwrap() && !link(r#"{"next":null}"#).unwrap());
        for none in [
            r#"{"next":{}}"#,
            r#"{"next":{"after":""}}"#,
            r#"{"next":{"after":null}}"#,
        ] {
            let words = link(none).unwrap_err().to_string();
            let member = "paging.next.after";
            assert_eq!(lacks(&words), Some(Fault::Lacks { member }), "{none}");
        }
    }
}
