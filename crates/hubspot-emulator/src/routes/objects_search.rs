//! `POST /crm/v3/objects/{type}/search` and its rules (hubspot-api notes §1.5).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Answer;
use super::record_json::{View, write};
use crate::behaviour::search_habits::Bend;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::reply::Reply;
use crate::state::filter::{AskedFilter, Condition, Text};
use crate::state::operations::Operation;
use crate::state::portal::Portal;
use crate::state::search::{Found, Query, Sort, run};
use crate::state::store::Store;

const MOST_GROUPS: usize = 5;
const MOST_FILTERS_PER_GROUP: usize = 6;
const MOST_FILTERS: usize = 18;
const MOST_RESULTS: usize = 200;
const WINDOW: usize = 10_000;
const LONGEST: usize = 3000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    filter_groups: Vec<AskedGroup>,
    filters: Vec<AskedFilter>,
    sorts: Vec<AskedSort>,
    query: Option<String>,
    properties: Option<Vec<String>>,
    limit: Option<Text>,
    after: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedGroup {
    filters: Vec<AskedFilter>,
}

/// An object, or `"prop"` / `"-prop"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AskedSort {
    Name(String),
    #[serde(rename_all = "camelCase")]
    Rule {
        property_name: String,
        direction: Option<String>,
    },
}

pub(super) fn search(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    check_length(&asked, call)?;
    emulator.catch_up_search();
    let portal = emulator.portal();
    let of = portal.type_with(call.param(0), Operation::Search)?;
    let store = portal.store(of);
    let properties = asked.properties.clone().unwrap_or_default();
    let view = View::new(store, properties.iter().map(String::as_str), &[]);
    let mut query = compile(&portal, store, asked)?;
    let habits = *emulator.habits();
    query.bend = habits.bend();
    if habits.epoch_filter_fails && query.conditions().any(Condition::names_the_epoch) {
        return Err(Failure::new(500, "internal error"));
    }
    let mut found = run(&portal, of, &query);
    if habits.equal_times_find_nothing && query.conditions().any(Condition::equals_a_time) {
        found = Found::default();
    }
    habits.disturb(
        &mut found.records,
        store,
        (emulator.clock.now().wall, emulator.next_search()),
    );
    let next = query.offset
        + if habits.short_pages {
            found.records.len()
        } else {
            query.limit
        };
    let has_next = next < found.total;
    found.total = found
        .total
        .saturating_add_signed(isize::try_from(habits.total_drift).unwrap_or(0));
    let mut out = Vec::with_capacity(256 + found.records.len() * (view.projection.0.len() * 48 + 256));
    out.extend_from_slice(b"{\"total\":");
    json::integer(&mut out, found.total as u64);
    out.extend_from_slice(b",\"results\":[");
    for (at, record) in found.records.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(&mut out, &portal, of, record, &view, call);
    }
    out.push(b']');
    if has_next {
        out.extend_from_slice(b",\"paging\":{\"next\":{\"after\":\"");
        json::integer(&mut out, next as u64);
        out.extend_from_slice(b"\"}}");
    }
    out.push(b'}');
    Ok(Reply::json(200, out))
}

/// A query, and a body, have 3,000 characters at most. Connectors send longer lists of `properties` and are answered,
/// so those do not count (hubspot-api notes §1.5).
fn check_length(asked: &Asked, call: &Call) -> Result<(), Failure> {
    let query = asked.query.as_deref().unwrap_or("").chars().count();
    if query > LONGEST {
        return Err(Failure::validation(format!(
            "query has {query} characters; at most {LONGEST} are allowed"
        )));
    }
    if call.body.len() <= LONGEST {
        return Ok(());
    }
    let mut body: Map<String, Value> = call.json()?;
    body.remove("properties");
    let length = Value::Object(body).to_string().chars().count();
    if length <= LONGEST {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "The request has {length} characters without its properties; at most {LONGEST} are allowed"
    )))
}

fn compile(portal: &Portal, store: &Store, asked: Asked) -> Result<Query, Failure> {
    let (offset, limit) = window(asked.after, asked.limit)?;
    let text = asked.query.unwrap_or_default();
    let mut groups: Vec<Vec<AskedFilter>> = asked
        .filter_groups
        .into_iter()
        .map(|group| group.filters)
        .collect();
    if !asked.filters.is_empty() {
        groups.push(asked.filters);
    }
    count_filters(&groups)?;
    Ok(Query {
        groups: groups
            .into_iter()
            .map(|group| compile_group(portal, store, group))
            .collect::<Result<_, _>>()?,
        words: text.split_whitespace().map(str::to_lowercase).collect(),
        sort: sort(store, asked.sorts)?,
        offset,
        limit,
        bend: Bend::default(),
    })
}

fn compile_group(portal: &Portal, store: &Store, group: Vec<AskedFilter>) -> Result<Vec<Condition>, Failure> {
    group
        .into_iter()
        .map(|filter| Condition::compile(portal, store, filter))
        .collect()
}

/// 5 groups, 6 filters each, 18 in all: what the documentation says (the description says 6 groups).
fn count_filters(groups: &[Vec<AskedFilter>]) -> Result<(), Failure> {
    let all: usize = groups.iter().map(Vec::len).sum();
    let most = groups.iter().map(Vec::len).max().unwrap_or(0);
    if groups.len() > MOST_GROUPS {
        return Err(Failure::validation(format!(
            "too many filter groups: {} of at most {MOST_GROUPS}",
            groups.len()
        )));
    }
    if most > MOST_FILTERS_PER_GROUP {
        return Err(Failure::validation(format!(
            "too many filters in a group: {most} of at most {MOST_FILTERS_PER_GROUP}"
        )));
    }
    if all > MOST_FILTERS {
        return Err(Failure::validation(format!(
            "too many filters: {all} of at most {MOST_FILTERS}"
        )));
    }
    Ok(())
}

/// Offset and limit. The results beyond the first 10,000 cannot be reached.
fn window(after: Option<Text>, limit: Option<Text>) -> Result<(usize, usize), Failure> {
    let limit = limit.map_or_else(|| "10".into(), Text::into_text);
    let limit: usize = limit
        .parse()
        .ok()
        .filter(|number| *number <= MOST_RESULTS)
        .ok_or_else(|| {
            Failure::validation(format!(
                "Invalid value for limit: {limit}. It must be at most {MOST_RESULTS}."
            ))
        })?;
    let after = after
        .map(Text::into_text)
        .filter(|after| !after.is_empty() && after != "null")
        .unwrap_or_else(|| "0".into());
    let offset: usize = after
        .parse()
        .map_err(|_| Failure::validation(format!("Invalid value for after: {after}")))?;
    if offset.saturating_add(limit) > WINDOW {
        return Err(Failure::validation(format!(
            "The search window is {WINDOW} results: after {offset} with limit {limit} lies beyond"
        )));
    }
    Ok((offset, limit))
}

fn sort(store: &Store, sorts: Vec<AskedSort>) -> Result<Option<Sort>, Failure> {
    if sorts.len() > 1 {
        return Err(Failure::validation(
            "Only one sort rule can be applied at any time",
        ));
    }
    let Some(rule) = sorts.into_iter().next() else {
        return Ok(None);
    };
    let (name, descending) = match rule {
        AskedSort::Rule {
            property_name,
            direction,
        } => (property_name, direction.is_some_and(|way| way == "DESCENDING")),
        AskedSort::Name(name) => match name.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (name, false),
        },
    };
    let property = store.properties.index(&name);
    let property =
        property.ok_or_else(|| Failure::validation(format!("Cannot sort by '{name}': no such property")))?;
    Ok(Some(Sort { property, descending }))
}
