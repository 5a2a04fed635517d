//! What a question costs, and what is told about it.

use std::ops::ControlFlow;
use std::time::Duration;

use hubspot_client::Client;
use hubspot_emulator::{Counts, Options as Account, Tier};
use query::{Asked, Ended, Options, Row, Simple, Value, ids_of, prepare};
use serde_json::json;

use crate::portal::Portal;

fn portal() -> Portal {
    Portal::new(Counts {
        contacts: 450,
        companies: 60,
        deals: 260,
        ..Counts::none()
    })
}

async fn ask(client: &Client, sql: &str, options: &Options) -> Result<(Vec<Row>, Ended), opencdc::Error> {
    let query = prepare(client, &Asked::Sql(sql.to_owned()), options).await?;
    let mut rows = Vec::new();
    let mut push = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    let ended = query.run(&mut push).await?;
    Ok((rows, ended))
}

async fn rows(client: &Client, sql: &str) -> Vec<Row> {
    ask(client, sql, &Options::default()).await.unwrap().0
}

/// How many rows a statement has, and which calls for rows it makes.
async fn cost(portal: &Portal, sql: &str) -> (usize, Vec<(String, u64)>) {
    portal.calls().await;
    let found = rows(&portal.client(), sql).await.len();
    let mut calls = Vec::new();
    for (route, count) in portal.calls().await {
        let words = ["search", "associations", "batch/read"];
        let word = words
            .into_iter()
            .find(|word| route.contains(word))
            .unwrap_or("list");
        calls.push((word.to_owned(), count));
    }
    calls.sort();
    (found, calls)
}

/// A statement, its rows where they are known, and its calls for rows.
type Case = (&'static str, Option<usize>, &'static [(&'static str, u64)]);

#[tokio::test(start_paused = true)]
async fn a_question_costs_what_it_needs() {
    let portal = portal();
    let cases: [Case; 11] = [
        ("SELECT count(*) FROM contacts", Some(1), &[("search", 1)]),
        (
            "SELECT count(*) FROM deals WHERE amount BETWEEN 1 AND 100000",
            Some(1),
            &[("search", 1)],
        ),
        ("SELECT email FROM contacts", None, &[("list", 5)]),
        ("SELECT email FROM contacts LIMIT 150", Some(150), &[("list", 2)]),
        (
            "SELECT email FROM contacts WHERE id IN ('101', '102', 'x')",
            Some(2),
            &[("batch/read", 1)],
        ),
        (
            "SELECT id FROM contacts WHERE email = 'nobody@example.com'",
            Some(0),
            &[("batch/read", 1)],
        ),
        (
            "SELECT id FROM deals WHERE amount > 5 AND amount < 5",
            Some(0),
            &[],
        ),
        ("SELECT id FROM deals WHERE id = 'x'", Some(0), &[]),
        (
            "SELECT id FROM contacts ORDER BY createdate DESC LIMIT 3",
            Some(3),
            &[("search", 2)],
        ),
        (
            "SELECT d.id, c.email FROM deals d JOIN contacts_deals cd ON cd.to_id = d.id \
             JOIN contacts c ON c.id = cd.from_id WHERE d.id IN ('101', '102', '103')",
            None,
            &[("associations", 2), ("batch/read", 2)],
        ),
        (
            "SELECT c.id, cc.to_id FROM contacts c JOIN contacts_companies cc ON cc.from_id = c.id WHERE c.id = '101'",
            None,
            &[("associations", 1), ("batch/read", 1)],
        ),
    ];
    for (sql, wanted, expected) in cases {
        let (found, calls) = cost(&portal, sql).await;
        let calls: Vec<_> = calls
            .iter()
            .map(|(route, count)| (route.as_str(), *count))
            .collect();
        assert_eq!(calls, expected, "{sql}");
        assert!(wanted.is_none_or(|wanted| wanted == found), "{sql}: {found} rows");
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_without_a_record_lacks_its_id() {
    let portal = portal();
    let client = portal.client();
    let lonely = "SELECT c.id FROM contacts c LEFT JOIN contacts_deals cd ON cd.from_id = c.id \
                  LEFT JOIN deals d ON d.id = cd.to_id WHERE d.id IS NULL";
    let all = rows(&client, &lonely.replace("WHERE", "WHERE 'x' <> '' AND")).await;
    let either = format!("{lonely} OR d.amount < 0");
    assert!(!all.is_empty());
    assert_eq!(rows(&client, lonely).await.len(), all.len());
    assert_eq!(rows(&client, &either).await.len(), all.len());
    assert!(
        rows(&client, "SELECT 1 FROM deals WHERE id IS NULL")
            .await
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn more_than_a_search_can_page_through_comes_complete() {
    let portal = Portal::new(Counts {
        contacts: 12_000,
        ..Counts::none()
    });
    let (found, calls) = cost(&portal, "SELECT id FROM contacts WHERE createdate > '1999'").await;
    let (everything, _) = cost(&portal, "SELECT id FROM contacts").await;
    assert!(found == everything && found > 11_000, "{found} of {everything}");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].0, "search");
}

#[tokio::test(start_paused = true)]
async fn a_consistent_question_sees_what_search_does_not_show_yet() {
    let portal = Portal::with(Account {
        counts: Counts {
            contacts: 20,
            ..Counts::none()
        },
        tier: Tier::Unlimited,
        search_lag: Duration::from_hours(1),
        ..Account::default()
    });
    portal
        .make(
            "contacts",
            &[json!({"email": "new@example.com", "city": "Nowhere"})],
        )
        .await;
    let client = portal.client();
    let sql = "SELECT email FROM contacts WHERE city = 'Nowhere'";
    let options = Options {
        consistent: true,
        ..Options::default()
    };
    let now = ask(&client, sql, &options).await.unwrap().0;
    assert_eq!((rows(&client, sql).await.len(), now.len()), (0, 1));
    let by_key = "SELECT city FROM contacts WHERE email = 'new@example.com'";
    assert_eq!(rows(&client, by_key).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_search_that_is_refused_becomes_a_walk() {
    let portal = portal();
    let client = portal.client();
    let sql = "SELECT id FROM deals WHERE amount > 1000";
    let expected = rows(&client, sql).await;
    let refuse = json!([{"match": {"method": "POST", "path": "/crm/**/search"}, "times": 9, "action": {"status": 400}}]);
    portal.post("/_emulator/faults", refuse).await;
    let (found, ended) = ask(&client, sql, &Options::default()).await.unwrap();
    assert_eq!(found, expected);
    assert!(
        ended.notes[0].contains("refused to search `deals`"),
        "{:?}",
        ended.notes
    );
    let count = rows(&client, "SELECT count(*) FROM deals WHERE amount > 1000").await;
    assert_eq!(count, [[Value::Integer(i64::try_from(expected.len()).unwrap())]]);
}

#[tokio::test(start_paused = true)]
async fn explaining_asks_for_definitions_alone() {
    let portal = portal();
    for sql in [
        "SELECT count(*) FROM contacts WHERE createdate > '2020'",
        "SELECT * FROM deals ORDER BY amount DESC LIMIT 3",
        "SELECT 1 FROM contacts c LEFT JOIN contacts_companies cc ON cc.from_id = c.id JOIN owners o ON o.id = c.hubspot_owner_id",
        "SELECT 1",
    ] {
        portal.calls().await;
        let asked = Asked::Sql(sql.to_owned());
        let query = prepare(&portal.client(), &asked, &Options::default())
            .await
            .unwrap();
        let explanation = query.explain().unwrap();
        assert_eq!(portal.calls().await, [], "{sql}");
        assert_eq!(explanation.steps.is_empty(), sql == "SELECT 1", "{sql}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_questions_are_told_with_the_way_out() {
    let client = portal().client();
    for (sql, message, hint) in [
        (
            "SELECT emial FROM contacts",
            "there is no column `emial` in `contacts`",
            "did you mean `email`?",
        ),
        (
            "SELECT c.emial FROM contacts c",
            "there is no column `c.emial` in `contacts`",
            "did you mean `email`?",
        ),
        (
            "SELECT 1 FROM contcts",
            "there is no table `contcts`; did you mean `contacts`?",
            "contacts_companies",
        ),
        (
            "DROP TABLE contacts",
            "a query only reads: `DROP` is not a `SELECT`",
            "`spoke create`",
        ),
        (
            "SELECT id FROM contacts c, deals d",
            "the query is wrong: ambiguous column name: id",
            "",
        ),
        (
            "SELECT id FROM contacts WHERE (",
            "the query is not understood",
            "single quotes",
        ),
        (
            "SELECT nope(id) FROM contacts",
            "the query is wrong: no such function: nope",
            "",
        ),
        (
            "SELECT id FROM contacts WHERE id = ?",
            "there is no value for parameter 1",
            "--param",
        ),
        (
            "SELECT id FROM marketing_events",
            "HubSpot has no list of them",
            "",
        ),
    ] {
        let error = ask(&client, sql, &Options::default()).await.unwrap_err();
        assert_eq!(error.kind(), opencdc::ErrorKind::Configuration, "{sql}: {error}");
        assert!(error.to_string().contains(message), "{sql}: {error}");
        assert!(
            error.hint().unwrap_or_default().contains(hint),
            "{sql}: {:?}",
            error.hint()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_changes_what_is_found_gets_ids() {
    let client = portal().client();
    let rows = rows(&client, "SELECT id FROM deals WHERE dealstage = 'closedwon'").await;
    let options = Options::default();
    let ids = ids_of(&client, "deal", "dealstage = \"closedwon\"", &options)
        .await
        .unwrap();
    assert!(!ids.is_empty() && ids.len() == rows.len());
    let wrong = ids_of(&client, "deals", "dealstage = 'x' ORDER BY id", &options).await;
    assert!(wrong.unwrap_err().to_string().contains("`--where`"));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_takes_too_long_is_ended() {
    let client = portal().client();
    let options = Options {
        timeout: Some(Duration::from_millis(1)),
        ..Options::default()
    };
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let error = ask(&client, sql, &options).await.unwrap_err();
    assert!(
        error.to_string().contains("took longer than 1 millisecond"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_without_columns_shows_what_hubspot_shows() {
    let client = portal().client();
    let asked = Asked::Simple(Simple {
        object: "crm.deals".to_owned(),
        limit: Some(1),
        ..Simple::default()
    });
    let query = prepare(&client, &asked, &Options::default()).await.unwrap();
    let shown = [
        "id",
        "dealname",
        "amount",
        "closedate",
        "pipeline",
        "dealstage",
        "createdate",
        "hs_lastmodifieddate",
    ];
    assert_eq!(query.columns(), shown);
}
