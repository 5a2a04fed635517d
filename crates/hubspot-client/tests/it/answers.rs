//! What HubSpot answers, and what the client makes of it.

use hubspot_client::{
    ApiVersion, Error, Priority, RawObject,
    request::{
        objects::{BatchRead, Get, List},
        search::SearchRequest,
    },
};

use crate::{Bodies, builder};

#[tokio::test]
async fn a_refused_token_says_so() {
    let bodies = Bodies::new([(
        401,
        r#"{"status":"error","message":"Authentication credentials not found.","correlationId":"c",
           "category":"INVALID_AUTHENTICATION"}"#,
    )]);
    let error = bodies.client().account().await.unwrap_err();
    assert!(error.is_unauthorized() && !error.is_retryable());
    assert_eq!(
        error.to_string(),
        "GET /account-info/2026-03/details: HubSpot answered 401 INVALID_AUTHENTICATION: \
         Authentication credentials not found. (correlation id c)"
    );
    assert!(error.hint().unwrap().contains("token"));
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let bodies = Bodies::new([(
        403,
        r#"{"category":"MISSING_SCOPES","message":"This app hasn't been granted all required scopes",
           "errors":[{"context":{"requiredGranularScopes":["crm.objects.contacts.read","contacts"]}}]}"#,
    )]);
    let error = bodies
        .client()
        .list_objects(&List::new("contacts"))
        .await
        .unwrap_err();
    assert_eq!(error.missing_scopes(), ["crm.objects.contacts.read", "contacts"]);
    assert!(
        error
            .hint()
            .unwrap()
            .ends_with("`crm.objects.contacts.read` or `contacts`")
    );
}

#[tokio::test(start_paused = true)]
async fn the_days_limit_is_an_error_of_its_own() {
    let bodies = Bodies::new([(
        429,
        r#"{"policyName":"DAILY","message":"You have reached your daily limit."}"#,
    )]);
    let client = bodies.client();
    let error = client.account().await.unwrap_err();
    assert!(error.is_daily_limit());
    assert_eq!(error.api().unwrap().policy_name.as_deref(), Some("DAILY"));
    // Nothing more is sent: the script has no other answer.
    assert!(client.account().await.unwrap_err().is_daily_limit());
}

#[tokio::test]
async fn a_record_is_read_by_id_and_by_a_unique_property() {
    let record = r#"{"id":"512","properties":{"email":"a@b.c"},"archived":false}"#;
    let bodies = Bodies::new([
        (200, record),
        (200, record),
        (404, r#"{"category":"OBJECT_NOT_FOUND"}"#),
    ]);
    let client = bodies.client();
    assert_eq!(
        client
            .get_object(&Get::new("contacts", "512"))
            .await
            .unwrap()
            .id(),
        "512"
    );
    let found = client
        .get_object_by("contacts", "email", "a@b.c", &["email"])
        .await
        .unwrap();
    assert_eq!(found.properties().unwrap(), r#"{"email":"a@b.c"}"#);
    let error = client
        .get_object_by("contacts", "email", "x@b.c", &["email"])
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    assert!(!error.to_string().contains("x%40b.c"), "{error}");
    assert_eq!(
        bodies.targets()[1],
        "GET /crm/objects/2026-03/contacts/a%40b.c?idProperty=email&properties=email"
    );
}

#[tokio::test]
async fn a_batch_read_tells_what_is_missing() {
    let bodies = Bodies::new([(
        207,
        r#"{"status":"COMPLETE","results":[{"id":"2"},{"id":"1"}],"numErrors":2,"errors":[
           {"status":"error","category":"OBJECT_NOT_FOUND","message":"Could not get some CONTACT objects",
            "context":{"ids":["999","998"]}},{"category":"VALIDATION_ERROR","message":"odd"}]}"#,
    )]);
    let read = BatchRead::new("contacts", ["1", "2", "998", "999"]);
    let batch = bodies.client().batch_read(&read).await.unwrap();
    assert_eq!(
        batch.results.iter().map(RawObject::id).collect::<Vec<_>>(),
        ["2", "1"]
    );
    assert_eq!(batch.missing, ["999", "998"]);
    assert_eq!(batch.errors.len(), 1);
}

#[tokio::test]
async fn a_search_tells_total_and_offset() {
    let bodies = Bodies::new([(
        200,
        r#"{"total":38,"results":[{"id":"1"}],"paging":{"next":{"after":"200"}}}"#,
    )]);
    let page = bodies
        .client()
        .search("contacts", &SearchRequest::new())
        .await
        .unwrap();
    assert_eq!(
        (page.total, page.results.len(), page.after.as_deref()),
        (38, 1, Some("200"))
    );
}

#[tokio::test]
async fn no_associations_is_no_error_and_ids_may_be_numbers() {
    let bodies = Bodies::new([(
        207,
        r#"{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[
             {"toObjectId":579,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":341,"label":null},
              {"category":"HUBSPOT_DEFINED","typeId":5,"label":"Primary"}]},{"toObjectId":"580"}],
             "paging":{"next":{"after":"MC0y","link":"https://elsewhere/x"}}}],
           "numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND",
             "subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND","message":"No company",
             "context":{"fromObjectId":["5156"],"fromObjectType":["deal"]}}]}"#,
    )]);
    let records = [("1", None::<&str>), ("5156", None)];
    let batch = bodies
        .client()
        .associations_batch_read("deals", "companies", &records)
        .await
        .unwrap();
    assert_eq!(
        (batch.none.as_slice(), batch.errors.len()),
        (["5156".to_owned()].as_slice(), 0)
    );
    let of = &batch.results[0];
    assert_eq!((of.from.as_str(), of.next.as_deref()), ("1", Some("MC0y")));
    let ids: Vec<_> = of.to.iter().map(|to| to.to_object_id.as_str()).collect();
    assert_eq!(ids, ["579", "580"]);
    assert_eq!(of.to[0].association_types[1].label.as_deref(), Some("Primary"));
}

#[tokio::test]
async fn definitions_keep_what_they_do_not_name() {
    let bodies = Bodies::new([
        (
            200,
            r#"{"results":[{"name":"hs_score","type":"number","fieldType":"calculation_equation","calculated":true,
               "label":null,"options":[],"newThing":{"a":1},"modificationMetadata":{"archivable":false,
               "readOnlyDefinition":true,"readOnlyValue":true}}]}"#,
        ),
        (
            200,
            r#"{"results":[{"id":"default","label":"Sales","stages":[{"id":"won","metadata":{"isClosed":"true"}}]}]}"#,
        ),
        (
            200,
            r#"{"results":[{"id":"7","objectTypeId":"2-7","name":"car","labels":{"singular":"Car"}}]}"#,
        ),
        (
            200,
            r#"{"portalId":123,"accountType":"STANDARD","timeZone":"Europe/Oslo"}"#,
        ),
        (
            200,
            r#"{"results":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null}]}"#,
        ),
        (
            200,
            r#"{"results":[{"id":"9","email":"o@b.c","updatedAt":"2024-01-01T00:00:00Z"}]}"#,
        ),
    ]);
    let client = bodies.client();
    let property = client.properties("contacts").await.unwrap().remove(0);
    assert!(property.is_read_only() && property.type_ == "number");
    assert_eq!(property.other["newThing"]["a"], 1);
    assert_eq!(
        client.pipelines("deals").await.unwrap()[0].stages[0].metadata["isClosed"],
        "true"
    );
    assert_eq!(client.schemas().await.unwrap()[0].object_type_id, "2-7");
    assert_eq!(client.account().await.unwrap().portal_id, "123");
    assert_eq!(
        client.association_labels("contacts", "companies").await.unwrap()[0].type_id,
        279
    );
    assert_eq!(client.owners(None, false).await.unwrap().results[0].id(), "9");
}

#[tokio::test]
async fn the_numbered_generation_and_a_prefix_are_spoken_when_asked_for() {
    let bodies = Bodies::new([(200, r#"{"results":[]}"#)]);
    let service: std::sync::Arc<Bodies> = std::sync::Arc::clone(&bodies);
    let client = builder()
        .http_service(service)
        .api_version(ApiVersion::Numbered)
        .base_url("http://gateway/hubspot/")
        .build()
        .unwrap();
    client.list_objects(&List::new("deals")).await.unwrap();
    assert_eq!(bodies.targets(), ["GET /hubspot/crm/v3/objects/deals?limit=100"]);
}

#[tokio::test]
async fn a_class_travels_with_the_request() {
    let bodies = Bodies::new([(200, r#"{"results":[]}"#)]);
    let client = bodies.client().with_priority(Priority::Snapshot);
    client.list_objects(&List::new("deals")).await.unwrap();
    assert_eq!(
        bodies.seen.lock().unwrap()[0].extensions().get(),
        Some(&Priority::Snapshot)
    );
}

#[test]
fn a_client_without_a_token_or_with_a_wrong_url_is_not_built() {
    assert!(matches!(
        hubspot_client::Client::builder().build(),
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        builder().base_url("api.hubapi.com").build(),
        Err(Error::Invalid(_))
    ));
}
