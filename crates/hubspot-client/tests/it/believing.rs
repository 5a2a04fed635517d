//! What is no answer to a read is never taken for an end, an absence or a success.

use std::{fmt::Debug, future::Future};

use hubspot_client::{
    Client, Error, Fault, Resource,
    request::{
        lists::ListSearch,
        objects::{BatchRead, Get, List},
        resources::ResourceList,
        search::SearchRequest,
        writes::Create,
    },
};

use crate::Bodies;

type Body = (u16, &'static str);

/// Bodies that other things than HubSpot, or HubSpot on a bad day, answer reads with.
const FOREIGN: [Body; 10] = [
    (
        200,
        r#"{"status":"error","message":"no","category":"RATE_LIMITS"}"#,
    ),
    (
        200,
        r#"{"status":"error","results":[],"lists":[],"hasMore":false,"total":0}"#,
    ),
    (200, "{}"),
    (200, "null"),
    (200, "[]"),
    (200, r#"{"ok":true}"#),
    (200, "<html>Please log in</html>"),
    (403, "<html>Forbidden</html>"),
    (404, "<html>Not found</html>"),
    (400, ""),
];

/// Statuses that heal by themselves.
const PASSING: [Body; 7] = [
    (408, ""),
    (425, ""),
    (499, ""),
    (500, ""),
    (520, ""),
    (527, ""),
    (530, "error code: 1016"),
];

/// A read must survive each odd response once, and refuse it when it stays.
async fn survives<T: Debug, F: Future<Output = Result<T, Error>>>(
    what: &str,
    good: &'static str,
    call: impl Fn(Client) -> F,
) {
    for odd in FOREIGN.into_iter().chain(PASSING) {
        let bodies = Bodies::new([odd, (200, good)]);
        let result = call(bodies.client()).await;
        assert!(result.is_ok(), "{what} after {odd:?}: {result:?}");
        assert_eq!(bodies.targets().len(), 2, "{what} after {odd:?}");
    }
    for odd in FOREIGN {
        let error = call(Bodies::new([odd; 4]).client()).await.unwrap_err();
        assert!(error.is_retryable(), "{what}: {odd:?}: {error}");
        assert!(
            !error.is_not_found() && error.status().is_none(),
            "{what}: {error}"
        );
        assert!(
            error.missing_scopes().is_empty() && error.hint().is_some(),
            "{error}"
        );
    }
}

const RECORDS: &str = r#"{"results":[{"id":"1"}],"total":1}"#;

#[tokio::test(start_paused = true)]
async fn no_collection_of_records_ends_with_what_is_no_page() {
    survives("list", RECORDS, |client| async move {
        client.list_objects(&List::new("contacts")).await
    })
    .await;
    survives("archived", RECORDS, |client| async move {
        client
            .list_objects(&List::new("contacts").with_archived(true))
            .await
    })
    .await;
    survives("search", RECORDS, |client| async move {
        client.search("contacts", &SearchRequest::new()).await
    })
    .await;
    survives("batch read", RECORDS, |client| async move {
        client.batch_read(&BatchRead::new("contacts", ["1"])).await
    })
    .await;
    survives("owners", RECORDS, |client| async move {
        client.owners(None, false).await
    })
    .await;
    survives("get", r#"{"id":"1"}"#, |client| async move {
        client.get_object(&Get::new("contacts", "1")).await
    })
    .await;
    for resource in Resource::ALL {
        survives(resource.name(), RECORDS, |client| async move {
            client.list_resources(&ResourceList::new(resource)).await
        })
        .await;
    }
    survives("rows", RECORDS, |client| async move {
        client.table_rows("t", None).await
    })
    .await;
    survives("drafts", RECORDS, |client| async move {
        client.draft_rows("t", None).await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_collection_of_associations_ends_with_what_is_no_page() {
    let pairs = r#"{"results":[{"from":{"id":"1"},"to":[]}]}"#;
    let named = r#"{"results":[{"from":{"id":"1"},"to":[{"id":"2","type":"t"}]}]}"#;
    survives("v4 batch", pairs, |client| async move {
        let asked = [("1", None::<&str>)];
        client.associations_batch_read("contacts", "deals", &asked).await
    })
    .await;
    survives("v3 batch", named, |client| async move {
        client
            .associations_batch_read_v3("contacts", "deals", &["1"])
            .await
    })
    .await;
    survives("page", r#"{"results":[]}"#, |client| async move {
        client.associations("contacts", "1", "deals", None).await
    })
    .await;
    survives("labels", r#"{"results":[]}"#, |client| async move {
        client.association_labels("contacts", "deals").await
    })
    .await;
    let without_to = (200, r#"{"results":[{"from":{"id":"1"}}]}"#);
    let asked = [("1", None::<&str>)];
    let client = Bodies::new([without_to]).client();
    let error = client.associations_batch_read("contacts", "deals", &asked).await;
    assert!(
        matches!(error, Err(Error::Decode(_))),
        "no `to` is not none: {error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_list_of_definitions_ends_with_what_is_no_list() {
    let none = r#"{"results":[]}"#;
    survives("properties", none, |client| async move {
        client.properties("contacts").await
    })
    .await;
    survives("archived properties", none, |client| async move {
        client.archived_properties("contacts").await
    })
    .await;
    survives("groups", none, |client| async move {
        client.property_groups("contacts").await
    })
    .await;
    survives(
        "some properties",
        r#"{"status":"COMPLETE","results":[{"name":"a","type":"string"}]}"#,
        |client| async move { client.properties_batch_read("contacts", &["a"]).await },
    )
    .await;
    survives("pipelines", none, |client| async move {
        client.pipelines("deals").await
    })
    .await;
    survives("schemas", none, |client| async move { client.schemas().await }).await;
    survives(
        "imports",
        none,
        |client| async move { client.imports(None).await },
    )
    .await;
    survives("import errors", none, |client| async move {
        client.import_errors("1", None).await
    })
    .await;
    survives("members", none, |client| async move {
        client.list_members("1", None).await
    })
    .await;
    survives(
        "lists",
        r#"{"lists":[],"hasMore":false,"offset":0,"total":0}"#,
        |client| async move { client.search_lists(&ListSearch::default()).await },
    )
    .await;
    survives(
        "property",
        r#"{"name":"a","type":"string"}"#,
        |client| async move { client.property("contacts", "a").await },
    )
    .await;
    survives("account", r#"{"portalId":1}"#, |client| async move {
        client.account().await
    })
    .await;
    survives("a list", r#"{"list":{"listId":"1"}}"#, |client| async move {
        client.list("1").await
    })
    .await;
    survives("an import", r#"{"id":"1"}"#, |client| async move {
        client.import("1").await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_names_a_next_one_without_a_cursor_is_read_again() {
    let odd = (200, r#"{"results":[{"id":"1"}],"paging":{"next":{}}}"#);
    let bodies = Bodies::new([odd, (200, RECORDS)]);
    let list = List::new("contacts");
    assert!(bodies.client().list_objects(&list).await.is_ok());
    let error = Bodies::new([odd; 4])
        .client()
        .list_objects(&list)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`paging.next.after`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_lists_that_has_more_and_brings_none_is_no_end() {
    let odd = (200, r#"{"lists":[],"hasMore":true,"offset":250,"total":520}"#);
    let error = Bodies::new([odd; 4]).client();
    let error = error.search_lists(&ListSearch::default()).await.unwrap_err();
    assert!(error.to_string().contains("`lists`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_search_without_a_total_is_no_search() {
    let odd = (200, r#"{"results":[{"id":"1"}]}"#);
    let client = Bodies::new([odd; 4]).client();
    let error = client
        .search("contacts", &SearchRequest::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`total`"), "{error}");
}

async fn by_id(ids: &[&str], body: &'static str) -> Result<(Vec<String>, Vec<String>), Error> {
    let client = Bodies::new([(200, body); 4]).client();
    let read = BatchRead::new("contacts", ids.iter().copied());
    let result = client.batch_read(&read).await?;
    let found = result.results.iter().map(|record| record.id().to_owned());
    Ok((found.collect(), result.missing))
}

#[tokio::test(start_paused = true)]
async fn a_batch_read_takes_each_record_once_and_none_that_no_merge_explains() {
    let twice = r#"{"results":[{"id":"1","updatedAt":"2026-01-01T00:00:00Z"},{"id":"2"},
        {"id":"1","updatedAt":"2026-01-02T00:00:00Z"}]}"#;
    let (found, _) = by_id(&["1", "2"], twice).await.unwrap();
    assert_eq!(found, ["1", "2"]);

    // 3 was merged into 9, and HubSpot answers with the survivor.
    let merged = r#"{"results":[{"id":"1"},{"id":"9"}]}"#;
    assert_eq!(by_id(&["1", "3"], merged).await.unwrap().0, ["1", "9"]);

    for strange in [
        r#"{"results":[{"id":"1"},{"id":"3"},{"id":"9"}]}"#,
        r#"{"results":[{"id":"1"},{"id":"9"}],"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["3"]}}]}"#,
    ] {
        let error = by_id(&["1", "3"], strange).await.unwrap_err();
        let Error::Decode(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.fault, Fault::Strangers);
    }
}

#[tokio::test(start_paused = true)]
async fn hubspots_own_refusals_are_final_at_once() {
    for (status, body) in [
        (
            403,
            r#"{"status":"error","category":"MISSING_SCOPES","message":"no"}"#,
        ),
        (
            404,
            r#"{"status":"error","message":"resource not found","correlationId":"c"}"#,
        ),
        (400, r#"{"status":"error","category":"VALIDATION_ERROR"}"#),
    ] {
        let bodies = Bodies::new([(status, body)]);
        let error = bodies.client().list_objects(&List::new("contacts")).await;
        let error = error.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.is_not_found(), status == 404);
        assert!(!error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_sent_once_whatever_else_answers() {
    for odd in FOREIGN.into_iter().chain(PASSING) {
        let bodies = Bodies::new([odd]);
        let create = Create::new("contacts", [("email", "a@example.com")]);
        // The scripted service panics if it is asked twice.
        let result = bodies.client().create_object(&create).await;
        assert!(result.is_err(), "{odd:?}");
        assert_eq!(bodies.targets().len(), 1);
    }
}
