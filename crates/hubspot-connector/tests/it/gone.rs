//! Records that are gone, and why: an absence is believed only when it is proven. Time is paused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use hubspot_connector::HubspotSource;
use hubspot_emulator::{Counts, Emulator, Options};
use opencdc::{Batch, Operation, Selection, Source, Until};
use serde_json::{Value, json};

use crate::double::{Double, ok, page};
use crate::emulated::Hubspot;
use crate::table::Tables;
use crate::{key, of_stream};

const MINUTE: Duration = Duration::from_mins(1);

fn emulator() -> Emulator {
    let counts = Counts {
        contacts: 130,
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        ..Options::default()
    })
}

fn source(emulator: &Emulator, rhythm: &Value) -> HubspotSource {
    let mut config = json!({"streams": ["contacts"], "properties": ["email", "city"], "poll": "10m", "reconcile": {"every": "10m"}, "archived": {"every": "24h"}});
    for (name, every) in rhythm.as_object().unwrap() {
        config[name] = json!({"every": every});
    }
    Hubspot::of(emulator).source(config)
}

async fn follow(source: &HubspotSource, tables: &mut Tables, time: Duration) -> Vec<Batch> {
    let selection = Selection {
        until: Until::Dropped,
        ..Selection::everything(&source.catalog().await.unwrap())
    };
    let mut batches = source.read(selection, tables.resume()).await.unwrap();
    let end = tokio::time::Instant::now() + time;
    let mut all = Vec::new();
    while let Ok(batch) = tokio::time::timeout_at(end, batches.next()).await {
        let batch = batch.expect("it never ends").unwrap();
        all.push(batch.clone());
        tables.apply(batch);
    }
    all
}

async fn catch_up(source: &HubspotSource, tables: &mut Tables) -> Vec<Batch> {
    let batches = crate::read(source, tables.resume()).await;
    batches.iter().cloned().for_each(|batch| tables.apply(batch));
    batches
}

/// The reasons of all deletes, by id.
fn reasons(batches: &[Batch]) -> BTreeMap<String, Vec<String>> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in of_stream(batches, "contacts") {
        if record.operation == Operation::Delete {
            let reason = record.metadata.get("spoke.deleteReason").unwrap();
            reasons
                .entry(key(record, "id"))
                .or_default()
                .push(reason.to_owned());
        }
    }
    reasons
}

fn all_are(reasons: &BTreeMap<String, Vec<String>>, wanted: &[&str]) -> bool {
    reasons.values().all(|of_one| of_one == wanted)
}

fn mutate(emulator: &Emulator, what: &str, count: u64) {
    let mutation = json!({"objectType": "contacts", "seed": 5, "distinct": true, what: count});
    emulator.mutate(&mutation).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_archived_record_that_no_read_by_id_finds_is_not_taken_for_erased() {
    let emulator = emulator();
    let source = source(&emulator, &json!({}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    emulator
        .set_behaviour(&json!({"archivedReadsMiss": true}))
        .unwrap();
    mutate(&emulator, "archive", 3);
    let found = reasons(&follow(&source, &mut tables, 15 * MINUTE).await);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(all_are(&found, &["unknown"]), "{found:?}");
    let shown = reasons(&follow(&source, &mut tables, Duration::from_hours(25)).await);
    assert_eq!(shown.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    assert!(all_are(&shown, &["archived"]), "{shown:?}");
    let later = follow(&source, &mut tables, Duration::from_hours(50)).await;
    assert_eq!(reasons(&later), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn an_erased_record_is_purged_when_a_walk_over_the_bin_that_began_afterwards_does_not_show_it() {
    let emulator = emulator();
    let source = source(&emulator, &json!({}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    mutate(&emulator, "gdprDelete", 2);
    let found = reasons(&follow(&source, &mut tables, 15 * MINUTE).await);
    assert_eq!(found.len(), 2);
    assert!(all_are(&found, &["unknown"]), "{found:?}");
    let proven = reasons(&follow(&source, &mut tables, Duration::from_hours(25)).await);
    assert_eq!(
        proven.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    assert!(all_are(&proven, &["purged"]), "{proven:?}");
    let later = follow(&source, &mut tables, Duration::from_hours(50)).await;
    assert_eq!(reasons(&later), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn one_read_to_the_end_proves_what_it_finds_erased() {
    let emulator = emulator();
    let source = source(&emulator, &json!({"reconcile": "1s"}));
    let mut tables = Tables::default();
    catch_up(&source, &mut tables).await;
    emulator.advance(Duration::from_hours(1));
    mutate(&emulator, "gdprDelete", 2);
    let found = reasons(&catch_up(&source, &mut tables).await);
    assert_eq!(found.len(), 2);
    assert!(all_are(&found, &["unknown", "purged"]), "{found:?}");
    assert_eq!(reasons(&catch_up(&source, &mut tables).await), BTreeMap::new());
}

/// HubSpot may keep what was erased in the recycle bin, without its values.
#[tokio::test(start_paused = true)]
async fn an_erased_contact_that_still_lies_in_the_bin_is_purged_and_one_without_a_name_is_not() {
    let emulator = emulator();
    emulator
        .set_behaviour(&json!({"erasedStaysInBin": true}))
        .unwrap();
    let hubspot = Hubspot::of(&emulator);
    let create = async |properties: Value| {
        let body = json!({"properties": properties});
        let made = hubspot.api("POST", "/crm/v3/objects/contacts", &body).await;
        made["id"].as_str().unwrap().to_owned()
    };
    let erase = async |id: &str| {
        let body = json!({"objectId": id});
        let path = "/crm/v3/objects/contacts/gdpr-delete";
        hubspot.api("POST", path, &body).await;
    };
    let lived = create(json!({"email": "a@secret.example", "city": "Ulm"})).await;
    let archived = create(json!({"email": "b@secret.example", "city": "Ulm"})).await;
    let nameless = create(json!({"email": "c@secret.example", "city": "Ulm"})).await;
    let cleared = json!({"properties": {"email": ""}});
    let path = format!("/crm/v3/objects/contacts/{nameless}");
    hubspot.api("PATCH", &path, &cleared).await;
    let source = source(&emulator, &json!({"reconcile": "1s"}));
    let mut tables = Tables::default();
    catch_up(&source, &mut tables).await;
    emulator.advance(Duration::from_hours(1));
    for id in [&archived, &nameless] {
        let path = format!("/crm/v3/objects/contacts/{id}");
        hubspot.api("DELETE", &path, &Value::Null).await;
    }
    catch_up(&source, &mut tables).await;
    erase(&lived).await;
    erase(&archived).await;
    emulator.advance(Duration::from_hours(1));
    let found = reasons(&catch_up(&source, &mut tables).await);
    let purged = BTreeMap::from([&lived, &archived].map(|id| (id.clone(), vec!["purged".to_owned()])));
    assert_eq!(found, purged, "{nameless} was only archived");
    // Neither while they lie there nor when they leave are they told of again.
    for days in [1, 40] {
        emulator.advance(Duration::from_hours(24 * days));
        assert_eq!(reasons(&catch_up(&source, &mut tables).await), BTreeMap::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_404_that_is_not_hubspots_proves_nothing() {
    let emulator = emulator();
    let source = source(&emulator, &json!({}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    let gateway = json!({"match": {"method": "GET", "path": "/crm/*/contacts/*"},
                         "action": {"status": 404, "body": "<html>no such page</html>"}});
    emulator.add_faults(&json!([gateway])).unwrap();
    mutate(&emulator, "gdprDelete", 2);
    let found = reasons(&follow(&source, &mut tables, Duration::from_hours(50)).await);
    assert_eq!(found, BTreeMap::new(), "what a gateway says is asked again");
    emulator.clear_faults();
    let proven = reasons(&follow(&source, &mut tables, Duration::from_hours(99)).await);
    assert_eq!(proven.len(), 2);
    assert!(all_are(&proven, &["unknown", "purged"]), "{proven:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_lost_and_is_there_again_is_delivered_and_never_purged() {
    let emulator = emulator();
    let source = source(&emulator, &json!({}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    let before = tables.len("contacts");
    emulator
        .set_behaviour(&json!({"archivedReadsMiss": true}))
        .unwrap();
    mutate(&emulator, "archive", 1);
    let found = reasons(&follow(&source, &mut tables, 15 * MINUTE).await);
    assert!(all_are(&found, &["unknown"]), "{found:?}");
    mutate(&emulator, "restore", 1);
    let later = follow(&source, &mut tables, Duration::from_hours(50)).await;
    assert_eq!(reasons(&later), BTreeMap::new());
    let created: BTreeSet<_> = of_stream(&later, "contacts")
        .iter()
        .filter(|record| record.operation == Operation::Create)
        .map(|record| key(record, "id"))
        .collect();
    assert_eq!(
        created.iter().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    assert_eq!(tables.len("contacts"), before);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_left_the_bin_by_age_while_nobody_looked_keeps_its_values() {
    let emulator = emulator();
    let source = source(&emulator, &json!({"reconcile": "24h"}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    // Nothing runs for a hundred days; what became of the record cannot be told from one that left the bin.
    mutate(&emulator, "gdprDelete", 1);
    emulator.advance(Duration::from_hours(24 * 100));
    let found = reasons(&follow(&source, &mut tables, Duration::from_hours(50)).await);
    assert_eq!(found.len(), 1);
    assert!(all_are(&found, &["unknown"]), "{found:?}");
    // From then on every absence can be told again.
    mutate(&emulator, "gdprDelete", 1);
    let found = reasons(&follow(&source, &mut tables, Duration::from_hours(50)).await);
    assert_eq!(found.len(), 1);
    assert!(all_are(&found, &["unknown", "purged"]), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restored_record_is_taken_out_of_what_is_known_of_the_bin() {
    let emulator = emulator();
    let source = source(&emulator, &json!({"reconcile": "240h"}));
    let mut tables = Tables::default();
    catch_up(&source, &mut tables).await;
    let before = tables.len("contacts");
    mutate(&emulator, "archive", 4);
    catch_up(&source, &mut tables).await;
    mutate(&emulator, "restore", 4);
    catch_up(&source, &mut tables).await;
    assert_eq!(tables.len("contacts"), before);
    emulator.advance(Duration::from_hours(1));
    // The client believes a clock that jumped once most of its last answers agree.
    for _ in 0..3 {
        catch_up(&source, &mut tables).await;
    }
    emulator.clear_requests();
    let batches = catch_up(&source, &mut tables).await;
    assert_eq!(of_stream(&batches, "contacts").len(), 0);
    assert_eq!(
        crate::follower::answered(&emulator, "POST ", "/batch/read"),
        0,
        "{}",
        emulator.requests()
    );
}

#[tokio::test(start_paused = true)]
async fn a_repeated_walk_brings_the_deletes_of_what_vanished_ahead_of_it_and_behind_it() {
    let emulator = emulator();
    let narrow = json!({"streams": ["contacts"], "properties": ["email"], "reconcile": {"every": "240h"}});
    let mut wide = narrow.clone();
    wide["properties"] = json!(["email", "city"]);
    wide["on_selection_change"] = json!("reset");
    let mut tables = Tables::default();
    catch_up(&Hubspot::of(&emulator).source(narrow), &mut tables).await;
    let wide = Hubspot::of(&emulator).source(wide);
    let selection = Selection::everything(&wide.catalog().await.unwrap());
    let mut batches = wide.read(selection, tables.resume()).await.unwrap();
    tables.apply(batches.next().await.unwrap().unwrap());
    drop(batches);
    let before = tables.len("contacts");
    // Some of both pages. What the walk had passed is found by the count, once that may bring a walk of its own.
    mutate(&emulator, "gdprDelete", 40);
    let ahead = reasons(&catch_up(&wide, &mut tables).await);
    assert!(!ahead.is_empty(), "the deletes come with the walk");
    emulator.advance(Duration::from_hours(11));
    catch_up(&wide, &mut tables).await;
    assert_eq!(tables.len("contacts"), before - 40);
}

#[tokio::test(start_paused = true)]
async fn what_left_the_bin_by_age_is_not_purged() {
    // The list of archived records is empty from the second walk on, and no read finds the record.
    let archived_at =
        |days: i64| (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days)).to_string();
    for (age, purged) in [(89, 0), (40, 1)] {
        let at = archived_at(age);
        let walk = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&walk);
        let double = Double::new(move |call| {
            let of_contacts = call.path.ends_with("/objects/contacts");
            if of_contacts && call.query.contains_key("archived") {
                let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
                let results = if first {
                    json!([{"id": "9", "archived": true, "archivedAt": at}])
                } else {
                    json!([])
                };
                return ok(&json!({"results": results}));
            }
            if call.path.ends_with("/contacts/9") {
                let body =
                    json!({"status": "error", "message": "resource not found", "correlationId": "c-1"});
                return Some((404, body.to_string().into_bytes()));
            }
            if of_contacts {
                return page(call, 20, |_, record| record);
            }
            None
        });
        let source = double.source(json!({"streams": ["contacts"]}));
        let mut tables = Tables::default();
        let mut reasons = Vec::new();
        for _ in 0..5 {
            for batch in crate::read(&source, tables.resume()).await {
                for record in of_stream(std::slice::from_ref(&batch), "contacts") {
                    reasons.extend(record.metadata.get("spoke.deleteReason").map(str::to_owned));
                }
                tables.apply(batch);
            }
        }
        assert_eq!(
            reasons.iter().filter(|reason| *reason == "purged").count(),
            purged,
            "{age} {reasons:?}"
        );
    }
}
