//! Nothing that a caller sends makes the emulator panic or answer with a status it does not know.

use axum::body::Body;
use http::Request;
use hubspot_emulator::DEFAULT_TOKEN;
use proptest::prelude::*;

use crate::desk::Desk;

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("crm".to_owned()),
        prop::sample::select(vec![
            "v3",
            "v4",
            "2026-03",
            "2026-09",
            "objects",
            "associations",
            "properties",
            "pipelines",
            "owners"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "contacts",
            "0-1",
            "0-3",
            "companies",
            "batch",
            "read",
            "create",
            "update",
            "archive",
            "search",
            "labels"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "101",
            "102",
            "0",
            "18446744073709551615",
            "18446744073709551616",
            "-1",
            "%40",
            "%ff",
            "default"
        ])
        .prop_map(str::to_owned),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let query = prop::sample::select(vec![
        "",
        "?limit=5",
        "?limit=-1",
        "?after=18446744073709551615",
        "?after=%00",
        "?properties=email,,&associations=deals",
        "?archived=true",
        "?idProperty=email",
        "?propertiesWithHistory=email",
        "?limit=999999999999999999999",
    ]);
    let known = prop::sample::select(vec![
        "/crm/v3/objects/contacts",
        "/crm/v3/objects/contacts/101",
        "/crm/v3/objects/contacts/search",
        "/crm/v3/objects/deals/batch/read",
        "/crm/v3/objects/contacts/batch/create",
        "/crm/v3/objects/contacts/batch/update",
        "/crm/v4/associations/contacts/companies/batch/read",
        "/crm/v4/associations/contacts/companies/batch/create",
        "/crm/v4/objects/contacts/101/associations/companies",
        "/crm/v3/properties/contacts",
        "/_emulator/mutate",
        "/_emulator/faults/nothing",
        "/_emulator/clock",
    ]);
    let made = prop::collection::vec(segment(), 0..7).prop_map(|segments| format!("/{}", segments.join("/")));
    (prop_oneof![known.prop_map(str::to_owned), made], query)
        .prop_map(|(path, query)| format!("{path}{query}"))
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "\"\"",
        "\"101\"",
        "\"EQ\"",
        "\"lastmodifieddate\"",
        "\"hs_object_id\"",
        "\"GTE\"",
        "\"9223372036854775807\"",
        "\"*\"",
        "[]",
        "{}",
        "\"email\"",
    ])
    .prop_map(str::to_owned);
    let key = prop::sample::select(vec![
        "inputs",
        "id",
        "properties",
        "filterGroups",
        "filters",
        "propertyName",
        "operator",
        "value",
        "highValue",
        "values",
        "sorts",
        "limit",
        "after",
        "query",
        "from",
        "to",
        "types",
        "associationTypeId",
        "email",
        "objectType",
        "name",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key.clone(), inner), 0..4).prop_map(|members| format!(
                "{{{}}}",
                members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect::<Vec<_>>()
                    .join(",")
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_answered(
        requests in prop::collection::vec((prop::sample::select(vec!["GET", "POST", "PATCH", "PUT", "DELETE"]), path(), json()), 1..6)
    ) {
        thread_local! {
            static RUNTIME: (tokio::runtime::Runtime, Desk) = {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                (runtime, Desk::small())
            };
        }
        RUNTIME.with(|(runtime, desk)| {
            for (method, path, body) in &requests {
                let request = Request::builder().method(*method).uri(path).header("content-type", "application/json");
                let Ok(request) = request.header("authorization", format!("Bearer {DEFAULT_TOKEN}")).body(Body::from(body.clone())) else { continue };
                let answer = runtime.block_on(desk.send(request));
                assert!((200..=501).contains(&answer.status), "{method} {path} {body}: {}", answer.status);
            }
        });
    }
}
