//! Search: filters, order, window, lag.

use std::time::Duration;

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::{Value, json};

use crate::desk::{Desk, ids};

const CONTACTS: &str = "/crm/v3/objects/contacts/search";

fn filter(property: &str, operator: &str, value: &str) -> Value {
    json!({"filters": [{"propertyName": property, "operator": operator, "value": value}]})
}

async fn total(desk: &Desk, body: Value) -> u64 {
    let answer = desk.post(CONTACTS, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["total"].as_u64().expect("a total")
}

/// Values of one property of all live records, from the truth.
async fn truth(desk: &Desk, property: &str) -> Vec<Option<String>> {
    let records = desk.lines("/_emulator/truth/contacts").await;
    let live = records.into_iter().filter(|record| record["state"] == "live");
    live.map(|record| record["properties"][property].as_str().map(str::to_owned))
        .collect()
}

fn count<T>(values: &[T], wanted: impl Fn(&T) -> bool) -> u64 {
    values.iter().filter(|value| wanted(value)).count() as u64
}

#[tokio::test]
async fn totals_agree_with_the_truth_for_every_operator() {
    let desk = Desk::usual();
    let cities = truth(&desk, "city").await;
    let some = |wanted: &str| {
        count(&cities, |city| {
            city.as_deref().is_some_and(|city| city.to_lowercase() == wanted)
        })
    };
    assert!(some("köln") > 0);
    assert_eq!(total(&desk, filter("city", "EQ", "KÖLN")).await, some("köln"));
    let known = count(&cities, |city| {
        city.as_deref().is_some_and(|city| !city.is_empty())
    });
    assert_eq!(
        total(&desk, filter("city", "NEQ", "Köln")).await,
        known - some("köln")
    );
    assert_eq!(total(&desk, filter("city", "HAS_PROPERTY", "")).await, known);
    assert_eq!(
        total(&desk, filter("city", "NOT_HAS_PROPERTY", "")).await,
        cities.len() as u64 - known
    );
    let list = |operator, values: Value| json!({"filters": [{"propertyName": "city", "operator": operator, "values": values}]});
    assert_eq!(
        total(&desk, list("IN", json!(["köln", "boston"]))).await,
        some("köln") + some("boston")
    );
    assert_eq!(
        total(&desk, list("IN", json!(["Köln"]))).await,
        0,
        "IN wants lowercase"
    );
    assert_eq!(
        total(&desk, list("NOT_IN", json!(["köln"]))).await,
        known - some("köln")
    );

    let scores = truth(&desk, "hubspotscore").await;
    let numbers: Vec<f64> = scores
        .iter()
        .flatten()
        .filter_map(|score| score.parse().ok())
        .collect();
    assert_eq!(
        total(&desk, filter("hubspotscore", "GT", "50")).await,
        count(&numbers, |number| *number > 50.0)
    );
    assert_eq!(
        total(&desk, filter("hubspotscore", "GTE", "50")).await,
        count(&numbers, |number| *number >= 50.0)
    );
    assert_eq!(
        total(&desk, filter("hubspotscore", "LT", "9")).await,
        count(&numbers, |number| *number < 9.0)
    );
    assert_eq!(
        total(&desk, filter("hubspotscore", "LTE", "9")).await,
        count(&numbers, |number| *number <= 9.0)
    );
    let between = json!({"filters": [{"propertyName": "hubspotscore", "operator": "BETWEEN", "value": "9", "highValue": "50"}]});
    assert_eq!(
        total(&desk, between).await,
        count(&numbers, |number| (9.0..=50.0).contains(number))
    );

    let emails = truth(&desk, "email").await;
    let at_org = count(&emails, |email| {
        email
            .as_deref()
            .is_some_and(|email| email.ends_with("example.org"))
    });
    assert_eq!(
        total(&desk, filter("email", "CONTAINS_TOKEN", "*example.org")).await,
        at_org
    );
}

#[tokio::test]
async fn options_are_compared_exactly_and_any_of_several_is_enough() {
    let desk = Desk::usual();
    let stages = truth(&desk, "lifecyclestage").await;
    assert_eq!(
        total(&desk, filter("lifecyclestage", "EQ", "lead")).await,
        count(&stages, |stage| stage.as_deref() == Some("lead"))
    );
    assert_eq!(total(&desk, filter("lifecyclestage", "EQ", "Lead")).await, 0);
    let colours = truth(&desk, "favourite_colours").await;
    let red = count(&colours, |colours| {
        colours
            .as_deref()
            .is_some_and(|colours| colours.split(';').any(|colour| colour == "red"))
    });
    assert_eq!(total(&desk, filter("favourite_colours", "EQ", "red")).await, red);
}

#[tokio::test]
async fn filters_are_anded_and_groups_ored() {
    let desk = Desk::usual();
    let one = json!({"propertyName": "city", "operator": "EQ", "value": "Köln"});
    let other = json!({"propertyName": "city", "operator": "EQ", "value": "Boston"});
    let both = json!({"filterGroups": [{"filters": [one, other]}]});
    assert_eq!(total(&desk, both).await, 0);
    let either = json!({"filterGroups": [{"filters": [one]}, {"filters": [other]}]});
    let separately =
        total(&desk, json!({"filters": [one]})).await + total(&desk, json!({"filters": [other]})).await;
    assert_eq!(total(&desk, either).await, separately);
}

#[tokio::test]
async fn a_window_of_last_modification_is_sorted_and_complete() {
    let desk = Desk::usual();
    let (from, to) = ("1704067200000", "2025-01-01T00:00:00.000Z");
    let body = |after: usize| {
        json!({"filterGroups": [{"filters": [
            {"propertyName": "lastmodifieddate", "operator": "GTE", "value": from},
            {"propertyName": "lastmodifieddate", "operator": "LT", "value": to}]}],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}], "limit": 100, "after": after.to_string()})
    };
    let (mut seen, mut offset) = (Vec::new(), 0);
    loop {
        let page = desk.post(CONTACTS, body(offset)).await;
        seen.extend(
            page.body["results"]
                .as_array()
                .expect("results")
                .iter()
                .map(|record| record["updatedAt"].as_str().map(str::to_owned)),
        );
        let Some(next) = page.body["paging"]["next"]["after"].as_str() else {
            break;
        };
        assert!(page.body["paging"]["next"].get("link").is_none());
        offset = next.parse().expect("an offset");
    }
    assert!(seen.is_sorted());
    let updated = truth(&desk, "lastmodifieddate").await;
    let expected = count(&updated, |at| {
        at.as_deref()
            .is_some_and(|at| ("2024-01-01T00:00:00.000Z"..to).contains(&at))
    });
    assert_eq!(seen.len() as u64, expected);
}

#[tokio::test]
async fn many_records_share_one_millisecond_and_can_be_drained_by_id() {
    let desk = Desk::usual();
    let instant = "1741919400123";
    assert!(total(&desk, filter("lastmodifieddate", "EQ", instant)).await > 50);
    let (mut last, mut drained) = (0_u64, Vec::new());
    loop {
        let body = json!({"filters": [
            {"propertyName": "lastmodifieddate", "operator": "EQ", "value": instant},
            {"propertyName": "hs_object_id", "operator": "GT", "value": last.to_string()}],
            "sorts": ["hs_object_id"], "limit": 50});
        let page = ids(&desk.post(CONTACTS, body).await.body);
        let Some(id) = page.last() else { break };
        last = id.parse().expect("a number");
        drained.extend(page);
    }
    assert_eq!(
        drained.len() as u64,
        total(&desk, filter("lastmodifieddate", "EQ", instant)).await
    );
}

#[tokio::test]
async fn equal_times_are_in_no_order_of_id() {
    let desk = Desk::usual();
    let mut body = filter("lastmodifieddate", "EQ", "1741919400123");
    body["sorts"] = json!(["lastmodifieddate"]);
    body["limit"] = json!(100);
    let numbers: Vec<u64> = ids(&desk.post(CONTACTS, body).await.body)
        .iter()
        .filter_map(|id| id.parse().ok())
        .collect();
    assert!(!numbers.is_sorted());
}

#[tokio::test]
async fn sorting_goes_both_ways() {
    let desk = Desk::usual();
    for (sort, descending) in [
        (json!("-createdate"), true),
        (
            json!({"propertyName": "createdate", "direction": "ASCENDING"}),
            false,
        ),
    ] {
        let page = desk.post(CONTACTS, json!({"sorts": [sort], "limit": 50})).await;
        let mut times: Vec<String> = page.body["results"]
            .as_array()
            .expect("results")
            .iter()
            .filter_map(|record| record["createdAt"].as_str().map(str::to_owned))
            .collect();
        if descending {
            times.reverse();
        }
        assert!(times.is_sorted());
    }
    let by_name = desk
        .post(
            CONTACTS,
            json!({"sorts": ["lastname"], "limit": 200, "properties": ["lastname"]}),
        )
        .await;
    let names: Vec<String> = by_name.body["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|record| record["properties"]["lastname"].as_str().map(str::to_lowercase))
        .collect();
    assert!(names.is_sorted());
}

#[tokio::test]
async fn a_query_looks_into_the_searched_properties() {
    let desk = Desk::empty();
    let id = desk.contact("zaphod@example.com").await;
    desk.contact("arthur@example.com").await;
    assert_eq!(
        ids(&desk.post(CONTACTS, json!({"query": "ZAPHOD"})).await.body),
        [id]
    );
    assert_eq!(total(&desk, json!({"query": "example nothing"})).await, 0);
}

#[tokio::test]
async fn linked_records_are_found_by_pseudo_property() {
    let desk = Desk::small();
    let links = desk
        .lines("/_emulator/truth/associations/companies/contacts")
        .await;
    let company = links[0]["fromId"].as_str().expect("an id").to_owned();
    let contacts: std::collections::BTreeSet<&str> = links
        .iter()
        .filter(|link| link["fromId"] == company.as_str())
        .filter_map(|link| link["toId"].as_str())
        .collect();
    assert_eq!(
        total(&desk, filter("associations.company", "EQ", &company)).await,
        contacts.len() as u64
    );
}

#[tokio::test]
async fn archived_records_never_appear() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    assert_eq!(total(&desk, json!({})).await, 1);
    desk.call("DELETE", &format!("/crm/v3/objects/contacts/{id}"), None)
        .await;
    assert_eq!(total(&desk, json!({})).await, 0);
}

#[tokio::test(start_paused = true)]
async fn writes_become_visible_after_the_lag() {
    let desk = Desk::with(Options {
        counts: Counts::none(),
        tier: Tier::Unlimited,
        search_lag: Duration::from_secs(30),
        ..Options::default()
    });
    let id = desk.contact("ann@example.com").await;
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts/{id}")).await.status,
        200
    );
    assert_eq!(total(&desk, json!({})).await, 0);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(total(&desk, json!({})).await, 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(total(&desk, json!({})).await, 1);

    let body = json!({"properties": {"city": "Bonn"}});
    desk.call("PATCH", &format!("/crm/v3/objects/contacts/{id}"), Some(body))
        .await;
    let search = json!({"properties": ["city"]});
    assert_eq!(
        desk.post(CONTACTS, search.clone()).await.body["results"][0]["properties"]["city"],
        Value::Null
    );
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(
        desk.post(CONTACTS, search).await.body["results"][0]["properties"]["city"],
        "Bonn"
    );
}

#[tokio::test]
async fn the_order_near_the_frontier_can_be_made_unstable() {
    let desk = Desk::empty();
    for email in ["a@x.test", "b@x.test"] {
        desk.contact(email).await;
        desk.post("/_emulator/clock", json!({"advance": "1ms"})).await;
    }
    let asked = json!({"sorts": ["lastmodifieddate"], "properties": ["email"]});
    let stable = desk.post("/crm/v3/objects/contacts/search", asked.clone()).await;
    let told = desk
        .post("/_emulator/behaviour", json!({"unstableOrder": true}))
        .await;
    assert_eq!(told.body["unstableOrder"], true);
    assert_eq!(told.body["epochFilterFails"], false);
    let unstable = desk.post("/crm/v3/objects/contacts/search", asked).await;
    let mut ids = ids(&unstable.body);
    ids.reverse();
    assert_eq!(ids, crate::desk::ids(&stable.body));
}
