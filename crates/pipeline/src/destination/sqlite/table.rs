//! A stream's table: its columns and the statements that change it. Only texts are made here.

use std::collections::HashMap;

use opencdc::{DataType, Error, ErrorKind, Result, Stream};

use super::columns::{self, ARCHIVED_AT, Column, EXTRA, MERGED_INTO, RAW, Remembered, SYNCED_AT, sql_type};
use super::config::Deletes;
use super::payload::Paths;
use super::rows::Plan;

/// A table as this run uses it.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    pub(super) stream: Stream,
    /// One for every field of the catalog, in its order.
    pub(super) fields: Vec<Column>,
    /// For each field its parameter in [`Statements::upsert`], counted from 0; `None` for one in [`EXTRA`].
    pub(super) parameters: Vec<Option<u16>>,
    /// The parameter of [`SYNCED_AT`] in the upsert; those of [`RAW`] and [`EXTRA`] follow.
    pub(super) synced_at: u16,
    /// Indices of the key's fields in `fields`, in the key's order.
    pub(super) key: Vec<usize>,
    /// Index of the field that says whether a record is archived.
    pub(super) archived: Option<usize>,
    /// Our own columns with their types, in their order.
    pub(super) ours: Vec<(&'static str, &'static str)>,
    pub(super) statements: Statements,
    /// Where the values of all fields but the key stand in the payload.
    pub(super) payload: Paths,
    /// Where the values of the key stand in a record's key.
    pub(super) key_paths: Paths,
}

/// The statements of a table.
#[derive(Debug, Default)]
pub(super) struct Statements {
    /// Parameters: the fields with columns, `_synced_at`, `_raw`, and `_extra` when there is one.
    pub(super) upsert: String,
    /// As `upsert`, also over a newer version.
    pub(super) replace: String,
    /// Parameters: the key, `_synced_at`, `_archived_at`, `_merged_into`; a hard delete: the key.
    pub(super) delete: String,
    /// As `delete`, for a record that was erased.
    pub(super) purge: String,
    /// Finds a row that `purge` would have emptied or removed. Parameters: the key.
    pub(super) remains: String,
}

/// The name of a stream's table: the stream's, behind what the configuration puts before it. What SQLite and Spoke call
/// their own tables goes on behind a word, and NUL, which ends a text of SQL, becomes `_`.
pub(super) fn table_name(prefix: &str, stream: &Stream) -> String {
    let name = without_nul(&format!("{prefix}{}", stream.name));
    let lower = name.to_ascii_lowercase();
    match OURS.iter().any(|ours| lower.starts_with(ours)) {
        true => format!("stream_{name}"),
        false => name,
    }
}

/// How the names of SQLite's own tables and of Spoke's begin.
const OURS: [&str; 2] = ["sqlite_", "_spoke_"];

/// A name that a statement can hold.
pub(super) fn without_nul(name: &str) -> String {
    name.replace('\0', "_")
}

/// Refuses two streams of one table: names compare without case in SQLite.
///
/// # Errors
/// [`ErrorKind::Configuration`], naming both.
pub(super) fn check_apart(prefix: &str, streams: &[Stream]) -> Result<()> {
    let mut taken: HashMap<String, &Stream> = HashMap::new();
    for stream in streams {
        let name = table_name(prefix, stream);
        if let Some(other) = taken.insert(name.to_ascii_lowercase(), stream) {
            let message = format!(
                "the streams `{}` and `{}` would share the table `{}`: SQLite does not tell their names apart",
                other.name.as_str().escape_debug(),
                stream.name.as_str().escape_debug(),
                name
            );
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint("rename one of them, or give each a pipeline with a `table_prefix` of its own"));
        }
    }
    Ok(())
}

impl Table {
    /// The table `name` of `stream`; see [`table_name`].
    pub(super) fn new(name: String, stream: &Stream, remembered: &[Remembered], deletes: Deletes) -> Self {
        let fields = columns::assign(stream, remembered);
        let named = |name: &String| stream.fields.iter().position(|field| field.name == *name);
        let key: Vec<_> = stream.key.iter().filter_map(named).collect();
        let parameters = parameters(&fields);
        let mut table = Self {
            synced_at: parameters.iter().flatten().max().map_or(0, |last| last + 1),
            parameters,
            archived: stream.archived.as_ref().and_then(named),
            ours: Vec::new(),
            statements: Statements::default(),
            payload: payload_paths(&fields, &key),
            key_paths: key_paths(stream, &key),
            name,
            stream: stream.clone(),
            fields,
            key,
        };
        table.ours = table.our_columns();
        table.statements = Statements {
            upsert: table.upsert() + &table.unless_newer(),
            replace: table.upsert(),
            delete: table.delete(deletes),
            purge: table.purge(deletes),
            remains: table.remains(deletes),
        };
        table
    }

    /// The same with the types that its columns have had so far: what a file holds that was not prepared since.
    pub(super) fn typed_as(mut self, remembered: &[Remembered]) -> Self {
        for column in &mut self.fields {
            let before = remembered
                .iter()
                .find(|before| before.identity == column.identity);
            column.data_type = before.map_or(column.data_type, |before| before.data_type);
        }
        self
    }

    /// The table's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a value of this field that its cell says less exactly has said nothing more that counts.
    pub(super) fn is_exact_enough(&self, field: usize) -> bool {
        self.stream.milliseconds && self.fields[field].data_type == DataType::Timestamp
    }

    /// The fields with a column of their own.
    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.fields.iter().filter(|column| !column.is_extra())
    }

    pub(super) fn has_extra(&self) -> bool {
        self.fields.iter().any(Column::is_extra)
    }

    /// The column of the field `name`, or our own column of that name.
    pub(super) fn column_called<'a>(&'a self, name: &'a str) -> &'a str {
        let index = self.stream.fields.iter().position(|field| field.name == name);
        index.map_or(name, |index| &self.fields[index].name)
    }

    fn has_field(&self, name: &str) -> bool {
        self.stream.field(name).is_some()
    }

    fn our_columns(&self) -> Vec<(&'static str, &'static str)> {
        let mut ours = Vec::new();
        if self.archived.is_some() {
            let marks = [ARCHIVED_AT, MERGED_INTO].into_iter();
            ours.extend(
                marks
                    .filter(|name| !self.has_field(name))
                    .map(|name| (name, "TEXT")),
            );
        }
        ours.extend([(SYNCED_AT, "TEXT"), (RAW, "TEXT")]);
        if self.has_extra() {
            ours.push((EXTRA, "TEXT"));
        }
        ours
    }

    pub(super) fn key_columns(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|index| self.fields[*index].name.as_str())
    }

    /// A rowid table: rows are wide, and a `WITHOUT ROWID` table keeps only a quarter of a page of each row
    /// in place.
    pub(super) fn create(&self) -> String {
        let fields = self
            .columns()
            .map(|column| format!("{} {}", quote(&column.name), sql_type(column.data_type)));
        let ours = self
            .ours
            .iter()
            .map(|(name, sql_type)| format!("{name} {sql_type}"));
        let definitions: Vec<_> = fields.chain(ours).collect();
        format!(
            "CREATE TABLE {} (\n  {},\n  PRIMARY KEY ({})\n) STRICT",
            quote(self.name()),
            definitions.join(",\n  "),
            list(self.key_columns())
        )
    }

    fn upsert(&self) -> String {
        let fields: Vec<_> = self.columns().map(|column| column.name.as_str()).collect();
        let mut written = fields.clone();
        written.extend([SYNCED_AT, RAW]);
        if self.has_extra() {
            written.push(EXTRA);
        }
        let parameters: Vec<_> = (1..=written.len()).map(|n| format!("?{n}")).collect();
        let mut sets: Vec<_> = written
            .iter()
            .map(|name| format!("{0} = excluded.{0}", quote(name)))
            .collect();
        sets.extend(self.cleared_marks());
        format!(
            "INSERT INTO {} AS present ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            quote(self.name()),
            list(written.iter().copied()),
            parameters.join(", "),
            list(self.key_columns()),
            sets.join(", ")
        )
    }

    /// The greater version stays; one without a version is taken for new, so that it is not lost.
    fn unless_newer(&self) -> String {
        let guard = |version: &String| {
            let column = quote(self.column_called(version));
            format!(
                " WHERE present.{column} IS NULL OR excluded.{column} IS NULL \
                 OR excluded.{column} >= present.{column}"
            )
        };
        self.stream.version.as_ref().map_or_else(String::new, guard)
    }

    /// Marks of ours that a living record no longer bears.
    fn cleared_marks(&self) -> Vec<String> {
        let Some(archived) = self.archived else {
            return Vec::new();
        };
        let archived = quote(&self.fields[archived].name);
        let marks = self
            .ours
            .iter()
            .filter(|(name, _)| [ARCHIVED_AT, MERGED_INTO].contains(name));
        marks
            .map(|(name, _)| format!("{name} = CASE WHEN excluded.{archived} THEN present.{name} END"))
            .collect()
    }

    fn delete(&self, deletes: Deletes) -> String {
        match self.archived {
            Some(archived) if deletes == Deletes::Soft => self.mark(archived, &[]),
            _ => format!("DELETE FROM {} WHERE {}", quote(self.name()), self.where_key()),
        }
    }

    /// Leaves the key and what merging needs, and nothing that says anything about a person.
    fn purge(&self, deletes: Deletes) -> String {
        let Some(archived) = self.archived.filter(|_| deletes == Deletes::Soft) else {
            return match &self.stream.of {
                Some(_) => format!(
                    "DELETE FROM {} WHERE {} = ?1",
                    quote(self.name()),
                    self.first_key()
                ),
                None => self.delete(deletes),
            };
        };
        self.mark(archived, &self.erased(archived))
    }

    /// The columns of an erased record's row that say something about it.
    fn erased(&self, archived: usize) -> Vec<&str> {
        let keeps = |name: &str| {
            let stays = [ARCHIVED_AT, MERGED_INTO].map(|mark| self.column_called(mark));
            let version = self
                .stream
                .version
                .as_ref()
                .map(|version| self.column_called(version));
            self.key_columns().any(|key| key == name)
                || self.fields[archived].name == name
                || version == Some(name)
                || stays.contains(&name)
        };
        let mut erased: Vec<_> = self.columns().map(|column| column.name.as_str()).collect();
        erased.retain(|name| !keeps(name));
        erased.push(RAW);
        erased.extend(self.has_extra().then_some(EXTRA));
        erased
    }

    fn remains(&self, deletes: Deletes) -> String {
        let one = |rows: String| format!("SELECT 1 FROM {} WHERE {rows} LIMIT 1", quote(self.name()));
        let Some(archived) = self.archived.filter(|_| deletes == Deletes::Soft) else {
            return one(match &self.stream.of {
                Some(_) => format!("{} = ?1", self.first_key()),
                None => self.where_key(),
            });
        };
        let rows = match self.key[..] {
            [_] => format!("{} IN ({})", self.first_key(), self.merged_chain()),
            _ => self.where_key(),
        };
        // More than a thousand terms in one expression are too deep for SQLite, and more than 127 arguments too many.
        let erased = self.erased(archived);
        let values = erased
            .chunks(100)
            .map(|some| format!("coalesce({}, NULL) IS NOT NULL", list(some.iter().copied())));
        one(format!(
            "{rows} AND ({})",
            values.collect::<Vec<_>>().join(" OR ")
        ))
    }

    /// As [`Statements::remains`], also among the rows about what was merged into the record.
    pub(super) fn remains_with_merged(&self, of: &Self) -> String {
        let (table, key) = (quote(self.name()), self.first_key());
        format!(
            "SELECT 1 FROM {table} WHERE {key} IN ({}) LIMIT 1",
            of.merged_chain()
        )
    }

    fn first_key(&self) -> String {
        self.key_columns().next().map(quote).unwrap_or_default()
    }

    /// The table of the stream that this one's rows tell of, if it is there and its records can be merged.
    pub(super) fn of_made<'a>(&self, plan: &'a Plan, made: &[bool]) -> Option<&'a Table> {
        let index = *plan.by_stream.get(self.stream.of.as_ref()?)?;
        let table = &plan.tables[index];
        (made[index] && table.archived.is_some() && table.key.len() == 1).then_some(table)
    }

    /// As [`Statements::purge`], also of the rows about what was merged into the record.
    pub(super) fn purge_with_merged(&self, of: &Self) -> String {
        format!(
            "DELETE FROM {} WHERE {} IN ({})",
            quote(self.name()),
            self.first_key(),
            of.merged_chain()
        )
    }

    /// SQL for the keys of a record, the first parameter, and of all that were merged into it, one after the other.
    fn merged_chain(&self) -> String {
        let (table, key) = (quote(self.name()), self.first_key());
        let merged = quote(self.column_called(MERGED_INTO));
        format!(
            "WITH RECURSIVE chain(id) AS (VALUES (?1) UNION \
             SELECT {table}.{key} FROM {table} JOIN chain ON {table}.{merged} = chain.id) SELECT id FROM chain"
        )
    }

    fn mark(&self, archived: usize, erased: &[&str]) -> String {
        let first = self.key.len() + 1;
        let mut sets = vec![
            format!("{} = 1", quote(&self.fields[archived].name)),
            format!("{SYNCED_AT} = ?{first}"),
        ];
        for (mark, parameter) in [(ARCHIVED_AT, first + 1), (MERGED_INTO, first + 2)] {
            let column = quote(self.column_called(mark));
            sets.push(format!("{column} = coalesce(?{parameter}, {column})"));
        }
        sets.extend(erased.iter().map(|name| format!("{} = NULL", quote(name))));
        let rows = match (erased, &self.key[..]) {
            ([_, ..], [_]) => format!("{} IN ({})", self.first_key(), self.merged_chain()),
            _ => self.where_key(),
        };
        format!(
            "UPDATE {} SET {} WHERE {rows}",
            quote(self.name()),
            sets.join(", ")
        )
    }

    fn where_key(&self) -> String {
        let equal = |(n, name)| format!("{} = ?{}", quote(name), n + 1);
        self.key_columns()
            .enumerate()
            .map(equal)
            .collect::<Vec<_>>()
            .join(" AND ")
    }
}

fn parameters(fields: &[Column]) -> Vec<Option<u16>> {
    let mut next = 0;
    let parameter = |column: &Column| {
        (!column.is_extra()).then(|| {
            next += 1;
            next - 1
        })
    };
    fields.iter().map(parameter).collect()
}

fn payload_paths(fields: &[Column], key: &[usize]) -> Paths {
    let beside_key = fields
        .iter()
        .enumerate()
        .filter(|(index, _)| !key.contains(index));
    Paths::new(beside_key.map(|(index, column)| (index, column.path.as_slice())))
}

fn key_paths(stream: &Stream, key: &[usize]) -> Paths {
    let names = stream.key.iter().map(std::slice::from_ref);
    Paths::new(key.iter().copied().zip(names))
}

/// A name as SQL writes it, whatever is in it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(quote).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str) -> Stream {
        Stream::new(name, ["id"], Vec::new())
    }

    #[test]
    fn no_stream_takes_the_name_of_a_table_of_sqlites_or_of_ours() {
        let name = |name: &str| table_name("", &stream(name));
        assert_eq!(name("contacts"), "contacts");
        assert_eq!(name("_spoke_checkpoints"), "stream__spoke_checkpoints");
        assert_eq!(name("SQLite_master"), "stream_SQLite_master");
        assert_eq!(name("a\0b"), "a_b");
        assert_eq!(table_name("x_", &stream("sqlite_a")), "x_sqlite_a");
        assert_eq!(table_name("sqlite", &stream("_a")), "stream_sqlite_a");
    }

    #[test]
    fn two_streams_of_one_table_are_refused_and_both_named() {
        assert!(check_apart("", &[stream("a"), stream("b")]).is_ok());
        let error = check_apart("", &[stream("Orders"), stream("b"), stream("orders")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("`Orders` and `orders`"), "{error}");
        let error = check_apart("", &[stream("a\0b"), stream("a_b")]).unwrap_err();
        assert!(error.to_string().contains(r"`a\0b`"), "{error}");
    }
}
