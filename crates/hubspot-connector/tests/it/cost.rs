//! What a source is said to cost is what it costs: a survey, then the read itself, under paused time.

use std::time::Duration;

use futures_util::StreamExt;
use hubspot_connector::estimate::{CountedBy, Estimate};
use hubspot_emulator::{Counts, Emulator, Options, Tier};
use opencdc::{Selection, Source, Until};
use serde_json::{Value, json};

use crate::emulated::Hubspot;

fn portal() -> Hubspot {
    let counts = Counts {
        contacts: 900,
        companies: 250,
        ..Counts::none()
    };
    let options = Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
    };
    Hubspot::of(&Emulator::new(options))
}

/// Of an account with two objects, asked for changes every minute.
async fn surveyed(hubspot: &Hubspot) -> Estimate {
    hubspot.source(config()).survey().await.unwrap()
}

fn config() -> Value {
    json!({"streams": ["contacts", "companies", "owners"], "poll": "1m", "reconcile": {"every": "2h"},
           "reassociate": {"every": "1h"}, "refresh": "10m"})
}

/// The calls by method and end of the path.
async fn calls(hubspot: &Hubspot, end: &str) -> u64 {
    let requests = hubspot.requests().await;
    let routes = requests["byRoute"].as_object().unwrap();
    let of = routes.iter().filter(|(route, _)| route.ends_with(end));
    of.flat_map(|(_, statuses)| statuses.as_object().unwrap().values())
        .filter_map(Value::as_u64)
        .sum()
}

#[tokio::test(start_paused = true)]
async fn six_hours_of_following_cost_a_quarter_of_the_day() {
    let hubspot = portal();
    let estimate = surveyed(&hubspot).await;
    hubspot.control("DELETE", "requests", &Value::Null).await;
    let source = hubspot.source(config());
    let mut selection = Selection::everything(&source.catalog().await.unwrap());
    selection.until = Until::Dropped;
    let mut batches = source.read(selection, None).await.unwrap();
    let follow = async { while batches.next().await.transpose().unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_hours(6), follow)
        .await
        .unwrap_err();

    let of_streams = estimate.streams.iter();
    let snapshot: u64 = estimate.start
        + of_streams
            .clone()
            .map(|stream| stream.snapshot.total())
            .sum::<u64>();
    let a_day: u64 = estimate.definitions_a_day + of_streams.map(|stream| stream.a_day.total()).sum::<u64>();
    let planned = snapshot + a_day / 4;
    let made = hubspot.requests().await["total"].as_u64().unwrap();
    let tolerance = planned / 20;
    assert!(
        made.abs_diff(planned) <= tolerance,
        "planned {planned}, made {made}: {} {}",
        serde_json::to_string(&estimate).unwrap(),
        hubspot.requests().await
    );
    let searches: u64 = estimate
        .streams
        .iter()
        .map(|stream| stream.a_day.polls)
        .sum::<u64>()
        / 4;
    let made = calls(&hubspot, "/search").await;
    assert!(
        made.abs_diff(searches) <= searches / 20 + 60,
        "planned {searches} searches, made {made}"
    );
}

#[tokio::test]
async fn what_cannot_be_searched_is_counted_by_the_accounts_limits_and_costs_no_search() {
    let hubspot = Hubspot::new(Counts::none());
    hubspot
        .mutate(json!({"objectType": "contracts", "seed": 1, "create": 250}))
        .await;
    let estimate = hubspot
        .source(json!({"streams": ["contracts"]}))
        .survey()
        .await
        .unwrap();
    let contracts = &estimate.streams[0];
    let live = hubspot.ids("contracts", "live").await.len() as u64;
    assert_eq!(
        (contracts.records, contracts.counted_by),
        (Some(live), CountedBy::Limits)
    );
    assert_eq!(
        (contracts.snapshot.pages, contracts.snapshot.searches),
        (live.div_ceil(100), 0)
    );
    assert_eq!(contracts.a_day.polls, 0);
    assert!(contracts.routes.iter().all(|route| route.route != "search"));
}
