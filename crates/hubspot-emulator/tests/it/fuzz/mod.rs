//! Nothing that a caller sends makes the emulator panic, answer 500, or answer in another shape than HubSpot's.
//!
//! Rounds of random requests, each against a new account, until the time is over. `SPOKE_FUZZ_SECONDS` is the time
//! (2), `SPOKE_FUZZ_SEED` the seed of the first round: the seed that a failure names repeats it as the first round.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a run tells its seed and what it found, for whoever reads the test's output"
)]

mod bend;
mod calls;
mod chance;
mod request;
mod verdict;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chance::Chance;

use crate::desk::Desk;

const REQUESTS_A_ROUND: usize = 300;

#[tokio::test]
async fn any_request_is_answered_as_hubspot_would() {
    let end = Instant::now() + Duration::from_secs(number("SPOKE_FUZZ_SECONDS").unwrap_or(2));
    let first = number("SPOKE_FUZZ_SEED").unwrap_or_else(fresh_seed);
    let (mut rounds, mut statuses) = (0, BTreeMap::new());
    while rounds == 0 || Instant::now() < end {
        round(first.wrapping_add(rounds), &mut statuses).await;
        rounds += 1;
    }
    println!("{rounds} rounds from seed {first}; answers by status: {statuses:?}");
    let good: u32 = statuses.range(200..300).map(|(_, times)| times).sum();
    assert!(
        good > statuses.values().sum::<u32>() / 10,
        "hardly a request makes sense"
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, not `{text}`")),
    )
}

fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos())
}

/// One account and what is asked of it; counts the answers.
async fn round(seed: u64, statuses: &mut BTreeMap<u16, u32>) {
    let mut chance = Chance::of(seed);
    let desk = Desk::small();
    for at in 0..REQUESTS_A_ROUND {
        let sent = request::any(&mut chance);
        let Some(request) = sent.build() else { continue };
        let told = Told(format!(
            "SPOKE_FUZZ_SEED={seed} repeats it; request {at} of the round: {sent}"
        ));
        let answer = desk.send(request).await;
        if let Err(problem) = verdict::check(&sent, &answer) {
            panic!("{problem}\n{} {}", answer.status, answer.text);
        }
        drop(told);
        *statuses.entry(answer.status).or_default() += 1;
        calm(&desk, &sent.path).await;
    }
}

/// Faults and apps that a round made up are taken back: what goes wrong from here on is not what was asked for.
async fn calm(desk: &Desk, path: &str) {
    if path.starts_with("/_emulator/faults") {
        desk.call("DELETE", "/_emulator/faults", None).await;
    }
}

/// Says what was asked when the test ends in a panic, also in one of the emulator's.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
