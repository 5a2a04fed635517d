//! Where a read goes on, seen from the calls that it makes.

use futures_util::StreamExt;
use opencdc::{Batch, ErrorKind, Operation, Position, Resume, Selection, Source, Until};
use serde_json::json;

use crate::double::{Call, Double, lists, ok, page};
use crate::{after, after_more, ids, key, of_stream, read, try_read};

/// 250 contacts and 150 companies.
fn some(call: &Call) -> Option<(u16, Vec<u8>)> {
    match &*call.path {
        _ if lists(call, "contacts") => page(call, 250, |_, record| record),
        _ if lists(call, "companies") => page(call, 150, |_, record| record),
        _ => None,
    }
}

/// Where to go on when `stream` has delivered `count` records.
fn after_records(batches: &[Batch], stream: &str, count: usize) -> Resume {
    let enough = (1..=batches.len()).find(|n| ids(&batches[..*n], stream).len() >= count);
    after(&batches[..enough.expect("there are that many")])
}

#[tokio::test]
async fn a_read_goes_on_after_the_page_of_its_position() {
    let double = Double::new(some);
    let source = double.source(json!({"streams": ["contacts"]}));
    let first = read(&source, None).await;
    assert_eq!(ids(&first, "contacts").len(), 250);

    let calls = double.calls("/objects/contacts").len();
    let rest = read(&source, Some(after_records(&first, "contacts", 200))).await;
    assert_eq!(ids(&rest, "contacts").len(), 50);
    let tokens: Vec<_> = double.calls("/objects/contacts")[calls..]
        .iter()
        .map(|call| call.query.get("after").cloned())
        .collect();
    assert_eq!(
        tokens,
        [Some("201".to_owned())],
        "pages before the checkpoint are not read again"
    );
}

#[tokio::test]
async fn a_position_is_json_that_a_person_can_read() {
    let double = Double::new(some);
    let source = double.source(json!({"streams": ["contacts"]}));
    let batches = read(&source, None).await;
    let position: serde_json::Value = serde_json::from_slice(batches[0].position.as_bytes()).unwrap();
    assert_eq!(position["version"], 3);
    assert_eq!(position["portalId"], "4711");
    let contacts = &position["streams"]["contacts"];
    assert_eq!(
        (&contacts["mode"], &contacts["itemId"], &contacts["after"]),
        (&json!("snapshot"), &json!("100"), &json!("101"))
    );
    assert!(contacts["initialTimestamp"].is_string());
    let last: serde_json::Value = serde_json::from_slice(batches[2].position.as_bytes()).unwrap();
    assert_eq!(last["streams"]["contacts"]["mode"], "cdc");
    assert!(last["streams"]["contacts"]["timestamp"].is_string());
}

#[tokio::test]
async fn a_stream_added_later_starts_from_nothing_and_the_others_keep_their_place() {
    let double = Double::new(some);
    let first = read(&double.source(json!({"streams": ["contacts"]})), None).await;
    let wider = double.source(json!({"streams": ["contacts", "companies"], "associations": "none"}));

    let half_way = read(&wider, Some(after_records(&first, "contacts", 100))).await;
    assert_eq!(ids(&half_way, "contacts").len(), 150);
    assert_eq!(ids(&half_way, "companies").len(), 150);

    let complete = read(&wider, Some(after(&first))).await;
    assert_eq!(ids(&complete, "contacts").len(), 0);
    assert_eq!(ids(&complete, "companies").len(), 150);
}

#[tokio::test]
async fn associations_added_later_are_read_without_the_records() {
    let double = Double::new(move |call| match &*call.path {
        "/crm/v4/associations/contacts/companies/batch/read" => {
            let linked = |input: &serde_json::Value| {
                let kind = json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null});
                json!({"from": {"id": input["id"]}, "to": [{"toObjectId": 1, "associationTypes": [kind]}]})
            };
            let results: Vec<_> = call.body["inputs"]
                .as_array()
                .unwrap()
                .iter()
                .map(linked)
                .collect();
            ok(&json!({"status": "COMPLETE", "results": results}))
        }
        _ => some(call),
    });
    let alone = json!({"streams": ["contacts", "companies"], "associations": "none"});
    let first = read(&double.source(alone), None).await;
    let with = double.source(json!({"streams": ["contacts", "companies"]}));
    let rest = read(&with, Some(after(&first))).await;
    assert_eq!(of_stream(&rest, "contacts_companies").len(), 250);
    assert_eq!(ids(&rest, "contacts").len() + ids(&rest, "companies").len(), 0);
}

#[tokio::test]
async fn a_read_after_a_snapshot_asks_for_changes_and_finds_what_was_archived() {
    let archived = json!({"results": [
        {"id": "9", "archived": true, "archivedAt": "2999-01-01T00:00:00Z", "createdAt": "2020-01-01T00:00:00Z"},
        {"id": "999", "archived": true, "archivedAt": "2999-01-01T00:00:00Z"},
    ]});
    let double = Double::new(move |call| match call.query.contains_key("archived") {
        true if call.path.ends_with("/contacts") => ok(&archived),
        // Nothing has changed, and 249 records are left.
        _ if call.path.ends_with("/search") => {
            let total = if call.body["filterGroups"]
                .as_array()
                .is_some_and(|groups| !groups.is_empty())
            {
                0
            } else {
                249
            };
            ok(&json!({"total": total, "results": []}))
        }
        _ => some(call),
    });
    let source = double.source(json!({"streams": ["contacts"]}));
    let first = read(&source, None).await;
    assert_eq!(ids(&first, "contacts").len(), 250, "a snapshot has no deletes");
    let lists = double.calls("/objects/contacts").len();

    let second = read(&source, Some(after(&first))).await;
    let [delete] = of_stream(&second, "contacts")[..] else {
        panic!("{second:?}")
    };
    assert_eq!(
        (key(delete, "id"), delete.operation),
        ("9".to_owned(), Operation::Delete)
    );
    assert_eq!(delete.payload.after, None);
    assert_eq!(delete.metadata.get("spoke.deleteReason"), Some("archived"));
    assert_eq!(delete.metadata.get("spoke.version"), Some("2999-01-01T00:00:00Z"));
    assert_eq!(delete.metadata.get("hubspot.objectType"), Some("contacts"));
    assert_eq!(
        double.calls("/objects/contacts").len(),
        lists + 1,
        "only the recycle bin is listed"
    );

    let third = read(&source, Some(after_more(Some(after(&first)), &second))).await;
    assert_eq!(of_stream(&third, "contacts").len(), 0, "nothing comes twice");
}

#[tokio::test]
async fn the_cutoff_is_that_of_the_pass_however_often_it_is_resumed() {
    let double = Double::new(some);
    let source = double.source(json!({"streams": ["contacts"]}));
    let cutoff = |batch: &Batch| {
        let position: serde_json::Value = serde_json::from_slice(batch.position.as_bytes()).unwrap();
        position["streams"]["contacts"]["initialTimestamp"].clone()
    };
    let first = read(&source, None).await;
    let rest = read(&source, Some(after(&first[..1]))).await;
    assert_eq!(cutoff(rest.last().unwrap()), cutoff(&first[0]));
}

#[tokio::test]
async fn a_position_of_another_account_is_refused() {
    let double = Double::new(some);
    let source = double.source(json!({"streams": ["contacts"]}));
    let foreign = Position::new(r#"{"version":1,"portalId":"1","streams":{}}"#);
    let error = try_read(&source, Some(foreign.into()))
        .await
        .remove(0)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
}

#[tokio::test]
async fn a_narrow_selection_asks_for_no_more_than_it_needs() {
    let defined =
        json!({"results": [{"name": "email", "type": "string"}, {"name": "phone", "type": "string"}]});
    let double = Double::new(move |call| match &*call.path {
        "/crm/v3/properties/contacts" => ok(&defined),
        _ => some(call),
    });
    let source = double.source(json!({"streams": ["contacts", "companies"]}));
    let mut selection = Selection::everything(&source.catalog().await.unwrap());
    selection.streams.truncate(1);
    selection.streams[0].fields = Some(vec!["id".into(), "phone".into()]);
    let batches: Vec<_> = source.read(selection, None).await.unwrap().collect().await;
    assert!(batches.iter().all(Result::is_ok));
    let call = &double.calls("/objects/contacts")[0];
    assert_eq!(
        (call.query.get("properties"), call.query.get("associations")),
        (Some(&"phone".to_owned()), None)
    );
    assert_eq!(double.calls("/objects/companies").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_read_until_dropped_does_not_end_when_it_has_caught_up() {
    let double = Double::new(some);
    let source = double.source(json!({"streams": ["contacts"]}));
    let selection = Selection {
        until: Until::Dropped,
        ..Selection::everything(&source.catalog().await.unwrap())
    };
    let mut batches = source.read(selection, None).await.unwrap();
    for _ in 0..3 {
        batches.next().await.unwrap().unwrap();
    }
    let day = std::time::Duration::from_hours(24);
    let goes_on = async {
        while let Some(batch) = batches.next().await {
            assert_eq!(batch.unwrap().records, [], "nothing has changed");
        }
    };
    assert!(tokio::time::timeout(day, goes_on).await.is_err());
    let polls = double.calls("/search").len();
    assert!((2_000..6_000).contains(&polls), "{polls}");
}
