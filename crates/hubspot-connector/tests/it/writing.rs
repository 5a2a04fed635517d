//! Records into the emulated HubSpot: what was refused and why, what was lost and found again, in what order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use hubspot_connector::write::{DestinationConfig, HubspotDestination, Wanted, Writer};
use hubspot_emulator::{Counts, Options, Tier};
use opencdc::memory::MemoryKeyMap;
use opencdc::{
    Batch, Catalog, Checkpoint, DataType, Destination, Field, KeyMap, Mapped, Operation, Outcome, Position,
    Record, Stream,
};
use serde_json::{Map, Value, json};

use crate::emulated::{Hubspot, Truth};

/// A pipeline's end: the destination, and the account behind it.
struct End {
    hubspot: Hubspot,
    keys: Arc<MemoryKeyMap>,
    config: DestinationConfig,
}

fn row(stream: &str, key: &str, fields: Value) -> Record {
    record(stream, Operation::Snapshot, key, Some(fields))
}

fn record(stream: &str, operation: Operation, key: &str, fields: Option<Value>) -> Record {
    let object = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let after = fields.map(object).map(Into::into);
    Record::new(stream, operation, object(json!({"no": key})), after)
}

fn stream(name: &str) -> Stream {
    let fields = [
        ("no", DataType::String),
        ("score_of_ours", DataType::Integer),
        ("member_of_ours", DataType::Boolean),
    ];
    Stream::new(
        name,
        ["no"],
        fields.map(|(name, kind)| Field::new(name, kind, [name])).to_vec(),
    )
}

impl End {
    async fn new(streams: Value) -> (Self, HubspotDestination) {
        Self::of(Hubspot::new(Counts::none()), streams).await
    }

    async fn of(hubspot: Hubspot, streams: Value) -> (Self, HubspotDestination) {
        let config: DestinationConfig =
            serde_json::from_value(json!({"connection": "emulator", "streams": streams})).unwrap();
        let end = Self {
            hubspot,
            keys: Arc::new(MemoryKeyMap::default()),
            config,
        };
        let destination = end.open().await;
        (end, destination)
    }

    /// The destination as a new process opens it.
    async fn open(&self) -> HubspotDestination {
        let keys = Arc::clone(&self.keys) as Arc<dyn KeyMap>;
        let destination = HubspotDestination::new(self.hubspot.client(), self.config.clone(), keys).unwrap();
        let streams = self.config.streams.keys().map(|name| stream(name)).collect();
        destination.prepare(&Catalog::new(streams)).await.unwrap();
        destination
    }

    async fn live(&self, object: &str) -> Vec<Truth> {
        let truth = self.hubspot.truth(object).await;
        truth
            .into_iter()
            .filter(|record| record.state == "live")
            .collect()
    }

    /// One property of every live record.
    async fn values(&self, object: &str, property: &str) -> Vec<String> {
        let value = |record: Truth| {
            record.properties[property]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let mut values: Vec<_> = self.live(object).await.into_iter().map(value).collect();
        values.sort();
        values
    }

    /// Calls that answered with a success, by route.
    async fn calls(&self) -> BTreeMap<String, u64> {
        let requests = self.hubspot.requests().await;
        let count = |statuses: &Value| {
            statuses
                .as_object()
                .unwrap()
                .values()
                .filter_map(Value::as_u64)
                .sum()
        };
        let routes = requests["byRoute"].as_object().unwrap();
        routes
            .iter()
            .map(|(route, statuses)| (route.clone(), count(statuses)))
            .collect()
    }
}

async fn write(destination: &HubspotDestination, records: Vec<Record>) -> Vec<Outcome> {
    try_write(destination, records).await.unwrap()
}

async fn try_write(destination: &HubspotDestination, records: Vec<Record>) -> opencdc::Result<Vec<Outcome>> {
    let position = Position::new("1");
    let batch = Arc::new(Batch::new(records, position.clone()));
    destination.write(batch, Checkpoint::new(1, position)).await
}

fn reasons(outcomes: &[Outcome]) -> Vec<String> {
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Rejected(rejection) => Some(rejection.to_string()),
        _ => None,
    };
    outcomes.iter().filter_map(reason).collect()
}

fn person(n: usize) -> Value {
    json!({"email": format!("p{n}@example.com"), "firstname": format!("P{n}")})
}

#[tokio::test(start_paused = true)]
async fn of_250_rows_the_7_bad_ones_are_told_by_property_value_and_reason() {
    let people = json!({"people": {"object": "contacts", "id_property": "email"}});
    let (end, destination) = End::new(people).await;
    let mut rows: Vec<_> = (0..250)
        .map(|n| row("people", &n.to_string(), person(n)))
        .collect();
    let long = "x".repeat(70_000);
    let bad = [
        (3, "email", json!("no address"), "INVALID_EMAIL"),
        (40, "lifecyclestage", json!("Kunde"), "INVALID_OPTION"),
        (99, "numemployees_of_ours", json!("7"), "PROPERTY_DOESNT_EXIST"),
        (
            100,
            "hs_analytics_num_visits_of_ours",
            json!({"a": 1}),
            "an object",
        ),
        (150, "date_of_birth_of_ours", json!("31.2."), "INVALID_DATE"),
        (199, "rating_of_ours", json!("high"), "INVALID_INTEGER"),
        (249, "firstname", json!(long), "INVALID_LENGTH"),
    ];
    let client = end.hubspot.client();
    for (name, type_, field_type) in [
        ("date_of_birth_of_ours", "date", "date"),
        ("rating_of_ours", "number", "number"),
    ] {
        let property = hubspot_client::request::properties::NewProperty {
            name: name.into(),
            label: name.into(),
            type_: type_.into(),
            field_type: field_type.into(),
            group_name: "contactinformation".into(),
            ..Default::default()
        };
        client.create_property("contacts", &property).await.unwrap();
    }
    let destination = {
        drop(destination);
        end.open().await
    };
    for (at, property, value, _) in &bad {
        let mut fields = person(*at);
        fields[*property] = value.clone();
        rows[*at] = row("people", &at.to_string(), fields);
    }

    let outcomes = write(&destination, rows).await;

    let written = outcomes
        .iter()
        .filter(|outcome| **outcome == Outcome::Written)
        .count();
    assert_eq!(written, 243);
    assert_eq!(end.live("contacts").await.len(), 243);
    for (at, property, value, reason) in bad {
        let Outcome::Rejected(rejection) = &outcomes[at] else {
            panic!("row {at} was not refused: {:?}", outcomes[at]);
        };
        let text = rejection.to_string();
        let shown = value.as_str().unwrap_or_default();
        let shown = &shown[..shown.len().min(20)];
        assert!(
            text.contains(&format!("`{property}`")) && text.contains(shown) && text.contains(reason),
            "row {at}: {text}"
        );
    }
    // Three batches of upserts: HubSpot names the bad ones, nothing is sent twice.
    let upserts: u64 = end
        .calls()
        .await
        .iter()
        .filter(|(route, _)| route.ends_with("upsert"))
        .map(|(_, n)| n)
        .sum();
    assert_eq!(upserts, 3);
}

#[tokio::test(start_paused = true)]
async fn creates_whose_answers_are_all_lost_make_nothing_twice() {
    let people = json!({"people": {"object": "contacts", "write": "create"}});
    let (end, destination) = End::new(people).await;
    let lost = json!([{"match": {"method": "POST", "path": "/crm/*/batch/create"}, "times": 1000,
        "action": {"failAfterWrite": true}}]);
    end.hubspot.faults(lost).await;
    let rows: Vec<_> = (0..350)
        .map(|n| row("people", &n.to_string(), person(n)))
        .collect();

    let outcomes = join_all(rows.chunks(50).map(|rows| write(&destination, rows.to_vec()))).await;

    assert!(
        outcomes
            .iter()
            .flatten()
            .all(|outcome| *outcome == Outcome::Written),
        "{outcomes:?}"
    );
    let emails = end.values("contacts", "email").await;
    assert_eq!(emails.len(), 350);
    assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), 350);
    let ids = end
        .keys
        .look_up(&"people".into(), &["17".to_owned()])
        .await
        .unwrap();
    assert!(matches!(&ids[0], Some(Mapped::Id(_))));
}

#[tokio::test(start_paused = true)]
async fn a_create_that_nobody_can_look_for_is_told_and_not_repeated() {
    let (end, destination) = End::new(json!({"companies": {}})).await;
    let lost = json!([{"match": {"method": "POST", "path": "/crm/*/batch/create"}, "times": 1,
        "action": {"failAfterWrite": true}}]);
    end.hubspot.faults(lost).await;
    let outcomes = write(&destination, vec![row("companies", "1", json!({"name": "A"}))]).await;
    assert!(reasons(&outcomes)[0].contains("answer was lost"), "{outcomes:?}");
    assert_eq!(end.live("companies").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_a_record_that_was_about_to_be_made_is_looked_for_first() {
    let people = json!({"people": {"object": "contacts", "write": "create"}});
    let (end, destination) = End::new(people).await;
    // The process died after the call and before the answer was remembered.
    write(&destination, vec![row("people", "1", person(1))]).await;
    let stream = "people".into();
    let pending = |key: &str| (key.to_owned(), Mapped::Pending);
    end.keys
        .store(&stream, &[pending("1"), pending("2")])
        .await
        .unwrap();

    let outcomes = write(
        &end.open().await,
        vec![row("people", "1", person(1)), row("people", "2", person(2))],
    )
    .await;

    assert_eq!(outcomes, [Outcome::Unchanged, Outcome::Written]);
    assert_eq!(
        end.values("contacts", "email").await,
        ["p1@example.com", "p2@example.com"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_written_once_is_changed_afterwards_whatever_becomes_of_its_values() {
    let people = json!({"people": {"object": "contacts", "id_property": "email"}});
    let (end, destination) = End::new(people).await;
    write(&destination, vec![row("people", "1", person(1))]).await;
    let moved = json!({"email": "new@example.com", "firstname": "N"});
    write(
        &end.open().await,
        vec![record("people", Operation::Update, "1", Some(moved))],
    )
    .await;
    assert_eq!(end.values("contacts", "email").await, ["new@example.com"]);
    let gone = record("people", Operation::Delete, "1", None);
    let outcomes = write(&destination, vec![gone.clone()]).await;
    assert_eq!(outcomes, [Outcome::Written]);
    assert_eq!(end.live("contacts").await.len(), 0);
    assert_eq!(write(&destination, vec![gone]).await, [Outcome::Unchanged]);
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_key_take_effect_in_their_order() {
    let people = json!({"people": {"object": "contacts", "id_property": "email"}});
    let (end, destination) = End::new(people).await;
    let slow = json!([{"match": {"method": "POST", "path": "/crm/*/batch/*"}, "times": 1, "action": {"slow": "5s"}}]);
    end.hubspot.faults(slow).await;
    let named = |n: usize, name: &str| {
        let mut fields = person(n);
        fields["firstname"] = name.into();
        row("people", &n.to_string(), fields)
    };
    let batches = [
        vec![named(1, "a"), named(2, "a"), named(1, "b")],
        vec![named(1, "c"), named(3, "a"), named(2, "b"), named(2, "c")],
        vec![record("people", Operation::Delete, "3", None), named(1, "d")],
    ];
    let outcomes = join_all(batches.map(|rows| write(&destination, rows))).await;
    assert!(
        outcomes
            .iter()
            .flatten()
            .all(|outcome| *outcome == Outcome::Written),
        "{outcomes:?}"
    );
    assert_eq!(end.values("contacts", "firstname").await, ["c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn two_keys_with_one_unique_value_are_one_record_and_never_in_one_call() {
    let people = json!({"people": {"object": "contacts", "id_property": "email"}});
    let (end, destination) = End::new(people).await;
    let same = |key: &str, name: &str| {
        row(
            "people",
            key,
            json!({"email": "A@example.com", "firstname": name}),
        )
    };
    let outcomes = write(&destination, vec![same("1", "a"), same("2", "b")]).await;
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written]);
    assert_eq!(end.values("contacts", "firstname").await, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_merged_record_is_changed_where_it_is_now_and_a_gone_one_is_told() {
    let (end, destination) = End::new(json!({"companies": {}})).await;
    let named = |key: &str, name: &str| row("companies", key, json!({"name": name}));
    write(&destination, ["1", "2", "3"].map(|key| named(key, key)).to_vec()).await;
    let ids = end
        .keys
        .look_up(&"companies".into(), &["1", "2", "3"].map(str::to_owned))
        .await
        .unwrap();
    let id = |n: usize| match &ids[n] {
        Some(Mapped::Id(id)) => id.clone(),
        other => panic!("{other:?}"),
    };
    let client = end.hubspot.client();
    client.merge_objects("companies", &id(0), &id(1)).await.unwrap();
    client.archive_object("companies", &id(2)).await.unwrap();

    let outcomes = write(&destination, ["1", "3"].map(|key| named(key, "later")).to_vec()).await;

    assert_eq!(outcomes[0], Outcome::Written);
    assert!(
        reasons(&outcomes)[0].contains("archived or erased"),
        "{outcomes:?}"
    );
    assert_eq!(end.values("companies", "name").await, ["later"]);
}

#[tokio::test(start_paused = true)]
async fn merged_records_are_looked_at_where_they_are_now_and_only_a_404_is_an_absence() {
    let (end, destination) = End::new(json!({"companies": {"changed_only": true}})).await;
    let keys: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    let rows = || {
        keys.iter()
            .map(|key| row("companies", key, json!({"name": "one"})))
            .collect()
    };
    write(&destination, rows()).await;
    let ids = end.keys.look_up(&"companies".into(), &keys).await.unwrap();
    let ids = ids.into_iter().map(|id| match id {
        Some(Mapped::Id(id)) => id,
        other => panic!("{other:?}"),
    });
    let ids: Vec<_> = ids.collect();
    let client = end.hubspot.client();
    for pair in ids.chunks(2) {
        client
            .merge_objects("companies", &pair[0], &pair[1])
            .await
            .unwrap();
    }
    // A batch that follows no merged id, as batches of updates do not.
    let none = json!({"match": {"method": "POST", "path": "/crm/objects/*/*/batch/read"}, "times": 1, "action":
        {"status": 200, "body": {"status": "COMPLETE", "results": []}}});
    end.hubspot.faults(none.clone()).await;
    let before = end.calls().await;

    let outcomes = write(&destination, rows()).await;

    assert!(
        outcomes.iter().all(|outcome| *outcome == Outcome::Unchanged),
        "{outcomes:?}"
    );
    let after = end.calls().await;
    let more = |word: &str| -> u64 {
        let count = |calls: &BTreeMap<String, u64>| -> u64 {
            calls
                .iter()
                .filter(|(route, _)| route.contains(word))
                .map(|(_, count)| count)
                .sum()
        };
        count(&after) - count(&before)
    };
    assert_eq!((more("batch/read"), more("batch/update")), (2, 0), "{after:?}");

    let refuse = json!({"match": {"method": "GET", "path": "/crm/objects/*/*/*"}, "times": 1, "action":
        {"status": 400, "body": {"status": "error", "message": "no", "category": "VALIDATION_ERROR"}}});
    end.hubspot.faults(json!([none, refuse])).await;
    assert!(
        try_write(&destination, rows()).await.is_err(),
        "a refused look is no absence"
    );
}

#[tokio::test(start_paused = true)]
async fn values_that_differ_only_in_case_find_the_same_record() {
    let streams = json!({
        "people": {"object": "contacts", "id_property": "email"},
        "deals": {"associations": [{"field": "who", "to": "contacts", "by": "email"}]},
    });
    let (end, destination) = End::new(streams).await;
    write(&destination, vec![row("people", "1", person(1))]).await;
    let deal = |key: &str, who: &str| {
        row(
            "deals",
            key,
            json!({"dealname": key, "pipeline": "default", "dealstage": "appointmentscheduled", "who": who}),
        )
    };
    let outcomes = write(
        &destination,
        vec![deal("1", "P1@example.com"), deal("2", "p1@example.com")],
    )
    .await;
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written], "{outcomes:?}");
    assert_eq!(end.live("deals").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_filled_and_a_value_is_left_alone() {
    let people = json!({"people": {"object": "contacts", "id_property": "email", "set_if_empty": ["city"]}});
    let (end, destination) = End::new(people).await;
    let with_city = |n: usize, city: &str| {
        let mut fields = person(n);
        fields["city"] = city.into();
        row("people", &n.to_string(), fields)
    };
    write(
        &destination,
        vec![with_city(1, "Bonn"), row("people", "2", person(2))],
    )
    .await;
    write(&destination, vec![with_city(1, "Rome"), with_city(2, "Rome")]).await;
    assert_eq!(end.values("contacts", "city").await, ["Bonn", "Rome"]);
}

#[tokio::test(start_paused = true)]
async fn missing_properties_are_made_of_the_fields_types() {
    let people =
        json!({"people": {"object": "contacts", "id_property": "email", "missing_property": "create"}});
    let (end, destination) = End::new(people).await;
    let mut fields = person(1);
    fields["score_of_ours"] = 7.into();
    fields["member_of_ours"] = true.into();
    let outcomes = write(&destination, vec![row("people", "1", fields)]).await;
    assert_eq!(outcomes, [Outcome::Written], "{outcomes:?}");
    let properties = end.hubspot.client().properties("contacts").await.unwrap();
    let type_of = |name: &str| {
        properties
            .iter()
            .find(|property| property.name == name)
            .unwrap()
            .type_
            .clone()
    };
    assert_eq!(
        (type_of("score_of_ours"), type_of("member_of_ours")),
        ("number".into(), "bool".into())
    );
    assert_eq!(end.values("contacts", "score_of_ours").await, ["7"]);
}

#[tokio::test(start_paused = true)]
async fn missing_properties_are_made_beside_one_that_somebody_else_has_made() {
    let people = json!({"people": {"object": "contacts", "id_property": "email", "missing_property": "create",
        "properties": {"score_of_ours": "points_of_ours"}}});
    let (end, destination) = End::new(people).await;
    let client = end.hubspot.client();
    let theirs = hubspot_client::request::properties::NewProperty {
        name: "member_of_ours".into(),
        label: "Member".into(),
        type_: "string".into(),
        field_type: "text".into(),
        group_name: "contactinformation".into(),
        ..Default::default()
    };
    client.create_property("contacts", &theirs).await.unwrap();
    let mut fields = person(1);
    fields["score_of_ours"] = 7.into();
    fields["member_of_ours"] = "yes".into();

    let outcomes = write(&destination, vec![row("people", "1", fields)]).await;

    assert_eq!(outcomes, [Outcome::Written], "{outcomes:?}");
    let points = client.property("contacts", "points_of_ours").await.unwrap();
    assert_eq!(
        points.type_, "number",
        "the type of the field that is called otherwise"
    );
    assert_eq!(end.values("contacts", "points_of_ours").await, ["7"]);
    assert_eq!(end.values("contacts", "member_of_ours").await, ["yes"]);
}

#[tokio::test(start_paused = true)]
async fn an_association_is_not_found_by_a_property_that_two_records_may_share() {
    let hubspot = Hubspot::new(Counts::none());
    for (by, named, hint) in [
        ("domain", "two companies may have the same `domain`", "`stream`"),
        ("domian", "did you mean `domain`?", "spoke describe companies"),
    ] {
        let rules = json!({"associations": [{"field": "firm", "to": "companies", "by": by}]});
        let rules = serde_json::from_value(rules).unwrap();
        let error = Writer::open(hubspot.client(), "contacts", rules)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.hint().is_some_and(|text| text.contains(hint)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_as_a_whole_is_split_until_the_bad_record_is_alone() {
    let (end, destination) = End::new(json!({"companies": {}})).await;
    // HubSpot forgets the trace ids, as it does for some object types: one bad record fails the batch.
    let mut rows: Vec<_> = (0..20)
        .map(|n| row("companies", &n.to_string(), json!({"name": format!("c{n}")})))
        .collect();
    write(&destination, rows.clone()).await;
    let ids = end
        .keys
        .look_up(&"companies".into(), &["4".to_owned(), "5".to_owned()])
        .await
        .unwrap();
    // Two keys that are one record: HubSpot refuses a batch that names a record twice.
    let Some(Mapped::Id(id)) = ids[0].clone() else {
        panic!()
    };
    end.keys
        .store(&"companies".into(), &[("5".to_owned(), Mapped::Id(id))])
        .await
        .unwrap();
    rows[9] = row(
        "companies",
        "9",
        json!({"name": "c9", "numberofemployees": "many"}),
    );
    let outcomes = write(&destination, rows).await;
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Written)
            .count(),
        19,
        "{outcomes:?}"
    );
    assert!(reasons(&outcomes)[0].contains("`many`"), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn records_are_associated_by_a_unique_property_of_the_other_side_by_id_and_by_label() {
    let hubspot = Hubspot::new(Counts::none());
    let client = hubspot.client();
    let label = hubspot_client::request::associating::NewLabel {
        label: "Boss".into(),
        name: "boss".into(),
        inverse_label: None,
    };
    client
        .create_association_label("contacts", "companies", &label)
        .await
        .unwrap();
    let domain_no = hubspot_client::request::properties::NewProperty {
        name: "customer_no".into(),
        label: "No".into(),
        type_: "string".into(),
        field_type: "text".into(),
        group_name: "companyinformation".into(),
        has_unique_value: true,
        ..Default::default()
    };
    client.create_property("companies", &domain_no).await.unwrap();
    let streams = json!({
        "firms": {"object": "companies", "id_property": "customer_no"},
        "people": {"object": "contacts", "id_property": "email", "associations": [
            {"field": "firm", "to": "companies", "by": "customer_no"},
            {"field": "boss_of", "to": "companies", "stream": "firms", "label": "Boss", "missing": "ignore"},
        ]},
    });
    let (end, destination) = End::of(hubspot, streams).await;
    let firm = |key: &str| {
        row(
            "firms",
            key,
            json!({"name": key, "customer_no": format!("C{key}")}),
        )
    };
    write(&destination, vec![firm("1"), firm("2")]).await;
    let mut rows: Vec<_> = (1..=3).map(person).collect();
    rows[0]["firm"] = "C1;C2".into();
    rows[1]["boss_of"] = "2;9".into();
    rows[2]["firm"] = "C9".into();
    let rows = rows
        .into_iter()
        .enumerate()
        .map(|(n, fields)| row("people", &n.to_string(), fields));

    let outcomes = write(&destination, rows.collect()).await;

    assert_eq!(
        outcomes[..2],
        [Outcome::Written, Outcome::Written],
        "{outcomes:?}"
    );
    let reason = reasons(&outcomes).remove(0);
    assert!(
        reason.contains("`firm`, value `C9`") && reason.contains("companies"),
        "{reason}"
    );
    assert_eq!(
        end.live("contacts").await.len(),
        2,
        "the record without its firm is not written"
    );
    let links = end.hubspot.links("contacts", "companies").await;
    let labelled = links.iter().filter(|link| link.contains("Boss")).count();
    let pairs: BTreeSet<_> = links
        .iter()
        .map(|link| link.split(',').take(2).collect::<String>())
        .collect();
    assert_eq!((labelled, pairs.len()), (1, 3), "{links:?}");
}

#[tokio::test(start_paused = true)]
async fn after_an_error_nothing_overtakes_what_was_lost() {
    let people = json!({"people": {"object": "contacts", "id_property": "email"}});
    let (end, destination) = End::new(people).await;
    let denied = json!([{"match": {"method": "POST", "path": "/crm/*/batch/*"}, "times": 1,
        "action": {"status": 401}}]);
    end.hubspot.faults(denied).await;
    let first = try_write(&destination, vec![row("people", "1", person(1))]);
    let second = try_write(&destination, vec![row("people", "1", person(2))]);
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err() && second.is_err(), "{second:?}");
    assert_eq!(end.live("contacts").await.len(), 0);
    let again = end.open().await;
    assert_eq!(
        write(&again, vec![row("people", "1", person(1))]).await,
        [Outcome::Written]
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_given_up_does_not_hold_up_the_next_one() {
    let people = json!({"people": {"object": "contacts", "id_property": "email"}});
    let (end, destination) = End::new(people).await;
    let slow = json!([{"match": {"method": "POST", "path": "/crm/*/batch/*"}, "times": 1, "action": {"slow": "9s"}}]);
    end.hubspot.faults(slow).await;
    let given_up = try_write(&destination, vec![row("people", "1", person(1))]);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(1), given_up).await;
    assert!(waited.is_err(), "it was under way");
    let outcomes = write(&destination, vec![row("people", "1", person(2))]).await;
    assert_eq!(outcomes, [Outcome::Written]);
    assert!(
        write(&destination, Vec::new()).await.is_empty(),
        "a batch without records is fine"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_upserts_use_the_rate_that_is_permitted_and_no_call_more() {
    let rows: usize = std::env::var("SPOKE_ROWS")
        .ok()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(20_000);
    for latency in [0, 400] {
        let hubspot = Hubspot::with(Options {
            counts: Counts::none(),
            tier: Tier::Pro,
            latency: std::time::Duration::from_millis(latency),
            ..Options::default()
        });
        let people = json!({"people": {"object": "contacts", "id_property": "email"}});
        let (end, destination) = End::of(hubspot, people).await;
        let started = tokio::time::Instant::now();
        let batches: Vec<Vec<_>> = (0..rows)
            .collect::<Vec<_>>()
            .chunks(500)
            .map(|chunk| {
                chunk
                    .iter()
                    .map(|n| row("people", &n.to_string(), person(*n)))
                    .collect()
            })
            .collect();
        // As the run loop does: up to 32 batches at a time.
        for some in batches.chunks(32) {
            let outcomes = join_all(some.iter().map(|rows| write(&destination, rows.clone()))).await;
            assert!(
                outcomes
                    .iter()
                    .flatten()
                    .all(|outcome| *outcome == Outcome::Written)
            );
        }
        let seconds = started.elapsed().as_secs_f64();
        let requests = end.hubspot.requests().await;
        let total = requests["total"].as_u64().unwrap();
        assert!(total <= rows as u64 / 100 + 20, "{total} calls for {rows} rows");
        assert_eq!(requests["rateLimited"], 0);
        // 190 may go in each ten seconds, so no run of so many calls is shorter than this.
        let least = f64::from((u32::try_from(total).unwrap() - 1) / 190 * 10);
        assert!(
            least / seconds >= 0.9,
            "{total} calls in {seconds} s with a latency of {latency} ms"
        );
        assert_eq!(end.live("contacts").await.len(), rows);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_made_but_not_associated_is_not_made_again() {
    let firms =
        json!({"firms": {"object": "companies", "associations": [{"field": "parent", "to": "companies"}]}});
    let (end, destination) = End::new(firms).await;
    let child = |name: &str| row("firms", "1", json!({"name": name, "parent": "999999"}));
    let outcomes = write(&destination, vec![child("A")]).await;
    assert!(
        reasons(&outcomes)[0].contains("it was written as"),
        "{outcomes:?}"
    );
    write(&destination, vec![child("B")]).await;
    assert_eq!(end.values("companies", "name").await, ["B"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_what_nobody_can_look_for_is_told_until_a_person_sends_it_again() {
    let (end, destination) = End::new(json!({"companies": {}})).await;
    let pending = [("1".to_owned(), Mapped::Pending)];
    end.keys.store(&"companies".into(), &pending).await.unwrap();
    let one = || row("companies", "1", json!({"name": "A"}));
    for _ in 0..2 {
        let outcomes = write(&destination, vec![one()]).await;
        assert!(reasons(&outcomes)[0].contains("answer was lost"), "{outcomes:?}");
    }
    assert_eq!(end.live("companies").await.len(), 0);
    let again = one().with_metadata(opencdc::metadata_keys::REDRIVEN, "true");
    assert_eq!(write(&destination, vec![again]).await, [Outcome::Written]);
    assert_eq!(write(&destination, vec![one()]).await, [Outcome::Written]);
    assert_eq!(end.live("companies").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_surely_not_made_is_made_the_next_time() {
    let (end, destination) = End::new(json!({"companies": {}})).await;
    let denied = json!([{"match": {"method": "POST", "path": "/crm/*/batch/create"}, "times": 1,
        "action": {"status": 401}}]);
    end.hubspot.faults(denied).await;
    let one = || vec![row("companies", "1", json!({"name": "A"}))];
    assert!(try_write(&destination, one()).await.is_err());
    assert_eq!(write(&end.open().await, one()).await, [Outcome::Written]);
    assert_eq!(end.live("companies").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_takes_no_other_with_it() {
    let (end, destination) = End::new(json!({"companies": {}})).await;
    write(&destination, vec![row("companies", "1", json!({"name": "A"}))]).await;
    let faults = json!([
        {"match": {"method": "POST", "path": "/crm/*/batch/update"}, "times": 1, "action": {"status": 401}},
        {"match": {"method": "POST", "path": "/crm/*/batch/create"}, "times": 1, "action": {"slow": "3s"}},
    ]);
    end.hubspot.faults(faults).await;
    let both = || {
        let named = |key: &str| row("companies", key, json!({"name": format!("later {key}")}));
        vec![named("1"), named("2")]
    };
    assert!(try_write(&destination, both()).await.is_err());
    let outcomes = write(&end.open().await, both()).await;
    assert_eq!(outcomes, [Outcome::Written, Outcome::Written]);
    assert_eq!(end.values("companies", "name").await, ["later 1", "later 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_delete_leaves_the_survivor_of_a_merge_alone() {
    let (end, destination) = End::new(json!({"companies": {"changed_only": true}})).await;
    let named = |key: &str| row("companies", key, json!({"name": key}));
    write(&destination, ["1", "2"].map(named).to_vec()).await;
    let ids = end
        .keys
        .look_up(&"companies".into(), &["1", "2"].map(str::to_owned))
        .await
        .unwrap();
    let [Some(Mapped::Id(one)), Some(Mapped::Id(two))] = &ids[..] else {
        panic!("{ids:?}")
    };
    end.hubspot
        .client()
        .merge_objects("companies", one, two)
        .await
        .unwrap();
    let outcomes = write(
        &destination,
        vec![record("companies", Operation::Delete, "1", None)],
    )
    .await;
    assert!(reasons(&outcomes)[0].contains("was merged into"), "{outcomes:?}");
    assert_eq!(end.live("companies").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_makes_no_property() {
    let hubspot = Hubspot::new(Counts::none());
    let rules = json!({"missing_property": "create", "id_property": "email", "write": "upsert"});
    let rules = serde_json::from_value(rules).unwrap();
    let writer = Writer::open(hubspot.client(), "contacts", rules).await.unwrap();
    let wanted = Wanted::save([("email", "a@b.cd"), ("shoe_size_of_ours", "42")]);
    writer.plan(std::slice::from_ref(&wanted)).await.unwrap();
    let has = async || {
        let properties = hubspot.client().properties("contacts").await.unwrap();
        properties
            .iter()
            .any(|property| property.name == "shoe_size_of_ours")
    };
    assert!(!has().await, "nothing is written");
    writer.write(&[wanted]).await.unwrap();
    assert!(has().await);
}
