//! Lists of records and who is in them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    client::Client,
    decode::{self, Definition},
    error::{Error, Fault},
    http::Response,
    request::{
        self,
        lists::{ListSearch, NewList},
    },
};

/// A list of records (hubspot-api notes §2.6).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RecordList {
    /// Its id.
    #[serde(deserialize_with = "crate::record::id")]
    pub list_id: String,
    /// Its name.
    pub name: String,
    /// Type id of the records it holds.
    pub object_type_id: String,
    /// `MANUAL`, `DYNAMIC`, `SNAPSHOT`.
    pub processing_type: String,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One page of a search for lists.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RecordListPage {
    /// The lists of this page.
    pub lists: Vec<RecordList>,
    /// Where the next page begins.
    pub offset: u64,
    /// Whether there is a next page.
    pub has_more: bool,
    /// How many lists match.
    pub total: u64,
}

/// One page of the members of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberPage {
    /// The members, by id.
    pub members: Vec<Member>,
    /// Where the next page begins, if there is one.
    pub after: Option<String>,
}

/// A record in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Member {
    /// The record.
    #[serde(deserialize_with = "crate::record::id")]
    pub record_id: String,
    /// Since when.
    pub membership_timestamp: Option<String>,
}

/// What became of records that were to join or leave a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"), default)]
#[non_exhaustive]
pub struct MembersChanged {
    /// The records that joined.
    #[serde(rename(deserialize = "recordsIdsAdded"), alias = "recordIdsAdded")]
    pub added: Vec<RecordId>,
    /// The records that left.
    #[serde(rename(deserialize = "recordIdsRemoved"))]
    pub removed: Vec<RecordId>,
    /// Ids that HubSpot has no record for.
    #[serde(rename(deserialize = "recordIdsMissing"))]
    pub missing: Vec<RecordId>,
}

/// An id that HubSpot writes as a text or as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(#[serde(deserialize_with = "crate::record::id")] pub String);

/// HubSpot puts one list into a field of its own.
#[derive(Deserialize)]
#[serde(untagged)]
enum One {
    Wrapped { list: RecordList },
    Bare(RecordList),
}

impl From<One> for RecordList {
    fn from(one: One) -> Self {
        match one {
            One::Wrapped { list } | One::Bare(list) => list,
        }
    }
}

impl Definition for One {
    const MUST: &'static [&'static str] = &["listId"];

    fn check(value: &Value) -> Result<(), Fault> {
        RecordList::check(value.get("list").unwrap_or(value))
    }
}

impl Definition for RecordList {
    const MUST: &'static [&'static str] = &["listId"];
}

impl Definition for RecordListPage {
    const MUST: &'static [&'static str] = &["lists", "hasMore"];
}

impl Definition for MembersChanged {
    const MUST: &'static [&'static str] = &[];
}

impl Client {
    /// One page of the lists that match.
    pub async fn search_lists(&self, search: &ListSearch) -> Result<RecordListPage, Error> {
        let read = |response: &Response| {
            let page: RecordListPage = decode::definition(response.body())?;
            // The next page begins behind this one, so an empty one leads nowhere.
            match page.has_more && page.lists.is_empty() {
                true => Err(Fault::Lacks { member: "lists" }),
                false => Ok(page),
            }
        };
        self.fetch(search.request(self.api_version())?, read).await
    }

    /// One list.
    pub async fn list(&self, id: &str) -> Result<RecordList, Error> {
        let request = request::lists::get(self.api_version(), id)?;
        self.define::<One>(request).await.map(Into::into)
    }

    /// Makes a list.
    pub async fn create_list(&self, list: &NewList) -> Result<RecordList, Error> {
        let request = request::lists::create(self.api_version(), list)?;
        self.define::<One>(request).await.map(Into::into)
    }

    /// One page of up to 250 members of a list.
    pub async fn list_members(&self, id: &str, after: Option<&str>) -> Result<MemberPage, Error> {
        let request = request::lists::members(self.api_version(), id, after)?;
        let page = self
            .fetch(request, |response| decode::listed(response.body()))
            .await?;
        let (results, link) = page.split();
        let next = self.next(&format!("members of the list {id}"), link)?;
        Ok(MemberPage {
            members: results,
            after: next.map(|next| next.after),
        })
    }

    /// Puts records into a manual list.
    pub async fn add_list_members(
        &self,
        id: &str,
        records: &[impl AsRef<str>],
    ) -> Result<MembersChanged, Error> {
        let request = request::lists::add_members(self.api_version(), id, records)?;
        self.define(request).await
    }

    /// Takes records out of a manual list.
    pub async fn remove_list_members(
        &self,
        id: &str,
        records: &[impl AsRef<str>],
    ) -> Result<MembersChanged, Error> {
        let request = request::lists::remove_members(self.api_version(), id, records)?;
        self.define(request).await
    }
}
