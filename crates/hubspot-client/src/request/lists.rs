//! Lists of records and who is in them (hubspot-api notes §2.6).

use http::Method;
use serde::Serialize;

use super::{Idempotency, Target};
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most lists one page of a search holds.
pub const MAX_SEARCH: u16 = 500;
/// The most members one page holds.
pub const MAX_MEMBERS: u16 = 250;

/// Which lists to find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListSearch {
    /// Part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// `MANUAL`, `DYNAMIC`, `SNAPSHOT`; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processing_types: Vec<String>,
    /// Type id of the records they hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_type_id: Option<String>,
    /// Where to go on.
    pub offset: u64,
    /// How many to find, at most [`MAX_SEARCH`]; nought: as many as that.
    pub count: u16,
}

impl ListSearch {
    /// `POST {lists}/search`
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        let count = if self.count == 0 { MAX_SEARCH } else { self.count };
        let search = Self {
            count,
            ..self.clone()
        };
        Target::new(version.lists()).segment("search").read(&search)
    }
}

/// A list to make.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewList {
    /// Its name, which no other list has.
    pub name: String,
    /// Type id of the records it holds, such as `0-1`.
    pub object_type_id: String,
    /// `MANUAL`: members are added and removed; `DYNAMIC`: those the filter finds; `SNAPSHOT`: those it found once.
    pub processing_type: String,
    /// The filter, in HubSpot's words; for lists that are not manual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_branch: Option<serde_json::Value>,
}

/// `POST {lists}`
pub fn create(version: &ApiVersion, list: &NewList) -> Result<Request, Error> {
    Target::new(version.lists()).write(Method::POST, Idempotency::Unsafe, list)
}

/// `GET {lists}/{id}`
pub fn get(version: &ApiVersion, id: &str) -> Result<Request, Error> {
    list(version, id)?.get()
}

/// `GET {lists}/{id}/memberships`: members in order of their ids.
pub fn members(version: &ApiVersion, id: &str, after: Option<&str>) -> Result<Request, Error> {
    list(version, id)?
        .segment("memberships")
        .pair("limit", &MAX_MEMBERS.to_string())
        .optional("after", after)
        .get()
}

/// `PUT {lists}/{id}/memberships/add`
pub fn add_members(version: &ApiVersion, id: &str, records: &[impl AsRef<str>]) -> Result<Request, Error> {
    change_members(version, id, "add", records)
}

/// `PUT {lists}/{id}/memberships/remove`
pub fn remove_members(version: &ApiVersion, id: &str, records: &[impl AsRef<str>]) -> Result<Request, Error> {
    change_members(version, id, "remove", records)
}

fn change_members(
    version: &ApiVersion,
    id: &str,
    word: &str,
    records: &[impl AsRef<str>],
) -> Result<Request, Error> {
    let ids: Vec<_> = records.iter().map(AsRef::as_ref).collect();
    list(version, id)?
        .segment("memberships")
        .segment(word)
        .write(Method::PUT, Idempotency::Safe, &ids)
}

fn list(version: &ApiVersion, id: &str) -> Result<Target, Error> {
    Target::new(version.lists()).id("a list", id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    #[test]
    fn a_search_finds_as_many_as_it_may() {
        let search = ListSearch {
            query: Some("news".to_owned()),
            ..ListSearch::default()
        };
        assert_eq!(
            text(&search.request(&ApiVersion::default()).unwrap()),
            "POST /crm/lists/2026-03/search {\"query\":\"news\",\"offset\":0,\"count\":500}"
        );
    }

    #[test]
    fn a_list_is_made_once() {
        let list = NewList {
            name: "News".to_owned(),
            object_type_id: "0-1".to_owned(),
            processing_type: "MANUAL".to_owned(),
            filter_branch: None,
        };
        let request = create(&V3, &list).unwrap();
        assert_eq!(
            text(&request),
            "POST /crm/v3/lists {\"name\":\"News\",\"objectTypeId\":\"0-1\",\"processingType\":\"MANUAL\"}"
        );
        assert_eq!(Idempotency::of(&request), Idempotency::Unsafe);
        assert_eq!(text(&get(&V3, "7").unwrap()), "GET /crm/v3/lists/7");
    }

    #[test]
    fn members_are_read_added_and_removed() {
        assert_eq!(
            text(&members(&V3, "7", Some("x=")).unwrap()),
            "GET /crm/v3/lists/7/memberships?limit=250&after=x%3D"
        );
        assert_eq!(
            text(&add_members(&V3, "7", &["1", "2"]).unwrap()),
            "PUT /crm/v3/lists/7/memberships/add [\"1\",\"2\"]"
        );
        assert_eq!(
            text(&remove_members(&V3, "7", &["1"]).unwrap()),
            "PUT /crm/v3/lists/7/memberships/remove [\"1\"]"
        );
    }
}
