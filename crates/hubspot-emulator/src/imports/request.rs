//! `importRequest`: what an upload says of its files. What is not emulated is refused aloud.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::Failure;
use crate::state::portal::Portal;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportRequest {
    #[serde(default)]
    pub(crate) name: String,
    /// `CREATE`, `UPDATE` or `UPSERT` by object type.
    #[serde(default)]
    pub(super) import_operations: BTreeMap<String, String>,
    pub(super) date_format: Option<String>,
    #[serde(default)]
    create_contact_list_from_import: bool,
    #[serde(default)]
    list_memberships: Vec<serde_json::Value>,
    #[serde(default)]
    files: Vec<AskedFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskedFile {
    pub(crate) file_name: String,
    #[serde(default)]
    file_format: String,
    pub(super) file_import_page: Page,
    /// Where it stood before it became the whole request's.
    pub(super) date_format: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(default)]
    pub(super) has_header: bool,
    pub(super) column_mappings: Vec<Mapping>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mapping {
    #[serde(default)]
    pub(super) column_object_type_id: String,
    #[serde(default)]
    pub(super) column_name: String,
    pub(super) property_name: Option<String>,
    /// Older requests call it `idColumnType`.
    #[serde(alias = "idColumnType")]
    pub(super) column_type: Option<String>,
    foreign_key_type: Option<serde_json::Value>,
    to_column_object_type_id: Option<String>,
}

impl ImportRequest {
    pub(crate) fn read(text: &[u8]) -> Result<Self, Failure> {
        let request: Self = serde_json::from_slice(text)
            .map_err(|error| Failure::validation(format!("Invalid importRequest: {error}")))?;
        request.check()?;
        Ok(request)
    }

    /// The id of the object type that its rows are of.
    pub(crate) fn object_type_id(&self, portal: &Portal) -> Result<String, Failure> {
        let mapping = self.file()?.file_import_page.column_mappings.first();
        let name = mapping.map_or("", |mapping| mapping.column_object_type_id.as_str());
        let of = portal.type_index(name)?;
        Ok(portal.store(of).object_type.id.clone())
    }

    /// Its only file.
    pub(crate) fn file(&self) -> Result<&AskedFile, Failure> {
        match &self.files[..] {
            [file] => Ok(file),
            [] => Err(Failure::validation("An import needs a file")),
            _ => Err(not_emulated("an import of several files")),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        if self.name.is_empty() {
            return Err(Failure::validation("An import needs a name"));
        }
        if self.create_contact_list_from_import || !self.list_memberships.is_empty() {
            return Err(not_emulated("an import into a list"));
        }
        let file = self.file()?;
        match file.file_format.as_str() {
            "CSV" => {}
            "SPREADSHEET" => return Err(not_emulated("an import of a spreadsheet")),
            other => {
                return Err(Failure::validation(format!(
                    "Invalid value for fileFormat: {other}"
                )));
            }
        }
        file.file_import_page.check()
    }
}

impl Page {
    fn check(&self) -> Result<(), Failure> {
        let Some(first) = self.column_mappings.first() else {
            return Err(Failure::validation("A file needs column mappings"));
        };
        let types = |mapping: &Mapping| mapping.column_object_type_id != first.column_object_type_id;
        if self.column_mappings.iter().any(types) {
            return Err(not_emulated("a file of several object types"));
        }
        self.column_mappings.iter().try_for_each(Mapping::check)
    }
}

impl Mapping {
    fn check(&self) -> Result<(), Failure> {
        if self.foreign_key_type.is_some() || self.to_column_object_type_id.is_some() {
            return Err(not_emulated("an import of associations"));
        }
        match self.column_type.as_deref() {
            None | Some("HUBSPOT_OBJECT_ID" | "HUBSPOT_ALTERNATE_ID" | "STANDARD") => Ok(()),
            Some(known @ ("FLEXIBLE_ASSOCIATION_LABEL" | "ASSOCIATION_KEYS" | "EVENT_TIMESTAMP")) => {
                Err(not_emulated(&format!("a column of type {known}")))
            }
            Some(other) => Err(Failure::validation(format!(
                "Invalid value for columnType: {other}"
            ))),
        }
    }
}

fn not_emulated(what: &str) -> Failure {
    let message = format!("{what} is not emulated. The emulator answers 501 instead of making something up.");
    Failure::new(501, message).category("NOT_EMULATED")
}
