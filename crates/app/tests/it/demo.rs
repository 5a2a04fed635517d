//! `spoke demo`: the first thing anybody runs.

use crate::support::Workplace;
use crate::support::copy::number;

#[test]
fn the_demo_copies_follows_and_answers_questions() {
    let workplace = Workplace::new();
    let ended = workplace.run(&["demo", "--once"]).ok();
    for part in [
        "1. A local HubSpot",
        "2. Snapshot",
        "compared with HubSpot record by record",
        "25 contacts created",
        "3 contacts merged",
        "2 contacts erased for good",
        "Which stage",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is not in {}", ended.stdout);
    }
    let database = workplace.path("spoke-demo/hubspot.db");
    let gone = "SELECT count(*) FROM contacts WHERE _archived";
    // Each merge makes a contact of two that are gone then.
    assert_eq!(number(&database, gone), 10 + 2 * 3 + 2);
    assert_eq!(
        number(&database, &format!("{gone} AND _merged_into IS NOT NULL")),
        2 * 3
    );
    assert!(number(&database, "SELECT count(*) FROM contacts_companies") > 0);
}

#[test]
fn the_demo_can_be_run_again_in_its_folder() {
    let workplace = Workplace::new();
    workplace.run(&["demo", "--once", "--dir", "here"]).ok();
    workplace.run(&["demo", "--once", "--dir", "here"]).ok();
}

#[test]
fn the_demo_leaves_somebody_elses_database_alone() {
    let workplace = Workplace::new();
    workplace.write("hubspot.db", "precious");
    workplace
        .run(&["demo", "--once", "--dir", "."])
        .fails(2, &["hubspot.db", "--dir"]);
    assert_eq!(
        std::fs::read_to_string(workplace.path("hubspot.db")).unwrap(),
        "precious"
    );
}
