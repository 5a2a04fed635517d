//! `spoke sync` without `--once`: every pipeline at the same time, until stopped.

use std::time::Duration;

use crate::support::copy::{assert_equals_truth, count};
use crate::support::spoke::{ended, terminate, wait_for};
use crate::support::{Portal, Workplace};
use serde_json::{Value, json};

const CONTACTS: u64 = 6_000;

/// A folder with pipelines `a`, `b`, ... into these files.
fn pipelines(portal: &Portal, files: &[&str]) -> Workplace {
    let workplace = Workplace::new();
    let one = |(name, file): (char, &&str)| {
        format!(
            "  {name}:\n    source: {{hubspot: {{connection: prod, streams: [contacts]}}}}\n    \
             destination: {{sqlite: {{path: {file}}}}}\n"
        )
    };
    let pipelines: Vec<_> = ('a'..).zip(files).map(one).collect();
    workplace.write(
        "spoke.yaml",
        &format!(
            "version: 1\nconnections:\n  prod: {{access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: {:?}}}\n\
             state: {{sqlite: {{path: state.db}}}}\npipelines:\n{}",
            portal.url,
            pipelines.concat()
        ),
    );
    workplace
}

#[test]
fn pipelines_run_at_the_same_time_until_terminated_and_the_next_run_goes_on() {
    let portal = Portal::slow(CONTACTS, Duration::from_millis(40));
    let workplace = pipelines(&portal, &["a.db", "b.db"]);
    let mut process = workplace.start_listening(&["sync"]);
    let files = ["a.db", "b.db"].map(|file| workplace.path(file));
    // Both are half-way at once: neither waits for the other.
    wait_for(&mut process, || {
        files
            .iter()
            .all(|file| count(file, "contacts") > 500)
            .then_some(())
    });
    terminate(&process);
    let stopped = ended(process).ok();
    assert!(stopped.stderr.contains("stopping"), "{}", stopped.stderr);
    assert!(stopped.stdout.contains("a: stopped in"), "{}", stopped.stdout);
    assert!(stopped.stdout.contains("b: stopped in"), "{}", stopped.stdout);
    assert!(count(&files[0], "contacts") < CONTACTS, "it was stopped half-way");
    workplace.run(&["sync", "--once", "a"]).ok();
    assert_equals_truth(&files[0], &portal, "contacts");
}

#[test]
fn changes_arrive_while_it_follows_and_status_says_how_far_behind_it_is() {
    let portal = Portal::with_contacts(200);
    let workplace = Workplace::syncing(&portal.url, "[contacts], poll: 1s");
    let mut process = workplace.start_listening(&["sync"]);
    let status = || {
        let shown = workplace.run(&["status", "--json"]).ok().json();
        shown[0]["picture"]["streams"][0].clone()
    };
    // GIVEN that it has read everything and follows
    let following = wait_for(&mut process, || {
        Some(status()).filter(|stream| stream["lagSeconds"].is_number())
    });
    assert_eq!(
        (&following["stream"], &following["mode"]),
        (&json!("contacts"), &json!("cdc"))
    );
    assert!(following["calls"].as_u64() > Some(0), "{following}");
    // WHEN something changes
    let file = workplace.path("hubspot.db");
    let before = count(&file, "contacts");
    portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "contacts", "seed": 7, "create": 30}),
    );
    // THEN it arrives without being asked for
    wait_for(&mut process, || {
        (count(&file, "contacts") == before + 30).then_some(())
    });
    terminate(&process);
    let stopped = ended(process).ok();
    assert!(stopped.stdout.contains("crm: stopped in"), "{}", stopped.stdout);
    assert_equals_truth(&file, &portal, "contacts");
}

/// Polls are counted, by their searches, because a loaded machine makes any number of seconds of them. How long a change
/// waits for its poll is measured under paused time, in the tests of `hubspot-connector`.
#[test]
fn a_change_is_in_the_copy_with_the_next_poll() {
    let portal = Portal::with_contacts(200);
    let workplace = Workplace::syncing(&portal.url, "[contacts], poll: 1s, lookback: 5m");
    let file = workplace.path("hubspot.db");
    let mut process = workplace.start_listening(&["sync"]);
    // The feeds may run ahead of what is written, so both are waited for.
    let live = portal.live("contacts").len() as u64;
    wait_for(&mut process, || {
        (searches(&portal) >= 3 && count(&file, "contacts") == live).then_some(())
    });
    let mut polls = Vec::new();
    for seed in 0..9 {
        let before = count(&file, "contacts");
        portal.clear_requests();
        let change = json!({"objectType": "contacts", "seed": seed, "create": 1, "sameMillisecond": true});
        portal.post("/_emulator/mutate", &change);
        wait_for(&mut process, || {
            (count(&file, "contacts") == before + 1).then_some(())
        });
        polls.push(searches(&portal));
    }
    terminate(&process);
    ended(process).ok();
    polls.sort_unstable();
    // A poll may be under way when the change comes, and each has a question of the late feed at most.
    assert!((1..=3).contains(&polls[polls.len() / 2]), "{polls:?}");
}

fn searches(portal: &Portal) -> u64 {
    let requests = portal.requests();
    let routes = requests["byRoute"]
        .as_object()
        .expect("the log has routes")
        .iter();
    let of = routes.filter(|(route, _)| route.ends_with("/search"));
    of.flat_map(|(_, statuses)| statuses.as_object().expect("counts by status").values())
        .filter_map(Value::as_u64)
        .sum()
}

#[test]
fn a_pipeline_that_fails_is_told_and_does_not_stop_the_others() {
    let portal = Portal::slow(CONTACTS, Duration::from_millis(40));
    let workplace = pipelines(&portal, &["missing/a.db", "b.db"]);
    let mut process = workplace.start_listening(&["sync"]);
    let file = workplace.path("b.db");
    wait_for(&mut process, || (count(&file, "contacts") > 500).then_some(()));
    terminate(&process);
    let stopped = ended(process).fails(
        1,
        &[
            "1 of 2 pipelines ended with an error: `a`",
            "there is no directory",
        ],
    );
    assert!(
        stopped.stderr.contains("there is no directory"),
        "{}",
        stopped.stderr
    );
    assert!(stopped.stdout.contains("b: stopped in"), "{}", stopped.stdout);
}

#[test]
fn when_every_pipeline_has_failed_so_has_the_command() {
    let portal = Portal::with_contacts(10);
    let workplace = pipelines(&portal, &["missing/a.db", "missing/b.db"]);
    let texts = [
        "missing/a.db",
        "missing/b.db",
        "every pipeline has ended with an error",
    ];
    workplace.run(&["sync"]).fails(1, &texts);
}

#[test]
fn what_may_heal_is_tried_again_and_the_only_pipeline_keeps_its_exit_code() {
    // GIVEN that HubSpot is not there: that may heal, so the command goes on
    let workplace = Workplace::syncing("http://127.0.0.1:9", "[contacts]");
    let mut process = workplace.start_listening(&["sync"]);
    wait_for(&mut process, || {
        let shown = workplace.run(&["status"]).ok().stdout;
        shown.contains("retried once: ").then_some(())
    });
    terminate(&process);
    ended(process).ok();
    // GIVEN that the token is refused: that is for a person
    let portal = Portal::with_contacts(10);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let token = (
        "HUBSPOT_ACCESS_TOKEN",
        "pat-na1-00000000-0000-4000-8000-00000000dead",
    );
    workplace.run_with(&["sync"], token).fails(3, &[]);
}
