//! `/_emulator`: what the account holds, what was asked of it, and what goes wrong, for a person who looks. Plain
//! HTML made here; it needs neither scripts nor a network.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::Value;

use crate::behaviour::request_log::Asked;
use crate::emulator::{Emulator, Inner};
use crate::html::escape;
use crate::state::portal::Portal;
use crate::state::property::{Projection, Source};
use crate::state::record::{Life, Record};
use crate::state::store::Store;
use crate::time::iso;

const STYLE: &str = include_str!("pages.css");

/// Records a page of one type's records shows.
const SHOWN: usize = 50;

fn page(title: &str, body: &str) -> Response {
    let title = escape(title);
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{body}</body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ];
    (StatusCode::OK, headers, text).into_response()
}

/// A table of cells that are HTML already; columns from `numbers` on are numbers.
fn table(heads: &[&str], numbers: usize, rows: &[Vec<String>]) -> String {
    let class = |at: usize| if at >= numbers { " class=\"n\"" } else { "" };
    let head: Vec<String> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| format!("<th{}>{head}</th>", class(at)))
        .collect();
    let row = |cells: &Vec<String>| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| format!("<td{}>{cell}</td>", class(at)))
            .collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!("<table><tr>{}</tr>{}</table>", head.concat(), rows.concat())
}

/// The overview.
pub(crate) async fn overview(State(emulator): State<Emulator>) -> Response {
    let inner = &*emulator.0;
    inner.catch_up_imports();
    let body = [
        account(inner),
        "<h2>Faults</h2>".to_owned() + &faults(inner),
        "<h2>Last requests</h2>".to_owned() + &last_requests(inner),
        "<h2>Requests by route</h2>".to_owned() + &requests(inner),
        "<h2>Objects</h2>".to_owned() + &objects(&inner.portal()),
        "<h2>Control</h2>".to_owned() + CONTROL,
    ];
    page("Emulated HubSpot account", &body.concat())
}

/// Tokens are shown by their last four characters.
fn account(inner: &Inner) -> String {
    let options = &inner.options;
    let tokens: Vec<String> = options.tokens.iter().map(|token| masked(&token.value)).collect();
    let facts = [
        ("Account", options.portal_id.to_string()),
        ("Tier", options.tier.to_string()),
        ("Seed", options.seed.to_string()),
        ("Clock", iso(inner.clock.now().wall)),
        ("Tokens", tokens.join(", ")),
    ];
    let facts = facts.map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(&value)));
    format!(
        "<p class=\"quiet\">This is a local emulator. Nothing here is HubSpot's.</p><dl>{}</dl>",
        facts.concat()
    )
}

fn masked(token: &str) -> String {
    let letters: Vec<char> = token.chars().collect();
    let shown: String = letters.iter().skip(letters.len().max(12) - 4).collect();
    format!("…{shown}")
}

fn objects(portal: &Portal) -> String {
    let rows: Vec<Vec<String>> = portal.stores.iter().map(object_row).collect();
    let heads = ["Type", "Id", "Live", "Archived", "Merged", "Purged"];
    table(&heads, 2, &rows)
}

fn object_row(store: &Store) -> Vec<String> {
    let mut counts = [0_usize; 4];
    for record in store.all_from(0) {
        let place = match record.life {
            Life::Live => 0,
            Life::Archived { .. } => 1,
            Life::Merged { .. } => 2,
            Life::Purged | Life::Erased { .. } => 3,
        };
        counts[place] += 1;
    }
    let name = escape(&store.object_type.plural);
    let id = escape(&store.object_type.id);
    let mut row = vec![format!("<a href=\"/_emulator/objects/{name}\">{name}</a>"), id];
    row.extend(counts.iter().map(usize::to_string));
    row
}

/// Newest first.
fn last_requests(inner: &Inner) -> String {
    let log = inner.log();
    let rows: Vec<Vec<String>> = log.last().map(request_row).collect();
    if rows.is_empty() {
        return NOTHING_ASKED.into();
    }
    table(&["Time", "Request", "Status", "Took", "Bytes"], 3, &rows)
}

fn request_row(asked: &Asked) -> Vec<String> {
    // Only the time of day; the date is the clock's.
    let time = iso(asked.at);
    vec![
        format!("<code>{}</code>", &time[11..23]),
        format!("<code>{}</code>", escape(&asked.what)),
        status(asked.status),
        format!("{:.1} ms", asked.took.as_secs_f64() * 1000.0),
        asked.bytes.to_string(),
    ]
}

/// A status in the colour of its kind.
fn status(status: u16) -> String {
    let (kind, text) = match status {
        0 => ("bad", "no answer".to_owned()),
        1..=399 => ("good", status.to_string()),
        400..=499 => ("poor", status.to_string()),
        _ => ("bad", status.to_string()),
    };
    format!("<span class=\"{kind}\">{text}</span>")
}

const NOTHING_ASKED: &str = "<p class=\"quiet\">Nothing was asked yet.</p>";

fn requests(inner: &Inner) -> String {
    let report = inner.log().report();
    let mut rows = Vec::new();
    for (route, statuses) in report["byRoute"].as_object().into_iter().flatten() {
        for (code, count) in statuses.as_object().into_iter().flatten() {
            rows.push(vec![
                format!("<code>{}</code>", escape(route)),
                status(code.parse().unwrap_or(0)),
                count.to_string(),
            ]);
        }
    }
    if rows.is_empty() {
        return NOTHING_ASKED.into();
    }
    let summary = format!(
        "<p>{} in all, {} refused by a limit, at most {} in one second.</p>",
        report["total"], report["rateLimited"], report["maxPerSecond"]
    );
    summary + &table(&["Route", "Status", "Times"], 2, &rows)
}

fn faults(inner: &Inner) -> String {
    let plan = inner.faults();
    let row = |fault: &crate::behaviour::faults::Fault| {
        let action = serde_json::to_value(&fault.action).unwrap_or(Value::Null);
        vec![
            format!(
                "<code>{} {}</code>",
                escape(&fault.matching.method),
                escape(&fault.matching.path)
            ),
            format!("<code>{}</code>", escape(&action.to_string())),
            fault
                .times
                .map_or_else(|| "always".to_owned(), |times| times.to_string()),
        ]
    };
    let rows: Vec<Vec<String>> = plan.rules().iter().map(row).collect();
    if rows.is_empty() {
        return "<p class=\"quiet\">Nothing goes wrong on purpose.</p>".into();
    }
    table(&["Matches", "Action", "Left"], 2, &rows)
}

const CONTROL: &str = "<p><a href=\"/_emulator/health\">health</a> · <a href=\"/_emulator/requests\">requests</a> · \
    <a href=\"/_emulator/faults\">faults</a> · <a href=\"/_emulator/clock\">clock</a> · \
    <a href=\"/_emulator/behaviour\">behaviour</a> · <a href=\"/_emulator/apps\">apps</a></p>\
    <p class=\"quiet\">These answer GET with JSON; POST changes them. POST <code>/_emulator/seed</code> and \
    <code>/_emulator/mutate</code> add and change records; <code>/_emulator/truth/{type}</code> lists every record \
    that ever was.</p>";

#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct After {
    after: Option<u64>,
}

/// Some records of one type with their default properties, from an id on.
pub(crate) async fn records(
    State(emulator): State<Emulator>,
    Path(name): Path<String>,
    Query(After { after }): Query<After>,
) -> Response {
    emulator.0.catch_up_imports();
    let portal = emulator.0.portal();
    let Ok(of) = portal.type_index(&name) else {
        let mut response = page("No such object type", "<p><a href=\"/_emulator\">Back</a></p>");
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let store = portal.store(of);
    let first = store.slot_from(after.unwrap_or(0)) as usize;
    let records = store.all_from(first);
    let body = records_body(store, records);
    page(&format!("Records: {}", store.object_type.plural), &body)
}

fn records_body(store: &Store, records: &[Record]) -> String {
    let names = store.object_type.defaults.iter();
    let shown = Projection(names.filter_map(|name| store.properties.index(name)).collect());
    let mut heads = vec!["Id".to_owned(), "State".to_owned()];
    heads.extend(
        shown
            .0
            .iter()
            .map(|index| escape(&store.properties.get(*index).name)),
    );
    heads.push("Last modified".to_owned());
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = records
        .iter()
        .take(SHOWN)
        .map(|record| record_row(store, record, &shown))
        .collect();
    let name = escape(&store.object_type.plural);
    let more = records.get(SHOWN).map_or_else(String::new, |next| {
        format!(
            "<p><a href=\"/_emulator/objects/{name}?after={}\">More</a></p>",
            next.id
        )
    });
    let back = "<p><a href=\"/_emulator\">Back</a></p>".to_owned();
    back + &table(&heads, heads.len(), &rows) + &more
}

fn record_row(store: &Store, record: &Record, shown: &Projection) -> Vec<String> {
    let mut row = vec![record.id.to_string(), record.state().to_owned()];
    row.extend(shown.0.iter().map(|index| {
        let hidden = record.is_purged() && store.properties.get(*index).source == Source::Stored;
        let text = store.text(record, *index).filter(|_| !hidden);
        escape(&text.unwrap_or_default())
    }));
    row.push(iso(record.updated));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked_also_short_ones() {
        assert_eq!(masked("pat-na1-0000-abcd"), "…abcd");
        assert_eq!(masked("secret"), "…");
        assert_eq!(masked("tenletters"), "…rs");
    }
}
