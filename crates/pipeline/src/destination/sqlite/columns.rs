//! Which column a field gets, for ever: pure, from the catalog and what was decided before.

use std::collections::{HashMap, HashSet};

use opencdc::{DataType, Field, Stream};

use super::table::without_nul;

/// When the row was last written by us.
pub(super) const SYNCED_AT: &str = "_synced_at";
/// A JSON object of the values that their columns cannot hold, as the origin wrote them.
pub(super) const RAW: &str = "_raw";
/// A JSON object of the fields for which there is no column any more.
pub(super) const EXTRA: &str = "_extra";
/// When the record was archived, where the catalog has no such field.
pub(super) const ARCHIVED_AT: &str = "_archived_at";
/// The key of the record that this one was merged into, where the catalog has no such field.
pub(super) const MERGED_INTO: &str = "_merged_into";

/// A table of SQLite has at most 2,000 columns; some are ours, and a few are left for those who add their own.
const MAX_FIELD_COLUMNS: usize = 1_900;

/// What is remembered of a field: a row of `_spoke_columns`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remembered {
    /// See [`Column::identity`].
    pub(super) identity: String,
    pub(super) column: String,
    pub(super) data_type: DataType,
}

/// A field and its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The field's name; for a field that bears the name of an earlier one, its path.
    pub(super) identity: String,
    /// The column's name; [`EXTRA`] for a field without one of its own.
    pub(super) name: String,
    /// The widest type that the field has had.
    pub(super) data_type: DataType,
    /// Where the value stands in the payload.
    pub(super) path: Vec<String>,
}

impl Column {
    /// Whether it shares [`EXTRA`] with others.
    pub(super) fn is_extra(&self) -> bool {
        self.name == EXTRA
    }
}

/// The columns of the fields of `stream`, in their order.
///
/// Names compare without case in SQLite. The fields that merging needs take their names first, then those with
/// a leading `_`, then all others in order; a name that is taken gets the first free suffix of `_2`, `_3` and so on.
pub(super) fn assign(stream: &Stream, remembered: &[Remembered]) -> Vec<Column> {
    let identities = identities(stream);
    let known: HashMap<_, _> = remembered.iter().map(|r| (r.identity.as_str(), r)).collect();
    let mut names = Names::new(remembered);
    let mut columns: Vec<Option<Column>> = vec![None; stream.fields.len()];
    for index in by_claim(stream) {
        let (field, identity) = (&stream.fields[index], &identities[index]);
        let before = known.get(identity.as_str());
        columns[index] = Some(Column {
            identity: identity.clone(),
            name: before.map_or_else(|| names.give(&field.name), |before| before.column.clone()),
            data_type: before.map_or(field.data_type, |before| wider(before.data_type, field.data_type)),
            path: field.path.clone(),
        });
    }
    columns.into_iter().flatten().collect()
}

/// The order in which fields choose their names.
fn by_claim(stream: &Stream) -> Vec<usize> {
    let needed = |name: &String| {
        [&stream.version, &stream.archived]
            .into_iter()
            .flatten()
            .any(|it| it == name)
    };
    let claim = |field: &Field| match &field.name {
        name if stream.key.contains(name) => 0,
        name if needed(name) => 1,
        name if name.starts_with('_') => 2,
        _ => 3,
    };
    let mut order: Vec<_> = (0..stream.fields.len()).collect();
    // Stable: within a class the order of the catalog holds.
    order.sort_by_key(|index| claim(&stream.fields[*index]));
    order
}

/// What to remember each field by.
fn identities(stream: &Stream) -> Vec<String> {
    let mut seen = HashSet::new();
    let fields = stream.fields.iter();
    fields
        .map(|field| match seen.insert(field.name.as_str()) {
            true => field.name.clone(),
            false => field.path.join("."),
        })
        .collect()
}

/// The names of a table.
struct Names {
    taken: HashSet<String>,
    columns_left: usize,
}

impl Names {
    fn new(remembered: &[Remembered]) -> Self {
        let ours = [SYNCED_AT, RAW, EXTRA].map(str::to_owned);
        let columns = remembered.iter().filter(|before| before.column != EXTRA);
        let taken: HashSet<_> = columns.map(|before| before.column.to_ascii_lowercase()).collect();
        Self {
            columns_left: MAX_FIELD_COLUMNS.saturating_sub(taken.len()),
            taken: taken.into_iter().chain(ours).collect(),
        }
    }

    fn give(&mut self, wanted: &str) -> String {
        if self.columns_left == 0 {
            return EXTRA.to_owned();
        }
        self.columns_left -= 1;
        let wanted = without_nul(wanted);
        let suffixed = (2..).map(|n| format!("{wanted}_{n}"));
        let mut candidates = std::iter::once(wanted.clone()).chain(suffixed);
        let free = candidates.find(|name| self.taken.insert(name.to_ascii_lowercase()));
        free.expect("there are more suffixes than columns")
    }
}

/// A type that holds the values of both.
fn wider(a: DataType, b: DataType) -> DataType {
    match (a, b) {
        (a, b) if a == b => a,
        (DataType::Integer, DataType::Number) | (DataType::Number, DataType::Integer) => DataType::Number,
        _ => DataType::String,
    }
}

/// The type of a column in a `STRICT` table.
pub(super) fn sql_type(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Integer | DataType::Boolean => "INTEGER",
        DataType::Number => "REAL",
        DataType::String | DataType::Date | DataType::Timestamp | DataType::Json => "TEXT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(names: &[&str]) -> Stream {
        let field = |name: &&str| Field::new(*name, DataType::String, ["properties", *name]);
        Stream::new("contacts", ["id"], names.iter().map(field).collect())
    }

    fn names(columns: &[Column]) -> Vec<&str> {
        columns.iter().map(|column| column.name.as_str()).collect()
    }

    fn remember(columns: &[Column]) -> Vec<Remembered> {
        let one = |column: &Column| Remembered {
            identity: column.identity.clone(),
            column: column.name.clone(),
            data_type: column.data_type,
        };
        columns.iter().map(one).collect()
    }

    #[test]
    fn names_that_differ_in_case_get_suffixes_and_the_key_keeps_its_own() {
        let columns = assign(&stream(&["ID", "Id", "select", "id", "ID_2"]), &[]);
        assert_eq!(names(&columns), ["ID_2", "Id_3", "select", "id", "ID_2_2"]);
    }

    #[test]
    fn a_leading_underscore_comes_before_other_fields_but_not_before_our_columns() {
        let columns = assign(&stream(&["id", "_Updated_at", "_raw", "_updated_at"]), &[]);
        assert_eq!(names(&columns), ["id", "_Updated_at", "_raw_2", "_updated_at_2"]);
    }

    #[test]
    fn a_field_with_the_name_of_another_is_told_apart_by_its_path() {
        let columns = assign(&stream(&["id", "id"]), &[]);
        assert_eq!(names(&columns), ["id", "id_2"]);
        assert_eq!(columns[1].identity, "properties.id");
    }

    #[test]
    fn a_name_with_nul_is_one_that_a_statement_can_hold() {
        let columns = assign(&stream(&["id", "a\0b", "a_b"]), &[]);
        assert_eq!(names(&columns), ["id", "a_b", "a_b_2"]);
        assert_eq!(columns[1].identity, "a\0b");
    }

    #[test]
    fn what_was_decided_once_stays() {
        let first = assign(&stream(&["id", "Email"]), &[]);
        let second = assign(&stream(&["id", "email", "Email"]), &remember(&first));
        assert_eq!(names(&second), ["id", "email_2", "Email"]);
        let gone = assign(&stream(&["id", "EMAIL"]), &remember(&second));
        assert_eq!(
            names(&gone),
            ["id", "EMAIL_3"],
            "the columns of fields that are gone stay taken"
        );
    }

    #[test]
    fn fields_beyond_what_a_table_holds_share_one_column() {
        let many: Vec<_> = (0..2_500).map(|n| format!("p{n}")).collect();
        let all: Vec<_> = std::iter::once("id")
            .chain(many.iter().map(String::as_str))
            .collect();
        let columns = assign(&stream(&all), &[]);
        assert_eq!(
            columns.iter().filter(|column| !column.is_extra()).count(),
            MAX_FIELD_COLUMNS
        );
        let again = assign(&stream(&all), &remember(&columns));
        assert_eq!(again, columns);
    }

    #[test]
    fn types_widen_and_never_narrow() {
        use DataType::{Boolean, Date, Integer, Number, String, Timestamp};
        assert_eq!(wider(Integer, Number), Number);
        assert_eq!(wider(Number, Integer), Number);
        assert_eq!(wider(String, Integer), String);
        assert_eq!(wider(Boolean, Integer), String);
        assert_eq!(wider(Date, Timestamp), String);
        assert_eq!(wider(Date, Date), Date);
    }
}
