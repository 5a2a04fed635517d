//! Associations and property histories where HubSpot is less kind than it could be. Time is paused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use hubspot_emulator::{Counts, Emulator, Options};
use opencdc::{Operation, Origin, Record, Source};
use serde_json::{Value, json};

use crate::emulated::Hubspot;
use crate::follower::Follower;
use crate::{after, read};

const MINUTE: Duration = Duration::from_mins(1);
const LABELS: &str = "/crm/v4/associations/contacts/companies/labels";

fn emulator() -> Emulator {
    let counts = Counts {
        contacts: 30,
        companies: 5,
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        ..Options::default()
    })
}

/// Labels of the account's own, which it numbers from 1, as HubSpot numbers its `Primary`.
async fn define_label(hubspot: &Hubspot, label: &str) -> Value {
    let asked = json!({"label": label, "name": label.to_lowercase()});
    let made = hubspot.api("POST", LABELS, &asked).await;
    made["results"][0]["typeId"].clone()
}

/// The rows of an association table as the truth writes them.
fn rows(follower: &Follower, stream: &str) -> BTreeSet<String> {
    let of = follower.tables.of(stream);
    let row = |row: &crate::table::Row| {
        let after = &row.after;
        json!([
            after["from_id"],
            after["to_id"],
            after["type_id"],
            after["category"],
            after["label"]
        ])
        .to_string()
    };
    of.values().map(row).collect()
}

async fn assert_right(follower: &Follower, hubspot: &Hubspot) {
    let truth = hubspot.links("contacts", "companies").await;
    assert_eq!(rows(follower, "contacts_companies"), truth);
}

#[tokio::test(start_paused = true)]
async fn two_types_of_one_number_on_one_pair_are_two_rows_through_every_change() {
    let emulator = emulator();
    let hubspot = Hubspot::of(&emulator);
    let number = define_label(&hubspot, "Manager").await;
    assert_eq!(number, 1, "as HubSpot's `Primary`");
    let primary = hubspot.links("contacts", "companies").await;
    let primary = primary.iter().find(|link| link.contains("Primary")).unwrap();
    let [from, to, ..]: [Value; 5] = serde_json::from_str(primary).unwrap();
    let (from, to) = (from.as_str().unwrap(), to.as_str().unwrap());
    let pair = format!("/crm/v4/objects/contacts/{from}/associations/companies/{to}");
    let manager = json!({"associationCategory": "USER_DEFINED", "associationTypeId": 1});
    let primary = json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1});
    let config = json!({"streams": ["contacts", "companies"], "reassociate": {"every": "1s"}});

    hubspot.api("PUT", &pair, &json!([manager, primary])).await;
    let mut follower = Follower::of(&emulator, config).await;
    follower.catch_up().await;
    assert_right(&follower, &hubspot).await;
    let writes = |follower: &Follower| -> usize {
        let of = follower.tables.of("contacts_companies");
        of.values().map(|row| row.writes).sum()
    };
    let before = writes(&follower);
    emulator.advance(MINUTE);
    follower.catch_up().await;
    assert_eq!(
        writes(&follower),
        before,
        "nothing flips when the lists are read again"
    );

    for types in [json!([primary]), json!([manager]), json!([manager, primary])] {
        hubspot.api("PUT", &pair, &types).await;
        emulator.advance(MINUTE);
        // The client believes a clock that jumped once most of its last answers agree.
        for _ in 0..3 {
            follower.catch_up().await;
        }
        assert_right(&follower, &hubspot).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_values_of_one_millisecond_are_two_rows_and_the_latest_is_what_the_record_says() {
    let emulator = emulator();
    let hubspot = Hubspot::of(&emulator);
    let config = json!({"streams": [{"name": "contacts", "history": ["firstname"]}]});
    let mut follower = Follower::of(&emulator, config).await;
    follower.catch_up().await;
    let ids = hubspot.ids("contacts", "live").await;
    let id = ids.first().unwrap();
    emulator.advance(MINUTE);
    emulator.freeze(true);
    for name in ["Ada", "Grace", "Ada", "Edsger"] {
        let change = json!({"properties": {"firstname": name}});
        hubspot
            .api("PATCH", &format!("/crm/v3/objects/contacts/{id}"), &change)
            .await;
    }
    emulator.freeze(false);
    emulator.advance(MINUTE);
    follower.catch_up().await;
    let rows = follower.tables.of("contacts_property_history");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_record = rows.values().filter(|row| row.after["record_id"] == **id);
    let mut values: Vec<_> = of_record
        .map(|row| {
            (
                text(&row.after["timestamp"]),
                row.after["ordinal"].as_u64(),
                text(&row.after["value"]),
            )
        })
        .collect();
    values.sort();
    let values: Vec<_> = values.iter().map(|(_, _, value)| &**value).collect();
    assert_eq!(values[values.len() - 4..], ["Ada", "Grace", "Ada", "Edsger"]);
}

/// Both ways in which pages may come without the lists that were asked for.
const ODD_LISTS: [&str; 2] = ["associationKeysDiffer", "associationListsMissing"];

#[tokio::test(start_paused = true)]
async fn lists_under_an_unknown_key_or_none_at_all_are_read_by_v4() {
    for habit in ODD_LISTS {
        let emulator = emulator();
        let hubspot = Hubspot::of(&emulator);
        emulator.set_behaviour(&json!({ habit: true })).unwrap();
        let mut follower = Follower::of(&emulator, json!({"streams": ["contacts", "companies"]})).await;
        follower.catch_up().await;
        assert!(follower.tables.len("contacts_companies") > 20, "{habit}");
        assert_right(&follower, &hubspot).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_walk_deletes_no_associations_because_their_lists_stop_coming() {
    for habit in ODD_LISTS {
        let emulator = emulator();
        let hubspot = Hubspot::of(&emulator);
        let config = json!({"streams": ["contacts", "companies"], "reconcile": {"every": "1h"},
                            "reassociate": {"every": "720h"}});
        let mut follower = Follower::of(&emulator, config).await;
        follower.catch_up().await;
        let before = rows(&follower, "contacts_companies");
        emulator.set_behaviour(&json!({ habit: true })).unwrap();
        emulator.advance(120 * MINUTE);
        let mut batches = follower.start(opencdc::Until::CaughtUp).await;
        let mut deletes = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch.unwrap();
            let gone = batch
                .records
                .iter()
                .filter(|record| record.operation == Operation::Delete);
            deletes += gone.count();
            follower.tables.apply(batch);
        }
        assert_eq!(
            (deletes, rows(&follower, "contacts_companies")),
            (0, before),
            "{habit}"
        );
        assert_right(&follower, &hubspot).await;
    }
}

#[tokio::test(start_paused = true)]
async fn believing_that_there_are_no_lists_costs_one_call() {
    let emulator = Emulator::new(Options {
        counts: Counts {
            contacts: 2_500,
            companies: 0,
            ..Counts::none()
        },
        ..Options::default()
    });
    let mut follower = Follower::of(&emulator, json!({"streams": ["contacts", "companies"]})).await;
    follower.catch_up().await;
    let requests = emulator.requests();
    let routes = requests["byRoute"].as_object().unwrap().iter();
    let exact = routes.filter(|(route, _)| route.contains("associations") && route.ends_with("batch/read"));
    let calls = exact.flat_map(|(_, statuses)| statuses.as_object().unwrap().values());
    assert_eq!(calls.filter_map(Value::as_u64).sum::<u64>(), 1, "{requests}");
}

#[tokio::test(start_paused = true)]
async fn the_latest_value_is_what_the_record_says_in_whatever_order_hubspot_lists_a_millisecond() {
    let emulator = emulator();
    let hubspot = Hubspot::of(&emulator);
    emulator
        .set_behaviour(&json!({"historyUnordered": true, "fineTimes": true}))
        .unwrap();
    let id = hubspot.ids("contacts", "live").await.first().unwrap().clone();
    emulator.freeze(true);
    for name in ["Ada", "Grace"] {
        let change = json!({"properties": {"firstname": name}});
        hubspot
            .api("PATCH", &format!("/crm/v3/objects/contacts/{id}"), &change)
            .await;
    }
    emulator.freeze(false);
    emulator.advance(MINUTE);
    let config = json!({"streams": [{"name": "contacts", "history": ["firstname"]}]});
    let mut follower = Follower::of(&emulator, config).await;
    follower.catch_up().await;
    let rows = follower.tables.of("contacts_property_history");
    let latest = rows
        .values()
        .filter(|row| row.after["record_id"] == *id)
        .max_by_key(|row| (row.after["timestamp"].to_string(), row.after["ordinal"].as_u64()));
    assert_eq!(latest.unwrap().after["value"], "Grace");
}

/// The keys of some records, by stream.
fn keys<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records {
        let key = Value::Object(record.key.to_object().unwrap().into_owned()).to_string();
        keys.entry(record.stream.to_string()).or_default().insert(key);
    }
    keys
}

#[tokio::test(start_paused = true)]
async fn the_audit_finds_by_its_own_routes_what_a_read_finds_by_its() {
    let emulator = Emulator::new(Options::default());
    let streams = json!({"streams": [{"name": "contacts", "history": ["firstname", "lifecyclestage"]}, "companies", "deals",
        "owners", "pipelines", "pipeline_stages", "properties", "lists", "list_memberships", "forms", "blog_posts", "domains"]});
    let source = Hubspot::of(&emulator).source(streams);
    let batches = read(&source, None).await;
    let read = keys(batches.iter().flat_map(|batch| &batch.records));
    // What the pages of a read leave out must not be left out here as well.
    for habit in ODD_LISTS {
        emulator.set_behaviour(&json!({ habit: true })).unwrap();
        let names: Vec<_> = source.catalog().await.unwrap().streams;
        let names: Vec<_> = names.into_iter().map(|stream| stream.name).collect();
        let mut pages = source.walk(&names, &after(&batches).position).await.unwrap();
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            records.extend(page.unwrap());
        }
        let walked = keys(&records);
        assert!(walked["contacts_companies"].len() > 100 && walked["contacts_property_history"].len() > 100);
        for (stream, keys) in &read {
            assert_eq!(walked.get(stream), Some(keys), "{habit}: {stream}");
        }
    }
}
