//! Measures an emulator of many contacts: `cargo run --release -p hubspot-emulator --example measure -- [CONTACTS]`.
//! Prints start time, memory, pages per second on one core, and search times.

mod workload;

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::Request;
use hubspot_emulator::{Counts, DEFAULT_TOKEN};
use tower::ServiceExt;
use workload::{
    FIRST, Outcome, SEARCH_PATH, SEARCHES, beyond, contacts, list_path, say, say_times, search_body,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let contacts = contacts()?;
    let counts = Counts {
        contacts,
        companies: contacts / 5,
        deals: contacts / 10,
        ..Counts::default()
    };
    let before = resident_mib();
    let started = Instant::now();
    let emulator = workload::emulator(counts);
    say(&format!(
        "start: {:.2} s for {contacts} contacts ({:.2} s of processor time on all threads)",
        started.elapsed().as_secs_f64(),
        cpu_seconds()
    ))?;
    say(&format!(
        "memory: {} MiB resident ({} before)",
        resident_mib(),
        before
    ))?;
    let router = emulator.router();
    lists(&router, contacts).await?;
    searches(&router).await?;
    say(&format!("memory at the end: {} MiB", resident_mib()))?;
    Ok(())
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    kib / 1024
}

/// Processor time of this process so far; the kernel counts hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    let ticks: u32 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    f64::from(ticks) / 100.0
}

async fn send(router: &Router, request: Request<Body>) -> Outcome<bytes::Bytes> {
    let response = router.clone().oneshot(request).await?;
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()).into());
    }
    Ok(axum::body::to_bytes(response.into_body(), usize::MAX).await?)
}

async fn lists(router: &Router, contacts: u64) -> Outcome<()> {
    let (mut pages, mut bytes, mut after) = (0_u64, 0_usize, FIRST);
    let started = Instant::now();
    let cpu = cpu_seconds();
    while started.elapsed() < Duration::from_secs(5) {
        let request = Request::get(list_path(after))
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .body(Body::empty())?;
        bytes += send(router, request).await?.len();
        pages += 1;
        after = beyond(after, contacts);
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let pages_made = f64::from(u32::try_from(pages)?);
    say(&format!(
        "lists: {:.0} pages/s ({:.0} per second of processor time) of 100 contacts with 60 properties asked for, {} KiB a page, in process",
        pages_made / seconds,
        pages_made / cpu,
        bytes as u64 / pages / 1024
    ))?;
    Ok(())
}

async fn searches(router: &Router) -> Outcome<()> {
    let mut times = Vec::new();
    for number in 0..SEARCHES {
        let request = Request::post(SEARCH_PATH)
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .header("content-type", "application/json")
            .body(Body::from(search_body(number)))?;
        let started = Instant::now();
        send(router, request).await?;
        times.push(started.elapsed());
    }
    say_times("searches on last modification", times)?;
    Ok(())
}
