//! The wanted values of a JSON object, found in one pass over its text, without building a tree of it.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Where the wanted values stand: a tree of object keys.
#[derive(Debug, Default)]
pub(super) struct Paths {
    root: Node,
    nodes: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// Place in [`Learned`].
    id: usize,
    keys: Vec<Key>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct Key {
    name: String,
    /// The fields whose value stands here; mostly one or none.
    fields: Vec<usize>,
    below: Option<Node>,
}

impl Paths {
    /// Field number `i` stands at `paths[i]`.
    pub(super) fn new<'a>(paths: impl IntoIterator<Item = (usize, &'a [String])>) -> Self {
        let mut new = Self {
            root: Node::default(),
            nodes: 1,
        };
        for (field, path) in paths {
            if let Some((last, above)) = path.split_last() {
                let node = above.iter().fold(&mut new.root, |node, name| {
                    node.key(name).below.get_or_insert_with(|| {
                        new.nodes += 1;
                        Node {
                            id: new.nodes - 1,
                            ..Node::default()
                        }
                    })
                });
                node.key(last).fields.push(field);
            }
        }
        new
    }

    /// Calls `found` with the field and the JSON text of every wanted value in `text`.
    ///
    /// # Errors
    /// When `text` is not one JSON object.
    pub(super) fn read(
        &self,
        text: &str,
        learned: &mut Learned,
        found: &mut dyn FnMut(usize, &str),
    ) -> serde_json::Result<()> {
        if !text.trim_ascii_start().starts_with('{') {
            return Err(serde_json::Error::custom("it is not a JSON object"));
        }
        learned.nodes.resize_with(self.nodes, Vec::new);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let node = &self.root;
        Object { node, learned, found }.deserialize(&mut deserializer)?;
        deserializer.end()
    }
}

impl Node {
    fn key(&mut self, name: &str) -> &mut Key {
        let next = self.keys.len();
        let index = *self.by_name.entry(name.to_owned()).or_insert(next);
        if index == next {
            self.keys.push(Key {
                name: name.to_owned(),
                fields: Vec::new(),
                below: None,
            });
        }
        &mut self.keys[index]
    }
}

/// Which key followed which in the last object: records of one source come with their keys in the same order,
/// so one comparison mostly finds what would cost a hash.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// For each node, the key expected after each key; the first entry is for the start.
    nodes: Vec<Vec<usize>>,
}

impl Learned {
    fn expected(&self, node: usize, after: usize) -> usize {
        self.nodes[node].get(after).copied().unwrap_or(after)
    }

    fn note(&mut self, node: usize, after: usize, came: usize) {
        let follows = &mut self.nodes[node];
        while follows.len() <= after {
            follows.push(follows.len());
        }
        follows[after] = came;
    }
}

/// Reads one object.
struct Object<'a> {
    node: &'a Node,
    learned: &'a mut Learned,
    found: &'a mut dyn FnMut(usize, &str),
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut place = 0;
        loop {
            let expected = self.learned.expected(self.node.id, place);
            let key = Name {
                node: self.node,
                expected,
            };
            match map.next_key_seed(key)? {
                None => return Ok(()),
                Some(None) => drop(map.next_value::<IgnoredAny>()?),
                Some(Some(index)) => {
                    if index != expected {
                        self.learned.note(self.node.id, place, index);
                    }
                    place = index + 1;
                    read_value(&self.node.keys[index], &mut map, self.learned, self.found)?;
                }
            }
        }
    }

    // Something else stands where an object was expected: the fields below it have no value.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Reads the value that follows `key`.
fn read_value<'de, A: MapAccess<'de>>(
    key: &Key,
    map: &mut A,
    learned: &mut Learned,
    found: &mut dyn FnMut(usize, &str),
) -> Result<(), A::Error> {
    match (&key.below, key.fields.is_empty()) {
        (Some(node), true) => map.next_value_seed(Object { node, learned, found }),
        (below, _) => {
            let raw: &RawValue = map.next_value()?;
            key.fields.iter().for_each(|field| found(*field, raw.get()));
            // A field and fields within it: rare enough to read the text twice.
            match below {
                None => Ok(()),
                Some(node) => Object { node, learned, found }
                    .deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
                    .map_err(A::Error::custom),
            }
        }
    }
}

/// Finds a key of an object among the wanted ones; `None` for one that nobody wants.
struct Name<'a> {
    node: &'a Node,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        let expected = self.node.keys.get(self.expected);
        if expected.is_some_and(|key| key.name == name) {
            return Ok(Some(self.expected));
        }
        Ok(self.node.by_name.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    fn read(paths: &[&str], texts: &[&str]) -> Vec<Vec<(usize, String)>> {
        let split: Vec<_> = paths.iter().map(|text| path(text)).collect();
        let paths = Paths::new(split.iter().map(Vec::as_slice).enumerate());
        let mut learned = Learned::default();
        let mut one = |text: &&str| {
            let mut found = Vec::new();
            let mut note = |field, raw: &str| found.push((field, raw.to_owned()));
            paths.read(text, &mut learned, &mut note).unwrap();
            found.sort();
            found
        };
        texts.iter().map(&mut one).collect()
    }

    fn pairs(pairs: &[(usize, &str)]) -> Vec<(usize, String)> {
        pairs
            .iter()
            .map(|(field, raw)| (*field, (*raw).to_owned()))
            .collect()
    }

    #[test]
    fn values_are_found_in_any_order_with_anything_between_them() {
        let texts = [
            r#"{"id":"1","x":[{}],"p":{"b":2.50,"a":"\u00e9"},"y":null}"#,
            r#"{"p":{"a":null,"z":{"b":9},"b":{"c":1}},"id": 7 }"#,
            r#"{"p":{"a":null,"z":{"b":9},"b":{"c":1}},"id": 7 }"#,
        ];
        let found = read(&["id", "p.a", "p.b"], &texts);
        assert_eq!(found[0], pairs(&[(0, r#""1""#), (1, r#""\u00e9""#), (2, "2.50")]));
        assert_eq!(found[1], pairs(&[(0, "7"), (1, "null"), (2, r#"{"c":1}"#)]));
        assert_eq!(found[2], found[1]);
    }

    #[test]
    fn a_field_may_stand_within_another() {
        let found = read(&["p", "p.a"], &[r#"{"p":{"a":1}}"#]);
        assert_eq!(found[0], pairs(&[(0, r#"{"a":1}"#), (1, "1")]));
    }

    #[test]
    fn no_object_where_one_was_expected_means_no_value() {
        for text in [
            r#"{"p":null}"#,
            r#"{"p":[1,{"a":2}]}"#,
            r#"{"p":"x"}"#,
            r#"{"p":1.5}"#,
        ] {
            assert_eq!(read(&["p.a"], &[text])[0], [], "{text}");
        }
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        let paths = Paths::new([]);
        for text in ["", "[1]", "{", "{} {}", r#"{"a":}"#, "7"] {
            let read = paths.read(text, &mut Learned::default(), &mut |_, _| {});
            assert!(read.is_err(), "{text}");
        }
    }
}
