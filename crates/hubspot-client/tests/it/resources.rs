//! Against the emulator: forms, the CMS, members of lists, and what properties have held.

use std::collections::BTreeSet;
use std::sync::Arc;

use hubspot_client::{
    ApiVersion, Client, RawObject, Resource, StaticToken,
    request::{
        objects::{BatchRead, Get, List},
        resources::ResourceList,
    },
};
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use serde_json::{Value, json};

use crate::emulated::Account;

fn emulator() -> Emulator {
    Emulator::new(Options {
        tier: Tier::Unlimited,
        counts: Counts {
            contacts: 60,
            ..Counts::default()
        },
        ..Options::default()
    })
}

fn client(emulator: &Emulator, version: ApiVersion) -> Client {
    let token = StaticToken::new(DEFAULT_TOKEN).unwrap();
    let client = Client::builder().token(token).api_version(version);
    client
        .http_service(Arc::new(Account::at(emulator)))
        .build()
        .unwrap()
}

fn truth(emulator: &Emulator, name: &str) -> Vec<Value> {
    let lines = emulator.truth(name).unwrap();
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_listed_whole_in_both_generations() {
    let emulator = emulator();
    for version in [ApiVersion::default(), ApiVersion::Numbered] {
        let client = client(&emulator, version);
        for resource in Resource::ALL {
            for archived in [false, true] {
                let mut list = ResourceList::new(resource).with_archived(archived);
                list.limit = 9;
                let mut found = BTreeSet::new();
                loop {
                    let page = client.list_resources(&list).await.unwrap();
                    for one in &page.results {
                        assert_eq!(one.is_archived(), archived, "{} {}", resource.name(), one.id());
                        assert_eq!(one.archived_at().is_some(), archived);
                        let times = [one.created_at(), one.updated_at()].map(|at| at.unwrap().to_owned());
                        found.insert((one.id().to_owned(), times));
                    }
                    match page.next {
                        Some(next) => list.after = Some(next.after),
                        None => break,
                    }
                }
                let state = if archived { "archived" } else { "live" };
                let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
                let expected = truth(&emulator, resource.name())
                    .iter()
                    .filter(|line| line["state"] == state)
                    .map(|line| {
                        (
                            text(line, "id"),
                            [text(line, "createdAt"), text(line, "updatedAt")],
                        )
                    })
                    .collect();
                assert_eq!(found, expected, "{} {state}", resource.name());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn resources_are_made_changed_and_archived() {
    let emulator = emulator();
    let client = client(&emulator, ApiVersion::default());
    let tags = Resource::BlogTags;
    let made = client
        .create_resource(tags, &json!({"name": "News"}))
        .await
        .unwrap();
    let old = json!({"name": "Old"});
    let changed = client.update_resource(tags, made.id(), &old).await.unwrap();
    assert_eq!(changed.id(), made.id());
    client.archive_resource(tags, made.id()).await.unwrap();
    let gone = client.get_resource(tags, made.id(), false).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
    let archived = client.get_resource(tags, made.id(), true).await.unwrap();
    assert!(archived.is_archived());
    let body: Value = serde_json::from_slice(archived.json()).unwrap();
    assert_eq!(body["name"], "Old");
}

#[tokio::test(start_paused = true)]
async fn a_table_is_seen_once_it_is_published() {
    let emulator = emulator();
    let client = client(&emulator, ApiVersion::Numbered);
    let tables = Resource::HubDbTables;
    let members = json!({"name": "prices", "label": "Prices", "columns": []});
    let made = client.create_resource(tables, &members).await.unwrap();
    assert!(client.get_resource(tables, made.id(), false).await.is_err());
    let costs = json!({"label": "Costs"});
    client.update_resource(tables, made.id(), &costs).await.unwrap();
    client.publish_table(made.id()).await.unwrap();
    let table = client.get_resource(tables, made.id(), false).await.unwrap();
    let body: Value = serde_json::from_slice(table.json()).unwrap();
    assert_eq!(body["label"], "Costs");
    let seeded = truth(&emulator, "hubdb_rows");
    let rows = client
        .table_rows(seeded[0]["tableId"].as_str().unwrap(), None)
        .await
        .unwrap();
    let of_table = seeded.iter().filter(|row| row["tableId"] == seeded[0]["tableId"]);
    assert_eq!(rows.results.len(), of_table.count());
}

#[tokio::test(start_paused = true)]
async fn rows_are_written_and_seen_once_their_table_is_published() {
    let emulator = emulator();
    let client = client(&emulator, ApiVersion::default());
    let members = json!({"name": "prices", "label": "Prices", "columns": []});
    let table = client
        .create_resource(Resource::HubDbTables, &members)
        .await
        .unwrap();
    let table = table.id();
    let row = |price: u64| json!({"values": {"price": price}});
    let first = client.create_row(table, &row(1)).await.unwrap();
    let more = client.create_rows(table, &[row(2), row(3)]).await.unwrap();
    client.update_row(table, first.id(), &row(10)).await.unwrap();
    let change = json!({"id": more[0].id(), "values": {"price": 20}});
    assert_eq!(client.update_rows(table, &[change]).await.unwrap().len(), 1);
    client.delete_rows(table, &[more[1].id()]).await.unwrap();
    assert!(client.table_rows(table, None).await.unwrap().results.is_empty());
    assert_eq!(client.draft_rows(table, None).await.unwrap().results.len(), 2);
    client.publish_table(table).await.unwrap();
    let rows = client.table_rows(table, None).await.unwrap().results;
    let price =
        |row: &RawObject| serde_json::from_slice::<Value>(row.json()).unwrap()["values"]["price"].clone();
    assert_eq!(rows.iter().map(price).collect::<Vec<_>>(), [10, 20]);
    client.delete_row(table, first.id()).await.unwrap();
    assert_eq!(client.draft_rows(table, None).await.unwrap().results.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn blogs_and_pages_are_written_many_at_once() {
    let emulator = emulator();
    let client = client(&emulator, ApiVersion::default());
    let tags = Resource::BlogTags;
    let made = client
        .create_resources(tags, &[json!({"name": "a"}), json!({"name": "b"})])
        .await
        .unwrap();
    let change = json!({"id": made[1].id(), "name": "c"});
    let changed = client.update_resources(tags, &[change]).await.unwrap();
    assert_eq!(changed[0].id(), made[1].id());
    let ids: Vec<_> = made.iter().map(RawObject::id).collect();
    client.archive_resources(tags, &ids).await.unwrap();
    let gone = client.get_resource(tags, ids[0], false).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn members_of_lists_are_what_the_account_holds() {
    let emulator = emulator();
    emulator
        .mutate(&json!({"objectType": "lists", "create": 1}))
        .unwrap();
    emulator
        .mutate(&json!({"objectType": "list_memberships", "create": 12, "archive": 2}))
        .unwrap();
    let members = truth(&emulator, "list_memberships");
    let client = client(&emulator, ApiVersion::default());
    let list = members[0]["listId"].as_str().unwrap();
    let found = client.list_members(list, None).await.unwrap().members;
    let found: Vec<&str> = found.iter().map(|member| member.record_id.as_str()).collect();
    let expected: Vec<&str> = members
        .iter()
        .map(|member| member["recordId"].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn history_is_read_from_lists_single_records_and_batches() {
    let emulator = emulator();
    let done = emulator
        .mutate(&json!({"objectType": "contacts", "calculated": 1, "seed": 5}))
        .unwrap();
    let id = done["calculated"][0].as_str().unwrap();
    let client = client(&emulator, ApiVersion::default());
    let names: Vec<String> = client
        .properties("contacts")
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.name)
        .collect();
    let record = client
        .get_object(&Get::new("contacts", id).with_history(&names))
        .await
        .unwrap();
    let history = record.history().unwrap();
    let calculated: Vec<_> = history
        .values()
        .filter(|held| {
            held[..]
                .first()
                .is_some_and(|newest| newest.source_type.as_deref() == Some("CALCULATED"))
        })
        .collect();
    assert_eq!(calculated.len(), 1, "{history:?}");
    assert!(
        calculated[0]
            .windows(2)
            .all(|pair| pair[0].timestamp >= pair[1].timestamp)
    );
    let read = BatchRead::new("contacts", [id]).with_history(["email"]);
    let batch = client.batch_read(&read).await.unwrap();
    let list = List::new("contacts").with_after(id).with_history(["email"]);
    let page = client.list_objects(&list).await.unwrap();
    for other in [&batch.results[0], &page.results[0]] {
        assert_eq!(other.history().unwrap()["email"], history["email"]);
    }
    assert!(page.results.len() <= 50);
    let without = client.get_object(&Get::new("contacts", id)).await.unwrap();
    assert!(without.history().unwrap().is_empty() && without.properties_with_history().is_none());
}
