//! What fields there are and of which type, from the values that were seen. Pure.
//!
//! A type is only believed while every value keeps to it. The first one that does not widens it, and a field that
//! was never seen before is added; either is announced with the batch that shows it, so nothing is lost on the way.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opencdc::{Catalog, DataType, Field, Stream, StreamName};

/// What the first look since the last read showed. Whoever is given the catalog of that look and reads then is told of
/// everything that is different from it, also of what somebody else's look showed in between.
#[derive(Debug)]
pub(super) struct Seen<T>(Mutex<Option<T>>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Seen<T> {
    pub(super) fn look(&self, seen: &T) {
        self.lock().get_or_insert_with(|| seen.clone());
    }

    pub(super) fn take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Held for a statement.
    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The streams of a source, as far as they have been seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Schemas {
    streams: BTreeMap<StreamName, Schema>,
    changed: bool,
}

impl Schemas {
    /// The schema of `stream`, which is made when it is not there.
    pub(super) fn stream(&mut self, stream: &StreamName, key: &[String]) -> Observed<'_> {
        let Self { streams, changed } = self;
        if !streams.contains_key(stream) {
            *changed = true;
            streams.insert(stream.clone(), Schema::new(key));
        }
        let schema = streams.get_mut(stream).expect("it was just put there");
        Observed { schema, changed }
    }

    /// What the records of `stream` are identified by, once one was seen.
    pub(super) fn key(&self, stream: &StreamName) -> Option<&[String]> {
        self.streams.get(stream).map(|schema| &*schema.key)
    }

    pub(super) fn catalog(&self) -> Catalog {
        let streams = self.streams.iter();
        Catalog::new(streams.map(|(name, schema)| schema.stream(name)).collect())
    }

    /// The catalog, when it has changed since this was asked last.
    pub(super) fn news(&mut self) -> Option<Catalog> {
        std::mem::take(&mut self.changed).then(|| self.catalog())
    }
}

/// One stream's schema while values are shown to it.
pub(super) struct Observed<'a> {
    schema: &'a mut Schema,
    changed: &'a mut bool,
}

impl Observed<'_> {
    /// A field was seen, with a value of this type; `None` when the value was null.
    pub(super) fn field(&mut self, name: &str, seen: Option<DataType>) {
        *self.changed |= self.schema.observe(name, seen);
    }
}

#[derive(Debug, Clone)]
struct Schema {
    key: Vec<String>,
    /// `None` while nothing but null was seen.
    fields: Vec<(String, Option<DataType>)>,
    places: HashMap<String, usize>,
}

impl Schema {
    fn new(key: &[String]) -> Self {
        let mut schema = Self {
            key: key.to_vec(),
            fields: Vec::new(),
            places: HashMap::new(),
        };
        for name in key {
            schema.observe(name, None);
        }
        schema
    }

    /// Whether that changed anything.
    fn observe(&mut self, name: &str, seen: Option<DataType>) -> bool {
        let Some(place) = self.places.get(name) else {
            self.places.insert(name.to_owned(), self.fields.len());
            self.fields.push((name.to_owned(), seen));
            return true;
        };
        let known = &mut self.fields[*place].1;
        let both = match (*known, seen) {
            (known, None) => known,
            (None, seen) => seen,
            (Some(known), Some(seen)) => Some(wider(known, seen)),
        };
        std::mem::replace(known, both) != both
    }

    fn stream(&self, name: &StreamName) -> Stream {
        let field = |(name, data_type): &(String, Option<DataType>)| {
            Field::new(
                name.clone(),
                data_type.unwrap_or(DataType::String),
                [name.clone()],
            )
        };
        Stream::new(
            name.clone(),
            self.key.clone(),
            self.fields.iter().map(field).collect(),
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    fn types(schemas: &Schemas) -> Vec<(String, DataType)> {
        let stream = &schemas.catalog().streams[0];
        let fields = stream.fields.iter();
        fields
            .map(|field| (field.name.clone(), field.data_type))
            .collect()
    }

    fn see(schemas: &mut Schemas, values: &[(&str, Option<DataType>)]) -> bool {
        let mut stream = schemas.stream(&"rows".into(), &["id".to_owned()]);
        for (name, seen) in values {
            stream.field(name, *seen);
        }
        schemas.news().is_some()
    }

    #[test]
    fn a_type_is_believed_until_a_value_breaks_it_and_every_change_is_told_once() {
        use DataType::{Integer, Number, String};
        let mut schemas = Schemas::default();
        assert!(see(
            &mut schemas,
            &[("id", Some(Integer)), ("n", Some(Integer)), ("empty", None)]
        ));
        assert!(!see(&mut schemas, &[("id", Some(Integer)), ("n", None)]));
        assert!(see(&mut schemas, &[("n", Some(Number))]));
        assert!(!see(&mut schemas, &[("n", Some(Integer))]));
        assert!(see(&mut schemas, &[("n", Some(String)), ("new", Some(Number))]));
        let expected = [("id", Integer), ("n", String), ("empty", String), ("new", Number)];
        assert_eq!(types(&schemas), expected.map(|(name, t)| (name.to_owned(), t)));
    }

    #[test]
    fn a_stream_has_its_key_among_its_fields_before_a_row_was_seen() {
        let mut schemas = Schemas::default();
        schemas.stream(&"rows".into(), &["a".to_owned(), "b".to_owned()]);
        let stream = &schemas.catalog().streams[0];
        assert_eq!(stream.key, ["a", "b"]);
        assert!(stream.field("a").is_some() && stream.field("b").is_some());
    }
}
