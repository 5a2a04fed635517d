//! `spoke state`: where a pipeline resumes, and how it starts again.

use serde_json::Value;

use crate::support::copy::assert_equals_truth;
use crate::support::{Portal, Workplace};

fn shown(workplace: &Workplace) -> Value {
    workplace.run(&["state", "show", "--json"]).ok().json()[0].take()
}

#[test]
fn the_state_is_shown_and_reset_wherever_it_is_kept() {
    let portal = Portal::with_contacts(250);
    for destination in ["sqlite: {path: hubspot.db}", "ndjson: {dir: records}"] {
        let workplace = Workplace::with_destination(&portal.url, "[contacts, companies]", destination);
        assert_eq!(shown(&workplace)["sequence"], Value::Null);
        assert!(!workplace.path("state.db").exists() && !workplace.path("hubspot.db").exists());
        workplace
            .run(&["state", "reset", "crm", "--yes"])
            .fails(1, &["there is nothing to reset"]);

        workplace.run(&["sync", "--once"]).ok();
        let state = shown(&workplace);
        assert!(state["sequence"].as_u64().unwrap() > 1, "{state}");
        assert!(state["position"]["streams"]["contacts"].is_object(), "{state}");
        let text = workplace.run(&["state", "show", "crm"]).ok().stdout;
        assert!(
            text.starts_with("crm: checkpoint ") && text.contains("\"contacts\""),
            "{text}"
        );

        // Nobody is there to ask.
        workplace
            .run(&["state", "reset", "crm"])
            .fails(2, &["cannot be asked here", "add `--yes`"]);
        assert_eq!(shown(&workplace), state);
        workplace.run(&["state", "reset", "crm", "--yes"]).ok();
        assert_eq!(shown(&workplace)["sequence"], Value::Null);
    }
}

#[test]
fn one_stream_is_read_again_and_the_others_go_on() {
    let portal = Portal::with_contacts(250);
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies]");
    workplace.run(&["sync", "--once"]).ok();
    let before = shown(&workplace);
    workplace.run(&["state", "reset", "crm", "deals", "--yes"]).fails(
        2,
        &["there is no state of a stream `deals`", "`companies`, `contacts`"],
    );
    workplace
        .run(&["state", "reset", "crm", "contacts", "--yes"])
        .ok();
    let after = shown(&workplace);
    assert!(after["position"]["streams"]["contacts"].is_null(), "{after}");
    assert_eq!(
        after["position"]["streams"]["companies"],
        before["position"]["streams"]["companies"]
    );
    workplace.run(&["sync", "--once"]).ok();
    assert_equals_truth(&workplace.path("hubspot.db"), &portal, "contacts");
    assert!(shown(&workplace)["position"]["streams"]["contacts"].is_object());
}

#[test]
fn an_unknown_pipeline_is_refused_by_name() {
    let workplace = Workplace::syncing("http://127.0.0.1:9", "[contacts]");
    for command in [
        &["state", "show", "crn"][..],
        &["state", "reset", "crn", "--yes"],
        &["status", "crn"],
    ] {
        workplace
            .run(command)
            .fails(2, &["no pipeline `crn`; did you mean `crm`?"]);
    }
}

#[test]
fn a_position_of_conduits_connector_is_a_start() {
    let portal = Portal::with_contacts(250);
    for destination in ["sqlite: {path: hubspot.db}", "ndjson: {dir: records}"] {
        let workplace = Workplace::with_destination(&portal.url, "[contacts]", destination);
        workplace.write("odd.json", "page 7");
        let set = |file: &'static str| ["state", "set", "crm", "--position", file];
        workplace
            .run(&set("odd.json"))
            .fails(1, &["cannot read the position in `odd.json`"]);
        // Everything that exists was delivered by Conduit.
        let position = r#"{"mode":"cdc","timestamp":"2099-01-01T00:00:00Z"}"#;
        workplace.write("conduit.json", position);
        workplace.run(&set("conduit.json")).ok();
        assert_eq!(shown(&workplace)["sequence"], 1);
        let report = workplace.run(&["sync", "--once", "--json"]).ok().json();
        assert_eq!(report[0]["resumed"], true);
        let written = report[0]["streams"].as_array().unwrap();
        assert!(
            written.iter().all(|stream| stream["written"] == 0),
            "{destination}: {report}"
        );
        // A position is replaced only when asked, and so is what was remembered with it.
        workplace
            .run(&set("conduit.json"))
            .fails(2, &["will be replaced", "`--yes`"]);
        let again = ["state", "set", "crm", "--position", "conduit.json", "--yes"];
        workplace.run(&again).ok();
        assert_eq!(shown(&workplace)["notes"], serde_json::json!({}));
    }
}
