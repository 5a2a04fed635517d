//! The layer under a paused clock: what HubSpot would see, and when.

use bytes::Bytes;
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, advance, sleep, timeout},
};

use super::*;
use crate::script::{Script, Step, answer, ok, slow};

const TEN_SECONDLY: &str = r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#;
const DAILY: &str = r#"{"policyName":"DAILY"}"#;

fn limits(max: u32) -> Limits {
    Limits {
        burst: max,
        search: max,
        associations: max,
        ..Limits::default()
    }
}

fn layer(script: &Arc<Script>, limits: Limits) -> Arc<Limit> {
    daily_layer(script, limits, daily(None))
}

/// A day that began twelve hours ago, in UTC, and ends with tokio's clock.
fn daily(max_calls: Option<u64>) -> Daily {
    let noon = "2026-11-27T12:00:00Z".parse().unwrap();
    Daily {
        max_calls,
        clock: WallClock::starting_at(noon),
        ..Daily::default()
    }
}

fn daily_layer(script: &Arc<Script>, limits: Limits, daily: Daily) -> Arc<Limit> {
    let script: Arc<Script> = Arc::clone(script);
    Arc::new(Limit::new(script, RateLimiter::with_daily(limits, daily)))
}

/// The same with the layer around it that sleeps.
fn sleeping(layer: &Arc<Limit>) -> Arc<NextDay> {
    let inner: Arc<Limit> = Arc::clone(layer);
    Arc::new(NextDay::new(inner, layer.limiter.clone()))
}

async fn call_all(service: &Arc<NextDay>, count: usize) -> Vec<u16> {
    let calls = (0..count).map(|_| service.call(request("/x", Priority::Snapshot)));
    let answers = futures_util::future::join_all(calls).await;
    answers
        .into_iter()
        .map(|answer| answer.unwrap().status().as_u16())
        .collect()
}

fn hours(script: &Script) -> Vec<f64> {
    script
        .times()
        .iter()
        .map(|at| (at / 36.0).round() / 100.0)
        .collect()
}

fn request(path: &str, priority: Priority) -> Request {
    http::Request::get(format!("http://h{path}"))
        .extension(priority)
        .body(Bytes::new())
        .unwrap()
}

type Answer = JoinHandle<Result<Response, HttpError>>;

/// Sends a request on a task of its own, and lets it get as far as it can.
async fn send(layer: &Arc<Limit>, path: &str, priority: Priority) -> Answer {
    let (layer, request) = (Arc::clone(layer), request(path, priority));
    let task = tokio::spawn(async move { layer.call(request).await });
    for _ in 0..10 {
        yield_now().await;
    }
    task
}

async fn send_many(layer: &Arc<Limit>, path: &str, count: usize) -> Vec<Answer> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        tasks.push(send(layer, path, Priority::Snapshot).await);
    }
    tasks
}

async fn answers(tasks: Vec<Answer>) {
    for task in tasks {
        // The clock runs ahead when all wait: who is never woken fails here.
        timeout(Duration::from_hours(24), task)
            .await
            .expect("a turn")
            .unwrap()
            .unwrap();
    }
}

/// A queue that is empty and slots that are free: nothing was left behind.
async fn assert_at_rest(limiter: &RateLimiter) {
    advance(Duration::from_secs(11)).await;
    for policy in limiter.stats().policies {
        assert_eq!((policy.held, policy.queued), (0, 0), "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_sliding_window_ever_sees_more_than_the_limit() {
    // Ways that take between 0 and 3 s, so that requests overtake each other.
    let mut seed = 7_u32;
    let mut way = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed >> 16) / f64::from(u16::MAX) * 3.0
    };
    let script = Script::new((0..120).map(|_| slow(way(), ok())));
    let layer = layer(&script, limits(10));
    answers(send_many(&layer, "/x", 120).await).await;

    let mut times = script.times();
    times.sort_by(f64::total_cmp);
    assert_eq!(times.len(), 120);
    for window in times.windows(11) {
        assert!(
            window[10] - window[0] >= 10.0,
            "11 requests between {} s and {} s",
            window[0],
            window[10]
        );
    }
    assert_at_rest(&layer.limiter).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_window_goes_on_as_soon_as_it_may() {
    let script = Script::new([]);
    let layer = layer(&script, limits(2));
    answers(send_many(&layer, "/x", 5).await).await;
    let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
    assert_eq!(whole, [0.0, 0.0, 10.0, 10.0, 20.0]);
    let stats = layer.limiter.stats();
    let burst = &stats.policies[0];
    assert_eq!((stats.calls, burst.calls, burst.waits), (5, 5, 3));
    assert_eq!(burst.waited.as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn limits_are_learned_from_headers() {
    let headers = [
        ("x-hubspot-ratelimit-max", "4"),
        ("x-hubspot-ratelimit-interval-milliseconds", "5000"),
    ];
    let script = Script::new([answer(200, &headers, "{}")]);
    let layer = layer(&script, limits(1));
    answers(send_many(&layer, "/x", 6).await).await;
    let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
    // Three more at once: the first answer told of four. Its own slot is the sixth request's.
    assert_eq!(whole, [0.0, 0.0, 0.0, 0.0, 5.0, 5.0]);
    let burst = &layer.limiter.stats().policies[0];
    assert_eq!((burst.max, burst.interval), (4, Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn calls_of_others_with_the_same_token_are_left_room() {
    let script = Script::new([answer(200, &[("x-hubspot-ratelimit-remaining", "1")], "{}")]);
    let layer = layer(&script, limits(10));
    answers(send_many(&layer, "/x", 3).await).await;
    // One of ten is ours, one is left: eight are somebody's. So one more now, and one when they are old.
    let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
    assert_eq!(whole, [0.0, 0.0, 10.0]);
}

#[tokio::test(start_paused = true)]
async fn a_share_leaves_the_rest_to_others() {
    let script = Script::new([]);
    let layer = layer(
        &script,
        Limits {
            use_share: 0.5,
            ..limits(4)
        },
    );
    answers(send_many(&layer, "/x", 3).await).await;
    assert_eq!(script.times().iter().filter(|at| **at < 1.0).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_429_closes_the_gate_for_everybody_until_retry_after() {
    let script = Script::new([answer(429, &[("retry-after", "3")], TEN_SECONDLY)]);
    let layer = layer(&script, limits(100));
    answers(send_many(&layer, "/x", 4).await).await;
    let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
    assert_eq!(whole, [0.0, 3.0, 3.0, 3.0]);
    assert_eq!(layer.limiter.stats().policies[0].refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_without_retry_after_closes_the_gate_for_a_window() {
    let script = Script::new([
        answer(429, &[], r#"{"message":"You have reached your secondly limit."}"#),
        answer(429, &[], TEN_SECONDLY),
    ]);
    let layer = layer(&script, limits(100));
    answers(vec![
        send(&layer, "/crm/v3/objects/contacts/search", Priority::Cdc).await,
    ])
    .await;
    answers(vec![
        send(&layer, "/crm/v3/objects/contacts", Priority::Cdc).await,
    ])
    .await;
    answers(vec![
        send(&layer, "/crm/v3/objects/contacts/search", Priority::Cdc).await,
        send(&layer, "/crm/v3/objects/contacts", Priority::Cdc).await,
    ])
    .await;
    let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
    assert_eq!(whole, [0.0, 0.0, 1.0, 10.0]);
}

#[tokio::test(start_paused = true)]
async fn searches_and_other_calls_do_not_wait_for_each_other() {
    let script = Script::new([]);
    let layer = layer(&script, limits(1));
    let paths = [
        "/crm/v3/objects/contacts/search",
        "/crm/v3/objects/contacts",
        "/crm/v4/associations/a/b/batch/read",
    ];
    for path in paths {
        answers(send_many(&layer, path, 1).await).await;
    }
    assert!(script.times().iter().all(|at| *at < 1.0), "{:?}", script.times());
}

#[tokio::test(start_paused = true)]
async fn associations_of_one_record_count_against_both_limits() {
    let script = Script::new([]);
    let layer = layer(&script, limits(1));
    answers(send_many(&layer, "/crm/v3/objects/contacts", 1).await).await;
    answers(send_many(&layer, "/crm/v4/objects/contacts/1/associations/deals", 1).await).await;
    answers(send_many(&layer, "/crm/v4/associations/a/b/batch/read", 1).await).await;
    let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
    assert_eq!(whole, [0.0, 10.0, 20.0]);
    assert_at_rest(&layer.limiter).await;
}

#[tokio::test(start_paused = true)]
async fn the_urgent_go_first_and_equals_in_order() {
    let script = Script::new([]);
    let layer = layer(&script, limits(1));
    let mut tasks = vec![send(&layer, "/first", Priority::Snapshot).await];
    for (path, priority) in [
        ("/snapshot-1", Priority::Snapshot),
        ("/cdc-1", Priority::Cdc),
        ("/snapshot-2", Priority::Snapshot),
        ("/interactive", Priority::Interactive),
        ("/cdc-2", Priority::Cdc),
    ] {
        tasks.push(send(&layer, path, priority).await);
    }
    answers(tasks).await;
    assert_eq!(
        script.targets(),
        [
            "/first",
            "/interactive",
            "/cdc-1",
            "/cdc-2",
            "/snapshot-1",
            "/snapshot-2"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_dropped_gives_its_place_up() {
    let script = Script::new([]);
    let layer = layer(&script, limits(1));
    let first = send(&layer, "/first", Priority::Cdc).await;
    let dropped = send(&layer, "/dropped", Priority::Cdc).await;
    let last = send(&layer, "/last", Priority::Cdc).await;
    dropped.abort();
    answers(vec![first, last]).await;
    assert_eq!(script.targets(), ["/first", "/last"]);
    assert_at_rest(&layer.limiter).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_on_its_way_may_have_been_counted() {
    let script = Script::new([slow(1.0, ok())]);
    let layer = layer(&script, limits(1));
    let dropped = send(&layer, "/dropped", Priority::Cdc).await;
    sleep(Duration::from_secs(2)).await;
    dropped.abort();
    let start = Instant::now();
    answers(send_many(&layer, "/next", 1).await).await;
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_left_costs_nothing() {
    let script = Script::new([Step::Fail(HttpErrorKind::Connect)]);
    let layer = layer(&script, limits(1));
    send(&layer, "/lost", Priority::Cdc)
        .await
        .await
        .unwrap()
        .unwrap_err();
    answers(send_many(&layer, "/next", 1).await).await;
    assert!(script.times()[1] < 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_day_that_is_over_fails_at_once_and_is_looked_at_again() {
    let script = Script::new([answer(429, &[], DAILY), answer(429, &[], DAILY), ok(), ok()]);
    let layer = layer(&script, limits(100));
    let kind = |answer: Result<Response, HttpError>| answer.unwrap_err().kind();
    let call = async |path| send(&layer, path, Priority::Cdc).await.await.unwrap();

    assert_eq!(call("/over").await.unwrap().status(), 429);
    assert!(layer.limiter.stats().day_is_over);
    assert_eq!(kind(call("/not-sent").await), HttpErrorKind::DailyLimit);
    advance(Duration::from_mins(10)).await;
    assert_eq!(call("/probe").await.unwrap().status(), 429);
    assert_eq!(kind(call("/not-sent").await), HttpErrorKind::DailyLimit);
    advance(Duration::from_mins(10)).await;
    assert_eq!(call("/morning").await.unwrap().status(), 200);
    assert_eq!(call("/again").await.unwrap().status(), 200);
    assert_eq!(script.targets(), ["/over", "/probe", "/morning", "/again"]);
    assert!(!layer.limiter.stats().day_is_over);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_when_the_day_ends_are_all_told() {
    let script = Script::new([slow(1.0, answer(429, &[], DAILY))]);
    let layer = layer(&script, limits(1));
    let tasks = send_many(&layer, "/x", 5).await;
    let start = Instant::now();
    let mut kinds = Vec::new();
    for task in tasks {
        kinds.push(
            task.await
                .unwrap()
                .map_err(|error| error.kind())
                .map(|answer| answer.status().as_u16()),
        );
    }
    assert_eq!(kinds[0], Ok(429));
    assert_eq!(kinds[1..], [Err(HttpErrorKind::DailyLimit); 4]);
    assert_eq!(start.elapsed().as_secs(), 2, "told as soon as it is known");
}

#[tokio::test(start_paused = true)]
async fn the_days_budget_is_shown() {
    let headers = [
        ("x-hubspot-ratelimit-daily", "250000"),
        ("x-hubspot-ratelimit-daily-remaining", "249999"),
    ];
    let script = Script::new([answer(200, &headers, "{}")]);
    let layer = layer(&script, limits(1));
    answers(send_many(&layer, "/x", 1).await).await;
    assert_eq!(
        layer.limiter.stats().daily,
        Some(DailyCalls {
            limit: 250_000,
            remaining: 249_999
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_ceiling_is_never_exceeded_and_the_rest_goes_after_midnight() {
    let script = Script::new([]);
    let layer = daily_layer(&script, limits(1_000), daily(Some(50)));
    let mut day = layer.limiter.day();
    assert_eq!(call_all(&sleeping(&layer), 120).await, [200; 120]);
    // Noon, midnight, the midnight after it.
    let expected: Vec<f64> = [[0.0; 50], [12.0; 50]]
        .concat()
        .into_iter()
        .chain([36.0; 20])
        .collect();
    assert_eq!(hours(&script), expected);
    assert!(day.has_changed().unwrap());
    assert_eq!(*day.borrow_and_update(), DayStatus::Open);
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_sees_the_day_end_and_begin() {
    let script = Script::new([]);
    let layer = daily_layer(&script, limits(1_000), daily(Some(3)));
    let mut day = layer.limiter.day();
    let service = sleeping(&layer);
    let calls = tokio::spawn(async move { call_all(&service, 4).await });
    day.changed().await.unwrap();
    let over = DayStatus::Over {
        why: DayOver::Ceiling(3),
        until: "2026-11-28T00:00:00Z".parse().unwrap(),
    };
    assert_eq!(*day.borrow_and_update(), over);
    assert!(layer.limiter.stats().day_is_over);
    day.changed().await.unwrap();
    assert_eq!(*day.borrow_and_update(), DayStatus::Open);
    calls.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ceiling_is_shared_by_all_who_share_the_ledger() {
    let (one, other) = (Script::new([]), Script::new([]));
    let first = daily(Some(30));
    let second = Daily {
        ledger: Arc::clone(&first.ledger),
        ..first.clone()
    };
    let layers = [
        daily_layer(&one, limits(1_000), first),
        daily_layer(&other, limits(1_000), second),
    ];
    let services = layers.each_ref().map(sleeping);
    tokio::join!(call_all(&services[0], 40), call_all(&services[1], 40));
    let today = |script: &Script| hours(script).iter().filter(|at| **at < 12.0).count();
    assert_eq!(today(&one) + today(&other), 30);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_left_is_not_counted() {
    let script = Script::new([Step::Fail(HttpErrorKind::Connect)]);
    let layer = daily_layer(&script, limits(1_000), daily(Some(1)));
    send(&layer, "/lost", Priority::Cdc)
        .await
        .await
        .unwrap()
        .unwrap_err();
    answers(send_many(&layer, "/next", 1).await).await;
    let kind = send(&layer, "/too-many", Priority::Cdc)
        .await
        .await
        .unwrap()
        .unwrap_err()
        .kind();
    assert_eq!(kind, HttpErrorKind::DailyLimit);
}

#[tokio::test(start_paused = true)]
async fn calls_that_cannot_be_counted_are_not_made() {
    #[derive(Debug)]
    struct Broken;

    #[async_trait]
    impl CallLedger for Broken {
        async fn take(
            &self,
            _: &str,
            _: u64,
            _: u64,
        ) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
            Err("the disk is full".into())
        }
    }

    let script = Script::new([]);
    let ledger = Arc::new(Broken);
    let layer = daily_layer(
        &script,
        limits(1),
        Daily {
            ledger,
            ..daily(Some(9))
        },
    );
    let error = send(&layer, "/x", Priority::Cdc)
        .await
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Ledger);
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "the disk is full"
    );
    assert!(script.times().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refused_day_is_slept_through_to_the_accounts_midnight() {
    const TOKYO: &str = r#"{"portalId":1,"timeZone":"Asia/Tokyo"}"#;
    let script = Script::new([answer(200, &[], TOKYO), ok(), slow(1.0, answer(429, &[], DAILY))]);
    let layer = layer(&script, limits(1_000));
    send(&layer, "/account-info/2026-03/details", Priority::Cdc)
        .await
        .await
        .unwrap()
        .unwrap();
    // Noon in London is nine in the evening in Tokyo.
    assert_eq!(call_all(&sleeping(&layer), 5).await, [200; 5]);
    assert_eq!(hours(&script), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn where_midnight_is_not_known_one_call_looks_now_and_then() {
    let refusals = (0..6).map(|_| answer(429, &[], DAILY));
    let script = Script::new(refusals);
    let layer = layer(&script, limits(1_000));
    assert_eq!(call_all(&sleeping(&layer), 3).await, [200; 3]);
    let minutes: Vec<f64> = script.times().iter().map(|at| (at / 60.0).floor()).collect();
    // One every ten minutes, and all as soon as one is answered.
    assert_eq!(minutes, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 60.0, 60.0]);
}

#[test]
fn a_share_or_limit_that_cannot_work_is_refused() {
    for share in [0.0, -1.0, 1.1, f64::NAN] {
        assert!(
            Limits {
                use_share: share,
                ..Limits::default()
            }
            .check()
            .is_err(),
            "{share}"
        );
    }
    assert!(
        Limits {
            search: 0,
            ..Limits::default()
        }
        .check()
        .is_err()
    );
    assert!(Limits::default().check().is_ok());
}
