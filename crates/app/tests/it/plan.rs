//! `spoke plan`: its numbers are those of the run.

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::Value;

use crate::support::{Portal, Workplace, stream};

/// So many calls may be more or less: lists of associations that a page cuts short are known from a sample only.
const TOLERANCE: u64 = 5;

fn portal(tier: Tier) -> Portal {
    let counts = Counts {
        contacts: 2_500,
        companies: 400,
        deals: 800,
        tickets: 300,
        products: 40,
        ..Counts::none()
    };
    Portal::start(Options {
        counts,
        tier,
        ..Options::default()
    })
}

fn plan(workplace: &Workplace) -> Value {
    workplace.run(&["plan", "--json"]).ok().json()[0].take()
}

/// Plans, runs, and compares the calls.
#[track_caller]
fn assert_planned(portal: &Portal, streams: &str) -> Value {
    let workplace = Workplace::syncing(&portal.url, streams);
    let plan = plan(&workplace);
    portal.clear_requests();
    workplace.run(&["sync", "--once"]).ok();
    let made = portal.requests()["total"].as_u64().expect("a number");
    let planned = plan["total"]["calls"].as_u64().expect("a number");
    assert!(
        made.abs_diff(planned) <= TOLERANCE,
        "planned {planned}, made {made}: {plan} {}",
        portal.requests()
    );
    plan
}

#[test]
fn the_planned_calls_are_those_that_a_sync_makes() {
    let portal = portal(Tier::Unlimited);
    let streams =
        "[contacts, companies, deals, tickets, products, owners, pipelines, pipeline_stages, properties]";
    let plan = assert_planned(&portal, streams);
    let live = portal.live("contacts").len();
    assert_eq!(stream(&plan, "contacts")["records"], live);
    assert_eq!(stream(&plan, "contacts")["countedBy"], "search");
    assert_eq!(
        stream(&plan, "products")["countedBy"],
        "reading",
        "one page is all"
    );
    let bytes = stream(&plan, "contacts")["bytes"].as_u64().expect("a number");
    assert!(bytes > 100 * live as u64, "{bytes} bytes for {live} contacts");
}

#[test]
fn a_wide_stream_with_its_history_takes_more_calls_and_they_are_planned() {
    let portal = portal(Tier::Unlimited);
    portal.widen("companies", "companyinformation");
    let plan = assert_planned(&portal, "[{name: companies, history: [name]}, deals]");
    assert_eq!(stream(&plan, "companies")["wide"], true);
    assert_eq!(
        stream(&plan, "companies")["snapshot"]["batches"],
        stream(&plan, "companies")["snapshot"]["pages"]
    );
    assert!(stream(&plan, "companies")["snapshot"]["history"].as_u64() > Some(0));
}

#[test]
fn a_plan_changes_nothing_and_costs_little() {
    let portal = portal(Tier::Pro);
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies]");
    let shown = workplace.run(&["plan"]).ok().stdout;
    assert!(
        shown.contains("CALLS A DAY AFTER") && shown.contains("contacts"),
        "{shown}"
    );
    assert!(shown.contains("calls in 10 s"), "{shown}");
    assert!(!workplace.path("hubspot.db").exists() && !workplace.path("state.db").exists());
    let requests = portal.requests();
    assert!(requests["total"].as_u64() < Some(20), "{requests}");
}

#[test]
fn a_quota_that_will_not_suffice_is_told_beforehand() {
    let portal = portal(Tier::Pro);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let written = std::fs::read_to_string(workplace.path("spoke.yaml")).expect("the file is there");
    let written = written.replace("base_url:", "max_calls_per_day: 20, base_url:");
    workplace.write("spoke.yaml", &written);
    let report = plan(&workplace);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("the snapshot takes") && warnings.contains("`max_calls_per_day` is 20"),
        "{warnings}"
    );
    assert!(warnings.contains("a day of following takes"), "{warnings}");
    let share = report["total"]["shareOfDay"]
        .as_f64()
        .expect("a pro account has a daily limit");
    assert!(share > 0.0 && share < 1.0, "{share}");
}
