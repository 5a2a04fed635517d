//! Answers that the documentation allows and that are rarely seen.

use opencdc::{ErrorKind, Source, StreamName};
use serde_json::{Value, json};

use crate::double::{Call, Double, lists, ok, page};
use crate::{ids, key, of_stream, read, try_read};

fn contacts_with(kind: &'static str, total: u64) -> impl Fn(&Call) -> Option<(u16, Vec<u8>)> {
    move |call| {
        let linked = |id: u64, mut record: Value| {
            record["associations"] =
                json!({"deals": {"results": [{"id": (id + 1000).to_string(), "type": kind}]}});
            record
        };
        match &*call.path {
            "/crm/v3/objects/contacts" if lists(call, "contacts") => page(call, total, linked),
            "/crm/v4/associations/contacts/deals/labels" => {
                ok(&json!({"results": [{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": null}]}))
            }
            "/crm/v4/associations/contacts/deals/batch/read" => ok(&all_labelled(call)),
            _ => None,
        }
    }
}

fn all_labelled(call: &Call) -> Value {
    let types = json!([{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": null},
                       {"category": "USER_DEFINED", "typeId": 17, "label": "Boss"}]);
    let entry = |input: &Value| {
        let id: u64 = input["id"].as_str().unwrap().parse().unwrap();
        json!({"from": {"id": id.to_string()}, "to": [{"toObjectId": id + 1000, "associationTypes": types}]})
    };
    json!({"status": "COMPLETE", "results": call.body["inputs"].as_array().unwrap().iter().map(entry).collect::<Vec<_>>()})
}

#[tokio::test]
async fn associations_of_a_known_kind_cost_one_call_for_their_labels() {
    let double = Double::new(contacts_with("contact_to_deal", 250));
    let batches = read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
    let rows = of_stream(&batches, "contacts_deals");
    assert_eq!(rows.len(), 250);
    assert!(rows.iter().all(|row| key(row, "type_id") == "4"));
    assert_eq!(double.calls("/contacts/deals/labels").len(), 1);
    assert_eq!(double.calls("/contacts/deals/batch/read").len(), 0);
}

#[tokio::test]
async fn associations_of_an_unknown_kind_are_read_exactly_a_thousand_records_a_call() {
    let double = Double::new(contacts_with("boss", 2_500));
    let batches = read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
    assert_eq!(ids(&batches, "contacts").len(), 2_500);
    assert_eq!(
        of_stream(&batches, "contacts_deals").len(),
        5_000,
        "one row for each of the two types"
    );
    let calls = double.calls("/contacts/deals/batch/read");
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0].body["inputs"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn a_page_and_its_associations_are_one_batch() {
    for kind in ["contact_to_deal", "boss"] {
        let double = Double::new(contacts_with(kind, 250));
        let batches = read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
        for batch in &batches {
            let of = |stream: &str, field: &str| {
                let records = batch
                    .records
                    .iter()
                    .filter(|record| record.stream.as_str() == stream);
                records
                    .map(|record| key(record, field))
                    .collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(of("contacts", "id"), of("contacts_deals", "from_id"), "{kind}");
        }
    }
}

#[tokio::test]
async fn a_record_that_a_batch_read_passes_over_is_asked_alone() {
    let double = Double::new(|call| match &*call.path {
        "/crm/v4/associations/contacts/deals/batch/read" => ok(&json!({"status": "COMPLETE", "results": []})),
        "/crm/v4/objects/contacts/1/associations/deals" => ok(&json!({"results": [
            {"toObjectId": 9, "associationTypes": [{"category": "USER_DEFINED", "typeId": 17, "label": "Boss"}]}
        ]})),
        _ => contacts_with("boss", 1)(call),
    });
    let batches = read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
    let rows = of_stream(&batches, "contacts_deals");
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (key(rows[0], "to_id"), key(rows[0], "type_id")),
        ("9".to_owned(), "17".to_owned())
    );
}

#[tokio::test]
async fn a_record_that_lost_its_associations_meanwhile_has_none() {
    let double = Double::new(|call| match &*call.path {
        "/crm/v4/associations/contacts/deals/batch/read" => {
            ok(&json!({"status": "COMPLETE", "results": [], "errors": [
                {"category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                 "context": {"fromObjectId": ["1"]}}
            ]}))
        }
        _ => contacts_with("boss", 1)(call),
    });
    let batches = read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
    assert_eq!(
        (
            ids(&batches, "contacts").len(),
            of_stream(&batches, "contacts_deals").len()
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn a_cursor_that_stands_still_ends_the_read_with_an_error() {
    let double = Double::new(|call| match &*call.path {
        "/crm/v4/associations/contacts/deals/batch/read" => ok(&json!({"status": "COMPLETE", "results": [
            {"from": {"id": "1"}, "to": [], "paging": {"next": {"after": "same"}}}
        ]})),
        _ => contacts_with("boss", 1)(call),
    });
    let results = try_read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("`contacts_deals`"), "{error}");
}

#[tokio::test]
async fn pages_that_go_in_a_circle_end_the_read_with_an_error() {
    let double = Double::new(|call| {
        let circle = json!({"results": [], "paging": {"next": {"after": "7"}}});
        lists(call, "contacts").then(|| ok(&circle)).flatten()
    });
    let results = try_read(&double.source(json!({"streams": ["contacts"]})), None).await;
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("circle"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_page_of_html_is_no_end_of_the_stream() {
    let double =
        Double::new(|call| lists(call, "contacts").then(|| (200, b"<html>maintenance</html>".to_vec())));
    let results = try_read(&double.source(json!({"streams": ["contacts"]})), None).await;
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(
        error.kind(),
        ErrorKind::Unreachable,
        "it heals by itself: {error}"
    );
}

#[tokio::test]
async fn a_missing_scope_is_named_with_the_stream() {
    let refusal = |scopes: Value| {
        let body = json!({"status": "error", "category": "MISSING_SCOPES",
                          "errors": [{"context": {"requiredGranularScopes": scopes}}]});
        Some((403, serde_json::to_vec(&body).unwrap()))
    };
    for (scopes, named) in [
        (json!(["crm.objects.deals.x"]), "crm.objects.deals.x"),
        (json!([]), "crm.objects.deals.read"),
    ] {
        let double = Double::new(move |call| lists(call, "deals").then(|| refusal(scopes.clone())).flatten());
        let results = try_read(&double.source(json!({"streams": ["deals"]})), None).await;
        let error = results.into_iter().find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(
            error.to_string(),
            format!("cannot read stream `deals`: the token lacks the scope `{named}`")
        );
        assert!(error.hint().unwrap().contains(named));
    }
}

#[tokio::test(start_paused = true)]
async fn a_used_up_day_is_a_quota_error() {
    let daily = br#"{"status":"error","message":"You have reached your daily limit.","policyName":"DAILY"}"#;
    let double = Double::new(|call| lists(call, "deals").then(|| (429, daily.to_vec())));
    let results = try_read(&double.source(json!({"streams": ["deals"]})), None).await;
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(error.kind(), ErrorKind::Quota, "{error}");
}

#[tokio::test]
async fn too_many_properties_for_a_url_are_read_by_id() {
    let names: Vec<_> = (0..900)
        .map(|n| format!("a_rather_long_property_name_{n:04}"))
        .collect();
    let defined: Vec<_> = names
        .iter()
        .map(|name| json!({"name": name, "type": "string"}))
        .collect();
    let double = Double::new(move |call| match &*call.path {
        "/crm/v3/properties/contacts" => ok(&json!({"results": defined})),
        "/crm/v3/objects/contacts/batch/read" => {
            assert_eq!(call.body["properties"].as_array().unwrap().len(), 900);
            // Results come in another order, and record 7 is gone meanwhile.
            let inputs = call.body["inputs"].as_array().unwrap();
            let ids = inputs
                .iter()
                .rev()
                .map(|input| input["id"].as_str().unwrap())
                .filter(|id| *id != "7");
            let wide = |id: &str| json!({"id": id, "properties": {"a_rather_long_property_name_0899": id}});
            ok(&json!({"status": "COMPLETE", "results": ids.map(wide).collect::<Vec<_>>()}))
        }
        _ => contacts_with("contact_to_deal", 250)(call),
    });
    let batches = read(&double.source(json!({"streams": ["contacts", "deals"]})), None).await;
    let contacts = of_stream(&batches, "contacts");
    assert_eq!(contacts.len(), 249);
    for record in contacts {
        let after = record.payload.after.as_ref().unwrap().to_object().unwrap();
        assert_eq!(
            after["properties"]["a_rather_long_property_name_0899"],
            after["id"]
        );
    }
    assert_eq!(of_stream(&batches, "contacts_deals").len(), 250);
    assert_eq!(double.calls("/objects/contacts/batch/read").len(), 3);
    assert_eq!(
        double.calls("/objects/contacts")[0].query["properties"],
        "hs_object_id"
    );
}

#[tokio::test]
async fn an_object_without_properties_is_read() {
    let double = Double::new(|call| match &*call.path {
        "/crm/v3/objects/contacts" => page(call, 3, |_, record| record),
        _ => None,
    });
    let source = double.source(json!({"streams": ["contacts"]}));
    let fields: Vec<_> = source.catalog().await.unwrap().streams[0]
        .fields
        .iter()
        .map(|f| f.name.clone())
        .collect();
    assert_eq!(
        fields,
        ["id", "_created_at", "_updated_at", "_archived", "_archived_at"]
    );
    assert_eq!(ids(&read(&source, None).await, "contacts"), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_custom_object_is_read_by_its_id_and_named_by_its_name() {
    let double = Double::new(|call| match &*call.path {
        "/crm-object-schemas/v3/schemas" => ok(&json!({"results": [{
            "objectTypeId": "2-17", "fullyQualifiedName": "p4711_cars", "name": "cars",
            "associations": [{"id": "1", "fromObjectTypeId": "2-17", "toObjectTypeId": "0-1"}],
        }]})),
        "/crm/v3/objects/2-17" => page(call, 2, |_, record| record),
        "/crm/v4/associations/contacts/2-17/labels" => {
            ok(&json!({"results": [{"category": "USER_DEFINED", "typeId": 33, "label": null}]}))
        }
        _ if lists(call, "contacts") => page(call, 1, |_, mut record| {
            assert_eq!(call.query["associations"], "2-17");
            record["associations"] =
                json!({"p4711_cars": {"results": [{"id": "2", "type": "contact_to_cars"}]}});
            record
        }),
        _ => None,
    });
    let source = double.source(json!({"streams": ["contacts", "p4711_cars"]}));
    let batches = read(&source, None).await;
    assert_eq!(ids(&batches, "cars"), ["1", "2"]);
    let rows = of_stream(&batches, "contacts_cars");
    assert_eq!((rows.len(), key(rows[0], "type_id")), (1, "33".to_owned()));
    assert_eq!(
        of_stream(&batches, "cars")[0]
            .metadata
            .get("hubspot.objectTypeId"),
        Some("2-17")
    );
}

const MISSING_SCOPES: &[u8] = br#"{"status": "error", "category": "MISSING_SCOPES"}"#;

#[tokio::test]
async fn a_wrong_name_is_refused_with_the_names_of_custom_objects_too() {
    let schemas =
        json!({"results": [{"objectTypeId": "2-17", "fullyQualifiedName": "p1_cars", "name": "cars"}]});
    let double = Double::new(move |call| call.path.ends_with("/schemas").then(|| ok(&schemas)).flatten());
    let error = double
        .source(json!({"streams": ["carz"]}))
        .catalog()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("did you mean `cars`"), "{error}");

    let refusing = Double::new(|call| {
        call.path
            .ends_with("/schemas")
            .then(|| (403, MISSING_SCOPES.to_vec()))
    });
    let error = refusing
        .source(json!({"streams": ["carz"]}))
        .catalog()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.hint().unwrap().contains("crm.schemas.custom.read"),
        "{error}"
    );
}

#[tokio::test]
async fn an_estimate_is_one_search_of_one_record() {
    let double = Double::new(|call| {
        call.path.ends_with("/search").then(|| {
            assert_eq!(call.body["limit"], 1);
            ok(&json!({"total": 12_345, "results": []}))
        })?
    });
    let source = double.source(json!({"streams": ["contacts", "deals", "owners"]}));
    let estimate = async |name: &'static str| source.estimate(&StreamName::from(name)).await;
    assert_eq!(estimate("contacts").await, Some(12_345));
    assert_eq!(estimate("contacts_deals").await, None);
    assert_eq!(estimate("owners").await, None);
}

#[tokio::test]
async fn the_catalog_costs_one_call_for_each_selected_object() {
    let double = Double::new(|_| None);
    double
        .source(json!({"streams": ["contacts", "deals", "owners", "properties"]}))
        .catalog()
        .await
        .unwrap();
    assert_eq!(double.calls("").len(), 2);
}
