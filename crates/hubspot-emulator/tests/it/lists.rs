//! List and get.

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

async fn walk(desk: &Desk, base: &str) -> Vec<Value> {
    let (mut records, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = desk
            .get(&format!(
                "{base}{}",
                after
                    .as_ref()
                    .map_or(String::new(), |after| format!("&after={after}"))
            ))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        records.extend(page.body["results"].as_array().expect("results").iter().cloned());
        match page.body["paging"]["next"]["after"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return records,
        }
    }
}

#[tokio::test]
async fn a_walk_meets_every_live_record_once_in_order_of_id() {
    let desk = Desk::usual();
    let walked: Vec<u64> = walk(&desk, "/crm/v3/objects/contacts?limit=100")
        .await
        .iter()
        .map(|record| {
            record["id"]
                .as_str()
                .and_then(|id| id.parse().ok())
                .expect("a number")
        })
        .collect();
    assert!(walked.is_sorted_by(|one, other| one < other));
    let truth = desk.lines("/_emulator/truth/contacts").await;
    let live = truth.iter().filter(|record| record["state"] == "live").count();
    assert_eq!(walked.len(), live);
}

#[tokio::test]
async fn archived_records_are_only_in_the_archived_list() {
    let desk = Desk::usual();
    let archived = walk(&desk, "/crm/v3/objects/contacts?limit=7&archived=true").await;
    assert!(archived.len() >= 5, "about two in a hundred are archived");
    assert!(
        archived
            .iter()
            .all(|record| record["archived"] == true && record["archivedAt"].is_string())
    );
    let id = archived[0]["id"].as_str().expect("an id");
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts/{id}")).await.status,
        404
    );
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts/{id}?archived=true"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_record_shows_what_was_asked_for_and_always_three_more() {
    let desk = Desk::small();
    let path = "/crm/v3/objects/contacts?limit=1&properties=email,nonsense&properties=fax";
    let record = desk.get(path).await.body["results"][0].clone();
    let shown: Vec<&String> = record["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .collect();
    assert_eq!(
        shown,
        ["createdate", "email", "fax", "hs_object_id", "lastmodifieddate"]
    );
    assert_eq!(record["properties"]["fax"], Value::Null);
    assert_eq!(record["properties"]["hs_object_id"], record["id"]);
    assert_eq!(record["properties"]["createdate"], record["createdAt"]);
    assert_eq!(record["properties"]["lastmodifieddate"], record["updatedAt"]);
}

#[tokio::test]
async fn default_properties_depend_on_the_type() {
    let desk = Desk::small();
    for (path, names) in [
        (
            "/crm/v3/objects/contacts",
            vec![
                "createdate",
                "email",
                "firstname",
                "hs_object_id",
                "lastmodifieddate",
                "lastname",
            ],
        ),
        (
            "/crm/v3/objects/companies",
            vec![
                "createdate",
                "domain",
                "hs_lastmodifieddate",
                "hs_object_id",
                "name",
            ],
        ),
        (
            "/crm/v3/objects/0-3",
            vec![
                "amount",
                "closedate",
                "createdate",
                "dealname",
                "dealstage",
                "hs_lastmodifieddate",
                "hs_object_id",
                "pipeline",
            ],
        ),
    ] {
        let record = desk.get(&format!("{path}?limit=1")).await.body["results"][0].clone();
        let shown: Vec<&String> = record["properties"]
            .as_object()
            .expect("properties")
            .keys()
            .collect();
        assert_eq!(shown, names, "{path}");
    }
}

#[tokio::test]
async fn types_have_many_spellings_and_paths_two_generations() {
    let desk = Desk::small();
    let expected = ids(&desk.get("/crm/v3/objects/deals").await.body);
    for path in [
        "/crm/v3/objects/deal",
        "/crm/v3/objects/DEALS",
        "/crm/v3/objects/0-3",
        "/crm/objects/v3/deals",
        "/crm/objects/2026-03/0-3",
        "/crm/objects/2026-09/deals",
    ] {
        assert_eq!(ids(&desk.get(path).await.body), expected, "{path}");
    }
    let unknown = desk.get("/crm/v3/objects/unicorns").await;
    assert_eq!(
        (unknown.status, unknown.body["message"].as_str()),
        (400, Some("Unable to infer object type from: unicorns"))
    );
}

#[tokio::test]
async fn the_link_to_the_next_page_leads_back_here() {
    let desk = Desk::small();
    let request = http::Request::get("/crm/v3/objects/contacts?limit=2&properties=email")
        .header("host", "127.0.0.1:8400")
        .header(
            "authorization",
            format!("Bearer {}", hubspot_emulator::DEFAULT_TOKEN),
        );
    let page = desk
        .send(request.body(axum::body::Body::empty()).expect("a request"))
        .await;
    let next = &page.body["paging"]["next"];
    let link = next["link"].as_str().expect("a link");
    assert_eq!(
        link,
        "http://127.0.0.1:8400/crm/v3/objects/contacts?limit=2&properties=email&after=103"
    );
    assert_eq!(next["after"], "103");
}

#[tokio::test]
async fn limits_are_a_hundred_and_fifty_with_history() {
    let desk = Desk::small();
    assert_eq!(desk.get("/crm/v3/objects/contacts?limit=100").await.status, 200);
    assert_eq!(desk.get("/crm/v3/objects/contacts?limit=101").await.status, 400);
    assert_eq!(desk.get("/crm/v3/objects/contacts?limit=0").await.status, 400);
    assert_eq!(
        desk.get("/crm/v3/objects/contacts?limit=50&propertiesWithHistory=email")
            .await
            .status,
        200
    );
    assert_eq!(
        desk.get("/crm/v3/objects/contacts?limit=51&propertiesWithHistory=email")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn inline_associations_are_cut_at_a_hundred() {
    let desk = Desk::usual();
    let company = &desk
        .get("/crm/v3/objects/companies?limit=1&associations=contacts,deals")
        .await
        .body["results"][0];
    let contacts = &company["associations"]["contacts"];
    assert_eq!(contacts["results"].as_array().map(Vec::len), Some(100));
    assert!(contacts["paging"]["next"]["after"].is_string());
    let types: std::collections::BTreeSet<&str> = contacts["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|link| link["type"].as_str())
        .collect();
    assert_eq!(
        types,
        ["company_to_contact", "company_to_contact_unlabeled"].into()
    );
}

#[tokio::test]
async fn a_record_is_found_by_a_unique_property() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let found = desk
        .get("/crm/v3/objects/contacts/ANN%40example.com?idProperty=email")
        .await;
    assert_eq!(found.body["id"], json!(id));
    let wrong = desk.get("/crm/v3/objects/contacts/x?idProperty=firstname").await;
    assert_eq!(wrong.status, 400);
    let missing = desk.get("/crm/v3/objects/contacts/999999").await;
    assert_eq!(
        (missing.status, missing.body["message"].as_str()),
        (404, Some("resource not found"))
    );
}

#[tokio::test]
async fn history_is_newest_first() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    for name in ["Ann", "Anna"] {
        let body = json!({"properties": {"firstname": name}});
        assert_eq!(
            desk.call("PATCH", &format!("/crm/v3/objects/contacts/{id}"), Some(body))
                .await
                .status,
            200
        );
    }
    let record = desk
        .get(&format!(
            "/crm/v3/objects/contacts/{id}?propertiesWithHistory=firstname,email"
        ))
        .await
        .body;
    let names: Vec<&str> = record["propertiesWithHistory"]["firstname"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|held| held["value"].as_str())
        .collect();
    assert_eq!(names, ["Anna", "Ann"]);
    assert_eq!(
        record["propertiesWithHistory"]["email"][0]["value"],
        "ann@example.com"
    );
}
