//! Rows by imports: each is written or told of, whatever happens on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use hubspot_client::Client;
use hubspot_client::request::imports::ImportOperation;
use hubspot_connector::bulk::{Bulk, Event, Failed, Fate, FileLimits, Job, Report, Row};
use hubspot_connector::objects;
use hubspot_emulator::{Counts, Emulator, Options, Tier, Token};
use serde_json::{Value, json};

use crate::emulated::Hubspot;

fn emulator() -> Emulator {
    Emulator::new(Options {
        counts: Counts::none(),
        tier: Tier::Unlimited,
        ..Options::default()
    })
}

fn job(operation: ImportOperation) -> Job {
    let contacts = objects::resolve("contacts").expect("a type");
    Job::new(contacts, operation, Some("email")).expect("a job")
}

/// Lines of `email,firstname,birthday`.
fn rows(lines: &[&str]) -> Vec<Row> {
    let row = |(line, text): (u64, &&str)| {
        let cells = text.split(',').map(ToOwned::to_owned);
        let names = ["email", "firstname", "birthday"].map(ToOwned::to_owned);
        Row {
            line,
            origin: (),
            values: names.into_iter().zip(cells).collect(),
        }
    };
    (10..).zip(lines).map(row).collect()
}

async fn import(client: &Client, job: Job, rows: Vec<Row>) -> Report {
    let mut bulk = Bulk::new(client, job, Box::new(|_| {}));
    for row in rows {
        bulk.push(row).await;
    }
    let report = bulk.finish().await;
    assert_eq!(
        report.rows,
        report.written + report.failed.len() as u64,
        "no row is lost"
    );
    report
}

/// First names by address.
fn written(emulator: &Emulator) -> BTreeMap<String, String> {
    let truth = String::from_utf8(emulator.truth("contacts").expect("a type")).expect("JSON");
    let pair = |line: &str| {
        let record: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| record["properties"][name].as_str().unwrap_or_default().to_owned();
        (text("email"), text("firstname"))
    };
    truth.lines().map(pair).collect()
}

fn fates(failed: &[Failed]) -> Vec<(u64, Fate, Option<&str>)> {
    failed.iter().map(fate).collect()
}

fn fate(failed: &Failed) -> (u64, Fate, Option<&str>) {
    let problem = failed.problems.first();
    (
        failed.row.line,
        failed.fate,
        problem.map(|problem| problem.kind.as_str()),
    )
}

#[tokio::test(start_paused = true)]
async fn every_row_is_written_or_told_of() {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let before = import(&client, job(ImportOperation::Create), rows(&["a@x.example,Ann"])).await;
    assert_eq!((before.written, before.created), (1, 1));
    let lines = [
        "a@x.example,Anna",
        "b@x.example,Bob,2000-02-29",
        "wrong,Cid",
        "d@x.example,Dan,soon",
        ",Eve",
        "f@x.example,",
    ];
    let report = import(&client, job(ImportOperation::Upsert), rows(&lines)).await;
    assert_eq!(
        (report.rows, report.written, report.created, report.updated),
        (6, 3, 2, 1)
    );
    let wrong = [
        (14, Fate::Refused, Some("MISSING_KEY")),
        (15, Fate::Refused, Some("EMPTY_VALUE")),
        (12, Fate::Refused, Some("INVALID_EMAIL")),
    ];
    assert_eq!(fates(&report.failed), wrong);
    assert_eq!(report.failed[2].row.value("firstname"), Some("Cid"));
    let [left_out] = &report.left_out[..] else {
        panic!("{:?}", report.left_out)
    };
    let problem = &left_out.problems[0];
    assert_eq!(
        (left_out.row.line, problem.kind.as_str()),
        (13, "COULD_NOT_PARSE_DATE")
    );
    assert_eq!(
        (problem.property.as_deref(), problem.value.as_deref()),
        (Some("birthday"), Some("soon"))
    );
    assert!(report.notes.is_empty() && report.stopped.is_none(), "{report:?}");
    let names = written(&emulator);
    assert_eq!(names.values().collect::<Vec<_>>(), ["Anna", "Bob", "Dan"]);
}

#[tokio::test(start_paused = true)]
async fn rows_are_spread_over_files_within_the_limits() {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let lines: Vec<String> = (0..250).map(|n| format!("c{n}@x.example,N{n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for (limits, imports) in [
        (
            FileLimits {
                rows: 100,
                bytes: 1 << 20,
            },
            3,
        ),
        (
            FileLimits {
                rows: 250,
                bytes: 2500,
            },
            3,
        ),
    ] {
        let job = job(ImportOperation::Upsert).with_limits(limits);
        let report = import(&client, job, rows(&lines)).await;
        assert_eq!(
            (report.written, report.imports.len()),
            (250, imports),
            "{limits:?}"
        );
    }
    assert_eq!(written(&emulator).len(), 250);
    let tiny = job(ImportOperation::Upsert).with_limits(FileLimits { rows: 1, bytes: 40 });
    let report = import(
        &client,
        tiny,
        rows(&["a@x.example,A name that is far too long for it"]),
    )
    .await;
    assert_eq!(
        fates(&report.failed),
        [(10, Fate::Refused, Some("ROW_DATA_TOO_LARGE"))]
    );
}

#[tokio::test(start_paused = true)]
async fn rows_of_one_key_are_written_in_their_order() {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let lines = ["a@x.example,1", "A@x.example,2", "b@x.example,1", "a@x.example,3"];
    let report = import(&client, job(ImportOperation::Upsert), rows(&lines)).await;
    assert_eq!((report.written, report.imports.len()), (4, 3), "{report:?}");
    let names = written(&emulator);
    assert_eq!(
        (names["a@x.example"].as_str(), names["b@x.example"].as_str()),
        ("3", "1")
    );
    let many = rows(&["a@x.example,x"; 30]);
    let report = import(&client, job(ImportOperation::Upsert), many).await;
    assert_eq!((report.written, report.failed.len()), (20, 10));
    assert_eq!(
        fates(&report.failed)[0],
        (30, Fate::Refused, Some("REPEATED_KEY"))
    );
}

/// The account after an import of one row whose start is not answered once.
async fn unanswered(operation: ImportOperation, action: &Value) -> (Report, usize) {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let fault = json!({"match": {"method": "POST", "path": "/crm/imports/*"}, "times": 1, "action": action});
    emulator.add_faults(&fault).expect("a fault");
    let report = import(&client, job(operation), rows(&["a@x.example,Ann"])).await;
    let started = client.imports(None).await.expect("a list").imports;
    (report, started.len())
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_not_answered_is_looked_for_before_it_is_repeated() {
    for (operation, action, why) in [
        (
            ImportOperation::Create,
            json!({"failAfterWrite": true}),
            "it was started",
        ),
        (
            ImportOperation::Upsert,
            json!({"failAfterWrite": true}),
            "it was started",
        ),
        (ImportOperation::Upsert, json!({"drop": true}), "it was not"),
        (ImportOperation::Upsert, json!({"status": 502}), "it was not"),
    ] {
        let (report, started) = unanswered(operation, &action).await;
        assert_eq!((report.written, report.created), (1, 1), "{why}: {report:?}");
        assert_eq!(started, 1, "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn creates_whose_start_was_not_answered_are_unknown_and_never_sent_again() {
    for action in [json!({"drop": true}), json!({"status": 502})] {
        let (report, started) = unanswered(ImportOperation::Create, &action).await;
        assert_eq!(started, 0, "nothing is started again");
        assert_eq!(fates(&report.failed), [(10, Fate::Unknown, None)]);
        assert!(report.stopped.is_some());
        assert!(
            report.notes[0].contains("may have been started; look"),
            "{:?}",
            report.notes
        );
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_room_it_is_waited_for() {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let full = json!({"match": {"method": "POST", "path": "/crm/imports/*"}, "times": 10, "action":
        {"status": 429, "body": {"status": "error", "message": "too many imports", "category": "RATE_LIMITS"}}});
    emulator.add_faults(&full).expect("a fault");
    let mut seen = Vec::new();
    let note = |event: &Event<'_>| {
        seen.push(match event {
            Event::Waiting { .. } => "waiting",
            Event::Started { .. } => "started",
            _ => "looked",
        });
    };
    let mut bulk = Bulk::new(&client, job(ImportOperation::Create), Box::new(note));
    bulk.push(rows(&["a@x.example,Ann"]).remove(0)).await;
    assert_eq!(bulk.finish().await.written, 1);
    assert_eq!(seen[..2], ["waiting", "started"]);
    assert_eq!(seen.last(), Some(&"looked"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_started_is_not_sent() {
    let emulator = Emulator::new(Options {
        counts: Counts::none(),
        tokens: vec![Token::with_scopes("pat-some", ["crm.objects.contacts.write"])],
        ..Options::default()
    });
    let client = Hubspot::of(&emulator).client_with("pat-some");
    let job = job(ImportOperation::Create).with_limits(FileLimits {
        rows: 2,
        bytes: 1 << 20,
    });
    let lines = [
        "a@x.example,Ann",
        "b@x.example,Bob",
        "c@x.example,Cid",
        "d@x.example,Dan",
    ];
    let report = import(&client, job, rows(&lines)).await;
    assert_eq!(report.written, 0);
    let lines: Vec<u64> = report.failed.iter().map(|failed| failed.row.line).collect();
    assert_eq!(lines, [10, 11, 12, 13]);
    assert!(report.failed.iter().all(|failed| failed.fate == Fate::NotSent));
    let stopped = report.stopped.expect("an error");
    assert_eq!(stopped.missing_scopes(), ["crm.import"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_followed_is_unknown() {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let fault = json!({"match": {"method": "GET", "path": "/crm/imports/*/*"}, "times": 1, "action": {"status": 403}});
    emulator.add_faults(&fault).expect("a fault");
    let report = import(&client, job(ImportOperation::Create), rows(&["a@x.example,Ann"])).await;
    assert_eq!(fates(&report.failed), [(10, Fate::Unknown, None)]);
    assert!(report.notes[0].contains("may go on"), "{:?}", report.notes);
    assert_eq!(report.stopped.and_then(|error| error.status()), Some(403));
}

#[tokio::test(start_paused = true)]
async fn an_import_that_somebody_cancels_leaves_its_rows_unknown() {
    let emulator = emulator();
    let client = Hubspot::of(&emulator).client();
    let lines: Vec<String> = (0..20_000).map(|n| format!("c{n}@x.example,N{n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let started = client.imports(None).await.expect("a list").imports.remove(0);
        client.cancel_import(&started.id).await.expect("it runs");
    };
    let (report, ()) = tokio::join!(
        import(&client, job(ImportOperation::Create), rows(&lines)),
        cancel
    );
    assert_eq!((report.written, report.failed.len()), (0, 20_000));
    assert_eq!(
        fates(&report.failed)[0],
        (10, Fate::Unknown, Some("IMPORT_ENDED"))
    );
    assert!((1000..20_000).contains(&report.created), "{}", report.created);
}

#[test]
fn a_job_needs_a_type_that_can_be_imported_and_a_key() {
    let contacts = objects::resolve("contacts").expect("a type");
    let keyless = Job::new(contacts, ImportOperation::Update, None).expect_err("no key");
    assert!(keyless.hint().is_some_and(|hint| hint.contains("--id-property")));
    let unnamed = objects::resolve("contracts").expect("a type");
    let refused = Job::new(unnamed, ImportOperation::Create, None).expect_err("no id");
    assert!(refused.to_string().contains("contracts"), "{refused}");
}
