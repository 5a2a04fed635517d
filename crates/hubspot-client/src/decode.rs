//! Reading answers: one pass over the text of a page, records left as slices of it.
//!
//! serde cannot say where in a text a value stood, so the outer shape (an object with a `results` array) is walked by
//! hand and serde reads one value at a time. Each byte is looked at once.

mod listed;

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::{StreamDeserializer, Value, de::StrRead, error::Category};

pub(crate) use self::listed::{Definition, Link, Listed, Paging, Whole};
use self::listed::{lacks, refuse_error};
use crate::{
    error::{DecodeError, Error, Fault, SubError},
    http::{Exchange, Response, header},
    record::{Head, RawObject},
};

/// What every answer with many records has some of.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    pub(crate) results: Vec<RawObject>,
    pub(crate) next: Option<Link>,
    pub(crate) total: Option<u64>,
    pub(crate) errors: Vec<SubError>,
}

/// The records of a page that was asked for. Without `results` it is not a page, and says nothing of an end.
pub(crate) fn collection(body: &Bytes) -> Result<Collection, Fault> {
    let envelope = envelope(body)?;
    refuse_error(envelope.status.as_ref(), envelope.category.as_ref())?;
    match envelope.has_results {
        true => Ok(envelope.page),
        false => Err(Fault::Lacks { member: "results" }),
    }
}

/// The records that a batch of writes answers with. What the response does not name is unknown, so one without
/// `results` names none.
pub(crate) fn written(body: &Bytes) -> Result<Collection, Fault> {
    envelope(body).map(|envelope| envelope.page)
}

#[derive(Default)]
struct Envelope {
    page: Collection,
    has_results: bool,
    status: Option<Value>,
    category: Option<Value>,
}

fn envelope(body: &Bytes) -> Result<Envelope, Fault> {
    let mut cursor = Cursor::new(utf8(body)?);
    let mut envelope = Envelope::default();
    let page = &mut envelope.page;
    page.results.reserve(100);
    cursor.object(|cursor, key| {
        match key {
            "results" => {
                envelope.has_results = true;
                cursor.array(|cursor| {
                    page.results.push(cursor.record(body)?);
                    Ok(())
                })?;
            }
            "paging" => page.next = cursor.value::<Option<Paging>>()?.and_then(|paging| paging.next),
            "total" => page.total = cursor.value()?,
            "errors" => page.errors = cursor.value()?,
            "status" => envelope.status = cursor.value()?,
            "category" => envelope.category = cursor.value()?,
            _ => drop(cursor.value::<IgnoredAny>()?),
        }
        Ok(())
    })?;
    cursor.end()?;
    Ok(envelope)
}

/// A record that is the whole answer.
pub(crate) fn record(body: &Bytes) -> Result<RawObject, Fault> {
    let mut cursor = Cursor::new(utf8(body)?);
    let record = cursor.record(body).map_err(|fault| no_record(body, fault))?;
    cursor.end()?;
    Ok(record)
}

/// A body without an `id` is not a record of another shape: something else than HubSpot's objects wrote it.
fn no_record(body: &Bytes, fault: Fault) -> Fault {
    let has_id = || {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        value.get("id").is_some()
    };
    match fault {
        Fault::WrongShape { .. } if !has_id() => Fault::Lacks { member: "id" },
        fault => fault,
    }
}

/// A collection with items of a shape of their own.
pub(crate) fn listed<T: DeserializeOwned>(body: &Bytes) -> Result<Listed<T>, Fault> {
    let listed: Listed<T> = typed(body)?;
    refuse_error(listed.status.as_ref(), None)?;
    Ok(listed)
}

fn typed<T: DeserializeOwned>(body: &Bytes) -> Result<T, Fault> {
    let text = utf8(body)?;
    serde_json::from_str(text).map_err(|error| fault(&error, text, 0))
}

/// A definition: a property, a pipeline, an account. For these null says the same as nothing, so that a field that
/// HubSpot leaves empty today does not break a type that has a default for it.
/// Members that HubSpot always sends must be there.
pub(crate) fn definition<T: Definition>(body: &Bytes) -> Result<T, Fault> {
    let mut value = typed(body)?;
    drop_nulls(&mut value);
    T::check(&value)?;
    let misfit = |error: serde_json::Error| Fault::WrongShape {
        what: safe_words(&error),
        at: 0,
    };
    serde_json::from_value(value).map_err(misfit)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The token of the next page, from the last bytes of a page and without reading the rest; `None` when they do not say.
///
/// HubSpot writes `paging` last. The key `"paging":` that is found last cannot stand inside a string, where its quotes
/// would be escaped; and if all from there to the end of the body closes exactly one brace more than it opens, the key
/// belongs to the outermost object. That holds for a whole body; a body that was cut is found out when it is read.
pub(crate) fn next_after(body: &[u8]) -> Option<String> {
    const TAIL: usize = 2_048;
    const KEY: &[u8] = b"\"paging\":";
    let tail = &body[body.len().saturating_sub(TAIL)..];
    let at = tail.windows(KEY.len()).rposition(|window| window == KEY)?;
    let end = tail.iter().rposition(|byte| *byte == b'}')?;
    let value = tail.get(at + KEY.len()..end)?;
    serde_json::from_slice::<Paging>(value).ok()?.next?.after
}

/// Names the exchange in a fault, and looks whether the answer was JSON at all.
pub(crate) fn explain(fault: Fault, exchange: &Exchange, response: &Response) -> Error {
    let fault = not_json(response)
        .or_else(|| error_body(&fault, response))
        .unwrap_or(fault);
    let Exchange { method, path, .. } = exchange.clone();
    Error::Decode(Box::new(DecodeError { method, path, fault }))
}

/// Names HubSpot's error body, which fits no other shape.
fn error_body(fault: &Fault, response: &Response) -> Option<Fault> {
    #[derive(Deserialize)]
    struct Body {
        status: Option<Value>,
        category: Option<Value>,
    }
    if !matches!(fault, Fault::Lacks { .. } | Fault::WrongShape { .. }) {
        return None;
    }
    let body: Body = serde_json::from_slice(response.body()).ok()?;
    refuse_error(body.status.as_ref(), body.category.as_ref()).err()
}

fn not_json(response: &Response) -> Option<Fault> {
    let found = match response.body().iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => "an empty answer",
        Some(b'{') => return None,
        Some(b'<') => "HTML",
        Some(_) if serde_json::from_slice::<IgnoredAny>(response.body()).is_ok() => {
            "JSON that is not an object"
        }
        Some(b'[') => return None,
        Some(_) => "text",
    };
    let content_type = header(response, "content-type").unwrap_or("not given");
    let content_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    Some(Fault::NotJson { found, content_type })
}

fn utf8(body: &[u8]) -> Result<&str, Fault> {
    // The fast check does not say where; the slow one does, once something is wrong.
    simdutf8::basic::from_utf8(body).or_else(|_| {
        std::str::from_utf8(body).map_err(|error| {
            let at = error.valid_up_to();
            if error.error_len().is_none() {
                Fault::EndsEarly { at: body.len() }
            } else {
                Fault::NotUtf8 { at }
            }
        })
    })
}

/// A place in a JSON text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads the value that begins here and moves behind it.
    fn value<T: Deserialize<'a>>(&mut self) -> Result<T, Fault> {
        let rest = &self.text[self.at..];
        let mut values: StreamDeserializer<'a, StrRead<'a>, T> =
            serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().ok_or_else(|| self.ends_early())?;
        let value = value.map_err(|error| fault(&error, rest, self.at))?;
        self.at += values.byte_offset();
        Ok(value)
    }

    fn record(&mut self, body: &Bytes) -> Result<RawObject, Fault> {
        self.peek()?;
        let start = self.at;
        let head: Head<'a> = self.value()?;
        Ok(head.into_object(body, start..self.at))
    }

    fn object(&mut self, mut field: impl FnMut(&mut Self, &str) -> Result<(), Fault>) -> Result<(), Fault> {
        self.sequence(b'{', b'}', |cursor| {
            let Key(key) = cursor.value()?;
            cursor.expect(b':')?;
            field(cursor, &key)
        })
    }

    fn array(&mut self, item: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.sequence(b'[', b']', item)
    }

    fn sequence(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.expect(open)?;
        if self.peek()? == close {
            return self.expect(close);
        }
        loop {
            item(self)?;
            if self.peek()? == close {
                return self.expect(close);
            }
            self.expect(b',')?;
        }
    }

    /// Skips white space and looks at what follows.
    fn peek(&mut self) -> Result<u8, Fault> {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
            .count();
        self.at += blank;
        rest.get(blank).copied().ok_or_else(|| self.ends_early())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek()? != byte {
            return Err(Fault::Malformed { at: self.at });
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Ok(_) => Err(Fault::Malformed { at: self.at }),
            Err(_) => Ok(()),
        }
    }

    fn ends_early(&self) -> Fault {
        Fault::EndsEarly { at: self.text.len() }
    }
}

/// What serde_json found, without its words: they can quote values.
fn fault(error: &serde_json::Error, rest: &str, start: usize) -> Fault {
    let at = start + byte_offset(error, rest);
    match error.classify() {
        Category::Eof => Fault::EndsEarly {
            at: start + rest.len(),
        },
        Category::Syntax | Category::Io => Fault::Malformed { at },
        Category::Data => lacks(&error.to_string()).unwrap_or_else(|| Fault::WrongShape {
            what: safe_words(error),
            at,
        }),
    }
}

/// `missing field` names a field of ours; other messages name what came, which may be somebody's data.
pub(crate) fn safe_words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let what = words.split(" at line").next().unwrap_or_default();
    if what.starts_with("missing field") {
        what.to_owned()
    } else {
        "an unexpected value".to_owned()
    }
}

fn byte_offset(error: &serde_json::Error, text: &str) -> usize {
    let lines = error.line().saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    before + error.column().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"results": [
        {"id":"1","properties":{"email":"a@b.c","note":"{\"paging\":1}"},"createdAt":"2024-01-01T00:00:00Z",
         "updatedAt":"2024-01-02T00:00:00.5Z","archived":false},
        {"properties":{},"archived":true,"archivedAt":"2024-01-03T00:00:00Z","id":2,
         "associations":{"companies":{"results":[{"id":"9","type":"x"}],"paging":{"next":{"after":"nested"}}}}}
      ], "paging": {"next":{"after":"3","link":"https://h/x?after=3"}}, "new_field": [1,{"a":null}]}"#;

    fn read(text: &str) -> Result<Collection, Fault> {
        collection(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn a_page_is_read_in_one_pass_and_records_are_slices_of_it() {
        let body = Bytes::from_static(PAGE.as_bytes());
        let page = collection(&body).unwrap();
        let [first, second] = &page.results[..] else {
            panic!("{page:?}")
        };
        assert_eq!((first.id(), second.id()), ("1", "2"));
        assert_eq!(first.created_at(), Some("2024-01-01T00:00:00Z"));
        assert_eq!(first.updated_at(), Some("2024-01-02T00:00:00.5Z"));
        assert!(!first.is_archived() && second.is_archived());
        assert_eq!(second.archived_at(), Some("2024-01-03T00:00:00Z"));
        assert!(first.json().starts_with(br#"{"id":"1""#) && first.json().ends_with(b"}"));
        assert_eq!(
            &first.properties().unwrap()[..],
            br#"{"email":"a@b.c","note":"{\"paging\":1}"}"#
        );
        assert!(second.associations().unwrap().starts_with(br#"{"companies""#));
        assert!(body.as_ptr_range().contains(&first.json().as_ptr()), "copied");
        assert_eq!(page.next.unwrap().after.as_deref(), Some("3"));
    }

    #[test]
    fn every_cut_of_a_page_is_found_out() {
        for at in 1..PAGE.len() {
            assert_eq!(
                read(&PAGE[..at]).unwrap_err(),
                Fault::EndsEarly { at },
                "cut at {at}"
            );
        }
    }

    #[test]
    fn faults_are_told_apart_and_quote_nothing() {
        let shape = read(r#"{"results":[{"properties":{"a":"secret"}}]}"#).unwrap_err();
        assert!(shape.to_string().contains("missing field `id`"), "{shape}");
        let shape = read(r#"{"results":[{"id":"1","archived":"secret"}]}"#).unwrap_err();
        assert!(!shape.to_string().contains("secret"), "{shape}");
        assert_eq!(
            read(r#"{"results":[{"id":1}]} x"#).unwrap_err(),
            Fault::Malformed { at: 23 }
        );
        assert!(matches!(
            read(r#"{"results":[{"id":1},]}"#),
            Err(Fault::Malformed { at: 21 })
        ));
        assert!(matches!(read("{\"results\":7}"), Err(Fault::Malformed { .. })));
        let broken = Bytes::from_static(b"{\"results\":[\xff]}");
        assert_eq!(collection(&broken).unwrap_err(), Fault::NotUtf8 { at: 12 });
    }

    #[test]
    fn null_in_a_definition_is_as_good_as_nothing() {
        let body = Bytes::from_static(br#"{"id":"1","label":null,"stages":[{"id":"s","metadata":null}]}"#);
        let pipeline: crate::Pipeline = definition(&body).unwrap();
        assert_eq!(
            (pipeline.label.as_str(), pipeline.stages[0].id.as_str()),
            ("", "s")
        );
    }

    #[test]
    fn a_page_without_results_is_no_end() {
        let lacks = |member| Err(Fault::Lacks { member });
        let read = |text| read(text).map(|page| page.results.len());
        assert_eq!(read(r#"{"total":0,"results":[],"paging":null}"#), Ok(0));
        assert_eq!(read("{}"), lacks("results"));
        assert_eq!(read(r#"{"total":0,"paging":null}"#), lacks("results"));
        assert_eq!(
            read(r#"{"results":[],"paging":{"next":{}}}"#),
            lacks("paging.next.after")
        );
        assert_eq!(
            read(r#"{"status":"error","results":[],"category":"RATE_LIMITS"}"#),
            Err(Fault::ErrorBody {
                category: Some("RATE_LIMITS".to_owned())
            })
        );
        assert_eq!(
            read(r#"{"status":"PROCESSING","results":[]}"#),
            Err(Fault::Unfinished)
        );
    }

    #[test]
    fn a_write_that_answers_without_results_names_none() {
        let page = written(&Bytes::from_static(b"{}")).unwrap();
        assert!(page.results.is_empty());
    }

    #[test]
    fn the_next_page_is_found_at_the_end_or_not_at_all() {
        let after = |text: &str| next_after(text.as_bytes());
        assert_eq!(
            after(r#"{"results":[],"paging":{"next":{"after":"3"}}}"#).as_deref(),
            Some("3")
        );
        assert_eq!(
            after("{\"results\":[],\"paging\":{\"next\":{\"after\":\"3\"}}}\n").as_deref(),
            Some("3")
        );
        let nested = r#"{"results":[{"id":"1","associations":{"x":{"paging":{"next":{"after":"9"}}}}}]}"#;
        assert_eq!(after(nested), None);
        let quoted =
            r#"{"results":[{"id":"1","properties":{"a":"\"paging\":{\"next\":{\"after\":\"9\"}}"}}]}"#;
        assert_eq!(after(quoted), None);
        assert_eq!(after(r#"{"results":[]}"#), None);
        assert_eq!(after(""), None);
    }
}
