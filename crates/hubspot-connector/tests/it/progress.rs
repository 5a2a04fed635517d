//! A source and a destination that share a limiter: neither stops the other when it is not polled.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use hubspot_client::request::properties::NewProperty;
use hubspot_client::{Client, Limits, Priority};
use hubspot_connector::HubspotSource;
use hubspot_connector::write::{DestinationConfig, HubspotDestination};
use hubspot_emulator::{Counts, Options, Tier};
use opencdc::memory::MemoryKeyMap;
use opencdc::{
    Batch, Catalog, Checkpoint, DataType, Destination, Field, Operation, Outcome, Position, Record,
    Selection, Source, Stream,
};
use serde_json::{Map, Value, json};

use crate::emulated::{Hubspot, config_of};

const TYPES: [&str; 4] = ["contacts", "companies", "deals", "tickets"];
const EACH: u64 = 700;

/// A free account with four types whose properties do not fit a URL, so that every page takes several calls.
async fn wide() -> Hubspot {
    let hubspot = Hubspot::with(Options {
        counts: Counts {
            contacts: EACH,
            companies: EACH,
            deals: EACH,
            tickets: EACH,
            line_items: Some(0),
            ..Counts::none()
        },
        tier: Tier::Free,
        ..Options::default()
    });
    let groups = [
        "contactinformation",
        "companyinformation",
        "dealinformation",
        "ticketinformation",
    ];
    // Definitions are made without limits: they are not what is tested.
    let admin = hubspot.client();
    for (object, group) in TYPES.into_iter().zip(groups) {
        let names = (0..400).map(|n| format!("a_property_with_a_rather_long_name_number_{n}"));
        let made: Vec<_> = names.map(|name| property(&name, group)).collect();
        for some in made.chunks(100) {
            admin.properties_batch_create(object, some).await.unwrap();
        }
    }
    hubspot
}

fn property(name: &str, group: &str) -> NewProperty {
    NewProperty {
        name: name.to_owned(),
        label: name.to_owned(),
        type_: "string".to_owned(),
        field_type: "text".to_owned(),
        group_name: group.to_owned(),
        ..NewProperty::default()
    }
}

fn thing(n: usize) -> Record {
    let object = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let after = object(json!({"no": n.to_string(), "name": format!("Thing {n}")}));
    Record::new(
        "things",
        Operation::Snapshot,
        object(json!({"no": n.to_string()})),
        Some(after.into()),
    )
}

async fn destination(client: Client) -> HubspotDestination {
    let config: DestinationConfig = serde_json::from_value(
        json!({"connection": "emulator", "streams": {"things": {"object": "products"}}}),
    )
    .unwrap();
    let destination = HubspotDestination::new(client, config, Arc::new(MemoryKeyMap::default())).unwrap();
    let fields = ["no", "name"].map(|name| Field::new(name, DataType::String, [name]));
    let stream = Stream::new("things", ["no"], fields.to_vec());
    destination.prepare(&Catalog::new(vec![stream])).await.unwrap();
    destination
}

#[tokio::test(start_paused = true)]
async fn four_wide_types_are_read_while_their_reader_waits_for_writes_on_the_same_limiter() {
    let hubspot = wide().await;
    // A tenth of what the account allows, so that the limiter has a queue nearly always.
    let client = hubspot.client_within(Limits {
        burst: 10,
        ..Limits::default()
    });
    let config = config_of(json!({"streams": TYPES, "associations": "none"}));
    let source = HubspotSource::new(client.clone(), config).unwrap();
    // Both wait in the same class, as in a pipeline.
    let destination = destination(client.with_priority(Priority::Snapshot)).await;
    let copy = async {
        let selection = Selection::everything(&source.catalog().await.unwrap());
        let mut batches = source.read(selection, None).await.unwrap();
        let (mut read, mut written) = (0, 0);
        while let Some(batch) = batches.next().await {
            read += batch.unwrap().records.len();
            // While this is written nobody polls `batches`, whose calls stand in the same queue.
            let records = (written..written + 20).map(thing).collect();
            let position = Position::new(written.to_string());
            let batch = Arc::new(Batch::new(records, position.clone()));
            let sequence = u64::try_from(written).unwrap() + 1;
            let outcomes = destination
                .write(batch, Checkpoint::new(sequence, position))
                .await;
            let outcomes = outcomes.unwrap();
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written));
            written += outcomes.len();
        }
        (read, written)
    };
    let copied = tokio::time::timeout(Duration::from_hours(6), copy).await;
    let (read, written) = copied.expect("each gets its turn");
    let mut live = 0;
    for object in TYPES {
        live += hubspot.ids(object, "live").await.len();
    }
    assert!(read >= live && live > 2_000, "{read} of {live}");
    assert_eq!(hubspot.truth("products").await.len(), written);
}
