//! Writes against the emulator, in process.

use hubspot_client::{
    Client, InputOutcome, RawObject,
    request::{
        batches::{BatchWrite, Input},
        objects::Get,
        writes::{Create, Update},
    },
};
use hubspot_emulator::Tier;
use serde_json::Value;

use crate::emulated::Account;

fn property(record: &RawObject, name: &str) -> String {
    let record: Value = serde_json::from_slice(record.json()).unwrap();
    record["properties"][name].as_str().unwrap_or_default().to_owned()
}

async fn contact(client: &Client, email: &str) -> String {
    let create = Create::new("contacts", [("email", email)]);
    client.create_object(&create).await.unwrap().id().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_record_is_made_changed_and_archived() {
    let client = Account::new(Tier::Pro).client();
    let id = contact(&client, "one@example.com").await;
    let update = Update::new("contacts", "one@example.com", [("firstname", "Ada")]).by("email");
    let changed = client.update_object(&update).await.unwrap();
    assert_eq!(
        (changed.id(), property(&changed, "firstname").as_str()),
        (id.as_str(), "Ada")
    );
    for _ in 0..2 {
        client.archive_object("contacts", &id).await.unwrap();
    }
    let archived = Get::new("contacts", &id).with_archived(true);
    assert!(client.get_object(&archived).await.unwrap().is_archived());
}

#[tokio::test(start_paused = true)]
async fn a_unique_value_that_is_taken_is_refused() {
    let client = Account::new(Tier::Pro).client();
    contact(&client, "one@example.com").await;
    let again = Create::new("contacts", [("email", "one@example.com")]);
    let error = client.create_object(&again).await.unwrap_err();
    assert_eq!(error.status(), Some(409), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_answers_for_every_input() {
    let client = Account::new(Tier::Pro).client();
    contact(&client, "taken@example.com").await;
    let emails = ["one@example.com", "taken@example.com", "two@example.com"];
    let inputs = emails.map(|email| Input::create([("email", email)]));
    let outcome = client
        .batch_write(&BatchWrite::create("contacts", inputs))
        .await
        .unwrap();
    let [one, taken, two] = &outcome.inputs[..] else {
        panic!("{outcome:?}")
    };
    assert_eq!(property(one.record().unwrap(), "email"), "one@example.com");
    assert!(taken.refusal().is_some(), "{outcome:?}");
    assert_eq!(property(two.record().unwrap(), "email"), "two@example.com");
}

#[tokio::test(start_paused = true)]
async fn a_batch_update_tells_the_ids_that_are_gone() {
    let client = Account::new(Tier::Pro).client();
    let id = contact(&client, "one@example.com").await;
    let inputs = [id.as_str(), "999999999"].map(|id| Input::of(id, [("firstname", "Ada")]));
    let outcome = client
        .batch_write(&BatchWrite::update("contacts", inputs))
        .await
        .unwrap();
    assert_eq!(outcome.inputs[0].record().map(RawObject::id), Some(id.as_str()));
    assert!(outcome.inputs[1].refusal().is_some(), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upsert_says_what_is_new() {
    let client = Account::new(Tier::Pro).client();
    contact(&client, "old@example.com").await;
    let inputs = ["old@example.com", "new@example.com"].map(|email| Input::of(email, [("firstname", "Ada")]));
    let batch = BatchWrite::upsert("contacts", "email", inputs);
    let outcome = client.batch_write(&batch).await.unwrap();
    let new: Vec<_> = outcome
        .inputs
        .iter()
        .map(|input| match input {
            InputOutcome::Written(written) => written.is_new,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(new, [Some(false), Some(true)]);
}

#[tokio::test(start_paused = true)]
async fn merged_records_are_found_by_their_old_ids_and_archived_ones_are_gone() {
    let client = Account::new(Tier::Pro).client();
    let (one, two) = (
        contact(&client, "one@example.com").await,
        contact(&client, "two@example.com").await,
    );
    let merged = client.merge_objects("contacts", &one, &two).await.unwrap();
    let found = client.get_object(&Get::new("contacts", &two)).await.unwrap();
    assert_eq!(found.id(), merged.id());
    client
        .batch_archive("contacts", &[merged.id(), "999999999"])
        .await
        .unwrap();
    let error = client
        .get_object(&Get::new("contacts", merged.id()))
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_erased_contact_leaves_nothing() {
    let client = Account::new(Tier::Pro).client();
    let id = contact(&client, "one@example.com").await;
    client
        .gdpr_delete("contacts", "one@example.com", Some("email"))
        .await
        .unwrap();
    let archived = Get::new("contacts", &id).with_archived(true);
    assert!(client.get_object(&archived).await.unwrap_err().is_not_found());
}
