//! `/crm/v3/imports` and its dated twin: start, list, get, cancel, errors (hubspot-api notes §6.2).

use futures_util::{FutureExt, stream};
use http::Method;
use serde_json::{Map, Value, json};

use super::{Access, Answer, Route, route, upload};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::imports::{Import, ImportRequest, Plan, RowProblem};
use crate::reply::Reply;
use crate::time::iso;

const TOLL: Toll = Toll::General;
const ACCESS: Access = Access::Scope("crm.import");

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", TOLL, ACCESS, list),
    upload("", TOLL, ACCESS, start),
    route(Method::GET, "{id}", TOLL, ACCESS, get),
    route(Method::POST, "{id}/cancel", TOLL, ACCESS, cancel),
    route(Method::GET, "{id}/errors", TOLL, ACCESS, errors),
];

/// A file may have so many rows and bytes; more answers 429 (hubspot-api notes §6.2).
const MOST_ROWS: usize = 1_048_576;
const MOST_BYTES: usize = 512 << 20;

/// The parts of an upload.
#[derive(Default)]
struct Upload {
    request: Option<Vec<u8>>,
    /// Names and contents.
    files: Vec<(String, Vec<u8>)>,
}

/// Reads a `multipart/form-data` body, which is here already.
fn read_upload(call: &Call) -> Result<Upload, Failure> {
    let malformed = |error: multer::Error| Failure::validation(format!("Invalid multipart body: {error}"));
    let boundary = multer::parse_boundary(&call.content_type).map_err(malformed)?;
    let body = stream::iter([Ok::<_, std::convert::Infallible>(call.body.clone())]);
    let mut parts = multer::Multipart::new(body, boundary);
    let read = async {
        let mut upload = Upload::default();
        while let Some(part) = parts.next_field().await? {
            let file_name = part.file_name().map(str::to_owned);
            match (part.name(), file_name) {
                (Some("importRequest"), _) => upload.request = Some(part.bytes().await?.to_vec()),
                (Some("files"), Some(name)) => upload.files.push((name, part.bytes().await?.to_vec())),
                _ => {}
            }
        }
        Ok(upload)
    };
    // Nothing is waited for: the body is one piece.
    read.now_or_never()
        .unwrap_or_else(|| Ok(Upload::default()))
        .map_err(malformed)
}

/// The lines of a CSV file.
fn lines(content: &[u8]) -> Result<Vec<Vec<String>>, Failure> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(content);
    let owned = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    let lines: Result<Vec<_>, _> = reader.records().map(|line| line.map(owned)).collect();
    lines.map_err(|error| Failure::validation(format!("The file is not CSV: {error}")))
}

fn check_size(rows: usize, bytes: usize) -> Result<(), Failure> {
    if rows <= MOST_ROWS && bytes <= MOST_BYTES {
        return Ok(());
    }
    let message = format!("A file may have {MOST_ROWS} rows and {MOST_BYTES} bytes");
    Err(Failure::new(429, message).category("RATE_LIMITS"))
}

fn start(emulator: &Inner, call: &Call) -> Answer {
    let upload = read_upload(call)?;
    let text = upload
        .request
        .ok_or_else(|| Failure::validation("importRequest is missing"))?;
    let request = ImportRequest::read(&text)?;
    let wanted = &request.file()?.file_name;
    let file = upload.files.iter().find(|(name, _)| name == wanted);
    let (_, content) =
        file.ok_or_else(|| Failure::validation(format!("The file {wanted} was not uploaded")))?;
    check_size(0, content.len())?;
    let lines = lines(content)?;
    check_size(lines.len(), content.len())?;
    let portal = emulator.portal();
    let first_row = lines.first().map_or(&[][..], Vec::as_slice);
    let plan = Plan::new(&portal, &request, first_row)?;
    let of = request.object_type_id(&portal)?;
    let asked = serde_json::from_slice(&text).unwrap_or_default();
    let now = emulator.clock.now();
    let mut imports = emulator.imports();
    let make = |id| {
        Import::new(
            id,
            &call.app,
            (request.name.clone(), asked),
            (of, plan),
            lines,
            now,
        )
    };
    Ok(Reply::value(200, &import_json(imports.start(make)?)))
}

/// Imports of the caller's own, the newest first (the order is believed).
fn list(emulator: &Inner, call: &Call) -> Answer {
    let limit = call.limit(10, 100)?;
    let after: u64 = number(call, "after")?.unwrap_or(u64::MAX);
    let imports = emulator.imports();
    let mut rest = imports.of(&call.app).filter(|import| import.id < after);
    let page: Vec<&Import> = rest.by_ref().take(limit).collect();
    let results: Vec<Value> = page.iter().map(|import| import_json(import)).collect();
    let last = page.last().filter(|_| rest.next().is_some());
    Ok(Reply::value(
        200,
        &paged(call, &results, last.map(|import| import.id)),
    ))
}

fn number(call: &Call, name: &str) -> Result<Option<u64>, Failure> {
    let Some(text) = call.query(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let invalid = |_| Failure::validation(format!("Invalid value for {name}: {text}"));
    text.parse().map(Some).map_err(invalid)
}

fn paged(call: &Call, results: &[Value], after: Option<u64>) -> Value {
    let mut page = json!({"results": results});
    if let Some(after) = after.map(|after| after.to_string()) {
        page["paging"] = json!({"next": {"after": after, "link": call.next_link(&after)}});
    }
    page
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let imports = emulator.imports();
    let import = imports.find(&call.app, call.param(0))?;
    Ok(Reply::value(200, &import_json(import)))
}

fn cancel(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now();
    let mut imports = emulator.imports();
    let import = imports.find_mut(&call.app, call.param(0))?;
    if import.is_over() {
        let message = format!("The import {} is over: {}", import.id, import.state.name());
        return Err(Failure::validation(message));
    }
    import.cancel(now);
    let at = iso(now.wall);
    let done = json!({"status": "COMPLETE", "requestedAt": at, "startedAt": at, "completedAt": at});
    Ok(Reply::value(200, &done))
}

fn errors(emulator: &Inner, call: &Call) -> Answer {
    let limit = call.limit(100, 100)?;
    let after = number(call, "after")?.unwrap_or(0);
    let imports = emulator.imports();
    let import = imports.find(&call.app, call.param(0))?;
    let from = usize::try_from(after).unwrap_or(usize::MAX);
    let rest = import.problems.iter().enumerate().skip(from);
    let results: Vec<Value> = rest
        .take(limit)
        .map(|(place, problem)| error_json(import, place, problem, call))
        .collect();
    let next = from.saturating_add(results.len());
    let more = next < import.problems.len();
    Ok(Reply::value(
        200,
        &paged(call, &results, more.then_some(next as u64)),
    ))
}

fn import_json(import: &Import) -> Value {
    json!({
        "id": import.id.to_string(),
        "importName": import.name,
        "state": import.state.name(),
        "importSource": "API",
        "optOutImport": false,
        "mappedObjectTypeIds": [import.object_type_id()],
        "importRequestJson": import.request,
        "createdAt": iso(import.started.wall),
        "updatedAt": iso(import.updated),
        "metadata": {
            "objectLists": [],
            "fileIds": [file_id(import).to_string()],
            "counters": counters_json(import),
        },
    })
}

/// What is nought is left out (believed).
fn counters_json(import: &Import) -> Value {
    let counters = [
        ("TOTAL_ROWS", import.rows()),
        ("CREATED_OBJECTS", import.counters.created),
        ("UPDATED_OBJECTS", import.counters.updated),
        ("UNIQUE_OBJECTS_WRITTEN", import.unique_objects()),
        ("PROPERTY_VALUES_EMITTED", import.counters.values),
        ("ERRORS", import.problems.len()),
        ("MAPPED_COLUMNS", import.mapped_columns()),
        ("UNMAPPED_COLUMNS", import.unmapped_columns()),
    ];
    let told = counters.into_iter().filter(|(_, count)| *count > 0);
    let told: Map<String, Value> = told
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect();
    told.into()
}

fn file_id(import: &Import) -> u64 {
    100_000_000_000 + import.id
}

fn error_json(import: &Import, place: usize, of: &RowProblem, call: &Call) -> Value {
    let problem = &of.problem;
    let row_data: &[String] = if call.flag("includeRowData") {
        import.line(of.line)
    } else {
        &[]
    };
    let mut error = json!({
        "id": format!("{}{:08}", import.id, place),
        "createdAt": of.at,
        "errorType": problem.kind,
        "objectTypeId": import.object_type_id(),
        "sourceData": {
            "fileId": file_id(import),
            "lineNumber": of.line,
            "rowData": row_data,
            "additionalRowData": [],
            "containsEncryptedProperties": false,
        },
    });
    if let Some(value) = &problem.value {
        error["invalidValue"] = value.as_str().into();
        error["invalidValueToDisplay"] = value.as_str().into();
    }
    if let Some(column) = problem.column {
        error["knownColumnNumber"] = column.into();
    }
    if call.flag("includeErrorMessage") {
        error["errorMessage"] = problem.message.as_str().into();
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_too_many() {
        assert!(check_size(MOST_ROWS, MOST_BYTES).is_ok());
        for (rows, bytes) in [(MOST_ROWS + 1, 0), (0, MOST_BYTES + 1)] {
            assert_eq!(
                check_size(rows, bytes).map_err(|failure| failure.status),
                Err(429)
            );
        }
    }
}
