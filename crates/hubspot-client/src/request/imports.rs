//! Imports: one file, any number of records, worked through by HubSpot in its own time (hubspot-api notes §6.2).
//!
//! Starting one says nothing of what becomes of its rows. That is in its counters, and in its errors, which come in
//! pages once it is over. A start whose answer was lost may have started: give each import a name of its own, and look
//! for it in the list.

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use super::{Idempotency, Target};
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most lines one file may have. Whether the header is one of them is not documented; here it is.
pub const MAX_ROWS: usize = 1_048_576;
/// The most bytes one file may have.
pub const MAX_BYTES: usize = 512 << 20;
/// The most imports or errors that are asked for in one page.
pub const MAX_PAGE: u16 = 100;

/// What an import does with its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImportOperation {
    /// Makes records; a row whose record exists is refused.
    Create,
    /// Changes records; a row whose record does not exist is refused.
    Update,
    /// Changes the records that exist, makes the others.
    Upsert,
}

impl ImportOperation {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Upsert => "UPSERT",
        }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Values to set. An empty cell leaves the property as it is.
    Values,
    /// Ids of the records.
    RecordIds,
    /// Values of a unique property, which the records are found by.
    UniqueValues,
}

/// A column of the file; its header is the name of its property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// The property.
    pub property: String,
    /// What its cells are.
    pub kind: ColumnKind,
}

impl Column {
    /// A column of values to set.
    pub fn values(property: impl Into<String>) -> Self {
        Self {
            property: property.into(),
            kind: ColumnKind::Values,
        }
    }

    /// A column of record ids.
    pub fn record_ids() -> Self {
        Self {
            property: "hs_object_id".to_owned(),
            kind: ColumnKind::RecordIds,
        }
    }

    /// A column that records are found by.
    pub fn unique_values(property: impl Into<String>) -> Self {
        Self {
            property: property.into(),
            kind: ColumnKind::UniqueValues,
        }
    }

    fn mapping(&self, object_type_id: &str) -> Value {
        let mut mapping = json!({
            "columnObjectTypeId": object_type_id,
            "columnName": self.property,
            "propertyName": self.property,
        });
        match self.kind {
            ColumnKind::Values => {}
            ColumnKind::RecordIds => mapping["columnType"] = "HUBSPOT_OBJECT_ID".into(),
            ColumnKind::UniqueValues => mapping["columnType"] = "HUBSPOT_ALTERNATE_ID".into(),
        }
        mapping
    }
}

/// An import to start: a CSV file with a header, of records of one type. Days are written `2026-01-31`.
///
/// ```
/// use hubspot_client::{ApiVersion, request::imports::{Column, ImportOperation, NewImport}};
/// let import = NewImport {
///     name: "spring".to_owned(),
///     object_type_id: "0-1".to_owned(),
///     operation: ImportOperation::Upsert,
///     columns: vec![Column::unique_values("email"), Column::values("firstname")],
///     csv: "email,firstname\na@b.c,Ada\n".into(),
/// };
/// let request = import.request(&ApiVersion::default())?;
/// assert_eq!(request.uri(), "/crm/imports/2026-03");
/// # Ok::<(), hubspot_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImport {
    /// What people see in HubSpot, and what a lost import is found by: give each its own.
    pub name: String,
    /// The type's id, such as `0-1`.
    pub object_type_id: String,
    /// What to do with the rows.
    pub operation: ImportOperation,
    /// The columns, in the file's order.
    pub columns: Vec<Column>,
    /// The file, its header included.
    pub csv: Bytes,
}

const FILE_NAME: &str = "records.csv";

impl NewImport {
    /// `POST {imports}`, a form of two parts.
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        if self.csv.len() > MAX_BYTES {
            let length = self.csv.len();
            return Err(Error::Invalid(format!(
                "a file to import holds at most {MAX_BYTES} bytes, not {length}"
            )));
        }
        let boundary = boundary(&self.csv);
        let body = self.form(&boundary);
        let kind = format!("multipart/form-data; boundary={boundary}");
        Target::new(version.imports()).send(Method::POST, Idempotency::Unsafe, &kind, body)
    }

    fn form(&self, boundary: &str) -> Bytes {
        const PART: &str = "content-disposition: form-data; name=";
        let head = format!(
            "--{boundary}\r\n{PART}\"importRequest\"\r\ncontent-type: application/json\r\n\r\n{}\r\n\
             --{boundary}\r\n{PART}\"files\"; filename=\"{FILE_NAME}\"\r\ncontent-type: text/csv\r\n\r\n",
            self.import_request()
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        [head.as_bytes(), &self.csv, tail.as_bytes()].concat().into()
    }

    fn import_request(&self) -> Value {
        let mappings: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.mapping(&self.object_type_id))
            .collect();
        let operation = (self.object_type_id.clone(), self.operation.word().into());
        json!({
            "name": self.name,
            "importOperations": Map::from_iter([operation]),
            "dateFormat": "YEAR_MONTH_DAY",
            "files": [{
                "fileName": FILE_NAME,
                "fileFormat": "CSV",
                "fileImportPage": {"hasHeader": true, "columnMappings": mappings},
            }],
        })
    }
}

/// A line that the file does not hold.
fn boundary(file: &[u8]) -> String {
    let held = |line: &String| file.windows(line.len()).any(|part| part == line.as_bytes());
    let mut lines = (0_u64..).map(|n| format!("spoke-{n:016}"));
    lines.find(|line| !held(line)).expect("a file holds fewer lines")
}

/// `GET {imports}`: those that this app has started.
pub fn list(version: &ApiVersion, after: Option<&str>) -> Result<Request, Error> {
    Target::new(version.imports())
        .pair("limit", &MAX_PAGE.to_string())
        .optional("after", after)
        .get()
}

/// `GET {imports}/{id}`
pub fn get(version: &ApiVersion, id: &str) -> Result<Request, Error> {
    one(version, id)?.get()
}

/// `POST {imports}/{id}/cancel`; what is written stays. May be sent twice: the second finds nothing to cancel.
pub fn cancel(version: &ApiVersion, id: &str) -> Result<Request, Error> {
    one(version, id)?.segment("cancel").ask(&json!({}))
}

/// `GET {imports}/{id}/errors`, with HubSpot's words and the rows they are about.
pub fn errors(version: &ApiVersion, id: &str, after: Option<&str>) -> Result<Request, Error> {
    one(version, id)?
        .segment("errors")
        .pair("limit", &MAX_PAGE.to_string())
        .optional("after", after)
        .pair("includeErrorMessage", "true")
        .pair("includeRowData", "true")
        .get()
}

fn one(version: &ApiVersion, id: &str) -> Result<Target, Error> {
    Target::new(version.imports()).id("an import", id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    fn import(csv: &'static str) -> NewImport {
        NewImport {
            name: "spring".to_owned(),
            object_type_id: "0-1".to_owned(),
            operation: ImportOperation::Upsert,
            columns: vec![
                Column::record_ids(),
                Column::unique_values("email"),
                Column::values("firstname"),
            ],
            csv: csv.into(),
        }
    }

    #[test]
    fn a_start_is_a_form_of_the_request_and_the_file() {
        let request = import("hs_object_id,email,firstname\n7,a@b.c,Ada\n")
            .request(&V3)
            .unwrap();
        assert_eq!(
            request.headers()["content-type"],
            "multipart/form-data; boundary=spoke-0000000000000000"
        );
        let mapping = |name: &str, kind: &str| {
            format!(
                "{{\"columnName\":\"{name}\",\"columnObjectTypeId\":\"0-1\",{kind}\"propertyName\":\"{name}\"}}"
            )
        };
        let mappings = [
            mapping("hs_object_id", "\"columnType\":\"HUBSPOT_OBJECT_ID\","),
            mapping("email", "\"columnType\":\"HUBSPOT_ALTERNATE_ID\","),
            mapping("firstname", ""),
        ];
        assert_eq!(
            text(&request),
            format!(
                "POST /crm/v3/imports --spoke-0000000000000000\r\n\
                 content-disposition: form-data; name=\"importRequest\"\r\ncontent-type: application/json\r\n\r\n\
                 {{\"dateFormat\":\"YEAR_MONTH_DAY\",\"files\":[{{\"fileFormat\":\"CSV\",\
                 \"fileImportPage\":{{\"columnMappings\":[{}],\"hasHeader\":true}},\"fileName\":\"records.csv\"}}],\
                 \"importOperations\":{{\"0-1\":\"UPSERT\"}},\"name\":\"spring\"}}\r\n\
                 --spoke-0000000000000000\r\n\
                 content-disposition: form-data; name=\"files\"; filename=\"records.csv\"\r\n\
                 content-type: text/csv\r\n\r\n\
                 hs_object_id,email,firstname\n7,a@b.c,Ada\n\r\n--spoke-0000000000000000--",
                mappings.join(",")
            )
        );
        assert_eq!(Idempotency::of(&request), Idempotency::Unsafe);
    }

    #[test]
    fn no_file_can_end_the_form() {
        let file = "email\nspoke-0000000000000000\n--spoke-0000000000000001--\n";
        let request = import(file).request(&V3).unwrap();
        assert_eq!(
            request.headers()["content-type"],
            "multipart/form-data; boundary=spoke-0000000000000002"
        );
    }

    #[test]
    fn imports_are_listed_read_and_canceled() {
        let dated = ApiVersion::default();
        assert_eq!(
            text(&list(&dated, Some("7")).unwrap()),
            "GET /crm/imports/2026-03?limit=100&after=7"
        );
        assert_eq!(text(&get(&V3, "7").unwrap()), "GET /crm/v3/imports/7");
        assert_eq!(
            text(&cancel(&V3, "7").unwrap()),
            "POST /crm/v3/imports/7/cancel {}"
        );
        assert_eq!(
            text(&errors(&V3, "7", Some("100")).unwrap()),
            "GET /crm/v3/imports/7/errors?limit=100&after=100&includeErrorMessage=true&includeRowData=true"
        );
        assert!(get(&V3, "").is_err());
    }
}
