//! Associations between records: of many records at once, of one record, and the labels of a pair of types
//! (hubspot-api notes §2.5).

use serde::Serialize;

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most records one batch read takes.
pub const MAX_BATCH: usize = 1_000;
/// The most associations one page of one record holds.
pub const MAX_PAGE: u16 = 500;

#[derive(Serialize)]
struct Inputs<'a> {
    inputs: Vec<Input<'a>>,
}

#[derive(Serialize)]
struct Input<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a str>,
}

/// `POST {associations}/{from}/{to}/batch/read`; each record with the cursor its last answer gave, if any.
pub fn batch_read(
    version: &ApiVersion,
    from: &str,
    to: &str,
    records: &[(impl AsRef<str>, Option<impl AsRef<str>>)],
) -> Result<Request, Error> {
    if records.len() > MAX_BATCH {
        let count = records.len();
        return Err(Error::Invalid(format!(
            "associations are read for at most {MAX_BATCH} records, not {count}"
        )));
    }
    let input = |(id, after)| Input {
        id: AsRef::as_ref(id),
        after: Option::as_ref(after).map(AsRef::as_ref),
    };
    let inputs = records.iter().map(|(id, after)| input((id, after))).collect();
    Target::new(format!("{}/batch/read", version.associations(from, to))).read(&Inputs { inputs })
}

/// `GET {objects}/{from}/{id}/associations/{to}`
pub fn page(
    version: &ApiVersion,
    from: &str,
    id: &str,
    to: &str,
    after: Option<&str>,
) -> Result<Request, Error> {
    Target::new(version.associations_of(from, id, to))
        .pair("limit", &MAX_PAGE.to_string())
        .optional("after", after)
        .get()
}

/// `GET {associations}/{from}/{to}/labels`
pub fn labels(version: &ApiVersion, from: &str, to: &str) -> Result<Request, Error> {
    Target::new(format!("{}/labels", version.associations(from, to))).get()
}

/// `POST /crm/v3/associations/{from}/{to}/batch/read`: the older form, with types as words and at most 100
/// associations a record. It has no dated path.
pub fn batch_read_v3(from: &str, to: &str, ids: &[impl AsRef<str>]) -> Result<Request, Error> {
    super::batches::check_size("associations are read", ids.len(), MAX_BATCH)?;
    let inputs = ids.iter().map(|id| Input {
        id: id.as_ref(),
        after: None,
    });
    Target::new("/crm/v3/associations".to_owned())
        .segment(from)
        .segment(to)
        .segment("batch")
        .segment("read")
        .read(&Inputs {
            inputs: inputs.collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn a_batch_carries_each_records_own_cursor() {
        let records = [("1", None), ("2", Some("MC0y"))];
        assert_eq!(
            text(&batch_read(&ApiVersion::default(), "contacts", "deals", &records).unwrap()),
            "POST /crm/associations/2026-03/contacts/0-3/batch/read \
             {\"inputs\":[{\"id\":\"1\"},{\"id\":\"2\",\"after\":\"MC0y\"}]}"
        );
    }

    #[test]
    fn a_batch_of_more_than_a_thousand_is_refused_here() {
        let records: Vec<(String, Option<String>)> = (0..1001).map(|n| (n.to_string(), None)).collect();
        let error = batch_read(&ApiVersion::Numbered, "contacts", "deals", &records).unwrap_err();
        assert!(error.to_string().contains("at most 1000"), "{error}");
    }

    #[test]
    fn the_older_form_has_one_path() {
        assert_eq!(
            text(&batch_read_v3("contacts", "deals", &["1"]).unwrap()),
            "POST /crm/v3/associations/contacts/deals/batch/read {\"inputs\":[{\"id\":\"1\"}]}"
        );
    }

    #[test]
    fn one_record_is_read_in_long_pages() {
        assert_eq!(
            text(&page(&ApiVersion::Numbered, "deals", "7", "contacts", Some("x=")).unwrap()),
            "GET /crm/v4/objects/deals/7/associations/contacts?limit=500&after=x%3D"
        );
    }

    #[test]
    fn labels_belong_to_a_pair_of_types() {
        assert_eq!(
            text(&labels(&ApiVersion::Numbered, "contacts", "companies").unwrap()),
            "GET /crm/v4/associations/contacts/companies/labels"
        );
    }
}
