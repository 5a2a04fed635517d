//! What goes wrong on the way leaves nothing out.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use hubspot_emulator::{Counts, Options, Token};
use opencdc::{ErrorKind, Operation, Record, Result, Resume, Selection, Source};
use serde_json::{Value, json};

use crate::emulated::{Hubspot, config_of};
use crate::{after, after_more, ids, key, of_stream, read, try_read};

const LISTS: &str = "/crm/objects/*/contacts";

fn some() -> Hubspot {
    Hubspot::new(Counts {
        contacts: 450,
        companies: 50,
        ..Counts::none()
    })
}

fn config() -> Value {
    json!({"streams": ["contacts", "companies"], "properties": ["hs_object_id"]})
}

async fn assert_whole(hubspot: &Hubspot) {
    let batches = read(&hubspot.source(config()), None).await;
    let contacts = ids(&batches, "contacts");
    let live = hubspot.ids("contacts", "live").await;
    assert_eq!(contacts.len(), live.len(), "once each");
    assert_eq!(contacts.into_iter().collect::<BTreeSet<_>>(), live);
    let links = hubspot.links("contacts", "companies").await;
    assert_eq!(of_stream(&batches, "contacts_companies").len(), links.len());
}

#[tokio::test(start_paused = true)]
async fn what_heals_by_itself_is_not_noticed() {
    let actions = [
        json!({"status": 503}),
        json!({"status": 429, "policy": "TEN_SECONDLY_ROLLING"}),
        json!({"drop": true}),
        json!({"truncate": true}),
        json!({"slow": "2s"}),
        json!({"status": 423}),
        json!({"status": 408, "body": ""}),
        json!({"status": 520, "body": "error code: 520"}),
        json!({"status": 530, "body": "error code: 1016"}),
        json!({"html": true}),
        json!({"status": 403, "body": "<html>Forbidden</html>"}),
        json!({"status": 404, "body": "<html>Not found</html>"}),
        json!({"status": 400, "body": {}}),
        json!({"status": 200, "body": {"status": "error", "category": "RATE_LIMITS", "message": "no"}}),
        json!({"status": 200, "body": {}}),
        json!({"status": 200, "body": [null]}),
        json!({"status": 200, "body": {"results": [], "paging": {"next": {}}}}),
    ];
    for action in actions {
        let hubspot = some();
        hubspot
            .faults(json!([{"match": {"path": LISTS}, "times": 2, "action": action}]))
            .await;
        assert_whole(&hubspot).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_route_may_stumble() {
    for route in ["*/account-info/*", "*/properties/*", "*/labels", "*/batch/read"] {
        for action in [
            json!({"status": 503}),
            json!({"truncate": true}),
            json!({"drop": true}),
            json!({"status": 404, "body": "<html>Not found</html>"}),
            json!({"status": 200, "body": {"status": "error", "category": "RATE_LIMITS", "message": "no"}}),
            json!({"status": 200, "body": {}}),
        ] {
            let hubspot = some();
            hubspot
                .faults(json!([{"match": {"path": route}, "times": 1, "action": action}]))
                .await;
            assert_whole(&hubspot).await;
        }
    }
}

/// Reads until the first error; the ids that came, and the last position.
async fn until_error(hubspot: &Hubspot, from: Resume) -> (Vec<String>, Resume, opencdc::Error) {
    let results = try_read(&hubspot.source(config()), Some(from.clone())).await;
    let (batches, errors): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let batches: Vec<_> = batches.into_iter().map(Result::unwrap).collect();
    let error = errors.into_iter().next().unwrap().unwrap_err();
    let last = after_more(Some(from), &batches);
    (ids(&batches, "contacts"), last, error)
}

#[tokio::test(start_paused = true)]
async fn what_does_not_heal_ends_the_read_and_the_next_one_goes_on() {
    for (action, kind) in [
        (json!({"status": 503}), ErrorKind::Unreachable),
        (json!({"drop": true}), ErrorKind::Unreachable),
        (json!({"truncate": true}), ErrorKind::Unreachable),
        (json!({"html": true}), ErrorKind::Unreachable),
        (
            json!({"status": 403, "body": "<html>Forbidden</html>"}),
            ErrorKind::Unreachable,
        ),
        (json!({"status": 200, "body": {}}), ErrorKind::Unreachable),
        (json!({"repeatPage": true}), ErrorKind::InvalidData),
        (json!({"status": 429, "policy": "DAILY"}), ErrorKind::Quota),
    ] {
        let hubspot = some();
        let whole = read(&hubspot.source(config()), None).await;
        let half = whole
            .iter()
            .position(|batch| of_stream(std::slice::from_ref(batch), "contacts").len() == 100);
        let from = after(&whole[..=half.unwrap()]);

        hubspot
            .faults(json!([{"match": {"path": LISTS}, "action": action}]))
            .await;
        let (mut seen, last, error) = until_error(&hubspot, from).await;
        assert_eq!(error.kind(), kind, "{action}: {error}");
        assert!(error.to_string().contains("`contacts`"), "{error}");

        hubspot.control("DELETE", "faults", &Value::Null).await;
        let rest = read(&hubspot.source(config()), Some(last)).await;
        seen.extend(ids(&rest, "contacts"));
        seen.extend(ids(&whole[..=half.unwrap()], "contacts"));
        assert_eq!(
            seen.into_iter().collect::<BTreeSet<_>>(),
            hubspot.ids("contacts", "live").await,
            "{action}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_without_the_scope_of_a_stream_is_refused_by_name() {
    let token = Token::with_scopes(
        "pat-na1-narrow",
        ["crm.objects.contacts.read", "crm.schemas.contacts.read"],
    );
    let counts = Counts {
        contacts: 10,
        companies: 10,
        ..Counts::none()
    };
    let hubspot = Hubspot::with(Options {
        counts,
        tokens: vec![token],
        ..Options::default()
    });
    let source =
        hubspot_connector::HubspotSource::new(hubspot.client_with("pat-na1-narrow"), config_of(config()));
    let source = source.unwrap();
    let mut batches = try_read(&source, None).await;
    let error = batches.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let text = format!("{error} {}", error.hint().unwrap());
    assert!(
        text.contains("`companies`") && text.contains("companies.read"),
        "{text}"
    );
    assert!(!text.contains("pat-na1"), "{text}");
    let batches: Vec<_> = batches.into_iter().map(|batch| batch.unwrap()).collect();
    assert_eq!(
        ids(&batches, "contacts").len(),
        10,
        "the others are read all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_refused() {
    let hubspot = some();
    let client = hubspot.client_with("pat-na1-wrong");
    let source = hubspot_connector::HubspotSource::new(client, config_of(config())).unwrap();
    let error = source.catalog().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_after_every_position_without_reading_pages_again() {
    let hubspot = some();
    let config = json!({"streams": [{"name": "contacts", "page_size": 60, "associations": ["companies"]}],
                        "properties": ["hs_object_id"]});
    let source = hubspot.source(config);
    let whole = read(&source, None).await;
    assert!(whole.len() >= 8);
    let key_of = |record: &&Record| {
        format!(
            "{} {}",
            record.stream,
            String::from_utf8_lossy(&record.key.to_json())
        )
    };
    let keys = |batches: &[opencdc::Batch]| {
        batches
            .iter()
            .flat_map(|batch| &batch.records)
            .map(|record| key_of(&record))
            .collect::<Vec<_>>()
    };
    for n in 0..whole.len() - 1 {
        let rest = read(&source, Some(after(&whole[..=n]))).await;
        assert_eq!(keys(&rest), keys(&whole[n + 1..]), "after batch {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_archived_between_two_reads_is_a_delete_of_the_second() {
    let hubspot = some();
    let source = hubspot.source(config());
    let first = read(&source, None).await;
    let mutation = json!({"objectType": "contacts", "seed": 7, "create": 30, "update": 60, "archive": 25});
    hubspot.mutate(mutation).await;

    let second = read(&source, Some(after(&first))).await;
    let live = hubspot.ids("contacts", "live").await;
    let gone = ids(&first, "contacts")
        .into_iter()
        .filter(|id| !live.contains(id))
        .count();
    let mut alive: BTreeSet<String> = ids(&first, "contacts").into_iter().collect();
    let mut deletes = 0;
    for record in of_stream(&second, "contacts") {
        match record.operation {
            Operation::Delete => {
                deletes += 1;
                alive.remove(&key(record, "id"));
            }
            _ => drop(alive.insert(key(record, "id"))),
        }
    }
    assert_eq!(alive, live);
    assert_eq!(deletes, gone, "a record that was never delivered needs no delete");

    let third = read(&source, Some(after_more(Some(after(&first)), &second))).await;
    assert_eq!(of_stream(&third, "contacts").len(), 0, "nothing comes twice");
}

#[tokio::test(start_paused = true)]
async fn records_made_and_archived_during_a_walk_leave_the_others_alone() {
    let hubspot = some();
    let source = hubspot.source(config());
    let before = hubspot.ids("contacts", "live").await;
    let everything = Selection::everything(&source.catalog().await.unwrap());
    let mut batches = source.read(everything, None).await.unwrap();
    let mut seen = Vec::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.unwrap();
        let there = batch
            .records
            .iter()
            .filter(|record| record.operation != Operation::Delete);
        let contacts = there.filter(|record| record.stream.as_str() == "contacts");
        seen.extend(contacts.map(|record| key(record, "id")));
        let mutation =
            json!({"objectType": "contacts", "seed": seen.len(), "create": 5, "archive": 3, "merge": 1});
        hubspot.mutate(mutation).await;
    }
    let after = hubspot.ids("contacts", "live").await;
    let once: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "once each");
    let stayed: BTreeSet<_> = before.intersection(&after).cloned().collect();
    assert!(once.is_superset(&stayed), "{:?}", stayed.difference(&once));
}

#[tokio::test(start_paused = true)]
async fn whoever_runs_unattended_waits_for_the_next_day_when_the_calls_of_this_one_are_used_up() {
    let hubspot = some();
    hubspot
        .faults(json!([{"match": {"path": LISTS}, "times": 2, "action": {"status": 429, "policy": "DAILY"}}]))
        .await;
    let begun = tokio::time::Instant::now();
    let batches = read(&hubspot.patient_source(config()), None).await;
    assert!(
        begun.elapsed() > std::time::Duration::from_mins(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        ids(&batches, "contacts").len(),
        hubspot.ids("contacts", "live").await.len()
    );
}
