//! Tables of which HubSpot hides a row, refuses a part, or names things otherwise. Time is paused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use hubspot_emulator::{Counts, Emulator, Options};
use opencdc::{Operation, Origin, Record, Resume, Source};
use serde_json::{Value, json};

use crate::double::{Double, ok};
use crate::emulated::Hubspot;
use crate::follower::Follower;
use crate::table::id_key;
use crate::{after_more, of_stream, read};

/// An account with six lists of contacts, all but empty ones with members, and a little content.
fn emulator() -> Emulator {
    let counts = Counts {
        contacts: 120,
        others: [
            ("blog_posts", 30),
            ("blog_authors", 20),
            ("site_pages", 20),
            ("forms", 10),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into(),
        ..Counts::none()
    };
    let emulator = Emulator::new(Options {
        counts,
        ..Options::default()
    });
    emulator
        .mutate(&json!({"objectType": "lists", "create": 6}))
        .unwrap();
    emulator
        .mutate(&json!({"objectType": "list_memberships", "seed": 1, "create": 60}))
        .unwrap();
    emulator
}

async fn ids(emulator: &Emulator, name: &str, state: &str) -> Vec<String> {
    let ids = Hubspot::of(emulator).ids(name, state).await;
    ids.into_iter().collect()
}

fn fault(emulator: &Emulator, path: &str, action: &Value) {
    emulator
        .add_faults(&json!({"match": {"path": path}, "action": action}))
        .unwrap();
}

fn members_of(follower: &Follower, list: &str) -> usize {
    let rows = follower.tables.of("list_memberships");
    rows.values().filter(|row| row.after["list_id"] == list).count()
}

#[tokio::test(start_paused = true)]
async fn a_row_that_its_list_does_not_show_is_asked_for_before_it_is_deleted() {
    let tables = [
        ("owners", "/crm/*owners*"),
        ("lists", "*/search"),
        ("forms", "/marketing/*"),
        ("blog_posts", "/cms/*"),
        ("site_pages", "/cms/*"),
    ];
    for (name, path) in tables {
        let emulator = emulator();
        let mut follower = Follower::of(&emulator, json!({"streams": [name, "list_memberships"]})).await;
        follower.catch_up().await;
        let before = follower.tables.of(name);
        let members = follower.tables.len("list_memberships");
        let hidden = ids(&emulator, name, "live").await.remove(1);
        // Only of the list: single reads have an id of their own and no `results`.
        fault(&emulator, path, &json!({"leaveOut": [hidden]}));
        follower.catch_up().await;
        assert_eq!(follower.tables.of(name), before, "{name}");
        assert_eq!(follower.tables.len("list_memberships"), members, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_deleted_goes_with_its_members() {
    let emulator = emulator();
    let mut follower = Follower::of(&emulator, json!({"streams": ["lists", "list_memberships"]})).await;
    follower.catch_up().await;
    emulator
        .mutate(&json!({"objectType": "lists", "seed": 3, "archive": 1}))
        .unwrap();
    let deleted = ids(&emulator, "lists", "archived").await.remove(0);
    assert!(members_of(&follower, &deleted) > 0);
    follower.catch_up().await;
    assert!(follower.tables.after("lists", &id_key(&deleted)).is_none());
    assert_eq!(members_of(&follower, &deleted), 0);
    assert_eq!(follower.tables.len("lists"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_404_of_a_gateway_deletes_nothing() {
    let emulator = emulator();
    let mut follower = Follower::of(&emulator, json!({"streams": ["lists", "list_memberships"]})).await;
    follower.catch_up().await;
    let hidden = ids(&emulator, "lists", "live").await.remove(1);
    fault(&emulator, "*/search", &json!({"leaveOut": [hidden]}));
    let gateway = json!({"status": 404, "body": "<html>nginx</html>"});
    fault(&emulator, &format!("/crm/lists/*/{hidden}"), &gateway);
    let members = members_of(&follower, &hidden);
    // What a gateway answers for HubSpot ends the read of the table, and deletes nothing.
    let mut batches = follower.start(opencdc::Until::CaughtUp).await;
    while let Some(Ok(batch)) = batches.next().await {
        follower.tables.apply(batch);
    }
    assert!(follower.tables.after("lists", &id_key(&hidden)).is_some());
    assert_eq!(members_of(&follower, &hidden), members);
}

/// A page of `lists/search` over these ids, counted by place.
fn lists_page(offset: usize, ids: &[usize]) -> Value {
    let shown: Vec<_> = ids.iter().skip(offset).take(500).collect();
    let next = offset + shown.len();
    let list =
        |id: &&usize| json!({"listId": id.to_string(), "name": format!("List {id}"), "objectTypeId": "0-1"});
    json!({"lists": shown.iter().map(list).collect::<Vec<_>>(), "offset": next,
           "hasMore": next < ids.len(), "total": ids.len()})
}

#[tokio::test(start_paused = true)]
async fn a_list_deleted_between_two_pages_takes_no_living_list_with_it() {
    let searches = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&searches);
    let double = Double::new(move |call| {
        let (_, rest) = call.path.split_once("/crm/v3/lists/")?;
        if rest == "search" {
            // The first list is deleted before the fourth search: the second page of the second read.
            let first = 1 + usize::from(asked.fetch_add(1, Ordering::SeqCst) >= 3);
            let ids: Vec<_> = (first..=520).collect();
            let offset = call.body["offset"].as_u64()?;
            return ok(&lists_page(usize::try_from(offset).ok()?, &ids));
        }
        let gone =
            json!({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "List does not exist"});
        (rest == "1").then(|| (404, gone.to_string().into_bytes()))
    });
    let source = double.source(json!({"streams": ["lists"]}));
    let first = read(&source, None).await;
    assert_eq!(of_stream(&first, "lists").len(), 520);
    let resume: Resume = after_more(None, &first);
    let second = read(&source, Some(resume)).await;
    let deleted: Vec<_> = of_stream(&second, "lists")
        .into_iter()
        .map(|record| (record.operation, crate::key(record, "id")))
        .collect();
    assert_eq!(deleted, [(Operation::Delete, "1".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_members_are_refused_is_left_out_and_the_others_go_on() {
    let refusals = [
        json!({"status": 400, "body": {"status": "error", "category": "VALIDATION_ERROR",
               "subCategory": "ListError.INVALID_OBJECT_TYPE_FOR_LIST", "message": "Invalid object type for list"}}),
        json!({"status": 404, "body": {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "no such list"}}),
    ];
    for refusal in refusals {
        let emulator = emulator();
        let config = json!({"streams": ["lists", "list_memberships", "contacts"]});
        let mut follower = Follower::of(&emulator, config.clone()).await;
        follower.catch_up().await;
        let refused = ids(&emulator, "lists", "live").await.remove(2);
        let before = members_of(&follower, &refused);
        assert!(before > 0);
        fault(
            &emulator,
            &format!("/crm/lists/*/{refused}/memberships*"),
            &refusal,
        );
        emulator
            .mutate(&json!({"objectType": "list_memberships", "seed": 9, "archive": 40}))
            .unwrap();
        follower.catch_up().await;
        assert_eq!(members_of(&follower, &refused), before, "{refusal}");
        let all = String::from_utf8(emulator.truth("list_memberships").unwrap()).unwrap();
        let others = all
            .lines()
            .filter(|line| !line.contains(&format!("\"listId\":\"{refused}\"")));
        assert_eq!(
            follower.tables.len("list_memberships") - before,
            others.count(),
            "the others are as they are: {refusal}"
        );

        let source = Hubspot::of(&emulator).source(config);
        let position = follower.tables.resume().unwrap().position;
        let mut pages = source
            .walk(&["list_memberships".into()], &position)
            .await
            .unwrap();
        let mut walked = 0;
        while let Some(page) = pages.next().await {
            walked += page.expect("an audit goes on").len();
        }
        assert_eq!(walked, follower.tables.len("list_memberships") - before);
        let keys = follower.tables.of("list_memberships").into_values();
        let keys: Vec<opencdc::Data> = keys
            .filter(|row| row.after["list_id"] == *refused)
            .map(|row| {
                let key = ["list_id", "record_id"].map(|name| (name.to_owned(), row.after[name].clone()));
                opencdc::Data::Structured(key.into_iter().collect())
            })
            .collect();
        let answered = source.again(&"list_memberships".into(), &keys).await.unwrap();
        assert_eq!(answered, [], "of these nobody can say anything");
    }
}

#[tokio::test(start_paused = true)]
async fn a_type_whose_pipelines_are_refused_keeps_its_rows_and_the_others_go_on() {
    let emulator = emulator();
    let mut follower = Follower::of(&emulator, json!({"streams": ["pipelines", "pipeline_stages"]})).await;
    follower.catch_up().await;
    let before = follower.tables.of("pipeline_stages");
    fault(&emulator, "/crm/pipelines/*/tickets", &json!({"status": 403}));
    follower.catch_up().await;
    assert_eq!(follower.tables.of("pipeline_stages"), before);
}

/// What a row of the CMS says of itself.
fn standing(record: &Record) -> (bool, bool, bool, bool) {
    let after = record.payload.after.as_ref().unwrap().to_object().unwrap();
    let is_time = |name: &str| after.get(name).is_some_and(|time| !time.is_null());
    (
        after["archived"] == true,
        is_time("archivedAt"),
        is_time("createdAt"),
        is_time("updatedAt"),
    )
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_in_the_cms_is_archived_in_the_copy_by_whatever_names() {
    for other_names in [false, true] {
        let counts = [
            "blog_posts",
            "blog_authors",
            "blog_tags",
            "site_pages",
            "landing_pages",
            "url_redirects",
            "hubdb_tables",
            "domains",
        ];
        let emulator = Emulator::new(Options {
            counts: Counts {
                others: counts.map(|name| (name.to_owned(), 25)).into(),
                ..Counts::none()
            },
            ..Options::default()
        });
        emulator
            .set_behaviour(&json!({"otherTimeNames": other_names}))
            .unwrap();
        let hubspot = Hubspot::of(&emulator);
        let source = hubspot.source(json!({"streams": counts}));
        let catalog = source.catalog().await.unwrap();
        let batches = read(&source, None).await;
        for name in counts {
            let archived = hubspot.ids(name, "archived").await;
            assert!(!archived.is_empty(), "{name}");
            for record in of_stream(&batches, name) {
                let gone = archived.contains(&crate::key(record, "id"));
                assert_eq!(standing(record), (gone, gone, true, true), "{name}");
            }
            for (field, path) in [("_created_at", "createdAt"), ("_updated_at", "updatedAt")] {
                let field = catalog.stream(name).unwrap().field(field).unwrap();
                assert_eq!(field.path, [path]);
            }
        }
    }
}
