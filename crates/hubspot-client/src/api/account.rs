//! The account behind the token.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{client::Client, decode::Definition, error::Error, request};

/// Which account a token belongs to (hubspot-api notes §2.7).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccountDetails {
    /// The account's id, which is its hub id.
    #[serde(deserialize_with = "crate::record::id")]
    pub portal_id: String,
    /// `STANDARD`, `SANDBOX`, `DEVELOPER_TEST` and so on.
    pub account_type: Option<String>,
    /// Where midnight is when the daily limit resets.
    pub time_zone: Option<String>,
    /// Currency of amounts that name none.
    pub company_currency: Option<String>,
    /// Host of the account's pages for people.
    pub ui_domain: Option<String>,
    /// `na1`, `eu1` and so on.
    pub data_hosting_location: Option<String>,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Definition for AccountDetails {
    const MUST: &'static [&'static str] = &["portalId"];
}

impl Client {
    /// The account's details; the cheapest way to see whether a token works.
    pub async fn account(&self) -> Result<AccountDetails, Error> {
        let request = request::account::details(self.api_version())?;
        self.define(request).await
    }
}
