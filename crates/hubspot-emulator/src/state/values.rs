//! The property values of one record, packed: a million contacts with sixty values each must fit in memory,
//! and a page must be spliced together without decoding anything.
//!
//! Layout: for each value, ascending by property: property index (2 bytes), length (varint), JSON-escaped text.

use std::borrow::Cow;

use crate::json;

/// The place of a property in its type's [`PropertySet`](super::property::PropertySet).
pub(crate) type PropertyIndex = u16;

/// Packed values of one record. A property without a value (null) takes no room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(Box<[u8]>);

impl Values {
    /// Packs a buffer written with [`push_value`] in ascending order of property.
    pub(crate) fn from_packed(packed: &[u8]) -> Self {
        Self(packed.into())
    }

    /// Each property with a value and its escaped text, ascending.
    pub(crate) fn iter(&self) -> ValuesIter<'_> {
        ValuesIter { rest: &self.0 }
    }

    /// The text of one value, unescaped; `None` is null.
    pub(crate) fn get(&self, property: PropertyIndex) -> Option<Cow<'_, str>> {
        self.raw(property).map(json::unescape)
    }

    /// The escaped text of one value.
    pub(crate) fn raw(&self, property: PropertyIndex) -> Option<&[u8]> {
        self.iter()
            .take_while(|(index, _)| *index <= property)
            .find(|(index, _)| *index == property)
            .map(|found| found.1)
    }

    /// A copy with some values replaced. `changes` must be ascending by property; `None` makes a value null.
    pub(crate) fn with(&self, changes: &[(PropertyIndex, Option<String>)]) -> Self {
        let mut packed = Vec::with_capacity(self.0.len() + 64);
        let mut changes = changes.iter().peekable();
        for (index, raw) in self.iter() {
            while let Some((changed, value)) = changes.next_if(|(changed, _)| *changed < index) {
                push_text(&mut packed, *changed, value.as_deref());
            }
            match changes.next_if(|(changed, _)| *changed == index) {
                Some((_, value)) => push_text(&mut packed, index, value.as_deref()),
                None => push_value(&mut packed, index, raw),
            }
        }
        for (changed, value) in changes {
            push_text(&mut packed, *changed, value.as_deref());
        }
        Self::from_packed(&packed)
    }
}

fn push_text(packed: &mut Vec<u8>, property: PropertyIndex, value: Option<&str>) {
    let Some(text) = value else { return };
    let mut escaped = Vec::with_capacity(text.len());
    json::escape(&mut escaped, text);
    push_value(packed, property, &escaped);
}

/// Appends one value (already escaped) to a packed buffer.
pub(crate) fn push_value(packed: &mut Vec<u8>, property: PropertyIndex, escaped: &[u8]) {
    packed.extend_from_slice(&property.to_le_bytes());
    let mut length = escaped.len();
    while length >= 0x80 {
        packed.push(0x80 | u8::try_from(length & 0x7f).unwrap_or(0));
        length >>= 7;
    }
    packed.push(u8::try_from(length).unwrap_or(0));
    packed.extend_from_slice(escaped);
}

#[derive(Debug, Clone)]
pub(crate) struct ValuesIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ValuesIter<'a> {
    type Item = (PropertyIndex, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.next_within()
            .map(|(index, within, length)| (index, &within[..length]))
    }
}

impl<'a> ValuesIter<'a> {
    /// The next value as the start and the length of a longer slice: who copies more than is needed, and always
    /// as much, copies faster.
    #[inline]
    pub(crate) fn next_within(&mut self) -> Option<(PropertyIndex, &'a [u8], usize)> {
        let (&[low, high], mut rest) = self.rest.split_first_chunk::<2>()?;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        self.rest = rest.get(length..)?;
        Some((u16::from_le_bytes([low, high]), rest, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_replaced_added_and_nulled() {
        let long = "x".repeat(70_000);
        let values = Values::default().with(&[(3, Some("three".into())), (9, Some(long.clone()))]);
        let values = values.with(&[
            (1, Some("a \"b\"".into())),
            (3, None),
            (9, Some(String::new())),
            (300, Some("last".into())),
        ]);
        assert_eq!(values.get(1).as_deref(), Some("a \"b\""));
        assert_eq!(values.get(3), None);
        assert_eq!(values.get(9).as_deref(), Some(""));
        assert_eq!(values.get(300).as_deref(), Some("last"));
        assert_eq!(
            values.iter().map(|(index, _)| index).collect::<Vec<_>>(),
            [1, 9, 300]
        );
    }
}
