//! Imports against the emulator, in process.

use std::time::Duration;

use hubspot_client::{
    Client, ImportState,
    request::imports::{Column, ImportOperation, NewImport},
};
use hubspot_emulator::{Counts, Emulator, Options};
use serde_json::json;

use crate::emulated::Account;

fn account() -> (Emulator, Client) {
    let emulator = Emulator::new(Options {
        counts: Counts::none(),
        ..Options::default()
    });
    let client = Account::at(&emulator).client();
    (emulator, client)
}

fn contacts(name: &str, csv: impl Into<String>) -> NewImport {
    NewImport {
        name: name.to_owned(),
        object_type_id: "0-1".to_owned(),
        operation: ImportOperation::Upsert,
        columns: vec![Column::unique_values("email"), Column::values("birthday")],
        csv: csv.into().into(),
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_is_started_and_followed_to_its_end() {
    let (emulator, client) = account();
    let csv = "email,birthday\na@b.example,2000-02-29\nwrong,\nc@d.example,soon\n";
    let started = client.start_import(&contacts("spring", csv)).await.unwrap();
    assert_eq!(
        (started.state, started.name.as_str()),
        (ImportState::Started, "spring")
    );
    emulator.advance(Duration::from_secs(5));
    let done = client.import(&started.id).await.unwrap();
    assert_eq!(done.state, ImportState::Done);
    assert_eq!(
        (done.created(), done.updated(), done.counter("TOTAL_ROWS")),
        (2, 0, 3)
    );
    let page = client.import_errors(&started.id, None).await.unwrap();
    assert_eq!(page.after, None);
    let [email, birthday] = &page.errors[..] else {
        panic!("{:?}", page.errors)
    };
    assert_eq!((email.error_type.as_str(), email.line()), ("INVALID_EMAIL", 3));
    assert_eq!((birthday.line(), birthday.column), (4, Some(1)));
    assert_eq!(birthday.row(), ["c@d.example", "soon"]);
    assert!(birthday.leaves_out_a_value() && birthday.message.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lost_start_is_not_repeated_and_is_found_by_its_name() {
    let (emulator, client) = account();
    let lost = json!({"match": {"method": "POST", "path": "/crm/imports/*"}, "times": 1, "action": {"failAfterWrite": true}});
    emulator.add_faults(&lost).unwrap();
    let import = contacts("summer", "email,birthday\na@b.example,\n");
    client.start_import(&import).await.unwrap_err();
    let page = client.imports(None).await.unwrap();
    let names: Vec<_> = page.imports.iter().map(|import| import.name.as_str()).collect();
    assert_eq!(names, ["summer"]);
    client.cancel_import(&page.imports[0].id).await.unwrap();
    let canceled = client.import(&page.imports[0].id).await.unwrap();
    assert_eq!(canceled.state, ImportState::Canceled);
}

#[tokio::test(start_paused = true)]
async fn many_errors_come_in_pages() {
    let (emulator, client) = account();
    let rows = "wrong,\n".repeat(250);
    let import = contacts("autumn", format!("email,birthday\n{rows}"));
    let id = client.start_import(&import).await.unwrap().id;
    emulator.advance(Duration::from_secs(5));
    let (mut after, mut lines) = (None, Vec::new());
    loop {
        let page = client.import_errors(&id, after.as_deref()).await.unwrap();
        lines.extend(page.errors.iter().map(hubspot_client::ImportError::line));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(lines, (2..252).collect::<Vec<u64>>());
}
