//! Associations v4, dated and v3.

use serde_json::{Value, json};

use crate::desk::Desk;

async fn pair(desk: &Desk) -> (String, String) {
    let contact = desk.contact("ann@example.com").await;
    let company = desk
        .post("/crm/v3/objects/companies", json!({"properties": {"name": "A"}}))
        .await;
    (contact, company.body["id"].as_str().expect("an id").to_owned())
}

fn types(record: &Value) -> Vec<(u64, Option<&str>)> {
    let types = record["associationTypes"].as_array().expect("types");
    types
        .iter()
        .map(|kind| (kind["typeId"].as_u64().expect("a number"), kind["label"].as_str()))
        .collect()
}

#[tokio::test]
async fn the_everyday_207_lists_records_without_associations() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let other = desk.contact("bob@example.com").await;
    desk.call(
        "PUT",
        &format!("/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}"),
        None,
    )
    .await;
    let body = json!({"inputs": [{"id": contact}, {"id": other}, {"id": "424242"}]});
    let read = desk
        .post("/crm/v4/associations/contacts/companies/batch/read", body)
        .await;
    assert_eq!((read.status, &read.body["numErrors"]), (207, &json!(2)));
    assert_eq!(read.body["results"].as_array().map(Vec::len), Some(1));
    let result = &read.body["results"][0];
    assert_eq!(result["from"]["id"], json!(contact));
    assert!(result["to"][0]["toObjectId"].is_number());
    let error = &read.body["errors"][0];
    assert_eq!(error["subCategory"], "crm.associations.NO_ASSOCIATIONS_FOUND");
    assert_eq!(
        error["message"],
        json!(format!("No company is associated with contact {other}."))
    );
    assert_eq!(
        error["context"],
        json!({"fromObjectId": [other], "fromObjectType": ["contact"], "toObjectType": ["company"]})
    );
}

#[tokio::test]
async fn a_put_sets_the_labels_of_a_pair_and_both_sides_see_them() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let path = format!("/crm/v4/objects/contact/{contact}/associations/company/{company}");
    let put = desk
        .call(
            "PUT",
            &path,
            Some(json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}])),
        )
        .await;
    assert_eq!(put.status, 201);
    let expected = json!({"fromObjectTypeId": "0-1", "fromObjectId": contact, "toObjectTypeId": "0-2", "toObjectId": company, "labels": ["Primary"]});
    assert_eq!(put.body, expected);
    let there = desk
        .get(&format!(
            "/crm/v4/objects/contacts/{contact}/associations/companies"
        ))
        .await
        .body;
    assert_eq!(types(&there["results"][0]), [(1, Some("Primary")), (279, None)]);
    let back = desk
        .get(&format!("/crm/objects/2026-03/0-2/{company}/associations/0-1"))
        .await
        .body;
    assert_eq!(
        types(&back["results"][0]),
        [(2, Some("Contact with Primary Company")), (280, None)]
    );
    let old = desk
        .get(&format!(
            "/crm/v3/objects/contacts/{contact}/associations/companies"
        ))
        .await
        .body;
    assert_eq!(
        old["results"][0],
        json!({"id": company, "type": "contact_to_company"})
    );
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    let gone = desk
        .get(&format!(
            "/crm/v4/objects/contacts/{contact}/associations/companies"
        ))
        .await
        .body;
    assert_eq!(gone, json!({"results": []}));
}

#[tokio::test]
async fn changing_links_leaves_last_modification_alone() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let path = format!("/crm/v3/objects/contacts/{contact}");
    let before = desk.get(&path).await.body["updatedAt"].clone();
    let body = json!({"inputs": [{"from": {"id": contact}, "to": {"id": company}}]});
    let linked = desk
        .post(
            "/crm/v4/associations/contacts/companies/batch/associate/default",
            body,
        )
        .await;
    assert_eq!(
        (linked.status, linked.body["results"].as_array().map(Vec::len)),
        (200, Some(2))
    );
    assert_eq!(desk.get(&path).await.body["updatedAt"], before);
}

#[tokio::test]
async fn long_lists_are_paged_with_opaque_tokens() {
    let desk = Desk::usual();
    let truth = desk.lines("/_emulator/truth/associations/contacts/deals").await;
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for link in &truth {
        *counts.entry(link["fromId"].as_str().expect("an id")).or_default() += 1;
    }
    let (busiest, count) = counts.into_iter().max_by_key(|(_, count)| *count).expect("links");
    assert!(count > 100, "a contact with more than a hundred deals");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk
            .get(&format!(
                "/crm/v4/objects/contacts/{busiest}/associations/deals?limit=40&after={after}"
            ))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        seen.extend(
            page.body["results"]
                .as_array()
                .expect("results")
                .iter()
                .filter_map(|link| link["toObjectId"].as_u64()),
        );
        let Some(next) = page.body["paging"]["next"]["after"].as_str() else {
            break;
        };
        assert!(
            page.body["paging"]["next"]["link"]
                .as_str()
                .is_some_and(|link| link.starts_with("http://"))
        );
        after = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    }
    assert_eq!(seen.len(), count);
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn batches_create_archive_and_are_checked() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let base = "/crm/associations/2026-03/contacts/companies";
    let input = |id: u32| {
        json!({"inputs": [{"from": {"id": contact}, "to": {"id": company},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id}]}]})
    };
    assert_eq!(
        desk.post(&format!("{base}/batch/create"), input(4711))
            .await
            .status,
        400
    );
    let created = desk.post(&format!("{base}/batch/create"), input(1)).await;
    assert_eq!(
        (created.status, &created.body["results"][0]["labels"]),
        (201, &json!(["Primary"]))
    );
    assert_eq!(
        desk.post(&format!("{base}/batch/labels/archive"), input(1))
            .await
            .status,
        204
    );
    let left = desk
        .get(&format!(
            "/crm/v4/objects/contacts/{contact}/associations/companies"
        ))
        .await
        .body;
    assert_eq!(types(&left["results"][0]), [(279, None)]);
    let body = json!({"inputs": [{"from": {"id": contact}, "to": [{"id": company}]}]});
    assert_eq!(
        desk.post(&format!("{base}/batch/archive"), body).await.status,
        204
    );
    assert!(
        desk.lines("/_emulator/truth/associations/contacts/companies")
            .await
            .is_empty()
    );
    let bad = json!({"inputs": [{"id": contact}, {"id": "not-a-number"}]});
    assert_eq!(desk.post(&format!("{base}/batch/read"), bad).await.status, 400);
    let many: Vec<Value> = (0..1001).map(|id| json!({"id": id.to_string()})).collect();
    assert_eq!(
        desk.post(&format!("{base}/batch/read"), json!({"inputs": many}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn each_input_of_a_batch_of_links_has_an_outcome_unless_it_is_malformed() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    let base = "/crm/v4/associations/contacts/companies/batch";
    let input =
        |from: &str, types: Value| json!({"from": {"id": from}, "to": {"id": company}, "types": types});
    let primary = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
    let inputs = json!({"inputs": [input(&contact, primary.clone()), input("999", primary.clone())]});
    let answer = desk.post(&format!("{base}/create"), inputs.clone()).await;
    assert_eq!(answer.status, 207, "{}", answer.text);
    assert_eq!(answer.body["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.body["numErrors"], 1);
    let error = &answer.body["errors"][0];
    assert_eq!(error["category"], "OBJECT_NOT_FOUND");
    assert_eq!(error["context"]["fromObjectId"], json!(["999"]));
    assert_eq!(error["context"]["toObjectId"], json!([company]));
    for (operation, inputs) in [
        (
            "create",
            json!([input(&contact, primary.clone()), input("x", primary)]),
        ),
        ("create", json!([input(&contact, json!([]))])),
        ("associate/default", json!([input("x", json!([]))])),
        ("associate/default", inputs["inputs"].clone()),
        ("archive", json!([{"from": {"id": contact}, "to": [{"id": "x"}]}])),
        ("labels/archive", json!([input("x", json!([]))])),
    ] {
        let answer = desk
            .post(&format!("{base}/{operation}"), json!({"inputs": inputs}))
            .await;
        assert_eq!(answer.status, 400, "{operation}: {}", answer.text);
    }
    let path = format!("/crm/v4/objects/contacts/{contact}/associations/companies/{company}");
    assert_eq!(desk.call("PUT", &path, Some(json!([]))).await.status, 400);
    let kept = desk
        .lines("/_emulator/truth/associations/contacts/companies")
        .await;
    assert_eq!(kept.len(), 2, "what was refused changed nothing");
}

#[tokio::test]
async fn labels_of_a_pair_are_listed() {
    let desk = Desk::empty();
    let labels = desk.get("/crm/v4/associations/deals/companies/labels").await.body;
    let expected = json!({"results": [
        {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null},
        {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
    ]});
    assert_eq!(labels, expected);
}

#[tokio::test]
async fn an_archived_record_loses_its_links_until_it_is_restored() {
    let desk = Desk::empty();
    let (contact, company) = pair(&desk).await;
    desk.call(
        "PUT",
        &format!("/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}"),
        None,
    )
    .await;
    desk.call("DELETE", &format!("/crm/v3/objects/contacts/{contact}"), None)
        .await;
    let of_company = format!("/crm/v4/objects/companies/{company}/associations/contacts");
    assert_eq!(desk.get(&of_company).await.body, json!({"results": []}));
    desk.post(
        "/_emulator/mutate",
        json!({"objectType": "contacts", "restore": 1}),
    )
    .await;
    assert_eq!(
        desk.get(&of_company).await.body["results"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
