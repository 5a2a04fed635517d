//! What is done with the rows of a file: which records they find, which column sets which property.

use super::problem::Problem;
use super::request::{AskedFile, ImportRequest, Mapping};
use crate::failure::Failure;
use crate::state::associations::TypeIndex;
use crate::state::object_type::Required;
use crate::state::portal::Portal;
use crate::state::store::Store;

/// `importOperations` of the file's object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Upsert,
}

/// The order of day, month and year in dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateOrder {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
}

/// What a row finds its record by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    RecordId,
    Unique,
}

/// A column that is written.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its place in the file.
    pub(crate) at: usize,
    pub(crate) property: String,
    pub(crate) key: Option<KeyKind>,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) of: TypeIndex,
    pub(crate) operation: Operation,
    pub(crate) dates: DateOrder,
    pub(crate) columns: Vec<Column>,
    /// Columns of the file, written or not.
    pub(crate) width: usize,
    pub(crate) has_header: bool,
}

impl Plan {
    /// What HubSpot finds out when a file arrives is a [`Failure`]; what it finds out later, and ends the import with,
    /// is a [`Problem`].
    pub(crate) fn new(
        portal: &Portal,
        request: &ImportRequest,
        first_row: &[String],
    ) -> Result<Result<Self, Problem>, Failure> {
        let file = request.file()?;
        let mappings = &file.file_import_page.column_mappings;
        let name = &mappings[0].column_object_type_id;
        let of = portal.type_index(name)?;
        let store = portal.store(of);
        let operation = operation(request, store)?;
        let has_key = mappings.iter().any(|mapping| key_kind(store, mapping).is_some());
        if operation == Operation::Update && !has_key {
            let message = "An import that updates needs a column that identifies the records";
            return Err(Failure::validation(message));
        }
        if operation == Operation::Create {
            check_required(store, mappings)?;
        }
        let dates = dates(request, file)?;
        Ok(columns(store, file, first_row).map(|columns| Self {
            of,
            operation,
            dates,
            columns,
            width: first_row.len(),
            has_header: file.file_import_page.has_header,
        }))
    }

    pub(super) fn key(&self) -> Option<(&Column, KeyKind)> {
        let keyed = |wanted: KeyKind| {
            let fits = move |column: &&Column| column.key == Some(wanted);
            self.columns.iter().find(fits).map(|column| (column, wanted))
        };
        keyed(KeyKind::RecordId).or_else(|| keyed(KeyKind::Unique))
    }
}

/// Without a word an import creates and updates (documented).
fn operation(request: &ImportRequest, store: &Store) -> Result<Operation, Failure> {
    let named = store.object_type.aliases();
    let asked = request
        .import_operations
        .iter()
        .find(|(name, _)| named.contains(&name.as_str()));
    match asked.map(|(_, word)| word.as_str()) {
        None | Some("UPSERT") => Ok(Operation::Upsert),
        Some("CREATE") => Ok(Operation::Create),
        Some("UPDATE") => Ok(Operation::Update),
        Some(other) => Err(Failure::validation(format!(
            "Invalid value for importOperations: {other}"
        ))),
    }
}

/// `MONTH_DAY_YEAR` unless something else is asked for (documented).
fn dates(request: &ImportRequest, file: &AskedFile) -> Result<DateOrder, Failure> {
    let asked = request.date_format.as_ref().or(file.date_format.as_ref());
    match asked.map(String::as_str) {
        None | Some("MONTH_DAY_YEAR") => Ok(DateOrder::MonthDayYear),
        Some("DAY_MONTH_YEAR") => Ok(DateOrder::DayMonthYear),
        Some("YEAR_MONTH_DAY") => Ok(DateOrder::YearMonthDay),
        Some(other) => Err(Failure::validation(format!(
            "Invalid value for dateFormat: {other}"
        ))),
    }
}

/// A contact is found by its e-mail address also where the request does not say so (documented for imports).
fn key_kind(store: &Store, mapping: &Mapping) -> Option<KeyKind> {
    let property = mapping.property_name.as_deref()?;
    match mapping.column_type.as_deref() {
        Some("HUBSPOT_OBJECT_ID") => Some(KeyKind::RecordId),
        Some("HUBSPOT_ALTERNATE_ID") => Some(KeyKind::Unique),
        _ if store.object_type.plural == "contacts" && property == "email" => Some(KeyKind::Unique),
        _ => None,
    }
}

/// An import that creates and maps no column for a required property is refused (hubspot-api notes §6.2).
fn check_required(store: &Store, mappings: &[Mapping]) -> Result<(), Failure> {
    let is_mapped = |name: &String| {
        let mut names = mappings
            .iter()
            .filter_map(|mapping| mapping.property_name.as_ref());
        names.any(|mapped| mapped == name)
    };
    let missing: Vec<String> = match &store.object_type.required {
        Required::All(names) => names.iter().filter(|name| !is_mapped(name)).cloned().collect(),
        Required::AnyOf(names) if names.iter().any(is_mapped) => Vec::new(),
        Required::AnyOf(names) => names.clone(),
    };
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Required properties are not mapped: {}", missing.join(", "));
    Err(Failure::validation(message).context("properties", missing))
}

/// Finds each mapped column in the file. That what is not there ends the import, and does not refuse the upload, is
/// believed.
fn columns(store: &Store, file: &AskedFile, first_row: &[String]) -> Result<Vec<Column>, Problem> {
    let page = &file.file_import_page;
    let mut columns = Vec::new();
    for (place, mapping) in page.column_mappings.iter().enumerate() {
        let at = match page.has_header {
            true => first_row.iter().position(|name| *name == mapping.column_name),
            false => Some(place).filter(|place| *place < first_row.len()),
        };
        let at = at.ok_or_else(|| {
            let message = format!("The file has no column {}", mapping.column_name);
            Problem::new("INVALID_COLUMN_CONFIGURATION", message)
        })?;
        let Some(property) = mapping.property_name.clone() else {
            continue;
        };
        let key = key_kind(store, mapping);
        check_property(store, &property, key).map_err(|problem| problem.at(at, &property))?;
        columns.push(Column { at, property, key });
    }
    Ok(columns)
}

fn check_property(store: &Store, name: &str, key: Option<KeyKind>) -> Result<(), Problem> {
    let Some(index) = store.properties.index(name) else {
        let message = format!("Property \"{name}\" does not exist");
        return Err(Problem::new("PROPERTY_DEFINITION_NOT_FOUND", message));
    };
    let problem = |message| Problem::new("INVALID_COLUMN_CONFIGURATION", message);
    match key {
        Some(KeyKind::Unique) if !store.is_unique(index) => {
            Err(problem(format!("The values of {name} are not unique")))
        }
        Some(KeyKind::RecordId) if name != "hs_object_id" => {
            Err(problem(format!("{name} is not the record id")))
        }
        _ => Ok(()),
    }
}
