//! From one account into another: other ids, the same records, the same associations. And what makes up websites.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use hubspot_client::Resource;
use hubspot_client::request::resources::ResourceList;
use hubspot_connector::write::{DestinationConfig, HubspotDestination};
use hubspot_emulator::Counts;
use opencdc::memory::MemoryKeyMap;
use opencdc::{
    Batch, Catalog, Checkpoint, Destination, KeyMap, Mapped, Operation, Outcome, Position, Record, Selection,
    Source, Stream, Until,
};
use serde_json::{Value, json};

use crate::emulated::{Hubspot, Truth};

fn destination(to: &Hubspot, keys: &Arc<MemoryKeyMap>, more: &Value) -> HubspotDestination {
    let mut config = json!({"connection": "to"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let config: DestinationConfig = serde_json::from_value(config).unwrap();
    HubspotDestination::new(to.client(), config, Arc::clone(keys) as Arc<dyn KeyMap>).unwrap()
}

/// Copies what one account has, with writes that overlap as those of the run loop do.
async fn copy(from: &Hubspot, to: &HubspotDestination, streams: &[&str]) -> Vec<Outcome> {
    let source = from.source(json!({"streams": streams}));
    let catalog = source.catalog().await.unwrap();
    to.prepare(&catalog).await.unwrap();
    let mut selection = Selection::everything(&catalog);
    selection.until = Until::CaughtUp;
    let mut batches = source.read(selection, None).await.unwrap();
    let (mut writes, mut outcomes) = (FuturesOrdered::new(), Vec::new());
    let mut sequence = 0;
    while let Some(batch) = batches.next().await {
        let batch = Arc::new(batch.unwrap());
        sequence += 1;
        let checkpoint = Checkpoint::new(sequence, batch.position.clone());
        writes.push_back(to.write(batch, checkpoint));
        if writes.len() == 8 {
            outcomes.extend(writes.next().await.unwrap().unwrap());
        }
    }
    while let Some(written) = writes.next().await {
        outcomes.extend(written.unwrap());
    }
    to.close().await.unwrap();
    outcomes
}

async fn ids(keys: &MemoryKeyMap, stream: &str, of: &Hubspot) -> BTreeMap<String, String> {
    let live: Vec<_> = of.ids(stream, "live").await.into_iter().collect();
    let mapped = keys.look_up(&stream.into(), &live).await.unwrap();
    let pairs = live
        .into_iter()
        .zip(mapped)
        .filter_map(|(key, mapped)| match mapped {
            Some(Mapped::Id(id)) => Some((key, id)),
            _ => None,
        });
    pairs.collect()
}

#[tokio::test(start_paused = true)]
async fn an_account_is_copied_into_another_with_its_associations() {
    let counts = Counts {
        contacts: 250,
        companies: 60,
        deals: 120,
        ..Counts::none()
    };
    let (from, to) = (Hubspot::new(counts), Hubspot::new(Counts::none()));
    let keys = Arc::new(MemoryKeyMap::default());
    let writer = destination(
        &to,
        &keys,
        &json!({"streams": {"contacts": {"id_property": "email"}}}),
    );

    let outcomes = copy(&from, &writer, &["contacts", "companies", "deals"]).await;

    let reason = |outcome: &Outcome| match outcome {
        Outcome::Rejected(rejection) => Some(rejection.to_string()),
        _ => None,
    };
    let refused: Vec<_> = outcomes.iter().filter_map(reason).collect();
    // One value is older than its property's type: HubSpot keeps it, and does not take it back.
    assert!(
        refused.len() == 1 && refused[0].contains("`legacy_margin`, value `n/a`"),
        "{refused:?}"
    );
    let (mut copied, mut live) = (0, 0);
    for object in ["contacts", "companies", "deals"] {
        copied += ids(&keys, object, &from).await.len();
        live += from.ids(object, "live").await.len();
    }
    assert_eq!(copied + 1, live);
    for (a, b, property) in [
        ("contacts", "companies", "firstname"),
        ("deals", "contacts", "dealname"),
    ] {
        let (a_ids, b_ids) = (ids(&keys, a, &from).await, ids(&keys, b, &from).await);
        let there: BTreeMap<_, _> = to
            .truth(a)
            .await
            .into_iter()
            .map(|record| (record.id.clone(), record))
            .collect();
        for record in from
            .truth(a)
            .await
            .into_iter()
            .filter(|record| record.state == "live")
        {
            let Some(id) = a_ids.get(&record.id) else { continue };
            let copy = &there[id];
            let filled = |record: &Truth| {
                let value = record
                    .properties
                    .get(property)
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                value.to_owned()
            };
            assert_eq!(filled(copy), filled(&record), "{a} {}", record.id);
        }
        let moved: BTreeSet<_> = from
            .links(a, b)
            .await
            .iter()
            .filter_map(|link| {
                let link: Value = serde_json::from_str(link).unwrap();
                let (from_id, to_id) = (link[0].as_str().unwrap(), link[1].as_str().unwrap());
                // Archived records are not copied, nor is what is between them.
                Some(json!([a_ids.get(from_id)?, b_ids.get(to_id)?, link[2]]).to_string())
            })
            .collect();
        let copied: BTreeSet<_> = to
            .links(a, b)
            .await
            .iter()
            .map(|link| {
                let link: Value = serde_json::from_str(link).unwrap();
                json!([link[0], link[1], link[2]]).to_string()
            })
            .collect();
        assert!(moved.len() > 50, "{a} and {b} have associations to copy");
        let missing: Vec<_> = moved.difference(&copied).collect();
        assert!(
            missing.is_empty(),
            "{a}_{b}: {} of {} missing: {missing:?}",
            missing.len(),
            moved.len()
        );
    }
}

fn pair(operation: Operation, from: &str, to: &str) -> Record {
    let fields =
        json!({"from_id": from, "to_id": to, "type_id": 279, "category": "HUBSPOT_DEFINED", "label": null});
    let key = json!({"from_id": from, "to_id": to, "type_id": 279, "category": "HUBSPOT_DEFINED"});
    let object = |value: &Value| value.as_object().unwrap().clone();
    let after = (operation != Operation::Delete).then(|| object(&fields).into());
    Record::new("contacts_companies", operation, object(&key), after)
}

fn named(stream: &str, id: &str, values: &Value) -> Record {
    let key = json!({"id": id}).as_object().unwrap().clone();
    Record::new(
        stream,
        Operation::Snapshot,
        key,
        Some(values.as_object().unwrap().clone().into()),
    )
}

async fn write(to: &HubspotDestination, records: Vec<Record>) -> Vec<Outcome> {
    let position = Position::new("1");
    to.write(
        Arc::new(Batch::new(records, position.clone())),
        Checkpoint::new(1, position),
    )
    .await
    .unwrap()
}

fn catalog(streams: &[&str]) -> Catalog {
    Catalog::new(
        streams
            .iter()
            .map(|name| Stream::new(*name, ["id"], Vec::new()))
            .collect(),
    )
}

#[tokio::test(start_paused = true)]
async fn an_association_waits_for_its_records_and_ends_when_it_is_told_to() {
    let to = Hubspot::new(Counts::none());
    let keys = Arc::new(MemoryKeyMap::default());
    let streams = ["contacts", "companies", "contacts_companies"];
    let writer = destination(&to, &keys, &json!({}));
    writer.prepare(&catalog(&streams)).await.unwrap();
    write(
        &writer,
        vec![
            pair(Operation::Create, "1", "7"),
            pair(Operation::Create, "2", "7"),
        ],
    )
    .await;
    write(&writer, vec![named("contacts", "1", &json!({"email": "a@b.cd"}))]).await;
    // The second pair ends before its records have come.
    write(&writer, vec![pair(Operation::Delete, "2", "7")]).await;
    assert_eq!(to.links("contacts", "companies").await.len(), 0);
    assert_eq!(keys.parked().await.unwrap(), 1, "what is to end waits for nobody");
    // A new process goes on with what was parked.
    let writer = destination(&to, &keys, &json!({}));
    writer.prepare(&catalog(&streams)).await.unwrap();
    let records = vec![
        named("companies", "7", &json!({"name": "A"})),
        named("contacts", "2", &json!({"email": "c@b.cd"})),
    ];
    write(&writer, records).await;
    assert_eq!(keys.parked().await.unwrap(), 0);
    assert_eq!(to.links("contacts", "companies").await.len(), 1);
    write(&writer, vec![pair(Operation::Delete, "1", "7")]).await;
    assert_eq!(to.links("contacts", "companies").await.len(), 0);
    // A record that is gone takes its associations along; their own deletes find nothing to do.
    write(&writer, vec![Record::delete("contacts", br#"{"id":"1"}"#)]).await;
    write(&writer, vec![pair(Operation::Delete, "1", "7")]).await;
    assert_eq!(keys.parked().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn blog_posts_and_rows_of_a_table_are_made_changed_published_and_archived() {
    let to = Hubspot::new(Counts::none());
    let client = to.client();
    let table = json!({"name": "prices", "label": "Prices", "columns": [{"name": "city", "label": "City", "type": "TEXT"}]});
    let table = client
        .create_resource(Resource::HubDbTables, &table)
        .await
        .unwrap();
    client.publish_table(table.id()).await.unwrap();
    let keys = Arc::new(MemoryKeyMap::default());
    let rows = json!({"streams": {"posts": {"object": "cms.blogs.posts"},
        "rows": {"object": format!("hubdb_rows:{}", table.id())}}});
    let writer = destination(&to, &keys, &rows);
    writer.prepare(&catalog(&["posts", "rows"])).await.unwrap();
    let post = |name: &str| {
        named(
            "posts",
            "1",
            &json!({"id": "1", "name": name, "slug": "a", "created": "2020-01-01T00:00:00Z"}),
        )
    };
    let row = |city: &str| named("rows", "1", &json!({"values": {"city": city}}));

    let outcomes = write(&writer, vec![post("A"), row("Bonn"), post("B"), row("Rome")]).await;
    assert!(
        outcomes.iter().all(|outcome| *outcome == Outcome::Written),
        "{outcomes:?}"
    );

    let posts = client
        .list_resources(&ResourceList::new(Resource::BlogPosts))
        .await
        .unwrap()
        .results;
    assert_eq!(posts.len(), 1);
    assert!(String::from_utf8_lossy(posts[0].json()).contains("\"name\":\"B\""));
    let published = client.table_rows(table.id(), None).await.unwrap().results;
    assert_eq!(published.len(), 1);
    assert!(String::from_utf8_lossy(published[0].json()).contains("Rome"));

    let gone = |stream: &str| Record::delete(stream, br#"{"id":"1"}"#);
    write(&writer, vec![gone("posts"), gone("rows")]).await;
    assert_eq!(
        client
            .list_resources(&ResourceList::new(Resource::BlogPosts))
            .await
            .unwrap()
            .results
            .len(),
        0
    );
    assert_eq!(
        client.table_rows(table.id(), None).await.unwrap().results.len(),
        0
    );
    let strange = named("posts", "2", &json!({"nmae": {"a": 1}}));
    let outcomes = write(&writer, vec![strange]).await;
    assert_eq!(outcomes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_website_cannot_heed_is_refused() {
    let to = Hubspot::new(Counts::none());
    let rules =
        json!({"streams": {"posts": {"object": "blog_posts", "id_property": "slug", "changed_only": true}}});
    let writer = destination(&to, &Arc::new(MemoryKeyMap::default()), &rules);
    let error = writer
        .prepare(&catalog(&["posts"]))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("stream `posts`") && error.contains("`id_property`, `changed_only`"),
        "{error}"
    );
}
