//! Portals with properties that HubSpot's own rules would hardly let anybody make, but that old ones have.

use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::support::copy::rows;
use crate::support::{Portal, Workplace};

/// A HubSpot that has one contact, and contacts with these properties.
fn portal(properties: &[(&str, &str)]) -> Portal {
    let definitions: Vec<_> = properties
        .iter()
        .map(|(name, _)| json!({"name": name, "label": name, "type": "string", "fieldType": "text"}))
        .collect();
    let values: serde_json::Map<_, _> = properties
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    let record = json!({
        "id": "7", "properties": values, "archived": false,
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-02T00:00:00.000Z",
    });
    let answer = |value: Value| get(move || async move { Json(value) });
    let router = Router::new()
        .route(
            "/account-info/2026-03/details",
            answer(json!({"portalId": 1, "timeZone": "UTC"})),
        )
        .route(
            "/crm-object-schemas/2026-03/schemas",
            answer(json!({"results": []})),
        )
        .route(
            "/crm/properties/2026-03/contacts",
            answer(json!({"results": definitions})),
        )
        .route(
            "/crm/objects/2026-03/contacts",
            answer(json!({"results": [record]})),
        )
        .route(
            "/crm/objects/2026-03/contacts/search",
            post(async || Json(json!({"total": 0, "results": []}))),
        );
    Portal::serve(router)
}

fn synced(properties: &[(&str, &str)]) -> std::collections::BTreeMap<String, Cell> {
    let portal = portal(properties);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    rows(&workplace.path("hubspot.db"), "SELECT * FROM contacts").remove(0)
}

#[test]
fn an_object_without_properties_still_has_its_records() {
    let row = synced(&[]);
    assert_eq!(row["id"], Cell::Text("7".into()));
    assert_eq!(row["_created_at"], Cell::Text("2026-01-01T00:00:00.000Z".into()));
}

#[test]
fn properties_called_like_columns_and_keywords_keep_their_values() {
    let long = "x".repeat(100);
    let row = synced(&[
        ("id", "a"),
        ("select", "b"),
        ("ID", "c"),
        (&long, "d"),
        ("_archived", "e"),
        ("a\"b", "f"),
    ]);
    assert_eq!(
        row["id"],
        Cell::Text("7".into()),
        "the key is the record's own id"
    );
    let values: Vec<_> = row.values().cloned().collect();
    for value in ["a", "b", "c", "d", "e", "f"] {
        assert!(
            values.contains(&Cell::Text(value.into())),
            "{value} is lost: {row:?}"
        );
    }
    assert_eq!(row["select"], Cell::Text("b".into()));
    assert_eq!(row[&long], Cell::Text("d".into()));
    assert_eq!(row["property_id"], Cell::Text("a".into()));
}
