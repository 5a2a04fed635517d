//! What an account's definitions do to its streams: names, scopes, properties that go away. Time is paused.

use hubspot_client::request::properties::NewProperty;
use hubspot_client::request::schemas::{NewLabels, NewSchema};
use hubspot_emulator::{Counts, Emulator, Options};
use opencdc::{ErrorKind, Origin, Source};
use serde_json::json;

use crate::emulated::{Hubspot, a_few};
use crate::{ids, read};

fn text_property(name: &str) -> NewProperty {
    NewProperty {
        name: name.to_owned(),
        label: name.to_owned(),
        type_: "string".to_owned(),
        field_type: "text".to_owned(),
        group_name: "contactinformation".to_owned(),
        ..NewProperty::default()
    }
}

async fn define(hubspot: &Hubspot, name: &str) {
    let label = format!("Label {name}");
    let schema = NewSchema {
        name: name.to_owned(),
        labels: NewLabels {
            singular: label.clone(),
            plural: label,
        },
        primary_display_property: "title".to_owned(),
        properties: vec![NewProperty {
            group_name: String::new(),
            ..text_property("title")
        }],
        associated_objects: vec!["CONTACT".to_owned()],
        ..NewSchema::default()
    };
    hubspot.client().create_schema(&schema).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn custom_objects_never_take_the_name_of_another_stream() {
    let hubspot = Hubspot::new(a_few());
    for name in [
        "contacts_companies",
        "contacts_property_history",
        "sqlite_stat1",
        "cars",
        "contacts_cars",
    ] {
        define(&hubspot, name).await;
    }
    let source = hubspot.source(json!({
        "streams": ["contacts", "companies", "custom_objects"], "history": ["email"],
    }));
    let catalog = source.catalog().await.unwrap();
    let names: Vec<_> = catalog
        .streams
        .iter()
        .map(|stream| stream.name.as_str())
        .collect();
    for (qualified, free) in [
        ("_contacts_companies", "contacts_companies"),
        ("_contacts_property_history", "contacts_property_history"),
        ("_contacts_cars", "contacts_cars"),
    ] {
        assert!(names.contains(&free), "{names:?}");
        let is_qualified = |name: &&&str| {
            name.starts_with('p') && name.ends_with(qualified) && !name.contains("property_history_")
        };
        assert_eq!(
            names.iter().filter(is_qualified).count(),
            1,
            "{qualified}: {names:?}"
        );
    }
    assert!(
        names.contains(&"cars") && !names.contains(&"sqlite_stat1"),
        "{names:?}"
    );
    let batches = read(&source, None).await;
    assert_eq!(
        ids(&batches, "contacts").len(),
        hubspot.ids("contacts", "live").await.len()
    );
    let by_name = hubspot.source(json!({"streams": ["contacts_companies", "contacts", "companies"]}));
    assert!(
        by_name
            .catalog()
            .await
            .unwrap()
            .stream("contacts_companies")
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_type_whose_definitions_are_refused_stops_no_other() {
    let hubspot = Hubspot::new(a_few());
    hubspot
        .faults(json!([{"match": {"path": "/crm/properties/*/0-3"}, "action": {"status": 403}}]))
        .await;
    let config = json!({"streams": ["contacts", "deals", "owners"]});
    let source = hubspot.source(config.clone());
    let estimate = source.survey().await.unwrap();
    assert_eq!(estimate.refused.len(), 1, "{:?}", estimate.refused);
    assert!(
        estimate
            .streams
            .iter()
            .any(|stream| stream.name.as_str() == "contacts")
    );

    let refused = source.refused().await.unwrap();
    assert_eq!(refused[0].0.as_str(), "deals");
    let streams = source.comparable().await.unwrap();
    assert!(
        !streams.iter().any(|stream| stream.as_str() == "deals"),
        "{streams:?}"
    );

    let probed = hubspot.source(config).probe().await.unwrap();
    let refusals: Vec<_> = probed.iter().filter(|one| one.refusal.is_some()).collect();
    assert_eq!(refusals.len(), 1, "{probed:?}");
    assert_eq!(refusals[0].stream.as_str(), "deals");
    assert_eq!(
        refusals[0].refusal.as_ref().unwrap().missing_scopes,
        ["crm.objects.deals.read"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_listed_property_that_was_archived_since_is_left_out_and_an_unknown_one_is_refused() {
    let hubspot = Hubspot::new(a_few());
    let client = hubspot.client();
    client
        .create_property("contacts", &text_property("shoe_size"))
        .await
        .unwrap();
    let config =
        |name: &str| json!({"streams": [{"name": "contacts", "properties": ["email", name]}, "companies"]});
    let fields = async |name: &str| {
        let source = hubspot.source(config(name));
        let stream = source.catalog().await?.stream("contacts").cloned().unwrap();
        Ok::<_, opencdc::Error>(
            stream
                .fields
                .into_iter()
                .map(|field| field.name)
                .collect::<Vec<_>>(),
        )
    };
    assert!(
        fields("shoe_size")
            .await
            .unwrap()
            .contains(&"shoe_size".to_owned())
    );
    client.archive_property("contacts", "shoe_size").await.unwrap();
    let left = fields("shoe_size").await.unwrap();
    assert!(
        left.contains(&"email".to_owned()) && !left.contains(&"shoe_size".to_owned()),
        "{left:?}"
    );
    let batches = read(&hubspot.source(config("shoe_size")), None).await;
    assert_eq!(
        ids(&batches, "companies").len(),
        hubspot.ids("companies", "live").await.len()
    );
    let error = fields("shoe_sise").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let error = fields("emial").await.unwrap_err();
    assert_eq!(error.hint(), Some("did you mean `email`?"));
}

#[tokio::test(start_paused = true)]
async fn every_object_type_that_other_connectors_name_arrives() {
    let names = [
        "Appointments",
        "Calls",
        "Campaigns",
        "Carts",
        "Commerce Payments",
        "Communications",
        "Companies",
        "Contacts",
        "Courses",
        "Deals",
        "Discounts",
        "Emails",
        "Fees",
        "Feedback Submissions",
        "Goals",
        "Invoices",
        "Leads",
        "Line Items",
        "Listings",
        "Meetings",
        "Notes",
        "Orders",
        "Postal Mail",
        "Products",
        "Quotes",
        "Quote Templates",
        "Services",
        "Subscriptions",
        "Tasks",
        "Taxes",
        "Tickets",
        "Users",
    ];
    let hubspot = Hubspot::of(&Emulator::new(Options {
        counts: Counts {
            contacts: 30,
            companies: 30,
            deals: 30,
            tickets: 30,
            products: 30,
            ..Counts::default()
        },
        ..Options::default()
    }));
    let source =
        hubspot.source(json!({"streams": names, "associations": "none", "properties": ["hs_object_id"]}));
    let catalog = source.catalog().await.unwrap();
    assert_eq!(catalog.streams.len(), 32);
    let batches = read(&source, None).await;
    for stream in &catalog.streams {
        let live = hubspot.ids(stream.name.as_str(), "live").await;
        assert!(!live.is_empty(), "{}", stream.name);
        let found: std::collections::BTreeSet<_> = ids(&batches, stream.name.as_str()).into_iter().collect();
        assert_eq!(found, live, "{}", stream.name);
    }
}
