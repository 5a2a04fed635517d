//! Answers that are almost right: what a fault changes in a request before its route sees it, and in the answer
//! before it is sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::reply::Reply;

/// How an answer differs from the right one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Bend {
    /// Makes `paging.next.after` of the answer the request's own `after`, so that the page repeats for ever.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) repeat_page: bool,
    /// Serves at most so many results, whatever was asked for; `paging` continues behind them, so nothing is lost.
    /// With 0 the page is empty and the next one is the page that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) short_page: Option<u64>,
    /// Leaves results out that `paging` and `total` count: by place from 0, or by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) leave_out: Vec<Which>,
    /// Lists results twice: by place from 0, or by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) duplicate: Vec<Which>,
    /// Changes the answer as a merge patch does (RFC 7396): members are replaced, null takes one away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patch: Option<Value>,
    /// Changes single results in the same way: by id, `*` is every result.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) patch_results: BTreeMap<String, Value>,
}

/// A result of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Which {
    Place(usize),
    Id(String),
}

impl Which {
    fn is(&self, place: usize, result: &Value) -> bool {
        match self {
            Self::Place(own) => *own == place,
            Self::Id(id) => id_of(result).is_some_and(|found| found == *id),
        }
    }
}

impl Bend {
    /// Changes the request.
    pub(crate) fn request(&self, call: &mut Call) {
        let Some(most) = self.short_page.map(|most| most.max(1)) else {
            return;
        };
        if call.body.is_empty() {
            let asked = call.query("limit").and_then(|limit| limit.parse().ok());
            call.query.retain(|(name, _)| name != "limit");
            call.query.push((
                "limit".into(),
                asked.map_or(most, |asked: u64| asked.min(most)).to_string(),
            ));
        } else if let Ok(Value::Object(mut body)) = serde_json::from_slice(&call.body) {
            let asked = body.get("limit").and_then(Value::as_u64);
            body.insert("limit".into(), json!(asked.map_or(most, |asked| asked.min(most))));
            call.body = Bytes::from(Value::Object(body).to_string());
        }
    }

    /// Changes the answer to a request with this query and body.
    pub(crate) fn reply(&self, reply: Reply, query: &str, asked: &[u8]) -> Reply {
        if *self == Self::default() {
            return reply;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        if let Some(results) = results_of(&mut body) {
            self.bend_results(results);
        }
        if self.repeat_page || self.short_page == Some(0) {
            let after = after_of(query, asked).unwrap_or_else(|| "0".into());
            body["paging"] = json!({"next": {"after": after}});
        }
        if let Some(patch) = &self.patch {
            merge(&mut body, patch);
        }
        let body = Reply::value(reply.status, &body).body;
        Reply { body, ..reply }
    }

    fn bend_results(&self, results: &mut Vec<Value>) {
        if self.short_page == Some(0) {
            results.clear();
        }
        let chosen = |which: &[Which], place, result: &Value| which.iter().any(|one| one.is(place, result));
        let mut bent = Vec::with_capacity(results.len());
        for (place, mut result) in results.drain(..).enumerate() {
            if chosen(&self.leave_out, place, &result) {
                continue;
            }
            let id = id_of(&result).unwrap_or_default();
            let patches = ["*", &id].map(|key| self.patch_results.get(key));
            let twice = chosen(&self.duplicate, place, &result);
            for patch in patches.into_iter().flatten() {
                merge(&mut result, patch);
            }
            bent.extend(twice.then(|| result.clone()));
            bent.push(result);
        }
        *results = bent;
    }
}

/// The list that an answer consists of: `results`, or its first list where it is called something else.
fn results_of(body: &mut Value) -> Option<&mut Vec<Value>> {
    if let Value::Array(list) = body {
        return Some(list);
    }
    let members = body.as_object_mut()?;
    let name = if members.get("results").is_some_and(Value::is_array) {
        "results".to_owned()
    } else {
        members.iter().find(|(_, value)| value.is_array())?.0.clone()
    };
    members.get_mut(&name)?.as_array_mut()
}

/// What a result is called by: its id, or that of the record at the far end or the near end of an association.
fn id_of(result: &Value) -> Option<String> {
    const NAMES: [&str; 6] = ["/id", "/listId", "/recordId", "/toObjectId", "/from/id", "/name"];
    let id = NAMES.iter().find_map(|name| result.pointer(name))?;
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn after_of(query: &str, asked: &[u8]) -> Option<String> {
    let in_query = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "after");
    in_query.map(|(_, value)| value.into_owned()).or_else(|| {
        let body: Value = serde_json::from_slice(asked).ok()?;
        match &body["after"] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    })
}

/// A merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(held) = target else { return };
    for (name, value) in members {
        if value.is_null() {
            held.remove(name);
        } else {
            merge(held.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bent(bend: Value, body: &Value) -> Value {
        let bend: Bend = serde_json::from_value(bend).expect("a bend");
        let reply = bend.reply(Reply::value(207, body), "after=7", b"");
        assert_eq!(reply.status, 207);
        serde_json::from_slice(&reply.body).expect("JSON")
    }

    #[test]
    fn results_are_left_out_doubled_and_changed_by_place_and_by_id() {
        let body = json!({"results": [{"id": "1"}, {"id": "2"}, {"id": "3"}], "total": 3});
        let changed = bent(
            json!({"leaveOut": [0], "duplicate": ["3"], "patchResults": {"*": {"a": 1}, "3": {"b": 2}}}),
            &body,
        );
        let expected = json!([{"id": "2", "a": 1}, {"id": "3", "a": 1, "b": 2}, {"id": "3", "a": 1, "b": 2}]);
        assert_eq!(changed, json!({"results": expected, "total": 3}));
    }

    #[test]
    fn a_patch_replaces_and_takes_away() {
        let body = json!({"results": [], "paging": {"next": {"after": "5"}}, "total": 3});
        let changed = bent(
            json!({"patch": {"total": 9, "paging": {"next": {"after": null}}}}),
            &body,
        );
        assert_eq!(
            changed,
            json!({"results": [], "paging": {"next": {}}, "total": 9})
        );
    }

    #[test]
    fn an_empty_page_leads_to_the_page_that_was_asked_for() {
        let body = json!({"lists": [{"listId": "1"}]});
        let changed = bent(json!({"shortPage": 0}), &body);
        assert_eq!(changed, json!({"lists": [], "paging": {"next": {"after": "7"}}}));
    }
}
