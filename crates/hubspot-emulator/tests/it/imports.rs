//! Imports of files (hubspot-api notes §6.2).

use std::time::Duration;

use http::Request;
use hubspot_emulator::{Counts, Emulator, Options, Tier, Token};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, ids};

const IMPORTS: &str = "/crm/v3/imports";

fn emulator() -> Emulator {
    Emulator::new(Options {
        counts: Counts::none(),
        tier: Tier::Unlimited,
        ..Options::default()
    })
}

/// A request for a file of contacts; a column `*email` identifies the records.
fn contacts(operation: &str, columns: &[&str]) -> Value {
    of("0-1", operation, columns)
}

fn of(object_type: &str, operation: &str, columns: &[&str]) -> Value {
    let mapping = |column: &&str| {
        let (name, key) = column
            .strip_prefix('*')
            .map_or((*column, false), |name| (name, true));
        let kind = match name {
            _ if !key => Value::Null,
            "hs_object_id" => json!("HUBSPOT_OBJECT_ID"),
            _ => json!("HUBSPOT_ALTERNATE_ID"),
        };
        json!({"columnObjectTypeId": object_type, "columnName": name, "propertyName": name, "columnType": kind})
    };
    let mappings: Vec<Value> = columns.iter().map(mapping).collect();
    json!({
        "name": "spring",
        "importOperations": {object_type: operation},
        "dateFormat": "YEAR_MONTH_DAY",
        "files": [{
            "fileName": "data.csv",
            "fileFormat": "CSV",
            "fileImportPage": {"hasHeader": true, "columnMappings": mappings},
        }],
    })
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["id"].as_str().expect("an id").to_owned()
}

/// Starts an import and lets it run to its end.
async fn run(emulator: &Emulator, request: &Value, file: &str) -> Value {
    let desk = Desk::at(emulator);
    let id = id(&desk.import(IMPORTS, request, file).await);
    emulator.advance(Duration::from_secs(10));
    desk.get(&format!("{IMPORTS}/{id}")).await.body
}

async fn errors(emulator: &Emulator, import: &Value) -> Vec<Value> {
    let id = import["id"].as_str().expect("an id");
    let path = format!("{IMPORTS}/{id}/errors?includeErrorMessage=true&includeRowData=true");
    let page = Desk::at(emulator).get(&path).await.body;
    page["results"].as_array().expect("results").clone()
}

/// Line, type and value of each error.
fn told(errors: &[Value]) -> Vec<(u64, &str, Option<&str>)> {
    errors.iter().map(line_type_value).collect()
}

fn line_type_value(error: &Value) -> (u64, &str, Option<&str>) {
    (
        error["sourceData"]["lineNumber"].as_u64().expect("a line"),
        error["errorType"].as_str().expect("a type"),
        error["invalidValue"].as_str(),
    )
}

async fn contact(emulator: &Emulator, email: &str) -> Answer {
    let path = format!(
        "/crm/v3/objects/contacts/{email}?idProperty=email&properties=firstname,size,birthday,discount_rate,hubspot_owner_id"
    );
    Desk::at(emulator).get(&path).await
}

#[tokio::test(start_paused = true)]
async fn an_import_goes_from_started_to_done_by_the_clock() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let rows: Vec<String> = (0..20_000).map(|n| format!("c{n}@x.example,Ann")).collect();
    let file = format!("email,firstname\n{}\n", rows.join("\n"));
    let started = desk
        .import(IMPORTS, &contacts("UPSERT", &["*email", "firstname"]), &file)
        .await;
    let one = format!("{IMPORTS}/{}", id(&started));
    assert_eq!(started.body["state"], "STARTED");
    assert_eq!(started.body["importName"], "spring");
    assert_eq!(started.body["mappedObjectTypeIds"], json!(["0-1"]));
    assert_eq!(started.body["metadata"]["counters"]["TOTAL_ROWS"], 20_000);

    tokio::time::advance(Duration::from_millis(1500)).await;
    let half = desk.get(&one).await.body;
    assert_eq!(half["state"], "PROCESSING");
    assert_eq!(half["metadata"]["counters"]["CREATED_OBJECTS"], 10_000);
    let truth = String::from_utf8(emulator.truth("contacts").expect("a type"));
    assert_eq!(truth.expect("JSON").lines().count(), 10_000);

    emulator.advance(Duration::from_secs(1));
    let done = desk.get(&one).await.body;
    assert_eq!(done["state"], "DONE");
    assert_eq!(
        done["metadata"]["counters"],
        json!({"TOTAL_ROWS": 20_000, "CREATED_OBJECTS": 20_000, "UNIQUE_OBJECTS_WRITTEN": 20_000,
               "PROPERTY_VALUES_EMITTED": 40_000, "MAPPED_COLUMNS": 2})
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_is_written_as_anything_else_is() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let ann = desk.contact("ann@x.example").await;
    emulator.advance(Duration::from_mins(1));
    let before = emulator.now();
    let file = "email,firstname\nANN@x.example,Ann\nbob@x.example,Bob\n";
    let done = run(&emulator, &contacts("UPSERT", &["*email", "firstname"]), file).await;
    assert_eq!(
        done["metadata"]["counters"],
        json!({"TOTAL_ROWS": 2, "CREATED_OBJECTS": 1, "UPDATED_OBJECTS": 1, "UNIQUE_OBJECTS_WRITTEN": 2,
               "PROPERTY_VALUES_EMITTED": 3, "MAPPED_COLUMNS": 2})
    );
    let search = json!({"limit": 10, "properties": ["firstname"], "filterGroups": [{"filters": [
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": before.to_string()}]}]});
    let found = desk.post("/crm/v3/objects/contacts/search", search).await.body;
    assert_eq!(found["total"], 2, "search sees both as changed");
    assert!(ids(&found).contains(&ann));
    let path = format!("/crm/v3/objects/contacts/{ann}?propertiesWithHistory=firstname");
    let history = desk.get(&path).await.body["propertiesWithHistory"]["firstname"].clone();
    assert_eq!(
        (&history[0]["value"], &history[0]["sourceType"]),
        (&json!("Ann"), &json!("IMPORT"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_does_no_more_than_it_says() {
    let rows = [
        ("CREATE", 1, 0, vec![(2, "CREATE_ONLY_IMPORT")]),
        ("UPDATE", 0, 1, vec![(3, "UPDATE_ONLY_IMPORT")]),
        ("UPSERT", 1, 1, vec![]),
    ];
    for (operation, created, updated, wrong) in rows {
        let emulator = emulator();
        Desk::at(&emulator).contact("ann@x.example").await;
        let file = "email,firstname\nann@x.example,Ann\nbob@x.example,Bob\n";
        let done = run(&emulator, &contacts(operation, &["*email", "firstname"]), file).await;
        let counters = &done["metadata"]["counters"];
        let count = |name: &str| counters[name].as_u64().unwrap_or(0);
        assert_eq!(
            (
                count("CREATED_OBJECTS"),
                count("UPDATED_OBJECTS"),
                count("ERRORS")
            ),
            (created, updated, wrong.len() as u64),
            "{operation}"
        );
        let errors = errors(&emulator, &done).await;
        let told: Vec<_> = told(&errors)
            .into_iter()
            .map(|(line, kind, _)| (line, kind))
            .collect();
        assert_eq!(told, wrong, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_found_by_id_as_well() {
    let emulator = emulator();
    let ann = Desk::at(&emulator).contact("ann@x.example").await;
    let file = format!("hs_object_id,firstname\n{ann},Ann\n{ann},Twice\n999,Nobody\nseven,Nobody\n");
    let done = run(
        &emulator,
        &contacts("UPDATE", &["*hs_object_id", "firstname"]),
        &file,
    )
    .await;
    assert_eq!(done["state"], "DONE");
    assert_eq!(done["metadata"]["counters"]["UPDATED_OBJECTS"], 1);
    let errors = errors(&emulator, &done).await;
    let wrong = [
        (3, "DUPLICATE_OBJECT_ID", Some(ann.as_str())),
        (4, "INVALID_OBJECT_ID", Some("999")),
        (5, "INVALID_OBJECT_ID", Some("seven")),
    ];
    assert_eq!(told(&errors), wrong);
    assert_eq!(
        contact(&emulator, "ann@x.example").await.body["properties"]["firstname"],
        "Ann"
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_read_is_left_out_and_told() {
    let emulator = emulator();
    let owners = Desk::at(&emulator).get("/crm/v3/owners?limit=1").await.body;
    let owner = &owners["results"][0];
    let file = format!(
        "email,firstname,size,birthday,discount_rate,hubspot_owner_id\n\
         a@x.example,A,M,2000-02-29,1.5,{}\n\
         b@x.example,B,huge,29.02.2000,much,nobody@x.example\n\
         ,,,,,\n\
         c@x,C,,,,\n\
         d@x.example,D\n",
        owner["email"].as_str().expect("an address")
    );
    let columns = [
        "*email",
        "firstname",
        "size",
        "birthday",
        "discount_rate",
        "hubspot_owner_id",
    ];
    let done = run(&emulator, &contacts("UPSERT", &columns), &file).await;
    assert_eq!(done["metadata"]["counters"]["CREATED_OBJECTS"], 2);
    let errors = errors(&emulator, &done).await;
    let wrong = [
        (3, "COULD_NOT_FIND_OWNER", Some("nobody@x.example")),
        (3, "COULD_NOT_PARSE_DATE", Some("29.02.2000")),
        (3, "COULD_NOT_PARSE_NUMBER", Some("much")),
        (3, "INVALID_ENUMERATION_OPTION", Some("huge")),
        (4, "FAILED_TO_PROCESS_OBJECT_WITH_EMPTY_PROPERTY_VALUES", None),
        (5, "INVALID_EMAIL", Some("c@x")),
        (6, "INCORRECT_NUMBER_OF_COLUMNS", None),
    ];
    assert_eq!(told(&errors), wrong);
    assert_eq!(errors[1]["knownColumnNumber"], 3);
    assert_eq!(errors[1]["objectTypeId"], "0-1");
    assert_eq!(errors[1]["sourceData"]["rowData"][0], "b@x.example");
    let taken = contact(&emulator, "a@x.example").await.body["properties"].clone();
    assert_eq!(
        json!([
            taken["size"],
            taken["birthday"],
            taken["discount_rate"],
            taken["hubspot_owner_id"]
        ]),
        json!(["M", "2000-02-29", "1.5", owner["id"]])
    );
    let rest = contact(&emulator, "b@x.example").await.body["properties"].clone();
    assert_eq!(json!([rest["firstname"], rest["size"]]), json!(["B", null]));
}

#[tokio::test(start_paused = true)]
async fn an_empty_cell_leaves_a_value_as_it_is() {
    let emulator = emulator();
    let columns = ["*email", "firstname", "birthday"];
    let request = contacts("UPSERT", &columns);
    run(
        &emulator,
        &request,
        "email,firstname,birthday\na@x.example,Ann,2000-02-29\n",
    )
    .await;
    run(
        &emulator,
        &request,
        "email,firstname,birthday\na@x.example,,2001-02-28\n",
    )
    .await;
    let now = contact(&emulator, "a@x.example").await.body["properties"].clone();
    assert_eq!(
        json!([now["firstname"], now["birthday"]]),
        json!(["Ann", "2001-02-28"])
    );
}

#[tokio::test(start_paused = true)]
async fn errors_come_in_pages_and_say_only_what_is_asked_for() {
    let emulator = emulator();
    let rows: String = (0..25).map(|_| "nobody,x\n").collect();
    let file = format!("email,firstname\n{rows}");
    let done = run(&emulator, &contacts("UPDATE", &["*email", "firstname"]), &file).await;
    let path = format!("{IMPORTS}/{}/errors", done["id"].as_str().expect("an id"));
    let desk = Desk::at(&emulator);
    let (mut after, mut lines) = (String::new(), Vec::new());
    loop {
        let page = desk.get(&format!("{path}?limit=10&after={after}")).await.body;
        for error in page["results"].as_array().expect("results") {
            lines.push(error["sourceData"]["lineNumber"].as_u64().expect("a line"));
            assert_eq!(error["sourceData"]["rowData"], json!([]));
            assert!(error.get("errorMessage").is_none());
        }
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(lines, (2..27).collect::<Vec<u64>>());
    assert_eq!(desk.get(&format!("{path}?limit=101")).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_does_not_fit_its_mapping_fails_as_a_whole() {
    let rows = [
        (
            vec!["*email", "shoe_size"],
            "email,shoe_size\na@x.example,7\n",
            "PROPERTY_DEFINITION_NOT_FOUND",
        ),
        (
            vec!["*email", "firstname"],
            "email,lastname\na@x.example,Ann\n",
            "INVALID_COLUMN_CONFIGURATION",
        ),
        (
            vec!["email", "*firstname"],
            "email,firstname\na@x.example,Ann\n",
            "INVALID_COLUMN_CONFIGURATION",
        ),
    ];
    for (columns, file, kind) in rows {
        let emulator = emulator();
        let failed = run(&emulator, &contacts("UPSERT", &columns), file).await;
        assert_eq!(failed["state"], "FAILED", "{kind}");
        let errors = errors(&emulator, &failed).await;
        assert_eq!(
            (&errors[0]["errorType"], &errors[0]["sourceData"]["lineNumber"]),
            (&json!(kind), &json!(0))
        );
        assert!(emulator.truth("contacts").expect("a type").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn three_run_at_once_and_a_canceled_one_makes_room() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let request = contacts("UPSERT", &["*email"]);
    let start = async || desk.import(IMPORTS, &request, "email\na@x.example\n").await;
    let first = id(&start().await);
    let _ = (id(&start().await), id(&start().await));
    assert_eq!(start().await.status, 429);
    let cancel = format!("{IMPORTS}/{first}/cancel");
    assert_eq!(desk.call("POST", &cancel, None).await.status, 200);
    assert_eq!(start().await.status, 200);
    emulator.advance(Duration::from_secs(5));
    let states: Vec<Value> = desk.get(&format!("{IMPORTS}?limit=3")).await.body["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|import| import["state"].clone())
        .collect();
    assert_eq!(states, ["DONE", "DONE", "DONE"]);
    assert_eq!(
        desk.get(&format!("{IMPORTS}/{first}")).await.body["state"],
        "CANCELED"
    );
    assert_eq!(desk.call("POST", &cancel, None).await.status, 400, "it is over");
}

#[tokio::test(start_paused = true)]
async fn an_app_sees_its_own_imports_and_needs_the_scope() {
    let emulator = Emulator::new(Options {
        counts: Counts::none(),
        tokens: vec![
            Token::new("pat-one"),
            Token::with_scopes("pat-two", ["crm.import"]),
            Token::with_scopes("pat-three", ["crm.objects.contacts.write"]),
        ],
        ..Options::default()
    });
    let [one, two, three] = ["pat-one", "pat-two", "pat-three"].map(|token| Desk::holding(&emulator, token));
    let request = contacts("UPSERT", &["*email"]);
    let file = "email\na@x.example\n";
    let first = id(&one.import(IMPORTS, &request, file).await);
    let second = id(&two.import("/crm/imports/2026-03", &request, file).await);
    assert_eq!(three.import(IMPORTS, &request, file).await.status, 403);
    assert_eq!(ids(&one.get(IMPORTS).await.body), std::slice::from_ref(&first));
    assert_eq!(ids(&two.get("/crm/imports/2026-03").await.body), [second]);
    assert_eq!(two.get(&format!("{IMPORTS}/{first}")).await.status, 404);
}

#[tokio::test]
async fn what_hubspot_would_refuse_is_refused_and_what_is_not_emulated_says_so() {
    let desk = Desk::at(&emulator());
    let file = "email,dealname\na@x.example,x\n";
    let with = |path: &str, value: Value| {
        let mut request = contacts("UPSERT", &["*email"]);
        *request.pointer_mut(path).expect("a member") = value;
        request
    };
    let page = "/files/0/fileImportPage/columnMappings/0";
    let list = {
        let mut request = contacts("UPSERT", &["*email"]);
        request["createContactListFromImport"] = true.into();
        request
    };
    let rows = [
        (with("/name", json!("")), 400),
        (with("/files", json!([])), 400),
        (with("/files/0/fileName", json!("other.csv")), 200),
        (with("/files/0/fileFormat", json!("SPREADSHEET")), 501),
        (with("/files/0/fileFormat", json!("PDF")), 400),
        (
            with(&format!("{page}/columnType"), json!("ASSOCIATION_KEYS")),
            501,
        ),
        (with(&format!("{page}/columnObjectTypeId"), json!("0-9999")), 400),
        (with("/dateFormat", json!("SOMETIMES")), 400),
        (with("/importOperations/0-1", json!("DELETE")), 400),
        (of("0-3", "CREATE", &["dealname"]), 400),
        (of("0-3", "UPDATE", &["dealname"]), 400),
        (list, 501),
    ];
    for (request, status) in rows {
        let answer = desk.import(IMPORTS, &request, file).await;
        assert_eq!(answer.status, status, "{request} {}", answer.text);
    }
    assert_eq!(desk.post(IMPORTS, json!({})).await.status, 415);
    assert_eq!(desk.get(&format!("{IMPORTS}/7")).await.status, 404);
}

#[tokio::test]
async fn a_file_has_a_limit_of_rows() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let request = contacts("UPSERT", &["*email"]);
    let rows = "x\n".repeat(1_048_576);
    let answer = desk.import(IMPORTS, &request, &format!("email\n{rows}")).await;
    assert_eq!(answer.status, 429, "the header is a row too");
    assert_eq!(desk.get(IMPORTS).await.body["results"], json!([]));
}

#[tokio::test]
async fn an_upload_needs_a_boundary() {
    let desk = Desk::at(&emulator());
    let request = Request::builder()
        .method("POST")
        .uri(IMPORTS)
        .header(
            "authorization",
            format!("Bearer {}", hubspot_emulator::DEFAULT_TOKEN),
        )
        .header("content-type", "multipart/form-data")
        .body("x".into())
        .expect("a request");
    assert_eq!(desk.send(request).await.status, 400);
}
