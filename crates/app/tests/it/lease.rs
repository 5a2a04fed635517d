//! One process at a time reads a pipeline, and others may ask what it does.

use std::time::Duration;

use serde_json::Value;

use crate::support::spoke::{ended, wait_for};
use crate::support::{Portal, Workplace};

const CONTACTS: u64 = 6_000;

/// What `spoke status --json` says of the only pipeline.
fn status(workplace: &Workplace) -> Value {
    workplace.run(&["status", "--json"]).ok().json()[0].take()
}

#[test]
fn a_second_process_is_refused_with_the_first_ones_id_and_killing_the_first_frees_the_pipeline() {
    let portal = Portal::slow(CONTACTS, Duration::from_millis(40));
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let mut first = workplace.start(&["sync", "--once"]);
    wait_for(&mut first, || status(&workplace)["holder"]["pid"].as_u64());
    let pid = first.id().to_string();
    for again in [
        &["sync", "--once"][..],
        &["sync"],
        &["state", "reset", "crm", "--yes"],
    ] {
        let way_out = format!("stop it with `kill {pid}`");
        let texts = [
            &*format!("pipeline `crm` is run already, by process {pid}, since 20"),
            &way_out,
        ];
        workplace.run(again).fails(1, &texts);
    }
    // A pipeline of another name in the same state file is free.
    let config = std::fs::read_to_string(workplace.path("spoke.yaml")).unwrap();
    let other = config
        .replace("  crm:", "  other:")
        .replace("hubspot.db", "other.db");
    workplace.write("other.yaml", &other.replace("[contacts]", "[owners]"));
    workplace.run(&["sync", "--once", "-c", "other.yaml"]).ok();

    first.kill().expect("SIGKILL");
    first.wait().expect("it is gone");
    assert_eq!(status(&workplace)["running"], false);
    let next = workplace.start_listening(&["sync", "--once"]);
    let ended = ended(next).ok();
    assert!(ended.stdout.contains("contacts"), "{}", ended.stdout);
}

#[test]
fn status_shows_a_run_while_it_goes_on_and_how_it_ended() {
    let portal = Portal::slow(CONTACTS, Duration::from_millis(40));
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["status"]).ok();
    assert!(
        !workplace.path("state.db").exists(),
        "who only looks makes nothing"
    );

    let mut process = workplace.start(&["sync", "--once"]);
    let running = wait_for(&mut process, || {
        let status = status(&workplace);
        let written = status["picture"]["streams"][0]["written"].as_u64();
        written.filter(|written| *written > 0).map(|_| status)
    });
    assert_eq!(running["running"], true);
    assert_eq!(running["picture"]["pid"], process.id());
    assert_eq!(running["picture"]["ended"], Value::Null);
    process.wait().expect("it ends");

    let last = status(&workplace);
    assert_eq!(last["running"], false);
    assert_eq!(last["picture"]["ended"], "caught_up");
    assert_eq!(last["picture"]["streams"][0]["stream"], "contacts");
    let text = workplace.run(&["status", "crm"]).ok().stdout;
    assert!(
        text.starts_with("crm: not running; the last run caught up "),
        "{text}"
    );
    assert!(text.contains("contacts"), "{text}");
}

#[test]
fn status_shows_what_a_run_failed_of() {
    let workplace = Workplace::syncing("http://127.0.0.1:9", "[contacts]");
    workplace.run(&["sync", "--once"]).fails(3, &[]);
    let failed = status(&workplace);
    assert_eq!(failed["picture"]["ended"], "failed");
    let error = failed["picture"]["lastError"].as_str().unwrap();
    assert!(error.starts_with("pipeline `crm`: "), "{error}");
}
