//! Imports: how far they are, what they did, and what was wrong with their rows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::Client,
    decode::{Definition, Listed},
    error::Error,
    request::{self, imports::NewImport},
};

/// An import (hubspot-api notes §6.2).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Import {
    /// Its id.
    #[serde(deserialize_with = "crate::record::id")]
    pub id: String,
    /// What it was named when it was started.
    #[serde(rename = "importName")]
    pub name: String,
    /// How far it is.
    pub state: ImportState,
    metadata: Metadata,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Metadata {
    counters: BTreeMap<String, u64>,
}

impl Import {
    /// One of HubSpot's counters, such as `TOTAL_ROWS`; nought if HubSpot does not tell it.
    pub fn counter(&self, name: &str) -> u64 {
        self.metadata.counters.get(name).copied().unwrap_or(0)
    }

    /// Records that were made so far.
    pub fn created(&self) -> u64 {
        self.counter("CREATED_OBJECTS")
    }

    /// Records that were changed so far.
    pub fn updated(&self) -> u64 {
        self.counter("UPDATED_OBJECTS")
    }
}

/// How far an import is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
#[non_exhaustive]
pub enum ImportState {
    /// It waits for its turn.
    #[default]
    Started,
    /// It writes rows.
    Processing,
    /// It has seen every row.
    Done,
    /// It gave up.
    Failed,
    /// Somebody ended it.
    Canceled,
    /// It waits until others have ended.
    Deferred,
    /// Somebody took back what it wrote.
    Reverted,
    /// A state that this crate does not know, in HubSpot's word.
    Other(String),
}

impl From<String> for ImportState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "STARTED" => Self::Started,
            "PROCESSING" => Self::Processing,
            "DONE" => Self::Done,
            "FAILED" => Self::Failed,
            "CANCELED" => Self::Canceled,
            "DEFERRED" => Self::Deferred,
            "REVERTED" => Self::Reverted,
            _ => Self::Other(word),
        }
    }
}

impl ImportState {
    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Canceled | Self::Reverted)
    }
}

/// One page of imports.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ImportPage {
    /// The imports.
    pub imports: Vec<Import>,
    /// Where the next page begins, if there is one.
    pub after: Option<String>,
}

/// Something that was wrong with an import: a value, a row, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ImportError {
    /// HubSpot's kind of error, such as `INVALID_EMAIL`.
    pub error_type: String,
    /// HubSpot's words.
    #[serde(rename = "errorMessage")]
    pub message: Option<String>,
    /// The value that was wrong, as the file has it.
    #[serde(rename = "invalidValue")]
    pub value: Option<String>,
    /// The column, counted from 0.
    #[serde(rename = "knownColumnNumber")]
    pub column: Option<usize>,
    source_data: SourceData,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SourceData {
    line_number: u64,
    #[serde(deserialize_with = "cells")]
    row_data: Vec<String>,
}

/// A cell without a value may be empty or null.
fn cells<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let cells = Vec::<Option<String>>::deserialize(deserializer)?;
    Ok(cells.into_iter().map(Option::unwrap_or_default).collect())
}

impl ImportError {
    /// The line of the file, counted from 1; 0 is the whole file (documented).
    pub fn line(&self) -> u64 {
        self.source_data.line_number
    }

    /// The cells of the row; none where HubSpot does not tell them.
    pub fn row(&self) -> &[String] {
        &self.source_data.row_data
    }

    /// Whether the rest of the row was written without the value. HubSpot's help pages say so of options; that other
    /// values which cannot be read are treated alike is believed. Of any other error the row was not written.
    pub fn leaves_out_a_value(&self) -> bool {
        matches!(
            self.error_type.as_str(),
            "INVALID_ENUMERATION_OPTION"
                | "AMBIGUOUS_ENUMERATION_OPTION"
                | "COULD_NOT_PARSE_DATE"
                | "COULD_NOT_PARSE_NUMBER"
                | "COULD_NOT_PARSE_TERM"
                | "INVALID_NUMBER_SIZE"
                | "COULD_NOT_FIND_OWNER"
                | "MULTIPLE_OWNERS_FOUND"
        )
    }
}

/// One page of what was wrong with an import.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ImportErrorPage {
    /// The errors.
    pub errors: Vec<ImportError>,
    /// Where the next page begins, if there is one.
    pub after: Option<String>,
}

impl Definition for Import {
    const MUST: &'static [&'static str] = &["id"];
}

impl Definition for ImportError {
    const MUST: &'static [&'static str] = &[];
}

impl Client {
    /// Starts an import. When its answer was lost, it may have been started; look for its name in the
    /// [list](Client::imports) before starting it again.
    pub async fn start_import(&self, import: &NewImport) -> Result<Import, Error> {
        self.define(import.request(self.api_version())?).await
    }

    /// How far an import is.
    pub async fn import(&self, id: &str) -> Result<Import, Error> {
        let request = request::imports::get(self.api_version(), id)?;
        self.define(request).await
    }

    /// One page of the imports that this app has started.
    pub async fn imports(&self, after: Option<&str>) -> Result<ImportPage, Error> {
        let request = request::imports::list(self.api_version(), after)?;
        let (imports, link) = self.define::<Listed<_>>(request).await?.split();
        let after = self.next("imports", link)?.map(|next| next.after);
        Ok(ImportPage { imports, after })
    }

    /// Ends an import; what it has written stays.
    pub async fn cancel_import(&self, id: &str) -> Result<(), Error> {
        let request = request::imports::cancel(self.api_version(), id)?;
        self.done(request).await
    }

    /// One page of what was wrong with an import.
    pub async fn import_errors(&self, id: &str, after: Option<&str>) -> Result<ImportErrorPage, Error> {
        let request = request::imports::errors(self.api_version(), id, after)?;
        let (errors, link) = self.define::<Listed<_>>(request).await?.split();
        let after = self.next(&format!("errors of the import {id}"), link)?;
        Ok(ImportErrorPage {
            errors,
            after: after.map(|next| next.after),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_is_new_is_not_an_end() {
        let state = |word: &str| ImportState::from(word.to_owned());
        assert!(state("DONE").is_over() && state("FAILED").is_over() && state("CANCELED").is_over());
        assert!(!state("DEFERRED").is_over());
        assert_eq!(state("PAUSED"), ImportState::Other("PAUSED".to_owned()));
        assert!(!state("PAUSED").is_over());
    }

    #[test]
    fn an_error_is_read_with_what_hubspot_tells() {
        let text = r#"{"id":"1","createdAt":5,"errorType":"INVALID_EMAIL","invalidValue":"x","knownColumnNumber":2,
            "sourceData":{"lineNumber":7,"rowData":["x",null],"fileId":3}}"#;
        let error: ImportError = serde_json::from_str(text).unwrap();
        assert_eq!((error.line(), error.row().len(), error.column), (7, 2, Some(2)));
        assert!(!error.leaves_out_a_value());
        let bare: ImportError = serde_json::from_str(r#"{"errorType":"COULD_NOT_PARSE_DATE"}"#).unwrap();
        assert_eq!((bare.line(), bare.leaves_out_a_value()), (0, true));
    }
}
