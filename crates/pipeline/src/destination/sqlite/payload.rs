//! The wanted values of a JSON object, found in one pass over its text, without building a tree of it.
//!
//! The pass is written by hand because it is the hottest loop of a sync: objects, their keys, and texts without
//! escapes are read here, in about half the instructions of a `serde` visitor; whatever is not so simple is left
//! to `serde_json`. A property test holds the two against each other.

use std::collections::HashMap;
use std::fmt;

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

    /// Calls `found` with the field and the JSON text of every wanted value in `text`. A `null` is no value.
    ///
    /// # Errors
    /// When `text` is not one JSON object.
    pub(super) fn read(
        &self,
        text: &str,
        learned: &mut Learned,
        found: &mut dyn FnMut(usize, &str),
    ) -> Result<(), Malformed> {
        learned.nodes.resize_with(self.nodes, Vec::new);
        let mut reader = Reader { text, at: 0 };
        reader.skip_blanks();
        reader.object(&self.root, learned, found)?;
        reader.skip_blanks();
        if reader.at == text.len() {
            Ok(())
        } else {
            Err(reader.malformed())
        }
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

/// Where a text stops being one JSON object. The text itself may be personal, so it is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is not a JSON object at byte {}", self.at)
    }
}

/// A JSON text and how far it has been read. `at` is always on the border of a character.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn object(
        &mut self,
        node: &Node,
        learned: &mut Learned,
        found: &mut dyn FnMut(usize, &str),
    ) -> Result<(), Malformed> {
        self.expect(b'{')?;
        self.skip_blanks();
        if self.eat(b'}') {
            return Ok(());
        }
        let mut place = 0;
        loop {
            let expected = learned.expected(node.id, place);
            let key = self.key(node, expected)?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            match key {
                None => drop(self.value()?),
                Some(index) => {
                    if index != expected {
                        learned.note(node.id, place, index);
                    }
                    place = index + 1;
                    self.wanted(&node.keys[index], learned, found)?;
                }
            }
            self.skip_blanks();
            if !self.eat(b',') {
                return self.expect(b'}');
            }
            self.skip_blanks();
        }
    }

    /// The value of a wanted key. Where something else stands than an object, the fields below it have none.
    fn wanted(
        &mut self,
        key: &Key,
        learned: &mut Learned,
        found: &mut dyn FnMut(usize, &str),
    ) -> Result<(), Malformed> {
        let is_object = self.peek() == Some(b'{');
        match &key.below {
            Some(node) if is_object && key.fields.is_empty() => self.object(node, learned, found),
            below => {
                let start = self.at;
                let raw = self.value()?;
                if raw != "null" {
                    key.fields.iter().for_each(|field| found(*field, raw));
                }
                match below {
                    // A field and fields within it: rare enough to read the text twice.
                    Some(node) if is_object => {
                        let text = self.text;
                        Reader { text, at: start }.object(node, learned, found)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// A key, as its index among the wanted ones; `None` for one that nobody wants.
    fn key(&mut self, node: &Node, expected: usize) -> Result<Option<usize>, Malformed> {
        if let Some(name) = node.keys.get(expected).map(|key| key.name.as_bytes())
            && let [b'"', rest @ ..] = self.bytes()
            && rest.get(name.len()) == Some(&b'"')
            && rest.starts_with(name)
        {
            self.at += name.len() + 2;
            return Ok(Some(expected));
        }
        if self.peek() != Some(b'"') {
            return Err(self.malformed());
        }
        let raw = self.value()?;
        let inner = &raw[1..raw.len() - 1];
        if !inner.contains('\\') {
            return Ok(node.by_name.get(inner).copied());
        }
        // Half of a surrogate pair is no name of ours.
        let name = serde_json::from_str::<String>(raw).ok();
        Ok(name.and_then(|name| node.by_name.get(&name).copied()))
    }

    /// The text of one value.
    fn value(&mut self) -> Result<&'a str, Malformed> {
        let simple = match self.bytes() {
            [b'"', rest @ ..] => plain_string(rest),
            [b'n', b'u', b'l', b'l', ..] => Some("null".len()),
            _ => None,
        };
        let Some(length) = simple else {
            return self.any_value();
        };
        let start = self.at;
        self.at += length;
        Ok(&self.text[start..self.at])
    }

    /// The text of one value of any kind, checked by `serde_json`.
    fn any_value(&mut self) -> Result<&'a str, Malformed> {
        let mut values =
            serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<&'a RawValue>();
        match values.next() {
            Some(Ok(raw)) => {
                self.at += values.byte_offset();
                Ok(raw.get())
            }
            _ => Err(self.malformed()),
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn bytes(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn malformed(&self) -> Malformed {
        Malformed { at: self.at }
    }
}

/// The length of the JSON string whose bytes after the first quote are `rest`, quotes included, when it has no
/// escapes. Control characters are not allowed in one; `serde_json` will say so.
fn plain_string(rest: &[u8]) -> Option<usize> {
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let (words, _) = rest.as_chunks::<8>();
    let plain = words.iter().take_while(|word| !has_end(**word)).count() * 8;
    let end = plain + rest[plain..].iter().position(ends)?;
    (rest[end] == b'"').then_some(end + 2)
}

/// Whether one of eight bytes is a quote, a backslash or a control character; all eight at once, see
/// <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>. May say yes of bytes above 127.
fn has_end(word: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & TOPS;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!(found[1], pairs(&[(0, "7"), (2, r#"{"c":1}"#)]));
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

    /// JSON with all that the reader leaves to `serde_json`, and blanks.
    fn json() -> impl Strategy<Value = String> {
        let key = prop_oneof![Just("a"), Just("b"), Just("é"), Just(r"\u0062\n")];
        let leaf = prop_oneof![
            Just(r#""""#),
            Just(r#""é""#),
            Just(r#""\\\ud800\"""#),
            Just("-0.50e+3"),
            Just("true"),
            Just("null"),
        ];
        leaf.prop_map(str::to_owned)
            .prop_recursive(4, 24, 4, move |inner| {
                let members = proptest::collection::btree_map(key.clone(), inner.clone(), 0..4);
                let object = (members, "[ \n]{0,2}").prop_map(|(members, blank)| {
                    let member = |(key, value)| format!(r#"{blank}"{key}"{blank}:{blank}{value}{blank}"#);
                    let members: Vec<_> = members.into_iter().map(member).collect();
                    format!("{{{}}}", members.join(","))
                });
                let array =
                    proptest::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(",")));
                prop_oneof![3 => object, 1 => array]
            })
    }

    /// What `serde_json` says stands at `a`, at `b` and at `b` within `a`.
    fn oracle(text: &str) -> Option<Vec<(usize, String)>> {
        type Object<'a> = HashMap<String, &'a RawValue>;
        let top: Object<'_> = serde_json::from_str(text).ok()?;
        let within = top
            .get("a")
            .and_then(|a| serde_json::from_str::<Object<'_>>(a.get()).ok());
        let within = within.and_then(|within| within.get("b").copied());
        let all = [top.get("a").copied(), top.get("b").copied(), within];
        let named = all.into_iter().enumerate();
        Some(
            named
                .filter_map(|(field, raw)| {
                    Some((field, raw?.get().to_owned())).filter(|(_, raw)| raw != "null")
                })
                .collect(),
        )
    }

    fn ours(text: &str) -> Option<Vec<(usize, String)>> {
        let split = ["a", "b", "a.b"].map(path);
        let paths = Paths::new(split.iter().map(Vec::as_slice).enumerate());
        let mut found = Vec::new();
        let mut note = |field, raw: &str| found.push((field, raw.to_owned()));
        paths.read(text, &mut Learned::default(), &mut note).ok()?;
        found.sort();
        Some(found)
    }

    #[test]
    fn a_string_ends_where_its_quote_is() {
        for length in 0..40 {
            let text = "é".repeat(length);
            let rest = format!("{text}\",\"next\"");
            assert_eq!(plain_string(rest.as_bytes()), Some(text.len() + 2), "{length}");
            for stop in ['\\', '\n', '\0'] {
                let rest = format!("{text}{stop}and so on, and on\"");
                assert_eq!(plain_string(rest.as_bytes()), None, "{length} {stop:?}");
            }
        }
        assert_eq!(plain_string(b"no end"), None);
    }

    proptest! {
        #[test]
        fn serde_json_finds_the_same(text in json()) {
            prop_assert_eq!(ours(&text), oracle(&text));
        }

        #[test]
        fn a_damaged_text_is_refused_when_serde_json_refuses_it(
            text in json(),
            at in any::<proptest::sample::Index>(),
            other in prop::sample::select(vec!["", "\"", "\\", "{", "}", ",", ":", "\u{1}", " ", "0"]),
        ) {
            let mut characters: Vec<_> = text.chars().map(String::from).collect();
            let at = at.index(characters.len());
            other.clone_into(&mut characters[at]);
            let damaged = characters.concat();
            prop_assert_eq!(ours(&damaged).is_some(), oracle(&damaged).is_some(), "{}", damaged);
        }
    }
}
