//! The older routes that popular connectors still call: the same state, in older shapes.

use std::collections::BTreeSet;

use hubspot_emulator::{Options, Tier, Token};
use serde_json::{Value, json};

use crate::desk::{Desk, ids};

/// Walks a list to its end and returns the ids in the order they came.
async fn walk(desk: &Desk, path: &str, list: &str, id: &str, more: &str, next: &[(&str, &str)]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut position = String::new();
    loop {
        let answer = desk.get(&format!("{path}{position}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.body[list].as_array().expect("a list");
        found.extend(
            page.iter()
                .map(|record| record[id].as_u64().expect("ids are numbers")),
        );
        if answer.body[more] == false {
            return found;
        }
        let pairs = next
            .iter()
            .map(|(parameter, member)| format!("&{parameter}={}", answer.body[member]));
        position = pairs.collect();
    }
}

async fn live(desk: &Desk, object_type: &str) -> BTreeSet<u64> {
    let lines = desk.lines(&format!("/_emulator/truth/{object_type}")).await;
    let live = lines.iter().filter(|line| line["state"] == "live");
    live.map(|line| line["id"].as_str().and_then(|id| id.parse().ok()).expect("an id"))
        .collect()
}

#[tokio::test]
async fn paged_lists_hold_every_record_once() {
    let desk = Desk::small();
    let contacts = walk(
        &desk,
        "/contacts/v1/lists/all/contacts/all?count=50",
        "contacts",
        "vid",
        "has-more",
        &[("vidOffset", "vid-offset")],
    );
    let companies = walk(
        &desk,
        "/companies/v2/companies/paged?limit=7",
        "companies",
        "companyId",
        "has-more",
        &[("offset", "offset")],
    );
    let deals = walk(
        &desk,
        "/deals/v1/deal/paged?limit=7",
        "deals",
        "dealId",
        "hasMore",
        &[("offset", "offset")],
    );
    for (object_type, found) in [
        ("contacts", contacts.await),
        ("companies", companies.await),
        ("deals", deals.await),
    ] {
        let distinct: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(distinct.len(), found.len(), "{object_type}");
        assert_eq!(distinct, live(&desk, object_type).await, "{object_type}");
    }
}

#[tokio::test]
async fn recent_lists_begin_with_what_changed_last() {
    let desk = Desk::small();
    let id = desk.contact("last@example.com").await;
    let path = "/contacts/v1/lists/recently_updated/contacts/recent?count=50&property=email";
    let first = desk.get(path).await.body;
    assert_eq!(first["contacts"][0]["vid"].to_string(), id);
    assert_eq!(
        first["contacts"][0]["properties"]["email"],
        json!({"value": "last@example.com"})
    );
    let next = [("timeOffset", "time-offset"), ("vidOffset", "vid-offset")];
    let all = walk(&desk, path, "contacts", "vid", "has-more", &next).await;
    assert_eq!(all.len(), live(&desk, "contacts").await.len());
    let companies = "/companies/v2/companies/recent/modified?count=6";
    let all = walk(
        &desk,
        companies,
        "results",
        "companyId",
        "hasMore",
        &[("offset", "offset")],
    );
    assert_eq!(all.await.len(), live(&desk, "companies").await.len());
}

#[tokio::test]
async fn since_leaves_out_what_is_older() {
    let desk = Desk::small();
    let recent = desk.get("/deals/v1/deal/recent/modified?count=250").await.body;
    let newest = recent["results"][0]["properties"]["hs_lastmodifieddate"]["timestamp"].clone();
    let some = desk
        .get(&format!("/deals/v1/deal/recent/modified?since={newest}"))
        .await
        .body;
    assert!(some["total"].as_u64() >= Some(1));
    assert!(some["total"].as_u64() < recent["total"].as_u64());
    let never = desk.get("/deals/v1/deal/recent/modified?since=yesterday").await;
    assert_eq!(never.status, 400);
}

#[tokio::test]
async fn one_record_is_shown_whole_and_with_its_links() {
    let desk = Desk::small();
    let deal = ids(&desk.get("/crm/v3/objects/deals?limit=1").await.body).remove(0);
    let contact = desk.contact("linked@example.com").await;
    let link = format!("/crm/v4/objects/deals/{deal}/associations/default/contacts/{contact}");
    assert_eq!(desk.call("PUT", &link, None).await.status, 200);
    let shown = desk.get(&format!("/deals/v1/deal/{deal}")).await.body;
    let vids = shown["associations"]["associatedVids"].as_array().expect("vids");
    let contact: u64 = contact.parse().expect("a number");
    assert!(vids.contains(&json!(contact)));
    assert!(shown["properties"]["dealname"]["value"].is_string());
    assert_eq!(desk.get("/deals/v1/deal/999999999").await.status, 404);
    assert_eq!(desk.get("/companies/v2/companies/none").await.status, 404);
}

#[tokio::test]
async fn definitions_are_the_current_ones_as_bare_lists() {
    let desk = Desk::empty();
    let current = desk.get("/crm/v3/properties/contacts").await.body["results"]
        .as_array()
        .expect("results")
        .len();
    for path in [
        "/properties/v2/contact/properties",
        "/properties/v1/contacts/properties",
        "/contacts/v1/properties",
    ] {
        let list = desk.get(path).await.body;
        assert_eq!(list.as_array().map(Vec::len), Some(current), "{path}");
        assert!(list[0]["createdAt"].is_number());
    }
    let named = desk
        .get("/properties/v2/deals/properties/named/amount")
        .await
        .body;
    assert_eq!(
        (&named["type"], &named["deleted"]),
        (&json!("number"), &json!(false))
    );
    let none = desk.get("/properties/v2/deals/properties/named/none").await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn pipelines_have_their_older_names() {
    let desk = Desk::empty();
    let pipelines = desk.get("/crm-pipelines/v1/pipelines/deals").await.body;
    let pipeline = &pipelines["results"][0];
    assert_eq!(
        (&pipeline["pipelineId"], &pipeline["objectTypeId"]),
        (&json!("default"), &json!("0-3"))
    );
    assert!(pipeline["stages"][0]["stageId"].is_string());
    assert!(pipeline["createdAt"].is_number());
    let deals = desk.get("/deals/v1/pipelines").await.body;
    assert_eq!(deals[0]["pipelineId"], "default");
    assert_eq!(deals[0]["stages"][0]["probability"], json!(0.2));
}

#[tokio::test]
async fn users_are_the_owners_that_are_people() {
    let desk = Desk::empty();
    let users = desk.get("/settings/v3/users?limit=100").await.body;
    let first = users["results"][0].clone();
    let id = first["id"].as_str().expect("an id");
    assert_eq!(desk.get(&format!("/settings/v3/users/{id}")).await.body, first);
    let teams = desk.get("/settings/v3/users/teams").await.body;
    let members = teams["results"][0]["userIds"].as_array().expect("members");
    assert!(!members.is_empty());
    let page = desk.get("/settings/v3/users?limit=2").await.body;
    assert_eq!(ids(&page).len(), 2);
    assert_eq!(page["paging"]["next"]["after"], page["results"][1]["id"]);
}

#[tokio::test]
async fn what_an_account_lacks_is_an_empty_list() {
    let desk = Desk::empty();
    for (path, list) in [
        ("/forms/v2/forms", ""),
        ("/marketing/v3/forms?limit=50", "/results"),
        ("/automation/v3/workflows", "/workflows"),
        ("/email/public/v1/campaigns?limit=500", "/campaigns"),
        ("/email/public/v1/events", "/events"),
        ("/email/public/v1/subscriptions", "/subscriptionDefinitions"),
        ("/email/public/v1/subscriptions/timeline", "/timeline"),
        ("/marketing-emails/v1/emails/with-statistics", "/objects"),
        ("/engagements/v1/engagements/recent/modified", "/results"),
    ] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.body.pointer(list), Some(&Value::Array(vec![])), "{path}");
    }
    assert_eq!(desk.get("/automation/v3/workflows/1").await.status, 501);
}

#[tokio::test]
async fn a_token_needs_the_scope_of_the_type_that_the_path_means() {
    let desk = Desk::with(Options {
        tier: Tier::Unlimited,
        tokens: vec![Token::with_scopes("few", ["crm.objects.deals.read"])],
        ..Options::default()
    });
    assert_eq!(desk.get("/deals/v1/deal/paged").await.status, 200);
    assert_eq!(desk.get("/companies/v2/companies/paged").await.status, 403);
}

#[tokio::test]
async fn the_change_log_of_tickets_goes_on_after_the_last_change_seen() {
    let desk = Desk::empty();
    let mut tickets = Vec::new();
    for subject in ["A", "B"] {
        let body = json!({"properties": {"subject": subject, "hs_pipeline_stage": "1"}});
        let made = desk.post("/crm/v3/objects/tickets", body).await;
        tickets.push(made.body["id"].as_str().expect("an id").to_owned());
        desk.post("/_emulator/clock", json!({"advance": "1s"})).await;
    }
    let path = format!("/crm/v3/objects/tickets/{}", tickets[0]);
    desk.call("PATCH", &path, Some(json!({"properties": {"content": "New"}})))
        .await;
    desk.post("/_emulator/clock", json!({"advance": "1s"})).await;
    desk.call("DELETE", &format!("/crm/v3/objects/tickets/{}", tickets[1]), None)
        .await;
    let log = desk.get("/crm-objects/v1/change-log/tickets").await.body;
    let log = log.as_array().expect("an array");
    let told: Vec<(String, &str)> = log
        .iter()
        .map(|change| {
            (
                change["objectId"].to_string(),
                change["changeType"].as_str().unwrap_or(""),
            )
        })
        .collect();
    let (one, two) = (tickets[0].clone(), tickets[1].clone());
    let expected = [
        (one.clone(), "CREATED"),
        (two.clone(), "CREATED"),
        (one, "UPDATED"),
        (two, "DELETED"),
    ];
    assert_eq!(told, expected);
    assert_eq!(log[2]["changes"]["changedProperties"], json!(["content"]));
    let last = &log[1];
    let at = &last["timestamp"];
    let since = |rest: &str| format!("/crm-objects/v1/change-log/tickets?timestamp={at}{rest}");
    let inclusive = desk.get(&since("")).await.body;
    assert_eq!(inclusive.as_array().map(Vec::len), Some(3));
    let after = desk
        .get(&since(&format!(
            "&changeType=CREATED&objectId={}",
            last["objectId"]
        )))
        .await
        .body;
    assert_eq!(after.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn forms_have_definitions_and_v4_lists_like_v3() {
    let desk = Desk::small();
    let properties = desk.get("/properties/v2/form/properties").await;
    assert!(properties.body[0]["name"].is_string() && properties.body[0]["type"].is_string());
    let (v3, v4) = (
        desk.get("/crm/v3/objects/tickets?limit=5").await,
        desk.get("/crm/v4/objects/tickets?limit=5").await,
    );
    assert_eq!((v4.status, &v4.body["results"]), (200, &v3.body["results"]));
    let lists = desk.post("/crm/v3/lists/search", json!({"count": 1000})).await;
    assert_eq!(lists.status, 200, "{}", lists.text);
}

#[tokio::test]
async fn one_association_is_made_and_removed_by_its_v3_name() {
    let desk = Desk::empty();
    let contact = desk.contact("a@example.com").await;
    let company = json!({"properties": {"name": "A"}, "associations": null});
    let company = desk.post("/crm/v3/objects/companies", company).await;
    let company = company.body["id"]
        .as_str()
        .expect("null counts as none")
        .to_owned();
    let path = format!("/crm/v3/objects/contacts/{contact}/associations/companies");
    let one = |kind: &str| format!("{path}/{company}/{kind}");
    let put = desk.call("PUT", &one("contact_to_company"), None).await;
    assert_eq!((put.status, &put.body["id"]), (200, &json!(contact)));
    assert_eq!(desk.get(&path).await.body["results"][0]["id"], company.as_str());
    assert_eq!(desk.call("PUT", &one("no_such_type"), None).await.status, 400);
    assert_eq!(
        desk.call("DELETE", &one("contact_to_company_unlabeled"), None)
            .await
            .status,
        204
    );
    assert_eq!(desk.get(&path).await.body["results"], json!([]));
}
